"""Which conversation is on the screen, and what is done with it and the others."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.events import Attempt
from tui_orchestrator.routing.request import Method

from .answers import Answers
from .entries import prompt_key
from .live import LiveTurn
from .naming import keyed
from .open_sessions import OpenSession, State
from .options import Refused
from .recounting import Recounting
from .transcript import Transcript
from .welcome import TEMPORARY, welcome

if TYPE_CHECKING:
    from tui_orchestrator.services.chat import Chat
    from tui_orchestrator.services.remembering import Recalled
    from tui_orchestrator.services.runtime import Runtime
    from tui_orchestrator.services.spending import Overview, Span
    from tui_orchestrator.settings import Settings

    from .session_deeds import SessionDeeds

BEGINS = "begins"
"""Workers that begin another conversation without asking which."""
VERBS = ("rename", "tag", "pin", "fork", "delete", "export")
"""What is done with the session on the screen."""
TOLD_AT_ONCE = 200
"""So many answers get the lines under them before the event loop goes on."""
SESSION_COMMANDS = (*VERBS, "undo", "import", "temporary", "persona")


class Shelf(Answers):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._deeds: SessionDeeds | None = None
        self._complaints: list[str] = []
        """Said once, in the first conversation."""
        self._turning = asyncio.Lock()
        """One session comes to the front after the other."""

    @property
    def deeds(self) -> SessionDeeds:
        assert self.runtime is not None
        if self._deeds is None:
            from .session_deeds import SessionDeeds

            self._deeds = SessionDeeds(self, self.runtime, lambda session: session in self.under_way)
        return self._deeds

    @property
    def may_undelete(self) -> bool:
        return self._deeds is not None and self._deeds.may_undelete

    # -- the one on the screen

    async def _begin(self, talk: Chat, at: str | None = None) -> None:
        """Makes `talk` the conversation on screen, with what was chosen for it; seen from the request `at`, else from
        its end."""
        assert self.runtime is not None
        async with self._turning:
            ensemble = await self._ensemble_of(talk)
            session, own, own_way, first = talk.session, self.here.own, False, self.talk is None
            if talk.stored:
                strategy, model, own_way = talk.chosen()
                own = replace(own, strategy=strategy, model=model, system="")
            else:
                await talk.choose(own.strategy, own.model, own_way=False)
            await self._bring(OpenSession(await self.chat_for_another(), own, own_way, talk, talk.title))
            self._put_up(talk, ensemble, side_by_side=at is None)
            if not talk.stored:
                draft = "" if not first or self.drafts is None else keyed(self, await self.drafts.left_behind())
                greeting = TEMPORARY if talk.temporary else welcome(self.runtime, self)
                self.chat.greet(greeting, self._complaints, draft)
                self._complaints = []
        if at is not None:
            self.call_after_refresh(self._show_request, at)
        if session.persona and talk.persona is None:
            self.say(f"The persona {session.persona!r} is not configured any more; the session goes on without it.")

    async def _enter(self, session: OpenSession) -> None:
        """One that is open elsewhere, with what has come of it by now."""
        async with self._turning:
            if session not in self.elsewhere:
                return
            own = session.own
            session.own = replace(self.here.own, strategy=own.strategy, model=own.model, system=own.system)
            await self._bring(session)
        talk = session.talk
        if self.decision.decision is None and talk is not None and talk.last is not None and talk.last.answer:
            await self.show_card(talk.last.answer[0], over_running=False)
        await self._catch_up()

    async def _bring(self, session: OpenSession) -> None:
        """To the front, and all beside the chat along with it."""
        assert self.runtime is not None and session.talk is not None  # noqa: PT018
        runtime, talk, left, prompt = self.runtime, session.talk, self.here, self.composer.prompt
        self.turn_to(session)
        if left in self.elsewhere and left.talk is not None and left.talk.temporary:
            left.draft = prompt.draft
        prompt.forgets = talk.temporary
        if self.drafts is not None:
            await self.drafts.turn_to(self.draft_owner, begun=talk.last is not None)
        if session.draft is not None:
            prompt.restore(session.draft)
            session.draft = None

        async def read(span: Span) -> Overview:
            from tui_orchestrator.services.spending import overview

            return await overview(runtime, talk.id, span)

        self.costs.read_from(read)
        self.tell_status()
        self.show_models()
        self.composer.weigh_again()
        gone = left.talk is not None and left.talk.temporary and left.talk.last is not None
        if gone and left not in self.elsewhere:
            self.notify("The temporary chat is gone.", markup=False)

    async def _ensemble_of(self, talk: Chat) -> Recalled | None:
        if not talk.stored:
            return None
        from tui_orchestrator.services.remembering import last_ensemble

        assert self.runtime is not None
        return await last_ensemble(self.runtime, talk)

    def _put_up(self, talk: Chat, ensemble: Recalled | None, *, side_by_side: bool) -> None:
        """Its messages. `side_by_side`: the answers of its last turn, where that is this `ensemble`, too."""
        untold = ensemble.request_id if ensemble and ensemble.untold else ""
        self.chat.load(talk.stored, talk.discarded, untold, talk.branches)
        self.decision.clear()
        if ensemble is not None:
            self._recall(ensemble, shown=side_by_side)
        if talk.stored:
            self.typed.beside(self._tell_attempts(self.here, talk))

    def _show_request(self, request_id: str) -> None:
        key = prompt_key(request_id)
        if self.chat.transcript.holds(key):
            self.chat.transcript.following = False
            self.chat.transcript.show(key)

    @work(group="attempts", exit_on_error=False)
    async def _tell_attempts(self, here: OpenSession, talk: Chat) -> None:
        """Goes on while another session is in front, as long as this one is open."""
        assert self.runtime is not None
        chat, votes = here.chat, await self.runtime.feedback.votes(talk.id)
        if not self._shows(here, talk):
            return
        chat.tell_votes(votes)
        if here is self.here:
            await self.show_card(talk.stored[-1].request_id, over_running=False)
        made = await self.runtime.archive.attempts(talk.id)
        await self._tell_elsewhere(here, talk, made)
        every = list(dict.fromkeys(message.request_id for message in reversed(talk.stored)))
        for at in range(0, len(every), TOLD_AT_ONCE):
            if not self._shows(here, talk):
                return
            if told := [one for request_id in every[at : at + TOLD_AT_ONCE] for one in made.get(request_id, ())]:
                with chat.transcript.staying():
                    chat.tell_attempts(told)
            await asyncio.sleep(0)
        await self._tell_verdicts(here, talk, made)

    def _shows(self, here: OpenSession, talk: Chat) -> bool:
        """Whether the session is still open, on that branch."""
        return here.talk is talk and here in self.opened

    async def _tell_verdicts(self, here: OpenSession, talk: Chat, made: Mapping[str, Sequence[Attempt]]) -> None:
        """Those of its ensembles, which are weighed anew: for the trails above their answers."""
        from tui_orchestrator.services.remembering import verdicts

        assert self.runtime is not None
        async for verdict in verdicts(self.runtime, talk, made):
            if not self._shows(here, talk):
                return
            here.chat.recounting.judge(verdict)

    def _recall(self, ensemble: Recalled, *, shown: bool) -> None:
        """Its answers can be looked at, picked from, judged and put together as when they came."""
        chat, its = self.chat, ensemble.request_id
        # What comes of it stands in the chat already, unless the user is to pick before that is told.
        told_in = chat.recounting if ensemble.untold else Recounting(Transcript())
        method = Method.VOTE if ensemble.untold else Method.WEIGHTED
        turn = LiveTurn(told_in, chat.columns, its, method, chat.keys)
        for event in ensemble.events:
            turn.tell(event)
        turn.recalled(chat.recounting)
        chat.put_side_by_side(turn, shown=shown and its not in chat.put_away)
        self.refresh_bindings()

    async def _open_id(self, session: str, at: str | None = None) -> None:
        assert self.runtime is not None
        if self.talk is not None and session == self.talk.id:
            if at is not None:
                self._show_request(at)
            return
        if (opened := self.opened_as(session)) is not None:
            await self._enter(opened)
            if at is not None:
                self.call_after_refresh(self._show_request, at)
            return
        from tui_orchestrator.services.chat import Chat

        try:
            await self._begin(await Chat.resume(self.runtime, session), at)
        except LookupError as error:
            self.notify(str(error.args[0]), severity="warning", markup=False)

    async def _catch_up(self) -> None:
        """With what was done to the sessions; a deleted one on the screen makes room for a new one."""
        if self.runtime is None or self.talk is None:
            return
        self.composer.prompt.leave_out(await self.runtime.conversations.hidden_prompts())
        for other in list(self.elsewhere):
            if other.talk is not None and other.talk.stored_already and not other.under_way:
                try:
                    other.title = (await self.runtime.archive.listed(other.talk.id)).session.title
                except LookupError:
                    self.forget(other)
        here, talk = self.here, self.talk
        if not talk.stored_already:
            return
        try:
            session = (await self.runtime.archive.listed(talk.id)).session
        except LookupError:
            if here is self.here and not here.under_way:
                await self._begin(_new(self.runtime))
            return
        talk.session, here.title = session, session.title
        self.tell_status()
        self.composer.weigh_again()

    @work(group=BEGINS, exit_on_error=False)
    async def action_new_session(self) -> None:
        if self.runtime is not None:
            await self._begin(_new(self.runtime))

    @work(group=BEGINS, exit_on_error=False)
    async def action_temporary_chat(self) -> None:
        if self.runtime is not None:
            await self._begin(_new(self.runtime, temporary=True))

    @work(group=BEGINS, exit_on_error=False)
    async def action_elsewhere(self) -> None:
        """To the session that waits for the user, else one that has ended unseen, else the one left last."""
        order = (State.ASKS, State.UNSEEN, State.RUNS, None)
        if not self.elsewhere:
            self.notify("No answer runs in another session.", markup=False, timeout=3)
        elif len(self.screen_stack) == 1:
            await self._enter(min(reversed(self.elsewhere), key=lambda one: order.index(one.state)))

    # -- all of them

    @work(group="shelf", exclusive=True, exit_on_error=False)
    async def action_open_session(self) -> None:
        if self.runtime is None or self.talk is None or len(self.screen_stack) > 1:
            return
        from .sessions import SessionsScreen

        chosen = await self.push_screen_wait(SessionsScreen(self.runtime, self.deeds, self.talk.id, self.states))
        await self._catch_up()
        if chosen is None:
            return
        if chosen.session is not None:
            await self._open_id(chosen.session, chosen.request_id)
        else:
            await self._begin(_new(self.runtime, temporary=chosen.temporary))

    @work(group="shelf", exclusive=True, exit_on_error=False)
    async def action_session(self, verb: str, argument: str | None = None) -> None:
        """One of VERBS, with the session on the screen."""
        if self.runtime is None or self.talk is None or (verb in ("fork", "delete") and self.busy()):
            return
        does = "export" if verb == "export_all" else verb
        if self.talk.temporary:
            self.composer.refuse(f"this chat is temporary: there is nothing kept to {does}")
            return
        if not self.talk.stored_already:
            self.composer.refuse(f"there is nothing to {does} yet: a session is kept from its first prompt on")
            return
        try:
            listed = await self.runtime.archive.listed(self.talk.id)
            new: str | None = None
            match verb:
                case "rename":
                    await self.deeds.rename(listed, argument)
                case "tag":
                    await self.deeds.tag(listed, argument)
                case "pin":
                    await self.deeds.pin(listed)
                case "export":
                    await self.deeds.export(listed, argument)
                case "export_all":
                    await self.deeds.export(listed, argument, all_branches=True)
                case "delete":
                    await self.deeds.delete(listed)
                case "fork":
                    new = await self.deeds.fork(listed)
            await self._catch_up()
            if new is not None:
                await self._open_id(new)
        except Refused as error:
            self.composer.refuse(str(error))
        except LookupError as error:
            self.notify(str(error.args[0]), severity="warning", markup=False)
        except OrchestratorError as error:
            self.notify(str(error), severity="error", markup=False)

    @work(group="shelf", exclusive=True, exit_on_error=False)
    async def action_undelete(self) -> None:
        if self.runtime is None:
            return
        back = await self.deeds.undelete()
        await self._catch_up()
        if back is not None and self.talk is not None and not self.talk.stored_already and not self.talk.temporary:
            await self._open_id(back)

    @work(group="shelf", exclusive=True, exit_on_error=False)
    async def action_import_session(self, path: str | None = None) -> None:
        if self.runtime is None:
            return
        came = await self.deeds.import_(path)
        if came is not None:
            await self._open_id(came)

    # -- commands

    async def session_command(self, name: str, argument: str) -> None:
        """One of SESSION_COMMANDS, as it was typed."""
        if name in VERBS:
            self.action_session(name, argument or None)
        elif name == "import":
            self.action_import_session(argument or None)
        elif name == "undo":
            self.action_undelete()
        elif name == "temporary":
            self.action_temporary_chat()
        elif argument:
            await self.take_persona(argument)
        else:
            self.action_pick_persona()


def _new(runtime: Runtime, *, temporary: bool = False) -> Chat:
    from tui_orchestrator.services.chat import Chat

    return Chat.new(runtime, temporary=temporary)
