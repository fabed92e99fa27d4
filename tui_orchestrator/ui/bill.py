"""What the costs pane says, from values alone. Figures stand at the right, in columns that keep their width, and are
never cut; names are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from textual.content import Content
from textual.style import Style

from tui_orchestrator.routing.budget import BudgetCondition, BudgetState
from tui_orchestrator.routing.events import Attempt, Outcome
from tui_orchestrator.routing.money import ZERO
from tui_orchestrator.services.spending import DIMENSIONS, SPANS, Dimension, Mark, Overview, Span, Trend

from . import words
from .words import ACCENT, BAD, BAR, GOOD, MONEY, MUTED, WARN

if TYPE_CHECKING:
    from tui_orchestrator.storage.reports import Totals

MAIN_SCOPES = ("request", "session", "day", "month")
SHARES_SHOWN = 5
ROOM_FOR_RESERVED = 48
"""Columns from which what is reserved is told by a figure beside its part of the bar."""
ROOM_FOR_TOKENS = 46
NO_MARKS: Mapping[str, Mark] = MappingProxyType({})
ROOM_FOR_PERCENT = 40
_OUTCOMES = {Outcome.FINISHED: ("✓", GOOD), Outcome.FAILED: ("✗", BAD), Outcome.CANCELLED: ("■", WARN)}
_SPANS: dict[Span, str] = {"today": "today", "week": "7 days", "month": "month"}


def draw_budgets(
    states: Iterable[BudgetState],
    forecasts: Mapping[str, str],
    width: int,
    *,
    demo: bool,
    shared: str = "",
    marks: Mapping[str, Mark] = NO_MARKS,
) -> list[Content]:
    """The four sums every call counts towards, then every other one that has a cap. `marks` by scope: what is
    estimated or not known in a sum. `shared`: what is to be said of other machines that keep to the same caps."""
    rows = [words.heading("Budgets", width, " · ".join(filter(None, ("demo money" if demo else "", shared))))]
    shown = [state for state in in_order(states) if state.limit is not None or state.scope in MAIN_SCOPES]
    spent = {state.scope: _spent(state, marks.get(state.scope)) for state in shown}
    amounts = [*spent.values(), *(str(amount or ZERO) for state in shown for amount in (state.limit, state.left))]
    figure = max(_figure(width), *map(len, amounts)) if amounts else 0
    for state in shown:
        # A cap of nothing, of which nothing is gone, lets free models answer.
        draw = _capped if state.limit or (state.limit is not None and state.spent) else _uncapped
        rows += draw(state, spent[state.scope], width, figure)
        if state.others:
            rows.append(Content.styled(words.fit(f"  ⇄ {state.others} of it on other machines", width), MUTED))
        if forecast := forecasts.get(state.scope):
            rows += [Content.styled("  " + line, WARN) for line in words.wrap(f"↗ {forecast}", width - 2, 2)]
    return rows


def _spent(state: BudgetState, mark: Mark | None) -> str:
    if mark is None:
        return str(state.spent)
    return f"{'~' if mark.estimated else ''}{state.spent}{'+?' if mark.unknown else ''}"


def _figure(width: int) -> int:
    """Cells of an amount: '$0.0042' and '$123.45' fit into the fewer, '$0.000012' and '$1,234.56' into the more."""
    return 7 if width < ROOM_FOR_PERCENT else 9


def in_order(states: Iterable[BudgetState]) -> list[BudgetState]:
    order = {scope: place for place, scope in enumerate(MAIN_SCOPES)}
    return sorted(states, key=lambda state: (order.get(state.scope, len(order)), state.scope))


def _capped(state: BudgetState, spent: str, width: int, figure: int) -> list[Content]:
    glyph, style = words.CONDITIONS[state.condition]
    left = state.left or ZERO
    if state.condition is BudgetCondition.EXHAUSTED:
        end = Content.styled(" EXHAUSTED ".rjust(figure + 5), f"bold $ink on {BAD}")
    elif not left:
        end = Content.styled(words.fit("all reserved", figure + 5, right=True), WARN)
    else:
        tight = state.condition is BudgetCondition.ALERT
        end = Content.styled(words.fit(f"{left} left", figure + 5, right=True), f"bold {WARN}" if tight else MUTED)
    share = f" {_percent(state):3}%" if width >= ROOM_FOR_RESERVED else ""
    bar = words.budget_bar(state, width - 2 - len(share) - end.cell_length - 1)
    return [
        _sum(glyph, style, state, spent, width, figure, f" of {words.fit(str(state.limit), figure, right=True)}"),
        Content.assemble("  ", bar, (share, style), " ", end),
    ]


def _percent(state: BudgetState) -> int:
    """Rounded down, as in the header and in alerts: 100 is said when nothing is left."""
    if not state.limit:
        return 100
    return (state.spent + state.reserved).picodollars * 100 // state.limit.picodollars


def _uncapped(state: BudgetState, spent: str, width: int, figure: int) -> list[Content]:
    said = "no cap" if state.limit is None else "free only"
    end = words.fit(said, figure + 4, right=True)
    if state.reserved and width < ROOM_FOR_RESERVED:
        # There is no bar that would show it.
        under_way = f" + {state.reserved} ▒"
        taken = 3 + len(_scope_name(state.scope)) + max(figure, len(spent)) + len(under_way)
        end = f"{under_way} {said}" if taken + 1 + len(said) <= width else under_way
    return [_sum("·", MUTED, state, spent, width, figure, end)]


def _sum(
    glyph: str, style: str, state: BudgetState, spent: str, width: int, figure: int, end: str, end_style: str = ""
) -> Content:
    reserved = ""
    if width >= ROOM_FOR_RESERVED:
        # Its place is kept when there is none, so that what stands beside it stays where it is.
        reserved = words.fit(f"+ {state.reserved} ▒" if state.reserved else "", figure + 5, right=True)
    spent = words.fit(spent, figure, right=True)
    name = words.fit(_scope_name(state.scope), width - 3 - len(spent) - len(reserved) - len(end))
    return Content.assemble(
        (f"{glyph} ", style), name, " ", (spent, "bold"), (reserved, ACCENT), (end, end_style or MUTED)
    )


def _scope_name(scope: str) -> str:
    """'day provider:openai' → 'openai, day': where it is cut, what tells the caps apart stays."""
    span, _, whose = scope.partition(" ")
    kind, _, name = whose.partition(":")
    return f"{words.short_name(name) if kind == 'model' else name}, {span}" if whose else span


def draw_pace(overview: Overview, width: int) -> list[Content]:
    """How fast it goes and where that leads; nothing where there is too little to say it from."""
    said = []
    if overview.hourly is not None:
        said.append(f"{overview.hourly} an hour")
    if overview.by_midnight is not None:
        said.append(f"{overview.by_midnight} by midnight")
    if overview.month.expected is not None:
        said.append(f"{overview.month.expected} by {overview.month.length:.0f} {overview.month.first:%B}")
    return [Content.styled(line, MONEY) for line in words.wrap("≈ " + " · ".join(said), width, 2)] if said else []


def tabs(span: Span, width: int, title: str = "Spent") -> Content:
    """The heading of what is about a span of time; each span can be clicked."""
    parts = []
    for name in SPANS:
        part = Content.styled(f" {_SPANS[name]} ", "bold reverse" if name == span else MUTED)
        clicked = Style.from_meta({"@click": f"show_span('{name}')"})
        parts.append(part if name == span else part.stylize(clicked))
    tail = Content(" ").join(parts)
    rule = width - len(title) - tail.cell_length - 2
    if rule < 1:
        return tail
    return Content.assemble((title, words.STRONG), " ", ("─" * rule, words.RULE), " ", tail)


def draw_legend(trend: Trend, width: int) -> Content:
    parts: list[Content] = [Content.assemble(("█", BAR), (" spent", MUTED))]
    if trend.span == "week":
        parts.append(Content.assemble(("█", ACCENT), (" today", MUTED)))
    elif trend.expected is not None:
        parts.append(Content.assemble(("• •", WARN), (" at this rate", MUTED)))
    if trend.limit is not None:
        parts.append(Content.assemble(("──", BAD), (" a day's cap" if trend.span == "week" else " cap", MUTED)))
    return Content("  ").join(parts).truncate(width)


def draw_shares(overview: Overview, dimension: Dimension, width: int, shown: int = SHARES_SHOWN) -> list[Content]:
    groups = [group for group in overview.shares.get(dimension, ()) if group.attempts]
    rows = [words.heading(f"By {dimension}", width, _SPANS[overview.span])]
    return [*rows, *_shares(groups, dimension, width, shown)] if groups else []


def _shares(groups: Sequence[Totals], dimension: Dimension, width: int, shown: int) -> list[Content]:
    from tui_orchestrator.services.reporting import key_in_words

    if len(groups) > shown:
        groups = [*groups[: shown - 1], _together(groups[shown - 1 :])]
    whole = sum((group.cost for group in groups), ZERO).picodollars or 1
    figure = max(_figure(width), *(len(str(group)) for group in groups)) + 1
    count = max(4, *(len(f"{group.attempts}×") for group in groups)) + 1
    percent = width >= ROOM_FOR_PERCENT
    ends = figure + (5 if percent else 0) + count
    name = max(8, min(26, (width - ends) // 2))
    room = max(0, width - ends - name - 1)
    names = words.fit_models([words.short_name(key_in_words(dimension, group.key)) for group in groups], name)
    return [
        Content.assemble(
            words.fit(named, name),
            " ",
            (words.bar(group.cost.picodollars / whole, room), BAR),
            (f"{group.cost.picodollars / whole:5.0%}" if percent else "", MUTED),
            words.fit(str(group), figure, right=True),
            (words.fit(f"{group.attempts}×", count, right=True), MUTED),
        )
        for group, named in zip(groups, names, strict=True)
    ]


def _together(groups: Sequence[Totals]) -> Totals:
    from tui_orchestrator.storage.reports import Totals

    return Totals(
        f"{len(groups)} others",
        sum(group.attempts for group in groups),
        cost=sum((group.cost for group in groups), ZERO),
        estimated=sum((group.estimated for group in groups), ZERO),
        unknown=sum(group.unknown for group in groups),
    )


COVERED = "until your vote"
"""In place of who answered, as long as a blind ensemble waits for it."""


def draw_attempts(recent: Sequence[Attempt], speed: Content, width: int, blind: Collection[str] = ()) -> list[Content]:
    """The latest first. `speed` stands in the heading. Of the requests that are `blind` no model is named."""
    if not recent:
        return []
    rule = max(1, width - len("Last attempts") - 2 - speed.cell_length)
    heading = Content.assemble(("Last attempts", words.STRONG), " ", ("─" * rule, words.RULE), " ", speed)
    return [
        heading.truncate(width),
        *(_attempt(attempt, width, blind=attempt.request_id in blind) for attempt in recent),
    ]


def _attempt(attempt: Attempt, width: int, *, blind: bool) -> Content:
    glyph, style = ("◇", ACCENT) if attempt.from_cache else _OUTCOMES[attempt.outcome]
    note = "cache" if attempt.from_cache else words.spoken(attempt.error_kind or "")
    tokens = ""
    if width >= ROOM_FOR_TOKENS and (attempt.usage.input or attempt.usage.output):
        tokens = f"↑{words.tokens(attempt.usage.input):>5} ↓{words.tokens(attempt.usage.output):>5}"
    took = f"{words.took(attempt):>7}" if width >= ROOM_FOR_PERCENT else ""
    cost = f" {attempt.cost!s:>9}"
    room = width - 2 - len(tokens) - len(took) - len(cost) - 1
    note = f" {note}" if note else ""
    # Why it failed says more than the end of a long name.
    name = words.fit(COVERED if blind else words.short_name(attempt.model), max(6, room - len(note)))
    named = Content.assemble(name.rstrip() if note else name, (note, style))
    named = named.truncate(room, ellipsis=True, pad=True)
    return Content.assemble((f"{glyph} ", style), named, " ", (tokens, MUTED), (took, MUTED), cost)


def draw_notes(overview: Overview, width: int) -> list[Content]:
    """What was saved, by the cache and against the baseline."""
    notes = []
    if overview.savings is not None and overview.savings.attempts and overview.baseline:
        saved, baseline = overview.savings.saved, words.short_name(overview.baseline)
        if saved >= ZERO:
            notes.append(f"≈ {saved} saved this month against always asking {baseline} (an estimate)")
        else:
            notes.append(f"≈ {-saved} more this month than always asking {baseline} (an estimate)")
    if hits := overview.today.cache_hits:
        nearly = "~" if overview.saved_nearly else ""
        notes.append(f"◇ {hits} answered from the cache today, {nearly}{overview.today.saved_by_cache} saved")
    return [Content.styled(line, GOOD) for note in notes for line in words.wrap(note, width, indent=2)]


def next_of_dimensions(dimension: Dimension) -> Dimension:
    return DIMENSIONS[(DIMENSIONS.index(dimension) + 1) % len(DIMENSIONS)]
