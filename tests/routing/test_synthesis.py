"""Several answers put before a model: what it is asked, what is read of what it says, and what the call comes to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_orchestrator.routing import judging
from tui_orchestrator.routing.decision import Candidate, Decision
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.prompt_size import input_size
from tui_orchestrator.routing.request import Image, Message, Request, Shape, Strategy
from tui_orchestrator.routing.synthesis import best_of, one_from_all, weighed, which_is_best

from .samples import candidate, model, price, profile

PICTURE = (Image("image/png", b"x"),)
ASKED = Request(
    (Message("user", "Hello."), Message("assistant", "Hi."), Message("user", "Why?", PICTURE)),
    session="s",
    id="r",
    system="Be brief.",
    max_tokens=70,
    temperature=0.3,
    shape=Shape(),
)
SHOWN = (
    '<question>\nWhy?\n</question>\n\n<answer number="1">\nSo.\n</answer>\n\n<answer number="2">\nBecause.\n</answer>'
)


def test_a_judge_of_several_is_shown_the_question_the_images_and_the_answers_and_nothing_else() -> None:
    sent = which_is_best(ASKED, ["So.", "Because."])
    prompt = f"{SHOWN}\n\nWhich answer is the best? Its number, and why:"
    assert sent.messages == (Message("user", prompt, PICTURE),)
    assert sent.system is not None
    assert sent.system.startswith("You compare answers.")
    assert sent == replace(
        ASKED, messages=sent.messages, system=sent.system, max_tokens=1024, temperature=None, shape=None
    )


def test_who_writes_one_from_all_goes_on_with_the_conversation_as_it_was() -> None:
    sent = one_from_all(ASKED, ["So.", "Because."])
    *before, last = sent.messages
    assert tuple(before) == ASKED.messages[:2]
    assert last.text.startswith("Below are several answers to my question")
    assert last.text.endswith(f"\n\n{SHOWN}")
    assert (last.role, last.images) == ("user", PICTURE)
    assert sent == replace(ASKED, messages=sent.messages, framed="Why?")


@pytest.mark.parametrize("length", [11_999, 12_000])
def test_an_answer_up_to_its_bound_is_shown_whole(length: int) -> None:
    assert f"\n{'x' * length}\n</answer>" in which_is_best(ASKED, ["x" * length]).prompt


@pytest.mark.parametrize("length", [12_001, 20_000])
def test_of_a_longer_one_the_two_ends_are_shown(length: int) -> None:
    text = "a" * 6_000 + "b" * (length - 12_000) + "c" * 6_000
    assert f'<answer number="1">\n{"a" * 6_000}\n[…]\n{"c" * 6_000}\n</answer>' in which_is_best(ASKED, [text]).prompt


@pytest.mark.parametrize(
    ("said", "count", "best"),
    [
        ("1: short", 1, (0, "short")),
        ("2: short", 1, None),
        ("1", 12, (0, "")),
        ("12 - whole.", 12, (11, "whole")),
        ("123: whole", 12, None),
        ("Best answer: number 2, since it is whole", 2, (1, "since it is whole")),
        # The last line that names one.
        ("1: at first\n2: in the end\nThat is all.", 2, (1, "in the end")),
        ("1: at first\n3: in the end", 2, (0, "at first")),
        # What was said long before the end is not looked at.
        ("1: at first\n" + "hm\n" * 1_400, 2, None),
        ("1: at first\n" + "hm\n" * 1_300, 2, (0, "at first")),
        ("1: " + "x" * 159, 2, (0, "x" * 159)),
        ("1: " + "x" * 160, 2, (0, "x" * 160)),
        ("1: " + "x" * 161, 2, (0, "x" * 159 + "…")),
    ],
)
def test_the_last_number_there_is_an_answer_of_is_read_with_its_reason(
    said: str, count: int, best: tuple[int, str] | None
) -> None:
    assert best_of(said, count) == best


DECISION = Decision(
    *("r", Strategy.ENSEMBLE, "a/x", "why", ("a/x",), profile(), ()),
    system="Cite.",
    temperature=0.7,
    max_tokens=300,
)
TOKENS, MIX = input_size(ASKED)
BOUND = TOKENS + TOKENS // 2 + 64


@pytest.mark.parametrize(
    ("more", "most", "cost", "ceiling"),
    [
        ({}, 1024, TOKENS + 5 * 40, BOUND + 5 * 1024),
        ({"max_output": 500}, 500, TOKENS + 5 * 40, BOUND + 5 * 500),
        ({"max_output": 5_000}, 1024, TOKENS + 5 * 40, BOUND + 5 * 1024),
        ({"price": None}, 1024, None, None),
    ],
)
def test_the_call_of_a_judge_is_short_and_without_what_a_rule_asked_of_the_answer(
    more: dict[str, object], most: int, cost: int | None, ceiling: int | None
) -> None:
    by = replace(candidate("a/x"), max_tokens=2000)
    judged = weighed(DECISION, by, _model(more), ASKED, judge=True)
    assert judged == _as(by, replace(DECISION, system=None, temperature=None, max_tokens=None), 40, most, cost, ceiling)


@pytest.mark.parametrize("more", [{}, {"max_output": 500}, {"price": None}])
def test_who_writes_one_from_all_has_the_room_it_was_weighed_with(more: dict[str, object]) -> None:
    by = candidate("a/x")
    costs = (None, None) if "price" in more else (TOKENS + 5 * 500, BOUND + 5 * 1000)
    assert weighed(DECISION, by, _model(more), ASKED, judge=False) == _as(by, DECISION, 500, 1000, *costs)


@pytest.mark.parametrize(
    ("more", "most"), [({}, 1024), ({"max_output": 500}, 500), ({"max_output": 5_000}, 1024), ({"price": None}, 1024)]
)
def test_the_judge_of_one_answer_is_weighed_the_same_way(more: dict[str, object], most: int) -> None:
    by = replace(candidate("a/x"), max_tokens=2000)
    costs = (None, None) if "price" in more else (TOKENS + 5 * 30, BOUND + 5 * most)
    plain = replace(DECISION, system=None, temperature=None, max_tokens=None)
    assert judging.weighed(DECISION, by, _model(more), ASKED) == _as(by, plain, 30, most, *costs)


def test_the_judge_of_one_answer_is_shown_the_conversation_the_question_and_the_answer() -> None:
    sent = judging.question(ASKED, "So.")
    prompt = (
        "<conversation>\nuser: Hello.\n\nassistant: Hi.\n</conversation>\n\n<question>\nWhy?\n</question>\n\n"
        "<answer>\nSo.\n</answer>\n\nIs the answer right and complete? RIGHT, WRONG or UNSURE, and why:"
    )
    assert sent.messages == (Message("user", prompt, PICTURE),)
    assert sent == replace(
        ASKED, messages=sent.messages, system=sent.system, max_tokens=1024, temperature=None, shape=None
    )
    assert sent.system != ASKED.system


def _model(more: dict[str, object]) -> Model:
    # A dollar a million tokens in, five out.
    return model("a/x", **({"price": price("1", "5")} | more))


def _as(
    by: Candidate, decision: Decision, expected: int, most: int, cost: int | None, ceiling: int | None
) -> tuple[Decision, Candidate]:
    """Amounts are millionths of a dollar."""
    amounts = [None if amount is None else Money(amount * 10**6) for amount in (cost, ceiling)]
    seen = replace(decision.profile, input_tokens=TOKENS, output_tokens=expected, mix=MIX)
    own = replace(by, estimated_cost=amounts[0], cost_ceiling=amounts[1], max_tokens=most, input_tokens=TOKENS)
    return replace(decision, profile=seen), own
