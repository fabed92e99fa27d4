"""Keys that programs of the user's print: `pass`, `op`, a shell with a pipeline."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping

from .secrets import Secret, holds_a_key
from .servers import NoKey, checked

_SECONDS = 10.0
_LONGEST = 64 * 1024
"""Bytes that a command may print."""
_LOOK_S = 0.01

# Becomes the command, beside a shell that waits until this program is gone, however it went, and then ends all of the
# session. It waits before the command begins: there is no moment at which nobody would end it.
_GUARDED = 'exec 3<&0; (read -r _ <&3; kill -9 0) & exec "$@" < /dev/null 3<&-'


def ask_commands(commands: Mapping[str, tuple[str, ...]]) -> dict[str, Secret | NoKey]:
    """What each command prints on its first line, by provider: all run at once, without a shell, a terminal or stdin,
    for at most ten seconds. Or why it gave no key.

    Whatever a command has started ends with it, when its time is up, and when this program does, `kill -9` included;
    only what leaves its session, as daemons do, stays.
    """
    found: dict[str, Secret | NoKey] = {}
    running: dict[str, _Running] = {}
    try:
        for name, command in commands.items():
            try:
                running[name] = _Running(command)
            except OSError as error:
                found[name] = _not_run(command, error)
        until = time.monotonic() + _SECONDS
        while [one for one in running.values() if not one.done()] and time.monotonic() < until:
            _look_for_cancelling()
            time.sleep(_LOOK_S)
        for name, one in running.items():
            try:
                found[name] = one.key()
            except NoKey as why:
                found[name] = why
    finally:
        for one in running.values():
            one.end()
    return found


def program_of(command: tuple[str, ...]) -> str:
    """As a command may be named: its program, since an argument may be a key. A key in its place is masked."""
    return str(Secret(command[0])) if holds_a_key(command[:1]) else command[0]


def _not_run(command: tuple[str, ...], error: OSError) -> NoKey:
    program = program_of(command)
    if isinstance(error, FileNotFoundError) and program != command[0]:
        return NoKey(
            f"api_key_command: {program!r} is no program, and looks like a key; put the key into an environment "
            "variable, and its name into api_key_env"
        )
    if isinstance(error, FileNotFoundError):
        return NoKey(f"api_key_command: there is no program {program!r}; check the name or give its whole path")
    return NoKey(f"api_key_command: {program!r} cannot be run: {error.strerror}")


def _look_for_cancelling() -> None:
    # Ctrl+C under asyncio.run only cancels the task, which would not be noticed before all commands have ended; and
    # in their own session they do not hear of it themselves.
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class _Running:
    def __init__(self, command: tuple[str, ...]) -> None:
        """Raises OSError."""
        self._program = program_of(command)
        self._said = bytearray()
        if shutil.which(command[0]) is None:
            raise FileNotFoundError
        # What it writes to stderr is kept back: it may hold the key, and would stand in the middle of the console.
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _GUARDED, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._stdout = self._process.stdout.fileno()
        os.set_blocking(self._stdout, False)

    def done(self) -> bool:
        # Looked at first: what a program printed before its end is in the pipe by then. Its stdout may stay open for
        # longer, in the hands of what it has started.
        ended = self._process.poll() is not None
        with contextlib.suppress(BlockingIOError):
            while len(self._said) <= _LONGEST and (piece := os.read(self._stdout, _LONGEST)):
                self._said += piece
        return ended or len(self._said) > _LONGEST

    def key(self) -> Secret:
        """Raises NoKey."""
        code = self._process.returncode
        if len(self._said) > _LONGEST:
            raise NoKey(f"api_key_command: {self._program!r} printed without end; it should print the key alone")
        if code is None:
            raise NoKey(f"api_key_command: {self._program!r} took longer than {_SECONDS:.0f} seconds")
        if code != 0:
            raise NoKey(f"api_key_command: {self._program!r} ended with code {code}; run it by hand to see why")
        lines = self._said.decode("utf-8", errors="replace").strip().splitlines()
        return checked(lines[0] if lines else "", "api_key_command")

    def end(self) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with self._process:
            pass
