"""A stretch of a conversation whose entries are not made yet: they are when one looks at them, or a moment later."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from .drawing import Drawn
from .entries import Entry

if TYPE_CHECKING:
    from .stored import Stored

AT_ONCE = 120
"""So many messages at the end are entries at once: more than any screen has room for."""
STRETCH = 120
"""So many messages become entries in one go, which takes a few milliseconds."""


class Unmade(Drawn):
    """Stands among what is drawn for entries of about the same height."""

    def __init__(self, stored: Stored, start: int, end: int) -> None:
        super().__init__(Entry.trail(""))
        self._stored, self._start, self._end = stored, start, end

    @cached_property
    def requests(self) -> frozenset[str]:
        """Those whose entries are in it."""
        return frozenset(message.request_id for message in self._stored.messages[self._start : self._end])

    def entries(self) -> list[Entry]:
        return self._stored.entries(self._start, self._end)

    def estimate(self, width: int) -> int:
        """As the prompts and answers will be estimated, one by one."""
        wide, rows = max(1, width), 0
        for message in self._stored.messages[self._start : self._end]:
            text = message.text
            rows += 2 + (message.role == "assistant") + max(text.count("\n"), len(text) // wide)
        return rows


def stretches(stored: Stored) -> tuple[list[Unmade], list[Entry]]:
    """All of a conversation, in order: what is to be made later, and the entries at its end."""
    count = len(stored.messages)
    start = stored.turn_at(count - AT_ONCE) if count > AT_ONCE + STRETCH else 0
    return list(_above(stored, start))[::-1], stored.entries(start, count)


def _above(stored: Stored, end: int) -> Iterator[Unmade]:
    while end > 0:
        start = stored.turn_at(end - STRETCH)
        yield Unmade(stored, start, end)
        end = start
