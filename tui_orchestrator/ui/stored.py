"""A conversation that is kept, as entries of the transcript."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from . import words
from .entries import Entry, Kind, answer_key, prompt_key, trail_key
from .status import interrupted_status

if TYPE_CHECKING:
    from tui_orchestrator.routing.events import Attempt
    from tui_orchestrator.services.feedback import Given
    from tui_orchestrator.storage.messages import Discarded, StoredMessage

    from .look import Caption


class Stored:
    """Its messages, which become entries a stretch at a time."""

    def __init__(
        self,
        messages: Sequence[StoredMessage],
        discarded: Iterable[Discarded],
        again: str,
        branches: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """`again`: the key that asks the last prompt once more, told where nothing came of it. `branches` as
        `Chat.branches` gives them."""
        self.messages = messages
        self.votes: Mapping[Given, bool] = {}
        """On the answers, as they are told with the entries that are made from now on."""
        self._branches = branches or {}
        self._thrown: dict[str, list[Discarded]] = {}
        for one in discarded:
            self._thrown.setdefault(one.request_id, []).append(one)
        self._prompted = {message.request_id for message in messages if message.role == "user"}
        self._answered = {message.request_id for message in messages if message.role == "assistant"}
        last = messages[self.turn_at(len(messages) - 1) :] if messages else ()
        self._asked_last = last[0].request_id if len(last) == 1 and last[0].role == "user" else None
        self._again = again

    def turn_at(self, at: int) -> int:
        """Where the turn begins that the message of that number is of: at its prompt, or with the first message."""
        while at > 0 and self.messages[at].role != "user":
            at -= 1
        return max(0, at)

    def entries(self, start: int, end: int) -> list[Entry]:
        """Of whole turns: `start` is the number of a turn's first message, `end` that of another's."""
        from tui_orchestrator.storage.answers import answers, that_stands, whole

        messages = self.messages[start:end]
        turns = answers(messages)
        whole_of = {parts[0].position: whole(parts) for _, given in turns for parts in given}
        continued = {part.position for _, given in turns for parts in given for part in parts[:-1]}
        """What was said under them holds no longer."""
        folded = {}
        for _, given in turns:
            for count, parts in enumerate(given, 1):
                if len(given) > 1 and that_stands(given) is not parts:
                    stood = that_stands(given[:count]) is parts
                    folded[parts[0].position] = (superseded if stood else cut_short)(parts[0].model)
        entries = []
        for message in messages:
            request_id = message.request_id
            if message.role == "user":
                entries += self._asked(message)
            elif message.role == "assistant":
                # A prompt that was asked again, or an answer that is continued.
                if request_id not in self._prompted:
                    entries.append(_trail(message))
                if (told := whole_of.get(message.position)) is not None:
                    found = [_given(told, folded.get(message.position))] if _is_told(told) else []
                else:
                    found = []  # it stands in the answer it continues
                # What was discarded first and then gone on with is the answer.
                others = [one for one in self._thrown.pop(request_id, ()) if one.attempt != message.attempt]
                before = before_answer(message.attempt, {one.attempt: one.why for one in others})
                entries += [*map(_discarded, others[:before]), *found, *map(_discarded, others[before:])]
                if message.note and message.position not in continued:
                    entries.append(Entry.notice(message.note, message.weight))
        for entry in entries if self.votes else ():
            if entry.kind is Kind.ANSWER:
                entry.vote = vote_on(entry, self.votes)
        return entries

    def _asked(self, prompt: StoredMessage) -> list[Entry]:
        request_id = prompt.request_id
        names = (*prompt.files, *(image.name or image.media_type for image in prompt.images))
        asked = Entry.prompt(prompt.text, names, prompt_key(request_id))
        if beside := self._branches.get(request_id):
            asked.branch = (beside.index(request_id) + 1, len(beside))
        entries = [asked, _trail(prompt)]
        if request_id not in self._answered:
            entries += map(_discarded, self._thrown.pop(request_id, ()))
            status = interrupted_status((), self._again if request_id == self._asked_last else "")
            entries.append(Entry.answer("", status=status, key=answer_key(request_id, None)))
        return entries


def vote_on(answer: Entry, votes: Mapping[Given, bool]) -> bool | None:
    request_id, _, number = answer.key.partition("/")
    return votes.get((request_id, int(number))) if number.isdecimal() else None


def before_answer(number: int | None, others: Mapping[int, str]) -> int:
    """How many of the folded ones stand above the answer: all that began before it and all that might have been it;
    below it what only checked it. `others`: why each is folded, in the order they began."""
    above = [
        place
        for place, (other, why) in enumerate(others.items(), 1)
        if number is None or other < number or not why.startswith(words.CHECK_NAMES)
    ]
    return above[-1] if above else 0


def _is_told(answer: StoredMessage) -> bool:
    """Of one that ended without a word its note says so."""
    return bool(answer.text.strip() or answer.thinking or answer.state == "complete" or not answer.note)


def _given(answer: StoredMessage, folded: str | None) -> Entry:
    return Entry.answer(
        answer.text,
        thinking=answer.thinking,
        status=_stored_state(answer),
        discarded=folded,
        key=answer_key(answer.request_id, answer.attempt),
    )


def parts_of(messages: Iterable[StoredMessage]) -> dict[str, dict[Given, Attempt | None]]:
    from tui_orchestrator.storage.answers import answers

    found: dict[str, dict[Given, Attempt | None]] = {}
    messages = tuple(messages)
    if all(message.continues is None for message in messages):
        return found
    for _, given in answers(messages):
        for parts in given:
            if len(parts) > 1:
                numbered = {(part.request_id, part.attempt): None for part in parts if part.attempt is not None}
                found[answer_key(parts[0].request_id, parts[0].attempt)] = dict(numbered)
    return found


def superseded(model: str | None, *, together: bool = False) -> str:
    """`together`: by one that was written from it and others."""
    why = "one answer was written from all" if together else "you asked again"
    return f"superseded answer of {words.short_name(model or '?')}: {why}"


def cut_short(model: str | None) -> str:
    return f"unfinished answer of {words.short_name(model or '?')}: the one before it stands"


def _trail(message: StoredMessage) -> Entry:
    """Takes no room before it is told."""
    return Entry.trail("", trail_key(message.request_id))


def _discarded(one: Discarded) -> Entry:
    why = words.folded(one.model, one.why)
    key = answer_key(one.request_id, one.attempt)
    return Entry.answer(one.text, thinking=one.thinking, discarded=why, key=key)


def _stored_state(message: StoredMessage) -> Caption:
    name = words.short_name(message.model or "")
    match message.state:
        case "complete":
            return [(name, "strong")]
        case "interrupted":
            return [(f"■ {name} interrupted".replace("  ", " "), "warning")]
        case "failed":
            return [(f"✗ {name} failed".replace("  ", " "), "error")]
