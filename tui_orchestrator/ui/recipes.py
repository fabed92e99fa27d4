"""Recipes over the panes: which there are, what the chosen one is asked with, what it will cost, how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from tui_orchestrator.library.estimating import too_dear
from tui_orchestrator.library.orchestrator import Orchestrator
from tui_orchestrator.recipes import (
    Journal,
    Leftover,
    Leftovers,
    Parameter,
    Recipe,
    RecipeError,
    Shelf,
    Underway,
    plan,
    recipes_dir,
)
from tui_orchestrator.routing.budget import BudgetState
from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.text import clean, full_stop
from tui_orchestrator.services.attachments import AttachmentError, read_file
from tui_orchestrator.services.chat import Chat
from tui_orchestrator.services.runtime import Runtime

from . import form
from .beginning import Beginning
from .commands import bindings
from .dialogs import keys_line
from .form import Form
from .in_turn import typed_after
from .listed import Listed
from .naming import keyed
from .recipe_rows import (
    ONE_LINE,
    described,
    draw_head,
    draw_left,
    draw_leftover,
    draw_recipe,
    draw_row,
    draw_run,
    running_stage,
)
from .running import RunScreen
from .words import ACCENT

NONE_LEFT = Leftovers()
_SHOWN = 400
"""Characters of a value in the chat, where what was typed for it is not known any more but its text."""


class RecipesScreen(Listed[str | None]):
    """Answers with the key of the row that is to be filled in, or gone on from."""

    HELP = (
        "Recipes: prompts in several steps, each with the model that suits it. Below the list: what the marked one "
        "asks for, its steps, and what is wrong in files of yours; PgUp and PgDn scroll that. {recipes.run} opens its "
        "form; nothing is sent before you have seen what it costs. Those that did not come to their end stand first, "
        "with what is done and what is left: {recipes.run} says what that costs, and goes on. Your own are TOML files "
        "in the directory of recipes."
    )
    CSS = Listed.CSS
    TITLE_SHOWN = "Recipes"
    KEYS = "{recipes.run} fills it in · Esc closes"
    _GOES_ON = "{recipes.run} goes on · Esc closes"
    BINDINGS: ClassVar[list[BindingType]] = bindings("recipes")

    def __init__(self, shelf: Shelf, left: Leftovers = NONE_LEFT) -> None:
        """`left`: those that did not come to their end, each by the path of its journal."""
        super().__init__()
        self._shelf = shelf
        self._left = {str(one.journal.path): one for one in left.found}
        self._problems = (*shelf.problems, *left.problems)

    @property
    def rows(self) -> Mapping[str, Recipe | Leftover]:
        return {**self._left, **self._shelf.recipes}

    def draw_rows(self, width: int) -> Iterable[Content]:
        yield from (draw_leftover(one, width) for one in self._left.values())
        yield from (draw_row(recipe, width) for recipe in self._shelf.recipes.values())

    def draw_head(self, width: int) -> Content | None:
        return draw_head(width) if width >= ONE_LINE else None

    def draw_details(self, key: str, width: int) -> Content:
        if key in self._left:
            return draw_left(self._left[key], width)
        problems = [f"! {problem}" for problem in self._problems]
        own = f"Your own lie in {recipes_dir()}."
        return draw_recipe(self._shelf.recipes[key], width, [*problems, own])

    def tell_details(self) -> None:
        super().tell_details()
        keys = self._GOES_ON if self.marked in self._left else self.KEYS
        self.query_one("#listed").border_subtitle = keys_line(keyed(self.app, keys))

    def action_run(self) -> None:
        self.dismiss(self.marked)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


class Prepared:
    def __init__(self, run: Underway, cap: BudgetState | None, said: Mapping[str, list[str]]) -> None:
        """`cap`: the tightest that the plan passes. `said`: as it was typed, files by their names."""
        self.run = run
        self.cap = cap
        self.said = said


class RecipeForm(Form[Prepared | None]):
    """Answers with what is planned and not begun; None for Esc."""

    HELP = (
        "What the recipe is asked with. ↑↓ go from line to line, {prompt.newline} breaks one: of a list each line is "
        "an item. @path takes the text of a file, Tab completes it. Enter says what it will cost, Esc leaves all as "
        "it is."
    )

    def __init__(self, runtime: Runtime, recipe: Recipe, talk: Chat, before: Mapping[str, list[str]] | None) -> None:
        """`before`: what was typed when it was asked last and not begun."""
        fields = [_field(parameter, (before or {}).get(parameter.name)) for parameter in recipe.parameters.values()]
        note = recipe.description if before is None else "Nothing was sent. Enter asks again."
        super().__init__(f"Recipe {recipe.name}", "Enter says what it costs · ↑↓ fields · Esc closes", fields, note)
        self._runtime = runtime
        self._recipe = recipe
        self._talk = talk

    @typed_after(letters=True)
    @work(exclusive=True, exit_on_error=False)
    async def submitted(self) -> None:
        said = {name: [self.typed(name)] for name in self._recipe.parameters if self.typed(name)}
        try:
            self._recipe.values(said)
            read = await asyncio.to_thread(lambda: {name: [_read(text)] for name, (text,) in said.items()})
            self.say("◐ working out what it will ask, and what that costs", ACCENT)
            self.dismiss(await _prepared(self._runtime, self._talk, self._recipe, said, read))
        except RecipeError as error:
            name = next((name for name in self._recipe.parameters if f" {name}" in str(error)), "")
            self.refuse(full_stop(str(error).removeprefix(f"{self._recipe.name}: ")), name)
        except OrchestratorError as error:
            self.refuse(str(error))
        except (LookupError, ValueError) as error:
            self.refuse(full_stop(str(error.args[0])))


async def _prepared(
    runtime: Runtime,
    talk: Chat,
    recipe: Recipe,
    said: Mapping[str, list[str]],
    read: Mapping[str, list[str]],
    journal: Journal | None = None,
) -> Prepared:
    orchestrator = Orchestrator.over(runtime)
    orchestrator.session = talk.id
    planned = await plan(orchestrator, recipe, read, known=journal.peeked() if journal is not None else None)
    run = Underway(orchestrator, planned, read, temporary=talk.temporary, journal=journal)
    return Prepared(run, await too_dear(orchestrator, planned.cost), said)


async def gone_on(runtime: Runtime, talk: Chat, left: Leftover) -> Prepared:
    """What is left of it, planned and not begun; its journal is held, for who does not begin it to close. Raises
    OrchestratorError, LookupError and ValueError."""
    journal = left.journal
    await asyncio.to_thread(journal.hold)
    said = {name: [clean("\n".join(values))] for name, values in journal.said.items()}
    short = {name: [text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"] for name, (text,) in said.items()}
    return await _prepared(runtime, talk, left.recipe, short, journal.said, journal)


def _field(parameter: Parameter, typed: list[str] | None) -> form.Wanted:
    hint = described(parameter)
    if parameter.kind == "list":
        hint += "; {prompt.newline} between them"
    names = tuple((choice, "") for choice in parameter.choices)
    path = "@" if parameter.kind in ("text", "list") else None
    return form.Wanted(parameter.name, parameter.name, hint, "".join(typed or ()), path=path, names=lambda: names)


def _read(typed: str) -> str:
    """The text of a file where one is named. Blocking; raises AttachmentError."""
    if not typed.startswith("@") or "\n" in typed or len(typed) == 1:
        return typed
    read = read_file(Path(typed[1:]).expanduser())
    if read.text is None:
        raise AttachmentError(f"{typed[1:]} is an image; a recipe's values are text")
    return read.text


def beginning(prepared: Prepared) -> Beginning:
    """The plan with its price, before anything is sent."""
    run, cap = prepared.run, prepared.cap
    left = run.journal is not None
    kept = "it stays in the list of recipes" if left else "the form stays as it is filled in"
    return Beginning("Recipe", lambda width: draw_run(run, cap, width), cap, go_on=left, kept=kept)


class RecipeScreen(RunScreen):
    """One that runs or has ended."""

    HELP = (
        "A recipe, step by step: how often each is asked, of whom, what it costs and how long it takes. It goes on "
        "while this is closed, and its answer comes into the chat; {recipe.stop} stops it."
    )
    CSS = """
    #recipe { width: 96%; height: auto; max-height: 96%; max-width: 130; scrollbar-size-vertical: 1; }
    #recipe Static { height: auto; }
    """
    SCROLLED = "#recipe"
    BINDINGS: ClassVar[list[BindingType]] = bindings("recipe")

    def __init__(self, prepared: Prepared, note: str = "") -> None:
        """`note`: a sentence above it while it runs."""
        super().__init__()
        self._note = note
        self._prepared = prepared
        self._ran = False
        """When it was drawn last."""
        self._shown = Static(markup=False)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", id="recipe", can_focus=False) as dialog:
            dialog.border_title = "Recipe"
            yield self._shown

    def look(self) -> None:
        if self._prepared.run.runs or self._ran:
            self.lay_out()

    def lay_out(self) -> None:
        width = self._shown.container_size.width - 1
        if not self.is_attached or width < 20:
            return
        run, cap = self._prepared.run, self._prepared.cap
        told = "{recipe.stop} stops it · Esc closes, it goes on" if run.runs else "Esc closes"
        self._ran = run.runs
        self.query_one("#recipe").border_subtitle = keys_line(keyed(self.app, told))
        self._shown.update(draw_run(run, cap, width, self._note if run.runs else ""))

    def action_stop(self) -> None:
        if self._prepared.run.runs:
            self._prepared.run.stop()


def in_short(run: Underway) -> str:
    """For the header."""
    stage = running_stage(run)
    return f"recipe {run.plan.recipe.name}" + (f": {stage.step.id}" if stage is not None else "")


def as_asked(prepared: Prepared) -> str:
    """What stands in the chat as the prompt."""
    lines = [f"Recipe {prepared.run.plan.recipe.name}"]
    for name, (text,) in prepared.said.items():
        lines.append(f"{name}: {text}" if "\n" not in text else f"{name}:\n{text}")
    return "\n".join(lines)
