"""The sessions that are open at once: the one on the screen, and those whose answers run elsewhere or wait to be
seen. Each has a chat pane of its own, which hears its turn also while another stands in front."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.worker import Worker, WorkerState

from tui_orchestrator.routing.errors import ErrorKind, OrchestratorError
from tui_orchestrator.routing.events import Completed, Failed
from tui_orchestrator.routing.text import clean_line
from tui_orchestrator.services.options import Options

from . import words
from .chat import ChatPane
from .in_turn import typed_beside
from .naming import key_to
from .stage import Stage

if TYPE_CHECKING:
    from tui_orchestrator.routing.events import Event
    from tui_orchestrator.routing.turn import Turn
    from tui_orchestrator.services.chat import Chat
    from tui_orchestrator.services.runtime import Runtime
    from tui_orchestrator.settings import UiSettings

    from .drafts import Drafts
    from .entries import Severity
    from .prompt import Draft


class State(StrEnum):
    """Of a session that is open, as its row in the list tells it, the most pressing first."""

    ASKS = "waits for you"
    RUNS = "an answer is running"
    UNSEEN = "not seen yet"


GLYPHS = {State.ASKS: "?", State.RUNS: "◐", State.UNSEEN: "●"}
_IN_SHORT = {State.ASKS: ("asks", "ask"), State.RUNS: ("runs", "run"), State.UNSEEN: ("has ended", "have ended")}


@dataclass(eq=False)
class OpenSession:
    chat: ChatPane
    own: Options = field(default_factory=Options)
    """What the user asks of its next turns himself."""
    own_way: bool = False
    """Whether that way to a model goes before the persona's."""
    talk: Chat | None = None
    """None until the runtime is open."""
    title: str = ""
    turn: Turn | None = None
    request_id: str = ""
    """Of the turn that was begun last."""
    card: str = ""
    """The request that the decision pane follows."""
    cancelled: bool = False
    """The turn is; it ends in order."""
    activity: str = ""
    """What the line above the prompt says of the turn."""
    held: bool = False
    """Something has to be read or asked before there is a turn; no other prompt goes out meanwhile."""
    asks: bool = False
    """A question waits until it is in front."""
    draft: Draft | None = None
    """What was typed in a temporary chat that was left: nothing else keeps it."""
    unseen: bool = False
    """Its turn ended while another was in front."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """While no turn is read."""
    front: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.idle.set()

    @property
    def options(self) -> Options:
        """Of its next turns: the user's own, with the way to a model of the session's persona while that holds."""
        return self.own if self.talk is None or self.own_way else self.talk.by_persona(self.own)

    @property
    def under_way(self) -> bool:
        return self.turn is not None or self.held

    @property
    def state(self) -> State | None:
        if self.asks:
            return State.ASKS
        return State.RUNS if self.under_way else State.UNSEEN if self.unseen else None

    @property
    def name(self) -> str:
        """In a sentence, at its beginning."""
        if self.talk is not None and self.talk.temporary:
            return "The temporary chat"
        return words.quoted(self.title or "new session")


class OpenSessions(Stage):
    def __init__(self, ui: UiSettings, themes_added: Callable[[], Iterable[Path]] = tuple) -> None:
        super().__init__(ui, themes_added)
        self.runtime: Runtime | None = None
        """None until it is open, and for good where that failed."""
        self.drafts: Drafts | None = None
        """None until the runtime is open."""
        self.here = OpenSession(self.chat)
        """The one on the screen."""
        self.here.front.set()
        self.elsewhere: list[OpenSession] = []
        """In the order in which they were left."""
        self._reading: dict[Worker[None], OpenSession] = {}

    # -- the one on the screen

    @property
    def talk(self) -> Chat | None:
        return self.here.talk

    @talk.setter
    def talk(self, talk: Chat | None) -> None:
        self.here.talk = talk

    @property
    def options(self) -> Options:
        """Of the next turns."""
        return self.here.options

    @property
    def title_shown(self) -> str:
        return self.here.title

    @title_shown.setter
    def title_shown(self, title: str) -> None:
        self.here.title = title

    @property
    def running(self) -> bool:
        """Whether an answer does on the screen."""
        return self.here.turn is not None

    @property
    def at_work(self) -> bool:
        """Whether an answer runs in any session."""
        return any(one.turn is not None for one in self.opened)

    @property
    def opened(self) -> Iterator[OpenSession]:
        yield self.here
        yield from self.elsewhere

    @property
    def blind(self) -> frozenset[str]:
        """The requests whose ensembles wait for a vote before names are shown."""
        blind = (one.chat.ensemble for one in self.opened if one.chat.blind)
        return frozenset(ensemble.request_id for ensemble in blind if ensemble is not None)

    def opened_as(self, session: str) -> OpenSession | None:
        """By the session's id."""
        return next((one for one in self.opened if one.talk is not None and one.talk.id == session), None)

    def states(self) -> dict[str, State]:
        """By session, of those that there is something to say of."""
        told = {one.talk.id: one.state for one in self.opened if one.talk is not None}
        return {session: state for session, state in told.items() if state is not None}

    @property
    def under_way(self) -> set[str]:
        """Ids of the sessions whose answers run, or are about to."""
        return {one.talk.id for one in self.opened if one.talk is not None and one.under_way}

    def tell_status(self) -> None:
        """In the line above the panes."""

    def say(self, sentence: str, severity: Severity = "information") -> None:
        self.chat.notice(sentence, severity)

    # -- from one to the other

    async def chat_for_another(self) -> ChatPane:
        """The pane on the screen, unless that is still needed for the session it shows."""
        if not self.here.under_way:
            return self.chat
        return await self.add_chat(ChatPane(self.events, self.chat.put_away))

    def turn_to(self, session: OpenSession) -> None:
        """Brings it to the front. The one before is kept while its answer runs."""
        left, self.here = self.here, session
        if session in self.elsewhere:
            self.elsewhere.remove(session)
        if left.under_way:
            self.elsewhere.append(left)
            left.front.clear()
        elif left.chat is not session.chat:
            self._end_chat(left.chat)
        session.unseen = False
        self.show_chat(session.chat)
        self.decision.turn_to(session.card, {one.card for one in self.elsewhere})
        if left.talk is not None:
            # Before that the line tells what waits for the program to open.
            self.composer.busy = session.under_way
            self.composer.say(running=session.activity)
        session.front.set()
        self.refresh_bindings()

    def forget(self, session: OpenSession) -> None:
        """One elsewhere, which was deleted."""
        if session in self.elsewhere:
            self.elsewhere.remove(session)
            self._end_chat(session.chat)
            self.tell_status()

    @typed_beside
    @work(group="gone", exit_on_error=False)
    async def _end_chat(self, chat: ChatPane) -> None:
        await chat.end()

    async def in_front(self, session: OpenSession, why: str) -> None:
        """Waits until the session is. What it has to ask would else take the keys that are typed in another one."""
        while session is not self.here:
            session.asks = True
            self.tell_status()
            key = key_to(self, "session.elsewhere")
            self.notify(f"{session.name} waits for you: {why}. {key} goes there.", severity="warning", markup=False)
            try:
                await session.front.wait()
            finally:
                session.asks = False
                self.tell_status()

    @property
    def elsewhere_in_short(self) -> str:
        """What is to be known of the other sessions, and the way there."""
        told = [f"{GLYPHS[state]} {count} {_IN_SHORT[state][count > 1]}" for state, count in self._states()]
        return f"{' '.join(told)} elsewhere · {key_to(self, 'session.elsewhere')}" if told else ""

    @property
    def elsewhere_marks(self) -> str:
        """The same where there are few cells."""
        told = [f"{GLYPHS[state]} {count}" for state, count in self._states()]
        return f"{' '.join(told)} {key_to(self, 'session.elsewhere')}" if told else ""

    def _states(self) -> Iterator[tuple[State, int]]:
        """How many there are of each."""
        found = Counter(one.state for one in self.elsewhere)
        return ((state, found[state]) for state in State if found[state])

    # -- their turns

    async def _tell_elsewhere(self, here: OpenSession, talk: Chat, made: Mapping[str, object]) -> None:
        """Of an imported conversation what it cost where it was had. `made`: by request, what was paid for here."""
        assert self.runtime is not None
        every = await self.runtime.archive.attempts_elsewhere(talk.id)
        others = {request_id: attempts for request_id, attempts in every.items() if request_id not in made}
        if others and here.talk is talk:
            here.chat.tell_elsewhere(others)
            if here is self.here and talk.stored[-1].request_id in others:
                self.decision.tell_elsewhere()

    def hold(self, session: OpenSession, held: bool) -> None:
        """While something has to be read or asked before its turn can begin."""
        session.held = held
        if session is self.here:
            self.composer.busy = session.under_way
        else:
            session.unseen = True
            self.tell_status()

    def follow_card(self, session: OpenSession, request_id: str) -> None:
        """The decision pane tells of this turn while its session is in front."""
        session.card = request_id
        (self.decision.follow if session is self.here else self.decision.begin)(request_id)

    def follow_turn(self, session: OpenSession, request_id: str, turn: Turn) -> Worker[None]:
        """Reads it to its end; its chat pane knows of it already."""
        session.turn, session.request_id, session.cancelled = turn, request_id, False
        session.idle.clear()
        # Until its first event comes: before that its prompt is stored, which may have to wait for another program.
        self.tell_activity(session, f"sending · {key_to(self, 'turn.cancel')} cancels")
        if session is self.here:
            self.composer.busy = True
            if "chat" not in self.visible_panes:
                self._zoomed = False
                self.show_pane("chat", focus=False)
        self.tell_status()
        self.refresh_bindings()
        reading = self._read_turn(session, turn)
        self._reading[reading] = session
        return reading

    @typed_beside
    @work(group="turn", exit_on_error=False)
    async def _read_turn(self, session: OpenSession, turn: Turn) -> None:
        last: Event | None = None
        try:
            async with turn:
                async for event in turn:
                    last = event  # the panes hear it through the signal
            if self.drafts is not None:
                await self.drafts.stored()
            if self.runtime is not None:
                for request_id in session.chat.recounting.wholes.untold:
                    session.chat.tell_attempts(await self.runtime.reports.attempts(request_id))
        finally:
            session.turn, session.cancelled = None, False
            session.idle.set()
            self.tell_activity(session, "")
            if session is self.here:
                self.composer.busy = session.held
            else:
                session.unseen = True
            self.tell_status()
            self.refresh_bindings()
        if session is not self.here:
            self._tell_end(session, last)

    def _tell_end(self, session: OpenSession, end: Event | None) -> None:
        """Of a turn whose session is not on the screen."""
        came = ""
        if isinstance(end, Completed):
            came = f"✓ {session.name} is answered: {end.cost}"
        elif isinstance(end, Failed) and end.error.kind is ErrorKind.CANCELLED:
            came = f"■ {session.name} was cancelled: {end.cost}"
        elif isinstance(end, Failed):
            came = f"✗ {session.name} failed, {clean_line(end.error.message, 120)}: {end.cost}"
        if came:
            self.notify(f"{came} · {key_to(self, 'session.elsewhere')} goes there", markup=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Expected trouble of a turn arrives as events; what ends up here is a broken store or a bug, and is said."""
        session = self._reading.pop(event.worker, None) if event.worker.is_finished else None
        if event.state is not WorkerState.ERROR:
            return
        error = event.worker.error
        ours = isinstance(error, OrchestratorError)
        what = str(error) if ours else f"Something inside the program went wrong: {type(error).__name__}: {error}"
        if session is not None:
            session.chat.abandon("broke off")
            self.decision.abandon(session.request_id, "broke off")
            session.chat.notice(what, "error")
        if session is None:
            self.say(what, "error")
        elif session is not self.here:
            key = key_to(self, "session.elsewhere")
            self.notify(f"✗ {session.name} broke off: {what} · {key} goes there", severity="error", markup=False)

    def cancel_turn(self) -> bool:
        """Whether there was one to cancel on the screen. It ends in order: its last events still come."""
        if self.here.turn is None:
            return False
        self.tell_activity(self.here, "cancelling")
        self.here.turn.cancel()
        self.here.cancelled = True
        return True

    async def end_turns(self) -> None:
        """In order, in all sessions."""
        await asyncio.gather(*(one.turn.aclose() for one in self.opened if one.turn is not None))

    @on(ChatPane.Activity)
    def _activity(self, message: ChatPane.Activity) -> None:
        cancels = f"{key_to(self, 'turn.cancel')} cancels"
        for session in self.opened:
            if session.chat is message.chat and not (session.cancelled and message.text):
                self.tell_activity(session, f"{message.text} · {cancels}" if message.text else "")

    def tell_activity(self, session: OpenSession, text: str) -> None:
        session.activity = text
        if session is self.here:
            self.composer.say(running=text)
