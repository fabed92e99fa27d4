"""Carrying out a recipe step by step, the rounds of a loop at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..library.estimating import of_its_cap
from ..library.orchestrator import AT_ONCE, Ended, Orchestrator
from ..library.tasks import Result, Task, TaskFailed
from ..routing.errors import OrchestratorError
from ..routing.money import Cost
from ..routing.splitting import split
from .recipe import Recipe, Step
from .templates import filled

MOST_ROUNDS = 1000
GO_ON = "To go on, mend that and run it again: it begins anew, and asks again what the cache of answers does not keep."
"""After why one came to nothing."""


Known = Callable[[str, Task], str | None]
"""What a step, by its id, was answered to that before, if it was."""


@dataclass(frozen=True, slots=True)
class Advance:
    """How far a recipe is: told when a step begins and each time one of its rounds has ended."""

    step: Step
    place: int
    """Of the step, from 1."""
    steps: int
    rounds: int
    """Of this step."""
    ended: int
    cost: Cost
    """Of the whole recipe so far."""
    result: Result | None = None
    """Of the round that has just ended."""


@dataclass(frozen=True, slots=True)
class Outcome:
    recipe: Recipe
    text: str
    steps: Mapping[str, tuple[Result, ...]]
    """By the step's id, its rounds in their order; without those that were known."""
    cost: Cost
    """Of every attempt of every step."""


class RecipeFailed(OrchestratorError):
    """A step gave no answer. What was spent until then is in `cost`."""

    def __init__(
        self,
        recipe: Recipe,
        step: Step,
        cause: TaskFailed,
        cost: Cost,
        steps: Mapping[str, tuple[Result, ...]],
        called: str = "",
    ) -> None:
        """`called`: what it says of the cause, where that is not the cause's own sentence."""
        super().__init__(f"{recipe.name}: the step {step.id} gave no answer: {called or cause}")
        self.recipe = recipe
        self.step = step
        self.cause = cause
        self.cost = cost
        self.steps = steps
        """By the step's id, the rounds that gave one all the same, those of the failed step included."""


async def carry_out(
    orchestrator: Orchestrator,
    recipe: Recipe,
    said: Mapping[str, Sequence[str]],
    *,
    at_once: int = AT_ONCE,
    on_advance: Callable[[Advance], None] | None = None,
    temporary: bool = False,
    known: Known | None = None,
) -> Outcome:
    """`said`: parameter → what was typed for it, once or, for a list, as often as wished. `temporary`: nothing is kept
    of what is said, only what it cost. What is `known` is not asked.

    Raises RecipeError before anything is sent, RecipeFailed where a step gives no answer.
    """
    run = _Run(orchestrator, Course(recipe, recipe.values(said), temporary), at_once, on_advance, known)
    for place, step in enumerate(recipe.steps, 1):
        await run.step(place, step)
    return Outcome(recipe, run.course.output(), run.results, run.cost())


class Course:
    """What a recipe asks, step by step, by what the steps before have come to."""

    def __init__(self, recipe: Recipe, values: Mapping[str, tuple[str, ...]], temporary: bool = False) -> None:
        self.recipe = recipe
        self._temporary = temporary
        self._values = values
        self.answers: dict[str, tuple[str, ...]] = {}
        """By the step's id, those of its rounds in their order; to be filled before the next step's tasks."""

    def output(self) -> str:
        return filled(self.recipe.output, self._texts())

    def tasks(self, step: Step) -> list[Task]:
        """One a round."""
        known = self._texts()
        rounds = enumerate(self._items(step, known), 1)
        return [
            replace(_task(step, {**known, "item": item, "number": str(n)}), temporary=self._temporary)
            for n, item in rounds
        ]

    def _texts(self) -> dict[str, str]:
        """By parameter and step; several answers of a loop one below the other, numbered."""
        texts = {name: "\n".join(value) for name, value in self._values.items()}
        for id_, answers in self.answers.items():
            looped = next(step for step in self.recipe.steps if step.id == id_).for_each
            said = [f"{number}. {answer}" for number, answer in enumerate(answers, 1)]
            texts[id_] = "\n\n".join(said) if looped else answers[0]
        return texts

    def _items(self, step: Step, texts: Mapping[str, str]) -> Sequence[str]:
        if not step.for_each:
            return ("",)
        if step.part_tokens:
            items: Sequence[str] = split(texts[step.for_each], step.part_tokens)
        elif step.for_each in self.answers:
            items = self.answers[step.for_each]
        else:
            items = self._values[step.for_each]
            if self.recipe.parameters[step.for_each].kind == "integer":
                items = [str(number) for number in range(1, int(items[0]) + 1)]
        if len(items) > MOST_ROUNDS:
            raise OrchestratorError(f"{step.id} would be asked {len(items):,} times; {MOST_ROUNDS:,} is the most")
        return items


def _task(step: Step, texts: Mapping[str, str]) -> Task:
    return Task(
        filled(step.prompt, texts),
        system=filled(step.system, texts),
        model=filled(step.model, texts) or None,
        strategy=step.strategy,
        task_type=step.task_type,
        difficulty=step.difficulty,
        ensemble_size=step.ensemble_size,
        verdict=step.verdict,
        max_tokens=step.max_tokens,
        temperature=step.temperature,
        max_cost=step.max_cost,
    )


class _Run:
    def __init__(
        self,
        orchestrator: Orchestrator,
        course: Course,
        at_once: int,
        on_advance: Callable[[Advance], None] | None,
        known: Known | None,
    ) -> None:
        self.course = course
        self._orchestrator = orchestrator
        self._recipe = course.recipe
        self._at_once = at_once
        self._tell = on_advance or (lambda _: None)
        self._known = known or (lambda step, task: None)
        self._costs: list[Cost] = []
        self.results: dict[str, tuple[Result, ...]] = {}

    def cost(self) -> Cost:
        return Cost.sum(self._costs)

    async def step(self, place: int, step: Step) -> None:
        tasks = await asyncio.to_thread(self.course.tasks, step)
        answers = [self._known(step.id, task) for task in tasks]
        wanted = [place for place, answer in enumerate(answers) if answer is None]
        ended: list[Ended] = []

        def heard(one: Ended | None = None) -> None:
            if one is not None:
                ended.append(one)
                self._costs.append(one.cost)
            result = one if isinstance(one, Result) else None
            place_of = (place, len(self._recipe.steps), len(tasks), len(tasks) - len(wanted) + len(ended))
            self._tell(Advance(step, *place_of, self.cost(), result))

        heard()
        left = [tasks[place] for place in wanted]
        came = await self._orchestrator.execute_batch(left, at_once=self._at_once, on_end=heard) if left else ()
        results = tuple(one for one in came if isinstance(one, Result))
        if results:
            self.results[step.id] = results
        failed = next((one for one in came if isinstance(one, TaskFailed)), None)
        if failed is not None:
            called = of_its_cap(self._orchestrator, str(failed))
            raise RecipeFailed(self._recipe, step, failed, self.cost(), self.results, called)
        for place, result in zip(wanted, results, strict=True):
            answers[place] = result.text
        self.course.answers[step.id] = tuple((answer or "").strip() for answer in answers)
