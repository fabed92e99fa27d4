"""`doctor`: what is configured, reachable, priced and writable."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .manners import FAILED, Invocation, Stop, note, run, say
from .printing import as_json

if TYPE_CHECKING:
    from ..services.checkup import Finding

_MARKS = {"good": "✓", "note": "·", "problem": "✗"}


@click.command()
@click.option("--json", "as_object", is_flag=True, help="Print a list of JSON objects.")
@click.pass_obj
def doctor(invocation: Invocation, as_object: bool) -> None:
    """Check configuration, keys, servers, prices and the store. Every problem comes with its remedy.

    Nothing is billed: only lists are read. ✓ is good, · worth knowing, ✗ a problem. A broken configuration ends with
    exit code 2 before anything else is looked at.

    Exit codes: 0 no problem, 1 a problem was found, 2 the configuration is wrong.
    """

    async def check_up() -> int:
        from ..services.checkup import Standing, check
        from ..services.runtime import DEMO_NOTICE, Runtime
        from ..storage.faults import StoreError

        settings = invocation.settings()
        fault: StoreError | None = None
        try:
            opened = await Runtime.open(settings, demo=invocation.demo, in_memory_if_broken=True)
        except StoreError as error:  # it can be opened, and not be read
            fault = error
            opened = await Runtime.open(settings, demo=invocation.demo, in_memory_if_broken=error)
        async with opened as runtime:
            await runtime.refresh(forget=False)
            if runtime.demo and not invocation.demo:
                note(DEMO_NOTICE)
            findings = await check(settings, runtime, invocation.config, fault)
            findings += await asyncio.to_thread(_no_recipes, runtime.plugins.recipes)
        findings += await asyncio.to_thread(_unfinished, invocation.program)
        if as_object:
            say(as_json([dataclasses.asdict(finding) for finding in findings]))
        else:
            for finding in findings:
                say(f"{_MARKS[finding.standing]} {finding.area}: {finding.what}")
                if finding.remedy:
                    say(f"    → {finding.remedy}")
        return sum(finding.standing is Standing.PROBLEM for finding in findings)

    problems = run(check_up())
    if problems:
        raise Stop(f"{problems} problem{'s' if problems > 1 else ''} found.", FAILED)


def _no_recipes(added: Sequence[tuple[str, str, str]]) -> list[Finding]:
    """What should be recipes, of plugins or the user's own."""
    from ..recipes import shelf
    from ..services.checkup import Finding, Standing

    remedy = "mend it, or take it away; a plugin's can be named in plugins.disabled"
    return [Finding("recipes", Standing.PROBLEM, problem, remedy) for problem in shelf(added=added).problems]


def _unfinished(program: tuple[str, ...]) -> list[Finding]:
    """Of recipes."""
    from ..recipes import answers, left
    from ..routing.clock import SystemClock
    from ..services.checkup import Finding, Standing

    journals, problems = left(SystemClock().now())
    found = []
    for one in journals:
        one.program = program
        kept = f"{answers(one.kept)} {'is' if one.kept == 1 else 'are'} kept"
        torn = f"; {one.torn_told}" if one.torn else ""
        remedy = f"unless it still runs, go on by /recipe in the console or {one.command}, or delete its file"
        found.append(Finding("recipes", Standing.NOTE, f"{one.recipe} did not come to its end; {kept}{torn}", remedy))
    remedy = "copy from it what you need, and delete it"
    return [*found, *(Finding("recipes", Standing.NOTE, problem, remedy) for problem in problems)]
