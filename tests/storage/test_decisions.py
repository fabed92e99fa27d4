from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing.budget import Cap, Hold
from tui_orchestrator.routing.decision import (
    Asked,
    Candidate,
    Decision,
    Diversity,
    Leanings,
    Policy,
    Retries,
    Votes,
    Weights,
)
from tui_orchestrator.routing.money import Money, Rates
from tui_orchestrator.routing.profile import Evidence, Mix, Profile, Published, TaskType
from tui_orchestrator.routing.request import Image, Message, Request
from tui_orchestrator.storage.codec import decode, encode
from tui_orchestrator.storage.decisions import decision_from_json, decision_to_json, said_digest

from .samples import DECISION, REQUEST

texts = st.text(max_size=12)
numbers = st.floats(allow_nan=False)
BY_HINT: dict[Any, Any] = {str: texts, float: numbers, float | None: st.none() | numbers, str | None: st.none() | texts}


def any_of(kind: type, **named: Any) -> Any:
    """By the annotations, so that a field added to a decision is tried as well."""
    hinted = {name: BY_HINT[hint] for name, hint in get_type_hints(kind).items() if hint in BY_HINT}
    return st.builds(kind, **{name: st.from_type(hint) for name, hint in get_type_hints(kind).items()} | hinted | named)


profiles = any_of(
    Profile,
    task_probabilities=st.dictionaries(st.sampled_from(TaskType), numbers, max_size=3),
    evidence=st.lists(any_of(Evidence), max_size=3).map(tuple),
    mix=any_of(Mix),
    published=any_of(Published, chances=st.dictionaries(texts, numbers, max_size=3)),
)
weights = any_of(Weights, leanings=any_of(Leanings), votes=any_of(Votes), diversity=any_of(Diversity))
asked = any_of(
    Asked,
    policy=any_of(Policy, weights=weights, retries=any_of(Retries)),
    chain=st.lists(texts, max_size=3).map(tuple),
)
decisions = any_of(
    Decision,
    asked=asked,
    chain=st.lists(texts, max_size=3).map(tuple),
    profile=profiles,
    candidates=st.lists(any_of(Candidate), max_size=3).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(decisions)
def test_a_decision_comes_back_exactly(decision: Decision) -> None:
    back = decision_from_json(decision_to_json(decision))
    assert back == decision
    assert list(back.profile.task_probabilities) == list(decision.profile.task_probabilities)
    assert all(type(getattr(back, f.name)) is type(getattr(decision, f.name)) for f in fields(Decision))


def test_a_decision_of_an_older_version_is_read_with_defaults() -> None:
    stored: dict[str, Any] = json.loads(decision_to_json(DECISION))
    del stored["seed"]
    del stored["candidates"][0]["family"]
    stored["mood"] = "good"
    assert decision_from_json(json.dumps(stored)) == replace(DECISION, seed=0)


def test_nested_values_come_back_exactly() -> None:
    hold = Hold("r", 1, "p", "m", Money(5), (Cap("day", "2026-11-21", None), Cap("request", "r", Money(9))))
    assert decode(Hold, json.loads(json.dumps(encode(hold)))) == hold


def test_what_a_value_works_out_itself_is_neither_kept_nor_read() -> None:
    rates = Rates(2, 10, cache_write=3)
    kept = encode(rates)
    assert {"dearest_input", "dearest_output"}.isdisjoint(kept)
    assert decode(Rates, {**kept, "dearest_input": 1}).dearest_input == rates.dearest_input


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="a bytes has no JSON form here"):
        encode((b"picture",))


def test_a_prompt_is_kept_as_a_digest_that_tells_the_same_words_again() -> None:
    again = replace(REQUEST, id="r2", session="other", model="openai/large", temperature=0.0)
    assert said_digest(again) == said_digest(REQUEST)
    for other in (
        replace(REQUEST, system="Be brief"),
        replace(REQUEST, messages=(*REQUEST.messages, Message("assistant", "Like so"))),
        replace(REQUEST, messages=(Message("user", REQUEST.prompt, (Image("image/png", b"p"),)),)),
    ):
        assert said_digest(other) != said_digest(REQUEST)


def test_the_digests_of_earlier_versions_are_those_of_this_one() -> None:
    seen = Message("user", "Why is the sky blue?", (Image("image/png", b"\x89PNG"),))
    said = Request((seen,), system="Be brief.")
    assert said_digest(said) == "185e681eb1f42efa6128527607528bd8"


def test_asking_for_another_answer_is_no_repetition() -> None:
    assert said_digest(replace(REQUEST, use_cache=False)) is None
