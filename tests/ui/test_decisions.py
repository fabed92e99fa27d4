"""Earlier decisions in the console: one after the other, all of them searched, and what if they had been otherwise."""

from __future__ import annotations

import re
from pathlib import Path

from tests.ui.conftest import Console, console
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.request import Strategy

PRIMES, LISTS = "Prove that there are infinitely many primes", "Write a Python function that merges two sorted lists"
CALM = Policy(strategy=Strategy.CHEAPEST, exploration=0.0)


async def asked(seat: Console, *prompts: str) -> None:
    for prompt in prompts:
        await seat.send(prompt)
        await seat.ended()


async def rows(path: Path, seat: Console, query: str) -> list[tuple[object, ...]]:
    assert seat.app.runtime is not None
    return await seat.app.runtime.database.read(lambda c: list(c.execute(query)))


async def test_the_decisions_of_a_session_are_gone_through_by_keys_and_by_the_mouse(tmp_path: Path) -> None:
    async with console(tmp_path, policy=CALM) as seat:
        # The arrows the list and the what if can be clicked.
        await asked(seat, "hello", PRIMES)
        await seat.sees("‹ 2 of 2 ›")
        await seat.pilot.click("#decision-strip", offset=(0, 0))
        await seat.sees("‹ 1 of 2 ›")
        await seat.pilot.click("#decision-strip", offset=(9, 0))
        await seat.sees("‹ 2 of 2 ›")
        width = seat.app.decision.scrollable_content_region.width - 1
        await seat.pilot.click("#decision-strip", offset=(width - 2, 0))
        await seat.sees("╭─ What if", "Decide again")
        await seat.pilot.press("escape")
        await seat.pilot.click("#decision-strip", offset=(width - 12, 0))
        await seat.sees("╭─ Decisions", "2 in all")
        # The second row, once the list is laid out.
        await seat.until(lambda: seat.app.screen.query_one("#rows").region.height > 2)
        await seat.pilot.click("#rows", offset=(30, 1))
        await seat.sees("‹ 1 of 2 ›", "· hello")

        # A new turn comes to the front of one that was looked up.
        seat.app.composer.prompt.focus()
        await asked(seat, LISTS)
        await seat.sees("‹ 3 of 3 ›")
        await seat.sees_no("· hello")

        # Left and right go through the decisions of this session.
        await seat.pilot.press("f3", "left")
        await seat.sees("‹ 2 of 3 ›", f"· {PRIMES}")
        # Faster than they are read: each goes on from where the one before came to.
        await seat.pilot.press("right", "left", "left")
        await seat.sees("‹ 1 of 3 ›", "· hello")
        await seat.pilot.press("left")
        await seat.sees("That is the session's first decision")
        await seat.pilot.press("right", "right")
        await seat.sees("‹ 3 of 3 ›")

        # The decision about a draft comes after the last one.
        await seat.begin_anew()
        await asked(seat, "hello", PRIMES)
        await seat.type(LISTS)
        await seat.sees("‹ the draft's")
        await seat.pilot.press("f3", "left")
        await seat.sees("‹ 2 of 2 ›")
        await seat.pilot.press("left")
        await seat.sees("‹ 1 of 2 ›")
        await seat.pilot.press("right", "right")
        seat.app.composer.prompt.text = ""
        await seat.sees("‹ 2 of 2 ›")

        # What if tells whose pick changes and the difference in dollars.
        await seat.pilot.press("space")
        await seat.sees("1 decision, as it was.", "Threshold     as it was (0.80)")
        await seat.pilot.press("up", "right")
        await seat.sees("this session: 2 decisions", "2 decisions, as they were.")
        await seat.pilot.press("down", "enter")
        await seat.sees("╭─ Strategy")
        await seat.type_into_list("quality")
        await seat.sees("Strategy      quality", "2 of 2 picks would change", "▲ $", " more")
        await seat.sees("Who goes where", "→ tern-max", "Turns that change", "hello", "~$")
        await seat.sees("Nothing was called.", "is not claimed.")

        # A threshold and prices are supposed.
        await seat.begin_anew()
        await asked(seat, PRIMES)
        assert seat.app.runtime is not None
        await seat.send("/whatif quality")
        await seat.sees("Strategy      quality")
        before = await seat.line("would be")
        await seat.pilot.press("down", "left")
        await seat.sees("Threshold     0.75")
        await seat.pilot.press("down", "enter")
        await seat.sees("╭─ Prices")
        await seat.pilot.press(*"opnai", "equals_sign", "2", "enter")
        await seat.sees("✗ the prices name opnai, and no model of these turns is called so")
        await seat.pilot.press("ctrl+u", *"demo", "minus", *"anthropic", "equals_sign", "0", "enter")
        await seat.sees("Prices        demo-anthropic=0")
        await seat.sees_no(before.strip(" │"))
        await seat.sees("▼ $")


async def test_the_list_tells_what_was_to_cost_and_did_and_what_became_of_it(tmp_path: Path) -> None:
    async with console(tmp_path, policy=CALM) as seat:
        await asked(seat, PRIMES)
        ((estimated, cost, p),) = await rows(
            tmp_path,
            seat,
            "SELECT estimated_cost, cost, (SELECT json_extract(value, '$.success_probability') FROM "
            "json_each(decision, '$.candidates') WHERE json_extract(value, '$.model') = model) FROM decisions",
        )
        assert isinstance(estimated, int)
        assert isinstance(cost, int)
        await seat.pilot.press("f3", "enter")
        await seat.sees("when", "prompt", "strategy", "cost, estimated → real")

        expected = f"~{Money(estimated)}" if estimated else "$0"
        await seat.line(PRIMES, "✓ answered", f"{p:.2f}", f"{expected} → {Money(cost)}")


async def test_all_decisions_are_searched_and_one_of_an_older_session_shows_its_card(tmp_path: Path) -> None:
    async with console(tmp_path, policy=CALM, size=(100, 30)) as seat:
        await asked(seat, "hello", PRIMES)
        await seat.pilot.press("ctrl+n")
        await seat.until(lambda: not seat.app.talk.stored_already if seat.app.talk else False)
        await asked(seat, LISTS)
        await seat.type("/decisions infinitely")
        await seat.pilot.press("enter")
        await seat.sees("╭─ Decisions", "1 of 3", PRIMES)
        assert seat.screen.count("· cheapest · p ") == 1
        await seat.pilot.press("enter")
        await seat.sees("‹ 2 of 2 ›", f"· {PRIMES}"[:25])


async def test_tab_keeps_to_this_session(tmp_path: Path) -> None:
    async with console(tmp_path, policy=CALM, size=(80, 24)) as seat:
        await asked(seat, "hello")
        await seat.pilot.press("ctrl+n")
        await seat.until(lambda: not seat.app.talk.stored_already if seat.app.talk else False)
        await asked(seat, LISTS)
        await seat.pilot.press("f3", "enter")
        await seat.sees("2 in all", "hello", "merges two")
        await seat.pilot.press("tab")
        await seat.sees("1 in all", "merges two")
        await seat.sees_no("hello")
        await seat.pilot.press("tab")
        await seat.sees("2 in all", "hello")


async def test_a_temporary_chat_leaves_no_decision_in_the_list(tmp_path: Path) -> None:
    async with console(tmp_path, policy=CALM) as seat:
        await seat.pilot.press("alt+t")
        await seat.sees("temporary")
        await asked(seat, "A secret plan")
        await seat.pilot.press("f3", "left")
        await seat.sees("Nothing of a temporary chat is kept")
        await seat.pilot.press("enter")
        await seat.sees("Nothing was decided yet.")
        await seat.pilot.press("escape", "space")
        await seat.sees("Decide again", "the decision on the card")
        await seat.pilot.press("right")
        await seat.sees("1 picks would change")


async def test_nothing_there_is_said_as_such(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await seat.pilot.press("f3", "left")
        await seat.sees("Nothing was decided in this session yet")
        await seat.pilot.press("enter")
        await seat.sees("Nothing was decided yet. Every turn's decision is kept here")
        await seat.pilot.press("escape", "space")
        await seat.sees("No decision is kept there")
        await seat.pilot.press("escape")
        seat.app.composer.prompt.focus()
        await seat.send("/whatif nonsense")
        await seat.sees("/whatif takes a strategy")


async def test_a_file_of_prompts_is_decided_as_now_and_as_supposed(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"prompt": "hello"}\n{"prompt": "Prove it"}\n')
    async with console(tmp_path, policy=CALM, size=(100, 30)) as seat:
        await seat.send("/whatif quality")
        await seat.pilot.press("up", "enter")
        await seat.type_into_list("file")
        await seat.sees("╭─ A file of prompts")
        await seat.pilot.press(*"gone", "enter")
        await seat.sees("✗ gone cannot be read: No such file or directory")
        await seat.pilot.press("ctrl+u", "p", "full_stop", *"jsonl", "enter")
        await seat.sees("the prompts of p.jsonl: 2 decisions", "1 of 2 picks would change", "All at the estimate.")


async def test_the_pane_tells_all_that_was_weighed_without_a_call(tmp_path: Path) -> None:
    async with console(tmp_path, size=(160, 90)) as seat:
        assert seat.app.runtime is not None
        seat.app.runtime.set_enabled("demo-anthropic/tern-max", False)
        await seat.type(PRIMES)
        await seat.pilot.press("f3", "f6")
        await seat.sees("Task ─", "math", "Difficulty ─", "harder 0.", "Candidates 6/7", "to the next")
        await seat.sees("Other strategies ─", "cheapest", "performance", "✗ tern-max", "switched off in the console")
        figures = re.compile(r" 0\.\d\d +(\$[\d.]+|free|\$0) +[\d.]+ s")
        weighed = [line for line in seat.screen.splitlines() if figures.search(line)]
        for name in ("pebble-3b", "rush-mini", "rush-pro", "tern-lite", "lumen-dash", "lumen-deep"):
            assert any(name in line for line in weighed), name
        assert "██" in weighed[0], "the score of the best as a bar"
        assert await rows(tmp_path, seat, "SELECT COUNT(*) FROM attempts") == [(0,)]
