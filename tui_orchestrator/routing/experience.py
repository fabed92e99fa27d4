"""What this user's own calls have shown of each model: speed, success, votes and what is learned of them. In memory;
fed from the store at start and from every attempt and observation after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import attrgetter

from .ability import Learned, Seen, learn
from .events import Attempt, Outcome
from .learning import BY_HAND, Observation, Sign
from .profile import TaskType

SMOOTHING = 0.2
"""Weight of the newest measurement in a moving average."""
ABILITY_DECAY = 0.995
"""Of what was seen before, per observation of weight 1 on the same model and task type: a memory of about 200, so that
a model that changes behind its name is noticed."""
TASTE_DECAY = 0.95
"""The same for tastes, which change sooner: a memory of about 20 votes on a task type, on whichever model they were. So
those that were passed over long ago are given another chance when the favourite no longer pleases."""
HALF_LIFE = timedelta(days=120)
"""After so long what was seen counts half: about how often makers change what a name stands for (the release notes of
Anthropic, OpenAI and Google, 2024 to 2026)."""
KEPT = 500
"""Observations of a model; older ones would count for next to nothing."""
MOST = KEPT * 6 // 5
"""Before the older ones go, all at once: a thousand an hour are not worth sorting at every answer."""
FRESH = 0.02
"""Share of what was seen of a model that answers which were simply kept, a tenth of a vote each, may make up before a
lesson is worked out anew: under load every answer would have the same hundreds weighed again."""


@dataclass(slots=True)
class Figures:
    """One model, all task types together."""

    attempts: int = 0
    finished: int = 0
    failed: int = 0
    first_token_s: float | None = None
    tokens_per_s: float | None = None

    @property
    def success(self) -> float | None:
        ended = self.finished + self.failed
        return self.finished / ended if ended else None


@dataclass(frozen=True, slots=True)
class Taste:
    """What the user did with a model's answers, as pseudo-counts: a vote 1, weaker signs and older ones less."""

    wins: float = 0.0
    losses: float = 0.0


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is known of one model from this user."""

    learned: Learned = field(default_factory=Learned)
    tastes: Mapping[TaskType, Taste] = field(default_factory=dict)
    overall: Taste = Taste()
    """All task types together."""
    up: Mapping[TaskType, int] = field(default_factory=dict)
    """Votes and picks that stand, whole and undecayed, for people."""
    down: Mapping[TaskType, int] = field(default_factory=dict)
    seen: Mapping[TaskType, int] = field(default_factory=dict)
    """Answers something was seen of."""

    def taste(self, task: TaskType) -> Taste:
        return self.tastes.get(task, _NONE)

    def largest_shift(self, discrimination: float) -> tuple[TaskType, float] | None:
        """Where the ability was moved the most; None where nothing was seen."""
        shifts = [(task, self.learned.shift_for(task, discrimination)) for task in self.seen]
        return max(shifts, key=lambda pair: abs(pair[1]), default=None)

    @property
    def votes(self) -> tuple[int, int]:
        """For and against."""
        return sum(self.up.values()), sum(self.down.values())


_UNUSED = Figures()
_NONE = Taste()
_NO_TASTES: Mapping[TaskType, Taste] = {}
_NOTHING = Lesson()


class Experience:
    """Lives on the event loop. Cancelled attempts and cache hits tell nothing of a model and are not counted."""

    def __init__(self) -> None:
        self._figures: dict[str, Figures] = {}
        self._observations: dict[str, dict[tuple[str, int, Sign], Observation]] = defaultdict(dict)
        self._lessons: dict[str, tuple[datetime, Lesson]] = {}
        self._unweighed: dict[str, int] = {}
        """Answers that were kept since the lesson on their model was worked out."""
        self._by_hand: dict[tuple[str, tuple[str, int, Sign]], Observation] = {}
        """Of all models: they grow old together."""
        self._tastes: tuple[datetime, dict[str, dict[TaskType, Taste]]] | None = None

    @property
    def known(self) -> Set[str]:
        """Ids of the models anything at all was seen of."""
        return self._figures.keys() | self._observations.keys()

    def of(self, model_id: str) -> Figures:
        return self._figures.get(model_id) or _UNUSED

    def learn(self, attempt: Attempt) -> None:
        if attempt.from_cache or attempt.outcome is Outcome.CANCELLED:
            return
        figures = self._figures.setdefault(attempt.model, Figures())
        figures.attempts += 1
        if attempt.outcome is Outcome.FINISHED:
            figures.finished += 1
        else:
            figures.failed += 1
        figures.first_token_s = _moved(figures.first_token_s, attempt.first_token_s)
        figures.tokens_per_s = _moved(figures.tokens_per_s, attempt.tokens_per_s)

    def remember(
        self, model_id: str, finished: int, failed: int, first_token_s: float | None, tokens_per_s: float | None
    ) -> None:
        """What an earlier run learned; nothing of what this one has seen already is overwritten."""
        if model_id not in self._figures:
            self._figures[model_id] = Figures(finished + failed, finished, failed, first_token_s, tokens_per_s)

    def observe(self, observations: Iterable[Observation]) -> None:
        """In any order and as often as one likes: each takes the place of an earlier one of its key."""
        for observation in observations:
            of_model = self._observations[observation.model]
            known = of_model.get(observation.key)
            if known is None or known.at <= observation.at:
                of_model[observation.key] = observation
                if observation.sign is Sign.KEPT:
                    self._unweighed[observation.model] = self._unweighed.get(observation.model, 0) + 1
                else:
                    self._lessons.pop(observation.model, None)
                if observation.sign in BY_HAND:
                    self._by_hand[observation.model, observation.key] = observation
                    self._tastes = None
            if len(of_model) > MOST:
                latest = sorted(of_model.values(), key=lambda one: one.at)[-KEPT:]
                self._observations[observation.model] = {one.key: one for one in latest}

    def lesson(self, model_id: str, now: datetime) -> Lesson:
        """Worked out anew when something was seen of the model or enough answers were kept, and once a day for its
        growing older."""
        if model_id not in self._observations:
            return _NOTHING
        then, lesson = self._lessons.get(model_id, (None, _NOTHING))
        seen = self._observations[model_id]
        stale = self._unweighed.get(model_id, 0) > FRESH * len(seen)
        if then is None or stale or abs(now - then) > timedelta(days=1):
            then, lesson = now, _lesson(seen.values(), now)
            self._unweighed.pop(model_id, None)
        tastes = self._tastes_of(model_id, now)
        if lesson.tastes is not tastes:
            lesson = replace(lesson, tastes=tastes, overall=_together(tastes))
        self._lessons[model_id] = then, lesson
        return lesson

    def _tastes_of(self, model_id: str, now: datetime) -> Mapping[TaskType, Taste]:
        if self._tastes is None or abs(now - self._tastes[0]) > timedelta(days=1):
            if len(self._by_hand) > MOST:
                latest = sorted(self._by_hand.values(), key=lambda one: one.at)[-KEPT:]
                self._by_hand = {(one.model, one.key): one for one in latest}
            self._tastes = now, _tastes(self._by_hand.values(), now)
        return self._tastes[1].get(model_id, _NO_TASTES)

    def standing(self, request_id: str, sign: Sign) -> tuple[Observation, ...]:
        """What stands of this sign on the answers of one turn."""
        seen = (one for of_model in self._observations.values() for one in of_model.values())
        return tuple(one for one in seen if one.answer.request_id == request_id and one.sign is sign and one.weight > 0)

    def vote(self, request_id: str, attempt: int, model_id: str) -> bool | None:
        """The user's standing vote on an answer; a winner that was picked counts as one."""
        of_model = self._observations.get(model_id, {})
        by_hand = [of_model.get((request_id, attempt, sign)) for sign in (Sign.VOTE, Sign.PICK)]
        standing = [one for one in by_hand if one is not None and one.is_vote]
        return bool(max(standing, key=lambda one: one.at).outcome) if standing else None


def _lesson(observations: Iterable[Observation], now: datetime) -> Lesson:
    """Without the tastes."""
    by_task = _weightiest(observations)
    history = [
        Seen(task, one.outcome, weight, one.answer.predicted)
        for task, seen in by_task.items()
        for one, weight in _aged(seen, ABILITY_DECAY, now)
    ]
    votes = {task: [one for one in seen if one.is_vote] for task, seen in by_task.items()}
    up, down = (
        {task: n for task, cast in votes.items() if (n := sum(one.outcome == outcome for one in cast))}
        for outcome in (1.0, 0.0)
    )
    return Lesson(learn(history), _NO_TASTES, _NONE, up, down, {task: len(seen) for task, seen in by_task.items()})


def _weightiest(observations: Iterable[Observation]) -> dict[TaskType, list[Observation]]:
    """Of each answer the observation that counts, in order of time."""
    weightiest: dict[tuple[str, str, int], Observation] = {}
    for one in sorted(observations, key=attrgetter("weight", "at")):
        if one.weight > 0:
            answer = one.answer
            weightiest[answer.model, answer.request_id, answer.attempt] = one
    by_task: dict[TaskType, list[Observation]] = defaultdict(list)
    for one in sorted(weightiest.values(), key=attrgetter("at")):
        by_task[one.answer.task_type].append(one)
    return by_task


def _tastes(by_hand: Iterable[Observation], now: datetime) -> dict[str, dict[TaskType, Taste]]:
    """By model."""
    tastes: dict[str, dict[TaskType, Taste]] = defaultdict(dict)
    for task, seen in _weightiest(by_hand).items():
        for one, weight in _aged(seen, TASTE_DECAY, now):
            so_far, won = tastes[one.model].get(task, _NONE), weight * one.outcome
            tastes[one.model][task] = Taste(so_far.wins + won, so_far.losses + weight - won)
    return tastes


def _together(tastes: Mapping[TaskType, Taste]) -> Taste:
    return Taste(sum(taste.wins for taste in tastes.values()), sum(taste.losses for taste in tastes.values()))


def _aged(seen: list[Observation], decay: float, now: datetime) -> list[tuple[Observation, float]]:
    """With what each counts for today. `seen` is in order of time; those of one turn do not age each other."""
    aged: list[tuple[Observation, float]] = []
    since, of_turn, turn = 0.0, 0.0, ""
    for one in reversed(seen):
        weight = one.weight
        if one.answer.request_id != turn:
            since, of_turn, turn = since + of_turn, 0.0, one.answer.request_id
        age = max(0.0, (now - one.at) / HALF_LIFE)
        aged.append((one, weight * decay**since * 0.5**age))
        of_turn += weight
    return aged


def _moved(average: float | None, measured: float | None) -> float | None:
    if measured is None:
        return average
    return measured if average is None else average + SMOOTHING * (measured - average)
