"""What this user's own calls have shown of each model: speed, success, votes. In memory; fed from the ledger at start
and from every attempt after it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .events import Attempt, Outcome
from .profile import TaskType

SMOOTHING = 0.2
"""Weight of the newest measurement in a moving average."""


@dataclass(slots=True)
class Figures:
    """One model, all task types together."""

    attempts: int = 0
    finished: int = 0
    failed: int = 0
    first_token_s: float | None = None
    tokens_per_s: float | None = None
    votes: dict[TaskType, tuple[float, float]] = field(default_factory=dict)
    """(for, against)."""

    @property
    def success(self) -> float | None:
        ended = self.finished + self.failed
        return self.finished / ended if ended else None


class Experience:
    """Lives on the event loop. Cancelled attempts and cache hits tell nothing of a model and are not counted."""

    def __init__(self) -> None:
        self._figures: dict[str, Figures] = {}

    def of(self, model_id: str) -> Figures:
        return self._figures.get(model_id) or Figures()

    def learn(self, attempt: Attempt) -> None:
        if attempt.from_cache or attempt.outcome is Outcome.CANCELLED:
            return
        figures = self._figures.setdefault(attempt.model, Figures())
        figures.attempts += 1
        if attempt.outcome is Outcome.FINISHED:
            figures.finished += 1
        else:
            figures.failed += 1
        figures.first_token_s = _moved(figures.first_token_s, attempt.first_token_s)
        figures.tokens_per_s = _moved(figures.tokens_per_s, attempt.tokens_per_s)

    def remember(
        self, model_id: str, finished: int, failed: int, first_token_s: float | None, tokens_per_s: float | None
    ) -> None:
        """What an earlier run learned; nothing of what this one has seen already is overwritten."""
        if model_id not in self._figures:
            self._figures[model_id] = Figures(finished + failed, finished, failed, first_token_s, tokens_per_s)

    def vote(self, model_id: str, task: TaskType, liked: bool) -> None:
        votes = self._figures.setdefault(model_id, Figures()).votes
        wins, losses = votes.get(task, (0.0, 0.0))
        votes[task] = (wins + 1, losses) if liked else (wins, losses + 1)


def _moved(average: float | None, measured: float | None) -> float | None:
    if measured is None:
        return average
    return measured if average is None else average + SMOOTHING * (measured - average)
