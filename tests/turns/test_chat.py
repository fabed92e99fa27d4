"""A conversation: stored as it goes, sent whole, whoever answers."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import AttemptStarted, Event, Text
from tui_orchestrator.routing.request import Request, Strategy
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.storage.conversations import Conversation

from .conftest import PROMPT, running
from .grammar import check
from .reading import asked, completed, failed, text_of

DASH, PRO, MAX = "demo-gemini/lumen-dash", "demo-openai/rush-pro", "demo-anthropic/tern-max"
DOUBT = Say(text="I'm not sure. I might be wrong, perhaps it could be this, I don't really know, maybe.")


async def say(chat: Chat, prompt: str, **options: object) -> list[Event]:
    async with chat.send(chat.request(prompt, options=Options(**options))) as turn:  # type: ignore[arg-type]
        events = [event async for event in turn]
    check(events)
    return events


async def stored(runtime: Runtime, chat: Chat) -> Conversation:
    return await runtime.conversations.get(chat.id)


async def test_a_session_that_was_never_used_leaves_nothing(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        Chat.new(runtime)
        assert await runtime.conversations.recent() == ()


async def test_the_prompt_is_stored_before_anything_is_called(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        chat = Chat.new(runtime)
        async with chat.send(chat.request(PROMPT, options=Options(model=DASH))) as turn:
            async for event in turn:
                if isinstance(event, AttemptStarted):
                    before = await stored(runtime, chat)
                    break
        assert [(m.role, m.text) for m in before.messages if m.role == "user"] == [("user", PROMPT)]
        assert (await runtime.conversations.prompts())[0] == PROMPT


async def test_what_is_asked_and_answered_is_kept_whole(tmp_path: Path) -> None:
    script = Script().then(Say(text="Two heads, compared in turn.", thinking="Let me see."), "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime, system="Be kind.")
        await say(chat, PROMPT, model=PRO)
        kept = await stored(runtime, chat)
    prompt, answer = kept.messages
    assert (prompt.role, prompt.text, prompt.state) == ("user", PROMPT, "complete")
    assert (answer.role, answer.text, answer.thinking) == ("assistant", "Two heads, compared in turn.", "Let me see.")
    assert (answer.state, answer.model, answer.attempt) == ("complete", PRO, 1)
    assert kept.session.system == "Be kind."
    assert kept.session.title == PROMPT
    assert kept.discarded == ()


async def test_a_growing_answer_is_on_disk_as_interrupted(tmp_path: Path) -> None:
    script = Script().always(Break("silence", Phase.BEFORE_END), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        assert isinstance(runtime.clock, ManualClock)
        chat, seen = Chat.new(runtime), 0
        runtime.subscribe(lambda event: runtime.clock.advance(1) if isinstance(event, Text) else None)  # type: ignore[attr-defined]
        async with chat.send(chat.request(PROMPT, options=Options(model=DASH))) as turn:
            events: list[Event] = []
            async for event in turn:
                events.append(event)
                if isinstance(event, Text):
                    seen += 1
                    answer = (await stored(runtime, chat)).messages[1]
                    assert answer.state == "interrupted"
                    # What was read is on disk already: the store was first.
                    assert answer.text.startswith(text_of(events, 1))
                if seen == 5:
                    break
        after = (await stored(runtime, chat)).messages[1]
    assert (after.state, after.model) == ("interrupted", DASH)
    assert after.text


async def test_a_store_that_another_program_holds_does_not_keep_the_text_back(tmp_path: Path) -> None:
    script = Script().always(Break("silence", Phase.BEFORE_END), "lumen-dash")
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    async with running(tmp_path / "s.db", script) as (runtime, _):
        assert isinstance(runtime.clock, ManualClock)
        runtime.database.turn.longest_s = 600
        chat, seen = Chat.new(runtime), 0
        runtime.subscribe(lambda event: runtime.clock.advance(1) if isinstance(event, Text) else None)  # type: ignore[attr-defined]
        async with chat.send(chat.request(PROMPT, options=Options(model=DASH))) as turn:
            try:
                async with asyncio.timeout(60):
                    async for event in turn:
                        seen += isinstance(event, Text)
                        if seen == 1 and not other.in_transaction:
                            other.execute("BEGIN EXCLUSIVE")
                        if seen == 5:
                            break
            finally:
                other.execute("COMMIT")
        answer = (await stored(runtime, chat)).messages[1]
    assert (answer.state, answer.model) == ("interrupted", DASH)
    assert answer.text
    other.close()


async def test_text_that_was_thrown_away_is_kept_with_the_reason(tmp_path: Path) -> None:
    broken = Break("close", Phase.MID_STREAM)
    script = Script().then(broken, "rush-pro").then(DOUBT, "lumen-dash").then(Reply(404), "tern-lite")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime)
        events = await say(chat, PROMPT, chain=(PRO, DASH, MAX))
        kept = await stored(runtime, chat)
    first, second = kept.discarded
    assert (first.attempt, first.model, first.text) == (1, PRO, text_of(events, 1))
    assert "broke off" in first.why or "closed" in first.why
    assert (second.attempt, second.text) == (2, text_of(events, 2))
    assert "< 0.60" in second.why
    assert kept.messages[1].text == completed(events).response == text_of(events, 3)


async def test_an_ensembles_other_answers_are_kept_too(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        chat = Chat.new(runtime)
        events = await say(chat, PROMPT, strategy=Strategy.ENSEMBLE)
        kept = await stored(runtime, chat)
    winner = completed(events).attempt
    assert [m.attempt for m in kept.messages if m.role == "assistant"] == [winner]
    assert {d.attempt for d in kept.discarded} == {1, 2, 3} - {winner}
    assert {d.why for d in kept.discarded} == {"another answer was chosen"}


async def test_the_whole_conversation_goes_along_when_the_model_changes(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        chat = Chat.new(runtime)
        first = completed(await say(chat, PROMPT, model=DASH)).response
        second = completed(await say(chat, "Why?", model=PRO)).response
        resumed = await Chat.resume(runtime, chat.id[:8])
        await say(resumed, "Shorter.", model=MAX)
        sent = asked(servers, "tern-max")[0].body["messages"]
    roles = [message["role"] for message in sent]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
    said = [_flat(message["content"]) for message in sent]
    assert said == [PROMPT, first, "Why?", second, "Shorter."]


def _flat(content: object) -> str:
    return content if isinstance(content, str) else "".join(block["text"] for block in content)  # type: ignore[attr-defined]


def _texts(request: Request) -> list[str]:
    return [message.text for message in request.messages]


async def test_a_turn_that_failed_is_left_out_of_the_next_request_and_stays_visible(tmp_path: Path) -> None:
    script = Script().then(Break("close", Phase.MID_STREAM), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime)
        events = await say(chat, PROMPT, model=DASH)
        assert failed(events).error.kind is ErrorKind.STREAM_BROKEN
        assert _texts(chat.request("Again?")) == ["Again?"]
        assert _texts((await Chat.resume(runtime)).request("Again?")) == ["Again?"]
        answer = (await stored(runtime, chat)).messages[1]
    assert (answer.state, answer.text) == ("failed", failed(events).partial)
    assert answer.text


async def test_a_refused_turn_leaves_its_prompt(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        chat = Chat.new(runtime)
        events = await say(chat, PROMPT, model="x/gone")
        assert failed(events).error.kind is ErrorKind.NO_CANDIDATE
        kept = (await stored(runtime, chat)).messages
    assert [(m.role, m.state) for m in kept] == [("user", "complete"), ("assistant", "failed")]


@pytest.mark.parametrize("resumed", [False, True])
async def test_what_a_cancelled_turn_had_said_is_part_of_the_conversation(tmp_path: Path, resumed: bool) -> None:
    script = Script().then(Break("silence", Phase.MID_STREAM), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime)
        async with chat.send(chat.request(PROMPT, options=Options(model=DASH))) as turn:
            events: list[Event] = []
            async for event in turn:
                events.append(event)
                if isinstance(event, Text):
                    turn.cancel()
        partial = failed(events).partial
        assert partial
        again = await Chat.resume(runtime, chat.id) if resumed else chat
        assert _texts(again.request("Go on.")) == [PROMPT, partial, "Go on."]
        assert (await stored(runtime, chat)).messages[1].state == "interrupted"


@pytest.mark.parametrize("resumed", [False, True])
async def test_an_empty_answer_is_not_sent_along(tmp_path: Path, resumed: bool) -> None:
    script = Script().then(Say(text=""), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime)
        assert completed(await say(chat, PROMPT, model=DASH)).response == ""
        again = await Chat.resume(runtime, chat.id) if resumed else chat
        assert _texts(again.request("Well?")) == ["Well?"]


async def test_an_empty_prompt_leaves_no_session(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        failed(await say(Chat.new(runtime), "  "))
        assert await runtime.conversations.recent() == ()


async def test_a_reader_that_goes_away_leaves_what_had_come(tmp_path: Path) -> None:
    script = Script().then(Break("silence", Phase.MID_STREAM), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime)
        async with chat.send(chat.request(PROMPT, options=Options(model=DASH))) as turn:
            async for event in turn:
                if isinstance(event, Text):
                    break
        answer = (await stored(runtime, chat)).messages[1]
    assert answer.state == "interrupted"
    assert answer.text


async def test_resuming_says_what_is_not_there(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        with pytest.raises(LookupError, match="no earlier session"):
            await Chat.resume(runtime)
        with pytest.raises(LookupError, match="sessions list"):
            await Chat.resume(runtime, "zzz")


async def test_the_users_wishes_are_in_the_request(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        chat = Chat.new(runtime, system="Be kind.")
        request = chat.request("Hi", files=("a.txt",), options=Options(strategy=Strategy.QUALITY, system="Be brief."))
        plain = chat.request("Hi")
    assert (request.strategy, request.system, request.session) == (Strategy.QUALITY, "Be brief.", chat.id)
    assert request.files == ("a.txt",)
    assert (plain.system, plain.strategy) == ("Be kind.", None)
