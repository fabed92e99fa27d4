"""An answer that was cut off and is continued: what comes joins its entry, and is taken out again where it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import words

if TYPE_CHECKING:
    from tui_orchestrator.services.keeping import CutOff

    from .trail import Leg
    from .transcript import Transcript

GO_ON = "/continue goes on where it stopped"


class Onto:
    def __init__(self, transcript: Transcript, key: str, cut_off: CutOff) -> None:
        """`key`: of the entry the answer stands in."""
        self.key = key
        self._transcript = transcript
        self._cut_off = cut_off

    def begin(self, leg: Leg) -> None:
        from tui_orchestrator.storage.answers import seam

        self._transcript.reopen(self.key, self._cut_off.text + seam(self._cut_off.model, leg.model))

    def discard(self, leg: Leg, own_key: str, why: str, tokens: int | None) -> None:
        """Folds what the attempt had said under a key of its own; what it was to continue stands as it was."""

        self._transcript.reopen(self.key, self._cut_off.text)
        self._transcript.begin_answer(own_key)
        self._transcript.append(own_key, "".join(leg.text))
        self._transcript.discard(own_key, words.short_name(leg.model), why, tokens)
