"""What is done with a model from the table and from its card alike: each asks what it must, does it, and says what was
done."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import App

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.services import local_memory, switching
from tui_orchestrator.services.adding import KINDS
from tui_orchestrator.services.model_figures import figures_of
from tui_orchestrator.services.runtime import Runtime

from .adding import Adding, kind_choices
from .dialogs import Choice, Picker
from .model_card import ModelCard
from .model_test import ModelTest
from .words import MUTED

FOR_NOW, FOR_GOOD, LATER = "now", "good", "later"
LETTERS_A_SECOND = 10
"""Who has just come upon a sentence reads no faster."""


class ModelDeeds:
    """Awaited in a worker, since some open a dialog. Each raises StoreError, and KeyError for a model that has gone."""

    def __init__(self, app: App[int], runtime: Runtime, pin: Callable[[str], None]) -> None:
        """`pin`: pins a model, or lets it go again."""
        self._app = app
        self._runtime = runtime
        self._pin = pin

    async def do(self, verb: str, model_id: str) -> None:
        match verb:
            case "pin":
                self._pin(model_id)
            case "card":
                await self.card(model_id)
            case "test":
                await self._app.push_screen_wait(ModelTest(self._runtime, model_id))
            case "favourite":
                await self.favourite(model_id)
            case "memory":
                await self.memory(model_id)
            case "switch":
                await self.switch(model_id)

    def _say(self, sentence: str, *, trouble: bool = False) -> None:
        timeout = max(5.0, len(sentence) / LETTERS_A_SECOND)
        self._app.notify(sentence, markup=False, timeout=timeout, severity="warning" if trouble else "information")

    async def card(self, model_id: str) -> None:
        wanted = await self._app.push_screen_wait(ModelCard(await figures_of(self._runtime, model_id)))
        if wanted is not None:
            await self.do(wanted, model_id)

    async def add(self, reopen: Callable[[], None] | None) -> None:
        """`reopen`: opens the program anew; None where that leads into the demo again, which the user asked for."""
        picker = Picker("Add a provider", kind_choices(), empty="Nothing is called that.", hint="Enter goes on")
        kind = await self._app.push_screen_wait(picker)
        wanted = next((known for known in KINDS if known == kind), None)
        if wanted is not None and (said := await self._app.push_screen_wait(Adding(self._runtime, wanted))):
            await self._added(said, reopen)

    async def _added(self, said: str, reopen: Callable[[], None] | None) -> None:
        """The demo models stay alone as long as the program runs."""
        if not self._runtime.demo:
            self._say(said)
        elif reopen is None:
            self._say(f"{said} It answers once the program is started without the demo.")
        else:
            now = Choice(FOR_NOW, (("now", "bold"),), "The demo ends; its sessions stay in the demo.")
            later = Choice(LATER, (("at the next start", "bold"),), "The demo models answer until then.")
            picker = Picker("Open the program anew with it", [now, later], empty="", hint="Enter does it")
            if await self._app.push_screen_wait(picker) == FOR_NOW:
                reopen()
            else:
                self._say(f"{said} It answers from the next start on.")

    async def favourite(self, model_id: str) -> None:
        wanted = model_id not in self._runtime.favourites
        await self._runtime.favour(model_id, wanted)
        said = "a favourite; * in the filter shows them alone" if wanted else "no favourite any more"
        self._say(f"{model_id} is {said}.")

    async def memory(self, model_id: str) -> None:
        loaded = local_memory.loaded(self._runtime, model_id)
        if loaded is not None:
            self._say(f"{'Taking' if loaded else 'Loading'} {model_id}{' out of memory' if loaded else ''} …")
        try:
            await local_memory.move(self._runtime, model_id, wanted=not loaded)
        except local_memory.NotMoved as error:
            self._say(str(error), trouble=True)
            return
        self._say(f"{model_id} is {'out of' if loaded else 'in'} memory.")

    async def switch(self, model_id: str) -> None:
        runtime = self._runtime
        if not runtime.is_enabled(model_id):
            runtime.set_enabled(model_id, True)
            self._say(f"{model_id} is on again.")
            return
        off = switching.is_off_for_good(runtime, model_id)
        why_not = switching.why_not_for_good(runtime, model_id)
        if off and why_not:
            self._say(f"{model_id} stays off: {why_not}.", trouble=True)
            return
        for_now = Choice(FOR_NOW, (("until the program ends", "bold"),))
        for_good = Choice(FOR_GOOD, (("for good ", "bold"), (f"in {switching.file_of(runtime)}", MUTED)))
        offered = [*([] if off else [for_now]), *([] if why_not else [for_good])]
        title = f"Switch {model_id} {'on' if off else 'off'}"
        picker = Picker(title, offered, empty="There is nothing like that.", hint="Enter switches")
        chosen = await self._app.push_screen_wait(picker)
        if chosen == FOR_NOW:
            runtime.set_enabled(model_id, False)
        elif chosen == FOR_GOOD:
            await self._keep(model_id, off)

    async def _keep(self, model_id: str, enabled: bool) -> None:
        try:
            file = await switching.keep(self._runtime, model_id, enabled)
        except (OrchestratorError, OSError, ValueError) as error:
            self._say(str(error), trouble=True)
            return
        self._say(f"{model_id} is {'on' if enabled else 'off'} from now on, as {file} says.")
