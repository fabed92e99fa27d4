"""A store that fails in the middle of a turn: nothing streamed is lost, nothing uncounted is called, and it is said."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from tui_orchestrator.demo import Reply, Say, Script
from tui_orchestrator.routing.budget import Cap, Reservation
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import AttemptFailed, AttemptStarted, Event, Text
from tui_orchestrator.routing.money import ZERO
from tui_orchestrator.routing.ports import Ledger
from tui_orchestrator.routing.request import Method, Strategy
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.storage.faults import StoreError

from .conftest import PROMPT, ask, events_of, running
from .grammar import check
from .reading import asked, completed, failed, only, reserved, text_of, walked

PRO, DASH = "demo-openai/rush-pro", "demo-gemini/lumen-dash"
ANSWER = Say(text="Two lists become one when their heads are compared in turn, until both are empty.")
SAID = "could not be stored: "


def lock(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")


async def mend(runtime: Runtime) -> None:
    database = runtime.database
    # Beside `write`, which such a connection refuses to begin.
    work = database._writing.submit(lambda: database._writer.execute("PRAGMA query_only = OFF"))  # type: ignore[union-attr]
    await asyncio.wrap_future(work)


def breaks_at(runtime: Runtime, kind: type[Event], attempts: int = 1) -> None:
    """The store, with the first such event of so many attempts, for every write that is asked for after it."""
    heard: set[int] = set()

    def hear(event: object) -> None:
        if isinstance(event, kind):
            heard.add(getattr(event, "attempt", 0))
            if len(heard) == attempts:
                runtime.database.post(lock)

    runtime.router.listeners.append(hear)


async def test_an_answer_that_could_not_be_booked_is_given_and_booked_later(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().then(ANSWER, "rush-pro")) as (runtime, _):
        breaks_at(runtime, Text)
        events = await events_of(runtime, ask(model=PRO))
        check(events)
        end = completed(events)
        assert end.response == text_of(events, 1) == ANSWER.text
        assert end.note.count(SAID) == 1
        assert "cannot be written" in end.note
        assert await runtime.reports.attempts(end.request_id) == ()
        assert await reserved(runtime) > 0, "until it is booked its money stays set aside"
        await mend(runtime)
        (state,) = await runtime.router.caller.ledger.budgets([Cap("request", end.request_id, None)])
        assert state.spent == end.cost.amount
        assert len(await runtime.reports.attempts(end.request_id)) == 1
        assert await reserved(runtime) == 0


async def test_nothing_is_called_that_could_not_be_written_down(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        await runtime.database.write(lock)
        events = await events_of(runtime, ask(chain=(PRO, DASH)))
        check(events)
        assert failed(events).error.kind is ErrorKind.UNRECORDED
        assert "cannot be written" in failed(events).error.message
        assert servers.exchanges == []
        ensemble = await events_of(runtime, ask(strategy=Strategy.ENSEMBLE, id="2"))
        check(ensemble)
        assert "cannot be written" in failed(ensemble).error.message
        assert servers.exchanges == []


class Refusing:
    """The ledger, of which some writes are refused."""

    def __init__(self, ledger: Ledger, refused: Sequence[str]) -> None:
        self._ledger = ledger
        self._refused = refused

    def __getattr__(self, name: str) -> object:
        async def refuse(*_: object) -> None:
            raise StoreError(None, f"cannot write what was {name}", "make room")

        return refuse if name in self._refused else getattr(self._ledger, name)


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        ((), None),
        (("decided",), "decided"),
        (("concluded",), "concluded"),
        # What a call has cost is said rather than what came of it, and that rather than why it was made.
        (("decided", "concluded"), "decided"),
        (("book",), "book"),
        (("book", "decided", "concluded"), "book"),
    ],
)
@pytest.mark.parametrize("wanted", [{"model": PRO}, {"strategy": Strategy.ENSEMBLE}], ids=["one", "several"])
async def test_an_end_says_what_of_its_turn_could_not_be_stored(
    tmp_path: Path, refused: Sequence[str], told: str | None, wanted: dict[str, object]
) -> None:
    async with running(tmp_path / "s.db", Script().always(ANSWER)) as (runtime, _):
        caller = runtime.router.caller
        caller.ledger = Refusing(caller.ledger, refused)  # type: ignore[assignment]
        events = await events_of(runtime, ask(**wanted))
        check(events)
    notes = completed(events).note
    assert notes.count(SAID) == (told is not None)
    assert ("cannot write what was" in notes) is (told is not None)
    assert told is None or f"what was {told};" in notes


class SpaceForReservations:
    """The ledger on a disk that is full after each of them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)

    async def sent(self, reservation: Reservation) -> None:
        raise StoreError(None, "cannot be written", "make room")


async def test_nothing_goes_out_that_could_not_be_said_to_go_out(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        caller = runtime.router.caller
        caller.ledger = SpaceForReservations(caller.ledger)  # type: ignore[assignment]
        for request in (ask(chain=(PRO, DASH)), ask(strategy=Strategy.ENSEMBLE, id="2")):
            events = await events_of(runtime, request)
            check(events)
            assert "cannot be written" in failed(events).error.message
        assert servers.exchanges == []
        assert {row.cost.amount for row in await runtime.reports.attempts("2")} == {ZERO}
        assert await reserved(runtime) == 0


async def test_a_fallback_that_could_not_be_written_down_is_not_called(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(Reply(404))) as (runtime, servers):
        breaks_at(runtime, AttemptFailed)
        events = await events_of(runtime, ask(chain=(PRO, DASH)))
        check(events)
        assert walked(events) == ["first rush-pro"]
        assert failed(events).error.kind is ErrorKind.NOT_FOUND
        assert SAID in failed(events).note
        assert len(servers.exchanges) == 1


async def test_a_verdict_is_reached_without_the_judge_that_could_not_be_written_down(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(ANSWER)) as (runtime, _):
        breaks_at(runtime, Text, attempts=3)  # all have been sent by then
        events = await events_of(runtime, ask(strategy=Strategy.ENSEMBLE, verdict=Method.JUDGE))
        check(events)
        assert completed(events).response == ANSWER.text
        assert "no judge: " in completed(events).note
        assert all(start.cause == "ensemble" for start in only(events, AttemptStarted))


async def test_a_conversation_goes_on_and_is_stored_as_soon_as_it_can_be(tmp_path: Path) -> None:
    script = Script().then(ANSWER, "rush-pro").then(Say(text="And so on."), "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        chat = Chat.new(runtime)
        breaks_at(runtime, Text)
        events = await say(chat, PROMPT)
        assert completed(events).response == ANSWER.text
        assert completed(events).note.count(SAID) == 1
        runtime.router.listeners.pop()
        await mend(runtime)
        assert not completed(await say(chat, "Go on.")).note
        sent = [message["content"] for message in asked(servers, "rush-pro")[-1].body["messages"]]
        assert sent == [PROMPT, ANSWER.text, "Go on."]
        kept = await runtime.conversations.get(chat.id)
        assert [message.text for message in kept.messages] == [*sent, "And so on."]
        assert [message.state for message in kept.messages] == ["complete"] * 4


async def test_a_prompt_that_could_not_be_stored_is_with_the_turn_after_it(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().then(ANSWER, "rush-pro")) as (runtime, _):
        chat = Chat.new(runtime)
        await runtime.database.write(lock)
        refused = await say(chat, PROMPT)
        assert "cannot be written" in failed(refused).error.message
        await mend(runtime)
        assert completed(await say(chat, "Again.")).response == ANSWER.text
        kept = await runtime.conversations.get(chat.id)
        assert [(message.role, message.text) for message in kept.messages] == [
            ("user", PROMPT),
            ("assistant", ""),
            ("user", "Again."),
            ("assistant", ANSWER.text),
        ]


async def test_a_decision_is_made_from_memory_when_the_store_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):

        async def damaged(work: object, **_: object) -> None:
            raise StoreError(runtime.database.path, "is damaged", "move it away to start afresh")

        monkeypatch.setattr(runtime.database, "read", damaged)
        monkeypatch.setattr(runtime.database, "write", damaged)
        events = await events_of(runtime, ask(model=PRO))
        check(events)
        assert "is damaged" in failed(events).error.message
        assert servers.exchanges == []


async def say(chat: Chat, prompt: str) -> list[Event]:
    async with chat.send(chat.request(prompt, options=Options(model=PRO))) as turn:
        events = [event async for event in turn]
    check(events)
    return events
