"""Of the answers given a chance p of being good, how many are?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.data import Row
from tui_orchestrator.routing.ability import Learned, success_probability
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.model import Model
from tui_orchestrator.services.measuring import calibration_error, interval, reliability, samples

from .by_name import model
from .choosing import learned
from .labels import Judge

SOURCES = ("mmlu", "mmlu_pro", "llmrouter")
"""Whose outcomes say right or wrong; preferences against a reference are no chance of a good answer."""
BY_NAME, AFTER_VOTES = "by name alone", "after the outcomes of the other folds"


def calibration(rows: Sequence[Row], judge: Judge, policy: Policy, repeats: int) -> dict[str, Any]:
    """Of each source's models together: ten bins of equal size. Once with what is believed of a model by its name, once
    after the router has learned from the other folds as from votes."""
    found: dict[str, Any] = {}
    for source in SOURCES:
        of = [row for row in rows if row.source == source and row.learnable]
        if of:
            found[source] = _of_source(of, judge, policy, repeats)
    return found


def _of_source(rows: Sequence[Row], judge: Judge, policy: Policy, repeats: int) -> dict[str, Any]:
    models = {name: model(name) for name in dict.fromkeys(name for row in rows for name in row.outcomes)}
    nothing = dict.fromkeys(models, Learned())
    before: list[list[tuple[float, float]]] = []
    after: list[list[tuple[float, float]]] = []
    for fold in sorted({row.fold for row in rows}):
        others = [row for row in rows if row.fold != fold]
        lessons = {name: learned(model, name, others, judge, policy) for name, model in models.items()}
        for row in rows:
            if row.fold == fold:
                before.append(_predicted(row, models, nothing, judge, policy))
                after.append(_predicted(row, models, lessons, judge, policy))
    return {
        "rows": len(rows),
        "models": len(models),
        BY_NAME: _figures(before, repeats),
        AFTER_VOTES: _figures(after, repeats),
    }


def _predicted(
    row: Row, models: dict[str, Model], lessons: dict[str, Learned], judge: Judge, policy: Policy
) -> list[tuple[float, float]]:
    prompt = judge(row)
    return [
        (
            success_probability(
                models[name], prompt, lessons[name].shift(prompt, policy.discrimination), policy.discrimination
            ),
            outcome,
        )
        for name, outcome in row.outcomes.items()
    ]


def _figures(prompts: Sequence[Sequence[tuple[float, float]]], repeats: int) -> dict[str, Any]:
    """The bootstrap is over prompts: a hard one is hard for all models."""

    def error(counts: Sequence[int]) -> float:
        pairs = [pair for prompt, count in zip(prompts, counts, strict=True) for _ in range(count) for pair in prompt]
        return calibration_error([p for p, _ in pairs], [seen for _, seen in pairs]) or 0.0

    pairs = [pair for prompt in prompts for pair in prompt]
    bins = reliability([p for p, _ in pairs], [seen for _, seen in pairs])
    drawn = [error(counts) for counts in samples(len(prompts), min(repeats, 40))]
    return {
        "calibration_error": round(error([1] * len(prompts)), 4),
        "calibration_error_95": [round(end, 4) for end in interval(drawn)],
        "reliability": [[round(value, 4) for value in one] for one in bins],
    }
