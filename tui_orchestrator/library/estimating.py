"""What many tasks will come to, before the first is sent."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..routing.budget import BudgetState, cap_name
from ..routing.money import ZERO, Money
from ..routing.ratelimit import NamedLimit
from ..routing.text import span
from .orchestrator import Orchestrator
from .tasks import Task

SAMPLE = 500
"""Tasks that are weighed for the estimate; of more, so many drawn by chance stand for all."""


@dataclass(frozen=True, slots=True)
class Estimate:
    lines: int
    """Tasks to be asked: of a batch its lines."""
    weighed: int
    cost: Money
    """Expected, of the lines whose model has a known price."""
    unpriced: int
    """As many as can be told, whose cost nobody knows."""
    seconds: float
    """With the waits for the rate limits."""
    models: tuple[tuple[str, int], ...]
    """Who would answer how many, the most first."""
    impossible: int
    """Those that no model can take as things are."""
    limit: NamedLimit | None = None
    """The rate limit that most of the time is for; None where none holds anything up."""


async def estimate(orchestrator: Orchestrator, tasks: Sequence[Task], at_once: int) -> Estimate:
    """From the decisions as of now. Nothing is sent. Raises as `execute` for a task that is wrong."""
    runtime = orchestrator.runtime
    weighed = tasks if len(tasks) <= SAMPLE else random.Random(len(tasks)).sample(tasks, SAMPLE)
    cost, seconds, unpriced, impossible = ZERO, 0.0, 0, 0
    models: Counter[str] = Counter()
    tokens: Counter[str] = Counter()
    estimates = runtime.router.caller.estimates
    for task in weighed:
        decision = runtime.preview(await orchestrator.request(task))
        # Of a line that money alone keeps from being asked, what it would cost.
        who = decision.model or decision.wished
        candidate = decision.candidate(who) if who else None
        if candidate is None:
            impossible += 1
            continue
        models[candidate.model] += 1
        # As much as a call takes of the allowance when it stands in line.
        tokens[candidate.model] += estimates.bound(candidate.model, decision.profile) + candidate.max_tokens
        seconds += candidate.estimated_latency_s
        if candidate.estimated_cost is None:
            unpriced += 1
        else:
            cost = cost + candidate.estimated_cost
        await asyncio.sleep(0)
    share = len(tasks) / len(weighed) if weighed else 0.0
    working_s = seconds * share / min(at_once, max(1, len(tasks)))
    asked = [
        (runtime.registry[model], round(count * share), round(tokens[model] * share)) for model, count in models.items()
    ]
    waits_s, limit = runtime.router.caller.limits.least_s(asked)
    # The last of them is answered when it has started.
    waits_s += seconds / models.total() if waits_s else 0.0
    return Estimate(
        lines=len(tasks),
        weighed=len(weighed),
        cost=Money(round(cost.picodollars * share)),
        unpriced=round(unpriced * share),
        seconds=max(working_s, waits_s),
        models=tuple((model, round(count * share)) for model, count in models.most_common()),
        impossible=round(impossible * share),
        limit=limit if waits_s > working_s else None,
    )


async def too_dear(orchestrator: Orchestrator, cost: Money) -> BudgetState | None:
    """The tightest cap that so much passes."""
    states = await orchestrator.runtime.budget_states(orchestrator.session)
    tight = [state for state in states if state.left is not None and state.left < cost]
    tightest = min(tight, key=lambda state: state.left or ZERO, default=None)
    if tightest is None or tightest.cap.scope != "session":
        return tightest
    return replace(tightest, cap=replace(tightest.cap, called=orchestrator.cap_called))


def of_its_cap(orchestrator: Orchestrator, sentence: str) -> str:
    """A refusal, with the name of the cap that its session has."""
    return sentence.replace(cap_name("session"), orchestrator.cap_called or cap_name("session"))


def in_words(estimate: Estimate, what: str = "") -> Iterator[str]:
    """Lines. `what` they are, where they are not those of a batch."""
    of = "" if estimate.weighed == estimate.lines else f", from {estimate.weighed:,} of them drawn by chance"
    yield (
        f"{estimate.lines:,} {what or 'to ask'}: about {estimate.cost}{' +?' if estimate.unpriced else ''}, "
        f"about {span(estimate.seconds)}{of}."
    )
    models = [f"{model} {count:,}" for model, count in estimate.models[:4]]
    if models:
        others = len(estimate.models) - 4
        yield f"  {' · '.join(models)}{f' · {others} more models' if others > 0 else ''}"
    if estimate.limit is not None:
        yield (
            f"  Most of that time is the rate limit of {estimate.limit.name}, {estimate.limit.told}; where your "
            "account allows more, set its requests_per_minute or tokens_per_minute."
        )
    if estimate.unpriced:
        yield f"  What {estimate.unpriced:,} of them cost is not known: their model has no known price."
    if estimate.impossible:
        yield f"  {estimate.impossible:,} would fail as things are: no model can take them. `route` says why."


def passes(cost: Money, cap: BudgetState) -> str:
    return f"About {cost} passes {cap.cap.name}, which has {cap.left} of {cap.limit} left."
