"""Writes the table of faults into docs/reliability.md, from the table that the tests walk through.

.venv/bin/python docs/make_reliability_table.py, from the project's directory
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

DOCUMENT = Path(__file__).parent / "reliability.md"
sys.path.insert(0, str(DOCUMENT.parents[1]))

from tests.wire.faults import FAULTS, Fault, Phase, Then  # noqa: E402

HEAD = ("fault", "called", "another model is there", "nobody else is there", "paid for")


def _alone(fault: Fault) -> str:
    if fault.then is Then.ANSWERS:
        return "the same"
    if fault.then is Then.ESCALATES:
        return "the answer stands, with a note"
    if fault.waits_s:
        return f"once more after {fault.waits_s:g} s"
    return "once more" if fault.again else "the turn ends with the error"


def _rows() -> Iterator[tuple[str, ...]]:
    for phase in Phase:
        yield (f"**{phase.value}**", "", "", "", "")
        for fault in FAULTS:
            if fault.phase is phase:
                name = fault.name + (f" (not {fault.but.capitalize()})" if fault.but else "")
                kind = "" if fault.kind is None else f"`{fault.kind.value}`"
                yield name, kind, fault.then.value, _alone(fault), fault.paid.value


def with_table(text: str) -> str:
    """The document with the table as it is now; it stands from its head to the next empty line."""
    lines = [HEAD, ("---",) * len(HEAD), *_rows()]
    table = (
        "".join("| " + " | ".join(line) + " |\n" for line in lines).replace("| --- ", "|---").replace("|--- |", "|---|")
    )
    begin = text.index(table[: table.index("\n")])
    end = text.find("\n\n", begin)
    return text[:begin] + table.rstrip("\n") + (text[end:] if end >= 0 else "\n")


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text()))
