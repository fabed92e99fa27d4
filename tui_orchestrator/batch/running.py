"""Carrying out a batch: what it will cost, how far it is, what came of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..library.orchestrator import Ended, Orchestrator
from ..library.tasks import Result, Task, TaskFailed
from ..routing.budget import BudgetState
from ..routing.errors import BudgetExceeded
from ..routing.money import NOTHING, ZERO, Cost, Money
from .lines import Line
from .output import FAILED, Output, record_of

SAMPLE = 500
"""Lines that are weighed for the estimate; of more, so many drawn by chance stand for all."""

PATIENCE_S = 86_400.0
"""A line waits for its turn under a rate limit rather than fail: a day, which some limits are counted by."""


@dataclass(frozen=True, slots=True)
class Estimate:
    lines: int
    """To be asked."""
    weighed: int
    cost: Money
    """Expected, of the lines whose model has a known price."""
    unpriced: int
    """Lines, as many as can be told, whose cost nobody knows."""
    seconds: float
    models: tuple[tuple[str, int], ...]
    """Who would answer how many, the most first."""
    impossible: int
    """Lines that no model can take as things are."""


@dataclass(slots=True)
class Progress:
    """Of one run of a batch."""

    lines: int
    """Of the whole batch."""
    before: int
    """Ended in earlier runs."""
    answered: int = 0
    failed: int = 0
    costs: Cost = NOTHING
    """Of this run; `str()` says it with its state."""
    input_tokens: int = 0
    output_tokens: int = 0
    models: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    """By kind."""
    seconds: float = 0.0
    stopped: str = ""
    """The sentence of the budget that stopped it; '' while none did."""

    @property
    def ended(self) -> int:
        return self.answered + self.failed

    @property
    def left(self) -> int:
        return self.lines - self.before - self.ended

    @property
    def per_minute(self) -> float:
        return self.ended / self.seconds * 60 if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the rate of so far; None before any ended."""
        return self.seconds / self.ended * self.left if self.ended else None

    @property
    def expected(self) -> Money | None:
        """What this run will have cost at the rate of so far."""
        known = self.costs.amount if self.costs.amount is not None else self.costs.at_least
        return Money(known.picodollars * (self.ended + self.left) // self.ended) if self.ended else None

    def count(self, ended: Ended) -> None:
        self.costs = Cost.sum((self.costs, ended.cost))
        if isinstance(ended, Result):
            self.answered += 1
            self.models[ended.model] += 1
            self.input_tokens += sum(attempt.usage.input for attempt in ended.attempts)
            self.output_tokens += sum(attempt.usage.output for attempt in ended.attempts)
        else:
            self.failed += 1
            self.errors[ended.error.kind.value] += 1


class Batch:
    """The lines that are not in the output yet, under one session."""

    def __init__(self, orchestrator: Orchestrator, lines: Sequence[Line], output: Output, *, at_once: int = 8) -> None:
        self._orchestrator = orchestrator
        # What earlier runs of it spent counts towards the same session's cap.
        orchestrator.session = output.session or orchestrator.session
        self._output = output
        self._at_once = at_once
        left = [line for line in lines if line.id not in output.ended]
        self.left = sorted(left, key=lambda line: -line.task.priority)
        """In the order in which they are begun: the higher priority first, then as they stand."""
        before = [output.ended[line.id] for line in lines if line.id in output.ended]
        self.failed_before = before.count(FAILED)
        self.progress = Progress(len(lines), len(before))

    async def estimate(self) -> Estimate:
        """From the decisions as of now. Nothing is sent."""
        return await estimate(self._orchestrator, [line.task for line in self.left], self._at_once)

    async def too_dear(self, estimate: Estimate) -> BudgetState | None:
        """The tightest cap that the estimate passes."""
        return await too_dear(self._orchestrator, estimate)

    async def run(self, on_end: Callable[[Line, Ended], None] | None = None) -> Progress:
        """Until all lines have ended, or a cap says no: then those under way end and no other is begun. Cancelled, the
        lines under way are booked and asked again by the next run. Raises OSError when the output cannot be written:
        nothing more is begun then."""
        waiting = iter(self.left)
        progress, began = self.progress, time.monotonic()

        async def work() -> None:
            for line in waiting:
                if progress.stopped:
                    return
                ended = await self._end_of(line)
                if isinstance(ended, TaskFailed) and stops(ended):
                    progress.stopped = progress.stopped or ended.error.message
                    return
                record = record_of(line, ended, self._orchestrator.session)
                await asyncio.shield(asyncio.to_thread(self._output.write, record))
                progress.count(ended)
                progress.seconds = time.monotonic() - began
                if on_end is not None:
                    on_end(line, ended)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._at_once, len(self.left))):
                    group.create_task(work())
        except BaseExceptionGroup as errors:
            # All that a worker raises comes of the same trouble; one is enough to tell.
            raise errors.exceptions[0] from None
        return progress

    async def _end_of(self, line: Line) -> Ended:
        try:
            return await self._orchestrator.execute(replace(line.task, patience_s=PATIENCE_S))
        except TaskFailed as failed:
            return failed


async def estimate(orchestrator: Orchestrator, tasks: Sequence[Task], at_once: int) -> Estimate:
    """What they would come to, from the decisions as of now."""
    runtime = orchestrator.runtime
    weighed = tasks if len(tasks) <= SAMPLE else random.Random(len(tasks)).sample(tasks, SAMPLE)
    cost, seconds, unpriced, impossible = ZERO, 0.0, 0, 0
    models: Counter[str] = Counter()
    for task in weighed:
        decision = runtime.preview(await orchestrator.request(task))
        # Of a line that money alone keeps from being asked, what it would cost.
        who = decision.model or decision.wished
        candidate = decision.candidate(who) if who else None
        if candidate is None:
            impossible += 1
            continue
        models[candidate.model] += 1
        seconds += candidate.estimated_latency_s
        if candidate.estimated_cost is None:
            unpriced += 1
        else:
            cost = cost + candidate.estimated_cost
        await asyncio.sleep(0)
    share = len(tasks) / len(weighed) if weighed else 0.0
    return Estimate(
        lines=len(tasks),
        weighed=len(weighed),
        cost=Money(round(cost.picodollars * share)),
        unpriced=round(unpriced * share),
        seconds=seconds * share / min(at_once, max(1, len(tasks))),
        models=tuple((model, round(count * share)) for model, count in models.most_common()),
        impossible=round(impossible * share),
    )


async def too_dear(orchestrator: Orchestrator, estimate: Estimate) -> BudgetState | None:
    """The tightest cap that the estimate passes."""
    states = await orchestrator.runtime.budget_states(orchestrator.session)
    tight = [state for state in states if state.left is not None and state.left < estimate.cost]
    return min(tight, key=lambda state: state.left or ZERO, default=None)


def stops(failed: TaskFailed) -> bool:
    """Whether the cap that said no holds for the lines that follow too."""
    return isinstance(failed.error, BudgetExceeded) and not failed.error.of_request
