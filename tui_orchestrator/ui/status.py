"""The line under an answer: who gave it, how, and what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tui_orchestrator.routing.events import Attempt, Confidence, FinishReason, Outcome
from tui_orchestrator.routing.money import Cost, Usage
from tui_orchestrator.routing.telling import KILLED, recalled_in_words, saved_in_words

from . import words
from .look import Caption, Mark

SEPARATOR: Mark = (" · ", "muted")


class Keys(NamedTuple):
    """As they are now: what asks the last prompt again, and what continues an answer that was cut off."""

    again: str
    go_on: str


SPOKEN = Keys("/again", "/continue")
"""What does the same under any keys."""

_ASKS = " asks again"
PARTS_TOLD = 3
"""Of an answer in more parts than this only the sum of their costs is shown."""


def status_line(
    model: str,
    strategy: str,
    usage: Usage,
    cost: Cost,
    confidence: Confidence | None,
    took: str,
    tokens_per_s: float | None,
) -> list[Mark]:
    """Under each answer: model · provider · strategy · ↑in ↓out · seconds · tok/s · $ · confidence. Under one from the
    cache comes `recalled_line` instead."""
    approximate = "~" if usage.source == "estimated" else ""
    figures = f"↑{approximate}{words.tokens(usage.input)} ↓{approximate}{words.tokens(usage.output)}"
    parts: list[Mark] = [
        (words.short_name(model), "strong"),
        (model.partition("/")[0], "muted"),
        (words.spoken(strategy), "muted"),
        (figures, "muted"),
    ]
    if took:
        parts.append((took, "muted"))
    if tokens_per_s:
        parts.append((f"{tokens_per_s:.0f} tok/s", "muted"))
    parts.append((str(cost), "money"))
    return joined([*parts, *_trust(confidence)])


def of_turn(status: list[Mark], attempts: Sequence[Attempt]) -> list[Mark]:
    """With what the whole turn cost, where it took more than one attempt."""
    if len(attempts) < 2:
        return status
    return [*status, SEPARATOR, (f"{Cost.sum(one.cost for one in attempts)} the turn", "money")]


def recalled_line(attempt: Attempt, confidence: Confidence | None, at: datetime, keys: Keys) -> list[Mark]:
    """Under an answer from the cache: whose question it answered and when, what that saved, and what asks for real.
    What a call takes is left out, since none was made."""
    assert attempt.recalled is not None
    age = words.ago(max(0.0, (at - attempt.recalled.stored).total_seconds()))
    nearly = attempt.recalled.similarity is not None
    parts: list[Mark] = [
        (recalled_in_words(attempt.recalled) if nearly else f"◇ {recalled_in_words(attempt.recalled)}", "accent"),
        (age, "muted"),
        (f"{keys.again} asks for real", "accent"),
        (words.short_name(attempt.model), "strong"),
        (", ".join(filter(None, (str(attempt.cost), saved_in_words(attempt)))), "money"),
    ]
    return joined([*parts, *_trust(confidence)])


def _trust(confidence: Confidence | None) -> list[Mark]:
    if confidence is None:
        return []
    return [(f"confidence {confidence.value:.2f}", "success" if confidence.value >= 0.6 else "warning")]


def joined(parts: Sequence[Mark]) -> list[Mark]:
    marks: list[Mark] = []
    for part in parts:
        marks += [SEPARATOR, part] if marks else [part]
    return marks


def stored_status(attempt: Attempt, keys: Keys) -> list[Mark]:
    confidence = None if attempt.confidence is None else Confidence(attempt.confidence)
    if attempt.recalled is not None:
        return recalled_line(attempt, confidence, attempt.started, keys)
    line = status_line(
        attempt.model,
        attempt.strategy,
        attempt.usage,
        attempt.cost,
        confidence,
        words.took(attempt),
        attempt.tokens_per_s,
    )
    return [*unfinished(attempt, keys), *line]


def elsewhere_status(made: Mapping[str, Any]) -> list[Mark]:
    """Of an imported answer: as its file tells of it, `attempt_json`, and that it was not paid for here."""
    from tui_orchestrator.storage.archive import cost_elsewhere

    usage, took = made.get("usage"), made.get("latency_s")
    marks: list[Mark] = [(words.short_name(str(made.get("model") or "")), "strong"), SEPARATOR]
    if isinstance(usage, dict):
        asked, told = (words.tokens(usage.get(of) or 0) for of in ("input_tokens", "output_tokens"))
        marks += [(f"↑{asked} ↓{told}", "muted"), SEPARATOR]
    if isinstance(took, int | float):
        marks += [(words.seconds(took), "muted"), SEPARATOR]
    return [*marks, (str(cost_elsewhere(made)), "money"), (" spent elsewhere", "muted")]


def unfinished(attempt: Attempt, keys: Keys) -> list[Mark]:
    """Before the line under an answer that ended before its end, with what continues it; empty for a whole one."""
    if attempt.finish_reason is FinishReason.LENGTH:
        what = "cut off"
    elif attempt.outcome is Outcome.FINISHED:
        return []
    else:
        what = "interrupted" if attempt.error_message == KILLED else attempt.outcome.value
    return [(f"■ {what}", "warning"), SEPARATOR, (f"{keys.go_on} goes on", "accent"), SEPARATOR]


def interrupted_status(attempts: Sequence[Attempt], again: str) -> list[Mark]:
    """Under a prompt of whose answer nothing had come when the program was killed; without attempts where no model had
    been asked. `again`: what asks once more; empty where nothing does."""
    parts: list[Mark] = [("■ interrupted", "warning")]
    if attempts:
        cost = str(Cost.sum(one.cost for one in attempts))
        parts += [(words.short_name(attempts[-1].model), "strong"), (cost, "money")]
    else:
        parts.append(("no answer came", "muted"))
    return joined([*parts, (f"{again}{_ASKS}", "accent")] if again else parts)


def asked_again(status: Caption) -> Caption:
    """The same once that was done."""
    return status[:-2] if status and status[-1][0].endswith(_ASKS) else status


def continued_status(parts: Sequence[Attempt], keys: Keys) -> list[Mark]:
    """Under an answer that was continued: of all its parts together, with what each of them cost."""
    last = parts[-1]
    usage = sum((part.usage for part in parts), Usage())
    costs = " + ".join(str(part.cost) for part in parts) if len(parts) <= PARTS_TOLD else ""
    total = str(Cost.sum(part.cost for part in parts))
    about = "~" if usage.source == "estimated" else ""
    seconds = sum(part.latency_s for part in parts if words.took(part))
    told: list[Mark] = [
        (" → ".join(dict.fromkeys(words.short_name(part.model) for part in parts)), "strong"),
        (", ".join(dict.fromkeys(part.model.partition("/")[0] for part in parts)), "muted"),
        (f"in {len(parts)} parts", "accent"),
        (f"↑{about}{words.tokens(usage.input)} ↓{about}{words.tokens(usage.output)}", "muted"),
        *([(words.seconds(seconds), "muted")] if seconds else []),
        (f"{costs} = {total}" if costs else total, "money"),
    ]
    return unfinished(last, keys) + joined(
        [*told, *_trust(None if last.confidence is None else Confidence(last.confidence))]
    )
