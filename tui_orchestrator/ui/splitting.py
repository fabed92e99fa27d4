"""A prompt that is too long for every model waits while this is open: send it in parts at the price shown, or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui_orchestrator.routing.decision import Decision, Division
from tui_orchestrator.routing.errors import NotKept
from tui_orchestrator.routing.request import Request
from tui_orchestrator.services.splitting import agreed_to

from . import words
from .question import SENDS_NOTHING, Question, Way
from .words import MONEY, MUTED, STRONG

if TYPE_CHECKING:
    from .desk import Desk

LONG = 200_000
"""Characters from which on a prompt is weighed beside the event loop."""


class Splitting(Question[bool]):
    """How many parts, who reads them, who puts them together, and what it costs. Answers whether it is to be sent."""

    HELP = (
        "No model can read this prompt whole. It can be read in parts, and one answer written from theirs, for no more "
        "than is shown: ↑↓ or a click mark what to do, Enter does it. The mark is on sending nothing at first; Esc "
        "sends nothing."
    )

    def __init__(self, decision: Decision, division: Division) -> None:
        whose = words.short_name(division.reader) + "'s" if division.pinned else "any model's"
        ways = (
            Way("refuse", "not at all", "nothing is sent; the prompt stays to be shortened", SENDS_NOTHING),
            Way("send", "in parts", "for no more than that", "sends it in parts"),
        )
        super().__init__(f"Longer than {whose} context", ways, refuses=SENDS_NOTHING)
        self._decision = decision
        self._division = division

    def compose_above(self) -> Iterable[Widget]:
        yield Static(words.lines(list(_told(self._decision, self._division))), markup=False)

    def take(self, way: str) -> None:
        self.dismiss(way == "send")


def _told(decision: Decision, division: Division) -> list[Content | str]:
    reader, writer = words.short_name(division.reader), words.short_name(division.writer)
    read = f"≈{words.tokens(decision.profile.input_tokens)} tokens are read in "
    cost = Content("what it costs is not known")
    if division.cost is not None:
        cost = Content.assemble("about ", (str(division.cost), MONEY), ", at most ", (str(division.ceiling), MONEY))
    chosen = decision.chosen
    seconds = "" if chosen is None else f", about {words.seconds(chosen.estimated_latency_s)}"
    return [
        Content.assemble(read, (f"{division.parts} parts", STRONG), " with ", (reader, STRONG)),
        Content.assemble("then put together by ", (writer, STRONG)),
        Content.assemble(cost, (seconds, MUTED)),
        "",
        Content.styled("A question that needs several parts at once may be answered worse than if read whole.", MUTED),
        "",
    ]


def send_if_agreed(desk: Desk, request: Request, send: Callable[[Request], None], keep: Callable[[], None]) -> None:
    """`send` is called with the request as it is to be sent, at once where it fits some model. Else the user is asked;
    `keep` is called where the answer is no, or the store cannot be read."""
    assert desk.runtime is not None
    long = len(request.prompt) > LONG
    decision = None if long else desk.runtime.preview(request)
    if decision is not None and decision.division is None:
        send(request)
    else:
        desk.run_worker(_ask(desk, request, send, keep), group="split", exit_on_error=False)


async def _ask(desk: Desk, request: Request, send: Callable[[Request], None], keep: Callable[[], None]) -> None:
    assert desk.runtime is not None
    here = desk.here
    desk.hold(here, True)
    try:
        try:
            decision = await desk.runtime.decide(request)
        except NotKept as error:
            # What it would cost cannot be known, nor could it be booked.
            keep()
            here.chat.notice(str(error), "error")
            return
        division = decision.division
        if division is not None and decision.model is not None:
            await desk.in_front(here, "what was asked is longer than any model reads")
            if not await desk.push_screen_wait(Splitting(decision, division)):
                keep()
                return
            request = agreed_to(request, division)
    finally:
        desk.hold(here, False)
    send(request)
