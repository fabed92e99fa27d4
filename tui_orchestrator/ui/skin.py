"""The colours: palettes from files, one of them on screen, read again when a file is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.filter import Monochrome, NoColor

from tui_orchestrator.locations import shipped_themes, themes_dir

from . import choosing, themes
from .colourless import Colourless
from .dialogs import Picker
from .in_turn import typed_beside
from .terminal import AtTerminal

if TYPE_CHECKING:
    from tui_orchestrator.settings import Settings


class Skinned(AtTerminal):
    def __init__(self, wanted: str | None, themes_added: Callable[[], Iterable[Path]] = tuple) -> None:
        """`wanted` None: the console's own. `themes_added` gives the files of plugins, asked where `wanted` is none of
        the others."""
        super().__init__()
        if self.no_color:
            self._filters = [one for one in self._filters if not isinstance(one, Monochrome | NoColor)] + [Colourless()]
        self._palettes: dict[str, themes.Palette] = {}
        self._theme_places = (*shipped_themes(), themes_dir())
        loaded = themes.load(self._theme_places)
        if wanted is not None and wanted not in {palette.name for palette in loaded.palettes}:
            self._add_places(themes_added())
            loaded = themes.load(self._theme_places)
        self.theme_problems = list(loaded.problems)
        """A sentence each."""
        self._use_palettes(loaded)
        if themes.DEFAULT in self._palettes:
            self.theme = themes.DEFAULT
        if wanted in self._palettes:
            self.theme = wanted
        elif wanted is not None:
            self.theme_problems.append(f"[ui] theme: {self.no_theme(wanted)}")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What our palettes have and a theme of Textual's lacks."""
        return {"muted": "#8f99ad", "rule": "#39425a", "money": "#b4d77f", "ink": "#11141c", "marked": "#252c58",
                "marked-style": "none"}  # fmt: skip

    def on_mount(self) -> None:
        self._watch_themes()

    def _add_places(self, added: Iterable[Path]) -> None:
        # Before the user's own, which may take the place of any.
        self._theme_places = (*shipped_themes(), *added, themes_dir())

    async def add_themes(self, added: Sequence[Path]) -> None:
        """Those of plugins, beside the others."""
        if added:
            self._add_places(added)
            self._use_palettes(await asyncio.to_thread(themes.load, self._theme_places))
            self._watch_themes()

    def _use_palettes(self, loaded: themes.Loaded) -> None:
        self._palettes = {palette.name: palette for palette in loaded.palettes}
        for palette in loaded.palettes:
            self.register_theme(palette.to_textual(colourless=self.no_color))

    @typed_beside
    @work(group="themes", exclusive=True, exit_on_error=False)
    async def _watch_themes(self) -> None:
        worn: themes.Palette | None = None
        async for loaded in themes.watch(self._theme_places):
            worn = self._palettes.get(self.theme, worn)
            self._use_palettes(loaded)
            if self.theme in self._palettes:
                # Assigned again it would be no change; what is drawn from it has to be told.
                self._watch_theme(self.theme)
            elif worn is not None and not await asyncio.to_thread(worn.path.exists):
                stay = "its colours stay until you choose others"
                gone = f"The theme {worn.name} is gone with its file {worn.path}; {stay}"
                self.notify(gone, severity="warning", markup=False)
                worn = None
            for problem in loaded.problems:
                self.notify(problem, severity="warning", markup=False)

    @property
    def theme_names(self) -> list[str]:
        return sorted(self._palettes)

    @property
    def themes_about(self) -> dict[str, str]:
        """What is said about each, by name."""
        return {name: palette.about for name, palette in self._palettes.items()}

    def no_theme(self, name: str) -> str:
        """What is said of a name that none has."""
        return f"no theme is called {name!r}; there are {', '.join(sorted(self._palettes))}"

    def use_theme(self, name: str) -> None:
        if name in self._palettes:
            self.theme = name
        else:
            self.notify(self.no_theme(name), severity="error", markup=False)

    @work
    async def action_pick_theme(self) -> None:
        choices = choosing.theme_choices(self.themes_about, self.theme)
        chosen = await self.push_screen_wait(Picker("Theme", choices, empty="No theme is called that."))
        if chosen is not None:
            self.choose_theme(chosen)

    def choose_theme(self, name: str) -> None:
        """What a person has chosen; the console keeps it for the next start."""
        self.use_theme(name)


def themes_of_plugins(settings: Settings) -> list[Path]:
    """Files of plugins, where the theme that is wanted is called like one of theirs. Blocking."""
    from tui_orchestrator.plugins import Kind
    from tui_orchestrator.plugins.finding import names

    if settings.ui.theme not in names(Kind.THEME):
        return []
    from tui_orchestrator.services.plugging import plugins_of

    return plugins_of(settings, only=(Kind.THEME,)).themes
