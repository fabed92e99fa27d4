"""What stays after a choice, and what goes away when somebody goes on."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.ui.conftest import Console, console, told
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.settings import UiSettings

SCRIPT = Script().always(Say(text="Paris."))
SMALL = (80, 24)


async def test_a_theme_that_was_chosen_is_kept_for_the_next_start_which_is_said(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        await seat.pilot.press("f9")
        await seat.sees("Theme")
        await seat.type_into_list("paper")
        await seat.sees("ui.theme =", "written to")
        assert seat.app.theme == "paper"
    file = tmp_path / "home" / "config" / "config.toml"
    assert tomllib.loads(file.read_text())["ui"]["theme"] == "paper"


async def test_a_theme_that_cannot_be_kept_holds_until_the_end_which_is_said(tmp_path: Path) -> None:
    file = tmp_path / "home" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[ui\n")
    async with console(tmp_path, script=SCRIPT) as seat:
        await seat.send("/theme paper")
        await seat.sees("paper holds until you quit")
        assert seat.app.theme == "paper"
    assert file.read_text() == "[ui\n"


async def test_a_rebound_key_is_named_in_the_welcome_the_card_the_field_and_the_help(tmp_path: Path) -> None:
    keys = {"strategy.pick": "ctrl+b", "app.help": "f11", "models.refresh": "alt+8", "answer.copy": "alt+9"}
    async with console(tmp_path, script=SCRIPT, ui=UiSettings(keymap=keys)) as seat:
        await seat.sees("Ctrl+B chooses how models are picked", "Ctrl+B changes the strategy", "F11 help")
        assert "Ctrl+S" not in seat.screen
        assert "F1 " not in seat.screen
        await seat.pilot.press("f2", "f11")
        await seat.sees("Alt+9 copies the marked answer")


async def test_a_jump_offers_every_pane_in_a_small_terminal_and_opens_it(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, size=SMALL) as seat:
        for letter, there in (("d", "Nothing decided yet"), ("o", "Budgets"), ("m", "lumen-dash")):
            await seat.pilot.press("ctrl+o")
            await seat.sees("p prompt", "c chat", "d decision", "o costs", "m models")
            await seat.pilot.press(letter)
            await seat.sees(there)
            await seat.pilot.press("ctrl+o")
            await seat.sees("c chat", "p prompt")
            await seat.pilot.press("c")
            await seat.sees("Where to?")


async def test_what_went_wrong_goes_away_when_somebody_goes_on(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        for then in ("f3", "f5", "ctrl+o"):
            await seat.begin_anew()
            await seat.send("/export")
            await seat.sees("✗ there is nothing to export yet")
            await seat.pilot.press(then)
            await seat.sees_no("there is nothing to export yet")


async def test_the_seconds_of_an_answer_are_the_same_when_its_session_is_opened_again(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="Paris."))) as seat:
        await seat.send("/check judge")
        await seat.send("What is the capital of France?")
        await seat.ended()
        line = lambda: next((row for row in seat.screen.splitlines() if " · $" in row and "↑" in row), "")  # noqa: E731
        await seat.until(line, "the line under the answer")
        took = next(part for part in line().split(" · ") if part.endswith(" s"))
        assert seat.app.talk is not None
        session = seat.app.talk.id
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        await seat.app._open_id(session)
        await seat.until(lambda: took in line(), f"{took} once more")


async def test_after_an_ensemble_a_new_session_is_empty_and_what_took_its_place_is_said_when_it_is_opened_again(
    tmp_path: Path,
) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        # A new session shows nothing of the ensemble before.
        await seat.send("/ensemble 3")
        await seat.send("What is the capital of France?")
        await seat.ended()
        await seat.sees("is the answer")
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        assert "is the answer" not in seat.screen
        assert "tok/s" not in seat.screen

        # An answer that one from all took the place of is said to be so.
        await seat.begin_anew()
        await seat.send("/ensemble 3")
        await seat.send("What is the capital of France?")
        await seat.ended()
        await seat.sees("is the answer")
        await seat.send("/merge rush-pro")
        await seat.sees("superseded answer of", ": one answer was written from all")
        await seat.ended()
        await reopened(seat, until=": one answer was written from all")
        await seat.sees_no("you asked again")

        # An answer gone on with keeps the cost of its turn and the scores.
        await seat.begin_anew()
        await seat.send("/ensemble 3")
        await seat.send("What is the capital of France?")
        await seat.ended()
        await seat.sees("is the answer")
        await seat.pilot.press("f2", "c")
        await seat.until(lambda: not seat.app.chat.columns.display, "the conversation alone")
        await seat.sees("the turn")
        trail = await seat.line("★ ", "✓ ", without="▲")
        await reopened(seat, until="the turn")
        await seat.sees(trail.split("│")[1].strip(" ┃"))


async def test_a_cancelled_attempt_is_no_failed_one_in_the_decision_pane(tmp_path: Path) -> None:
    script = Script().always(Say(text="A long answer. " * 400))
    async with console(tmp_path, script=script, pace=1) as seat:
        await seat.send("/model lumen-dash")
        await seat.send("Tell me all about it")
        await seat.sees("A long answer")
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.sees("■ 1 lumen-dash")
        assert "✗ 1 lumen-dash" not in seat.screen


async def reopened(seat: Console, *, until: str) -> list[str]:
    """What stands in the conversation once its session is opened again, and `until` with it."""
    assert seat.app.talk is not None
    session = seat.app.talk.id
    await seat.pilot.press("ctrl+n")
    await seat.sees("Where to?")
    await seat.app._open_id(session)
    await seat.sees(until)
    return told(seat)


async def test_an_escalation_reads_the_same_when_its_session_is_opened_again(tmp_path: Path) -> None:
    hedging = "I'm not sure, but I think it might possibly be this. I could be wrong. Perhaps. I don't know really."
    script = Script().always(Say(text=hedging), "tern-lite").always(Say(text="Paris, on the Seine."), "rush-pro")
    async with console(tmp_path, script=script) as seat:
        await seat.send("/chain tern-lite, rush-pro")
        await seat.send("What is the capital of France?")
        await seat.ended()
        await seat.sees("the turn", "▸ discarded", "< 0.60 → rush-pro ✓")
        before = told(seat)
        assert await reopened(seat, until="the turn") == before
