"""How hard a prompt is by what was learned of it, worked out by hand: what was learned is made up."""

from __future__ import annotations

import math

import pytest

from tui_orchestrator.routing.difficulty import Assessment, assess
from tui_orchestrator.routing.features import read
from tui_orchestrator.routing.prediction import HEADS, Prediction
from tui_orchestrator.routing.profile import Published

from .trained import place, trained

WHAT = "What is it that they do there?"
WHICH = "Which?\nA. x\nB. y\nC. z"
MANY = WHICH + "\nD. v\nE. w\nF. u"
PROVE = "Prove that it is so and not so."


def seen(
    rating: float = 4.0,
    gain: float = 0.0,
    examined: float = 0.0,
    coverage: float = 1.0,
    subject: float = 0.0,
    measured: dict[str, float] | None = None,
) -> Prediction:
    heads = [0.0] * len(HEADS)
    heads[HEADS.index("perceived")] = rating
    # Another in each: that of the form of the question counts.
    for name, of in (("open", gain), ("choice", gain + 0.1), ("many", gain + 0.2)):
        heads[HEADS.index(name)] = of
    values = [0.0] * 64
    for name, value in (measured or {}).items():
        values[place(name)] = value
    return Prediction(heads, coverage, [], 0, values, subject, examined, Published())


def of(prompt: str, learned: Prediction) -> Assessment:
    return assess(trained(), read(prompt), learned)


FOUR = (4 - 0.6) / 9.6
"""A rating of 4 as a difficulty."""


@pytest.mark.parametrize(
    ("prompt", "learned", "difficulty"),
    [
        (WHAT, seen(4), FOUR),
        (WHAT, seen(6), (4 + 1.25 * 2 - 0.6) / 9.6),
        (WHAT, seen(2), (4 - 1.25 * 2 - 0.6) / 9.6),
        (WHAT, seen(1), 0.02),
        (WHAT, seen(10), 0.98),
        (WHAT, seen(12), 0.98),
        # What failed elsewhere counts a little, and more for what is of the kind of it.
        (WHAT, seen(4, gain=0.2), FOUR + 0.45 * 0.5 * 0.2),
        (WHAT, seen(4, gain=0.2, examined=1), 0.15 * FOUR + 0.85 * 0.3 + 0.85 * 0.5 * 0.2),
        (WHAT, seen(4, gain=0.2, examined=0.5), 0.575 * FOUR + 0.425 * 0.3 + 0.65 * 0.5 * 0.2),
        (WHAT, seen(12, gain=-9, examined=1), 0.02),
        # Of a question with options, that alone.
        (WHICH, seen(9), 0.4 + 0.6 * 0.1),
        (WHICH, seen(1, gain=0.2, examined=0.5), 0.4 + 0.6 * 0.3),
        (MANY, seen(1, gain=0.2), 0.5 + 0.7 * 0.4),
        (MANY.rsplit("\n", 1)[0], seen(1, gain=0.2), 0.4 + 0.6 * 0.3),
        # A proof is hard, whatever was learned of so few.
        (PROVE, seen(4), (4 + 1.25 * 2.5 - 0.6) / 9.6),
        (PROVE, seen(7), (4 + 1.25 * 3 - 0.6) / 9.6),
    ],
)
def test_a_prompt_is_so_hard(prompt: str, learned: Prediction, difficulty: float) -> None:
    assert of(prompt, learned).difficulty == pytest.approx(difficulty)


@pytest.mark.parametrize(
    ("rating", "complexity"),
    [(-3, 1), (1, 1), (1.2, 1), (1.3, 2), (4.2, 4), (4.3, 5), (9.2, 9), (9.3, 10), (10.2, 10), (10.4, 10), (99, 10)],
)
def test_a_prompt_seems_a_quarter_harder_than_it_was_rated(rating: float, complexity: int) -> None:
    assert of(WHAT, seen(rating)).complexity == complexity


def test_a_proof_seems_hard() -> None:
    assert [of(PROVE, seen(rating)).complexity for rating in (1, 6.5, 8)] == [7, 7, 8]


@pytest.mark.parametrize(
    ("prompt", "learned", "novelty"),
    [
        ("", seen(), 0.5),
        ("…", seen(coverage=1), 0),
        (WHAT, seen(coverage=1), 0),
        (WHAT, seen(coverage=0.75), 0),
        (WHAT, seen(coverage=0.525), 0.5),
        (WHAT, seen(coverage=0.6), round(0.15 / 0.45, 3)),
        (WHAT, seen(coverage=0.3), 1),
        (WHAT, seen(coverage=0), 1),
        # One of a few words is a name.
        ("Is it so there then?", seen(coverage=0.525), 0.5),
        ("Is it so there?", seen(coverage=0.525), 0.417),
        ("Is it?", seen(coverage=0.525), 0.25),
        # For open questions, how far both views are apart.
        (WHAT, seen(4, gain=0.2, examined=1), round(0.6 * 0.85 * abs(FOUR - 0.3 - 0.5 * 0.2), 3)),
        (WHAT, seen(4, gain=-0.2, examined=1), round(0.6 * 0.85 * (FOUR - 0.3 + 0.5 * 0.2), 3)),
        (WHAT, seen(4, gain=0.2, examined=0.5), round(0.6 * 0.425 * abs(FOUR - 0.3 - 0.5 * 0.2), 3)),
        (WHAT, seen(4, gain=0.2, examined=0.5, coverage=0), 1),
        (WHICH, seen(9), 0),
    ],
)
def test_what_was_not_learned_from_is_novel(prompt: str, learned: Prediction, novelty: float) -> None:
    assert of(prompt, learned).novelty == pytest.approx(novelty)


PUSHED = dict.fromkeys(("figures", "commas", "quotes", "notation", "errors", "fences", "list_items", "length"), 1.0)
EACH = {
    "figures": {"perceived": 1.0, "open": 0.1, "choice": 0.2},
    "commas": {"perceived": -2.0},
    "quotes": {"open": 0.3, "choice": -0.3},
    "notation": {"perceived": 0.01, "choice": 0.001},
    "errors": {"perceived": 0.06, "choice": 0.06},
    "fences": {"perceived": 3.0, "choice": 3.0},
    "list_items": {"perceived": 4.0, "choice": -4.0},
    "length": {"perceived": 0.5, "choice": 0.5},
}


@pytest.mark.parametrize(
    ("prompt", "learned", "evidence"),
    [
        # Rated, a unit is 1.25 / 9.6 of difficulty; of the outcome 45 % of 0.5. What moves less than 0.005 is left out.
        (
            WHAT,
            seen(measured=PUSHED),
            [
                ("listed points", 0.5208),
                ("fenced code", 0.3906),
                ("commas", -0.2604),
                ("figures", 0.1302 + 0.0225),
                ("quotation marks", 0.0675),
                ("about 7 words long", 0.0651),
            ],
        ),
        (
            WHAT,
            seen(measured=PUSHED, examined=1),
            [
                ("quotation marks", 0.1275),
                ("listed points", 0.0781),
                ("figures", 0.0195 + 0.0425),
                ("fenced code", 0.0586),
                ("commas", -0.0391),
                ("about 7 words long", 0.0098),
            ],
        ),
        (WHAT, seen(measured={"notation": 1, "errors": 1}), [("an error message", 0.0078)]),
        # Of options, six tenths of the gain; beside them what the subject says.
        (
            WHICH,
            seen(measured=PUSHED, subject=0.1),
            [
                ("listed points", -1),
                ("fenced code", 1),
                ("about 7 words long", 0.3),
                ("quotation marks", -0.18),
                ("figures", 0.12),
                ("its subject", 0.06),
            ],
        ),
        (WHICH, seen(measured={"figures": 1}, subject=-0.3), [("its subject", -0.18), ("figures", 0.12)]),
        (WHICH, seen(measured={"figures": 1}, subject=-0.1), [("figures", 0.12), ("its subject", -0.06)]),
        (WHICH, seen(subject=0.0084), [("its subject", 0.005)]),
        (WHICH, seen(subject=0.008), []),
        (WHAT, seen(subject=0.3), []),
        (MANY, seen(subject=0.3), []),
    ],
)
def test_what_pushed_the_difficulty_is_told_by_how_much(
    prompt: str, learned: Prediction, evidence: list[tuple[str, float]]
) -> None:
    told = assess(trained(inputs=EACH), read(prompt), learned).evidence
    assert [one.feature for one in told] == [name for name, _ in evidence]
    assert [one.effect for one in told] == pytest.approx([effect for _, effect in evidence], abs=0.00011)
    assert all(math.isclose(one.effect, round(one.effect, 4)) for one in told)
