"""Which turns take part in an experiment, which way they go, and what is decided there."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing.decide import decide, replay
from tui_orchestrator.routing.decision import Circumstances, Decision, Exclusion, Policy, Standing
from tui_orchestrator.routing.event_json import decision_json
from tui_orchestrator.routing.experiment import Arm, Experiment, assigned, draw
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.profile import Ability
from tui_orchestrator.routing.request import Image, Message, Request, Strategy
from tui_orchestrator.routing.rules import Rule
from tui_orchestrator.routing.tools import Tool
from tui_orchestrator.storage.decisions import decision_from_json, decision_to_json

from .deciding import CHEAP, DEAR, REGISTRY
from .samples import profile, request

THRIFT = Experiment(
    "e1", "thrift", Arm("strategy=cheapest", Strategy.CHEAPEST), Arm("strategy=quality", Strategy.QUALITY)
)
MODELS = Experiment("e2", "models", Arm("model=a/cheap", model=CHEAP.id), Arm("model=b/dear", model=DEAR.id))
PROMPTS = Experiment("e3", "prompts", Arm("default"), Arm("system=Be brief.", system="Be brief."))


def of(side: str, experiment: Experiment) -> Request:
    """One that goes this way."""
    for number in range(100):
        asked = request(place=f"session/{number}")
        drawn = assigned(experiment, asked)
        if drawn is not None and drawn.side == side:
            return asked
    raise AssertionError("never drawn")


def tried(asked: Request, experiment: Experiment, rules: tuple[Rule, ...] = (), **standings: Standing) -> Decision:
    live = Circumstances({f"{'a' if name == 'cheap' else 'b'}/{name}": one for name, one in standings.items()})
    return decide(asked, profile(), REGISTRY, live, Policy(), rules, experiment)


def test_behind_the_model_of_an_arm_five_others_may_take_over() -> None:
    many = Registry.of([CHEAP, DEAR, *(replace(CHEAP, name=f"other-{n}", ability=0.5) for n in range(8))])
    decision = decide(of("b", MODELS), profile(), many, Circumstances({}), Policy(), (), MODELS)
    assert (decision.model, len(decision.chain), len(set(decision.chain))) == ("b/dear", 6, 6)
    assert len(decide(request(), profile(), many, Circumstances({}), Policy()).chain) == 6


@settings(max_examples=20)
@given(st.floats(0.05, 0.95), st.text(min_size=1, max_size=12))
def test_the_share_that_was_asked_for_goes_to_b(share: float, seed: str) -> None:
    experiment = replace(THRIFT, id=seed, share=share)
    sides = [assigned(experiment, request(place=f"s/{n}")) for n in range(1000)]
    gone = sum(one is not None and one.side == "b" for one in sides) / 1000
    assert gone == pytest.approx(share, abs=0.08)


def test_the_same_place_goes_the_same_way_and_another_experiment_draws_anew() -> None:
    once = [assigned(THRIFT, request(place=f"s/{n}", id=f"one{n}")) for n in range(60)]
    again = [assigned(THRIFT, request(place=f"s/{n}", id=f"two{n}")) for n in range(60)]
    assert once == again
    other = [draw("other", f"s/{n}") < 0.5 for n in range(60)]
    assert [one is not None and one.side == "b" for one in once] != other


def test_without_a_place_the_request_s_own_id_draws() -> None:
    sides = {assigned(THRIFT, request(id=f"r{n}", place="")).side for n in range(40)}  # type: ignore[union-attr]
    assert sides == {"a", "b"}


@pytest.mark.parametrize(
    "wanted",
    [
        {"model": CHEAP.id},
        {"chain": (CHEAP.id,)},
        {"strategy": Strategy.BALANCED},
        {"temporary": True},
        {"apart": True},
        {"judges": True},
        {"puts_together": True},
        {"continues": True},
    ],
)
def test_what_was_asked_for_is_never_overridden_and_not_counted(wanted: dict[str, object]) -> None:
    asked = request(**wanted)
    assert assigned(THRIFT, asked) is None
    assert tried(asked, THRIFT) == tried(asked, replace(THRIFT, id="other"))
    assert tried(asked, THRIFT).experiment is None


def test_prompts_are_compared_on_a_pinned_model_too_but_not_over_a_system_text_of_one_s_own() -> None:
    asked = replace(of("b", PROMPTS), model=CHEAP.id)
    decision = tried(asked, PROMPTS)
    assert (decision.model, decision.system, decision.pinned) == (CHEAP.id, "Be brief.", True)
    assert "no other model is tried" in decision.reason
    assert tried(replace(asked, system="My own."), PROMPTS).experiment is None


def test_each_way_is_decided_as_it_says_and_the_reason_tells_it() -> None:
    for side, strategy in (("a", Strategy.CHEAPEST), ("b", Strategy.QUALITY)):
        decision = tried(of(side, THRIFT), THRIFT)
        assert decision.strategy is strategy
        said = f"experiment thrift, {side.upper()} (strategy={strategy.value}): "
        assert decision.reason.startswith(said)
        assert decision.experiment is not None
        assert decision.experiment.side == side
        assert decision_json(decision)["experiment"] == {"name": "thrift", "arm": side}


def test_a_model_on_trial_answers_and_others_take_over_only_where_it_fails() -> None:
    decision = tried(of("b", MODELS), MODELS)
    assert (decision.model, decision.pinned) == (DEAR.id, True)
    assert decision.chain[0] == DEAR.id
    assert len(decision.chain) > 1
    assert "another one only where it fails" in decision.reason


def test_a_turn_that_one_of_the_models_cannot_take_takes_no_part_whichever_was_drawn() -> None:
    out = Standing(out=(Exclusion.COOLING_DOWN, "cooling down"))
    for side in "ab":
        decision = tried(of(side, MODELS), MODELS, dear=out)
        assert decision.experiment is None
        assert "experiment" not in decision.reason


@pytest.mark.parametrize("side", ["a", "b"])
def test_no_other_model_need_be_open_than_those_on_trial(side: str) -> None:
    registry = Registry.of([CHEAP, DEAR])
    decision = decide(of(side, MODELS), profile(), registry, Circumstances({}), Policy(), (), MODELS)
    assert decision.experiment is not None


def test_a_rule_of_the_user_s_goes_first() -> None:
    rule = Rule("mine", words=("why",), strategy=Strategy.BALANCED)
    decision = tried(of("a", THRIFT), THRIFT, (rule,))
    assert (decision.rule, decision.experiment) == ("mine", None)
    other = Rule("other", pattern=re.compile("never said"), strategy=Strategy.BALANCED)
    assert tried(of("a", THRIFT), THRIFT, (other,)).experiment is not None


def test_where_nothing_can_answer_it_is_told_as_without_an_experiment() -> None:
    asked = replace(of("a", THRIFT), messages=(Message("user", "Why?", (Image("image/png", b"x"),)),))
    assert not any(Ability.VISION in model.abilities for model in REGISTRY)
    decision = tried(asked, THRIFT)
    assert (decision.model, decision.experiment) == (None, None)


def test_an_ensemble_on_trial_lets_turns_with_tools_alone() -> None:
    several = replace(THRIFT, b=Arm("strategy=ensemble", Strategy.ENSEMBLE))
    tool = Tool("look", "", {"type": "object"})
    assert assigned(several, request(tools=(tool,))) is None
    assert assigned(THRIFT, request(tools=(tool,))) is not None


@pytest.mark.parametrize("experiment", [THRIFT, MODELS, PROMPTS])
@pytest.mark.parametrize("side", ["a", "b"])
def test_the_decision_is_kept_whole_and_comes_out_the_same_again(experiment: Experiment, side: str) -> None:
    decision = tried(of(side, experiment), experiment)
    assert decision.experiment is not None
    assert decision_from_json(decision_to_json(decision)) == decision
    assert replay(decision) == decision


def test_a_system_text_on_trial_counts_in_the_estimate() -> None:
    long = replace(PROMPTS, b=Arm("system=…", system="Answer in the manner of an old sailor. " * 50))
    asked = of("b", long)
    with_it, without = tried(asked, long), decide(asked, profile(), REGISTRY, Circumstances(), Policy())
    assert with_it.profile.input_tokens > without.profile.input_tokens + 300


@pytest.mark.parametrize(
    ("one", "other", "by_hand", "takes_part"),
    [
        (Arm("default"), Arm("strategy=quality", Strategy.QUALITY), {"strategy": Strategy.BALANCED}, False),
        (Arm("strategy=quality", Strategy.QUALITY), Arm("default"), {"model": CHEAP.id}, False),
        (Arm("default"), Arm("model=a/cheap", model=CHEAP.id), {"chain": (CHEAP.id,)}, False),
        (Arm("default"), Arm("temperature=0", temperature=0.0), {"model": CHEAP.id}, True),
        (Arm("system=One.", system="One."), Arm("default"), {"system": "My own."}, False),
        (Arm("default"), Arm("system=One.", system="One."), {"system": "My own."}, False),
        (Arm("default"), Arm("strategy=quality", Strategy.QUALITY), {"system": "My own."}, True),
        (Arm("default"), Arm("strategy=ensemble", Strategy.ENSEMBLE), {"tools": (Tool("look"),)}, False),
        (Arm("strategy=ensemble", Strategy.ENSEMBLE), Arm("default"), {"tools": (Tool("look"),)}, False),
        (Arm("default"), Arm("strategy=quality", Strategy.QUALITY), {"tools": (Tool("look"),)}, True),
    ],
)
def test_what_one_of_the_two_ways_varies_is_the_users_own_where_they_ask_for_it(
    one: Arm, other: Arm, by_hand: dict[str, object], takes_part: bool
) -> None:
    experiment = Experiment("e", "mine", one, other)
    assert assigned(experiment, request()) is not None
    assert (assigned(experiment, request(**by_hand)) is not None) is takes_part


def test_a_draw_is_the_digest_of_the_experiment_and_the_place_as_a_share_of_one() -> None:
    assert draw("e1", "s/1") == pytest.approx(0.22867537756196357)
    drawn = [draw("e1", f"s/{n}") for n in range(400)]
    assert 0 <= min(drawn) < 0.01
    assert 0.99 < max(drawn) < 1


@pytest.mark.parametrize("usual", [None, 50])
def test_an_arm_asks_for_its_own_length_where_the_user_names_none(usual: int | None) -> None:
    experiment = Experiment("e", "short", Arm("max_tokens=70", max_tokens=70), Arm("max_tokens=70", max_tokens=70))
    chosen = tried(request(max_tokens=usual), experiment).chosen
    assert chosen is not None
    assert chosen.max_tokens == (usual or 70)


@pytest.mark.parametrize(
    ("arm", "asked"),
    [
        (Arm("temperature=0.2", temperature=0.2), (0.2, None, None)),
        (Arm("max_tokens=70", max_tokens=70), (None, 70, None)),
        (Arm("system=Cite.", system="Cite."), (None, None, "Cite.")),
        (Arm("all", None, None, "Cite.", 0.2, 70), (0.2, 70, "Cite.")),
        (Arm("default"), (None, None, None)),
    ],
)
def test_what_an_arm_asks_of_its_turns_is_in_their_decision(
    arm: Arm, asked: tuple[float | None, int | None, str | None]
) -> None:
    experiment = Experiment("e", "mine", arm, arm)
    decision = tried(request(), experiment)
    assert (decision.temperature, decision.max_tokens, decision.system) == asked
    assert decision.experiment == assigned(experiment, request())
