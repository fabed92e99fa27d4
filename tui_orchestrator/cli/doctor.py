"""`doctor`: what is configured, reachable, priced and writable."""

from __future__ import annotations

import dataclasses

import click

from .manners import FAILED, Invocation, Stop, as_json, run

_MARKS = {"good": "✓", "note": "·", "problem": "✗"}


@click.command()
@click.option("--json", "as_object", is_flag=True, help="Print a list of JSON objects.")
@click.pass_obj
def doctor(invocation: Invocation, as_object: bool) -> None:
    """Check configuration, keys, servers, prices and the store. Every problem comes with its remedy.

    Nothing is billed: only lists are read. Exit code 1 when there is a problem.
    """

    async def check_up() -> int:
        from ..services.checkup import Standing, check
        from ..services.runtime import running

        settings = invocation.settings()
        async with running(settings, demo=invocation.demo) as runtime:
            for notice in runtime.notices[len(settings.notices) :]:
                click.echo(notice, err=True)
            findings = await check(settings, runtime, invocation.config)
        if as_object:
            click.echo(as_json([dataclasses.asdict(finding) for finding in findings]))
        else:
            for finding in findings:
                click.echo(f"{_MARKS[finding.standing]} {finding.area}: {finding.what}")
                if finding.remedy:
                    click.echo(f"    → {finding.remedy}")
        return sum(finding.standing is Standing.PROBLEM for finding in findings)

    problems = run(check_up())
    if problems:
        raise Stop(f"{problems} problem{'s' if problems > 1 else ''} found.", FAILED)
