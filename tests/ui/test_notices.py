"""What is said in passing: where it stands while something is asked, and with which mark."""

from __future__ import annotations

from pathlib import Path

from tests.ui.conftest import Console, console, settle
from tests.ui.test_raising import stopped
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.ui.words import brief

SCRIPT = Script().always(Say(text="It is blue."))
NOTICE = "Four fifths of what the day may cost are spent, so the batch waits until tomorrow or until you say more."
SIZES = [(160, 48), (100, 30), (80, 24), (50, 20)]
ASKED = {
    "ctrl+s": "Strategy",
    "ctrl+p": "Commands",
    "ctrl+l": "Sessions",
    "ctrl+r": "Earlier prompts",
    "f1": "Help",
    "/rename": "Rename",
    "/whatif": "What if",
    "/decisions": "Decisions",
    "/batch": "Ask many prompts from a file",
    "/recipe": "Recipes",
}


def frame(seat: Console, title: str) -> list[str]:
    """The rows of the dialog from its title to its foot, without what is beside it."""
    rows = seat.screen.splitlines()
    top = next(at for at, row in enumerate(rows) if f"╭─ {title}" in row)
    left = rows[top].index(f"╭─ {title}")
    right = rows[top].index("╮", left)
    height = next(at for at, row in enumerate(rows[top:]) if row[left] == "╰")
    return [row[left : right + 1] for row in rows[top : top + height + 1]]


def whole(dialog: list[str]) -> bool:
    return dialog[-1].endswith("╯") and all(row[0] + row[-1] in ("││", "│▁", "│▅") for row in dialog[1:-1])


async def test_a_notice_stands_below_what_is_asked_and_hides_nothing_of_it(tmp_path: Path, thorough: bool) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        await seat.send("What colour is the sky?")
        await seat.ended()
        asked = [(SIZES[at % len(SIZES)], *one) for at, one in enumerate(ASKED.items())]
        for size, way, title in [(size, *one) for size in SIZES for one in ASKED.items()] if thorough else asked:
            await seat.pilot.resize_terminal(*size)
            await (seat.send(way) if way.startswith("/") else seat.pilot.press(way))
            await seat.sees(f"╭─ {title}")
            await settle(seat.pilot)
            head, *_, foot = frame(seat, title)
            seat.app.notify(NOTICE, timeout=600)
            await seat.sees("Four fifths", "say more.")
            await seat.until(lambda title=title: whole(frame(seat, title)), f"the whole frame of {title!r}")
            dialog = frame(seat, title)
            assert (dialog[0], dialog[-1]) == (head, foot)
            assert not any("fifths" in row or "say more" in row for row in dialog), title
            await seat.pilot.press("escape")
            await seat.until(lambda: len(seat.app.screen_stack) == 1)
            seat.app.clear_notifications()


async def test_a_notice_is_brief_whatever_is_said(tmp_path: Path) -> None:
    said = "\n".join(f"line {at}." for at in range(1_000))
    async with console(tmp_path, size=SIZES[0], script=SCRIPT) as seat:
        for size in SIZES[:3]:
            await seat.pilot.resize_terminal(*size)
            await settle(seat.pilot)
            seat.app.notify(said, title="One\ntwo", timeout=600)
            await seat.sees("line 0.", *(["line 11.…"] if size == SIZES[0] else []), "Ask anything")
            assert "line 12." not in seat.screen
            assert "two" not in seat.screen
            seat.app.clear_notifications()
    assert brief("a " * 2_000) == "a " * 399 + "a…"
    assert [brief(text) for text in ("", "a\n", "a\nb", "x" * 800)] == ["", "a\n", "a\nb", "x" * 800]
    assert [brief(text, lines=1) for text in ("a", "a\nb", "\nb")] == ["a", "a…", "…"]


async def test_a_notice_hides_nothing_of_a_cap_in_the_way(tmp_path: Path) -> None:
    async with stopped(tmp_path, SIZES[0]) as seat:
        for size in SIZES[:3]:
            await seat.pilot.resize_terminal(*size)
            await settle(seat.pilot)
            before = frame(seat, "The day's cap")
            seat.app.notify(NOTICE, timeout=600)
            await seat.sees("Four fifths", "say more.")
            await seat.until(lambda before=before: frame(seat, "The day's cap") == before, "the dialog as it was")
            seat.app.clear_notifications()
            await seat.sees_no("Four fifths")


async def test_what_was_said_outlives_its_dialog_and_only_what_was_done_has_the_mark_of_success(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        await seat.pilot.press("ctrl+s")
        await seat.sees("╭─ Strategy")
        seat.app.notify(NOTICE, timeout=600)
        await seat.sees("Four fifths")
        await seat.pilot.press("escape")
        await seat.sees_no("╭─ Strategy")
        await seat.sees("Four fifths")
        seat.app.clear_notifications()

        await seat.send("What colour is the sky?")
        await seat.ended()
        await seat.pilot.press("ctrl+l")
        await seat.sees("What colour is the sky?")
        await seat.pilot.press("down", "p")
        await seat.sees("✓ 'What colour is the sky?' is pinned.")
        await seat.pilot.press("u")
        await seat.sees("· Nothing deleted since the program began is left to come back")
        assert "✓ Nothing" not in seat.screen
        await seat.pilot.press("d")
        await seat.sees("✓ 'What colour is the sky?' is deleted; u in the list, or")
        await seat.until(lambda: "just now" not in seat.screen)
        await seat.pilot.press("d")
        await seat.sees("· There is no session to do that with.")
