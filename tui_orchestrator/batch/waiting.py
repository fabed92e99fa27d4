"""Which line is asked next. Lines whose models are all left alone for now wait until one of them may be tried; then one
line tries it. They do not fail for an outage that ends, and are left where it does not."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ..library.orchestrator import Ended
from ..library.tasks import TaskFailed
from ..routing.errors import ON_TRIAL_S, AllOut, BeingTried, ErrorKind
from ..routing.health import FOR_THE_USER
from ..routing.money import ZERO
from .lines import Line
from .timing import Held

if TYPE_CHECKING:
    from ..services.runtime import Runtime

OUTAGE_S = 900.0
"""For so long after an answer its models are waited for: longer than any of them is left alone at once."""
AT_FIRST_S = 60.0
"""Where none has answered in this run: for a trial, and for a limit by the minute."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why no other line is begun: it would fail for the same reason."""

    kind: ErrorKind
    why: str
    """A sentence without its full stop."""

    @property
    def by_budget(self) -> bool:
        return self.kind is ErrorKind.BUDGET_EXCEEDED

    @property
    def told(self) -> str:
        return f"Stopped{' by a budget' if self.by_budget else ''}: {self.why}."

    @property
    def first(self) -> str:
        """What has to be done before it goes on."""
        return "the cap is raised" if self.by_budget else "that is mended"


@dataclass(slots=True)
class _Group:
    """Lines that the same models may answer."""

    answered: float
    """When the last one was, or when the run began. Of the clock that only goes forward."""
    waiting: deque[tuple[int, Line]] = field(default_factory=deque)
    """With their places in the order."""
    patience_s: float = AT_FIRST_S
    out: Held | None = None
    until: float = 0.0
    """When the next is asked, while `out`."""
    trying: bool = False
    """One is asked while `out`."""
    given_up: Stopped | None = None


class Waiting:
    """The lines that are not under way. Made when a run begins."""

    def __init__(self, lines: Sequence[Line], runtime: Runtime) -> None:
        """In the order in which they are to be asked."""
        self._runtime = runtime
        self._clock = runtime.clock
        self._places = {line.id: place for place, line in enumerate(lines)}
        self._groups: dict[object, _Group] = {}
        self._closed = False
        self._changed = asyncio.Event()
        for place, line in enumerate(lines):
            self._of(line).waiting.append((place, line))

    def close(self) -> None:
        """No other line is given out."""
        self._closed = True
        self._changed.set()

    @property
    def held(self) -> Held | None:
        """What all lines that are left wait for; None where one can be asked, or is."""
        left = [group for group in self._groups.values() if group.waiting and group.given_up is None]
        outs = [(group.until, group.out) for group in left if group.out is not None and not group.trying]
        return min(outs, key=lambda one: one[0])[1] if outs and len(outs) == len(left) else None

    @property
    def given_up(self) -> Stopped | None:
        """Why lines are left that nobody waits for any more."""
        return next((one.given_up for one in self._groups.values() if one.waiting and one.given_up), None)

    async def next(self) -> Line | None:
        """None: there is none, or none that is worth waiting for. Whoever has one owes `ended` or `put_back`."""
        while not self._closed:
            left = [group for group in self._groups.values() if group.waiting and group.given_up is None]
            if not left:
                return None
            ready = [group for group in left if self._is_ready(group)]
            if ready:
                group = min(ready, key=lambda one: one.waiting[0][0])
                group.trying = group.out is not None
                return group.waiting.popleft()[1]
            self._changed.clear()
            until = min((group.until for group in left if not group.trying), default=None)
            wait_s = None if until is None else max(0.0, until - self._clock.monotonic())
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                pass
        return None

    def _is_ready(self, group: _Group) -> bool:
        return group.out is None or (not group.trying and group.until <= self._clock.monotonic())

    def ended(self, line: Line, *, answered: bool) -> None:
        group = self._of(line)
        group.out, group.trying = None, False
        if answered:
            group.answered, group.patience_s = self._clock.monotonic(), OUTAGE_S
        self._changed.set()

    def put_back(self, line: Line, error: AllOut | BeingTried) -> None:
        """It was not asked, and is once its models may be tried."""
        group, now = self._of(line), self._clock.monotonic()
        # Under another id: of the first request the ledger may have rows.
        again = replace(line, task=replace(line.task, id=uuid.uuid4().hex))
        group.waiting.appendleft((self._places[line.id], again))
        group.trying = False
        registry = self._runtime.registry
        models = [id_ for id_ in (error.models if isinstance(error, AllOut) else ()) if id_ in registry]
        standing = {id_: self._runtime.health(id_) for id_ in models}
        waits = {id_: one.seconds_left or ON_TRIAL_S for id_, one in standing.items()}
        wait_s = min(waits.values(), default=ON_TRIAL_S)
        group.until = now + wait_s
        first = min(waits, key=lambda id_: waits[id_], default="a model that is being tried")
        group.out = Held(f"waits for {first}", self._clock.local(self._clock.now() + timedelta(seconds=wait_s)))
        refused = bool(standing) and all(one.state in FOR_THE_USER for one in standing.values())
        if refused or group.until > group.answered + group.patience_s:
            group.given_up = Stopped(error.kind, error.message.rstrip("."))
        self._changed.set()

    def _of(self, line: Line) -> _Group:
        task = line.task
        whom = (task.model, task.strategy, task.chain if isinstance(task.chain, str) else tuple(task.chain))
        key = (*whom, bool(task.files or task.images))
        if key not in self._groups:
            self._groups[key] = _Group(self._clock.monotonic())
        return self._groups[key]


def not_asked(ended: Ended) -> AllOut | BeingTried | None:
    """Why nothing was sent, where that was for what befell others."""
    error = ended.error if isinstance(ended, TaskFailed) else None
    return error if isinstance(error, AllOut | BeingTried) and ended.cost.amount == ZERO else None
