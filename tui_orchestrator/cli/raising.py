"""A turn on a terminal that a budget stops: whether to raise the cap is asked on stderr, and answered on stdin."""

from __future__ import annotations

import asyncio
import sys

from ..routing.budget import GoOn, Shortage
from ..routing.money import Money
from .streams import on_terminal, tell


def can_ask() -> bool:
    """Whether somebody sits there to answer."""
    return all(on_terminal(stream) for stream in (sys.stdin, sys.stderr))


async def ask_for_room(shortage: Shortage) -> Money | GoOn | None:
    """As `Router.ask_for_room`. Cancelling stops the waiting."""
    from ..services.caps import for_now, round_above

    state, limit = shortage.state, round_above(shortage.least_limit)
    if shortage.members:
        return await _ask_for_all(shortage, limit)
    tell(
        f"! {shortage.model} could cost {shortage.needs}, {state.cap.name} has {state.left} of {state.limit} left.\n"
        f"  Raise it to {limit} for {for_now(state.scope)}? [y/N] ",
        end="",
    )
    return limit if await yes() else None


async def _ask_for_all(shortage: Shortage, limit: Money) -> Money | GoOn | None:
    """Of an ensemble: once, for the sum of its members."""
    from ..services.caps import for_now

    state, fits = shortage.state, shortage.without_raising
    together = " together" if len(shortage.members) > 1 else ""
    tell(
        f"! {', '.join(shortage.members)} could cost {shortage.needs}{together}, {state.cap.name} has {state.left} of "
        f"{state.limit} left.\n"
        f"  y raises it to {limit} for {for_now(state.scope)}"
        + (f", f goes on with those that fit ({', '.join(fits)})" if fits else "")
        + f"; anything else asks nobody. [y/{'f/' if fits else ''}N] ",
        end="",
    )
    said = (await _line()).strip().lower()
    if said in ("f", "fit") and fits:
        return GoOn.WITH_THOSE_THAT_FIT
    return limit if said in ("y", "yes") else None


async def yes() -> bool:
    """Whether that is what is typed next. Cancelling stops the waiting."""
    return (await _line()).strip().lower() in ("y", "yes")


async def _line() -> str:
    """A line of the terminal. Not read in a thread, which could not be stopped."""
    loop = asyncio.get_running_loop()
    said: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not said.done():
            said.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin.fileno(), read)
    try:
        return await said
    finally:
        loop.remove_reader(sys.stdin.fileno())
