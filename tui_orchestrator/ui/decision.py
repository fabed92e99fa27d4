"""The decision pane: the card of what would be decided, or was, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize, Show
from textual.signal import Signal
from textual.widgets import Static

from tui_orchestrator.routing.decision import Decision
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
    Outcome,
)
from tui_orchestrator.routing.explanation import what_if
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.routing.telling import found, recalled_in_words

from . import words
from .card import Step, draw_decision, draw_nothing


class DecisionPane(VerticalScroll):
    """Shows what would be decided while a prompt is typed, and from the moment it is sent what was decided."""

    BORDER_TITLE = "Decision"
    HELP = "Why this model: the task, how hard it is, every model weighed, and why others are out. ↑↓ scrolls."

    def __init__(self, events: Signal[Event]) -> None:
        super().__init__(id="decision", classes="pane")
        self._events = events
        self._card = Static(id="card", markup=False)
        self._decision: Decision | None = None
        self._preview: Decision | None = None
        self._steps: list[Step] = []
        self._request_id = ""
        self._otherwise: tuple[Decision, dict[Strategy, Decision]] | None = None
        """What other strategies would do, and with which decision's candidates."""

    def compose(self) -> ComposeResult:
        yield self._card

    def on_mount(self) -> None:
        self._events.subscribe(self, self.tell)
        self._draw()

    def on_resize(self, event: Resize) -> None:
        self._draw()

    def on_show(self, event: Show) -> None:
        self._draw()

    def show_preview(self, decision: Decision | None) -> None:
        """What a draft would lead to; None goes back to the last real decision."""
        if decision is not self._preview:
            self._preview = decision
            self._draw()

    def clear(self) -> None:
        self._decision = self._preview = None
        self._steps = []
        self._draw()

    def follow(self, request_id: str) -> None:
        """Events of other turns (a model being tested) are not this card's."""
        self._request_id = request_id

    def show_stored(self, decision: Decision, attempts: Sequence[Attempt]) -> None:
        """The card of an earlier turn."""
        self._request_id = decision.request_id
        self._decision, self._preview = decision, None
        self._steps = [_stored_step(attempt) for attempt in attempts]
        self.scroll_home(animate=False)
        self._draw()

    def tell(self, event: Event) -> None:
        if event.request_id != self._request_id:
            return
        if isinstance(event, Decided):
            self._decision, self._preview, self._steps = event.decision, None, []
            self.scroll_home(animate=False)
        elif not self._advance(event):
            return
        self._draw()

    def abandon(self, why: str) -> None:
        """The turn broke without its last event."""
        self._change(lambda step: step.state == "running", "failed", why)
        self._draw()

    def _advance(self, event: Event) -> bool:
        """Whether the event changed a step."""
        if isinstance(event, AttemptStarted):
            self._steps.append(Step(event.attempt, event.model, event.cause))
        elif isinstance(event, AttemptFinished):
            detail = f"{words.seconds(event.latency_s)} · {event.cost}"
            if event.confidence is not None:
                detail = f"confidence {event.confidence.value:.2f} · {detail}"
                if event.confidence.reasons:
                    detail += f" · {event.confidence.reasons[0]}"
            if event.recalled is not None:
                detail = f"{recalled_in_words(event.recalled)} · {detail}"
            self._change(lambda step: step.number == event.attempt, "finished", detail)
        elif isinstance(event, AttemptFailed):
            detail = f"{event.error.message} · {words.seconds(event.latency_s)} · {event.cost}"
            self._change(lambda step: step.number == event.attempt, "failed", detail)
        elif isinstance(event, Checked):
            self._add(event.attempt, found(event.finding))
        elif isinstance(event, Escalated):
            if event.onward is not None:
                last = max(step.number for step in self._steps if step.model == event.from_model)
                self._add(last, in_words(event.onward))
            self._change(lambda step: step.model == event.from_model and step.state == "finished", "escalated", None)
        elif isinstance(event, Completed):
            for attempt in event.attempts:
                if attempt.onward is not None and not attempt.onward.taken:
                    self._add(attempt.number, kept_in_words(attempt.onward))
        else:
            return False
        return True

    def _add(self, number: int, what: str) -> None:
        self._steps = [
            replace(step, detail=f"{step.detail} · {what}") if step.number == number else step for step in self._steps
        ]

    def _change(self, wanted: Callable[[Step], bool], state: str, detail: str | None) -> None:
        self._steps = [
            replace(step, state=state, detail=step.detail if detail is None else detail) if wanted(step) else step
            for step in self._steps
        ]

    def _draw(self) -> None:
        if not self.display:
            return  # every strategy is tried for it, which nobody would see
        decision = self._preview or self._decision
        width = max(20, self.scrollable_content_region.width - 1)
        if decision is None:
            self._card.update(draw_nothing(width))
            return
        if self._otherwise is None or self._otherwise[0] is not decision:
            self._otherwise = decision, what_if(decision)
        preview = self._preview is not None
        steps = () if preview else tuple(self._steps)
        self._card.update(draw_decision(decision, steps, width, preview=preview, otherwise=self._otherwise[1]))


def _stored_step(attempt: Attempt) -> Step:
    detail = f"{words.seconds(attempt.latency_s)} · {attempt.cost}"
    if attempt.confidence is not None:
        detail = f"confidence {attempt.confidence:.2f} · {detail}"
    if attempt.recalled is not None:
        detail = f"{recalled_in_words(attempt.recalled)} · {detail}"
    if attempt.error_message:
        detail = f"{attempt.error_message} · {detail}"
    state = "finished" if attempt.outcome is Outcome.FINISHED else "failed"
    detail = " · ".join([detail, *attempt.reasons[:1], *map(found, attempt.findings)])
    if attempt.onward is not None:
        state = "escalated" if attempt.onward.taken else state
        detail += f" · {in_words(attempt.onward) if attempt.onward.taken else kept_in_words(attempt.onward)}"
    return Step(attempt.number, attempt.model, attempt.cause, state, detail)
