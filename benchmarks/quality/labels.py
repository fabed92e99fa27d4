"""Task types and complexity against labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from training.data import Own, Row
from training.labels import COARSE, MEANINGS
from tui_orchestrator.routing.ability import success_probability
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.profile import Level, Profile
from tui_orchestrator.services.measuring import FEWEST, interval, samples, spearman

from .by_name import model
from .keywords import keyword_task, length

Judge = Callable[[Row], Profile]


def difficulty_of(judge: Judge) -> Callable[[Row], float]:
    return lambda row: judge(row).difficulty


TYPED_BY_PEOPLE = frozenset({"alpaca_eval", "arena_hard_v01", "arena_hard_v2", "lima_test"})
"""Prompts people typed; the other sources' labels follow from the data set, which is easier."""
_COARSE_LABEL = {label: COARSE[types[0]] for label, types in MEANINGS.items()}
_LEVELS = {"basic": 1, "intermediate": 2, "advanced": 3, "expert": 4}


def task_types(rows: Sequence[Row], judges: Mapping[str, Judge], repeats: int) -> dict[str, Any]:
    """Right in eleven fine classes, and in seven coarse ones. The keyword rules know coarse ones alone."""
    groups = {
        "typed by people": [row for row in rows if row.source in TYPED_BY_PEOPLE],
        "from data sets": [row for row in rows if row.source not in TYPED_BY_PEOPLE],
    }
    found: dict[str, Any] = {}
    for name, of in groups.items():
        if len(of) < FEWEST:
            continue
        found[name] = {"rows": len(of)}
        for way, judge in judges.items():
            said = [judge(row).task_type.value for row in of]
            fine = [task in MEANINGS[row.label] for task, row in zip(said, of, strict=True)]
            coarse = [COARSE.get(task) == _COARSE_LABEL[row.label] for task, row in zip(said, of, strict=True)]
            found[name][way] = {"fine": _share(fine, repeats), "coarse": _share(coarse, repeats)}
        ruled = [keyword_task(row.prompt) == _COARSE_LABEL[row.label] for row in of]
        found[name]["keyword rules"] = {"coarse": _share(ruled, repeats)}
    return found


def own_prompts(rows: Sequence[tuple[Own, Profile]], repeats: int) -> dict[str, Any]:
    """The project's own: the type and the complexity their writers gave them."""
    groups: dict[str, Callable[[Own], bool]] = {
        "all": lambda row: True,
        "shell requests": lambda row: "shell" in row.tags,
        "Chinese": lambda row: row.language == "zh",
    }
    found: dict[str, Any] = {}
    for name, belongs in groups.items():
        of = [(row, said) for row, said in rows if belongs(row)]
        if len(of) < FEWEST:
            continue
        coarse = [(_coarse(said.task_type.value), _coarse(row.task_type)) for row, said in of]
        levels = [(said.level, Level.of_complexity(row.complexity)) for row, said in of]
        near = sum(abs(_LEVELS[one.value] - _LEVELS[other.value]) <= 1 for one, other in levels)
        found[name] = {
            "rows": len(of),
            "fine": _share([said.task_type.value == row.task_type for row, said in of], repeats),
            "coarse": _share([one == other for one, other in coarse], repeats),
            "spearman": _order([said.complexity for _, said in of], [row.complexity for row, _ in of]),
            "within_one_level": round(near / len(of), 4),
        }
    return found


def _coarse(task: str) -> str:
    return COARSE.get(task, task)


def _share(right: Sequence[bool], repeats: int) -> dict[str, Any]:
    drawn = [
        sum(count for count, good in zip(counts, right, strict=True) if good) / len(right)
        for counts in samples(len(right), repeats)
    ]
    return {"share": round(sum(right) / len(right), 4), "share_95": [round(end, 4) for end in interval(drawn)]}


def complexity(rows: Sequence[Row], judges: Mapping[str, Judge]) -> dict[str, Any]:
    """Spearman with the labels of each source; of those with four levels, how many are missed by one at most."""
    found: dict[str, Any] = {}
    for source in sorted({row.source for row in rows}):
        of = [row for row in rows if row.source == source]
        labels = [row.score or 0.0 for row in of]
        found[source] = {"rows": len(of), "length": _order([length(row.prompt) for row in of], labels)}
        for way, judge in judges.items():
            profiles = [judge(row) for row in of]
            said: dict[str, Any] = {"spearman": _order([float(p.complexity) for p in profiles], labels)}
            if of[0].scale.startswith("1-4"):
                near = [abs(_LEVELS[p.level.value] - label) <= 1 for p, label in zip(profiles, labels, strict=True)]
                said["within_one_level"] = round(sum(near) / len(near), 4)
            found[source][way] = said
    return found


def failure(rows: Sequence[Row], judges: Mapping[str, Judge], policy: Policy) -> dict[str, Any]:
    """Spearman with the share of a source's models that failed: of difficulty, which is the same for every model, and
    of what decides, the mean chance of failing that these models are given by their names."""
    found: dict[str, Any] = {}
    for source in sorted({row.source for row in rows}):
        of = [row for row in rows if row.source == source and row.outcomes]
        if len(of) < FEWEST:
            continue
        models = {name: model(name) for name in dict.fromkeys(name for row in of for name in row.outcomes)}
        failed = [1 - sum(row.outcomes.values()) / len(row.outcomes) for row in of]
        found[source] = {"rows": len(of), "length": _order([length(row.prompt) for row in of], failed)}
        for way, judge in judges.items():
            found[source][way] = _order([judge(row).difficulty for row in of], failed)
            expected = [_failing([models[name] for name in row.outcomes], judge(row), policy) for row in of]
            found[source][f"{way}, 1 − p"] = _order(expected, failed)
    return found


def _failing(models: Sequence[Model], prompt: Profile, policy: Policy) -> float:
    chances = [success_probability(one, prompt, 0.0, policy.discrimination) for one in models]
    return 1 - sum(chances) / len(chances)


def _order(one: Sequence[float], other: Sequence[float]) -> float | None:
    value = spearman(one, other)
    return None if value is None else round(value, 4)
