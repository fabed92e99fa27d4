"""Someone edits an earlier prompt, sends it anew, and goes between the branches."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.ui.conftest import Console, console
from tests.ui.test_reading import marked
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.services.chat import Chat

ONE, TWO, THREE = (Say(text=f"The {word} answer.") for word in ("first", "second", "third"))


async def asked(seat: Console, *prompts: str) -> None:
    for prompt in prompts:
        await seat.send(prompt)
        await seat.ended()


async def edited(seat: Console, *keys: str) -> None:
    """Marks a prompt by these keys and takes it into the prompt field."""
    await seat.pilot.press("f2", *keys, "enter")
    await seat.sees("╭─ Your prompt")
    await seat.type_into_list("edit")
    await seat.sees("You edit an earlier prompt")


async def test_an_edited_prompt_is_sent_as_a_branch_and_one_can_go_back(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().then(ONE).then(TWO).always(THREE)) as seat:
        await asked(seat, "What is one?", "What is two?")
        await edited(seat, "up")
        assert seat.app.composer.prompt.text == "What is two?"
        seat.app.composer.prompt.text = ""
        await asked(seat, "What is three?")
        await seat.sees("What is three?", "branch 2 of 2", "The third answer.", "The first answer.")
        assert "The second answer." not in seat.screen
        talk = seat.app.talk
        assert talk is not None
        sent = [message.text for message in talk.request("next").messages]
        assert sent == ["What is one?", "The first answer.", "What is three?", "The third answer.", "next"]
        await seat.pilot.press("f2", "left")
        await seat.sees("What is two?", "The second answer.", "branch 1 of 2")
        assert "The third answer." not in seat.screen
        assert "What is two?" in marked(seat)
        sent = [message.text for message in seat.app.talk.request("next").messages]  # type: ignore[union-attr]
        assert sent == ["What is one?", "The first answer.", "What is two?", "The second answer.", "next"]
        await seat.pilot.press("left")
        await seat.sees("this is the first")
        session = talk.id
    async with console(tmp_path) as seat:
        assert seat.app.runtime is not None
        await seat.app._begin(await Chat.resume(seat.app.runtime, session))
        await seat.sees("The second answer.", "branch 1 of 2")
        await seat.pilot.press("f2", "right")
        await seat.sees("The third answer.", "branch 2 of 2")


async def test_escape_leaves_an_edited_prompt_and_what_it_takes_away_can_be_undone(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(ONE)) as seat:
        # Escape leaves all as it is and brings the draft back.
        await asked(seat, "What is one?")
        await seat.type("half a thought")
        await edited(seat, "up")
        await seat.pilot.press("escape")
        await seat.sees_no("You edit an earlier prompt")
        assert seat.app.composer.prompt.text == "half a thought"
        await seat.sees("The first answer.")
        await asked(seat, " goes on")
        await seat.sees("half a thought goes on")
        assert "branch" not in seat.screen

        # What escape takes away can be undone.
        await seat.begin_anew()
        await asked(seat, "What is one?")
        await seat.type("half a thought")
        await edited(seat, "up")
        await seat.type(" And why?")
        await seat.pilot.press("escape")
        await seat.until(lambda: seat.written == "half a thought", "the draft of before")
        await seat.pilot.press("ctrl+z")
        await seat.until(lambda: seat.written == "What is one? And why?", "what was typed")

        # An edited prompt that cannot branch off says why.
        await seat.begin_anew()
        await asked(seat, "What is one?")
        await edited(seat, "up")
        talk, runtime = seat.app.talk, seat.app.runtime
        assert talk is not None
        assert runtime is not None
        await runtime.archive.delete(talk.id)
        await runtime.archive.purge(talk.id)
        await seat.pilot.press("enter")
        await seat.sees("✗ not sent: ")
        assert seat.written == "What is one?"
        await seat.type("!")
        await seat.sees_no("not sent")


async def test_one_continues_from_an_earlier_answer(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().then(ONE).then(TWO).always(THREE)) as seat:
        await asked(seat, "What is one?", "What is two?")
        await seat.pilot.press("f2", "up", "up", "enter")
        await seat.sees("╭─ This answer")
        await seat.type_into_list("continue from")
        await seat.sees("A new prompt goes here")
        await asked(seat, "And then?")
        await seat.sees("The first answer.", "And then?", "branch 2 of 2", "The third answer.")
        assert "The second answer." not in seat.screen


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_going_between_branches_is_no_news(tmp_path: Path, size: tuple[int, int]) -> None:
    long = Say(text="\n\n".join(f"Paragraph {number}." for number in range(40)))
    async with console(tmp_path, size=size, script=Script().always(long)) as seat:
        await asked(seat, "What is one?")
        await seat.send("/edit")
        await seat.sees("You edit an earlier prompt")
        seat.app.composer.prompt.text = ""
        await asked(seat, "What is two?")
        await seat.pilot.press("f2", "up")
        for key, there in (("left", "What is one?"), ("right", "What is two?"), ("left", "What is one?")):
            await seat.pilot.press(key)
            await seat.sees(there, "Paragraph 3.")
            await seat.until(lambda: told_under(seat, "tok/s"), "the line under the answer")
            assert "↓ new" not in seat.screen


def told_under(seat: Console, text: str) -> bool:
    """Whether the line under the last answer says this; it is below what is seen."""
    *_, last = seat.app.chat.transcript.entries
    return any(text in mark[0] for mark in last.status)


@pytest.mark.cells(0)
@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_the_palette_edits_the_prompt_that_is_marked(tmp_path: Path, size: tuple[int, int]) -> None:
    async with console(tmp_path, size=size, script=Script().then(ONE).then(TWO).always(THREE)) as seat:
        await seat.pilot.press("ctrl+p")
        await seat.write("edit and")
        await seat.sees("edit and")
        assert "prompt: edit and branch" not in seat.screen
        await seat.pilot.press("escape")
        await asked(seat, "What is one?", "What is two?")
        await seat.pilot.press("f2", "up", "up")
        await seat.until(lambda: "The first answer." in marked(seat), "the first answer marked")
        await seat.pilot.press("ctrl+p")
        await seat.write("edit and")
        await seat.sees("prompt: edit and branch", "in Chat")
        await seat.pilot.press("enter")
        await seat.sees("You edit an earlier prompt")
        assert seat.app.composer.prompt.text == "What is one?"


async def test_a_temporary_chat_offers_no_branch(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(ONE)) as seat:
        await seat.send("/temporary")
        await asked(seat, "What is one?")
        await seat.pilot.press("f2", "up", "enter")
        await seat.sees("Your prompt")
        assert "edit and branch" not in seat.screen


async def test_all_branches_are_exported_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    async with console(tmp_path, script=Script().then(ONE).always(TWO)) as seat:
        await asked(seat, "What is one?")
        await edited(seat, "up")
        seat.app.composer.prompt.text = ""
        await asked(seat, "What is two?")
        await seat.sees("branch 2 of 2")
        await seat.pilot.press("alt+j")
        await seat.sees("Export all branches")
        await seat.pilot.press("enter")
        await seat.sees("Written to")
    (file,) = os.listdir(tmp_path / "out")
    written = (tmp_path / "out" / file).read_text()
    assert written.index("The second answer.") < written.index("# Branch 1 of 2") < written.index("The first answer.")


async def test_while_a_prompt_is_edited_the_estimate_counts_what_would_be_sent(tmp_path: Path) -> None:
    script = Script().always(Say(text="A long answer that goes along with the next prompt. " * 200))
    async with console(tmp_path, script=script) as seat:
        await seat.send("First question of all")
        await seat.ended()
        await seat.type("Second question")
        await seat.until(lambda: seat.app.composer.decision is not None, "an estimate")
        assert seat.app.composer.decision is not None
        assert seat.app.composer.decision.profile.input_tokens > 1_000
        seat.app.composer.prompt.replace_draft("")
        await seat.send("/edit")
        await seat.sees("You edit an earlier prompt")
        await seat.type(" and more")
        await seat.until(
            lambda: (decision := seat.app.composer.decision) is not None and decision.profile.input_tokens < 100,
            "an estimate without the answer that would not be sent",
        )


LEAVING = (("ctrl+n",), ("alt+t",), ("ctrl+l", "down", "n"))


@pytest.mark.parametrize("keys", LEAVING)
async def test_editing_stays_with_its_session(tmp_path: Path, keys: tuple[str, ...]) -> None:
    async with console(tmp_path, script=Script().then(ONE).then(TWO).always(THREE)) as seat:
        await asked(seat, "What is one?")
        talk = seat.app.talk
        assert talk is not None
        await seat.type("half a thought")
        await edited(seat, "up")
        await seat.type(" And why?")
        for key in keys:
            await seat.pilot.press(key)
            if key == "ctrl+l":
                await seat.sees("╭─ Sessions", "1 in all")
        await seat.until(lambda: seat.app.talk is not talk and "What is one?" not in seat.screen, "another session")
        await seat.sees_no("You edit an earlier prompt")
        await seat.until(lambda: seat.app.composer.prompt.text == "", "an empty prompt")
        await seat.type("What is two?")
        await seat.pilot.press("escape")
        await seat.sees("What is two?")
        assert "half a thought" not in seat.screen
        await seat.pilot.press("enter")
        await seat.ended()
        await seat.sees("The second answer.")
        # And back: the prompt is edited still, and sent as a branch.
        await seat.app._open_id(talk.id)
        await seat.sees("The first answer.", "You edit an earlier prompt", "What is one? And why?")
        await seat.pilot.press("enter")
        await seat.ended()
        await seat.sees("The third answer.", "branch 2 of 2")
        assert seat.written == "half a thought"


async def test_an_edited_prompt_is_sent_where_it_stood_though_another_branch_is_shown(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().then(ONE).then(TWO).always(THREE)) as seat:
        await asked(seat, "What is one?")
        talk = seat.app.talk
        assert talk is not None
        first = talk.last.answer[0]  # type: ignore[union-attr, index]
        await edited(seat, "up")
        seat.app.composer.prompt.text = ""
        await asked(seat, "What is two?")
        await seat.sees("branch 2 of 2")
        await edited(seat, "up")
        await seat.app._open_id(talk.id, first)
        await seat.sees("The first answer.", "You edit an earlier prompt")
        await seat.send("!")
        await seat.ended()
        await seat.sees("What is two?!", "branch 3 of 3", "The third answer.")
