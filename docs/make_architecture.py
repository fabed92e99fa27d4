"""Draws docs/architecture.svg: the rooms of the program, and how one prompt goes through them.

.venv/bin/python docs/make_architecture.py
"""

from __future__ import annotations

from pathlib import Path

DRAWING = Path(__file__).parent / "architecture.svg"
WIDTH, HEIGHT = 860, 468
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2430}.name{font-weight:600}.small{font-size:11.5px;fill:#5b6270}"
    "rect{rx:6;stroke-width:1.2}.front{fill:#e6edff;stroke:#6d86d6}.middle{fill:#e9f6ef;stroke:#5fa883}"
    ".core{fill:#fff3d9;stroke:#d19a2a}.edge{fill:#f4eafa;stroke:#a274c4}.outside{fill:#f3f4f6;stroke:#9aa0aa}"
    "path{stroke:#5b6270;stroke-width:1.3;fill:none;marker-end:url(#tip)}"
)
_ROOMS = (
    # x, y, width, height, class, name, what it is
    (20, 20, 190, 56, "front", "ui/", "the console (Textual)"),
    (225, 20, 190, 56, "front", "cli/", "ask, route, costs, …"),
    (430, 20, 190, 56, "front", "gateway/", "speaks OpenAI's wire format"),
    (635, 20, 205, 56, "front", "your program", "from tui_orchestrator import …"),
    (225, 112, 395, 50, "middle", "batch/  recipes/", "many prompts from a file; prompts in several steps"),
    (635, 112, 205, 50, "middle", "library/", "Orchestrator, Task, Result"),
    (20, 198, 820, 56, "middle", "services/", "what all front ends share: conversations, reports, learning"),
    (20, 290, 820, 66, "core", "routing/", "profile → abilities → strategy → money → attempt → confidence"),
    (300, 392, 260, 58, "edge", "providers/", "one wire protocol a file; prices, lists"),
    (20, 392, 260, 58, "edge", "storage/", "one SQLite file: ledger, budgets, talk"),
    (580, 392, 260, 58, "outside", "the world", "cloud providers, local model servers"),
)  # fmt: skip
_ARROWS = (
    "M115 76V198",
    "M320 76V112",
    "M525 76V112",
    "M737 76V112",
    "M620 137H635",
    "M737 162V198",
    "M430 254V290",
    "M150 356V392",
    "M430 356V392",
    "M560 421H580",
)


def drawing() -> str:
    boxes = "".join(_box(*room) for room in _ROOMS)
    arrows = "".join(f'<path d="{arrow}"/>' for arrow in _ARROWS)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'role="img" aria-label="The rooms of the program, from its front ends down to providers and storage">'
        f'<style>{_STYLE}</style><defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#5b6270;stroke:none"/></marker></defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{boxes}{arrows}</svg>\n'
    )


def _box(x: int, y: int, width: int, height: int, kind: str, name: str, says: str) -> str:
    middle = y + height / 2
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}"/>'
        f'<text class="name" x="{x + 14}" y="{middle - 4:g}">{name}</text>'
        f'<text class="small" x="{x + 14}" y="{middle + 14:g}">{says}</text>'
    )


if __name__ == "__main__":
    DRAWING.write_text(drawing())
