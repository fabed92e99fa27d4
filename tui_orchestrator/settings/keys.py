"""The names of keys, as [ui.keymap] takes them."""

from __future__ import annotations

import difflib
import string
import unicodedata
from dataclasses import dataclass

MODIFIERS = ("ctrl", "alt", "shift", "super", "hyper", "meta")
NAMED = (
    *("enter", "escape", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"),
    *("up", "down", "left", "right", *(f"f{n}" for n in range(1, 25))),
    *("slash", "backslash", "at", "minus", "plus", "underscore", "asterisk", "comma", "full_stop", "colon"),
)
"""As Textual calls them. A letter, a digit or a sign is its own name, and that of a sign in ASCII one too:
"question_mark"."""
_SIGNS = frozenset(unicodedata.name(sign).lower().replace("-", "_").replace(" ", "_") for sign in string.punctuation)
_RENAMED = frozenset({"solidus", "reverse_solidus", "commercial_at", "hyphen_minus", "plus_sign", "low_line"})
"""In `NAMED` as Textual calls them instead."""


@dataclass(frozen=True, slots=True)
class KeyNames:
    words: str = 'a key ("f7", "ctrl+z", "alt+shift+up"), or several with commas between'

    def parse(self, raw: object) -> str:
        if not isinstance(raw, str) or not raw.strip():
            raise ValueError(f"{raw!r} is not the name of a key")
        keys = [key.strip() for key in raw.split(",")]
        for key in keys:
            if problem := problem_with(key):
                raise ValueError(problem)
        return ",".join(keys)

    def from_text(self, text: str) -> object:
        return text


def problem_with(key: str) -> str:
    """Why there is no such key; empty where there is."""
    if key != key.lower() and len(key) > 1 and not problem_with(key.lower()):
        return f"there is no key {key!r}; did you mean {key.lower()!r}?"
    *modifiers, own = key.split("+")
    for modifier in modifiers:
        if modifier not in MODIFIERS:
            return f"there is no key {key!r}: {modifier!r} is none of {', '.join(MODIFIERS)}"
    if not own:
        return f"{key!r} is not the name of a key" + (': say "plus"' if key.endswith("+") else "")
    if own in NAMED or (len(own) == 1 and own.isprintable() and not own.isspace()) or own in _SIGNS - _RENAMED:
        return ""
    close = difflib.get_close_matches(own.lower(), (*NAMED, *MODIFIERS), n=1)
    hint = f"; did you mean {'+'.join([*modifiers, close[0]])!r}?" if close else ""
    return f"there is no key {key!r}{hint}"
