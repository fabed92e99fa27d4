"""A tiny real call to one model: what it will cost at most is said before, what came of it after."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.services import model_tests
from tui_orchestrator.services.model_tests import Outlook, Tested
from tui_orchestrator.services.runtime import TEST_PROMPT, Runtime

from . import words
from .dialogs import Dialog, keys_line
from .words import ACCENT, BAD, GOOD, MONEY, MUTED, STRONG


class ModelTest(Dialog[None]):
    HELP = (
        "One real question of a word, so that you see whether the model answers, how fast and for how much. What it "
        "can cost at most is said before; caps hold, and the call is in the ledger."
    )
    DEFAULT_CSS = """
    ModelTest Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close"),
        Binding("enter", "ask", "Ask"),
    ]

    def __init__(self, runtime: Runtime, model_id: str) -> None:
        super().__init__()
        self._runtime = runtime
        self._model = model_id
        self._asking = False
        self._said = Static(markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(f"Test {self._model}")
            yield self._said

    def on_mount(self) -> None:
        self._tell(_before(model_tests.outlook(self._runtime, self._model)), "Enter asks it")

    def _tell(self, said: Content, verb: str) -> None:
        self._said.update(said)
        self.query_one(Vertical).border_subtitle = keys_line(f"{verb} · Esc closes")

    def action_ask(self) -> None:
        if not self._asking:
            self._asking = True
            self._tell(Content.styled("◐ waiting for its answer", ACCENT), "Esc cancels")
            self._ask()

    @work(exit_on_error=False)
    async def _ask(self) -> None:
        """Leaving the dialog cancels it; what came until then is booked."""
        try:
            self._tell(_after(await model_tests.run(self._runtime, self._model)), "Enter asks again")
        except OrchestratorError as error:
            self._tell(Content.styled(f"✗ {error}", BAD), "Enter asks again")
        finally:
            self._asking = False


def _before(outlook: Outlook) -> Content:
    asks = Content.assemble(("Asks it ", MUTED), f"“{TEST_PROMPT}”", (", and nothing else.", MUTED))
    if outlook.at_most is None:
        cost = Content.assemble("What it costs is not known.")
    elif not outlook.at_most:
        cost = Content.assemble(("It costs nothing.", MONEY))
    else:
        cost = Content.assemble("It costs at most ", (str(outlook.at_most), MONEY), "; your caps hold.")
    rows = [asks, cost]
    if outlook.why_not:
        rows.append(Content.styled(f"✗ As things are it would be refused: {outlook.why_not}", BAD))
    return words.lines(rows)


def _after(tested: Tested) -> Content:
    figures = [
        ("first token after ", tested.first_token_s and words.seconds(tested.first_token_s)),
        ("in all ", tested.latency_s is not None and words.seconds(tested.latency_s)),
        ("", tested.tokens_per_s and f"{tested.tokens_per_s:.0f} tok/s"),
    ]
    told = " · ".join(f"{name}{figure}" for name, figure in figures if figure)
    cost = Content.assemble((words.money(tested.cost.amount), MONEY))
    line = Content.assemble((f"{told} · " if told else "", MUTED), cost)
    if tested.problem:
        return words.lines([Content.styled(f"✗ {tested.problem}", BAD), line])
    return words.lines([Content.assemble(("✓ ", GOOD), (tested.answer, STRONG)), line])
