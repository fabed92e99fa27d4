"""Recipes drawn: a row for each, all that one is made of, and how far the steps of one are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from tui_orchestrator.library.estimating import passes
from tui_orchestrator.recipes import Leftover, Parameter, Recipe, Stage, Standing, Step, Underway, summed
from tui_orchestrator.routing.budget import BudgetState
from tui_orchestrator.routing.text import clean, clean_line, span

from . import words
from .words import ACCENT, BAD, GOOD, MONEY, MUTED, STRONG, WARN

ONE_LINE = 96
"""Cells from which on a recipe stands on one line, and a step."""
_NAME, _FROM = 24, 12
_UNFINISHED = "unfinished"
_STEP, _STATE, _ROUNDS, _COST, _TIME = 20, 12, 12, 14, 12
_STATES = {
    "waiting": ("○", MUTED),
    "running": ("◐", ACCENT),
    "done": ("✓", GOOD),
    "failed": ("✗", BAD),
    "stopped": ("■", WARN),
}
"""The glyphs tell them apart without their colours."""


def whose(recipe: Recipe) -> str:
    if recipe.source.endswith(".toml"):
        return "your own"
    return recipe.source if recipe.source == "shipped" else "a plugin's"


def draw_head(width: int) -> Content:
    return Content(words.fit(words.fit("  recipe", 2 + _NAME) + words.fit("from", _FROM) + "what it does", width))


def draw_row(recipe: Recipe, width: int) -> Content:
    name = (words.fit(recipe.name, _NAME - 2) + "  ", "bold")
    if width >= ONE_LINE:
        said = words.fit(clean_line(recipe.description), width - 2 - _NAME - _FROM)
        return Content.assemble("  ", name, (words.fit(whose(recipe), _FROM), MUTED), said)
    first = Content.assemble("  ", name, (words.fit(whose(recipe), max(0, width - 2 - _NAME)), MUTED))
    return words.lines([first, Content.styled(words.fit(f"    {clean_line(recipe.description)}", width), MUTED)])


def draw_leftover(one: Leftover, width: int) -> Content:
    name, said = (words.fit(one.recipe.name, _NAME - 2) + "  ", "bold"), _said_to(one)
    if width >= ONE_LINE:
        far = words.fit(f"{_how_far(one)} · {said}", width - 2 - _NAME - _FROM)
        return Content.assemble("■ ", name, (words.fit(_UNFINISHED, _FROM), WARN), far)
    first = Content.assemble("■ ", name, (words.fit(_UNFINISHED, max(0, width - 2 - _NAME)), WARN))
    return words.lines([first, Content.styled(words.fit(f"    {_how_far(one)} · {said}", width), MUTED)])


def draw_left(one: Leftover, width: int) -> Content:
    """What of it is done, and what is left."""
    rows: list[Content | str] = [words.heading(one.recipe.name, width, f"■ {_UNFINISHED}")]
    for key, said in one.journal.said.items():
        rows.append(Content.styled(words.fit(f"{key}: {clean_line(' · '.join(said), 400)}", width).rstrip(), MUTED))
    rows.append("")
    for place, standing in enumerate(one.steps, 1):
        name = words.fit(f"{place}. {standing.step.id}", min(width, len(standing.step.id) + 3))
        told = words.fit(f" · {_far(standing)} · {how(standing.step)}", width - len(name)).rstrip()
        rows.append(Content.assemble((name, STRONG), told))
    torn = f" {one.journal.torn_told[:1].upper()}{one.journal.torn_told[1:]}." if one.journal.torn else ""
    done = f"What is done is not asked again.{torn}"
    file = f"Where it still runs in another terminal, let it end there. To be rid of it, delete {one.journal.path}"
    return words.lines([*rows, "", *_wrapped(done, width), *_wrapped(file, width, MUTED)])


def _said_to(one: Leftover) -> str:
    return clean_line(" · ".join(text for said in one.journal.said.values() for text in said), 400)


def _how_far(one: Leftover) -> str:
    """Where it stopped."""
    standing = next((each for each in one.steps if each.answered != each.rounds), one.steps[-1])
    return f"{standing.step.id}: {_far(standing)}"


def _far(standing: Standing) -> str:
    if standing.rounds is None:
        return "○ not begun"
    glyph = "✓" if standing.answered == standing.rounds else "■"
    return f"{glyph} {standing.answered:,} of {standing.rounds:,} done"


def draw_recipe(recipe: Recipe, width: int, notes: Sequence[str] = ()) -> Content:
    """As many lines as it takes, none wider; the notes below all else."""
    rows: list[Content | str] = [words.heading(recipe.name, width, whose(recipe))]
    rows += [Content(line) for line in words.wrap(clean_line(recipe.description), width)]
    column = min(18, max((len(name) for name in recipe.parameters), default=0) + 2)
    rows.append(Content(""))
    for parameter in recipe.parameters.values():
        first, *others = words.wrap(described(parameter), max(10, width - column))
        rows.append(Content.assemble((words.fit(parameter.name, column), ACCENT), first))
        rows += [Content(" " * column + line) for line in others]
    rows.append("")
    for place, step in enumerate(recipe.steps, 1):
        name = words.fit(f"{place}. {step.id}", min(width, len(step.id) + 3))
        rows.append(Content.assemble((name, STRONG), words.fit(f" · {how(step)}", width - len(name)).rstrip()))
    for note in notes:
        rows += ["", *_wrapped(note, width, WARN if note.startswith("!") else MUTED)]
    return words.lines(rows)


def described(parameter: Parameter) -> str:
    """What it is, and what it is where nothing is said."""
    if parameter.default is None:
        return clean_line(parameter.description)
    default = ", ".join(clean_line(parameter.default, 120).splitlines())
    return f"{clean_line(parameter.description)} [{default}]"


def how(step: Step) -> str:
    """Who answers a step, and how often it is asked."""
    by = clean_line(step.model) if step.model else words.spoken(step.strategy) if step.strategy else "as configured"
    task = f", {words.spoken(step.task_type)}" if step.task_type else ""
    return f"{by}{task}{f', for each of {step.for_each}' if step.for_each else ''}"


def draw_run(run: Underway, cap: BudgetState | None, width: int, note: str = "") -> Content:
    """The plan before it begins, then how far each step is; `note` above it."""
    rows = [*_wrapped(f"! {note}", width, WARN), Content("")] if note else []
    rows.append(words.heading(run.plan.recipe.name, width, _told(run)))
    for key, said in run.said.items():
        rows.append(Content.styled(words.fit(f"{key}: {clean_line(' · '.join(said), 400)}", width).rstrip(), MUTED))
    rows.append(Content(""))
    if width >= ONE_LINE:
        head = words.fit("  step", 2 + _STEP) + words.fit("state", _STATE) + words.fit("asked", _ROUNDS, right=True)
        head += words.fit("cost", _COST, right=True) + words.fit("time", _TIME, right=True)
        rows.append(Content.styled(words.fit(head + "  model", width), MUTED))
    for place in range(len(run.stages)):
        rows += _stage(run, place, width)
    rows += [Content(""), *_sums(run, width), *_asked(run, cap, width)]
    return words.lines(rows)


def _told(run: Underway) -> str:
    if run.outcome is not None:
        return "✓ done"
    if run.runs:
        return "◐ running"
    if run.over:
        return "■ came to nothing"
    return "○ not begun" if run.journal is None else f"■ {_UNFINISHED}"


def _stage(run: Underway, place: int, width: int) -> Iterator[Content]:
    stage, planned = run.stages[place], run.plan.steps[place].estimate
    glyph, tone = _STATES[stage.state]
    seconds = run.seconds_of(stage)
    expected = stage.began is None
    cost = f"~{planned.cost}" if expected and planned.cost else str(planned.cost) if expected else str(stage.cost)
    cost += " +?" if expected and planned.unpriced else ""
    time = f"~{span(planned.seconds)}" if seconds is None else words.seconds(seconds)
    if (expected and not planned.lines) or (stage.state in ("failed", "stopped") and seconds is None):
        time = ""
    begun = stage.ended or not expected
    rounds = f"{stage.ended:,} of {stage.rounds:,}" if begun else f"{stage.rounds:,}×"
    models = stage.models.most_common(3) if not expected else list(planned.models[:3])
    by = " · ".join(words.short_name(model) + (f" {count:,}" if count > 1 else "") for model, count in models)
    by = by or ("no model can take it" if expected and planned.impossible else "")
    state = words.fit(f"{glyph} {stage.state}", _STATE)
    if width >= ONE_LINE:
        room = width - 4 - _STEP - _STATE - _ROUNDS - _COST - _TIME
        yield Content.assemble(
            "  ", (words.fit(stage.step.id, _STEP - 2) + "  ", "bold"), (state, tone),
            words.fit(rounds, _ROUNDS, right=True), (words.fit(cost, _COST, right=True), MONEY),
            (words.fit(time, _TIME, right=True), MUTED), "  ", words.fit(by, room).rstrip(),
        )  # fmt: skip
        return
    room = max(6, width - _STATE - _ROUNDS)
    name, asked = words.fit(stage.step.id, room), words.fit(rounds, _ROUNDS, right=True)
    yield Content.assemble((name, "bold"), (state, tone), asked)
    told = " · ".join(part for part in (cost, time, by) if part)
    yield Content.styled(words.fit(f"  {told}", width).rstrip(), MUTED)


def _sums(run: Underway, width: int) -> Iterator[Content]:
    plan = run.plan
    if not run.runs and not run.over:
        yield from _wrapped(summed(plan), width, "bold")
        if plan.impossible:
            yield from _wrapped(f"{plan.impossible:,} would fail as things are: no model can take them.", width, WARN)
        return
    ended = sum(stage.ended for stage in run.stages)
    of = f" of about {plan.cost}" if run.runs else ""
    yield from _wrapped(f"{ended:,} answers · {run.cost}{of} · {words.seconds(run.seconds)}", width, "bold")
    if run.outcome is not None:
        yield from _wrapped("The answer stands in the chat, to be copied and exported; Esc shows it.", width, GOOD)
    elif run.problem:
        yield from _wrapped(f"✗ {run.problem}", width, BAD)
        yield from _wrapped(run.go_on, width)
    elif run.over:
        yield from _wrapped("■ Stopped; what had come is paid for, and there is no answer.", width, WARN)
        yield from _wrapped(run.go_on, width)
    if run.over and run.outcome is None:
        yield from _finished(run, width)


def _finished(run: Underway, width: int) -> Iterator[Content]:
    for id_, text in run.finished:
        yield Content("")
        yield words.heading(id_, width, "✓ finished")
        for line in clean(text).splitlines():
            yield from _wrapped(line, width)


def _asked(run: Underway, cap: BudgetState | None, width: int) -> Iterator[Content]:
    if run.runs or run.over:
        return
    if cap is not None:
        yield from _wrapped(f"! {passes(run.plan.cost, cap)}", width, WARN)


def _wrapped(text: str, width: int, style: str = "") -> list[Content]:
    return [Content.styled(line, style) for line in words.wrap(text, width, 2)]


def running_stage(run: Underway) -> Stage | None:
    return next((stage for stage in run.stages if stage.state == "running"), None)
