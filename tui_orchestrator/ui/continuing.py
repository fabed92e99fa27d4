"""An answer that was cut off and is continued: what comes joins its entry, and is taken out again where it fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from . import words
from .stored import parts_of

if TYPE_CHECKING:
    from tui_orchestrator.routing.events import Attempt
    from tui_orchestrator.services.feedback import Given
    from tui_orchestrator.services.keeping import CutOff
    from tui_orchestrator.storage.messages import StoredMessage

    from .trail import Leg
    from .transcript import Transcript


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


class Wholes:
    """Answers that were continued, by their entries' keys: what they are made of, as far as it is known."""

    def __init__(self, messages: Sequence[StoredMessage] = ()) -> None:
        # Without any, nothing of the store is imported: a console has none at first.
        self._parts: dict[str, dict[Given, Attempt | None]] = parts_of(messages) if messages else {}

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and len(self._parts.get(key, ())) > 1

    def begin(self, key: str, first: Given) -> None:
        self._parts.setdefault(key, {first: None})

    def join(self, key: str, part: Given) -> None:
        if key in self._parts:
            self._parts[key].setdefault(part, None)

    def tell(self, attempts: Iterable[Attempt]) -> Iterator[tuple[str, list[Attempt]]]:
        """All parts of those that are known whole by these, or were and have one of them."""
        known = {(attempt.request_id, attempt.number): attempt for attempt in attempts}
        for key, parts in self._parts.items():
            if len(parts) < 2 or parts.keys().isdisjoint(known):
                continue
            parts.update({part: known[part] for part in parts.keys() & known.keys()})
            every = [attempt for attempt in parts.values() if attempt is not None]
            if len(every) == len(parts):
                yield key, every

    @property
    def untold(self) -> list[str]:
        """Requests of which something is not known yet."""
        return list(dict.fromkeys(request for p in self._parts.values() for (request, _), a in p.items() if a is None))
