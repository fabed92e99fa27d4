"""Experiments over the panes: which there are, what the marked one has found; one is started and stopped here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.text import full_stop
from tui_orchestrator.services.arms import arm_of, name_of, share_of
from tui_orchestrator.services.experiments import ExperimentError
from tui_orchestrator.services.findings import Findings, sentence
from tui_orchestrator.services.runtime import Runtime

from .commands import bindings
from .dialogs import Dialog, keys_line
from .experiment_rows import ONE_LINE, draw_findings, draw_head, draw_row
from .in_turn import typed_after
from .listed import Listed
from .naming import key_to, keyed
from .saying import Said
from .words import MUTED

LOOK_S = 0.5
"""Between two looks whether the store has changed, which costs no more than asking."""
_FIELDS = {
    "name": ("name", "thrift"),
    "a": ("A", "strategy=cheapest, model=NAME, persona=NAME, system=TEXT, default"),
    "b": ("B", "strategy=balanced"),
    "share": ("to B", "50%: the share of the turns that go to B"),
    "judge": ("judge", "none; or a model that is sent each answer to judge it"),
}
_NOTE = (
    "From then on each of your turns goes one way by a draw, but for those you choose a model or a strategy for. Vote "
    "on the answers ({answer.up}, {answer.down}): that decides it, unless a judge does."
)


class ExperimentsScreen(Listed[None]):
    HELP = (
        "Experiments: two strategies, models or prompts, compared on your own turns or on a file. {experiments.new} "
        "starts one, {experiments.stop} stops the marked one or goes on with it. Of each way: turns, outcomes, the "
        "rate of good ones, and what it cost. The evidence holds however often you look: at 20 the difference is "
        "real."
    )
    CSS = Listed.CSS
    TITLE_SHOWN = "Experiments"
    KEYS = "{experiments.new} starts one · {experiments.stop} stops it, or goes on · Esc closes"
    KEYS_OF_NOTHING = "{experiments.new} starts one · Esc closes"
    NOTHING = (
        "No experiment yet. {experiments.new} starts one: two strategies, models, personas or system texts, and "
        "each of your turns goes one way by a draw. `tui-orchestrator experiment run FILE.jsonl` compares them on a"
        " file."
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings("experiments")

    def __init__(self, runtime: Runtime, name: str = "") -> None:
        """`name`: the experiment that is marked at first."""
        super().__init__(name)
        self._runtime = runtime
        self._version: int | None = None
        self._found: dict[str, Findings] | None = None
        """By their names, the latest first. None: not read yet."""

    def on_mount(self) -> None:
        self.set_interval(LOOK_S, self.look)

    def look(self) -> None:
        self._read()

    @typed_after()
    @work(group="experiments", exclusive=True, exit_on_error=False)
    async def _read(self) -> None:
        """Reads again when anything was written since, by this copy of the program or another."""
        try:
            version = await self._runtime.database.version()
            if version == self._version:
                return
            every = await self._runtime.experiments.all()
        except OrchestratorError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self._version = version
        self._found = {found.experiment.name: found for found in every}
        self.lay_out()

    # -- drawing

    @property
    def rows(self) -> Mapping[str, Findings] | None:
        return self._found

    def draw_rows(self, width: int) -> Iterable[Content]:
        return (draw_row(found, width) for found in (self._found or {}).values())

    def draw_head(self, width: int) -> Content | None:
        return draw_head(width) if width >= ONE_LINE else None

    def draw_details(self, key: str, width: int) -> Content:
        return draw_findings((self._found or {})[key], width, self._runtime.clock)

    # -- deeds

    @typed_after(letters=True)
    @work(group="deed", exclusive=True, exit_on_error=False)
    async def action_new(self) -> None:
        running = self._runtime.experiments.running
        if running is not None:
            stop = key_to(self.app, "experiments.stop")
            self.notify(f"{running.name} runs already; stop it first ({stop}).", severity="warning", markup=False)
            return
        name = await self.app.push_screen_wait(Starting(self._runtime))
        if name:
            self.wanted, self._version = name, None
            self.look()

    @typed_after(letters=True)
    @work(group="deed", exclusive=True, exit_on_error=False)
    async def action_stop(self) -> None:
        if self.marked is None or self._found is None:
            return
        found = self._found[self.marked]
        experiments, kept = self._runtime.experiments, found.kept
        try:
            if kept.stopped is None:
                ended = await experiments.stop(kept)
                self.notify(f"{kept.experiment.name} is stopped. {sentence(ended)}", markup=False, timeout=8)
            else:
                await experiments.go_on(kept)
                self.notify(f"{kept.experiment.name} goes on.", markup=False, timeout=4)
        except ExperimentError as error:
            self.notify(full_stop(f"{str(error)[:1].upper()}{str(error)[1:]}"), severity="warning", markup=False)
        except OrchestratorError as error:
            self.notify(str(error), severity="error", markup=False)
        self._version = None
        self.look()


class Starting(Dialog[str]):
    """Answers with the name of the experiment that was started; '' for Esc."""

    HELP = (
        "Two ways to be answered, tried against each other. ↑↓ go from line to line; Enter starts it or says "
        "what is missing, Esc leaves all as it is."
    )
    DEFAULT_CSS = """
    Starting Horizontal { height: 1; }
    Starting .label { width: 6; color: $muted; }
    Starting Input { width: 1fr; border: none; background: $panel; height: 1; }
    Starting #said { height: auto; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "Close"),
        Binding("down", "app.focus_next", "Down", show=False),
        Binding("up", "app.focus_previous", "Up", show=False),
    ]

    def __init__(self, runtime: Runtime) -> None:
        super().__init__()
        self._runtime = runtime
        self._inputs = {key: Input(placeholder=hint, id=key, compact=True) for key, (_, hint) in _FIELDS.items()}
        self._said = Said()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Start an experiment"
            dialog.border_subtitle = keys_line("Enter starts it · ↑↓ fields · Esc closes")
            for key, field in self._inputs.items():
                with Horizontal():
                    yield Static(_FIELDS[key][0], classes="label", markup=False)
                    yield field
            yield self._said

    def on_mount(self) -> None:
        self._inputs["name"].focus()
        self._said.say(keyed(self.app, _NOTE), MUTED)

    @on(Input.Submitted)
    @typed_after(letters=True)
    @work(exclusive=True, exit_on_error=False)
    async def _enter(self) -> None:
        typed = {key: field.value.strip() for key, field in self._inputs.items()}
        empty = next((key for key in ("name", "a", "b") if not typed[key]), None)
        if empty is not None:
            self._inputs[empty].focus()
            if any(typed.values()):
                self._said.say(_missing(empty), MUTED)
            return
        runtime = self._runtime
        try:
            a, b = (arm_of(typed[side], runtime.registry, runtime.settings) for side in ("a", "b"))
            judge = runtime.registry.find(typed["judge"]).id if typed["judge"] else None
            share = share_of(typed["share"] or "50%")
            await runtime.experiments.start(name_of(typed["name"]), a, b, share, judge)
        except (LookupError, ValueError) as error:
            said = str(error.args[0])
            self._said.refuse(full_stop(f"{said[:1].upper()}{said[1:]}"))
        except OrchestratorError as error:
            self._said.refuse(str(error))
        else:
            self.dismiss(typed["name"])


def _missing(field: str) -> str:
    if field == "name":
        return "It needs a name."
    return f"What is {field.upper()}? {_FIELDS['a'][1]}"
