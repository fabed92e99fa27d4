"""Every setting over the whole screen: searched while one types, changed where it stands."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.services.preferences import Preferences
from tui_orchestrator.settings.kinds import MODEL, Choice, Flag, FlagOr, ListOf, Url
from tui_orchestrator.settings.listing import Listed, Section
from tui_orchestrator.settings.shape import Key, Path, Table, dotted

from . import dialogs, setting_rows, words
from .bars import KeyBar
from .commands import bindings
from .setting_field import Field
from .words import BAD, GOOD, MUTED, STRONG, WARN

ROOM_FOR_DETAILS = 110
"""Columns from which on the marked setting's details stand beside the list, not beneath it."""
LOW = 18
"""Rows below which there are no details."""
_ADD = "+ "


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a change."""

    sentence: str
    warning: str = ""
    """What keeps it from holding now."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What the screen has done for it."""

    read: Callable[[], Preferences]
    """Off the event loop."""
    change: Callable[[str, str | None], Awaitable[Done]]
    """Of a dotted key to what was typed; None takes it out of the file. Raises OrchestratorError and OSError."""
    suggest: Callable[[str], Sequence[str]]
    """What there is of a kind: 'models', 'providers', 'themes', 'actions'."""
    edit: Callable[[], None]
    """The file, in the user's own editor."""


class Search(Input):
    # The field's own Enter would hide that of the screen, and its name in the line of keys.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "screen.edit", "Change", id="settings.edit")]


class SettingsScreen(ModalScreen[None]):
    HELP = (
        "Every setting by section, with what holds and where it comes from. Type to search names, descriptions and "
        "values. Enter changes the marked one in your own file, whose comments stay; a switch turns at once. Ctrl+R "
        "takes it out of the file, so that its default holds. ● is said somewhere, ! is said in your file while "
        "something else goes before it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("settings"),
        Binding("f1", "app.help", "Help"),
        Binding("ctrl+q", "app.quit", "Quit", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("pagedown", "move(10)", "Page down", show=False),
        Binding("pageup", "move(-10)", "Page up", show=False),
    ]
    DEFAULT_CSS = """
    SettingsScreen { align: left top; background: $background; }
    SettingsScreen #settings-head { height: auto; padding: 0 1; background: $panel; }
    SettingsScreen #settings-search { height: 1; border: none; background: $surface; padding: 0 1; }
    SettingsScreen #settings-problem { height: auto; padding: 1 1 0 1; display: none; }
    SettingsScreen #settings-body { height: 1fr; padding-top: 1; layout: vertical; }
    SettingsScreen #settings-list {
        height: 1fr; width: 1fr; border: none; padding: 0 1; background: $background; scrollbar-size-vertical: 1;
        text-wrap: nowrap; text-overflow: clip;
    }
    SettingsScreen #settings-list > .option-list--option-disabled { color: $foreground; text-style: none; }
    SettingsScreen #settings-list > .option-list--option-highlighted {
        background: $primary 30%; color: $foreground; text-style: none;
    }
    SettingsScreen #settings-details {
        width: 1fr; height: 9; padding: 0 1; border-top: solid $rule; scrollbar-size-vertical: 1;
    }
    SettingsScreen #settings-details Static { height: auto; }
    SettingsScreen #settings-news { height: auto; padding: 0 1; background: $surface; display: none; }
    SettingsScreen.-wide #settings-body { layout: horizontal; }
    SettingsScreen.-wide #settings-details {
        width: 54; height: 1fr; border-top: none; border-left: vkey $rule;
    }
    SettingsScreen.-low #settings-details { display: none; }
    SettingsScreen.-low #settings-body { padding-top: 0; }
    """

    def __init__(self, hands: Hands, searched: str = "") -> None:
        super().__init__()
        self._hands = hands
        self._known: Preferences | None = None
        self._rows: dict[str, Listed] = {}
        """By name, in the order of the list."""
        self._adds: dict[str, Section] = {}
        self._head = Static(id="settings-head", markup=False)
        self._search = Search(
            searched, placeholder="search names, descriptions, values", id="settings-search", compact=True
        )
        self._problem = Static(id="settings-problem", markup=False)
        self._list = OptionList(id="settings-list", markup=False)
        self._details = Static(markup=False)
        self._news = Static(id="settings-news", markup=False)

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._search
        yield self._problem
        with Horizontal(id="settings-body"):
            yield self._list
            with VerticalScroll(id="settings-details", can_focus=False):
                yield self._details
        yield self._news
        yield KeyBar()

    def on_mount(self) -> None:
        self._list.can_focus = False
        self.set_focus(self._search)
        self._search.action_end()
        self._read()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= ROOM_FOR_DETAILS, "-wide")
        self.set_class(event.size.height < LOW, "-low")
        self.call_after_refresh(self._draw)

    # -- what is listed

    @work(group="settings", exclusive=True, exit_on_error=False)
    async def _read(self, mark: str | None = None) -> None:
        self._known = await asyncio.to_thread(self._hands.read)
        self._draw(mark)

    @on(Input.Changed, "#settings-search")
    def _typed(self) -> None:
        self._say("")
        self._draw(typed=True)

    def _draw(self, mark: str | None = None, *, typed: bool = False) -> None:
        """`mark`: what is marked then; else what was, or the best find where something was typed."""
        known, width = self._known, self._list.scrollable_content_region.width - 1
        if known is None or width < 10:
            return
        needles = self._search.value.lower().split()
        marked = None if typed and needles else mark or self._marked
        self._rows.clear()
        self._adds.clear()
        options: list[Option] = []
        for section in known.sections:
            options += self._section(section, needles, width, first=not options)
        self._list.set_options(options)
        if self._rows or self._adds:
            ids = [option.id for option in options if option.id]
            self._list.highlighted = self._list.get_option_index(marked if marked in ids else _best(ids, needles))
        self._tell_head(known)
        self._tell_details()

    def _section(self, section: Section, needles: list[str], width: int, *, first: bool) -> list[Option]:
        found = [setting for setting in section.settings if setting.holds(needles)]
        self._rows |= {setting.name: setting for setting in found}
        options = [Option(setting_rows.row(setting, width), id=setting.name) for setting in found]
        about = f"{dotted(section.path)} {section.doc} add".lower()
        if section.adds is not None and all(needle in about for needle in needles):
            id_ = _ADD + dotted(section.path)
            self._adds[id_] = section
            options.append(Option(setting_rows.adding(section, width), id=id_))
        if options:
            options.insert(0, Option(setting_rows.heading(section, width, first=first), disabled=True))
        return options

    def _tell_head(self, known: Preferences) -> None:
        shown, every = len(self._rows), sum(len(section.settings) for section in known.sections)
        count = f"{shown} of {every}" if shown < every else f"{every} settings"
        left = Content.assemble(("Settings", STRONG), (f"  {count}", MUTED))
        room = max(8, self.size.width - 4 - left.cell_length)
        file = str(known.file)
        file = file if len(file) <= room else f"…{file[-(room - 1) :]}"
        self._head.update(Content.assemble(left, "  ", (file, MUTED)))
        self._problem.display = bool(known.problems)
        if known.problems:
            more = f" (and {len(known.problems) - 2} more)" if len(known.problems) > 2 else ""
            lines = [Content.styled(f"✗ {problem}", BAD) for problem in known.problems[:2]]
            note = f"These are the settings of the start{more}; Ctrl+O opens the file."
            self._problem.update(words.lines([*lines, Content.styled(note, WARN)]))
        if not self._rows and not self._adds:
            self._list.set_options([Option(Content.styled("No setting holds that.", MUTED), disabled=True)])

    @property
    def _marked(self) -> str | None:
        option = self._list.highlighted_option
        return option.id if option is not None else None

    @on(OptionList.OptionHighlighted)
    def _tell_details(self) -> None:
        region = self.query_one("#settings-details").scrollable_content_region
        width = max(20, region.width - 1)
        known, id_ = self._known, self._marked or ""
        if known is None:
            return
        if id_ in self._rows:
            self._details.update(setting_rows.details(self._rows[id_], known.file, width))
        elif id_ in self._adds:
            self._details.update(words.lines(words.wrap(self._adds[id_].doc, width)))
        else:
            self._details.update("")
        self.query_one("#settings-details", VerticalScroll).scroll_home(animate=False)

    # -- keys

    def action_move(self, step: int) -> None:
        places = [place for place, option in enumerate(self._list.options) if not option.disabled]
        if not places:
            return
        at = self._list.highlighted
        now = places.index(at) if at in places else 0
        self._list.highlighted = places[max(0, min(len(places) - 1, now + step))]

    def action_back(self) -> None:
        """First the search is over, then the screen."""
        if self._search.value:
            self._search.value = ""
        else:
            self.dismiss(None)

    def action_edit(self) -> None:
        id_ = self._marked or ""
        if id_ in self._rows:
            self._edit(self._rows[id_])
        elif id_ in self._adds:
            self._add(self._adds[id_])

    @on(OptionList.OptionSelected)
    def _clicked(self) -> None:
        self.action_edit()

    def action_reload(self) -> None:
        self._say("")
        self._read()

    def action_open_file(self) -> None:
        self._hands.edit()
        self._read()

    def action_reset(self) -> None:
        """Takes the marked one out of the file."""
        setting = self._rows.get(self._marked or "")
        if setting is None or setting.key is None:
            return
        if not setting.own:
            comes = "stands at its default" if setting.origin == "default" else f"comes from {setting.origin}"
            self._say(f"{setting.name} is not in your file: it {comes}.", WARN)
            return
        self._write(setting.name, None)

    # -- changing

    @work(group="write", exit_on_error=False)
    async def _write(self, name: str, text: str | None) -> None:
        if problem := await self._change(name, text):
            self._say(f"✗ {problem}", BAD)

    async def _change(self, name: str, text: str | None) -> str:
        """'' when it is done, else a sentence."""
        try:
            done = await self._hands.change(name, text)
        except OrchestratorError as error:
            return str(error)
        except OSError as error:
            return f"not written: {error.strerror or error}"
        self._say(f"✓ {done.sentence}", GOOD, done.warning)
        self._read(name)
        return ""

    def _say(self, sentence: str, style: str = "", warning: str = "") -> None:
        self._news.display = bool(sentence)
        lines = [Content.styled(sentence, style), *([Content.styled(f"! {warning}", WARN)] if warning else [])]
        self._news.update(words.lines(lines))

    @work(group="edit", exclusive=True, exit_on_error=False)
    async def _edit(self, setting: Listed) -> None:
        key = setting.key
        if key is None:
            self._say(f"{setting.name} cannot be changed here: {setting.doc}", WARN)
        elif isinstance(key.kind, Flag):
            self._write(setting.name, "false" if setting.typed == "true" else "true")
        elif options := self._options(setting.path, key):
            choices = [
                dialogs.Choice(one, ((words.fit(one, 24), ""),), _as_it_stands(one, setting), one == setting.typed)
                for one in options
            ]
            picker = dialogs.Picker(setting.name, choices, empty="There is no such choice.", hint="Enter writes it")
            chosen = await self.app.push_screen_wait(picker)
            if chosen is not None and chosen != setting.typed:
                self._write(setting.name, chosen)
        else:
            await self._ask_value(setting.path, key, setting.typed)

    def _options(self, path: Path, key: Key) -> Sequence[str]:
        if isinstance(key.kind, Choice):
            return key.kind.options
        if isinstance(key.kind, FlagOr):
            return ("true", "false", key.kind.word)
        return self._hands.suggest("themes") if path == ("ui", "theme") else ()

    async def _ask_value(self, path: Path, key: Key, typed: str) -> None:
        name = dotted(path)
        secret = isinstance(key.kind, Url) and key.kind.secret
        commas = " Commas go between several." if isinstance(key.kind, ListOf) else ""
        hidden = " What is there is not shown." if secret else ""
        note = f"{key.doc}\n{key.kind.words[0].upper()}{key.kind.words[1:]}.{commas}{hidden}"

        async def submit(text: str) -> str:
            return await self._change(name, text)

        suggestions = self._hands.suggest("models") if key.kind is MODEL else ()
        field = Field(name, typed, note, _checked_by(key), submit, suggestions=suggestions, secret=secret)
        await self.app.push_screen_wait(field)

    # -- names of the user's own

    @work(group="edit", exclusive=True, exit_on_error=False)
    async def _add(self, section: Section) -> None:
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
            suggestions=self._hands.suggest(_KNOWN_NAMES.get(section.path, "")),
            verb="Enter goes on",
        )
        name = await self.app.push_screen_wait(field)
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
        chosen = await self.app.push_screen_wait(picker)
        return None if chosen is None else (chosen, keys[chosen])

    async def _ask_flag(self, path: Path, key: Key) -> None:
        choices = [dialogs.Choice(word, ((word, ""),)) for word in ("true", "false")]
        picker = dialogs.Picker(dotted(path), choices, empty="It is true or false.", hint="Enter writes it")
        chosen = await self.app.push_screen_wait(picker)
        if chosen is not None:
            self._write(dotted(path), chosen)


_KNOWN_NAMES = {
    ("budgets", "providers"): "providers",
    ("budgets", "models"): "models",
    ("cache", "models"): "models",
    ("models",): "models",
    ("ui", "keymap"): "actions",
}


def _best(ids: Sequence[str], needles: Sequence[str]) -> str:
    """A name that was typed comes before a description that happens to hold the word."""
    return next((id_ for id_ in ids if all(needle in id_.lower() for needle in needles)), ids[0])


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
