"""A recipe beside other work of a program, such as a conversation: begun, told of step by step, stopped."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..library.orchestrator import Orchestrator
from ..routing.cancelling import cancelled
from ..routing.errors import OrchestratorError
from ..routing.money import NOTHING, Cost
from .journal import Journal
from .planning import Plan
from .recipe import Step
from .running import GO_ON, Advance, Outcome, RecipeFailed, carry_out

State = Literal["waiting", "running", "done", "failed", "stopped"]


@dataclass(slots=True)
class Stage:
    """How far one step is."""

    step: Step
    rounds: int
    """As planned, until it begins."""
    ended: int = 0
    state: State = "waiting"
    models: Counter[str] = field(default_factory=Counter)
    """Whose answers its rounds came to."""
    cost: Cost = NOTHING
    texts: list[str] = field(default_factory=list)
    """Of the rounds that gave an answer, in the order they ended."""
    began: float | None = None
    """On the clock that never goes back."""
    took: float | None = None


class Underway:
    """It runs in a task of its own until `aclose`. What it was asked in is the session of the orchestrator."""

    def __init__(
        self,
        orchestrator: Orchestrator,
        plan: Plan,
        said: Mapping[str, Sequence[str]],
        *,
        temporary: bool = False,
        journal: Journal | None = None,
    ) -> None:
        """`temporary`: as `carry_out` has it. `journal`: of one that did not come to its end, which it goes on from."""
        self.plan = plan
        self.said = said
        self.stages = [Stage(one.step, one.rounds, one.taken) for one in plan.steps]
        self.cost: Cost = NOTHING
        self.outcome: Outcome | None = None
        self.problem = ""
        """Why it came to nothing; '' while it runs and after it was stopped by hand."""
        self.began: Callable[[], None] | None = None
        self.ended: Callable[[Underway], None] | None = None
        self._orchestrator = orchestrator
        self._temporary = temporary
        self.journal = journal
        """Of what it has come to, once it has begun or is gone on from; to be dropped by who keeps its answer, and
        closed by who cannot."""
        self._clock = orchestrator.runtime.clock
        self._task: asyncio.Task[None] | None = None

    @property
    def runs(self) -> bool:
        return self._task is not None and not self.over

    @property
    def over(self) -> bool:
        return self.stages[-1].state == "done" or any(one.state in ("failed", "stopped") for one in self.stages)

    @property
    def seconds(self) -> float:
        """So far, or of all of it."""
        return sum(self.seconds_of(stage) or 0.0 for stage in self.stages)

    @property
    def finished(self) -> list[tuple[str, str]]:
        """What its rounds have answered, each with its step's id."""
        return [(stage.step.id, text) for stage in self.stages for text in stage.texts]

    @property
    def go_on(self) -> str:
        """How, after one that came to nothing, and what of it is not kept."""
        lost = self.journal.lost if self.journal is not None else ""
        if self.journal is None or self.journal.path is None:
            return f"{lost} {GO_ON}".lstrip()
        what = f"{lost} What else finished" if lost else "What finished"
        return f"{what} is kept, and is not asked again where /recipe goes on from it."

    def seconds_of(self, stage: Stage) -> float | None:
        if stage.began is None:
            return None
        return self._clock.monotonic() - stage.began if stage.took is None else stage.took

    def begin(self) -> None:
        if self._task is None:
            if self.journal is None and not self._temporary:
                self.journal = Journal(self.plan.recipe.name, self.said, self._clock.now())
            self._task = asyncio.create_task(self._run())
            if self.began is not None:
                self.began()

    async def _run(self) -> None:
        state: State = "failed"
        try:
            self.outcome = await carry_out(
                self._orchestrator,
                self.plan.recipe,
                self.said,
                on_advance=self._advanced,
                temporary=self._temporary,
                known=self.journal.known if self.journal is not None else None,
            )
            state = "done"
        except asyncio.CancelledError:
            state = "stopped"
        except RecipeFailed as failed:
            self.cost, self.problem = failed.cost, str(failed)
        except OrchestratorError as error:
            self.problem = str(error)
        except (LookupError, ValueError) as error:
            self.problem = f"{self.plan.recipe.name}: {error.args[0]}"
        finally:
            self._settle(state)
            if self.journal is not None:
                self.journal.keep_rest()
                if self.outcome is None:
                    self.journal.close()
            if self.ended is not None:
                self.ended(self)

    def _advanced(self, advance: Advance) -> None:
        stage = self.stages[advance.place - 1]
        if stage.began is None:
            for before in self.stages[: advance.place - 1]:
                self._close(before, "done")
            stage.began, stage.state = self._clock.monotonic(), "running"
        stage.rounds, stage.ended = advance.rounds, advance.ended
        if advance.result is not None:
            stage.models[advance.result.model] += 1
            stage.texts.append(advance.result.text.strip())
            if self.journal is not None:
                self.journal.keep(advance)
            stage.cost = Cost.sum((stage.cost, advance.result.cost))
        self.cost = advance.cost

    def _settle(self, state: State) -> None:
        for stage in self.stages:
            if stage.state == "running":
                self._close(stage, state)
        if not self.over:
            # It was stopped before its first step had begun.
            self.stages[0].state = state

    def _close(self, stage: Stage, state: State) -> None:
        if stage.state == "running":
            stage.state = state
            stage.took = None if stage.began is None else self._clock.monotonic() - stage.began

    def stop(self) -> None:
        """What is under way is cancelled; what had come is paid for."""
        if self._task is not None:
            self._task.cancel()

    async def aclose(self) -> None:
        self.ended = None
        await cancelled(self._task)
        if self.journal is not None:
            self.journal.close()
