"""Carrying out a batch: what it will cost, how far it is, what came of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..library.estimating import Estimate, estimate, of_its_cap, too_dear
from ..library.orchestrator import Ended, Orchestrator
from ..library.tasks import Result, TaskFailed
from ..routing.budget import BudgetState
from ..routing.errors import BudgetExceeded, Unrecorded
from ..routing.money import NOTHING, Cost, Money
from .lines import Line
from .output import FAILED, Output, Record, record_of
from .timing import Held, Timing
from .waiting import Stopped, Waiting, not_asked

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
    stopped: Stopped | None = None
    timing: Timing | None = None
    waiting: Waiting | None = None
    """Both None before it has begun."""

    @property
    def ended(self) -> int:
        return self.answered + self.failed

    @property
    def left(self) -> int:
        return self.lines - self.before - self.ended

    @property
    def seconds(self) -> float:
        """Of this run so far, or from its beginning to its end: also those in which it waited."""
        return self.timing.seconds if self.timing else 0.0

    @property
    def held(self) -> Held | None:
        """None while a line is being answered."""
        if self.timing is None or self.waiting is None:
            return None
        return self.waiting.held if self.timing.idle else self.timing.held

    @property
    def per_minute(self) -> float:
        return self.ended / self.seconds * 60 if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the rate of so far and no sooner than the rate limits let it; while it waits for one, as these let it.
        None before any ended."""
        if not self.ended or self.timing is None:
            return None
        shares = {model: self.left * count / self.answered for model, count in self.models.items()}
        limits_s = self.timing.limits_s(shares)
        return limits_s if self.held else max(limits_s, self.seconds / self.ended * self.left)

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
        if self.progress.waiting is not None:
            self.progress.waiting.close()

    async def run(self, on_end: Callable[[Line, Ended], None] | None = None) -> Progress:
        """Until all lines have ended, it is settled, a cap says no, nothing can be written down or nobody is there to
        answer: then those under way end and no other is begun; nobody is asked to raise a cap. Cancelled, the lines
        under way are booked and asked again by the next run. Raises OSError when the output cannot be written: nothing
        more is begun then."""
        progress, runtime = self.progress, self._orchestrator.runtime
        progress.timing = timing = Timing(runtime)
        progress.waiting = waiting = Waiting(self.left, runtime)
        if self._settling:
            waiting.close()

        async def work() -> None:
            while (line := await waiting.next()) is not None:
                with timing.under_way(line.id):
                    ended = await self._end_of(line, timing)
                if (stopped := stops(ended, self._orchestrator)) is not None:
                    progress.stopped = progress.stopped or stopped
                    waiting.close()
                    return
                if (out := not_asked(ended)) is not None:
                    waiting.put_back(line, out)
                    continue
                waiting.ended(line, answered=isinstance(ended, Result))
                record = record_of(line, ended, self._orchestrator.session)
                await self._write(record)
                progress.count(ended)
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
            timing.end()
            progress.stopped = progress.stopped or waiting.given_up
            # What was answered when this was cancelled is not asked again: the output stays open until it is there.
            await asyncio.gather(*self._writing, return_exceptions=True)
        return progress

    async def _write(self, record: Record) -> None:
        writing = asyncio.ensure_future(asyncio.to_thread(self._output.write, record))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        await asyncio.shield(writing)

    async def _end_of(self, line: Line, timing: Timing) -> Ended:
        task = replace(line.task, patience_s=PATIENCE_S, unattended=True)
        try:
            return await self._orchestrator.execute(task, lambda event: timing.hear(line.id, event))
        except TaskFailed as failed:
            return failed


def stops(ended: Ended, orchestrator: Orchestrator) -> Stopped | None:
    """What holds for the lines that follow too."""
    error = ended.error if isinstance(ended, TaskFailed) else None
    if isinstance(error, Unrecorded) or (isinstance(error, BudgetExceeded) and not error.of_request):
        return Stopped(error.kind, of_its_cap(orchestrator, error.message).rstrip("."))
    return None
