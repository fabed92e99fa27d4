"""What a person does with the answers of an ensemble: pick one, go on with one, have one written from all, not wait."""

from __future__ import annotations

from dataclasses import replace

from textual import on, work

from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.services.chat import Options
from tui_orchestrator.services.feedback import Given

from . import choosing, words
from .answers import Answers
from .chat import ChatPane
from .columns import Columns
from .dialogs import Picker
from .live import LiveTurn
from .status import stored_status


class Together(Answers):
    _zoomed_before = False

    @on(ChatPane.Blinded)
    def _blinded(self, message: ChatPane.Blinded) -> None:
        """The other panes would tell who answers how fast and for how much."""
        if message.blind:
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
        answer, blind = (ensemble.request_id, number), ensemble.blind
        self.chat.reveal()
        if blind or not go_on:
            members = [member.number for member in await self.runtime.feedback.members(ensemble.request_id)]
            model = await self.runtime.feedback.pick(*answer, members)
            await self._voted(answer, model, "▲ the best of them")
        if (blind or go_on) and await self._stand_by(answer, ensemble.model(number)) and go_on:
            await self._go_on_with(ensemble.model(number))
            self.chat.columns.display = False
            self.go_home()

    def _judged(self) -> LiveTurn | None:
        """The ensemble whose answers can be seen, once all of them are there."""
        if self.running:
            self.composer.say(problem="the turn is still running; E in the columns ends those still at work")
            return None
        return self.chat.ensemble

    async def _stand_by(self, answer: Given, model: str) -> bool:
        assert self.runtime is not None
        assert self.talk is not None
        text = self.chat.columns.source(answer[1])
        try:
            await self.talk.stand_by(answer, model, text)
        except LookupError as error:
            self.notify(f"It stays as it is: {error.args[0]}.", severity="warning", markup=False)
            return False
        attempts = await self.runtime.reports.attempts(answer[0])
        status = next((stored_status(one, self.chat.keys) for one in attempts if one.number == answer[1]), [])
        name = words.short_name(model)
        self.chat.stand_by(answer, text, status, f"another answer: you went on with that of {name}")
        return True

    async def _go_on_with(self, model: str) -> None:
        """From the next turn on."""
        assert self.talk is not None
        self.options = replace(self.options, model=model)
        await self.talk.choose(self.options.strategy, model)
        name = words.short_name(model)
        said = f"The conversation goes on with {name}, which is pinned; /model auto lets the strategy choose again."
        self.notify(said, markup=False)
        self.tell_status()
        self.show_models()
        self.composer.weigh_again()

    # -- not waiting

    @on(Columns.Enough)
    def action_settle(self) -> None:
        ensemble = self.chat.ensemble
        if self._turn is None or ensemble is None or ensemble.over:
            self.notify("No ensemble is running.", markup=False)
            return
        self._turn.settle()
        self.composer.say(running="going on with those that are done")

    # -- one from all

    @on(Columns.MergeWanted)
    def _merge_wanted(self) -> None:
        self.merge("")

    @work(exit_on_error=False)
    async def merge(self, wanted: str) -> None:
        """One answer from all, written by the model that is called `wanted`, or chosen from a list with what each would
        cost. It is a turn of its own, whose answer takes the place of the ensemble's."""
        if self.busy() or self.runtime is None or self.talk is None:
            return
        ensemble, columns = self.chat.ensemble, self.chat.columns
        texts = [columns.source(member.number) for member in columns.answers]
        if ensemble is None or len(texts) < 2:
            self.notify("There are no answers to put together; /ensemble 3 makes the next turn one.", markup=False)
            return
        last = self.talk.last
        if last is None or last.answer is None or last.answer[0] != ensemble.request_id:
            self.notify("The conversation has gone on since that ensemble.", severity="warning", markup=False)
            return
        options = replace(self.options, strategy=Strategy.QUALITY, model=None, chain=(), verdict=None)
        model = await self._writer(wanted, texts, options)
        if model is None:
            return
        self.chat.reveal()
        request = self.talk.together(texts, replace(options, model=model))
        self.chat.begin_again(request, last)
        self.decision.follow(request.id)
        self.follow_turn(self.talk.send_again(request))

    async def _writer(self, wanted: str, texts: list[str], options: Options) -> str | None:
        assert self.runtime is not None
        assert self.talk is not None
        if wanted:
            try:
                return self.runtime.registry.find(wanted).id
            except LookupError as error:
                self.notify(str(error.args[0]), severity="warning", markup=False)
                return None
        decision = self.runtime.preview(self.talk.together(texts, options))
        picker = Picker(
            "One answer from all, written by",
            choosing.writer_choices(decision),
            empty="No model is called that.",
            hint="Enter writes it",
        )
        return await self.push_screen_wait(picker)
