"""A provider's key taken out of its answers: some servers repeat the headers they were sent in what they write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..routing.ports import Call, CallPiece, Done, Piece, TextPiece, ThinkingPiece
from ..routing.text import without_commands
from ..settings import Secret, is_a_word
from .complaint import named

_PART = 8
"""So many letters of a key at the end of an answer that broke off are shown as '…'."""


_Of = type[TextPiece | ThinkingPiece] | int
"""What a text is of: the answer, its thinking, or a call of a tool by its index."""


class Stretch:
    """A text that comes in pieces, in which a key is shown masked, wherever it was cut."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._masked = str(Secret(key))
        self._harmless = self._masked.index("…")
        """So many letters at a key's beginning are shown of it anyway: not even for a moment are they held back."""
        self._begun = ""
        """What may be the beginning of the key, at the end of what has come."""

    def next(self, piece: str) -> str:
        """What can be told by now."""
        told = min(len(self._begun), self._harmless)
        text = self._begun + piece
        self._begun = self._beginning(text)
        held = max(0, len(self._begun) - self._harmless)
        return text[: len(text) - held].replace(self._key, self._masked)[told:]

    def rest(self) -> str:
        """What is still held back when no more is to come."""
        held, self._begun = self._begun[self._harmless :], ""
        return held if len(held) < _PART else "…"

    def _beginning(self, text: str) -> str:
        """The longest end of a text that is not the whole key but begins it."""
        behind = text.split(self._key)[-1][1 - len(self._key) :]
        start = behind.find(self._key[0])
        while start >= 0 and not self._key.startswith(behind[start:]):
            start = behind.find(self._key[0], start + 1)
        return behind[start:] if start >= 0 else ""


class Withheld:
    """The pieces of one answer without the key that was sent for it."""

    def __init__(self, key: str, call: Call) -> None:
        """What the user has written is no secret to them: a key that stands in the call itself is repeated, so that a
        tool can still find it in the file it was read from."""
        self._key = key
        hidden = not is_a_word(key) and not any(key in text for text in _sent(call))
        self._texts: dict[_Of, Stretch] | None = {} if hidden else None

    def told(self, piece: Piece) -> Iterator[Piece]:
        """The last piece behind whatever was still held back."""
        match piece:
            case TextPiece() | ThinkingPiece():
                # Between the letters of a key they would be taken out later.
                text = without_commands(piece.text)
                yield type(piece)(text if self._texts is None else self._stretch(type(piece)).next(text))
            case CallPiece():
                if piece.id or piece.name:
                    piece = replace(piece, id=named(piece.id, self._key), name=named(piece.name, self._key))
                if self._texts is not None:
                    piece = replace(
                        piece,
                        arguments=self._stretch(piece.index).next(piece.arguments),
                        signature=piece.signature.replace(self._key, ""),
                    )
                yield piece
            case Done():
                yield from self.rest()
                yield replace(piece, served_by=named(piece.served_by or "", self._key) or None)
            case _:
                yield piece

    def rest(self) -> Iterator[Piece]:
        """What was held back, where no more is to come."""
        for of, stretch in (self._texts or {}).items():
            if left := stretch.rest():
                yield CallPiece(of, left) if isinstance(of, int) else of(left)

    def _stretch(self, of: _Of) -> Stretch:
        assert self._texts is not None
        if of not in self._texts:
            self._texts[of] = Stretch(self._key)
        return self._texts[of]


def _sent(call: Call) -> Iterator[str]:
    """What the user and their tools say in it; an answer of before may have the key from a server."""
    yield call.system
    yield from (message.text for message in call.messages if message.role != "assistant")
