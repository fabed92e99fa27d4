"""A provider's key taken out of its answers: some servers repeat the headers they were sent in what they write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..routing.ports import Call, CallPiece, Done, Piece, TextPiece, ThinkingPiece
from ..settings import Traces, hide, traces
from .complaint import named

_SEEN = 12
"""So much of what was told is looked at again: the first letters of a key are told before it is seen to be one."""
_LONGEST_HELD = 400
"""Characters."""
_AT_ONCE = 32_000
"""Characters, which take some milliseconds to look through."""
_Of = type[TextPiece | ThinkingPiece] | int
"""What a text is of: the answer, its thinking, or a call of a tool by its index."""


class Stretch:
    """A text that comes in pieces, in which a key is hidden, wherever it was cut."""

    def __init__(self, sought: Traces) -> None:
        self._sought = sought
        self._text = ""
        """What is held back, and the end of what was told before it."""
        self._told = 0
        """Of its characters."""

    def next(self, piece: str) -> str:
        """What can be told by now: all but what may be the beginning of a key."""
        text = self._text + piece
        held = text[-_LONGEST_HELD:]
        end = max(self._told, len(text) - len(held) + self._sought.begun(held))
        shown = self._shown(text[:end])
        self._told = min(end, _SEEN)
        self._text = text[end - self._told :]
        return shown

    def rest(self) -> str:
        """What is still held back when no more is to come."""
        shown = self._shown(self._text)
        self._text, self._told = "", 0
        return shown

    def _shown(self, text: str) -> str:
        return hide(text, self._sought.spans(text), self._told)


class Withheld:
    """The pieces of one answer without the key that was sent for it."""

    def __init__(self, key: str, call: Call) -> None:
        """What the user has written is no secret to them: a key that stands in the call itself is repeated, so that a
        tool can still find it in the file it was read from."""
        self._key = key
        self._sought = traces(key)
        self._in_texts = self._sought is not None and not any(key in text for text in _sent(call))
        self._texts: dict[_Of, Stretch] = {}
        self.at_length = False

    def told(self, piece: Piece) -> Iterator[Piece]:
        """The last piece behind whatever was still held back. A long one in parts: after each others may have a turn
        where `at_length` says so."""
        self.at_length = False
        match piece:
            case TextPiece() | ThinkingPiece() if self._in_texts:
                for shown in self._shown(type(piece), piece.text):
                    if shown:
                        yield type(piece)(shown)
            case CallPiece():
                if self._sought is None:
                    yield piece
                    return
                hidden = self._sought.hidden
                first = replace(piece, id=hidden(piece.id), name=hidden(piece.name), signature=hidden(piece.signature))
                if not self._in_texts:
                    yield first
                    return
                for shown in self._shown(piece.index, piece.arguments):
                    yield replace(first, arguments=shown)
                    first = CallPiece(piece.index)
            case Done():
                yield from self.rest()
                yield replace(piece, served_by=named(piece.served_by or "", self._key) or None)
            case _:
                yield piece

    def _shown(self, of: _Of, text: str) -> Iterator[str]:
        stretch = self._stretch(of)
        self.at_length = len(text) > _AT_ONCE
        yield stretch.next(text[:_AT_ONCE])
        for start in range(_AT_ONCE, len(text), _AT_ONCE):
            yield stretch.next(text[start : start + _AT_ONCE])

    def rest(self) -> Iterator[Piece]:
        """What was held back, where no more is to come."""
        for of, stretch in self._texts.items():
            if left := stretch.rest():
                yield CallPiece(of, left) if isinstance(of, int) else of(left)

    def _stretch(self, of: _Of) -> Stretch:
        assert self._sought is not None
        if of not in self._texts:
            self._texts[of] = Stretch(self._sought)
        return self._texts[of]


def _sent(call: Call) -> Iterator[str]:
    """What the user and their tools say in it; an answer of before may have the key from a server."""
    yield call.system
    yield from (message.text for message in call.messages if message.role != "assistant")
