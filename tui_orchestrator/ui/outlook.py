"""The line above the prompt: where the draft would go and what it would cost, before it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.events import Click
from textual.message import Message

from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.request import Strategy

from . import words
from .steady import Steady
from .words import ACCENT, BAD, GOOD, MONEY, MUTED, WARN

PROBLEM_LINES = 5


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the line above the prompt tells."""

    decision: Decision | None = None
    truncated: bool = False
    """The draft is too long to be weighed while typing; the figures are of its beginning."""
    running: str = ""
    """While a turn runs: what it does."""
    problem: str = ""
    """Why the draft was not sent."""
    news: str = ""
    """What stands in place of a toast where there is no room for one; its style below."""
    news_style: str = ""
    idle: str = ""
    """What is said while there is no draft."""
    mark: str = ""
    """At the right end: of what goes on in other sessions, where nothing else tells of it."""


def draw_outlook(outlook: Outlook, width: int) -> Content:
    if outlook.news:
        return Content.styled(outlook.news, outlook.news_style)
    if outlook.problem:
        return _whole(f"✗ {outlook.problem}", width)
    parts: list[tuple[str, str]] = []
    decision = outlook.decision
    if decision is not None and decision.model is None:
        return _whole(f"✗ {decision.reason}", width)
    if outlook.running and decision is None:
        parts.append((f"◐ {outlook.running}", ACCENT))
    elif outlook.idle and decision is None:
        parts.append((outlook.idle, MUTED))
    if decision is not None:
        parts += _forecast(decision, outlook.truncated)
    if not outlook.mark:
        return _clip(parts, width)
    room = max(0, width - cell_len(outlook.mark) - 2)
    said = _clip(parts, room)
    return Content.assemble(said, " " * (room - said.cell_length + 2), (outlook.mark, f"bold {ACCENT}"))


def _whole(problem: str, width: int) -> Content:
    """In as many lines as it takes: what it names at its end may be what would be right."""
    lines = words.wrap(problem, width, indent=2)
    if len(lines) > PROBLEM_LINES:
        lines = [*lines[: PROBLEM_LINES - 1], words.fit(" ".join([lines[PROBLEM_LINES - 1], "…" * width]), width)]
    return words.lines([Content.styled(line, BAD) for line in lines])


def _forecast(decision: Decision, truncated: bool) -> list[tuple[str, str]]:
    profile = decision.profile
    assert decision.model is not None
    if decision.division is not None:
        division, least = decision.division, "≥" if truncated else ""
        reader, writer = words.short_name(division.reader), words.short_name(division.writer)
        said = f"{least}{division.parts} parts with {reader}, then put together by {writer}"
        cost = words.cost_range(division.cost, division.ceiling)
        whose = f"{reader}'s" if division.pinned else "any model's"
        return [(f"longer than {whose} context", WARN), (said, "bold"), (cost, MONEY)]
    chosen = decision.chosen
    name = words.short_name(decision.model)
    if decision.strategy is Strategy.ENSEMBLE:
        dear = decision.left_out
        name = " + ".join(("✗ " if model in dear else "") + words.short_name(model) for model in decision.chain)
    parts = [(f"→ {name}{_how(decision)}", "bold " + GOOD)]
    parts.append((f"{words.spoken(profile.task_type)} {profile.task_confidence:.2f}", ""))
    parts.append((f"difficulty {profile.complexity}/10", ""))
    sign = "≥" if truncated else "≈"
    counted = chosen.input_tokens if chosen is not None else None
    tokens = profile.input_tokens if counted is None else counted
    parts.append((f"{sign}{words.tokens(tokens)} tok in", MUTED))
    asked = [chosen] if decision.strategy is not Strategy.ENSEMBLE else map(decision.candidate, decision.chain)
    if there := [candidate for candidate in asked if candidate is not None]:
        likely, most = _sum(c.estimated_cost for c in there), _sum(c.cost_ceiling for c in there)
        parts.append((words.cost_range(likely, most), MONEY))
    return parts


def _sum(amounts: Iterable[Money | None]) -> Money | None:
    """None as soon as one is not known."""
    known = list(amounts)
    return None if None in known else sum((amount for amount in known if amount is not None), ZERO)


def _how(decision: Decision) -> str:
    if decision.experiment is not None:
        return f" (experiment {decision.experiment.side.upper()})"
    return " (pinned)" if decision.pinned else ""


def _clip(parts: list[tuple[str, str]], width: int) -> Content:
    """Joined by dots. Where it is too long the last part goes first, but for the cost, which is always shown."""
    if not parts:
        return Content("")

    def joined(pieces: list[tuple[str, str]]) -> Content:
        return Content(" · ").join(Content.styled(text, style) for text, style in pieces)

    while len(parts) > 2 and joined(parts).cell_length > width:
        parts = [*parts[:-2], parts[-1]]
    return joined(parts).truncate(width, ellipsis=True)


class OutlookLine(Steady):
    """A click opens the whole decision."""

    class Opened(Message):
        pass

    def __init__(self) -> None:
        super().__init__(id="outlook", markup=False)

    def on_click(self, event: Click) -> None:
        self.post_message(self.Opened())
