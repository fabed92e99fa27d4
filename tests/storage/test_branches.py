"""A prompt that is edited begins a branch; the older one stays, and one can go back to it."""

from __future__ import annotations

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.request import Message
from tui_orchestrator.storage.archive import Archive
from tui_orchestrator.storage.conversations import Conversations
from tui_orchestrator.storage.database import Database


@pytest.fixture
async def conversations(db: Database, clock: ManualClock) -> Conversations:
    return Conversations(db, clock)


async def session_of(conversations: Conversations, *turns: str) -> str:
    session = conversations.new("tree")
    await conversations.keep(session)
    await said(conversations, session.id, *turns)
    return session.id


async def said(conversations: Conversations, session: str, *turns: str, instead: str | None = None) -> None:
    """Each turn's request is called as its prompt."""
    for turn in turns:
        await conversations.prompt(session, Message("user", turn), turn, instead=instead)
        await conversations.answer(session, turn, f"re {turn}", model="m", attempt=1)
        instead = None


async def branch(conversations: Conversations, session: str) -> list[str]:
    return [message.text for message in (await conversations.get(session)).messages]


async def test_a_prompt_in_place_of_another_begins_a_branch_before_it(conversations: Conversations) -> None:
    session = await session_of(conversations, "a", "b", "c")
    await said(conversations, session, "B", "d", instead="b")
    assert await branch(conversations, session) == ["a", "re a", "B", "re B", "d", "re d"]
    conversation = await conversations.get(session)
    assert [message.text for message in conversation.aside] == ["b", "re b", "c", "re c"]
    assert conversation.branches == {"b": ("b", "B"), "B": ("b", "B")}


async def test_the_first_prompt_can_be_edited_too(conversations: Conversations) -> None:
    session = await session_of(conversations, "a", "b")
    await said(conversations, session, "A", instead="a")
    await said(conversations, session, "AA", instead="A")
    assert await branch(conversations, session) == ["AA", "re AA"]
    assert (await conversations.get(session)).branches["a"] == ("a", "A", "AA")


async def test_one_can_go_back_and_on_from_there(conversations: Conversations) -> None:
    session = await session_of(conversations, "a", "b", "c")
    await said(conversations, session, "B", instead="b")
    await conversations.turn_to(session, "b")
    assert await branch(conversations, session) == ["a", "re a", "b", "re b", "c", "re c"]
    await said(conversations, session, "d")
    assert await branch(conversations, session) == ["a", "re a", "b", "re b", "c", "re c", "d", "re d"]
    await conversations.turn_to(session, "B")
    assert await branch(conversations, session) == ["a", "re a", "B", "re B"]


async def test_a_branch_is_turned_to_where_it_went_on_last(conversations: Conversations) -> None:
    session = await session_of(conversations, "a", "b")
    await said(conversations, session, "c", instead="b")
    await said(conversations, session, "A", instead="a")
    await conversations.turn_to(session, "a")
    assert await branch(conversations, session) == ["a", "re a", "c", "re c"]
    with pytest.raises(LookupError):
        await conversations.turn_to(session, "nothing")


async def test_an_answer_asked_again_on_an_older_branch_stays_on_it(conversations: Conversations) -> None:
    session = await session_of(conversations, "a")
    await said(conversations, session, "A", instead="a")
    await conversations.turn_to(session, "a")
    await conversations.answer(session, "again", "better", model="m", attempt=1)
    assert await branch(conversations, session) == ["a", "re a", "better"]


async def test_a_copy_has_all_branches_or_the_one_up_to_a_message(
    conversations: Conversations, db: Database, clock: ManualClock
) -> None:
    session = await session_of(conversations, "a", "b")
    await said(conversations, session, "B", "c", instead="b")
    await conversations.turn_to(session, "b")
    whole = await Archive(db, clock).fork(session)
    assert await branch(conversations, whole.id) == ["a", "re a", "b", "re b"]
    await conversations.turn_to(whole.id, "B")
    assert await branch(conversations, whole.id) == ["a", "re a", "B", "re B", "c", "re c"]
    assert await branch(conversations, session) == ["a", "re a", "b", "re b"]
    until = next(m.position for m in (await conversations.get(session)).aside if m.text == "re B")
    part = await Archive(db, clock).fork(session, until)
    assert await branch(conversations, part.id) == ["a", "re a", "B", "re B"]
    await said(conversations, part.id, "d")
    assert await branch(conversations, part.id) == ["a", "re a", "B", "re B", "d", "re d"]
