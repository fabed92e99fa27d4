"""The question on a terminal whether an ensemble that a cap is too small for may be asked."""

import os

import pytest

from tests.cli.conftest import Shell
from tests.cli.terminal import terminal
from tui_orchestrator.demo import Say


@pytest.mark.parametrize(
    ("cap", "answer", "code", "asked"),
    [
        ("0.01", "y", 0, {"lumen-deep", "rush-pro", "tern-max"}),
        ("0.01", "f", 0, {"lumen-deep", "rush-pro"}),
        ("0.01", "n", 3, set()),
        ("0.0001", "f", 3, set()),
    ],
    ids=["all after raising the cap", "those that fit", "nobody", "none fits"],
)
async def test_it_may_be_asked_whole_in_part_or_not_at_all(
    shell: Shell, cap: str, answer: str, code: int, asked: set[str]
) -> None:
    shell.script.always(Say("Four."))
    async with terminal(shell, "ask", "-e", "3", "-c", cap, "What is two and two?") as screen:
        await screen.until("N] ")
        assert ("f goes on with those that fit (" in screen.seen) == (cap == "0.01")
        os.write(screen.master, f"{answer}\n".encode())
        assert await screen.end() == code
    assert set(shell.asked) == asked, screen.seen
