"""A weak and a strong model: whose score sends the right prompts to the strong one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.data import Row
from tui_orchestrator.services.measuring import Curve, Pair, auroc, saving

ROUTELLM: dict[str, Any] = {
    "what": "published for Mixtral-8x7B and GPT-4-1106 (RouteLLM, arXiv 2406.18665, best training data of each router)",
    "mmlu": {
        "matrix factorisation": {"cpt50": 0.355, "cpt80": 0.714, "apgr": 0.597},
        "similarity-weighted ranking": {"cpt50": 0.354, "cpt80": 0.716, "apgr": 0.603},
    },
    "gsm8k": {
        "matrix factorisation": {"cpt50": 0.388, "cpt80": 0.726, "apgr": 0.565},
        "causal LLM": {"cpt50": 0.336, "cpt80": 0.633, "apgr": 0.622},
    },
    "mt_bench": {"matrix factorisation": {"cpt50": 0.134, "cpt80": 0.313, "apgr": 0.802}},
    "random": {"cpt50": 0.5, "cpt80": 0.8, "apgr": 0.5},
}


@dataclass(frozen=True, slots=True)
class Duel:
    """One line of pairs.json."""

    name: str
    source: str
    weak: str
    strong: str
    price_weak: float
    price_strong: float
    excluded: frozenset[str]
    preferred: bool
    """The outcomes are preferences: the weak model is good enough where it does as well as the strong one."""
    counts: bool
    """In the mean over pairs; the others are too close to each other, or there to compare with published figures."""

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Duel:
        return cls(
            *(said["name"], said["source"], said["weak"], said["strong"]),
            *(float(said["price_weak"]), float(said["price_strong"])),
            excluded=frozenset(said.get("exclude_groups", ())),
            preferred=said.get("ok") == "ge_strong",
            counts=bool(said.get("in_summary", True)),
        )

    def rows(self, rows: Sequence[Row]) -> list[Row]:
        return [
            row
            for row in rows
            if row.source == self.source
            and row.group not in self.excluded
            and self.weak in row.outcomes
            and self.strong in row.outcomes
        ]


Score = Callable[[Row], float]
"""Higher is harder."""


def measured(duel: Duel, rows: Sequence[Row], ways: Mapping[str, Score], repeats: int) -> dict[str, Any]:
    weak = [row.outcomes[duel.weak] for row in rows]
    strong = [row.outcomes[duel.strong] for row in rows]
    gains = {id(row): high - low for row, low, high in zip(rows, weak, strong, strict=True)}
    every: dict[str, Score] = {**ways, "oracle": lambda row: gains[id(row)]}
    good_enough = [low >= (high if duel.preferred else 0.5) for low, high in zip(weak, strong, strict=True)]

    def figures(score: Score) -> dict[str, Any]:
        scores = [score(row) for row in rows]
        pair = Pair(scores, weak, strong)
        curve = pair.curve()
        wanted: dict[str, Callable[[Curve], float]] = {
            "apgr": Curve.apgr,
            "cpt50": lambda c: c.cpt(0.5),
            "cpt80": lambda c: c.cpt(0.8),
        }
        found = {name: round(measure(curve), 4) for name, measure in wanted.items()}
        intervals = pair.intervals(*wanted.values(), repeats=repeats)
        kept = curve.share_for(0.95 * curve.strong)
        return {
            **found,
            **{
                f"{name}_95": [round(end, 4) for end in interval]
                for name, interval in zip(wanted, intervals, strict=True)
                if interval is not None
            },
            "auc_weak_is_enough": _rounded(auroc([-one for one in scores], good_enough)),
            "saved_at_95_percent": _rounded(saving(kept, duel.price_weak, duel.price_strong)),
            "pgr_by_tenths": _tenths(pair),
        }

    return {
        "rows": len(rows),
        "weak": duel.weak,
        "strong": duel.strong,
        "weak_quality": round(sum(weak) / len(rows), 4),
        "strong_quality": round(sum(strong) / len(rows), 4),
        "ways": {name: figures(score) for name, score in every.items()},
    }


def _tenths(pair: Pair) -> list[float]:
    """PGR with 0, 10, … 100 % sent to the strong model."""
    return [round(value, 4) for value in pair.curve().recovered()]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def means(pairs: Mapping[str, Mapping[str, Any]], duels: Sequence[Duel]) -> dict[str, Any]:
    """Mean and worst APGR of each way over the pairs that count."""
    counted = [pairs[duel.name]["ways"] for duel in duels if duel.counts and duel.name in pairs]
    names = counted[0] if counted else ()
    return {
        name: {
            "mean_apgr": round(sum(ways[name]["apgr"] for ways in counted) / len(counted), 4),
            "worst_apgr": min(ways[name]["apgr"] for ways in counted),
            "pairs": len(counted),
        }
        for name in names
    }
