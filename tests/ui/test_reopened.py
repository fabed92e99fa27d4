"""A turn reads the same while one was there and when its session is opened again, at once or after a restart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.turns.test_parted import QUESTION, report
from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.services.chat import Chat
from tui_orchestrator.storage.messages import StoredMessage
from tui_orchestrator.ui.entries import Kind
from tui_orchestrator.ui.stored import Stored

PROMPT = "What is the capital of France?"
PARIS = Say(text="Paris, on the Seine.")
HEDGING = Say(text="I'm not sure, but I think it might possibly be this. I could be wrong. Perhaps. I don't know.")
MILD = Say(text="I think it is Paris, on the Seine.")
HALF = Say(text="One, two, thr", finish="length")
REST = Say(text="ee, four, five, six.")
STALLING = Break("silence", Phase.MID_STREAM, Say(text="word " * 30))
BROKEN = Break("close", Phase.MID_STREAM, Say(text="A beginning that breaks off. " * 3))
SIZE = (160, 120)

Step = Callable[[Console], Awaitable[None]]


def told(seat: Console) -> list[str]:
    """The conversation as it stands on the screen: without the panes beside it, and what is blank."""
    rows = (line.split("│")[1].strip(" ┃▂▃▄▅▆▇█▁") for line in seat.screen.splitlines() if line.startswith("│"))
    return [row for row in rows if row]


def send(*texts: str) -> Step:
    async def step(seat: Console) -> None:
        for text in texts:
            await seat.send(text)
            if not text.startswith("/") or text.startswith(("/continue", "/again", "/merge")):
                await seat.ended()

    return step


def stop(text: str, *, after: str) -> Step:
    async def step(seat: Console) -> None:
        await seat.send(text)
        await seat.sees(after)
        await seat.pilot.press("escape")
        await seat.ended()

    return step


async def in_parts(seat: Console) -> None:
    await seat.send("/model pebble-3b")
    await seat.send(f"{QUESTION}\n\n{report()}")
    await seat.sees("Longer than pebble-3b's context")
    await seat.pilot.press("down", "enter")
    await seat.until(lambda: len(seat.app.screen_stack) == 1, "the dialog closed")


async def all_parts(seat: Console) -> None:
    await in_parts(seat)
    await seat.ended()


async def some_parts(seat: Console) -> None:
    await in_parts(seat)
    await seat.sees("✓◐◐◐")
    await seat.pilot.press("escape")
    await seat.ended()


@dataclass
class Turn:
    script: Script
    steps: tuple[Step, ...]
    shows: tuple[str, ...]
    """What stands there at the end, as proof that it came to what is meant."""
    policy: Policy = field(default_factory=Policy)


MODEL = "/model rush-pro"
CHAIN = "/chain rush-mini, tern-lite, rush-pro"
TURNS: dict[str, Callable[[], Turn]] = {
    "rate limited, then weak, then good": lambda: Turn(
        Script().always(Reply(429), "rush-mini").always(HEDGING, "tern-lite").always(PARIS, "rush-pro"),
        (send(CHAIN, PROMPT),),
        ("✗ 429", "< 0.60", "▸ discarded", "Paris"),
    ),
    "broken off, then another model": lambda: Turn(
        Script().always(BROKEN, "rush-mini").always(PARIS, "tern-lite"),
        (send("/chain rush-mini, tern-lite", PROMPT),),
        ("stream broken", "▸ discarded", "Paris"),
    ),
    "cancelled amid its answer": lambda: Turn(
        Script().always(STALLING), (send(MODEL), stop(PROMPT, after="word word")), ("■ cancelled", "Cancelled.")
    ),
    "cancelled before its answer": lambda: Turn(
        Script().always(Break("silence", Phase.HEADERS)),
        (send(MODEL), stop(PROMPT, after="asking rush-pro")),
        ("■ cancelled", "Cancelled."),
    ),
    "no model answered": lambda: Turn(Script().always(Reply(401)), (send(CHAIN, PROMPT),), ("✗ 401",)),
    "an earlier answer was the best": lambda: Turn(
        Script().always(MILD, "rush-mini").always(HEDGING, "tern-lite"),
        (send("/check off", "/chain rush-mini, tern-lite", PROMPT),),
        ("Paris", "another answer was chosen", "best of 2 attempts"),
        Policy(confidence_threshold=0.95),
    ),
    "judged": lambda: Turn(
        Script().always(PARIS, "rush-mini").always(Say(text="RIGHT"), "tern-lite"),
        (send("/check judge", "/chain rush-mini, tern-lite", PROMPT),),
        ("judge",),
    ),
    "second opinion": lambda: Turn(
        Script().always(MILD, "rush-mini").always(PARIS, "tern-lite"),
        (send("/check second_answer", "/chain rush-mini, tern-lite", PROMPT),),
        ("second opinion",),
        Policy(confidence_threshold=0.95),
    ),
    "in parts": lambda: Turn(Script().always(Say(text="All rooms are in order.")), (all_parts,), ("4 parts ✓✓✓✓",)),
    "in parts of which one failed": lambda: Turn(
        Script().then(Reply(400)).always(Say(text="All rooms are in order.")), (all_parts,), ("4 parts ",)
    ),
    "in parts and cancelled": lambda: Turn(
        Script()
        .then(Say(text="All rooms are in order."))
        .always(Break("silence", Phase.MID_STREAM, Say(text="w " * 9))),
        (some_parts,),
        ("4 parts ✓", "Cancelled"),
    ),
    "continued": lambda: Turn(
        Script().then(HALF, "rush-pro").always(REST),
        (send(MODEL, PROMPT, "/model auto", "/continue"),),
        ("in 2 parts",),
    ),
    "continued at the second attempt": lambda: Turn(
        Script().then(HALF, "rush-pro").then(BROKEN, "rush-pro").always(REST),
        (send(MODEL, PROMPT, "/model auto", "/continue"),),
        ("in 2 parts", "✗ stream broken", "▸ discarded"),
    ),
    "continued and cancelled": lambda: Turn(
        Script().then(HALF, "rush-pro").always(STALLING),
        (send(MODEL, PROMPT, "/model auto"), stop("/continue", after="word word")),
        ("■ cancelled", "in 2 parts"),
    ),
    "continued in vain": lambda: Turn(
        Script().then(HALF, "rush-pro").always(Reply(401)),
        (send(MODEL, PROMPT, "/continue"),),
        ("✗ 401",),
    ),
    "several at once": lambda: Turn(
        Script().always(PARIS, "rush-pro").always(HEDGING), (send("/ensemble 3", PROMPT),), ("★", "▸ discarded")
    ),
    "several of which one failed": lambda: Turn(
        Script().always(Reply(401), "rush-pro").always(PARIS), (send("/ensemble 3", PROMPT),), ("★", "✗ 401")
    ),
    "several of which one answered": lambda: Turn(
        Script().always(PARIS, "rush-pro").always(Reply(401)), (send("/ensemble 3", PROMPT),), ("★", "✗ 401")
    ),
    "several and one from all": lambda: Turn(
        Script().always(PARIS), (send("/ensemble 3", "/verdict fuse", PROMPT),), ("▸ discarded",)
    ),
    "several and cancelled": lambda: Turn(
        Script().always(STALLING), (send("/ensemble 3"), stop(PROMPT, after="word word")), ("Cancelled.",)
    ),
    "asked again": lambda: Turn(Script().always(PARIS), (send(MODEL, PROMPT, "/again"),), ("superseded",)),
    "asked again and cancelled": lambda: Turn(
        Script().then(PARIS).always(STALLING),
        (send(MODEL, PROMPT), stop("/again", after="word word")),
        ("Cancelled.", "Paris"),
    ),
    "asked again in vain": lambda: Turn(
        Script().then(PARIS).always(Reply(401)), (send(MODEL, PROMPT, "/again"),), ("Paris", "401")
    ),
    "thinking": lambda: Turn(
        Script().always(Say(text="Paris.", thinking="Let me see.")), (send("/model tern-max", PROMPT),), ("▸ thinking",)
    ),
    "with a file": lambda: Turn(Script().always(PARIS), (send(MODEL, "What is in @plan.md"),), ("⊕ plan.md",)),
}


async def comes_to(seat: Console, lines: list[str]) -> None:
    seen: list[str] = []

    def same() -> bool:
        seen[:] = told(seat)
        return seen == lines

    try:
        await seat.until(same)
    except AssertionError:
        assert seen == lines


@pytest.mark.cells(*(2 * number + (number % 4 == 0) for number in range(len(TURNS))))
@pytest.mark.parametrize(
    ("name", "after_a_restart"),
    [
        pytest.param(name, later, id=f"{name}-{'after a restart' if later else 'at once'}")
        for name in TURNS
        for later in (False, True)
    ],
)
async def test_a_turn_reads_the_same_when_it_is_opened_again(tmp_path: Path, name: str, after_a_restart: bool) -> None:
    (tmp_path / "plan.md").write_text("The plan is simple.\n")
    turn = TURNS[name]()
    async with console(tmp_path, size=SIZE, script=turn.script, policy=turn.policy) as seat:
        for step in turn.steps:
            await step(seat)
        seat.app.chat.show_columns(False)
        await seat.sees(*turn.shows)
        lines = told(seat)
        assert seat.app.talk is not None
        session = seat.app.talk.id
        if not after_a_restart:
            await seat.pilot.press("ctrl+n")
            await seat.sees("Where to?")
            await seat.app._open_id(session)
            seat.app.chat.show_columns(False)
            await comes_to(seat, lines)
            return
    async with console(tmp_path, size=SIZE) as seat:
        assert seat.app.runtime is not None
        await seat.app._begin(await Chat.resume(seat.app.runtime, session))
        seat.app.chat.show_columns(False)
        await comes_to(seat, lines)


def test_how_much_a_note_matters_is_not_read_from_its_words() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    note = "Cancelled. The provider says so, and charges for it."
    messages = [
        StoredMessage(0, "user", "Go on", "complete", now, "r1"),
        StoredMessage(1, "assistant", "", "failed", now, "r1", note=note, weight="error"),
    ]
    (notice,) = [one for one in Stored(messages, (), "Alt+R").entries(0, 2) if one.kind is Kind.NOTICE]
    assert notice.source == note
    assert notice.severity == "error"
