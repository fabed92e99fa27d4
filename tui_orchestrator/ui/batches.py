"""A batch over the panes: which file, what it will cost, how far it is; it goes on while this is closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from tui_orchestrator.batch import Phase, Progress, Underway, Wanted
from tui_orchestrator.library.orchestrator import AT_ONCE
from tui_orchestrator.library.tasks import Task
from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.money import Money
from tui_orchestrator.services.runtime import Runtime

from . import form, words
from .arguments import Names, arguments
from .batch_rows import draw_batch, draw_failures, draw_list, keys
from .beginning import Beginning
from .commands import bindings
from .dialogs import keys_line
from .form import Form
from .in_turn import typed_after
from .naming import keyed
from .running import RunScreen
from .words import ACCENT

MOST_AT_ONCE = 256
_NOTE = (
    'A line of the file is an object such as {"prompt": "Why is the sky blue?"}. Enter reads it and says what it will '
    "cost; nothing is sent before you say so. What stands in the answers' file is not asked again."
)


class BatchScreen(RunScreen):
    HELP = (
        "Many prompts from a file, answered into a file, while you go on with other things. {batch.begin} says what it "
        "will cost, and begins where you agree. {batch.stop} stops it when the lines under way have ended, or goes "
        "on; {batch.retry} asks those again that failed; {batch.new} takes another file, also while one is asked: "
        "{batch.other} goes from one to the next. What was under way when the console ended is here again when it "
        "opens, and goes on where it was."
    )
    CSS = """
    #batch { width: 96%; height: auto; max-height: 96%; max-width: 120; }
    #batches, #course { height: auto; }
    #failures { height: auto; max-height: 50vh; margin-top: 1; scrollbar-size-vertical: 1; }
    #failures Static { height: auto; }
    """
    SCROLLED = "#failures"
    BINDINGS: ClassVar[list[BindingType]] = bindings("batch")

    def __init__(
        self, runtime: Runtime, batches: list[Underway], keep: Callable[[Underway], None], file: str = ""
    ) -> None:
        """`batches`: those there are; `keep` adds one that was weighed here. `file` is to be shown, or asked."""
        super().__init__()
        self._runtime = runtime
        self._batches = batches
        named = [one for one in batches if file and one.wanted.file.resolve() == Path(file).expanduser().resolve()]
        self._batch = next(iter([*named, *reversed(batches)]), None)
        self._keep = keep
        self._new = not batches or (bool(file) and all(one.phase is Phase.DONE for one in named))
        self._file = file
        self._drawn: object = None
        self._list = Static(id="batches", markup=False)
        self._course = Static(id="course", markup=False)
        self._failed = Static(markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="batch") as dialog:
            dialog.border_title = "Batch"
            yield self._list
            yield self._course
            with VerticalScroll(id="failures", can_focus=False):
                yield self._failed

    def on_mount(self) -> None:
        if self._new:
            self.action_new()

    def look(self) -> None:
        now = [(one.phase, one.problem, *_course(one.progress)) for one in self._batches]
        if now != self._drawn:
            self._drawn = now
            self.lay_out()

    def lay_out(self) -> None:
        width = self._course.container_size.width
        if not self.is_attached or width < 20:
            return
        dialog, batch = self.query_one("#batch"), self._batch
        if batch is None:
            dialog.border_subtitle = keys_line(keyed(self.app, "{batch.new} takes a file · Esc closes"))
            self._course.update(keyed(self.app, "No batch yet: {batch.new} takes a file of prompts."))
            self._failed.update("")
        else:
            dialog.border_subtitle = keys_line(keyed(self.app, keys(batch, len(self._batches))))
            self._list.update(draw_list(self._batches, batch, width))
            self._course.update(draw_batch(batch, width))
            self._failed.update(draw_failures(batch, width - 1))
        self._list.display = len(self._batches) > 1
        self.query_one("#failures").display = batch is not None and bool(batch.failures)

    # -- deeds

    def action_other(self) -> None:
        if self._batch is not None:
            place = self._batches.index(self._batch) + 1
            self._batch = self._batches[place % len(self._batches)]
            self.lay_out()

    @work(group="deed", exclusive=True, exit_on_error=False)
    async def action_new(self) -> None:
        file, self._file = self._file, ""
        weighed = await self.app.push_screen_wait(NewBatch(self._runtime, file))
        if weighed is not None:
            self._batch = weighed
            self._keep(weighed)
            await self._begin()
        elif self._batch is None:
            self.dismiss(None)

    @work(group="deed", exclusive=True, exit_on_error=False)
    async def action_begin(self) -> None:
        await self._begin()

    async def _begin(self) -> None:
        """Where its price is agreed to. One of which nothing is left is only shown."""
        self.lay_out()
        batch = self._batch
        if batch is None or batch.phase is not Phase.WEIGHED:
            return
        begins = Beginning(
            "Batch",
            lambda width: draw_batch(batch, width),
            batch.cap,
            go_on=batch.left_over,
            kept="the batch stays in this list",
        )
        if await self.app.push_screen_wait(begins):
            batch.begin()
        self.lay_out()

    def action_stop(self) -> None:
        if self._batch is not None and self._batch.runs:
            self._batch.stop()
            self.lay_out()
        elif self._batch is not None and self._batch.phase is Phase.STOPPED:
            self._weigh_again(retry_failed=False)

    def action_retry(self) -> None:
        if self._batch is not None and not self._batch.runs and self._batch.failures:
            self._weigh_again(retry_failed=True)

    @work(group="deed", exclusive=True, exit_on_error=False)
    async def _weigh_again(self, *, retry_failed: bool) -> None:
        """What is shown is agreed to anew: prices and caps may be others by now."""
        assert self._batch is not None
        try:
            await self._batch.weigh_again(retry_failed=retry_failed)
        except (OrchestratorError, LookupError, ValueError) as error:
            self.notify(str(error.args[0]), severity="error", markup=False)
            self.lay_out()
        else:
            await self._begin()


class NewBatch(Form[Underway | None]):
    """Answers with one that is weighed and not begun; None for Esc."""

    HELP = (
        "Which file is asked, and how. ↑↓ go from line to line, Tab completes a path. What a line of the file says "
        "itself goes before what is said here. Enter says what it will cost, Esc leaves all as it is."
    )

    def __init__(self, runtime: Runtime, file: str = "") -> None:
        def names_of(command: str) -> form.Wanted:
            hint = {"strategy": "as configured", "model": "the strategy chooses"}[command]
            known = Names(runtime.registry)
            return form.Wanted(command, command, hint, names=lambda: arguments(command, known)[:-1])

        super().__init__(
            "Ask many prompts from a file",
            "Enter says what it costs · ↑↓ fields · Esc closes",
            [
                form.Wanted("file", "file", "questions.jsonl", file, path=""),
                form.Wanted("output", "answers", "FILE.out.jsonl beside it", path=""),
                names_of("strategy"),
                names_of("model"),
                form.Wanted("system", "system", "none; text for lines that have none"),
                form.Wanted("most", "at most", "US dollars for the whole batch; no cap but your own"),
                form.Wanted("at_once", "at once", f"{AT_ONCE} lines under way together"),
            ],
            _NOTE,
        )
        self._runtime = runtime

    def submitted(self) -> None:
        if not self.typed("file"):
            self.refuse("which file? It has one prompt a line.", "file")
        else:
            self._weigh()

    @typed_after(letters=True)
    @work(exclusive=True, exit_on_error=False)
    async def _weigh(self) -> None:
        try:
            wanted = self._wanted()
            self.say("◐ reading it, and weighing its lines", ACCENT)
            self.dismiss(await Underway.weighed(self._runtime, wanted))
        except OrchestratorError as error:
            self.refuse(str(error))
        except (LookupError, ValueError) as error:
            self.refuse(str(error.args[0]))

    def _wanted(self) -> Wanted:
        """Raises LookupError and ValueError with a sentence."""
        file = Path(self.typed("file")).expanduser()
        output = Path(self.typed("output")).expanduser() if self.typed("output") else file.with_suffix(".out.jsonl")
        strategy, model = self.typed("strategy") or None, self.typed("model") or None
        if strategy and model:
            raise ValueError("a pinned model leaves the strategy nothing to choose; name one of them")
        defaults = Task("?", system=self.typed("system"), strategy=strategy, model=model)
        defaults.request(self._runtime.registry, "")
        most, at_once = self.typed("most").removeprefix("$"), self.typed("at_once")
        if at_once and not (at_once.isascii() and at_once.isdecimal() and 1 <= int(at_once) <= MOST_AT_ONCE):
            raise ValueError(f"at once {at_once!r} is no whole number from 1 to {MOST_AT_ONCE}")
        return Wanted(file, output, defaults, _usd(most), int(at_once or AT_ONCE))


def _usd(said: str) -> Money | None:
    if not said:
        return None
    amount = Money.from_usd(said)
    if amount.picodollars <= 0:
        raise ValueError(f"{said} is no cap; give US dollars above zero, such as 2.50")
    return amount


def _course(progress: Progress) -> tuple[object, ...]:
    """What of it can be seen to change."""
    return progress.lines, progress.ended, progress.held, int(progress.seconds)


def in_short(batches: Sequence[Underway]) -> str:
    """For the header."""
    there = sum(one.progress.before + one.progress.ended for one in batches)
    what = "batch" if len(batches) == 1 else f"{len(batches)} batches"
    return f"{what} {there:,}/{sum(one.progress.lines for one in batches):,}"


def ending(batch: Underway) -> str:
    """One sentence for the chat."""
    progress = batch.progress
    failed = f", {progress.failed:,} failed" if progress.failed else ""
    told = f"Batch {words.quoted(batch.wanted.file.name)}: {progress.answered:,} answered{failed}, {batch.cost}"
    if batch.problem:
        return f"{told}. It stopped: {batch.problem}."
    if progress.stopped:
        by = "A budget stopped it" if progress.stopped.by_budget else "It stopped"
        return f"{told}. {by} with {progress.left:,} left: {progress.stopped.why}. /batch goes on."
    if progress.left:
        return f"{told}. {progress.left:,} are left; /batch goes on with them."
    return f"{told}. The answers stand in {batch.wanted.output}."
