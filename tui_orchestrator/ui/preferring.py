"""The settings changed from inside the console: written, then made to hold where they can at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import subprocess
from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual import work
from textual.app import SuspendNotSupported

from tui_orchestrator.locations import config_file, private
from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.settings import Settings, SettingsError
from tui_orchestrator.settings.shape import split

from . import themes
from .commands import ACTIONS, keymap
from .desk import Desk
from .in_turn import typed_beside
from .options import NONE

if TYPE_CHECKING:
    from .settings import Done

CAPS = {
    "request": "budgets.per_request_usd",
    "session": "budgets.session_usd",
    "day": "budgets.daily_usd",
    "month": "budgets.monthly_usd",
}


class Preferring(Desk):
    def action_settings(self, searched: str = "") -> None:
        self.open_settings(searched)

    @work(group="settings", exclusive=True, exit_on_error=False)
    async def open_settings(self, searched: str) -> None:
        if self.runtime is None or len(self.screen_stack) > 1:
            return
        from tui_orchestrator.services import preferences

        from .settings import Hands, SettingsScreen

        hands = Hands(lambda: preferences.read(self.settings), self.change_setting, self._suggest, self._edit_settings)
        await self.push_screen_wait(SettingsScreen(hands, searched))

    async def change_setting(self, key: str, text: str | None) -> Done:
        """As `Hands.change`."""
        from tui_orchestrator.services import preferences

        from .settings import Done

        before = self.settings
        changed = await asyncio.to_thread(preferences.write, before, key, text)
        gone = f"{changed.key} is out of {changed.file}"
        if changed.settings is None:
            done = f"{changed.key} is written to {changed.file}" if text is not None else gone
            return Done(done, changed.problems[0])
        self.settings = after = preferences.adopted(before, changed)
        if changed.overridden:
            done = f"{changed.key} is set in {changed.file}" if text is not None else gone
            return Done(done, f"{changed.overridden} goes before it: {changed.value} holds")
        at_once, warning = self._take_effect(before, after, key)
        when = "from now on" if at_once else "from the next start on"
        if text is None:
            return Done(f"{gone}; {preferences.holding(after, changed.key)} holds {when}", warning)
        return Done(f"{changed.key} = {changed.value} {when}; written to {changed.file}", warning)

    def _take_effect(self, before: Settings, after: Settings, key: str) -> tuple[bool, str]:
        """Whether it holds at once, and a sentence where something is wrong with it."""
        from tui_orchestrator.services import preferences

        at_once = self.runtime is not None and preferences.take_effect(self.runtime, before, after, key)
        warning = self._show_at_once(after, split(key)) if at_once else ""
        self.tell_status()
        self.composer.weigh_again()
        if split(key)[0] == "budgets":
            self.costs.read_again()
        return at_once, warning

    def _show_at_once(self, after: Settings, path: tuple[str, ...]) -> str:
        """What is of the console alone. A sentence where something is wrong with it."""
        match path:
            case ("ui", "theme"):
                self.use_theme(after.ui.theme or themes.DEFAULT)
            case ("ui", "density") | ("ui", "motion"):
                self.use_look(after.ui)
            case ("ui", "keymap", name):
                known, complaints = keymap(after.ui.keymap)
                self.use_keymap(known)
                return next((complaint for complaint in complaints if name in complaint), "")
        return ""

    @work(group="cap", exclusive=True, exit_on_error=False)
    async def set_cap(self, said: str) -> None:
        """Of 'day 2.50' or 'day none'; where nothing is said, all are shown."""
        if not said:
            self.open_settings("budgets usd")
        elif problem := await self._write_cap(said):
            self.composer.refuse(problem)

    @work(group="cap", exclusive=True, exit_on_error=False)
    async def action_set_cap(self) -> None:
        """Asks which, and how much."""
        if self.runtime is None or len(self.screen_stack) > 1:
            return
        from .asking import Ask

        daily = self.settings.budgets.daily
        note = f"One of {', '.join(CAPS)}, and US dollars, or none to take it away; a sum alone is the day's."
        value = f"day {daily.usd.normalize():f}" if daily is not None else ""
        await self.push_screen_wait(Ask("Set a cap", value, self._write_cap, note=note))

    async def _write_cap(self, said: str) -> str:
        """What is wrong with it; nothing once it is written, which is said."""
        scope, _, amount = said.strip().lower().partition(" ")
        if scope in NONE or scope.removeprefix("$")[:1].isdecimal():
            scope, amount = "day", scope
        key = CAPS.get({"daily": "day", "monthly": "month"}.get(scope, scope))
        if key is None or not amount.strip():
            return "say request, session, day or month, and US dollars or none, as day 2.50"
        try:
            done = await self.change_setting(key, None if amount.strip() in NONE else amount.strip().removeprefix("$"))
        except (OrchestratorError, OSError) as error:
            # What was typed is wrong, not the file, whose name would take the line's room.
            return str(error).removeprefix(f"{self.settings.file or config_file()}: ")
        warning = f"; {done.warning}" if done.warning else ""
        self.notify(f"{done.sentence}{warning}.", severity="warning" if warning else "information", markup=False)
        return ""

    def choose_theme(self, name: str) -> None:
        super().choose_theme(name)
        if self.theme == name:
            self._keep_theme(name)

    @typed_beside
    @work(group="theme", exclusive=True, exit_on_error=False)
    async def _keep_theme(self, name: str) -> None:
        """In the user's file, as every setting that is made in the console."""
        try:
            done = await self.change_setting("ui.theme", name)
        except (OrchestratorError, OSError) as error:
            self.notify(f"{name} holds until you quit; it cannot be kept: {error}", severity="warning", markup=False)
            return
        if done.warning:
            self.theme = name
            said = f"{name} holds until you quit. {done.sentence}; {done.warning}."
            self.notify(said, severity="warning", markup=False)
        else:
            self.notify(f"{done.sentence}.", markup=False)

    def _suggest(self, what: str) -> Mapping[str, str]:
        """Names, and what is said about each."""
        assert self.runtime is not None
        match what:
            case "models":
                return dict.fromkeys(sorted(self.runtime.registry.models), "")
            case "providers":
                return dict.fromkeys(sorted(self.runtime.catalogue.providers), "")
            case "themes":
                return dict(sorted(self.themes_about.items()))
            case "actions":
                return {action.id: "" for action in ACTIONS}
        return {}

    def _edit_settings(self) -> None:
        """The whole program waits meanwhile."""
        if self.at_work:
            self.notify("An answer is running; the editor opens when it is over.", markup=False)
            return
        command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
        file = self.settings.file or config_file()
        try:
            private(file.parent)
            with self.suspend():
                subprocess.run([*command, str(file)], check=False)
            self._adopt_files()
        except SuspendNotSupported:
            self.notify("This terminal cannot be handed to an editor.", severity="warning", markup=False)
        except OSError as error:
            self.notify(
                f"{command[0]} cannot be started ({error.strerror}); set EDITOR.", severity="error", markup=False
            )

    def _adopt_files(self) -> None:
        """What was changed in them by hand; what is wrong in them the screen tells."""
        from tui_orchestrator.services import preferences

        before = self.settings
        with contextlib.suppress(SettingsError):
            self.settings, keys = preferences.reread(before)
            for key in keys:
                self._take_effect(before, self.settings, key)
