"""Whom a call that does not fit into a budget is offered to, in the order of the user's list."""

from __future__ import annotations

import pytest

from tui_orchestrator.routing.budget import WayOut, listed
from tui_orchestrator.routing.ways_out import Opened, opening, tries

from .samples import candidate

CHOSEN, OTHER = candidate("a/chosen"), candidate("b/other")
SHORT, LOCAL = candidate("c/short", fewer="could cost more"), candidate("here/local", local=True)


@pytest.mark.parametrize(
    ("words", "tried"),
    [
        ("", "a/chosen"),
        ("fewer_tokens", "a/chosen*"),
        ("cheapest", "a/chosen b/other here/local"),
        ("local", "a/chosen here/local"),
        ("fewer_tokens cheapest", "a/chosen* b/other* c/short* here/local*"),
        ("fewer_tokens local", "a/chosen* here/local*"),
        ("cheapest fewer_tokens", "a/chosen b/other here/local a/chosen* b/other* c/short* here/local*"),
        ("local cheapest", "a/chosen here/local b/other"),
        (
            "local fewer_tokens cheapest",
            "a/chosen here/local a/chosen* here/local* b/other* c/short*",
        ),
    ],
)
def test_each_word_opens_a_way_beside_those_before_it(words: str, tried: str) -> None:
    """A star: with fewer tokens where only that fits."""
    ways = listed([WayOut(word) for word in words.split()])
    found = tries(CHOSEN, [OTHER, SHORT, LOCAL], ways)
    assert " ".join(c.model + "*" * fewer for c, fewer in found) == tried


def test_behind_a_refusal_nothing_opens() -> None:
    ways = (WayOut.LOCAL, WayOut.REFUSE, WayOut.CHEAPEST)
    assert list(opening(ways)) == [(WayOut.LOCAL, Opened(local=True))]
    assert list(opening((WayOut.FEWER_TOKENS, WayOut.CHEAPEST))) == [
        (WayOut.FEWER_TOKENS, Opened(fewer_tokens=True)),
        (WayOut.CHEAPEST, Opened(fewer_tokens=True, others=True)),
    ]


@pytest.mark.parametrize(
    ("opened", "may"),
    [
        (Opened(), [True, False, False]),
        (Opened(local=True), [True, False, True]),
        (Opened(others=True), [True, True, True]),
        (Opened(fewer_tokens=True), [True, False, False]),
    ],
)
def test_who_may_answer(opened: Opened, may: list[bool]) -> None:
    assert [opened.to(one, "a/chosen") for one in (CHOSEN, OTHER, LOCAL)] == may
