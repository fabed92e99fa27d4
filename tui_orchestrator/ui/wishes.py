"""What is asked of the next turns beside the prompt: a strategy, a model, a persona.

What the user asks for himself goes along from session to session. What a persona brings is the session's: it is added
where the options are read, and kept nowhere else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work

from tui_orchestrator.routing.request import Method, Strategy
from tui_orchestrator.services import personas

from . import choosing
from .dialogs import Picker
from .in_turn import typed_beside
from .naming import keyed
from .options import NONE, WAYS, Refused, change
from .writing import Writing

if TYPE_CHECKING:
    from tui_orchestrator.routing.decision import Decision

    from .open_sessions import OpenSession

_ADD_PERSONA = "+ add personas.NAME in {settings.open} adds one"


class Wishes(Writing):
    def ask_for(self, name: str, argument: str) -> None:
        """As `/NAME ARGUMENT`, one of `options.CHANGES`."""
        if self.runtime is None:
            return
        try:
            self.here.own, said = change(self.here.own, name, argument, self.runtime.registry)
        except Refused as error:
            self.composer.refuse(str(error))
            return
        self.here.own_way |= name in WAYS
        self.notify(said, markup=False, timeout=3)
        self._keep_wishes(self.here, instructed=name == "system")
        self._show_wishes()

    def pin_model(self, model_id: str) -> None:
        """Or no model, where it is pinned."""
        self.ask_for("model", "auto" if model_id == self.options.model else model_id)

    def pin_from_now_on(self, model_id: str) -> None:
        self.here.own, self.here.own_way = replace(self.here.own, model=model_id), True
        self._keep_wishes(self.here)
        self._show_wishes()

    @typed_beside
    @work(group="choice", exit_on_error=False)
    async def _keep_wishes(self, here: OpenSession, *, instructed: bool = False) -> None:
        if here.talk is not None:
            await here.talk.choose(here.own.strategy, here.own.model, own_way=here.own_way)
            if instructed:
                await here.talk.instruct(system=here.own.system)

    def _show_wishes(self) -> None:
        self.tell_status()
        self.show_models()
        self.composer.weigh_again()

    def action_choose_strategy(self, name: str) -> None:
        self.ask_for("strategy", name)

    def action_blind(self) -> None:
        self.ask_for("blind", "off" if self.options.verdict is Method.VOTE else "on")

    @work
    async def action_pick_strategy(self) -> None:
        draft = self.composer.prompt.text

        def what_if(strategy: Strategy) -> Decision | None:
            if not draft.strip() or self.runtime is None or self.talk is None:
                return None
            options = replace(self.options, strategy=strategy, model=None)
            return self.runtime.preview(self.talk.request(draft, (), options))

        configured = self.settings.policy.strategy
        choices = choosing.strategy_choices(self.options.strategy, configured, what_if)
        chosen = await self.push_screen_wait(Picker("Strategy", choices, empty="No strategy is called that."))
        if chosen is not None:
            self.ask_for("strategy", chosen)

    @work
    async def action_pick_model(self) -> None:
        choices = choosing.model_choices(self.model_rows(), self.options.model)
        picker = Picker("Pin a model", choices, empty="No model is called that.", hint="Enter pins")
        chosen = await self.push_screen_wait(picker)
        if chosen is not None:
            self.ask_for("model", chosen)

    # -- personas

    @work(group="shelf", exclusive=True, exit_on_error=False)
    async def action_pick_persona(self) -> None:
        if self.runtime is None or self.talk is None:
            return
        if not self.settings.personas:
            self.composer.say(problem=f"no persona is configured; {keyed(self, _ADD_PERSONA)}")
            return
        choices = choosing.persona_choices(self.settings.personas.values(), self.talk.session.persona)
        picker = Picker("Persona", choices, empty="No persona is called that.", hint="Enter takes it")
        chosen = await self.push_screen_wait(picker)
        if chosen is not None:
            await self.take_persona(chosen)

    async def take_persona(self, name: str) -> None:
        """For the session on the screen, with its way to a model until the user asks for another; NONE of them: without
        one again."""
        if self.runtime is None or self.talk is None:
            return
        here, talk = self.here, self.talk
        try:
            persona = None
            if name.lower() not in NONE:
                persona = personas.find(self.settings, name, to_add=keyed(self, _ADD_PERSONA))
                personas.check(persona, self.runtime.registry)
        except LookupError as error:
            self.composer.refuse(str(error.args[0]))
            return
        here.own_way = False
        await talk.instruct(persona=persona.name if persona else "")
        await talk.choose(here.own.strategy, here.own.model, own_way=False)
        self.notify(f"persona {persona.name}: {personas.summary(persona)}" if persona else "no persona", markup=False)
        self._show_wishes()
