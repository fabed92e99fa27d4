"""Carrying out a batch: what it will cost, how far it is, what came of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..library.estimating import Estimate, estimate, of_its_cap, too_dear
from ..library.orchestrator import Ended, Orchestrator
from ..library.tasks import Result, TaskFailed
from ..routing.budget import BudgetState
from ..routing.errors import BudgetExceeded
from ..routing.money import NOTHING, Cost, Money
from .lines import Line
from .output import FAILED, Output, Record, record_of

PATIENCE_S = 86_400.0
"""A line waits for its turn under a rate limit rather than fail: a day, which some limits are counted by."""


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
        self._settling = False
        self._writing: set[asyncio.Future[None]] = set()
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
        return await too_dear(self._orchestrator, estimate.cost)

    def settle(self) -> None:
        """No other line is begun; those under way end."""
        self._settling = True

    async def run(self, on_end: Callable[[Line, Ended], None] | None = None) -> Progress:
        """Until all lines have ended, it is settled, or a cap says no: then those under way end and no other is begun;
        nobody is asked to raise a cap. Cancelled, the lines under way are booked and asked again by the next run.
        Raises OSError when the output cannot be written: nothing more is begun then."""
        waiting = iter(self.left)
        progress, began = self.progress, time.monotonic()

        async def work() -> None:
            for line in waiting:
                if progress.stopped or self._settling:
                    return
                ended = await self._end_of(line)
                if isinstance(ended, TaskFailed) and stops(ended):
                    progress.stopped = progress.stopped or of_its_cap(self._orchestrator, ended.error.message)
                    return
                record = record_of(line, ended, self._orchestrator.session)
                await self._write(record)
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
        finally:
            # What was answered when this was cancelled is not asked again: the output stays open until it is there.
            await asyncio.gather(*self._writing, return_exceptions=True)
        return progress

    async def _write(self, record: Record) -> None:
        writing = asyncio.ensure_future(asyncio.to_thread(self._output.write, record))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        await asyncio.shield(writing)

    async def _end_of(self, line: Line) -> Ended:
        try:
            return await self._orchestrator.execute(replace(line.task, patience_s=PATIENCE_S, unattended=True))
        except TaskFailed as failed:
            return failed


def stops(failed: TaskFailed) -> bool:
    """Whether the cap that said no holds for the lines that follow too."""
    return isinstance(failed.error, BudgetExceeded) and not failed.error.of_request
