"""What of the conversation a key is about: the marked message, else the lowest in view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.containers import Vertical

from .entries import Entry, Kind, given
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
        yield from reversed(self.transcript.entries)

    @property
    def has_said(self) -> bool:
        """Whether a prompt or an answer is there beside the greeting."""
        return any(e.kind in (Kind.PROMPT, Kind.ANSWER) and e.key != WELCOME for e in self.transcript.entries)

    def vote_of(self, answer: Given) -> bool | None:
        return next((entry.vote for entry in self.transcript.entries if given(entry) == answer), None)

    def prompt_at(self, key: str) -> Entry | None:
        """The prompt that the entry is, or is said to."""
        above: Entry | None = None
        for entry in self.transcript.entries:
            above = entry if entry.kind is Kind.PROMPT else above
            if entry.key == key:
                return above
        return None

    def prompt_after(self, key: str) -> Entry | None:
        entries = iter(self.transcript.entries)
        return next((e for e in entries if e.key == key), None) and next(
            (e for e in entries if e.kind is Kind.PROMPT), None
        )

    def text_at_hand(self) -> Entry | None:
        """The marked answer, the lowest in view that has text, or the last one; what is still streamed counts."""
        return next((entry for entry in self._at_hand() if _to_copy(entry)), None)

    def is_last_turn(self, entry: Entry) -> bool:
        """Whether it is the last prompt or what came of it."""
        for one in reversed(self.transcript.entries):
            if one is entry:
                return True
            if one.kind is Kind.PROMPT:
                return False
        return False


def _to_copy(entry: Entry) -> bool:
    counts = entry.kind is Kind.ANSWER and entry.key != WELCOME and entry.discarded is None
    return counts and bool(entry.source.strip())
