"""The sentence that says why, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tui_orchestrator.routing.budget import WayOut, alone
from tui_orchestrator.routing.decision import Asked, Candidate, Exclusion, Policy
from tui_orchestrator.routing.reasons import nobody, shortened, too_dear_for, why
from tui_orchestrator.routing.request import Strategy

from .samples import candidate, profile

SURE, FAIR, WEAK = candidate("a/sure", 0.8, "0.02", 4.04), candidate("b/fair", 0.79), candidate("c/weak", 0.5, None)
HERE = candidate("h/here", 0.8, "0", local=True, open_weights=True)
UNREACHED = "no model reaches p ≥ 0.80 for code of difficulty 0.40; this one comes closest with "


def said(strategy: Strategy, *ranked: Candidate, explored: bool = False, complexity: int = 4, **asked: object) -> str:
    return why(strategy, ranked, profile(complexity=complexity), Asked(**asked), explored)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("strategy", "ranked", "reason"),
    [
        (
            Strategy.CHEAPEST,
            (SURE, FAIR, WEAK),
            "cheapest of 1 with p ≥ 0.80 for code of difficulty 0.40: p 0.80, about $0.020",
        ),
        (Strategy.CHEAPEST, (FAIR, WEAK), UNREACHED + "p 0.79, about $0.010"),
        (
            Strategy.PERFORMANCE,
            (SURE, HERE, FAIR),
            "fastest of 2 with p ≥ 0.80 for code of difficulty 0.40: about 4.0 s, p 0.80, about $0.020",
        ),
        (Strategy.PERFORMANCE, (WEAK,), UNREACHED + "p 0.50, at unknown cost"),
        (Strategy.QUALITY, (SURE, WEAK), "likeliest to answer code of difficulty 0.40 well: p 0.80, about $0.020"),
        (
            Strategy.BALANCED,
            (WEAK, SURE),
            "best balance of quality, cost and time for code of difficulty 0.40: p 0.50, at unknown cost, about 2.0 s",
        ),
    ],
)
def test_who_is_best_at_what_was_wanted(strategy: Strategy, ranked: Sequence[Candidate], reason: str) -> None:
    assert said(strategy, *ranked) == reason


LIKED, DISLIKED = replace(SURE, wins=2.6, losses=0.0), replace(FAIR, wins=0.0, losses=0.6)
ELSEWHERE, NOT_ELSEWHERE = replace(FAIR, wins_overall=0.5), replace(FAIR, losses_overall=0.5)


@pytest.mark.parametrize(
    ("ranked", "explored", "reason"),
    [
        ((LIKED, FAIR), False, "your favourite for code (3 for, 0 against): p 0.80, about $0.020"),
        ((DISLIKED, FAIR), False, "your favourite for code (0 for, 1 against): p 0.79, about $0.010"),
        (
            (SURE, WEAK, DISLIKED),
            False,
            "likelier to please you with code than those you have voted on: p 0.80, about $0.020",
        ),
        (
            (SURE, WEAK, LIKED),
            False,
            "likelier to please you with code than those you have voted on: p 0.80, about $0.020",
        ),
        (
            (SURE, WEAK, ELSEWHERE),
            False,
            "no votes on code yet; going by your votes on other tasks and the best balance: p 0.80, about $0.020",
        ),
        (
            (SURE, WEAK, NOT_ELSEWHERE),
            False,
            "no votes on code yet; going by your votes on other tasks and the best balance: p 0.80, about $0.020",
        ),
        ((SURE, WEAK), False, "no votes on code yet, so the best balance: p 0.80, about $0.020"),
        (
            (SURE, LIKED),
            True,
            "an exploration, announced: tried instead of a/sure to learn about code of difficulty 0.40; "
            "p 0.80, about $0.020",
        ),
    ],
)
def test_what_your_votes_have_to_do_with_it(ranked: Sequence[Candidate], explored: bool, reason: str) -> None:
    assert said(Strategy.PREFERENCE, *ranked, explored=explored) == reason


@pytest.mark.parametrize(
    ("best", "complexity", "reason"),
    [
        (
            SURE,
            3,
            "no local model is good enough for code of difficulty 0.40; best balance in the cloud: p 0.80, "
            "about $0.020",
        ),
        (HERE, 3, "local, since complexity 3 is at most 3: p 0.80, about $0"),
        (HERE, 4, "local, since p 0.80 reaches 0.80 for code of difficulty 0.40"),
        (
            replace(HERE, success_probability=0.79),
            4,
            "local, since no cloud model can be used for code of difficulty 0.40: p 0.79, about $0",
        ),
    ],
)
def test_why_it_is_a_local_one_or_none(best: Candidate, complexity: int, reason: str) -> None:
    assert said(Strategy.LOCAL_FIRST, best, FAIR, complexity=complexity) == reason


def steps(*scores: float) -> list[Candidate]:
    return [candidate(f"a/{n}", 0.5 + n / 10, f"0.0{n}", score=score) for n, score in enumerate(scores, 1)]


@pytest.mark.parametrize(
    ("ranked", "asked", "reason"),
    [
        (
            steps(1.0, 0.0, -1.0),
            {},
            "no cheaper walk ends nearly as well, so straight to the surest: p 0.60, about $0.010",
        ),
        (
            steps(1.0, 0.5, 0.25),
            {"policy": Policy(max_attempts=1)},
            "no cheaper walk ends nearly as well, so straight to the surest: p 0.60, about $0.010",
        ),
        (
            steps(1.0, 0.5, 0.25),
            {"policy": Policy(max_attempts=0)},
            "no cheaper walk ends nearly as well, so straight to the surest: p 0.60, about $0.010",
        ),
        # Of p 0.6 the first is distrusted 0.2 × 0.6 + 0.6 × 0.4 = 0.36 of the time: $0.01 + 0.36 × $0.02. Then it is
        # 0.8 × 0.6 and what the second mends: half the time 0.2 × 0.6 + 0.6 × 0.1, half the time 0.36 × 0.7.
        (
            steps(1.0, 0.5, -1.0),
            {},
            "first of 2 steps; expected $0.017 over the walk, at worst $0.030, ends well with p 0.70; "
            "escalates while confidence < 0.60",
        ),
        (
            [*steps(1.0), replace(WEAK, score=0.5)],
            {},
            "first of 2 steps; at unknown cost, ends well with p 0.62; escalates while confidence < 0.60",
        ),
        (
            steps(1.0, 0.5),
            {"chain": ("a/1", "a/9", "a/2")},
            "first step of the chain that was asked for (2 usable): p 0.60; expected $0.017 over the walk, "
            "at worst $0.030, ends well with p 0.70",
        ),
        (
            steps(1.0),
            {"chain": ("a/1",), "goes_on": True},
            "continues its own answer, which was cut off: p 0.60, about $0.010",
        ),
        (
            steps(1.0),
            {"chain": ("a/9", "a/1"), "goes_on": True},
            "continues the answer of a/9, which cannot be asked now: p 0.60, about $0.010",
        ),
    ],
)
def test_where_a_walk_begins_and_what_it_may_come_to(
    ranked: Sequence[Candidate], asked: dict[str, object], reason: str
) -> None:
    assert said(Strategy.FALLBACK, *ranked, **asked) == reason


def member(id: str, p: float, score: float, usd: str | None = "0.01", family: str = "") -> Candidate:
    return candidate(id, p, usd, score=score, family=family or id)


ONE, TWO = member("a/one", 0.8, 0.8), member("b/two", 0.7, 0.6)
SIDE_BY_SIDE = (
    "2 strong and diverse models from 2 providers and 2 families answer code of difficulty 0.40 side by side: "
    "one of them well with p 0.87, the surest alone 0.80; about $0.020 together"
)


@pytest.mark.parametrize(
    ("ranked", "size", "reason"),
    [
        # Half the time as if by chance, half the time as the surest does: 1 - (0.2 × 0.3 + 0.2) / 2.
        ((ONE, TWO), 2, SIDE_BY_SIDE),
        (
            (ONE, replace(TWO, estimated_cost=None)),
            2,
            SIDE_BY_SIDE.replace("about $0.020 together", "together at unknown cost"),
        ),
        (
            (ONE, member("a/other", 0.7, 0.6, family="a/one")),
            2,
            SIDE_BY_SIDE.replace("2 providers and 2 families", "1 provider and 1 family"),
        ),
        ((ONE, TWO, member("c/x", 0.4, 0.5)), 2, f"{SIDE_BY_SIDE}; another would add 0.01"),
        ((ONE, TWO, member("c/x", 0.2, 0.5)), 2, f"{SIDE_BY_SIDE}; another would add less than 0.01"),
        ((ONE,), 3, "only a/one for code of difficulty 0.40: p 0.80, about $0.010"),
        (
            (ONE, TWO),
            1,
            "only a/one for code of difficulty 0.40: p 0.80, about $0.010; another would add 0.07",
        ),
        # Only who is worth more alone than the last member, and is of a member's family or provider.
        ((ONE, TWO, member("c/x", 0.2, 0.7)), 2, f"{SIDE_BY_SIDE}; another would add less than 0.01"),
        ((ONE, TWO, member("a/x", 0.2, 0.6)), 2, f"{SIDE_BY_SIDE}; another would add less than 0.01"),
        (
            (ONE, TWO, member("a/x", 0.2, 0.7)),
            2,
            f"{SIDE_BY_SIDE}; another would add less than 0.01; a/x stands back for its kin",
        ),
        (
            (ONE, TWO, member("c/w", 0.2, 0.9), member("c/x", 0.2, 0.7, family="b/two")),
            2,
            f"{SIDE_BY_SIDE}; another would add less than 0.01; c/x stands back for its kin",
        ),
    ],
)
def test_what_several_side_by_side_are_good_for(ranked: Sequence[Candidate], size: int, reason: str) -> None:
    assert said(Strategy.ENSEMBLE, *ranked, size=size) == reason


@pytest.mark.parametrize(
    ("best", "local", "opened", "added"),
    [
        (HERE, False, False, ""),
        (HERE, True, False, "; local models are preferred (+0.1)"),
        (HERE, False, True, "; open weights are preferred (+0.1)"),
        (HERE, True, True, "; local models are preferred (+0.1); open weights are preferred (+0.1)"),
        (SURE, True, True, ""),
        (replace(SURE, open_weights=True), True, True, "; open weights are preferred (+0.1)"),
        (replace(SURE, local=True), True, True, "; local models are preferred (+0.1)"),
    ],
)
def test_a_preference_is_told_where_it_was_for_the_one_chosen(
    best: Candidate, local: bool, opened: bool, added: str
) -> None:
    policy = Policy(prefer_local=local, prefer_opensource=opened)
    assert said(Strategy.QUALITY, best, policy=policy) == said(Strategy.QUALITY, best) + added


def out(id: str, why: str, kind: Exclusion = Exclusion.DISABLED) -> Candidate:
    return candidate(id, excluded_by=kind, excluded=why)


OFF = [out(f"a/{n}", "off") for n in range(20)]
KINDS = [out(f"b/{n}", f"reason {n}") for n in range(20)]


@pytest.mark.parametrize(
    ("candidates", "reason"),
    [
        ([], "there is no model at all: set a provider's key, start a local server, or run `demo`"),
        (OFF[:2], "every model is out: a/0: off; a/1: off"),
        (OFF[:12], "every model is out: " + "; ".join(f"a/{n}: off" for n in range(12))),
        (OFF[:13], "every model is out: a/0, a/1, a/2 and 10 more: off"),
        ([*OFF[:3], *KINDS[:0], *OFF[3:]], "every model is out: a/0, a/1, a/2 and 17 more: off"),
        (
            [*OFF[:10], *KINDS[:3]],
            "every model is out: a/0, a/1, a/2 and 7 more: off; b/0: reason 0; b/1: reason 1; b/2: reason 2",
        ),
        (
            [*OFF[:3], *KINDS[:10]],
            "every model is out: a/0, a/1, a/2: off; b/0: reason 0; b/1: reason 1; b/2: reason 2; and 7 more",
        ),
        ([out("a/0", "whether rule r is for it is not known", Exclusion.RULE_IN_DOUBT), *OFF],
         "nobody is asked: whether rule r is for it is not known"),
    ],
)  # fmt: skip
def test_why_nobody_can_be_asked(candidates: Sequence[Candidate], reason: str) -> None:
    assert nobody(candidates) == reason


@pytest.mark.parametrize(
    ("ways", "said"),
    [
        (alone(WayOut.REFUSE), "so it is refused, as budgets.on_exhausted says"),
        (alone(WayOut.FEWER_TOKENS), "so it is refused, as budgets.on_exhausted says"),
        (alone(WayOut.CHEAPEST), "and nothing cheaper fits either"),
        (alone(WayOut.LOCAL), "and no local model can stand in"),
        ((WayOut.LOCAL, WayOut.CHEAPEST, WayOut.REFUSE), "and nothing cheaper fits either"),
    ],
)
def test_what_was_tried_where_the_first_choice_is_too_dear(ways: tuple[WayOut, ...], said: str) -> None:
    assert too_dear_for(out("a/0", "is too dear"), Policy(on_exhausted=ways)) == f"a/0 is too dear, {said}"


def test_a_shortened_answer_is_told_with_its_length() -> None:
    assert shortened(SURE) == ""
    told = "; it could cost $2, so it may answer with 1,000 tokens at most"
    assert shortened(replace(SURE, fewer="could cost $2")) == told
