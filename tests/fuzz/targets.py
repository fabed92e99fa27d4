"""The readers of what others wrote, each as one function over any bytes, for a fuzzer that is led by coverage.

`guided.py` runs them; `test_corpus.py` keeps what it found.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from benchmarks.terminal.pseudoterminal import foreign
from tui_orchestrator.routing.text import clean, clean_line, unjoined
from tui_orchestrator.services.importing import parse
from tui_orchestrator.settings import SettingsError, effective, load
from tui_orchestrator.settings.environment import parse_dotenv
from tui_orchestrator.settings.secrets import without
from tui_orchestrator.ui import markdown
from tui_orchestrator.ui.blocks import MAX_LINES, Splitter
from tui_orchestrator.ui.look import Look

_LOOK = Look.of({})
_KEY = "sk-0123456789abcdefghij"


def cleaning(content: bytes) -> None:
    text = content.decode(errors="surrogateescape")
    cleaned = clean(text)
    assert foreign(unjoined(cleaned).encode()) == []
    assert clean(cleaned) == cleaned
    line = clean_line(text, 80)
    assert len(line) <= 80
    assert "\n" not in line
    assert clean_line(line, 80) == line


def hiding(content: bytes) -> None:
    text = content.decode(errors="surrogateescape")
    left = without(text + _KEY + text, _KEY)
    assert _KEY not in left
    assert without(left, _KEY) == left


def importing(content: bytes) -> None:
    said = "talk.json"
    try:
        parse(content)
    except ValueError as error:
        said += str(error)
    assert clean_line(said, 2_000) == said


def settings(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.toml"
        file.write_bytes(content)
        try:
            found = load(file, environ={"TUI_ORCHESTRATOR_HOME": directory}, cwd=Path(directory), keys=False)
            said = [f"{one.key} {one.value}" for one in effective(found)]
        except SettingsError as error:
            said = list(error.problems)
    assert said
    assert "\n" not in "".join(said)
    assert foreign("".join(said).encode()) == []


def dotenv(content: bytes) -> None:
    text = content.decode(errors="replace")
    for name, _, line in parse_dotenv(text):
        assert name.isidentifier()
        assert name in text.split("\n")[line - 1]


def drawing(content: bytes) -> None:
    """Its first byte is the width, its second where the stream was cut."""
    width, cut = (content[0] + 1, content[1]) if len(content) > 1 else (40, 0)
    text = clean(content[2:].decode(errors="replace"))
    whole = _blocks(text, [])
    assert whole == _blocks(text, [cut])
    for block in whole:
        assert block.text.count("\n") < MAX_LINES
        for line in markdown.lay_out(block, width, _LOOK):
            assert foreign(line.text.encode()) == []
            line.to_strip(max(markdown.MIN_WIDTH, width), _LOOK.base)


def _blocks(text: str, cuts: list[int]) -> list[object]:
    splitter = Splitter()
    for start, end in pairwise([0, *cuts, len(text)]):
        splitter.feed(text[start:end])
        splitter.growing()
    splitter.finish()
    return list(splitter.settled)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (cleaning, hiding, importing, settings, dotenv, drawing)
}
