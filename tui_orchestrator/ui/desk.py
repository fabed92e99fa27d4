"""A conversation under way: what is typed is weighed, sent, told to the panes, cancelled, kept on leaving."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual import on, work
from textual.widgets import TextArea

from tui_orchestrator.routing.reasons import REFUSED
from tui_orchestrator.routing.request import Split
from tui_orchestrator.services.options import Options

from . import words
from .bars import Status, alert_mark
from .chat import ChatPane
from .composer import STILL_RUNNING, Composer
from .costs import CostsPane
from .drafts import NEW, Owner
from .naming import key_to, keyed
from .open_sessions import OpenSession, OpenSessions
from .outlook import OutlookLine
from .prompt import Draft
from .registry_rows import Row, rows_of
from .skin import themes_of_plugins
from .welcome import welcome

if TYPE_CHECKING:
    from tui_orchestrator.routing.budget import GoOn, Shortage
    from tui_orchestrator.routing.decision import Decision
    from tui_orchestrator.routing.events import Event
    from tui_orchestrator.routing.money import Money
    from tui_orchestrator.routing.request import Request, Strategy
    from tui_orchestrator.services.attachments import Enclosed
    from tui_orchestrator.services.chat import Chat
    from tui_orchestrator.services.runtime import RegistryChanged
    from tui_orchestrator.settings import Settings

    from .commands import Need

TWICE_WITHIN_S = 2.0
"""Two presses of Ctrl+C this close together leave."""
LOOKING = "looking for models: what you send meanwhile waits for the first of them"


class Desk(OpenSessions):
    def __init__(self, settings: Settings) -> None:
        panes = settings.ui.panes if settings.track_costs else tuple(p for p in settings.ui.panes if p != "costs")
        super().__init__(replace(settings.ui, panes=panes), partial(themes_of_plugins, settings))
        self.settings = settings
        self.working = "starting"
        """What is done beside the conversation; empty when nothing is."""
        self._today = ""
        self._alert = ("", False)
        self._interrupted_at = float("-inf")
        self._leaving = False

    @property
    def beside(self) -> str:
        """What else the program is at, in short; empty when it is at nothing."""
        return ""

    def hear(self, event: Event | RegistryChanged) -> None:
        from tui_orchestrator.services.runtime import RegistryChanged

        if isinstance(event, RegistryChanged):
            self.show_models()
            self.tell_status()
            self.composer.weigh_again()
            if self.runtime is not None and not (self.talk is not None and self.talk.temporary):
                self.chat.amend_greeting(welcome(self.runtime, self))
        else:
            self.events.publish(event)

    @on(CostsPane.Summed)
    def _summed(self, message: CostsPane.Summed) -> None:
        self._today = str(message.overview.today) if self.settings.track_costs else ""
        self._alert = alert_mark(message.overview.budgets)
        self.tell_status()
        self.show_models()

    @property
    def strategy_in_force(self) -> Strategy:
        return self.options.strategy or self.settings.policy.strategy

    def tell_status(self) -> None:
        strategy = self.strategy_in_force
        demo = self.runtime is not None and self.runtime.demo
        shared = self.runtime.shared if self.runtime is not None else None
        talk = self.talk
        status = Status(
            self.title_shown or ("temporary chat" if talk is not None and talk.temporary else "new session"),
            strategy,
            self.options.model,
            demo,
            self._today,
            (talk.session.persona if talk else None) or "",
            talk is not None and talk.temporary,
            *self._alert,
            self.working or self.beside,
            shared is not None,
            shared is not None and shared.away is not None,
            elsewhere=self.elsewhere_in_short,
        )
        self.header.show(status)
        self.composer.mark(self.elsewhere_marks)
        looking = self.runtime is not None and self.runtime.looking
        self.composer.say(idle=LOOKING if looking else f"{words.spoken(strategy)}: {words.picks(strategy)}")

    def model_rows(self) -> list[Row]:
        return [] if self.runtime is None else rows_of(self.runtime, self.options.model)

    def show_models(self) -> None:
        looking = bool(self.working) if self.runtime is None else not self.runtime.catalogue.looked
        self.registry.show(self.model_rows(), looking=looking)

    # -- a turn

    def has(self, need: Need) -> bool:
        match need:
            case "running":
                return self.running
            case "answer":
                return self.chat.text_at_hand() is not None
            case "code":
                answer = self.chat.text_at_hand()
                return answer is not None and bool(self.chat.transcript.code_blocks(answer.key))
            case "voted":
                voted = self.chat.answer_at_hand
                return voted is not None and self.chat.vote_of(voted) is not None
            case "asked":
                return not self.running and self.talk is not None and self.talk.last is not None
            case "cut off":
                return not self.running and self.talk is not None and self.talk.may_go_on
            case "ensemble":
                return self.chat.has_ensemble
            case "at work":
                return self.running and self.chat.ensemble is not None and not self.chat.ensemble.over
            case "several":
                return not self.running and self.are_several
            case "branches":
                return self.talk is not None and bool(self.talk.branches)
            case "said":
                return self.chat.has_said
            case "elsewhere":
                return bool(self.elsewhere)
            case "kept":
                return self.talk is not None and self.talk.stored_already
            case "kept and idle":
                return self.has("kept") and not self.running
            case "deleted":
                return self.may_undelete
            case "earlier" | "later":
                return self.decision.has_beside(need)
            case "personas":
                return bool(self.settings.personas)
            case _:
                return super().has(need)

    @property
    def may_undelete(self) -> bool:
        """Whether a session was deleted since the program began."""
        return False

    @property
    def are_several(self) -> bool:
        """Whether the last prompt was answered by several models side by side."""
        last, ensemble = self.talk.last if self.talk is not None else None, self.chat.ensemble
        if last is None or last.answer is None or ensemble is None:
            return False
        return last.answer[0] == ensemble.request_id and len(self.chat.columns.answers) > 1

    def busy(self) -> bool:
        """Whether something has to end first in this session, which is said."""
        if self.here.under_way:
            self.composer.refuse(keyed(self, STILL_RUNNING))
        return self.here.under_way or self.runtime is None

    @property
    def weighed_talk(self) -> Chat | None:
        """The conversation that the draft would join; None: not known yet."""
        return self.talk

    def weigh(self, draft: Enclosed) -> Decision | None:
        talk = self.weighed_talk
        if self.runtime is None or talk is None or self.runtime.looking:
            return None
        return _asked_first(self.runtime.preview(talk.request(draft.text, draft.images, self.asking, draft.files)))

    async def weigh_whole(self, draft: Enclosed) -> Decision | None:
        """The same of a draft of any length, beside the event loop."""
        if self.runtime is None or (talk := self.weighed_talk) is None:
            return None
        request = talk.request(draft.text, draft.images, self.asking, draft.files)
        return _asked_first(await self.runtime.decide(request))

    @property
    def asking(self) -> Options:
        """The options of the next turn, which is shown in parts where it is too long for every model."""
        return replace(self.options, split=Split.SHOWN)

    @on(Composer.Weighed)
    def _weighed(self, message: Composer.Weighed) -> None:
        if not self.running or message.decision is None:
            self.decision.show_preview(message.decision)

    @on(OutlookLine.Opened)
    def action_draft_decision(self) -> None:
        """The whole decision about the draft, even while a turn runs; once more goes back."""
        if "decision" in self.visible_panes and "chat" not in self.visible_panes:
            self.go_home()
            return
        if self.composer.decision is not None:
            self.decision.show_preview(self.composer.decision)
        self.zoom_from_prompt("decision")

    @property
    def draft_owner(self) -> Owner:
        """Whose the draft in the prompt is."""
        if self.talk is None or self.talk.temporary:
            return None
        return self.talk.id if self.talk.last is not None else NEW

    @on(TextArea.Changed, "#prompt")
    def _draft_changed(self) -> None:
        if self.drafts is not None:
            self.drafts.typed()

    def ask(self, draft: Enclosed) -> None:
        """Where there is a conversation, and nothing runs."""
        from tui_orchestrator.storage.titles import title_of

        from .splitting import send_if_agreed

        assert self.talk is not None
        talk, here = self.talk, self.here

        def send(request: Request) -> None:
            here.title = here.title or title_of(draft.text)
            here.chat.begin(request)
            self.follow_card(here, request.id)
            self.follow_turn(here, request.id, talk.send(request, draft.typed))
            if self.drafts is not None and here is self.here:
                self.drafts.sent(self.draft_owner)

        request = talk.request(draft.text, draft.images, self.asking, draft.files)
        send_if_agreed(self, request, send, lambda: self._give_back(here, draft.typed))

    def _give_back(self, session: OpenSession, typed: str) -> None:
        """What was not sent: to where it was typed, if that is in front, else one line up."""
        if session is self.here:
            self.composer.prompt.give_back(typed)
        elif session.talk is not None and session.talk.temporary:
            session.draft = Draft(typed, {})
        else:
            self.composer.prompt.earlier(typed)

    async def ask_for_room(self, shortage: Shortage) -> Money | GoOn | None:
        """As `Router.ask_for_room`: the turn waits, cancelling it closes the question."""
        from .raising import make_room

        session = next((one for one in self.opened if one.request_id == shortage.request_id), None)
        if session is not None:
            await self.in_front(session, f"{shortage.state.cap.name} has too little left")
        return await make_room(self, shortage)

    @work(group="card", exclusive=True, exit_on_error=False)
    async def _open_card(self, request_id: str) -> None:
        if await self.show_card(request_id):
            self.show_pane("decision", focus=False)

    async def show_card(self, request_id: str, *, over_running: bool = True) -> bool:
        """Fills the decision pane with an earlier turn's. False where none is kept, and, unless it may go over that of
        a running turn, where one has begun meanwhile."""
        if self.runtime is None:
            return False
        here = self.here
        decision = await self.runtime.reports.decision(request_id)
        attempts = await self.runtime.reports.attempts(request_id)
        if decision is None or here is not self.here or (self.running and not over_running):
            return False
        self.decision.show_stored(decision, attempts)
        return True

    @on(ChatPane.CardWanted)
    def _card_wanted(self, message: ChatPane.CardWanted) -> None:
        self._open_card(message.request_id)

    def action_columns(self) -> None:
        if self.chat.toggle_columns():
            self.show_pane("chat", focus=False)
        else:
            self.notify("There was no ensemble in this session; /ensemble 3 makes the next turn one.", markup=False)

    # -- leaving

    def leave(self, code: int = 0) -> None:
        """Leaves once, whoever asks for it: a key, a command or a signal."""
        if not self._leaving:
            self._leaving = True
            self.typed.beside(self.run_worker(self._leave(code), group="leave"))

    async def _leave(self, code: int) -> None:
        """What runs is booked and what was typed is kept before the screen goes."""
        try:
            if self.runtime is not None:
                self.runtime.database.turn.leave()
            await self.end_turns()
            if self.runtime is not None:
                if self.drafts is not None:
                    await self.drafts.aclose()
                await self.runtime.aclose()
        finally:
            self.exit(code, return_code=code)

    async def action_quit(self) -> None:
        self.leave()

    def action_interrupt(self) -> None:
        # Pressed again while a turn is still ending, it is for the program.
        if self.running and not self.here.cancelled:
            self.cancel_turn()
            return
        now = time.monotonic()
        if now - self._interrupted_at < TWICE_WITHIN_S:
            self.leave()
        else:
            self._interrupted_at = now
            key = key_to(self, "app.interrupt")
            ends = ", and what runs elsewhere is cancelled" if any(one.turn for one in self.elsewhere) else ""
            temporary = self.talk is not None and self.talk.temporary
            kept = "nothing of a temporary chat is kept" if temporary else "what is typed is kept"
            self.notify(f"Press {key} again to quit; {kept}{ends}.", timeout=TWICE_WITHIN_S)

    def action_escape(self) -> None:
        if self.composer.close_completions() or self.cancel_turn():
            return
        if not self.go_home() and self.chat.columns.display:
            self.chat.toggle_columns()


def _asked_first(decision: Decision) -> Decision:
    """What is too dear is refused here only by the person in front, who is asked once it is sent."""
    return replace(decision, reason=decision.reason.replace(REFUSED, "so you are asked once you send it"))
