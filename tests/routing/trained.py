"""Weights of a trained profile by hand: nothing is learned but what a table says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui_orchestrator.routing.cues import LEARNED_TYPES
from tui_orchestrator.routing.measures import MEASURES
from tui_orchestrator.routing.prediction import BANDS, HEADS, INPUT_NAMES, Weights

ANCHORS = {
    **{"open difficulty": 0.3, "open slope": 0.5},
    **{"choice difficulty": 0.4, "choice slope": 0.6},
    **{"many difficulty": 0.5, "many slope": 0.7},
}


def trained(
    bias: Mapping[str, float] | None = None,
    grams: Mapping[str, Mapping[str, int]] | None = None,
    inputs: Mapping[str, Mapping[str, float]] | None = None,
    usual: Mapping[str, float] | None = None,
    step: float = 1.0,
    published: Mapping[str, Sequence[float]] | None = None,
) -> Weights:
    """By head: `bias`; by word or pair of words and head, in `step`s: `grams`; by measure and head: `inputs`. A head
    is a type of task, 'perceived', 'open', 'output' and so on. `usual`: measures of the mean prompt."""
    learned = {"nowhere": {}, **(grams or {})}
    words = [gram for gram in learned if " " not in gram]
    pairs = [gram for gram in learned if " " in gram]
    rows = bytes(128 + learned[gram].get(head, 0) for gram in (*words, *pairs) for head in HEADS)
    weighed = [[0.0] * len(INPUT_NAMES) for _ in HEADS]
    for name, by_head in (inputs or {}).items():
        for head, weight in by_head.items():
            weighed[HEADS.index(head)][place(name)] = weight
    mean = [0.0] * len(INPUT_NAMES)
    for name, value in (usual or {}).items():
        mean[place(name)] = value
    stored: dict[str, object] = {
        "words": "\n".join(words),
        "pairs": " ".join(pairs),
        "steps": [step] * len(HEADS),
        "bias": [(bias or {}).get(head, 0.0) for head in HEADS],
        "inputs": weighed,
        "usual": mean,
        "anchors": ANCHORS,
        "bands": [0.1 * band for band in range(BANDS)],
        "published": published or {},
    }
    return Weights(stored, rows)


def place(name: str) -> int:
    """Of a measure, or of the points of a type of task."""
    return list(MEASURES).index(name) if name in MEASURES else len(MEASURES) + [*LEARNED_TYPES].index(name)  # type: ignore[arg-type]
