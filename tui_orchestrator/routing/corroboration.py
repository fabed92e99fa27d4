"""How far to trust an answer once others to the same prompt are there: one from a second model, or more samples of
the same model.

    log-odds after = log-odds before + surprise × (agrees × weight + differs × weight) / √n

Answers that come to one result are compared by it; the weights were learned from published answers. `surprise` is how
unlikely it is to agree by chance: 0.9 among ten options, a half where there is only yes and no. Short statements are
compared by the fact they state, and left out where that cannot be told. Longer open answers are compared by the points
they make, with weights set by hand: no published answers of the kind may be learned from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .events import Confidence
from .final_answer import Final, Kind, final_answer, options, plain, same_result
from .keypoints import agreement, key_points
from .learned import Weights, weights
from .profile import Profile, TaskType
from .request import Request
from .short_answers import is_short, same_fact
from .text import clean_line

_OPEN_AGREES, _OPEN_DIFFERS = 0.5, -0.5
_OPEN_SHARE = 0.5
"""Of an answer's points, made by the others too: as much as two good answers to an open question have in common."""
_SHOWN = 60
_READ = 12_000
"""Characters of an open answer whose points are compared."""
MOST = 9
"""Second answers that are read."""
_MANY_RIGHT = frozenset({TaskType.CONVERSATION, TaskType.CREATIVE, TaskType.PLANNING, TaskType.TRANSLATION})
"""Kinds of task of which two short answers may differ and both be good."""


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


def tally(prompt: str, answer: str, second: Sequence[str], many_right: bool = False) -> Tally | None:
    """None when the answer comes to no single result or none of the others can be compared with it. `many_right`: a
    short statement of other words is not held against it."""
    own = _result(prompt, answer)
    if own is None:
        return None
    same: list[Final] = []
    other: list[Final] = []
    for text in second:
        given = _result(prompt, text)
        verdict = None if given is None else _agrees(prompt, (answer, own), (text, given))
        if given is not None and verdict is True:
            same.append(given)
        elif given is not None and verdict is False and not (many_right and Kind.TEXT in (own.kind, given.kind)):
            other.append(given)
    if not same and not other:
        return None
    choices = 2 if own.kind is Kind.TRUTH else len(options(prompt)) if own.kind is Kind.OPTION else 0
    return Tally(own, tuple(same), tuple(other), 1.0 - 1.0 / choices if choices else 1.0)


def _result(prompt: str, answer: str) -> Final | None:
    """What the answer comes to; of a statement too long for that, but short, the whole of it."""
    found = final_answer(prompt, answer)
    if found is not None or options(prompt) or not is_short(answer):
        return found
    text = answer.strip()
    return Final(Kind.TEXT, plain(text), clean_line(text)[:_SHOWN], announced=False)


def _agrees(prompt: str, one: tuple[str, Final], other: tuple[str, Final]) -> bool | None:
    """Statements by the fact they state; results of one kind by their value."""
    own, given = one[1], other[1]
    if same_result(own, given):
        return True
    kinds = {own.kind, given.kind}
    if Kind.TEXT not in kinds or not kinds <= {Kind.TEXT, Kind.NUMBER, Kind.TRUTH}:
        return False
    if Kind.TRUTH in kinds:
        return None
    # What is announced at the end of a long answer is compared by itself.
    return same_fact(prompt, *(text if is_short(text) else final.value for text, final in (one, other)))


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
    result = tally(request.prompt, answer, others, many_right=profile.task_type in _MANY_RIGHT)
    if result is not None:
        weight, reason = result.log_odds(same_model, (trained or weights()).agreement), _in_words(result, same_model)
    elif _result(request.prompt, answer) is not None or not key_points(answer[:_READ]):
        return confidence
    elif long := [text for text in others if not is_short(text)]:
        weight, reason = _open(answer, long, same_model)
    else:
        return confidence
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
