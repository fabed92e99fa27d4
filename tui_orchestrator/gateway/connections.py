"""Connections that have not said yet what they want, or do not read what they are told: how long they may take, and
how many there may be.

uvicorn waits without end for the head of a request and for an answer to be read, and its own limit of connections
counts those that are silent, so that a few thousand of them would keep everybody else out.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .wire import error_body

HEAD_S = 20.0
"""For so long the head of a request may be on its way, from the connection's or the last answer's beginning on."""
READ_S = 120.0
"""For so long a client may read nothing of what waits for it. The system's own buffers hold some megabytes before."""
MOST_READ_S = 900.0
"""In all, from when it has fallen behind: as long as a turn may take."""
MOST_WAITED_FOR = 1024
"""Connections of a process that may be open without a whole head."""
_NO_HTTP = "What came is no request of HTTP/1.1, or its head is longer than 64 KiB."


class Connection(H11Protocol):
    """What uvicorn is told as `http`: its own, with an end to the wait for a head and for a reader.

    Where too many wait, the eldest of the address that has most gives way."""

    _waited_for: dict[Connection, str]
    """Of the whole server, by address, the eldest first."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        # uvicorn makes one state for each server and hands it to all its connections; it has no other place of theirs.
        self._waited_for = self.server_state.__dict__.setdefault("waited_for", {})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_reading()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()
        # What is left of the answer is sent by the transport, which waits for it also where it was closed.
        self._look_at_reader()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_at_reader()

    def resume_writing(self) -> None:
        self._stop_reading()
        super().resume_writing()

    def _unsupported_upgrade_warning(self) -> None:
        """Who asks for web sockets is answered without them; that any client may do, as often as it likes."""

    def _look_at_reader(self) -> None:
        if self._reading is None and (unread := self.transport.get_write_buffer_size()):
            until = self.loop.time() + MOST_READ_S
            self._reading = self.loop.call_later(READ_S, self._read_on, unread, until)

    def _read_on(self, before: int, until: float) -> None:
        self._reading = None
        unread = self.transport.get_write_buffer_size()
        if not unread:
            return
        if unread < before and self.loop.time() < until:
            self._reading = self.loop.call_later(READ_S, self._read_on, unread, until)
        else:
            # The answer's turn ends with the connection, as where a client hangs up.
            self.transport.abort()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _look(self) -> None:
        # The rest of a body that nobody wants any more is waited for like the next head behind it.
        waits = self.conn.their_state is h11.IDLE or self.conn.our_state is h11.DONE
        if not waits or self.transport.is_closing():
            self._stop_waiting()
        elif self._deadline is None:
            if len(self._waited_for) >= MOST_WAITED_FOR:
                ((most, _),) = Counter(self._waited_for.values()).most_common(1)
                eldest = next(one for one, whose in self._waited_for.items() if whose == most)
                eldest._refuse(503, "overloaded", "Too many connections are open; try again in a moment.")
            self._waited_for[self] = self.client[0] if self.client else ""
            self._deadline = self.loop.call_later(HEAD_S, self._time_is_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
            del self._waited_for[self]

    def _time_is_up(self) -> None:
        self._refuse(408, "timeout", "The head of the request came too slowly; send it again.")

    def _refuse(self, status: int, kind: str, sentence: str) -> None:
        """Says so, but not where a connection is kept for later: a client would take it for the answer to what it is
        just about to ask."""
        self._stop_waiting()
        self._unset_keepalive_if_required()
        if self.conn.our_state is h11.IDLE and (self.cycle is None or self.conn.trailing_data[0]):
            self._say(status, kind, sentence)
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """In the form of all other errors, and not behind an answer that is out already."""
        self._stop_waiting()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._say(400, "invalid_request_error", _NO_HTTP)
        self.transport.close()

    def _say(self, status: int, kind: str, sentence: str) -> None:
        body = json.dumps(error_body(kind, sentence)).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
