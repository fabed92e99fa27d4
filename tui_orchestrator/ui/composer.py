"""The prompt, the line above it that says where the draft would go, the files that go along, and the completions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Resize
from textual.message import Message
from textual.timer import Timer
from textual.widgets import TextArea

from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.services.attachments import Enclosed, enclose, excerpt

from . import arguments, completing
from .attachments import Mention, look_up, mentions, read_ones
from .completions import Completions
from .enclosures import Enclosures, Weight
from .entries import Severity
from .in_turn import typed_after
from .layout import LOW
from .naming import keyed
from .outlook import Outlook, OutlookLine, draw_outlook
from .prompt import Prompt
from .slash import SlashCommand, parse_slash, slash_matches
from .words import BAD, MUTED, WARN

STILL_RUNNING = "an answer is still running: {turn.cancel} cancels it, or wait; what you type stays"
WEIGH_EVERY_S = 0.15
"""While one types the line follows this often."""
PAUSE_S = 0.25
"""Without a key, after which the decision pane follows too, which takes longer."""
WEIGHED_CHARACTERS = 60_000
"""Of a longer draft only the beginning is weighed while it is typed; all of it is once there is a pause."""
_NEWS = {"information": ("·", MUTED), "warning": ("!", WARN), "error": ("✗", BAD)}

Weigh = Callable[[Enclosed], Decision | None]
"""Where a draft would go; from memory alone, in about a millisecond."""


class Composer(Vertical):
    """What is known of the draft, the prompt, and below it what may complete the word at the cursor."""

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
        self.weigh_whole: Callable[[Enclosed], Awaitable[Decision | None]] | None = None
        """The same of a draft of any length; it may take a while."""
        self.weight: Weight | None = None
        self.names: Callable[[], arguments.Names] = arguments.Names
        """What commands take, as it is now."""
        self._busy = False
        self._line = OutlookLine()
        self._enclosures = Enclosures()
        self._outlook = Outlook()
        self._elsewhere = ""
        self._mentions: tuple[Mention, ...] = ()
        self._timer: Timer | None = None
        self._pause: Timer | None = None
        self._news_timer: Timer | None = None
        self._read: dict[str, Mention | None] = {}
        self._listing = Event()
        """Set when nobody waits for the directory under way any more."""
        self._dismissed = ""
        """The draft whose completions were closed."""
        self._typing = ""
        """The path at the cursor."""
        self._problem_of = ""
        """The draft that stood here when a problem was told."""
        self._command = ""
        """The one that was sent last, as long as nobody has done anything since."""

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

    @property
    def decision(self) -> Decision | None:
        """Where the draft would go, as the line says."""
        return self._outlook.decision

    def compose(self) -> ComposeResult:
        yield self._line
        yield self._enclosures
        yield self.prompt
        yield self.prompt.completions

    def on_resize(self, event: Resize) -> None:
        self._draw()

    def fit(self) -> None:
        self._draw()

    def mark(self, elsewhere: str) -> None:
        """What goes on in other sessions, for where the header is not shown."""
        self._elsewhere = elsewhere
        self._draw()

    def say(self, *, running: str | None = None, idle: str | None = None, problem: str | None = None) -> None:
        """What is not given stays as it is."""
        old = self._outlook
        if problem:
            self._problem_of = self.prompt.text
        self._outlook = replace(
            old,
            running=old.running if running is None else running,
            idle=old.idle if idle is None else idle,
            problem=old.problem if problem is None else problem,
            news="" if problem else old.news,
        )
        self._draw()

    def refuse(self, problem: str) -> None:
        """Of the command that was sent last, if one was: it stands here again, to be mended."""
        if self._command and not self.prompt.text:
            self.prompt.replace_draft(self._command)
        self._command = ""
        # The command line and the console have a list of models each.
        self.say(problem=problem.replace("`models`", "/models"))

    def say_no_more(self) -> None:
        """Of what went wrong before."""
        self._command = ""
        if self._outlook.problem:
            self.say(problem="")

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

    # -- the outlook

    def weigh_again(self) -> None:
        """After a change of strategy, pin, session or registry; the draft is untouched."""
        self._weigh_soon()

    @on(TextArea.Changed)
    def _edited(self) -> None:
        self._complete()
        # An emptied prompt was sent, and what came of that may be said already.
        if self.prompt.text:
            # A draft that was given back with the problem is the one it is about.
            if self._outlook.problem and self.prompt.text != self._problem_of:
                self.say(problem="")
            self._end_news()
        self._weigh_soon()

    def _weigh_soon(self) -> None:
        if self._timer is None:
            self._timer = self.set_timer(WEIGH_EVERY_S, self._weigh_now)
        if self._pause is None:
            self._pause = self.set_timer(PAUSE_S, self._paused)
        else:
            self._pause.reset()

    def _paused(self) -> None:
        self._pause = None
        if self._timer is None:
            self.post_message(self.Weighed(self.decision))
            if self._outlook.truncated:
                self._weigh_all()

    @work(group="whole", exclusive=True, exit_on_error=False)
    async def _weigh_all(self) -> None:
        """Of a long draft, once nothing more is typed."""
        draft, found = self.prompt.text, self._mentions
        if self.weigh_whole is None:
            return
        decision = await self.weigh_whole(enclose(self.prompt.unfolded, read_ones(found)))
        if draft == self.prompt.text and decision is not None:
            self._settle(decision, found)

    async def _weigh_now(self) -> None:
        self._timer = None
        draft = self.prompt.text
        if not draft.strip() or slash_matches(draft):
            self._settle(None, ())
            return
        found = await self._mentioned(fresh=False)
        if self.weigh is None:
            return
        if draft != self.prompt.text:
            self._weigh_soon()
            return
        enclosed = excerpt(self.prompt.unfolded, read_ones(found), WEIGHED_CHARACTERS)
        truncated = len(enclosed.text) > WEIGHED_CHARACTERS
        decision = self.weigh(replace(enclosed, text=enclosed.text[:WEIGHED_CHARACTERS]))
        self._settle(decision, found, truncated)

    def _settle(self, decision: Decision | None, found: Sequence[Mention], truncated: bool = False) -> None:
        self._outlook = replace(self._outlook, decision=decision, truncated=truncated)
        # Of the path that is being typed only what was read is told yet.
        self._mentions = tuple(one for one in found if not one.problem or one.path != self._typing)
        self._draw()
        if self._pause is None:
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

    def _draw(self) -> None:
        low = self.app.size.height < LOW
        outlook = replace(self._outlook, mark=self._elsewhere if low else "")
        self._line.update(draw_outlook(outlook, max(10, self.size.width - 2)))
        self._enclosures.tell(self._mentions, self.decision, self.weight, low)

    # -- completion

    def close_completions(self) -> bool:
        """Until something else is typed. Whether there was a list."""
        shown = self.prompt.completions.display
        if shown:
            self._dismissed = self.prompt.text
            self._end_listing()
            self.prompt.completions.show(None)
        return shown

    @on(TextArea.SelectionChanged)
    def _moved(self) -> None:
        self._complete()

    def _end_listing(self) -> None:
        self._listing.set()
        self.workers.cancel_group(self, "paths")

    def _complete(self, *, take: bool = False) -> None:
        """Shows what the word at the cursor may become, or takes it; a directory is read on a thread."""
        self._end_listing()
        wanted = None
        if not self.prompt.recalled and self.prompt.text != self._dismissed:
            wanted = completing.wanted(self.prompt, self.names())
        self._typing = ""
        if isinstance(wanted, completing.PathWanted):
            self._typing = wanted.typed
            self._listing = Event()
            (self._take if take else self._list)(wanted, self._listing)
        else:
            self.prompt.completions.show(wanted)

    @typed_after("tab", "up", "down")
    @work(group="paths", exit_on_error=False)
    async def _list(self, wanted: completing.PathWanted, stop: Event) -> None:
        await self._read_paths(wanted, stop)

    @typed_after(letters=True)
    @work(group="paths", exit_on_error=False)
    async def _take(self, wanted: completing.PathWanted, stop: Event) -> None:
        if await self._read_paths(wanted, stop):
            self.prompt.complete()

    async def _read_paths(self, wanted: completing.PathWanted, stop: Event) -> bool:
        """Whether they are still wanted once they are there."""
        offer = await completing.listed(wanted, stop)
        if stop.is_set():
            return False
        self.prompt.completions.show(offer)
        return True

    @on(Prompt.CompletionWanted)
    def _tab(self) -> None:
        self._dismissed = ""
        if self._listing.is_set():
            self._complete(take=True)

    @on(Completions.Picked)
    def _picked(self) -> None:
        self.prompt.complete()
        self.prompt.focus()

    @on(Prompt.Refused)
    def _refused(self, message: Prompt.Refused) -> None:
        self.say(problem=message.why)

    # -- sending

    @on(Prompt.Sent)
    async def _sent(self, message: Prompt.Sent) -> None:
        try:
            await self._send()
        finally:
            message.dealt_with.set()

    async def _send(self) -> None:
        self.say(problem="")
        parsed = parse_slash(self.prompt.text.strip())
        if isinstance(parsed, str):
            self.say(problem=parsed)
        elif parsed is not None:
            command, argument = parsed
            argument, self._command = self.prompt.unfold(argument), self.prompt.unfolded.strip()
            self.prompt.accept()
            self.post_message(self.Commanded(command, argument))
        elif self.busy:
            self.say(problem=keyed(self.app, STILL_RUNNING))
        else:
            found = await self._mentioned(fresh=True)
            fatal = [mention for mention in found if mention.fatal]
            if fatal:
                self.say(problem=f"not sent: {fatal[0].problem}; take it out to send the rest")
                return
            self.post_message(self.Submitted(enclose(self.prompt.unfolded, read_ones(found))))
            self.prompt.accept()
