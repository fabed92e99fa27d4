"""`batch`: many prompts from a file, answered into a file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..aside import aside
from ..routing.event_json import usd
from ..routing.money import Money
from ..routing.text import span
from . import requests
from .interrupting import interruptible
from .manners import BUDGET, FAILED, INTERRUPTED, USAGE, Invocation, Stop, StrategyWord, run, say
from .printing import as_json
from .raising import can_ask
from .screen import Screen
from .streams import confirm

if TYPE_CHECKING:
    from ..batch import Batch, Estimate, Line, Progress
    from ..library.tasks import Task
    from ..routing.budget import BudgetState

_TOLD = 10
"""Times that a run tells how far it is where nothing can be wiped."""
_LOOK_S = 0.5


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.jsonl")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the answers go.  [default: FILE.out.jsonl]",
)
@click.option(
    "-s",
    "--strategy",
    type=StrategyWord(),
    metavar="NAME",
    help="Of lines that name none.",
)
@requests.MODEL
@requests.CHAIN
@click.option("--system", default="", help="System text of lines that have none.")
@click.option(
    "-c",
    "--max-cost",
    callback=requests.usd,
    metavar="USD",
    help="Most the whole batch may cost, in all its runs.",
)
@requests.MAX_TOKENS
@click.option(
    "--at-once",
    type=click.IntRange(1, 256),
    default=8,
    show_default=True,
    metavar="N",
    help="Lines under way together.",
)
@click.option("--retry-failed", is_flag=True, help="Ask the lines again that failed in an earlier run.")
@click.option("--estimate", is_flag=True, help="Say what it would cost and how long it would take; send nothing.")
@click.option("-y", "--yes", is_flag=True, help="Begin also when the estimate passes a cap; at the cap it stops.")
@click.option("--json", "as_object", is_flag=True, help="Print the statistics as one JSON object.")
@click.pass_obj
def batch(
    invocation: Invocation,
    file: Path,
    output: Path | None,
    strategy: str | None,
    model: str | None,
    chain: str | None,
    system: str,
    max_cost: Money | None,
    max_tokens: int | None,
    at_once: int,
    retry_failed: bool,
    estimate: bool,
    yes: bool,
    as_object: bool,
) -> None:
    """Ask many prompts from a file; each answer becomes a line of another file as soon as it is there.

    A line of FILE is an object: {"prompt": "…"}, or {"messages": [...]}; it may say id, system, files, strategy, model,
    chain, ensemble_size, verdict, max_cost_usd, max_tokens, temperature, check, self_consistency, use_cache, tags,
    priority (the higher goes first) and metadata (which comes back).

    What stands in the output is not asked again: after an interruption, a crash or a spent budget the same command goes
    on where it was.

    \b
    Examples:
      tui-orchestrator batch questions.jsonl
      tui-orchestrator batch questions.jsonl --estimate
      tui-orchestrator batch questions.jsonl -o answers.jsonl -s cheapest -c 2.50
      tui-orchestrator batch questions.jsonl --retry-failed

    Exit codes: 0 all answered, 1 some failed, or nobody was there to answer, or the store or the shared Redis stopped
    it, 2 wrong usage, 3 a budget stopped it, 130 interrupted.
    """
    from ..library.tasks import Task

    if model and (chain or strategy):
        raise Stop("-m pins one model; leave -s and --chain out", USAGE)
    walked: tuple[str, ...] | str = () if chain is None else chain
    if chain is not None and "," in chain:
        walked = tuple(name.strip() for name in chain.split(",") if name.strip())
    defaults = Task("", system=system, strategy=strategy, model=model, chain=walked, max_tokens=max_tokens)
    target = output or file.with_suffix(".out.jsonl")
    if target.resolve() == file.resolve():
        raise Stop("the output would be the input itself; name another file with -o", USAGE)
    sys.exit(run(_batch(invocation, file, target, defaults, max_cost, at_once, retry_failed, estimate, yes, as_object)))


async def _batch(
    invocation: Invocation,
    file: Path,
    target: Path,
    defaults: Task,
    max_cost: Money | None,
    at_once: int,
    retry_failed: bool,
    only_estimate: bool,
    yes: bool,
    as_object: bool,
) -> int:
    from ..batch import Batch, BatchError, Output, read_lines
    from ..library import Orchestrator

    async with invocation.runtime() as runtime:
        try:
            lines = await aside(lambda: read_lines(file, defaults, runtime.registry, pipe=True), "a batch to read")
            with Output(target, retry_failed=retry_failed) as output:
                orchestrator = Orchestrator.over(runtime)
                batch = Batch(orchestrator, lines, output, at_once=at_once)
                if max_cost is not None:
                    orchestrator.set_cap(max_cost, "the batch's cap")
                return await _carried_out(batch, target, only_estimate, yes, as_object)
        except BatchError as error:
            raise Stop(str(error), USAGE) from None


async def _carried_out(batch: Batch, target: Path, only_estimate: bool, yes: bool, as_object: bool) -> int:
    from ..library.estimating import in_words, passes

    screen = Screen()
    before = batch.progress.before
    if before:
        failed = (
            f", {batch.failed_before} of them failed (--retry-failed asks those again)" if batch.failed_before else ""
        )
        screen.line(f"{before:,} of {batch.progress.lines:,} lines stand in {target} already{failed}.")
    if not batch.left:
        screen.line("Nothing is left to ask.")
        _tell(batch, target, screen, as_object)
        return FAILED if batch.failed_before else 0
    estimate = await batch.estimate()
    for line in in_words(estimate):
        screen.line(line)
    too_dear = await batch.too_dear(estimate)
    if only_estimate:
        if too_dear is not None:
            screen.line(passes(estimate.cost, too_dear))
        if as_object:
            say(as_json(estimate_json(estimate)))
        return 0
    if too_dear is not None and not yes:
        await confirm_cap(estimate.cost, too_dear)
    told, task = _Telling(screen, batch.progress), asyncio.current_task()
    assert task is not None
    watching = asyncio.create_task(told.watch())
    try:
        with interruptible(task.cancel):
            await batch.run(told.heard)
    except asyncio.CancelledError:
        screen.line(f"Interrupted: {batch.progress.left:,} lines are left; the same command goes on with them.")
        _tell(batch, target, screen, as_object)
        return INTERRUPTED
    except OSError as error:
        raise Stop(f"{target} cannot be written: {error.strerror}; what was answered before stands in it") from None
    finally:
        watching.cancel()
    return _end(batch, target, screen, as_object)


def _end(batch: Batch, target: Path, screen: Screen, as_object: bool) -> int:
    progress = batch.progress
    if progress.stopped:
        screen.line(f"✗ {progress.stopped.told}", fg="red")
        first = progress.stopped.first
        screen.line(f"  {progress.left:,} lines are left. Once {first}, the same command goes on with them.")
    _tell(batch, target, screen, as_object)
    if progress.stopped:
        return BUDGET if progress.stopped.by_budget else FAILED
    return FAILED if progress.failed or batch.failed_before else 0


async def confirm_cap(cost: Money, cap: BudgetState) -> None:
    """Raises Stop when nobody agrees."""
    from ..library.estimating import passes

    said = passes(cost, cap)
    if not can_ask():
        raise Stop(f"{said} Raise the cap, or say --yes to begin all the same: it stops at the cap.", BUDGET)
    if not await asyncio.to_thread(confirm, f"{said} Begin all the same, and stop at the cap?"):
        raise Stop("Nothing was sent.", BUDGET)


class _Telling:
    """How far it is: in one line where it can be wiped, else a few times in all."""

    def __init__(self, screen: Screen, progress: Progress) -> None:
        self._screen = screen
        self._progress = progress
        self._to_ask = progress.left
        self._told = 0
        self._waited = False

    async def watch(self) -> None:
        """Tells that it waits while nothing ends; the first time where nothing can be wiped."""
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._screen.lively:
                self._screen.status(self._line())
            elif self._progress.held is not None and not self._waited:
                self._waited = True
                self._screen.line(self._line())

    def heard(self, line: Line, ended: Any) -> None:
        from ..library.tasks import TaskFailed

        progress = self._progress
        if isinstance(ended, TaskFailed):
            self._screen.line(f"✗ {line.id}: {ended}", fg="red")
        if self._screen.lively:
            self._screen.status(self._line())
        elif progress.ended * _TOLD // self._to_ask > self._told and progress.left:
            self._told = progress.ended * _TOLD // self._to_ask
            self._screen.line(self._line())

    def _line(self) -> str:
        progress = self._progress
        left, expected = progress.seconds_left, progress.expected
        failed = f" · {progress.failed} failed" if progress.failed else ""
        held = f" · {progress.held.told}" if progress.held else ""
        return (
            f"{progress.before + progress.ended:,} of {progress.lines:,}{failed}{held} · "
            f"{span(left) if left is not None else '?'} left · {progress.per_minute:,.0f}/min · "
            f"{progress.costs} of about {expected if expected is not None else '?'}"
        )


def _tell(batch: Batch, target: Path, screen: Screen, as_object: bool) -> None:
    progress = batch.progress
    if progress.ended:
        failed = f", {progress.failed:,} failed" if progress.failed else ""
        screen.line(
            f"{progress.answered:,} answered{failed} in {span(progress.seconds)} · {progress.costs} · "
            f"{progress.input_tokens:,} in {progress.output_tokens:,} out · {progress.per_minute:,.0f}/min · {target}"
        )
        if len(progress.models) > 1:
            screen.line("  " + " · ".join(f"{model} {count:,}" for model, count in progress.models.most_common(6)))
        if progress.errors:
            screen.line("  " + " · ".join(f"{kind} {count:,}" for kind, count in progress.errors.most_common()))
            screen.line("  Their errors stand in the file; --retry-failed asks them again.")
    if as_object:
        say(as_json(_statistics_json(batch, target)))


def _statistics_json(batch: Batch, target: Path) -> dict[str, Any]:
    progress = batch.progress
    return {
        "output": str(target),
        "lines": progress.lines,
        "ended_before": progress.before,
        "failed_before": batch.failed_before,
        "answered": progress.answered,
        "failed": progress.failed,
        "left": progress.left,
        "cost_usd": usd(progress.costs.amount),
        "cost_state": progress.costs.state.value,
        "input_tokens": progress.input_tokens,
        "output_tokens": progress.output_tokens,
        "seconds": round(progress.seconds, 3),
        "models": dict(progress.models),
        "errors": dict(progress.errors),
        "stopped": progress.stopped.why if progress.stopped else None,
        "stopped_by": progress.stopped.kind.value if progress.stopped else None,
    }


def estimate_json(estimate: Estimate) -> dict[str, Any]:
    return {
        "lines": estimate.lines,
        "weighed": estimate.weighed,
        "cost_usd": usd(estimate.cost),
        "unpriced": estimate.unpriced,
        "impossible": estimate.impossible,
        "seconds": round(estimate.seconds, 1),
        "rate_limit": None if estimate.limit is None else f"{estimate.limit.name}: {estimate.limit.told}",
        "models": dict(estimate.models),
    }
