"""Decisions as they were made, whole, with how they ended.

What was said is kept with the conversation alone: here are the profile, the candidates and the choice, not the prompt,
of which there is only a digest.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import datetime
from typing import Any

from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.routing.events import Completed, Failed
from tui_orchestrator.routing.request import ASKED_FOR, CLIENT, Request

from . import beginnings
from .checked import readable
from .codec import decode, encode
from .experiments import enrol
from .rows import REVISE_ATTEMPT, instant, judgement_row, picodollars

_NOT_ASKED = {"id", "session", "messages", "system", "tools", "tool_choice", "shape"}


def decision_to_json(decision: Decision) -> str:
    return json.dumps(encode(decision), separators=(",", ":"))


@readable("decisions")
def decision_from_json(stored: str) -> Decision:
    return decode(Decision, json.loads(stored))


def record(connection: sqlite3.Connection, decision: Decision, request: Request, at: datetime) -> None:
    chosen = decision.chosen
    asked = {name: encode(getattr(request, name)) for name in Request.__dataclass_fields__ if name not in _NOT_ASKED}
    row = {
        "request_id": decision.request_id,
        "at": instant(at),
        "session": request.session,
        "strategy": decision.strategy_name,
        "task_type": decision.task_type,
        "complexity": decision.profile.complexity,
        "model": decision.model,
        "reason": decision.reason,
        "estimated_cost": picodollars(chosen.estimated_cost) if chosen else None,
        "estimated_latency_s": chosen.estimated_latency_s if chosen else None,
        "decision": decision_to_json(decision),
        "asked": json.dumps(asked, separators=(",", ":")),
        "digest": said_digest(request),
        "client": request.metadata.get(CLIENT),
        "asked_for": request.metadata.get(ASKED_FOR),
    }
    connection.execute(
        f"INSERT OR REPLACE INTO decisions ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})", row
    )
    if decision.experiment is not None:
        enrol(connection, decision.experiment, decision.request_id, at)


def said_digest(request: Request) -> str | None:
    """The same for the same words, system text and images, whatever model is asked; None where another answer is wanted
    than was given before."""
    if request.fresh or request.use_cache is False:
        return None
    parts = [request.system.encode("utf-8", "surrogatepass")]
    for message in request.messages:
        parts += [message.role.encode(), message.text.encode("utf-8", "surrogatepass")]
        parts += [image.data for image in message.images]
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()


def conclude(connection: sqlite3.Connection, end: Completed | Failed) -> None:
    """The decision's cost, time and tokens are those of all its attempts. What was found of their answers after these
    were booked is added to their rows."""
    connection.executemany(
        REVISE_ATTEMPT, [judgement_row(attempt) for attempt in end.attempts if attempt.findings or attempt.onward]
    )
    completed, failed = (end, None) if isinstance(end, Completed) else (None, end)
    row = {
        "request_id": end.request_id,
        "concluded": instant(end.at),
        "success": completed is not None,
        "answered_by": completed and completed.model,
        "error_kind": failed and failed.error.kind,
        "cost": picodollars(end.cost.amount),
        "cost_state": end.cost.state,
        "latency_s": end.latency_s,
        "confidence": completed and completed.confidence.value,
        "tokens": sum(attempt.usage.input + attempt.usage.output for attempt in end.attempts),
    }
    changes = ", ".join(f"{name} = :{name}" for name in row if name != "request_id")
    connection.execute(f"UPDATE decisions SET {changes} WHERE request_id = :request_id", row)


def find(connection: sqlite3.Connection, request_id: str) -> Decision | None:
    found = connection.execute("SELECT decision FROM decisions WHERE request_id = ?", (request_id,)).fetchone()
    return decision_from_json(found[0]) if found else None


def latest(connection: sqlite3.Connection, columns: str, now: datetime, where: str = "1") -> list[Any]:
    """The row of the last decision, where there is one. What was made in the future was made before the clock was set
    back, and is the last only where nothing was made since."""
    query = f"SELECT {columns} FROM decisions WHERE {where} AND at <= ? ORDER BY at DESC LIMIT 1"
    return next(filter(None, (connection.execute(query, (at,)).fetchall() for at in (instant(now), _ALWAYS))), [])


_ALWAYS = "9999"


def find_by(connection: sqlite3.Connection, named: str, now: datetime) -> tuple[Decision, datetime]:
    """By the beginning of a request's id that fits no other, or 'latest'; with when it was made. Raises LookupError
    with a sentence that says what would be right."""
    columns = "request_id, at, decision"

    def those(wanted: str) -> list[tuple[str, Any]]:
        query = f"SELECT {columns} FROM decisions WHERE request_id >= ? AND request_id < ? LIMIT 4"
        return [(row[0], row) for row in connection.execute(query, (wanted, beginnings.after_all(wanted)))]

    _, at, decision = beginnings.the_one(
        named,
        those,
        lambda: [(row[0], row) for row in latest(connection, columns, now)],
        what="requests",
        nothing="no decision is kept yet; `ask` and the console make them",
        unknown="no decision of a request {} is kept; say 'latest', or a request_id of `ask --json`",
    )
    with readable("decisions"):
        return decision_from_json(decision), datetime.fromisoformat(at)
