"""What a terminal sends and what it is sent. `benchmarks/hostile.py` tries ten thousand texts at a pseudo-terminal."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from textual import events
from textual.color import Color
from textual.message import Message

from benchmarks.terminal.pseudoterminal import foreign
from benchmarks.terminal.texts import GIANTS, texts
from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Reply, Say, Script
from tui_orchestrator.ui import words
from tui_orchestrator.ui.blocks import MAX_LINES
from tui_orchestrator.ui.dialogs import Choice, Picker, draw_choice
from tui_orchestrator.ui.drawing import MANY, SHARING, Drawn
from tui_orchestrator.ui.entries import Entry
from tui_orchestrator.ui.guard import Writer
from tui_orchestrator.ui.keyboard import Keys
from tui_orchestrator.ui.lines import Line
from tui_orchestrator.ui.look import Look
from tui_orchestrator.ui.markdown import lay_out
from tui_orchestrator.ui.terminal import Net, harmless

LOOK = Look.of({})
PASTE = ("\x1b[200~", "\x1b[201~")


def told(messages: list[Message]) -> list[tuple[str, str]]:
    return [
        ("paste", message.text) if isinstance(message, events.Paste) else ("key", getattr(message, "key", "?"))
        for message in messages
    ]


def fed(*pieces: str) -> list[tuple[str, str]]:
    keys = Keys()
    return told([message for piece in pieces for message in keys.feed(piece)])


@given(st.text(st.sampled_from("ab\x1b[20~1\n語"), max_size=60), st.lists(st.integers(0, 80), max_size=6))
def test_a_paste_is_one_however_it_is_cut(body: str, cuts: list[int]) -> None:
    body = body.replace(PASTE[1], "")
    whole = f"{PASTE[0]}{body}{PASTE[1]}z"
    places = sorted({len(PASTE[0]), *(len(PASTE[0]) + cut for cut in cuts), len(whole)})
    pieces = [whole[start:end] for start, end in zip([0, *places], places, strict=False)]
    assert fed(*pieces) == [("paste", body.split(PASTE[1])[0]), ("key", "z")]


KEYS = {
    "x": "x",
    "\r": "enter",
    "\x1b\x1b[B": "escape down",
    "\x1b\x1b\x1bu": "escape escape alt+u",
    "\x1bu": "alt+u",
    "\x1bd": "alt+d",
    "\x1bM": "alt+shift+m",
    "\x1bf": "ctrl+right",
    "\x1b[B": "down",
    "\x1bOQ": "f2",
    "\x1b[20~": "f9",
    "\x1b[1;5C": "ctrl+right",
    "\x1b[109;3u": "alt+m",
    "\x1b[27u": "escape",
}
"""What terminals send, the last two with the kitty protocol."""


@settings(max_examples=200)
@given(st.lists(st.sampled_from([*KEYS, PASTE[0] + "a\x1bu" + PASTE[1]])), st.lists(st.integers(1, 120)))
def test_every_key_acts_however_soon_the_next_one_comes_and_however_they_are_cut(
    sent: list[str], cuts: list[int]
) -> None:
    whole = "".join([*sent, "\x1b[B"])
    places = sorted({*(cut for cut in cuts if cut < len(whole)), len(whole)})
    pieces = [whole[start:end] for start, end in zip([0, *places], places, strict=False)]
    names = (KEYS.get(key, "paste").split() for key in [*sent, "\x1b[B"])
    expected = [("paste", "a\x1bu") if name == "paste" else ("key", name) for each in names for name in each]
    assert fed(*pieces) == expected


def test_a_letter_with_alt_is_a_key_at_once() -> None:
    assert fed("\x1bu") == [("key", "alt+u")]
    assert fed("\x1b", "u") == [("key", "alt+u")]


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from(["\x1b[", "\x1b", "<0;", "99999999999", "u", "M", ";", ":", "~", "\ufffd", "[", "-1", "t"])
    )
)
def test_what_is_no_key_does_not_end_the_keys(garbage: list[str]) -> None:
    keys = Keys()
    for piece in garbage:
        told(list(keys.feed(piece)))
    told(list(keys.feed("\x1b[Z" * 12)))
    assert ("key", "q") in told(list(keys.feed("qqqq")))


def test_a_terminal_that_takes_nothing_is_not_waited_for() -> None:
    reading, writing = os.pipe()
    caught_up = threading.Event()
    with os.fdopen(writing, "w") as file:
        writer = Writer(file, caught_up.set)
        writer.start()
        for _ in range(100):
            writer.write("x" * 65_536)
        assert writer.waiting > 65_536
        left = 100 * 65_536
        while left:
            left -= len(os.read(reading, 65_536))
        assert caught_up.wait(30)
        writer.write("the end")
        writer.stop()
        assert not writer.is_alive()
    assert os.read(reading, 100) == b"the end"
    os.close(reading)


def test_a_terminal_that_is_gone_is_no_trouble() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as file:
        writer = Writer(file, lambda: None)
        writer.start()
        for _ in range(10):
            writer.write("x" * 65_536)
        writer.stop()
        assert (writer.is_alive(), writer.waiting) == (False, 0)


@given(st.text(st.characters(), max_size=80))
def test_nothing_but_what_is_drawn_passes_the_net(text: str) -> None:
    (segment,) = Net().apply([Segment(text)], Color(0, 0, 0))
    assert foreign(segment.text.encode(errors="replace")) == []
    assert not set("\n\t") & set(segment.text)


@given(st.text(max_size=30), st.integers(1, 20))
def test_words_that_no_cell_is_drawn_for_are_wrapped_too(text: str, width: int) -> None:
    assert "".join(words.wrap(f"\u200b {text} \u0301", width)).split() != []


def test_no_letter_has_more_marks_than_any_script_gives_it() -> None:
    assert harmless("Z" + "\u0301" * 5_000 + "a") == "Z" + "\u0301" * 4 + "a"
    assert harmless("क्षेत्र e\u0302\u0301 👩‍👩‍👧‍👦") == "क्षेत्र e\u0302\u0301 👩‍👩‍👧‍👦"


def test_however_many_blocks_an_answer_has_its_pieces_stay_few() -> None:
    for name in ("short paragraphs", "headings", "fences"):
        entry = Entry.answer(GIANTS[name](7_000))
        drawn = Drawn(entry)
        while entry.unread or not drawn.pieces:
            drawn.refresh(80, float("inf"))
        blocks = entry.settled(0)
        assert len(blocks) > MANY + 10 * SHARING
        assert len(drawn.pieces) < MANY + 2 + len(blocks) // (SHARING - 1)
        together = [(piece.gap, piece.draw(80, LOOK)) for piece in drawn.pieces]
        alone = [(block.gap, lay_out(block, 80, LOOK)) for block in blocks]
        assert as_text(together) == as_text(alone)


@pytest.mark.parametrize("name", ["underlined", "short paragraphs", "short lines"])
def test_blocks_that_share_a_piece_have_no_more_lines_than_one_may_have(name: str) -> None:
    """They are laid out in one go, and a line of one letter costs as much as one of many words."""
    entry = Entry.answer(GIANTS[name](200_000))
    drawn = Drawn(entry)
    while entry.unread or not drawn.pieces:
        drawn.refresh(80, float("inf"))
    assert len(entry.settled(0)) > MANY + 10
    gaps = SHARING
    assert max(piece.rows for piece in drawn.pieces) <= MAX_LINES + gaps


def as_text(parts: list[tuple[int, list[Line]]]) -> str:
    return "".join("\n" * gap + "".join(f"{line.text}\n" for line in lines) for gap, lines in parts).lstrip("\n")


async def everywhere(seat: Console, script: Script, number: int, text: str) -> None:
    app = seat.app
    match number % 8:
        case 0:
            app.say(text, "error")
        case 1:
            app.notify(text, title=text[:60], timeout=0.01)
        case 2:
            script.then(Say(text or "x", thinking=text))
            await seat.send(f"question {number}")
            await seat.ended()
        case 3:
            script.then(Reply(400, text))
            await seat.send(f"question {number}")
            await seat.ended()
        case 4:
            app.composer.prompt.post_message(events.Paste(text))
            await seat.pilot.pause()
            app.composer.prompt.text = ""
        case 5:
            app.push_screen(Picker(text[:90], [Choice("a", ((text, ""),), text)], empty=text, hint=text[:30]))
            await seat.pilot.pause()
            no_control(seat)
            app.pop_screen()
        case 6:
            app.title_shown = app.working = text
            app.tell_status()
            app.composer.say(problem=text)
        case 7 if app.decision.decision is not None:
            app.decision.show_stored(replace(app.decision.decision, reason=text, model=text), ())
    await seat.pilot.pause()


def no_control(seat: Console) -> None:
    segments = [segment for strip in seat.app.screen._compositor.render_strips() for segment in strip]
    assert foreign("".join(segment.text for segment in segments).encode(errors="replace")) == []
    styles = [segment.style for segment in segments if segment.style is not None]
    assert not [style for style in styles if style.link or "hostile" in str(style.meta)]


async def test_no_text_reaches_the_screen_with_a_control_or_an_action_in_it(tmp_path: Path) -> None:
    script = Script()
    async with console(tmp_path, size=(100, 30), script=script) as seat:
        await seat.send("/model rush-pro")
        for number, text in enumerate(texts(8)):
            await everywhere(seat, script, number, text)
            no_control(seat)


def test_the_texts_would_be_noticed() -> None:
    noticed = [foreign(text.encode(errors="replace")) for text in texts(200)]
    assert sum(map(bool, noticed)) > 150
    assert foreign(b"\x1b[1;31mred\x1b[0m\x1b[2;5Hplain\r\n") == []


def test_a_choice_is_a_row_however_long_its_text_is() -> None:
    drawn = draw_choice(Choice("a", (("a\n" * 1_000, ""), ("b", "")), note="c\n" * 1_000))
    head, note = drawn.plain.split("\n")
    assert head == "  " + "a " * 250 + "b"
    assert note == "  " + "c " * 250
