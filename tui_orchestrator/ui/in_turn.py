"""What is typed, one thing at a time: the next key is looked at when what the last one set off is over.

A terminal may hand over several keys at once, one that lags or while the program was at something. Were they all dealt
at once, those behind a key that opens a dialog would go to what was there before it, and Enter would send them. Nor
would it do for a list whose rows are still being fetched: Enter would take a row of those before.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from textual import events
from textual.app import App, ScreenStackError
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import ModalScreen
from textual.widgets import Input, TextArea
from textual.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen
    from textual.widget import Widget

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_S = 0.5
"""The longest a key waits for what the one before it set off."""
LOOK_S = 0.004
"""How often it is looked whether what was waited for is there."""
ROW_KEYS = ("enter", "up", "down", "pageup", "pagedown", "home", "end")
"""What goes from row to row, and takes one."""
_AT_ONCE = {"escape", "ctrl+c"}
_EDITS = {"backspace", "ctrl+h", "delete", "left", "right", "ctrl+w", "ctrl+u", "ctrl+k"}
"""Keys of a field that no list takes."""


def typed_beside(begins: Callable[P, Worker[R]]) -> Callable[P, Worker[R]]:
    """Over `@work` of a method of the app: keys do not wait for it. It opens no dialog and leaves the focus where it
    is, or it goes on for long before it does."""

    @wraps(begins)
    def beside(*args: P.args, **named: P.kwargs) -> Worker[R]:
        worker = begins(*args, **named)
        assert isinstance(worker.node, TypedInTurn)
        worker.node.typed.beside(worker)
        return worker

    return beside


def typed_after(*keys: str, letters: bool = False) -> Callable[[Callable[P, Worker[R]]], Callable[P, Worker[R]]]:
    """Over `@work` of what has the focus in it: until it is over, keys wait, or only those named. It fetches the rows
    that they are meant for, or does with them what was said before.

    `letters`: also what goes into a field. Esc, Ctrl+C and the mouse never wait: they drop what does."""

    def over(begins: Callable[P, Worker[R]]) -> Callable[P, Worker[R]]:
        @wraps(begins)
        def before(*args: P.args, **named: P.kwargs) -> Worker[R]:
            worker = begins(*args, **named)
            app = worker.node.app
            assert isinstance(app, TypedInTurn)
            app.typed.after(worker, _Waits(frozenset(keys), letters))
            return worker

        return before

    return over


@dataclass(frozen=True, slots=True)
class _Waits:
    keys: frozenset[str]
    """None: all."""
    letters: bool


class TypedInTurn(App[int]):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.typed = Typed(self, self.post_message)

    async def _post_message(self, message: Message) -> bool:
        """From the driver."""
        if isinstance(message, events.InputEvent | events.Paste):
            self.typed.take(message)
            return True
        return await super()._post_message(message)

    def simulate_key(self, key: str) -> None:
        """As if it were typed, behind what was."""
        self.typed.take(events.Key(key, None))


class Typed:
    def __init__(self, app: App[Any], deal: Callable[[Message], object]) -> None:
        """`deal` gives an event to the app at once."""
        self._app = app
        self._deal = deal
        self._waiting: deque[tuple[Message, Screen[Any] | None]] = deque()
        """With the screen that was in front when it came."""
        self._last_key = ""
        self._settling: asyncio.Task[None] | None = None
        self._beside: set[Worker[Any]] = set()
        """Those that are known to have no dialog, and to open none soon."""
        self._first: WeakKeyDictionary[Worker[Any], _Waits] = WeakKeyDictionary()
        """Those that keys wait for. One holds the screen that it worked for."""
        self._unsettled = False
        """Letters were dealt that may not have come yet to where they lead."""

    def after(self, worker: Worker[Any], waits: _Waits) -> None:
        """From now on keys wait for it."""
        self._first[worker] = waits

    def beside(self, worker: Worker[Any]) -> None:
        """From now on keys do not wait for it."""
        self._beside.add(worker)

    @property
    def at_rest(self) -> bool:
        """Whether all that came was dealt, and what it set off is over."""
        return self._settling is None

    def take(self, event: Message) -> None:
        """In the order in which they come."""
        focus = self._focus
        self._waiting.append((event, focus and focus[0]))
        if self._settling is None:
            self._go_on()

    def _go_on(self) -> None:
        while self._waiting:
            event, front = self._waiting.popleft()
            if self._was_for_another(event, front):
                continue
            if self._sets_off(event) or self._under_way(event):
                self._settling = asyncio.create_task(self._in_turn(event))
                return
            self._unsettled = True
            self._give(event)

    async def _in_turn(self, event: Message) -> None:
        try:
            if self._unsettled and _patient(event):
                # Only then it is known what is under way.
                await self._passed(time.monotonic() + PATIENCE_S, self._focus)
            while self._under_way(event):
                if self._dropped():
                    return
                await asyncio.sleep(LOOK_S)
            before, self._unsettled = self._focus, not self._sets_off(event)
            self._give(event)
            if not self._unsettled:
                await self._settle(before)
        finally:
            self._settling = None
            self._go_on()

    def _give(self, event: Message) -> None:
        self._beside = {worker for worker in self._beside if not worker.is_finished}
        if self._depth == 0:
            self._beside.update(self._deeds())
        self._deal(event)

    def _under_way(self, event: Message) -> bool:
        """Whether something is that the event waits for."""
        focus = self._focus
        if focus is None or not _patient(event) or not self._first:
            return False
        screen, focused = focus
        around: list[object] = [one for one in (focused or screen).ancestors_with_self if one is not self._app]
        if self._depth == 0:
            around.append(self._app)
        key = event.key if isinstance(event, events.Key) else ""
        written = self._is_written(event)
        return any(
            worker.node in around and (waits.letters if written else not waits.keys or key in waits.keys)
            for worker, waits in self._first.items()
            if not _over(worker)
        )

    def _dropped(self) -> bool:
        """Whether something has come that does not wait, and drops what does."""
        at = next((at for at, (event, _) in enumerate(self._waiting) if _overtakes(event)), None)
        for _ in range(at or 0):
            self._waiting.popleft()
        return at is not None

    def _was_for_another(self, event: Message, front: Screen[Any] | None) -> bool:
        """Whether it is the second of two Enters, of which the first has closed the dialog that was in front: it would
        send the draft below."""
        if not isinstance(event, events.Key):
            return False
        twice = event.key == self._last_key == "enter"
        self._last_key = event.key
        return twice and isinstance(front, ModalScreen) and front not in self._app.screen_stack

    def _sets_off(self, event: Message) -> bool:
        """Whether it may change where the next goes. A letter in a field does not."""
        if isinstance(event, events.Key):
            return not (event.is_printable and self._in_a_field)
        return isinstance(event, events.MouseUp)

    def _is_written(self, event: Message) -> bool:
        """Whether all it does is to change what stands in a field."""
        if isinstance(event, events.Key):
            return self._in_a_field and (event.is_printable or event.key in _EDITS)
        return self._in_a_field

    @property
    def _in_a_field(self) -> bool:
        return isinstance(self._app.focused, Input | TextArea)

    async def _settle(self, before: tuple[Screen[Any], Widget | None] | None) -> None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            focus = self._focus
            await self._passed(until, before, focus)
            before = None
            if len(self._deeds()) > self._depth:
                await asyncio.sleep(LOOK_S)
            elif self._focus == focus and (focus is None or focus[0].is_mounted):
                return
        self._beside.update(self._deeds())

    async def _passed(self, until: float, *focuses: tuple[Screen[Any], Widget | None] | None) -> None:
        for pump in _from_outside_in(self._app, *focuses):
            await _passed(pump, until)

    def _deeds(self) -> list[Worker[Any]]:
        """What the app is at that may open a dialog, or has."""
        return [
            worker
            for worker in self._app.workers
            if worker.node is self._app and not worker.is_finished and worker not in self._beside
        ]

    @property
    def _depth(self) -> int:
        """How many dialogs are open."""
        return max(0, len(self._app.screen_stack) - 1)

    @property
    def _focus(self) -> tuple[Screen[Any], Widget | None] | None:
        with suppress(ScreenStackError):
            return self._app.screen, self._app.focused
        return None


def _over(worker: Worker[Any]) -> bool:
    # One that is cancelled before it begins never comes to an end.
    return worker.is_finished or worker.is_cancelled


def _patient(event: Message) -> bool:
    return isinstance(event, events.Key | events.Paste) and not _overtakes(event)


def _overtakes(event: Message) -> bool:
    return isinstance(event, events.MouseDown) or (isinstance(event, events.Key) and event.key in _AT_ONCE)


def _from_outside_in(app: App[Any], *focuses: tuple[Screen[Any], Widget | None] | None) -> list[MessagePump]:
    """Whoever a key passes, in order: the app, what is focused, and what is around that up to the app."""
    pumps: list[MessagePump] = [app]
    for focus in focuses:
        if focus is not None:
            screen, focused = focus
            innermost = focused or screen
            # Once more: what it makes of a key it tells itself first.
            pumps += [innermost, *innermost.ancestors_with_self]
    return pumps


async def _passed(pump: MessagePump, until: float) -> None:
    """Until it has gone through all that has come to it so far."""
    passed = asyncio.Event()
    if pump.is_running and pump.call_later(passed.set):
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                while not passed.is_set() and pump.is_running:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S):
                            await passed.wait()
