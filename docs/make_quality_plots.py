"""Draws docs/routing.svg and docs/calibration.svg, and writes the tables of docs/routing-quality.md.

python benchmarks/routing.py --data DIR > docs/routing-quality.json
python docs/make_quality_plots.py
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from typing import Any

from make_confidence_plots import HERE, Panel, legend, svg, text

FIGURES = HERE / "routing-quality.json"
PAGE = HERE / "routing-quality.md"
BEGIN, END = "<!-- measured -->", "<!-- until here -->"
SHOWN = (
    "mmlu/mixtral-gpt4",
    "mmlu_pro/mixtral-gemini15pro",
    "mmlu_pro/llama8b-70b",
    "llmrouter/mistral7b-nemotron51b",
)
_TENTHS = (0, 0.25, 0.5, 0.75, 1)


def curves(pairs: Mapping[str, Any]) -> str:
    """A panel a pair: the share of the gap that is recovered against the share of prompts the strong model gets."""
    size, gap_x, gap_y, left, top = (300, 190), 62, 66, 62, 112
    parts = []
    shown = [name for name in SHOWN if name in pairs]
    for number, name in enumerate(shown):
        x, y = left + number % 2 * (size[0] + gap_x), top + number // 2 * (size[1] + gap_y)
        panel = Panel(x, y, *size, 0, 1.25)
        parts.append(text(x, y - 9, name))
        parts.append(text(x + size[0] / 2, y + size[1] + 32, "share sent to the strong model", "small", "middle"))
        parts += panel.axes(_TENTHS, (*_TENTHS, 1.25))
        ways = pairs[name]["ways"]
        parts.append(panel.line([(0, 0), (1, 1)], "even"))
        for way, style in (
            ("length", "best"),
            ("router, source left out", "second"),
            ("router, out of fold", "text"),
        ):
            points = ways[way]["pgr_by_tenths"]
            parts.append(panel.line([(n / 10, max(0.0, min(1.25, value))) for n, value in enumerate(points)], style))
    rows = (len(shown) + 1) // 2
    width, height = left + 2 * size[0] + gap_x + 22, top + rows * (size[1] + gap_y) + 4
    head = [
        text(20, 32, "Sending the hardest prompts to the strong model", "title"),
        text(20, 54, "Share of the gap between two models that is recovered", "small"),
        *legend(
            74,
            ("text", "router, out of fold"),
            ("second", "router, source left out"),
            ("best", "length of the prompt"),
            ("even", "at random"),
        ),
    ]
    foot = "No prompt was judged by weights that had seen it; left out: nor any of its source"
    return svg(width, height, [*head, *parts, text(20, height - 12, foot, "small")])


def calibration(sources: Mapping[str, Any]) -> str:
    """Of the answers given a chance p, how many were good: ten bins of equal size a source."""
    way = "after the outcomes of the other folds"
    panel = Panel(66, 104, 420, 420, 0, 1)
    fifths = (0, 0.2, 0.4, 0.6, 0.8, 1)
    parts = [*panel.axes(fifths, fifths), panel.line([(0, 0), (1, 1)], "even")]
    entries = []
    for (source, of), style in zip(sources.items(), ("text", "second", "best"), strict=False):
        points = [(p, seen) for p, seen, _ in of[way]["reliability"]]
        parts.append(panel.line(points, style))
        parts += [panel.dot(point, 4, style) for point in points]
        entries.append((style, f"{source} ({of[way]['calibration_error']:.3f})"))
    return svg(
        530,
        588,
        [
            text(20, 32, "How true p is", "title"),
            text(20, 54, "Answers that were good, against the chance given; in brackets the mean gap", "small"),
            *legend(74, *entries),
            *parts,
            text(276, 558, "p", "small", "middle"),
            text(20, 578, "Out of fold; the models' abilities learned from the other folds as from votes", "small"),
        ],
    )


def tables(figures: Mapping[str, Any]) -> str:
    found = importlib.util.spec_from_file_location("routing", HERE.parent / "benchmarks" / "routing.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return str(module.table(figures))


def main() -> None:
    figures: dict[str, Any] = json.loads(FIGURES.read_text("utf-8"))
    (HERE / "routing.svg").write_text(curves(figures["pairs"]), "utf-8")
    (HERE / "calibration.svg").write_text(calibration(figures["calibration"]), "utf-8")
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables(figures)}\n\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
