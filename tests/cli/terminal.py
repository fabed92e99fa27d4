"""The program at a pseudo-terminal, and in pipes."""

from __future__ import annotations

import asyncio
import os
import pty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from tests import warm
from tests.cli.conftest import Shell
from tests.warm import Forked

PATIENCE_S = 60


async def forked(
    shell: Shell,
    *arguments: str,
    new_session: bool = False,
    open_files: int | None = None,
    no_more: bool = False,
    **streams: int,
) -> Forked:
    return await warm.start(
        "tui_orchestrator",
        *shell.command(*arguments)[1:],
        env=shell.environment,
        cwd=shell.directory,
        new_session=new_session,
        open_files=open_files,
        no_more=no_more,
        **streams,
    )


@dataclass
class Terminal:
    """The program in a pseudo-terminal of 100 columns; `seen` is all it wrote."""

    process: Forked
    master: int
    written: bytes = b""

    @property
    def seen(self) -> str:
        return self.written.decode(errors="replace")

    async def until(self, text: str) -> None:
        while text not in self.seen:
            assert await self._read(), f"never came: {text!r}; it wrote {self.seen!r}"

    async def end(self) -> int:
        while await self._read():
            pass
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)

    async def _read(self) -> bool:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self.master, ready.set)
        try:
            await asyncio.wait_for(ready.wait(), PATIENCE_S)
            piece = os.read(self.master, 65_536)
        except OSError:  # the other side is closed: EIO on Linux, nothing elsewhere
            piece = b""
        finally:
            loop.remove_reader(self.master)
        self.written += piece
        return bool(piece)


@asynccontextmanager
async def terminal(shell: Shell, *arguments: str, **environment: str) -> AsyncIterator[Terminal]:
    master, slave = pty.openpty()
    env = {"TERM": "xterm-256color", **shell.environment, **environment}
    streams = {"stdin": slave, "stdout": slave, "stderr": slave}
    process = await forked(replace(shell, environment=env), *arguments, **streams, new_session=True)
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(master)
