from __future__ import annotations

from dataclasses import replace

import pytest

from tui_orchestrator.routing.ensemble import Answer, completeness, weighted
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.features import estimate_tokens

from .samples import profile

PROFILE = profile(output_tokens=20)
LONG = "Oslo is the capital of Norway. It lies at the end of a fjord and has been the seat of government since 1814."


def answer(attempt: int, text: str = LONG, confidence: float = 0.8, capability: float = 0.8) -> Answer:
    return Answer(attempt, f"m/{attempt}", text, confidence, capability, FinishReason.STOP)


def test_the_total_is_half_confidence_three_tenths_capability_and_a_fifth_completeness() -> None:
    (score,) = weighted([answer(1, confidence=0.6, capability=0.5)], PROFILE).scores
    assert (score.confidence, score.capability, score.completeness, score.consensus) == (0.6, 0.5, 1.0, 0.0)
    assert score.total == pytest.approx(0.5 * 0.6 + 0.3 * 0.5 + 0.2)


def test_the_best_total_wins_and_a_tie_goes_to_the_one_asked_first() -> None:
    assert weighted([answer(1, confidence=0.5), answer(2, confidence=0.9)], PROFILE).winner == 2
    assert weighted([answer(2), answer(1)], PROFILE).winner == 1


def test_a_shared_point_lifts_an_answer_over_an_equal_one_that_stands_alone() -> None:
    alone = answer(
        1, "Bergen was always called the chief town by everyone in these western parts of the country there."
    )
    judgement = weighted([alone, answer(2), answer(3)], PROFILE)
    assert judgement.winner == 2
    assert judgement.agreement
    assert any("m/1: Bergen" in line for line in judgement.dissent)


def test_the_bonus_still_counts_among_answers_that_are_all_excellent() -> None:
    alone = answer(
        1,
        "Bergen was always called the chief town by everyone in these western parts of the country there.",
        0.99,
        0.99,
    )
    assert weighted([alone, answer(2, LONG, 0.99, 0.985), answer(3, LONG, 0.99, 0.985)], PROFILE).winner == 2


def test_what_is_cut_off_is_half_an_answer_at_most_and_nothing_is_none() -> None:
    assert completeness(answer(1), PROFILE) == 1.0
    assert completeness(replace(answer(1), finish_reason=FinishReason.LENGTH), PROFILE) == 0.5
    assert completeness(answer(1, " \n"), PROFILE) == 0.0
    assert completeness(answer(1, "Oslo."), profile(output_tokens=500)) < 0.05


def test_an_answer_in_chinese_is_as_whole_as_one_in_english() -> None:
    chinese = "奥斯陆是挪威的首都。它位于峡湾的尽头,自一八一四年以来一直是政府所在地。"
    assert completeness(answer(1, chinese), PROFILE) == 1.0


def test_two_answers_of_one_model_are_told_apart_by_their_attempts() -> None:
    twins = [replace(answer(1), model="m/x"), replace(answer(2, "Bergen is the capital."), model="m/x")]
    assert any(line.startswith("m/x (attempt 2): Bergen") for line in weighted(twins, PROFILE).dissent)


def test_a_verdict_over_nothing_is_a_bug() -> None:
    with pytest.raises(ValueError, match="at least one answer"):
        weighted([], PROFILE)


def test_agreement_is_not_in_the_note_or_the_table_that_answers_share() -> None:
    frame = "*Scripted demo answer.*\n\n{}\n\n| City | People |\n|---|---|\n| Oslo | 700,000 |\n"
    texts = [frame.format("Oslo is the capital of Norway."), frame.format("Bergen has the finest harbour by far.")]
    judgement = weighted([answer(1, texts[0]), answer(2, texts[1])], PROFILE)
    assert judgement.agreement == ()
    assert all(score.consensus == 0.0 for score in judgement.scores)


@pytest.mark.parametrize(("expected", "whole_from"), [(0, 10), (5, 10), (10, 10), (11, 11), (20, 20), (100, 100)])
def test_six_tenths_of_the_expected_length_are_a_whole_answer_and_nobody_expects_less_than_ten_tokens(
    expected: int, whole_from: int
) -> None:
    said = answer(1, "Oslo it is.")
    share = estimate_tokens(said.text) / (0.6 * whole_from)
    assert completeness(said, profile(output_tokens=expected)) == pytest.approx(min(1.0, share))
    cut = replace(said, finish_reason=FinishReason.LENGTH)
    assert completeness(cut, profile(output_tokens=expected)) == pytest.approx(min(0.5, share))


@pytest.mark.parametrize(
    ("confidence", "capability", "finish", "total"),
    [
        (0.8, 0.6, FinishReason.STOP, 0.4 + 0.18 + 0.2),
        (0.8, 0.6, FinishReason.LENGTH, 0.4 + 0.18 + 0.1),
        (0.0, 0.0, FinishReason.LENGTH, 0.1),
        (1.0, 1.0, FinishReason.STOP, 1.0),
    ],
)
def test_what_is_cut_off_has_half_of_the_fifth(
    confidence: float, capability: float, finish: FinishReason, total: float
) -> None:
    (score,) = weighted([replace(answer(1, LONG, confidence, capability), finish_reason=finish)], PROFILE).scores
    assert score.total == pytest.approx(total)
