"""What the keys are called, as the user's keymap has them: every sentence that names one takes it from here."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from textual.app import App

from .commands import ACTIONS, UNBOUND

NO_KEY = "no key"
_NAMED = re.compile(r"\{([a-z]+\.[a-z_0-9]+)\}")
_SPOKEN = {
    "escape": "Esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "slash": "/",
    "asterisk": "*",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
}
_HEARD = {name: key for key, name in _SPOKEN.items()}
_WORDS = ("Enter", "Tab", "Space", "Home", "End", "Delete", "Insert", "Backspace")
_FUNCTION_KEY = re.compile(r"F\d{1,2}")
_BY_ID = {action.id: action for action in ACTIONS}


@lru_cache(512)
def spoken_key(key: str) -> str:
    """'Ctrl+S', 'F7', 'Esc'."""
    *modifiers, own = key.split("+")
    own = _SPOKEN.get(own, own if len(own) == 1 and modifiers == [] else own.capitalize())
    return "+".join([*(modifier.capitalize() for modifier in modifiers), own])


def key_named(name: str) -> str:
    """The key that `spoken_key` calls so; "" for what is no key's name."""
    *modifiers, own = name.removesuffix(":").split("+")
    if len(own) == 1 and own.isalpha() and not modifiers:
        return own
    known = own in _HEARD or own in _WORDS or (len(own) == 1 and own.isalpha()) or _FUNCTION_KEY.fullmatch(own)
    if not known or not {"Ctrl", "Alt", "Shift"}.issuperset(modifiers):
        return ""
    return "+".join([*modifiers, _HEARD.get(own, own)]).lower()


def key_to(app: App[Any], action_id: str) -> str:
    """What a person presses for it, by the user's keymap; where there are several keys the first, where there is none
    that of the palette, which offers it."""
    ways = [action_id, "app.palette"] if _BY_ID[action_id].palette else [action_id]
    keys = (app._keymap.get(way, _BY_ID[way].key).split(",")[0].strip() for way in ways)
    return next((spoken_key(key) for key in keys if key != UNBOUND), NO_KEY)


def keyed(app: App[Any], text: str) -> str:
    """`text` with the key of each action that it names in braces: '{strategy.pick} changes the strategy'."""
    return _NAMED.sub(lambda found: key_to(app, found[1]) if found[1] in _BY_ID else found[0], text)
