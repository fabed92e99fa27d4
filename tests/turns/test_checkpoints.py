"""When what came of an answer is in the store: soon, also where nothing more comes. On a clock of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.leaping import leaping
from tui_orchestrator import demo
from tui_orchestrator.demo import Break, Phase, Say, Script
from tui_orchestrator.providers.connect import warm
from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.events import Event, Failed
from tui_orchestrator.routing.features import estimate_tokens
from tui_orchestrator.routing.ports import Timeouts
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.routing.turn import Turn
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import Settings, StoreSettings
from tui_orchestrator.storage.conversations import Conversations
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.faults import StoreError
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.messages import Discarded
from tui_orchestrator.storage.reports import Reports

from .conftest import PROMPT

PRO, DASH, MAX = "demo-openai/rush-pro", "demo-gemini/lumen-dash", "demo-anthropic/tern-max"
SILENCE = 8.0
TURN_S = 30.0
PATIENT = Timeouts(first_token=60, between_tokens=60, total=300, turn=TURN_S)
Written = tuple[float, str, int]
"""Seconds after the turn began, as what, and how many words."""
During = Callable[[Turn], Awaitable[object]]


@pytest.fixture(scope="module", autouse=True)
def sdks() -> None:
    """Importing them takes seconds, which a running console does beforehand."""
    asyncio.run(warm(["anthropic", "openai", "gemini"]))


def words(number: int) -> str:
    """Of which OpenAI's format sends each by itself."""
    return " ".join(["word"] * number)


def sleeper(pauses: dict[float, Sequence[float]]) -> Callable[[float], Awaitable[None]]:
    """The seconds before each piece of the answer that was scripted with a gap of that name; before the others none."""
    left: dict[float, Iterator[float]] = {gap: iter(seconds) for gap, seconds in pauses.items()}

    async def sleep(gap: float) -> None:
        await asyncio.sleep(next(left.get(gap, iter(())), 0.0))

    return sleep


class Watched(Conversations):
    """The real ones; what is written of answers is noted."""

    def __init__(self, runtime: Runtime, refused: Sequence[int]) -> None:
        """`refused`: which of the writes, counted from 1, a full disk refuses."""
        super().__init__(runtime.database, runtime.clock)
        self._began = asyncio.get_running_loop().time()
        self._refused = refused
        self._asked = 0
        self.written: dict[int | None, list[Written]] = {}

    def _note(self, attempt: int | None, what: str, said: str) -> None:
        self._asked += 1
        if self._asked in self._refused:
            raise StoreError(None, "cannot be written", "make room")
        at = asyncio.get_running_loop().time() - self._began
        self.written.setdefault(attempt, []).append((round(at, 2), what, len(said.split())))

    async def answer(self, session: str, request_id: str, text: str, **how: Any) -> None:
        self._note(how["attempt"], how["state"], f"{text} {how['thinking']}")
        await super().answer(session, request_id, text, **how)

    async def discard(self, session: str, discarded: Discarded) -> None:
        self._note(discarded.attempt, "beside", f"{discarded.text} {discarded.thinking}")
        await super().discard(session, discarded)


async def heard(turn: Turn) -> list[Event]:
    return [event async for event in turn]


def written(
    path: Path,
    script: Script,
    pauses: dict[float, Sequence[float]],
    *,
    during: During = heard,
    refused: Sequence[int] = (),
    **options: Any,
) -> dict[int | None, list[Written]]:
    """By attempt, of a turn, and of a long while after it."""

    async def run() -> dict[int | None, list[Written]]:
        base = Settings(timeouts=PATIENT, store=StoreSettings(path / "s.db"), discovery=False)
        async with (
            demo.serve(pace=0, script=script, habits=False, sleep=sleeper(pauses)) as servers,
            await Runtime.open(demo.settings(servers, base), demo=False) as runtime,
        ):
            runtime.conversations = watched = Watched(runtime, refused)
            chat = Chat.new(runtime)
            async with chat.send(chat.request(PROMPT, options=Options(**options))) as turn:
                await during(turn)
            await asyncio.sleep(60)
            return watched.written

    with leaping() as runner:
        return runner.run(run())


async def cancelled_after_5_s(turn: Turn) -> None:
    asyncio.get_running_loop().call_later(5, turn.cancel)
    assert isinstance((await heard(turn))[-1], Failed)


FIRST, BURST = 0.0, [0.2, *[0.0] * 18]
"""Before the first piece, and before 19 that come at once."""
INTERRUPTED_AT_FIRST = [(0.0, "interrupted", 1), (0.5, "interrupted", 20)]


@pytest.mark.parametrize(
    ("answer", "during", "end"),
    [
        (Say(words(21), gap_s=1), heard, [(8.2, "interrupted", 21), *[(8.2, "complete", 21)] * 2]),
        (Break("silence", Phase.BEFORE_END, Say(words(20), gap_s=1)), heard, [(30.0, "failed", 20)]),
        (Break("silence", Phase.BEFORE_END, Say(words(20), gap_s=1)), cancelled_after_5_s, [(5.0, "interrupted", 20)]),
        (
            Break("close", Phase.BEFORE_END, Say(words(21), gap_s=1)),
            heard,
            [(8.2, "interrupted", 21), (8.2, "failed", 21)],
        ),
    ],
    ids=["another word comes and the end", "the time is up", "cancelled", "broken off"],
)
def test_a_burst_is_stored_in_the_pause_after_it_and_once(
    tmp_path: Path, answer: Say | Break, during: During, end: list[Written]
) -> None:
    script = Script().always(answer, "rush-pro")
    seen = written(tmp_path, script, {1: [FIRST, *BURST, SILENCE]}, during=during, model=PRO)
    assert seen == {1: [*INTERRUPTED_AT_FIRST, *end]}


def test_a_stream_at_full_speed_is_stored_twice_a_second(tmp_path: Path) -> None:
    script = Script().always(Say(words(25), gap_s=1), "rush-pro")
    growing = [
        (0.12, "interrupted", 1),
        (0.62, "interrupted", 5),
        (1.12, "interrupted", 9),
        (1.62, "interrupted", 13),
        (2.12, "interrupted", 17),
        (2.62, "interrupted", 21),
    ]
    whole = [(3.0, "complete", 25)] * 2
    assert written(tmp_path, script, {1: [0.12] * 25}, model=PRO) == {1: [*growing, *whole]}


def test_each_answer_of_an_ensemble_is_stored_in_its_own_pause(tmp_path: Path) -> None:
    script = Script()
    for gap, model in enumerate(("rush-pro", "lumen-deep", "tern-max"), 1):
        script.always(Break("silence", Phase.BEFORE_END, Say(words(48), gap_s=gap)), model)
    # Their formats send 1, 16 and 3 words at once.
    pauses = {1: [0.0, 0.2, *[0.0] * 46], 2: [0.1, 0.1, 0.0], 3: [0.2, 0.1, *[0.0] * 14]}
    seen = written(tmp_path, script, pauses, strategy=Strategy.ENSEMBLE)
    assert sorted([one for one in entries if one[0] < TURN_S] for entries in seen.values()) == [
        [(0.0, "interrupted", 1), (0.5, "interrupted", 48)],
        [(0.1, "beside", 16), (0.6, "beside", 48)],
        [(0.2, "beside", 3), (0.7, "beside", 48)],
    ]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (
            Break("silence", Phase.BEFORE_TEXT),
            {1: [*INTERRUPTED_AT_FIRST, (30.0, "beside", 20)], 2: [(30.0, "failed", 0)]},
        ),
        (
            # It speaks before the first one's are due: they are stored as it takes their place, and then no more.
            Break("silence", Phase.BEFORE_END, Say(words(20), gap_s=2)),
            {
                1: [(0.0, "interrupted", 1), (0.3, "beside", 20), (30.0, "beside", 20)],
                2: [(0.3, "interrupted", 16), (0.8, "interrupted", 20), (30.0, "failed", 20)],
            },
        ),
    ],
    ids=["silent", "speaks"],
)
def test_the_last_words_of_an_attempt_that_failed_are_stored_while_the_next_one_is_at_work(
    tmp_path: Path, second: Break, expected: dict[int | None, list[Written]]
) -> None:
    script = Script().always(Break("close", Phase.BEFORE_END, Say(words(20), gap_s=1)), "rush-pro")
    script.always(second, "lumen-dash")
    assert written(tmp_path, script, {1: [FIRST, *BURST], 2: [0.1, 0.0]}, chain=(PRO, DASH)) == expected


def test_thoughts_are_stored_beside_the_answer_that_stands(tmp_path: Path) -> None:
    first = Break("close", Phase.BEFORE_END, Say(words(20), gap_s=1))
    second = Break("silence", Phase.MID_STREAM, Say("word", thinking=words(48), gap_s=2))
    script = Script().always(first, "rush-pro").always(second, "tern-max")
    pauses = {1: [FIRST, *BURST], 2: [0.1, 0.2, *[0.0] * 14, SILENCE]}
    assert written(tmp_path, script, pauses, chain=(PRO, MAX)) == {
        1: [*INTERRUPTED_AT_FIRST, (8.5, "beside", 20), (30.0, "beside", 20)],
        2: [(0.3, "beside", 3), (0.8, "beside", 48), (8.5, "interrupted", 49), (30.0, "failed", 49)],
    }


def test_what_could_not_be_stored_is_tried_again_though_nothing_comes(tmp_path: Path) -> None:
    script = Script().always(Break("silence", Phase.BEFORE_END, Say(words(20), gap_s=1)), "rush-pro")
    seen = written(tmp_path, script, {1: [FIRST, *BURST]}, refused=[2, 3], model=PRO)
    assert seen == {1: [(0.0, "interrupted", 1), (1.5, "interrupted", 20), (30.0, "failed", 20)]}


def test_of_a_program_killed_in_the_pause_the_burst_is_there_and_booked(tmp_path: Path) -> None:
    then = tmp_path / "killed" / "s.db"
    then.parent.mkdir()

    async def killed_after_a_second(turn: Turn) -> None:
        await asyncio.sleep(1)
        with closing(sqlite3.connect(tmp_path / "s.db")) as now, closing(sqlite3.connect(then)) as copy:
            now.backup(copy)

    async def left() -> tuple[list[tuple[str, str]], list[int]]:
        async with Database(then) as db:
            await SqliteLedger(db, SystemClock()).recover()
            conversations = Conversations(db, SystemClock())
            (session,) = await conversations.recent()
            messages = (await conversations.get(session.id)).messages
            booked = await Reports(db, SystemClock()).attempts(messages[0].request_id)
        return [(message.state, message.text) for message in messages], [row.usage.output for row in booked]

    script = Script().always(Break("silence", Phase.BEFORE_END, Say(words(200), gap_s=1)), "rush-pro")
    written(tmp_path, script, {1: [FIRST, 0.2]}, during=killed_after_a_second, model=PRO)
    told = [("complete", PROMPT), ("interrupted", words(200))]
    assert asyncio.run(left()) == (told, [estimate_tokens(words(200))])
