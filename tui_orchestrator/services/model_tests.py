"""Asking a model for a word: whether it answers, how fast, and what that cost."""

from __future__ import annotations

from dataclasses import dataclass

from ..routing.errors import ErrorKind
from ..routing.events import Completed, Failed
from ..routing.model import Model
from ..routing.money import Cost, Money
from ..routing.profile import Ability
from ..routing.request import Check, Message, Request
from ..routing.text import clean_line
from .runtime import Runtime

PROMPT = "Reply with the single word: ready"
_TOKENS = 64
_TOKENS_THINKING = 1024
"""A model that thinks before it answers needs room for it."""
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known before the call."""

    at_most: Money | None
    """None: its price is not known."""
    why_not: str = ""
    """Why it would not be called at all; empty where it would."""


@dataclass(frozen=True, slots=True)
class Tested:
    model: str
    cost: Cost
    """Spent for a failed one all the same."""
    answer: str = ""
    """Its first 100 characters in one line."""
    first_token_s: float | None = None
    tokens_per_s: float | None = None
    latency_s: float | None = None
    problem: str = ""
    """One sentence; empty for a model that answered."""
    error_kind: ErrorKind | None = None


def request(model: Model) -> Request:
    """Asks it for one word, once, and no other model to check it; nothing of it is kept but what it cost."""
    return Request(
        (Message("user", PROMPT),),
        model=model.id,
        max_tokens=_TOKENS_THINKING if Ability.THINKING in model.abilities else _TOKENS,
        check=Check.OFF,
        self_consistency=0,
        use_cache=False,
        temporary=True,
        once=True,
    )


def outlook(runtime: Runtime, model_id: str) -> Outlook:
    """Calls nothing. Raises KeyError for a model that is not in the registry."""
    decision = runtime.preview(request(runtime.registry[model_id]))
    candidate = decision.candidate(model_id)
    if candidate is None:
        return Outlook(None, runtime.health(model_id).detail or "it is not among those to choose from")
    return Outlook(candidate.cost_ceiling, candidate.excluded or "")


async def run(runtime: Runtime, model_id: str) -> Tested:
    """Booked and held to every cap like any other call. Raises StoreError."""
    ending: Completed | Failed | None = None
    async with runtime.stream(request(runtime.registry[model_id])) as turn:
        async for event in turn:
            if isinstance(event, Completed | Failed):
                ending = event
    assert ending is not None
    last = ending.attempts[-1] if ending.attempts else None
    return Tested(
        model_id,
        ending.cost,
        "" if isinstance(ending, Failed) else clean_line(ending.response, _SHOWN),
        last.first_token_s if last else None,
        last.tokens_per_s if last else None,
        last.latency_s if last else None,
        str(ending.error) if isinstance(ending, Failed) else "",
        ending.error.kind if isinstance(ending, Failed) else None,
    )
