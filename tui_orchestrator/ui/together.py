"""What a person does with the answers of an ensemble: pick one, go on with one, have them judged, have one written from
all, not wait."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on, work
from textual.worker import WorkerError, get_current_worker

from tui_orchestrator.routing.events import Completed, Failed
from tui_orchestrator.routing.request import Method, Request, Strategy
from tui_orchestrator.routing.text import full_stop

from . import choosing, words
from .answers import Answers
from .chat import ChatPane
from .columns import Columns
from .dialogs import Choice
from .naming import keyed
from .question import PaidPicker
from .status import of_turn, stored_status

if TYPE_CHECKING:
    from tui_orchestrator.services.feedback import Given

    from .entries import Severity
    from .live import LiveTurn
    from .open_sessions import OpenSession


class Together(Answers):
    _zoomed_before = False
    _blind = False

    @on(ChatPane.Blinded)
    def _blinded(self, message: ChatPane.Blinded) -> None:
        """The other panes would tell who answers how fast and for how much."""
        if message.chat is not self.chat or message.chat.blind == self._blind:
            return
        self._blind = self.chat.blind
        if self._blind:
            self._zoomed_before, self._zoomed, self._current = self._zoomed, True, "chat"
        else:
            self._zoomed = self._zoomed_before
        self.place_panes()

    # -- picking

    @on(Columns.Picked)
    def _picked(self, message: Columns.Picked) -> None:
        self._pick(message.number, go_on=False)

    @on(Columns.GoOn)
    def _wants_to_go_on(self, message: Columns.GoOn) -> None:
        self._pick(message.number, go_on=True)

    @work(group="vote", exclusive=True, exit_on_error=False)
    async def _pick(self, number: int, *, go_on: bool) -> None:
        """A blind pick says whose answer it was and makes it the conversation's, and `go_on` does that and pins its
        model; picking alone is a vote."""
        ensemble = self._judged()
        if ensemble is None or self.runtime is None:
            return
        from tui_orchestrator.services.remembering import PICKED, went_on_with

        answer, blind = (ensemble.request_id, number), ensemble.blind
        self.chat.reveal()
        if blind or not go_on:
            members = [member.number for member in await self.runtime.feedback.members(ensemble.request_id)]
            model = await self.runtime.feedback.pick(*answer, members)
            await self._voted(answer, model, "▲ the best of them")
        last = self.talk.last if self.talk is not None else None
        stood = last is not None and last.answer == answer
        why = went_on_with(ensemble.model(number))
        if not (blind or go_on) or not await self._stand_by(self.here, answer, ensemble.model(number), why):
            return
        # That it was gone on with an answer that stood as weighed is kept nowhere.
        if (blind or not stood) and (told := self.chat.columns.told) is not None and self.chat.ensemble is ensemble:
            ensemble.judge(replace(told, method=PICKED, winner=number, reason=""))
        if go_on:
            self._go_on_with(ensemble.model(number))
            if self.chat.columns.display:
                self.chat.toggle_columns()
            self.go_home()

    def _judged(self) -> LiveTurn | None:
        """The ensemble whose answers can be seen, once all of them are there."""
        if self.running:
            said = "the turn is still running; {ensemble.settle} in the columns ends those still at work"
            self.composer.say(problem=keyed(self, said))
            return None
        return self.chat.ensemble

    async def _stand_by(self, here: OpenSession, answer: Given, model: str, why: str) -> bool:
        assert self.runtime is not None
        assert here.talk is not None
        chat = here.chat
        text = chat.columns.source(answer[1])
        try:
            await here.talk.stand_by(answer, model, text, why)
        except LookupError as error:
            self.notify(f"It stays as it is: {error.args[0]}.", severity="warning", markup=False)
            return False
        attempts = await self.runtime.reports.attempts(answer[0])
        its = [stored_status(one, chat.keys) for one in attempts if one.number == answer[1]]
        status = of_turn(its[0], attempts) if its else []
        chat.stand_by(answer, text, status, why)
        return True

    def _go_on_with(self, model: str) -> None:
        """From the next turn on."""
        self.pin_from_now_on(model)
        name = words.short_name(model)
        said = f"The conversation goes on with {name}, which is pinned; /model auto lets the strategy choose again."
        self.notify(said, markup=False)

    # -- not waiting

    @on(Columns.Enough)
    def action_settle(self) -> None:
        ensemble = self.chat.ensemble
        if self.here.turn is None or ensemble is None or ensemble.over:
            self.notify("No ensemble is running.", markup=False)
            return
        self.here.turn.settle()
        self.tell_activity(self.here, "going on with those that are done")

    # -- one from all

    @on(Columns.MergeWanted)
    def _merge_wanted(self) -> None:
        self.merge("")

    @work(exit_on_error=False)
    async def merge(self, wanted: str) -> None:
        """One answer from all, written by the model that is called `wanted`, or chosen from a list with what each would
        cost. It is a turn of its own, whose answer takes the place of the ensemble's."""
        texts = self._several("put together")
        if not texts or self.runtime is None or self.talk is None or self.talk.last is None:
            return
        options = replace(self.options, strategy=Strategy.QUALITY, model=None, chain=(), verdict=None)
        choices = choosing.writer_choices(self.runtime.preview(self.talk.together(list(texts.values()), options)))
        model = await self._by_whom(wanted, "One answer from all, written by", "writes it", choices)
        if model is None:
            return
        self.chat.reveal()
        request = self.talk.together(list(texts.values()), replace(options, model=model))
        self.chat.begin_again(request, self.talk.last)
        self.follow_card(self.here, request.id)
        self.follow_turn(self.here, request.id, self.talk.send_again(request))

    def _several(self, to_be: str) -> dict[int, str]:
        """The ensemble's answers to the last prompt by their numbers; none, which is said, where they are not `to_be`
        had."""
        if self.busy() or self.runtime is None or self.talk is None:
            return {}
        columns = self.chat.columns
        if self.chat.ensemble is None or len(columns.answers) < 2:
            self.notify(f"There are no answers to be {to_be}; /ensemble 3 makes the next turn one.", markup=False)
            return {}
        if not self.are_several:
            self.notify("The conversation has gone on since that ensemble.", severity="warning", markup=False)
            return {}
        return {member.number: columns.source(member.number) for member in columns.answers}

    async def _by_whom(self, wanted: str, title: str, verb: str, choices: list[Choice]) -> str | None:
        """The model that is called `wanted`, or one chosen from a list with what each would cost."""
        assert self.runtime is not None
        if wanted:
            try:
                return self.runtime.registry.find(wanted).id
            except LookupError as error:
                self.composer.refuse(str(error.args[0]))
                return None
        picker = PaidPicker(title, choices, empty="No model is called that.", verb=verb)
        return await self.push_screen_wait(picker)

    # -- the best of all

    def action_judge(self) -> None:
        self.judge("")

    @work(exit_on_error=False)
    async def judge(self, wanted: str) -> None:
        """By the model that is called `wanted`, or chosen as for `merge`. What it names becomes the conversation's
        answer, as if its verdict had been asked for before."""
        texts, ends = self._several("judged"), list[Completed | Failed]()
        if not texts or self.runtime is None or self.talk is None:
            return
        options = replace(self.options, strategy=Strategy.QUALITY, model=None, chain=(), verdict=None)
        given = list(texts.values())
        choices = self._judges(self.talk.which_is_best(given, options))
        model = await self._by_whom(wanted, "Which answer is the best, judged by", "asks it", choices)
        # A list may stay open for long.
        if model is None or self._several("judged") != texts:
            return
        self.chat.reveal()
        name = words.short_name(model)
        request = self.talk.which_is_best(given, replace(options, model=model))
        here = self.here
        reading = self.follow_turn(here, request.id, self.talk.judge(request, ends.append))
        cancels = keyed(self, "{turn.cancel} cancels")
        self.tell_activity(here, f"asking {name} which answer is the best · {cancels}")
        self.typed.beside(get_current_worker())
        with contextlib.suppress(WorkerError):  # which is said where all turns are read
            await reading.wait()
        if ends:
            await self._judged_by(here, name, ends[0], list(texts))

    def _judges(self, asked: Request) -> list[Choice]:
        """As they are weighed for a call that short; those who answered themselves say so."""
        from tui_orchestrator.routing.synthesis import weighed

        assert self.runtime is not None
        decision, registry, ensemble = self.runtime.preview(asked), self.runtime.registry, self.chat.ensemble
        own = {} if ensemble is None else {ensemble.model(m.number): m.place for m in self.chat.columns.answers}
        weighed_so = (weighed(decision, one, registry[one.model], asked, judge=True) for one in decision.candidates)
        short = replace(decision, candidates=tuple(one for _, one in weighed_so))
        return choosing.judge_choices(short, own, self.settings.policy.quality_threshold)

    async def _judged_by(self, here: OpenSession, name: str, end: Completed | Failed, numbers: list[int]) -> None:
        """`numbers`: of the answers, in the order they were shown to it."""
        from tui_orchestrator.routing.synthesis import best_of

        ensemble, told = here.chat.ensemble, here.chat.columns.told
        note = f" {end.note[:1].upper()}{end.note[1:]}." if end.note else ""
        if isinstance(end, Failed):
            spent = f" Spent: {end.cost}." if end.attempts else ""
            _tell(here.chat, f"No judge: {full_stop(end.error.message)} {end.error.hint}{spent}{note}", "warning")
            return
        named = best_of(end.response, len(numbers))
        if named is None or ensemble is None or told is None:
            _tell(here.chat, f"The judge, {name}, named no answer. Spent: {end.cost}.{note}", "warning")
            return
        number, why = numbers[named[0]], named[1]
        reason = f"{end.model}: {why}" if why else end.model
        ensemble.judge(replace(told, method=Method.JUDGE.value, winner=number, reason=reason))
        member = ensemble.model(number)
        answer = ensemble.request_id, number
        if here.talk is not None and here.talk.last is not None and here.talk.last.answer != answer:
            await self._stand_by(here, answer, member, f"the judge named that of {words.short_name(member)}")
        _tell(here.chat, f"{name} was asked which answer is the best: {end.cost}.{note}")


def _tell(chat: ChatPane, sentence: str, severity: Severity = "information") -> None:
    """In the chat, and over the verdict where the columns leave the chat no room."""
    chat.notice(sentence, severity)
    if chat.columns.display and not chat.transcript.is_on_screen:
        chat.columns.notice(sentence, severity)
