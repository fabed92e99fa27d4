"""Models whose answers to known kinds of question have been published, and the kinds: how often each is right there is
learned by `training.published` and read from the weights.

A prompt is of such a kind by what the trained profile makes of it; everyday prompts are of none. For those that are,
the published shares of good answers say more than one number for difficulty and one for ability can.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from .profile import Published

KINDS: Mapping[str, str] = {
    "arc_challenge": "school science",
    "commongen": "a sentence from given words",
    "commonsense_qa": "common sense",
    "math": "competition mathematics",
    "mbpp": "short Python functions",
    "mmlu": "examination subjects",
    "natural_qa": "trivia",
}
"""Groups of LLMRouter's published scores (MIT, 2025), and what each asks for, in words."""

MODELS: Mapping[str, str] = {
    "qwen2.5-7b-instruct": r"qwen257b",
    "codegemma-7b": r"codegemma7b",
    "gemma-2-9b-it": r"gemma29b",
    "llama-3.1-8b-instruct": r"(?:meta)?llama318b",
    "llama3-chatqa-1.5-8b": r"llama3chatqa158b",
    "mistral-7b-instruct-v0.3": r"mistral7binstructv03",
    "llama-3.3-nemotron-super-49b-v1": r"(?:nvidia)?llama33nemotronsuper49bv1",
    "llama-3.1-nemotron-51b-instruct": r"(?:nvidia)?llama31nemotron51b",
    "llama3-chatqa-1.5-70b": r"llama3chatqa1570b",
}
"""By the names that the scores give them, how others write them: letters and digits alone."""
_AS_SERVED = r"(?:instruct|chat|it|turbo|fast|latest|fp8|fp16|bf16|awq|gptq|gguf|mlx|[48]bit|q[2-8](?:[k0]?[0-9sml]?))*"
"""What hosts add to a name without another model being meant; fine-tunes of others add more."""
_COMPILED = {name: re.compile(pattern + _AS_SERVED) for name, pattern in MODELS.items()}
LEAST_TRUST = 0.05
"""Prompts of less are judged by difficulty and ability alone."""


@lru_cache(maxsize=4096)
def published_as(name: str) -> str | None:
    """The name in MODELS of a model as a provider calls it, or None."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower().rsplit("/", 1)[-1])
    return next((known for known, pattern in _COMPILED.items() if pattern.fullmatch(plain)), None)


def outcomes(shares: Sequence[float], good: Mapping[str, Sequence[float]]) -> Published:
    """`shares`: how likely the prompt is of each of KINDS, 1 less the sum for none of them. `good`: by model, the share
    of good answers to each kind.

    The trust is the chance that two guesses by these shares name the same kind: the less, the more it is in doubt
    whether the prompt is of one, and of which. What is in doubt may be of a kind that nothing was published of, and
    there a model picked by the others' outcomes loses more than it gains elsewhere.
    """
    trust = min(1.0, sum(map(operator.mul, shares, shares)))
    if trust < LEAST_TRUST or not good:
        return Published()
    likely = sum(shares)
    chances = {name: sum(map(operator.mul, shares, of)) / likely for name, of in good.items()}
    return Published(trust, chances, _IN_WORDS[shares.index(max(shares))])


_IN_WORDS = tuple(KINDS.values())
