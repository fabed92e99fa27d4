"""What a person does with an answer: copy or quote it, vote on it, ask for another, continue it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work

from tui_orchestrator.routing.request import Split, Strategy

from . import choosing, words
from .dialogs import Picker
from .in_turn import typed_beside
from .question import PaidPicker
from .wishes import Wishes

if TYPE_CHECKING:
    from tui_orchestrator.routing.request import Request
    from tui_orchestrator.services.feedback import Given
    from tui_orchestrator.services.options import Options

    from .entries import Entry


class Answers(Wishes):
    # -- taking it elsewhere

    def _answer(self) -> Entry | None:
        answer = self.chat.text_at_hand()
        if answer is None:
            self.notify("There is no answer yet.", severity="warning", markup=False)
        return answer

    def action_copy_answer(self) -> None:
        if answer := self._answer():
            self.copy_to_clipboard(answer.source)

    def action_copy_code(self) -> None:
        if answer := self._answer():
            self.copy_code(self.chat.transcript.code_blocks(answer.key))

    def copy_as(self, wanted: str) -> None:
        """`wanted` as `/copy` takes it: nothing, code or file."""
        if wanted == "code":
            self.action_copy_code()
        elif wanted not in ("", "file"):
            self.composer.refuse(f"/copy takes nothing, code or file, not {wanted!r}")
        elif wanted == "":
            self.action_copy_answer()
        elif answer := self._answer():
            self.copy_to_file(answer.source)

    def action_quote(self) -> None:
        """What is selected, else the answer at hand, as a quotation in the prompt."""
        selected = self.screen.get_selected_text()
        answer = None if selected else self._answer()
        if quoted := selected or (answer.source if answer else ""):
            self.quote(quoted)

    def quote(self, said: str) -> None:
        lines = (f"> {line}".rstrip() for line in said.strip().splitlines())
        prompt = self.composer.prompt
        before = "" if not prompt.text or prompt.text.endswith("\n") else "\n"
        prompt.insert(before + "\n".join(lines) + "\n\n")
        self.go_home()

    # -- votes

    def action_vote(self, liked: bool | None) -> None:
        """On the answer at hand. The same vote once more takes it back."""
        answer = self.chat.answer_at_hand
        if self.runtime is None or self.talk is None:
            return
        if answer is None:
            self.notify("There is no answer to vote on yet.", severity="warning", markup=False)
            return
        before = self.chat.vote_of(answer)
        if liked is None and before is None:
            self.notify("There is no vote on that answer.", severity="warning", markup=False)
            return
        self.vote_on(answer, None if liked is before else liked)

    @typed_beside
    @work(group="vote", exit_on_error=False)
    async def vote_on(self, answer: Given, liked: bool | None) -> None:
        assert self.runtime is not None
        try:
            model = await self.runtime.feedback.vote(*answer, liked)
        except LookupError as error:
            self.notify(str(error.args[0]), severity="warning", markup=False)
            return
        said = "the vote is taken back" if liked is None else "▲ good" if liked else "▼ bad"
        await self._voted(answer, model, said)

    async def _voted(self, answer: Given, model: str, said: str) -> None:
        assert self.runtime is not None
        assert self.talk is not None
        self.chat.tell_votes(await self.runtime.feedback.votes(self.talk.id), of=answer[0])
        up, down = self.runtime.router.experience.lesson(model, self.runtime.clock.now()).votes
        self.notify(f"{words.short_name(model)}: {said}. {up} for, {down} against.", markup=False, timeout=3)
        self.show_models()
        self.composer.weigh_again()
        await self.runtime.experiments.look()

    @work(exit_on_error=False)
    async def action_pick_best(self) -> None:
        """Of the newest ensemble in view or above."""
        if self.busy() or self.runtime is None or self.talk is None:
            return
        if self.chat.blind:
            # A list would tell whose they are.
            self.chat.show_columns(True)
            self.show_pane("chat")
            self.notify("Press the number over the best answer; then you see whose it is.", markup=False)
            return
        answer = self.chat.answer_at_hand
        members = await self.runtime.feedback.members(answer[0]) if answer is not None else ()
        if answer is None or len(members) < 2:
            self.notify("That is no ensemble's answer; /ensemble 3 makes the next turn one.", markup=False)
            return
        votes = await self.runtime.feedback.votes(self.talk.id)
        best = next((number for (request, number), liked in votes.items() if liked and request == answer[0]), None)
        choices = choosing.member_choices(members, best)
        picker = Picker("The best answer", choices, empty="No member is called that.", hint="Enter picks")
        chosen = await self.push_screen_wait(picker)
        if chosen is not None:
            numbers = [member.number for member in members]
            model = await self.runtime.feedback.pick(answer[0], int(chosen), numbers)
            await self._voted(answer, model, "▲ the best of them")

    # -- kept answers

    @work(exit_on_error=False)
    async def action_show_cache(self) -> None:
        if self.runtime is None:
            return
        kept = await self.runtime.cache.by_model()
        if not kept:
            why = "; /cache on keeps them" if self.runtime.settings.cache.used else ": cache.exact is false"
            self.notify(f"No answer is kept{why}.", markup=False)
            return
        chosen = await self.push_screen_wait(
            Picker("Kept answers", choosing.cache_choices(kept), empty="No model is called that.", hint="Enter clears")
        )
        if chosen is not None:
            gone = await self.runtime.cache.clear(None if chosen == choosing.EVERYTHING else chosen)
            self.notify(f"{gone:,} answer{'' if gone == 1 else 's'} forgotten.", markup=False)

    # -- asking again

    def action_ask_again(self) -> None:
        self._ask_again(self.options, elsewhere=False)

    def ask_elsewhere(self, wanted: str) -> None:
        """Of another model, or by another strategy, whichever is called that."""
        if self.runtime is None:
            return
        name = wanted.replace("-", "_").lower()
        if name in set(Strategy):
            self._ask_again(_by(self.options, strategy=Strategy(name)), elsewhere=True)
            return
        try:
            model = self.runtime.registry.find(wanted).id
        except LookupError as error:
            self.composer.refuse(str(error.args[0]))
            return
        self._ask_again(_by(self.options, model=model), elsewhere=True)

    @work
    async def action_ask_another_model(self) -> None:
        if self._may_ask_again():
            choices = [one for one in choosing.model_choices(self.model_rows(), None) if one.id != choosing.UNPIN]
            chosen = await self.push_screen_wait(
                PaidPicker("Ask another model", choices, empty="No model is called that.", verb="asks it")
            )
            if chosen is not None:
                self.ask_elsewhere(chosen)

    @work
    async def action_ask_another_way(self) -> None:
        if self._may_ask_again():
            choices = choosing.strategy_choices(
                self.strategy_in_force, self.settings.policy.strategy, lambda strategy: None
            )
            chosen = await self.push_screen_wait(
                PaidPicker("Ask again by", choices, empty="No strategy is called that.", verb="asks")
            )
            if chosen is not None:
                self.ask_elsewhere(chosen)

    def _may_ask_again(self) -> bool:
        if self.busy() or self.talk is None:
            return False
        if self.talk.last is None:
            self.notify("Nothing was asked yet, so there is nothing to ask again.", severity="warning", markup=False)
        return self.talk.last is not None

    def _ask_again(self, options: Options, *, elsewhere: bool) -> None:
        if not self._may_ask_again() or self.talk is None or self.talk.last is None:
            return
        from .splitting import send_if_agreed

        talk, last, here = self.talk, self.talk.last, self.here

        def send(request: Request) -> None:
            here.chat.begin_again(request, last)
            self.follow_card(here, request.id)
            self.follow_turn(here, request.id, talk.send_again(request, elsewhere=elsewhere))

        send_if_agreed(self, talk.again(replace(options, split=Split.SHOWN)), send, lambda: None)

    # -- going on

    def action_continue_answer(self, wanted: str = "") -> None:
        """Of the last answer, where it was cut off; by the model that is called `wanted`, if any."""
        if self.busy() or self.runtime is None or self.talk is None:
            return
        last, options = self.talk.last, replace(self.options, model=None)
        try:
            if wanted:
                options = replace(options, model=self.runtime.registry.find(wanted).id)
        except LookupError as error:
            self.composer.refuse(str(error.args[0]))
            return
        try:
            request = self.talk.going_on(options)
        except LookupError as error:
            self.notify(_sentence(str(error.args[0])), severity="warning", markup=False)
            return
        assert last is not None
        assert last.cut_off is not None
        self.chat.begin_onto(request, last.cut_off)
        self.follow_card(self.here, request.id)
        self.follow_turn(self.here, request.id, self.talk.send_on(request))


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}."


def _by(options: Options, *, strategy: Strategy | None = None, model: str | None = None) -> Options:
    """Chosen that way, whatever was pinned or chosen before."""
    return replace(options, strategy=strategy, model=model, chain=())
