from __future__ import annotations

from pathlib import Path

import pytest

from tests.clock import ManualClock
from tests.warm import Program
from tui_orchestrator.routing.request import Image, Message
from tui_orchestrator.storage.conversations import Conversations, Session
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.drafts import KeptDraft
from tui_orchestrator.storage.messages import Discarded


@pytest.fixture
def conversations(db: Database, clock: ManualClock) -> Conversations:
    return Conversations(db, clock)


async def kept(conversations: Conversations, title: str = "", **said: str) -> Session:
    session = conversations.new(title, **said)
    await conversations.keep(session)
    return session


async def ask(conversations: Conversations, session: str, text: str, request_id: str) -> None:
    await conversations.prompt(session, Message("user", text), request_id)


async def test_a_conversation_comes_back_in_order_with_its_pictures(
    conversations: Conversations, clock: ManualClock
) -> None:
    session = await kept(conversations, strategy="quality", model="openai/large", system="be brief")
    pictures = (Image("image/png", b"\x89PNG\x00", "a.png"), Image("image/jpeg", b"\xff\xd8", "b.jpg"))
    await conversations.prompt(session.id, Message("user", "what is this?", pictures), "r1")
    clock.advance(5)
    await conversations.answer(session.id, "r1", "a cat", thinking="whiskers", model="openai/large", attempt=2)
    await ask(conversations, session.id, "and that?", "r2")

    found = await conversations.get(session.id)
    assert [(m.position, m.role, m.text, m.state) for m in found.messages] == [
        (0, "user", "what is this?", "complete"),
        (1, "assistant", "a cat", "complete"),
        (2, "user", "and that?", "complete"),
    ]
    assert found.messages[0].message() == Message("user", "what is this?", pictures)
    answer = found.messages[1]
    assert (answer.thinking, answer.model, answer.attempt, answer.request_id) == ("whiskers", "openai/large", 2, "r1")
    assert (found.session.strategy, found.session.model, found.session.system) == (
        "quality",
        "openai/large",
        "be brief",
    )
    assert (found.session.created, found.session.updated, found.session.messages) == (session.created, clock.now(), 3)


async def test_tags_are_kept_added_and_taken_away(conversations: Conversations) -> None:
    session = conversations.new(tags=frozenset({"work"}))
    await conversations.keep(session)
    await conversations.keep(conversations.new())
    await conversations.tag(session.id, ["work", "client a"])
    assert (await conversations.get(session.id)).session.tags == {"work", "client a"}
    await conversations.tag(session.id, ["home"], remove=["work", "never"])
    assert {found.tags for found in await conversations.recent()} == {frozenset(), frozenset({"client a", "home"})}


async def test_the_first_prompt_gives_a_title_unless_there_is_one(conversations: Conversations) -> None:
    named, unnamed = await kept(conversations, "Cats"), await kept(conversations)
    for session in (named, unnamed):
        await ask(conversations, session.id, "what\nis   a cat? " * 20, f"{session.id}-1")
        await ask(conversations, session.id, "and a dog?", f"{session.id}-2")
    assert (await conversations.get(named.id)).session.title == "Cats"
    title = (await conversations.get(unnamed.id)).session.title
    assert title == "What is a cat? what is a cat? what is a cat? what is a cat?…"


async def test_a_users_own_title_stays_and_an_empty_one_is_made_again(conversations: Conversations) -> None:
    session = await kept(conversations)
    await ask(conversations, session.id, "Please explain B-trees", "r1")
    assert await conversations.rename(session.id, "Trees") == "Trees"
    await ask(conversations, session.id, "and red-black ones?", "r2")
    assert (await conversations.get(session.id)).session.title == "Trees"
    assert await conversations.rename(session.id, " ") == "Explain B-trees"


async def test_a_session_is_pinned_and_given_a_system_text_and_a_persona(conversations: Conversations) -> None:
    session = await kept(conversations)
    await conversations.pin(session.id, True)
    await conversations.instruct(session.id, system="be \x1bbrief", persona="poet")
    found = (await conversations.get(session.id)).session
    assert (found.pinned, found.system, found.persona) == (True, "be brief", "poet")
    await conversations.choose(session.id, strategy=None, model=None, own_way=True)
    assert (await conversations.get(session.id)).session.own_way is True
    await conversations.instruct(session.id, system="", persona="pirate")
    assert (await conversations.get(session.id)).session.own_way is False
    await conversations.pin(session.id, False)
    assert not (await conversations.get(session.id)).session.pinned


async def test_a_temporary_session_cannot_be_stored(conversations: Conversations) -> None:
    with pytest.raises(ValueError, match="never stored"):
        await conversations.keep(conversations.new(temporary=True))
    assert await conversations.recent() == ()


async def test_the_last_used_session_comes_first(conversations: Conversations, clock: ManualClock) -> None:
    assert await conversations.latest() is None
    made = []
    for title in "abc":
        made.append(await kept(conversations, title))
        clock.advance(1)
    await ask(conversations, made[1].id, "hello", "r1")
    assert [session.title for session in await conversations.recent()] == ["b", "c", "a"]
    latest = await conversations.latest()
    assert latest is not None
    assert latest.title == "b"


async def test_ids_are_short_and_sort_by_time(conversations: Conversations, clock: ManualClock) -> None:
    ids = []
    for _ in range(40):
        ids.append((await kept(conversations)).id)
        clock.advance(0.001)
    assert {len(id_) for id_ in ids} == {10}
    assert ids == sorted(ids)
    assert len(set(ids)) == 40


async def test_the_beginning_of_an_id_will_do_where_it_fits_one_session(
    conversations: Conversations, clock: ManualClock
) -> None:
    first = await kept(conversations, "first")
    clock.advance(3600)
    second = await kept(conversations, "second")
    shared = next(n for n in range(10) if first.id[n] != second.id[n])
    assert (await conversations.get(second.id[: shared + 1].upper())).session.title == "second"
    with pytest.raises(LookupError, match=f"begins several sessions: {first.id}, {second.id}"):
        await conversations.get(first.id[:shared])
    for wrong in ("zzz", "", "%", "_", "\x1b[2J"):
        with pytest.raises(LookupError, match=r"there is no session .*; `sessions list` shows"):
            await conversations.get(wrong)


async def test_an_answer_that_grew_is_one_message(conversations: Conversations) -> None:
    session = await kept(conversations)
    await ask(conversations, session.id, "count", "r1")
    for so_far in ("one", "one two"):
        await conversations.answer(session.id, "r1", so_far, state="interrupted")
        assert [m.text for m in (await conversations.get(session.id)).messages] == ["count", so_far]
    assert (await conversations.get(session.id)).messages[1].state == "interrupted"
    await conversations.answer(session.id, "r1", "one two three", model="openai/small", attempt=1)
    (_, answer) = (await conversations.get(session.id)).messages
    assert (answer.text, answer.state, answer.model) == ("one two three", "complete", "openai/small")


KILLED = """
import asyncio, sys
from pathlib import Path
from tests.clock import ManualClock
from tui_orchestrator.routing.request import Message
from tui_orchestrator.storage.conversations import Conversations
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.drafts import KeptDraft
async def main():
    db = Database(Path(sys.argv[1]))
    await db.open()
    conversations = Conversations(db, ManualClock())
    session = conversations.new()
    await conversations.keep(session)
    await conversations.prompt(session.id, Message("user", "tell me a story"), "r1")
    await conversations.answer(session.id, "r1", "Once upon a", state="interrupted")
    print(session.id, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_a_killed_program_leaves_the_prompt_and_half_the_answer(
    conversations: Conversations, tmp_path: Path
) -> None:
    with Program("-c", KILLED, str(tmp_path / "store.db")) as process:
        session = process.stdout.readline().strip()
    found = await conversations.get(session)
    assert [(m.text, m.state) for m in found.messages] == [
        ("tell me a story", "complete"),
        ("Once upon a", "interrupted"),
    ]


async def test_what_was_discarded_is_kept_with_its_turn(conversations: Conversations) -> None:
    session, other = await kept(conversations), await kept(conversations)
    first = Discarded("r1", 1, "openai/small", "maybe", "hm", "0.41 < 0.60")
    again = Discarded("r1", 2, "local/free", "", "", "timeout")
    for each in (first, again, first):
        await conversations.discard(session.id, each)
    assert set((await conversations.get(session.id)).discarded) == {first, again}
    assert (await conversations.get(other.id)).discarded == ()


async def test_a_renamed_session_keeps_its_place(conversations: Conversations, clock: ManualClock) -> None:
    session = await kept(conversations, "old")
    clock.advance(1)
    await conversations.rename(session.id, "new \x1b[31mname\n")
    await conversations.choose(session.id, strategy="cheapest", model=None)
    found = (await conversations.get(session.id)).session
    assert (found.title, found.strategy, found.model, found.updated) == (
        "new [31mname",
        "cheapest",
        None,
        session.updated,
    )


async def test_a_session_that_is_not_there_is_a_sentence(conversations: Conversations) -> None:
    discarded = Discarded("r1", 1, "m", "text", "", "why")
    for call in (
        conversations.get("0nowhere00"),
        conversations.rename("0nowhere00", "x"),
        conversations.choose("0nowhere00", strategy=None, model=None),
        conversations.pin("0nowhere00", True),
        conversations.instruct("0nowhere00", system="", persona=None),
        conversations.prompt("0nowhere00", Message("user", "x"), "r1"),
        conversations.answer("0nowhere00", "r1", "x"),
        conversations.discard("0nowhere00", discarded),
    ):
        with pytest.raises(LookupError, match="there is no session '0nowhere00'"):
            await call
    assert await conversations.prompts() == ()


async def test_prompts_are_remembered_once_in_a_row_over_all_sessions(conversations: Conversations) -> None:
    one, other = await kept(conversations), await kept(conversations)
    for number, (session, text) in enumerate([(one, "a"), (other, "a"), (one, "b"), (one, "a"), (one, "  ")]):
        await ask(conversations, session.id, text, f"r{number}")
    assert await conversations.prompts() == ("a", "b", "a")
    assert await conversations.prompts(1) == ("a",)


async def test_a_file_that_went_along_joins_no_history(conversations: Conversations) -> None:
    session = await kept(conversations)
    await conversations.prompt(session.id, Message("user", "Sum up @a.md\n\na.md:\nlong"), "r1", "Sum up @a.md")
    assert await conversations.prompts() == ("Sum up @a.md",)


async def test_every_prompt_ever_is_found_by_its_words_the_latest_first(conversations: Conversations) -> None:
    session = await kept(conversations)
    sent = ["Tell me of Zürich", "100% _sure_?", "tell ME more", "a" * 3000 + " far away", "tell ME more"]
    for number, text in enumerate([*sent, *(f"filler {n}" for n in range(50)), "tell ME more"]):
        await ask(conversations, session.id, text, f"r{number}")

    async def found(typed: str, limit: int = 100) -> list[str]:
        past = await conversations.find_prompts(typed, limit, lambda: False)
        return [await conversations.past_prompt(one.id) for one in past]

    assert await found("me tell") == ["tell ME more", "Tell me of Zürich"]
    assert await found("ZÜRICH") == ["Tell me of Zürich"]
    assert await found("% _") == ["100% _sure_?"]
    assert await found("no such") == []
    assert (await found("", 3)) == ["tell ME more", "filler 49", "filler 48"]
    (far,) = await conversations.find_prompts("far", 5, lambda: False)
    start, end = far.snippet.marks[0]
    assert far.snippet.text[start:end] == "far"
    assert len(far.head) == 2_000
    assert await conversations.find_prompts("tell", 5, lambda: True) == ()
    assert await conversations.past_prompt(10_000) == ""


async def test_a_draft_is_kept_until_it_is_sent_or_emptied(conversations: Conversations) -> None:
    session = await kept(conversations)
    assert (await conversations.draft(session.id)).text == ""
    for draft in ("half", "half a th"):
        await conversations.save_draft(session.id, draft)
        assert (await conversations.draft(session.id)).text == draft
    await conversations.save_draft("", "half")
    await ask(conversations, session.id, "half a thought", "r1")
    assert (await conversations.draft(session.id), await conversations.draft("")) == (KeptDraft(), KeptDraft())
    await conversations.save_draft(session.id, "what is typed already while")
    await conversations.save_draft("", "another")
    await ask(conversations, session.id, "another is on its way", "r2")
    assert (await conversations.draft(session.id)).text == "what is typed already while"
    assert (await conversations.draft("")).text == "another"
    await conversations.save_draft("", "not yet a session")
    assert (await conversations.draft("")).text == "not yet a session"
    await conversations.save_draft("", "")
    assert (await conversations.draft("")).text == ""


async def test_an_edit_is_kept_beside_the_draft_until_it_is_sent(conversations: Conversations) -> None:
    session = await kept(conversations)
    await ask(conversations, session.id, "what is a tree?", "r1")
    await conversations.save_draft(session.id, "and a wood?")
    await conversations.save_edit(session.id, "r1", "what is a bush?", [(8, 6, "⟦text 1: 6 B⟧")])
    assert await conversations.edit(session.id) == ("r1", KeptDraft("what is a bush?", ((8, 6, "⟦text 1: 6 B⟧"),)))
    assert await conversations.left_draft() == ("What is a tree?", "what is a bush?")
    await ask(conversations, session.id, "and a wood of them?", "r2")
    assert await conversations.edit(session.id) is not None
    await conversations.save_draft(session.id, "and a wood?")
    await conversations.prompt(session.id, Message("user", "what is a bush?"), "r3", instead="r1")
    assert await conversations.edit(session.id) is None
    assert await conversations.left_draft() == ("What is a tree?", "and a wood?")
    await conversations.save_edit("never-there", "r1", "what is a bush?")
    assert await conversations.edit("never-there") is None
    assert await conversations.drafts_left() == 1
    other = await kept(conversations)
    assert await conversations.drafts_left() == 1
    await conversations.save_edit(other.id, "r9", "what is a root?")
    assert await conversations.drafts_left() == 2


async def test_hostile_text_is_harmless_once_stored(conversations: Conversations) -> None:
    session = await kept(conversations, "t\x1b]0;x\x07", system="s\x00")
    await ask(conversations, session.id, "p\x1b[2J\udcff\x00", "r1")
    await conversations.answer(session.id, "r1", "a\x9b31m\u202e\nb", thinking="\x1bP")
    found = await conversations.get(session.id)
    assert [(m.text, m.thinking) for m in found.messages] == [("p[2J\ufffd", ""), ("a31m\nb", "P")]
    assert (found.session.title, found.session.system) == ("t]0;x", "s")
