"""Token counts as each provider reports them → inclusive buckets.

The dialects differ in what lies inside what: Anthropic counts cached tokens beside its input tokens, the others inside;
Gemini counts thoughts beside its output tokens, and so do some OpenAI-compatible servers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ..routing.money import Money, Usage
from ..routing.parts import Counts, Part
from ..routing.text import clean_line

_MOST = 10**9
"""No call has a billion tokens: such a figure is a fault of the server."""
_MOST_TOLD = 10**15
"""A total is handed on up to here, so that whoever weighs it can tell what was reported."""


def count(value: object, most: int = _MOST) -> int | None:
    """None unless it is a number of tokens, of at most so many: providers are believed only what makes sense."""
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, float) and value.is_integer())):
        return None
    return int(value) if 0 <= value <= most else None


def _counts(reported: Any, *path: str) -> int | None:
    """A part of the tokens."""
    return count(_at(reported, *path))


def _total(reported: Any, name: str) -> int | None:
    found = _at(reported, name)
    if isinstance(found, int | float) and found > _MOST_TOLD:
        return _MOST_TOLD
    return count(found, _MOST_TOLD)


def _at(reported: Any, *path: str) -> object:
    for name in path:
        reported = reported.get(name) if isinstance(reported, dict) else getattr(reported, name, None)
    return reported


def _usage(
    input: int,
    output: int,
    cached: int | None,
    written: int | None,
    reasoning: int | None,
    parts: Mapping[Part, int | None],
) -> Usage | None:
    if not input and not output:  # some servers fill in zeros for what they did not count
        return None
    cached = min(cached or 0, input)
    written = min(written or 0, input - cached)
    reasoning = min(reasoning or 0, output)
    room = {
        "input": input - cached - written,
        "cached_input": cached,
        "cache_write": written,
        "output": output - reasoning,
    }
    return Usage(input, output, cached, written, reasoning, parts=_fitting(parts, room))


def _fitting(parts: Mapping[Part, int | None], room: dict[str, int]) -> Counts:
    """No more of them than their bucket holds."""
    kept = []
    for part in sorted(parts):
        count = min(parts[part] or 0, room[part.bucket])
        room[part.bucket] -= count
        if count > 0:
            kept.append((part, count))
    return tuple(kept)


_USUAL_TIERS = {"", "auto", "default", "standard", "on_demand", "traffic_type_unspecified"}


def service_tier(said: object) -> str:
    """The tier a call was served in, as the price book names it; '' for the usual one and where nothing is said."""
    if not isinstance(said, str):
        return ""
    tier = clean_line(said, 40).lower().removeprefix("on_demand_")
    return "" if tier in _USUAL_TIERS else tier


_TOTALS = ("input_tokens", "output_tokens")
_ANTHROPIC = (*_TOTALS, "cache_read_input_tokens", "cache_creation_input_tokens")


def anthropic_counts(reported: Any) -> dict[str, int]:
    """The counts of one event by name. They are cumulative: each replaces its predecessor, one left out stands."""
    counts = {name: (_total if name in _TOTALS else _counts)(reported, name) for name in _ANTHROPIC}
    counts["thinking_tokens"] = _counts(reported, "output_tokens_details", "thinking_tokens")
    for kept in ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"):
        counts[kept] = _counts(reported, "cache_creation", kept)
    return {name: value for name, value in counts.items() if value is not None}


def anthropic_usage(counts: Mapping[str, int]) -> Usage | None:
    if "input_tokens" not in counts or "output_tokens" not in counts:
        return None
    cached = counts.get("cache_read_input_tokens", 0)
    for_an_hour = counts.get("ephemeral_1h_input_tokens", 0)
    written = counts.get("cache_creation_input_tokens")
    if written is None:
        written = for_an_hour + counts.get("ephemeral_5m_input_tokens", 0)
    total_input = counts["input_tokens"] + cached + written
    thinking = counts.get("thinking_tokens")
    return _usage(total_input, counts["output_tokens"], cached, written, thinking, {Part.CACHE_WRITE_1H: for_an_hour})


def anthropic_tier(reported: Any) -> str:
    """Fast mode has prices of its own, the priority tier those of a contract."""
    fast = service_tier(getattr(reported, "speed", None))
    return fast or service_tier(getattr(reported, "service_tier", None))


def openai_usage(reported: Mapping[str, Any]) -> Usage | None:
    prompt = _total(reported, "prompt_tokens")
    completion = _total(reported, "completion_tokens")
    if prompt is None or completion is None:
        return None
    cached = _counts(reported, "prompt_tokens_details", "cached_tokens")
    if cached is None:
        cached = _counts(reported, "prompt_cache_hit_tokens")  # DeepSeek's name for it
    written = _counts(reported, "prompt_tokens_details", "cache_write_tokens")
    reasoning = _counts(reported, "completion_tokens_details", "reasoning_tokens") or 0
    # OpenAI counts reasoning inside the completion, some compatible servers (xAI) beside it; their total tells.
    if reasoning and (reasoning > completion or _counts(reported, "total_tokens") == prompt + completion + reasoning):
        completion += reasoning
    parts = {
        # How many of them were read from the cache is not said: they count as read the least.
        Part.AUDIO_INPUT: _counts(reported, "prompt_tokens_details", "audio_tokens"),
        Part.IMAGE_INPUT: _counts(reported, "prompt_tokens_details", "image_tokens"),
        Part.AUDIO_OUTPUT: _counts(reported, "completion_tokens_details", "audio_tokens"),
        Part.IMAGE_OUTPUT: _counts(reported, "completion_tokens_details", "image_tokens"),
    }
    return _usage(prompt, completion, cached, written, reasoning, parts)


def gemini_usage(reported: Any) -> Usage | None:
    prompt = _total(reported, "prompt_token_count")
    if prompt is None:
        return None
    # A count of zero is left out of the message.
    tools = _counts(reported, "tool_use_prompt_token_count") or 0
    thoughts = _counts(reported, "thoughts_token_count") or 0
    output = (_total(reported, "candidates_token_count") or 0) + thoughts
    read = _by_modality(getattr(reported, "prompt_tokens_details", None))
    cached = _by_modality(getattr(reported, "cache_tokens_details", None))
    made = _by_modality(getattr(reported, "candidates_tokens_details", None))
    parts: dict[Part, int | None] = {
        Part.AUDIO_CACHED: cached.get("AUDIO"),
        Part.IMAGE_CACHED: cached.get("IMAGE"),
        Part.AUDIO_OUTPUT: made.get("AUDIO"),
        Part.IMAGE_OUTPUT: made.get("IMAGE"),
        Part.VIDEO_OUTPUT: made.get("VIDEO"),
    }
    for part, modality in ((Part.AUDIO_INPUT, "AUDIO"), (Part.IMAGE_INPUT, "IMAGE"), (Part.VIDEO_INPUT, "VIDEO")):
        parts[part] = max(0, read.get(modality, 0) - cached.get(modality, 0))
    cached_tokens = _counts(reported, "cached_content_token_count")
    return _usage(prompt + tools, output, cached_tokens, None, thoughts, parts)


def _by_modality(details: Iterable[Any] | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for detail in details or ():
        tokens = _counts(detail, "token_count")
        modality = getattr(getattr(detail, "modality", None), "value", None)
        if tokens and isinstance(modality, str):
            found[modality] = found.get(modality, 0) + tokens
    return found


def gemini_tier(reported: Any) -> str:
    return service_tier(getattr(getattr(reported, "traffic_type", None), "value", None))


def openrouter_bill(reported: Mapping[str, Any]) -> Money | None:
    """What OpenRouter says it charged. With the user's own upstream key (BYOK) its `cost` is only its fee, and the
    upstream's charge comes on top."""
    cost = _dollars(reported.get("cost"))
    if cost is None or reported.get("is_byok") is not True:
        return cost
    details = reported.get("cost_details")
    upstream = _dollars(details.get("upstream_inference_cost")) if isinstance(details, Mapping) else None
    return None if upstream is None else cost + upstream


def _dollars(value: object) -> Money | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Money.from_usd(Decimal(str(value)))  # a float's text is the figure that was sent
    except (ValueError, ArithmeticError):
        return None
    return amount if Money() <= amount <= Money.from_usd(10**6) else None
