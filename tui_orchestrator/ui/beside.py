"""What runs beside the conversation: a batch, a recipe. Both go on while their dialogs are closed."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from textual import work
from textual.timer import Timer

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.text import full_stop

from .desk import Desk
from .entries import answer_key, prompt_key, trail_key
from .in_turn import typed_beside

if TYPE_CHECKING:
    from tui_orchestrator import batch, recipes
    from tui_orchestrator.services.chat import Chat
    from tui_orchestrator.settings import Settings

    from .recipes import Prepared

TELL_EVERY_S = 0.5
"""The header says how far they are."""


class Beside(Desk):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.batches: list[batch.Underway] = []
        """In the order in which they were weighed, those that have ended too."""
        self._left: tuple[batch.Wanted, ...] = ()
        """Under way when the console ended last."""
        self.recipe: Prepared | None = None
        self._recipe_for: Chat | None = None
        """The conversation its answer comes into."""
        self._telling: Timer | None = None

    @property
    def beside(self) -> str:
        told = []
        if running := [one for one in self.batches if one.runs]:
            from .batches import in_short

            told.append(in_short(running))
        if self.recipe is not None and self.recipe.run.runs:
            from .recipes import in_short as recipe_in_short

            told.append(recipe_in_short(self.recipe.run))
        return " · ".join(told)

    def _tell_beside(self) -> None:
        self.tell_status()
        if not self.beside and self._telling is not None:
            self._telling.stop()
            self._telling = None

    def _follow(self) -> None:
        """Until nothing runs any more."""
        self._telling = self._telling or self.set_interval(TELL_EVERY_S, self._tell_beside)

    async def _leave(self, code: int) -> None:
        """What is under way is booked before the store closes; a batch goes on by its file."""
        for one in self.batches:
            await one.aclose()
        if self.recipe is not None:
            await self.recipe.run.aclose()
        await super()._leave(code)

    # -- a batch

    @work(group="beside", exclusive=True, exit_on_error=False)
    async def action_batches(self, file: str = "") -> None:
        if self.runtime is None or len(self.screen_stack) > 1:
            return
        from .batches import BatchScreen

        left, self._left = self._left, ()
        for wanted in left:
            await self._take_up(wanted)
        await self.push_screen_wait(BatchScreen(self.runtime, self.batches, self._keep_batch, file))

    async def look_for_left(self) -> None:
        """Says which batches were under way when the console ended."""
        assert self.runtime is not None
        from tui_orchestrator.storage.batches import Unfinished

        with contextlib.suppress(OrchestratorError):  # what the store has is said already
            if await Unfinished(self.runtime.database).all():
                from tui_orchestrator.batch import Left

                self._left = await Left(self.runtime).all()
        if self._left:
            names = ", ".join(repr(one.file.name) for one in self._left)
            self.say(f"Under way when the console ended: the batch {names}. /batch goes on where it was.")

    async def _take_up(self, wanted: batch.Wanted) -> None:
        """One that cannot be gone on with is said; where its file is gone it is not kept any longer."""
        assert self.runtime is not None
        from tui_orchestrator.batch import Left, Phase, Underway

        if any(one.wanted.output.resolve() == wanted.output for one in self.batches):
            return
        try:
            weighed = await Underway.weighed(self.runtime, wanted, left_over=True)
            if weighed.phase is not Phase.DONE:
                self._keep_batch(weighed)
                return
        except (OrchestratorError, LookupError, ValueError) as error:
            self.say(f"The batch {wanted.file.name!r} cannot go on: {error.args[0]}", "warning")
            if await asyncio.to_thread(wanted.file.exists):
                return
        with contextlib.suppress(OrchestratorError):
            await Left(self.runtime).remove(wanted)

    def _keep_batch(self, weighed: batch.Underway) -> None:
        """In place of one with the same output, which was weighed anew."""
        output = weighed.wanted.output.resolve()
        self.batches[:] = [one for one in self.batches if one.wanted.output.resolve() != output]
        self.batches.append(weighed)
        weighed.began, weighed.ended = self._follow, self._batch_ended

    def _batch_ended(self, ended: batch.Underway) -> None:
        from .batches import ending

        well = not (ended.problem or ended.progress.stopped or ended.progress.failed)
        self.say(ending(ended), "information" if well else "warning")
        self._tell_beside()

    # -- a recipe

    @work(group="beside", exclusive=True, exit_on_error=False)
    async def action_recipes(self, name: str = "") -> None:
        """Fills in the one of that name, else one chosen from a list, or goes on with that; shows the one that runs."""
        if self.runtime is None or self.talk is None or len(self.screen_stack) > 1:
            return
        from tui_orchestrator.recipes import RecipeError, leftovers, shelf

        from .recipes import NONE_LEFT, RecipeScreen, RecipesScreen

        if self.recipe is not None and self.recipe.run.runs:
            running = self.recipe.run.plan.recipe.name
            note = f"{name} is not begun: one recipe runs at a time, and {running} still does." if name else ""
            await self.push_screen_wait(RecipeScreen(self.recipe, note))
            return
        found = await asyncio.to_thread(shelf, None, self.runtime.plugins.recipes)
        if name and name not in found.recipes:
            try:
                found.find(name)
            except RecipeError as error:
                self.composer.refuse(str(error))
            return
        left = NONE_LEFT
        if not name and not self.talk.temporary:
            left = await asyncio.to_thread(leftovers, found, self.runtime.clock.now())
        chosen: str | None = name or await self.push_screen_wait(RecipesScreen(found, left))
        if chosen is None:
            return
        one = next((one for one in left.found if str(one.journal.path) == chosen), None)
        prepared = await (self._left_over(one) if one is not None else self._filled_in(found.recipes[chosen]))
        if prepared is None:
            return
        self.recipe, self._recipe_for = prepared, self.talk
        prepared.run.began, prepared.run.ended = self._follow, self._recipe_ended
        prepared.run.begin()
        await self.push_screen_wait(RecipeScreen(prepared))

    async def _filled_in(self, recipe: recipes.Recipe) -> Prepared | None:
        """Once its price is agreed to."""
        from .recipes import RecipeForm, beginning

        assert self.runtime is not None
        assert self.talk is not None
        said = None
        while True:
            prepared = await self.push_screen_wait(RecipeForm(self.runtime, recipe, self.talk, said))
            if prepared is None or await self.push_screen_wait(beginning(prepared)):
                return prepared
            said = prepared.said

    async def _left_over(self, left: recipes.Leftover) -> Prepared | None:
        """Once the price of what is left of it is agreed to."""
        from .recipes import beginning, gone_on

        assert self.runtime is not None
        assert self.talk is not None
        begins = False
        try:
            prepared = await gone_on(self.runtime, self.talk, left)
            begins = await self.push_screen_wait(beginning(prepared))
            return prepared if begins else None
        except (OrchestratorError, LookupError, ValueError) as error:
            self.say(full_stop(f"{left.recipe.name}: {error.args[0]}"), "warning")
            return None
        finally:
            if not begins:
                left.journal.close()

    def _recipe_ended(self, run: recipes.Underway) -> None:
        self._tell_beside()
        if run.outcome is not None:
            self._put_answer(run, run.outcome)
        else:
            why = run.problem or f"the recipe {run.plan.recipe.name} was stopped"
            self.say(f"{full_stop(why[:1].upper() + why[1:])} It cost {run.cost} until then. {run.go_on}", "warning")
            self._tell_finished(run)

    def _tell_finished(self, run: recipes.Underway) -> None:
        for id_, text in run.finished:
            self.chat.notice(f"The step {id_} of {run.plan.recipe.name} came to: {text}")

    @typed_beside
    @work(group="recipe", exit_on_error=False)
    async def _put_answer(self, run: recipes.Underway, outcome: recipes.Outcome) -> None:
        """Into the conversation it was asked in, after the turn that runs there, if any, as the answer of its last
        step."""
        from .recipes import as_asked

        prepared, talk = self.recipe, self._recipe_for
        if prepared is None or talk is None:
            return
        while (opened := self.opened_as(talk.id)) is not None and opened.turn is not None:
            await opened.idle.wait()
        asked, by = as_asked(prepared), f"recipe {outcome.recipe.name}"
        if opened is not None and opened.talk is not None:
            talk = opened.talk
            self.hold(opened, True)
        answers, journal, note = [*chain.from_iterable(outcome.steps.values())], run.journal, _in_all(by, outcome, run)
        if answers:
            last = answers[-1]
            (request_id, attempt), model, attempts = (last.task.id, last.attempt), last.model, last.attempts
        else:
            # All of it had been answered before.
            assert journal is not None
            assert journal.last is not None
            ((request_id, attempt), model), attempts = journal.last, ()
        try:
            await talk.put(asked, outcome.text, (request_id, attempt), model, note)
            if journal is not None:
                journal.drop()
        except OrchestratorError as error:
            self.say(f"The answer of the {by} could not be kept: {error} {run.go_on}", "error")
            if journal is not None and journal.unkept:
                self._tell_finished(run)
            if opened is None:
                self.chat.notice(f"The {by} came to: {outcome.text}")
                return
        finally:
            if journal is not None:
                journal.close()
            if opened is not None:
                self.hold(opened, False)
        if opened is None or opened is not self.here:
            self.notify(f"The {by} is done; its answer is in {talk.title or 'its session'!r}.", markup=False)
        if opened is None:
            return
        opened.title = opened.title or by
        chat = opened.chat
        transcript, key = chat.transcript, answer_key(request_id, attempt)
        chat.see_off()
        transcript.add_prompt(asked, (), prompt_key(request_id))
        transcript.trail(trail_key(request_id), "")
        transcript.begin_answer(key)
        transcript.append(key, outcome.text)
        chat.recounting.end(attempts, attempt, {}, chat.keys, whole=True, goes_on=False)
        chat.notice(note)
        self.composer.weigh_again()
        self.tell_status()


def _in_all(by: str, outcome: recipes.Outcome, run: recipes.Underway) -> str:
    from . import words

    models = Counter(result.model for results in outcome.steps.values() for result in results)
    named = (words.short_name(model) + (f" {count:,}" if count > 1 else "") for model, count in models.most_common(4))
    others = f" · {len(models) - 4} more models" if len(models) > 4 else ""
    models_of = f" · {' · '.join(named)}{others}" if models else ""
    taken = f" · {run.journal.taken:,} taken over" if run.journal is not None and run.journal.taken else ""
    return f"{by}{models_of}{taken} · {words.seconds(run.seconds)} · {outcome.cost} in all"
