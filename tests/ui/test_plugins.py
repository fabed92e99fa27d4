"""Plugins in the console: the packages of the documentation, installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.packages import installed, write, write_examples
from tests.ui.conftest import console
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.settings import UiSettings

CODE = "Write a Python function that merges two sorted lists"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    with installed(tmp_path / "site") as site:
        write_examples(site)
        yield site


async def test_a_plugins_strategy_is_offered_chosen_and_shown(tmp_path: Path, site: Path) -> None:
    async with console(tmp_path, script=Script().always(Say("Merged."))) as seat:
        await seat.pilot.press("ctrl+s")
        await seat.sees("thrifty", "the best chance for what it costs", "orchestrator-examples 1.0")
        await seat.type_into_list("thrifty")
        await seat.sees("thrifty: the best chance for what it costs")
        await seat.send(CODE)
        await seat.ended()
        await seat.sees("· thrifty ·", "(thrifty, of")


@pytest.mark.parametrize("end", ["SystemExit(9)", "KeyboardInterrupt", "BaseException('all')"])
async def test_a_strategy_that_would_end_the_program_gives_way_to_the_balance(
    tmp_path: Path, site: Path, end: str
) -> None:
    write(site, "bad", f"def worth(option): raise {end}", strategies={"leaving": "bad:worth"})
    async with console(tmp_path, script=Script().always(Say("Merged."))) as seat:
        await seat.send("/strategy leaving")
        await seat.type(CODE)
        await seat.sees(CODE)
        await seat.pilot.press("enter")
        await seat.ended()
        await seat.sees("Merged.", f"leaving of bad 1.0 failed ({end[:10]}")


async def test_a_plugins_theme_is_there_from_the_first_paint_or_on_demand(tmp_path: Path, site: Path) -> None:
    async with console(tmp_path, ui=UiSettings(theme="moss")) as seat:
        assert seat.app.theme == "moss"
        assert not seat.app.theme_problems
    async with console(tmp_path) as seat:
        assert seat.app.theme != "moss"
        await seat.send("/theme moss")
        await seat.until(lambda: seat.app.theme == "moss", "the theme of the plugin")


async def test_a_broken_plugin_is_named_in_the_chat(tmp_path: Path, site: Path) -> None:
    write(site, "bad", "import nothing_of_that_name", strategies={"wobbly": "bad:worth"})
    async with console(tmp_path) as seat:
        await seat.sees("Strategy 'wobbly' of bad 1.0 is not used")
        await seat.send("/strategy thrifty")
        await seat.sees("thrifty: the best chance for what it costs")
