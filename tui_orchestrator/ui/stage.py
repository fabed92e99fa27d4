"""The furniture of the console: panes, which of them stand on screen, the focus, the help. It knows no services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from textual import work
from textual._context import active_message_pump
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus, Key, MouseDown, Paste, Resize, ScreenResume
from textual.events import Event as Event_
from textual.screen import Screen
from textual.signal import Signal
from textual.widget import Widget
from textual.widgets import Input, TextArea

from tui_orchestrator.routing.events import Event
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.settings import UiSettings, hidden

from .bars import Header, KeyBar
from .chat import ChatPane
from .commands import ACTIONS, UNBOUND, Action, Need, bindings
from .composer import Composer
from .compositor import FrugalScreen
from .copying import Copying
from .costs import CostsPane
from .decision import DecisionPane
from .dialogs import Dialog, HelpScreen, Picker, Told
from .entries import Severity
from .jump import Jump, elsewhere, targets
from .layout import LOW, PANES, Pane, arrange, room_for_toasts
from .naming import NO_KEY, keyed, spoken_key
from .palette import commands
from .prompt import Prompt
from .registry import RegistryPane
from .slash import SLASH_COMMANDS
from .terminal import LATEST_S, AtTerminal
from .words import brief


class Floor(FrugalScreen):
    """What dialogs are opened over. Textual styles everything on a screen again whenever its classes or its focus
    change, and would do so four times before the console has been seen once: it starts as most terminals have it."""

    AUTO_FOCUS = "#prompt"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]  # noqa: RUF012  # declared by Textual without ClassVar
    DEFAULT_CLASSES = "-tall"

    def __init__(self) -> None:
        super().__init__()
        self._drawn = 0.0
        self._shown_before = False

    def _on_screen_resume(self, event: ScreenResume) -> None:
        if not self._shown_before:
            # All that is on it was styled when it was put there.
            self._shown_before, event.refresh_styles = True, False

    def _reset_focus(self, widget: Widget, avoiding: list[Widget] | None = None) -> None:
        super()._reset_focus(widget, avoiding)
        if self.focused is None and isinstance(self.app, Stage):
            self.app.keep_focus(widget)

    def _on_timer_update(self) -> None:
        # A letter that has been typed is drawn before all else, by itself. While the prompt is busy that may take long.
        typing = isinstance(self.app, AtTerminal) and self.app.hurried and isinstance(self.focused, Prompt)
        if typing and perf_counter() - self._drawn < LATEST_S:
            return
        super()._on_timer_update()
        self._drawn = perf_counter()


class Stage(Copying):
    TITLE = "tui-orchestrator"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    ENABLE_COMMAND_PALETTE = False
    """It has its own, which is a list like every other."""
    BINDINGS = bindings("app")

    def __init__(self, ui: UiSettings, themes_added: Callable[[], Iterable[Path]] = tuple) -> None:
        super().__init__(ui.theme, themes_added)
        self.events: Signal[Event] = Signal(self, "events")
        """Every event of every turn; the panes subscribe."""
        self.header = Header()
        self.chat = ChatPane(self.events)
        self.decision = DecisionPane(self.events)
        self.costs = CostsPane(self.events)
        self.registry = RegistryPane()
        self.composer = Composer()
        self._side_by_side = Vertical(self.decision, self.costs, id="side")
        self._ui = ui
        self._animations = self.animation_level
        self._shown: set[Pane] = {pane for pane in PANES if pane in ui.panes} or {"chat"}
        self._current: Pane = "chat"
        self._side: Pane = next((pane for pane in ("decision", "costs") if pane in self._shown), "decision")
        self._zoomed = False
        self._zoom_from_prompt = False
        """Whether what is zoomed was opened from the prompt, so that zooming back ends there."""

    def get_default_screen(self) -> Screen[None]:
        return Floor()

    def has(self, need: Need) -> bool:
        """Whether there is what an action needs."""
        return need == "" or (need == "panes" and (self._zoomed or len(self.visible_panes) > 1))

    @property
    def strategy_in_force(self) -> Strategy | None:
        return None

    def _load_screen_css(self, screen: Screen[Any]) -> None:
        # Textual would read every rule of the program again and style every widget anew, which takes longer than to
        # draw the screen; its own rules, all that it brings here, concern what is on it alone.
        kind = type(screen)
        if screen.CSS and not self.stylesheet.has_source("", f"{kind.__name__}.CSS"):
            scope = screen._css_type_name if screen.SCOPED_CSS else ""
            self.stylesheet.add_source(screen.CSS, ("", f"{kind.__name__}.CSS"), scope=scope)

    def compose(self) -> ComposeResult:
        yield self.header
        yield Horizontal(self.chat, self._side_by_side, self.registry, id="body")
        yield self.composer
        yield KeyBar(self.has)

    async def on_event(self, event: Event_) -> None:
        if isinstance(event, Key | MouseDown | Paste):
            # Who goes on has read what was wrong; what this leads to may be said anew.
            self.composer.say_no_more()
        if isinstance(event, Key | Paste) and not event.is_forwarded and self._is_for_the_prompt(event):
            # At once, unlike `focus`, so that what comes after it goes there too, an Enter above all.
            self.screen.set_focus(self.composer.prompt)
        await super().on_event(event)
        if isinstance(event, Key) and event.is_forwarded and self.focused is self.composer.prompt:
            # It was no letter, and is carried out by now.
            self.echo(self.composer.prompt)

    async def _check_bindings(self, key: str, priority: bool = False) -> bool:
        # Textual would carry out the prompt's keys before the letters that were typed ahead of them have reached it.
        if priority and self.focused is self.composer.prompt and active_message_pump.get() is self:
            return False
        return await super()._check_bindings(key, priority)

    def on_mount(self) -> None:
        self.use_look(self._ui)
        self.composer.prompt.focus()
        self.place_panes()

    def use_look(self, ui: UiSettings) -> None:
        """Density and motion."""
        self._frame_panes("compact", ui.density == "compact")
        self.animation_level = "none" if ui.motion == "reduced" else self._animations
        self.composer.prompt.blink(ui.motion != "reduced")

    def use_keymap(self, keys: Mapping[str, str]) -> None:
        """As `keymap` gives it."""
        self.set_keymap(keys)
        self.composer.prompt.give_way(keys)
        self.composer.prompt.name_keys()

    # -- panes

    def _pane(self, name: Pane) -> Widget:
        return {"chat": self.chat, "decision": self.decision, "costs": self.costs, "registry": self.registry}[name]

    @property
    def visible_panes(self) -> tuple[Pane, ...]:
        width, height = self.size
        return arrange(width, height, self._shown, self._current, self._side, self._zoomed)

    async def add_chat(self, chat: ChatPane) -> ChatPane:
        """Beside the one on the screen, which it waits behind."""
        chat.give_way()
        await self.query_one("#body", Horizontal).mount(chat, after=self.chat)
        return chat

    def show_chat(self, chat: ChatPane) -> None:
        """In place of the one on the screen."""
        left, self.chat = self.chat, chat
        if left is not chat:
            self.screen_stack[0].clear_selection()
            if left.has_focus_within:
                self.screen_stack[0].set_focus(self.composer.prompt)
            left.give_way()
            chat.come()
            self.place_panes()

    def place_panes(self) -> None:
        visible = self.visible_panes
        for name in PANES:
            self._pane(name).display = name in visible
        beside = [name for name in visible if name in ("decision", "costs")]
        self._side_by_side.display = bool(beside)
        self._side_by_side.set_class("chat" not in visible, "alone")
        self._frame_panes("low", self.size.height < LOW)
        if self.focused is None:
            self.composer.prompt.focus()
        elif not self.focused.is_on_screen:
            self.keep_focus(self.focused)
        self.refresh_bindings()

    def keep_focus(self, left: Widget) -> None:
        """In the pane where it was, when what had it gives way; at home where that is gone."""
        inside = (name for name in self.visible_panes if self._pane(name) in left.ancestors)
        if (name := next(inside, None)) is not None:
            self._focus_inside(name)
        else:
            self.composer.prompt.focus()

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self.place_panes)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        for name in PANES:
            if self._pane(name) in event.widget.ancestors_with_self:
                self._current = name
                if name in ("decision", "costs"):
                    self._side = name

    def show_pane(self, name: Pane, *, focus: bool = True) -> None:
        self._shown.add(name)
        self._current = name
        if name in ("decision", "costs"):
            self._side = name
        self.place_panes()
        if focus:
            self._focus_inside(name)

    def _focus_inside(self, name: Pane) -> None:
        match name:
            case "chat":
                self.chat.focus_inside()
            case "registry":
                self.registry.focus_inside()
            case _:
                self._pane(name).focus()

    def action_pane(self, name: Pane) -> None:
        """Shows and focuses the pane; a second time hides it, or goes back to the chat where it stands alone. Not
        from an ensemble's columns."""
        visible = self.visible_panes
        if name == "chat" and self.chat.columns.has_focus_within:
            # Letters are keys there, and would be words in the prompt.
            return
        if not self._pane(name).has_focus_within or name not in visible:
            self._zoomed = self._zoomed and name == self._current
            self.show_pane(name)
            return
        self._zoomed = False
        if len(visible) > 1:
            self._shown.discard(name)
            self._current = next(pane for pane in visible if pane != name)
        else:
            self._current = "chat"
        self.composer.prompt.focus()
        self.place_panes()

    def _frame_panes(self, look: str, wanted: bool) -> None:
        floor = self.screen_stack[0]
        if floor.has_class(look) != wanted:
            floor.set_class(wanted, look)
            # A frame that comes or goes leaves the pane as large as it was, so that Textual tells it of no other size.
            for pane in (self.decision, self.costs, self.registry, self.composer):
                self.call_after_refresh(pane.fit)

    @work
    async def action_palette(self) -> None:
        if len(self.screen_stack) > 1:
            return
        chosen = await self.push_screen_wait(
            Picker(
                "Commands", commands(self), empty="Nothing that can be done now is called that.", hint="Enter does it"
            )
        )
        if chosen is not None:
            await self.run_action(chosen)

    def zoom_from_prompt(self, name: Pane) -> None:
        """Gives the pane the room and the focus, until the zoom ends: then the prompt has it again."""
        self._zoomed = self._zoom_from_prompt = True
        self.show_pane(name)

    def action_zoom(self) -> None:
        if self._zoomed and self._zoom_from_prompt:
            self.go_home()
            return
        if not self.has("panes"):
            self.notify("This pane has the room already.", timeout=3)
            return
        self._zoomed, self._zoom_from_prompt = not self._zoomed, False
        self.place_panes()

    @work
    async def action_jump(self) -> None:
        if len(self.screen_stack) > 1:
            return
        hidden = [name for name in PANES if name not in self.visible_panes]
        there = (*targets(self.screen.focus_chain), *elsewhere(hidden, self.composer.region.y - 1))
        target = await self.push_screen_wait(Jump(there))
        if target is not None and target.pane is not None:
            self._zoomed = False
            self.show_pane(target.pane)
        elif target is not None and target.widget is not None:
            target.widget.focus()

    def go_home(self) -> bool:
        """Back to the chat and the prompt. Whether there was anything to go back from."""
        at_home = self._current == "chat" and not self._zoomed and self.composer.prompt.has_focus
        self._zoomed = False
        self._current = "chat"
        self._shown.add("chat")
        self.place_panes()
        self.composer.prompt.focus()
        return not at_home

    def _is_for_the_prompt(self, event: Key | Paste) -> bool:
        """A letter that nothing under the focus uses is meant for the prompt, and so is a paste."""
        if len(self.screen_stack) != 1 or isinstance(self.focused, Input | TextArea):
            return False
        if isinstance(event, Paste):
            return True
        # In the list of models letters are actions; one that is none there was a slip.
        return (
            event.is_printable and event.key not in self.screen.active_bindings and not self.registry.has_focus_within
        )

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: Severity = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        message, title = brief(hidden(message)), brief(hidden(title), lines=1)
        if room_for_toasts(self.size.width, self._current) or len(self.screen_stack) > 1:
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)
        else:
            self.composer.tell_news(message, severity, self.NOTIFICATION_TIMEOUT if timeout is None else timeout)

    def get_key_display(self, binding: Binding) -> str:
        display = super().get_key_display(binding)
        return display.upper() if len(display) <= 3 and display[:1] in "f^" and len(display) > 1 else display

    # -- help

    def action_help(self) -> None:
        about = Prompt.HELP
        for node in (self.focused or self.screen).ancestors_with_self:
            if isinstance(text := getattr(node, "HELP", None), str) and text:
                about = text
                break
        here = self._keys_here()
        rest = [action for action in ACTIONS if action.id not in {told.id for told in here}]
        keys = {
            "Keys here, and what [ui.keymap] calls each": here,
            "Keys everywhere": [self._told(action) for action in rest if action.scope == "app"],
            "Keys elsewhere": [self._told(action) for action in rest if action.scope != "app"],
        }
        commands = [Told(f"/{command.name} {command.argument}".rstrip(), command.help) for command in SLASH_COMMANDS]
        self.push_screen(HelpScreen(keyed(self, about), keys, commands))

    def _keys_here(self) -> list[Told]:
        """Those of the focused widget and what it stands in, the nearest first."""
        by_id = {action.id: action for action in ACTIONS}
        told: dict[str, Told] = {}
        if isinstance(self.screen, Dialog) and (does := self.screen.enter_does):
            keys = spoken_key("enter")
            told[keys] = Told(keys, does)
        for node in (self.focused or self.screen).ancestors_with_self:
            # Textual's own are those of any list or field.
            ours = [kind for kind in type(node).__mro__ if kind.__module__.startswith(__package__)]
            for binding in (one for kind in ours if node is not self for one in vars(kind).get("BINDINGS", ())):
                action = by_id.get(binding.id)
                if action is None and node.check_action(binding.action, ()) is False:
                    continue
                if action is None:
                    keys = " ".join(map(spoken_key, binding.key.split(",")))
                    told.setdefault(keys, Told(keys, binding.description))
                elif action.scope != "app":
                    told.setdefault(self.keys_of(action) or action.id, self._told(action))
        return list(told.values())

    def _told(self, action: Action) -> Told:
        return Told(self.keys_of(action) or NO_KEY, action.title, action.id)

    def keys_of(self, action: Action) -> str:
        keys = self._keymap.get(action.id, action.key)
        return "" if keys == UNBOUND else " ".join(map(spoken_key, keys.split(",")))
