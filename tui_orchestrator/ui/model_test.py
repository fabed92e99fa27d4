"""A tiny real call to one model: what it will cost at most is said before, what came of it after."""

from __future__ import annotations

from collections.abc import Iterable

from textual import work
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.services import model_tests
from tui_orchestrator.services.model_tests import PROMPT, Outlook, Tested
from tui_orchestrator.services.runtime import Runtime

from . import words
from .question import Question, Way
from .words import ACCENT, BAD, GOOD, MONEY, MUTED, STRONG


class ModelTest(Question[None]):
    HELP = (
        "One real question of a word, so that you see whether the model answers, how fast and for how much. What it "
        "can cost at most is said before; caps hold, and the call is in the ledger. ↑↓ or a click mark what to do, "
        "Enter does it. The mark is on leaving, so that an Enter pressed twice spends nothing."
    )

    def __init__(self, runtime: Runtime, model_id: str) -> None:
        ways = (
            Way("leave", "leave", "nothing more is sent", "closes"),
            Way("ask", "ask it", "one real call", "asks it"),
        )
        super().__init__(f"Test {model_id}", ways, refuses="closes")
        self._runtime = runtime
        self._model = model_id
        self._asking = False
        self._said = Static(_before(model_tests.outlook(runtime, model_id)), markup=False)

    def compose_above(self) -> Iterable[Widget]:
        yield self._said
        yield Static("")

    def take(self, way: str) -> None:
        if way == "leave":
            self.dismiss(None)
        elif not self._asking:
            self._asking = True
            self._said.update(Content.styled("◐ waiting for its answer · Esc cancels", ACCENT))
            self._ask()

    @work(exit_on_error=False)
    async def _ask(self) -> None:
        """Leaving the dialog cancels it; what came until then is booked."""
        try:
            self._said.update(_after(await model_tests.run(self._runtime, self._model)))
        except OrchestratorError as error:
            self._said.update(Content.styled(f"✗ {error}", BAD))
        finally:
            self._asking = False
        self.mark("leave")


def _before(outlook: Outlook) -> Content:
    asks = Content.assemble(("Asks it ", MUTED), f"“{PROMPT}”", (", and nothing else.", MUTED))
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
