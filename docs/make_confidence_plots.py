"""Draws docs/confidence.svg and docs/escalation.svg from the figures in training/confidence.card.json.

python docs/make_confidence_plots.py
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CARD = HERE.parent / "training" / "confidence.card.json"

STYLE = """
  svg { background: #ffffff }
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 17px; font-weight: 600 }
  .small { font-size: 12px; fill: #57606a }
  .frame { fill: none; stroke: #8c959f }
  .grid { stroke: #d0d7de }
  .line { fill: none; stroke-width: 2.2 }
  .even { stroke: #8c959f; stroke-dasharray: 5 4 }
  .best { stroke: #8c959f; stroke-width: 1.4 }
  .text { stroke: #0969da }
  .second { stroke: #bf5700 }
  .dot.text { fill: #0969da; stroke: none }
  .dot.second { fill: #bf5700; stroke: none }
  .dot.best { fill: #8c959f; stroke: none }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 }
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
    .grid { stroke: #30363d }
    .frame, .even, .best { stroke: #7d8590 }
    .text { stroke: #58a6ff }
    .second { stroke: #f0883e }
    .dot.text { fill: #58a6ff }
    .dot.second { fill: #f0883e }
  }
"""

Point = tuple[float, float]


class Panel:
    """A square of axes; data coordinates in, SVG out."""

    def __init__(self, left: float, top: float, width: float, height: float, low: float, high: float) -> None:
        self.left, self.top, self.width, self.height = left, top, width, height
        self.low, self.high = low, high

    def at(self, point: Point) -> Point:
        x, y = point
        up = (y - self.low) / (self.high - self.low)
        return self.left + x * self.width, self.top + (1 - up) * self.height

    def axes(self, across: Iterable[float], upwards: Iterable[float]) -> list[str]:
        parts = []
        bottom, right = self.top + self.height, self.left + self.width
        for value in upwards:
            _, y = self.at((0, value))
            parts.append(f'<line class="grid" x1="{self.left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(text(self.left - 7, y + 4, f"{value:.0%}", "small", "end"))
        for value in across:
            x, _ = self.at((value, self.low))
            parts.append(text(x, bottom + 17, f"{value:.0%}", "small", "middle"))
        parts.append(
            f'<rect class="frame" x="{self.left}" y="{self.top}" width="{self.width}" height="{self.height}"/>'
        )
        return parts

    def line(self, points: Sequence[Point], name: str) -> str:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self.at, points))
        return f'<polyline class="line {name}" points="{path}"/>'

    def dot(self, point: Point, radius: float, name: str) -> str:
        x, y = self.at(point)
        return f'<circle class="dot {name}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'


def escalation(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """A panel a model: quality against the share of its answers that went on to a stronger one."""
    size, gap_x, gap_y, left, top = (300, 190), 62, 66, 62, 112
    parts = []
    every = [value for lines in curves.values() for line in lines.values() for value in line]
    low, high = int(min(every) * 10) / 10, min(1.0, int(max(every) * 10 + 1) / 10)
    for number, (group, lines) in enumerate(curves.items()):
        x, y = left + number % 2 * (size[0] + gap_x), top + number // 2 * (size[1] + gap_y)
        panel = Panel(x, y, *size, low, high)
        parts.append(text(x, y - 9, group.partition("|")[2]))
        parts.append(text(x + size[0] / 2, y + size[1] + 32, "share escalated", "small", "middle"))
        ticks = [step / 10 for step in range(round(low * 10), round(high * 10) + 1)]
        parts += panel.axes((0, 0.25, 0.5, 0.75, 1), ticks)
        for name, style in (
            ("with_hindsight", "best"),
            ("at_random", "even"),
            ("text_alone", "text"),
            ("with_one_second_answer", "second"),
        ):
            line = lines[name]
            parts.append(panel.line([(n / (len(line) - 1), value) for n, value in enumerate(line)], style))
    rows = (len(curves) + 1) // 2
    width, height = left + 2 * size[0] + gap_x + 22, top + rows * (size[1] + gap_y) + 4
    head = [
        text(20, 32, "Escalating the answers that are trusted least", "title"),
        text(20, 54, "Share of answers that are right, against the share escalated to the strongest model", "small"),
        *legend(
            74,
            ("text", "by the answer's text"),
            ("second", "and one second answer"),
            ("even", "at random"),
            ("best", "with hindsight"),
        ),
    ]
    foot = "MMLU-Pro, five-fold cross-validation: no answer was judged by weights that had seen it"
    return svg(width, height, [*head, *parts, text(20, height - 12, foot, "small")])


def confidence(bins: Mapping[str, Sequence[Sequence[float]]], errors: Mapping[str, float]) -> str:
    """Of the answers given so much confidence, how many were good; a dot's area is their share."""
    panel = Panel(66, 104, 420, 420, 0, 1)
    tenths = (0, 0.2, 0.4, 0.6, 0.8, 1)
    parts = [*panel.axes(tenths, tenths), panel.line([(0, 0), (1, 1)], "even")]
    for name, style in (("text_alone", "text"), ("with_one_second_answer", "second")):
        points = [(said, came) for said, came, _ in bins[name]]
        parts.append(panel.line(points, style))
        parts += [
            panel.dot(point, 2 + 22 * share**0.5 / 2, style)
            for point, (_, _, share) in zip(points, bins[name], strict=True)
        ]
    return svg(
        530,
        588,
        [
            text(20, 32, "How true the confidence is", "title"),
            text(20, 54, "Answers that were right, against the confidence they were given", "small"),
            *legend(
                74,
                ("text", f"by the text (error {errors['text_alone']:.2f})"),
                ("second", f"and a second answer ({errors['with_one_second_answer']:.2f})"),
                ("even", "exact"),
            ),
            *parts,
            text(276, 558, "confidence", "small", "middle"),
            text(20, 578, "MMLU-Pro and CRUXEval, five-fold cross-validation; larger dots, more answers", "small"),
        ],
    )


def legend(y: float, *entries: tuple[str, str]) -> list[str]:
    parts, x = [], 20.0
    for style, words in entries:
        parts.append(f'<line class="line {style}" x1="{x}" x2="{x + 24}" y1="{y}" y2="{y}"/>')
        parts.append(text(x + 30, y + 4, words, "small"))
        x += 52 + 6.4 * len(words)
    return parts


def text(x: float, y: float, words: str, name: str = "", anchor: str = "start") -> str:
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def svg(width: float, height: float, parts: Iterable[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img">\n<style>{STYLE}</style>\n{body}\n</svg>\n'
    )


def main() -> None:
    known: dict[str, Any] = json.loads(CARD.read_text("utf-8"))["out_of_fold"]
    errors = {name: known[name]["ece"] for name in ("text_alone", "with_one_second_answer")}
    (HERE / "escalation.svg").write_text(escalation(known["escalation"]), "utf-8")
    (HERE / "confidence.svg").write_text(confidence(known["reliability"], errors), "utf-8")


if __name__ == "__main__":
    main()
