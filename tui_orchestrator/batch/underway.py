"""A batch beside other work of a program, such as a conversation: weighed, begun, stopped, gone on with, told of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from ..library.estimating import Estimate, estimate, too_dear
from ..library.orchestrator import Ended, Orchestrator
from ..routing.budget import BudgetState
from ..routing.cancelling import cancelled, heed, undisturbed
from ..routing.errors import OrchestratorError
from ..routing.money import NOTHING, Cost
from .left import Left, Wanted
from .lines import BatchError, Line, read_lines
from .output import FAILED, Output
from .running import Batch, Progress

if TYPE_CHECKING:
    from ..services.runtime import Runtime


class Phase(StrEnum):
    WEIGHED = "weighed"
    """Nothing of this run is sent yet."""
    RUNNING = "running"
    STOPPING = "stopping"
    """The lines under way end, no other is begun."""
    STOPPED = "stopped"
    """By hand, by a cap, or because the output cannot be written: lines are left."""
    DONE = "done"


class Underway:
    """Make it with `weighed`; it runs in tasks of its own until `aclose`. What it writes is that of `Batch`: a killed
    program goes on by the output."""

    def __init__(self, runtime: Runtime, wanted: Wanted) -> None:
        self.wanted = wanted
        self.phase = Phase.WEIGHED
        self.left_over = False
        """Whether an earlier run of the program had begun it, and this one has not yet."""
        self.estimate: Estimate | None = None
        """Of what is left. None: nothing is."""
        self.cap: BudgetState | None = None
        """The tightest that the estimate passes."""
        self.progress = Progress(0, 0)
        """Of the run under way, else of the last one."""
        self.failures: dict[str, str] = {}
        """What is said of each line that failed, in this run and before, by their ids."""
        self.problem = ""
        """Why it could not go on; '' while nothing but a cap has stopped it."""
        self.began: Callable[[], None] | None = None
        """Is told when one has begun."""
        self.ended: Callable[[Underway], None] | None = None
        """Is told when a run has ended."""
        self._runtime = runtime
        self._kept = Left(runtime)
        self._orchestrator = Orchestrator.over(runtime)
        self._lines: list[Line] = []
        self._spent = NOTHING
        """By earlier runs of this program."""
        self._retry = False
        self._batch: Batch | None = None
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def weighed(cls, runtime: Runtime, wanted: Wanted, *, left_over: bool = False) -> Underway:
        """Reads both files and weighs what is left. Raises BatchError for a file that is not as it should be."""
        if wanted.output.resolve() == wanted.file.resolve():
            raise BatchError("the output would be the input itself; name another file")
        one = cls(runtime, wanted)
        one.left_over = left_over
        one._lines = await asyncio.to_thread(read_lines, wanted.file, wanted.defaults, runtime.registry)
        await one._weigh()
        return one

    @property
    def runs(self) -> bool:
        return self.phase in (Phase.RUNNING, Phase.STOPPING)

    @property
    def retries(self) -> bool:
        """Whether the next run, or the one under way, asks the lines again that failed."""
        return self._retry

    @property
    def cost(self) -> Cost:
        """Of all runs of this program."""
        return Cost.sum((self._spent, self.progress.costs))

    @property
    def left(self) -> int:
        return self.progress.left

    async def _weigh(self) -> None:
        there = await asyncio.to_thread(self._ended_before)
        left = [line for line in self._lines if line.id not in there]
        self.progress = Progress(len(self._lines), len(self._lines) - len(left))
        self._set_cap()
        tasks = [line.task for line in left]
        self.estimate = await estimate(self._orchestrator, tasks, self.wanted.at_once) if left else None
        self.cap = None if self.estimate is None else await too_dear(self._orchestrator, self.estimate.cost)
        self.phase = Phase.WEIGHED if left else Phase.DONE

    def _ended_before(self) -> dict[str, str]:
        """Blocking. The lines that are not asked again; the output is only looked at."""
        path = self.wanted.output
        try:
            if not path.exists():
                self.failures = {}
                return {}
        except OSError as error:
            raise BatchError(f"{path} cannot be written: {error.strerror}") from None
        with Output(path) as output:
            known = {line.id for line in self._lines}
            self.failures = {id_: said for id_, said in output.errors.items() if id_ in known}
            self._orchestrator.session = output.session or self._orchestrator.session
            return {id_: how for id_, how in output.ended.items() if not (self._retry and how == FAILED)}

    async def weigh_again(self, *, retry_failed: bool = False) -> None:
        """What is left now, for the next run: with the lines that failed, or without. Raises as `weighed`."""
        if not self.runs:
            self._spent, self._retry, self.problem = self.cost, retry_failed, ""
            await self._weigh()

    def begin(self) -> None:
        """Asks what is left. `cap` or not: at a cap it stops."""
        if self.phase is Phase.WEIGHED:
            self.phase, self.left_over = Phase.RUNNING, False
            self._task = asyncio.create_task(self._run())
            if self.began is not None:
                self.began()

    async def _run(self) -> None:
        problem = "it broke off"
        try:
            await self._carry_out()
            problem = ""
        except asyncio.CancelledError:
            problem = ""
        except OSError as error:
            problem = f"{self.wanted.output} cannot be written: {error.strerror}; what was answered before stands in it"
        except OrchestratorError as error:
            problem = str(error)
        except (LookupError, ValueError) as error:
            # A model that was there when it was weighed may be gone.
            problem = str(error.args[0])
        finally:
            self._end(problem)

    async def _carry_out(self) -> None:
        # Before anything is sent, so that a program that dies takes it up again.
        await undisturbed(self._kept.keep(self.wanted))
        output = Output(self.wanted.output, retry_failed=self._retry)
        await undisturbed(asyncio.to_thread(output.__enter__))
        try:
            heed()
            self._batch = batch = Batch(self._orchestrator, self._lines, output, at_once=self.wanted.at_once)
            self.progress, self.failures = batch.progress, output.errors
            if self.phase is Phase.STOPPING:
                batch.settle()
            await batch.run(self._heard)
        finally:
            output.__exit__(None, None, None)
        if not self.progress.left:
            await undisturbed(self._kept.remove(self.wanted))

    def _heard(self, line: Line, ended: Ended) -> None:
        # Anew: to change the session's cap in the settings takes back what it was raised to.
        self._set_cap()

    def _set_cap(self) -> None:
        if self.wanted.max_cost is not None:
            self._orchestrator.set_cap(self.wanted.max_cost, "the batch's cap")

    def _end(self, problem: str) -> None:
        self.problem = problem
        self.phase = Phase.STOPPED if problem or self.progress.left else Phase.DONE
        self._batch = None
        if self.ended is not None:
            self.ended(self)

    def stop(self) -> None:
        """The lines under way end. Called again, they are cancelled: what had come is paid for, and the next run asks
        them again."""
        if self.phase is Phase.RUNNING:
            self.phase = Phase.STOPPING
            if self._batch is not None:
                self._batch.settle()
        elif self.runs and self._task is not None:
            self._task.cancel()

    async def aclose(self) -> None:
        self.ended = None
        await cancelled(self._task)
