"""The orchestrator for programs that are not async: each call waits for its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..routing.decision import Decision
from ..routing.events import Event
from ..routing.request import Method
from ..settings import Settings
from .orchestrator import AT_ONCE, Ended, Orchestrator
from .tasks import Result, Task, Usd

if TYPE_CHECKING:
    from ..services.reporting import Spent
    from ..storage.reports import Dimension, Period, Span

T = TypeVar("T")


class BlockingOrchestrator:
    """As Orchestrator, on an event loop in a thread of its own. Open it with `with`; it may be called from any thread.
    What a method does and raises stands there."""

    def __init__(
        self,
        *,
        config: Path | str | None = None,
        settings: Settings | None = None,
        demo: bool | None = None,
        look: bool = True,
    ) -> None:
        self._own = Orchestrator(config=config, settings=settings, demo=demo, look=look)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="orchestrator", daemon=True)

    def __enter__(self) -> BlockingOrchestrator:
        self._thread.start()
        try:
            self._wait(self._own.__aenter__())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._wait(self._own.__aexit__())
        finally:
            self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if not self._thread.is_alive():
            work.close()
            raise RuntimeError("the orchestrator is not open; use it inside `with BlockingOrchestrator() as …`")
        ended = threading.Event()

        async def done() -> T:
            try:
                return await work
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(done(), self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            # The turn ends in order: what had come is booked.
            future.cancel()
            ended.wait()
            raise

    def route(self, task: Task | str) -> Decision:
        return self._wait(self._own.route(task))

    def force_model(self, model: str | None) -> None:
        self._own.force_model(model)

    def execute(self, task: Task | str) -> Result:
        return self._wait(self._own.execute(task))

    def execute_parallel(self, tasks: Iterable[Task | str]) -> list[Ended]:
        return self._wait(self._own.execute_parallel(tasks))

    def execute_batch(
        self,
        tasks: Iterable[Task | str],
        *,
        at_once: int = AT_ONCE,
        on_end: Callable[[Ended], None] | None = None,
    ) -> list[Ended]:
        """`on_end` is called in the orchestrator's thread."""
        return self._wait(self._own.execute_batch(tasks, at_once=at_once, on_end=on_end))

    def ensemble(
        self,
        task: Task | str,
        size: int | None = None,
        *,
        models: Sequence[str] = (),
        verdict: Method | str | None = None,
    ) -> Result:
        return self._wait(self._own.ensemble(task, size, models=models, verdict=verdict))

    def synthesize(self, task: Task | str, answers: Sequence[str]) -> Result:
        return self._wait(self._own.synthesize(task, answers))

    def stream(self, task: Task | str) -> Iterator[Event]:
        """The turn's events. Left early, with `close()` or by the end of the loop that reads it, it is cancelled."""
        opened = self._own.stream(task)
        turn = self._wait(opened.__aenter__())
        try:
            while (event := self._wait(anext(turn, None))) is not None:
                yield event
        finally:
            self._wait(opened.__aexit__(None, None, None))

    def set_budget(
        self,
        session: Usd | None = None,
        *,
        per_request: Usd | None = None,
        daily: Usd | None = None,
        monthly: Usd | None = None,
    ) -> None:
        self._own.set_budget(session, per_request=per_request, daily=daily, monthly=monthly)

    def cost_report(self, period: Period | Span = "month", by: Sequence[Dimension] = ("model",)) -> Spent:
        return self._wait(self._own.cost_report(period, by))
