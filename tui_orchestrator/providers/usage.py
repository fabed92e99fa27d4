"""Token counts as each provider reports them → inclusive buckets.

The dialects differ in what lies inside what: Anthropic counts cached tokens beside its input tokens, the others inside;
Gemini counts thoughts beside its output tokens, and so do some OpenAI-compatible servers.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..routing.money import Money, Usage

_MOST = 10**9
"""No call has a billion tokens: such a figure is a fault of the server and not to be billed by."""


def count(value: object) -> int | None:
    """None unless it is a number of tokens: providers are believed only what makes sense."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MOST else None


def _counts(reported: Any, *path: str) -> int | None:
    for name in path:
        reported = getattr(reported, name, None)
    return count(reported)


def _usage(input: int, output: int, cached: int | None, written: int | None, reasoning: int | None) -> Usage | None:
    if not input and not output:  # some servers fill in zeros for what they did not count
        return None
    cached = min(cached or 0, input)
    return Usage(input, output, cached, min(written or 0, input - cached), min(reasoning or 0, output))


_ANTHROPIC = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def anthropic_counts(reported: Any) -> dict[str, int]:
    """The counts of one event by name. They are cumulative: each replaces its predecessor, one left out stands."""
    counts = {name: _counts(reported, name) for name in _ANTHROPIC}
    counts["thinking_tokens"] = _counts(reported, "output_tokens_details", "thinking_tokens")
    return {name: value for name, value in counts.items() if value is not None}


def anthropic_usage(counts: Mapping[str, int]) -> Usage | None:
    if "input_tokens" not in counts or "output_tokens" not in counts:
        return None
    cached = counts.get("cache_read_input_tokens", 0)
    written = counts.get("cache_creation_input_tokens", 0)
    total_input = counts["input_tokens"] + cached + written
    return _usage(total_input, counts["output_tokens"], cached, written, counts.get("thinking_tokens"))


def openai_usage(reported: Any) -> Usage | None:
    prompt = _counts(reported, "prompt_tokens")
    completion = _counts(reported, "completion_tokens")
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
    return _usage(prompt, completion, cached, written, reasoning)


def gemini_usage(reported: Any) -> Usage | None:
    prompt = _counts(reported, "prompt_token_count")
    if prompt is None:
        return None
    # A count of zero is left out of the message.
    prompt += _counts(reported, "tool_use_prompt_token_count") or 0
    thoughts = _counts(reported, "thoughts_token_count") or 0
    output = (_counts(reported, "candidates_token_count") or 0) + thoughts
    return _usage(prompt, output, _counts(reported, "cached_content_token_count"), None, thoughts)


def openrouter_bill(reported: Any) -> Money | None:
    """What OpenRouter says it charged. With the user's own upstream key (BYOK) its `cost` is only its fee, and the
    upstream's charge comes on top."""
    cost = _dollars(getattr(reported, "cost", None))
    if cost is None or getattr(reported, "is_byok", None) is not True:
        return cost
    details = getattr(reported, "cost_details", None)
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
