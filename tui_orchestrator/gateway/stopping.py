"""Texts that end an answer where they begin, whatever model gives it."""

from __future__ import annotations

from collections.abc import Sequence


class Stopper:
    """Given an answer piece by piece, gives back what may be shown: what could be the beginning of a stop is held back
    until it is known."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.stopped = False

    def more(self, piece: str) -> str:
        if self.stopped:
            return ""
        text = self._held + piece
        found = [place for place in (text.find(stop) for stop in self._stops) if place >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What was held back, once no more comes."""
        held, self._held = self._held, ""
        return held

    def whole(self, text: str) -> tuple[str, bool]:
        """The answer up to a stop, and whether there was one."""
        return self.more(text) + self.rest(), self.stopped


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of the text begin the stop."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)
