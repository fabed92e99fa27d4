"""The console: what opens when the program is started without a command.

Panes only listen and draw. What happens is done by `services`: a turn runs in a worker, and every event of it reaches
the panes through one signal.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from dataclasses import replace

from textual import on, work
from textual.worker import Worker, WorkerState

from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.events import Event
from tui_orchestrator.routing.request import Image, Strategy
from tui_orchestrator.routing.router import Turn
from tui_orchestrator.routing.text import clean_line
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.runtime import RegistryChanged, Runtime
from tui_orchestrator.services.spending import Overview, overview
from tui_orchestrator.settings import Settings

from . import choosing, editor, words
from .bars import Status
from .chat import ChatPane
from .commands import keymap
from .composer import Composer
from .costs import CostsPane
from .dialogs import Picker
from .entries import Severity
from .options import CHANGES, NEEDS_ARGUMENT, Refused, change
from .prompt import Prompt
from .registry import ModelTable, Row
from .stage import Stage
from .welcome import welcome

TWICE_WITHIN_S = 2.0
"""Two presses of Ctrl+C this close together leave."""
UNSENT = ""
"""The draft of no session: what was typed when the program was left."""
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class ConsoleApp(Stage):
    def __init__(self, settings: Settings, *, demo: bool | None = None, pace: float = 1.0) -> None:
        """`pace` multiplies the demo models' pauses."""
        super().__init__(settings.ui)
        self.settings = settings
        self.runtime: Runtime | None = None
        """None until it is open, and for good where that failed."""
        self.talk: Chat | None = None
        self.options = Options()
        self._demo = demo
        self._pace = pace
        self._turn: Turn | None = None
        self._overview: Overview | None = None
        self._today = ""
        self._title = ""
        self._working = "starting"
        self._interrupted_at = float("-inf")
        self._leaving = False

    # -- life

    def on_mount(self) -> None:
        known, complaints = keymap(self.settings.ui.keymap)
        self.set_keymap(known)
        complaints += self._use_themes()
        for complaint in complaints:
            self.say(complaint, "warning")
        loop = asyncio.get_running_loop()
        for number in ENDING_SIGNALS:
            # Textual restores the terminal only when the app exits by itself.
            loop.add_signal_handler(number, self._end, 128 + number)
        self._tell_status()
        self._open()

    def on_unmount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in ENDING_SIGNALS:
            loop.remove_signal_handler(number)

    def say(self, sentence: str, severity: Severity = "information") -> None:
        self.chat.notice(sentence, severity)

    @work(group="open", exit_on_error=False)
    async def _open(self) -> None:
        # The first paint comes before the first file is read.
        try:
            runtime = await Runtime.open(self.settings, demo=self._demo, pace=self._pace, in_memory_if_broken=True)
            self.runtime = runtime
            runtime.subscribe(self._hear)
            self.costs.demo = runtime.demo
            self.composer.weigh = self._weigh
            self.composer.prompt.remember(list(reversed(await runtime.conversations.prompts())))
            if not self.composer.prompt.text:
                self.composer.prompt.replace_draft(await runtime.conversations.draft(UNSENT))
            await self._begin(await Chat.new(runtime))
            runtime.start_background()
        finally:
            self._working = ""
            self._tell_status()

    def _end(self, code: int = 0) -> None:
        """Leaves once, whoever asks for it: a key, a command or a signal."""
        if not self._leaving:
            self._leaving = True
            self.run_worker(self._leave(code), group="leave")

    async def _leave(self, code: int) -> None:
        """What runs is booked and what was typed is kept before the screen goes."""
        try:
            if self._turn is not None:
                await self._turn.aclose()
            if self.runtime is not None:
                with contextlib.suppress(OrchestratorError):
                    await self.runtime.conversations.save_draft(UNSENT, self.composer.prompt.unfolded)
                await self.runtime.aclose()
        finally:
            self.exit(code, return_code=code)

    async def action_quit(self) -> None:
        self._end()

    def action_interrupt(self) -> None:
        if self._cancel():
            return
        now = time.monotonic()
        if now - self._interrupted_at < TWICE_WITHIN_S:
            self._end()
        else:
            self._interrupted_at = now
            self.notify("Press Ctrl+C again to quit; what is typed is kept.", timeout=TWICE_WITHIN_S, markup=False)

    def action_escape(self) -> None:
        if not self._cancel():
            self.go_home()

    # -- events

    def _hear(self, event: Event | RegistryChanged) -> None:
        if isinstance(event, RegistryChanged):
            self._show_registry()
            self.composer.weigh_again()
        else:
            self.events.publish(event)

    @on(CostsPane.Summed)
    def _summed(self, message: CostsPane.Summed) -> None:
        self._today = str(message.overview.today.cost)
        self._tell_status()
        self._show_registry()

    def _tell_status(self) -> None:
        strategy = self.options.strategy or self.settings.policy.strategy
        demo = self.runtime is not None and self.runtime.demo
        status = Status(self._title or "new session", strategy, self.options.model, demo, self._today, self._working)
        self.header.show(status)
        self.composer.say(idle=f"{words.spoken(strategy)}: {words.PICKS[strategy]}")

    # -- a turn

    @property
    def running(self) -> bool:
        return self._turn is not None

    def _weigh(self, text: str, images: tuple[Image, ...]) -> Decision | None:
        if self.runtime is None or self.talk is None:
            return None
        return self.runtime.preview(self.talk.request(text, images, self.options))

    @on(Composer.Weighed)
    def _weighed(self, message: Composer.Weighed) -> None:
        if not self.running:
            self.decision.show_preview(message.decision)

    @on(Composer.Submitted)
    def _submitted(self, message: Composer.Submitted) -> None:
        if self.runtime is None or self.talk is None:
            self.composer.prompt.replace_draft(message.text)
            self.composer.say(problem="not ready yet; the prompt is kept")
            return
        request = self.talk.request(message.text, message.images, self.options)
        self._title = self._title or clean_line(message.text, 60)
        self.chat.begin(request, message.files)
        self.decision.follow(request.id)
        self.composer.busy = True
        if "chat" not in self.visible_panes:
            self.show_pane("chat", focus=False)
        self._turn = self.talk.send(request)
        self._read_turn(self._turn)

    @work(group="turn", exit_on_error=False)
    async def _read_turn(self, turn: Turn) -> None:
        try:
            async with turn:
                async for _ in turn:
                    pass  # the panes hear it through the signal
        finally:
            self._turn = None
            self.composer.busy = False
            self._tell_status()
            self.composer.weigh_again()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Expected trouble of a turn arrives as events; what ends up here is a broken store or a bug, and is said."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            ours = isinstance(error, OrchestratorError)
            what = str(error) if ours else f"Something inside the program went wrong: {type(error).__name__}: {error}"
            if event.worker.group == "turn":
                self.chat.abandon("broke off")
            self.say(what, "error")

    def _cancel(self) -> bool:
        """Whether there was a turn to cancel. It ends in order: its last events still come."""
        if self._turn is None:
            return False
        self.composer.say(running="cancelling")
        self._turn.cancel()
        return True

    @on(ChatPane.Activity)
    def _activity(self, message: ChatPane.Activity) -> None:
        self.composer.say(running=f"{message.text} · Esc cancels" if message.text else "")

    @work(group="card", exclusive=True, exit_on_error=False)
    async def _show_card(self, request_id: str) -> None:
        if self.runtime is None:
            return
        decision = await self.runtime.reports.decision(request_id)
        if decision is not None:
            self.decision.show_stored(decision, await self.runtime.reports.attempts(request_id))
            self.show_pane("decision", focus=False)

    @on(ChatPane.CardWanted)
    def _card_wanted(self, message: ChatPane.CardWanted) -> None:
        self._show_card(message.request_id)

    def action_copy_answer(self) -> None:
        answer = self.chat.last_answer()
        if answer is None:
            self.notify("There is no answer to copy yet.", severity="warning", markup=False)
        else:
            self.copy_to_clipboard(answer)
            self.notify(f"{len(answer):,} characters sent to the terminal's clipboard (OSC 52).", markup=False)

    @on(Prompt.EditorWanted)
    def _edit(self) -> None:
        if self.running:
            self.composer.say(problem="an answer is running; the editor opens when it is over")
            return
        prompt = self.composer.prompt
        try:
            prompt.replace_draft(editor.edited(self, prompt.unfolded))
        except editor.EditorFailed as error:
            self.composer.say(problem=str(error))

    # -- options

    @on(Composer.Commanded)
    async def _commanded(self, message: Composer.Commanded) -> None:
        name, argument = message.command.name, message.argument
        if name in CHANGES and (argument or name == "ensemble"):
            self._change(name, argument)
        elif name in NEEDS_ARGUMENT:
            self.composer.say(problem=f"/{name} {message.command.argument}: {message.command.help}")
        elif name == "theme" and argument:
            self._theme(argument)
        else:
            actions = {
                "strategy": "pick_strategy",
                "model": "pick_model",
                "new": "new_session",
                "sessions": "open_session",
                "models": "pane('registry')",
                "refresh": "refresh_models",
                "copy": "copy_answer",
                "theme": "pick_theme",
                "help": "help",
                "quit": "quit",
            }
            await self.run_action(actions[name])

    def _change(self, name: str, argument: str) -> None:
        if self.runtime is None:
            return
        try:
            self.options, said = change(self.options, name, argument, self.runtime.registry)
        except Refused as error:
            self.composer.say(problem=str(error))
            return
        self.notify(said, markup=False)
        self._keep_choice()
        self._tell_status()
        self._show_registry()
        self.composer.weigh_again()

    @work(group="choice", exit_on_error=False)
    async def _keep_choice(self) -> None:
        if self.runtime is not None and self.talk is not None:
            strategy, model = self.options.strategy, self.options.model
            await self.runtime.conversations.choose(self.talk.id, strategy=strategy, model=model)

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
            self._change("strategy", chosen)

    @work
    async def action_pick_model(self) -> None:
        choices = choosing.model_choices(self._rows(), self.options.model)
        picker = Picker("Pin a model", choices, empty="No model is called that.", hint="Enter pins")
        chosen = await self.push_screen_wait(picker)
        if chosen is not None:
            self._change("model", chosen)

    # -- themes

    def _use_themes(self) -> list[str]:
        return []

    def _theme(self, name: str) -> None:
        if name in self.available_themes:
            self.theme = name
        else:
            known = ", ".join(sorted(self.available_themes))
            self.composer.say(problem=f"no theme is called {name!r}; there are {known}")

    @work
    async def action_pick_theme(self) -> None:
        choices = choosing.theme_choices(self.available_themes, self.theme)
        chosen = await self.push_screen_wait(Picker("Theme", choices, empty="No theme is called that."))
        if chosen is not None:
            self._theme(chosen)

    # -- models

    def _rows(self) -> list[Row]:
        runtime = self.runtime
        if runtime is None:
            return []
        rows = []
        for model in runtime.registry:
            health = runtime.health(model.id)
            detail = health.detail if health.seconds_left is None else f"{health.seconds_left:.0f} s"
            speed = runtime.router.experience.of(model.id).tokens_per_s
            rows.append(Row(model, health.state, detail, model.id == self.options.model, speed))
        return rows

    def _show_registry(self) -> None:
        self.registry.show(self._rows())

    @on(ModelTable.Command)
    def _model_command(self, message: ModelTable.Command) -> None:
        if self.runtime is None:
            return
        if message.verb == "pin":
            self._change("model", "auto" if message.model_id == self.options.model else message.model_id)
        else:
            self.runtime.set_enabled(message.model_id, not self.runtime.is_enabled(message.model_id))
            self._show_registry()
            self.composer.weigh_again()

    @work(group="refresh", exclusive=True, exit_on_error=False)
    async def action_refresh_models(self) -> None:
        if self.runtime is None:
            return
        self._working = "looking for models"
        self._tell_status()
        try:
            found = await self.runtime.refresh()
            self.notify(f"{len(found)} models", markup=False)
        except OrchestratorError as error:
            self.notify(str(error), severity="error", markup=False)
        finally:
            self._working = ""
            self._tell_status()

    # -- sessions

    async def _begin(self, talk: Chat) -> None:
        """Makes `talk` the conversation on screen, with what was chosen for it."""
        assert self.runtime is not None
        runtime = self.runtime
        self.talk, self._title = talk, talk.title
        session = talk.session
        if talk.stored:
            strategy = Strategy(session.strategy) if session.strategy in list(Strategy) else None
            self.options = replace(self.options, strategy=strategy, model=session.model, system="")
        self.chat.load(talk.stored, talk.discarded)
        self.decision.clear()
        if talk.stored:
            self._tell_attempts(talk)
        else:
            self.chat.greet(welcome(runtime), runtime.notices)

        async def read() -> Overview:
            return await overview(runtime, talk.id)

        self.costs.read_from(read)
        self._tell_status()
        self._show_registry()
        self.composer.weigh_again()

    @work(group="attempts", exclusive=True, exit_on_error=False)
    async def _tell_attempts(self, talk: Chat) -> None:
        assert self.runtime is not None
        for request_id in dict.fromkeys(message.request_id for message in reversed(talk.stored)):
            self.chat.tell_attempts(await self.runtime.reports.attempts(request_id))

    def _busy(self) -> bool:
        if self.running:
            self.composer.say(problem="an answer is still running; Esc cancels it")
        return self.running or self.runtime is None

    @work(exit_on_error=False)
    async def action_new_session(self) -> None:
        if not self._busy() and self.runtime is not None:
            await self._begin(await Chat.new(self.runtime))

    @work(exit_on_error=False)
    async def action_open_session(self) -> None:
        if self._busy() or self.runtime is None or self.talk is None:
            return
        sessions = await self.runtime.conversations.recent()
        choices = choosing.session_choices(sessions, self.talk.id, self.runtime.clock.now())
        empty = "No earlier session yet: each one is kept from its first prompt on."
        chosen = await self.push_screen_wait(Picker("Sessions", choices, empty=empty, hint="Enter opens"))
        if chosen is not None and chosen != self.talk.id:
            await self._begin(await Chat.resume(self.runtime, chosen))


def run_console(settings: Settings, *, demo: bool | None = None) -> int:
    """Runs until the user leaves; returns the exit code. `demo` None: only when nothing real is there."""
    app = ConsoleApp(settings, demo=demo)
    app.run()
    return app.return_code or 0
