"""The events of OpenAI's streams, all that came at once together. To be imported where the SDK is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from httpx2 import HTTPError, StreamError
from openai import APIError

from .openai import CLOSING_EVENT

if TYPE_CHECKING:
    import httpx2

DRAIN_S = 0.1
"""How long, after the closing event, the end of the body may take, so that the connection can be used again."""


async def events(response: httpx2.Response) -> AsyncGenerator[Iterator[object], None]:
    """For each piece of the body the events that end in it, to be read before the next piece is asked for: each decoded
    from its JSON, and the closing one, which is no JSON, last and as its text. They raise APIError for the errors of a
    stream, also for those that are not under `error`."""
    lines, parser = _Lines(), _Events(response)
    pieces = response.aiter_bytes()
    async for piece in pieces:
        yield parser.read(lines.feed(piece))
        if parser.closed:
            break
    if parser.closed:
        with suppress(TimeoutError, HTTPError, StreamError):
            async with asyncio.timeout(DRAIN_S):
                async for _ in pieces:
                    pass


class _Lines:
    """A stream of bytes cut at CR, LF and CRLF."""

    def __init__(self) -> None:
        self._begun = bytearray()
        self._after_cr = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that end in it, without their ends."""
        if self._after_cr and piece.startswith(b"\n"):
            piece = piece[1:]
            self._after_cr = False
        if not piece:
            return []
        self._after_cr = piece.endswith(b"\r")
        *ended, begun = piece.split(b"\n") if b"\r" not in piece else _split(piece)
        if ended and self._begun:
            ended[0] = bytes(self._begun) + ended[0]
            self._begun.clear()
        self._begun += begun
        return ended


def _split(piece: bytes) -> list[bytes]:
    lines = piece.splitlines()
    return [*lines, b""] if piece.endswith((b"\r", b"\n")) else lines


class _Events:
    """Server-sent events, as the WHATWG's HTML standard has them; what has no end is none."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._data: list[str] = []
        self._kind = ""
        self.closed = False
        """By its closing event."""

    def read(self, lines: list[bytes]) -> Iterator[object]:
        for line in lines:
            if line:
                self._field(line.decode())
                continue
            data, kind, self._data, self._kind = "\n".join(self._data), self._kind, [], ""
            if not data and not kind:
                continue
            yield self._event(kind, data)
            if self.closed:
                return

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._kind = value

    def _event(self, kind: str, data: str) -> object:
        if kind == "error":
            raise self._error(_decoded(data))
        if data.startswith(CLOSING_EVENT):
            self.closed = True
            return CLOSING_EVENT
        said: object = json.loads(data)
        if isinstance(said, Mapping):
            if error := said.get("error"):
                raise self._error(error)
            if _is_error(said):
                raise self._error(said)
        return said

    def _error(self, said: Any) -> APIError:
        return APIError("", request=self._response.request, body=said)


def _is_error(said: Mapping[str, object]) -> bool:
    """vLLM and FastChat say {"object": "error", "message": …}, others {"code": …, "message": …}."""
    if "choices" in said:
        return False
    return "error" in (said.get("object"), said.get("type")) or bool(said.get("code") and said.get("message"))


def _decoded(data: str) -> object:
    """Its text, where it is no JSON."""
    try:
        decoded: object = json.loads(data)
    except (ValueError, RecursionError):
        return data
    return decoded
