"""Asking the terminal to notify the user's desktop, in the way this terminal knows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from tui_orchestrator.routing.text import clean_line

TITLE = "tui-orchestrator"
LONGEST = 200
_BEL, _ESC = "\x07", "\x1b"
_ST = f"{_ESC}\\"


class Way(StrEnum):
    OSC_9 = "osc 9"
    OSC_99 = "osc 99"
    OSC_777 = "osc 777"
    BELL = "bell"


_PROGRAMS = {
    "iterm.app": Way.OSC_9,
    "wezterm": Way.OSC_9,
    "warpterminal": Way.OSC_9,
    "ghostty": Way.OSC_777,
    "rio": Way.OSC_9,
}
"""TERM_PROGRAM in lower case. Of each terminal's own documents, November 2026."""


def way_of(environ: Mapping[str, str]) -> Way:
    """By what terminals say of themselves in the environment. Inside a multiplexer TERM and TERM_PROGRAM are its own,
    but the variables of the terminal outside are there still, from when it was started."""
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "").lower()
    if environ.get("KITTY_WINDOW_ID") or term == "xterm-kitty":
        return Way.OSC_99
    if program in _PROGRAMS:
        return _PROGRAMS[program]
    if environ.get("GHOSTTY_RESOURCES_DIR") or term == "xterm-ghostty":
        return Way.OSC_777
    if environ.get("WEZTERM_PANE") or environ.get("LC_TERMINAL") == "iTerm2" or environ.get("WT_SESSION"):
        return Way.OSC_9
    if term.startswith(("foot", "rxvt-unicode")) or environ.get("VTE_VERSION"):
        return Way.OSC_777
    return Way.BELL


def notification(sentence: str, environ: Mapping[str, str], *, bell: bool = False) -> str:
    """What to write to the terminal. The sentence can neither end the sequence nor be one."""
    way = Way.BELL if bell else way_of(environ)
    if way is Way.BELL:
        return _BEL
    return _passed_through(_sequence(way, clean_line(sentence, LONGEST)), environ)


def _sequence(way: Way, said: str) -> str:
    if way is Way.OSC_99:
        # Two parts of one notification: the title, then the rest. It closes with no answer asked for.
        return f"{_ESC}]99;i=1:d=0;{TITLE}{_ST}{_ESC}]99;i=1:d=1:p=body;{said}{_ST}"
    if way is Way.OSC_777:
        # A semicolon would begin another field.
        return f"{_ESC}]777;notify;{TITLE};{said.replace(';', ',')}{_ST}"
    # After "9;" a number would be a command of some terminals, such as a progress bar.
    return f"{_ESC}]9;{TITLE}: {said}{_ST}"


def _passed_through(sequence: str, environ: Mapping[str, str]) -> str:
    """tmux hands on what is wrapped where allow-passthrough is on, and drops it otherwise; so does GNU screen."""
    if environ.get("TMUX"):
        return f"{_ESC}Ptmux;{sequence.replace(_ESC, _ESC * 2)}{_ST}"
    if environ.get("STY"):
        # The first ESC \ would end the wrapping, so what is inside ends with BEL.
        return f"{_ESC}P{sequence.replace(_ST, _BEL)}{_ST}"
    return sequence
