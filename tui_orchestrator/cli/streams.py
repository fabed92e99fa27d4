"""The three standard streams as they were given: any of them may be closed, full, or open for something else."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import os
import re
import sys
from traceback import walk_tb
from typing import Any, Literal, NoReturn

import click

from ..aside import aside
from ..routing.text import Unpiling, clean, unpiled
from .outlet import Outlet

_OURS = os.urandom(8).hex()
"""No text from outside holds it."""
BOLD, PLAIN = f"\x1b{_OURS}1", f"\x1b{_OURS}0"
"""Where `say` makes a terminal begin to write in bold, and where it ends it."""
_MARK = re.compile(f"\x1b{_OURS}([01])")
_said = Unpiling()
"""Of all that stdout is told, as one text."""


class Unwritable(Exception):
    """stdout takes no more, or took nothing ever. `str` says why."""


class _Closed(io.TextIOBase):
    """stdout that was closed before the start, where Python has None and prints nothing without a word."""

    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "it is closed")


def settle() -> None:
    """To be called before any file is opened, which would otherwise become the stdout or stderr that is missing."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    for stream in (sys.stdout, sys.stderr):
        # A locale without UTF-8 must not turn an answer into a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if sys.stdout is None:
        sys.stdout = _Closed()
    global _outlet, _stuck
    _outlet, _stuck = Outlet(_write), False


def look_at_stdout() -> None:
    """Raises Unwritable where it is known that nothing can be written: before a cent is spent on it."""
    if isinstance(sys.stdout, _Closed):
        raise Unwritable("it is closed")
    with contextlib.suppress(OSError, ValueError, ImportError):
        from fcntl import F_GETFL, fcntl

        if fcntl(sys.stdout.fileno(), F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise Unwritable("it is open for reading only")


def not_wanted() -> None:
    """What is said goes into a file: a stdout that is closed need not have it too."""
    if isinstance(sys.stdout, _Closed):
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # for as long as the program runs


def say(text: str, *, end: str = "\n") -> None:
    """To stdout: to a terminal without what would be carried out there, elsewhere to the letter. While an event loop
    runs it returns at once, and `written` waits. Raises what ends the command when this, or what was said before,
    cannot be written."""
    _put(_said.next(harmless(text) + end) if on_terminal(sys.stdout) else text + end, err=False)


def tell(text: str, *, end: str = "\n", **style: Any) -> None:
    """To stderr, without what a terminal would carry out. `style` as click.style has it."""
    text = unpiled(clean(text))
    _put((click.style(text, **style) if style else text) + end, err=True)


def wipe() -> None:
    """The line that stderr stands in, which is a terminal."""
    _put("\r\x1b[2K", err=True)


def confirm(question: str, *, default: bool = False) -> bool:
    """Asked on stderr, answered on stdin; blocking. Raises click.Abort for Ctrl-C and the end of stdin."""
    _outlet.wait()
    return click.confirm(clean(question), default=default, err=True)


def on_terminal(stream: Any) -> bool:
    return stream is not None and stream.isatty()


def harmless(text: str) -> str:
    """As a terminal may have it: no control character but newline and tab, no bidirectional one, and of escapes only
    those for BOLD and PLAIN, which hide nothing and end with the text."""
    parts = _MARK.split(text)
    shown = "".join(f"\x1b[{part}m" if place % 2 else clean(part) for place, part in enumerate(parts))
    return shown if len(parts) == 1 or parts[-2] == "0" else f"{shown}\x1b[0m"


async def written() -> None:
    """Waits until all that was said is, for as long as whoever reads it takes: nobody's deadline counts that. Raises
    what keeps it from being written, and click.Abort when it was not and the program is to end."""
    if not _outlet.idle and not await aside(_outlet.wait, "output that is read slowly"):
        _let_go()
        raise click.Abort
    _raise_failure()


def hurry() -> None:
    """The program is to end, as a signal said: whoever has not read what it said within a second will not."""
    _outlet.hurry()


def end_now() -> bool:
    """`hurry` and `written` for where no event loop runs. False: something was not written."""
    _outlet.hurry()
    if _outlet.wait():
        return True
    _let_go()
    return False


def stuck() -> bool:
    """Something was given up that a thread still tries to write: nothing must wait for it."""
    return _stuck


def _put(text: str, err: bool) -> None:
    if not err:
        _raise_failure()
    if _in_a_loop():
        _outlet.put(text, err)
    elif _outlet.hurried:
        _outlet.put(text, err)
        end_now()
    else:
        _outlet.wait()
        try:
            _write(text, err)
        except OSError as error:
            _raise(error)


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _write(text: str, err: bool) -> None:
    """Raises OSError for stdout alone."""
    stream = sys.stderr if err else sys.stdout
    try:
        # Elsewhere than on a terminal it would take escapes out, of names of files too.
        click.echo(text, err=err, nl=False, color=None if on_terminal(stream) else True)
    except OSError:
        if not err:
            raise
        # One that takes nothing changes nothing: the answer counts, and the exit code.
        give_up(2)


def _raise_failure() -> None:
    if (failure := _outlet.failure()) is not None:
        _raise(failure)


def _raise(failure: OSError) -> NoReturn:
    if isinstance(failure, BrokenPipeError):
        raise failure
    raise Unwritable(failure.strerror or str(failure)) from failure


def _let_go() -> None:
    """What stdout has not taken is dropped, and all that follows; what was for stderr is tried once more."""
    global _outlet, _stuck
    # Where stderr is not read either, nothing more is tried.
    left, write = _outlet.unwritten(), _write_nothing if _stuck else _write_errors
    _outlet, _stuck = Outlet(write), True
    _outlet.hurry()
    for text in left:
        _outlet.put(text, err=True)


def _write_errors(text: str, err: bool) -> None:
    if err:
        _write(text, err)


def _write_nothing(text: str, err: bool) -> None:
    pass


_outlet = Outlet(_write)
_stuck = False


def in_printing(error: OSError) -> bool:
    """Whether it came of click's own printing: of --help and --version."""
    return any(frame.f_code is click.echo.__code__ for frame, _ in walk_tb(error.__traceback__))


def give_up(number: Literal[1, 2]) -> None:
    """What is still buffered must not fail once more when Python flushes it at its end, and be the exit code."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
