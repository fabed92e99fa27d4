"""A batch drawn: what it will come to, how far it is, what came of it, which lines failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from textual.content import Content

from tui_orchestrator.batch import Phase, Underway
from tui_orchestrator.library.estimating import in_words, passes
from tui_orchestrator.routing.text import span

from . import words
from .words import ACCENT, BAD, BAR, GOOD, MONEY, MUTED, STRONG, WARN

MOST_FAILURES = 200
"""That are listed, the latest first."""
_STATES = {
    Phase.WEIGHED: ("○", MUTED, "not begun"),
    Phase.RUNNING: ("◐", ACCENT, "running"),
    Phase.STOPPING: ("◔", WARN, "stopping"),
    Phase.STOPPED: ("■", WARN, "stopped"),
    Phase.DONE: ("✓", GOOD, "done"),
}
"""The glyphs tell them apart without their colours."""
KEYS = {
    Phase.WEIGHED: "{batch.begin} begins it, after asking · {batch.new} another file · Esc closes",
    Phase.RUNNING: "{batch.stop} stops it · {batch.new} another file · Esc closes, it goes on",
    Phase.STOPPING: "{batch.stop} cancels those under way · {batch.new} another file · Esc closes",
    Phase.STOPPED: "{batch.stop} goes on · {batch.new} another file · Esc closes",
    Phase.DONE: "{batch.new} another file · Esc closes",
}
"""As `keyed` takes them; what else there is depends on failures and caps."""


def keys(batch: Underway, count: int = 1) -> str:
    """`count`: how many there are."""
    told = KEYS[batch.phase]
    if batch.failures and not batch.runs:
        told = "{batch.retry} asks the failed again · " + told
    return "{batch.other} next · " + told if count > 1 else told


def draw_list(batches: Sequence[Underway], shown: Underway, width: int) -> Content:
    """A line for each where there are several, then an empty one."""
    if len(batches) < 2:
        return Content("")
    rows = []
    for batch in batches:
        glyph, tone, state = _STATES[batch.phase]
        there, lines = batch.progress.before + batch.progress.ended, batch.progress.lines
        told = f"{there:,} of {lines:,} · {state}"
        mark, style = ("▸ ", ACCENT) if batch is shown else ("  ", MUTED)
        name = words.fit(batch.wanted.file.name, max(4, width - len(told) - 6))
        rows.append(
            Content.assemble((mark, style), (f"{glyph} ", tone), (name, "bold" * (batch is shown)), f"  {told}")
        )
    return words.lines([*rows, Content("")])


def draw_batch(batch: Underway, width: int) -> Content:
    """As many lines as it takes, none wider."""
    glyph, tone, state = _STATES[batch.phase]
    name = words.fit(batch.wanted.file.name, min(width - 16, len(batch.wanted.file.name)))
    rows = [words.heading(name, width, f"{glyph} {state}")]
    rows[0] = rows[0].stylize(tone, max(0, len(rows[0].plain) - len(state) - 2)) if state in rows[0].plain else rows[0]
    rows += [_line(f"answers go to {batch.wanted.output}", width, MUTED), Content("")]
    rows += _weighed(batch, width) if batch.phase is Phase.WEIGHED else _course(batch, width)
    if batch.problem:
        rows += _wrapped(f"✗ {batch.problem}", width, BAD)
    return words.lines(rows)


def _line(text: str, width: int, style: str = "") -> Content:
    return Content.styled(words.fit(text, width).rstrip(), style)


def _wrapped(text: str, width: int, style: str = "") -> list[Content]:
    return [Content.styled(line, style) for line in words.wrap(text, width, 2)]


def _weighed(batch: Underway, width: int) -> Iterator[Content]:
    progress, estimate = batch.progress, batch.estimate
    if batch.left_over:
        told = "It was under way when the console ended. It goes on where it was: what is there is not asked again."
        yield from _wrapped(told, width, WARN)
    if batch.retries:
        yield from _wrapped(f"The {len(batch.failures):,} that failed are asked again.", width)
    elif progress.before:
        failed = f", {len(batch.failures):,} of them failed" if batch.failures else ""
        yield from _wrapped(f"{progress.before:,} of {progress.lines:,} lines are there already{failed}.", width)
    if estimate is None:
        return
    first, *others = in_words(estimate)
    yield from _wrapped(first, width, "bold")
    for other in others:
        yield from _wrapped(other.strip(), width, MUTED)
    if batch.cap is not None:
        yield from _wrapped(f"! {passes(estimate.cost, batch.cap)}", width, WARN)


def _course(batch: Underway, width: int) -> Iterator[Content]:
    progress = batch.progress
    there = progress.before + progress.ended
    share = there / progress.lines if progress.lines else 1.0
    told = f" {there:,} of {progress.lines:,}"
    cells = max(4, min(60, width - len(told)))
    drawn = words.bar(share, cells).rstrip()
    yield Content.assemble((drawn, BAR), ("·" * (cells - len(drawn)), MUTED), (told, STRONG))
    parts = [
        Content.assemble(("✓ ", GOOD), f"{progress.answered:,} answered"),
        Content.assemble(("✗ ", BAD), f"{progress.failed:,} failed"),
        Content(f"{progress.per_minute:,.0f}/min"),
    ]
    yield _joined(parts, width)
    left, expected = progress.seconds_left, progress.expected
    if batch.runs:
        money = Content.assemble((str(batch.cost), MONEY), " so far")
        if expected is not None:
            money += Content.assemble(", about ", (str(expected), MONEY), " in this run")
        yield _joined([money, Content(f"about {span(left)} left" if left is not None else "time not known yet")], width)
        if progress.held is not None:
            yield from _wrapped(f"◔ {progress.held.told}", width, WARN)
    else:
        tokens = f"{words.tokens(progress.input_tokens)} in, {words.tokens(progress.output_tokens)} out"
        yield _joined([Content.styled(str(batch.cost), MONEY), Content(span(progress.seconds)), Content(tokens)], width)
    models = [f"{words.short_name(model)} {count:,}" for model, count in progress.models.most_common(6)]
    if models:
        yield from _wrapped(" · ".join(models), width, MUTED)
    if progress.errors:
        kinds = (f"{words.spoken(kind)} {count:,}" for kind, count in progress.errors.most_common())
        yield from _wrapped(" · ".join(kinds), width, BAD)
    yield from _stopped(batch, width)


def _stopped(batch: Underway, width: int) -> Iterator[Content]:
    if batch.progress.stopped:
        yield from _wrapped(f"✗ {batch.progress.stopped.told}", width, BAD)
    if batch.phase is Phase.STOPPING:
        yield from _wrapped("Those under way end, no other is begun; s once more cancels them.", width, WARN)
    elif batch.phase is Phase.STOPPED:
        once = f" once {batch.progress.stopped.first}" if batch.progress.stopped else ""
        yield from _wrapped(f"{batch.left:,} lines are left; s goes on with them{once}, now or another day.", width)


def _joined(parts: list[Content], width: int) -> Content:
    line = Content.styled(" · ", MUTED).join(parts)
    return line if line.cell_length <= width else words.lines(parts)


def draw_failures(batch: Underway, width: int) -> Content:
    """'' where there are none."""
    failures = batch.failures
    if not failures:
        return Content("")
    more = f", the latest {MOST_FAILURES}" if len(failures) > MOST_FAILURES else ""
    rows = [words.heading("Failed", width, f"{len(failures):,}{more}")]
    for id_, said in islice(reversed(failures.items()), MOST_FAILURES):
        first, *others = words.wrap(said, max(10, width - 4), 0)
        rows.append(Content.assemble(("✗ ", BAD), (words.fit(id_, min(width - 2, max(1, len(id_)))), "bold")))
        rows += [Content.styled(f"  {line}", MUTED) for line in (first, *others)]
    return words.lines(rows)
