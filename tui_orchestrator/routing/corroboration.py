"""How far to trust an answer once others to the same prompt are there: one from a second model, or more samples of
the same model.

    log-odds after = log-odds before + weight of the agreement

Answers that come to one result are compared by it, open answers by the points they make.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from .events import Confidence
from .final_answer import Final, final_answer, same_result
from .keypoints import agreement
from .profile import Profile
from .request import Request

_AGREES, _DIFFERS = 0.9, -1.4
"""For a second model's result."""
_OPEN_AGREES, _OPEN_DIFFERS = 0.4, -0.4
_SAMPLE = 0.8
"""A second sample of the same model shares its errors: its word counts for less."""
_MOST = 9


def agree(
    request: Request,
    profile: Profile,
    answer: str,
    confidence: Confidence,
    second: Sequence[str],
    *,
    same_model: bool = False,
) -> Confidence:
    """`confidence` in `answer` after the answers in `second`; at most nine of them are read. `same_model`: they are
    further samples of the model that gave `answer`, not other models' answers. Unchanged when none of them can be
    compared, and after a failed hard check. Never raises."""
    others = [text for text in second[:_MOST] if text.strip()]
    if confidence.cause is not None or not others or not answer.strip():
        return confidence
    own = final_answer(request.prompt, answer)
    if own is not None:
        given = [final for text in others if (final := final_answer(request.prompt, text)) is not None]
        if not given:
            return confidence
        same = [final for final in given if same_result(own, final)]
        weight = _AGREES * len(same) / len(given) + _DIFFERS * (1 - len(same) / len(given))
        weight *= math.sqrt(len(given))
        reason = _in_words(own, given, len(same), same_model)
    else:
        named = {"": answer, **{str(n): text for n, text in enumerate(others)}}
        share = agreement(named).consensus[""]
        weight = _OPEN_DIFFERS + (_OPEN_AGREES - _OPEN_DIFFERS) * min(1.0, share / 0.5)
        who = _who(len(others), same_model)
        reason = f"{who} make{'s' if len(others) == 1 else ''} {share:.0%} of the same points"
    if same_model:
        weight *= _SAMPLE
    before = min(0.99, max(0.01, confidence.value))
    after = 1 / (1 + math.exp(-(math.log(before / (1 - before)) + weight)))
    return replace(confidence, value=round(after, 4), reasons=(reason, *confidence.reasons))


def _who(count: int, same_model: bool) -> str:
    if count == 1:
        return "a second answer of the same model" if same_model else "a second model"
    return f"{count} more answers of the same model" if same_model else f"{count} other models"


def _in_words(own: Final, given: Sequence[Final], same: int, same_model: bool) -> str:
    if len(given) == 1:
        if same:
            return f"{_who(1, same_model)} gives the same final answer, {own.shown}"
        return f"{_who(1, same_model)} answers {given[0].shown} instead of {own.shown}"
    return f"{same} of {_who(len(given), same_model)} give the same final answer, {own.shown}"
