"""`python -m tui_orchestrator.demo`: the demo servers by themselves, for any client of their formats."""

from __future__ import annotations

import asyncio
import signal
import sys

import click

from .roster import ROSTER
from .serving import serve


@click.command()
@click.option("--port", type=click.IntRange(1, 65532), help="First of four ports in a row; without it, free ones.")
@click.option(
    "--pace", type=click.FloatRange(min=0), default=1.0, show_default=True, help="0: no pauses; 2: half speed."
)
@click.option("--steady", is_flag=True, help="Leave out the failures some models have by habit.")
def main(port: int | None, pace: float, steady: bool) -> None:
    """Serve the scripted demo models on the loopback until interrupted. Any key is accepted."""
    try:
        asyncio.run(_run(port, pace, steady))
    except OSError as error:
        raise click.ClickException(
            f"the ports cannot be used: {error.strerror or error}; choose another --port"
        ) from error


async def _run(port: int | None, pace: float, steady: bool) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with serve(pace=pace, port=port, habits=not steady) as servers:
        for provider in ROSTER:
            click.echo(f"{provider.name:<15} {provider.protocol:<10} {servers[provider.name].base_url}")
            for demo in provider.models:
                click.echo(f"    {demo.name:<15} {demo.note}")
        sys.stdout.flush()
        await stopped.wait()


if __name__ == "__main__":
    main()
