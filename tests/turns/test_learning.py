"""What turns and votes teach, over real sockets: it is kept, it is shared, and it changes the next decision."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.routing.decision import Candidate, Decision
from tui_orchestrator.routing.events import Decided
from tui_orchestrator.routing.learning import Observation, Sign
from tui_orchestrator.routing.request import Request, Strategy
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.storage.observations import Observations

from .conftest import ask, events_of, running
from .reading import completed, only

DASH, PRO, MAX = "demo-gemini/lumen-dash", "demo-openai/rush-pro", "demo-anthropic/tern-max"
DOUBT = Say(text="I'm not sure. I might be wrong, perhaps it could be this, I don't really know, maybe.")
REFUSES = Say(text="I'm sorry, but I can't help with that.")
CODE = Say(text="```python\ndef merge(a, b):\n    return sorted(a + b)\n```\n\nIt sorts the two lists put together.")


async def observed(runtime: Runtime) -> list[tuple[str, str, float]]:
    """Sign, model and outcome of all that is kept."""
    return [(one.sign.value, one.model, one.outcome) for one in await kept(runtime)]


async def kept(runtime: Runtime) -> tuple[Observation, ...]:
    # Behind what was posted.
    await runtime.database.write(lambda connection: None)
    return (await Observations(runtime.database).since(0))[0]


def weighed(decision: Decision, model: str) -> Candidate:
    candidate = decision.candidate(model)
    assert candidate is not None
    return candidate


async def decided(runtime: Runtime, request: Request, model: str) -> Candidate:
    return weighed(await runtime.decide(request), model)


async def test_an_answer_nobody_complains_of_is_a_weak_sign_in_its_favour(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(CODE)) as (runtime, _):
        await events_of(runtime, ask(model=PRO, id="1"))
        assert await observed(runtime) == [("kept", PRO, 1.0)]
        assert 0 < (await decided(runtime, ask(), PRO)).ability_shift < 0.005


async def test_an_escalation_speaks_against_the_model_that_was_left(tmp_path: Path) -> None:
    script = Script().then(DOUBT, "lumen-dash").always(CODE)
    async with running(tmp_path / "s.db", script) as (runtime, _):
        await events_of(runtime, ask(chain=(DASH, PRO)))
        seen = {(sign, model) for sign, model, _ in await observed(runtime)}
        assert ("escalated", DASH) in seen
        assert (await decided(runtime, ask(), DASH)).ability_shift < 0


@pytest.mark.parametrize(
    "behaviour", [REFUSES, Say(text=""), Reply(400, body=b'{"error": {"code": "content_filter"}}')]
)
async def test_a_refusal_and_an_empty_answer_are_the_models_own_failures(
    tmp_path: Path, behaviour: Say | Reply
) -> None:
    async with running(tmp_path / "s.db", Script().always(behaviour)) as (runtime, _):
        await events_of(runtime, ask(model=PRO))
        (only_one,) = await kept(runtime)
        assert (only_one.sign, only_one.model, only_one.outcome, only_one.weight) == (Sign.FAILURE, PRO, 0.0, 0.5)


@pytest.mark.parametrize("behaviour", [Break("close", Phase.MID_STREAM), Reply(500), Reply(401), Reply(429)])
async def test_a_failure_of_the_network_or_the_provider_says_nothing_of_a_model(
    tmp_path: Path, behaviour: Break | Reply
) -> None:
    async with running(tmp_path / "s.db", Script().always(behaviour)) as (runtime, _):
        await events_of(runtime, ask(model=PRO))
        assert await observed(runtime) == []


async def test_an_answer_cut_off_by_the_users_own_limit_is_not_the_models_fault(tmp_path: Path) -> None:
    script = Script().always(Say(text="It is", finish="length"))
    async with running(tmp_path / "s.db", script) as (runtime, _):
        await events_of(runtime, ask(model=PRO, max_tokens=8))
        assert await observed(runtime) == []
        await events_of(runtime, ask(model=PRO))
        assert await observed(runtime) == [("failure", PRO, 0.0)]


async def test_a_verdict_places_each_member_against_the_others(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        events = await events_of(runtime, ask(strategy=Strategy.ENSEMBLE))
        seen = {one.model: one for one in await kept(runtime) if one.sign is Sign.VERDICT}
        winner = completed(events).model
        assert len(seen) == 3
        assert seen[winner].outcome == 1.0
        assert sorted(one.outcome for one in seen.values()) == [0.0, 0.5, 1.0]
        # Somebody always wins: what was expected of all adds up to what there is to win.
        assert sum(one.answer.predicted for one in seen.values()) == pytest.approx(1.5)


async def test_a_vote_changes_the_next_decision_and_lasts(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(CODE)) as (runtime, _):
        before = await decided(runtime, ask(), PRO)
        await events_of(runtime, ask(model=PRO, id="1"))
        assert await runtime.feedback.vote("1", 1, False) == PRO
        after = await decided(runtime, ask(), PRO)
        assert after.success_probability < before.success_probability
        assert (after.wins, after.losses) == (0.0, 1.0)
        other = await decided(runtime, ask(), MAX)
        assert other.ability_shift == 0.0
    async with running(tmp_path / "s.db") as (runtime, _):
        again = await decided(runtime, ask(), PRO)
        assert again.success_probability == pytest.approx(after.success_probability, abs=1e-6)
        await runtime.feedback.vote("1", 1, None)
        taken_back = await decided(runtime, ask(), PRO)
        assert (taken_back.wins, taken_back.losses) == (0.0, 0.0)
        # That nobody complained counts again.
        assert taken_back.ability_shift > 0


async def test_what_is_expected_of_an_answer_is_told_without_what_was_learned(tmp_path: Path) -> None:
    """Or else what was learned once would be expected ever after, and taken back by the next votes."""
    async with running(tmp_path / "s.db", Script().always(CODE)) as (runtime, _):
        first = await decided(runtime, ask(), PRO)
        for number in range(12):
            await events_of(runtime, ask(model=PRO, id=str(number)))
            await runtime.feedback.vote(str(number), 1, False)
        last = await decided(runtime, ask(), PRO)
        assert last.success_probability < first.success_probability - 0.1
        for one in await kept(runtime):
            assert one.answer.predicted == pytest.approx(first.success_probability, abs=1e-6)


async def test_two_copies_of_the_program_learn_from_each_other(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(CODE)) as (one, _), running(tmp_path / "s.db") as (other, _):
        await events_of(one, ask(model=PRO, id="1"))
        await one.feedback.vote("1", 1, False)
        events = await events_of(other, ask(strategy=Strategy.BALANCED))
        (told,) = only(events, Decided)
        assert weighed(told.decision, PRO).losses == 1.0


async def test_who_picks_a_member_of_an_ensemble_votes_for_it_against_the_others(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        events = await events_of(runtime, ask(strategy=Strategy.ENSEMBLE, id="e"))
        loser = next(attempt for attempt in completed(events).attempts if attempt.number != completed(events).attempt)
        assert await runtime.feedback.pick("e", loser.number, [1, 2, 3]) == loser.model
        lesson = runtime.router.experience.lesson(loser.model, runtime.clock.now())
        assert lesson.votes == (1, 0)
        assert (await decided(runtime, ask(), completed(events).model)).losses == 0.5
        await runtime.feedback.vote("e", loser.number, None)
        assert (await decided(runtime, ask(), completed(events).model)).losses == 0.0


async def test_there_is_nothing_to_vote_on_where_nothing_was_tried(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        with pytest.raises(LookupError, match="no attempt is kept"):
            await runtime.feedback.vote("nobody", 1, True)
