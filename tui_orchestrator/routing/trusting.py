"""How far a finished answer is trusted: by its own text, and by what the checks of plugins find of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from .added import AnswerCheck, Given, Opinion
from .cancelling import undisturbed
from .confidence import assess
from .events import Cause, Confidence
from .received import Plan, Received


async def trust(plan: Plan, received: Received, checks: Sequence[AnswerCheck]) -> Confidence | None:
    """None for what is no answer to the prompt. A cancellation meanwhile is held back."""
    if received.done is None or plan.cause is Cause.JUDGE or plan.request.judges:
        return None
    request, text = plan.request, received.text
    if request.continues and text.strip():
        # By itself it begins in mid-sentence, or inside a block of code: what counts is the whole.
        request, text = replace(request, messages=request.messages[:-2]), request.messages[-2].text + text
    opinions = []
    if checks and text.strip() and not received.calls:
        given = Given(plan.request.prompt, text, plan.model.id, plan.decision.profile.task_type.value)
        found = await undisturbed(_looked_at(given, checks))
        opinions = [opinion for opinion in found if opinion is not None]
    return assess(
        request,
        plan.decision.profile,
        text,
        received.done.finish_reason,
        plan.candidate.success_probability,
        received.done.mean_logprob,
        calls=received.calls,
        opinions=opinions,
    )


async def _looked_at(given: Given, checks: Sequence[AnswerCheck]) -> list[Opinion | None]:
    return await asyncio.gather(*(check.look(given) for check in checks))
