"""What a scripted model does with a request: answer, refuse, or break off; and the queue a test fills with it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from ..routing.money import Usage

Finish = Literal["stop", "length", "content_filter"]


class Phase(StrEnum):
    """Where in an exchange something happens, in order."""

    CONNECT = "connect"
    """The connection is taken; nothing of the request has been read."""
    HEADERS = "headers"
    """The request has been read; nothing has been answered."""
    HALF_HEADERS = "half_headers"
    BEFORE_TEXT = "before_text"
    """Headers and the stream's opening events are out."""
    MID_STREAM = "mid_stream"
    """Half of the pieces are out, at least one of them text."""
    BEFORE_END = "before_end"
    """All of the text is out, the closing marker is not."""


How = Literal[
    "reset",  # TCP RST
    "close",  # FIN in the middle of the body
    "end",  # a clean end of the body, only the closing marker is missing
    "silence",  # nothing more, until the client hangs up
    "half_line",  # an event cut off inside its line, then a clean end
    "bad_json",  # an event that is not JSON; the stream goes on
    "bad_utf8",  # an event that is not UTF-8; the stream goes on
    "wrong_shape",  # valid JSON of another shape; the stream goes on
    "comment",  # an SSE comment, harmless by the standard; the stream goes on
    "error_event",  # the provider's own error inside a 200 stream, then a clean end
]
GOES_ON: frozenset[How] = frozenset({"bad_json", "bad_utf8", "wrong_shape", "comment"})


@dataclass(frozen=True, slots=True)
class Say:
    """An answer. What is None comes from the scripted answers and from counting."""

    text: str | None = None
    thinking: str | None = None
    finish: Finish | None = None
    usage: Usage | None = None
    """What is reported, in inclusive buckets; each protocol words it in its own."""
    reports_usage: bool = True
    gap_s: float | None = None
    """Real seconds before each piece, whatever the server's pace: a slow drip."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole HTTP response instead of an answer. Without a body, the vendor's own error body for the status."""

    status: int
    message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Break:
    """An answer that goes wrong at a phase. Before the headers, and in an answer that is not streamed, every way but
    reset and silence is a close."""

    how: How
    at: Phase = Phase.MID_STREAM
    say: Say = Say()
    status: int = 529
    """Of an error event."""


Behaviour = Say | Reply | Break
LISTING = "GET models"
"""In place of a model's name: the behaviour of the model listing."""


class Script:
    """Behaviours by model. Those queued with then() come first, each once; then the standing one; then the model's own
    habit. A queue without a model's name serves whoever asks next."""

    def __init__(self) -> None:
        self._queues: dict[str | None, deque[Behaviour]] = defaultdict(deque)
        self._standing: dict[str | None, Behaviour] = {}

    def then(self, behaviour: Behaviour, model: str | None = None, times: int = 1) -> Script:
        self._queues[model].extend([behaviour] * times)
        return self

    def always(self, behaviour: Behaviour, model: str | None = None) -> Script:
        self._standing[model] = behaviour
        return self

    def take(self, model: str) -> Behaviour | None:
        """None: as the model is. A listing takes only what was scripted for listings."""
        keys: tuple[str | None, ...] = (model,) if model == LISTING else (model, None)
        for key in keys:
            if self._queues[key]:
                return self._queues[key].popleft()
        return next((self._standing[key] for key in keys if key in self._standing), None)

    def take_connection(self) -> Break | None:
        """The fault that befalls the next connection before anything is read from it, if one was scripted."""
        queue = self._queues[None]
        first = queue[0] if queue else self._standing.get(None)
        if not isinstance(first, Break) or first.at is not Phase.CONNECT:
            return None
        if queue:
            queue.popleft()
        return first

    @property
    def left(self) -> int:
        """How many queued behaviours nobody has met yet."""
        return sum(len(queue) for queue in self._queues.values())
