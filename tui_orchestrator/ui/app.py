"""The console: what opens when the program is started without a command.

Panes only listen and draw. What happens is done by `services`: a turn runs in a worker, and every event of it reaches
the panes through one signal.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from textual import on, work

from tui_orchestrator.aside import Loop
from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.text import clean

from . import arguments
from .alerting import Alerting
from .beside import Beside
from .commands import keymap
from .composer import Composer
from .deciding import Deciding
from .drafts import Drafts
from .early import Early
from .hearing import Gathered
from .in_turn import typed_beside
from .messages import Messages
from .options import CHANGES, NEEDS_ARGUMENT
from .preferring import Preferring
from .registry import ModelTable
from .shelf import SESSION_COMMANDS
from .together import Together

if TYPE_CHECKING:
    from tui_orchestrator.settings import Settings
    from tui_orchestrator.storage.faults import StoreError

TYPED_FIRST_S = 0.05
"""What was typed while the program started is drawn within this after the first paint."""
GATHER_S = 1 / 12
"""What models say is read no more often: it is drawn at a dozen frames a second."""
AGAIN = 75
"""Exit code of a console that shall be opened anew."""
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class ConsoleApp(Messages, Together, Alerting, Deciding, Preferring, Beside, Early):
    def __init__(self, settings: Settings, *, demo: bool | None = None, pace: float = 1.0) -> None:
        """`pace` multiplies the demo models' pauses."""
        super().__init__(settings)
        self._demo = demo
        self._pace = pace

    # -- life

    def on_mount(self) -> None:
        known, complaints = keymap(self.settings.ui.keymap)
        self.use_keymap(known)
        self._complaints = [*self.theme_problems, *complaints]
        loop = asyncio.get_running_loop()
        for number in ENDING_SIGNALS:
            # Textual restores the terminal only when the app exits by itself.
            loop.add_signal_handler(number, self.leave, 128 + number)
        self.tell_status()
        self._open()

    def on_unmount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in ENDING_SIGNALS:
            loop.remove_signal_handler(number)

    @typed_beside
    @work(group="open", exit_on_error=False)
    async def _open(self) -> None:
        # The first paint comes before the first file is read and most of the program, and so does what was typed
        # before it.
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        await painted.wait()
        await asyncio.sleep(TYPED_FIRST_S)
        try:
            await asyncio.to_thread(import_module, "tui_orchestrator.services.runtime")
            from tui_orchestrator.storage.faults import StoreError

            try:
                await self._begin_with(True)
            except StoreError as error:
                # It could be opened, and what it holds cannot be read.
                if self.runtime is not None:
                    await self.runtime.aclose()
                await self._begin_with(error)
        finally:
            self.take_back()
            self.working = ""
            self.tell_status()
            self.show_models()
            self.started()

    async def _begin_with(self, broken: bool | StoreError) -> None:
        """`broken`: as `Runtime.open` takes `in_memory_if_broken`."""
        from tui_orchestrator.services import preferences
        from tui_orchestrator.services.chat import Chat
        from tui_orchestrator.services.runtime import DEMO_NOTICE, RegistryChanged, Runtime

        runtime = await Runtime.open(
            self.settings, demo=self._demo, pace=self._pace, in_memory_if_broken=broken, gather_s=GATHER_S
        )
        self.runtime = runtime
        if runtime.demo:
            self.settings = preferences.in_demo(self.settings)
        said = {DEMO_NOTICE, *self._complaints}
        self._complaints += [notice for notice in runtime.notices if notice not in said]
        await self.add_themes(runtime.plugins.themes)
        runtime.subscribe(Gathered(self.hear))
        runtime.router.ask_for_room = self.ask_for_room
        self.costs.demo = runtime.demo
        self.costs.elsewhere = lambda request_id: any(one.request_id == request_id for one in self.elsewhere)
        self.costs.blind = lambda: self.blind
        self.costs.shared = runtime.shared
        self.decision.browse_by(runtime.clock)
        self.composer.weigh = self.weigh
        self.composer.weigh_whole = self.weigh_whole
        self.drafts = Drafts(self.composer.prompt, runtime.conversations, partial(self.say, severity="warning"))
        self.composer.prompt.remember(list(reversed(await runtime.conversations.prompts())))
        await self._begin(Chat.new(runtime))
        runtime.start_background()
        if runtime.looking:
            self.hear(RegistryChanged(runtime.registry))
        await self.make_good()
        await self.look_for_left()
        await self.listen_for_alerts()

    # -- options

    async def carry_out(self, message: Composer.Commanded) -> None:
        name = message.command.name
        argument = arguments.meant(name, message.argument, self.composer.names())
        if name in SESSION_COMMANDS:
            await self.session_command(name, argument)
            return
        if name in CHANGES and (argument or name == "ensemble"):
            self.ask_for(name, argument)
        elif name in NEEDS_ARGUMENT:
            self.composer.refuse(f"/{name} {message.command.argument}: {message.command.help}")
        elif name == "settings":
            self.open_settings(argument)
        elif name == "cap":
            self.set_cap(argument)
        elif name == "theme" and argument:
            if argument in self.theme_names:
                self.choose_theme(argument)
            else:
                self.composer.refuse(self.no_theme(argument))
        elif name == "copy":
            self.copy_as(argument)
        elif name == "find":
            self.action_find(argument)
        elif name == "again" and argument:
            self.ask_elsewhere(argument)
        elif name == "merge":
            self.merge(argument)
        elif name == "judge":
            self.judge(argument)
        elif name == "continue":
            self.action_continue_answer(argument)
        elif name == "reports" and argument:
            self.open_reports(argument)
        elif name == "decisions":
            self.action_decisions(argument)
        elif name == "experiment":
            self.action_experiments(argument)
        elif name == "batch":
            self.action_batches(argument)
        elif name == "recipe":
            self.action_recipes(argument)
        elif name == "whatif":
            self.action_what_if(argument)
        else:
            actions = {
                "strategy": "pick_strategy",
                "model": "pick_model",
                "new": "new_session",
                "sessions": "open_session",
                "gateway": "traffic",
                "models": "pane('registry')",
                "reports": "reports('costs')",
                "refresh": "refresh_models",
                "theme": "pick_theme",
                "good": "vote(True)",
                "bad": "vote(False)",
                "again": "ask_again",
                "edit": "edit_prompt",
                "best": "pick_best",
                "enough": "settle",
                "cache": "show_cache",
                "help": "help",
                "quit": "quit",
            }
            await self.run_action(actions[name])

    # -- models

    @on(ModelTable.Command)
    def _model_command(self, message: ModelTable.Command) -> None:
        if self.runtime is None:
            return
        self._do_with_model(message.verb, message.model_id)

    @work(group="model", exclusive=True, exit_on_error=False)
    async def _do_with_model(self, verb: str, model_id: str) -> None:
        if self.runtime is None or len(self.screen_stack) > 1:
            return
        try:
            from .model_deeds import ModelDeeds

            await ModelDeeds(self, self.runtime, self.pin_model).do(verb, model_id)
        except KeyError:
            self.notify(f"{model_id} is not there any more.", markup=False)
        except OrchestratorError as error:
            self.notify(str(error), severity="error", markup=False)
        self.show_models()
        self.composer.weigh_again()

    @work(group="model", exclusive=True, exit_on_error=False)
    async def action_add_provider(self) -> None:
        if self.runtime is not None and len(self.screen_stack) == 1:
            from .model_deeds import ModelDeeds

            reopen = None if self._demo else partial(self.leave, AGAIN)
            await ModelDeeds(self, self.runtime, self.pin_model).add(reopen)

    @typed_beside
    @work(group="refresh", exclusive=True, exit_on_error=False)
    async def action_refresh_models(self) -> None:
        if self.runtime is None:
            return
        self.working = "looking for models"
        self.tell_status()
        try:
            found = await self.runtime.refresh()
            self.notify(f"{len(found)} models", markup=False)
        except OrchestratorError as error:
            self.notify(str(error), severity="error", markup=False)
        finally:
            self.working = ""
            self.tell_status()

    # -- reports

    def action_reports(self, tab: str) -> None:
        self.open_reports(tab)

    @work(group="reports", exclusive=True, exit_on_error=False)
    async def open_reports(self, tab: str) -> None:
        if self.runtime is None or len(self.screen_stack) > 1:
            return
        from .report_views import TABS
        from .reports import ReportsScreen

        if tab not in TABS:
            self.composer.refuse(f"/reports takes {', '.join(TABS)}, not {tab!r}")
            return
        wanted = await self.push_screen_wait(ReportsScreen(self.runtime, tab))
        if wanted is not None:
            self._open_card(wanted)


def run_console(settings: Settings, *, demo: bool | None = None) -> int:
    """Runs until the user leaves; returns the exit code, or AGAIN. `demo` None: only when nothing real is there."""
    app = ConsoleApp(settings, demo=demo)
    try:
        with asyncio.Runner(loop_factory=Loop) as runner:
            runner.run(app.run_async())
    finally:
        app.end()
    unbooked = app.runtime.unbooked if app.runtime is not None else ()
    if sys.stderr is not None:
        with contextlib.suppress(OSError):  # the terminal may be gone
            sys.stderr.writelines(f"{clean(sentence)}\n" for sentence in unbooked)
    return app.return_code or 0
