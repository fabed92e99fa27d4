"""What was learned of right and wrong answers: weights on what they show, read from the package once.

They come from published answers with known outcomes; `training/confidence.card.json` says from which, and how well they
tell right from wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from .answer_features import Task


class Weight(NamedTuple):
    per_unit: float
    """Log-odds of a good answer."""
    usual: float
    """What a usual answer to such a task has of the feature."""
    least: float
    most: float
    """What lies beyond counts as this: more was hardly seen."""

    def of(self, value: float) -> float:
        return self.per_unit * (min(self.most, max(self.least, value)) - self.usual)


@dataclass(frozen=True, slots=True)
class Weights:
    features: Mapping[Task, Mapping[str, Weight]]
    """A feature that is not named does not count for the task."""
    centre: Mapping[Task, float]
    """Log-odds of a good answer among those learned from."""
    slope: Mapping[Task, float]
    """How much the model's success probability counts beside what the prompt and the answer show: what makes a prompt
    hard is in both."""
    reach: Mapping[Task, float]
    """Log-odds up to which what an answer shows counts in full; more counts ever less, the sooner for tasks unlike
    those learned from."""
    agreement: Mapping[str, float]
    """By which second answers move the confidence; see `corroboration`."""

    def prior(self, task: Task, log_odds: float) -> float:
        return self.centre[task] + self.slope[task] * (log_odds - self.centre[task])

    def contributions(self, task: Task, seen: Mapping[str, float]) -> dict[str, float]:
        """By feature, in log-odds against the usual answer."""
        parts = {name: weight.of(seen[name]) for name, weight in self.features[task].items()}
        total, reach = sum(parts.values()), self.reach[task]
        share = reach * math.asinh(total / reach) / total if total else 1.0
        return {name: share * part for name, part in parts.items()}


@cache
def weights() -> Weights:
    # Imported here, because it takes as long as all the rest of this room.
    from importlib import resources

    read = json.loads(resources.files(__package__).joinpath("weights/confidence.json").read_text("utf-8"))
    return Weights(
        features={
            Task(task): {name: Weight(*figures) for name, figures in table.items()}
            for task, table in read["features"].items()
        },
        centre={Task(task): value for task, value in read["centre"].items()},
        slope={Task(task): value for task, value in read["slope"].items()},
        reach={Task(task): value for task, value in read["reach"].items()},
        agreement=read["agreement"],
    )
