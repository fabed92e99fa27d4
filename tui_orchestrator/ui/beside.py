"""What runs beside the conversation: a batch, a recipe. Both go on while their dialogs are closed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work
from textual.timer import Timer

from tui_orchestrator.routing.errors import OrchestratorError

from .desk import Desk
from .entries import answer_key, prompt_key

if TYPE_CHECKING:
    from tui_orchestrator import batch, recipes
    from tui_orchestrator.services.chat import Chat
    from tui_orchestrator.settings import Settings

    from .look import Mark
    from .recipes import Prepared

TELL_EVERY_S = 0.5
"""The header says how far they are."""


class Beside(Desk):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.batch: batch.Underway | None = None
        self.recipe: Prepared | None = None
        self._recipe_for: Chat | None = None
        """The conversation its answer comes into."""
        self._telling: Timer | None = None

    @property
    def beside(self) -> str:
        told = []
        if self.batch is not None and self.batch.runs:
            from .batches import in_short

            told.append(in_short(self.batch))
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
        if self.batch is not None:
            await self.batch.aclose()
        if self.recipe is not None:
            await self.recipe.run.aclose()
        await super()._leave(code)

    # -- a batch

    @work(group="beside", exclusive=True, exit_on_error=False)
    async def action_batches(self, file: str = "") -> None:
        if self.runtime is None or len(self.screen_stack) > 1:
            return
        from .batches import BatchScreen

        await self.push_screen_wait(BatchScreen(self.runtime, self.batch, self._keep_batch, file))

    def _keep_batch(self, weighed: batch.Underway) -> None:
        self.batch = weighed
        weighed.began, weighed.ended = self._follow, self._batch_ended

    def _batch_ended(self, ended: batch.Underway) -> None:
        from .batches import ending

        well = not (ended.problem or ended.progress.stopped or ended.progress.failed)
        self.say(ending(ended), "information" if well else "warning")
        self._tell_beside()

    # -- a recipe

    @work(group="beside", exclusive=True, exit_on_error=False)
    async def action_recipes(self, name: str = "") -> None:
        """Fills in the one of that name, else one chosen from a list; shows the one that runs."""
        if self.runtime is None or self.talk is None or len(self.screen_stack) > 1:
            return
        from tui_orchestrator.recipes import RecipeError, shelf

        from .recipes import RecipeForm, RecipeScreen, RecipesScreen

        if self.recipe is not None and self.recipe.run.runs:
            await self.push_screen_wait(RecipeScreen(self.recipe))
            return
        found = await asyncio.to_thread(shelf, None, self.runtime.plugins.recipes)
        if name and name not in found.recipes:
            try:
                found.find(name)
            except RecipeError as error:
                self.composer.say(problem=str(error))
            return
        chosen: str | None = name or await self.push_screen_wait(RecipesScreen(found))
        if chosen is None:
            return
        prepared = await self.push_screen_wait(RecipeForm(self.runtime, found.recipes[chosen], self.talk))
        if prepared is not None:
            self.recipe, self._recipe_for = prepared, self.talk
            prepared.run.began, prepared.run.ended = self._follow, self._recipe_ended
            await self.push_screen_wait(RecipeScreen(prepared))

    def _recipe_ended(self, run: recipes.Underway) -> None:
        self._tell_beside()
        if run.outcome is not None:
            self._put_answer(run.outcome, run.seconds)
        else:
            why = run.problem or f"the recipe {run.plan.recipe.name} was stopped"
            self.say(f"{why[:1].upper()}{why[1:].rstrip('.')}. It cost {run.cost} until then.", "warning")

    @work(group="recipe", exit_on_error=False)
    async def _put_answer(self, outcome: recipes.Outcome, seconds: float) -> None:
        """Into the conversation it was asked in, after the turn that runs there, if any."""
        from .recipes import as_asked

        prepared, talk = self.recipe, self._recipe_for
        if prepared is None or talk is None:
            return
        await self.idle.wait()
        asked, by = as_asked(prepared), f"recipe {outcome.recipe.name}"
        here = self.talk is not None and self.talk.id == talk.id
        if here and self.talk is not None:
            talk = self.talk
        self.composer.busy = here
        try:
            request_id = await talk.put(asked, outcome.text, by)
        except OrchestratorError as error:
            request_id = ""
            self.say(f"The answer of the {by} could not be kept: {error}", "error")
        finally:
            self.composer.busy = self.running
        if not here:
            self.notify(f"The {by} is done; its answer is in {talk.title or 'its session'!r}.", markup=False)
            return
        key = answer_key(request_id or by, None)
        self.title_shown = self.title_shown or by
        transcript = self.chat.transcript
        transcript.add_prompt(asked, (), prompt_key(request_id or by))
        transcript.begin_answer(key)
        transcript.append(key, outcome.text)
        transcript.finish(key, _status(by, outcome, seconds))
        self.composer.weigh_again()
        self.tell_status()


def _status(by: str, outcome: recipes.Outcome, seconds: float) -> list[Mark]:
    from . import words

    rounds = sum(len(results) for results in outcome.steps.values())
    return [
        (by, "strong"),
        (f" · {rounds} answers · {words.seconds(seconds)} · ", "muted"),
        (str(outcome.cost), "money"),
    ]
