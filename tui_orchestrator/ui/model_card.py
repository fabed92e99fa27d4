"""All that is known of one model: where it is, what it costs and can do, how it fared with this user, and, where it is
out, why and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from tui_orchestrator.routing.experience import Lesson
from tui_orchestrator.routing.money import Rates
from tui_orchestrator.routing.profile import TaskType
from tui_orchestrator.routing.text import clean_line
from tui_orchestrator.services.model_figures import ModelFigures

from . import words
from .commands import ACTIONS
from .dialogs import Dialog, clickable, keys_line
from .naming import key_to
from .words import BAD, MONEY, MUTED, STRONG

VERBS = {"pin": "pin", "test": "test", "favourite": "favourite", "toggle": "switch", "memory": "memory"}
"""By the action of the table that does the same, whose key it has: as in [ui.keymap], else its own."""
_TOLD = {"pin": "pin", "test": "test", "favourite": "favourite", "toggle": "on/off"}
_ACTIONS = {action.id: action for action in ACTIONS if action.scope == "registry"}
_LABEL = 14
_CORNERS = 4
"""Cells that a title in the frame lacks, with a favourite's mark."""
_BUCKETS = ("input", "output", "cached_input", "cache_write", "reasoning")


class ModelCard(Dialog[str | None]):
    """Answers with one of VERBS for the action that was taken, None for Esc."""

    HELP = (
        "All that is known of a model: why it is out and what to do, prices with their source, abilities, what was "
        "learned from your votes and turns, how it did this month, its last failures. The keys at the bottom do what "
        "they do in the table."
    )
    DEFAULT_CSS = """
    ModelCard .dialog { width: 100; max-height: 94%; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    ModelCard Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss(None)", "Close"),
        *(
            Binding(_ACTIONS[f"registry.{name}"].key, f"dismiss('{verb}')", verb, id=f"registry.{name}")
            for name, verb in VERBS.items()
        ),
        Binding("up", "scroll('up')", "Up", show=False),
        Binding("down", "scroll('down')", "Down", show=False),
    ]

    def __init__(self, figures: ModelFigures) -> None:
        super().__init__()
        self._figures = figures
        self._told = Static(markup=False)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = Content(f"{'* ' if self._figures.favourite else ''}{self._figures.model.id}")
            told = [
                clickable(f"{key_to(self.app, f'registry.{name}')} {does}", f"screen.dismiss('{VERBS[name]}')")
                for name, does in _TOLD.items()
            ]
            dialog.border_subtitle = Content(" · ").join([*told, keys_line("Esc closes")])
            yield self._told

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self._draw()

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self._draw)

    def action_scroll(self, way: str) -> None:
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_up() if way == "up" else scroll.scroll_down()

    def _draw(self) -> None:
        width = max(20, self.query_one(VerticalScroll).scrollable_content_region.width)
        self._told.update(card(self._figures, width))


def card(figures: ModelFigures, width: int) -> Content:
    rows: list[Content] = [*_state(figures, width)]
    for title, part in (
        ("Price", _price(figures, width)),
        ("What it can do", _abilities(figures, width)),
        ("With you", _measured(figures, width)),
    ):
        rows += [Content(""), words.heading(title, width), *part]
    if figures.failures:
        rows += [Content(""), words.heading("Last failures", width), *_failures(figures, width)]
    return words.lines(rows)


def _row(label: str, said: str, width: int, style: str = "") -> Iterator[Content]:
    """Wrapped under itself."""
    lines = words.wrap(said, max(10, width - _LABEL))
    for place, line in enumerate(lines):
        yield Content.assemble((words.fit(label if not place else "", _LABEL), MUTED), (line, style))


def _state(figures: ModelFigures, width: int) -> Iterator[Content]:
    if cell_len(figures.model.id) > width - _CORNERS:
        yield from _row("name", figures.model.id, width, STRONG)
    glyph, style, word = words.HEALTH[figures.health.state]
    left = figures.health.seconds_left
    why = clean_line(figures.health.detail, 300)
    after = f", tried again in {left:.0f} s" if left is not None else ""
    yield from _row("now", f"{glyph} {word}{f': {why}' if why else ''}{after}", width, style)
    if figures.remedy:
        yield from _row("to do", figures.remedy, width, STRONG)
    if figures.loaded is not None:
        said = (
            "loaded; M takes it out" if figures.loaded else "not loaded; M loads it, else the first prompt waits for it"
        )
        yield from _row("in memory", said, width)
    model = figures.model
    speaks = f", speaks {figures.kind}" if figures.kind and figures.kind != model.provider else ""
    yield from _row("provider", f"{model.provider}{speaks}{' · on your machine' if model.local else ''}", width)
    key = f" · key from {figures.key_origin}" if figures.key_origin else ""
    yield from _row("address", f"{figures.address or 'not known'}{key}", width)


def _price(figures: ModelFigures, width: int) -> Iterator[Content]:
    price = figures.price
    if price is None:
        said = "not known. Under a cap it is not called unless allow_unpriced says so; [[models]] can tell it."
        yield from _row("per M tokens", said, width)
        return
    yield from _row("per M tokens", "free" if price.free else _rates(price.rates), width, MONEY)
    for tier in price.tiers:
        yield from _row(f"over {words.tokens(tier.over)}", _rates(tier.rates), width, MONEY)
    if price.per_call:
        yield from _row("each call", str(price.per_call), width, MONEY)
    yield from _row("source", f"{price.source or 'not said'} · as of {figures.asked_for_prices:%Y-%m-%d}", width)


def _rates(rates: Rates) -> str:
    said = {name: getattr(rates, name) for name in _BUCKETS}
    return " · ".join(f"{words.spoken(name)} ${words.rate(rate)}" for name, rate in said.items() if rate is not None)


def _abilities(figures: ModelFigures, width: int) -> Iterator[Content]:
    model = figures.model
    window = "not known" if model.context_window is None else f"{model.context_window:,} tokens"
    most = "" if model.max_output is None else f" · at most {model.max_output:,} out"
    yield from _row("context", window + most, width)
    yield from _row("can", ", ".join(words.spoken(can) for can in sorted(model.abilities)) or "text alone", width)
    yield from _row("level", f"{model.level} · ability {model.ability:.2f}", width)
    yield from _row("rate limit", figures.rate_limits, width)
    if model.ability_source:
        yield from _row("known from", model.ability_source, width)
    tasks = {*model.task_abilities, *figures.lesson.seen}
    for task in (task for task in TaskType if task in tasks):
        yield from _row(words.spoken(task), _task(figures, task), width)


def _task(figures: ModelFigures, task: TaskType) -> str:
    """'0.71 = 0.62 + 0.05 known − 0.04 learned from 3 answers, ▲2 ▼1'."""
    model, lesson = figures.model, figures.lesson
    known = model.task_abilities.get(task, 0.0)
    learned = lesson.learned.shift_for(task, figures.discrimination) if task in lesson.seen else 0.0
    said = f"{model.ability + known + learned:.2f} = {model.ability:.2f}"
    if known:
        said += f" {_signed(known)} known"
    if task in lesson.seen:
        answers = lesson.seen[task]
        said += f" {_signed(learned)} learned from {answers} answer{'s' * (answers > 1)}{_votes(lesson, task)}"
    return said


def _signed(shift: float) -> str:
    return f"{'−' if shift < 0 else '+'} {abs(shift):.2f}"


def _votes(lesson: Lesson, task: TaskType) -> str:
    marks = [f"{sign}{n}" for sign, n in (("▲", lesson.up.get(task, 0)), ("▼", lesson.down.get(task, 0))) if n]
    return f", {' '.join(marks)}" if marks else ""


def _measured(figures: ModelFigures, width: int) -> Iterator[Content]:
    now, month = figures.now, figures.month
    if now.first_token_s is not None or now.tokens_per_s is not None:
        first = "?" if now.first_token_s is None else words.seconds(now.first_token_s)
        speed = "?" if now.tokens_per_s is None else f"{now.tokens_per_s:.0f}"
        yield from _row("speed", f"first token after {first} · {speed} tok/s, measured", width)
    else:
        model = figures.model
        guess = f"first token after {words.seconds(model.first_token_s)} · {model.tokens_per_s:.0f} tok/s"
        yield from _row("speed", f"not measured yet; reckoned with {guess}", width)
    if month is None:
        yield from _row("this month", "not asked yet", width)
        return
    success = "" if month.success is None else f" · {month.success:.0%} succeeded"
    gone_on = f" · {month.escalated} escalated · {month.fell_back} fell back"
    yield from _row("this month", f"{month.attempts} calls{success}{gone_on} · {month.told(month.cost)}", width)
    for one in figures.tasks:
        share = "" if one.success is None else f" · {one.success:.0%} succeeded"
        up = f" · {one.escalated} escalated" if one.escalated else ""
        yield from _row(words.spoken(one.task_type or "other"), f"{one.attempts} calls{share}{up}", width)


def _failures(figures: ModelFigures, width: int) -> Iterator[Content]:
    for attempt in figures.failures:
        when = f"{attempt.started.astimezone():%m-%d %H:%M}"
        kind = words.spoken(attempt.error_kind) if attempt.error_kind else "failed"
        message = clean_line(attempt.error_message, 200)
        yield from _row(when, f"✗ {kind}{f': {message}' if message else ''}", width, BAD)
