"""The answers of a conversation as one reads them: which stands for each prompt, and one that was cut off and continued
whole again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .messages import StoredMessage

Parts = tuple[StoredMessage, ...]
"""Of one answer: what came first, and what it was continued with."""


def answers(messages: Sequence[StoredMessage]) -> list[tuple[StoredMessage, list[Parts]]]:
    """Each prompt with all answers to it, in the order they began. A continuation that brought nothing is left out."""
    turns: list[tuple[StoredMessage, list[Parts]]] = []
    for message in messages:
        if message.role == "user":
            turns.append((message, []))
            continue
        given = turns[-1][1] if turns else []
        first = message.continues
        place = None
        if first is not None:
            place = next((n for n, parts in enumerate(given) if parts[0].request_id == first), None)
        if place is None:
            given.append((message,))
        elif message.text.strip():
            given[place] += (message,)
    return turns


def last_turn(messages: Sequence[StoredMessage]) -> Sequence[StoredMessage]:
    """The last prompt and all answers to it; empty where there is no prompt."""
    prompts = (place for place in reversed(range(len(messages))) if messages[place].role == "user")
    return messages[start:] if (start := next(prompts, None)) is not None else ()


def standing(messages: Sequence[StoredMessage]) -> list[tuple[StoredMessage, StoredMessage | None]]:
    """Each prompt with the answer that stands, whole."""
    return [(prompt, whole(parts) if parts else None) for prompt, parts in standing_parts(messages)]


def standing_parts(messages: Sequence[StoredMessage]) -> list[tuple[StoredMessage, Parts]]:
    """Each prompt with the answer that stands; none: (). The others are superseded."""
    return [(prompt, that_stands(given)) for prompt, given in answers(messages)]


def that_stands(given: Sequence[Parts]) -> Parts:
    """A prompt that was asked again has several answers: the last whole one stands, else the last with text, else the
    last. Of none: ()."""
    if len(given) == 1:
        return given[0]
    return max(given, key=_standing, default=())


def _standing(parts: Parts) -> tuple[bool, bool, int]:
    answer, last = whole(parts), parts[-1]
    said = bool(answer.text.strip())
    return said and last.state == "complete", said and last.state == "interrupted", last.position


def whole(parts: Parts) -> StoredMessage:
    """As the first part is told, with the text of all and the state of the last."""
    first, *others = parts
    if not others:
        return first
    text, by = first.text, first.model
    for part in others:
        text, by = joined(text, by, part.text, part.model), part.model
    thinking = "\n\n".join(part.thinking for part in parts if part.thinking)
    last = parts[-1]
    return replace(first, text=text, thinking=thinking, state=last.state, note=last.note, weight=last.weight)


def joined(text: str, by: str | None, more: str, by_whom: str | None) -> str:
    """What one model said, and what the same or another continued it with; that it was another is said in it."""
    return text + seam(by, by_whom) + more


def seam(by: str | None, by_whom: str | None) -> str:
    """What stands between the two: nothing where one model said both."""
    if by == by_whom:
        return ""
    name = (by_whom or "").partition("/")[2] or by_whom or "another model"
    return f"\n\n*— continued by {name} —*\n\n"
