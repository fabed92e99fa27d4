"""The one line above the panes and the one below them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from rich.cells import cell_len
from textual.binding import Binding
from textual.content import Content
from textual.events import Click, MouseEvent, MouseMove, Resize
from textual.screen import Screen
from textual.widget import Widget

from tui_orchestrator.routing.budget import BudgetCondition, BudgetState

from . import words
from .commands import ACTIONS, UNBOUND, Need
from .steady import Steady


@dataclass(frozen=True, slots=True)
class Status:
    """What the header tells."""

    title: str = "new session"
    strategy: str = ""
    pinned: str | None = None
    demo: bool = False
    today: str = ""
    persona: str = ""
    temporary: bool = False
    """Nothing of the conversation is kept."""
    alert: str = ""
    """Of a cap that is nearly spent: `alert_mark`."""
    spent: bool = False
    """Nothing is left of it."""
    working: str = ""
    """Until the program is ready: what it does."""
    shared: bool = False
    """The caps are kept together with other machines."""
    away: bool = False
    """The server they are kept in cannot be asked."""
    elsewhere: str = ""
    """What goes on in other sessions."""


_COSTS = "pane('costs')"
_POINTED = "bold $ink on $primary"


def alert_mark(states: Iterable[BudgetState]) -> tuple[str, bool]:
    """Of the cap that is nearest to its end among those that are told of, for the header: '! day 82%', and whether
    nothing is left. ('', False) where all is well."""
    near = [state for state in states if state.limit and state.condition is not BudgetCondition.OK]
    if not near:
        return "", False
    state = max(near, key=_share)
    span, _, narrowed = state.scope.partition(" ")
    name = narrowed.partition(":")[2].rpartition("/")[2] or span
    if state.condition is BudgetCondition.EXHAUSTED:
        return f"✗ {name} spent", True
    return f"! {name} {int(_share(state) * 100)}%", False


def _share(state: BudgetState) -> float:
    assert state.limit is not None
    return state.spent.picodollars / state.limit.picodollars


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    style: str
    action: str = ""
    """Of the app: what a click on it does."""


@dataclass(frozen=True, slots=True)
class Place:
    """What can be clicked in a line."""

    start: int
    end: int
    action: str


def draw_status(status: Status, width: int, over: int = -1) -> tuple[Content, list[Place]]:
    """The right end matters more: where it is narrow the name goes first, then the title is cut. `over`: the cell that
    the mouse is over."""
    right: list[_Word] = []
    if status.working:
        right.append(_Word(f"◐ {status.working}", words.ACCENT))
    if status.persona:
        persona = words.fit(status.persona, min(20, len(status.persona)))
        right.append(_Word(f"◈ {persona}", words.ACCENT, "pick_persona"))
    if status.strategy:
        right.append(_Word(words.spoken(status.strategy), "bold", "pick_strategy"))
    if status.pinned:
        right.append(_Word(f"★ {words.short_name(status.pinned)}", words.ACCENT, "pick_model"))
    if status.today:
        right.append(_Word(f"today {status.today}", words.MONEY, _COSTS))
    if status.elsewhere:
        right.append(_Word(status.elsewhere, f"bold {words.ACCENT}", "elsewhere"))
    if status.temporary:
        right.append(_Word(" ◌ temporary ", "bold $background on $accent"))
    if status.alert:
        right.append(_Word(status.alert, f"bold {words.BAD if status.spent else words.WARN}", _COSTS))
    if status.shared:
        right.append(_Word("⇄ Redis away", f"bold {words.BAD}") if status.away else _Word("⇄ shared", words.MUTED))
    if status.demo:
        right.append(_Word(" demo ", "bold $ink on $warning"))
    while len(right) > 1 and _tail(right).cell_length > width - 12:
        right.pop(0)
    tail = _tail(right)
    name = "tui-orchestrator  "
    if width < 70 or width - len(name) - tail.cell_length < 12:
        name = ""
    room = max(0, width - len(name) - tail.cell_length - 2)
    title = words.fit(status.title, room)
    told = title.rstrip()
    places = [Place(len(name), len(name) + cell_len(told), "open_session")]
    at = len(name) + room + 2
    for word in right:
        places.append(Place(at, at + cell_len(word.text), word.action))
        at = places[-1].end + 2
    pointed = next((place for place in places if place.action and place.start <= over < place.end), None)
    if pointed is not None:
        right = [replace(w, style=_POINTED) if at is pointed else w for w, at in zip(right, places[1:], strict=True)]
    session = Content.assemble((told, _POINTED if pointed is places[0] else ""), title[len(told) :])
    line = Content.assemble((name, words.STRONG), session, "  ", _tail(right)).truncate(width)
    return line, [place for place in places if place.action]


def _tail(right: Iterable[_Word]) -> Content:
    return Content("  ").join(Content.styled(word.text, word.style) for word in right)


class Header(Steady):
    """A click on a word does what the key does that leads to what it tells."""

    def __init__(self) -> None:
        super().__init__(id="header", markup=False)
        self._status = Status()
        self._places: list[Place] = []
        self._over = -1
        """The cell that the mouse is over."""

    def show(self, status: Status) -> None:
        self._status = status
        line, self._places = draw_status(status, max(10, self.size.width - 2), self._over)
        self.update(line)

    def on_resize(self, event: Resize) -> None:
        self.show(self._status)

    def _point(self, at: int) -> None:
        if at != self._over:
            self._over = at
            self.show(self._status)

    def on_mouse_move(self, event: MouseMove) -> None:
        self._point(_cell(event, self))

    def on_leave(self) -> None:
        self._point(-1)

    async def on_click(self, event: Click) -> None:
        at = _cell(event, self)
        for place in self._places:
            if place.start <= at < place.end:
                await self.app.run_action(place.action)


def _cell(event: MouseEvent, widget: Widget) -> int:
    at = event.get_content_offset(widget)
    return -1 if at is None else at.x


_ANYWHERE = {action.id for action in ACTIONS if action.scope == "app"}
_DOORS = ("app.help", "app.palette")
"""They lead to every other key, so that they are always shown."""
_NEEDS = {action.id: action.needs for action in ACTIONS if action.needs}
_WHEN = {action.id: action.when for action in ACTIONS if action.when and action.scope == "app"}


def _rank(action: str) -> int:
    """Which goes last where there is little room: what leads to all the others, then what this pane does, then what is
    there now and then, so that nobody would look for it."""
    if action in _DOORS:
        return 0
    if action not in _ANYWHERE:
        return 1
    return 2 if _NEEDS.get(action, "idle") != "idle" else 3


class KeyBar(Widget):
    """The keys that work here and now, those of the focused widget first, as many as fit beside the help
    and the palette; each can be clicked."""

    ALLOW_SELECT = False

    def __init__(self, has: Callable[[Need], bool] = bool) -> None:
        """`has`: whether there is what an action needs."""
        super().__init__(id="keys")
        self._has = has
        self._places: list[tuple[int, str]] = []
        """Right end of each key that is shown, and the key."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        self.refresh()

    def render(self) -> Content:
        left, shown = self.size.width, set[str]()
        there = self._there()
        for part, binding in sorted(there, key=lambda found: _rank(found[1].id or "")):
            if part.cell_length > left:
                if binding.id not in _DOORS:
                    break
                continue
            left -= part.cell_length
            shown.add(binding.action)
        parts: list[Content] = []
        used = 0
        self._places.clear()
        for part, binding in there:
            if binding.action in shown:
                used += part.cell_length
                parts.append(part)
                self._places.append((used, binding.key))
        return Content("").join(parts)

    def _there(self) -> list[tuple[Content, Binding]]:
        """What works here and now, in its order."""
        there: dict[str, tuple[Content, Binding]] = {}
        places = {action.id: place for place, action in enumerate(ACTIONS)}
        active = sorted(
            self.screen.active_bindings.values(),
            key=lambda found: (found.binding.id in _ANYWHERE, places.get(found.binding.id or "", len(places))),
        )
        for _, binding, enabled, _ in active:
            if not binding.show or not enabled or binding.action in there or binding.key == UNBOUND:
                continue
            id_ = binding.id or ""
            if (need := _NEEDS.get(id_) or _WHEN.get(id_)) and not self._has(need):
                continue
            key = self.app.get_key_display(binding)
            part = Content.assemble((f" {key}", "bold $accent"), (f" {binding.description} ", words.MUTED))
            there[binding.action] = (part, binding)
        return list(there.values())

    def on_click(self, event: Click) -> None:
        """Repeats the key, so that a click does what the key does in the focused widget."""
        key = next((key for end, key in self._places if event.x < end), None)
        if key is not None:
            self.app.simulate_key(key)
