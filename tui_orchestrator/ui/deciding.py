"""Earlier decisions, and what would have been decided otherwise."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on, work

from tui_orchestrator.routing.request import Strategy

from .decision import DecisionPane
from .desk import Desk
from .in_turn import typed_beside
from .naming import key_to

if TYPE_CHECKING:
    from tui_orchestrator.settings import Settings


class Deciding(Desk):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._one_step = asyncio.Lock()
        """Keys that come faster than decisions are read go on from each other."""

    @on(DecisionPane.Shown)
    def _decision_shown(self, message: DecisionPane.Shown) -> None:
        self._place_decision(message.request_id)

    @typed_beside
    @work(group="place", exclusive=True, exit_on_error=False)
    async def _place_decision(self, request_id: str) -> None:
        if self.runtime is not None:
            self.decision.place(await self.runtime.history.position(request_id))

    @work(group="step", exit_on_error=False)
    async def action_decision_step(self, step: int) -> None:
        """To the one before or after in the session of the decision on the card."""
        if self.runtime is None or self.talk is None:
            return
        async with self._one_step:
            shown = self.decision.decision
            if shown is None:
                self._no_decision()
                return
            position = await self.runtime.history.position(shown.request_id)
            if position is None:
                self._no_decision()
                return
            if self.decision.previews:
                beside = shown.request_id if step < 0 else None
            else:
                beside = position.earlier if step < 0 else position.later
            if beside is None:
                which = "first" if step < 0 else "last"
                lists = key_to(self, "decision.history")
                self.notify(f"That is the session's {which} decision; {lists} lists all there are.", markup=False)
                return
            await self.show_card(beside)

    def _no_decision(self) -> None:
        temporary = self.talk is not None and self.talk.temporary
        said = "Nothing of a temporary chat is kept" if temporary else "Nothing was decided in this session yet"
        self.notify(f"{said}; {key_to(self, 'decision.history')} lists all decisions.", markup=False)

    @work(group="decisions", exclusive=True, exit_on_error=False)
    async def action_decisions(self, typed: str = "") -> None:
        if self.runtime is None or self.talk is None or len(self.screen_stack) > 1:
            return
        from .history import HistoryScreen

        shown = self.decision.decision
        screen = HistoryScreen(self.runtime, self.talk.id, shown.request_id if shown else "", typed)
        wanted = await self.push_screen_wait(screen)
        if wanted is not None and await self.show_card(wanted):
            self.show_pane("decision")

    @work(group="decisions", exclusive=True, exit_on_error=False)
    async def action_traffic(self) -> None:
        if self.runtime is None or len(self.screen_stack) > 1:
            return
        from .traffic import TrafficScreen

        wanted = await self.push_screen_wait(TrafficScreen(self.runtime))
        if wanted is not None and await self.show_card(wanted):
            self.show_pane("decision")

    @work(group="decisions", exclusive=True, exit_on_error=False)
    async def action_experiments(self, name: str = "") -> None:
        if self.runtime is None or len(self.screen_stack) > 1:
            return
        from .experiments import ExperimentsScreen

        await self.push_screen_wait(ExperimentsScreen(self.runtime, name))
        self.composer.weigh_again()

    @work(group="decisions", exclusive=True, exit_on_error=False)
    async def action_what_if(self, strategy: str = "") -> None:
        if self.runtime is None or self.talk is None or len(self.screen_stack) > 1:
            return
        strategy = strategy.strip().lower().replace(" ", "_")
        if strategy and strategy not in list(Strategy):
            self.composer.refuse(f"/whatif takes a strategy, {', '.join(Strategy)}, not {strategy!r}")
            return
        from tui_orchestrator.services.whatif import Change
        from tui_orchestrator.storage.history import Turn

        from .whatif import WhatIfScreen

        shown = self.decision.decision
        turn = None
        if shown is not None:
            # Of a temporary chat there is the decision alone.
            turn = await self.runtime.history.turn(shown.request_id) or Turn(shown)
        change = Change(Strategy(strategy) if strategy else None)
        await self.push_screen_wait(WhatIfScreen(self.runtime, self.talk.id, turn, change, self.blind))
