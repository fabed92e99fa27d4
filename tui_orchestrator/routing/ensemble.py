"""The `weighted` verdict over several answers to one prompt.

total = 0.5 · confidence + 0.3 · capability + 0.2 · completeness + 0.1 · consensus, each part 0–1; the consensus bonus
can lift an answer over an equal one that stands alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .events import FinishReason, Point, Score
from .features import estimate_tokens
from .keypoints import agreement
from .profile import Profile

CONFIDENCE_SHARE = 0.5
CAPABILITY_SHARE = 0.3
COMPLETENESS_SHARE = 0.2
CONSENSUS_BONUS = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """One member's finished answer."""

    attempt: int
    model: str
    text: str
    confidence: float
    capability: float
    """The model's success probability for this prompt."""
    finish_reason: FinishReason


@dataclass(frozen=True, slots=True)
class Judgement:
    scores: tuple[Score, ...]
    """Best first; ties to the member that was asked first."""
    agreement: tuple[str, ...]
    dissent: tuple[str, ...]
    points: tuple[Point, ...] = ()

    @property
    def winner(self) -> int:
        return self.scores[0].attempt


def completeness(answer: Answer, profile: Profile) -> float:
    """How much of an answer it is: cut off is half at most, and a tenth of the expected length is not whole."""
    if not answer.text.strip():
        return 0.0
    share = min(1.0, estimate_tokens(answer.text) / (0.6 * max(10.0, profile.output_tokens)))
    return min(share, 0.5) if answer.finish_reason is FinishReason.LENGTH else share


def weighted(answers: Sequence[Answer], profile: Profile) -> Judgement:
    """Pure. Raises ValueError when there is no answer to weigh."""
    if not answers:
        raise ValueError("a verdict needs at least one answer")
    names = _names(answers)
    points = agreement({name: answer.text for name, answer in zip(names, answers, strict=True)})
    scores = []
    for name, answer in zip(names, answers, strict=True):
        whole = completeness(answer, profile)
        consensus = points.consensus[name]
        total = (
            CONFIDENCE_SHARE * answer.confidence
            + CAPABILITY_SHARE * answer.capability
            + COMPLETENESS_SHARE * whole
            + CONSENSUS_BONUS * consensus
        )
        scores.append(
            Score(answer.attempt, answer.model, answer.confidence, answer.capability, whole, consensus, total)
        )
    scores.sort(key=lambda score: (-score.total, score.attempt))
    dissent = tuple(f"{name}: {point}" for name, point in points.dissent)
    numbers = {name: answer.attempt for name, answer in zip(names, answers, strict=True)}
    made = tuple(Point(text, tuple(numbers[name] for name in by)) for text, by in points.made)
    return Judgement(tuple(scores), points.shared, dissent, made)


def _names(answers: Sequence[Answer]) -> list[str]:
    """The models' ids; two answers of one model are told apart by their attempts."""
    models = [answer.model for answer in answers]
    return [
        answer.model if models.count(answer.model) == 1 else f"{answer.model} (attempt {answer.attempt})"
        for answer in answers
    ]
