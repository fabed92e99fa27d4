"""The prompt with the line above it, which says where the draft would go and what it would cost before it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click, Resize
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static, TextArea

from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.services.attachments import Enclosed, enclose

from . import words
from .attachments import Mention, look_up, mentions, read_ones
from .commands import SlashCommand, parse_slash, slash_matches
from .entries import Severity
from .prompt import Prompt
from .words import ACCENT, BAD, GOOD, MONEY, MUTED, WARN

WEIGH_AFTER_S = 0.12
"""Pause in typing after which the draft is weighed."""
WEIGHED_CHARACTERS = 60_000
"""Of a longer draft only the beginning is weighed while it is typed; all of it is when it is sent."""
HINTS_SHOWN = 6
_NEWS = {"information": ("·", MUTED), "warning": ("▲", WARN), "error": ("✗", BAD)}


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the line above the prompt tells."""

    decision: Decision | None = None
    mentions: tuple[Mention, ...] = ()
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


def draw_outlook(outlook: Outlook, width: int) -> Content:
    if outlook.news:
        return Content.styled(outlook.news, outlook.news_style)
    if outlook.problem:
        return _clip([(f"✗ {outlook.problem}", BAD)], width)
    parts: list[tuple[str, str]] = []
    decision = outlook.decision
    if outlook.running and decision is None:
        parts.append((f"◐ {outlook.running}", ACCENT))
    elif outlook.idle and decision is None:
        parts.append((outlook.idle, MUTED))
    if decision is not None:
        parts += _forecast(decision, outlook.truncated)
    # After the model, so that a narrow line loses neither them nor the cost at its end.
    parts[1:1] = [
        (mention.label, BAD if mention.fatal else WARN if mention.problem else GOOD) for mention in outlook.mentions
    ]
    return _clip(parts, width)


def _forecast(decision: Decision, truncated: bool) -> list[tuple[str, str]]:
    profile = decision.profile
    if decision.model is None:
        return [(f"✗ {decision.reason}", BAD)]
    chosen = decision.chosen
    name = words.short_name(decision.model)
    if decision.strategy is Strategy.ENSEMBLE:
        name = " + ".join(words.short_name(model) for model in decision.chain)
    parts = [(f"→ {name}{' (pinned)' if decision.pinned else ''}", "bold " + GOOD)]
    parts.append((f"{words.spoken(profile.task_type)} {profile.task_confidence:.2f}", ""))
    parts.append((f"difficulty {profile.complexity}/10", ""))
    sign = "≥" if truncated else "≈"
    counted = chosen.input_tokens if chosen is not None else None
    tokens = profile.input_tokens if counted is None else counted
    parts.append((f"{sign}{words.tokens(tokens)} tok in", MUTED))
    if chosen is not None:
        parts.append((words.cost_range(chosen.estimated_cost, chosen.cost_ceiling), MONEY))
    return parts


def _clip(parts: list[tuple[str, str]], width: int) -> Content:
    """Joined by dots. Where it is too long the last part goes first, but for the cost, which is always shown."""
    if not parts:
        return Content("")

    def joined(pieces: list[tuple[str, str]]) -> Content:
        return Content(" · ").join(Content.styled(text, style) for text, style in pieces)

    while len(parts) > 2 and joined(parts).cell_length > width:
        parts = [*parts[:-2], parts[-1]]
    return joined(parts).truncate(width, ellipsis=True)


class OutlookLine(Static):
    """A click opens the whole decision."""

    class Opened(Message):
        pass

    def __init__(self) -> None:
        super().__init__(id="outlook", markup=False)

    def on_click(self, event: Click) -> None:
        self.post_message(self.Opened())


Weigh = Callable[[Enclosed], Decision | None]
"""Where a draft would go; from memory alone, in about a millisecond."""


class Composer(Vertical):
    """The outlook, the list of matching `/` commands, and the prompt."""

    class Submitted(Message):
        def __init__(self, draft: Enclosed) -> None:
            super().__init__()
            self.draft = draft
            """With pastes unfolded."""

    class Commanded(Message):
        def __init__(self, command: SlashCommand, argument: str) -> None:
            super().__init__()
            self.command = command
            self.argument = argument

    class Weighed(Message):
        def __init__(self, decision: Decision | None) -> None:
            super().__init__()
            self.decision = decision
            """None when there is no draft."""

    def __init__(self) -> None:
        super().__init__(id="composer")
        self.prompt = Prompt()
        self.weigh: Weigh | None = None
        self._busy = False
        self._line = OutlookLine()
        self._hints = Static(id="hints", markup=False)
        self._outlook = Outlook()
        self._timer: Timer | None = None
        self._news_timer: Timer | None = None
        self._read: dict[str, Mention | None] = {}

    @property
    def busy(self) -> bool:
        """While a turn runs the prompt can be written but not sent."""
        return self._busy

    @busy.setter
    def busy(self, busy: bool) -> None:
        self._busy = busy
        if not busy:
            # What could not be done while it ran can be done now, and the draft that waited may go elsewhere.
            self.say(problem="")
            self.weigh_again()

    def compose(self) -> ComposeResult:
        yield self._hints
        yield self._line
        yield self.prompt

    def on_mount(self) -> None:
        self._hints.display = False

    def on_resize(self, event: Resize) -> None:
        self._draw()

    def say(self, *, running: str | None = None, idle: str | None = None, problem: str | None = None) -> None:
        """What is not given stays as it is."""
        old = self._outlook
        self._outlook = replace(
            old,
            running=old.running if running is None else running,
            idle=old.idle if idle is None else idle,
            problem=old.problem if problem is None else problem,
            news="" if problem else old.news,
        )
        self._draw()

    def tell_news(self, sentence: str, severity: Severity, seconds: float) -> None:
        """In the line above the prompt, which grows for it, until the time is up or something is typed."""
        mark, style = _NEWS[severity]
        self._outlook = replace(self._outlook, news=f"{mark} {sentence}", news_style=style)
        self._draw()
        if self._news_timer is not None:
            self._news_timer.stop()
        self._news_timer = self.set_timer(seconds, self._end_news)

    def _end_news(self) -> None:
        if self._outlook.news:
            self._outlook = replace(self._outlook, news="")
            self._draw()

    def show_outlook(self, outlook: Outlook) -> None:
        self._outlook = outlook
        self._draw()

    def weigh_again(self) -> None:
        """After a change of strategy, pin, session or registry; the draft is untouched."""
        self._weigh_soon()

    @on(TextArea.Changed)
    def _edited(self) -> None:
        draft = self.prompt.text
        matches = slash_matches(draft)
        self._hints.display = bool(matches)
        if matches:
            width = max(20, self.size.width - 2)
            self._hints.update(words.lines(_hint(command, width) for command in matches[:HINTS_SHOWN]))
        # An emptied prompt was sent, and what came of that may be said already.
        if draft:
            self.say(problem="")
            self._end_news()
        self._weigh_soon()

    def _weigh_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(WEIGH_AFTER_S, self._weigh_now)

    async def _weigh_now(self) -> None:
        draft = self.prompt.text
        if not draft.strip() or slash_matches(draft):
            self._settle(None, ())
            return
        found = await self._mentioned(fresh=False)
        if draft != self.prompt.text or self.weigh is None:
            return
        enclosed = enclose(self.prompt.unfolded[: WEIGHED_CHARACTERS + 1], read_ones(found))
        truncated = len(enclosed.text) > WEIGHED_CHARACTERS
        decision = self.weigh(replace(enclosed, text=enclosed.text[:WEIGHED_CHARACTERS]))
        self._settle(decision, found, truncated)

    def _settle(self, decision: Decision | None, found: Sequence[Mention], truncated: bool = False) -> None:
        self._outlook = replace(self._outlook, decision=decision, mentions=tuple(found), truncated=truncated)
        self._draw()
        self.post_message(self.Weighed(decision))

    async def _mentioned(self, *, fresh: bool) -> list[Mention]:
        """Those the draft names now. Only what was typed is searched: a folded paste attaches nothing."""
        wanted = mentions(self.prompt.text)
        missing = [path for path in wanted if fresh or path not in self._read]
        if missing:
            directory = Path.cwd()

            def read() -> dict[str, Mention | None]:
                return {path: look_up(path, directory) for path in missing}

            self._read |= await asyncio.to_thread(read)
        self._read = {path: self._read[path] for path in wanted}
        return [mention for mention in self._read.values() if mention is not None]

    @on(Prompt.Sent)
    async def _send(self) -> None:
        self.say(problem="")
        parsed = parse_slash(self.prompt.text.strip())
        if isinstance(parsed, str):
            self.say(problem=parsed)
        elif parsed is not None:
            self.prompt.accept()
            self.post_message(self.Commanded(*parsed))
        elif self.busy:
            self.say(problem="an answer is still running; Esc cancels it")
        else:
            found = await self._mentioned(fresh=True)
            fatal = [mention for mention in found if mention.fatal]
            if fatal:
                self.say(problem=f"not sent: {fatal[0].problem}; take it out to send the rest")
                return
            self.post_message(self.Submitted(enclose(self.prompt.unfolded, read_ones(found))))
            self.prompt.accept()

    def _draw(self) -> None:
        self._line.update(draw_outlook(self._outlook, max(10, self.size.width - 2)))


def _hint(command: SlashCommand, width: int) -> Content:
    usage = f"/{command.name} {command.argument}".rstrip()
    column = min(30, max(12, width // 3))
    return Content.assemble(
        (words.fit(usage, column), ACCENT), " ", (words.fit(command.help, width - column - 1).rstrip(), MUTED)
    )
