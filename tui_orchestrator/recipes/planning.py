"""What a recipe will ask, of whom, and about what it will cost. Nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..library.estimating import Estimate, estimate
from ..library.orchestrator import AT_ONCE, Orchestrator
from ..routing.money import ZERO, Money
from .recipe import Recipe, Step
from .running import Course

_WORD = "word "
"""Takes the place of one token of an answer that is not there yet."""


@dataclass(frozen=True, slots=True)
class Planned:
    step: Step
    estimate: Estimate

    @property
    def rounds(self) -> int:
        return self.estimate.lines


@dataclass(frozen=True, slots=True)
class Plan:
    recipe: Recipe
    steps: tuple[Planned, ...]

    @property
    def rounds(self) -> int:
        return sum(step.rounds for step in self.steps)

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


async def plan(
    orchestrator: Orchestrator, recipe: Recipe, said: Mapping[str, Sequence[str]], *, at_once: int = AT_ONCE
) -> Plan:
    """`said` as `carry_out` has it. An answer that a later step is given is taken to be as long as the decision about
    the step that gives it expects.

    Raises RecipeError, and LookupError or ValueError for a step that asks for what there is not.
    """
    course, steps = Course(recipe, recipe.values(said)), []
    for step in recipe.steps:
        tasks = await asyncio.to_thread(course.tasks, step)
        steps.append(Planned(step, await estimate(orchestrator, tasks, at_once)))
        first = orchestrator.runtime.preview(await orchestrator.request(tasks[0]))
        course.answers[step.id] = (_WORD * max(1, first.profile.output_tokens),) * len(tasks)
    return Plan(recipe, tuple(steps))
