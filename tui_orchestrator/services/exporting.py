"""A conversation as a file: Markdown for people, JSON that comes in again, both with models, tokens and costs."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..routing.errors import OrchestratorError
from ..routing.event_json import attempt_json
from ..routing.money import Cost, CostState
from ..routing.telling import KILLED
from ..routing.text import clean_line, spoken
from ..storage import branches
from ..storage.answers import Parts, answers, standing_parts, whole
from ..storage.archive import cost_elsewhere
from ..storage.conversations import Conversation, Session
from ..storage.messages import StoredMessage
from .feedback import Given
from .runtime import Runtime

FORMAT = "tui-orchestrator conversation"
VERSION = 2
"""1 held the branch on the screen alone, as if it were the only one."""
LONGEST_NAME = 60
"""Characters of a file's name, without what it ends with."""
_RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)
"""Names of devices on Windows, whatever they end with: a file may be taken there."""
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_HTML = re.compile(r" {0,3}<(?:!--|(pre|script|style|textarea)(?=[\s>]|$))", re.IGNORECASE)
"""What no empty line ends, see CommonMark 0.31.2, 4.5 and 4.6."""


class ExportFailed(OrchestratorError):
    """Why a file was not written, in one sentence."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a file tells beside the messages themselves."""

    attempts: Mapping[str, list[dict[str, Any]]]
    """By request, as `attempt_json` gives them; of an imported conversation as its file did."""
    votes: Mapping[Given, bool]
    superseded: frozenset[int]
    """Positions of the answers in whose place another one came."""

    @property
    def models(self) -> list[str]:
        return sorted({str(made.get("model")) for attempts in self.attempts.values() for made in attempts})

    @property
    def costs(self) -> list[Cost]:
        return [cost_elsewhere(made) for attempts in self.attempts.values() for made in attempts]

    def tokens(self, bucket: str) -> int:
        every = (made.get("usage") for attempts in self.attempts.values() for made in attempts)
        return sum(usage.get(bucket) or 0 for usage in every if isinstance(usage, dict))


async def told(runtime: Runtime, conversation: Conversation) -> Told:
    session = conversation.session.id
    made = await runtime.archive.attempts(session)
    attempts = {request_id: [attempt_json(one) for one in of_it] for request_id, of_it in made.items()}
    every = branches.turns(conversation.every)
    stand = {part.position for _, parts in standing_parts(every) for part in parts}
    superseded = {
        part.position for _, given in answers(every) for parts in given for part in parts if part.position not in stand
    }
    return Told(
        {**await runtime.archive.attempts_elsewhere(session), **attempts},
        await runtime.feedback.votes(session),
        frozenset(superseded),
    )


def session_json(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "title": session.title,
        "created": session.created.isoformat(),
        "updated": session.updated.isoformat(),
        "strategy": session.strategy,
        "model": session.model,
        "system": session.system,
        "persona": session.persona,
        "own_way": session.own_way,
        "messages": session.messages,
        "tags": sorted(session.tags),
        "pinned": session.pinned,
        "forked_from": session.origin,
    }


async def as_json(runtime: Runtime, conversation: Conversation, *, pictures: bool = True) -> dict[str, Any]:
    """What `importing` reads. Without `pictures` their names and kinds alone stand in it."""
    also = await told(runtime, conversation)
    costs = also.costs
    total = Cost.sum(costs)
    every = conversation.every
    places = {message.position: place for place, message in enumerate(every)}
    on_screen = {message.position for message in conversation.messages}
    totals = {
        "models": also.models,
        "input_tokens": also.tokens("input_tokens"),
        "output_tokens": also.tokens("output_tokens"),
        "cost_usd": str((total.at_least if total.amount is None else total.amount).usd),
        "cost_state": total.state.value,
        "estimated_costs": sum(cost.state is CostState.ESTIMATED for cost in costs),
        "unknown_costs": sum(cost.amount is None for cost in costs),
    }
    return {
        "format": FORMAT,
        "version": VERSION,
        **session_json(conversation.session),
        "totals": totals,
        "messages": [
            {
                **_message_json(message, also, pictures),
                "parent": None if message.parent is None else places.get(message.parent),
                "on_screen": message.position in on_screen,
            }
            for message in every
        ],
        "discarded": [
            {name: getattr(one, name) for name in ("request_id", "attempt", "model", "text", "thinking", "why")}
            for one in conversation.discarded
        ],
    }


def _message_json(message: StoredMessage, also: Told, pictures: bool) -> dict[str, Any]:
    images = [
        {"name": image.name, "media_type": image.media_type}
        | ({"data": base64.b64encode(image.data).decode()} if pictures else {})
        for image in message.images
    ]
    return {
        "role": message.role,
        "text": message.text,
        "thinking": message.thinking,
        "images": images,
        "state": message.state,
        "superseded": message.position in also.superseded,
        "vote": _vote(also.votes, message),
        "model": message.model,
        "attempt": message.attempt,
        "created": message.created.isoformat(),
        "request_id": message.request_id,
        "continues": message.continues,
        "note": message.note,
        "note_weight": message.weight,
        "files": list(message.files),
        "attempts": also.attempts.get(message.request_id, []) if message.role == "assistant" else [],
    }


def _vote(votes: Mapping[Given, bool], message: StoredMessage) -> str | None:
    if message.role == "user" or message.attempt is None:
        return None
    liked = votes.get((message.request_id, message.attempt))
    return None if liked is None else "up" if liked else "down"


async def as_markdown(runtime: Runtime, conversation: Conversation, *, all_branches: bool = False) -> str:
    """The branch on the screen, or all of them: each other one behind it, from where it parts."""
    also, session = await told(runtime, conversation), conversation.session
    parts = [f"# {session.title or session.id}", "\n".join(_facts(conversation, also, all_branches))]
    if session.system:
        parts.append(_quoted(session.system))
    parts += _said(conversation, conversation.messages, also)
    if all_branches:
        for branch in branches.others(conversation.messages, conversation.aside):
            which, of = _branch(conversation, branch[0])
            parts += ["---", f"# Branch {which} of {of}", *_said(conversation, branch, also)]
    return "\n\n".join(parts) + "\n"


def _said(conversation: Conversation, messages: Sequence[StoredMessage], also: Told) -> Iterator[str]:
    """A prompt and its answers after the other; an answer that was continued is one."""
    read = {parts[0].position: parts for _, given in answers(messages) for parts in given}
    parted = {part.position for parts in read.values() for part in parts[1:]}
    for message in messages:
        if message.role == "user":
            which, of = _branch(conversation, message)
            yield f"## You{f' (branch {which} of {of})' if of > 1 else ''}\n\n{_closed(message.text)}"
            yield from (f"*attached: {image.name or image.media_type}*" for image in message.images)
        elif message.position not in parted and (message.text.strip() or message.continues is None):
            yield from _answer(read.get(message.position, (message,)), also)


def _answer(parts: Parts, also: Told) -> Iterator[str]:
    message = whole(parts)
    state = "" if message.state == "complete" else f" ({message.state})"
    if message.position in also.superseded:
        state += " (superseded)"
    state += {"up": " ▲", "down": " ▼"}.get(_vote(also.votes, message) or "", "")
    models = " → ".join(dict.fromkeys(part.model or "No answer" for part in parts))
    yield f"## {models}{state}\n\n{_closed(message.text) or '*nothing came*'}"
    yield from (_line(made) for part in parts for made in also.attempts.get(part.request_id, ()))
    if message.note:
        yield _quoted(message.note)


def _branch(conversation: Conversation, message: StoredMessage) -> tuple[int, int]:
    """Which of how many prompts beside one another it is."""
    beside = conversation.branches.get(message.request_id, (message.request_id,))
    return beside.index(message.request_id) + 1, len(beside)


def _facts(conversation: Conversation, also: Told, all_branches: bool) -> list[str]:
    session = conversation.session
    unknown = sum(cost.amount is None for cost in also.costs)
    known = f"{Cost.sum(also.costs)}" + (f", {unknown} not known" if unknown else "")
    facts = [f"- Session {session.id}, {session.created:%Y-%m-%d %H:%M} to {session.updated:%Y-%m-%d %H:%M} UTC"]
    if session.tags:
        facts.append(f"- Tags: {', '.join(sorted(session.tags))}")
    if session.persona:
        facts.append(f"- Persona: {session.persona}")
    if session.origin:
        facts.append(f"- Fork of {session.origin_title or 'a session'} ({session.origin})")
    if conversation.aside:
        count = len(branches.others(conversation.messages, conversation.aside)) + 1
        which = "all of them, the one on the screen first" if all_branches else "this is the one on the screen"
        facts.append(f"- Branches: {count}; {which}")
    if also.attempts:
        facts.append(f"- Models: {', '.join(also.models)}")
        spent = f"{also.tokens('input_tokens'):,} tokens in, {also.tokens('output_tokens'):,} out"
        facts.append(f"- Answers: {spent}, cost {known}")
    return facts


def _line(made: Mapping[str, Any]) -> str:
    """One attempt. What an imported file left out is unknown."""
    usage, error = made.get("usage") or {}, made.get("error") or {}
    about = "~" if usage.get("estimated") else ""
    # Of a call that the program was killed in nobody knows the end.
    took = None if error.get("message") == KILLED else made.get("latency_s")
    said = [
        f"{made.get('attempt', '?')}. {made.get('model', '?')}",
        spoken(str(made.get("cause", "?"))),
        spoken(str(made.get("outcome", "?"))),
        # Of a cancelled one the kind says no more than the outcome.
        *([spoken(str(error["kind"]))] if error.get("kind") not in (None, "", made.get("outcome")) else []),
        f"{about}{usage.get('input_tokens', '?')} in {about}{usage.get('output_tokens', '?')} out",
        *([f"{took:.1f} s"] if isinstance(took, int | float) else []),
        str(cost_elsewhere(made)),
    ]
    return f"*{' · '.join(said)}*"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _closed(text: str) -> str:
    """With an end to a block of code or of HTML that it leaves open, so that it does not take in what follows."""
    end, ends = "", re.compile("")
    for line in text.splitlines():
        if end:
            if ends.search(line):
                end = ""
        elif fence := _FENCE.match(line):
            end = fence[1]
            ends = re.compile(rf"^ {{0,3}}{re.escape(end[0])}{{{len(end)},}}[ \t]*$")
        elif html := _HTML.match(line):
            end = f"</{html[1]}>" if html[1] else "-->"
            ends = re.compile(re.escape(end), re.IGNORECASE)
            if ends.search(line):
                end = ""
    return f"{text.rstrip()}\n{end}" if end else text


def file_name(title: str, otherwise: str, suffix: str) -> str:
    """A name that is safe in every directory and on every system, whatever the title holds: letters, digits and
    dashes. `otherwise` where the title has none of them."""
    words = re.findall(r"[^\W_]+", clean_line(title, LONGEST_NAME * 4))
    name = "-".join(words).lower()
    if len(name) > LONGEST_NAME:
        name = name[: LONGEST_NAME + 1].rpartition("-")[0] or name[:LONGEST_NAME]
    # Names are limited in bytes, and a letter may be four.
    while len(name.encode()) > 200:
        name = name[:-1]
    if not name or _RESERVED.fullmatch(name):
        name = "-".join(part for part in (name, otherwise) if part)
    return f"{name}.{suffix}"


async def rendered(runtime: Runtime, conversation: Conversation, form: str, *, all_branches: bool = False) -> str:
    """`form`: 'md' or 'json', which holds all branches in any case. The JSON is ASCII: no byte of it can drive a
    terminal it is printed on."""
    if form == "md":
        return await as_markdown(runtime, conversation, all_branches=all_branches)
    import json

    return json.dumps(await as_json(runtime, conversation), indent=2) + "\n"


def write(path: Path, text: str, *, replace: bool = False) -> Path:
    """Readable by its owner alone, whole or not at all; returns where it is. Blocks: call it in a thread.

    Raises FileExistsError where something is there already, unless it may be replaced; ExportFailed with the reason.
    """
    from ..settings import write_privately

    try:
        path = path.expanduser()
        if not replace:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            write_privately(path, text)
        except BaseException:
            if not replace:
                path.unlink(missing_ok=True)
            raise
        return path.resolve()
    except FileExistsError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        shown = clean_line(str(path), 120)
        raise ExportFailed(f"{shown} cannot be written: {reason}; name a file in a directory of yours") from error
