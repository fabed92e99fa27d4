"""How figures, names and states are said on screen: one way each, so that panes agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from os.path import commonprefix
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells, set_cell_size
from textual.content import Content

from tui_orchestrator.routing.added import added
from tui_orchestrator.routing.budget import BudgetCondition, BudgetState
from tui_orchestrator.routing.events import CHECKS
from tui_orchestrator.routing.profile import Ability
from tui_orchestrator.routing.request import Check, Method, Strategy
from tui_orchestrator.routing.telling import check_name, took_s
from tui_orchestrator.routing.text import spoken as spoken

if TYPE_CHECKING:
    from datetime import datetime

    from tui_orchestrator.routing.decision import Candidate
    from tui_orchestrator.routing.events import Attempt
    from tui_orchestrator.routing.money import Money, Price
    from tui_orchestrator.routing.ports import Clock

MUTED = "$muted"
GOOD = "$success"
WARN = "$warning"
BAD = "$error"
ACCENT = "$accent"
STRONG = "bold $primary"
BAR = "$secondary"
MONEY = "$money"
RULE = "$rule"

_LEAST_OF_PROVIDER = 5
"""Cells of a provider's name, where it has to be cut."""
_BRIEF_LETTERS = 800
_BRIEF_LINES = 12
_BETWEEN_WORDS = "/-_:. "
_TRIES = 4
"""At telling names apart, of which some may look the same in few cells whatever is cut."""
_PICKS = {
    Strategy.CHEAPEST: "the lowest expected cost among models likely to be good enough",
    Strategy.BALANCED: "the best mix of quality, cost and speed, by your weights",
    Strategy.QUALITY: "the likeliest good answer; ties go to the cheaper model",
    Strategy.PERFORMANCE: "the fastest among models likely to be good enough",
    Strategy.PREFERENCE: "what you have preferred for this kind of task",
    Strategy.LOCAL_FIRST: "a model on your machine for easy prompts, else the cloud",
    Strategy.FALLBACK: "walks a chain from the cheapest until an answer is trusted",
    Strategy.ENSEMBLE: "several diverse models at once, then a verdict",
}


def picks(strategy: Strategy) -> str:
    """What it picks; of a plugin's, in its own words."""
    if strategy in _PICKS:
        return _PICKS[strategy]
    one = added(strategy)
    return f"{one.picks} · {one.source}" if one is not None else "of a plugin that is not there"


CHECKED = {
    Check.AUTO: "answers near the threshold get a second opinion where it is worth its cost",
    Check.OFF: "answers go by their own confidence alone",
    Check.SECOND_ANSWER: "another cheap model answers too, and both are compared",
    Check.JUDGE: "a cheap model judges every answer",
}
VERDICTS = {
    Method.WEIGHTED: "by confidence, capability, completeness and consensus",
    Method.JUDGE: "a model names the best and says why",
    Method.FUSE: "a model writes one answer from all",
    Method.VOTE: "you pick the best before you see whose it is",
}
CHECK_NAMES = tuple(check_name(how) for how in CHECKS)

ABILITY_LETTERS = {
    Ability.VISION: "V",
    Ability.TOOLS: "T",
    Ability.STRUCTURED_OUTPUT: "S",
    Ability.LONG_CONTEXT: "L",
    Ability.THINKING: "R",
}
"""R is for reasoning: T was taken by tools."""

HEALTH = {
    "available": ("●", GOOD, "available"),
    "degraded": ("◐", WARN, "degraded"),
    "cooling_down": ("◔", WARN, "cooling down"),
    "unauthorised": ("✗", BAD, "unauthorised"),
    "unreachable": ("✗", BAD, "unreachable"),
    "disabled": ("○", MUTED, "disabled"),
}
"""State → glyph, style, word. The glyphs differ in shape, for those who do not see the colours."""


def tokens(count: int) -> str:
    if count < 1_000:
        return str(count)
    if count < 10_000:
        return f"{count / 1_000:.1f}k"
    if count < 1_000_000:
        return f"{count / 1_000:.0f}k"
    return f"{count / 1_000_000:.1f}".removesuffix(".0") + "M"


def seconds(value: float) -> str:
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    return f"{int(value) // 60} min {int(value) % 60:02d} s"


def took(attempt: Attempt) -> str:
    """'' where the program was killed meanwhile, so that nobody knows it."""
    known = took_s(attempt)
    return "" if known is None else seconds(known)


def money(amount: Money | None) -> str:
    return "$?" if amount is None else str(amount)


def cost_range(low: Money | None, high: Money | None) -> str:
    """'$0.0004–0.0031'; unknown stays '$?', free says so."""
    if low is None or high is None:
        return "$?"
    if not high:
        return "free"
    if low == high:
        return str(low)
    return f"{low}–{str(high).removeprefix('$')}"


def expected(candidate: Candidate) -> str:
    """What an answer would cost; a model that cannot cost anything is 'free'."""
    if candidate.cost_ceiling is not None and not candidate.cost_ceiling:
        return "free"
    return money(candidate.estimated_cost)


def rate(microdollars: int) -> str:
    """A price per million tokens."""
    dollars = Decimal(microdollars).scaleb(-6)
    if dollars == 0:
        return "0"
    return f"{dollars:.2f}" if dollars >= Decimal("0.1") else f"{dollars.normalize():f}"


def price_pair(price: Price | None) -> str:
    """Input and output dollars per million tokens: '3.00/15.00', 'free', or '?'."""
    if price is None:
        return "?"
    if price.free:
        return "free"
    return f"{rate(price.rates.input)}/{rate(price.rates.output)}"


def short_name(model_id: str) -> str:
    """Without the provider; the name itself may hold slashes."""
    return model_id.partition("/")[2] or model_id


def fit_model(model_id: str, width: int) -> str:
    """Exactly `width` cells. Where it has to be cut, in the middle of the name first: the provider and the end of the
    name are what tells it from others."""
    provider, slash, name = model_id.partition("/")
    if cell_len(model_id) <= width or not slash:
        return _fit_middle(model_id, width)
    room = max(_LEAST_OF_PROVIDER, width // 3, width - cell_len(name) - 1)
    provider = _fit_middle(provider, min(cell_len(provider), room))
    return fit(f"{provider}/{_fit_middle(name, max(1, width - cell_len(provider) - 1))}", width)


def _fit_middle(text: str, width: int) -> str:
    if width < _LEAST_OF_PROVIDER or cell_len(text) <= width:
        return fit(text, width)
    end = (width - 1) // 2
    return f"{set_cell_size(text, width - 1 - end)}…{set_cell_size(text[::-1], end)[::-1]}"


def fit_models(names: Sequence[str], width: int) -> list[str]:
    """At most `width` cells each, as `fit_model` cuts them. Those that would look the same begin where they differ, if
    there is room to tell."""
    shown = {name: fit_model(name, width) if cell_len(name) > width else name for name in names}
    alike = list(shown)
    for _ in range(_TRIES):
        groups = _alike(alike, shown)
        for group in groups:
            same = commonprefix(group)  # noqa: RUF071  # it is the characters that count
            # From the beginning of the word, where that is not far.
            word = 1 + max(map(same.rfind, _BETWEEN_WORDS))
            start = word if cell_len(same[word:]) < width // 3 else len(same)
            shown |= {name: fit(f"…{_fit_middle(name[start:], width - 1)}", width).rstrip() for name in group}
        alike = [name for group in groups for name in group]
    return [shown[name] for name in names]


def _alike(names: Iterable[str], shown: Mapping[str, str]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(shown[name], []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def folded(model_id: str, why: str) -> str:
    """The line over a stored text that is not the turn's answer: what checked it is named by what it found."""
    if why.startswith((*CHECK_NAMES, "part ")):
        return f"{why} ({short_name(model_id)})"
    return f"discarded text of {short_name(model_id)}: {why}"


def tags(names: Iterable[str]) -> str:
    """'#client a  #home': two spaces between, since a tag may hold one."""
    return "  ".join(f"#{name}" for name in sorted(names))


def quoted(title: str, width: int = 40) -> str:
    """A title inside a sentence."""
    return f"'{fit(title, min(width, cell_len(title))) or 'untitled'}'"


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Exactly `width` cells: padded, or cut with an ellipsis. Wide characters count as two."""
    if width <= 0:
        return ""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + "…"
    padding = " " * (width - length)
    return padding + text if right else text + padding


def brief(text: str, *, letters: int = _BRIEF_LETTERS, lines: int = _BRIEF_LINES) -> str:
    """As much of it as a notice shows, whatever came: its first lines, and an ellipsis where it went on."""
    whole = text[: letters + 1].split("\n", lines)
    short = "\n".join(whole[:lines])[:letters]
    return short if short == text else f"{short.rstrip()}…"


def fit_each(texts: Iterable[str], width: int) -> list[str]:
    """At most `width` cells each."""
    return [fit(text, width) if cell_len(text) > width else text for text in texts]


def wrap(text: str, width: int, indent: int = 0) -> list[str]:
    """Lines of at most `width` cells, broken at spaces where there are any; each but the first indented."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        room = max(2, width - (indent if lines else 0))
        if line and cell_len(line) + 1 + cell_len(word) <= room:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line)
            room = max(2, width - indent)
        parts = chop_cells(word, room) if cell_len(word) <= room else chop_cells(word, max(2, width - indent))
        *full, line = parts or [word]  # a word that no cell is drawn for has no parts
        lines += full
    if line:
        lines.append(line)
    return [line if index == 0 else " " * indent + line for index, line in enumerate(lines)] or [""]


def evenly(lengths: Sequence[int], width: int) -> list[int]:
    """How many pieces of those cells stand in each row: in as few rows as there can be, of much the same length."""

    def rows(width: int) -> list[int]:
        counts, used = [0], 0
        for length in lengths:
            if counts[-1] and used + length > width:
                counts, used = [*counts, 0], 0
            counts[-1] += 1
            used += length
        return counts

    found = rows(width)
    while width > 1 and len(narrower := rows(width - 1)) == len(found):
        found, width = narrower, width - 1
    return found


_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """A bar of `width` cells to an eighth of a cell; anything above nothing shows at least a sliver."""
    if width <= 0:
        return ""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    if share > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


CONDITIONS = {
    BudgetCondition.OK: ("✓", GOOD),
    BudgetCondition.ALERT: ("!", WARN),
    BudgetCondition.EXHAUSTED: ("✗", BAD),
}


def budget_bar(state: BudgetState, width: int) -> Content:
    """Spent solid, reserved hatched, the rest dotted. Without a limit there is no bar to draw."""
    limit = state.limit
    if limit is None:
        return Content("")
    whole = max(1, limit.picodollars)

    def cells(amount: Money) -> int:
        return min(width, -(-amount.picodollars * width // whole))

    spent = cells(state.spent) if limit else width
    reserved = min(width - spent, cells(state.reserved))
    _, style = CONDITIONS[state.condition]
    return Content.assemble(("█" * spent, style), ("▒" * reserved, ACCENT), ("·" * (width - spent - reserved), MUTED))


def lines(rows: Iterable[Content | str]) -> Content:
    return Content("\n").join(row if isinstance(row, Content) else Content(row) for row in rows)


def heading(text: str, width: int, note: str = "") -> Content:
    """A section's title with a rule to the pane's edge, and a note at its right end where it fits."""
    tail = f" {note}" if note and cell_len(text) + cell_len(note) + 3 <= width else ""
    rule = max(1, width - cell_len(text) - 1 - cell_len(tail))
    return Content.assemble((text, STRONG), " ", ("─" * rule, RULE), (tail, MUTED))


def ago(seconds_past: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds_past >= length:
            return f"{int(seconds_past // length)} {unit} ago"
    return "just now"


def moment(at: datetime, clock: Clock) -> str:
    """'14:05' of today, '20 Nov 14:05', '20 Nov 2025'."""
    local, today = clock.local(at), clock.today()
    if local.date() == today:
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b %H:%M}" if local.year == today.year else f"{local.day} {local:%b %Y}"
