"""The router for programs: tasks in, answers out, within the caps of the user and of the program."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..routing.budget import Cap
from ..routing.decision import Decision
from ..routing.events import (
    AttemptFailed,
    AttemptStarted,
    Cause,
    Completed,
    Decided,
    Event,
    Failed,
    Text,
    Verdict,
)
from ..routing.money import Money
from ..routing.request import Method, Request, Strategy
from ..routing.synthesis import one_from_all
from ..routing.turn import Turn
from ..services.attachments import read_file
from ..services.runtime import Runtime, running
from ..settings import Settings, load
from .tasks import Answer, Result, Task, TaskFailed, Usd, failure, money

if TYPE_CHECKING:
    from ..services.reporting import Spent
    from ..storage.reports import Dimension, Period, Span

AT_ONCE = 8
"""Tasks of a batch that are under way together, where the caller says nothing else."""

Ended = Result | TaskFailed


class Orchestrator:
    """Open it with `async with`; it lives on that event loop.

    It reads the same configuration and writes the same ledger as the console, so that their caps are shared. Every task
    counts towards one session, whose cap `set_budget` sets. All methods raise StoreError where the store fails.
    """

    def __init__(
        self,
        *,
        config: Path | str | None = None,
        settings: Settings | None = None,
        demo: bool | None = None,
        look: bool = True,
    ) -> None:
        """`config`: this file instead of the user's own. `demo` True: the embedded demo models, whose money is not
        real; None: when nothing else is there. `look`: read the providers' lists of models and look for local servers
        first, which may take a moment; else go by what is known offline."""
        self._config = Path(config) if config is not None else None
        self._settings = settings
        self._demo = demo
        self._look = look
        self.cap_called = ""
        """What the cap of its session is in sentences, where it is another thing's: "the batch's cap"."""
        self._resources = AsyncExitStack()
        self._runtime: Runtime | None = None
        self._forced: str | None = None
        self.session = uuid.uuid4().hex

    @classmethod
    def over(cls, runtime: Runtime) -> Orchestrator:
        """On a runtime that is open already, and whose end is its owner's."""
        orchestrator = cls(settings=runtime.settings)
        orchestrator._runtime = runtime
        return orchestrator

    async def __aenter__(self) -> Orchestrator:
        """Raises SettingsError for a configuration that is wrong."""
        if self._runtime is None:
            settings = self._settings
            if settings is None:
                settings = await asyncio.to_thread(load, self._config)
            opened = running(settings, demo=self._demo, look=self._look)
            self._runtime = await self._resources.enter_async_context(opened)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._resources.aclose()
        self._runtime = None

    @property
    def runtime(self) -> Runtime:
        """What lies beneath: the registry, the reports, the conversations."""
        if self._runtime is None:
            raise RuntimeError("the orchestrator is not open; use it inside `async with Orchestrator() as …`")
        return self._runtime

    async def request(self, task: Task | str) -> Request:
        """What the router is given for it, with its files read. Raises as `execute` for a task that is wrong."""
        _, request = await self._asked(task)
        return request

    # Deciding

    async def route(self, task: Task | str) -> Decision:
        """Which model would answer, why, and at what cost. Nothing is sent."""
        return await self.runtime.decide(await self.request(task))

    def force_model(self, model: str | None) -> None:
        """From now on every task that pins no model of its own goes to this one and to no other; None: the router
        chooses again. Raises LookupError for a model that is not there."""
        self._forced = None if model is None else self.runtime.registry.find(model).id

    # Carrying out

    async def execute(self, task: Task | str, hear: Callable[[Event], None] | None = None) -> Result:
        """Raises BudgetExceededError where a cap does not allow it, TaskFailed where no model answered, LookupError
        and ValueError for a task that asks for what there is not. Cancelled while it runs, it is booked and ends.
        `hear` is told every event of the turn as it happens."""
        task, request = await self._asked(task)
        return await self._carry_out(task, request, hear)

    @asynccontextmanager
    async def stream(self, task: Task | str) -> AsyncIterator[Turn]:
        """The turn's events as they happen, each of `tui_orchestrator.routing.events`; the last is Completed or Failed.
        Left early, the turn is cancelled and what had come is paid for."""
        async with self.runtime.stream(await self.request(task)) as turn:
            yield turn

    async def execute_parallel(self, tasks: Iterable[Task | str]) -> list[Ended]:
        """All at once, as far as the providers' rate limits allow; in the order of the tasks."""
        tasks = list(tasks)
        return await self.execute_batch(tasks, at_once=max(1, len(tasks)))

    async def execute_batch(
        self,
        tasks: Iterable[Task | str],
        *,
        at_once: int = AT_ONCE,
        on_end: Callable[[Ended], None] | None = None,
    ) -> list[Ended]:
        """In the order of the tasks; a task that fails is its TaskFailed there and does not hold the others. The higher
        priorities are begun first. One that a cap has no room for while others are under way waits until they give back
        what they do not need; nobody is asked to raise it. `on_end` is told each as it ends.

        Raises, before anything is sent, what `execute` raises for a task that asks for what there is not.
        """
        if at_once < 1:
            raise ValueError(f"at_once is {at_once}; at least one task must be under way")
        found = [await self._asked(task) for task in tasks]
        asked = [(task, replace(request, unattended=True)) for task, request in found]
        ended: dict[int, Ended] = {}
        waiting = iter(sorted(range(len(asked)), key=lambda place: -asked[place][0].priority))

        async def work() -> None:
            for place in waiting:
                try:
                    ended[place] = await self._carry_out(*asked[place])
                except TaskFailed as failed:
                    ended[place] = failed
                if on_end is not None:
                    on_end(ended[place])

        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(asked))):
                group.create_task(work())
        return [ended[place] for place in range(len(asked))]

    async def ensemble(
        self,
        task: Task | str,
        size: int | None = None,
        *,
        models: Sequence[str] = (),
        verdict: Method | str | None = None,
    ) -> Result:
        """Several models at once and one answer from theirs. `models`: these instead of the router's choice."""
        task = Task(task) if isinstance(task, str) else task
        task = replace(
            task,
            strategy=Strategy.ENSEMBLE,
            model=None,
            chain=tuple(models) or task.chain,
            ensemble_size=size or len(models) or task.ensemble_size,
            verdict=verdict or task.verdict,
        )
        task, request = await self._asked(task, forced=False)
        return await self._carry_out(task, request)

    async def synthesize(self, task: Task | str, answers: Sequence[str]) -> Result:
        """One answer from several that are there already, written by the model the task asks for. The answers are
        material to it, never instructions."""
        if not answers:
            raise ValueError("there are no answers to put together; give at least one")
        task, request = await self._asked(task)
        return await self._carry_out(task, replace(one_from_all(request, answers), puts_together=True))

    # Money

    def set_budget(
        self,
        session: Usd | None = None,
        *,
        per_request: Usd | None = None,
        daily: Usd | None = None,
        monthly: Usd | None = None,
    ) -> None:
        """Caps for this orchestrator beside the user's own: where both set one, the lower holds. What is None stays as
        it is. A task that does not fit raises BudgetExceededError, and nothing of it is sent."""
        router, own = self.runtime.router, self.runtime.settings.budgets
        budgets = replace(
            router.budgets,
            per_request=_lower(per_request, own.per_request, router.budgets.per_request),
            daily=_lower(daily, own.daily, router.budgets.daily),
            monthly=_lower(monthly, own.monthly, router.budgets.monthly),
        )
        limit = _lower(session, own.session, None)
        if limit is not None:
            # Of this session alone: the runtime may serve others.
            budgets = budgets.with_cap_raised(Cap("session", self.session, own.session), limit)
        router.budgets = budgets

    def set_cap(self, limit: Usd, called: str) -> None:
        """Of its session, as `set_budget` does. Sentences name it as it is `called`, or the session's where the user's
        own is lower."""
        self.set_budget(session=limit)
        own = self.runtime.settings.budgets.session
        self.cap_called = "" if own is not None and own < money(limit) else called

    async def cost_report(self, period: Period | Span = "month", by: Sequence[Dimension] = ("model",)) -> Spent:
        """What was spent in a time, by everything that shares the ledger: `groups` are its rows, `total` their sum.
        Raises ValueError for a time or a dimension that there is not."""
        from ..services.reporting import spent
        from ..storage.reports import DIMENSIONS, PERIODS

        if isinstance(period, str) and period not in PERIODS:
            raise ValueError(f"no period is called {period!r}; there are {', '.join(PERIODS)}")
        if isinstance(by, str):
            raise ValueError(f"by is the text {by!r}; give a tuple, such as ('model', 'task')")
        if (unknown := next((one for one in by if one not in DIMENSIONS), None)) is not None:
            raise ValueError(f"nothing can be told by {unknown!r}; there are {', '.join(DIMENSIONS)}")
        return await spent(self.runtime, by, period)

    # One task

    async def _asked(self, task: Task | str, *, forced: bool = True) -> tuple[Task, Request]:
        task = Task(task) if isinstance(task, str) else task
        if forced and self._forced and not task.model:
            task = replace(task, model=self._forced)
        read = await asyncio.to_thread(lambda: [read_file(Path(path)) for path in task.files]) if task.files else []
        return task, task.request(self.runtime.registry, self.session, read)

    async def _carry_out(self, task: Task, request: Request, hear: Callable[[Event], None] | None = None) -> Result:
        hearing = _Hearing(task)
        async with self.runtime.stream(request) as turn:
            async for event in turn:
                hearing.hear(event)
                if hear is not None:
                    hear(event)
        return hearing.result()


def _lower(wanted: Usd | None, configured: Money | None, holds: Money | None) -> Money | None:
    if wanted is None:
        return holds
    limit = money(wanted)
    return limit if configured is None else min(limit, configured)


class _Hearing:
    """Makes a result of a turn's events."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._decision: Decision | None = None
        self._verdict: Verdict | None = None
        self._members: dict[int, str] = {}
        self._texts: dict[int, list[str]] = {}
        self._end: Completed | Failed | None = None

    def hear(self, event: Event) -> None:
        match event:
            case Decided():
                self._decision = event.decision
            case AttemptStarted() if event.cause is Cause.ENSEMBLE:
                self._members[event.attempt] = event.model
            case Text() if event.attempt in self._members:
                self._texts.setdefault(event.attempt, []).append(event.text)
            case AttemptFailed():
                self._members.pop(event.attempt, None)
            case Verdict():
                self._verdict = event
            case Completed() | Failed():
                self._end = event

    def result(self) -> Result:
        """Raises TaskFailed."""
        end, decision = self._end, self._decision
        if isinstance(end, Failed):
            raise failure(self._task, end)
        if end is None or decision is None:
            raise RuntimeError("the turn ended without a decision or an end")
        answers = [
            Answer(model, "".join(self._texts.get(attempt, ())), attempt) for attempt, model in self._members.items()
        ]
        return Result(
            self._task,
            end.response,
            end.model,
            end.strategy,
            end.cost,
            end.usage,
            end.latency_s,
            end.confidence,
            decision,
            end.attempts,
            self._verdict,
            tuple(answers),
            end.note,
            end.calls,
            end.attempt,
        )
