"""The rows that weights are learned from: published outcomes and labels, and the project's own prompts."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OWN = Path(__file__).with_name("prompts")
FOLDS = 5

LICENCES: Mapping[str, str] = {
    "mmlu": "MIT (questions), Apache-2.0 (outcomes, published with RouteLLM)",
    "mmlu_pro": "Apache-2.0",
    "llmrouter": "MIT",
    "arena_hard_v01": "Apache-2.0",
    "arena_hard_v2": "Apache-2.0",
    "longfact": "CC-BY 4.0 (Google DeepMind, LongFact)",
    "gpteacher_code": "MIT",
    "gpteacher_roleplay": "MIT",
    "p3_templates": "Apache-2.0",
}
"""Sources that weights may be learned from. Every other one is for evaluation only: its licence forbids more."""

EXCLUDED_GROUPS = frozenset({("mmlu", "high_school_mathematics")})
"""The published answers of GPT-4 were not read rightly there: it has 3 % of them right."""


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt with what is known of it; what is not is empty."""

    id: str
    prompt: str
    source: str
    group: str
    fold: int
    outcomes: Mapping[str, float]
    """Quality 0 to 1 by model."""
    label: str = ""
    """A task type in the data set's own coarse terms; see `labels.MEANINGS`."""
    score: float | None = None
    """Complexity on the scale of the source."""
    scale: str = ""

    @property
    def learnable(self) -> bool:
        return self.source in LICENCES and (self.source, self.group) not in EXCLUDED_GROUPS


@dataclass(frozen=True, slots=True)
class Own:
    """A prompt written for this project, labelled by its writer."""

    prompt: str
    task_type: str
    complexity: int
    output_tokens: int
    language: str
    tags: tuple[str, ...]
    before: tuple[tuple[str, str], ...]
    """Earlier turns as (role, text)."""
    fold: int


def outcomes(data: Path) -> list[Row]:
    return [
        Row(str(row["id"]), row["prompt"], row["source"], row["group"], row["fold"], row["outcomes"])
        for row in _lines(data / "route.jsonl.gz")
    ]


def typed(data: Path) -> list[Row]:
    return [
        Row(str(row["id"]), row["prompt"], row["source"], row["group"], row["fold"], {}, label=row["task_type"])
        for row in _lines(data / "tasktype.jsonl.gz")
    ]


def rated(data: Path) -> list[Row]:
    return [
        Row(
            *(str(row["id"]), row["prompt"], row["source"], row["group"], row["fold"], {}),
            score=float(row["score"]),
            scale=row["scale"],
        )
        for row in _lines(data / "complexity.jsonl.gz")
    ]


def own() -> list[Own]:
    rows = []
    for path in sorted(OWN.glob("*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8").splitlines()):
            row = json.loads(line)
            rows.append(
                Own(
                    row["prompt"],
                    row["task_type"],
                    row["complexity"],
                    row["output_tokens"],
                    row["language"],
                    tuple(row.get("tags") or ()),
                    tuple((role, text) for role, text in row.get("before") or ()),
                    number % FOLDS,
                )
            )
    return rows


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
