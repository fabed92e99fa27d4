"""What is said without being asked, of money and of experiments: in the chat, as a toast, in the header, by the
terminal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from textual import work

from .desk import Desk
from .in_turn import typed_beside
from .notifying import notification

if TYPE_CHECKING:
    from tui_orchestrator.routing.budget import GoOn, Shortage
    from tui_orchestrator.routing.money import Money
    from tui_orchestrator.services.alerts import Alert
    from tui_orchestrator.services.findings import Findings

    from .entries import Severity

OTHERS_EVERY_S = 5.0
"""How often it is looked whether another running copy of the program has said something."""
TOAST_S = 8.0


class Alerting(Desk):
    async def listen_for_alerts(self) -> None:
        """From now on; what is news already is said."""
        assert self.runtime is not None
        self.runtime.alerts.listen(self.tell_alert)
        self.runtime.experiments.listen(self.tell_decided)
        self.set_interval(OTHERS_EVERY_S, self._hear_others)
        await self.runtime.alerts.look()

    @typed_beside
    @work(group="alerts", exclusive=True, exit_on_error=False)
    async def _hear_others(self) -> None:
        if self.runtime is not None:
            await self.runtime.alerts.catch_up()
            await self.runtime.experiments.look()

    def tell_alert(self, alert: Alert) -> None:
        from tui_orchestrator.services.alerts import Kind

        if alert.kind is not Kind.REFUSED:
            severity: Severity = "error" if alert.exhausted else "warning"
            self.say(alert.sentence, severity)
            self.notify(alert.sentence, severity=severity, timeout=TOAST_S, markup=False)
        if alert.first and (alert.exhausted or not self.app_focus):
            self._ask_terminal(alert.sentence)

    def tell_decided(self, found: Findings) -> None:
        """Of an experiment."""
        from tui_orchestrator.services.findings import sentence

        said = f"Experiment {found.experiment.name}: {sentence(found)} /experiment shows it, and stops it."
        self.say(said)
        self.notify(said, timeout=TOAST_S, markup=False)
        if not self.app_focus:
            self._ask_terminal(said)

    async def ask_for_room(self, shortage: Shortage) -> Money | GoOn | None:
        if not self.app_focus:
            self._ask_terminal(f"An answer waits for you: {shortage.state.cap.name} has too little left")
        return await super().ask_for_room(shortage)

    def _ask_terminal(self, sentence: str) -> None:
        wanted = self.settings.ui.notifications
        if wanted and self._driver is not None and not self.is_headless:
            self._driver.write(notification(sentence, os.environ, bell=wanted == "bell"))
