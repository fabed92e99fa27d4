"""OpenRouter's catalogue: prices, context windows and abilities of all it resells, kept on disk for a day.

Prices arrive as text in dollars per token. What is priced −1 varies by the call: unknown, not free.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ..locations import private
from ..routing.money import Money, Price, Rates, Tier
from ..routing.profile import Ability
from .listings import MAX_BODY, Listed, clean_name, rows, whole

KEPT_S = 24 * 3600
_FILE = "openrouter-models.json"
_FORMAT = 1
SOURCE = "OpenRouter catalogue"

_PARAMETERS = {
    "tools": Ability.TOOLS,
    "structured_outputs": Ability.STRUCTURED_OUTPUT,
    "response_format": Ability.STRUCTURED_OUTPUT,
    "reasoning": Ability.THINKING,
    "include_reasoning": Ability.THINKING,
}
_BUCKETS = {
    "prompt": "input",
    "completion": "output",
    "input_cache_read": "cached_input",
    "input_cache_write": "cache_write",
    "internal_reasoning": "reasoning",
}
_MTOK = Decimal(1_000_000)


def parse(body: Any) -> list[Listed]:
    return [listed for item in rows(body) if (listed := _row(item))]


def _row(item: Mapping[str, Any]) -> Listed | None:
    name = clean_name(item.get("id"))
    if not name:
        return None
    architecture = _mapping(item.get("architecture"))
    inputs, outputs = _words(architecture.get("input_modalities")), _words(architecture.get("output_modalities"))
    parameters = item.get("supported_parameters")
    abilities: frozenset[Ability] | None = None
    if isinstance(parameters, list) or inputs:
        abilities = frozenset(_PARAMETERS[word] for word in _words(parameters) if word in _PARAMETERS)
        abilities |= {Ability.VISION} if "image" in inputs else set()
    top = _mapping(item.get("top_provider"))
    return Listed(
        name,
        price(_mapping(item.get("pricing"))),
        whole(top.get("context_length")) or whole(item.get("context_length")),
        whole(top.get("max_completion_tokens")),
        abilities,
        accepts_temperature="temperature" in parameters if isinstance(parameters, list) and parameters else None,
        chats=False if (outputs and outputs != {"text"}) or (inputs and "text" not in inputs) else None,
    )


def price(pricing: Mapping[str, Any]) -> Price | None:
    """None unless input, output and what is asked for each call all have a price of zero or more."""
    base = _per_mtok(pricing)
    if base is None or "input" not in base or "output" not in base:
        return None
    asked = pricing.get("request")
    per_call = _dollars(0 if asked is None else asked)
    if per_call is None or per_call < 0:
        return None
    tiers: list[Tier] = []
    overrides = pricing.get("overrides")
    for override in overrides if isinstance(overrides, list) else []:
        start = whole(_mapping(override).get("min_prompt_tokens"))
        above = _per_mtok(_mapping(override))
        if start is None:
            continue
        if above is None:
            return None
        # Inclusive there, exclusive here; what an override leaves out keeps its base price.
        tiers.append(Tier(start - 1, Rates.from_usd(**{**base, **above})))
    tiers.sort(key=lambda tier: tier.over)
    return Price(Rates.from_usd(**base), tuple(tiers), Money.from_usd(per_call), SOURCE)


def _per_mtok(pricing: Mapping[str, Any]) -> dict[str, Any] | None:
    """By bucket of Rates. None where one of them is negative: the price varies."""
    found = {bucket: usd for key, bucket in _BUCKETS.items() if (usd := _dollars(pricing.get(key))) is not None}
    if any(usd < 0 for usd in found.values()):
        return None
    # An internal reasoning price of 0 means: billed as output.
    if not found.get("reasoning"):
        found.pop("reasoning", None)
    return {bucket: usd * _MTOK for bucket, usd in found.items()}


def _dollars(text: object) -> Decimal | None:
    if not isinstance(text, str | int) or isinstance(text, bool) or len(str(text)) > 40:
        return None
    try:
        usd = Decimal(text)
    except InvalidOperation:
        return None
    # A figure beyond any price (1e999999) must not become a huge integer.
    return usd if usd.is_finite() and abs(usd) < 1000 else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _words(value: object) -> set[str]:
    return {word for word in value if isinstance(word, str)} if isinstance(value, list) else set()


def load(cache_dir: Path, address: str, now: float) -> Sequence[Listed] | None:
    """The catalogue kept of this address, if younger than a day at `now` (Unix seconds). Reads a file: not for the
    event loop."""
    path = cache_dir / _FILE
    try:
        if path.stat().st_size > MAX_BODY:
            return None
        kept = json.loads(path.read_bytes())
        stored = float(kept["stored"])
        if kept["format"] != _FORMAT or kept["address"] != address or not 0 <= now - stored < KEPT_S:
            return None
        return [_from_json(item) for item in kept["models"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None  # no file, or not one of ours: it is read again from the network


def save(cache_dir: Path, address: str, models: Sequence[Listed], now: float) -> None:
    """Replaces the file in one step, readable by its owner alone. A disk that refuses only costs the next start a
    request. Writes a file: not for the event loop."""
    kept = {"format": _FORMAT, "address": address, "stored": now, "models": [_to_json(model) for model in models]}
    temporary = None
    try:
        private(cache_dir)
        handle, temporary = tempfile.mkstemp(dir=cache_dir, prefix=_FILE)  # 0600 by itself
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(kept, file)
        os.replace(temporary, cache_dir / _FILE)
    except OSError:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)


def _to_json(model: Listed) -> dict[str, Any]:
    return {
        "name": model.name,
        "price": model.price.to_json() if model.price else None,
        "context_window": model.context_window,
        "max_output": model.max_output,
        "abilities": sorted(model.abilities) if model.abilities is not None else None,
        "accepts_temperature": model.accepts_temperature,
        "chats": model.chats,
    }


def _from_json(item: dict[str, Any]) -> Listed:
    abilities = item["abilities"]
    return Listed(
        clean_name(item["name"]) or "?",
        Price.from_json(item["price"]) if item["price"] else None,
        item["context_window"],
        item["max_output"],
        None if abilities is None else frozenset(Ability(ability) for ability in abilities),
        item["accepts_temperature"],
        item["chats"],
    )
