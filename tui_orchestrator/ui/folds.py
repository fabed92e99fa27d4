"""Long pastes folded into tokens such as ⟦paste 1: 812 lines⟧, so that typing stays quick."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tui_orchestrator.services.attachments import readable

FOLD_LINES = 40
FOLD_CHARACTERS = 8_000
UNFOLD_LINES = 2_000
UNFOLD_CHARACTERS = 200_000
"""Longer ones make each key slow where they stand unfolded."""
Fold = tuple[int, int, str]
_TOKEN = re.compile(r"⟦(?:paste|text) \d+: [^⟦⟧\n]{1,20}⟧")


class Turn(NamedTuple):
    start: int
    end: int
    instead: str
    """What a folded paste stands for; of an unfolded one, its token."""


class Folds:
    """What the tokens of one draft stand for."""

    def __init__(self, pastes: Mapping[str, str] | None = None) -> None:
        self.pastes = dict(pastes or {})

    def fold(self, text: str) -> str:
        """The text, or a token that stands for it where it is long."""
        if _lines(text) <= FOLD_LINES and len(text) <= FOLD_CHARACTERS:
            return text
        return self._token(text, "paste")

    def fold_again(self, text: str, before: str) -> str:
        """The text with what is folded in `before` folded again where it stands in it whole; all of it only where it
        is too long to be written in."""
        folded = [token for token in self.pastes if token in before]
        for token in sorted(folded, key=lambda token: -len(self.pastes[token])):
            text = text.replace(self.pastes[token], token)
        return self._token(self.unfold(text), "text") if too_long(text) else text

    def _token(self, text: str, what: str) -> str:
        for token, paste in self.pastes.items():
            if paste == text:
                return token
        count, number = _lines(text), len(self.pastes)
        how_long = f"{count:,} lines" if count > 1 else readable(len(text))
        token = ""
        while not token or token in self.pastes:
            number += 1
            token = f"⟦{what} {number}: {how_long}⟧"
        self.pastes[token] = text
        return token

    def unfold(self, text: str) -> str:
        """In one pass: a paste that holds a token's words does not become another paste."""
        if not self.pastes:
            return text
        return _TOKEN.sub(lambda found: self.pastes.get(found[0], found[0]), text)

    def places(self, text: str) -> tuple[Fold, ...]:
        """What is folded in a text: where it begins in the unfolded one, its length, and its token."""
        found, longer = [], 0
        for token in _TOKEN.finditer(text):
            if (paste := self.pastes.get(token[0])) is not None:
                found.append((token.start() + longer, len(paste), token[0]))
                longer += len(paste) - len(token[0])
        return tuple(found)

    def spans(self, line: str) -> list[tuple[int, int]]:
        """Where the tokens stand in a line."""
        if "⟦" not in line:
            return []
        return [found.span() for found in _TOKEN.finditer(line) if found[0] in self.pastes]

    def held(self, text: str) -> list[Turn]:
        """Of each paste in a text, folded or not, how it is turned into the other."""
        found = [
            Turn(token.start(), token.end(), self.pastes[token[0]])
            for token in _TOKEN.finditer(text)
            if token[0] in self.pastes
        ]
        for token, paste in self.pastes.items():
            at = text.find(paste)
            while at >= 0:
                found.append(Turn(at, at + len(paste), token))
                at = text.find(paste, at + len(paste))
        return found

    def turned_at(self, text: str, place: int) -> Turn | None:
        """Of the one at a place, else of the nearest in its line, else of the only one there is."""
        held = self.held(text)
        if at := [one for one in held if one.start <= place <= one.end]:
            return min(at, key=lambda one: (one.end == place, one.end - one.start))
        begins = text.rfind("\n", 0, place) + 1
        ends = text.find("\n", place)
        ends = len(text) if ends < 0 else ends
        in_line = [one for one in held if begins <= one.start <= ends or begins <= one.end <= ends]
        if in_line:
            return min(in_line, key=lambda one: max(one.start - place, place - one.end))
        return held[0] if len(held) == 1 else None


def folded(text: str, places: Iterable[Fold]) -> tuple[str, dict[str, str]]:
    """A text with what stood folded in it folded again, and what the tokens stand for: the reverse of `places`."""
    pieces, pastes, end = [], dict[str, str](), 0
    for at, size, token in places:
        paste = text[at : at + size]
        if at >= end and len(paste) == size and _TOKEN.fullmatch(token) and pastes.get(token, paste) == paste:
            pieces += [text[end:at], token]
            pastes[token], end = paste, at + size
    return "".join([*pieces, text[end:]]), pastes


def _lines(text: str) -> int:
    """The end of the last one begins no other."""
    return text.count("\n") + (not text.endswith("\n"))


def too_long(paste: str) -> bool:
    return len(paste) > UNFOLD_CHARACTERS or paste.count("\n") > UNFOLD_LINES
