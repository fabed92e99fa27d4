"""Draws docs/reliability-of-p.svg from the figures in training/abilities.card.json.

python docs/make_reliability_plot.py
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from make_confidence_plots import Panel, svg, text

HERE = Path(__file__).parent
CARD = HERE.parent / "training" / "abilities.card.json"
NAMES = {"all": "All together", "llmrouter": "LLMRouter", "mmlu": "MMLU", "mmlu_pro": "MMLU-Pro"}


def reliability(calibration: Mapping[str, Any]) -> str:
    """A panel a data set: of the answers given this p, the share that was good; ten bins of equal mass."""
    size, gap_x, gap_y, left, top = 250, 70, 84, 62, 134
    tenths = (0, 0.2, 0.4, 0.6, 0.8, 1)
    parts = []
    for number, (name, found) in enumerate(calibration.items()):
        x, y = left + number % 2 * (size + gap_x), top + number // 2 * (size + gap_y)
        panel = Panel(x, y, size, size, 0, 1)
        points = [(said, was) for said, was, _ in found["bins"]]
        title = f"{NAMES.get(name, name)}: {found['answers']:,} answers, error {found['error']:.3f}"
        parts += [
            text(x, y - 9, title),
            *panel.axes(tenths, tenths),
            text(x + size / 2, y + size + 34, "p", "small", "middle"),
            panel.line([(0, 0), (1, 1)], "even"),
            panel.line(points, "text"),
            *(panel.dot(point, 4, "text") for point in points),
        ]
    rows = (len(calibration) + 1) // 2
    width, height = left + 2 * size + gap_x + 22, top + rows * (size + gap_y) + 4
    head = [
        text(20, 32, "How true p is", "title"),
        text(20, 54, "Answers that were good, against the success probability they were given", "small"),
        text(20, 74, "Five-fold cross-validation: difficulties, abilities and the slope were learned without", "small"),
        text(20, 90, "the prompts they are measured on", "small"),
    ]
    return svg(width, height, [*head, *parts])


def main() -> None:
    calibration = json.loads(CARD.read_text("utf-8"))["calibration"]
    (HERE / "reliability-of-p.svg").write_text(reliability(calibration), "utf-8")


if __name__ == "__main__":
    main()
