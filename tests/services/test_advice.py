"""What is advised to whom, from ledgers that can be read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.money import Money
from tui_orchestrator.services.advice import Advice, advice_from
from tui_orchestrator.services.recommendation import Habits, Kind, Recommendation, rounded_up
from tui_orchestrator.services.walks import lower, upper, worse_by_at_most
from tui_orchestrator.storage.evidence import Evidence

from .ledgers import ledger, refusals

USD = Money.from_usd
CAPPED = Habits(limits={"day": USD("1")})


def advised(text: str, habits: Habits | None = None) -> list[Recommendation]:
    return list(advice_from(ledger(text), habits or Habits()).recommendations)


def kinds(text: str, habits: Habits | None = None) -> list[str]:
    return [one.kind.value for one in advised(text, habits)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # As good, for a tenth: from forty answers of each.
        ("40 × code/4 dear ✓ 0.10\n40 × code/4 cheap ✓ 0.01", ["cheaper_model"]),
        # One vote, or ten answers, prove nothing.
        ("40 × code/4 dear ✓ 0.10\n1 × code/4 cheap ✓+ 0.01", []),
        ("40 × code/4 dear ✓ 0.10\n10 × code/4 cheap ✓ 0.01", []),
        # Good as often as not is not as good.
        ("40 × code/4 dear ✓ 0.10\n25 × code/4 cheap ✓ 0.01\n15 × code/4 cheap ✓- 0.01", []),
        # Another kind of task, or only easy prompts of the kind, are no proof either.
        ("40 × code/4 dear ✓ 0.10\n40 × math/4 cheap ✓ 0.01", []),
        ("40 × code/9 dear ✓ 0.10\n40 × code/2 cheap ✓ 0.01", []),
        # Hardly cheaper.
        ("40 × code/4 dear ✓ 0.10\n40 × code/4 cheap ✓ 0.09", []),
        # A first step that is only there to fail; one that is worth its trial is left alone.
        ("40 × math/6 weak ~ 0.02, strong ✓ 0.05\n2 × math/6 weak ✓ 0.02\n9 × code/3 weak ✓ 0.02", ["first_step"]),
        ("20 × math/6 weak ~ 0.02, strong ✓ 0.05\n30 × math/6 weak ✓ 0.02", []),
        # Bad at everything it is asked.
        ("20 × math/6 bad ~ 0.02, good ✓ 0.05\n10 × code/3 bad ✗ 0.01, good ✓ 0.05", ["never_worth_it"]),
        # Slow to fail, though it costs nothing.
        ("25 × math/6 local ✗ 0 0tok 40s, good ✓ 0.05", ["never_worth_it"]),
        # Retries that do not help; retries that do.
        ("25 × code/4 a ✗ 0.01, ↻ a ✗ 0.01, b ✓ 0.02\n60 × code/5 a ✓ 0.01", ["retries"]),
        ("25 × code/4 a ✗ 0.01, ↻ a ✓ 0.01\n30 × code/4 a ✓ 0.01", []),
        # Checks that change nothing; checks that do.
        ("60 × code/4 a ✓ 0.02, ? b ✓ 0.01", ["checks"]),
        # A judge that was asked afterwards, by a turn of its own, was not there to change anything.
        ("60 × code/4 a ✓ 0.02\n60 × code/4 ? b ✓ 0.01", []),
        # Who read the parts of a long prompt was good, though another one put the answers together.
        ("30 × code/4 § reader ✓ 0.01, § reader ✓ 0.01, writer ✓ 0.05", []),
        ("40 × code/4 a ✓ 0.02, ? b ✓ 0.01\n20 × code/4 a ~ 0.02, ? b ✓ 0.01, c ✓ 0.05", []),
    ],
)
def test_it_is_advised_only_what_the_ledger_proves(text: str, expected: list[str]) -> None:
    assert kinds(text) == expected


def test_a_recommendation_says_its_figures_and_the_lines_that_do_it() -> None:
    (one,) = advised("40 × code/4 dear ✓ 0.10\n40 × code/4 cheap ✓ 0.01")
    assert one.title == "Send code to cheap"
    assert one.why == (
        "cheap did as well for code: 100% of 40 answers stood, of dear's 100% of 40; "
        "$0.010 an answer instead of $0.100."
    )
    assert (one.saved, one.n) == (USD("3.60"), 80)
    assert one.change is not None
    assert one.change.toml() == ('[rules.advice-code]\ntask_types = ["code"]\nprimary = "cheap"\nfallback = ["dear"]')


def test_what_is_proved_for_easy_prompts_is_advised_for_easy_prompts() -> None:
    (one,) = advised("30 × code/2 dear ✓ 0.10\n30 × code/9 dear ✓ 0.20\n30 × code/2 cheap ✓ 0.01")
    assert one.title == "Send basic code to cheap"
    assert one.saved == USD("2.70"), "nothing of the hard ones"
    assert one.change is not None
    assert 'levels = ["basic"]' in one.change.toml()


def test_a_cheaper_model_that_fails_more_is_charged_with_asking_again() -> None:
    (one,) = advised("60 × code/4 dear ✓ 0.10\n58 × code/4 cheap ✓ 0.01\n2 × code/4 cheap ✓- 0.01")
    assert USD("5.10") < one.saved < USD("5.30")  # 60 × 0.09 less 2 of 60 at 0.10 again


def test_starting_one_step_later_saves_what_the_first_step_cost_in_vain() -> None:
    (one,) = advised("40 × math/6 weak ~ 0.02, strong ✓ 0.05\n2 × math/6 weak ✓ 0.02\n9 × code/3 weak ✓ 0.02")
    assert one.title == "Start math at strong, not weak"
    assert "40 of 42 turns that began with weak went on to another model; asking it first cost $0.800" in one.why
    # 40 × 0.02, less 2 turns that would now cost 0.05 instead of 0.02.
    assert one.saved == USD("0.74")


@pytest.mark.parametrize(
    ("habits", "expected"),
    [
        (Habits(), ["cheaper_model"]),
        (Habits(usable=frozenset({"dear"})), []),  # it is not there any more
        (Habits(usable=frozenset({"cheap"})), []),  # switched off already
        (Habits(rules={"code": "mine"}), []),  # the user has said so already
    ],
)
def test_nothing_is_advised_that_is_done_or_cannot_be_done(habits: Habits, expected: list[str]) -> None:
    assert kinds("40 × code/4 dear ✓ 0.10\n40 × code/4 cheap ✓ 0.01", habits) == expected


def test_a_cap_that_is_always_hit_is_to_be_raised_to_what_the_days_needed() -> None:
    evidence = ledger("30 × code/4 a ✓ 0.10 3000tok", refused=refusals(6))
    (one,) = advice_from(evidence, CAPPED).recommendations
    assert one.title == "Raise the day's cap to $1.20, or spend less under it"
    assert one.why == "It refused 6 turns in 3 days; they would have cost about $0.600 in all."
    assert one.change is not None
    assert one.change.toml() == "[budgets]\ndaily_usd = 1.20"


@pytest.mark.parametrize(
    ("habits", "refused"),
    [
        (CAPPED, refusals(2)),  # one bad day
        (Habits(limits={"day": USD("2")}), refusals(6)),  # raised already
        (Habits(), refusals(6)),  # taken away
    ],
)
def test_a_cap_is_left_alone(habits: Habits, refused: tuple[object, ...]) -> None:
    evidence = replace(ledger("30 × code/4 a ✓ 0.10 3000tok"), refused=refused)
    assert not advice_from(evidence, habits).recommendations


def test_caps_that_refuse_while_answers_are_short_are_told_to_set_aside_less() -> None:
    evidence = ledger("60 × code/4 a ✓ 0.01 400tok", refused=refusals(6))
    found = {one.kind: one for one in advice_from(evidence, CAPPED).recommendations}
    assert set(found) == {Kind.CAP, Kind.RESERVATIONS}
    change = found[Kind.RESERVATIONS].change
    assert change is not None
    assert change.toml() == "[router]\nmax_tokens = 768"


@pytest.mark.parametrize(
    ("habits", "toml"),
    [
        (Habits(), "[router]\ntemperature = 0"),
        (Habits(caching=False), "[cache]\nexact = true\n[router]\ntemperature = 0"),
        (Habits(temperature=0.0), None),  # it works already
        (Habits(cache_ttl_s=60), None),  # too long ago
    ],
)
def test_requests_that_are_repeated_word_for_word_could_come_from_the_cache(habits: Habits, toml: str | None) -> None:
    evidence = ledger("30 × simple_qa/2 a ✓ 0.01\n30 × code/4 a ✓ 0.02", same=True)
    found = advice_from(evidence, habits).recommendations
    assert [one.change.toml() for one in found if one.change] == ([toml] if toml else [])
    if toml:
        assert found[0].saved == USD("0.87"), "all but the first of each"
        assert "58 of 60 requests repeated an earlier one word for word" in found[0].why


def test_money_of_one_model_and_task_is_saved_once() -> None:
    text = "40 × math/6 bad ~ 0.02, good ✓ 0.05"
    (one,) = advised(text)
    assert one.kind in (Kind.FIRST_STEP, Kind.NEVER_WORTH_IT)


def test_below_twenty_attempts_nothing_is_advised_and_it_is_said() -> None:
    advice = advice_from(ledger("19 × code/4 dear ✓ 0.10"), Habits())
    assert (advice.score, advice.recommendations) == (None, ())
    assert advice.lines() == ["19 attempts so far; advice begins at about 20."]
    assert advice_from(ledger("1 × code/4 dear ✓ 0.10"), Habits()).lines() == [
        "1 attempt so far; advice begins at about 20."
    ]
    assert advice_from(Evidence(), Habits()).lines() == ["0 attempts so far; advice begins at about 20."]


def test_the_score_is_what_was_needed_times_what_was_answered_with_the_figures() -> None:
    text = "40 × code/4 dear ✓ 0.10\n40 × code/4 cheap ✓ 0.01\n10 × math/5 other ✗ 0"
    advice = advice_from(ledger(text), Habits())
    assert advice.score is not None
    # $3.60 of $4.40 could be saved; 80 of 90 turns gave an answer.
    assert advice.score.formula() == (
        "16 = 100 × 0.18 × 0.89: $3.60 of $4.40 could have been saved by the advice here, and 89% of 90 turns gave an "
        "answer that stood"
    )
    assert advice.lines()[0] == f"Optimisation score {advice.score.formula()}."
    assert advice.lines()[1:3] == [
        "From 90 attempts in 2 days.",
        "1. Send code to cheap (≈ $15.43 a month, an estimate)",
    ]


def test_who_spends_well_has_a_full_score() -> None:
    advice = advice_from(ledger("60 × code/4 a ✓ 0.02"), Habits())
    assert advice.score is not None
    assert (advice.score.value, advice.recommendations) == (100, ())
    assert advice.lines()[-1] == "From 60 attempts in 1 day. Nothing to advise."


def test_an_answer_the_user_turned_down_did_not_stand() -> None:
    advice = advice_from(ledger("45 × code/4 a ✓ 0.02\n15 × code/4 a ✓- 0.02"), Habits())
    assert advice.score is not None
    assert advice.score.value == 75


def test_a_few_days_are_made_a_month_of_with_care() -> None:
    assert Advice(30, 15, (), None).a_month(USD("3")) == USD("6")
    assert Advice(30, 1, (), None).a_month(USD("0.7")) == USD("3")  # as if they were seven


@given(st.integers(1, 300), st.floats(0, 1))
def test_bounds_enclose_the_share_and_close_in_on_it(n: int, share: float) -> None:
    good = share * n
    assert lower(good, n) <= share + 1e-9
    assert upper(good, n) >= share - 1e-9
    assert lower(good * 4, n * 4) >= lower(good, n) - 1e-9


def test_the_difference_of_two_shares_is_bounded_from_above() -> None:
    assert worse_by_at_most((40, 40), (40, 40)) == pytest.approx(0.0394, abs=1e-3)
    assert worse_by_at_most((10, 10), (10, 10)) > 0.1 > worse_by_at_most((20, 20), (20, 20))


@pytest.mark.parametrize(("amount", "rounded"), [("1.02", "1.1"), ("3.0", "3.0"), ("0.00991", "0.01"), ("17.2", "18")])
def test_caps_are_rounded_up_to_two_digits(amount: str, rounded: str) -> None:
    assert rounded_up(USD(amount)) == USD(rounded)
