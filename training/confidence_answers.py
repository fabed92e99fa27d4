"""Published answers with known outcomes, as features and log-odds can be learned from."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_orchestrator.routing.answer_features import Answer, Asked, Task, features, task_of
from tui_orchestrator.routing.final_answer import Final, final_answer

LICENCES = {
    "mmlu_pro": "Apache-2.0 (MMLU-Pro, published predictions)",
    "cruxeval": "MIT (CRUXEval, published generations)",
}
"""What may be learned from. Every other source, and every row with a licence note, is for evaluation only."""
GOOD = 0.5
"""Quality from which an answer counts as good."""


@dataclass(frozen=True)
class Answered:
    source: str
    group: str
    """source|model: what figures are averaged over."""
    subject: str
    fold: int
    prompt: str
    answer: str
    good: bool
    others: tuple[str, ...]
    """Other models' answers, or further samples of the same model; of examinations their letters alone."""
    same_model: bool
    strong: float | None
    """Quality of the best model with a published outcome for the prompt, where there is one."""
    task: Task
    final: Final | None
    seen: dict[str, float]


def load(data: Path) -> list[Answered]:
    outcomes, prompts = _routes(data)
    answered = []
    for row in _lines(data / "answers.jsonl.gz"):
        prompt = row.get("prompt") or prompts[row["qid"]]
        answer = row["answer"].strip() or "…"
        others = [other or "" for other in (row.get("peer_answers") or {}).values()] or row.get("samples", [])[1:]
        asked, read, final = Asked(prompt), Answer(answer), final_answer(prompt, answer)
        answered.append(
            Answered(
                source=row["source"],
                group=f"{row['source']}|{row['model']}",
                subject=f"{row['source']}|{row['group']}",
                fold=int(row["fold"]),
                prompt=prompt,
                answer=answer,
                good=row["quality"] >= GOOD,
                others=tuple(others),
                same_model=bool(row.get("samples")),
                strong=outcomes.get(row["qid"]),
                task=task_of(asked, read, final),
                final=final,
                seen=features(asked, read, final),
            )
        )
    return answered


def may_be_learned_from(row: Answered) -> bool:
    return row.source in LICENCES


def table(rows: Sequence[Answered], names: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[row.seen[name] for name in names] for row in rows])


def _routes(data: Path) -> tuple[dict[str, float], dict[str, str]]:
    """By prompt id: what the source's strongest model made of it, and the prompt."""
    rows = list(_lines(data / "route.jsonl.gz"))
    by_model: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        for model, outcome in row["outcomes"].items():
            by_model.setdefault((row["source"], model), []).append(outcome)
    # Of those that answered nearly all prompts of the source.
    most = {source: max(len(v) for (s, _), v in by_model.items() if s == source) for source, _ in by_model}
    strongest: dict[str, str] = {}
    for (source, model), values in sorted(by_model.items(), key=lambda item: sum(item[1]) / len(item[1])):
        if len(values) > 0.95 * most[source]:
            strongest[source] = model
    outcomes = {row["id"]: row["outcomes"][strongest[row["source"]]] for row in rows
                if strongest[row["source"]] in row["outcomes"]}  # fmt: skip
    return outcomes, {row["id"]: row["prompt"] for row in rows}


def _lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]
