"""One request and its response, seen from beside the SDK that sends it.

The SDKs differ in what they leave open and in which deadlines they set. So both are kept here, for all of them alike:
the shared HTTP clients tell the exchange under way of each request and response through their event hooks.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .bounds import MARKS, Form, bound

if TYPE_CHECKING:
    import httpx2

AFTERWORD_S = 5.0
"""How long, after the finish reason, the usage and the end of the body may still take to come, all together. Some
servers never close, or go on saying nothing; the answer is whole by then and must not fail for that."""

_under_way: ContextVar[Exchange | None] = ContextVar("exchange under way", default=None)


class Exchange:
    """Holds the deadline of connecting, which the SDKs do not agree on, and the response, which not all close."""

    def __init__(
        self,
        connect_s: float,
        silence_s: float = math.inf,
        *,
        named: bool = True,
        readable: Callable[[bytes], bytes] = bytes,
        marks: int = MARKS,
        spared: Callable[[bytes], bool] = lambda raw: False,
    ) -> None:
        """`silence_s`: after so long without anything new whoever reads gives up. `named`: its events have names.
        `readable`, `marks` and `spared`: as in `bounds.Form`."""
        self.connect_s = connect_s
        self._form = Form(named, readable, marks, spared)
        self._silence_s = silence_s
        self.response: httpx2.Response | None = None
        self._readings: list[AsyncGenerator[bytes, None]] = []

    @contextmanager
    def _sending(self) -> Iterator[None]:
        token = _under_way.set(self)
        try:
            yield
        finally:
            _under_way.reset(token)

    async def events(
        self, send: Callable[[], Awaitable[AsyncIterator[Any]]], whole: Callable[[], bool]
    ) -> AsyncGenerator[Any, None]:
        """The SDK's events until its stream ends, or falls silent or breaks while the answer is whole: asked after each
        event, since text may follow what looked like the end."""
        with self._sending():
            events = aiter(await send())
            # google-genai sends nothing before it is asked for its first event.
            event = await anext(events, None)
        end: float | None = None
        while event is not None:
            yield event
            if not whole():
                end = None
            elif end is None:
                end = asyncio.get_running_loop().time() + min(AFTERWORD_S, self._silence_s / 2)
            try:
                # Without an end no timer, which every piece of an answer would pay for.
                if end is None:
                    event = await anext(events, None)
                    continue
                async with asyncio.timeout_at(end):
                    event = await anext(events, None)
            except Exception as error:
                if end is not None and _is_silence(error):
                    return
                raise

    def answered(self, response: httpx2.Response) -> None:
        if response.is_success:
            response.status_code = 200  # google-genai takes any other for a failure, also that of a whole answer
        self.response = response
        self._readings = bound(response, self._form)

    async def aclose(self) -> None:
        """Here and now: a reading left to the garbage collector would be closed in whatever thread that happens to run,
        while the event loop still closes its parts."""
        for reading in self._readings:
            await reading.aclose()
        if self.response is not None:
            await self.response.aclose()


def _is_silence(error: BaseException | None) -> bool:
    """The connection said nothing more or broke; as opposed to the provider saying that something is wrong."""
    import httpx2

    broken = httpx2.TransportError | httpx2.DecodingError
    return isinstance(error, TimeoutError | broken) or (error is not None and isinstance(error.__cause__, broken))


async def before_request(request: httpx2.Request) -> None:
    exchange = _under_way.get()
    if exchange is not None:
        # The router owns every other deadline, so that no SDK ends an answer earlier than the user's settings say.
        request.extensions["timeout"] = {"connect": exchange.connect_s, "read": None, "write": None, "pool": None}


async def after_response(response: httpx2.Response) -> None:
    packed = response.headers.get("content-encoding", "").lower()
    if "x-gzip" in packed:
        response.headers["content-encoding"] = packed.replace("x-gzip", "gzip")  # the same, by its older name
    exchange = _under_way.get()
    if exchange is not None:
        exchange.answered(response)
