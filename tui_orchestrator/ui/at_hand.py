"""What of the conversation a key is about: the marked message, else the lowest in view."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from textual.containers import Vertical

from .entries import Entry, Kind, answer_key, given
from .reader import Reader

if TYPE_CHECKING:
    from tui_orchestrator.services.feedback import Given

WELCOME = "welcome"
"""Key of the greeting, which is no answer."""


class AtHand(Vertical):
    transcript: Reader

    @property
    def answer_at_hand(self) -> Given | None:
        """What a vote is about: the marked answer, or the lowest in view: the last one unless the user scrolled up."""
        found = (given(entry) for entry in self._at_hand())
        return next((answer for answer in found if answer is not None), None)

    def _at_hand(self) -> Iterator[Entry]:
        """The marked message while the focus is in the chat, then what is in view, then all else; the lowest first."""
        marked = self.transcript.marked_entry if self.transcript.has_focus else None
        yield from (marked,) if marked is not None else ()
        yield from () if self.transcript.following else self.transcript.in_view()
        yield from self.transcript.latest()

    @property
    def has_said(self) -> bool:
        """Whether a prompt or an answer is there beside the greeting."""
        return any(e.kind in (Kind.PROMPT, Kind.ANSWER) and e.key != WELCOME for e in self.transcript.latest())

    def vote_of(self, answer: Given) -> bool | None:
        key = answer_key(*answer)
        entry = self.transcript.entry(key) if self.transcript.holds(key) else None
        return entry.vote if entry is not None and given(entry) == answer else None

    def prompt_at(self, key: str) -> Entry | None:
        """The prompt that the entry is, or is said to."""
        if not self.transcript.holds(key):
            return None
        above = chain([self.transcript.entry(key)], self.transcript.beside(key, -1))
        return next((entry for entry in above if entry.kind is Kind.PROMPT), None)

    def prompt_after(self, key: str) -> Entry | None:
        below = self.transcript.beside(key, 1) if self.transcript.holds(key) else iter(())
        return next((entry for entry in below if entry.kind is Kind.PROMPT), None)

    def text_at_hand(self) -> Entry | None:
        """The marked answer, the lowest in view that has text, or the last one; what is still streamed counts."""
        return next((entry for entry in self._at_hand() if _to_copy(entry)), None)

    def last_turn(self) -> Iterator[Entry]:
        """What came of the last prompt, the lowest first, and that prompt."""
        for entry in self.transcript.latest():
            yield entry
            if entry.kind is Kind.PROMPT:
                return

    def is_last_turn(self, entry: Entry) -> bool:
        return any(one is entry for one in self.last_turn())


def _to_copy(entry: Entry) -> bool:
    counts = entry.kind is Kind.ANSWER and entry.key != WELCOME and entry.discarded is None
    return counts and bool(entry.source.strip())
