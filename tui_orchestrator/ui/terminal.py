"""The terminal the console is drawn on: never waited for, never confused by what it sends, whole again after every end.

Textual's driver, where it was seen to leave a terminal in mouse or raw mode, to end over a byte that is no key, and to
hold the event loop while a terminal takes nothing.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import termios
import time
import traceback
from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.color import Color
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets._toast import Toast

from tui_orchestrator.routing.text import clean, unpiled
from tui_orchestrator.scarcity import SENTENCE, scarce
from tui_orchestrator.services import garbage
from tui_orchestrator.settings import masked

from .compositor import FrugalScreen
from .guard import Guard, Writer
from .in_turn import TypedInTurn
from .keyboard import TICK_S, Keys, Waking, as_typed, unread
from .parting import part
from .strips import lighten

BEHIND = 65_536
"""Characters that the terminal has not taken; from here on nothing more is drawn until it has."""
TIDY_S = 2.0
CALM_S = 3.0
"""After so long without a key, a click or a turn nobody notices what takes a moment."""
LINGERS_S = 6.0
"""So long after its end a dialog may be held by a timer: asyncio keeps a cancelled one until its time, five seconds."""
ECHO_S = 0.04
"""After a key has come, so long what it does is to be seen before anything else."""
LATEST_S = 0.25
"""While one types so fast that a key is always waiting to be drawn, the rest is drawn all the same."""
MOST = (1_000, 500)
"""Columns and rows that are drawn: far more than any screen has, and some seconds' work for each change."""
_READ_BYTES = 65_536
_BREAKS = dict.fromkeys(map(ord, "\n\t"))


class Terminal(LinuxDriver):
    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self.exit_event: Waking = Waking()
        self._used = False
        self._left = False
        """For good, as far as anybody knows."""
        self._at_rest = False
        """Stopped, or about to be, where nothing of it is half done."""
        self._skipped = False
        self._gathered: list[str] | None = None
        """What is kept back to be written together."""
        self._guard = Guard(self.fileno)
        self.keyed = float("-inf")
        """When the last key came, on the monotonic clock."""

    # Out

    @property
    def behind(self) -> bool:
        """Whether the terminal takes less than is drawn. Who skips a drawing for it says so with `skip`."""
        return isinstance(self._writer_thread, Writer) and self._writer_thread.waiting > BEHIND

    def skip(self) -> None:
        self._skipped = True

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What is written meanwhile goes out in one piece: each wakes the thread that passes it on."""
        self._gathered = []
        try:
            yield
        finally:
            gathered, self._gathered = self._gathered, None
            if gathered:
                super().write("".join(gathered))

    def write(self, data: str) -> None:
        if self._gathered is None:
            super().write(data)
        else:
            self._gathered.append(data)

    def _caught_up(self) -> None:
        if self._skipped:
            self._skipped = False
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._draw_again)

    def _draw_again(self) -> None:
        if self._app.screen_stack:
            self._app.screen.refresh()

    # In

    def run_input_thread(self) -> None:
        """Until the terminal or the program goes. Bytes that are neither a key nor UTF-8 are passed over."""
        decode = getincrementaldecoder("utf-8")("replace").decode
        keys = Keys(self._debug)
        early = unread(self.fileno)
        with selectors.PollSelector() as ready:
            ready.register(self.fileno, selectors.EVENT_READ)
            ready.register(self.exit_event.woken, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if any(key.fd == self.fileno for key, _ in ready.select(TICK_S if keys.waits else None)):
                    try:
                        data = os.read(self.fileno, _READ_BYTES)
                    except OSError:
                        data = b""
                    if not data:
                        # As if the terminal had said it, which it may have been told not to.
                        os.kill(os.getpid(), signal.SIGHUP)
                        return
                    for message in keys.feed(decode(as_typed(data, early))):
                        self.process_message(message)
                    early = max(0, early - len(data))
                for message in keys.tick():
                    self.process_message(message)

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.Key):
            self.keyed = time.monotonic()
        if isinstance(message, events.Resize):
            if not self._in_band_window_resize:
                return  # nobody asked: whatever it is, it did not come from the terminal
            message = events.Resize.from_dimensions(_drawn(*message.size), message.pixel_size)
        super().process_message(message)

    def _get_terminal_size(self) -> tuple[int, int]:
        return _drawn(*super()._get_terminal_size())

    # Beginning and ending

    def start_application_mode(self) -> None:
        self._guard.told(used=True)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        # Textual's own would make the loop wait. Nothing of it may be lost.
        if self._writer_thread is None:
            return  # in the background, where nothing may be written: it stops again at once
        self._writer_thread.stop()
        self._writer_thread = Writer(self._file, self._caught_up)
        self._writer_thread.start()
        self._used, self._left = True, False

    def disable_input(self) -> None:
        super().disable_input()
        if self._writer_thread is not None:
            # What the terminal answered while it was being left has turned these on again.
            self.write("\x1b[?1016l\x1b[?2048l\x1b[0m")

    def stop_application_mode(self) -> None:
        super().stop_application_mode()
        self._used, self._left = False, True

    def suspend_application_mode(self) -> None:
        super().suspend_application_mode()
        self._left = False

    def close(self) -> None:
        super().close()
        if self._writer_thread is None or not self._writer_thread.is_alive():
            self._guard.told(used=False)

    def leave(self, code: int) -> None:
        """Once everything is over: from here on nobody looks after the terminal."""
        if isinstance(self._writer_thread, Writer) and self._writer_thread.is_alive():
            # Python would wait for ever to write what the terminal does not take. The guard does it when it does.
            if self.attrs_before is not None:
                with contextlib.suppress(termios.error):
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            os._exit(code)
        self._guard.dismiss()

    # A signal comes between any two steps of this thread. What it has begun may hold the writer's queue, for which the
    # handler would wait for ever, and may keep back what is written: the event loop does it when the step is over.

    def _sigtstp_application(self, *_: object) -> None:
        if self._auto_restart and self._used:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._stop)
                return
        os.kill(os.getpid(), signal.SIGSTOP)

    def _stop(self) -> None:
        self._at_rest = True
        try:
            if self._auto_restart and self._used:
                super()._sigtstp_application()
        finally:
            self._at_rest = False

    def _sigcont_application(self, *_: object) -> None:
        if self._at_rest or self._writer_thread is None:
            # At once: whatever is drawn next needs the terminal.
            self._take_back()
        else:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._take_back)

    def _take_back(self) -> None:
        if self._auto_restart and not self._left:
            if self._used:
                # Stopped by what no program can catch, or not at all: whoever had the terminal meanwhile may have
                # changed it, and what it was before is not to be forgotten.
                self.suspend_application_mode()
            self._must_signal_resume = True
            self.resume_application_mode()
            self._skipped = True
            self._caught_up()


def _drawn(columns: int, rows: int) -> tuple[int, int]:
    return max(1, min(columns, MOST[0])), max(1, min(rows, MOST[1]))


class Net(LineFilter):
    """The last thing a line of the screen passes: what is cleaned at the edges already cannot be caught here."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(segment.text.isascii() and segment.text.isprintable() for segment in segments):
            return segments
        return [Segment(harmless(text), style, control) for text, style, control in segments]


def harmless(text: str) -> str:
    """What a terminal draws and nothing else: no line break, and no more marks on a letter than any script has."""
    if text.isascii() and text.isprintable():
        return text
    if not text.isprintable():
        text = clean(text).translate(_BREAKS)
    return unpiled(text)


class AtTerminal(TypedInTurn):
    """An app on such a terminal. End it with `end`, after `run`."""

    def __init__(self) -> None:
        lighten()
        part()
        super().__init__(driver_class=Terminal)
        self._filters.append(Net())
        self._touched = time.monotonic()
        self._echoed = float("-inf")
        self._tidying = garbage.Tidying()
        self._passed = float("-inf")
        """When a dialog or a toast was last there."""

    def on_mount(self) -> None:
        if not self.is_headless:
            self.set_interval(TIDY_S, self.tidy_up)

    def started(self) -> None:
        """From now on garbage is looked for, but not in what the start has made."""
        if not self.is_headless:
            garbage.begin()

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        """The terminal is taken back also when something is raised meanwhile, which Textual's own forgets."""
        raised: Exception | None = None
        with super().suspend():
            try:
                yield
            except Exception as error:  # noqa: BLE001  # raised again at once
                raised = error
        if raised is not None:
            raise raised

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self._touched = time.monotonic()
        await super().on_event(event)

    @property
    def hurried(self) -> bool:
        """Whether a key has just come: what can wait gives way until its letter is drawn. True also while the event
        loop has not heard of it."""
        keyed = self._driver.keyed if isinstance(self._driver, Terminal) else float("-inf")
        return keyed > self._echoed and time.monotonic() - keyed < ECHO_S

    def echo(self, widget: Widget) -> None:
        """Draws what a key has changed of the widget, before all else that waits to be drawn."""
        if isinstance(self.screen, FrugalScreen):
            self.screen.draw_at_once(widget)
        self._echoed = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether something is under way that a person watches."""
        return False

    @property
    def passing(self) -> bool:
        """Whether something is there that soon ends, or has just ended: a turn, a dialog, a toast."""
        now = time.monotonic()
        if len(self.screen_stack) > 1 or self.screen.query(Toast):
            self._passed = now
        return self.running or now - self._passed < LINGERS_S

    def tidy_up(self) -> None:
        """Looks for garbage where it is time to."""
        now = time.monotonic()
        if self.running:
            self._touched = now
        self._let_go()
        self._tidying.look(calm=now - self._touched > CALM_S, passing=self.passing)

    def _let_go(self) -> None:
        """Textual remembers how children stood when they were last seen: the last toasts, until there are others."""
        for widget in self.screen.walk_children(Widget, with_self=True):
            nodes, arranged = widget._nodes, widget._arrangement_cache
            len(nodes.displayed)  # lists them anew
            if any(of != nodes._updates for _, of, _ in arranged.keys()):  # noqa: SIM118  # no dict
                arranged.clear()

    def _fatal_error(self) -> None:
        # Not Textual's own, which prints local variables: keys, prompts and answers among them.
        from tui_orchestrator.services import crashes

        error = sys.exc_info()[1]
        assert error is not None
        if scarce(error):
            self._exit_renderables.append(Text(SENTENCE))
            self._close_messages_no_wait()
            return
        path = crashes.write_down(error)
        self._exit_renderables.append(Text(f"{clean(masked(traceback.format_exc()))}{crashes.told(path)}"))
        self._close_messages_no_wait()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if not isinstance(self._driver, Terminal):
            super()._display(screen, renderable)
        elif self._driver.behind:
            self._driver.skip()
        else:
            with self._driver.together():
                super()._display(screen, renderable)

    def end(self) -> None:
        """Leaves the terminal to whoever had it before. Does not return where it takes nothing any more."""
        if isinstance(driver := self._driver, Terminal):
            driver.leave(self.return_code or 0)
