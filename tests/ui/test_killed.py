"""What a person finds of an answer that the program was killed in."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.ui.conftest import Console, console, told
from tui_orchestrator.demo import Break, Phase, Say, Script
from tui_orchestrator.routing.request import Message

PROMPT = "What is the capital of France?"


def left_by_a_kill(path: Path) -> Path:
    """The store as it lies there now, with no program that holds it."""
    there = path / "killed"
    there.mkdir()
    with sqlite3.connect(path / "store.db") as now, sqlite3.connect(there / "store.db") as then:
        now.backup(then)
    return there


def asked(path: Path) -> bool:
    """Whether a call went out and has not ended."""
    query = "SELECT COUNT(*) FROM open_calls WHERE reservation NOT IN (SELECT reservation FROM unsent_calls)"
    with sqlite3.connect(path / "store.db") as connection:
        return bool(connection.execute(query).fetchone()[0])


async def opened(seat: Console) -> None:
    await seat.pilot.press("ctrl+l")
    await seat.sees("╭─ Sessions", "1 in all")
    await seat.pilot.press("enter")


async def test_a_prompt_that_the_program_was_killed_after_says_so_and_can_be_asked_again(tmp_path: Path) -> None:
    script = Script().always(Break("silence", Phase.BEFORE_TEXT))
    async with console(tmp_path, script=script) as seat:
        await seat.send("/model rush-pro")
        await seat.send(PROMPT)
        await seat.until(lambda: asked(tmp_path), "a call under way")
        killed = left_by_a_kill(tmp_path)
        await seat.pilot.press("escape")
        await seat.ended()
    async with console(killed, script=Script().always(Say(text="Paris."))) as seat:
        await opened(seat)
        await seat.sees(PROMPT)
        line = await seat.line("■ interrupted · rush-pro · ~$")
        assert "Alt+R asks again" in line
        await seat.pilot.press("alt+r")
        await seat.ended()
        await seat.sees("Paris.")


@pytest.mark.parametrize("thinks", [True, False])
async def test_what_had_come_when_the_program_was_killed_comes_back_as_interrupted(
    tmp_path: Path, thinks: bool
) -> None:
    words = "Seine " * 200
    say = Say(thinking=words, text="Paris.") if thinks else Say(text=words)
    script = Script().always(Break("silence", Phase.MID_STREAM, say))
    async with console(tmp_path, script=script) as seat:
        await seat.send("/model tern-max" if thinks else "/model rush-pro")
        await seat.send(PROMPT)
        await seat.sees("▸ thinking · ~300 tokens" if thinks else "Seine Seine")
        killed = left_by_a_kill(tmp_path)
        await seat.pilot.press("escape")
        await seat.ended()
    async with console(killed) as seat:
        await opened(seat)
        await seat.sees("▸ thinking" if thinks else "Seine", "■ interrupted")
        await seat.sees("Alt+R asks again" if thinks else "Alt+A goes on", "~$")
        assert "0.0 s" not in seat.screen


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_a_prompt_that_no_call_went_out_for_can_be_asked_again(tmp_path: Path, size: tuple[int, int]) -> None:
    async with console(tmp_path) as seat:
        assert seat.app.talk is not None
        assert seat.app.runtime is not None
        # As far as a turn has come before it asks a model.
        talk, conversations = seat.app.talk, seat.app.runtime.conversations
        await conversations.keep(talk.session)
        await conversations.prompt(talk.id, Message("user", PROMPT), "a" * 32)
        killed = left_by_a_kill(tmp_path)
    async with console(killed, size=size, script=Script().always(Say(text="Paris."))) as seat:
        await opened(seat)
        await seat.sees(PROMPT)
        await seat.line("■ interrupted · no answer came · Alt+R asks again")
        await seat.pilot.press("alt+r")
        await seat.ended()
        await seat.sees(PROMPT, "■ interrupted · no answer came", "Paris.", "confidence")
        assert "asks again" not in seat.screen
        session, lines = talk.id, told(seat)
        await seat.pilot.press("ctrl+n")
        await seat.sees("Where to?")
        await seat.app._open_id(session)
        await seat.until(lambda: told(seat) == lines, "the same as before")


SEINE = "Seine " * 200
STALLING = Break("silence", Phase.MID_STREAM, Say(text=SEINE))


def kept(path: Path, text: str) -> bool:
    """Whether an answer with it is in the store."""
    query = "SELECT COUNT(*) FROM (SELECT text FROM messages UNION ALL SELECT text FROM discarded) WHERE text LIKE ?"
    with sqlite3.connect(path / "store.db") as connection:
        return bool(connection.execute(query, (f"%{text}%",)).fetchone()[0])


def finished(path: Path, *texts: str) -> bool:
    """Whether so many calls have ended in the store, each with its answer."""
    with sqlite3.connect(path / "store.db") as connection:
        (ended,) = connection.execute("SELECT COUNT(*) FROM attempts WHERE outcome = 'finished'").fetchone()
    return bool(ended == len(texts)) and all(kept(path, text) for text in texts)


async def test_of_an_ensemble_killed_before_a_verdict_the_answer_that_was_finished_stands(tmp_path: Path) -> None:
    script = Script().always(Say(text="Paris it is."), "rush-pro").always(STALLING)
    async with console(tmp_path, script=script) as seat:
        await seat.send("/ensemble 3")
        await seat.send(PROMPT)
        await seat.sees("Paris it is.", "Seine Seine", "✓")
        await seat.until(lambda: finished(tmp_path, "Paris it is."), "the answer is kept")
        killed = left_by_a_kill(tmp_path)
        await seat.pilot.press("escape")
        await seat.ended()
    async with console(killed, script=Script().always(Say(text="Lyon."))) as seat:
        await opened(seat)
        await seat.sees("Paris it is.", "Seine Seine", "■ 1 ", "✓ 3 rush-pro", "! the program was killed")
        await seat.pilot.press("f7")
        await seat.sees_no("Seine Seine")
        await seat.sees("Paris it is.", "killed before a verdict", "▸ discarded text of")
        await seat.send(f"/export {killed / 'talk.md'}")
        await seat.sees("Written to ")
        assert "> The program was killed before a verdict: this" in (killed / "talk.md").read_text()
        assert "■ rush-pro interrupted" not in seat.screen
        await seat.pilot.press("alt+r")
        await seat.ended()
        await seat.sees("Lyon.")


@pytest.mark.parametrize("picked", ["Paris it is.", "Lyon it is.", None])
async def test_of_several_finished_members_the_first_stands_and_all_are_kept(
    tmp_path: Path, picked: str | None
) -> None:
    begun = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds:
            await begun.wait()

    script = Script().always(Say(text="Paris it is."), "rush-pro").always(STALLING, "lumen-deep")
    script.always(Say(text="Lyon it is.", gap_s=1), "tern-max")
    async with console(tmp_path, script=script, sleep=sleep) as seat:
        await seat.send("/ensemble 3")
        if picked:
            await seat.send("/verdict vote")
        await seat.send(PROMPT)
        await seat.until(lambda: finished(tmp_path, "Paris it is."), "the first answer is kept")
        begun.set()
        await seat.until(lambda: finished(tmp_path, "Paris it is.", "Lyon it is."), "the second is kept")
        killed = left_by_a_kill(tmp_path)
        await seat.pilot.press("escape")
        await seat.ended()
    async with console(killed) as seat:
        await opened(seat)
        await seat.sees("Paris it is.", "Lyon it is.")
        if picked:
            # Whose they are is told once one was picked.
            await seat.sees("? Which answer is the best?")
            columns = seat.app.chat.columns
            place = next(one.place for one in columns.members if columns.source(one.number) == picked)
            await seat.pilot.press("alt+w", str(place))
            await seat.sees(f"▲ {place} ")
            await seat.pilot.press("f7")
            await seat.sees(picked, "▸ discarded text of")
            assert "before a verdict" not in seat.screen
            await seat.pilot.press("ctrl+n")
            await seat.sees_no(picked)
            await opened(seat)
            await seat.sees(picked, "▸ discarded text of")
            assert "before a verdict" not in seat.screen
            return
        await seat.pilot.press("f7")
        await seat.sees("Paris it is.", "killed before a verdict", "▸ discarded text of tern-max")
        await seat.pilot.press("f7", "f2", "c")
        await seat.sees("which is pinned")
        await seat.sees_no("killed before a verdict")


async def test_a_weak_answer_is_not_lost_by_a_kill_in_the_next_one(tmp_path: Path) -> None:
    script = Script().always(Say(text="I am not sure, maybe Paris."), "rush-mini").always(STALLING, "rush-pro")
    async with console(tmp_path, script=script) as seat:
        await seat.send("/chain rush-mini, rush-pro")
        await seat.send(PROMPT)
        await seat.sees("▸ discarded", "Seine Seine")
        await seat.until(lambda: kept(tmp_path, "Seine"), "what grows is kept")
        killed = left_by_a_kill(tmp_path)
        assert kept(killed, "maybe Paris.")
        await seat.pilot.press("escape")
        await seat.ended()
    async with console(killed) as seat:
        await opened(seat)
        await seat.sees("▸ discarded", "rush-mini", "< 0.60", "■ interrupted")
        await seat.line("Seine")
