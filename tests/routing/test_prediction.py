"""The trained weights: the n-grams they are looked up by, and that both of their files belong together."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tui_orchestrator.routing import prediction
from tui_orchestrator.routing.features import read
from tui_orchestrator.routing.measures import count_grams, grams
from tui_orchestrator.routing.prediction import HEADS, Weights, weights
from tui_orchestrator.routing.profile import Published

from .trained import trained

FOLDER = Path(prediction.__file__).parent / "weights"
PROMPTS = [
    "",
    "Hello",
    "Write a",
    "Write a Python function that merges two sorted lists, and say what it costs.",
    "What is 3,000 divided by 12.5? What is 7 divided by 2?",
    "请证明存在无穷多个素数。 Write it in C++, node.js and c#.",
    "Erkläre mir’s: “Übergröße” ist … __ oder ____ – was?",
]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_rows_of_a_prompt_are_those_of_its_n_grams(prompt: str) -> None:
    learned, features = weights(), read(prompt)
    words, pairs = learned.grams
    named = [*words, *map(" ".join, zip(pairs[::2], pairs[1::2], strict=True))]
    found = learned.rows_of(features)
    assert sorted(named[row] for row in found) == sorted(set(grams(features)) & set(named))
    assert count_grams(features) == len(list(grams(features)))


def test_words_that_are_familiar_by_a_list_alone_have_no_row() -> None:
    learned = weights()
    assert None in learned.row.values()
    assert all(isinstance(row, int) for row in learned.rows_of(read(" ".join(learned.row))))


def test_rows_of_other_weights_are_refused() -> None:
    stored = json.loads((FOLDER / "profile.json").read_bytes())
    rows = (FOLDER / "profile.rows").read_bytes()
    Weights(stored, rows)
    with pytest.raises(ValueError, match="train both anew"):
        Weights(stored, rows[: -len(HEADS)])


def test_the_shipped_weights_are_less_than_a_megabyte() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 1_000_000


@pytest.mark.parametrize(
    ("text", "coverage"),
    [
        ("", 0),
        ("5", 1),
        ("0 the", 1),
        ("…", 1),
        ("the of", 1),
        ("the xa", 1 / 2),
        ("the 5 xa", 1 / 2),
        ("xa 5", 0),
        ("poem xa xb python", 1 / 2),
        ("the the xa", 2 / 3),
    ],
)
def test_words_that_were_learned_or_stand_in_a_list_are_familiar(text: str, coverage: float) -> None:
    assert trained(grams={"poem": {}, "0": {}}).predict(read(text)).coverage == pytest.approx(coverage)


def test_a_head_is_a_sum_over_n_grams_and_measures() -> None:
    weights = trained(
        bias={"code": 0.5},
        grams={"xa": {"code": 3}, "^xa": {"code": 5}, "xa xb": {"code": -2}, "^xa xb": {"code": 11}, "xb": {"math": 1}},
        inputs={"commas": {"code": 2.0}, "creative": {"math": 4.0}},
        step=0.1,
    )
    code, math_ = HEADS.index("code"), HEADS.index("math")
    # Of 'xa, xb': three tokens and two pairs, the first of both marked. The comma counts once as a measure.
    seen = weights.predict(read("xa, xb"))
    assert seen.total == 3 + 2 + 2
    assert seen.heads[code] == pytest.approx(0.5 + 0.1 * (3 + 5) * 6 / math.sqrt(7) + 2.0 * math.log1p(1) / 2)
    seen = weights.predict(read("xa xb"))
    assert seen.heads[code] == pytest.approx(0.5 + 0.1 * (3 + 5 - 2 + 11) * 6 / math.sqrt(5))
    assert seen.heads[math_] == pytest.approx(0.1 * 6 / math.sqrt(5))
    # The points of its cues count half.
    assert weights.predict(read("xc poem xc xc xc")).heads[math_] == pytest.approx(4.0 * 0.5 * 2.3 * 1.3)


@pytest.mark.parametrize("weight", [-128, 127])
@pytest.mark.parametrize("count", [255, 256, 257, 514])
def test_any_number_of_the_largest_weights_is_added_up(weight: int, count: int) -> None:
    names = [f"w{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(count)]
    weights = trained(grams={name: {"code": weight} for name in names})
    for at in range(0, count, 257):
        some = names[at : at + 257]
        seen = weights.predict(read(" ".join(some)))
        assert seen.heads[HEADS.index("code")] == pytest.approx(weight * len(some) * 6 / math.sqrt(2 * len(some) + 1))


def test_the_subject_of_an_examination_question_adds_to_its_gain() -> None:
    weights = trained(bias={"subjects of band 3": 50.0, "choice": 1.0}, published={"m": [0.5] * 7})
    choice = weights.predict(read("Which?\nA. x\nB. y\nC. z"))
    assert choice.subject == pytest.approx(0.3)
    assert choice.heads[HEADS.index("choice")] == pytest.approx(1.3)
    assert (choice.examined, choice.published) == (0, Published())
    half = trained(bias={"subjects of band 3": 50.0, "subjects of band 7": 50.0}).predict(read("?\nA. x\nB. y\nC. z"))
    assert half.subject == pytest.approx(0.5)
    assert weights.predict(read("Why?")).subject == 0
    assert weights.predict(read("Why?")).examined == pytest.approx(7 / 8)
    assert weights.predict(read("")).examined == 0


@pytest.mark.parametrize(
    ("weights", "named"),
    [
        ({"xa": 5, "xb": 4, "xc": 3, "xd": 2}, ["'xa'", "'xb'", "'xc'"]),
        ({"xa": 1, "xb": 4}, ["'xb'", "'xa'"]),
        ({"xa": -1, "xb": 0, "xc": 2}, ["'xc'"]),
        ({"xa xb": 3, "^xa": 7}, ["'xa'", "'xa xb'"]),
        ({"^xa xb": 3, "xa": 1}, ["'xa xb'", "'xa'"]),
        ({"xa xb": 3, "xb xc": 5, "xc xd": 4}, ["'xb xc'", "'xc xd'", "'xa xb'"]),
        ({"xa": 2, "xb": 2, "xc": 2, "xd": 2}, ["'xd'", "'xc'", "'xb'"]),
        ({}, []),
    ],
)
def test_the_three_strongest_n_grams_speak_for_a_head(weights: dict[str, int], named: list[str]) -> None:
    learned = trained(grams={gram: {"code": weight} for gram, weight in weights.items()})
    assert learned.speaking_for(learned.predict(read("xa xb xc xd")), HEADS.index("code")) == named


LETTERS = "the length of its words"


def test_what_pushed_two_heads_is_told_by_its_effect() -> None:
    weights = trained(
        grams={
            "xa": {"perceived": 2},
            "xb": {"perceived": -4, "open": 1},
            "xc": {"open": 3},
            "xd": {"perceived": 5},
            "xa xb": {"open": 2},
        },
        inputs={
            "commas": {"perceived": 0.9},
            "length": {"open": 3.0},
            "word_length": {"open": 0.5},
            "short": {"perceived": 0.02},
        },
        usual={"commas": 1.0, "length": math.log1p(11) / 5},
        step=0.5,
    )
    seen = weights.predict(read("xa xb xc xd"))
    each = 0.5 * 6 / math.sqrt(4 + 2 + 3)
    perceived, gain = (HEADS.index(name) for name in ("perceived", "open"))
    pushed = weights.pushes(seen, (perceived, 1.0), (gain, 0.5), most=9, least=0.05)
    assert [name for name, _ in pushed] == ["'xd'", "'xb'", "'xa'", "'xc'", "'xa xb'", "commas", LETTERS]
    assert [effect for _, effect in pushed] == pytest.approx(
        [5 * each, -3.5 * each, 2 * each, 1.5 * each, each, -0.9, 0.1]
    )
    strongest = weights.pushes(seen, (perceived, 1.0), (gain, 0.5), most=2, least=0.05)
    assert strongest == pushed[:2]
    few = weights.pushes(seen, (perceived, 1.0), (gain, 0.5), most=9, least=2)
    assert [name for name, _ in few] == ["'xd'", "'xb'", "'xa'"]
