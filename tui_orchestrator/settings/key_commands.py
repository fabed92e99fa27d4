"""Keys that programs of the user's print (`pass`, `op`, a pipeline), or that the system's keyring holds."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence

from . import keyring_process
from .keyring_process import ABSENT, CHOSEN_BY, MISSING, NOTHING, NOWHERE
from .secrets import Secret, holds_a_key
from .servers import KEYRING_SERVICE, LONGEST_KEY, NoKey, checked

_SECONDS = 10.0
_KEYRING_S = 30.0
"""Longer, since the system may ask the user to unlock it."""
_LONGEST = 64 * 1024
"""Bytes that a command may print."""
_LOOK_S = 0.01
_PATIENCE_S = 2.0
"""Longer than this, and whoever waits is told what for."""
_ELSE = "name an environment variable for the key, or api_key_command in the settings"

# Becomes the command, beside a shell that waits until this program is gone, however it went, and then ends all of the
# session. It waits before the command begins: there is no moment at which nobody would end it.
_GUARDED = 'exec 3<&0; (read -r _ <&3; kill -9 0) & exec "$@" < /dev/null 3<&-'


def ask(
    commands: Mapping[str, tuple[str, ...]],
    keyrings: Iterable[str] = (),
    waiting: Callable[[str], None] | None = None,
) -> dict[str, Secret | NoKey]:
    """What each command prints on its first line, by provider, and what the system's keyring holds for those of which
    it is asked: all run at once, without a shell, a terminal or stdin, a command for at most ten seconds and the
    keyring for thirty. Or why it gave no key. `waiting` is told in a sentence, once, of what takes longer than two.

    Whatever a command has started ends with it, when its time is up, and when this program does, `kill -9` included;
    only what leaves its session, as daemons do, stays.
    """
    found: dict[str, Secret | NoKey] = {}
    running: dict[str, _Running] = {}
    try:
        for name, command in commands.items():
            try:
                running[name] = _Command(command)
            except OSError as error:
                found[name] = _not_run(command, error)
        for name in keyrings:
            running[name] = _Keyring(name)
        began = time.monotonic()
        while left := [one for one in running.values() if not one.done() and time.monotonic() - began < one.seconds]:
            _look_for_cancelling()
            if waiting is not None and time.monotonic() - began >= _PATIENCE_S:
                waiting(_waiting_for(left))
                waiting = None
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


async def to_keyring(provider: str, key: str) -> None:
    """Has the system's keyring hold it, which is asked for it then: within thirty seconds. Raises NoKey."""
    try:
        async with asyncio.timeout(_KEYRING_S):
            taken = await _asked("set", provider, key)
            kept = taken if "key" not in taken else await _asked("get", provider)
    except TimeoutError:
        raise NoKey(f"the system keyring did not answer within {_KEYRING_S:.0f} seconds; {_ELSE}") from None
    why = kept.get("why")
    if why in (MISSING, NOWHERE):
        raise NoKey(f"there is no keyring here; {_ELSE}")
    if why in (ABSENT, NOTHING):
        raise NoKey(f"{_chosen(why)}; {_ELSE}")
    if why is not None:
        deed = "take it" if kept is taken else "give it back"
        raise NoKey(f"the system keyring did not {deed} ({why}); {_ELSE}")
    if kept["key"] != key:
        raise NoKey(f"the system keyring did not keep it: it does not give it back; {_ELSE}")


async def _asked(deed: str, provider: str, key: str = "") -> dict[str, str | None]:
    process = await asyncio.create_subprocess_exec(
        *_keyring(deed, provider),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        said, _ = await process.communicate(key.encode())
    finally:
        if process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return _answer(said)


def _chosen(why: str) -> str:
    """What is wrong with the backend that somebody has chosen."""
    name = os.environ.get(CHOSEN_BY)
    by = f"that {CHOSEN_BY} names, {name!r}," if name else "that keyringrc.cfg names"
    return f"the keyring backend {by} {'is not installed' if why == ABSENT else 'keeps nothing'}"


def _keyring(deed: str, provider: str) -> list[str]:
    # -P: a module of that name in the working directory is not the keyring.
    return [sys.executable, "-P", keyring_process.__file__, deed, KEYRING_SERVICE, provider]


def _answer(said: bytes) -> dict[str, str | None]:
    try:
        answer: dict[str, str | None] = json.loads(said)
    except ValueError:
        return {"why": "it ended without an answer"}
    return answer


def _waiting_for(running: Sequence[_Running | type[_Running]]) -> str:
    whom = ", and ".join(dict.fromkeys(one.whom for one in running))
    return f"Waiting for {whom}, at most {max(one.seconds for one in running):.0f} seconds."


def waiting_for_keyring() -> str:
    """As `ask` tells it."""
    return _waiting_for([_Keyring])


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


class _Running(ABC):
    seconds = _SECONDS
    """It has at most."""
    whom: str
    """As a sentence names it."""

    def __init__(self, command: Sequence[str]) -> None:
        """Raises OSError."""
        self._said = bytearray()
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

    @abstractmethod
    def key(self) -> Secret:
        """Raises NoKey."""

    def end(self) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with self._process:
            pass


class _Command(_Running):
    def __init__(self, command: tuple[str, ...]) -> None:
        self._program = program_of(command)
        self.whom = f"{self._program!r}, which api_key_command names"
        if shutil.which(command[0]) is None:
            raise FileNotFoundError
        super().__init__(command)

    def key(self) -> Secret:
        code = self._process.returncode
        if len(self._said) > _LONGEST:
            raise NoKey(f"api_key_command: {self._program!r} printed without end; it should print the key alone")
        if code is None:
            raise NoKey(f"api_key_command: {self._program!r} took longer than {_SECONDS:.0f} seconds")
        if code != 0:
            raise NoKey(f"api_key_command: {self._program!r} ended with code {code}; run it by hand to see why")
        lines = self._said.decode("utf-8", errors="replace").strip().splitlines()
        return checked(lines[0] if lines else "", "api_key_command")


class _Keyring(_Running):
    seconds = _KEYRING_S
    whom = "the system keyring, which may want to be unlocked"

    def __init__(self, provider: str) -> None:
        self._provider = provider
        super().__init__(_keyring("get", provider))

    def key(self) -> Secret:
        if len(self._said) > _LONGEST:
            raise NoKey(f"api_key_keyring: what it gave is no key: it has more than {LONGEST_KEY:,} characters")
        if self._process.returncode is None:
            raise NoKey(f"api_key_keyring: the system keyring did not answer within {self.seconds:.0f} seconds")
        answer = _answer(bytes(self._said))
        why, key = answer.get("why"), answer.get("key")
        if why == MISSING:
            raise NoKey("api_key_keyring: the keyring is not installed; pip install 'tui-orchestrator[keyring]'")
        if why == NOWHERE:
            raise NoKey("api_key_keyring: this system has no keyring; use api_key_env or api_key_command instead")
        if why in (ABSENT, NOTHING):
            raise NoKey(f"api_key_keyring: {_chosen(why)}; use api_key_env or api_key_command instead")
        if why is not None:
            raise NoKey(f"api_key_keyring: the system keyring failed ({why}); is it unlocked?")
        if key is None:
            raise NoKey(
                f"api_key_keyring: it holds no key; store one with: keyring set {KEYRING_SERVICE} {self._provider}"
            )
        return checked(key, "api_key_keyring")
