"""When an answer is whole, by what its stream says of its end."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..routing.events import FinishReason
from ..routing.ports import CallPiece, Piece, TextPiece, ThinkingPiece
from ..routing.text import clean_line

# What servers say in the place of a finish reason when they stopped in mid-answer: vLLM and SGLang 'abort', Z.ai
# 'network_error', DeepSeek 'insufficient_system_resource', OpenRouter 'error' (their documentation, November 2026).
_FAILED = re.compile(
    r"abort|cancel|time_?d?_?out|error|fail|interrupt|insufficient|disconnect|network|overload|unavailable|preempt"
)
_WORSE = (FinishReason.LENGTH, FinishReason.CONTENT_FILTER, FinishReason.TOOL_CALLS)
_LONGEST = 60
# What holds the beginning of an object may hold words, however it goes on.
_MAY_SAY_SOMETHING = re.compile(rb"\{\s*+(?:\"|\Z)|^event: ?error\b", re.MULTILINE)


def tells_of_failure(said: str) -> bool:
    """Of a finish reason that is none of those for which an answer is whole."""
    return _FAILED.search(said.lower()) is not None


def says_something(piece: Piece) -> bool:
    """It is a part of the answer, or of the thinking before it."""
    return isinstance(piece, CallPiece) or (isinstance(piece, TextPiece | ThinkingPiece) and bool(piece.text.strip()))


class Ending:
    """A finish reason ends the answer, and little need come after it. But some servers put one on every event: text
    after one takes it back, and from then on no finish reason is believed by itself. It takes the closing event of the
    format, or where it has none the end of the stream in good order."""

    def __init__(self, *, closing_event: bool = True) -> None:
        """`closing_event`: the format has one, besides the finish reason."""
        self._closing_event = closing_event
        self._reason: FinishReason | None = None
        self._taken_back = False
        self._closed = False
        self._said_something = False
        self.begun_again = False
        """After something of the answer another began: what follows belongs to that, and is not to be read."""
        self.failed = ""
        """The reason given, where it is one for which no answer is whole; one clean line."""

    def after(self, piece: Piece) -> None:
        """To be told of every piece, before what its event says of the end."""
        if not says_something(piece):
            return
        self._said_something = True
        if self._reason is not None:
            self._reason, self.failed = None, ""
            self._taken_back, self._closed = True, False

    def begin(self) -> bool:
        """An event that opens an answer has come. Whether this is another, behind a part of the first."""
        self.begun_again = self._said_something
        return self.begun_again

    def finish(self, said: str, known: Mapping[str, FinishReason], *, failed: bool = False) -> None:
        """The provider's own word for why the answer ended, and what each word means that it is known to use. `failed`:
        it says of what came that it is not to be used."""
        reason = known.get(said, FinishReason.OTHER)
        if reason is FinishReason.STOP and (self.failed or self._reason in _WORSE):
            return  # said twice of the same text, and the first time with more in it
        self._reason = reason
        self.failed = clean_line(said, _LONGEST) if failed or (said not in known and tells_of_failure(said)) else ""

    def close(self) -> None:
        """The closing event has come."""
        self._closed = self._reason is not None

    @property
    def closed(self) -> bool:
        """The closing event has come, and no text after it."""
        return self._closed

    def spares(self, raw: bytes) -> bool:
        """Of what came in the place of an event: it comes after the end, and is neither a part of an answer nor an
        error. What follows is still to be read, because text would take the end back."""
        return self.certain and _MAY_SAY_SOMETHING.search(raw) is None

    @property
    def certain(self) -> bool:
        """Nothing more of the answer is to come, however the stream ends."""
        return self._reason is not None and (self._closed or not self._taken_back)

    @property
    def whole(self) -> bool:
        """Of a stream that ended in good order: it said that the answer was complete."""
        return self.certain or (self._reason is not None and not self._closing_event and not self.begun_again)

    @property
    def why(self) -> str:
        """In a word or two, of what is not whole; nothing where the stream just ended."""
        if self.failed:
            return f"finish reason: {self.failed}"
        return "a second answer began in its middle" if self.begun_again else ""

    @property
    def reason(self) -> FinishReason:
        """Asked only of what is whole."""
        assert self._reason is not None
        return self._reason
