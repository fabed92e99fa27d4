"""Who asks for the time of day by itself, past the clock that tests can set. Limits, pauses and circuits never do."""

from __future__ import annotations

import ast
from pathlib import Path

import tui_orchestrator

ROOT = Path(tui_orchestrator.__file__).parent
ASKED = {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "datetime.now", "datetime.utcnow", "date.today"}
NAMES = {asked.rpartition(".")[2] for asked in ASKED}
ALLOWED = {
    "routing/clock.py": "the clock itself",
    "gateway/completions.py": "'created' of a reply, which nothing is worked out from",
    "gateway/wire.py": "the same",
    "demo/scripted.py": "the same",
    "providers/listings.py": "whether a model is past the day its provider ends it",
    "providers/prices.py": "which price holds today",
    "providers/catalogue.py": "which price holds today, and how old a kept catalogue is; from the future it is none",
    "providers/complaint.py": "how far off a Retry-After is that is told as a date; bounded by retry_after_cap",
    "services/crashes.py": "the name of a report",
    "storage/migrations.py": "when a migration was applied, for people",
}


def asks(path: Path) -> bool:
    text = path.read_text()
    if not any(name in text for name in NAMES):
        return False
    named = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute))
    return any(ast.unparse(node) in ASKED for node in named if node.attr in NAMES)


def test_only_these_look_at_the_wall_clock_by_themselves() -> None:
    assert {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if asks(path)} == set(ALLOWED)
