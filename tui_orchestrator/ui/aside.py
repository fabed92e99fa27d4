"""What the attempts of a turn said that is not its answer, folded beside it in the transcript."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui_orchestrator.services.closing import ANOTHER

from . import words
from .entries import answer_key
from .stored import before_answer

if TYPE_CHECKING:
    from .trail import Leg
    from .transcript import Transcript


class Aside:
    def __init__(self, transcript: Transcript, request_id: str, legs: Mapping[int, Leg]) -> None:
        """`legs` by their numbers; they grow while the turn runs."""
        self._transcript = transcript
        self._request_id = request_id
        self._legs = legs

    def fold_checks(self) -> None:
        """Those that are over, and parts likewise, each below the ones that began before it."""
        for leg in self._legs.values():
            if leg.is_answer:
                continue
            if leg.glyph == "◐":
                return
            self._fold(leg, words.folded(leg.model, leg.why or leg.about))

    def fold_members(self) -> None:
        """An ensemble's answers, which until then stood in the columns alone."""
        for leg in self._legs.values():
            if leg.in_column and leg.glyph != "◐":
                self._fold(leg, words.folded(leg.model, leg.why or ANOTHER))

    def _fold(self, leg: Leg, label: str) -> None:
        key = answer_key(self._request_id, leg.number)
        if not leg.has_text and (leg.text or leg.thoughts):
            leg.has_text = True
            self._transcript.begin_answer(key)
            self._transcript.append(key, "".join(leg.text))
            if leg.thoughts:
                self._transcript.append_thinking(key, "".join(leg.thoughts))
        if leg.has_text:
            self._transcript.fold(key, label)

    def whys(self, stands: int | None) -> dict[int, str]:
        """Why each is not the answer; of the one that `stands`, why it was not at first."""
        legs = sorted(self._legs.values(), key=lambda leg: leg.number)
        return {leg.number: leg.why or ANOTHER for leg in legs if leg.why or leg.number != stands}

    def arrange(self, stands: int | None) -> None:
        """In the order of a turn that is over, where it is the attempt's whose answer `stands`."""
        keys = {number: answer_key(self._request_id, number) for number in sorted(self._legs)}
        shown = {number: key for number, key in keys.items() if self._transcript.holds(key)}
        folded = {number: why for number, why in self.whys(stands).items() if number in shown and number != stands}
        order = [shown[number] for number in folded]
        if stands in shown:
            order.insert(before_answer(stands, folded), shown[stands])
        if len(order) > 1:
            self._transcript.reorder(order)
