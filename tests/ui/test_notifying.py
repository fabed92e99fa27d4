"""The terminal's own notification: for each terminal what it knows, and nothing that a sentence could abuse."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.ui.notifying import Way, notification, way_of

KITTY = {"TERM": "xterm-kitty"}


@pytest.mark.parametrize(
    ("environ", "way"),
    [
        ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, Way.OSC_99),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, Way.OSC_9),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, Way.OSC_9),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WarpTerminal"}, Way.OSC_9),
        ({"TERM": "xterm-256color", "WT_SESSION": "abc"}, Way.OSC_9),
        ({"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, Way.OSC_777),
        ({"TERM": "foot"}, Way.OSC_777),
        ({"TERM": "rxvt-unicode-256color"}, Way.OSC_777),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7800"}, Way.OSC_777),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, Way.BELL),
        ({"TERM": "linux"}, Way.BELL),
        ({}, Way.BELL),
        # Inside tmux the terminal outside is told by what it left in the environment.
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "/tmp/t,1,0", "LC_TERMINAL": "iTerm2"}, Way.OSC_9),
        ({"TERM": "screen", "TMUX": "/tmp/t,1,0", "KITTY_WINDOW_ID": "1"}, Way.OSC_99),
    ],
)
def test_a_terminal_is_told_by_its_environment(environ: dict[str, str], way: Way) -> None:
    assert way_of(environ) is way


def test_each_way_has_its_own_form() -> None:
    assert notification("90%", {"TERM_PROGRAM": "iTerm.app"}) == "\x1b]9;tui-orchestrator: 90%\x1b\\"
    assert notification("a;b", {"TERM": "foot"}) == "\x1b]777;notify;tui-orchestrator;a,b\x1b\\"
    assert notification("90%", KITTY) == "\x1b]99;i=1:d=0;tui-orchestrator\x1b\\\x1b]99;i=1:d=1:p=body;90%\x1b\\"
    assert notification("90%", {}) == notification("90%", KITTY, bell=True) == "\x07"


def test_through_tmux_each_escape_is_doubled() -> None:
    environ = {"TMUX": "/tmp/t,1,0", "WEZTERM_PANE": "0"}
    assert notification("90%", environ) == "\x1bPtmux;\x1b\x1b]9;tui-orchestrator: 90%\x1b\x1b\\\x1b\\"


def test_through_screen_it_ends_once() -> None:
    environ = {"STY": "1.pts", "WEZTERM_PANE": "0"}
    assert notification("90%", environ) == "\x1bP\x1b]9;tui-orchestrator: 90%\x07\x1b\\"


@given(st.text(), st.sampled_from([KITTY, {"TERM": "foot"}, {"WT_SESSION": "1"}]))
def test_no_sentence_can_end_the_sequence_or_begin_another(sentence: str, environ: dict[str, str]) -> None:
    written = notification(sentence, environ)
    body = written.removesuffix("\x1b\\").rpartition(";")[2]
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", body)
    assert written.count("\x1b") == (4 if environ is KITTY else 2)
