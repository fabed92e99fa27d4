"""`experiment`: two ways to be answered, compared on one's own turns or on a file, until the difference is real."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..aside import aside
from ..routing.money import Money
from . import requests
from .batch import confirm_cap, estimate_json
from .interrupting import interruptible
from .manners import BUDGET, FAILED, INTERRUPTED, USAGE, Invocation, Named, Stop, note, run, say
from .printing import as_json
from .raising import can_ask
from .screen import Screen
from .streams import confirm

if TYPE_CHECKING:
    from ..batch import Comparison, Line
    from ..services.runtime import Runtime
    from ..storage.experiments import Kept

_WAY = "strategy=NAME, model=NAME, persona=NAME, system=TEXT, or default: as usual."
_Command = Callable[..., Any]


def _ways(command: _Command) -> _Command:
    """--a, --b and --judge."""
    for option in (
        click.option("--judge", metavar="MODEL", help="Have a model say of each answer whether it is right."),
        click.option("--b", "b", required=True, metavar="WAY", help="The other way."),
        click.option("--a", "a", required=True, metavar="WAY", help=f"One way to be answered: {_WAY}"),
    ):
        command = option(command)
    return command


@click.group(cls=Named, invoke_without_command=True)
@click.pass_context
def experiment(context: click.Context) -> None:
    """Try two strategies, models or prompts, on your own turns or on a file.

    On your turns each goes one way by a draw, unless you said yourself what should answer; what you do with the answers
    tells which way is better. Look at it as often as you like: of experiments between equals, one in twenty at most is
    ever said to have a difference. Without a command they are listed.

    \b
    Examples:
      tui-orchestrator experiment start thrift --a strategy=cheapest --b strategy=balanced
      tui-orchestrator experiment start brief --a default --b "system=Be brief." --share 20%
      tui-orchestrator experiment show thrift
      tui-orchestrator experiment stop thrift
      tui-orchestrator experiment run questions.jsonl --a gpt-6-luna --b claude-haiku-5.5
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@experiment.command()
@click.argument("name")
@_ways
@click.option("--share", default="50%", show_default=True, metavar="SHARE", help="Of the turns that go to B.")
@click.pass_obj
def start(invocation: Invocation, name: str, a: str, b: str, share: str, judge: str | None) -> None:
    """Begin an experiment on your own turns, in every copy of the program.

    A turn takes no part, and is not counted, when you named a model, a chain or a strategy for it, when a rule of yours
    is for it, in a temporary chat, and where one of the two ways is closed to it. Outcomes are your votes; an answer
    that you ask again, and none at all, counts as a bad one.

    \b
    Examples:
      tui-orchestrator experiment start thrift --a strategy=cheapest --b strategy=balanced
      tui-orchestrator experiment start luna --a default --b gpt-6-luna --judge claude-opus-5.5
    """

    async def go() -> None:
        async with invocation.runtime() as runtime:
            from ..services.arms import arm_of, name_of, share_of

            with _said_wrong():
                arms = [arm_of(said, runtime.registry, runtime.settings) for said in (a, b)]
                model = None if judge is None else runtime.registry.find(judge).id
                kept = await runtime.experiments.start(name_of(name), arms[0], arms[1], share_of(share), model)
            one = kept.experiment
            share_of_b = f"{round(one.share * 100)} % of the turns go to B"
            say(f"{one.name} runs: A is {one.a.short}, B is {one.b.short}, {share_of_b}.")
            told = (
                f"{one.judge} is sent each prompt, what came before and the answer, to judge that at a cost."
                if one.judge
                else "Vote on the answers you get (`vote up`, `vote down`, Alt+U and Alt+D)."
            )
            note(f"{told} `experiment show {one.name}` tells how it stands.")

    run(go())


@experiment.command("list")
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_(invocation: Invocation, as_object: bool = False) -> None:
    """List the experiments there are, with how they stand."""

    async def go() -> None:
        async with invocation.runtime(look=False) as runtime:
            from .findings import tell_all

            every = await runtime.experiments.all()
            for found in every:
                await runtime.experiments.seen(found)
            tell_all(every, as_object)

    run(go())


@experiment.command()
@click.argument("name", required=False)
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show(invocation: Invocation, name: str | None, as_object: bool) -> None:
    """Tell how an experiment stands: turns, outcomes and cost of each way, and whether the difference is real.

    NAME: without it, the one that runs, else the latest.
    """

    _one(invocation, name, as_object)


@experiment.command()
@click.argument("name", required=False)
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def stop(invocation: Invocation, name: str | None, as_object: bool) -> None:
    """End an experiment. Your turns go on as usual, and what it has found stays.

    NAME: without it, the one that runs.
    """

    _one(invocation, name, as_object, stopped=True)


def _one(invocation: Invocation, name: str | None, as_object: bool, *, stopped: bool = False) -> None:
    """Tells what one has found; `stopped`: and ends it first."""

    async def go() -> None:
        async with invocation.runtime(look=False) as runtime:
            experiments = runtime.experiments
            with _said_wrong():
                kept = await experiments.named(name)
                found = await (experiments.stop(kept) if stopped else experiments.findings(kept))
            await experiments.seen(found)
            from .findings import tell

            tell(found, as_object)

    run(go())


@experiment.command()
@click.argument("name")
@click.pass_obj
def delete(invocation: Invocation, name: str) -> None:
    """Forget an experiment. What its turns cost stays in the ledger, and your votes stay votes."""

    async def go() -> None:
        async with invocation.runtime(look=False) as runtime:
            with _said_wrong():
                await runtime.experiments.delete(await runtime.experiments.named(name))
            note(f"{name} is forgotten.")

    run(go())


# -- a file


@experiment.command("run")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.jsonl")
@_ways
@click.option("--name", metavar="NAME", help="Of the experiment.  [default: the file's]")
@click.option(
    "--expected-field",
    default="expected",
    show_default=True,
    metavar="KEY",
    help="The key of a line's expected answer.",
)
@click.option("-c", "--max-cost", callback=requests.usd, metavar="USD", help="Most it may cost, in all its runs.")
@requests.MAX_TOKENS
@click.option(
    "--at-once", type=click.IntRange(1, 256), default=4, show_default=True, metavar="N", help="Prompts under way."
)
@click.option("--all", "every", is_flag=True, help="Ask every line, also when it is decided sooner.")
@click.option("--estimate", "only_estimate", is_flag=True, help="Say what it would cost at most; send nothing.")
@click.option("-y", "--yes", is_flag=True, help="Begin without asking, also when the estimate passes a cap.")
@click.option("--json", "as_object", is_flag=True, help="Print what was found as one JSON object.")
@click.pass_obj
def run_(
    invocation: Invocation,
    file: Path,
    a: str,
    b: str,
    judge: str | None,
    name: str | None,
    expected_field: str,
    max_cost: Money | None,
    max_tokens: int | None,
    at_once: int,
    every: bool,
    only_estimate: bool,
    yes: bool,
    as_object: bool,
) -> None:
    """Ask the prompts of a file both ways, in an order that is drawn, and stop as soon as the difference is real.

    A line of FILE is one of `batch`, with what the answer should come to: {"prompt": "…", "expected": "42"}. Where a
    line has none, or it cannot be compared, --judge MODEL says whether the answer is right. What it will cost at most
    is told first. The same command goes on where it was stopped.

    \b
    Examples:
      tui-orchestrator experiment run questions.jsonl --a cheapest --b quality --estimate
      tui-orchestrator experiment run questions.jsonl --a default --b persona=terse -c 2
      tui-orchestrator experiment run sums.jsonl --a gpt-6-luna --b gpt-6-terra --expected-field sum

    Exit codes: 0 done, 1 the store or the shared Redis stopped it, 2 wrong usage, 3 a budget stopped it,
    130 interrupted.
    """
    from ..library.tasks import Task

    async def go() -> int:
        from ..batch import BatchError, Comparison, read_lines
        from ..library import Orchestrator

        async with invocation.runtime() as runtime:
            defaults = Task("", max_tokens=max_tokens)
            try:
                lines = await aside(
                    lambda: read_lines(file, defaults, runtime.registry, expected_field, pipe=True), "a file to read"
                )
                with _said_wrong():
                    kept = await _kept_for(runtime, name or file.stem, a, b, judge)
                orchestrator = Orchestrator.over(runtime)
                comparison = await Comparison.open(orchestrator, kept, lines, at_once=at_once, until_decided=not every)
            except BatchError as error:
                raise Stop(str(error), USAGE) from None
            if max_cost is not None:
                orchestrator.set_cap(max_cost, "the experiment's cap")
            return await _compared(runtime, comparison, only_estimate, yes, as_object)

    sys.exit(run(go()))


async def _kept_for(runtime: Runtime, name: str, a: str, b: str, judge: str | None) -> Kept:
    """The one of that name where it compares the same, else a new one that is not kept yet."""
    import uuid

    from ..routing.experiment import Experiment
    from ..services.arms import arm_of, name_of
    from ..services.experiments import ExperimentError
    from ..storage.experiments import Kept

    arms = [arm_of(said, runtime.registry, runtime.settings) for said in (a, b)]
    model = None if judge is None else runtime.registry.find(judge).id
    new = Experiment(uuid.uuid4().hex, name_of(name), arms[0], arms[1], judge=model)
    if arms[0] == arms[1]:
        raise ExperimentError(f"both ways are {arms[0].short}; there is nothing to compare")
    for kept in await runtime.experiments.store.all():
        one = kept.experiment
        if one.name == new.name:
            if (kept.kind, *one.arms, one.judge) != ("file", *new.arms, new.judge):
                raise ExperimentError(f"the experiment {one.name} compares something else; name this one with --name")
            return kept
    return Kept(new, "file", runtime.clock.now())


async def _compared(runtime: Runtime, comparison: Comparison, only_estimate: bool, yes: bool, as_object: bool) -> int:
    from ..library.estimating import in_words

    screen, progress = Screen(), comparison.progress
    if progress.before:
        screen.line(f"{progress.before:,} of {progress.prompts:,} prompts were answered both ways before.")
    if comparison.left:
        expected = await comparison.estimate()
        for line in in_words(expected, "answers and judgements" if comparison.kept.experiment.judge else "answers"):
            screen.line(line)
        too_dear = await comparison.too_dear(expected)
        if only_estimate:
            if as_object:
                say(as_json(estimate_json(expected)))
            return 0
        if too_dear is not None and not yes:
            await confirm_cap(expected.cost, too_dear)
        elif not yes and can_ask():
            agreed = await asyncio.to_thread(confirm, "At most that. Begin?", default=True)
            if not agreed:
                raise Stop("Nothing was sent.", BUDGET)
    elif only_estimate:
        screen.line("Nothing is left to ask.")
        return 0
    store = runtime.experiments.store
    await store.start(comparison.kept)
    task = asyncio.current_task()
    assert task is not None
    try:
        with interruptible(task.cancel):
            found = await comparison.run(_telling(screen, comparison))
    except asyncio.CancelledError:
        screen.line(f"Interrupted: {progress.left:,} prompts are left; the same command goes on with them.")
        return INTERRUPTED
    if progress.stopped:
        screen.line(f"✗ {progress.stopped.told}", fg="red")
        first = progress.stopped.first
        screen.line(f"  {progress.left:,} prompts are left. Once {first}, the same command goes on with them.")
    elif progress.left:
        screen.line(f"Decided with {progress.left:,} prompts left, which were not asked; --all asks them too.")
    if not progress.stopped and (comparison.decided or not progress.left):
        found = await runtime.experiments.stop(comparison.kept)
    from .findings import tell

    screen.line("")
    tell(found, as_object)
    if progress.stopped:
        return BUDGET if progress.stopped.by_budget else FAILED
    return 0


def _telling(screen: Screen, comparison: Comparison) -> Callable[[Line], None]:
    progress = comparison.progress

    def told(line: Line) -> None:
        if screen.lively:
            good = " · ".join(f"{side.upper()} {count:,} good" for side, count in progress.good.items())
            screen.status(f"{progress.before + progress.ended:,} of {progress.prompts:,} · {good} · {progress.costs}")

    return told


@contextmanager
def _said_wrong() -> Iterator[None]:
    """Ends the command with a sentence where what was said of an experiment cannot be."""
    try:
        yield
    except (LookupError, ValueError) as error:
        raise Stop(str(error.args[0]), USAGE) from None
