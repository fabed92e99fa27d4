"""How far to trust an answer once others to the same prompt are there: one from a second model, or more samples of
the same model.

    log-odds after = log-odds before + surprise × (agrees × weight + differs × weight) / √n

Answers that come to one result are compared by it; the weights were learned from published answers. `surprise` is how
unlikely it is to agree by chance: 0.9 among ten options, a half where there is only yes and no. Open answers are
compared by the points they make, with weights set by hand: no published answers of the kind may be learned from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .events import Confidence
from .final_answer import Final, Kind, final_answer, options, same_result
from .keypoints import agreement, key_points
from .learned import Weights, weights
from .profile import Profile
from .request import Request

_OPEN_AGREES, _OPEN_DIFFERS = 0.5, -0.5
_OPEN_SHARE = 0.5
"""Of an answer's points, made by the others too: as much as two good answers to an open question have in common."""
_READ = 12_000
"""Characters of an open answer whose points are compared."""
MOST = 9
"""Second answers that are read."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Second answers that come to a result, against the first."""

    own: Final
    same: tuple[Final, ...]
    other: tuple[Final, ...]
    surprise: float

    @property
    def count(self) -> int:
        return len(self.same) + len(self.other)

    def log_odds(self, same_model: bool, learned: Mapping[str, float]) -> float:
        kind = "sample" if same_model else "model"
        agrees, differs = learned[f"{kind}_agrees"], learned[f"{kind}_differs"]
        return self.surprise * (agrees * len(self.same) + differs * len(self.other)) / math.sqrt(self.count)


def tally(prompt: str, answer: str, second: Sequence[str]) -> Tally | None:
    """None when the answer comes to no single result or none of the others does."""
    own = final_answer(prompt, answer)
    if own is None:
        return None
    given = [final for text in second if (final := final_answer(prompt, text)) is not None]
    if not given:
        return None
    same = tuple(final for final in given if same_result(own, final))
    other = tuple(final for final in given if not same_result(own, final))
    choices = 2 if own.kind is Kind.TRUTH else len(options(prompt)) if own.kind is Kind.OPTION else 0
    return Tally(own, same, other, 1.0 - 1.0 / choices if choices else 1.0)


def agree(
    request: Request,
    profile: Profile,
    answer: str,
    confidence: Confidence,
    second: Sequence[str],
    *,
    same_model: bool = False,
    trained: Weights | None = None,
) -> Confidence:
    """`confidence` in `answer` after the answers in `second`, of which at most nine are read. `same_model`: they are
    further samples of the model that gave `answer`, which share its errors, and not other models' answers. Unchanged
    when none of them can be compared, and after a failed hard check. `trained` None: as shipped. Never raises."""
    others = [text for text in second[:MOST] if text.strip()]
    if confidence.cause is not None or not others or not answer.strip():
        return confidence
    result = tally(request.prompt, answer, others)
    if result is not None:
        weight, reason = result.log_odds(same_model, (trained or weights()).agreement), _in_words(result, same_model)
    elif final_answer(request.prompt, answer) is not None or not key_points(answer[:_READ]):
        return confidence
    else:
        weight, reason = _open(answer, others, same_model)
    before = min(0.99, max(0.01, confidence.value))
    after = 1 / (1 + math.exp(-(math.log(before / (1 - before)) + weight)))
    after = max(after, confidence.value) if weight >= 0 else min(after, confidence.value)
    return replace(confidence, value=round(after, 4), reasons=(reason, *confidence.reasons))


def _open(answer: str, others: Sequence[str], same_model: bool) -> tuple[float, str]:
    named = {"": answer[:_READ], **{str(number): text[:_READ] for number, text in enumerate(others)}}
    share = agreement(named).consensus[""]
    weight = _OPEN_DIFFERS + (_OPEN_AGREES - _OPEN_DIFFERS) * min(1.0, share / _OPEN_SHARE)
    makes = "makes" if len(others) == 1 else "make"
    return weight, f"{_who(len(others), same_model)} {makes} {share:.0%} of the same points"


def _who(count: int, same_model: bool) -> str:
    if count == 1:
        return "a second answer of the same model" if same_model else "a second model"
    return f"{count} more answers of the same model" if same_model else f"{count} other models"


def _in_words(result: Tally, same_model: bool) -> str:
    own = result.own.shown
    if result.count > 1:
        return f"{len(result.same)} of {_who(result.count, same_model)} give the same final answer, {own}"
    if result.same:
        return f"{_who(1, same_model)} gives the same final answer, {own}"
    return f"{_who(1, same_model)} answers {result.other[0].shown} instead of {own}"
