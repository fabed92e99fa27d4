"""The trained weights: the n-grams they are looked up by, and that both of their files belong together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tui_orchestrator.routing import prediction
from tui_orchestrator.routing.features import read
from tui_orchestrator.routing.measures import count_grams, grams
from tui_orchestrator.routing.prediction import HEADS, Weights, weights

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
