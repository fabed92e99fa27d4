"""Code whose colours cannot be had in time."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pygments.lexers import ScalaLexer  # type: ignore[import-untyped]

from benchmarks.terminal.texts import ENDLESS
from tests.ui.conftest import console
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.ui import lexers
from tui_orchestrator.ui.lexers import tokens
from tui_orchestrator.ui.limit import Result, within

GOOD, BAD = '"a"="b"', ENDLESS["registry"]
ASIDE_S = 120
"""What is not stopped goes on for ever."""


def never_ends(*_: object) -> None:
    raise AssertionError("it goes on for ever")


@pytest.fixture(autouse=True)
def not_for_ever() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, never_ends)
    signal.alarm(ASIDE_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def nothing_seen_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexers, "_slow", Counter())
    monkeypatch.setattr(lexers, "_lexers", {})
    if "_tokens" in vars(ScalaLexer):
        monkeypatch.delattr(ScalaLexer, "_tokens")
    re.purge()


def test_every_text_that_keeps_a_lexer_busy_for_ever_is_left_without_colours() -> None:
    script = (
        "from benchmarks.terminal.texts import ENDLESS\n"
        "from tui_orchestrator.ui.lexers import tokens\n"
        "print(*(language for language, text in ENDLESS.items() if tokens(text, language) is None))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=ASIDE_S, check=True)
    assert done.stdout.split() == list(ENDLESS)


def test_a_language_stays_without_colours_when_that_was_seen_twice() -> None:
    seen = [tokens(text, "registry") is not None for text in (GOOD, BAD, GOOD, BAD, GOOD)]
    assert seen == [True, False, True, False, False]


def test_a_language_is_the_same_under_each_of_its_names() -> None:
    assert [tokens(ENDLESS["fish"], name) for name in ("fish", "fishshell")] == [None, None]
    assert [tokens("ls", name) for name in ("fish", "fishshell")] == [None, None]


class Drawing:
    def __init__(self) -> None:
        lexers.drawings.add(self)
        self.came = asyncio.Event()

    def colours_came(self) -> None:
        self.came.set()


async def test_of_many_in_one_step_one_is_waited_for_and_the_others_have_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited_for = 0

    def counted(most_s: float, work: Callable[[], Result]) -> Result:
        nonlocal waited_for
        waited_for += 1
        return within(most_s, work)

    languages = ("cddl", "fish", "ncl", "pan")
    with monkeypatch.context() as at_leisure:
        at_leisure.setattr(lexers, "MOST_S", 60.0)
        assert None not in [tokens("", language) for language in (*languages, "python")]
    monkeypatch.setattr(lexers, "within", counted)
    drawing = Drawing()
    for step in range(1, lexers.OFTEN * len(languages) + 1):
        assert [tokens(ENDLESS[language], language) for language in languages] == [None] * 4
        assert tokens("x = 1", "python") is None
        assert waited_for == step
        await drawing.came.wait()
        drawing.came.clear()
    assert [tokens(ENDLESS[language], language) for language in languages] == [None] * 4
    assert tokens("x = 1", "python") is not None
    await asyncio.sleep(0)
    assert not drawing.came.is_set()


@pytest.mark.parametrize("language", ["scala", "pug"])
async def test_a_lexer_that_takes_long_to_load_is_loaded_aside(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is quick to load, and uses the first where the text asks for it."""
    drawing = Drawing()
    monkeypatch.setattr(lexers, "MOST_S", 60.0)
    assert None not in (tokens("", "python"), tokens("p", "pug"))
    monkeypatch.setattr(lexers, "MOST_S", 0.0)
    assert tokens("- val x = 1", language) is None
    monkeypatch.setattr(lexers, "MOST_S", 60.0)
    await asyncio.sleep(0)
    assert tokens("", "python") is None, "nothing has colours until it has been loaded"
    await drawing.came.wait()
    assert None not in (tokens("", "python"), tokens("- val x = 1", language))


async def test_where_nothing_can_be_stopped_code_has_no_colours() -> None:
    assert await asyncio.to_thread(tokens, "x = 1", "python") is None


async def test_a_fence_that_a_lexer_never_ends_is_drawn_and_the_console_goes_on(tmp_path: Path) -> None:
    script = Script().always(Say(f"So:\n\n```registry\n{BAD}\n```\n\n```python\nx = 1\n```\n\nThat is all."))
    async with console(tmp_path, script=script) as seat:
        await seat.send("what is in it?")
        await seat.ended()
        await seat.until(lambda: BAD in seat.screen and "That is all." in seat.screen, "the answer")
        await seat.pilot.press(*"zq")
        assert "zq" in seat.written
        strips = seat.app.screen._compositor.render_strips()
        drawn = {segment.style.color for strip in strips for segment in strip if BAD in segment.text and segment.style}
        assert drawn == {seat.app.chat.transcript._rows.look.style("text").color}


async def test_an_answer_is_coloured_when_its_lexer_has_been_loaded(tmp_path: Path) -> None:
    script = Script().always(Say("So:\n\n```scala\nobject Here\n```\n"))
    async with console(tmp_path, script=script) as seat:
        await seat.send("what is it?")
        await seat.ended()
        keyword = seat.app.chat.transcript._rows.look.style("code-keyword").color

        def coloured() -> bool:
            strips = seat.app.screen._compositor.render_strips()
            segments = [segment for strip in strips for segment in strip if segment.text == "object"]
            return any(segment.style is not None and segment.style.color == keyword for segment in segments)

        await seat.until(coloured, "the colours")
