"""A person types, and looks."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from pathlib import Path

from textual.events import Key

from tests.ui.conftest import Console, console
from tests.wire.dialects import DONE, data, delta
from tests.wire.server import WireServer, head
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.events import AttemptFailed, AttemptStarted
from tui_orchestrator.routing.money import Money

PROMPT = "What is the capital of France?"
STALLING = Break("silence", Phase.MID_STREAM, Say(text="word " * 100))
"""Says half of it, then nothing more until someone hangs up."""
GOOD = "The capital of France is **Paris**, on the Seine."


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path / "store.db") as connection:
        return connection.execute(query).fetchall()


async def test_a_prompt_is_answered_with_its_model_its_cost_and_its_confidence(tmp_path: Path) -> None:
    script = Script().always(Say(text=GOOD))
    async with console(tmp_path, script=script, size=(160, 72)) as seat:
        await seat.send(PROMPT)
        await seat.ended()
        await seat.sees(PROMPT, "The capital of France is Paris", "confidence 0.", "Last attempts")
        answered = rows(tmp_path, "SELECT model, cost FROM attempts")
        assert len(answered) == 1
        model, cost = answered[0]
        name = str(model).partition("/")[2]
        await seat.line("confidence", "↑", name, str(Money(int(str(cost)))))


async def test_a_prompt_goes_where_the_line_above_it_says_and_the_card_stands_first(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        # The line above the prompt says where it would go before it is sent.
        await seat.type(PROMPT)
        await seat.sees("→ ", "difficulty ", "tok in", "if sent now", "Candidates")
        assert rows(tmp_path, "SELECT COUNT(*) FROM attempts") == [(0,)]

        # The card stands before the first model is asked.
        await seat.begin_anew()
        seen: list[str] = []

        def look(event: object) -> None:
            if isinstance(event, AttemptStarted):
                decided = seat.app.decision.decision
                seen.append(decided.model or "" if decided else "")

        seat.app.events.subscribe(seat.app, look)
        await seat.send(PROMPT)
        await seat.ended()
        chosen = seat.app.decision.decision
        assert chosen is not None
        assert seen == [chosen.model]
        await seat.sees("chosen · balanced")


async def test_while_an_answer_runs_another_prompt_waits_and_esc_or_ctrl_c_ends_it(tmp_path: Path) -> None:
    script = Script().always(STALLING)
    async with console(tmp_path, script=script) as seat:
        # Esc cancels keeps what came and it is paid for.
        await seat.send(PROMPT)
        await seat.sees("word word", "Esc cancels")
        assert "new session" not in seat.screen.splitlines()[0]
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.sees("word word", "Cancelled. What had arrived is kept; /continue goes on where it stopped.")
        await seat.sees_no("Esc cancels")
        outcomes = rows(tmp_path, "SELECT outcome, cost > 0 FROM attempts")
        assert outcomes == [("cancelled", 1)]
        assert seat.app.focused is seat.app.composer.prompt

        # A second prompt waits its turn and is not lost.
        await seat.begin_anew()
        await seat.send(PROMPT)
        await seat.sees("word word")
        await seat.send("and another thing")
        await seat.sees("an answer is still running", "and another thing")
        await seat.pilot.press("escape")
        await seat.ended()
        assert seat.app.composer.prompt.text == "and another thing"
        # What kept it from being sent is over: the line says again where it would go.
        await seat.sees_no("an answer is still running")
        await seat.line("difficulty ", "tok in", "→ ", "$")

        # Ctrl c cancels first and leaves when pressed twice.
        await seat.begin_anew()
        await seat.send(PROMPT)
        await seat.sees("word word")
        await seat.pilot.press("ctrl+c")
        await seat.ended()
        assert not seat.app._exit
        await seat.pilot.press("ctrl+c")
        await seat.sees("Press Ctrl+C again")
        await seat.pilot.press("ctrl+c")
        await seat.until(lambda: seat.app._exit, "the end")


async def test_leaving_in_mid_answer_books_it_and_keeps_the_draft(tmp_path: Path) -> None:
    script = Script().always(STALLING)
    async with console(tmp_path, script=script) as seat:
        await seat.send(PROMPT)
        await seat.sees("word word")
        await seat.type("a thought not sent")
        await seat.pilot.press("ctrl+q")
        await seat.until(lambda: seat.app._exit, "the end")
        assert seat.app.return_code == 0
    assert rows(tmp_path, "SELECT outcome FROM attempts") == [("cancelled",)]
    assert rows(tmp_path, "SELECT COUNT(*) FROM reserved") == [(0,)]
    async with console(tmp_path, size=(40, 10)) as seat:
        await seat.sees("A draft is left in")
        await seat.sees_no("↓ new")
    async with console(tmp_path) as seat:
        await seat.sees("A draft is left in", "↑ brings it here")
        await seat.pilot.press("up")
        assert seat.app.composer.prompt.text == "a thought not sent"


async def test_ctrl_c_pressed_on_and_on_leaves_however_long_the_turn_takes_to_end(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(STALLING)) as seat:
        await seat.send(PROMPT)
        await seat.sees("word word")
        for _ in range(3):
            seat.app.post_message(Key("ctrl+c", None))
        await seat.until(lambda: seat.app._exit, "the end")


async def test_a_failure_is_walked_past_in_place(tmp_path: Path) -> None:
    script = Script().then(Break("close", Phase.MID_STREAM, Say(text="A beginning that breaks off. " * 8)))
    script.always(Say(text=GOOD))
    async with console(tmp_path, script=script) as seat:
        await seat.send(PROMPT)
        await seat.ended()
        await seat.sees("discarded", "on the Seine")
        walked = re.compile("✗ stream broken.* → .*✓")
        await seat.until(lambda: walked.search(seat.screen), "who failed, and who answered, in one line")
        assert [outcome for (outcome,) in rows(tmp_path, "SELECT outcome FROM attempts ORDER BY number")] == [
            "failed",
            "finished",
        ]


async def test_an_escalation_shows_what_was_not_good_enough(tmp_path: Path) -> None:
    hedging = "I'm not sure, but I think it might possibly be this. I could be wrong. Perhaps. I don't know really."
    script = Script().then(Say(text=hedging)).always(Say(text=GOOD))
    async with console(tmp_path, script=script) as seat:
        await seat.send("/strategy fallback")
        await seat.send(PROMPT)
        await seat.ended()
        await seat.sees("~ 0.", "< 0.60", "→", "discarded", "on the Seine")


async def test_a_second_opinion_stands_in_the_trail_and_folded_under_the_answer(tmp_path: Path) -> None:
    other = Say(text="The answer is 52.\n\nI counted on my fingers.")
    script = Script().always(Say(text="17 times 3 is 51.")).always(other, "rush-pro")
    async with console(tmp_path, script=script) as seat:
        await seat.send("/chain lumen-dash,rush-pro")
        await seat.send("/check second-answer")
        await seat.send("What is 17 times 3?")
        await seat.ended()
        await seat.sees(
            "lumen-dash ~ 0.", " · second opinion rush-pro disagrees → 0.", "▸ second opinion disagrees: 0."
        )
        await seat.sees("2 rush-pro (second opinion)", "the turn")
        await seat.sees_no("fingers")
        answer = seat.app.chat.text_at_hand()
        assert answer is not None
        assert answer.source == "17 times 3 is 51."
        await seat.pilot.press("ctrl+n")
        await seat.sees_no("17 times 3 is 51.")
        await seat.pilot.press("ctrl+l")
        await seat.sees("Sessions", "2 messages")
        await seat.pilot.press("down", "enter")
        await seat.sees("▸ second opinion disagrees: 0.", "(rush-pro)", "17 times 3 is 51.")
        await seat.sees_no("fingers")


async def test_when_every_model_fails_it_says_what_happened_and_what_to_do(tmp_path: Path) -> None:
    script = Script().always(Reply(401))
    async with console(tmp_path, script=script) as seat:
        await seat.send(PROMPT)
        await seat.ended()
        await seat.sees("401", "Check the key", "Spent: $0.")


async def test_a_cap_says_no_before_anything_is_called(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await seat.send("/model rush-pro")
        await seat.send("/cost 0.0000001")
        await seat.send(PROMPT)
        await seat.sees("has too little left")
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.sees("Raise the cap")
        assert rows(tmp_path, "SELECT COUNT(*) FROM attempts") == [(0,)]


async def test_a_budgets_bar_moves_with_the_attempt(tmp_path: Path) -> None:
    script = Script().always(Say(text="word " * 200))
    budgets = Budgets(daily=Money.from_usd("0.02"))
    async with console(tmp_path, script=script, budgets=budgets) as seat:
        await seat.sees("✓ day", "$0.020 left")
        await seat.send("/model rush-pro")
        await seat.send("Say words")
        await seat.ended()
        await seat.sees_no("$0.020 left")
        await seat.line("█", "·····", without="▒")


def of_three() -> Script:
    script = Script()
    for number in range(3):
        script.then(Say(text=f"Member {number}: Paris is the capital of France, on the Seine."))
    return script


async def ask_three(seat: Console) -> None:
    await seat.send("/ensemble 3")
    await seat.send(PROMPT)
    await seat.ended()


async def test_an_ensemble_stands_side_by_side_and_ends_in_a_verdict(tmp_path: Path) -> None:
    async with console(tmp_path, script=of_three()) as seat:
        await ask_three(seat)
        assert len(seat.app.chat.columns.members) == 3
        await seat.sees("★", "Member 0", "Member 1", "Member 2", "3 models at once")
        await seat.pilot.press("escape")
        await seat.until(lambda: not seat.app.chat.columns.display, "the columns gone")
        await seat.pilot.press("f7")
        await seat.until(lambda: seat.app.chat.columns.display, "the columns back")


async def test_on_a_low_terminal_an_ensemble_ends_in_the_transcript_and_f7_shows_the_members(tmp_path: Path) -> None:
    async with console(tmp_path, size=(40, 10), script=of_three()) as seat:
        await ask_three(seat)
        await seat.sees("Paris is the capital of", "on the Seine.")
        await seat.sees_no(" │")
        await seat.pilot.press("f7")
        await seat.sees("★", "│", "tok/s", "Paris is the capital")
        await seat.pilot.press("f7")
        await seat.sees_no(" │")


async def test_a_verdict_at_eighty_columns_names_every_model_whole(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24), script=of_three()) as seat:
        await ask_three(seat)
        await seat.sees("total", "cons.")
        for (model,) in rows(tmp_path, "SELECT model FROM attempts"):
            name = str(model).partition("/")[2]
            told = re.compile(rf"^[ │123]*{re.escape(name)} .*0\.", re.MULTILINE)
            await seat.until(lambda told=told: told.search(seat.screen), f"{name} with its figures")


async def test_what_a_model_says_runs_no_action_and_crashes_nothing(tmp_path: Path) -> None:
    hostile = "[@click=app.quit]click[/] [/x] [b]not bold[/b] \x1b]52;c;aGk=\x07 [link=http://x/[y]]z"
    script = Script().always(Say(text=hostile))
    async with console(tmp_path, script=script) as seat:
        await seat.send("[/x] [@click=app.quit]prompt[/] " + PROMPT)
        await seat.ended()
        await seat.sees("[@click=app.quit]click[/]", "[@click=app.quit]prompt[/]")
        assert "\x1b]52" not in seat.screen
        await seat.pilot.press("ctrl+l")
        await seat.sees("Sessions", "[/x] [@click=app.quit]prompt[/]")
        await seat.pilot.press("escape")
        await seat.send("/model [/x]")
        await seat.sees("no model is called '[/x]'")


async def test_while_an_answer_runs_a_refusal_says_what_to_do_and_what_is_typed_stays(tmp_path: Path) -> None:
    script = Script().always(STALLING)
    async with console(tmp_path, script=script, size=(80, 24)) as seat:
        await seat.send(PROMPT)
        await seat.sees("word word")
        await seat.type("and another thing")
        await seat.pilot.press("enter")
        await seat.sees("an answer is still running: Esc cancels it, or wait; what you type stays")
        assert "and another thing" in seat.written
        await seat.pilot.press("escape")
        await seat.ended()
        assert "and another thing" in seat.written


async def test_a_session_is_opened_again_with_what_was_said_and_what_it_cost(tmp_path: Path) -> None:
    script = Script().always(Say(text=GOOD))
    async with console(tmp_path, script=script) as seat:
        await seat.send(PROMPT)
        await seat.ended()
        await seat.pilot.press("ctrl+n")
        await seat.sees_no("on the Seine")
        await seat.sees("new session")
        await seat.pilot.press("ctrl+l")
        await seat.sees("Sessions", PROMPT, "2 messages")
        await seat.pilot.press("down", "enter")
        await seat.sees("on the Seine", "confidence 0.", "↑")
        await seat.sees("chosen · balanced", "Candidates")


async def test_what_the_store_could_not_keep_of_a_failed_turn_is_said(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Reply(404))) as seat:
        runtime = seat.app.runtime
        assert runtime is not None

        def hear(event: object) -> None:
            if isinstance(event, AttemptFailed):
                runtime.database.post(lambda connection: connection.execute("PRAGMA query_only = ON"))

        runtime.router.listeners.append(hear)
        await seat.send("/model rush-pro")
        await seat.send(PROMPT)
        await seat.ended()
        # However the path of the store lets the line be wrapped.
        entries = seat.app.chat.transcript.entries
        said = ("could not be stored: ", "cannot be written; make the file and its directory writable")
        await seat.until(lambda: any(all(part in entry.source for part in said) for entry in entries), str(said))
        await seat.sees("could not be stored:")


async def test_a_model_that_asks_for_a_tool_is_said_to(tmp_path: Path) -> None:
    called = delta(tool_calls=[{"index": 0, "function": {"name": "r\x1bm", "arguments": "{}"}}])
    async with console(tmp_path) as seat, WireServer(head(), data(called, delta("tool_calls")) + DONE) as server:
        catalogue = seat.app.runtime.catalogue
        local = next(model.provider for model in seat.app.runtime.router.registry if model.name == "pebble-3b")
        known = catalogue.settings.providers
        moved = replace(known[local], base_url=f"{server.url}/v1")
        catalogue.adopt(replace(catalogue.settings, providers={**known, local: moved}))
        await seat.send("/model pebble-3b")
        await seat.send("What time is it?")
        await seat.ended()
        await seat.sees("the model asked for the tool rm and gave no text; none was offered")
