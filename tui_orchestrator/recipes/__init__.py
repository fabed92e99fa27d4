"""Prompts in several steps, each with the model that suits it, from a file."""

from .recipe import Parameter, Recipe, RecipeError, Shelf, Step, parse, recipes_dir, shelf
from .running import Advance, Outcome, RecipeFailed, carry_out

__all__ = [
    "Advance",
    "Outcome",
    "Parameter",
    "Recipe",
    "RecipeError",
    "RecipeFailed",
    "Shelf",
    "Step",
    "carry_out",
    "parse",
    "recipes_dir",
    "shelf",
]
