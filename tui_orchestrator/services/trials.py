"""Prompts whose outcomes are known, as the router sees them. Nothing is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..routing.decide import decide
from ..routing.decision import Candidate, Circumstances, Decision, Policy, Standing
from ..routing.experience import Experience
from ..routing.model import Model, Registry
from ..routing.profile import Profile, TaskType
from ..routing.profiler import profile
from ..routing.request import Message, Request, Strategy


@dataclass(frozen=True, slots=True)
class Answered:
    model: str
    answer: str
    quality: float


@dataclass(frozen=True, slots=True)
class Trial:
    """One prompt and what is known of it."""

    prompt: str
    outcomes: Mapping[str, float] = field(default_factory=dict)
    """Model's name → how good its answer was, 0 to 1."""
    task_type: TaskType | None = None
    complexity: float | None = None
    """On any scale; only the order counts."""
    answered: Answered | None = None


Standings = Mapping[str, Callable[[Profile], Standing]]
"""Model's id → what was learned of it, for one prompt."""


def learned(experience: Experience, registry: Registry, policy: Policy, now: datetime) -> Standings:
    """Taken down once, on the event loop, so that it can be read in another thread."""

    def of(model: str) -> Callable[[Profile], Standing]:
        figures, lesson = experience.of(model), experience.lesson(model, now)
        first_token_s, tokens_per_s = figures.first_token_s, figures.tokens_per_s

        def standing(prompt: Profile) -> Standing:
            taste = lesson.taste(prompt.task_type)
            return Standing(
                ability_shift=lesson.learned.shift(prompt, policy.discrimination),
                first_token_s=first_token_s,
                tokens_per_s=tokens_per_s,
                wins=taste.wins,
                losses=taste.losses,
                wins_overall=lesson.overall.wins,
                losses_overall=lesson.overall.losses,
            )

        return standing

    return {model.id: of(model.id) for model in registry}


@dataclass(frozen=True, slots=True)
class Seen:
    """A prompt as the router sees it."""

    trial: Trial
    profile: Profile
    decision: Decision
    """Among the models that answered it and are known."""
    candidates: Mapping[str, Candidate]
    """Those models by the names its outcomes have."""


def known_models(trials: Sequence[Trial], registry: Registry, notes: list[str]) -> dict[str, Model]:
    """The models that the registry has, by the names the outcomes have; a note for each that it has not."""
    known: dict[str, Model] = {}
    for name in dict.fromkeys(name for trial in trials for name in _names(trial)):
        try:
            known[name] = registry.find(name)
        except LookupError as error:
            notes.append(f"{name} has no p and no price: {error.args[0]}")
    return known


def _names(trial: Trial) -> Iterable[str]:
    return (*trial.outcomes, *([trial.answered.model] if trial.answered else []))


def see(number: int, trial: Trial, known: Mapping[str, Model], policy: Policy, standings: Standings) -> Seen:
    request = Request((Message("user", trial.prompt),), strategy=Strategy.BALANCED, id=str(number))
    prompt = profile(request)
    models = {name: known[name] for name in _names(trial) if name in known}
    # Of its own: a model without a key, or switched off, takes part all the same, since its outcome is there.
    registry = Registry.of(models.values())
    live = Circumstances({id: standings[id](prompt) for id in registry.models if id in standings})
    decision = decide(request, prompt, registry, live, policy)
    by_id = {candidate.model: candidate for candidate in decision.candidates}
    return Seen(trial, prompt, decision, {name: by_id[model.id] for name, model in models.items()})
