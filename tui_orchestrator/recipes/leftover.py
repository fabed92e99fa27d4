"""Recipes that did not come to their end: what of each is done, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .journal import Journal, left
from .recipe import Recipe, RecipeError, Step
from .running import Course
from .shelf import Shelf


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one step is."""

    step: Step
    answered: int
    rounds: int | None
    """None: not known before the steps above it have ended."""


@dataclass(frozen=True, slots=True)
class Leftover:
    recipe: Recipe
    journal: Journal
    steps: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Leftovers:
    found: tuple[Leftover, ...] = ()
    problems: tuple[str, ...] = ()
    """Sentences about those that cannot be gone on from."""


def leftovers(shelf: Shelf, at: datetime) -> Leftovers:
    """Those that still run among them. Blocks."""
    found = []
    journals, problems = left(at)
    for journal in journals:
        try:
            recipe = shelf.find(journal.recipe)
            found.append(Leftover(recipe, journal, _standing(recipe, journal)))
        except (RecipeError, LookupError, ValueError) as error:
            problems.append(f"{journal.path} cannot be gone on from: {'; '.join(str(error.args[0]).splitlines())}")
    return Leftovers(tuple(found), tuple(problems))


def _standing(recipe: Recipe, journal: Journal) -> tuple[Standing, ...]:
    course, known = Course(recipe, recipe.values(journal.said)), journal.peeked()
    steps: list[Standing] = []
    for step in recipe.steps:
        if any(one.answered != one.rounds for one in steps):
            steps.append(Standing(step, 0, None))
            continue
        answers = [known(step.id, task) for task in course.tasks(step)]
        course.answers[step.id] = tuple(answer.strip() for answer in answers if answer is not None)
        steps.append(Standing(step, len(course.answers[step.id]), len(answers)))
    return tuple(steps)
