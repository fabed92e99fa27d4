"""Changing a setting by its kind: a switch turns, a choice is a list, everything else is a field."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from textual.app import App

from tui_orchestrator.settings.kinds import MODEL, Choice, Flag, FlagOr, ListOf, Url
from tui_orchestrator.settings.listing import Listed, Section
from tui_orchestrator.settings.shape import Key, Path, Table, dotted

from . import dialogs, words
from .setting_field import Field

_KNOWN_NAMES = {
    ("budgets", "providers"): "providers",
    ("budgets", "models"): "models",
    ("cache", "models"): "models",
    ("models",): "models",
    ("ui", "keymap"): "actions",
}


class SettingDeeds:
    """Each waits for the user, so it runs in a worker."""

    def __init__(
        self,
        app: App[Any],
        suggest: Callable[[str], Mapping[str, str]],
        change: Callable[[str, str | None], Awaitable[str]],
        write: Callable[[str, str | None], object],
    ) -> None:
        """`suggest`: names, and what is said about each. `change`: '' when it is done, else a sentence. `write`: the
        same, and what is wrong is said on the screen."""
        self._app = app
        self._suggest = suggest
        self._change = change
        self._write = write

    async def edit(self, setting: Listed, key: Key) -> None:
        if isinstance(key.kind, Flag):
            self._write(setting.name, "false" if setting.typed == "true" else "true")
        elif options := self._options(setting.path, key):
            room = max(16, *map(len, options)) + 2
            choices = []
            for one, about in options.items():
                said = " · ".join(part for part in (about, _as_it_stands(one, setting)) if part)
                columns = ((words.fit(one, room), ""), (said, words.MUTED))
                choices.append(dialogs.Choice(one, columns, marked=one == setting.typed))
            picker = dialogs.Picker(setting.name, choices, empty="There is no such choice.", hint="Enter writes it")
            chosen = await self._app.push_screen_wait(picker)
            if chosen is not None and chosen != setting.typed:
                self._write(setting.name, chosen)
        else:
            await self._ask_value(setting.path, key, setting.typed)

    def _options(self, path: Path, key: Key) -> Mapping[str, str]:
        if isinstance(key.kind, Choice):
            return dict.fromkeys(key.kind.options, "")
        if isinstance(key.kind, FlagOr):
            return dict.fromkeys(("true", "false", key.kind.word), "")
        return self._suggest("themes") if path == ("ui", "theme") else {}

    async def _ask_value(self, path: Path, key: Key, typed: str) -> None:
        name = dotted(path)
        secret = isinstance(key.kind, Url) and key.kind.secret
        commas = " Commas go between several." if isinstance(key.kind, ListOf) else ""
        hidden = " What is there is not shown." if secret else ""
        note = f"{key.doc}\n{key.kind.words[0].upper()}{key.kind.words[1:]}.{commas}{hidden}"

        async def submit(text: str) -> str:
            return await self._change(name, text)

        suggestions = tuple(self._suggest("models")) if key.kind is MODEL else ()
        field = Field(name, typed, note, _checked_by(key), submit, suggestions=suggestions, secret=secret)
        await self._app.push_screen_wait(field)

    # -- names of the user's own

    async def add(self, section: Section) -> None:
        table = section.adds
        if table is None or table.each is None:
            return

        async def take(name: str) -> str:
            return ""

        field = Field(
            f"add {dotted((*section.path, table.name))}",
            "",
            f"{section.doc}\nFirst its name, such as {table.sample}.",
            _names(table),
            take,
            suggestions=tuple(self._suggest(_KNOWN_NAMES.get(section.path, ""))),
            verb="Enter goes on",
        )
        name = await self._app.push_screen_wait(field)
        if name is None:
            return
        path, key = (*section.path, name.strip()), table.each
        if isinstance(key, Table):
            chosen = await self._pick_key(path, key)
            if chosen is None:
                return
            path, key = (*path, chosen[0]), chosen[1]
        if isinstance(key.kind, Flag):
            await self._ask_flag(path, key)
        else:
            await self._ask_value(path, key, "")

    async def _pick_key(self, path: Path, table: Table) -> tuple[str, Key] | None:
        keys = {
            name: key
            for name, key in table.keys.items()
            if isinstance(key, Key) and not key.hidden and not (path[0] == "models" and name == "id")
        }
        choices = [dialogs.Choice(name, ((name, ""),), key.doc) for name, key in keys.items()]
        picker = dialogs.Picker(f"{dotted(path)}: what of it?", choices, empty="There is no such key.")
        chosen = await self._app.push_screen_wait(picker)
        return None if chosen is None else (chosen, keys[chosen])

    async def _ask_flag(self, path: Path, key: Key) -> None:
        choices = [dialogs.Choice(word, ((word, ""),)) for word in ("true", "false")]
        picker = dialogs.Picker(dotted(path), choices, empty="It is true or false.", hint="Enter writes it")
        chosen = await self._app.push_screen_wait(picker)
        if chosen is not None:
            self._write(dotted(path), chosen)


def _as_it_stands(option: str, setting: Listed) -> str:
    return "the default" if setting.default == f'"{option}"' or setting.default == option else ""


def _checked_by(key: Key) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            key.parse(key.from_text(text))
        except ValueError as error:
            return str(error)
        return ""

    return check


def _names(table: Table) -> Callable[[str], str]:
    def check(name: str) -> str:
        if re.fullmatch(table.name_fits, name.strip()):
            return ""
        return f"{name.strip()!r} cannot be a name here; give {table.name}, such as {table.sample}"

    return check
