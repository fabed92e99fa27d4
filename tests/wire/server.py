"""A server that sends exactly the bytes it is told to, and ends them as it is told to: what no web framework can do."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Any


class Act(Enum):
    CLOSE = "a FIN, whatever was promised"
    RESET = "an RST"
    STALL = "silence until the client hangs up"
    AGAIN = "the same once more for the next request on this connection"


@dataclass(frozen=True)
class Drip:
    """The same bytes again and again, until the client hangs up."""

    data: bytes
    every_s: float = 0.01


@dataclass(frozen=True)
class Slowly:
    """One byte at a time, each in a packet of its own where the network will have it."""

    data: bytes


@dataclass(frozen=True)
class Pause:
    """Silence, and then the rest."""

    seconds: float


Step = bytes | Act | Drip | Slowly | Pause


@dataclass
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class WireServer:
    """Every connection's first request gets the same script, after those of `once`, each of which serves one. `sent` is
    set when a script falls silent, `gone` once a client has hung up."""

    def __init__(self, *script: Step, tls: ssl.SSLContext | None = None) -> None:
        self.script: Sequence[Step] = script
        self.once: list[Sequence[Step]] = []
        self._tls = tls
        self.requests: list[Seen] = []
        self.connections = 0
        self.sent = asyncio.Event()
        self.gone = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> WireServer:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self.hang_up()

    async def hang_up(self) -> None:
        """On everybody, also where a connection was to be used again."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the sockets are closed by then

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone.set()
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Seen(method, path, headers, body))
        for step in self.once.pop(0) if self.once else self.script:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, Slowly):
                for byte in step.data:
                    writer.write(bytes([byte]))
                    await writer.drain()
            elif isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
            elif isinstance(step, Drip):
                while True:
                    writer.write(step.data)
                    await writer.drain()
                    await asyncio.sleep(step.every_s)
            elif step is Act.AGAIN:
                await self._serve(reader, writer)
            elif step is Act.RESET:
                raw: socket.socket = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return
            elif step is Act.STALL:
                self.sent.set()
                await reader.read()
                self.gone.set()
            else:
                return


def head(status: int = 200, media_type: str = "text/event-stream", **headers: str) -> bytes:
    """Without a length: the body ends where the connection does."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {media_type}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunked_head() -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


LAST_CHUNK = b"0\r\n\r\n"


def answer(status: int, body: Any, media_type: str = "application/json", **headers: str) -> tuple[bytes, ...]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return head(status, media_type, Content_Length=str(len(data)), **headers), data
