"""A console that a program feeds, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui_orchestrator.demo import Script, Servers
    from tui_orchestrator.ui.app import ConsoleApp

Feed = Callable[[Any, "Pilot[Any]", "Servers"], Coroutine[Any, Any, None]]


def fed(make: type[ConsoleApp], home: Path, script: Script, feed: Feed) -> None:
    """Runs it on demo models that answer as `script` says; `feed` is given it, its keys and the servers, and leaves it
    in the end. The store is made in `home`."""
    from tui_orchestrator import demo
    from tui_orchestrator.routing.budget import Budgets
    from tui_orchestrator.routing.money import Money
    from tui_orchestrator.settings import Settings, StoreSettings, UiSettings

    # A cap that is spent would end what is tried, and ring the bell, which is the program's own.
    base = replace(
        Settings(),
        ui=UiSettings(motion="reduced", notifications=False),
        budgets=Budgets(daily=Money.from_usd(1_000_000), monthly=Money.from_usd(1_000_000)),
        store=StoreSettings(home / "store.db"),
        discovery=False,
    )

    async def main() -> None:
        async with demo.serve(pace=0, script=script, habits=False) as servers:
            app = make(demo.settings(servers, base), demo=False)
            try:
                await app.run_async(auto_pilot=lambda pilot: feed(app, pilot, servers))
            finally:
                app.end()

    asyncio.run(main())
