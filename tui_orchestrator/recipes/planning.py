"""What a recipe will ask, of whom, and about what it will cost. Nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..library.estimating import Estimate, estimate
from ..library.orchestrator import AT_ONCE, Orchestrator
from ..routing.money import ZERO, Money
from ..routing.text import span
from .recipe import Recipe, Step
from .running import Course, Known

_WORD = "word "
"""Takes the place of one token of an answer that is not there yet."""


@dataclass(frozen=True, slots=True)
class Planned:
    step: Step
    estimate: Estimate
    """Of those that are to be asked."""
    taken: int = 0
    """Rounds that were answered before."""

    @property
    def rounds(self) -> int:
        return self.estimate.lines + self.taken


@dataclass(frozen=True, slots=True)
class Plan:
    recipe: Recipe
    steps: tuple[Planned, ...]

    @property
    def rounds(self) -> int:
        """That are to be asked."""
        return sum(step.estimate.lines for step in self.steps)

    @property
    def taken(self) -> int:
        return sum(step.taken for step in self.steps)

    @property
    def cost(self) -> Money:
        """Expected, of the rounds whose model has a known price."""
        return sum((step.estimate.cost for step in self.steps), ZERO)

    @property
    def seconds(self) -> float:
        return sum(step.estimate.seconds for step in self.steps)

    @property
    def unpriced(self) -> int:
        return sum(step.estimate.unpriced for step in self.steps)

    @property
    def impossible(self) -> int:
        return sum(step.estimate.impossible for step in self.steps)


def summed(plan: Plan) -> str:
    """In one sentence."""
    answers = f"{plan.rounds:,} answer{'' if plan.rounds == 1 else 's'}"
    unknown = f" +? for {plan.unpriced:,} whose price is not known" if plan.unpriced else ""
    taken = f" {plan.taken:,} kept, which {_be(plan.taken)} not asked again." if plan.taken else ""
    return f"{answers}: about {plan.cost}{unknown}, about {span(plan.seconds)}.{taken}"


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def in_words(plan: Plan) -> Iterator[str]:
    """Lines: of each step how often it is asked, for how much and of whom, then all together."""
    for one in plan.steps:
        weighed = one.estimate
        cost = f"about {weighed.cost}{' +?' if weighed.unpriced else ''}"
        models = " · ".join(model + (f" {count:,}" if count > 1 else "") for model, count in weighed.models[:3])
        taken = f", {one.taken:,} kept" if one.taken else ""
        asked = f"{cost} · {models}" if models else "no model can take it" if weighed.lines else "nothing is asked"
        yield f"  {one.step.id} {weighed.lines:,}×{taken} · {asked}"
    yield summed(plan)
    if plan.impossible:
        yield f"{plan.impossible:,} would fail as things are: no model can take them. `route` says why."


async def plan(
    orchestrator: Orchestrator,
    recipe: Recipe,
    said: Mapping[str, Sequence[str]],
    *,
    at_once: int = AT_ONCE,
    known: Known | None = None,
) -> Plan:
    """`said` as `carry_out` has it. An answer that a later step is given is taken to be as long as the decision about
    the step that gives it expects. What is `known` is not asked.

    Raises RecipeError, and LookupError or ValueError for a step that asks for what there is not.
    """
    course, steps = Course(recipe, recipe.values(said)), []
    for step in recipe.steps:
        tasks = await asyncio.to_thread(course.tasks, step)
        answers = [known(step.id, task) if known is not None else None for task in tasks]
        left = [task for task, answer in zip(tasks, answers, strict=True) if answer is None]
        steps.append(Planned(step, await estimate(orchestrator, left, at_once), len(tasks) - len(left)))
        first = orchestrator.runtime.preview(await orchestrator.request(tasks[0]))
        expected = _WORD * max(1, first.profile.output_tokens)
        course.answers[step.id] = tuple(expected if answer is None else answer.strip() for answer in answers)
    return Plan(recipe, tuple(steps))
