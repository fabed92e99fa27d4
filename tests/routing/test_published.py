"""Models whose answers were published count by them where a prompt is like the questions that were asked."""

from __future__ import annotations

import pytest

from tui_orchestrator.routing.ability import success_probability
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.profile import Evidence, Profile, Published, TaskType
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.published import KINDS, outcomes, published_as
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.storage.codec import decode, encode

D = 8.0


@pytest.mark.parametrize(
    ("served", "known"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b-instruct"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", "llama-3.1-8b-instruct"),
        ("llama3.1:8b", "llama-3.1-8b-instruct"),
        ("llama3.1:8b-instruct-q4_K_M", "llama-3.1-8b-instruct"),
        ("qwen2.5:7b", "qwen2.5-7b-instruct"),
        ("Qwen/Qwen2.5-7B-Instruct-AWQ", "qwen2.5-7b-instruct"),
        ("gemma2:9b", "gemma-2-9b-it"),
        ("nvidia/llama-3.1-nemotron-51b-instruct", "llama-3.1-nemotron-51b-instruct"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "mistral-7b-instruct-v0.3"),
        # Other models, however alike their names are.
        ("qwen2.5-coder:7b", None),
        ("qwen2.5:72b", None),
        ("llama-3.1-80b", None),
        ("llama3.1:70b", None),
        ("deepseek-r1-distill-llama-8b", None),
        ("llama-3.1-8b-lexi-uncensored", None),
        ("mistral-7b-instruct-v0.2", None),
        ("nvidia/llama-3.3-nemotron-super-49b-v1.5", None),
        ("claude-opus-5", None),
        ("", None),
    ],
)
def test_a_model_is_known_by_its_published_answers_however_a_host_writes_its_name(
    served: str, known: str | None
) -> None:
    assert published_as(served) == known


def _like(trust: float, **chances: float) -> Profile:
    said = Published(trust, {name.replace("_", "-"): chance for name, chance in chances.items()})
    return Profile(TaskType.SIMPLE_QA, {TaskType.SIMPLE_QA: 1.0}, 0.3, 3, 20, 50, published=said)


def _p(name: str, prompt: Profile, shift: float = 0.0) -> float:
    return success_probability(Model("host", name, ability=0.45), prompt, shift, D)


def test_published_outcomes_count_by_how_like_the_prompt_is() -> None:
    by_ability = _p("gemma-2-9b-it", _like(0.0, gemma_2_9b_it=0.4))
    half = _p("gemma-2-9b-it", _like(0.5, gemma_2_9b_it=0.4))
    assert _p("gemma-2-9b-it", _like(1.0, gemma_2_9b_it=0.4)) == pytest.approx(0.4)
    assert half == pytest.approx((by_ability + 0.4) / 2)


def test_published_outcomes_of_others_say_nothing_of_a_model() -> None:
    assert _p("some-model", _like(1.0, gemma_2_9b_it=0.4)) == _p("some-model", _like(0.0))
    assert _p("qwen2.5-7b-instruct", _like(1.0, gemma_2_9b_it=0.4)) == _p("qwen2.5-7b-instruct", _like(0.0))


def test_what_the_user_taught_comes_on_top_of_published_outcomes() -> None:
    liked, usual = (_p("gemma-2-9b-it", _like(0.9, gemma_2_9b_it=0.4), shift) for shift in (0.1, 0.0))
    assert liked > usual + 0.1


def test_chances_are_those_of_the_kinds_a_prompt_may_be_of() -> None:
    shares = [0.0] * len(KINDS)
    shares[2], shares[3] = 0.6, 0.2
    good = {"a": [0.0, 0.0, 0.9, 0.1, 0.0, 0.0, 0.0]}
    said = outcomes(shares, good)
    assert said.trust == pytest.approx(0.6 * 0.6 + 0.2 * 0.2)
    assert said.chances["a"] == pytest.approx((0.6 * 0.9 + 0.2 * 0.1) / 0.8)
    assert said.kind == "common sense"
    assert outcomes([0.001] * len(KINDS), good) == Published()
    assert outcomes(shares, {}) == Published()


@pytest.mark.parametrize(("likely", "trust"), [(1.0, 1.0), (0.95, 0.9025), (0.6, 0.36), (0.3, 0.09), (0.2, 0.0)])
def test_a_kind_in_doubt_counts_for_less_than_its_likelihood(likely: float, trust: float) -> None:
    shares = [0.0] * len(KINDS)
    shares[1] = likely
    assert outcomes(shares, {"a": [0.5] * len(KINDS)}).trust == pytest.approx(trust)


def test_which_kind_it_is_being_in_doubt_counts_too() -> None:
    sure, torn = [0.0] * len(KINDS), [0.0] * len(KINDS)
    sure[1] = 0.8
    torn[1] = torn[2] = 0.4
    good = {"a": [0.5] * len(KINDS)}
    assert outcomes(torn, good).trust == pytest.approx(outcomes(sure, good).trust / 2)


def _of(prompt: str) -> Profile:
    return profile(Request((Message("user", prompt),)))


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("who played the butler in the first film of the series", "trivia"),
        ("Write a python function to find the second largest number in a list.", "short Python functions"),
        ("What is the value of $x$ if $3x + 7 = 22$? Express your answer as a fraction.", "competition mathematics"),
    ],
)
def test_a_question_like_the_published_ones_is_told(prompt: str, kind: str) -> None:
    seen = _of(prompt)
    assert seen.published.trust > 0.5
    assert seen.published.kind == kind
    assert Evidence(f"like published questions of {kind}", 0.0) in seen.evidence


@pytest.mark.parametrize(
    "prompt",
    [
        "Draft a polite reply to my landlord about the broken heating",
        "refactor this class so that the database is passed in",
        "Erkläre mir, warum der Himmel abends rot wird",
        "把这段话翻译成英文：今天天气很好",
        "find all files over 100 MB below /var and sort them by size",
        "Plan a week of vegetarian dinners for four",
        "",
    ],
)
def test_everyday_prompts_are_judged_by_difficulty_and_ability_alone(prompt: str) -> None:
    assert _of(prompt).published.trust < 0.2


def test_a_follow_up_is_no_published_question() -> None:
    turns = (
        Message("user", "Write a poem about the sea"),
        Message("assistant", "The sea is wide …"),
        Message("user", "and now make it shorter"),
    )
    assert profile(Request(turns)).published == Published()


def test_a_profile_is_kept_and_read_again_with_its_evidence_and_what_was_published() -> None:
    seen = _of("who sang the title song of the first film")
    again = decode(Profile, encode(seen))
    assert again == seen
    assert again.evidence == tuple(seen.evidence)
