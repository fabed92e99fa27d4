"""A simulated user with known tastes against `preference`: how often its picks are the user's favourite.

Every turn is decided by the program's own code, and every vote learned by it; only the user is made up. They vote on
each answer, up for their favourite and down for anything else, and one vote in twenty is the wrong one. Prints one JSON
object: for each kind of taste, the share of 100 turns without votes in which the pick was the favourite, after so many
votes (`settled`), after the tastes changed and as many more (`changed`), and after ten votes that were all wrong and
twenty that were right again (`mistaken`); the mean over the seeds and the worst seed.
"""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tui_orchestrator.routing.decide import decide
from tui_orchestrator.routing.decision import Circumstances, Decision, Policy, Standing
from tui_orchestrator.routing.experience import Experience
from tui_orchestrator.routing.learning import answer_of, voted
from tui_orchestrator.routing.model import Model, Registry
from tui_orchestrator.routing.money import FREE, Price, Rates
from tui_orchestrator.routing.profile import Profile, TaskType
from tui_orchestrator.routing.request import Message, Request, Strategy

TURNS, SEEDS = 100, range(10)
WRONG = 0.05
"""The share of votes that say the opposite of what the user thinks."""

Tastes = Mapping[TaskType, str]
_TASKS = _CODE, _PROSE, _FACTS = TaskType.CODE, TaskType.CREATIVE, TaskType.SIMPLE_QA


def _model(id: str, input: str, output: str, ability: float, speed: float) -> Model:
    provider, _, name = id.partition("/")
    price = Price(Rates.from_usd(input, output)) if float(output) else FREE
    return Model(provider, name, price, 200_000, ability=ability, family=name, tokens_per_s=speed)


REGISTRY = Registry.of(
    [
        #      id              $ in     $ out   ability  tokens/s
        _model("here/tiny", "0", "0", 0.40, 30),
        _model("a/quick", "0.1", "0.4", 0.60, 200),
        _model("b/solid", "0.5", "2", 0.70, 90),
        _model("a/strong", "3", "15", 0.80, 70),
        _model("c/best", "15", "75", 0.90, 50),
    ]
)


def _one(tasks: Sequence[TaskType], model: str) -> Tastes:
    return dict.fromkeys(tasks, model)


@dataclass(frozen=True)
class Case:
    name: str
    votes: int
    first: Tastes
    then: Tastes
    """After they changed."""


_NAMES = [*REGISTRY.models]
CASES = (
    *(
        Case(f"{model}, then {other}; one task type", 30, _one([_CODE], model), _one([_CODE], other))
        for model, other in zip(_NAMES, _NAMES[1:] + _NAMES[:1], strict=True)
    ),
    *(
        Case(f"{model}, then {other}; three task types", 30, _one(_TASKS, model), _one(_TASKS, other))
        for model, other in zip(_NAMES, _NAMES[1:] + _NAMES[:1], strict=True)
    ),
    Case(
        "a favourite for each of three task types, then others",
        90,
        {_CODE: "b/solid", _PROSE: "a/strong", _FACTS: "a/quick"},
        {_CODE: "a/strong", _PROSE: "a/quick", _FACTS: "b/solid"},
    ),
)


@dataclass
class User:
    """Asks, and votes by their tastes."""

    seed: int
    policy: Policy = field(default_factory=lambda: Policy(strategy=Strategy.PREFERENCE))
    experience: Experience = field(default_factory=Experience)
    now: datetime = datetime(2026, 11, 21, tzinfo=UTC)
    turns: int = 0

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)

    def ask(self, tastes: Tastes) -> Decision:
        """One more prompt of a kind they have a taste in."""
        task = self.draw.choice([*tastes])
        difficulty = min(0.9, max(0.05, self.draw.gauss(0.4, 0.12)))
        prompt = Profile(task, {task: 1.0}, difficulty, 1 + int(difficulty * 9), 800, 400)
        self.turns += 1
        self.now += timedelta(minutes=3)
        standings = {model: self._standing(model, prompt) for model in REGISTRY.models}
        request = Request((Message("user", "?"),), id=f"{self.seed}-{self.turns}")
        return decide(request, prompt, REGISTRY, Circumstances(standings), self.policy)

    def _standing(self, model: str, prompt: Profile) -> Standing:
        lesson = self.experience.lesson(model, self.now)
        taste, overall = lesson.taste(prompt.task_type), lesson.overall
        return Standing(
            ability_shift=lesson.learned.shift(prompt, self.policy.discrimination),
            wins=taste.wins,
            losses=taste.losses,
            wins_overall=overall.wins,
            losses_overall=overall.losses,
        )

    def vote(self, tastes: Tastes, votes: int, wrong: float = WRONG) -> None:
        """On as many turns. `wrong` 1: every vote is a mistake."""
        for _ in range(votes):
            decision = self.ask(tastes)
            assert decision.model is not None
            liked = (decision.model == tastes[decision.task_type]) != (self.draw.random() < wrong)
            self.experience.observe([voted(answer_of(decision, 1, decision.model), liked, self.now)])

    def agreement(self, tastes: Tastes, turns: int = TURNS) -> float:
        """The share of turns in which the pick is the favourite, without votes."""
        decisions = [self.ask(tastes) for _ in range(turns)]
        return sum(decision.model == tastes[decision.task_type] for decision in decisions) / turns


def measure(case: Case, seed: int) -> dict[str, float]:
    user, mistaken = User(seed), User(seed)
    user.vote(case.first, case.votes)
    settled = user.agreement(case.first)
    user.vote(case.then, case.votes)
    mistaken.vote(case.first, case.votes)
    mistaken.vote(case.first, 10, wrong=1.0)
    mistaken.vote(case.first, 20)
    return {"settled": settled, "changed": user.agreement(case.then), "mistaken": mistaken.agreement(case.first)}


def mean_and_worst(values: Sequence[float]) -> dict[str, float]:
    return {"mean": round(statistics.mean(values), 3), "worst": round(min(values), 3)}


if __name__ == "__main__":
    told: dict[str, dict[str, object]] = {}
    for case in CASES:
        runs = [measure(case, seed) for seed in SEEDS]
        told[case.name] = {
            "votes": case.votes,
            **{kind: mean_and_worst([run[kind] for run in runs]) for kind in runs[0]},
        }
    print(json.dumps(told, indent=2))
