"""Turns that are over, recounted from the ledger's rows: the trail above an answer, the line under it, what became of
those that do not stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from tui_orchestrator.routing.events import CHECKS, Attempt, Cause, Verdict

from . import words
from .continuing import Wholes
from .entries import answer_key, trail_key
from .status import Keys, continued_status, of_turn, stored_status
from .stored import superseded
from .trail import legs_of, mark, trail

if TYPE_CHECKING:
    from tui_orchestrator.services.feedback import Given
    from tui_orchestrator.storage.messages import Discarded, StoredMessage

    from .reader import Reader
    from .trail import Leg

_FOLDED = {*CHECKS, Cause.PART, Cause.ENSEMBLE}
"""What was said so is named by what it was for, not by its length."""


class Recounting:
    def __init__(self, transcript: Reader) -> None:
        self._transcript = transcript
        self.wholes = Wholes()
        self._discarded: dict[Given, Discarded] = {}
        self._stands: dict[str, int | None] = {}
        """By request: the attempt whose answer is its turn's."""
        self._replaced: dict[str, tuple[str, str | None]] = {}
        """By request: key and model of the answer that its own took the place of."""
        self._legs: dict[str, dict[int, Leg]] = {}

    def load(self, messages: Sequence[StoredMessage], discarded: Iterable[Discarded]) -> None:
        self.wholes = Wholes(messages)
        self._discarded = {(one.request_id, one.attempt): one for one in discarded}
        self._stands = {one.request_id: one.attempt for one in messages if one.role == "assistant"}
        self._replaced, self._legs = {}, {}
        if not messages:
            return
        from tui_orchestrator.storage.answers import answers

        for _, given in answers(messages):
            for (old, *_), (new, *_) in pairwise(given):
                self._replaced[new.request_id] = (answer_key(old.request_id, old.attempt), old.model)

    def tell(self, attempts: Iterable[Attempt], keys: Keys) -> None:
        """Whole turns."""
        attempts = tuple(attempts)
        for request_id, turn in groupby(attempts, lambda one: one.request_id):
            if request_id in self._stands:
                self._tell_turn(request_id, tuple(turn), keys)
        # Under an answer that was continued stands what all of it took.
        for key, every in self.wholes.tell(attempts):
            if self._transcript.holds(key) and not self._transcript.entry(key).growing:
                self._transcript.finish(key, continued_status(every, keys))

    def judge(self, verdict: Verdict) -> None:
        """An ensemble's, which is not kept and was weighed anew."""
        if (legs := self._legs.get(verdict.request_id)) is not None:
            mark(legs, verdict)
            self._transcript.trail(trail_key(verdict.request_id), trail(list(legs.values())))

    def _tell_turn(self, request_id: str, turn: Sequence[Attempt], keys: Keys) -> None:
        stands = self._stands[request_id]
        whys = {number: one.why for (its, number), one in self._discarded.items() if its == request_id}
        if self._transcript.holds(trail_key(request_id)):
            legs = self._legs[request_id] = legs_of(turn, stands, whys)
            self._transcript.trail(trail_key(request_id), trail(list(legs.values())))
        for attempt in turn:
            key = answer_key(request_id, attempt.number)
            if not self._transcript.holds(key) or key in self.wholes:
                continue
            if self._transcript.entry(key).discarded is None:
                self._transcript.finish(key, of_turn(stored_status(attempt, keys), turn))
            elif attempt.number in whys and attempt.cause not in _FOLDED:
                count = attempt.usage.output
                self._transcript.discard(key, words.short_name(attempt.model), whys[attempt.number], count)
        self._tell_replaced(request_id, turn)

    def _tell_replaced(self, request_id: str, turn: Sequence[Attempt]) -> None:
        key, model = self._replaced.get(request_id, ("", None))
        if key and self._transcript.holds(key) and self._transcript.entry(key).discarded is not None:
            together = any(one.cause is Cause.SYNTHESIS for one in turn) and all(
                one.cause is not Cause.ENSEMBLE for one in turn
            )
            self._transcript.supersede(key, superseded(model, together=together))
