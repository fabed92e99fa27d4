"""All conversations together: listed, found, copied, deleted, brought back."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.money import Cost, CostState, Money
from tui_orchestrator.routing.request import Image, Message
from tui_orchestrator.storage.archive import Archive, Found
from tui_orchestrator.storage.conversations import Conversations, Session
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger
from tui_orchestrator.storage.messages import Discarded
from tui_orchestrator.storage.search import Query, snippet

from .samples import ATTEMPT

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def conversations(db: Database, clock: ManualClock) -> Conversations:
    return Conversations(db, clock)


@pytest.fixture
def archive(db: Database, clock: ManualClock) -> Archive:
    return Archive(db, clock)


async def said(conversations: Conversations, *texts: str, title: str = "", tags: str = "") -> Session:
    """A session of prompts and answers in turn; each session's last second is its own."""
    session = conversations.new(title, tags=frozenset(tags.split()))
    await conversations.keep(session)
    for number, text in enumerate(texts):
        request = f"{session.id}-{number // 2}"
        if number % 2:
            await conversations.answer(session.id, request, text, model=f"openai/m{number // 2}", attempt=1)
        else:
            await conversations.prompt(session.id, Message("user", text), request)
    conversations._clock.advance(60)  # type: ignore[attr-defined]
    return session


async def titles(archive: Archive, **how: object) -> list[str]:
    return [listed.session.title for listed in await archive.page(**how)]  # type: ignore[arg-type]


async def test_pinned_ones_come_first_then_the_last_used(conversations: Conversations, archive: Archive) -> None:
    first = await said(conversations, title="first")
    await said(conversations, title="second", tags="work")
    await said(conversations, title="third", tags="work deep")
    await conversations.pin(first.id, True)
    assert await titles(archive) == ["first", "third", "second"]
    assert await titles(archive, limit=2) == ["first", "third"]
    assert await titles(archive, limit=2, offset=2) == ["second"]
    assert await titles(archive, tags=["work"]) == ["third", "second"]
    assert await titles(archive, tags=["work", "deep"]) == ["third"]
    assert dict(await archive.tags()) == {"work": 2, "deep": 1}
    assert await archive.count() == 3


async def test_a_list_tells_messages_models_and_what_they_cost(
    conversations: Conversations, archive: Archive, db: Database, clock: ManualClock
) -> None:
    session = await said(conversations, "a", "b", "c", "d")
    free = await said(conversations, "a")
    ledger = SqliteLedger(db, clock)
    costs = (
        Cost(Money.from_usd("0.25"), CostState.COMPUTED),
        Cost(Money.from_usd("0.50"), CostState.ESTIMATED),
        Cost(None, CostState.UNKNOWN),
    )
    for number, cost in enumerate(costs, 1):
        await ledger.book(replace(ATTEMPT, session=session.id, number=number, cost=cost), None)
    listed = await archive.listed(session.id)
    assert (listed.session.messages, listed.models) == (4, ("openai/m0", "openai/m1"))
    assert (listed.cost, listed.estimated, listed.unknown) == (Money.from_usd("0.75"), True, 1)
    nothing = await archive.listed(free.id)
    assert (nothing.models, nothing.cost, nothing.unknown) == ((), Money(), 0)


async def found(archive: Archive, typed: str) -> list[Found]:
    return list(await archive.find(typed))


async def test_search_finds_titles_first_then_what_was_said_with_its_place(
    conversations: Conversations, archive: Archive
) -> None:
    await said(conversations, "how do I MERGE two lists?", "zip and merge them", title="Lists")
    await said(conversations, "nothing of it", title="Merge sort")
    titled, spoken = await found(archive, "merge")
    assert (titled.listed.session.title, titled.marks, titled.place) == ("Merge sort", ((0, 5),), None)
    assert spoken.place is not None
    assert (spoken.place.role, spoken.place.position, spoken.place.messages) == ("assistant", 1, 2)
    text, marks = spoken.place.snippet.text, spoken.place.snippet.marks
    assert [text[start:end] for start, end in marks] == ["merge"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("sort", ["numbers", "words"]),
        ("lists merge", ["words"]),
        ("lists value", []),
        ('"two sorted"', ["words"]),
        ('"sorted two"', []),
        ("0% of_", ["numbers"]),
        ("100_", []),
        ("两个列表", ["chinese"]),
        ("序", ["chinese"]),
        ("排序", ["chinese"]),
        ("tw", ["words"]),
        ("ÜBER", ["german"]),
        ("ÜB", ["german"]),
        ('"', []),
        ('x"; DROP TABLE messages --', []),
        ("* AND NEAR(", []),
        ("#de", ["german"]),
        ("#de über", ["german"]),
        ("#de sorted", []),
    ],
)
async def test_what_a_search_finds(
    conversations: Conversations, archive: Archive, typed: str, expected: list[str]
) -> None:
    await said(conversations, "Merge two SORTED lists", title="words")
    await said(conversations, "sort by 100% of_value", title="numbers")
    await said(conversations, "排序两个列表", title="chinese")
    await said(conversations, "alles über Bäume", title="german", tags="de")
    if typed == '"':
        expected = ["german", "chinese", "numbers", "words"]  # nothing was asked: all of them
    assert [one.listed.session.title for one in await found(archive, typed)] == expected


async def test_search_finds_what_an_answer_says_now(conversations: Conversations, archive: Archive) -> None:
    session = await said(conversations, "which sort?")
    await conversations.answer(session.id, "r", "bubble sort", state="interrupted")
    await conversations.answer(session.id, "r", "merge sort")
    assert await found(archive, "bubble") == []
    assert len(await found(archive, "merge")) == 1


async def continued(conversations: Conversations) -> Session:
    """An answer in two parts, of which the second one came bit by bit."""
    session = await said(conversations, "How many?", "One, two, thr", title="counted")
    for text in ("ee", "ee, four, fi", "ee, four, five."):
        await conversations.answer(
            session.id, "later", text, model="openai/m0", attempt=1, state="interrupted", continues=f"{session.id}-0"
        )
    return session


@pytest.mark.parametrize("typed", ["two five", '"two, three, four"', "three", "wo ve", "fou"])
async def test_an_answer_that_was_continued_is_searched_as_one(
    conversations: Conversations, archive: Archive, typed: str
) -> None:
    session = await continued(conversations)
    (one,) = await found(archive, typed)
    assert one.place is not None
    assert one.place.request_id == f"{session.id}-0", "where the reader finds the answer"
    assert one.place.messages == 1


async def test_the_index_holds_what_the_answers_say_whatever_becomes_of_them(
    conversations: Conversations, archive: Archive, db: Database
) -> None:
    session = await continued(conversations)
    copy = await archive.fork(session.id)

    async def in_order() -> None:
        """Raises where the index is not that of the texts."""
        await db.write(
            lambda c: c.execute("INSERT INTO messages_text (messages_text, rank) VALUES ('integrity-check', 1)")
        )

    await in_order()
    assert {one.listed.session.id for one in await found(archive, '"three, four"')} == {session.id, copy.id}
    # Another model takes it over: what stands on both sides of the seam is not one word any more.
    await conversations.answer(session.id, "later", "ee!", model="other/m", attempt=2, continues=f"{session.id}-0")
    await in_order()
    assert [one.listed.session.id for one in await found(archive, "three")] == [copy.id]
    for gone in (session.id, copy.id):
        await archive.delete(gone)
        await archive.purge(gone)
    await in_order()
    assert (
        await db.read(lambda c: c.execute("SELECT rowid FROM messages_text WHERE messages_text MATCH 'two'").fetchall())
        == []
    )


async def test_a_search_that_nobody_waits_for_ends(conversations: Conversations, archive: Archive) -> None:
    await said(conversations, "which sort?", title="x")
    assert await archive.find("sort", stopped=lambda: True) == ()


def test_a_snippet_is_one_line_around_the_words() -> None:
    text = "word " * 100 + "the\n\nneedle   in\x1b[31m hay " + "more " * 100
    piece = snippet(text, Query.of("needle hay"))
    assert piece.text.startswith("…word")
    assert "the needle in[31m hay more" in piece.text
    assert piece.text.endswith("…")
    assert [piece.text[start:end] for start, end in piece.marks] == ["needle", "hay"]


async def test_a_fork_is_a_copy_that_goes_on_by_itself(conversations: Conversations, archive: Archive) -> None:
    session = await said(conversations, "one", "eins", "two", "zwei", title="Count", tags="work")
    await conversations.prompt(session.id, Message("user", "see", (Image("image/png", PNG, "a.png"),)), "r9")
    await conversations.discard(session.id, Discarded("r9", 1, "m", "half", "", "why"))
    whole = await archive.fork(session.id)
    part = await archive.fork(session.id, 1)
    assert (whole.title, whole.origin, whole.origin_title, whole.tags) == (
        "Count (fork)",
        session.id,
        "Count",
        {"work"},
    )
    copied, original = await conversations.get(whole.id), await conversations.get(session.id)
    assert copied.messages == original.messages
    assert copied.discarded == original.discarded
    assert [message.text for message in (await conversations.get(part.id)).messages] == ["one", "eins"]
    await conversations.prompt(part.id, Message("user", "drei?"), "r10")
    assert (await conversations.get(session.id)).messages == original.messages
    assert (await archive.fork(whole.id)).title == "Count (fork)"


async def test_a_deleted_session_is_gone_and_comes_back_whole(
    conversations: Conversations, archive: Archive, clock: ManualClock
) -> None:
    session = await said(conversations, "a secret", "kept", title="Secret")
    before = await conversations.get(session.id)
    await archive.delete(session.id)
    assert await titles(archive) == []
    assert await found(archive, "secret") == []
    assert await conversations.latest() is None
    with pytest.raises(LookupError, match="there is no session"):
        await conversations.get(session.id)
    with pytest.raises(LookupError, match="there is no session"):
        await archive.delete(session.id)
    assert await titles(archive, deleted=True) == ["Secret"]
    await archive.restore(session.id[:9])
    assert await conversations.get(session.id) == before
    with pytest.raises(LookupError, match="no deleted session"):
        await archive.restore(session.id)


async def test_what_was_deleted_is_purged_after_a_day(
    conversations: Conversations, archive: Archive, clock: ManualClock
) -> None:
    session = await said(conversations, "a secret")
    await archive.delete(session.id)
    clock.advance(timedelta(hours=23).total_seconds())
    assert await archive.purge_old() == 0
    clock.advance(timedelta(hours=2).total_seconds())
    assert await archive.purge_old() == 1
    assert await titles(archive, deleted=True) == []


async def test_a_session_someone_goes_on_with_is_not_deleted_any_more(
    conversations: Conversations, archive: Archive
) -> None:
    session = await said(conversations, "one", "eins", title="Count")
    await archive.delete(session.id)
    await conversations.prompt(session.id, Message("user", "two"), "r2")
    assert [message.text for message in (await conversations.get(session.id)).messages] == ["one", "eins", "two"]


async def test_a_purged_session_leaves_no_text_in_the_file(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "purged.db"
    async with Database(path) as db:
        conversations, archive = Conversations(db, clock), Archive(db, clock)
        session = conversations.new()
        await conversations.keep(session)
        picture = Image("image/png", PNG + b"hush-picture" * 500)
        await conversations.prompt(session.id, Message("user", "hush-prompt " * 500, (picture,)), "r1")
        await conversations.answer(session.id, "r1", "hush-answer", thinking="hush-thinking")
        await conversations.discard(session.id, Discarded("r1", 1, "m", "hush-discarded", "", "why"))
        await conversations.save_draft(session.id, "hush-draft")
        clock.advance(1)
        other = await said(conversations, "what else?", "this")
        await archive.purge(session.id)
        assert await conversations.prompts() == ("what else?",)
        assert len((await conversations.get(other.id)).messages) == 2

        def rows(connection: sqlite3.Connection) -> list[int]:
            tables = ("images", "discarded", "drafts", "session_tags")
            counts = [connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables]
            hits = connection.execute("SELECT rowid FROM messages_text WHERE messages_text MATCH 'hus'").fetchall()
            return [*counts, len(hits)]

        assert await db.read(rows) == [0, 0, 0, 0, 0]
    assert b"hush" not in path.read_bytes()


async def test_prompts_of_a_deleted_session_are_in_the_history_again_when_it_is_back(
    conversations: Conversations, archive: Archive
) -> None:
    session = await said(conversations, "one", "eins")
    await said(conversations, "other")
    fork = await archive.fork(session.id)

    async def seen() -> tuple[tuple[str, ...], list[str]]:
        past = await conversations.find_prompts("", 5, lambda: False)
        return await conversations.prompts(), [one.snippet.text for one in past]

    await archive.delete(session.id)
    assert await seen() == (("other", "one"), ["other", "one"]), "its copy still holds it"
    await archive.delete(fork.id)
    assert await seen() == (("other",), ["other"])
    await archive.restore(session.id)
    assert await seen() == (("other", "one"), ["other", "one"])


async def test_the_history_keeps_the_prompts_of_an_original_whose_fork_is_purged(
    conversations: Conversations, archive: Archive
) -> None:
    session = await said(conversations, "one", "eins")
    fork = await archive.fork(session.id)
    await conversations.prompt(fork.id, Message("user", "two"), "r2")
    await archive.purge(fork.id)
    assert await conversations.prompts() == ("one",)
    await archive.purge(session.id)
    assert await conversations.prompts() == ()


async def test_a_session_of_many_messages_can_be_deleted(conversations: Conversations, archive: Archive) -> None:
    session = await said(conversations, *(["again", "and again"] * 1_200))
    await archive.purge(session.id)
    assert await titles(archive) == []


async def test_two_copies_of_the_program_lose_nothing(tmp_path: Path, clock: ManualClock) -> None:
    async with Database(tmp_path / "s.db") as one, Database(tmp_path / "s.db") as other:
        here, there = Archive(one, clock), Archive(other, clock)
        session = await said(Conversations(one, clock), "one", "eins", title="Count")

        async def write(db: Database, archive: Archive, mark: str) -> None:
            conversations = Conversations(db, clock)
            for number in range(20):
                await conversations.tag(session.id, [f"{mark}{number}"])
                await conversations.prompt(session.id, Message("user", f"{mark}{number}"), f"{mark}{number}")
                await archive.fork(session.id, 1)

        await asyncio.gather(write(one, here, "a"), write(other, there, "b"))
        kept = await Conversations(other, clock).get(session.id)
        assert len(kept.session.tags) == 40
        assert [message.position for message in kept.messages] == list(range(42))
        assert await here.count() == await there.count() == 41


async def test_the_same_file_twice_stays_one_session(conversations: Conversations, archive: Archive) -> None:
    session = await said(conversations, "one", "eins", title="Count")
    stored = await conversations.get(session.id)
    assert await archive.take_in(stored, "digest", {}) == (stored.session, False)
    await conversations.prompt(session.id, Message("user", "two"), "r2")
    again, new = await archive.take_in(stored, "digest", {})
    assert (again.id, new, again.messages) == (session.id, False, 3)
    await archive.delete(session.id)
    back, new = await archive.take_in(stored, "digest", {"r1": [{"model": "m"}]})
    assert (back.id, new, back.messages) == (session.id, True, 2)
    assert await archive.attempts_elsewhere(back.id) == {"r1": [{"model": "m"}]}


async def test_an_id_that_another_conversation_has_is_not_taken_from_it(
    conversations: Conversations, archive: Archive
) -> None:
    mine = await said(conversations, "mine", title="Mine")
    theirs = await conversations.get((await said(conversations, "theirs", title="Theirs")).id)
    await archive.purge(theirs.session.id)
    clash = replace(theirs, session=replace(theirs.session, id=mine.id))
    came, new = await archive.take_in(clash, "d", {})
    assert (new, came.title) == (True, "Theirs")
    assert came.id != mine.id
    assert (await conversations.get(mine.id)).session.title == "Mine"
    assert await archive.take_in(clash, "d", {}) == (came, False)
