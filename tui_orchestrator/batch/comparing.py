"""Every prompt of a file answered in two ways, until it is known which is the better one."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..library.estimating import Estimate, estimate, too_dear
from ..library.orchestrator import Ended, Orchestrator
from ..library.tasks import Result, Task, TaskFailed
from ..routing.budget import BudgetState
from ..routing.expected import as_expected
from ..routing.experiment import SIDES, Arm, Assignment, Side, draw
from ..routing.judging import MOST_TOKENS
from ..routing.money import NOTHING, Cost
from ..services.experiments import Experiments
from ..services.findings import Findings
from ..storage.experiments import Kept
from .lines import BatchError, Line
from .running import PATIENCE_S, stops
from .waiting import Stopped, not_asked

_LOOKS = 50
"""So often in all it is looked whether the difference is real: each time all outcomes are gone through again."""


@dataclass(slots=True)
class Progress:
    prompts: int
    """Of the whole file."""
    before: int = 0
    """Answered both ways in earlier runs."""
    ended: int = 0
    good: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))
    failed: int = 0
    """Answers that did not come, and count as bad ones."""
    costs: Cost = NOTHING
    """Of this run, without the judge's."""
    stopped: Stopped | None = None

    @property
    def left(self) -> int:
        return self.prompts - self.before - self.ended


class Comparison:
    """The lines that were not answered both ways yet, under one session. Make it with `open`."""

    def __init__(
        self,
        orchestrator: Orchestrator,
        kept: Kept,
        lines: Sequence[Line],
        known: frozenset[tuple[str, Side]],
        *,
        at_once: int,
        until_decided: bool,
    ) -> None:
        """`known`: lines and sides whose outcomes are kept already."""
        self.kept = kept
        self._experiment = kept.experiment
        self._orchestrator = orchestrator
        orchestrator.session = kept.experiment.id
        self._experiments: Experiments = orchestrator.runtime.experiments
        self._known = known
        self._at_once = at_once
        self._until_decided = until_decided
        left = [line for line in lines if any((line.id, side) not in known for side in SIDES)]
        # In an order that is drawn, so that where it stops early those asked stand for all.
        self.left = sorted(left, key=lambda line: draw(self._experiment.id, line.id))
        self.progress = Progress(len(lines), len(lines) - len(left))
        self.findings: Findings | None = None

    @classmethod
    async def open(
        cls, orchestrator: Orchestrator, kept: Kept, lines: Sequence[Line], *, at_once: int, until_decided: bool
    ) -> Comparison:
        """Raises BatchError for lines that say themselves what the two ways are about, or not what a good answer is."""
        for line in lines:
            _check(line, kept)
        record = await orchestrator.runtime.experiments.store.record(kept.experiment.id)
        known = frozenset((turn.place, turn.side) for turn in record.turns if turn.told is not None)
        return cls(orchestrator, kept, lines, known, at_once=at_once, until_decided=until_decided)

    @property
    def decided(self) -> bool:
        return self.findings is not None and self.findings.decided

    async def estimate(self) -> Estimate:
        """Of all that may be asked, the judge too. Nothing is sent."""
        tasks = [self._task(line, side) for line in self.left for side in SIDES if (line.id, side) not in self._known]
        judge = self._experiment.judge
        if judge is not None:
            tasks += [replace(task, model=judge, strategy=None, max_tokens=MOST_TOKENS) for task in tasks]
        return await estimate(self._orchestrator, tasks, self._at_once)

    async def too_dear(self, estimated: Estimate) -> BudgetState | None:
        return await too_dear(self._orchestrator, estimated.cost)

    async def run(self, on_end: Callable[[Line], None] | None = None) -> Findings:
        """Until all are answered, something stops it, or it is decided; those under way then end. Cancelled, these
        are booked and asked again by the next run."""
        waiting = iter(self.left)
        every = max(1, len(self.left) // _LOOKS)
        await self._look()

        async def work() -> None:
            for line in waiting:
                if self.progress.stopped or (self._until_decided and self.decided):
                    return
                if not await self._both(line):
                    return
                self.progress.ended += 1
                if self.progress.ended % every == 0:
                    await self._look()
                if on_end is not None:
                    on_end(line)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._at_once, len(self.left))):
                    group.create_task(work())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return await self._look()

    async def _look(self) -> Findings:
        self.findings = await self._experiments.findings(self.kept)
        return self.findings

    async def _both(self, line: Line) -> bool:
        """False where something stops it that holds for the others too."""
        sides = [side for side in SIDES if (line.id, side) not in self._known]
        answered = await asyncio.gather(*(self._one(line, side) for side in sides))
        return all(answered)

    async def _one(self, line: Line, side: Side) -> bool:
        task = self._task(line, side)
        ended: Ended
        try:
            ended = await self._orchestrator.execute(task)
        except TaskFailed as failed:
            ended = failed
        self.progress.costs = Cost.sum((self.progress.costs, ended.cost))
        stopped = stops(ended, self._orchestrator)
        if (out := not_asked(ended)) is not None:
            stopped = Stopped(out.kind, out.message.rstrip("."))  # it says nothing of who answers better
        if stopped is not None:
            self.progress.stopped = self.progress.stopped or stopped
            return False
        experiment, store = self._experiment, self._experiments.store
        clock = self._orchestrator.runtime.clock
        await store.take(Assignment(experiment.id, experiment.name, side, line.id), task.id, clock.now())
        if isinstance(ended, TaskFailed):
            self.progress.failed += 1
            await store.told(experiment.id, task.id, False, "expected", clock.now())
            return True
        good = await self._good(line, task, ended)
        self.progress.good[side] += good is True
        return True

    async def _good(self, line: Line, task: Task, ended: Result) -> bool | None:
        """By the expected answer where the line has one that can be compared, else by the judge."""
        experiment, store = self._experiment, self._experiments.store
        expected = _expected(line)
        good = None if expected is None else as_expected(task.prompt, ended.text, expected)
        if good is not None or experiment.judge is None:
            await store.told(experiment.id, task.id, good, "expected", self._orchestrator.runtime.clock.now())
            return good
        request = await self._orchestrator.request(task)
        return await self._experiments.judge(experiment, experiment.judge, request, ended.text)

    def _task(self, line: Line, side: Side) -> Task:
        asked = replace(line.task, patience_s=PATIENCE_S, unattended=True, id=uuid.uuid4().hex)
        return _as(self._experiment.arm(side), asked)


def _as(arm: Arm, task: Task) -> Task:
    wanted: dict[str, Any] = {"apart": True}
    if arm.strategy is not None:
        wanted["strategy"] = arm.strategy
    if arm.model is not None:
        wanted["model"] = arm.model
    if arm.system is not None:
        wanted["system"] = arm.system
    return replace(
        task,
        temperature=arm.temperature if task.temperature is None else task.temperature,
        max_tokens=arm.max_tokens if task.max_tokens is None else task.max_tokens,
        **wanted,
    )


def _expected(line: Line) -> str | None:
    value = line.beside
    return None if value is None or isinstance(value, dict | list) else str(value)


def _check(line: Line, kept: Kept) -> None:
    experiment, task = kept.experiment, line.task
    if any(arm.routes for arm in experiment.arms) and (task.model or task.strategy or task.chain):
        raise BatchError(f"line {line.number} says itself which model answers; leave model, strategy and chain out")
    if any(arm.system is not None for arm in experiment.arms) and task.system:
        raise BatchError(f"line {line.number} has a system text of its own; leave it out")
    if _expected(line) is None and experiment.judge is None:
        raise BatchError(f"line {line.number} has no expected answer; give it one, or say --judge MODEL")
