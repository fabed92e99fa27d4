"""Fits the weights that the package reads: a ridge-penalised logistic regression with an intercept for each source and
model, so that no weight can be had by telling the data sets apart, and with the sign of a weight held where only one
direction makes sense."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from tui_orchestrator.routing.answer_features import Task
from tui_orchestrator.routing.learned import Weight, Weights

from .confidence_answers import Answered, table

Floats = NDArray[np.float64]

GENERAL = (
    *("question_words", "question_figures", "question_formulas", "figures_used", "answer_words", "new_words"),
    *("repeated_words", "open_end", "no_option_fits", "turns", "guesses", "wrong_sums", "wrong_share", "announced"),
)
"""Of any answer that comes to a result."""
_WORKING = ("sentences", "answer_figures", "figure_share", "formulas")
_CHOICE = ("no_result", "options", "option_said", "option_length", "option_place", "option_figures", "option_reached")
_RUN = (
    *("run_code", "run_branches", "run_text_methods", "run_input", "run_output", "run_text", "run_container"),
    *("run_unchanged", "run_empty", "run_no_value"),
)
ALL = (*GENERAL, *_WORKING, *_CHOICE, *_RUN)
_ONLY_UP = {"figures_used", "announced", "option_said", "option_reached"}
_ONLY_DOWN = {
    *("question_words", "question_figures", "question_formulas", "answer_words", "new_words", "repeated_words"),
    *("open_end", "no_option_fits", "turns", "guesses", "wrong_sums", "wrong_share", "no_result", "run_no_value"),
}
_PENALTY = 0.03
"""Per standardised weight, against the mean loss; chosen by leaving out a subject at a time."""

_OPEN = {
    "question_figures": Weight(0.0, 0.7, 0.0, 4.0),
    "question_formulas": Weight(0.0, 0.3, 0.0, 4.0),
    "repeated_words": Weight(0.0, 0.03, 0.0, 1.0),
    "wrong_sums": Weight(0.0, 0.0, 0.0, 2.0),
    "wrong_share": Weight(0.0, 0.0, 0.0, 1.0),
}
"""What counts of an answer without a single result, with usual values and bounds set by hand: no published answers
of the kind may be learned from."""
_UNASKED_FORMAT = 0.5
"""'The answer is' was part of the format in what was learned from; elsewhere it tells half as much."""
_SLOPE = {Task.CHOICE: 0.8, Task.RUN: 0.8, Task.RESULT: 0.9, Task.OPEN: 1.0}
"""By hand. A difficulty learned from the prompts alone added a third of its log-odds to what these weights say."""

_REACH, _REACH_UNLEARNED = {Task.CHOICE: 4.0, Task.RUN: 4.0, Task.RESULT: 2.0, Task.OPEN: 1.5}, 1.5
"""By hand."""


@dataclass(frozen=True)
class _Range:
    least: Floats
    most: Floats

    @staticmethod
    def of(rows: Sequence[Answered], names: Sequence[str]) -> _Range:
        x = table(rows, names)
        least, most = np.quantile(x, 0.01, axis=0), np.quantile(x, 0.99, axis=0)
        # What is there or is not may be rare.
        flags = np.isin(x, (0.0, 1.0)).all(axis=0)
        return _Range(np.where(flags, 0.0, least), np.where(flags, 1.0, most))

    def within(self, x: Floats) -> Floats:
        return np.clip(x, self.least, self.most)


def fit(rows: Sequence[Answered]) -> Weights:
    full, general = _weights(rows, ALL), _weights(rows, GENERAL)
    choices = [row for row in rows if row.task is Task.CHOICE]
    worked = [row for row in choices if row.seen["option_figures"] > 0.7]
    runs = [row for row in rows if row.task is Task.RUN]
    general["announced"] *= _UNASKED_FORMAT
    features = {
        Task.CHOICE: _table(rows, full, choices, (*GENERAL, *_WORKING, *_CHOICE)),
        Task.RUN: _table(rows, full, runs, (*GENERAL, *_WORKING, *_RUN)),
        Task.RESULT: _table(rows, general, worked, GENERAL),
        Task.OPEN: {name: weight._replace(per_unit=round(general[name], 4)) for name, weight in _OPEN.items()},
    }
    centre = {task: _log_odds([row for row in rows if row.task is task] or rows) for task in (Task.CHOICE, Task.RUN)}
    centre |= {task: _log_odds(worked or rows) for task in (Task.RESULT, Task.OPEN)}
    reach = {
        task: most if task in (Task.RESULT, Task.OPEN) or any(row.task is task for row in rows) else _REACH_UNLEARNED
        for task, most in _REACH.items()
    }
    return Weights(features, centre, _SLOPE, reach, {})


def _table(
    rows: Sequence[Answered], weights: dict[str, float], usual_ones: Sequence[Answered], names: Sequence[str]
) -> dict[str, Weight]:
    """`usual_ones`: answers to tasks of the kind; empty when none were learned from."""
    bounds = _Range.of(rows, names)
    usual = bounds.within(table(usual_ones or rows, names)).mean(axis=0)
    return {
        name: Weight(round(weights[name], 4), *(round(float(x), 4) for x in figures))
        for name, *figures in zip(names, usual, bounds.least, bounds.most, strict=True)
        if weights[name]
    }


def _log_odds(rows: Sequence[Answered]) -> float:
    good = sum(row.good for row in rows) / len(rows)
    return round(math.log(good / (1 - good)), 4)


def _weights(rows: Sequence[Answered], names: Sequence[str]) -> dict[str, float]:
    x, good = table(rows, names), np.array([1.0 if row.good else -1.0 for row in rows])
    x = _Range.of(rows, names).within(x)
    spread = x.std(axis=0)
    spread[spread < 1e-9] = np.inf
    x = (x - x.mean(axis=0)) / spread
    groups = sorted({row.group for row in rows})
    member = np.array([[float(row.group == group) for group in groups] for row in rows])
    count = len(names)

    def loss(at: Floats) -> tuple[float, Floats]:
        margin = good * (x @ at[:count] + member @ at[count:])
        pull = -good / (1 + np.exp(margin)) / len(rows)
        value = float(np.logaddexp(0, -margin).mean() + _PENALTY / 2 * at[:count] @ at[:count])
        return value, np.concatenate([x.T @ pull + _PENALTY * at[:count], member.T @ pull])

    bounds = [(0.0 if name in _ONLY_UP else None, 0.0 if name in _ONLY_DOWN else None) for name in names]
    bounds += [(None, None)] * len(groups)
    found: Any = minimize(loss, np.zeros(count + len(groups)), jac=True, method="L-BFGS-B", bounds=bounds)
    return {name: float(weight) for name, weight in zip(names, found.x[:count] / spread, strict=True)}
