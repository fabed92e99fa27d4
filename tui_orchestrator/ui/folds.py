"""Long pastes folded into tokens such as ⟦paste 1: 812 lines⟧, so that typing stays quick."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tui_orchestrator.services.attachments import readable

FOLD_LINES = 40
FOLD_CHARACTERS = 8_000
UNFOLD_LINES = 2_000
UNFOLD_CHARACTERS = 200_000
"""Longer ones make each key slow where they stand unfolded."""
_TOKEN = re.compile(r"⟦(?:paste|text) \d+: [^⟦⟧\n]{1,20}⟧")


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
        count = _lines(text)
        token = f"⟦{what} {len(self.pastes) + 1}: {f'{count:,} lines' if count > 1 else readable(len(text))}⟧"
        self.pastes[token] = text
        return token

    def unfold(self, text: str) -> str:
        """In one pass: a paste that holds a token's words does not become another paste."""
        if not self.pastes:
            return text
        return _TOKEN.sub(lambda found: self.pastes.get(found[0], found[0]), text)

    def spans(self, line: str) -> list[tuple[int, int]]:
        """Where the tokens stand in a line."""
        if "⟦" not in line:
            return []
        return [found.span() for found in _TOKEN.finditer(line) if found[0] in self.pastes]


def _lines(text: str) -> int:
    """The end of the last one begins no other."""
    return text.count("\n") + (not text.endswith("\n"))


def too_long(paste: str) -> bool:
    return len(paste) > UNFOLD_CHARACTERS or paste.count("\n") > UNFOLD_LINES
