"""What is said under an answer when its turn is over, kept with it: the same when its session is opened again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..routing.errors import ErrorKind
from ..routing.events import Completed, Failed, FinishReason
from ..routing.telling import wants_tools
from ..routing.text import clean

if TYPE_CHECKING:
    from ..storage.messages import Weight

ANOTHER = "another answer was chosen"
"""Why an answer was discarded, where nothing else is known of it."""
FIRST = "another answer was finished first"
"""Why it is kept beside that one until the turn has ended."""
NO_VERDICT = "The program was killed before a verdict: this answer was finished first. /again asks them all once more."
"""Under an ensemble's answer, until there is a verdict."""


@dataclass(frozen=True, slots=True)
class Closing:
    note: str = ""
    """Empty where there is nothing to say."""
    weight: Weight = "information"


def closing(end: Completed | Failed, *, onto: bool, keeps: bool) -> Closing:
    """`onto`: it was to continue an answer; `keeps`: what had come of one that did not come to its end is the
    conversation's."""
    if isinstance(end, Completed):
        if onto and not end.response.strip():
            return Closing("Nothing more came.", "warning")
        # The line under the answer says that it was cut off.
        short = any(one.number == end.attempt and one.finish_reason is FinishReason.LENGTH for one in end.attempts)
        note = "" if short and end.note in end.confidence.reasons else end.note
        wanted = wants_tools(end)
        return Closing(clean("; ".join(filter(None, [note, wanted and f"{wanted}; none was offered"]))))
    spent = f" Spent: {end.cost}." if end.attempts else ""
    kept = ""
    if end.partial.strip() and keeps:
        kept = " What had arrived is kept; /continue goes on where it stopped."
    cancelled = end.error.kind is ErrorKind.CANCELLED
    # Of what broke off that is all there is to advise.
    advised = kept.strip() if kept and end.error.kind is ErrorKind.STREAM_BROKEN else f"{end.error.hint}{kept}"
    what = f"Cancelled.{kept}" if cancelled else f"{end.error.message}\n{advised}"
    return Closing(clean(f"{what}{spent}"), "warning" if cancelled else "error")
