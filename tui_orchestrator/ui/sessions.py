"""The list of sessions: searched while one types, and everything that is done with one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.storage.archive import Found, Listed
from tui_orchestrator.storage.search import Query

from . import session_rows, words
from .dialogs import Dialog, keys_line
from .in_turn import typed_after
from .naming import keyed
from .open_sessions import State
from .options import Refused
from .row_list import WhenSeen
from .session_deeds import SessionDeeds
from .session_keys import SessionKeys
from .session_list import SessionList
from .words import GOOD, MUTED

SEARCH_AFTER_S = 0.12
"""Pause in typing after which is searched."""
LOOK_EVERY_S = 2.0
PAGE = 200
"""Sessions read at once; more when one comes to their end."""
NO_HIT = "No title and no message holds that. Try fewer words, or a part of one."
NO_SESSION = "No earlier session yet: each one is kept from its first prompt on."
ROOM_FOR_DETAILS = 120
"""Columns from which on the marked session's details stand beside the list."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was chosen: a session, at a request where the search found its words, or a new one."""

    session: str | None = None
    request_id: str | None = None
    temporary: bool = False


class SessionsScreen(Dialog[Opened | None]):
    HELP = (
        'Every conversation. Type to search titles and all that was said: words, "words that stand together", #tags. '
        "Down goes to the list, where letters do as the line at the bottom says; {sessions.search} searches again. "
        "◐ marks a session whose answer runs, ? one that waits for you, ● one whose answer you have not seen yet."
    )
    CSS = """
    SessionsScreen #shelf { width: 100%; max-width: 170; height: 94%; max-height: 94%; }
    SessionsScreen.-wide #shelf { width: 96%; }
    SessionsScreen #narrow { height: 1; margin: 0 0 1 0; }
    SessionsScreen #found { width: 1fr; height: 1fr; }
    SessionsScreen #sessions {
        height: 1fr; width: 1fr; border: none; padding: 0; background: $surface; scrollbar-size-vertical: 1;
        text-wrap: nowrap; text-overflow: clip;
    }
    SessionsScreen #sessions > .option-list--option-disabled { color: $foreground; text-style: none; }
    SessionsScreen #sessions:focus { background-tint: transparent; }
    SessionsScreen #news { height: auto; padding: 0 1; display: none; }
    SessionsScreen #beside {
        width: 52; height: 1fr; padding: 0 1; margin-left: 1; border-left: vkey $rule; display: none;
        scrollbar-size-vertical: 1;
    }
    SessionsScreen.-wide #beside { display: block; }
    SessionsScreen #session-keys { height: auto; max-height: 3; width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close"),
        Binding("down", "to_list", "Down", show=False),
        Binding("pagedown", "to_list", "Page down", show=False),
        Binding("ctrl+l", "leave", "Close", id="session.open", show=False),
    ]

    def __init__(
        self, runtime: Runtime, deeds: SessionDeeds, current: str, states: Callable[[], Mapping[str, State]] = dict
    ) -> None:
        """`states`: what there is to say of sessions that are open, by their ids."""
        super().__init__()
        self._states = states
        self._stated: Mapping[str, State] = {}
        """As they are drawn."""
        self._runtime = runtime
        self._deeds = deeds
        self._current = current
        self._found: dict[str, Found] = {}
        """By session, in the order of the list."""
        self._stop = Event()
        """Set when nobody waits for the search under way any more."""
        self._all = 0
        self._fitting = 0
        """As many have the tags that are looked for, or words."""
        self._problem = ""
        """Why what was looked for is not listed."""
        self._version: int | None = None
        """Of the store, as the list was read."""
        self._came: str | None = None
        """What came in or back, to be marked when it is listed."""
        self._search = Input(placeholder='search: words, "together", #tag', id="narrow", compact=True)
        self._list = SessionList(self._read_on)
        self._details = Static(markup=False)
        self._news = Static(id="news", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="shelf") as dialog:
            dialog.border_title = "Sessions"
            yield self._search
            with Horizontal(id="found"):
                yield self._list
                with VerticalScroll(id="beside", can_focus=False):
                    yield self._details
            yield self._news
            yield SessionKeys(self._list)

    def on_mount(self) -> None:
        self.set_focus(self._search)
        # Where one looks: a toast would hide what it is about.
        self._deeds.tell = self._tell
        self._read()
        self.set_interval(LOOK_EVERY_S, self._look)

    def on_unmount(self) -> None:
        self._deeds.tell = None

    def _tell(self, sentence: str, done: bool = True) -> None:
        mark, style = ("✓", GOOD) if done else ("·", MUTED)
        self._news.update(Content.styled(f"{mark} {sentence}" if sentence else "", style))
        self._news.display = bool(sentence)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= ROOM_FOR_DETAILS, "-wide")
        self.call_after_refresh(self._draw)

    # -- what is listed

    @on(Input.Changed)
    def _typed(self) -> None:
        self._tell("")
        self._read(after_s=SEARCH_AFTER_S)

    def _read(self, keep: int | None = None, *, after_s: float = 0.0) -> None:
        """From the store anew. `keep`: how many that were shown shall be shown again."""
        self._stop.set()
        self._stop = Event()
        self._load(self._search.value, self._stop, max(PAGE, keep or 0), after_s)

    @work(group="look", exclusive=True, exit_on_error=False)
    async def _look(self) -> None:
        """Whether another copy of the program has changed a session: all that is written changes the version."""
        if self._stated != self._states():
            self._draw()
        with contextlib.suppress(OrchestratorError):  # which reading the list says
            before, self._version = self._version, await self._runtime.database.version()
            if before not in (None, self._version) and self.is_current:
                self._read(len(self._found))

    @typed_after()
    @work(group="sessions", exclusive=True, exit_on_error=False)
    async def _load(self, typed: str, stop: Event, limit: int, after_s: float) -> None:
        archive = self._runtime.archive
        await asyncio.sleep(after_s)
        try:
            query = Query.of(typed)
            if query.words:
                found = await archive.find(typed, PAGE, stop.is_set)
            else:
                found = tuple(Found(one) for one in await archive.page(limit, tags=query.tags))
            fitting = len(found) if query.words else await archive.count(query.tags)
            self._all, self._problem = await archive.count(), ""
        except OrchestratorError as error:
            self.notify(str(error), severity="error", markup=False)
            found, fitting, self._problem = (), 0, str(error)
        if not stop.is_set():
            self._fitting = fitting
            self._found = {one.listed.session.id: one for one in found}
            self._draw()

    @work(group="sessions", exit_on_error=False)
    async def _load_more(self) -> None:
        """The next page, when one has come to the end of what was read."""
        await self._read_on(PAGE)

    async def _read_on(self, limit: int | None = None) -> None:
        """So many more, or all there are."""
        if len(self._found) >= self._fitting:
            return
        stop, tags = self._stop, Query.of(self._search.value).tags
        try:
            further = await self._runtime.archive.page(limit or self._fitting, len(self._found), tags)
        except OrchestratorError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if further and not stop.is_set():
            self._found |= {one.session.id: Found(one) for one in further}
            self._draw()

    def _draw(self) -> None:
        marked, self._came = self._came or self._marked, None
        width = max(20, self._list.scrollable_content_region.width - 1)
        searching = bool(Query.of(self._search.value).words)
        self._stated = self._states()
        options: list[Option] = []
        group = ""
        for found in self._found.values():
            under = session_rows.group_of(found, self._runtime.clock, searching=searching)
            if under != group:
                group = under
                options.append(Option(session_rows.heading(group, width), disabled=True))
            id_ = found.listed.session.id
            state = self._stated.get(id_)
            draw = partial(
                session_rows.row, found, width, self._runtime.clock, current=id_ == self._current, state=state
            )
            options.append(Option(WhenSeen(session_rows.LINES, draw), id=id_))
        # An empty list stays where it is: its keys bring sessions in, and back.
        self._list.set_options(options or [Option(self._nothing(width), disabled=True)])
        self._say_how_many()
        if options:
            wanted = marked if marked in self._found else next(iter(self._found))
            self._list.highlighted = self._list.get_option_index(wanted)
        else:
            self._details.update("")

    def _nothing(self, width: int) -> Content:
        said = self._problem or (NO_HIT if self._search.value.strip() else NO_SESSION)
        return words.lines([Content(""), *(Content.styled(f"  {line}", MUTED) for line in words.wrap(said, width - 2))])

    def _say_how_many(self) -> None:
        query = Query.of(self._search.value)
        first = "the first " if query.words and self._fitting == PAGE else ""
        count = f"{self._all:,} in all"
        if query.words or query.tags:
            count = f"{first}{self._fitting:,} of {self._all:,}"
        keys = keyed(self.app, "{sessions.open} opens · ↓ then a letter · Esc closes")
        self.query_one("#shelf").border_subtitle = keys_line(f"{count} · {keys}")

    @property
    def _marked(self) -> str | None:
        option = self._list.highlighted_option
        return option.id if option is not None else None

    @property
    def _listed(self) -> Listed | None:
        found = self._found.get(self._marked or "")
        return found.listed if found else None

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self._tell_details()
        if event.option_index >= self._list.option_count - 2:
            self._load_more()

    @work(group="details", exclusive=True, exit_on_error=False)
    async def _tell_details(self) -> None:
        listed = self._listed
        if listed is None or not self.has_class("-wide"):
            return
        ending = await self._runtime.archive.ending(listed.session.id)
        width = max(20, self.query_one("#beside").scrollable_content_region.width - 1)
        self._details.update(session_rows.details(listed, ending, width, self._runtime.clock))

    # -- keys

    def action_leave(self) -> None:
        self._stop.set()
        self.dismiss(None)

    def action_to_list(self) -> None:
        # At once, unlike `focus`, so that the letter typed next is the list's.
        self.set_focus(self._list)

    @on(SessionList.AboveFirst)
    def _to_search(self) -> None:
        self.set_focus(self._search)

    @on(Input.Submitted)
    def _enter(self) -> None:
        self._open()

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        self._open()

    def _open(self) -> None:
        found = self._found.get(self._marked or "")
        if found is not None:
            place = found.place
            self.dismiss(Opened(found.listed.session.id, place.request_id if place else None))

    @on(SessionList.Verb)
    def _verb(self, message: SessionList.Verb) -> None:
        match message.verb:
            case "search":
                self.set_focus(self._search)
            case "new" | "temporary":
                self.dismiss(Opened(temporary=message.verb == "temporary"))
            case "open":
                self._open()
            case verb:
                self._do(verb)

    @typed_after(letters=True)
    @work(group="deed", exclusive=True, exit_on_error=False)
    async def _do(self, verb: str) -> None:
        """Needs no marked session for what brings one in."""
        listed, shown = self._listed, len(self._found)
        try:
            if verb in ("undelete", "import"):
                came = await (self._deeds.undelete() if verb == "undelete" else self._deeds.import_())
                if came is None:
                    return
                self._came = came
            elif listed is None:
                self._tell("There is no session to do that with.", done=False)
                return
            elif verb == "fork":
                new = await self._deeds.fork(listed)
                if new is not None:
                    self.dismiss(Opened(new))
                return
            else:
                await {
                    "rename": self._deeds.rename,
                    "tag": self._deeds.tag,
                    "pin": self._deeds.pin,
                    "delete": self._deeds.delete,
                    "export": self._deeds.export,
                }[verb](listed)
                if verb == "delete":
                    self._mark_beside(listed.session.id)
        except Refused as error:
            self._tell(f"{str(error)[:1].upper()}{str(error)[1:]}.", done=False)
            return
        except LookupError as error:
            self.notify(str(error.args[0]), severity="warning", markup=False)
        except OrchestratorError as error:
            self.notify(str(error), severity="error", markup=False)
        self._read(shown)

    def _mark_beside(self, gone: str) -> None:
        """The next one, so that the mark stays where it was."""
        ids = list(self._found)
        place = ids.index(gone) if gone in ids else 0
        near = (ids[place + 1 : place + 2] or ids[max(0, place - 1) : place])[:1]
        if near:
            self._list.highlighted = self._list.get_option_index(near[0])
