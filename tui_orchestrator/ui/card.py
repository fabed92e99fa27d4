"""The route card, drawn: which model was chosen, on what evidence, and what else could have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content

from tui_orchestrator.routing.decision import Candidate, Decision, Exclusion
from tui_orchestrator.routing.explanation import (
    learned_in_words,
    margin_in_words,
    novelty_in_words,
    push,
    score_in_words,
    weights,
)
from tui_orchestrator.routing.money import ZERO
from tui_orchestrator.routing.profile import Profile
from tui_orchestrator.routing.request import Strategy

from . import words
from .words import ACCENT, BAD, BAR, GOOD, MUTED, STRONG, WARN

TASKS_SHOWN = 4
EVIDENCE_SHOWN = 6
COST_ROOM = 12
"""Cells of a cost, the longest of which is "~$0.0000096", and a space before it."""
NAME_ROOM = 40
"""Cells of a model's name; in a wider pane the figures stay near it."""

Rows = list[Content | str]


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt as the card tells it."""

    number: int
    model: str
    cause: str
    state: str = "running"
    """running, finished, failed, cancelled, escalated."""
    detail: str = ""


_STEP_GLYPHS = {
    "running": ("◐", ACCENT),
    "finished": ("✓", GOOD),
    "failed": ("✗", BAD),
    "cancelled": ("■", WARN),
    "escalated": ("~", WARN),
}


def draw_decision(
    decision: Decision,
    steps: Sequence[Step],
    width: int,
    *,
    preview: bool = False,
    otherwise: Mapping[Strategy, Decision] | None = None,
) -> Content:
    """The whole card, laid out for `width` cells. `otherwise`: what each strategy would have decided."""
    rows: Rows = [*_head(decision, width, preview), ""]
    if steps:
        rows += [*_attempts(steps, width), ""]
    rows += [*_tasks(decision.profile, width), "", *_candidates(decision, width), ""]
    rows += _difficulty(decision.profile, width)
    if len(decision.chain) > 1:
        title = "Members" if decision.strategy is Strategy.ENSEMBLE else "Chain"
        arrow = " · " if decision.strategy is Strategy.ENSEMBLE else " → "
        walk = arrow.join(words.short_name(model) for model in decision.chain)
        rows += ["", words.heading(title, width), *words.wrap(walk, width, indent=2)]
    if otherwise:
        rows += ["", *_otherwise(decision, otherwise, width)]
    return words.lines(rows)


def draw_nothing(width: int, *, asked: bool, key: str, elsewhere: bool = False) -> Content:
    """`asked`: a prompt is on its way, and its decision not made yet. `elsewhere`: what was asked last was imported.
    `key` changes the strategy."""
    if asked:
        return Content.styled("Deciding …", MUTED)
    text = (
        "Decided elsewhere: an imported conversation brings no decision along." if elsewhere else "Nothing decided yet."
    )
    text += " Type a prompt: this card shows which model it would go to, and why, before you send it."
    return words.lines([*words.wrap(text, width), "", Content.styled(f"{key} changes the strategy", MUTED)])


def _muted(text: str, width: int, indent: str = "") -> Rows:
    if not text:
        return []
    return [Content.styled(indent + line, MUTED) for line in words.wrap(text, width - len(indent))]


def _head(decision: Decision, width: int, preview: bool) -> Rows:
    notes = [words.spoken(decision.strategy_name)]
    if decision.pinned and decision.experiment is None:
        notes.append("pinned")
    if decision.rule:
        notes.append(f"rule {decision.rule}")
    if decision.experiment:
        notes.append(f"experiment {decision.experiment.name}, {decision.experiment.side.upper()}")
    if decision.explored:
        notes.append("exploring")
    if decision.model is None:
        title = Content.assemble(("✗ ", BAD), (words.fit(_nobody(decision), width - 2).rstrip(), f"bold {BAD}"))
    else:
        together = decision.strategy is Strategy.ENSEMBLE and len(decision.chain) > 1
        asked, dear = len(decision.chain), len(decision.left_out)
        name = f"{asked} models at once" if together else decision.model
        if dear:
            name = f"{asked - dear} of {asked} models at once"
        title = Content.assemble(("→ ", GOOD), (words.fit(name, width - 2).rstrip(), STRONG))
    stage = "if sent now" if preview else "chosen"
    head: Rows = [title, Content.styled(words.fit(f"  {stage} · {' · '.join(notes)}", width), MUTED)]
    head += ["  " + line for line in words.wrap(decision.reason, width - 2)]
    return head + _muted(weights(decision) if decision.pinned else f"by {weights(decision)}", width, "  ")


def _nobody(decision: Decision) -> str:
    """Why nobody is asked, in a few words: where only money is missing, others might well take it."""
    if decision.refused is None or decision.wished is None:
        return "no model can take this"
    cap = "this request's cap" if decision.refused is Exclusion.OVER_MAX_COST else "the budget"
    if decision.strategy is Strategy.ENSEMBLE and not decision.pinned:
        return f"the models together do not fit into {cap}"
    return f"{words.short_name(decision.wished)} does not fit into {cap}"


def _nobody_in_short(decision: Decision) -> str:
    if decision.refused is None or decision.wished is None:
        return "no model"
    return "over its cap" if decision.refused is Exclusion.OVER_MAX_COST else "over budget"


def _attempts(steps: Sequence[Step], width: int) -> Rows:
    rows: Rows = [words.heading("Attempts", width)]
    for step in steps:
        glyph, style = _STEP_GLYPHS[step.state]
        cause = "" if step.cause == "first" else f" ({words.spoken(step.cause)})"
        name = words.short_name(step.model) + cause
        rows.append(Content.assemble((f"{glyph} ", style), words.fit(f"{step.number} {name}", width - 2).rstrip()))
        rows += _muted(step.detail, width, "    ")
    return rows


def _tasks(profile: Profile, width: int) -> Rows:
    rows: Rows = [words.heading("Task", width, words.spoken(profile.task_type))]
    likeliest = sorted(profile.task_probabilities.items(), key=lambda item: -item[1])[:TASKS_SHOWN]
    rows += [
        _gauge(words.spoken(task), probability, f"{probability:.2f}", width)
        for task, probability in likeliest
        if probability >= 0.01
    ]
    return rows


def _gauge(label: str, share: float, figure: str, width: int) -> Content:
    label_room = max(6, min(18, width - 13))
    room = max(2, min(30, width - label_room - 7))
    return Content.assemble(words.fit(label, label_room), " ", (words.bar(share, room), BAR), f" {figure}")


def _difficulty(profile: Profile, width: int) -> Rows:
    rows: Rows = [
        words.heading("Difficulty", width, profile.level),
        _gauge("for models", profile.difficulty, f"{profile.difficulty:.2f}", width),
        _gauge("as people see it", profile.complexity / 10, f"{profile.complexity}/10", width),
    ]
    weightiest = sorted(profile.evidence, key=lambda item: -abs(item.effect))[:EVIDENCE_SHOWN]
    for item in weightiest:
        sign, style = ("+", WARN) if item.effect > 0 else ("−", GOOD) if item.effect < 0 else ("·", MUTED)
        effect = f" {push(item)} {abs(item.effect):.2f}" if item.effect else ""
        feature = words.fit(item.feature, max(2, width - 2 - len(effect))).rstrip()
        rows.append(Content.assemble((f"{sign} ", style), feature, (effect, MUTED)))
    size = f"≈{words.tokens(profile.input_tokens)} tok in · ≈{words.tokens(profile.output_tokens)} out"
    if profile.needs:
        size += f" · needs {', '.join(sorted(words.spoken(need) for need in profile.needs))}"
    return [*rows, *_muted(size, width), *_muted(novelty_in_words(profile), width)]


def _candidates(decision: Decision, width: int) -> Rows:
    inside = [candidate for candidate in decision.candidates if candidate.excluded is None]
    outside = [candidate for candidate in decision.candidates if candidate.excluded is not None]
    margin = f"{decision.margin:+.2f} to the next" if decision.margin is not None else ""
    rows: Rows = [words.heading(f"Candidates {len(inside)}/{len(decision.candidates)}", width, margin)]
    score_room = 8 if width >= 50 else 0
    time_room = 7 if width >= 42 else 0
    name_room = min(NAME_ROOM, width - 2 - 5 - COST_ROOM - time_room - score_room)
    if inside:
        header = words.fit("", 2) + words.fit("model", name_room) + words.fit("p", 5, right=True)
        header += words.fit("cost", COST_ROOM, right=True)
        header += words.fit("time", time_room, right=True) + ("  score" if score_room else "")
        rows.append(Content.styled(header, MUTED))
    scores = [candidate.score for candidate in inside]
    low, high = (min(scores), max(scores)) if scores else (0.0, 0.0)
    names = words.fit_models([words.short_name(candidate.model) for candidate in inside], name_room)
    for candidate, name in zip(inside, names, strict=True):
        share = 1.0 if high == low else 0.08 + 0.92 * (candidate.score - low) / (high - low)
        bar = words.bar(share, 6) if score_room else ""
        rows.append(_inside(candidate, decision, words.fit(name, name_room), time_room, bar))
        if learned := learned_in_words(candidate):
            rows += _muted(f"{learned} from your votes and turns", width, "    ")
    for candidate in outside:
        name = words.fit(words.short_name(candidate.model), width - 2).rstrip()
        rows.append(Content.assemble(("✗ ", BAD), (name, MUTED)))
        rows += _muted(candidate.excluded or "", width, "    ")[:2]
    if score := score_in_words(decision):
        rows += _muted(f"score: {score}", width)
    return rows + _muted(margin_in_words(decision), width)


def _inside(candidate: Candidate, decision: Decision, name: str, time_room: int, score: str) -> Content:
    member = decision.strategy is Strategy.ENSEMBLE and candidate.model in decision.chain
    chosen = candidate.model == decision.model or member
    likelihood = candidate.success_probability
    style = GOOD if likelihood >= 0.8 else WARN if likelihood >= 0.5 else BAD
    return Content.assemble(
        ("▸ " if chosen else "  ", GOOD),
        (name, "bold" if chosen else ""),
        (f"{likelihood:5.2f}", style),
        words.fit(words.expected(candidate), COST_ROOM, right=True),
        words.fit(words.seconds(candidate.estimated_latency_s), time_room, right=True),
        ("  " + score if score else "", BAR),
    )


def _otherwise(decision: Decision, otherwise: Mapping[Strategy, Decision], width: int) -> Rows:
    """What the other strategies would have done, each with p and cost of its first model; an ensemble with the cost
    of all its members."""
    rows: Rows = [words.heading("Other strategies", width, "nothing is called")]
    label_room = 12
    model_room = min(NAME_ROOM, width - label_room - 2 - 5 - COST_ROOM)
    for strategy, other in otherwise.items():
        if strategy is decision.strategy and not decision.pinned:
            continue
        label = words.fit(words.spoken(strategy), label_room)
        chosen = other.chosen
        if chosen is None:
            room = width - label_room - 2
            why = next((said for said in (_nobody(other), _nobody_in_short(other)) if cell_len(said) <= room), "")
            rows.append(Content.assemble(label, ("✗ ", BAD), (why or words.fit("no model", room).rstrip(), MUTED)))
            continue
        name, p, cost = words.short_name(chosen.model), f"{chosen.success_probability:5.2f}", words.expected(chosen)
        if strategy is Strategy.ENSEMBLE:
            members = [one.estimated_cost for one in other.candidates if one.model in other.chain]
            known = [one for one in members if one is not None]
            name, p = f"{len(other.chain)} models, {name} first", " " * 5
            cost = words.money(sum(known, ZERO) if len(known) == len(members) else None)
        same = other.chain[:1] == decision.chain[:1] and strategy is not Strategy.ENSEMBLE
        rows.append(
            Content.assemble(
                label,
                ("= " if same else "→ ", MUTED if same else ACCENT),
                (words.fit(name, model_room), MUTED if same else ""),
                p,
                words.fit(cost, COST_ROOM, right=True),
            )
        )
    return rows
