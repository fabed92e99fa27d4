"""Confidence in answers whose quality is known, by weights that have not seen them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from training.confidence import Judged, judge_all, out_of_fold
from training.confidence_answers import Answered, load, may_be_learned_from
from tui_orchestrator.routing.ability import success_probability
from tui_orchestrator.routing.confidence import assess
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.learned import weights
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.services.measuring import FEWEST, auroc, calibration_error, interval, samples

from .by_name import model
from .keywords import hedging_confidence

_EVALUATED = "for evaluation only"


def confidence(data: Path, repeats: int) -> dict[str, Any]:
    """AUROC of 'this answer is wrong', a mean over sources and models."""
    rows = load(data)
    learnable = [row for row in rows if may_be_learned_from(row)]
    others = [row for row in rows if not may_be_learned_from(row)]
    print("learning confidence without each fold, then without each source …", file=sys.stderr)
    ways: Mapping[str, Callable[[], Judged]] = {
        "out of fold": lambda: out_of_fold(learnable, lambda row: row.fold),
        "source left out": lambda: out_of_fold(learnable, lambda row: row.source),
        _EVALUATED: lambda: judge_all(others, weights()),
        **{
            f"{_EVALUATED}: {source}": partial(judge_all, _of(others, source), weights())
            for source in sorted({row.source for row in others})
        },
    }
    found: dict[str, Any] = {}
    for name, judge in ways.items():
        judged = judge()
        if judged.rows:
            trusted = {
                "text alone": [float(value) for value in judged.alone],
                "with one second answer": [float(value) for value in judged.with_one],
                "hedging rules": [hedging_confidence(row.answer) for row in judged.rows],
            }
            if name.startswith(_EVALUATED):
                trusted["text and the decision's p"] = [_as_decided(row) for row in judged.rows]
            found[name] = {"answers": len(judged.rows)}
            found[name] |= {way: _figures(judged.rows, trust, repeats) for way, trust in trusted.items()}
    return found


def _of(rows: Sequence[Answered], source: str) -> list[Answered]:
    return [row for row in rows if row.source == source]


def _as_decided(row: Answered) -> float:
    """As in the program, with the success probability of the model that answered, by its name and this prompt. Only of
    prompts that the profile as shipped has not learned from."""
    request = Request((Message("user", row.prompt),))
    shown = profile(request)
    p = success_probability(model(row.group.partition("|")[2]), shown, 0.0, Policy().discrimination)
    return assess(request, shown, row.answer, FinishReason.STOP, p).value


def _figures(rows: Sequence[Answered], trust: Sequence[float], repeats: int) -> dict[str, Any]:
    groups: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        groups.setdefault(row.group, []).append(at)
    known = {name: at for name, at in groups.items() if len(at) >= FEWEST}

    def measure(drawn: Mapping[str, Sequence[int]]) -> float | None:
        found = [auroc([-trust[i] for i in at], [not rows[i].good for i in at]) for at in drawn.values()]
        defined = [one for one in found if one is not None]
        return sum(defined) / len(defined) if defined else None

    drawn = {name: [_again(at, counts) for counts in samples(len(at), repeats)] for name, at in known.items()}
    repeated = [measure({name: again[n] for name, again in drawn.items()}) for n in range(repeats)]
    errors = [calibration_error([trust[i] for i in at], [float(rows[i].good) for i in at]) for at in known.values()]
    value = measure(known)
    return {
        "auroc_wrong": None if value is None else round(value, 4),
        "auroc_wrong_95": [round(end, 4) for end in interval([one for one in repeated if one is not None])],
        "calibration_error": round(sum(error or 0.0 for error in errors) / len(errors), 4) if errors else None,
    }


def _again(at: Sequence[int], counts: Sequence[int]) -> list[int]:
    return [i for i, count in zip(at, counts, strict=True) for _ in range(count)]
