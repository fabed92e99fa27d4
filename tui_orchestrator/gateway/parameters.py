"""The parameters of a chat completion that the router does not pass on: those that change nothing in the answer are
named, all others refused. Pure.

All that OpenAI's own library has (openai 3.52, November 2026); a test compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..routing.text import clean_line
from .wire import WrongRequest

HEEDED = frozenset(
    {"model", "messages", "max_tokens", "max_completion_tokens", "temperature", "stop", "stream", "stream_options",
     "tools", "tool_choice", "parallel_tool_calls", "response_format", "n", "split"}
)  # fmt: skip
IDLE = frozenset(
    {"metadata", "prediction", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
     "safety_identifier", "seed", "store", "user"}
)  # fmt: skip
"""For OpenAI's own house-keeping, or, as `seed` and `prediction`, without a promise at OpenAI either."""
NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "audio": (),
    "frequency_penalty": (0,),
    "function_call": ("none",),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "moderation": (),
    "presence_penalty": (0,),
    "reasoning_effort": ("medium",),
    "service_tier": ("auto", "default"),
    "top_logprobs": (0,),
    "top_p": (1,),
    "verbosity": ("medium",),
    "web_search_options": (),
}
"""What would change the answer, its price or its form, and differs from model to model, so that a router that chooses
the model cannot promise it: with the values that ask for nothing."""
_WHY = {
    "functions": "functions have become tools",
    "function_call": "functions have become tools",
    "audio": "sound is not passed through",
    "logprobs": "log-probabilities are not passed through",
    "top_logprobs": "log-probabilities are not passed through",
    "web_search_options": "a search of the provider's is not passed through",
}


def idle(body: Mapping[str, Any]) -> list[str]:
    """Those that were sent and change nothing. Raises WrongRequest for one that would."""
    named = []
    for name, value in body.items():
        if value is None or name in HEEDED:
            continue
        if name in IDLE:
            named.append(name)
        elif name not in NEUTRAL:
            name = clean_line(name, 60)
            raise WrongRequest(f"{name} is no parameter of a chat completion here; leave it out.", name)
        elif value not in NEUTRAL[name] or isinstance(value, bool) is not isinstance(NEUTRAL[name][0], bool):
            raise WrongRequest(f"{_why(name)}.", name)
    return named


def _why(name: str) -> str:
    why = _WHY.get(name, f"{name} differs from model to model and is not passed on")
    plain = " or ".join(f'"{value}"' for value in NEUTRAL[name] if isinstance(value, str))
    plain = plain or next((str(value) for value in NEUTRAL[name] if isinstance(value, int)), "")
    said = f" or say {plain}" if plain and name not in _WHY else ""
    return f"{why}; leave {name} out{said}"
