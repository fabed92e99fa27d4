"""What is asked of the console before it has opened: it is carried out in its order as soon as it has."""

from __future__ import annotations

from collections.abc import Mapping

from textual import actions, on
from textual.dom import DOMNode

from tui_orchestrator.settings import Settings

from . import words
from .commands import ACTIONS
from .composer import Composer
from .desk import Desk
from .naming import key_to
from .shelf import BEGINS

AT_ONCE = frozenset({"help", "quit"})
"""Commands that need nothing to be open."""
_NEED_NOTHING = AT_ONCE | {"escape", "interrupt", "zoom", "jump", "pick_theme", "palette", "draft_decision"}
_NEED_IT = {
    name: action.title
    for action in ACTIONS
    if action.scope == "app" or action.action.startswith("app.")
    if (name := action.action.removeprefix("app.")) not in _NEED_NOTHING and not name.startswith("pane(")
}
"""Actions of the console that need it to be open, with their titles."""


class Early(Desk):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._early: list[Composer.Submitted | Composer.Commanded | str] | None = []
        """Prompts, commands and actions until there is a conversation. From then on None."""

    async def make_good(self) -> None:
        """There is a conversation now."""
        early, self._early = self._early or [], None
        self._tell_waiting()
        for wanted in early:
            if isinstance(wanted, Composer.Submitted):
                # A new one, a temporary one above all, is begun before anything is said in it.
                for worker in [one for one in self.workers if one.group == BEGINS]:
                    await worker.wait()
                self.composer.prompt.earlier(wanted.draft.typed)
                self.ask(wanted.draft)
            elif isinstance(wanted, Composer.Commanded):
                await self.carry_out(wanted)
            else:
                await self.run_action(wanted)
        # What went out took the draft with it that was kept, and what stands here now was typed before there was one.
        self._draft_changed()

    async def carry_out(self, message: Composer.Commanded) -> None:
        """A command, in a console that is open."""

    def take_back(self) -> bool:
        """The prompt that waits, if one does, into its field; else what was asked for last is not done."""
        waits = next((one for one in self._early or () if isinstance(one, Composer.Submitted)), None)
        if not self._early:
            return False
        self._early.remove(waits or self._early[-1])
        self._tell_waiting()
        if waits is not None:
            prompt = self.composer.prompt
            prompt.replace_draft("\n".join(text for text in (waits.draft.typed, prompt.unfolded) if text))
        return True

    def _wait(self, wanted: Composer.Submitted | Composer.Commanded | str) -> bool:
        """Whether it has to."""
        if self._early is None:
            return False
        self._early.append(wanted)
        self._tell_waiting()
        return True

    def _tell_waiting(self) -> None:
        early = self._early or ()
        self.composer.busy = any(isinstance(wanted, Composer.Submitted) for wanted in early)
        last = early[-1] if early else None
        what = f"/{last.command.name} follows" if isinstance(last, Composer.Commanded) else ""
        if isinstance(last, str):
            what = f"{words.quoted(_NEED_IT[last])} follows"
        if self.composer.busy:
            what = "goes out"
        self.composer.say(
            running=what and f"{what} as soon as the console is ready · {key_to(self, 'turn.cancel')} takes it back"
        )

    def cancel_turn(self) -> bool:
        return self.take_back() or super().cancel_turn()

    @on(Composer.Submitted)
    def _submitted(self, message: Composer.Submitted) -> None:
        if not self._wait(message):
            self.ask(message.draft)

    @on(Composer.Commanded)
    async def _commanded(self, message: Composer.Commanded) -> None:
        if message.command.name in AT_ONCE or not self._wait(message):
            await self.carry_out(message)

    async def run_action(
        self,
        action: str | actions.ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        if isinstance(action, str):
            ours = action.removeprefix("app.") if default_namespace in (None, self) or action.startswith("app.") else ""
            if ours in _NEED_IT and self._wait(ours):
                return True
        return await super().run_action(action, default_namespace, namespaces)
