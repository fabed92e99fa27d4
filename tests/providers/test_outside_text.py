"""Patterns that are looked for in text from outside take a time in proportion to its length, whatever it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.once import read_once
from tui_orchestrator.providers import anthropic, catalogue, complaint, discovery, ending, names
from tui_orchestrator.routing import text, tools
from tui_orchestrator.ui import finding, rows


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    for module in (anthropic, catalogue, complaint, discovery, ending, names, text, tools, finding, rows):
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{module.__name__.rpartition('.')[2]}.{name}", value


LENGTH = 1 << 16
AGAIN_AND_AGAIN = (
    *(" ", "\n", "a", "A", "1.", "-_", "*", "`", "<", "[", "](", "[](", "[](a"),
    *("<title", "<title ", "<title>", "sk-", "sk-.", "gsk_", "AIza", "Bearer a"),
    *(
        "num_ctx",
        "num_ctx\n",
        "num_ctx 1 ",
        "timed_",
        "8x7.",
        "o1-",
        "\u00a9\ufe0f",
        "\U0001f468\u200d",
        "\r",
        "{",
        "{ ",
    ),
)


def test_there_are_patterns() -> None:
    assert "complaint._TITLE" in dict(patterns())
    assert "text._SPACE" in dict(patterns())


@pytest.mark.parametrize(("name", "pattern"), list(patterns()), ids=[name for name, _ in patterns()])
def test_no_pattern_reads_a_text_more_than_once(name: str, pattern: re.Pattern[Any]) -> None:
    for again in AGAIN_AND_AGAIN:
        text = again * (LENGTH // len(again)) + "\0"
        with read_once(LENGTH):
            for _ in pattern.finditer(text if isinstance(pattern.pattern, str) else text.encode()):
                pass


def test_the_title_of_a_page_is_still_found() -> None:
    def titled(page: str) -> str:
        return complaint._page_title(page)

    assert titled("<html><head><TITLE>502 Bad Gateway</TITLE>") == "502 Bad Gateway"
    assert titled('<title lang="en" data-x="a b">Sorry</title>') == "Sorry"
    assert titled("<titles>no</titles><title\n>Yes</title>") == "Yes"
    assert titled("<title<title>Sorry") == "Sorry"
    assert titled("<html>nothing") == ""
    assert titled("no page at all") == "no page at all"
