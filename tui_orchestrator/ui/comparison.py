"""What would come out otherwise, drawn: how many picks, whose, and the money of both sides."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from tui_orchestrator.services.whatif import NOTE, Comparison, Remade, about, difference_in_words, named

from . import words
from .words import ACCENT, BAR, GOOD, MONEY, MUTED, STRONG, WARN

CHANGES_SHOWN = 100


def draw_comparison(found: Comparison, width: int) -> list[Content]:
    """How many picks change, the money of both sides, who goes where, and each turn that does."""
    if not found.turns:
        return sentence("No decision is kept there: ask something first, or take all sessions.", width, MUTED)
    if not found.change:
        count = len(found.turns)
        same = f"{count:,} decision{'' if count == 1 else 's'}, as {'it was' if count == 1 else 'they were'}."
        said = (
            "Suppose another strategy, threshold or price above, to see which picks would change and what that saves."
        )
        return [Content.styled(same, STRONG), *sentence(said, width, MUTED)]
    rows = [*_money(found, width), Content("")]
    if found.moves:
        rows += [words.heading("Who goes where", width), *_moves(found, width), Content("")]
        rows += [words.heading("Turns that change", width, f"{len(found.changed):,}")]
        for one in found.changed[:CHANGES_SHOWN]:
            rows += _turn(one, width)
        if len(found.changed) > CHANGES_SHOWN:
            rows.append(Content.styled(f"… and {len(found.changed) - CHANGES_SHOWN:,} more", MUTED))
        rows.append(Content(""))
    basis = found.basis()
    return [*rows, *sentence(f"{basis[:1].upper()}{basis[1:]}. {NOTE}", width, MUTED)]


def _money(found: Comparison, width: int) -> list[Content]:
    count, changed = len(found.turns), len(found.changed)
    rows = [Content.styled(f"{changed:,} of {count:,} picks would change", STRONG)]
    if found.left_out == count:
        return [*rows, Content.styled("What it would cost is not known: a price is missing.", WARN)]
    before, after = found.before, found.after
    most = max(before.picodollars, after.picodollars, 1)
    room = min(40, width - 24)
    for label, amount in (("was", before), ("would be", after)):
        bar = words.bar(amount.picodollars / most, room)
        rows.append(Content.assemble((words.fit(label, 10), MUTED), (words.fit(about(amount), 13), MONEY), (bar, BAR)))
    style = GOOD if after < before else WARN if after > before else MUTED
    sign = "▼ " if after < before else "▲ " if after > before else "= "
    rows.append(Content.assemble(" " * 10, (sign + difference_in_words(before, after), f"bold {style}")))
    return rows


def _moves(found: Comparison, width: int) -> list[Content]:
    moves = [(_short(one), _short(other), count) for one, other, count in found.moves[:20]]
    room = min(max(cell_len(one) for one, _, _ in moves), max(8, (width - 10) // 2))
    return [
        Content.assemble(
            (words.fit(f"{count:,}×", 6, right=True) + " ", MUTED),
            words.fit(one, room),
            (" → ", ACCENT),
            words.fit(other, width - 10 - room).rstrip(),
        )
        for one, other, count in moves
    ]


def _turn(one: Remade, width: int) -> list[Content]:
    before, after = named(one.turn.decision), named(one.after)
    prompt = one.turn.prompt or f"{words.spoken(one.turn.decision.task_type)}; the prompt is not kept"
    cost = f"{about(one.before_cost)} → {about(one.after_cost)}"
    prompt_room = width - len(cost) - 2
    head = Content.assemble(words.fit(" ".join(prompt.split()), prompt_room), "  ", (cost, MONEY))
    move = words.fit(f"  {_short(before)} → {_short(after)}", width).rstrip()
    return [head, Content.styled(move, MUTED)]


def _short(picks: str) -> str:
    return " + ".join(words.short_name(name) for name in picks.split(" + "))


def sentence(text: str, width: int, style: str) -> list[Content]:
    return [Content.styled(line, style) for line in words.wrap(text, width)]
