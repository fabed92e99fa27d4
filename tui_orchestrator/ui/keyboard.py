"""What a terminal sends, as keys, clicks and pastes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import termios
import threading
from collections.abc import Iterable, Iterator

from textual import events
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

TICK_S = 0.1
"""How often it is looked whether more of a key has come."""
_MODIFIERS = frozenset({"alt", "ctrl", "super", "hyper", "meta"})
_ESC = "\x1b"
_LONGER = "[O"
"""What may go on after Esc. With any other letter it is that letter with Alt, and whole."""


class Waking(threading.Event):
    """Can also be waited for together with files: while it is set, `woken` can be read."""

    def __init__(self) -> None:
        super().__init__()
        self.woken, self._wake = os.pipe()
        os.set_blocking(self.woken, False)

    def set(self) -> None:
        if not self.is_set():
            os.write(self._wake, b".")
        super().set()

    def clear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self.woken, 64)
        super().clear()


def unread(terminal: int) -> int:
    """How many bytes have come that nobody has read. `terminal`: its descriptor."""
    with contextlib.suppress(OSError):
        return int.from_bytes(fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)), sys.byteorder)
    return 0


def as_typed(data: bytes, early: int) -> bytes:
    """`early`: how many of them came before the terminal was raw, and so have a line break for Enter."""
    return data[:early].replace(b"\n", b"\r") + data[early:]


class Keys:
    """Keys, clicks and pastes out of what a terminal sends. A paste is taken whole, not letter by letter."""

    def __init__(self, debug: bool = False) -> None:
        self._debug = debug
        self._parser = XTermParser(debug)
        self._begun = ""
        """What the parser keeps of a key that may go on."""
        self._paste: list[str] | None = None
        """What has come of one that has not ended."""
        self._held = ""
        """The beginning of what may be the mark of a paste's end."""

    def feed(self, text: str) -> Iterator[Message]:
        while text:
            if self._paste is None:
                before, mark, text = (self._begun + text).partition(BRACKETED_PASTE_START)
                if before.startswith(self._begun):
                    before = before.removeprefix(self._begun)
                else:
                    self._begin_anew()
                yield from self._keys(before)
                if mark:
                    self._paste = []
            else:
                body, mark, text = (self._held + text).partition(BRACKETED_PASTE_END)
                self._held = ""
                if not mark:
                    keep = len(body) - _overlap(body)
                    body, self._held = body[:keep], body[keep:]
                self._paste.append(body)
                if mark:
                    pasted, self._paste = "".join(self._paste), None
                    yield events.Paste(pasted.replace("\x00", ""))

    @property
    def waits(self) -> bool:
        """Whether what has come may be a key by itself or the beginning of one, which `tick` will tell."""
        return self._parser._timeout_time is not None

    def tick(self) -> Iterator[Message]:
        """To be called now and then while it `waits`: a lone Esc is a key once nothing follows it."""
        return self._parsed(self._parser.tick())

    def _keys(self, text: str) -> Iterator[Message]:
        # Textual takes what is still open when the next Esc comes for letters, the Esc of it for a ^.
        for character in text:
            if character == _ESC:
                yield from self._whole()
            yield from self._parsed(self._parser.feed(character))
            self._begun = self._begun + character if self.waits else ""
            if len(self._begun) == 2 and character not in _LONGER:
                yield from self._whole()

    def _whole(self) -> Iterator[Message]:
        """What has begun is a key: nothing more of it comes."""
        if self.waits:
            self._parser._timeout_time = 0.0
            yield from self.tick()
        self._begun = ""

    def _parsed(self, messages: Iterable[Message]) -> Iterator[Message]:
        try:
            for message in messages:
                if isinstance(message, events.Key) and not _MODIFIERS.isdisjoint(message.key.split("+")[:-1]):
                    # Many terminals send Alt with a letter as that letter behind an Esc: it is printable, and no text.
                    message.character = None
                yield message
        except Exception:  # noqa: BLE001  # numbers too large, sequences cut short: there is no list of what it trips over
            self._begin_anew()

    def _begin_anew(self) -> None:
        """Without what has begun."""
        before, self._parser, self._begun = self._parser, XTermParser(self._debug), ""
        self._parser.mouse_pixels = before.mouse_pixels
        self._parser.terminal_size = before.terminal_size
        self._parser.terminal_pixel_size = before.terminal_pixel_size


def _overlap(text: str) -> int:
    """How many of its last characters may begin the mark of a paste's end."""
    for size in range(len(BRACKETED_PASTE_END) - 1, 0, -1):
        if text.endswith(BRACKETED_PASTE_END[:size]):
            return size
    return 0
