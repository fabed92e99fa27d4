"""Prompts in several steps, each with the model that suits it, from a file."""

from .journal import Journal, answers, left
from .leftover import Leftover, Leftovers, Standing, leftovers
from .planning import Plan, Planned, in_words, plan, summed
from .reading import parse
from .recipe import Parameter, Recipe, RecipeError, Step
from .running import GO_ON, Advance, Outcome, RecipeFailed, carry_out
from .shelf import Shelf, recipes_dir, shelf
from .underway import Stage, Underway

__all__ = [
    "GO_ON",
    "Advance",
    "Journal",
    "Leftover",
    "Leftovers",
    "Outcome",
    "Parameter",
    "Plan",
    "Planned",
    "Recipe",
    "RecipeError",
    "RecipeFailed",
    "Shelf",
    "Stage",
    "Standing",
    "Step",
    "Underway",
    "answers",
    "carry_out",
    "in_words",
    "left",
    "leftovers",
    "parse",
    "plan",
    "recipes_dir",
    "shelf",
    "summed",
]
