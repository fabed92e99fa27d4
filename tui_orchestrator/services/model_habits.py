"""Advice on which model to ask, and which first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from ..routing.events import CHECKS, Cause, Outcome
from ..routing.money import Money
from ..routing.profile import Level
from ..routing.text import spoken
from .changes import send_to, switch_off
from .recommendation import FEWEST, Habits, Kind, Recommendation, time_of, usd
from .walks import Step, Walk, lower, total, upper, worse_by_at_most

FEWEST_OF_A_LEVEL = 8
WORSE = 0.1
"""How much lower the share of good answers may be at most, for a cheaper model to do as well."""
CHEAPER = 0.7
"""A model is cheaper when its answers cost less than this part."""
ALWAYS = 0.7
"""Share of turns from which on a first step 'always' escalates."""


def _judged(turns: Iterable[Walk]) -> Iterator[Step]:
    return (step for turn in turns for step in turn.steps if step.good is not None)


def _by(steps: Iterable[Step], key: Callable[[Step], str]) -> dict[str, list[Step]]:
    groups: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        groups[key(step)].append(step)
    return groups


def _good(steps: Sequence[Step]) -> int:
    return sum(step.good is True for step in steps)


def _mean(steps: Sequence[Step]) -> float:
    return total(steps) / len(steps)


def cheaper_models(turns: Sequence[Walk], habits: Habits) -> Iterator[Recommendation]:
    for task, steps in _by(_judged(turns), lambda step: step.row.task_type).items():
        if task in habits.rules:
            continue
        models = {model: own for model, own in _by(steps, lambda step: step.row.model).items() if len(own) >= FEWEST}
        for model, own in models.items():
            if not habits.may_use(model):
                continue
            others = {name: its for name, its in models.items() if name != model and habits.may_use(name)}
            found = [_instead(task, model, own, other, its) for other, its in others.items()]
            best = max((one for one in found if one is not None), key=lambda one: one.saved, default=None)
            if best is not None:
                yield best


def _instead(task: str, model: str, own: list[Step], other: str, its: list[Step]) -> Recommendation | None:
    """`other` in place of `model`, on the levels of prompt that both have answered often enough. The other's answers
    are weighed so that each level counts as it does among one's own: it may have been sent the easier ones."""
    mine, theirs = (_by(steps, lambda step: step.level) for steps in (own, its))
    shared = [
        level for level in Level if min(len(mine.get(level, ())), len(theirs.get(level, ()))) >= FEWEST_OF_A_LEVEL
    ]
    own = [step for level in shared for step in mine[level]]
    if len(own) < FEWEST or not total(own):
        return None
    weights = {level: len(mine[level]) / len(own) for level in shared}
    share = sum(weight * _good(theirs[level]) / len(theirs[level]) for level, weight in weights.items())
    # As many equally weighted answers as would be as sure.
    n = 1 / sum(weight * weight / len(theirs[level]) for level, weight in weights.items())
    cost = sum(weight * _mean(theirs[level]) for level, weight in weights.items())
    good = _good(own)
    if n < FEWEST or cost > CHEAPER * _mean(own) or worse_by_at_most((good, len(own)), (share * n, n)) > WORSE:
        return None
    # What fails with it goes on to the dearer one after all.
    again = max(0.0, good / len(own) - share) * total(own)
    saved = round(total(own) - cost * len(own) - again)
    if saved <= 0:
        return None
    levels = tuple(shared) if len(shared) < len(mine) else ()
    judged = sum(len(theirs[level]) for level in shared)
    kind = f"{' and '.join(levels)} {spoken(task)}".strip()
    thinking = _thinking(own)
    why = (
        f"{other} did as well for {kind}: {share:.0%} of {judged} answers stood, of {model}'s {good / len(own):.0%} of "
        f"{len(own)}; {usd(cost)} an answer instead of {usd(_mean(own))}{thinking}."
    )
    change = send_to(task, levels, other, (model,))
    return Recommendation(
        Kind.CHEAPER_MODEL,
        f"Send {kind} to {other}",
        why,
        Money(saved),
        judged + len(own),
        change,
        frozenset({(model, task)}),
    )


def _thinking(steps: Sequence[Step]) -> str:
    output = sum(step.row.output_tokens for step in steps)
    share = sum(step.row.reasoning_tokens for step in steps) / output if output else 0.0
    return f", of which {share:.0%} of the output is hidden reasoning" if share >= 0.5 else ""


def never_worth_it(turns: Sequence[Walk], habits: Habits) -> Iterator[Recommendation]:
    steps = list(_judged(turns))
    models = _by(steps, lambda step: step.row.model)
    for model, own in models.items():
        good, n = _good(own), len(own)
        others = [step for step in steps if step.row.model != model]
        if n < FEWEST or upper(good, n) > 0.5 or not _good(others) or not habits.may_use(model):
            continue
        # Its few good answers would have to come from elsewhere, at what a good answer costs there.
        elsewhere = total(others) / _good(others)
        saved = round(total(own) - good * elsewhere)
        lost = sum(step.row.latency_s for step in own if not step.good)
        if saved <= 0 and total(own):
            continue
        spent = f"{usd(total(own))} and {time_of(lost)}" if total(own) else time_of(lost)
        ends = Counter("failed" if step.row.outcome == Outcome.FAILED else "dropped" for step in own if not step.good)
        how = " and ".join(f"{count} {end}" for end, count in ends.most_common())
        yield Recommendation(
            Kind.NEVER_WORTH_IT,
            f"Switch {model} off",
            f"Of its {n} answers {good} stood ({how}); they took {spent}.",
            Money(max(0, saved)),
            n,
            switch_off(model),
            frozenset((model, step.row.task_type) for step in own),
        )


def first_steps(turns: Sequence[Walk], habits: Habits) -> Iterator[Recommendation]:
    """Turns whose first model hardly ever gives the answer: what it cost to ask it first."""
    groups: dict[tuple[str, str], list[Walk]] = defaultdict(list)
    for turn in turns:
        first = turn.answers[0] if turn.answers else None
        if first is not None and first.row.cause == Cause.FIRST and first.good is not None and not turn.side_by_side:
            groups[turn.task_type, first.row.model].append(turn)
    for (task, model), own in groups.items():
        went_on = [turn for turn in own if _went_on(turn)]
        if len(own) < FEWEST or lower(len(went_on), len(own)) < ALWAYS or task in habits.rules:
            continue
        followers = Counter(_second(turn) for turn in went_on)
        if not habits.may_use(model) or not habits.may_use(followers.most_common(1)[0][0] or ""):
            continue
        second = followers.most_common(1)[0][0]
        assert second is not None
        before = [_before(turn, model) for turn in went_on]
        its = [step for turn in went_on for step in turn.answers if step.row.model == second]
        extra = sum(max(0.0, _mean(its) - turn.cost) for turn in own if not _went_on(turn))
        saved = round(sum(map(total, before)) - extra)
        lost = sum(step.row.latency_s for steps in before for step in steps)
        if saved < 0:
            continue
        after = tuple(dict.fromkeys(name for turn in went_on for name in _models(turn) if name not in (model, second)))
        yield Recommendation(
            Kind.FIRST_STEP,
            f"Start {spoken(task)} at {second}, not {model}",
            f"{len(went_on)} of {len(own)} turns that began with {model} went on to another model; asking it first "
            f"cost {usd(sum(map(total, before)))} and {time_of(lost)}.",
            Money(saved),
            len(own),
            send_to(task, (), second, after[:3]),
            frozenset({(model, task)}),
        )


def _went_on(turn: Walk) -> bool:
    return not turn.answers[0].good and _second(turn) is not None


def _models(turn: Walk) -> list[str]:
    return [step.row.model for step in turn.answers]


def _second(turn: Walk) -> str | None:
    first = turn.answers[0].row.model
    return next((model for model in _models(turn) if model != first), None)


def _before(turn: Walk, model: str) -> list[Step]:
    """The first model's attempts, and what checked them, up to the next one's first."""
    steps = []
    for step in turn.steps:
        if step.row.model != model and step.row.cause not in CHECKS:
            break
        steps.append(step)
    return steps
