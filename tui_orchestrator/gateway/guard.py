"""Who may ask, how much at once, and how large: checked before anything of a request is read."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .wire import error_body

MOST_BYTES = 32 * 2**20
"""Of a request's body: pictures come as text in it."""
OPEN_PATHS = frozenset({"/health", "/api/v1/orchestrator/health"})
"""What says only that it runs needs no token."""


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
        """`hosts`: names beside those of this machine under which it may be addressed, for clients elsewhere."""
        self._app = app
        self._token = token.encode()
        self._hosts = frozenset(host.lower() for host in hosts)
        self._free = most_at_once
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
        if self._free <= 0:
            said = _refused(503, "overloaded", "Too many requests are under way; try again in a moment.")
            said.headers["retry-after"] = "1"
            await said(scope, receive, send)
            return
        self._free -= 1
        try:
            await self._app(scope, _bounded(receive, self._most_bytes), send)
        finally:
            self._free += 1

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
            return _refused(413, "bad_request", f"The request is larger than {self._most_bytes // 2**20} MiB.")
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


def _bounded(receive: Receive, most: int) -> Receive:
    """A body without a length is read no further than it may be long."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            return {"type": "http.disconnect"}
        return message

    return bounded


def _refused(status: int, kind: str, sentence: str) -> JSONResponse:
    return JSONResponse(error_body(kind, sentence), status, headers={"x-should-retry": "false"})
