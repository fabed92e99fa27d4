"""What a user names: by its id, by a beginning of one that fits no other, or as the latest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tui_orchestrator.routing.text import clean_line

Row = TypeVar("Row")
LATEST = "latest"
"""No id begins so: it holds a letter that looks like a digit."""


def the_one(
    named: str,
    those: Callable[[str], Sequence[tuple[str, Row]]],
    latest: Callable[[], Sequence[tuple[str, Row]]],
    *,
    what: str,
    nothing: str,
    unknown: str,
) -> Row:
    """`those` that begin so, and the `latest` where there is one, each behind its id; `what` they are, in the plural;
    `nothing` is said where there is no latest; `unknown`, with '{}' for what was named, where none begins so. Raises
    LookupError with a sentence for none and for several."""
    wanted = clean_line(named, 40).lower()
    if wanted == LATEST:
        if not (found := latest()):
            raise LookupError(nothing)
        return found[0][1]
    found = those(wanted) if wanted else ()
    exact = [one for one in found if one[0] == wanted]
    if not exact and len(found) > 1:
        raise LookupError(f"{wanted!r} begins several {what}: {', '.join(id_ for id_, _ in found)}")
    if not found:
        raise LookupError(unknown.format(repr(wanted)))
    return (exact or found)[0][1]


def after_all(beginning: str) -> str:
    """Comes after every id that begins so: an end, so that what is not there is not looked for in all that follow."""
    return beginning + chr(0x10FFFF)
