"""A conversation that is kept, as entries of the transcript."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import words
from .entries import Entry, answer_key, prompt_key, trail_key

if TYPE_CHECKING:
    from tui_orchestrator.routing.events import Attempt
    from tui_orchestrator.services.feedback import Given
    from tui_orchestrator.storage.messages import Discarded, StoredMessage

    from .look import Caption


def stored_entries(messages: Iterable[StoredMessage], discarded: Iterable[Discarded]) -> list[Entry]:
    from tui_orchestrator.storage.answers import answers, that_stands, whole

    messages = tuple(messages)
    shown = {(message.request_id, message.attempt) for message in messages if message.role == "assistant"}
    thrown: dict[str, list[Discarded]] = {}
    for one in discarded:
        # What was discarded first and then gone on with is the answer.
        if (one.request_id, one.attempt) not in shown:
            thrown.setdefault(one.request_id, []).append(one)
    turns = answers(messages)
    stand = {parts[0].position for _, given in turns if (parts := that_stands(given))}
    read = {parts[0].position: parts for _, given in turns for parts in given}
    prompted = {message.request_id for message in messages if message.role == "user"}
    entries = []
    for message in messages:
        if message.role == "user":
            names = tuple(image.name or image.media_type for image in message.images)
            entries.append(Entry.prompt(message.text, names, prompt_key(message.request_id)))
            entries.append(_trail(message))
            entries += [_discarded(one) for one in thrown.pop(message.request_id, ())]
        elif message.role == "assistant":
            # What a prompt that was asked again brought before its answer.
            if message.continues is None and message.request_id not in prompted:
                entries.append(_trail(message))
            entries += [_discarded(one) for one in thrown.pop(message.request_id, ())]
            if message.position not in read and message.continues is not None:
                continue  # it stands in the answer it continues
            message = whole(read.get(message.position, (message,)))
            entry = Entry.answer(
                message.text,
                thinking=message.thinking,
                status=_stored_state(message),
                discarded=None if message.position in stand else superseded(message.model),
                key=answer_key(message.request_id, message.attempt),
            )
            entries.append(entry)
    return entries


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
