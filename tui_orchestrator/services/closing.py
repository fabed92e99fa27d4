"""What is said under an answer when its turn is over, kept with it: the same when its session is opened again."""

from __future__ import annotations

from typing import Literal

from ..routing.errors import ErrorKind
from ..routing.events import Completed, Failed, FinishReason
from ..routing.telling import wants_tools
from ..routing.text import clean

ANOTHER = "another answer was chosen"
"""Why an answer was discarded, where nothing else is known of it."""
_CANCELLED = "Cancelled."
_NOTHING_MORE = "Nothing more came."


def closing(end: Completed | Failed, *, onto: bool, keeps: bool) -> str:
    """Empty where there is nothing to say. `onto`: it was to continue an answer; `keeps`: what had come of one that did
    not come to its end is the conversation's."""
    if isinstance(end, Completed):
        if onto and not end.response.strip():
            return _NOTHING_MORE
        # The line under the answer says that it was cut off.
        short = any(one.number == end.attempt and one.finish_reason is FinishReason.LENGTH for one in end.attempts)
        note = "" if short and end.note in end.confidence.reasons else end.note
        wanted = wants_tools(end)
        return clean("; ".join(filter(None, [note, wanted and f"{wanted}; none was offered"])))
    spent = f" Spent: {end.cost}." if end.attempts else ""
    kept = ""
    if end.partial.strip() and keeps:
        kept = " What had arrived is kept; /continue goes on where it stopped."
    what = _CANCELLED if end.error.kind is ErrorKind.CANCELLED else f"{end.error.message}\n{end.error.hint}"
    return clean(f"{what}{kept}{spent}")


def weight(note: str, *, whole: bool) -> Literal["information", "warning", "error"]:
    """How much it matters; `whole`: it was said of an answer that came to its end."""
    if note.startswith((_CANCELLED, _NOTHING_MORE)):
        return "warning"
    return "information" if whole else "error"
