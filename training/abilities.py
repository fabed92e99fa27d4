"""`python -m training abilities --data DIR --out DIR`: how able models are, and whether p means what it says.

The router's item-response model is fitted on published outcomes,

    p = sigmoid(discrimination × (ability[model] + offset[model, group] − difficulty))

with the difficulty that the profile gives a prompt. Every prompt is judged by difficulties, abilities and a
discrimination that were learned without its fold. Offsets are drawn towards zero (ridge), so that a group with few
questions says little. What comes out goes into a card: abilities, how they rise with the logarithm of a model's size,
and the calibration of p over ten bins of equal mass; beside it that of p as it is shipped, from the table of families
and the default discrimination. That one is no test: the anchors and slopes of `training.profile` and some rows of the
table were set by these answers, over all folds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from tui_orchestrator.providers.families import traits
from tui_orchestrator.providers.names import size
from tui_orchestrator.providers.specialists import specialty
from tui_orchestrator.routing.ability import success_probability
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.prediction import Weights
from tui_orchestrator.routing.profile import Profile
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Message, Request

from . import data
from .profile import fit as fit_profile
from .profile import gather

Floats = NDArray[np.float64]
FOLDS = 5
BINS = 10
_OFFSET_PRIOR = 0.5
"""Standard deviation of an offset in log-odds: what groups of the same source differ by."""
_FREE = 10.0
"""The discrimination and the models' own abilities are hardly drawn to zero: their inputs are this much larger."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One row an answer of a model to a prompt."""

    prompts: list[data.Row]
    row: NDArray[np.int64]
    """Of the prompt."""
    model: NDArray[np.int64]
    group: NDArray[np.int64]
    """Of model and subject together."""
    quality: Floats
    fold: NDArray[np.int64]
    models: list[str]
    groups: list[tuple[str, str]]


def outcomes(rows: Sequence[data.Row]) -> Outcomes:
    """Models are kept apart by source: what counts as right differs."""
    models: dict[str, int] = {}
    groups: dict[tuple[str, str], int] = {}
    table = []
    for number, row in enumerate(rows):
        for name, quality in row.outcomes.items():
            model = f"{row.source}/{name}"
            group = (model, row.group)
            table.append(
                (
                    number,
                    models.setdefault(model, len(models)),
                    groups.setdefault(group, len(groups)),
                    quality,
                    row.fold,
                )
            )
    columns = list(zip(*table, strict=True))
    whole = [np.array(columns[at], dtype=np.int64) for at in (0, 1, 2, 4)]
    return Outcomes(
        list(rows),
        whole[0],
        whole[1],
        whole[2],
        np.array(columns[3], dtype=float),
        whole[3],
        list(models),
        list(groups),
    )


def crossed(folder: Path, rows: Sequence[data.Row]) -> list[list[Profile]]:
    """Per fold, the profile of every prompt by weights that were learned without that fold."""
    material, asked = gather(folder), [Request((Message("user", row.prompt),)) for row in rows]
    folds = []
    for out in range(FOLDS):
        weights = Weights(*fit_profile(material, partial(_but, out)))
        folds.append([profile(request, weights) for request in asked])
    return folds


def _but(out: int, source: str, fold: int, group: str) -> bool:
    return fold != out


def shipped(seen: Outcomes, folds: Sequence[Sequence[Profile]]) -> Floats:
    """The success probabilities the program gives before it has learned anything of its user."""
    models = [_known(name.partition("/")[2]) for name in seen.models]
    discrimination = Policy().discrimination
    rows = zip(seen.row, seen.model, seen.fold, strict=True)
    return np.array([success_probability(models[m], folds[fold][row], 0.0, discrimination) for row, m, fold in rows])


def _known(name: str) -> Model:
    known, special = traits(name), specialty(name)
    offsets = special.offsets if special else {}
    return Model("any", name, level=known.level, ability=known.ability, task_abilities=offsets)


@dataclass(frozen=True, slots=True)
class Fitted:
    discrimination: float
    ability: Floats
    """By model, on the scale of difficulties."""
    offset: Floats
    """By model and group."""

    def chance(self, seen: Outcomes, difficulty: Floats) -> Floats:
        skill = self.ability[seen.model] + self.offset[seen.group]
        chance: Floats = 1 / (1 + np.exp(-self.discrimination * (skill - difficulty[seen.row])))
        return chance


def fit(seen: Outcomes, difficulty: Floats, keep: NDArray[np.bool_]) -> Fitted:
    """Penalised maximum likelihood; a quality between 0 and 1 is a coin that fell both ways."""
    count, models, groups = len(seen.row), len(seen.models), len(seen.groups)
    at = np.arange(count)
    inputs = sp.hstack(
        [
            sp.csr_matrix(-_FREE * difficulty[seen.row][:, None]),
            sp.csr_matrix((np.full(count, _FREE), (at, seen.model)), (count, models)),
            sp.csr_matrix((np.full(count, _OFFSET_PRIOR), (at, seen.group)), (count, groups)),
        ],
        format="csr",
    )[keep]
    twice = sp.vstack([inputs, inputs])
    right = np.repeat([1, 0], keep.sum())
    weight = np.concatenate([seen.quality[keep], 1 - seen.quality[keep]])
    found = LogisticRegression(C=1.0, fit_intercept=False, max_iter=1000).fit(twice, right, weight).coef_[0]
    slope = float(_FREE * found[0])
    return Fitted(slope, _FREE * found[1 : 1 + models] / slope, _OFFSET_PRIOR * found[1 + models :] / slope)


def bins(chance: Floats, quality: Floats) -> list[tuple[float, float, int]]:
    """(mean chance, share that was good, how many) in bins of equal mass."""
    parts = np.array_split(np.argsort(chance, kind="stable"), BINS)
    return [(float(chance[part].mean()), float(quality[part].mean()), len(part)) for part in parts if len(part)]


def calibration_error(chance: Floats, quality: Floats) -> float:
    """Expected calibration error over those bins."""
    return sum(count * abs(said - was) for said, was, count in bins(chance, quality)) / len(chance)


def by_size(abilities: Mapping[str, float]) -> dict[str, float]:
    """ability = at_8b + per_doubling × log₂(billions / 8), by least squares over the models whose names say a size."""
    sized = [(known.total, ability) for name, ability in abilities.items() if (known := size(name)) is not None]
    doublings = np.log2([total / 8 for total, _ in sized])
    design = np.column_stack([np.ones(len(sized)), doublings])
    ability = np.array([ability for _, ability in sized])
    found, *_ = np.linalg.lstsq(design, ability, rcond=None)
    spread = float(np.std(ability - design @ found))
    return {
        "at_8b": round(float(found[0]), 4),
        "per_doubling": round(float(found[1]), 4),
        "spread": round(spread, 4),
        "models": len(sized),
    }


def card(seen: Outcomes, folds: Sequence[Sequence[Profile]]) -> dict[str, Any]:
    chance = np.zeros(len(seen.row))
    fits = []
    for fold, profiles in enumerate(folds):
        difficulty = np.array([one.difficulty for one in profiles])
        fitted = fit(seen, difficulty, seen.fold != fold)
        out = seen.fold == fold
        chance[out] = fitted.chance(seen, difficulty)[out]
        fits.append(fitted)
    before = shipped(seen, folds)
    sources = np.array([seen.prompts[row].source for row in seen.row])
    ability = np.mean([fitted.ability for fitted in fits], axis=0)
    offset = np.mean([fitted.offset for fitted in fits], axis=0)
    pools = {"all": np.ones(len(sources), bool), **{name: sources == name for name in sorted(set(sources))}}
    per_model: dict[str, Any] = {}
    for number, name in enumerate(seen.models):
        subjects = {
            subject: round(float(offset[at]), 3) for at, (model, subject) in enumerate(seen.groups) if model == name
        }
        notable = sorted(subjects.items(), key=lambda item: -abs(item[1]))[:8]
        per_model[name] = {"ability": round(float(ability[number]), 3), "offsets": dict(notable)}
    names = {source: [n for n in seen.models if n.startswith(source)] for source in sorted(set(sources))}
    return {
        "discrimination": round(float(np.mean([fitted.discrimination for fitted in fits])), 3),
        "calibration": {
            name: {
                "answers": int(pool.sum()),
                "error": round(calibration_error(chance[pool], seen.quality[pool]), 4),
                "bins": [[round(said, 4), round(was, 4), n] for said, was, n in bins(chance[pool], seen.quality[pool])],
            }
            for name, pool in pools.items()
        },
        "note": "error_as_shipped is no test: anchors, slopes and some rows of the families were set by these answers",
        "error_as_shipped": {
            name: round(calibration_error(before[pool], seen.quality[pool]), 4) for name, pool in pools.items()
        },
        "abilities": per_model,
        "by_size": {
            source: by_size({name: per_model[name]["ability"] for name in of})
            for source, of in names.items()
            if sum(size(name) is not None for name in of) > 3
        },
    }


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m training abilities")
    parser.add_argument("--data", type=Path, required=True, help="where route.jsonl.gz lies")
    parser.add_argument("--out", type=Path, required=True, help="where abilities.card.json is written to")
    chosen = parser.parse_args(arguments)
    rows = [row for row in data.outcomes(chosen.data) if row.learnable]
    written = card(outcomes(rows), crossed(chosen.data, rows))
    (chosen.out / "abilities.card.json").write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    for name, found in written["calibration"].items():
        before = written["error_as_shipped"][name]
        print(f"{name}: ECE {found['error']:.3f} over {found['answers']:,} answers; as shipped {before:.3f}")
