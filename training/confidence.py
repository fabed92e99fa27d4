"""`python -m training confidence --data DIR --out DIR`: learns `routing/weights/confidence.json` anew and says how well
it does on answers it has not seen.

Writes confidence.json to the directory of `--out` and confidence.card.json next to this file, and prints the card.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tui_orchestrator.routing.confidence import assess
from tui_orchestrator.routing.corroboration import MOST, agree
from tui_orchestrator.routing.events import Confidence, FinishReason
from tui_orchestrator.routing.learned import Weights
from tui_orchestrator.routing.profile import Profile
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Message, Request

from .confidence_agreement import fit_agreement
from .confidence_answers import LICENCES, Answered, load, may_be_learned_from
from .confidence_fit import fit
from .confidence_measures import (
    Flags,
    Floats,
    auroc_wrong,
    by_group,
    calibration_error,
    escalation,
    interval,
    mean,
    reliability,
)

SEED = 20261121
FOLDS = 5
SHARES = np.linspace(0, 1, 21)
CARD = Path(__file__).with_name("confidence.card.json")


@dataclass(frozen=True)
class Judged:
    """Answers with what was thought of them by weights that had not seen them."""

    rows: Sequence[Answered]
    alone: Floats
    with_one: Floats
    """After one second answer, drawn by the seed among those there are."""
    with_all: Floats
    """After at most nine."""

    @property
    def good(self) -> Flags:
        return np.array([row.good for row in self.rows])

    @property
    def groups(self) -> list[str]:
        return [row.group for row in self.rows]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m training confidence")
    parser.add_argument("--data", type=Path, required=True, help="where answers.jsonl.gz and route.jsonl.gz lie")
    parser.add_argument("--out", type=Path, required=True, help="where confidence.json is written to")
    chosen = parser.parse_args(arguments)
    rows = load(chosen.data)
    learnable = [row for row in rows if may_be_learned_from(row)]
    trained = _train(learnable)
    write(trained, chosen.out / "confidence.json")
    card = _card(rows, learnable, trained)
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    CARD.write_text(text, "utf-8")
    print(text, end="")


def write(trained: Weights, path: Path) -> None:
    features = {
        task.value: {name: list(weight) for name, weight in table.items()} for task, table in trained.features.items()
    }
    whole = {
        "features": features,
        "centre": {task.value: value for task, value in trained.centre.items()},
        "slope": {task.value: value for task, value in trained.slope.items()},
        "reach": {task.value: value for task, value in trained.reach.items()},
        "agreement": dict(trained.agreement),
    }
    path.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")


def _train(rows: Sequence[Answered]) -> Weights:
    """The agreement's weights are learned on confidences of weights that have not seen the answers."""
    alone = fit(rows)
    before = np.empty(len(rows))
    for fold in range(FOLDS):
        seen = [row for row in rows if row.fold != fold]
        held = [at for at, row in enumerate(rows) if row.fold == fold]
        trained, rates = fit(seen), _rates(seen)
        before[held] = [_judge(rows[at], trained, rates).value for at in held]
    return replace(alone, agreement=fit_agreement(rows, before, SEED))


def out_of_fold(rows: Sequence[Answered], key: Callable[[Answered], object]) -> Judged:
    """Each answer judged by weights learned from those with another key."""
    random = np.random.default_rng(SEED)
    alone, one, many = np.empty(len(rows)), np.empty(len(rows)), np.empty(len(rows))
    for value in sorted({key(row) for row in rows}, key=str):
        seen = [row for row in rows if key(row) != value]
        trained, rates = _train(seen), _rates(seen)
        for at, row in enumerate(rows):
            if key(row) == value:
                alone[at], one[at], many[at] = _all_ways(row, trained, rates, random)
    return Judged(rows, alone, one, many)


def judge_all(rows: Sequence[Answered], trained: Weights) -> Judged:
    random = np.random.default_rng(SEED)
    ways = np.array([_all_ways(row, trained, {}, random) for row in rows])
    return Judged(rows, ways[:, 0], ways[:, 1], ways[:, 2])


def _all_ways(
    row: Answered, trained: Weights, rates: dict[str, float], random: np.random.Generator
) -> tuple[float, float, float]:
    first = _judge(row, trained, rates)
    if not row.others:
        return first.value, first.value, first.value
    request, shown = _asked(row.prompt)
    one = row.others[int(random.integers(len(row.others)))]

    def after(second: Sequence[str]) -> float:
        return agree(request, shown, row.answer, first, second, same_model=row.same_model, trained=trained).value

    return first.value, after([one]), after(row.others[:MOST])


def _judge(row: Answered, trained: Weights, rates: dict[str, float]) -> Confidence:
    """The model's success probability is its rate on the answers learned from; a model not among them is taken for a
    usual one."""
    request, shown = _asked(row.prompt)
    success = rates.get(row.group, 1 / (1 + math.exp(-trained.centre[row.task])))
    return assess(request, shown, row.answer, FinishReason.STOP, success, trained=trained)


@cache
def _asked(prompt: str) -> tuple[Request, Profile]:
    request = Request((Message("user", prompt),))
    return request, profile(request)


def _rates(rows: Sequence[Answered]) -> dict[str, float]:
    groups = {row.group for row in rows}
    return {
        group: sum(r.good for r in rows if r.group == group) / sum(r.group == group for r in rows) for group in groups
    }


def _card(rows: Sequence[Answered], learnable: Sequence[Answered], trained: Weights) -> dict[str, Any]:
    known = out_of_fold(learnable, lambda row: row.fold)
    kept_out = [row for row in rows if not may_be_learned_from(row)]
    return {
        "what": "weights for the confidence in a finished answer: training/confidence.py",
        "learned_from": {
            source: {"answers": sum(row.source == source for row in learnable), "licence": licence}
            for source, licence in LICENCES.items()
        },
        "evaluation_only": {
            source: sum(row.source == source for row in kept_out) for source in sorted({row.source for row in kept_out})
        },
        "seed": SEED,
        "measures": "auroc_wrong: of 'this answer is wrong', mean over source|model, 95 % interval by 200 bootstraps; "
        "ece: ten bins, mean over source|model",
        "out_of_fold": {**_figures(known), "reliability": _reliabilities(known), "escalation": escalations(known)},
        "left_out": {
            "source": _figures(out_of_fold(learnable, lambda row: row.source)),
            "subject": _figures(out_of_fold(learnable, lambda row: row.subject)),
            "model": _figures(out_of_fold(learnable, lambda row: row.group)),
            "evaluation_only": _figures(judge_all(kept_out, trained)),
        },
    }


def _figures(judged: Judged) -> dict[str, Any]:
    ways = {"text_alone": judged.alone}
    if any(row.others for row in judged.rows):
        ways |= {"with_one_second_answer": judged.with_one, "with_all_second_answers": judged.with_all}
    figures: dict[str, Any] = {}
    for name, confidence in ways.items():
        per_group = by_group(auroc_wrong, confidence, judged.good, judged.groups)
        low, high = interval(auroc_wrong, confidence, judged.good, judged.groups, SEED)
        errors = by_group(calibration_error, confidence, judged.good, judged.groups)
        figures[name] = {
            "auroc_wrong": round(mean(per_group), 4),
            "interval": [round(low, 4), round(high, 4)],
            "ece": round(mean(errors), 4),
            "by_group": {group: {"auroc_wrong": round(value, 4), "ece": round(errors[group], 4)}
                         for group, value in per_group.items()},
        }  # fmt: skip
    return figures


def escalations(judged: Judged) -> dict[str, Any]:
    """By group with a stronger model's outcomes: quality at twentieths of all answers escalated, the least confident
    first, beside escalating at random and with hindsight."""
    found = {}
    for group in sorted(set(judged.groups)):
        at = [n for n, row in enumerate(judged.rows) if row.group == group and row.strong is not None]
        if not at:
            continue
        strong = np.array([judged.rows[n].strong for n in at], dtype=float)
        quality = judged.good[at].astype(float)
        curves = {"at_random": quality.mean() + SHARES * (strong.mean() - quality.mean())}
        ways = {
            "text_alone": judged.alone[at],
            "with_one_second_answer": judged.with_one[at],
            "with_hindsight": quality - strong,
        }
        for name, confidence in ways.items():
            curves[name] = np.interp(SHARES, *escalation(confidence, quality, strong))
        found[group] = {name: [round(float(value), 4) for value in curve] for name, curve in curves.items()}
    return found


def _reliabilities(judged: Judged) -> dict[str, list[list[float]]]:
    """Mean confidence, share that was good, and share of all answers, by tenths of confidence."""
    ways = {"text_alone": judged.alone, "with_one_second_answer": judged.with_one}
    return {
        name: [[round(value, 4) for value in one] for one in reliability(confidence, judged.good)]
        for name, confidence in ways.items()
    }
