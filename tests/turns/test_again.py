"""Asking the last prompt again: the new answer takes the old one's place, and the old one is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.events import Event
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import CacheSettings
from tui_orchestrator.storage.answers import standing
from tui_orchestrator.storage.observations import Observations

from .conftest import PROMPT, running
from .grammar import check
from .reading import asked, completed, failed

PRO, MAX = "demo-openai/rush-pro", "demo-anthropic/tern-max"


async def say(chat: Chat, prompt: str, **options: object) -> list[Event]:
    return await _read(chat.send(chat.request(prompt, options=Options(**options))))  # type: ignore[arg-type]


async def say_again(chat: Chat, *, elsewhere: bool = False, **options: object) -> list[Event]:
    return await _read(chat.send_again(chat.again(Options(**options)), elsewhere=elsewhere))  # type: ignore[arg-type]


async def _read(turn: object) -> list[Event]:
    async with turn as events:  # type: ignore[attr-defined]
        told = [event async for event in events]
    check(told)
    return told


async def signs(runtime: Runtime) -> list[tuple[str, str, float]]:
    await runtime.database.write(lambda connection: None)
    seen = (await Observations(runtime.database).since(0))[0]
    return [(one.sign.value, one.model, one.outcome) for one in seen if one.sign != "kept"]


async def test_the_new_answer_stands_and_the_old_one_is_kept(tmp_path: Path) -> None:
    script = Script().then(Say(text="First."), "rush-pro").then(Say(text="Second."), "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        chat = Chat.new(runtime)
        await say(chat, PROMPT, model=PRO)
        await say_again(chat, model=PRO)
        stored = await runtime.conversations.get(chat.id)
        assert [(m.role, m.text) for m in stored.messages] == [
            ("user", PROMPT),
            ("assistant", "First."),
            ("assistant", "Second."),
        ]
        ((_, answer),) = standing(stored.messages)
        assert answer is not None
        assert answer.text == "Second."
        first, second = asked(servers, "rush-pro")
        assert first.body["messages"] == second.body["messages"]
        assert await signs(runtime) == [("regenerated", PRO, 0.0)]


async def test_what_comes_after_goes_on_from_the_new_answer_also_when_resumed(tmp_path: Path) -> None:
    script = Script().then(Say(text="First.")).then(Say(text="Second.")).always(Say(text="Third."))
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime)
        await say(chat, PROMPT, model=PRO)
        await say_again(chat, model=PRO)
        for talk in (chat, await Chat.resume(runtime, chat.id)):
            said = [message.text for message in talk.request("And then?").messages]
            assert said == [PROMPT, "Second.", "And then?"]
            assert [message.text for message in talk.again().messages] == [PROMPT]


async def test_another_model_wins_a_little_and_the_first_one_loses(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(Say(text="An answer."))) as (runtime, _):
        chat = Chat.new(runtime)
        await say(chat, PROMPT, model=PRO)
        await say_again(chat, elsewhere=True, model=MAX)
        assert await signs(runtime) == [("rerun", PRO, 0.0), ("rerun", MAX, 1.0)]
        lessons = [runtime.router.experience.lesson(model, runtime.clock.now()) for model in (PRO, MAX)]
        tastes = [(lesson.overall.wins, lesson.overall.losses) for lesson in lessons]
        assert tastes == [(0.0, 0.5), (pytest.approx(0.2, rel=0.05), 0.0)]


async def test_it_is_never_answered_from_the_cache(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", cache=CacheSettings(exact=True)) as (runtime, servers):
        chat = Chat.new(runtime)
        await say(chat, PROMPT, model=PRO, temperature=0.0)
        await say_again(chat, model=PRO, temperature=0.0)
        assert len(asked(servers, "rush-pro")) == 2


@pytest.mark.parametrize("trouble", [Reply(400), Break("close", Phase.MID_STREAM), Say(text="")])
async def test_where_nothing_comes_in_its_place_the_old_answer_stands(
    tmp_path: Path, trouble: Reply | Break | Say
) -> None:
    script = Script().then(Say(text="First.")).always(trouble)
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime)
        await say(chat, PROMPT, model=PRO)
        await say_again(chat, model=PRO)
        for talk in (chat, await Chat.resume(runtime, chat.id)):
            assert [message.text for message in talk.request("And?").messages] == [PROMPT, "First.", "And?"]
        assert [sign for sign, *_ in await signs(runtime) if sign == "regenerated"] == []


async def test_a_failed_turn_can_be_asked_again(tmp_path: Path) -> None:
    script = Script().then(Reply(400)).always(Say(text="At last."))
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime)
        failed(await say(chat, PROMPT, model=PRO))
        completed(await say_again(chat, model=PRO))
        assert [message.text for message in chat.request("And?").messages] == [PROMPT, "At last.", "And?"]
        assert [m.role for m in (await runtime.conversations.get(chat.id)).messages] == [
            "user",
            "assistant",
            "assistant",
        ]


async def test_an_answer_that_was_cancelled_is_replaced_without_blame(tmp_path: Path) -> None:
    script = Script().then(Break("silence", Phase.MID_STREAM, Say(text="word " * 50))).always(Say(text="Whole."))
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chat = Chat.new(runtime)
        turn = chat.send(chat.request(PROMPT, options=Options(model=PRO)))
        async for event in turn:
            if event.__class__.__name__ == "Text":
                turn.cancel()
        await say_again(chat, model=PRO)
        for talk in (chat, await Chat.resume(runtime, chat.id)):
            assert [message.text for message in talk.request("And?").messages] == [PROMPT, "Whole.", "And?"]
        assert await signs(runtime) == []


async def test_there_is_nothing_to_ask_again_in_a_new_session(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        with pytest.raises(LookupError, match="nothing was asked"):
            Chat.new(runtime).again()


async def test_the_votes_of_a_session_are_told_when_it_is_opened(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(Say(text="An answer."))) as (runtime, _):
        chat = Chat.new(runtime)
        first, second = completed(await say(chat, PROMPT, model=PRO)), completed(await say(chat, "More", model=PRO))
        await runtime.feedback.vote(first.request_id, 1, True)
        await runtime.feedback.vote(second.request_id, 1, False)
        assert await runtime.feedback.votes(chat.id) == {(first.request_id, 1): True, (second.request_id, 1): False}
        await runtime.feedback.vote(first.request_id, 1, None)
        assert await runtime.feedback.votes(chat.id) == {(second.request_id, 1): False}
        assert await runtime.feedback.votes("other") == {}
