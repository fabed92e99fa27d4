"""What the shipped weights claim of themselves, and the pictures drawn of it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CARD: dict[str, Any] = json.loads((ROOT / "training" / "confidence.card.json").read_text("utf-8"))
KNOWN = CARD["out_of_fold"]


def test_nothing_was_learned_from_what_may_only_be_measured_with() -> None:
    assert CARD["learned_from"].keys().isdisjoint(CARD["evaluation_only"])
    assert {"routerarena", "alpaca_eval"} <= CARD["evaluation_only"].keys()
    assert all(source["licence"] for source in CARD["learned_from"].values())


@pytest.mark.parametrize(
    ("figures", "least"),
    [
        (KNOWN["text_alone"], 0.75),
        (KNOWN["with_one_second_answer"], 0.80),
        (CARD["left_out"]["source"]["text_alone"], 0.65),
        (CARD["left_out"]["subject"]["text_alone"], 0.65),
    ],
)
def test_confidence_tells_wrong_answers_from_right_ones(figures: dict[str, Any], least: float) -> None:
    assert figures["interval"][0] >= least


@pytest.mark.parametrize("way", ["text_alone", "with_one_second_answer"])
def test_confidence_is_as_true_as_it_claims_on_known_sources(way: str) -> None:
    assert KNOWN[way]["ece"] <= 0.10


@pytest.mark.parametrize("group", KNOWN["escalation"])
@pytest.mark.parametrize("way", ["text_alone", "with_one_second_answer"])
def test_escalating_what_is_trusted_least_beats_escalating_at_random_everywhere(group: str, way: str) -> None:
    curves = KNOWN["escalation"][group]
    inner = list(zip(curves[way], curves["at_random"], strict=True))[1:-1]
    assert all(quality > random for quality, random in inner)


def test_the_pictures_show_the_card() -> None:
    plots = _script("make_confidence_plots")
    errors = {name: KNOWN[name]["ece"] for name in ("text_alone", "with_one_second_answer")}
    again = "run python docs/make_confidence_plots.py"
    assert plots.escalation(KNOWN["escalation"]) == (ROOT / "docs" / "escalation.svg").read_text("utf-8"), again
    assert plots.confidence(KNOWN["reliability"], errors) == (ROOT / "docs" / "confidence.svg").read_text("utf-8"), (
        again
    )


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
