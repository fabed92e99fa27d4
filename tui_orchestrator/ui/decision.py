"""The route card: which model was chosen, by whom, on what evidence, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.signal import Signal
from textual.widgets import Static

from tui_orchestrator.routing.decision import Candidate, Decision
from tui_orchestrator.routing.events import (
    Attempt,
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Completed,
    Decided,
    Escalated,
    Event,
    Outcome,
)
from tui_orchestrator.routing.profile import Profile
from tui_orchestrator.routing.request import Strategy

from . import words
from .words import ACCENT, BAD, BAR, GOOD, MUTED, STRONG, WARN

TASKS_SHOWN = 4
EVIDENCE_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt as the card tells it."""

    number: int
    model: str
    cause: str
    state: str = "running"
    """running, finished, failed, escalated."""
    detail: str = ""


_STEP_GLYPHS = {"running": ("◐", ACCENT), "finished": ("✓", GOOD), "failed": ("✗", BAD), "escalated": ("~", WARN)}


def draw_decision(decision: Decision, steps: Sequence[Step], width: int, *, preview: bool = False) -> Content:
    """The whole card, laid out for `width` cells."""
    rows: list[Content | str] = [*_head(decision, width, preview), ""]
    if steps:
        rows += [*_attempts(steps, width), ""]
    rows += [*_tasks(decision.profile, width), "", *_candidates(decision, width), ""]
    rows += _difficulty(decision.profile, width)
    if len(decision.chain) > 1:
        title = "Members" if decision.strategy is Strategy.ENSEMBLE else "Chain"
        arrow = " · " if decision.strategy is Strategy.ENSEMBLE else " → "
        walk = arrow.join(words.short_name(model) for model in decision.chain)
        rows += ["", words.heading(title, width), *words.wrap(walk, width, indent=2)]
    return words.lines(rows)


def _head(decision: Decision, width: int, preview: bool) -> list[Content | str]:
    notes = [words.spoken(decision.strategy)]
    if decision.pinned:
        notes.append("pinned")
    if decision.rule:
        notes.append(f"rule {decision.rule}")
    if decision.explored:
        notes.append("exploring")
    if decision.model is None:
        title = Content.assemble(("✗ ", BAD), (words.fit("no model can take this", width - 2).rstrip(), f"bold {BAD}"))
    else:
        together = decision.strategy is Strategy.ENSEMBLE and len(decision.chain) > 1
        name = f"{len(decision.chain)} models at once" if together else decision.model
        title = Content.assemble(("→ ", GOOD), (words.fit(name, width - 2).rstrip(), STRONG))
    stage = "if sent now" if preview else "chosen"
    head: list[Content | str] = [title, Content.styled(words.fit(f"  {stage} · {' · '.join(notes)}", width), MUTED)]
    return head + ["  " + line for line in words.wrap(decision.reason, width - 2)]


def _attempts(steps: Sequence[Step], width: int) -> list[Content | str]:
    rows: list[Content | str] = [words.heading("Attempts", width)]
    for step in steps:
        glyph, style = _STEP_GLYPHS[step.state]
        cause = "" if step.cause == "first" else f" ({step.cause})"
        name = words.short_name(step.model) + cause
        rows.append(Content.assemble((f"{glyph} ", style), words.fit(f"{step.number} {name}", width - 2).rstrip()))
        rows += [Content.styled("    " + line, MUTED) for line in words.wrap(step.detail, width - 4) if step.detail]
    return rows


def _tasks(profile: Profile, width: int) -> list[Content | str]:
    rows: list[Content | str] = [words.heading("Task", width, words.spoken(profile.task_type))]
    likeliest = sorted(profile.task_probabilities.items(), key=lambda item: -item[1])[:TASKS_SHOWN]
    rows += [
        _gauge(words.spoken(task), probability, f"{probability:.2f}", width)
        for task, probability in likeliest
        if probability >= 0.01
    ]
    return rows


def _gauge(label: str, share: float, figure: str, width: int) -> Content:
    label_room = max(6, min(18, width - 13))
    room = max(2, min(30, width - label_room - 7))
    return Content.assemble(words.fit(label, label_room), " ", (words.bar(share, room), BAR), f" {figure}")


def _difficulty(profile: Profile, width: int) -> list[Content | str]:
    rows: list[Content | str] = [
        words.heading("Difficulty", width, profile.level),
        _gauge("for models", profile.difficulty, f"{profile.difficulty:.2f}", width),
        _gauge("as people see it", profile.complexity / 10, f"{profile.complexity}/10", width),
    ]
    weightiest = sorted(profile.evidence, key=lambda item: -abs(item.effect))[:EVIDENCE_SHOWN]
    for item in weightiest:
        sign, style = ("+", WARN) if item.effect > 0 else ("−", GOOD) if item.effect < 0 else ("·", MUTED)
        effect = f" {abs(item.effect):.2f}" if item.effect else ""
        rows.append(Content.assemble((f"{sign} ", style), words.fit(item.feature + effect, width - 2).rstrip()))
    size = f"≈{words.tokens(profile.input_tokens)} tok in · ≈{words.tokens(profile.output_tokens)} out"
    if profile.needs:
        size += f" · needs {', '.join(sorted(words.spoken(need) for need in profile.needs))}"
    rows += [Content.styled(line, MUTED) for line in words.wrap(size, width)]
    if profile.novelty > 0.5:
        rows.append(Content.styled(words.fit("unlike what the estimate was learned from", width), MUTED))
    return rows


def _candidates(decision: Decision, width: int) -> list[Content | str]:
    inside = [candidate for candidate in decision.candidates if candidate.excluded is None]
    outside = [candidate for candidate in decision.candidates if candidate.excluded is not None]
    margin = f"{decision.margin:+.2f} to the next" if decision.margin is not None else ""
    rows: list[Content | str] = [words.heading(f"Candidates {len(inside)}/{len(decision.candidates)}", width, margin)]
    score_room = 8 if width >= 50 else 0
    time_room = 7 if width >= 42 else 0
    name_room = width - 2 - 5 - 10 - time_room - score_room
    if inside:
        header = words.fit("", 2) + words.fit("model", name_room) + words.fit("p", 5, right=True)
        header += words.fit("cost", 10, right=True)
        header += words.fit("time", time_room, right=True) + ("  score" if score_room else "")
        rows.append(Content.styled(header, MUTED))
    scores = [candidate.score for candidate in inside]
    low, high = (min(scores), max(scores)) if scores else (0.0, 0.0)
    for candidate in inside:
        share = 1.0 if high == low else 0.08 + 0.92 * (candidate.score - low) / (high - low)
        rows.append(_inside(candidate, decision, name_room, time_room, words.bar(share, 6) if score_room else ""))
    for candidate in outside:
        name = words.fit(words.short_name(candidate.model), width - 2).rstrip()
        rows.append(Content.assemble(("✗ ", BAD), (name, MUTED)))
        reason = words.wrap(candidate.excluded or "", width - 4)
        rows += [Content.styled("    " + line, MUTED) for line in reason[:2]]
    return rows


def _inside(candidate: Candidate, decision: Decision, name_room: int, time_room: int, score: str) -> Content:
    member = decision.strategy is Strategy.ENSEMBLE and candidate.model in decision.chain
    chosen = candidate.model == decision.model or member
    likelihood = candidate.success_probability
    style = GOOD if likelihood >= 0.8 else WARN if likelihood >= 0.5 else BAD
    return Content.assemble(
        ("▸ " if chosen else "  ", GOOD),
        (words.fit(words.short_name(candidate.model), name_room), "bold" if chosen else ""),
        (f"{likelihood:5.2f}", style),
        words.fit(words.expected(candidate), 10, right=True),
        words.fit(words.seconds(candidate.estimated_latency_s), time_room, right=True),
        ("  " + score if score else "", BAR),
    )


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

    def compose(self) -> ComposeResult:
        yield self._card

    def on_mount(self) -> None:
        self._events.subscribe(self, self.tell)
        self._draw()

    def on_resize(self, event: Resize) -> None:
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
            detail = f"confidence {event.confidence.value:.2f} · {words.seconds(event.latency_s)} · {event.cost}"
            if event.confidence.reasons:
                detail += f" · {event.confidence.reasons[0]}"
            self._change(lambda step: step.number == event.attempt, "finished", detail)
        elif isinstance(event, AttemptFailed):
            detail = f"{event.error.message} · {words.seconds(event.latency_s)} · {event.cost}"
            self._change(lambda step: step.number == event.attempt, "failed", detail)
        elif isinstance(event, Escalated):
            self._change(lambda step: step.model == event.from_model and step.state == "finished", "escalated", None)
        else:
            return isinstance(event, Completed)
        return True

    def _change(self, wanted: Callable[[Step], bool], state: str, detail: str | None) -> None:
        self._steps = [
            replace(step, state=state, detail=step.detail if detail is None else detail) if wanted(step) else step
            for step in self._steps
        ]

    def _draw(self) -> None:
        decision = self._preview or self._decision
        width = max(20, self.scrollable_content_region.width)
        if decision is None:
            self._card.update(_empty(width))
            return
        preview = self._preview is not None
        steps = () if preview else tuple(self._steps)
        self._card.update(draw_decision(decision, steps, width, preview=preview))


def _stored_step(attempt: Attempt) -> Step:
    detail = f"{words.seconds(attempt.latency_s)} · {attempt.cost}"
    if attempt.confidence is not None:
        detail = f"confidence {attempt.confidence:.2f} · {detail}"
    if attempt.error_message:
        detail = f"{attempt.error_message} · {detail}"
    state = "finished" if attempt.outcome is Outcome.FINISHED else "failed"
    return Step(attempt.number, attempt.model, attempt.cause, state, detail)


def _empty(width: int) -> Content:
    text = (
        "Nothing decided yet. Type a prompt: this card shows which model it would go to, and why, before you send it."
    )
    return words.lines([*words.wrap(text, width), "", Content.styled("Ctrl+S changes the strategy", MUTED)])
