"""The decision pane: the card of what would be decided, or was, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize, Show
from textual.message import Message
from textual.signal import Signal
from textual.style import Style

from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.escalation import in_words, kept_in_words
from tui_orchestrator.routing.events import (
    Attempt,
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Checked,
    Completed,
    Decided,
    Escalated,
    Event,
    Failed,
)
from tui_orchestrator.routing.explanation import what_if
from tui_orchestrator.routing.telling import found, recalled_in_words

from . import words
from .card import Step, draw_decision, draw_nothing
from .commands import bindings
from .hearing import hear
from .naming import key_to
from .steady import Steady
from .words import ACCENT, MUTED

if TYPE_CHECKING:
    from tui_orchestrator.routing.decision import Decision
    from tui_orchestrator.routing.ports import Clock
    from tui_orchestrator.routing.request import Strategy
    from tui_orchestrator.storage.history import Position


@dataclass(slots=True)
class _Told:
    """A decision with what became of it."""

    request_id: str = ""
    decision: Decision | None = None
    steps: list[Step] = field(default_factory=list)

    def add(self, number: int, what: str) -> None:
        self.steps = [
            replace(step, detail=f"{step.detail} · {what}") if step.number == number else step for step in self.steps
        ]

    def change(self, wanted: Callable[[Step], bool], state: str, detail: str | None) -> None:
        self.steps = [
            replace(step, state=state, detail=step.detail if detail is None else detail) if wanted(step) else step
            for step in self.steps
        ]


class DecisionPane(VerticalScroll):
    """Shows what would be decided while a prompt is typed, and from the moment it is sent what was decided. Earlier
    decisions can be looked at meanwhile; the next one that is made comes to the front."""

    BORDER_TITLE = "Decision"
    HELP = (
        "Why this model: the task, how hard it is, every model weighed, and why others are out. ↑↓ scrolls, "
        "{decision.earlier} and {decision.later} go to the earlier and the later decisions of this session, "
        "{decision.history} lists all there are, {decision.whatif} asks what would have been decided otherwise."
    )
    BINDINGS = bindings("decision")
    DEFAULT_CSS = """
    DecisionPane #decision-strip {
        dock: top; height: auto; padding: 0 1 0 0; background: $background; link-style: none; link-color: $accent;
        display: none;
    }
    """

    class Shown(Message):
        """Another decision is on the card, or this one has come to its end."""

        def __init__(self, request_id: str) -> None:
            super().__init__()
            self.request_id = request_id

    def __init__(self, events: Signal[Event]) -> None:
        super().__init__(id="decision", classes="pane")
        self._events = events
        self._card = Steady(id="card", markup=False)
        self._strip = Steady(id="decision-strip", markup=False)
        self._preview: Decision | None = None
        self._live = _Told()
        """The turn that is followed in the session on the screen."""
        self._followed: dict[str, _Told] = {}
        """By request: that one, and those of other sessions."""
        self._earlier: _Told | None = None
        """What was looked up in its place."""
        self._position: Position | None = None
        self._elsewhere = False
        """Whether the last turn was decided where the conversation was imported from."""
        self._clock: Clock | None = None
        self._otherwise: tuple[Decision, dict[Strategy, Decision]] | None = None
        """What other strategies would do, and with which decision's candidates."""

    def compose(self) -> ComposeResult:
        yield self._strip
        yield self._card

    def on_mount(self) -> None:
        hear(self._events, self, self.tell)
        self._draw()

    def on_resize(self, event: Resize) -> None:
        self._draw()

    def fit(self) -> None:
        """To the room there is inside the frame, which may have come or gone."""
        self._draw()

    def on_show(self, event: Show) -> None:
        self._draw()

    # -- which decision

    @property
    def decision(self) -> Decision | None:
        """The one on the card, were nothing typed."""
        return self._told.decision

    @property
    def _told(self) -> _Told:
        return self._earlier or self._live

    def browse_by(self, clock: Clock) -> None:
        """From now on others can be gone to; `place` tells where they stand."""
        self._clock = clock
        self._strip.display = True
        self._draw()

    def place(self, position: Position | None) -> None:
        """Of the decision on the card; None where none is kept of it."""
        self._position = position
        self._draw_strip()

    def has_beside(self, side: Literal["earlier", "later"]) -> bool:
        """Whether a step leads to another: from a draft's, to the last that was made."""
        if self.previews:
            return side == "earlier" and self._position is not None
        return self._position is not None and getattr(self._position, side) is not None

    @property
    def previews(self) -> bool:
        """Whether it shows what would be decided about the draft."""
        return self._preview is not None

    def show_preview(self, decision: Decision | None) -> None:
        """What a draft would lead to; None goes back to the last real decision."""
        if decision is not self._preview:
            self._preview = decision
            self._draw()

    def clear(self) -> None:
        self._live, self._earlier, self._preview, self._position = _Told(), None, None, None
        self._elsewhere = False
        self._draw()

    def tell_elsewhere(self) -> None:
        """The conversation was imported, and its last turn decided where it was had."""
        self._elsewhere = True
        self._draw()

    def follow(self, request_id: str) -> None:
        """Events of other turns (a model being tested) are not this card's."""
        self._followed.pop(self._live.request_id, None)
        self._live = self._followed[request_id] = _Told(request_id)

    def begin(self, request_id: str) -> None:
        """To follow a turn of a session that is not on the screen."""
        self._followed[request_id] = _Told(request_id)

    def turn_to(self, request_id: str, others: Collection[str]) -> None:
        """To what another session's turn has come to by now; none is followed but that and the `others`."""
        live = self._followed.get(request_id, _Told())
        self._followed = {id_: told for id_, told in self._followed.items() if told is live or id_ in others}
        self._live, self._earlier, self._preview, self._position = live, None, None, None
        if live.decision is None:
            self._draw()
        else:
            self._show()

    def show_stored(self, decision: Decision, attempts: Sequence[Attempt]) -> None:
        """The card of an earlier turn; of the one that is followed, as it is told."""
        live = self._live.decision is not None and decision.request_id == self._live.request_id
        told = _Told(decision.request_id, decision, [_stored_step(attempt) for attempt in attempts])
        self._earlier, self._preview = None if live else told, None
        self.scroll_home(animate=False)
        self._show()

    def tell(self, event: Event) -> None:
        told = self._followed.get(event.request_id)
        if told is None:
            return
        in_front = told is self._live
        if isinstance(event, Decided):
            told.decision, told.steps = event.decision, []
            if not in_front:
                return
            self._earlier = self._preview = None
            self.scroll_home(animate=False)
            self._show()
            return
        advanced = _advance(told, event)
        if in_front and self._earlier is None:
            if isinstance(event, Completed | Failed):
                self._show()
            elif advanced:
                self._draw()

    def _show(self) -> None:
        if self._position is not None and self._position.past.request_id != self._told.request_id:
            self._position = None
        self._draw()
        self.post_message(self.Shown(self._told.request_id))

    def abandon(self, request_id: str, why: str) -> None:
        """The turn broke without its last event."""
        if (told := self._followed.get(request_id)) is not None:
            told.change(lambda step: step.state == "running", "failed", why)
            self._draw()

    def _draw(self) -> None:
        if not self.display:
            return  # every strategy is tried for it, which nobody would see
        decision = self._preview or self._told.decision
        width = max(20, self.scrollable_content_region.width - 1)
        self._draw_strip()
        if decision is None:
            key = key_to(self.app, "strategy.pick")
            self._card.update(
                draw_nothing(width, asked=bool(self._told.request_id), key=key, elsewhere=self._elsewhere)
            )
            return
        if self._otherwise is None or self._otherwise[0] is not decision:
            self._otherwise = decision, what_if(decision)
        preview = self._preview is not None
        steps = () if preview else tuple(self._told.steps)
        self._card.update(draw_decision(decision, steps, width, preview=preview, otherwise=self._otherwise[1]))

    def _draw_strip(self) -> None:
        if self._clock is not None:
            width = max(20, self.scrollable_content_region.width - 1)
            looked_up = self._earlier is not None and not self.previews
            told = draw_strip(self._position, width, self._clock, looked_up=looked_up, draft=self.previews)
            self._strip.update(told)


def _advance(told: _Told, event: Event) -> bool:
    """Whether the event changed a step."""
    if isinstance(event, AttemptStarted):
        cause = f"part {event.part}" if event.part else event.cause
        told.steps.append(Step(event.attempt, event.model, cause))
    elif isinstance(event, AttemptFinished):
        detail = f"{words.seconds(event.latency_s)} · {event.cost}"
        if event.confidence is not None:
            detail = f"confidence {event.confidence.value:.2f} · {detail}"
            if event.confidence.reasons:
                detail += f" · {event.confidence.reasons[0]}"
        if event.recalled is not None:
            detail = f"{recalled_in_words(event.recalled)} · {detail}"
        told.change(lambda step: step.number == event.attempt, "finished", detail)
    elif isinstance(event, AttemptFailed):
        detail = f"{event.error.message} · {words.seconds(event.latency_s)} · {event.cost}"
        state = "cancelled" if event.error.kind is ErrorKind.CANCELLED else "failed"
        told.change(lambda step: step.number == event.attempt, state, detail)
    elif isinstance(event, Checked):
        told.add(event.attempt, found(event.finding))
    elif isinstance(event, Escalated):
        if event.onward is not None:
            last = max(step.number for step in told.steps if step.model == event.from_model)
            told.add(last, in_words(event.onward))
        told.change(lambda step: step.model == event.from_model and step.state == "finished", "escalated", None)
    elif isinstance(event, Completed):
        for attempt in event.attempts:
            if attempt.onward is not None and not attempt.onward.taken:
                told.add(attempt.number, kept_in_words(attempt.onward))
    else:
        return False
    return True


_WAYS_TO_ALL = ("all decisions", "decisions", "all")
"""As much of it as there is room for."""


def draw_strip(position: Position | None, width: int, clock: Clock, *, looked_up: bool, draft: bool = False) -> Content:
    """Where the decision stands, what can be clicked; of one that was looked up also when it was and about what. That
    about a draft comes after the last one."""
    left: list[Content] = []
    if draft:
        before = position is not None
        left = [_clicked("‹ ", "app.decision_step(-1)", there=before), Content("the draft's")]
    elif position is not None:
        left = [
            _clicked("‹ ", "app.decision_step(-1)", there=position.earlier is not None),
            Content(f"{position.number:,} of {position.of:,}"),
            _clicked(" ›", "app.decision_step(1)", there=position.later is not None),
        ]
    head = Content.assemble(*left)
    room = width - head.cell_length - len("   what if")
    to_all = next((way for way in _WAYS_TO_ALL if len(way) <= room), _WAYS_TO_ALL[-1])
    tail = Content.assemble(_clicked(to_all, "app.decisions"), "  ", _clicked("what if", "app.what_if"))
    gap = max(1, width - head.cell_length - tail.cell_length)
    rows = [Content.assemble(head, " " * gap, tail).truncate(width)]
    if looked_up and position is not None:
        about = position.past.prompt or "the prompt is not kept"
        rows.append(Content.styled(words.fit(f"{words.moment(position.past.at, clock)} · {about}", width), MUTED))
    return words.lines(rows)


def _clicked(text: str, action: str, *, there: bool = True) -> Content:
    part = Content.styled(text, ACCENT if there else MUTED)
    return part.stylize(Style.from_meta({"@click": action})) if there else part


def _stored_step(attempt: Attempt) -> Step:
    detail = " · ".join(filter(None, (words.took(attempt), str(attempt.cost))))
    if attempt.confidence is not None:
        detail = f"confidence {attempt.confidence:.2f} · {detail}"
    if attempt.recalled is not None:
        detail = f"{recalled_in_words(attempt.recalled)} · {detail}"
    if attempt.error_message:
        detail = f"{attempt.error_message} · {detail}"
    state = attempt.outcome.value
    detail = " · ".join([detail, *attempt.reasons[:1], *map(found, attempt.findings)])
    if attempt.onward is not None:
        state = "escalated" if attempt.onward.taken else state
        detail += f" · {in_words(attempt.onward) if attempt.onward.taken else kept_in_words(attempt.onward)}"
    return Step(attempt.number, attempt.model, attempt.cause, state, detail)
