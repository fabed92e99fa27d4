"""The user's ways out of a call that does not fit into a budget, one opened after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .budget import WayOut, WaysOut
from .decision import Candidate


@dataclass(frozen=True, slots=True)
class Opened:
    """What is allowed so far."""

    fewer_tokens: bool = False
    others: bool = False
    local: bool = False

    def to(self, candidate: Candidate, chosen: str) -> bool:
        """Whether this one may answer; the chosen one always may, if it fits."""
        return candidate.model == chosen or self.others or (self.local and candidate.local)


def opening(ways: WaysOut) -> Iterator[tuple[WayOut, Opened]]:
    """Each way with what is allowed from then on; ends where the call is to be refused."""
    opened = Opened()
    for way in ways:
        match way:
            case WayOut.REFUSE:
                return
            case WayOut.FEWER_TOKENS:
                opened = replace(opened, fewer_tokens=True)
            case WayOut.CHEAPEST:
                opened = replace(opened, others=True)
            case WayOut.LOCAL:
                opened = replace(opened, local=True)
        yield way, opened


def tries(chosen: Candidate, others: Sequence[Candidate], ways: WaysOut) -> Iterator[tuple[Candidate, bool]]:
    """Whom to ask in which order until one fits, the chosen one first; the bool: with fewer tokens where only that
    fits."""
    first = WayOut.FEWER_TOKENS in ways[:1]
    tried = {(chosen.model, first)}
    yield chosen, first
    for _, opened in opening(ways):
        for candidate in (chosen, *others):
            attempt = candidate.model, opened.fewer_tokens
            fits_its_way = opened.fewer_tokens or not candidate.fewer
            if opened.to(candidate, chosen.model) and fits_its_way and attempt not in tried:
                tried.add(attempt)
                yield candidate, opened.fewer_tokens
