"""Someone votes on an answer, asks for another, and sees it."""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest

from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.profile import TaskType
from tui_orchestrator.services.chat import Chat
from tui_orchestrator.ui.registry_rows import COLUMNS, Row

PROMPT = "What is the capital of France?"
PARIS, LYON = Say(text="The capital of France is Paris."), Say(text="The capital of France is Lyon.")


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path / "store.db") as connection:
        return connection.execute(query).fetchall()


def votes(path: Path) -> list[tuple[object, ...]]:
    return rows(path, "SELECT outcome, weight FROM observations WHERE sign = 'vote' ORDER BY serial")


def status(seat: Console) -> str:
    """The line under the last answer; '' while none is drawn."""
    rows = seat.screen.splitlines()
    lines = [f"{row} {below}" for row, below in pairwise(rows) if "↑" in row and "confidence" in row + below]
    return lines[-1] if lines else ""


async def attempts(seat: Console, path: Path, count: int, column: str = "model") -> list[str]:
    """Of each attempt, once there are so many and the last turn is drawn."""
    query = f"SELECT {column} FROM attempts ORDER BY started, rowid"
    await seat.until(lambda: len(rows(path, query)) == count, f"{count} attempts")
    await seat.ended()
    return [str(value) for (value,) in rows(path, query)]


async def asked(seat: Console, prompt: str = PROMPT) -> None:
    await seat.send(prompt)
    await seat.ended()
    await seat.until(lambda: "confidence" in seat.screen, "the answer's line")


async def test_a_vote_is_seen_under_the_answer_and_once_more_takes_it_back(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(PARIS)) as seat:
        await asked(seat)
        for key, command, mark in (("alt+u", "/good", "▲"), ("alt+d", "/bad", "▼")):
            await seat.pilot.press(key)
            await seat.until(lambda mark=mark: mark in status(seat), f"{mark} under the answer")
            assert seat.app.composer.prompt.text == ""
            assert votes(tmp_path)[-1:] == [(float(mark == "▲"), 1.0)]
            await seat.send(command)
            await seat.until(lambda mark=mark: mark not in status(seat), f"no {mark} under the answer")
            assert {weight for _, weight in votes(tmp_path)} == {0.0}


async def test_a_vote_is_seen_when_the_session_is_opened_again(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(PARIS)) as seat:
        await asked(seat)
        await seat.pilot.press("alt+d")
        await seat.until(lambda: "▼" in status(seat))
        session = seat.app.talk.id if seat.app.talk else ""
    async with console(tmp_path) as seat:
        assert seat.app.runtime is not None
        await seat.app._begin(await Chat.resume(seat.app.runtime, session))
        await seat.until(lambda: "confidence" in seat.screen and "▼" in status(seat), "the vote of before")


async def test_a_vote_on_an_older_answer_is_on_the_one_in_view(tmp_path: Path) -> None:
    long = Say(text="\n\n".join(f"Paragraph {number} of a long answer." for number in range(40)))
    async with console(tmp_path, script=Script().then(PARIS).always(long)) as seat:
        await asked(seat)
        await asked(seat, "Now at length")
        seat.app.chat.transcript.focus()
        await seat.pilot.press("home")
        await seat.sees("The capital of France is Paris.")
        while "of a long answer" in seat.screen:
            await seat.pilot.resize_terminal(160, seat.app.size.height - 4)
            await seat.pilot.press("home")
        await seat.pilot.press("alt+u")
        await seat.until(lambda: "▲" in status(seat))
        (voted,) = rows(tmp_path, "SELECT request_id FROM observations WHERE sign = 'vote'")
        (first,) = rows(tmp_path, "SELECT request_id FROM messages WHERE position = 0")
        assert voted == first


async def test_nothing_is_voted_on_before_an_answer_and_the_best_of_an_ensemble_is_picked(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        # There is nothing to vote on before the first answer.
        await seat.pilot.press("alt+u")
        await seat.sees("There is no answer to vote on yet.")
        await seat.pilot.press("alt+r")
        await seat.sees("Nothing was asked yet")
        assert votes(tmp_path) == []

        # The best of an ensemble is picked from a list and marked.
        await seat.begin_anew()
        await seat.send("/ensemble 3")
        await asked(seat)
        winner = seat.app.talk.last.model if seat.app.talk and seat.app.talk.last else ""
        members = [str(model) for (model,) in rows(tmp_path, "SELECT model FROM attempts ORDER BY number")]
        other = next(model for model in members if model != winner)
        await seat.pilot.press("alt+w")
        await seat.sees("The best answer")
        await seat.type_into_list(other)
        await seat.sees(f"▲ {members.index(other) + 1} {other.partition('/')[2]}")
        picked = rows(tmp_path, "SELECT model, outcome FROM observations WHERE sign = 'pick' ORDER BY outcome DESC")
        assert picked[0] == (other, 1.0)
        assert len(picked) == 3


async def test_asking_again_folds_the_answer_before_and_keeps_it(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().then(LYON).always(PARIS)) as seat:
        await asked(seat)
        await seat.pilot.press("alt+r")
        await attempts(seat, tmp_path, 2)
        await seat.sees("superseded answer of ", "you asked again", "is Paris.")
        await seat.sees_no("is Lyon.")
        assert seat.screen.count(PROMPT) == 1 + (PROMPT in seat.app.title_shown)
        assert rows(tmp_path, "SELECT outcome FROM observations WHERE sign = 'regenerated'") == [(0.0,)]
        session = seat.app.talk.id if seat.app.talk else ""
    async with console(tmp_path) as seat:
        assert seat.app.runtime is not None
        await seat.app._begin(await Chat.resume(seat.app.runtime, session))
        await seat.sees("superseded answer of ", "is Paris.")
        await seat.sees_no("is Lyon.")


@pytest.mark.parametrize("trouble", [Reply(400), Break("silence", Phase.MID_STREAM, Say(text="word " * 100))])
async def test_where_no_answer_comes_the_one_before_stays(tmp_path: Path, trouble: Reply | Break) -> None:
    async with console(tmp_path, script=Script().then(PARIS).always(trouble)) as seat:
        await asked(seat)
        await seat.send("/again rush-pro")
        if isinstance(trouble, Break):
            await seat.sees("word word")
            await seat.pilot.press("escape")
        await attempts(seat, tmp_path, 2)
        await seat.sees("is Paris.")
        await seat.sees_no("superseded")


async def test_another_model_is_asked_by_name_or_from_a_list(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().then(LYON).always(PARIS)) as seat:
        await asked(seat)
        await seat.send("/again rush-pro")
        await attempts(seat, tmp_path, 2)
        assert seat.app.options.model is None
        await seat.pilot.press("alt+m")
        await seat.sees("Ask another model")
        await seat.pay_for("lumen-dash")
        models = await attempts(seat, tmp_path, 3)
        assert models[1:] == ["demo-openai/rush-pro", "demo-gemini/lumen-dash"]
        await seat.until(lambda: "lumen-dash · demo-gemini" in status(seat), "the model under the answer")
        await seat.sees("superseded answer of rush-pro")
        await seat.send("/again rush-prow")
        await seat.sees("did you mean")


async def test_another_strategy_is_asked_by_name_or_from_a_list(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(PARIS)) as seat:
        await asked(seat)
        await seat.send("/again quality")
        await attempts(seat, tmp_path, 2)
        await seat.pilot.press("alt+s")
        await seat.sees("Ask again by")
        await seat.line("balanced", "current")
        assert seat.screen.count("current") == 1
        await seat.pay_for("cheapest")
        strategies = await attempts(seat, tmp_path, 3, "strategy")
        await seat.until(lambda: " · cheapest · " in status(seat), "the strategy under the answer")
        assert strategies[0] == "balanced"
        assert set(strategies[1:]) == {"quality", "cheapest"}


async def test_a_vote_is_taken_over_by_the_other_and_told_in_the_table(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(PARIS)) as seat:
        # An answer of one model is no ensemble.
        await asked(seat)
        await seat.pilot.press("alt+w")
        await seat.sees("That is no ensemble's answer")

        # The other vote takes the place of the first.
        await seat.begin_anew()
        await asked(seat)
        await seat.pilot.press("alt+u")
        await seat.until(lambda: "▲" in status(seat))
        await seat.pilot.press("alt+d")
        await seat.until(lambda: "▼" in status(seat) and "▲" not in status(seat))
        assert votes(tmp_path) == [(0.0, 1.0)]
        await seat.pilot.press("alt+n")
        await seat.until(lambda: "▼" not in status(seat))


@pytest.mark.parametrize(("shift", "said"), [(-0.031, "code −0.03"), (-0.004, "–"), (0.001, "–")])
def test_what_was_learned_and_comes_to_nothing_is_not_shown(shift: float, said: str) -> None:
    row = Row(Model("openai", "small"), "available", learned=(TaskType.CODE, shift))
    assert next(column for column in COLUMNS if column.title == "learned").cell(row) == said


async def test_the_table_of_models_shows_what_was_learned(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(PARIS)) as seat:
        await asked(seat)
        model = seat.app.talk.last.model if seat.app.talk and seat.app.talk.last else ""
        await seat.pilot.press("alt+d")
        await seat.until(lambda: "▼" in status(seat))
        await seat.pilot.press("f5")
        await seat.sees("learned")
        await seat.line(model, "▼1", "−0.0")
