"""Whether an answer is the expected one."""

from __future__ import annotations

from .corroboration import tally
from .final_answer import Kind, plain

_SHORT = 200
"""Characters of an expected answer that may stand somewhere in a longer one."""
_PARAGRAPHS = 20


def as_expected(prompt: str, answer: str, expected: str) -> bool | None:
    """By what both come to: the option picked, the number, the yes or no, the fact of a short statement; wording and
    working are left out. None where that is not to be told, as of an essay: ask a judge."""
    own, wanted = plain(answer), plain(expected)
    if not wanted:
        return None
    if own == wanted:
        return True
    found = tally(prompt, answer, [expected])
    if found is not None:
        # A fact may be stated behind a paragraph of politeness.
        return bool(found.same) or (found.own.kind is Kind.TEXT and _stated(prompt, answer, expected))
    if len(wanted) > _SHORT:
        return None
    return True if f" {wanted} " in f" {own} " else False if own else None


def _stated(prompt: str, answer: str, expected: str) -> bool:
    parts = [part for part in answer.split("\n\n")[:_PARAGRAPHS] if part.strip()]
    found = (tally(prompt, part, [expected]) for part in parts)
    return len(parts) > 1 and any(one is not None and bool(one.same) for one in found)
