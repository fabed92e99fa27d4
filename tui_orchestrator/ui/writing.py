"""What is done with the draft beside typing it: the editor, the search of earlier prompts, what completes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.services.enclosing import Burden, Size, burden

from . import arguments, editor
from .desk import Desk
from .in_turn import typed_beside
from .naming import key_to
from .prompt import Prompt

if TYPE_CHECKING:
    from tui_orchestrator.routing.decision import Decision
    from tui_orchestrator.settings import Settings


class Writing(Desk):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.composer.names = self._names
        self.composer.weight = self._weight

    def _names(self) -> arguments.Names:
        from .report_views import TABS

        return arguments.Names(
            self.runtime.registry if self.runtime is not None else Registry(),
            tuple(self.settings.personas.values()),
            self.themes_about,
            TABS,
        )

    def _weight(self, decision: Decision, size: Size) -> Burden | None:
        return None if self.runtime is None else burden(self.runtime, decision, size)

    @work(group="recall", exclusive=True, exit_on_error=False)
    async def action_search_prompts(self) -> None:
        if self.runtime is None or len(self.screen_stack) > 1:
            return
        from .recall import PromptSearch

        try:
            found = await self.push_screen_wait(PromptSearch(self.runtime))
        except OrchestratorError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if found:
            self.composer.prompt.recall(found)
            self.go_home()

    @on(Prompt.EditorWanted)
    def _edit(self) -> None:
        prompt = self.composer.prompt
        try:
            chosen = editor.find()
            if chosen.windowed:
                self._edit_beside(chosen)
            elif self.at_work:
                self.composer.say(problem=f"an answer is running; {chosen.name} can open when it is over")
            else:
                self._take_edited(editor.edited(self, chosen, prompt.unfolded), prompt.unfolded)
        except editor.EditorFailed as error:
            self.composer.say(problem=str(error))

    @typed_beside
    @work(group="editor", exclusive=True, exit_on_error=False)
    async def _edit_beside(self, chosen: editor.Editor) -> None:
        prompt = self.composer.prompt
        if prompt.read_only:
            return
        owner, text = self.draft_owner, prompt.unfolded
        prompt.read_only = True
        leave = key_to(self, "turn.cancel")
        self.composer.say(
            problem=f"the prompt is open in {chosen.name}; close it there to go on, or {leave} to leave it"
        )
        said = ""
        try:
            made = await editor.edited_beside(chosen, text)
            if owner == self.draft_owner:
                self._take_edited(made, text)
            elif self.drafts is not None and owner is not None:
                await self.drafts.put(owner, made)
        except editor.EditorFailed as error:
            said = str(error)
        finally:
            prompt.read_only = False
            self.composer.say(problem=said)

    def action_escape(self) -> None:
        if self.composer.prompt.read_only:
            self.workers.cancel_group(self, "editor")
        else:
            super().action_escape()

    def _take_edited(self, made: str, before: str) -> None:
        if made:
            # An editor's file ends in one, so what it ends in says nothing; a paste may end in its own.
            made += before[len(before.rstrip("\n")) :]
        if made == before:
            return
        self.composer.prompt.take_written(made)
        if not made:
            self.notify("The file was emptied, and so is the prompt; Ctrl+Z brings it back.", markup=False)
