"""What of a request is its prompt, and the tags of a session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_orchestrator.routing.request import Image, Message, Request, tag_name
from tui_orchestrator.routing.tools import Tool, ToolCall

ASKED, OTHER = Message("user", "Which?"), Message("user", "And then?")
CALLS, FOUND = Message("assistant", "", calls=(ToolCall("1", "look"),)), Message("tool", "A page.", answers="1")
SAID, PICTURE = Message("assistant", "So."), Message("user", "What is it?", (Image("image/png", b"x"),))
TOOLS = (Tool("look"),)


@pytest.mark.parametrize(
    ("messages", "tools", "asked_at", "prompt", "uses_tools", "has_images"),
    [
        ((), (), -1, "", False, False),
        ((SAID,), (), -1, "So.", False, False),
        ((SAID,), TOOLS, -1, "", True, False),
        ((ASKED,), (), 0, "Which?", False, False),
        ((ASKED, SAID), (), 0, "So.", False, False),
        ((ASKED, SAID, OTHER), (), 2, "And then?", False, False),
        ((ASKED, SAID, OTHER), TOOLS, 2, "And then?", True, False),
        # What a tool has found is material, and no question.
        ((ASKED, CALLS, FOUND), (), 0, "Which?", True, False),
        ((ASKED, SAID, OTHER, CALLS, FOUND), TOOLS, 2, "And then?", True, False),
        ((PICTURE, SAID, OTHER), (), 2, "And then?", False, True),
        ((SAID, PICTURE), (), 1, "What is it?", False, True),
    ],
)
def test_the_prompt_is_what_the_user_said_last(
    messages: tuple[Message, ...],
    tools: tuple[Tool, ...],
    asked_at: int,
    prompt: str,
    uses_tools: bool,
    has_images: bool,
) -> None:
    sent = Request(messages, tools=tools)
    assert (sent.asked_at, sent.prompt, sent.question) == (asked_at, prompt, prompt)
    assert (sent.uses_tools, sent.has_images) == (uses_tools, has_images)
    assert replace(sent, framed="Which one?").question == "Which one?"
    assert replace(sent, framed="Which one?").prompt == prompt


@pytest.mark.parametrize(
    ("said", "tag"),
    [("Work", "work"), ("  my   Notes ", "my notes"), ("ÄRGER", "ärger"), ("x" * 40, "x" * 40), ("a\x1b[2Jb", "a[2jb")],
)
def test_a_tag_is_kept_in_lower_case_and_on_one_line(said: str, tag: str) -> None:
    assert tag_name(said) == tag


@pytest.mark.parametrize(("said", "why"), [("", "is empty"), (" \n", "is empty"), ("x" * 41, "longer than 40")])
def test_a_tag_has_a_name_of_at_most_forty_characters(said: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        tag_name(said)


def test_what_is_said_of_an_image_for_a_developer_is_without_its_bytes() -> None:
    assert repr(Image("image/png", b"\x89PNG", "a.png")) == "Image(media_type='image/png', name='a.png')"
