"""Who may ask: checked before anything of a request is read. How much at once, how large and how slowly."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import re
from collections import Counter
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .wire import error_body

MOST_BYTES = 32 * 2**20
"""Of a request's body: pictures come as text in it."""
MOST_KEPT_BYTES = 256 * 2**20
"""Of all bodies together that have come so far, until their requests are answered."""
BODY_S = 60.0
"""For so long a body may be on its way. 32 MiB in it are 4.5 megabits a second."""
_WEB = re.compile(r"\Ahttps?://", re.IGNORECASE)
_WHOLE_ADDRESS = re.compile(r"https?://([^/]*)(/.*)?", re.IGNORECASE | re.DOTALL)
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[^\s:@/?#\\\[\]]+))(?::\d*)?", re.IGNORECASE | re.ASCII)
OPEN_PATHS = frozenset({"/health", "/api/v1/orchestrator/health"})
"""What says only that it runs needs no token, and no place."""


class Guard:
    """ASGI middleware."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        hosts: Iterable[str] = (),
        most_at_once: int = 1024,
        most_bytes: int = MOST_BYTES,
        most_kept_bytes: int = MOST_KEPT_BYTES,
    ) -> None:
        """`hosts`: names beside those of this machine under which it may be addressed, for clients elsewhere. So many
        requests as `most_at_once` have a place each, and as many others may be on their way here."""
        self._app = app
        self._token = token.encode()
        self._hosts = frozenset(host.lower() for host in hosts)
        self._free = self._most_arriving = most_at_once
        self._arriving: list[_Body] = []
        """The eldest first."""
        self._most_bytes = most_bytes
        self._room = most_kept_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if whole := _WHOLE_ADDRESS.fullmatch(scope["path"]):
            # As to a proxy, which any server has to take; then the header says nothing (RFC 9112, 3.2.2).
            host, path = whole[1], whole[2] or "/"
            scope = {**scope, "path": path, "raw_path": path.encode()}
        refusal = self._refusal(scope["path"], host, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        body = _Body((scope.get("client") or ("",))[0])
        try:
            try:
                said = await self._read(body, receive)
            except ClientDisconnect:
                return
            if said is None and self._free <= 0:
                said = _overloaded("Too many requests are under way; try again in a moment.")
            if said is not None:
                await said(scope, receive, send)
                return
            self._free -= 1
            try:
                await self._app(scope, _again(body.whole(), receive), send)
            finally:
                self._free += 1
        finally:
            self._room += body.size

    async def _read(self, body: _Body, receive: Receive) -> JSONResponse | None:
        """The whole body, before the request has a place, or why not. Raises ClientDisconnect."""
        more = True
        try:
            async with asyncio.timeout(BODY_S) as body.limit:
                self._let_in(body)
                try:
                    while more:
                        message = await receive()
                        if body.given_up:
                            raise TimeoutError
                        if message["type"] == "http.disconnect":
                            raise ClientDisconnect
                        more = message.get("more_body", False)
                        piece = message.get("body", b"")
                        if body.size + len(piece) > self._most_bytes:
                            return self._too_large()
                        if not self._makes_room(len(piece), body):
                            return _overloaded(_NO_ROOM)
                        self._room -= len(piece)
                        body.size += len(piece)
                        body.pieces.append(piece)
                finally:
                    if body in self._arriving:
                        self._arriving.remove(body)
        except TimeoutError:
            said = body.gives_way or _refused(408, "timeout", "The body came too slowly; send it again.")
            # Whoever still sends is not listened to.
            said.headers["connection"] = "close"
            return said
        return None

    def _let_in(self, body: _Body) -> None:
        """Where too many are on their way, the time of another one is up: the eldest of whoever sends most."""
        if len(self._arriving) >= self._most_arriving:
            ((most, _),) = Counter(one.client for one in self._arriving).most_common(1)
            self._end(next(one for one in self._arriving if one.client == most))
        self._arriving.append(body)

    def _makes_room(self, size: int, body: _Body) -> bool:
        """Whether there is, once the eldest bodies on their way of whoever keeps most bytes here have given way."""
        while self._room < size:
            kept = Counter[str]()
            for one in self._arriving:
                if one is not body:
                    kept[one.client] += one.size
            ((most, sent),) = kept.most_common(1) or (("", 0),)
            if not sent:
                return False
            eldest = next(one for one in self._arriving if one is not body and one.client == most and one.size)
            eldest.gives_way = _overloaded(_NO_ROOM)
            self._end(eldest)
        return True

    def _end(self, body: _Body) -> None:
        body.given_up = True
        self._arriving.remove(body)
        self._room += body.size
        body.size = 0
        body.pieces.clear()
        body.limit.reschedule(0.0)

    def _too_large(self) -> JSONResponse:
        return _refused(413, "bad_request", f"The request is larger than {self._most_bytes // 2**20} MiB.")

    def _refusal(self, path: str, host: str, headers: Headers) -> JSONResponse | None:
        """`host`: the name that the gateway is addressed by, as it was said."""
        if not self._is_known(_host_name(host)):
            # A page on the web could otherwise make a browser on this machine ask under a name of its own.
            return _refused(403, "permission", "This host name is not one of the gateway's; --allow-host admits it.")
        origin = headers.get("origin")
        if origin is not None and not self._is_known(_host_name(_WEB.sub("", origin))):
            return _refused(403, "permission", "Pages of other origins may not ask the gateway.")
        if path not in OPEN_PATHS and not self._is_token(headers):
            said = _refused(401, "authentication", "The token is missing or wrong; `serve` prints where it is kept.")
            said.headers["www-authenticate"] = "Bearer"
            return said
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._most_bytes:
            return self._too_large()
        return None

    def _is_known(self, host: str) -> bool:
        host = host.lower()
        if host == "localhost" or host in self._hosts:
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    def _is_token(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        given = given if kind.lower() == "bearer" else headers.get("x-api-key", "")
        return hmac.compare_digest(given.strip().encode(), self._token)


def _host_name(said: str) -> str:
    """Of a name or an address with its port, if it has one. Nothing, where there is anything else."""
    found = _HOST.fullmatch(said)
    return (found["six"] or found["name"]) if found else ""


class _Body:
    """On its way, and then as long as its request lasts."""

    limit: asyncio.Timeout

    def __init__(self, client: str) -> None:
        self.client = client
        """Its address."""
        self.pieces: list[bytes] = []
        self.size = 0
        """Bytes of the pieces."""
        self.given_up = False
        self.gives_way: JSONResponse | None = None
        """What is said in place of that it came too slowly."""

    def whole(self) -> bytes:
        """Once."""
        body = b"".join(self.pieces)
        self.pieces.clear()
        return body


def _again(body: bytes, receive: Receive) -> Receive:
    """The body that has been read, then what comes after it."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


_NO_ROOM = "Too much is being sent at once; try again in a moment."


def _overloaded(sentence: str) -> JSONResponse:
    said = _refused(503, "overloaded", sentence)
    said.headers["retry-after"] = "1"
    return said


def _refused(status: int, kind: str, sentence: str) -> JSONResponse:
    return JSONResponse(error_body(kind, sentence), status, headers={"x-should-retry": "false"})
