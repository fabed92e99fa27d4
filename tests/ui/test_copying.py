"""Copying reaches the clipboard by whatever way there is, and the notice says which."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from tests.ui.conftest import console
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.ui import clipboard

LINUX = "linux"


def kept(file: Path) -> tuple[str, int]:
    """Its text and its permissions."""
    return file.read_text(), file.stat().st_mode & 0o777


def tool(directory: Path, name: str, ends: str = "exit 0") -> Path:
    """A clipboard tool: keeps what it is given, and the arguments, beside itself."""
    directory.mkdir(exist_ok=True)
    file = directory / name
    file.write_text(f'#!/bin/sh\ncat > "{directory}/{name}.got"\necho "$@" > "{directory}/{name}.args"\n{ends}\n')
    file.chmod(0o755)
    return directory / f"{name}.got"


def surroundings(directory: Path, **more: str) -> dict[str, str]:
    return {"PATH": f"{directory}:{os.environ['PATH']}", "TERM": "xterm-256color", **more}


def live_in(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    """On Linux, where nothing else tells of a clipboard."""
    for name in ("WAYLAND_DISPLAY", "DISPLAY", "SSH_CONNECTION", "SSH_TTY", "TMUX", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", LINUX)


@pytest.mark.parametrize(
    ("environ", "platform", "commands"),
    [
        ({}, LINUX, []),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, LINUX, ["wl-copy", "xclip", "xsel"]),
        ({"DISPLAY": ":0"}, LINUX, ["xclip", "xsel"]),
        ({"DISPLAY": ":10", "SSH_TTY": "/dev/pts/1"}, LINUX, []),
        ({"TMUX": "/tmp/tmux", "SSH_CONNECTION": "1 2 3 4"}, LINUX, ["tmux"]),
        ({"WSL_DISTRO_NAME": "Debian"}, LINUX, ["clip.exe"]),
        ({}, "darwin", ["pbcopy"]),
        ({"SSH_CONNECTION": "1 2 3 4"}, "darwin", []),
    ],
)
def test_only_tools_that_fill_this_persons_clipboard_are_tried(
    environ: dict[str, str], platform: str, commands: list[str]
) -> None:
    assert [command[0] for command in clipboard.tools(environ, platform)] == commands


async def test_a_tool_is_given_the_text_and_named(tmp_path: Path) -> None:
    got = tool(tmp_path / "bin", "xclip")
    said: list[str] = []
    copied = await clipboard.copy("naïve\n測試", said.append, surroundings(tmp_path / "bin", DISPLAY=":0"), LINUX)
    assert copied == clipboard.Copied("the clipboard (xclip)")
    assert got.read_text() == "naïve\n測試"
    assert said == []


async def test_a_tool_that_fails_gives_way_to_the_next_and_then_to_the_terminal(tmp_path: Path) -> None:
    tool(tmp_path / "bin", "wl-copy", "exit 1")
    tool(tmp_path / "bin", "xclip", "exit 1")
    around = surroundings(tmp_path / "bin", DISPLAY=":0", WAYLAND_DISPLAY="w")
    said: list[str] = []
    copied = await clipboard.copy("hello", said.append, around, LINUX)
    assert said == [f"\x1b]52;c;{base64.b64encode(b'hello').decode()}\a"]
    assert "OSC 52" in copied.where
    assert not copied.sure
    got = tool(tmp_path / "bin", "xsel")
    assert (await clipboard.copy("hello", said.append, around, LINUX)).where == "the clipboard (xsel)"
    assert got.read_text() == "hello"


async def test_a_tool_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "TOOL_WITHIN_S", 0.2)
    tool(tmp_path / "bin", "xclip", "exec sleep 600")
    said: list[str] = []
    await clipboard.copy("x", said.append, surroundings(tmp_path / "bin", DISPLAY=":0"), LINUX)
    assert len(said) == 1


@pytest.mark.parametrize(("term", "text"), [("linux", "short"), ("dumb", "short"), ("xterm-256color", "x" * 80_000)])
async def test_where_no_clipboard_is_reached_a_private_file_holds_it(tmp_path: Path, term: str, text: str) -> None:
    said: list[str] = []
    copied = await clipboard.copy(text, said.append, {"PATH": "", "TERM": term}, LINUX)
    assert said == []
    assert kept(Path(copied.where)) == (text, 0o600)


async def test_where_not_even_a_file_can_be_written_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nothing").write_text("")
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path / "nothing"))
    with pytest.raises(clipboard.NotCopied, match="Nothing was copied"):
        await clipboard.copy("x", None, {"PATH": ""}, LINUX)


ANSWER = "Two ways:\n\n```python\nsorted(items)\n```\n\nor\n\n```sh\nsort items\n```\n"


async def test_an_answer_a_block_of_its_code_and_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    got = tool(tmp_path / "bin", "xclip")
    live_in(monkeypatch, surroundings(tmp_path / "bin", DISPLAY=":0"))
    async with console(tmp_path, script=Script().always(Say(text=ANSWER))) as seat:
        await seat.pilot.press("ctrl+g")
        await seat.sees("There is no answer yet")
        await seat.send("How do I sort?")
        await seat.ended()
        await seat.pilot.press("ctrl+g")
        await seat.sees("copied to the clipboard (xclip)")
        assert got.read_text().strip() == ANSWER.strip()
        await seat.pilot.press("alt+c")
        await seat.sees("Copy code", "sorted(items)", "sort items")
        await seat.pilot.press("down", "enter")
        await seat.until(lambda: got.read_text() == "sort items\n", "the second block in the clipboard")
        copied = tmp_path / "home" / "data" / "copied.md"
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.touch(0o644)
        await seat.send("/copy file")
        await seat.sees("copied.md")
        assert (copied.read_text().strip(), copied.stat().st_mode & 0o777) == (ANSWER.strip(), 0o600)
        await seat.send("/copy everything")
        await seat.sees("/copy takes nothing, code or file")


async def test_an_answer_is_quoted_in_the_prompt(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text="It is blue.\n\nAlways."))) as seat:
        await seat.send("What colour?")
        await seat.ended()
        await seat.pilot.press("alt+q")
        assert seat.app.composer.prompt.text == "> It is blue.\n>\n> Always.\n\n"
        assert seat.app.composer.prompt.has_focus


async def test_what_is_selected_is_copied_and_the_notice_says_by_which_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_in(monkeypatch, {"TERM": "xterm-256color"})
    async with console(tmp_path, script=Script().always(Say(text="The sky is blue."))) as seat:
        await seat.send("What colour?")
        await seat.ended()
        start, row = await seat.place("sky is blue.")
        await seat.pilot.mouse_down(offset=(start, row))
        await seat.pilot.hover(offset=(start + 6, row))
        await seat.pilot.mouse_up(offset=(start + 6, row))
        written: list[str] = []
        driver: Any = seat.app._driver
        with monkeypatch.context() as patch:
            # As if a real terminal were there: what is written to it beside the screen is caught.
            patch.setattr(type(seat.app), "is_headless", False)
            patch.setattr(driver, "write", written.append)
            await seat.pilot.press("ctrl+c")
            await seat.sees("6 characters copied to the terminal's clipboard (OSC 52)")
        assert f"\x1b]52;c;{base64.b64encode(b'sky is').decode()}\a" in written
        monkeypatch.setenv("TERM", "dumb")
        await seat.pilot.press("ctrl+g")
        await seat.sees("16 characters copied to ", "copied.md")
