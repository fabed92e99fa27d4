"""What was typed and not sent: each session's own, and still there after a crash."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from pathlib import Path

import pexpect

from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Say, Script

SCRIPT = Script().always(Say(text="It is blue."))

LAUNCH = (
    "import sys\n"
    "from tui_orchestrator.settings import load\n"
    "from tui_orchestrator.ui.app import run_console\n"
    "sys.exit(run_console(load(), demo=True))\n"
)


def drafts(file: Path) -> dict[str, str]:
    with sqlite3.connect(file) as connection:
        return dict(connection.execute("SELECT session, text FROM drafts"))


async def kept(seat: Console, path: Path, *texts: str) -> None:
    await seat.until(lambda: sorted(drafts(path / "store.db").values()) == sorted(texts), f"{texts} kept")


async def test_each_session_keeps_its_own_draft(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        prompt, app = seat.app.composer.prompt, seat.app
        await seat.send("What colour is the sky?")
        await seat.ended()
        assert app.talk is not None
        asked = app.talk.id
        await seat.type("and at night?")
        await kept(seat, tmp_path, "and at night?")
        await seat.pilot.press("ctrl+n")
        await seat.until(lambda: prompt.text == "")
        await seat.type("something else")
        await seat.pilot.press("ctrl+n")
        assert prompt.text == "something else"
        await app._open_id(asked)
        assert prompt.text == "and at night?"
        assert "something else" not in seat.screen
        await kept(seat, tmp_path, "and at night?", "something else")
        await seat.pilot.press("enter")
        await seat.ended()
        await kept(seat, tmp_path, "something else")
        await seat.pilot.press("ctrl+n")
        await seat.sees("something else")
    async with console(tmp_path, script=SCRIPT) as seat:
        assert seat.app.composer.prompt.text == "something else"


async def test_a_temporary_chat_takes_along_what_nobody_was_asked_and_keeps_nothing(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        prompt = seat.app.composer.prompt
        await seat.type("between us")
        await kept(seat, tmp_path, "between us")
        await seat.pilot.press("alt+t")
        await seat.sees("◌ temporary", "between us")
        await kept(seat, tmp_path)
        await seat.type(" alone")
        await seat.pilot.press("ctrl+n")
        await seat.sees_no("◌ temporary")
        assert prompt.text == ""
        assert drafts(tmp_path / "store.db") == {}


async def test_a_folded_paste_is_still_folded_when_one_comes_back(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        prompt = seat.app.composer.prompt
        await seat.send("What colour is the sky?")
        await seat.ended()
        assert seat.app.talk is not None
        asked = seat.app.talk.id
        await seat.type("Sum up: ")
        prompt._put("row\n" * 60)
        draft = prompt.unfolded
        await seat.pilot.press("ctrl+n")
        await seat.until(lambda: prompt.text == "")
        await seat.app._open_id(asked)
        await seat.sees("Sum up: ⟦paste 1: 61 lines⟧")
        assert prompt.unfolded == draft


def test_a_killed_program_leaves_what_was_typed(tmp_path: Path) -> None:
    environment = {**os.environ, "TERM": "xterm-256color", "TUI_ORCHESTRATOR_HOME": str(tmp_path)}
    child = pexpect.spawn(
        sys.executable, ["-c", LAUNCH], env=environment, dimensions=(30, 100), timeout=60, cwd=str(tmp_path)
    )
    child.expect("Where to")
    child.send("half a thought")

    def stored() -> list[str]:
        found = []
        for file in tmp_path.rglob("*.db"):
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
                found += [text for (text,) in connection.execute("SELECT text FROM drafts")]
        return found

    for _ in range(200):
        child.expect([pexpect.TIMEOUT, "\x00never"], timeout=0.1)
        if stored() == ["half a thought"]:
            break
    child.kill(signal.SIGKILL)
    child.close(force=True)
    assert stored() == ["half a thought"]
    child = pexpect.spawn(
        sys.executable, ["-c", LAUNCH], env=environment, dimensions=(30, 100), timeout=60, cwd=str(tmp_path)
    )
    child.expect("half a thought")
    child.kill(signal.SIGKILL)
    child.close(force=True)
