"""Prices to suppose: a TOML file, or a few words such as 'anthropic=0.5, openai/gpt-6-luna=2'."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path as FilePath

from ..routing.money import BUCKETS
from ..routing.repricing import PriceTable
from ..routing.text import clean_line
from .building import price_of
from .kinds import shown
from .named import MODELS, PROVIDERS
from .reading import Found, Reading
from .shape import Key, Table

_MOST_TIMES = 1000


@dataclass(frozen=True, slots=True)
class Factor:
    """Exact, as money is: 1.1 times a price is not a rounding more."""

    words: str = f"a number from 0 to {_MOST_TIMES}"

    def parse(self, raw: object) -> Decimal:
        if isinstance(raw, bool) or not isinstance(raw, int | Decimal) or not Decimal(raw).is_finite():
            raise ValueError(f"{shown(raw)} is not a number")
        if not 0 <= raw <= _MOST_TIMES:
            raise ValueError(f"{shown(raw)} is not between 0 and {_MOST_TIMES}")
        return Decimal(raw)

    def from_text(self, text: str) -> object:
        return text


_TIMES = Key(Factor(), None, "What today's price is multiplied by.", "0.5", unset="1")
_OF_A_PRICE = (
    "id", "provider", *(f"{bucket}_usd" for bucket in BUCKETS), "parts_usd", "long_prompt_over", "long_prompt_usd",
    "per_call_usd",
)  # fmt: skip
assert isinstance(MODELS.each, Table)
_MODEL = Table("", {name: MODELS.each.keys[name] for name in _OF_A_PRICE} | {"times": _TIMES})
_TABLE = Table(
    "Prices to suppose.",
    {
        "models": Table(
            "", each=_MODEL, name=MODELS.name, sample=MODELS.sample, name_fits=MODELS.name_fits, array=True
        ),
        "providers": Table(
            "", each=Table("", {"times": _TIMES}), sample=PROVIDERS.sample, name_fits=PROVIDERS.name_fits
        ),
    },
)
EXAMPLE = 'a TOML file with [[models]] and [providers.NAME], or NAME=FACTOR such as "anthropic=0.5"'


def price_table(said: str) -> PriceTable:
    """From what a user wrote: a file's name, or factors by the names of providers and models. Raises ValueError with a
    sentence."""
    text = said.strip()
    path = FilePath(text).expanduser()
    if "=" in text and not path.exists():
        return _factors(text)
    return read_price_table(path)


def _factors(text: str) -> PriceTable:
    factors: dict[str, Decimal] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, times = (piece.strip() for piece in part.partition("="))
        try:
            factors[name] = Factor().parse(Decimal(times))
        except (InvalidOperation, ValueError):
            right = "give NAME=FACTOR, such as anthropic=0.5"
            raise ValueError(f"{clean_line(part, 60)!r} is no factor from 0 to {_MOST_TIMES}; {right}") from None
        if not name:
            raise ValueError(f"{clean_line(part, 60)!r} names no model and no provider; give NAME=FACTOR")
    return PriceTable(factors=factors)


def read_price_table(path: FilePath) -> PriceTable:
    """Raises ValueError with a sentence that names file and line."""
    reading = Reading()
    try:
        reading.file(path, table=_TABLE)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}; give {EXAMPLE}") from None
    models = reading.names.get(("models",), {})
    prices = {name: price_of(reading, name, at, _said(reading, name)) for name, at in models.items()}
    factors: dict[str, Decimal] = {}
    for (kind, name, key), found in reading.found.items():
        if key == "times":
            assert isinstance(found.value, Decimal)
            factors[name] = found.value
            if kind == "models" and prices.get(name) is not None:
                reading.problem(found.origin, (kind, name), "has both a price and `times`; give one of them")
    for name, at in models.items():
        if prices[name] is None and name not in factors and not reading.problems:
            reading.problem(at.origin, ("models", name), "says no price; give input_usd and output_usd, or times")
    if reading.problems:
        raise ValueError(reading.problems[0])
    if not models and not factors:
        raise ValueError(f"{path} holds no prices; give {EXAMPLE}")
    return PriceTable({name: price for name, price in prices.items() if price is not None}, factors)


def _said(reading: Reading, name: str) -> dict[str, object]:
    found: dict[str, Found | None] = {key: reading.found.get(("models", name, key)) for key in _OF_A_PRICE}
    return {key: None if one is None else one.value for key, one in found.items()}
