"""The settings screen: what is found, what is written, what holds at once and what is said of it."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from tests.ui.conftest import Console, console
from tests.ui.test_snapshots import Still
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.services import preferences
from tui_orchestrator.services.preferences import Preferences
from tui_orchestrator.settings import Settings, StoreSettings, UiSettings, load
from tui_orchestrator.settings.listing import Section, sections
from tui_orchestrator.settings.reading import Reading
from tui_orchestrator.ui.app import ConsoleApp
from tui_orchestrator.ui.setting_rows import heading
from tui_orchestrator.ui.settings import Done, Hands, SettingsScreen


@pytest.fixture
def file(own_home: Path) -> Path:
    path = own_home / "home" / "config" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('# mine\n[router]\nstrategy = "quality"  # the best\n')
    return path


def text_of(file: Path) -> str:
    return file.read_text()


def put(file: Path, text: str) -> None:
    file.write_text(text)


async def test_the_demo_s_caps_say_whose_they_are_and_the_others_stay_when_one_is_set(file: Path) -> None:
    async def open_demo(seat: Console) -> None:
        await seat.until(lambda: seat.app.talk is not None and not seat.app.working, "a ready console")

    settings = replace(load(file), store=StoreSettings(file.parent / "store.db"))
    app = ConsoleApp(settings, demo=True, pace=0)
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        seat = Console(app, pilot)
        await open_demo(seat)
        await opened(seat, "budgets.daily")
        await seat.sees("daily_usd", "2", "the demo, until you set your own")
        await seat.pilot.press("down", "enter")
        await seat.sees("Enter writes it")
        await seat.pilot.press("ctrl+a", "delete", *"3", "enter")
        await seat.until(lambda: "daily_usd = 3" in text_of(file), "the cap in the file")
        assert app.runtime is not None
        held = app.runtime.router.budgets
        assert [str(cap) for cap in (held.session, held.daily, held.monthly)] == ["$1.00", "$3.00", "$20.00"]
    again = ConsoleApp(replace(load(file), store=settings.store), demo=True, pace=0)
    async with again.run_test(size=(160, 48), notifications=True) as pilot:
        seat = Console(again, pilot)
        await open_demo(seat)
        await opened(seat, "budgets.session")
        await seat.sees("session_usd", "the demo, until you set your own")
        await seat.pilot.press("escape", "escape", "f4")
        await seat.sees("of     $1.00", "of     $3.00", "of    $20.00")


async def opened(seat: Console, words: str = "") -> None:
    await seat.pilot.press("f12")
    await seat.sees("Settings", "[router]")
    await type_(seat, words)


async def type_(seat: Console, words: str) -> None:
    if words:
        await seat.write(words)


async def test_what_goes_before_the_file_is_said_where_it_is_found_and_where_it_is_written(
    own_home: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAILY_BUDGET_USD", "9")
    async with console(own_home) as seat:
        # Every setting is found with what holds and where it comes from.
        await opened(seat)
        await seat.sees(str(file), "strategy", '"quality"', "config.toml:3", "How a model is chosen")
        await type_(seat, "daily_usd")
        await seat.sees("Cap on a day, your local one.", "9.00", "env DAILY_BUDGET_USD", "also set by")
        await seat.sees("! DAILY_BUDGET_USD in the environment goes before", "default (no cap)")
        await seat.sees_no("quality_threshold")
        await seat.pilot.press("escape")
        await seat.sees("[router.weights]")
        await seat.pilot.press("escape")
        await seat.sees_no("[router.weights]")

        # What something else goes before is written and said.
        await seat.begin_anew()
        await opened(seat, "budgets.daily_usd")
        await seat.pilot.press("enter")
        await seat.pilot.press(*["backspace"] * 4, "3", "enter")
        await seat.sees(f"budgets.daily_usd is set in {file}", "! env DAILY_BUDGET_USD goes before it: 9.00 holds")
        await seat.sees("your file says 3.00, line")


async def test_settings_are_searched_and_say_their_units(own_home: Path, file: Path) -> None:
    async with console(own_home) as seat:
        # The search knows descriptions and values too.
        await opened(seat, "escalates to the next")
        await seat.sees("confidence_threshold", "1 of ")
        await seat.pilot.press("escape")
        await type_(seat, "comfortable")
        await seat.sees("density", "1 of ")
        await seat.pilot.press("escape")
        await type_(seat, "nowheretobefound")
        await seat.sees("No setting holds that.", "0 of ")

        # A number says its unit.
        await seat.begin_anew()
        await opened(seat, "timeouts.first_token")
        await seat.sees("From sending until the first token.", "seconds", "default")


async def test_a_key_in_a_wrong_place_is_not_shown_and_not_there_to_be_edited(
    own_home: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "correct.horse.battery.staple"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    put(file, f'[plugins]\ndisabled = ["{key}"]\n[ui.keymap]\n"{key}x" = "f7"\n[chains]\nmine = ["openai/{key}"]\n')
    async with console(own_home) as seat:
        await opened(seat, "plugins.disabled")
        await seat.sees("cor…aple", "1 of ")
        assert key not in seat.screen
        await seat.pilot.press("enter")
        await seat.sees("Enter writes it")
        assert key not in seat.screen
        await seat.pilot.press("escape", "escape")
        for words in ("keymap", "chains.mine"):
            await type_(seat, words)
            await seat.sees("cor…aple")
            assert key not in seat.screen
            await seat.pilot.press("escape")
        seat.app.notify(f"wrong: {key}")
        await seat.sees("wrong: cor…aple")
        assert key not in seat.screen


async def test_a_value_is_checked_written_holds_at_once_and_goes_back_to_its_default(
    own_home: Path, file: Path
) -> None:
    async with console(own_home) as seat:
        # A number is checked while it is typed and holds at once.
        await opened(seat, "router.quality_threshold")
        await seat.pilot.press("enter")
        await seat.sees("A number from 0 to 1.", "Enter writes it")
        await seat.pilot.press("end", "backspace", "7", "5", "x")
        await seat.sees("is not a number; give a number from 0 to 1, such as 0.7")
        await seat.pilot.press("enter")
        assert "quality_threshold" not in text_of(file)
        await seat.pilot.press("backspace", "enter")
        await seat.sees(f"router.quality_threshold = 0.75 from now on; written to {file}")
        assert 'strategy = "quality"  # the best\nquality_threshold = 0.75\n' in text_of(file)
        assert seat.app.runtime is not None
        assert seat.app.runtime.router.policy.quality_threshold == 0.75
        await seat.sees("config.toml:4")

        # A switch turns and ctrl r brings the default back.
        await seat.begin_anew()
        await opened(seat, "prefer_local")
        await seat.pilot.press("ctrl+r")
        await seat.sees("router.prefer_local is not in your file: it stands at its default.")
        await seat.pilot.press("enter")
        await seat.sees("router.prefer_local = true from now on")
        assert "prefer_local = true" in text_of(file)
        await seat.pilot.press("ctrl+r")
        await seat.sees(f"router.prefer_local is out of {file}; false holds from now on")
        assert "prefer_local" not in text_of(file)
        assert seat.app.settings.policy.prefer_local is False

        # What must wait for the next start says so.
        await seat.begin_anew()
        await opened(seat, "ui.panes")
        await seat.sees("from the next start on")
        await seat.pilot.press("enter")
        await seat.sees("Commas go between")
        await seat.pilot.press("end", *["backspace"] * len("decision, costs"))
        await seat.pilot.press("backspace", "backspace", "enter")
        await seat.sees('ui.panes = ["chat"] from the next start on')
        assert load(file).ui.panes == ("chat",)

        # A rule can be made and taken out again.
        await seat.begin_anew()
        assert seat.app.runtime is not None
        await opened(seat, "add rules")
        await seat.pilot.press("enter")
        await seat.sees("First its name, such as legal.")
        await type_(seat, "law")
        await seat.pilot.press("enter")
        await seat.sees("rules.law: what of it?")
        await seat.type_into_list("words")
        await type_(seat, "contract")
        await seat.pilot.press("enter")
        await seat.sees("rules.law: does nothing; give it one of primary")
        await seat.pilot.press("escape", "enter")
        await type_(seat, "law")
        await seat.pilot.press("enter")
        await seat.type_into_list("strategy")
        await type_(seat, "qualty")
        await seat.sees("perhaps 'quality' is meant")
        await seat.pilot.press(*["backspace"] * 2, "i", "t", "y", "enter")
        await seat.sees('rules.law.strategy = "quality"')
        assert [rule.name for rule in seat.app.runtime.router.rules] == ["law"]
        await seat.pilot.press("escape")
        await type_(seat, "rules.law.strategy")
        await seat.sees("[rules.law]")
        await seat.pilot.press("ctrl+r")
        await seat.sees("rules.law.strategy is out of")
        assert seat.app.runtime.router.rules == ()
        assert "law" not in text_of(file)


async def test_a_choice_and_the_looks_change_before_ones_eyes(own_home: Path, file: Path) -> None:
    async with console(own_home) as seat:
        # A choice is a list and the header says it at once.
        await opened(seat, "router.strategy")
        await seat.pilot.press("enter")
        await seat.sees("cheapest", "local_first", "the default")
        await seat.type_into_list("cheapest")
        await seat.sees('router.strategy = "cheapest" from now on')
        assert text_of(file) == '# mine\n[router]\nstrategy = "cheapest"  # the best\n'
        assert seat.app.runtime is not None
        assert seat.app.runtime.router.policy.strategy is Strategy.CHEAPEST
        await seat.pilot.press("escape", "escape")
        await seat.until(lambda: "cheapest" in seat.screen.splitlines()[0], "the strategy in the header")

        # Theme density and keys change before ones eyes.
        await seat.begin_anew()
        await opened(seat, "ui.theme")
        await seat.pilot.press("enter")
        await seat.type_into_list("paper")
        await seat.until(lambda: seat.app.theme == "paper", "the theme")
        await seat.sees('ui.theme = "paper"')
        await seat.pilot.press("escape")
        await type_(seat, "density")
        await seat.pilot.press("enter")
        await seat.type_into_list("compact")
        await seat.sees('ui.density = "compact"')
        assert seat.app.screen_stack[0].has_class("compact")
        await seat.pilot.press("escape")
        await type_(seat, "add keymap")
        await seat.pilot.press("enter")
        await seat.sees("add ui.keymap.ACTION")
        await type_(seat, "settings.open")
        await seat.pilot.press("enter")
        await type_(seat, "f11")
        await seat.pilot.press("enter")
        await seat.sees('ui.keymap."settings.open" = "f11"')
        await seat.pilot.press("escape", "escape")
        await seat.sees_no("[ui.keymap]")
        await seat.pilot.press("f11")
        await seat.sees("[router]")


async def test_a_cap_holds_from_the_next_turn_on(own_home: Path, file: Path) -> None:
    async with console(own_home) as seat:
        await opened(seat, "budgets.session_usd")
        await seat.pilot.press("enter")
        await seat.pilot.press(*["backspace"] * len("1.00"))
        await type_(seat, "0")
        await seat.pilot.press("enter")
        await seat.sees("budgets.session_usd = 0.00 from now on")
        assert seat.app.runtime is not None
        assert seat.app.runtime.router.budgets.session == Money(0)
        await seat.pilot.press("escape", "escape")
        await seat.send("hello")
        await seat.sees("the session's cap")


def test_of_a_cap_taken_away_in_the_demo_the_demo_s_own_is_told() -> None:
    settings = preferences.in_demo(Settings())
    assert preferences.holding(settings, "budgets.daily_usd") == "2.00, the demo's own,"
    assert preferences.holding(settings, "budgets.per_request_usd") == "(no cap)"


NO_CAPS = (
    ("/cap week 3", "say request, session, day or month, and US dollars or none, as day 2.50"),
    ("/cap day", "say request, session, day or month, and US dollars or none, as day 2.50"),
    ("/cap day five", "budgets.daily_usd: 'five' is not an amount; give US dollars"),
    ("/cap day -1", "budgets.daily_usd: -1 is below zero; give US dollars, such as 5.00"),
    ("/budget day 2", "no command is called /budget; did you mean /cap?"),
)


async def test_a_cap_is_set_by_a_command_or_refused_and_holds_from_the_next_turn_on(own_home: Path, file: Path) -> None:
    async with console(own_home) as seat:
        # A cap that is none is refused in one sentence.
        for said, answer in NO_CAPS:
            await seat.send(said)
            await seat.sees(answer)
            assert "daily_usd" not in text_of(file)
            await seat.pilot.press("backspace")
            await seat.sees_no(answer)
            seat.app.composer.prompt.text = ""

        # A cap is set by a command.
        await seat.begin_anew()
        await seat.send("/cap day $3.5")
        await seat.sees("budgets.daily_usd = 3.5", "$3.50 left")
        assert "daily_usd = 3.5" in text_of(file)
        await seat.send("/cap day none")
        await seat.sees("budgets.daily_usd is out of")
        assert "daily_usd" not in text_of(file)
        await seat.send("/cap session 0")
        await seat.sees("budgets.session_usd = 0")
        await seat.send("hello")
        await seat.sees("the session's cap")


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_the_palette_asks_which_cap_and_how_much(own_home: Path, file: Path, size: tuple[int, int]) -> None:
    async with console(own_home, size=size) as seat:
        await seat.pilot.press("ctrl+p")
        await seat.write("set a cap")
        await seat.sees("budget: set a cap", "c in Costs")
        await seat.pilot.press("enter")
        await seat.sees("╭─ Set a cap", "US dollars, or none")
        await seat.pilot.press("ctrl+u", *"week", "enter")
        await seat.sees("✗ say request, session, day or month")
        await seat.pilot.press("ctrl+u", *"month", "space", *"3.5", "enter")
        await seat.sees("budgets.monthly_usd = 3.5")
        assert "monthly_usd = 3.5" in text_of(file)
        await seat.pilot.press("f4", "c")
        await seat.sees("╭─ Set a cap", "day 2")
        await seat.pilot.press("4", "enter")
        await seat.sees("budgets.daily_usd = 4")
        await seat.pilot.press("c")
        await seat.sees("╭─ Set a cap", "day 4")
        await seat.pilot.press("right", *".5", "enter")
        await seat.sees("budgets.daily_usd = 4.5")


async def test_a_broken_file_is_shown_with_its_problem_and_stays(own_home: Path, file: Path) -> None:
    async with console(own_home) as seat:
        put(file, "[router\n")
        await opened(seat)
        await seat.sees(f"✗ {file}:1: this is not TOML", "These are the settings of the start")
        await type_(seat, "prefer_local")
        await seat.pilot.press("enter")
        await seat.until(lambda: seat.screen.count("this is not TOML") == 2, "why it is not written")
        assert text_of(file) == "[router\n"
        put(file, "[router]\nprefer_local = true\n")
        await seat.pilot.press("f8")
        await seat.sees("config.toml:2")
        await seat.sees_no("this is not TOML")


async def test_a_secret_is_masked_and_its_field_begins_empty(own_home: Path, file: Path) -> None:
    put(file, '[shared]\nurl = "redis://:hunter2-hunter2@host:6379/0"\n')
    async with console(own_home) as seat:
        await opened(seat, "shared.url")
        await seat.sees("shared", "red…", "config.toml:2")
        await seat.pilot.press("enter")
        await seat.sees("What is there is not shown.")
        assert "hunter2" not in seat.screen


async def test_what_was_changed_by_hand_in_the_editor_holds_at_once(
    own_home: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(own_home) as seat:
        app = seat.app
        assert app.runtime is not None
        await opened(seat, "max_attempts")
        monkeypatch.setattr(app, "suspend", contextlib.nullcontext)
        monkeypatch.setenv("EDITOR", "sed -i 's/quality/cheapest/; $a max_attempts = 7'")
        monkeypatch.delenv("VISUAL", raising=False)
        await seat.pilot.press("ctrl+o")
        await seat.sees("max_attempts", "config.toml:4")
        assert (app.runtime.router.policy.max_attempts, app.settings.policy.strategy) == (7, Strategy.CHEAPEST)


async def test_a_command_opens_the_settings_searched_and_a_typed_value_takes_the_old_ones_place(
    own_home: Path, file: Path
) -> None:
    async with console(own_home, size=(80, 24)) as seat:
        # A slash command opens them searched for words.
        await seat.send("/settings first_token")
        await seat.sees("first_token", "60.0", "[router.timeouts]", "From sending until the first token.")
        await seat.sees_no("[budgets]")

        # A command shows the caps.
        await seat.begin_anew()
        await seat.send("/cap")
        await seat.sees("[budgets]", "per_request_usd", "session_usd", "daily_usd", "monthly_usd")

        # What is typed takes the place of the old value and an arrow goes into it.
        await seat.begin_anew()
        await opened(seat, "router.quality_threshold")
        await seat.pilot.press("enter")
        await seat.sees("Enter writes it")
        await seat.pilot.press("0", "full_stop", "6")
        await seat.sees("│ 0.6 ")
        await seat.pilot.press("enter")
        await seat.sees("router.quality_threshold = 0.6 from now on")
        await seat.pilot.press("enter")
        await seat.sees("Enter writes it")
        await seat.pilot.press("right", "5", "enter")
        await seat.sees("router.quality_threshold = 0.65 from now on")


@pytest.mark.parametrize(
    ("name", "width", "seen"),
    [
        ("law", 30, "[rules.law]  A rule that choo…"),
        ("law", 20, "[rules.law]"),
        ("r" + "x" * 40, 30, "[rules.rxxxxxxxxxxxxxxxxxxxxx…"),
        ("模" * 20, 30, '[rules."模模模模模模模模模模 …'),
    ],
)
def test_a_heading_that_is_too_long_says_that_it_is_cut(name: str, width: int, seen: str) -> None:
    section = Section(("rules", name), "A rule that chooses before the strategy does. It has words.", ())
    head = heading(section, width, first=True)
    assert (head.plain, cell_len(seen) <= width) == (seen, True)


OWN = """\
# mine
[router]
strategy = "quality"
[budgets]
daily_usd = 3
[rules.legal]
words = ["contract"]
strategy = "quality"
[shared]
url = "redis://:hunter2-hunter2@host:6379/0"
"""


@pytest.mark.cells(1, 2)
@pytest.mark.parametrize(
    ("size", "searched"), [((160, 48), ""), ((80, 24), ""), ((160, 48), "daily_usd"), ((80, 24), "redis")]
)
def test_what_the_settings_look_like(snap_compare: Any, size: tuple[int, int], searched: str) -> None:
    file = Path("/home/ada/.config/tui-orchestrator/config.toml")
    settings = load(
        file, instead=OWN, environ={"TUI_ORCHESTRATOR_HOME": "/nowhere", "DAILY_BUDGET_USD": "9"}, cwd=Path("/nowhere")
    )
    own = Reading()
    own.content(file, OWN.encode())
    known = Preferences(file, tuple(sections(settings, own.found, file)))

    async def change(key: str, text: str | None) -> Done:
        return Done(f"{key} = {text}")

    async def show(pilot: Pilot[Any]) -> None:
        pilot.app.push_screen(SettingsScreen(Hands(lambda: known, change, lambda what: (), lambda: None), searched))
        await pilot.pause()
        search = pilot.app.screen.query_one(Input)
        search.cursor_blink = False
        while not pilot.app.screen.query_one(OptionList).option_count:
            await pilot.pause()

    assert snap_compare(Still(UiSettings()), terminal_size=size, run_before=show)
