"""The profile on prompts its weights have not seen: out of fold, and with whole sources left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tui_orchestrator.routing.prediction import Weights
from tui_orchestrator.routing.profile import Profile
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Message, Request

from . import data
from .profile import Keep, Material, fit, gather


@dataclass(frozen=True)
class Unseen:
    """Profiles made by weights that had not seen the prompt, by the id of its row."""

    outcomes: Mapping[str, Profile]
    typed: Mapping[str, Profile]
    rated: Mapping[str, Profile]
    own: Sequence[Profile]


def profiled(prompt: str, weights: Weights, before: Sequence[tuple[str, str]] = ()) -> Profile:
    turns = [Message("assistant" if role == "assistant" else "user", text) for role, text in before]
    return profile(Request((*turns, Message("user", prompt))), weights)


def learned(material: Material, keep: Keep) -> Weights:
    return Weights(*fit(material, keep))


def out_of_fold(folder: Path, material: Material | None = None) -> Unseen:
    """Five fits. Rows that may not be learned from are profiled by weights learned from all the others."""
    material = material or gather(folder)
    fits = [learned(material, _without_fold(fold)) for fold in range(data.FOLDS)]
    whole = Weights(*fit(material))

    def seen(rows: Sequence[data.Row]) -> dict[str, Profile]:
        return {row.id: profiled(row.prompt, fits[row.fold] if row.learnable else whole) for row in rows}

    return Unseen(
        seen(data.outcomes(folder)),
        seen(data.typed(folder)),
        seen(data.rated(folder)),
        [profiled(row.prompt, fits[row.fold], row.before) for row in material.own],
    )


def without_source(folder: Path, material: Material | None = None) -> dict[str, Profile]:
    """Outcome rows, each profiled by weights that had seen nothing of its source."""
    material = material or gather(folder)
    rows = data.outcomes(folder)
    profiles: dict[str, Profile] = {}
    for source in sorted({row.source for row in rows}):
        weights = learned(material, _without_source(source))
        profiles.update({row.id: profiled(row.prompt, weights) for row in rows if row.source == source})
    return profiles


def _without_fold(left_out: int) -> Keep:
    return lambda source, fold, group: fold != left_out


def _without_source(left_out: str) -> Keep:
    return lambda source, fold, group: source != left_out


def difficulty_by(rows: Sequence[Mapping[str, Any]]) -> Callable[[str], float]:
    """For a tool that cross-validates by itself: outcome rows to learn from, and back comes prompt → difficulty.

    Labels and ratings are read from the folder that the environment names in ROUTING_BENCH, under `public`; of them the
    folds that `rows` leaves out are left out too.
    """
    folder = Path(os.environ["ROUTING_BENCH"]) / "public"
    material = gather(folder)
    ids = {str(row["id"]) for row in rows}
    folds = {int(row["fold"]) for row in rows}
    chosen = frozenset(row.id for row in material.outcomes if row.id in ids)
    by_fold = {(row.source, row.fold) for row in material.outcomes if row.id in chosen}
    outcome_sources = {row.source for row in material.outcomes}

    def keep(source: str, fold: int, group: str) -> bool:
        return (source, fold) in by_fold if source in outcome_sources else fold in folds

    weights = learned(replace(material), keep)
    return lambda prompt: profiled(prompt, weights).difficulty
