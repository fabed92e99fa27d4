"""The program as a process of its own, without what it costs each time to start Python and import the SDKs, 2 s of
processor time: the fork of one process that has imported them and done nothing else. From its first line on it is
a process like any other, killed, interrupted, in pipes or on a terminal, and ends as it ends.

What starting itself does, such as the encoding of the streams and what is imported when, is proved by processes that
are started.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import fcntl
import gc
import importlib
import json
import os
import resource
import runpy
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
CLOSED = -4
"""In place of a file, of PIPE or of DEVNULL: a stream that the process does not have."""

_PROGRAM = [f"tui_orchestrator.cli.{name}" for name in ("ask", "batch", "serve", "sessions", "costs", "models", "demo")]
_IMPORTED = (*_PROGRAM, "tui_orchestrator.gateway.app", "tui_orchestrator.services.runtime", "tui_orchestrator.ui.app")
_SDKS = ("anthropic", "openai", "gemini")


class Program:
    """As `subprocess.Popen` with pipes for its stdin and stdout, in which there is text."""

    def __init__(
        self, module: str, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        theirs, stdin = os.pipe()
        stdout, written = os.pipe()
        self.stdin, self.stdout = open(stdin, "w"), open(stdout)  # noqa: SIM115
        self._begin(module, arguments, env or os.environ, cwd, [theirs, written, os.dup(2)])

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        """It is killed where it has not ended."""
        self.kill()
        self.wait()
        for pipe in (self.stdin, self.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def _begin(
        self,
        module: str,
        arguments: Sequence[str],
        env: Mapping[str, str],
        cwd: Path | None,
        files: list[int],
        **more: Any,
    ) -> None:
        self._keeper = _ask(module, arguments, env, cwd, files, **more)
        self._said = self._keeper.makefile()
        self.pid = int(self._said.readline())
        self.returncode: int | None = None

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = int(self._said.read())
            self._said.close()
            self._keeper.close()
        return self.returncode

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._keeper], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def communicate(self, said: str = "") -> str:
        """What it wrote from now on, once it has ended."""
        with contextlib.suppress(BrokenPipeError), self.stdin:
            self.stdin.write(said)
        with self.stdout:
            written = self.stdout.read()
        self.wait()
        return written

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class AtTerminal(Program):
    """One that `terminal` is the terminal of, as `benchmarks.terminal.pseudoterminal.started`."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], cwd: Path | None, terminal: int) -> None:
        _, how, *arguments = command
        module = how if how == "-c" else arguments.pop(0)
        self._begin(module, arguments, env, cwd, [os.dup(terminal) for _ in range(3)], new_session=True)


class Forked:
    """As asyncio's own processes are."""

    def __init__(
        self,
        pid: int,
        keeper: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        pipes: list[asyncio.StreamReader | None],
    ) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout, self.stderr = pipes
        self._keeper = keeper

    async def wait(self) -> int:
        reader, writer = self._keeper
        said = await reader.read()
        writer.close()
        if self.returncode is None:
            self.returncode = int(said)
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        out, err = [b"" if stream is None else await stream.read() for stream in (self.stdout, self.stderr)]
        await self.wait()
        return out, err

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def start(
    module: str,
    *arguments: str,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdin: int | bytes = DEVNULL,
    stdout: int | None = None,
    stderr: int | None = None,
    new_session: bool = False,
    open_files: int | None = None,
    no_more: bool = False,
) -> Forked:
    """As `python -m module arguments`, or `python -c` where `module` is `-c`: the program's text is then the first of
    the arguments. A stream is an open file, PIPE (not for stdin), DEVNULL or CLOSED; None is that
    of the tests. `stdin` as bytes is all there is to be read, at most what a pipe holds, 64 kB. `new_session`: the
    terminal that stdin is becomes its own, whose Ctrl-C reaches it. `open_files`: so many it may have, until it asks
    for more, which it does not get where `no_more` is said."""
    files: list[int] = []
    pipes: list[asyncio.StreamReader | None] = []
    for place, stream in enumerate((stdin, stdout, stderr)):
        if isinstance(stream, bytes):
            reading, writing = os.pipe()
            os.write(writing, stream)
            os.close(writing)
            files.append(reading)
        elif stream == PIPE:
            reading, writing = os.pipe()
            pipes.append(await _read(reading))
            files.append(writing)
        else:
            files.append(os.open(os.devnull, os.O_RDWR) if stream in (DEVNULL, CLOSED) else os.dup(stream or place))
        if place and stream != PIPE:
            pipes.append(None)
    closed = [place for place, stream in enumerate((stdin, stdout, stderr)) if stream == CLOSED]
    asked = {"new_session": new_session, "open_files": open_files, "no_more": no_more, "closed": closed}
    keeper = await asyncio.open_connection(sock=_ask(module, arguments, env, cwd, files, **asked))
    return Forked(int(await keeper[0].readline()), keeper, pipes)


def _ask(
    module: str, arguments: Sequence[str], env: Mapping[str, str], cwd: Path | None, files: list[int], **more: Any
) -> socket.socket:
    """Where its number and, once it has ended, how it ended are said. `files` are closed here."""
    asked = {"module": module, "arguments": arguments, "env": {**env}, "cwd": str(cwd or Path.cwd())}
    asked |= {"new_session": False, "open_files": None, "no_more": False, "closed": []} | more
    ours, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(_server(), [json.dumps(asked).encode() + b"\n"], [*files, theirs.fileno()])
    for file in files:
        os.close(file)
    return ours


async def _read(pipe: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", 0)
    )
    return reader


@cache
def _server() -> socket.socket:
    """One for all tests of this process, with which it ends, and which has no child by it."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], check=True)
    atexit.register(ours.close)
    return ours


# -- the other side


def serve(asked: socket.socket) -> None:
    """Returns in each process that is asked for, which then is that process, and when nobody asks any more."""
    for module in _IMPORTED:
        importlib.import_module(module)
    from tui_orchestrator.providers import connect

    asyncio.run(connect.warm(_SDKS))
    assert threading.active_count() == 1, "a fork has no other threads"
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the tests' terminal
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        said, files, _, _ = socket.recv_fds(asked, 1 << 16, 4)
        while said and not said.endswith(b"\n"):
            said += asked.recv(1 << 16)
        if not said:
            return
        if os.fork() == 0:
            asked.close()
            *streams, keeper = files
            if _kept(keeper):
                _become(json.loads(said), streams)
                return
        for file in files:
            os.close(file)


def _kept(keeper: int) -> bool:
    """True in the process itself. What waits for it tells its number, and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if (pid := os.fork()) == 0:
        os.close(keeper)
        return True
    os.write(keeper, f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    os.write(keeper, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(asked: dict[str, Any], streams: list[int]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup's tests too
    for place, file in enumerate(streams):
        os.dup2(file, place)
        os.close(file)
    if asked["new_session"]:
        os.setsid()
        if os.isatty(0):
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # As Python opens them when it starts.
    for name, mode, errors in (("stdin", "r", None), ("stdout", "w", None), ("stderr", "w", "backslashreplace")):
        place = ("stdin", "stdout", "stderr").index(name)
        if place in asked["closed"]:
            os.close(place)
            setattr(sys, name, None)
        else:
            setattr(sys, name, open(place, mode, encoding="utf-8", errors=errors, closefd=False))  # noqa: SIM115
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    os.chdir(asked["cwd"])
    if (few := asked["open_files"]) is not None:
        most = few if asked["no_more"] else resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    sys.argv = [asked["module"], *asked["arguments"]]
    sys.modules.pop("__main__", None)
    if asked["module"] == "-c":
        text = sys.argv.pop(1)
        sys.modules["__main__"] = ModuleType("__main__")
        exec(text, vars(sys.modules["__main__"]))
    else:
        runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    if os.fork() == 0:
        serve(socket.socket(fileno=int(sys.argv[1])))
