"""`recipe`: prompts in several steps."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..routing.errors import Cancelled
from ..routing.event_json import error_json
from ..routing.money import NOTHING, Money
from ..routing.text import spoken
from . import requests
from .batch import confirm_cap
from .interrupting import interruptible
from .manners import (
    INTERRUPTED,
    USAGE,
    Invocation,
    Named,
    Stop,
    exit_code,
    in_utf8,
    note,
    output_file,
    run,
    say,
    write_file,
)
from .printing import as_json, table
from .recipe_json import came_to, failed_json, outcome_json, plan_json, recipe_json
from .screen import Screen

if TYPE_CHECKING:
    from ..library import Orchestrator
    from ..library.tasks import Result
    from ..recipes import Advance, Journal, Parameter, Plan, Recipe, RecipeFailed, Shelf


@click.group(cls=Named, invoke_without_command=True)
@click.pass_context
def recipe(context: click.Context) -> None:
    """Run prompts in several steps, each with the model that suits it.

    Four are shipped, plugins may bring more; your own are TOML files in the directory that `recipe list` names.
    Without a command they are listed.

    \b
    Examples:
      tui-orchestrator recipe
      tui-orchestrator recipe show problem-variations
      tui-orchestrator recipe run problem-variations topic="systems of two linear equations" count=3
      tui-orchestrator recipe run summarize-long text=@report.txt -c 0.50
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@recipe.command("list")
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_(invocation: Invocation, as_object: bool = False) -> None:
    """List the recipes there are, with their parameters, and what goes on with the unfinished."""
    from ..recipes import answers, left, recipes_dir
    from ..routing.clock import SystemClock

    found, (unfinished, broken) = _shelf(invocation), left(SystemClock().now())
    if as_object:
        told = [recipe_json(one) for one in found.recipes.values()]
        listed = {"directory": str(recipes_dir()), "recipes": told, "problems": [*found.problems, *broken]}
        say(as_json({**listed, "unfinished": [str(one.path) for one in unfinished]}))
        return
    rows = [
        (one.name, " ".join(map(_usage, one.parameters.values())), one.description) for one in found.recipes.values()
    ]
    say(table(("recipe", "parameters", "what it does"), rows))
    for problem in (*found.problems, *broken):
        note(f"! {problem}")
    note(f"Your own lie in {recipes_dir()}.")
    for one in unfinished:
        one.program = invocation.program
        kept = f"{answers(one.kept)} kept{f'; {one.torn_told}' if one.torn else ''}"
        note(f"Unfinished, with {kept}; unless it still runs, go on or delete its file: {one.command}")


@recipe.command()
@click.argument("name")
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show(invocation: Invocation, name: str, as_object: bool) -> None:
    """Print a recipe's parameters and steps."""
    one = _found(invocation, name)
    if as_object:
        say(as_json(recipe_json(one)))
        return
    say(f"{one.name}: {one.description} ({one.source})")
    for parameter in one.parameters.values():
        default = "" if parameter.default is None else f" [{_default(parameter)}]"
        say(f"  {parameter.name}{default}: {parameter.description}")
    for step in one.steps:
        how = step.model or (spoken(step.strategy) if step.strategy else "as configured")
        loop = f", for each of {step.for_each}" if step.for_each else ""
        task = f" · {spoken(step.task_type)}" if step.task_type else ""
        say(f"\n{step.id} · {how}{task}{loop}\n{_inset(step.prompt)}")


@recipe.command("run")
@click.argument("name")
@click.argument("parameters", nargs=-1, metavar="[PARAMETER=VALUE]...")
@click.option(
    "--resume",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Go on with one that came to nothing, from the file that it named; without parameters.",
)
@click.option("-c", "--max-cost", callback=requests.usd, metavar="USD", help="Most the whole recipe may cost.")
@click.option("--at-once", type=click.IntRange(1, 64), default=8, show_default=True, metavar="N", help="At once.")
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write the text to a file."
)
@click.option("--estimate", is_flag=True, help="Say what it would ask, of whom and for how much; send nothing.")
@click.option("-y", "--yes", is_flag=True, help="Begin also when the plan passes a cap; at the cap it ends.")
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object with every step.")
@click.pass_obj
def run_(
    invocation: Invocation,
    name: str,
    parameters: tuple[str, ...],
    resume: Path | None,
    max_cost: Money | None,
    at_once: int,
    output: Path | None,
    estimate: bool,
    yes: bool,
    as_object: bool,
) -> None:
    """Run a recipe. The text goes to stdout; the plan and its price, how far it is and what it cost go to stderr.

    Where the plan passes a cap it asks whether to begin; where nobody can be asked it ends with exit code 3.

    A value that begins with @ is read from that file, @- from stdin; a list is given once for each item.

    Exit codes: 0 done, 1 a step failed, 2 wrong usage, 3 a budget said no, 130 interrupted.
    """
    one, said, file = _found(invocation, name), _said(parameters), output_file(output)
    journal = _journal(one, said, resume)
    journal.program = invocation.program
    ask = _Asked(max_cost, at_once, estimate, yes)
    course = _Course(Screen(), journal)
    try:
        code = run(_run(invocation, one, course, ask, file, as_object))
    except Stop:
        course.tell_left()
        raise
    finally:
        journal.close()
    sys.exit(code)


def _journal(one: Recipe, said: dict[str, list[str]], resume: Path | None) -> Journal:
    from ..recipes import Journal, RecipeError
    from ..routing.clock import SystemClock

    now = SystemClock().now()
    if resume is None:
        return Journal(one.name, said, now)
    if said:
        raise Stop("--resume goes on with the parameters of its file; leave them out", USAGE)
    try:
        journal = Journal.read(resume, now)
        if journal.recipe == one.name:
            journal.hold()
    except RecipeError as error:
        raise Stop(str(error), USAGE) from None
    if journal.recipe != one.name:
        raise Stop(f"{resume} is of the recipe {journal.recipe}, not of {one.name}", USAGE)
    if journal.torn:
        note(f"! {resume}: {journal.torn_told}.")
    return journal


@dataclass(frozen=True, slots=True)
class _Asked:
    """How it is to be run."""

    max_cost: Money | None
    at_once: int
    only_estimate: bool
    yes: bool


async def _run(
    invocation: Invocation,
    one: Recipe,
    course: _Course,
    asked: _Asked,
    file: Path | None,
    as_object: bool,
) -> int:
    from ..library import Orchestrator
    from ..recipes import RecipeError, RecipeFailed, carry_out

    screen, journal, task = course.screen, course.journal, asyncio.current_task()
    assert task is not None
    said = journal.said
    try:
        one.values(said)
        async with invocation.runtime() as runtime:
            orchestrator = Orchestrator.over(runtime)
            if asked.max_cost is not None:
                orchestrator.set_cap(asked.max_cost, "the recipe's cap")
            planned = await _agreed(screen, orchestrator, one, journal, asked)
            if asked.only_estimate:
                if as_object:
                    say(as_json(plan_json(planned)))
                return 0
            with interruptible(task.cancel):
                outcome = await carry_out(
                    orchestrator, one, said, at_once=asked.at_once, on_advance=course.tell, known=journal.known
                )
    except RecipeError as error:
        raise Stop(str(error), USAGE) from None
    except (LookupError, ValueError) as error:
        raise Stop(f"{one.name}: {error.args[0]}", USAGE) from None
    except RecipeFailed as failed:
        return _failed(screen, failed, as_object, course)
    except asyncio.CancelledError:
        return _interrupted(screen, one, course, as_object)
    text = as_json(outcome_json(outcome)) if as_object else outcome.text
    screen.end_line()
    if file is None:
        say(text)
    else:
        await asyncio.to_thread(write_file, file, text + "\n")
    journal.drop()
    rounds = sum(len(results) for results in outcome.steps.values())
    taken = f" · {journal.taken:,} taken over" if journal.taken else ""
    screen.line(f"{rounds:,} answer{'' if rounds == 1 else 's'} · {outcome.cost}{taken}", dim=True)
    return 0


class _Course:
    """What a run has come to so far, told as it does."""

    def __init__(self, screen: Screen, journal: Journal) -> None:
        self.screen = screen
        self.journal = journal
        self.steps: dict[str, list[Result]] = {}
        """By the step's id, its rounds in the order they ended."""
        self.cost = NOTHING

    def tell(self, advance: Advance) -> None:
        self.cost = advance.cost
        if advance.result is not None:
            self.steps.setdefault(advance.step.id, []).append(advance.result)
            self.journal.keep(advance)
        _tell(self.screen, advance)

    def kept(self) -> str:
        """What is kept of it and what is not, once all was tried."""
        self.journal.keep_rest()
        return self.journal.told

    def tell_left(self) -> None:
        """Of one that ended by neither a step that failed nor by hand."""
        if self.steps and (kept := self.kept()):
            for advance in self.journal.unkept:
                if advance.result is not None:
                    _tell_texts(self.screen, {advance.step.id: [advance.result]})
            self.screen.line(f"  {kept}")


def _failed(screen: Screen, failed: RecipeFailed, as_object: bool, course: _Course) -> int:
    """What finished is told with its text; none of it goes to stdout or a file as if it were the recipe's."""
    from ..recipes import GO_ON

    if as_object:
        say(as_json(failed_json(failed)))
    else:
        _tell_texts(screen, failed.steps)
    screen.line(f"✗ {failed} It cost {failed.cost} until then.", fg="red")
    screen.line(f"  {course.kept() or GO_ON}")
    return exit_code(failed.cause.error.kind)


def _interrupted(screen: Screen, one: Recipe, course: _Course, as_object: bool) -> int:
    """The same of one that was stopped by hand."""
    cost, steps = course.cost, course.steps
    if as_object:
        say(as_json({**came_to(one, None, cost, steps), "failed_step": None, "error": error_json(Cancelled())}))
    else:
        _tell_texts(screen, steps)
    spent = f" What finished cost {cost}." if steps else ""
    screen.line(f"✗ Interrupted; what had come is booked.{spent}", fg="red")
    if kept := course.kept():
        screen.line(f"  {kept}")
    return INTERRUPTED


def _tell_texts(screen: Screen, steps: Mapping[str, Sequence[Result]]) -> None:
    for id_, results in steps.items():
        for result in results:
            screen.line(f"{id_} · {result.model} · {result.cost}")
            screen.line(_inset(result.text))


async def _agreed(screen: Screen, orchestrator: Orchestrator, one: Recipe, journal: Journal, asked: _Asked) -> Plan:
    """Its plan, which is told. Raises Stop when it passes a cap and nobody agrees."""
    from ..library.estimating import passes, too_dear
    from ..recipes import in_words, plan

    planned = await plan(orchestrator, one, journal.said, at_once=asked.at_once, known=journal.peeked())
    for line in in_words(planned):
        screen.line(line, dim=line.startswith(" "))
    cap = await too_dear(orchestrator, planned.cost)
    if cap is not None and asked.only_estimate:
        screen.line(passes(planned.cost, cap))
    elif cap is not None and not asked.yes:
        await confirm_cap(planned.cost, cap)
    return planned


def _tell(screen: Screen, advance: Advance) -> None:
    rounds = f" {advance.ended} of {advance.rounds}" if advance.rounds > 1 else ""
    if advance.result is not None:
        result = advance.result
        screen.line(f"✓ {advance.step.id}{rounds} · {result.model} · {result.cost}", dim=True)
    if advance.ended < advance.rounds:
        screen.status(f"… step {advance.place} of {advance.steps}: {advance.step.id}{rounds} · {advance.cost}")


def _shelf(invocation: Invocation) -> Shelf:
    from ..plugins.contract import Kind
    from ..plugins.finding import names
    from ..recipes import shelf

    if not names(Kind.RECIPE):
        return shelf()
    from ..services.plugging import plugins_of

    plugins = plugins_of(invocation.settings(), only=(Kind.RECIPE,))
    found = shelf(added=plugins.recipes)
    broken = {one.name: (one.problem,) for one in plugins.every if one.problem}
    return replace(found, problems=(*found.problems, *plugins.problems), broken={**broken, **found.broken})


def _found(invocation: Invocation, name: str) -> Recipe:
    from ..recipes import RecipeError

    try:
        return _shelf(invocation).find(name)
    except RecipeError as error:
        raise Stop(str(error), USAGE) from None


def _said(parameters: tuple[str, ...]) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for one in parameters:
        name, equals, value = in_utf8(one, "a parameter").partition("=")
        if not equals:
            raise Stop(f"{one!r} is no parameter; write NAME=VALUE", USAGE)
        said.setdefault(name.strip(), []).append(_read(value) if value.startswith("@") else value)
    return said


def _read(value: str) -> str:
    from ..services.attachments import AttachmentError, read_file, read_stdin

    try:
        read = read_stdin() if value == "@-" else read_file(Path(value[1:]), pipe=True)
    except AttachmentError as error:
        raise Stop(str(error), USAGE) from None
    if read.text is None:
        raise Stop(f"{value[1:]} is an image; a recipe's values are text", USAGE)
    return read.text


def _usage(parameter: Parameter) -> str:
    return parameter.name if parameter.default is None else f"[{parameter.name}]"


def _default(parameter: Parameter) -> str:
    return ", ".join((parameter.default or "").splitlines())


def _inset(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())
