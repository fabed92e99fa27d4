"""The profile as it would be had it never seen the prompts it is measured on."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from training import crossvalidation
from training.data import Own, Row
from training.profile import Keep, everything, gather
from training.published import SOURCE
from tui_orchestrator.routing.profile import Profile

from .labels import Judge

OUT_OF_FOLD = "router, out of fold"
"""Weights learned from the other four folds of every source."""
LEFT_OUT = "router, source left out"
"""Weights learned from the other sources alone; those that may not be learned from are always left out."""


@dataclass(frozen=True)
class Held:
    judges: Mapping[str, Judge]
    own: Sequence[tuple[Own, Profile]]
    """The project's own prompts, out of fold."""
    without_kind: Judge
    """Of the questions that models are chosen for: weights learned without any of the same kind."""


def held_out(data: Path, rows: Sequence[Row]) -> Held:
    """Fits the weights anew as often as there are folds and sources."""
    material = gather(data)
    _tell("each fold")
    unseen = crossvalidation.out_of_fold(data, material)
    by_fold = {**unseen.outcomes, **unseen.typed, **unseen.rated}
    learnable = {row.source for row in rows if row.learnable}
    by_source: dict[str, Profile] = {}
    for source in (*sorted(learnable), None):
        _tell(source or "any source that may not be learned from")
        weights = crossvalidation.learned(material, _others(source) if source else everything)
        held = [row for row in rows if (row.source == source if source else row.source not in learnable)]
        by_source |= {row.id: crossvalidation.profiled(row.prompt, weights) for row in held}
    by_kind: dict[str, Profile] = {}
    asked = [row for row in rows if row.source == SOURCE and row.outcomes]
    for kind in dict.fromkeys(row.group for row in asked):
        _tell(f"{SOURCE}/{kind}")
        weights = crossvalidation.learned(material, _other_kinds(kind))
        by_kind |= {row.id: crossvalidation.profiled(row.prompt, weights) for row in asked if row.group == kind}
    judges = {OUT_OF_FOLD: _read(by_fold), LEFT_OUT: _read(by_source)}
    return Held(judges, list(zip(material.own, unseen.own, strict=True)), _read(by_kind))


def _others(held: str) -> Keep:
    return lambda source, fold, group: source != held


def _other_kinds(held: str) -> Keep:
    return lambda source, fold, group: (source, group) != (SOURCE, held)


def _read(profiles: Mapping[str, Profile]) -> Judge:
    return lambda row: profiles[row.id]


def _tell(what: str) -> None:
    print(f"learning without {what} …", file=sys.stderr)
