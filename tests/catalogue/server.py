"""A plain HTTP server on the loopback that answers what a test says, for model lists of every kind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    body: object = b""
    """Bytes and text go out as they are, everything else as JSON."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    """Accepts the request and never answers."""
    missing: int = 0
    """Bytes that it promises beyond the body, before it closes the connection."""

    def wire(self) -> bytes:
        body = self.body
        if isinstance(body, str):
            body = body.encode()
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        lines = [f"HTTP/1.1 {self.status} X", f"content-length: {len(body) + self.missing}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Server:
    def __init__(self, routes: dict[str, object], otherwise: object) -> None:
        self.routes = routes
        """Path, or path?query, → Reply, body, or a function of Asked that gives one of them."""
        self.otherwise = otherwise
        self.asked: list[Asked] = []
        self.heard = asyncio.Event()
        """Set with the first request."""
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.split("\r\n")
            method, target, _ = first.split(" ")
            headers = dict(_header(line) for line in lines if line)
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            parts = urlsplit(target)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            asked = Asked(method, parts.path, query, headers, body)
            self.asked.append(asked)
            self.heard.set()
            answer = self.routes.get(parts.path, self.otherwise)
            if callable(answer):
                answer = answer(asked)
            reply = answer if isinstance(answer, Reply) else Reply(answer)
            if reply.silent:
                await reader.read()
            else:
                writer.write(reply.wire())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # a knock without a request, or a client that hung up
        finally:
            writer.close()


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


@asynccontextmanager
async def serving(
    routes: dict[str, object] | None = None, otherwise: object = Reply("not found", 404)
) -> AsyncIterator[Server]:
    server = Server(routes or {}, otherwise)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=2**20)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
