"""Experiments on the user's own turns: started, kept, judged while they run, and told of when they are decided."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..routing import judging
from ..routing.events import Completed, Decided, Event, Failed
from ..routing.experiment import Arm, Assignment, Experiment
from ..routing.request import Check, Request
from ..storage.experiments import Experiments as Store
from ..storage.experiments import Kept, Kind
from ..storage.faults import StoreError
from .findings import Findings, find

if TYPE_CHECKING:
    from ..routing.ports import Clock
    from ..routing.router import Router
    from ..storage.database import Database


class ExperimentError(ValueError):
    """What was asked of an experiment cannot be; the sentence says what can."""


class Experiments:
    """Hears the events of every turn. All methods that wait raise StoreError, but `settle` and `look`."""

    def __init__(self, database: Database, router: Router, clock: Clock) -> None:
        self._database = database
        self.store = Store(database)
        self._router = router
        self._clock = clock
        self._running: Kept | None = None
        self._asked: dict[str, Request] = {}
        """Turns under way whose answers may have to be judged."""
        self._drawn: dict[str, Assignment] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._told: set[str] = set()
        """Experiments that are known to be decided."""
        self._version = -1
        self._listeners: list[Callable[[Findings], None]] = []

    @property
    def running(self) -> Experiment | None:
        """On the user's own turns."""
        return self._running.experiment if self._running is not None else None

    async def catch_up(self) -> None:
        """Goes by what any copy of the program has started or stopped."""
        self._running = await self.store.running()
        self._router.experiment = self.running

    async def open(self) -> None:
        """What was decided before is no news."""
        await self.catch_up()
        if self._running is not None and self._running.decided is not None:
            self._told.add(self._running.experiment.id)

    async def start(self, name: str, a: Arm, b: Arm, share: float = 0.5, judge: str | None = None) -> Kept:
        """Every turn from now on takes part, where nothing else was asked for. Raises ExperimentError."""
        await self._none_runs()
        kept = await self.begin(name, "traffic", a, b, share, judge)
        await self.catch_up()
        return kept

    async def _none_runs(self) -> None:
        await self.catch_up()
        if self._running is not None:
            running = self._running.experiment.name
            raise ExperimentError(f"the experiment {running} runs already; stop it first, two would blur each other")

    async def begin(self, name: str, kind: Kind, a: Arm, b: Arm, share: float, judge: str | None) -> Kept:
        """Raises ExperimentError."""
        if replace(a, says="") == replace(b, says=""):
            raise ExperimentError(f"both ways are {a.short}; there is nothing to compare")
        experiment = Experiment(uuid.uuid4().hex, name, a, b, share, judge)
        kept = Kept(experiment, kind, self._clock.now())
        if not await self.store.start(kept):
            taken = any(one.experiment.name == name for one in await self.store.all())
            said = f"there is an experiment {name} already" if taken else "another experiment has just been started"
            raise ExperimentError(f"{said}; take another name, or delete that one" if taken else said)
        return kept

    async def named(self, name: str | None = None) -> Kept:
        """None: the one that runs, else the latest. Raises ExperimentError."""
        every = await self.store.all()
        if name is None:
            one = next((kept for kept in every if kept.kind == "traffic" and kept.stopped is None), None)
            if one is None and not every:
                raise ExperimentError("there is no experiment yet; `experiment start` begins one")
            return one or every[0]
        found = next((kept for kept in every if kept.experiment.name == name), None)
        if found is None:
            there = ", ".join(kept.experiment.name for kept in every[:6])
            said = f"there are {there}" if there else "there is none yet; `experiment start` begins one"
            raise ExperimentError(f"no experiment is called {name!r}; {said}")
        return found

    async def stop(self, kept: Kept) -> Findings:
        """What it has found; its turns go on as usual."""
        await self.store.stop(kept.experiment.id, self._clock.now())
        await self.catch_up()
        return await self.findings(replace(kept, stopped=kept.stopped or self._clock.now()))

    async def go_on(self, kept: Kept) -> None:
        """With one that was stopped. Raises ExperimentError."""
        if kept.kind == "file":
            raise ExperimentError("this one was on a file; `experiment run` with the same ways goes on with it")
        await self._none_runs()
        if not await self.store.go_on(kept.experiment.id):
            raise ExperimentError(f"{kept.experiment.name} cannot go on: another one was started, or it was deleted")
        await self.catch_up()

    async def delete(self, kept: Kept) -> None:
        await self.store.delete(kept.experiment.id)
        await self.catch_up()

    async def findings(self, kept: Kept) -> Findings:
        record = await self.store.record(kept.experiment.id)
        return await asyncio.to_thread(find, kept, record)

    async def all(self) -> tuple[Findings, ...]:
        """The latest first."""
        return tuple([await self.findings(kept) for kept in await self.store.all()])

    # -- when it is decided

    def listen(self, listener: Callable[[Findings], None]) -> None:
        """Is told once when the running experiment is decided."""
        self._listeners.append(listener)

    async def look(self) -> None:
        """Whether it is decided now, by what any copy of the program has written since."""
        try:
            version = await self._database.version()
            if version == self._version:
                return
            await self.catch_up()
            kept = self._running
            found = None if kept is None or kept.experiment.id in self._told else await self.findings(kept)
            # It may have been told of while this was worked out.
            news = found if found and found.decided and found.experiment.id not in self._told else None
            if news is not None:
                await self.seen(news)
            self._version = version
        except StoreError:
            return
        if news is not None:
            for listener in tuple(self._listeners):
                listener(news)

    async def seen(self, found: Findings) -> None:
        """The user has been told of these: where they are decided, that is no news any more."""
        if not found.decided:
            return
        self._told.add(found.experiment.id)
        try:
            await self.store.decided(found.experiment.id, self._clock.now())
        except StoreError:
            self._told.discard(found.experiment.id)
            raise

    # -- the judge

    def asked(self, request: Request) -> None:
        """Before the turn begins."""
        if self.running is not None and self.running.judge is not None and not request.fresh:
            self._asked[request.id] = request

    def hear(self, event: Event) -> None:
        match event:
            case Decided() if event.request_id in self._asked:
                if event.decision.experiment is None:
                    self._asked.pop(event.request_id)
                else:
                    self._drawn[event.request_id] = event.decision.experiment
            case Completed() | Failed():
                request = self._asked.pop(event.request_id, None)
                assignment = self._drawn.pop(event.request_id, None)
                if request is not None and assignment is not None and isinstance(event, Completed):
                    self._begin(request, assignment, event.response)

    def _begin(self, request: Request, assignment: Assignment, answer: str) -> None:
        task = asyncio.create_task(self._judge(request, assignment, answer))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def settle(self) -> None:
        """Waits for the judgements under way."""
        while self._work:
            await asyncio.gather(*self._work, return_exceptions=True)

    async def aclose(self) -> None:
        """Ends them; what they cost so far is booked, and the answers stay without one."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def _judge(self, request: Request, assignment: Assignment, answer: str) -> None:
        running = self.running
        if running is None or running.id != assignment.experiment or running.judge is None:
            return
        try:
            await self.judge(running, running.judge, request, answer)
        except StoreError:
            return  # it stays without a judgement, as if the program had ended here
        await self.look()

    async def judge(self, experiment: Experiment, model: str, request: Request, answer: str) -> bool | None:
        """Asks it about an answer, and keeps what it says. None where it is not sure. Nobody is asked to raise a cap
        for that: what does not fit is left out."""
        question = judge_question(request, answer, model)
        if model not in self._router.registry or self._router.preview(question).model is None:
            return None
        said: Completed | None = None
        async with self._router.stream(question) as turn:
            async for event in turn:
                said = event if isinstance(event, Completed) else said
        right = judging.sentence(said.response).right if said is not None else None
        await self.store.told(experiment.id, request.id, right, "judge", self._clock.now(), question.id)
        return right


def judge_question(request: Request, answer: str, model: str) -> Request:
    """A turn of its own, which counts towards the same caps."""
    return replace(
        judging.question(request, answer),
        id=uuid.uuid4().hex,
        place="",
        apart=True,
        judges=True,
        model=model,
        strategy=None,
        chain=(),
        tools=(),
        check=Check.OFF,
        self_consistency=0,
        use_cache=False,
        metadata={},
    )
