"""Turns that are over, recounted from the ledger's rows: the trail above an answer, the line under it, what became of
those that do not stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from tui_orchestrator.routing.events import CHECKS, Attempt, Cause, Verdict
from tui_orchestrator.routing.telling import KILLED
from tui_orchestrator.routing.text import clean_line

from . import words
from .continuing import Wholes
from .entries import answer_key, trail_key
from .parts import Parts
from .status import Keys, continued_status, interrupted_status, of_turn, stored_status
from .stored import superseded
from .trail import legs_of, mark, trail

if TYPE_CHECKING:
    from tui_orchestrator.storage.messages import Discarded, StoredMessage

    from .look import Mark
    from .trail import Leg
    from .transcript import Transcript

_FOLDED = {*CHECKS, Cause.PART, Cause.ENSEMBLE}
"""What was said so is named by what it was for, not by its length."""

_UNFINISHED = "✗■"


class Recounting:
    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.wholes = Wholes()
        self._whys: dict[str, dict[int, str]] = {}
        """By request: why what the attempts had said is not its answer, or was not at first."""
        self._stands: dict[str, int | None] = {}
        """By request: the attempt whose answer is its turn's."""
        self._replaced: dict[str, tuple[str, str | None]] = {}
        """By request: key and model of the answer that its own took the place of."""
        self._legs: dict[str, dict[int, Leg]] = {}
        self._parts: dict[str, Parts] = {}
        self._further: dict[str, list[Mark]] = {}
        """By the request of an answer that did not come to its end: what it was continued with."""
        self._whole: set[str] = set()
        """Requests that came to an answer."""
        self._going_on: set[str] = set()
        """Requests to continue an answer."""
        self._unanswered: set[str] = set()
        """Requests of prompts without any."""
        self._last = ""
        """That of the last prompt, where it was asked once."""

    def load(self, messages: Sequence[StoredMessage], discarded: Iterable[Discarded]) -> None:
        self.wholes = Wholes(messages)
        self._whys = {}
        for one in discarded:
            self._whys.setdefault(one.request_id, {})[one.attempt] = one.why
        given = [message for message in messages if message.role == "assistant"]
        self._stands = {one.request_id: one.attempt for one in given}
        self._whole = {one.request_id for one in given if one.state == "complete"}
        self._going_on = {one.request_id for one in given if one.continues is not None}
        prompts = [one.request_id for one in messages if one.role == "user"]
        self._unanswered = {one for one in prompts if one not in self._stands}
        self._last = prompts[-1] if prompts and messages[-1].request_id == prompts[-1] else ""
        self._replaced, self._legs, self._parts, self._further = {}, {}, {}, {}
        if not messages:
            return
        from tui_orchestrator.storage.answers import answers, that_stands

        for _, every in answers(messages):
            for count in range(1, len(every)):
                (old, *_), (new, *_) = that_stands(every[:count]), that_stands(every[: count + 1])
                if new is not old:
                    self._replaced[new.request_id] = (answer_key(old.request_id, old.attempt), old.model)

    def end(
        self,
        attempts: Sequence[Attempt],
        stands: int | None,
        whys: Mapping[int, str],
        keys: Keys,
        *,
        whole: bool,
        goes_on: bool,
    ) -> None:
        """Of a turn that has just ended: told once more, as it is from now on. `goes_on`: it continued an answer."""
        if attempts:
            request_id = attempts[0].request_id
            self._stands[request_id] = stands
            self._whys[request_id] = {number: clean_line(why) for number, why in whys.items()}
            if whole:
                self._whole.add(request_id)
            if goes_on:
                self._going_on.add(request_id)
            self._tell_turn(request_id, attempts, keys)

    def tell(self, attempts: Iterable[Attempt], keys: Keys) -> None:
        """Whole turns."""
        attempts = tuple(attempts)
        for request_id, turn in groupby(attempts, lambda one: one.request_id):
            if request_id in self._stands:
                self._tell_turn(request_id, tuple(turn), keys)
            elif request_id in self._unanswered and self.transcript.holds(answer_key(request_id, None)):
                self._tell_interrupted(request_id, answer_key(request_id, None), tuple(turn), keys)
        # Under an answer that was continued stands what all of it took.
        for key, every in self.wholes.tell(attempts):
            if self.transcript.holds(key) and not self.transcript.entry(key).growing:
                self.transcript.finish(key, continued_status(every, keys))
                self._tell_further(*every)

    def _tell_further(self, first: Attempt, *further: Attempt) -> None:
        request_id = first.request_id
        if request_id in self._legs and self._legs[request_id][first.number].glyph in _UNFINISHED:
            legs = [leg for part in further for leg in legs_of([part], part.number, {}).values()]
            self._further[request_id] = [(" → ", "muted"), *trail(legs)]
            self._draw_trail(request_id)

    def judge(self, verdict: Verdict) -> None:
        """An ensemble's, which is not kept and was weighed anew."""
        if (legs := self._legs.get(verdict.request_id)) is not None:
            mark(legs, verdict)
            self._draw_trail(verdict.request_id)

    def _tell_turn(self, request_id: str, turn: Sequence[Attempt], keys: Keys) -> None:
        stands, whys = self._stands[request_id], self._whys.get(request_id, {})
        self._legs[request_id] = legs_of(turn, stands, whys)
        labels = {number: leg.part for number, leg in self._legs[request_id].items() if leg.part}
        self._parts[request_id] = Parts.over(turn, labels, whole=request_id in self._whole)
        self._draw_trail(request_id)
        for attempt in turn:
            key = answer_key(request_id, attempt.number)
            if not self.transcript.holds(key) or key in self.wholes:
                continue
            if attempt.number == stands:
                if self.transcript.entry(key).discarded is None:
                    if attempt.error_message == KILLED and not self.transcript.text_of(key).strip():
                        self._tell_interrupted(request_id, key, turn, keys)
                    else:
                        self.transcript.finish(key, of_turn(stored_status(attempt, keys), turn))
            elif attempt.number in whys:
                why = whys[attempt.number]
                if attempt.cause in _FOLDED:
                    self.transcript.fold(key, words.folded(attempt.model, why))
                else:
                    self.transcript.discard(key, words.short_name(attempt.model), why, attempt.usage.output)
        self._tell_replaced(request_id, turn)

    def _tell_interrupted(self, request_id: str, key: str, turn: Sequence[Attempt], keys: Keys) -> None:
        """Before anything had come."""
        again = keys.again if request_id == self._last else ""
        self.transcript.finish(key, interrupted_status(turn, again))

    def _draw_trail(self, request_id: str) -> None:
        legs, key = self._legs[request_id], trail_key(request_id)
        # Of a continuation at the first attempt the line under the answer says all.
        if self.transcript.holds(key) and (
            request_id not in self._going_on or len(legs) > 1 or any(leg.glyph in _UNFINISHED for leg in legs.values())
        ):
            marks = self._parts[request_id].before(trail(list(legs.values())))
            self.transcript.trail(key, [*marks, *self._further.get(request_id, ())])

    def _tell_replaced(self, request_id: str, turn: Sequence[Attempt]) -> None:
        key, model = self._replaced.get(request_id, ("", None))
        if key and self.transcript.holds(key) and self.transcript.entry(key).discarded is not None:
            together = any(one.cause is Cause.SYNTHESIS for one in turn) and all(
                one.cause is not Cause.ENSEMBLE for one in turn
            )
            self.transcript.fold(key, superseded(model, together=together))
