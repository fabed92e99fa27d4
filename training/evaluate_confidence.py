"""The shipped confidence as plain functions of a prompt and an answer, for scripts that measure it.

Nothing is known of the model that answered: it is taken for the usual one among those learned from. The difficulty of
the prompt is added, but for calls to predict: there it says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from tui_orchestrator.routing.ability import sigmoid
from tui_orchestrator.routing.answer_features import Answer, Asked, Task, task_of
from tui_orchestrator.routing.confidence import assess
from tui_orchestrator.routing.corroboration import agree
from tui_orchestrator.routing.events import Confidence, FinishReason
from tui_orchestrator.routing.final_answer import final_answer
from tui_orchestrator.routing.learned import weights
from tui_orchestrator.routing.profile import Profile
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Message, Request

_DISCRIMINATION, _MIDDLE = 8.0, 0.5
"""Log-odds per unit of difficulty, the default of the settings; and the difficulty that says nothing."""
_CARRIED_OVER = 0.5
"""How much of a difficulty learned elsewhere is believed; by hand."""


def conf(prompt: str, answer: str) -> float:
    """0–1 that the answer is good."""
    return _alone(prompt, answer)[2].value


def conf_with_peers(prompt: str, answer: str, peers: Sequence[str | None]) -> float:
    """After second answers of other models; an examination's may be its letter alone."""
    request, shown, alone = _alone(prompt, answer)
    return agree(request, shown, answer, alone, [peer or "" for peer in peers]).value


def conf_with_one(prompt: str, answer: str, peers: Sequence[str | None]) -> float:
    """After the first of them that says anything."""
    return conf_with_peers(prompt, answer, [peer for peer in peers if peer][:1])


def conf_with_samples(prompt: str, answer: str, samples: Sequence[str | None]) -> float:
    """After further samples of the same model."""
    request, shown, alone = _alone(prompt, answer)
    return agree(request, shown, answer, alone, [text or "" for text in samples], same_model=True).value


def _alone(prompt: str, answer: str) -> tuple[Request, Profile, Confidence]:
    request = Request((Message("user", prompt),))
    shown = profile(request)
    task = task_of(Asked(prompt), Answer(answer), final_answer(prompt, answer))
    odds = weights().centre[task]
    if task is not Task.RUN:
        odds += _CARRIED_OVER * _DISCRIMINATION * (_MIDDLE - shown.difficulty)
    success = sigmoid(odds)
    return request, shown, assess(request, shown, answer, FinishReason.STOP, success)
