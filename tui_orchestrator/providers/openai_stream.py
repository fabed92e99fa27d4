"""The events of OpenAI's streams, with what the SDK keeps to itself. To be imported where the SDK is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from openai import APIError, AsyncStream

from .openai import CLOSING_EVENT

if TYPE_CHECKING:
    from openai._streaming import ServerSentEvent


class Events(AsyncStream[object]):
    """Each event as decoded from its JSON; the closing one, which is no JSON, comes last and as its text. Raises
    APIError also for the errors that are not under `error`."""

    _closed = False

    async def __stream__(self) -> AsyncIterator[object]:
        async for said in super().__stream__():
            if isinstance(said, Mapping) and _is_error(said):
                raise self._error(said)
            yield said
        if self._closed:
            yield CLOSING_EVENT

    async def _iter_events(self) -> AsyncIterator[ServerSentEvent]:
        async for event in super()._iter_events():
            if event.event == "error":
                raise self._error(_decoded(event))
            self._closed = self._closed or event.data.startswith(CLOSING_EVENT)
            yield event

    def _error(self, said: object) -> APIError:
        return APIError("", request=self.response.request, body=said)


def _is_error(said: Mapping[str, object]) -> bool:
    """vLLM and FastChat say {"object": "error", "message": …}, others {"code": …, "message": …}."""
    if "choices" in said:
        return False
    return "error" in (said.get("object"), said.get("type")) or bool(said.get("code") and said.get("message"))


def _decoded(event: ServerSentEvent) -> object:
    """Its text, where it is no JSON."""
    try:
        decoded: object = event.json()
    except (ValueError, RecursionError):
        return event.data
    return decoded
