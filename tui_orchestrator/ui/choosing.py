"""What the lists offer: strategies, models, sessions, themes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from tui_orchestrator.routing.decision import Candidate, Decision
from tui_orchestrator.routing.money import ZERO
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.services.personas import summary

from . import words
from .dialogs import Choice
from .words import ACCENT, BAD, MONEY, MUTED

if TYPE_CHECKING:
    from tui_orchestrator.routing.events import Attempt
    from tui_orchestrator.settings import Persona
    from tui_orchestrator.storage.cache import Kept

    from .registry_rows import Row

EVERYTHING = "*"
UNPIN = "auto"

WhatIf = Callable[[Strategy], Decision | None]
"""Where the draft would go under another strategy; None without a draft."""


def cache_choices(kept: Sequence[Kept]) -> list[Choice]:
    """What may be cleared: everything, or one model's answers. With what it has saved."""
    answers, size, hits = (sum(getattr(one, name) for one in kept) for name in ("answers", "bytes", "hits"))
    from tui_orchestrator.storage.cache import Kept

    every = Kept(
        EVERYTHING, answers, size, None, hits, sum(one.nearly for one in kept), sum((k.saved for k in kept), ZERO)
    )
    return [*(_cache_choice(one, one.model) for one in kept), _cache_choice(every, "everything")]


def _cache_choice(one: Kept, name: str) -> Choice:
    nearly = f", {one.nearly:,} of them ≈" if one.nearly else ""
    columns = (
        (words.fit(name, 34) + " ", "bold"),
        (words.fit(f"{one.answers:,} kept", 12, right=True), ""),
        (words.fit(f"{one.bytes / 1000:,.0f} kB", 11, right=True), MUTED),
    )
    saved = f"{'~' if one.nearly else ''}{one.saved} saved"
    return Choice(one.model, columns, f"given again {one.hits:,}×{nearly} · {saved}" if one.hits else "")


def strategy_choices(current: Strategy | None, configured: Strategy, what_if: WhatIf) -> list[Choice]:
    choices = []
    for strategy in Strategy:
        decision = what_if(strategy)
        columns = [(words.fit(words.spoken(strategy), 13), "bold")]
        if decision is not None and decision.model is not None:
            chosen = decision.chosen
            name = words.short_name(decision.model)
            if strategy is Strategy.ENSEMBLE:
                name = f"{len(decision.chain)} models"
            cost = words.expected(chosen) if chosen else ""
            columns += [("→ " + words.fit(name, 28), ACCENT), (words.fit(cost, 10, right=True), MONEY)]
        elif decision is not None:
            columns.append(("→ no model can take it", BAD))
        if strategy is (current or configured):
            # In words, for its mark goes while one types, and in lists of what is paid for.
            columns.append(("   current", MUTED))
        note = words.picks(strategy) + (" · configured" if strategy is configured else "")
        choices.append(Choice(strategy, tuple(columns), note, strategy is (current or configured)))
    return choices


def model_choices(rows: Iterable[Row], pinned: str | None) -> list[Choice]:
    free = Choice(UNPIN, (("let the strategy choose", "bold"),), marked=pinned is None)
    return [free, *(_model_choice(row, pinned) for row in sorted(rows, key=_usable_first))]


def _usable_first(row: Row) -> tuple[bool, bool, str]:
    """Favourites before all others."""
    return not row.favourite, row.state not in ("available", "degraded", "cooling_down"), row.model.id


def _model_choice(row: Row, pinned: str | None) -> Choice:
    glyph, style, word = words.HEALTH[row.state]
    health = f"{glyph} {word}" + (f" · {row.detail}" if row.detail else "")
    star = "* " if row.favourite else ""
    columns = (
        (f"{star}{words.fit_model(row.model.id, 29 - len(star))} ", "bold"),
        (words.fit(words.price_pair(row.model.price), 11, right=True) + "  ", MONEY),
        (words.fit(row.model.level, 13), ""),
        (health, style),
    )
    return Choice(row.model.id, columns, marked=row.model.id == pinned, names=_names(row.model.id))


def _names(model: str) -> tuple[str, str]:
    return model, model.partition("/")[2]


def persona_choices(known: Iterable[Persona], current: str | None) -> list[Choice]:
    nobody = Choice("none", (("none", "bold"),), "as configured", marked=current is None)
    choices = [Choice(one.name, ((one.name, "bold"),), summary(one), one.name == current) for one in known]
    return [nobody, *sorted(choices, key=lambda choice: choice.id)]


def member_choices(members: Iterable[Attempt], best: int | None) -> list[Choice]:
    return [
        Choice(
            str(member.number),
            (
                (words.fit_model(member.model, 36) + " ", "bold"),
                (words.fit(words.took(member), 8, right=True), MUTED),
                (words.fit(f"↓{words.tokens(member.usage.output)}", 8, right=True) + " ", MUTED),
                (words.fit(str(member.cost), 10, right=True), MONEY),
            ),
            marked=member.number == best,
        )
        for member in members
    ]


def writer_choices(decision: Decision) -> list[Choice]:
    """Who may write one answer from several, with what it is expected to cost and the most it can."""
    return [_for_money(one, marked=one.model == decision.model) for one in decision.candidates if not one.excluded]


def judge_choices(decision: Decision, own: Mapping[str, int], threshold: float) -> list[Choice]:
    """As `writer_choices`. `own`: the places of those who would judge an answer of their own; the first that would not
    and is good enough is marked."""
    usable = [candidate for candidate in decision.candidates if not candidate.excluded]
    fit = [one.model for one in usable if one.model not in own and one.success_probability >= threshold]
    marked = fit[0] if fit else decision.model
    return [_for_money(one, marked=one.model == marked, place=own.get(one.model)) for one in usable]


def _for_money(one: Candidate, *, marked: bool, place: int | None = None) -> Choice:
    most = f"at most {'?' if one.cost_ceiling is None else one.cost_ceiling}"
    recommended = "recommended · " if marked else ""
    note = f"{recommended}good enough with a chance of {one.success_probability:.2f}"
    return Choice(
        one.model,
        (
            (words.fit_model(one.model, 36) + " ", "bold"),
            (words.fit(words.expected(one), 10, right=True), MONEY),
            (words.fit(most, 19, right=True), MUTED),
        ),
        note if place is None else f"{note} · gave answer {place} itself",
        marked=marked,
        names=_names(one.model),
    )


def code_choices(blocks: Iterable[tuple[str, str]]) -> list[Choice]:
    """(language, code) each."""
    return [
        Choice(
            str(place),
            (
                (words.fit(language or "text", 12) + " ", ACCENT),
                (words.fit(next((line.strip() for line in code.splitlines() if line.strip()), ""), 52) + " ", ""),
                (words.fit(f"{code.count(chr(10))} lines", 9, right=True), MUTED),
            ),
        )
        for place, (language, code) in enumerate(blocks)
    ]


def theme_choices(about: Mapping[str, str], current: str) -> list[Choice]:
    """Of each theme's name, what is said about it."""
    room = max(map(len, about), default=0) + 2
    return [
        Choice(name, ((name.ljust(room), ""), (said, MUTED)), marked=name == current)
        for name, said in sorted(about.items())
    ]


MESSAGE_DEEDS = {
    "copy": ("copy", "its text, as Markdown"),
    "code": ("copy code", "one of its code blocks"),
    "quote": ("quote", "in the prompt"),
    "up": ("vote up", "the router learns from it"),
    "down": ("vote down", "the router learns from it"),
    "unvote": ("take the vote back", ""),
    "again": ("ask again", "another answer in place of this one"),
    "continue": ("go on where it stopped", "it was cut off"),
    "edit": ("edit and branch", "send it anew; what follows is kept beside it"),
    "onward": ("continue from here", "a new prompt as a branch; what follows is kept"),
    "branch": ("next branch", "what else was asked here"),
    "unfold": ("unfold", ""),
    "fold": ("fold", ""),
    "card": ("route card", "why this model, and what it took"),
}
"""What can be done with one message, in the order of its menu."""


def message_choices(deeds: Collection[str]) -> list[Choice]:
    return [
        Choice(deed, ((words.fit(name, 24), ""), (why, MUTED)))
        for deed, (name, why) in MESSAGE_DEEDS.items()
        if deed in deeds
    ]
