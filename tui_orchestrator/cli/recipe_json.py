"""Recipes and what they came to, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..routing.event_json import error_json, usd
from ..routing.money import Cost
from .batch import estimate_json

if TYPE_CHECKING:
    from ..library.tasks import Result
    from ..recipes import Outcome, Plan, Recipe, RecipeFailed


def recipe_json(one: Recipe) -> dict[str, Any]:
    return {
        "name": one.name,
        "description": one.description,
        "source": one.source,
        "parameters": [
            {
                "name": parameter.name,
                "description": parameter.description,
                "type": parameter.kind,
                "default": parameter.default,
                "choices": list(parameter.choices),
            }
            for parameter in one.parameters.values()
        ],
        "steps": [
            {
                "id": step.id,
                "prompt": step.prompt,
                "system": step.system,
                "model": step.model or None,
                "strategy": step.strategy and step.strategy.value,
                "task_type": step.task_type and step.task_type.value,
                "for_each": step.for_each or None,
            }
            for step in one.steps
        ],
    }


def plan_json(planned: Plan) -> dict[str, Any]:
    return {
        "recipe": planned.recipe.name,
        "answers": planned.rounds,
        "cost_usd": usd(planned.cost),
        "unpriced": planned.unpriced,
        "impossible": planned.impossible,
        "seconds": round(planned.seconds, 1),
        "steps": {one.step.id: estimate_json(one.estimate) for one in planned.steps},
    }


def failed_json(failed: RecipeFailed) -> dict[str, Any]:
    return {
        **came_to(failed.recipe, None, failed.cost, failed.steps),
        "failed_step": failed.step.id,
        "error": error_json(failed.cause.error),
    }


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    return came_to(outcome.recipe, outcome.text, outcome.cost, outcome.steps)


def came_to(recipe: Recipe, text: str | None, cost: Cost, steps: Mapping[str, Sequence[Result]]) -> dict[str, Any]:
    return {
        "recipe": recipe.name,
        "text": text,
        "cost_usd": usd(cost.amount),
        "cost_state": cost.state.value,
        "steps": {
            id_: [
                {
                    "text": result.text,
                    "model": result.model,
                    "cost_usd": usd(result.cost.amount),
                    "request_id": result.task.id,
                }
                for result in results
            ]
            for id_, results in steps.items()
        },
    }
