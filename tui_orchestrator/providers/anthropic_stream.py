"""The events of Anthropic's streams, by what they say they are. To be imported where the SDK is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from anthropic import AsyncStream
from anthropic.types import RawMessageStreamEvent

if TYPE_CHECKING:
    from anthropic._streaming import ServerSentEvent


class Events(AsyncStream[RawMessageStreamEvent]):
    """The SDK passes over what has no name, or that of a ping, whatever is in it: a word of the answer would be missing
    from its middle. So each event is named by its own `type`."""

    async def _iter_events(self) -> AsyncIterator[ServerSentEvent]:
        async for event in super()._iter_events():
            if event.event in (None, "ping") and event.data and event.data.strip() != _CLOSING:
                event = type(event)(event=_type_of(event), data=event.data)
            yield event


_CLOSING = "[DONE]"
"""Of some servers that speak like Anthropic."""


def _type_of(event: ServerSentEvent) -> str | None:
    """Raises ValueError for one without a name whose content cannot be read: it may be a part of the answer."""
    try:
        said = event.json()
    except ValueError:
        if event.event is None:
            raise
        return event.event
    if not isinstance(said, dict):
        return event.event
    kind = said.get("type")
    return kind if isinstance(kind, str) else "error" if said.get("error") else event.event
