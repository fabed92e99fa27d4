"""How far a prompt is that is answered in parts: which are under way, which have ended, what it has cost so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui_orchestrator.routing.events import Attempt, AttemptStarted, Cause, Outcome, PartEnded
from tui_orchestrator.routing.money import Cost

from .look import Mark

_SIGNS = 40
"""Of more parts there is a count in place of a sign each."""


class Parts:
    """Of one turn; nothing is told before the first part has begun."""

    def __init__(self) -> None:
        self.of = 0
        self._running: dict[str, None] = {}
        """Labels, such as '3'."""
        self._ended = 0
        self._missing = 0
        self._cost = ""

    def tell(self, event: AttemptStarted | PartEnded) -> str:
        """What is done from now on, in a few words."""
        if isinstance(event, PartEnded):
            self._end(event)
        else:
            self._start(event)
        return self._activity

    def _start(self, event: AttemptStarted) -> None:
        which, _, of = event.part.partition(" of ")
        self.of = int(of)
        if "–" not in which:
            self._running[which] = None

    def _end(self, event: PartEnded) -> None:
        self.of = event.of
        self._running.pop(str(event.part), None)
        self._ended = event.ended
        self._missing += bool(event.missing)
        self._cost = str(event.cost)

    @property
    def _activity(self) -> str:
        """'reading parts 3, 4, 5 of 12 · $0.004 so far'."""
        so_far = f" · {self._cost} so far" if self._cost else ""
        if not self._running:
            return f"putting {self._ended} parts together{so_far}"
        which = ", ".join(self._running)
        return f"reading part{'s' if len(self._running) > 1 else ''} {which} of {self.of}{so_far}"

    @classmethod
    def over(cls, attempts: Sequence[Attempt], labels: Mapping[int, str], *, whole: bool) -> Parts:
        """Of a turn that is over; `labels` as they began, by attempt, and `whole` where it came to an answer: a part
        without one is then missing."""
        parts = cls()
        own = {number: label for number, label in labels.items() if "–" not in label}
        if own:
            parts.of = int(next(iter(own.values())).partition(" of ")[2])
            read = [one for one in attempts if one.cause is Cause.PART and "–" not in labels.get(one.number, "")]
            answered = len({own[one.number] for one in read if one.outcome is Outcome.FINISHED and one.number in own})
            parts._ended = parts.of if whole else answered
            parts._missing = parts._ended - answered
            parts._cost = str(Cost.sum(one.cost for one in read))
        return parts

    def before(self, trail: list[Mark]) -> list[Mark]:
        """The trail above the answer, with the parts in front."""
        parts = self._marks
        return [*parts, *([(" → ", "muted")] if parts and trail else []), *trail]

    @property
    def _marks(self) -> list[Mark]:
        if not self.of:
            return []
        marks: list[Mark] = [(f"{self.of} parts ", "strong")]
        if self.of <= _SIGNS:
            running = len(self._running)
            marks += [
                ("✓" * (self._ended - self._missing), "success"),
                ("✗" * self._missing, "error"),
                ("◐" * running, "accent"),
                ("·" * max(0, self.of - self._ended - running), "muted"),
            ]
        else:
            marks.append((f"{self._ended} ✓", "success"))
            if self._missing:
                marks.append((f", {self._missing} ✗", "error"))
        return [*marks, (f" {self._cost}".rstrip(), "money")]
