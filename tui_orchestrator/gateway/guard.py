"""Who may ask: checked before anything of a request is read. How much at once, how large and how slowly."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .wire import error_body

MOST_BYTES = 32 * 2**20
"""Of a request's body: pictures come as text in it."""
BODY_S = 60.0
"""For so long a body may be on its way. 32 MiB in it are 4.5 megabits a second."""
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
    ) -> None:
        """`hosts`: names beside those of this machine under which it may be addressed, for clients elsewhere. So many
        requests as `most_at_once` have a place each, and as many others may be on their way here."""
        self._app = app
        self._token = token.encode()
        self._hosts = frozenset(host.lower() for host in hosts)
        self._free = self._most_arriving = most_at_once
        self._arriving: dict[asyncio.Timeout, str] = {}
        """From which address, the eldest first."""
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["path"], headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._body(receive, (scope.get("client") or ("",))[0])
        except ClientDisconnect:
            return
        except _Refused as error:
            await error.response(scope, receive, send)
            return
        if self._free <= 0:
            said = _refused(503, "overloaded", "Too many requests are under way; try again in a moment.")
            said.headers["retry-after"] = "1"
            await said(scope, receive, send)
            return
        self._free -= 1
        try:
            await self._app(scope, _again(body, receive), send)
        finally:
            self._free += 1

    async def _body(self, receive: Receive, client: str) -> bytes:
        """Whole, before the request has a place. Raises ClientDisconnect or _Refused."""
        pieces: list[bytes] = []
        size, more = 0, True
        try:
            async with asyncio.timeout(BODY_S) as limit:
                self._let_in(limit, client)
                try:
                    while more:
                        message = await receive()
                        if message["type"] == "http.disconnect":
                            raise ClientDisconnect
                        pieces.append(message.get("body", b""))
                        size, more = size + len(pieces[-1]), message.get("more_body", False)
                        if size > self._most_bytes:
                            raise _Refused(self._too_large())
                finally:
                    self._arriving.pop(limit, None)
        except TimeoutError:
            said = _refused(408, "timeout", "The body came too slowly; send it again.")
            # Whoever still sends is not listened to.
            said.headers["connection"] = "close"
            raise _Refused(said) from None
        return b"".join(pieces)

    def _let_in(self, limit: asyncio.Timeout, client: str) -> None:
        """Where too many are on their way, the time of another one is up: the eldest of whoever sends most."""
        if len(self._arriving) >= self._most_arriving:
            ((most, _),) = Counter(self._arriving.values()).most_common(1)
            eldest = next(one for one, whose in self._arriving.items() if whose == most)
            del self._arriving[eldest]
            eldest.reschedule(0.0)
        self._arriving[limit] = client

    def _too_large(self) -> JSONResponse:
        return _refused(413, "bad_request", f"The request is larger than {self._most_bytes // 2**20} MiB.")

    def _refusal(self, path: str, headers: Headers) -> JSONResponse | None:
        if not self._is_known(_host_name(headers.get("host", ""))):
            # A page on the web could otherwise make a browser on this machine ask under a name of its own.
            return _refused(403, "permission", "This host name is not one of the gateway's; --allow-host admits it.")
        origin = headers.get("origin")
        if origin is not None and not self._is_known(urlsplit(origin).hostname or ""):
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


def _host_name(header: str) -> str:
    return urlsplit(f"//{header}").hostname or ""


class _Refused(Exception):
    def __init__(self, response: JSONResponse) -> None:
        self.response = response


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


def _refused(status: int, kind: str, sentence: str) -> JSONResponse:
    return JSONResponse(error_body(kind, sentence), status, headers={"x-should-retry": "false"})
