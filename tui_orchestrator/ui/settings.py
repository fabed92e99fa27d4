"""Every setting over the whole screen: searched while one types, changed where it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.services.preferences import Preferences
from tui_orchestrator.settings.listing import Listed, Section
from tui_orchestrator.settings.shape import dotted

from . import setting_rows, words
from .bars import KeyBar
from .commands import bindings
from .compositor import FrugalModal
from .in_turn import typed_after
from .naming import key_to
from .nearest import nearness
from .row_list import RowList
from .setting_deeds import SettingDeeds
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
    suggest: Callable[[str], Mapping[str, str]]
    """What there is of a kind: 'models', 'providers', 'themes', 'actions'."""
    edit: Callable[[], None]
    """The file, in the user's own editor."""


class Search(Input):
    # The field's own Enter would hide that of the screen, and its name in the line of keys.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "screen.edit", "Change", id="settings.edit")]


class SettingsScreen(FrugalModal[None]):
    HELP = (
        "Every setting by section, with what holds and where it comes from. Type to search names, descriptions and "
        "values. {settings.edit} changes the marked one in your own file, whose comments stay; a switch turns at "
        "once. {settings.reset} takes it out of the file, so that its default holds. ● is said somewhere, ! is said "
        "in your file while something else goes before it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("settings"),
        Binding("f1", "app.help", "Help", id="app.help"),
        Binding("ctrl+q", "app.quit", "Quit", id="app.quit", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("pagedown", "move(10)", "Page down", show=False),
        Binding("pageup", "move(-10)", "Page up", show=False),
        Binding("home", "move(-99999)", "First", show=False, priority=True),
        Binding("end", "move(99999)", "Last", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    SettingsScreen #settings-head { height: auto; padding: 0 1; background: $panel; }
    SettingsScreen #settings-search { height: 1; border: none; background: $surface; padding: 0 1; }
    SettingsScreen #settings-problem { height: auto; padding: 1 1 0 1; display: none; }
    SettingsScreen #settings-body { height: 1fr; padding-top: 1; layout: vertical; }
    SettingsScreen #settings-list {
        height: 1fr; width: 1fr; border: none; padding: 0 1; background: $background; scrollbar-size-vertical: 1;
        text-wrap: nowrap; text-overflow: clip;
    }
    SettingsScreen #settings-list > .option-list--option-disabled { color: $foreground; text-style: none; }
    SettingsScreen #settings-details {
        width: 1fr; height: 10; padding: 0 1; border-top: solid $rule; scrollbar-size-vertical: 1;
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
        self._list = RowList(id="settings-list", markup=False)
        self._details = Static(markup=False)
        self._news = Static(id="settings-news", markup=False)
        self._deeds: SettingDeeds

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
        self._deeds = SettingDeeds(self.app, self._hands.suggest, self._change, self._write)
        self._list.can_focus = False
        self.set_focus(self._search)
        self._search.action_end()
        self._read()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= ROOM_FOR_DETAILS, "-wide")
        self.set_class(event.size.height < LOW, "-low")
        self.call_after_refresh(self._draw)

    # -- what is listed

    @typed_after()
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
        # One cell for the scroll bar, whether it is there already or comes with the rows.
        known, width = self._known, max(10, self._list.content_region.width - 1)
        if known is None:
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
            self._list.highlighted = self._list.get_option_index(
                marked if marked in ids else _best(ids, self._search.value)
            )
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
            note = f"These are the settings of the start{more}; {key_to(self.app, 'settings.file')} opens the file."
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
            low = not self.has_class("-wide")
            self._details.update(setting_rows.details(self._rows[id_], known.file, width, low=low))
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

    @typed_after(letters=True)
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

    @typed_after(letters=True)
    @work(group="edit", exclusive=True, exit_on_error=False)
    async def _edit(self, setting: Listed) -> None:
        if setting.key is None:
            self._say(f"{setting.name} cannot be changed here: {setting.doc}", WARN)
        else:
            await self._deeds.edit(setting, setting.key)

    @typed_after(letters=True)
    @work(group="edit", exclusive=True, exit_on_error=False)
    async def _add(self, section: Section) -> None:
        await self._deeds.add(section)


def _best(ids: Sequence[str], typed: str) -> str:
    return min(ids, key=lambda id_: nearness((id_, id_.rpartition(".")[2]), typed))
