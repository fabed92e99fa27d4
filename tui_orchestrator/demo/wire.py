"""HTTP/1.1 on a bare socket: enough for the SDKs, and free to break off wherever a fault is wanted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import responses
from urllib.parse import parse_qsl, unquote, urlsplit

MOST_HEAD_BYTES = 64 * 1024
MOST_BODY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    path: str
    """Without the query, percent-decoded."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class BadHttp(Exception):
    """The bytes are no request this server can read; `status` is what to answer before closing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Wire:
    """One connection. Every write returns when the bytes have left for the client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ahead = b""
        self.open = True
        # With no room in the buffer, drain() waits until all is written, so a reset after it loses nothing sent before.
        writer.transport.set_write_buffer_limits(high=0)

    async def request(self) -> HttpRequest | None:
        """The next request; None when the client has hung up. Raises BadHttp."""
        try:
            head = self._ahead + await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except asyncio.LimitOverrunError as error:
            raise BadHttp(431, f"the head is longer than {MOST_HEAD_BYTES} bytes") from error
        self._ahead = b""
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        try:
            method, target, _ = first.split(" ")
        except ValueError as error:
            raise BadHttp(400, f"not a request line: {first[:80]!r}") from error
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        url = urlsplit(target)
        try:
            body = await self._body(headers)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return HttpRequest(method, unquote(url.path), dict(parse_qsl(url.query)), headers, body)

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        if "transfer-encoding" in headers:
            raise BadHttp(411, "a request body needs a Content-Length")
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            raise BadHttp(400, f"not a Content-Length: {length[:40]!r}")
        if int(length) > MOST_BODY_BYTES:
            raise BadHttp(413, f"the body is longer than {MOST_BODY_BYTES} bytes")
        if headers.get("expect", "").lower() == "100-continue":
            await self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return await self._reader.readexactly(int(length))

    async def gone(self) -> None:
        """Returns when the client hangs up; a next request sent early is kept for request()."""
        while True:
            try:
                byte = await self._reader.read(1)
            except ConnectionError:
                return
            if not byte:
                return
            self._ahead += byte
            # One byte shows that the client is there and speaks; what follows it waits in the reader's buffer.
            await asyncio.Event().wait()

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def head(self, status: int, headers: Mapping[str, str]) -> None:
        await self.write(head(status, headers))

    async def chunk(self, data: bytes) -> None:
        if data:  # an empty chunk would end the body
            await self.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def finish(self) -> None:
        """Ends a chunked body as a healthy server does."""
        await self.write(b"0\r\n\r\n")

    def reset(self) -> None:
        """RST: the client's next read fails at once, whatever it was waiting for."""
        self.open = False
        raw = self._writer.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def abort(self) -> None:
        """Closes at once, without waiting for a client that does not read."""
        self.open = False
        self._writer.transport.abort()

    async def close(self) -> None:
        """FIN; a body under way is cut off."""
        self.open = False
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


def head(status: int, headers: Mapping[str, str]) -> bytes:
    phrase = responses.get(status, "Unknown")
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
