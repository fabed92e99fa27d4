"""The three standard streams as they were given: any of them may be closed, full, or open for something else."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from traceback import walk_tb
from typing import Literal

import click


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
    """To stdout, at once. Raises what ends the command when it cannot be written."""
    try:
        click.echo(text + end, nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Unwritable(error.strerror or str(error)) from error


def tell(text: str, *, end: str = "\n") -> None:
    """To stderr, as it is. One that takes nothing changes nothing: the answer counts, and the exit code."""
    try:
        click.echo(text + end, err=True, nl=False)
    except OSError:
        give_up(2)


def in_printing(error: OSError) -> bool:
    """Whether it came of click's own printing: of --help and --version."""
    return any(frame.f_code is click.echo.__code__ for frame, _ in walk_tb(error.__traceback__))


def give_up(number: Literal[1, 2]) -> None:
    """What is still buffered must not fail once more when Python flushes it at its end, and be the exit code."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
