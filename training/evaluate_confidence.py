"""The shipped confidence as plain functions of a prompt and an answer, for scripts that measure it.

Nothing is known of the model that answered: where the weights were learned from prompts of the kind, it is taken for
the usual one among them; elsewhere for a model of intermediate level, by the prompt's difficulty.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tui_orchestrator.routing.ability import level_ability, sigmoid
from tui_orchestrator.routing.answer_features import Answer, Asked, Task, task_of
from tui_orchestrator.routing.confidence import assess
from tui_orchestrator.routing.corroboration import agree
from tui_orchestrator.routing.events import Confidence, FinishReason
from tui_orchestrator.routing.final_answer import final_answer
from tui_orchestrator.routing.learned import weights
from tui_orchestrator.routing.profile import Level, Profile
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Message, Request

_DISCRIMINATION = 8.0
"""The default of the settings."""


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
    if task in (Task.CHOICE, Task.RUN):
        success = 1 / (1 + math.exp(-weights().centre[task]))
    else:
        success = sigmoid(_DISCRIMINATION * (level_ability(Level.INTERMEDIATE) - shown.difficulty))
    return request, shown, assess(request, shown, answer, FinishReason.STOP, success)
