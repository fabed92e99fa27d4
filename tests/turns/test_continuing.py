"""Continuing an answer that was cut off: what comes joins it, in the conversation and in the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import Completed, Event
from tui_orchestrator.routing.events import Text as TextCame
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.turn import Turn
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.storage.answers import standing

from .conftest import PROMPT, running
from .grammar import check
from .reading import asked, completed, failed

PRO, MAX = "demo-openai/rush-pro", "demo-anthropic/tern-max"
HALF = Say(text="One, two,", finish="length")


async def read(turn: Turn) -> list[Event]:
    async with turn as events:
        told = [event async for event in events]
    check(told)
    return told


async def say(chat: Chat, prompt: str = PROMPT, **options: object) -> list[Event]:
    return await read(chat.send(chat.request(prompt, options=Options(**options))))  # type: ignore[arg-type]


async def go_on(chat: Chat, **options: object) -> list[Event]:
    return await read(chat.send_on(chat.going_on(Options(**options))))  # type: ignore[arg-type]


async def cancelled(chat: Chat, **options: object) -> list[Event]:
    turn = chat.send(chat.request(PROMPT, options=Options(**options)))  # type: ignore[arg-type]
    told = []
    async for event in turn:
        told.append(event)
        if isinstance(event, TextCame):
            turn.cancel()
    return told


def sent(chat: Chat) -> list[str]:
    return [message.text for message in chat.request("And?").messages]


async def test_what_was_cut_off_at_its_most_tokens_is_continued_by_the_same_model(tmp_path: Path) -> None:
    script = Script().then(HALF, "rush-pro").then(Say(text=" three."), "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        chat = Chat.new(runtime)
        await say(chat, model=PRO)
        told = await go_on(chat)
        assert completed(told).model == PRO
        body = asked(servers, "rush-pro")[-1].body["messages"]
        assert [one["role"] for one in body] == ["user", "assistant", "user"]
        assert body[1]["content"] == "One, two,"
        assert "exactly where it stopped" in body[2]["content"]
        stored = await runtime.conversations.get(chat.id)
        assert [(m.role, m.text, m.continues is not None) for m in stored.messages] == [
            ("user", PROMPT, False),
            ("assistant", "One, two,", False),
            ("assistant", " three.", True),
        ]
        ((_, answer),) = standing(stored.messages)
        assert answer is not None
        assert (answer.text, answer.state) == ("One, two, three.", "complete")
        for talk in (chat, await Chat.resume(runtime, chat.id)):
            assert sent(talk) == [PROMPT, "One, two, three.", "And?"]
            with pytest.raises(LookupError, match="nothing to continue"):
                talk.going_on()


async def test_it_can_be_continued_again_and_again_also_when_resumed(tmp_path: Path) -> None:
    more = Say(text=" and more", finish="length")
    async with running(tmp_path / "s.db", Script().then(HALF).always(more)) as (runtime, _):
        chat = Chat.new(runtime)
        await say(chat, model=PRO)
        await go_on(chat)
        await go_on(await Chat.resume(runtime, chat.id))
        resumed = await Chat.resume(runtime, chat.id)
        assert sent(resumed) == [PROMPT, "One, two, and more and more", "And?"]
        assert resumed.last is not None
        assert resumed.last.cut_off is not None


async def test_a_cancelled_answer_is_continued(tmp_path: Path) -> None:
    script = Script().then(Break("silence", Phase.MID_STREAM, Say(text="word " * 50))).always(Say(text="the end."))
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime)
        await cancelled(chat, model=PRO)
        assert chat.last is not None
        part = chat.last.response
        await go_on(chat)
        for talk in (chat, await Chat.resume(runtime, chat.id)):
            assert sent(talk) == [PROMPT, part + "the end.", "And?"]


async def test_an_answer_that_broke_off_is_continued(tmp_path: Path) -> None:
    script = Script().then(Break("close", Phase.MID_STREAM, Say(text="word " * 50)), "rush-pro")
    async with running(tmp_path / "s.db", script.then(Say(text="the end."), "rush-pro")) as (runtime, _):
        chat = Chat.new(runtime)
        failed(await say(chat, model=PRO, max_tokens=600))
        told = await go_on(await Chat.resume(runtime, chat.id))
        assert completed(told).response == "the end."
        ((_, answer),) = standing((await runtime.conversations.get(chat.id)).messages)
        assert answer is not None
        assert answer.state == "complete"
        assert answer.text.startswith("word ")
        assert answer.text.endswith("the end.")


async def test_another_model_takes_over_where_the_first_fails_and_the_text_says_so(tmp_path: Path) -> None:
    script = Script().then(HALF, "rush-pro").then(Reply(401), "rush-pro").always(Say(text="three."))
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime)
        await say(chat, model=PRO)
        told = completed(await go_on(chat))
        assert told.model != PRO
        name = told.model.partition("/")[2]
        assert sent(chat)[1] == f"One, two,\n\n*— continued by {name} —*\n\nthree."
        assert sent(await Chat.resume(runtime, chat.id)) == sent(chat)


async def test_a_model_that_is_named_is_the_one_that_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().then(HALF).always(Say(text="three."))) as (runtime, _):
        chat = Chat.new(runtime)
        await say(chat, model=PRO)
        assert completed(await go_on(chat, model=MAX)).model == MAX


async def test_a_continuation_that_brings_nothing_leaves_all_as_it_was(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().then(HALF).always(Reply(400))) as (runtime, _):
        chat = Chat.new(runtime)
        await say(chat, model=PRO)
        failed(await go_on(chat, model=PRO))
        for talk in (chat, await Chat.resume(runtime, chat.id)):
            assert sent(talk) == [PROMPT, "One, two,", "And?"]
            assert talk.going_on().continues


async def test_a_continuation_that_is_cut_off_itself_keeps_what_came(tmp_path: Path) -> None:
    script = Script().then(HALF).always(Break("silence", Phase.MID_STREAM, Say(text="word " * 50)))
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime)
        await say(chat, model=PRO)
        turn = chat.send_on(chat.going_on())
        async for event in turn:
            if isinstance(event, TextCame):
                turn.cancel()
        said = sent(chat)[1]
        assert said.startswith("One, two,word")
        resumed = await Chat.resume(runtime, chat.id)
        assert sent(resumed)[1] == said
        assert resumed.going_on().messages[-2].text == said


async def test_it_goes_through_the_budget(tmp_path: Path) -> None:
    budgets = Budgets(session=Money.from_usd("0.000001"))
    async with running(tmp_path / "s.db", Script().then(HALF)) as (runtime, servers):
        chat = Chat.new(runtime)
        await say(chat, model=PRO)
        runtime.router.budgets = budgets
        assert failed(await go_on(chat)).error.kind is ErrorKind.BUDGET_EXCEEDED
        assert len(asked(servers, "rush-pro")) == 1


async def test_a_weak_continuation_is_not_gone_on_from(tmp_path: Path) -> None:
    weak = Say(text="I am not sure, I might be wrong, perhaps it is three.")
    async with running(tmp_path / "s.db", Script().then(HALF).always(weak)) as (runtime, _):
        chat = Chat.new(runtime)
        await say(chat, model=PRO)
        told = await go_on(chat)
        end = told[-1]
        assert isinstance(end, Completed)
        assert len(end.attempts) == 1


async def test_a_whole_answer_has_nothing_to_continue(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(Say(text="Whole."))) as (runtime, _):
        chat = Chat.new(runtime)
        with pytest.raises(LookupError, match="nothing to continue"):
            chat.going_on()
        await say(chat, model=PRO)
        with pytest.raises(LookupError, match="nothing to continue"):
            chat.going_on()
        resumed = await Chat.resume(runtime, chat.id)
        with pytest.raises(LookupError, match="nothing to continue"):
            resumed.going_on()


async def test_a_copy_and_a_temporary_chat_go_on_too(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().then(HALF).always(Say(text=" three."))) as (runtime, _):
        chat = Chat.new(runtime)
        await say(chat, model=PRO)
        copy = await Chat.resume(runtime, (await runtime.archive.fork(chat.id)).id)
        await go_on(copy)
        again = await runtime.archive.fork(copy.id)
        assert sent(await Chat.resume(runtime, again.id)) == [PROMPT, "One, two, three.", "And?"]
    async with running(tmp_path / "t.db", Script().then(HALF).always(Say(text=" three."))) as (runtime, _):
        chat = Chat.new(runtime, temporary=True)
        await say(chat, model=PRO)
        await go_on(chat)
        assert sent(chat) == [PROMPT, "One, two, three.", "And?"]
        assert await runtime.conversations.recent() == ()
