"""Palettes from TOML files, one a file: the shipped ones and the user's own, as Textual themes.

A broken file is skipped and told in one sentence; it never keeps the console from starting.
"""

from __future__ import annotations

import asyncio
import difflib
import re
import tomllib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from textual.color import Color, ColorParseError
from textual.theme import Theme

from tui_orchestrator.opening import LONGEST_THEME, opened, parsed
from tui_orchestrator.routing.text import clean_line

DEFAULT = "dusk"

COLORS = (
    "background",
    "surface",
    "panel",
    "text",
    "muted",
    "border",
    "primary",
    "secondary",
    "accent",
    "success",
    "warning",
    "error",
)
"""All needed. `text` and `muted` are written on background, surface and panel, every other but `border` on background
and surface."""

# What stands in for each where a palette does not name it. On `marked`, the row of a list that is marked, all stand.
ROLES = {
    "user-bar": "primary",
    "user-background": "surface",
    "thinking": "muted",
    "discarded": "muted",
    "money": "success",
    "selection": "panel",
    "marked": "panel",
}
CODE = {
    "background": "surface",
    "keyword": "primary",
    "string": "success",
    "number": "accent",
    "comment": "muted",
    "function": "secondary",
    "type": "warning",
    "inline": "accent",
}

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LONGEST_ABOUT = 40


class ThemeError(ValueError):
    """One sentence: file, line, key, and what would be right."""


@dataclass(frozen=True, slots=True)
class Palette:
    name: str
    dark: bool
    ansi: bool
    """Its colours are the terminal's own sixteen, which the user chose there."""
    colors: Mapping[str, str]
    """By key of COLORS, each #rrggbb; of an ansi one such as ansi_blue or ansi_default."""
    roles: Mapping[str, str]
    code: Mapping[str, str]
    path: Path
    """Of its file."""
    about: str = ""
    """In a few words, for lists."""

    def to_textual(self, colourless: bool = False) -> Theme:
        """`colourless`: what is marked is reversed, as it is where the colours are the terminal's own: of those none is
        known to be read on another."""
        colors = self.colors
        ink = "ansi_black" if self.ansi else colors["background"]
        marked_style = "reverse" if self.ansi or colourless else "none"
        variables = {
            "ink": ink,
            "muted": colors["muted"],
            "rule": colors["border"],
            "text-muted": colors["muted"],
            "foreground-muted": colors["muted"],
            "border-blurred": colors["border"],
            "scrollbar": colors["border"],
            "scrollbar-hover": colors["muted"],
            "scrollbar-active": colors["primary"],
            "scrollbar-background": colors["background"],
            "scrollbar-background-hover": colors["background"],
            "scrollbar-background-active": colors["background"],
            "scrollbar-corner-color": colors["background"],
            "footer-background": colors["panel"],
            "footer-key-foreground": colors["accent"],
            "input-selection-background": self.roles["selection"],
            "screen-selection-background": self.roles["selection"],
            "screen-selection-foreground": colors["text"],
            **(
                {"block-cursor-background": "ansi_default", "block-cursor-text-style": "bold reverse"}
                if self.ansi
                else {}
            ),
            "block-cursor-foreground": "ansi_default" if self.ansi else ink,
            "button-color-foreground": ink,
            "marked-style": marked_style,
            "block-cursor-blurred-background": self.roles["marked"],
            "block-cursor-blurred-foreground": colors["text"],
            "block-cursor-blurred-text-style": marked_style,
            # What Textual's own styles ask of such a theme.
            "ansi-background": "ansi_default" if self.ansi else colors["background"],
            "ansi-foreground": "ansi_default" if self.ansi else colors["text"],
            **self.roles,
            **{f"code-{key}": value for key, value in self.code.items()},
        }
        return Theme(
            name=self.name,
            dark=self.dark,
            ansi=self.ansi,
            foreground=colors["text"],
            variables=variables,
            background=colors["background"],
            surface=colors["surface"],
            panel=colors["panel"],
            primary=colors["primary"],
            secondary=colors["secondary"],
            accent=colors["accent"],
            success=colors["success"],
            warning=colors["warning"],
            error=colors["error"],
        )


@dataclass(frozen=True, slots=True)
class Loaded:
    palettes: tuple[Palette, ...]
    """By name; of two with the same name the later one."""
    problems: tuple[str, ...]
    """A sentence for each file that was skipped."""


def load(places: Iterable[Path]) -> Loaded:
    """From files, and from the *.toml of directories; one that does not exist holds none. Reads the disk."""
    palettes: dict[str, Palette] = {}
    problems: list[str] = []
    for path in _files(places):
        try:
            palette = read(path)
        except ThemeError as error:
            problems.append(str(error))
        else:
            palettes[palette.name] = palette
    return Loaded(tuple(palettes[name] for name in sorted(palettes)), tuple(problems))


async def watch(places: Iterable[Path], every_s: float = 1.0) -> AsyncIterator[Loaded]:
    """All palettes anew whenever a file has been saved, added or removed. The disk is read off the event loop."""
    places = tuple(places)
    seen = await asyncio.to_thread(_stamps, places)
    while True:
        await asyncio.sleep(every_s)
        now = await asyncio.to_thread(_stamps, places)
        if now != seen:
            seen = now
            yield await asyncio.to_thread(load, places)


def read(path: Path) -> Palette:
    """Raises ThemeError."""
    try:
        with opened(path) as file:
            source = file.read(LONGEST_THEME + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ThemeError(f"{path}: cannot be read ({clean_line(str(error))}); it should be a TOML file") from error
    if len(source) > LONGEST_THEME:
        raise ThemeError(f"{path}: is larger than {LONGEST_THEME // 1000} kB; a palette is some forty lines of TOML")
    try:
        table = parsed(source)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ThemeError(f"{path}: is not TOML: {clean_line(str(error))}") from error
    return _Reader(path, source, table).palette()


@dataclass(frozen=True, slots=True)
class _Reader:
    path: Path
    source: str
    table: dict[str, object]

    def palette(self) -> Palette:
        self._known("", self.table, ("name", "about", "dark", "ansi", "colors", "roles", "code"))
        name = self.table.get("name", self.path.stem)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self._error("name", f'{_shown(name)} is no name; write one like "{DEFAULT}"')
        about = self.table.get("about", "")
        if not isinstance(about, str) or len(about) > _LONGEST_ABOUT:
            raise self._error("about", f"should be a few words, at most {_LONGEST_ABOUT} characters")
        dark = self.table.get("dark")
        if not isinstance(dark, bool):
            raise self._error("dark", "is missing; write true or false" if dark is None else "should be true or false")
        ansi = self.table.get("ansi", False)
        if not isinstance(ansi, bool):
            raise self._error("ansi", "should be true or false")
        colors = self._section("colors", dict.fromkeys(COLORS))
        roles = self._section("roles", {key: colors[stand_in] for key, stand_in in ROLES.items()})
        code = self._section("code", {key: colors[stand_in] for key, stand_in in CODE.items()})
        about = clean_line(about) or ("dark" if dark else "light")
        return Palette(name, dark, ansi, colors, roles, code, self.path, about)

    def _section(self, section: str, defaults: Mapping[str, str | None]) -> dict[str, str]:
        given = self.table.get(section, {})
        if not isinstance(given, dict):
            raise self._error(section, f"should be a table: [{section}]")
        self._known(f"{section}.", given, defaults)
        colors: dict[str, str] = {}
        for key, default in defaults.items():
            value = given.get(key, default)
            if value is None:
                raise self._error(f"{section}.{key}", 'is missing; write a colour like "#8fa8ff"')
            colors[key] = self._color(f"{section}.{key}", value)
        return colors

    def _color(self, key: str, value: object) -> str:
        ansi = self.table.get("ansi") is True
        try:
            if isinstance(value, str) and not value.startswith("auto"):
                color = Color.parse(value)
                if ansi and color.ansi is not None:
                    return value
                if not ansi and color.ansi is None and color.a == 1:
                    return color.hex6
        except ColorParseError:
            pass
        if ansi:
            sentence = 'is none of the terminal\'s colours; write one like "ansi_blue" or "ansi_default"'
            raise self._error(key, f"{_shown(value)} {sentence}")
        raise self._error(key, f'{_shown(value)} is no opaque colour; write one like "#8fa8ff"')

    def _known(self, prefix: str, given: Mapping[str, object], keys: Iterable[str]) -> None:
        keys = tuple(keys)
        for key in given:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, 1)
                hint = f"did you mean {near[0]}?" if near else f"it may hold {', '.join(keys)}"
                raise self._error(f"{prefix}{clean_line(key, 40)}", f"is unknown; {hint}")

    def _error(self, key: str, problem: str) -> ThemeError:
        line = self._line(key)
        return ThemeError(f"{self.path}{f':{line}' if line else ''}: {key}: {problem}")

    def _line(self, key: str) -> int | None:
        """Where the key stands; tomllib does not tell. Of a missing key, where its section begins."""
        section, _, name = key.rpartition(".")
        inside = ""
        begins = None
        for number, line in enumerate(self.source.splitlines(), 1):
            if header := re.match(r"\s*\[\s*([\w-]+)\s*\]", line):
                inside = header[1]
                begins = number if inside in (section, key) else begins
            elif inside == section and re.match(rf"""\s*["']?{re.escape(name)}["']?\s*=""", line):
                return number
        return begins


def _files(places: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for place in places:
        files += sorted(place.glob("*.toml")) if place.is_dir() else [place] if place.exists() else []
    return files


def _stamps(places: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    stamps = {}
    for path in _files(places):
        try:
            stat = path.stat()
        except OSError:
            # Removed between listing and looking: the next look sees it gone.
            continue
        stamps[path] = (stat.st_mtime_ns, stat.st_size)
    return stamps


def _shown(value: object) -> str:
    return repr(clean_line(value, 40)) if isinstance(value, str) else clean_line(repr(value), 40)
