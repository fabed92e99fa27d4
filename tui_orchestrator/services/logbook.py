"""What the program did, line by line, in a file of its own that can be shown to anybody.

A line is a JSON object of models, kinds, amounts and times. Only what is listed here is written: never what anybody
wrote or was answered, no names of sessions, files or rules, no message of a provider, which may quote them, no keys.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..locations import LocationError, log_file
from ..routing.decision import Decision
from ..routing.errors import ErrorKind
from ..routing.event_json import usd
from ..routing.events import (
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Budget,
    Completed,
    Decided,
    Escalated,
    Event,
    Failed,
    Reserved,
    Text,
    Thinking,
    Verdict,
    Waiting,
)
from ..routing.money import Cost
from ..routing.ports import Clock

if TYPE_CHECKING:
    from logging.handlers import QueueListener

Level = Literal["off", "error", "warning", "info", "debug"]
_LEAST = {
    "off": logging.CRITICAL + 1,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
Fields = dict[str, Any]

_recent: deque[Fields] = deque(maxlen=200)
"""Of every level and every logbook of this process, for the report of a crash."""
_OFTEN = (Text, Thinking, Reserved, Budget)


def log_path() -> Path | None:
    """None where there is no home directory."""
    try:
        return log_file()
    except LocationError:
        return None


class Logbook:
    """Lives on the event loop; a thread of its own writes. A file that cannot be written stops nothing."""

    def __init__(self, path: Path | None, level: Level, clock: Clock) -> None:
        """`path` None: nothing is written. The file is made with the first line that is."""
        self._path = path
        self._least = _LEAST[level] if path is not None else _LEAST["off"]
        self._clock = clock
        self._lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        self._writer: QueueListener | None = None

    def note(self, level: int, what: str, **fields: Any) -> None:
        at = self._clock.now().isoformat(timespec="milliseconds")
        said = {"at": at, "level": logging.getLevelName(level).lower(), "what": what, **fields}
        _recent.append(said)
        if level >= self._least:
            self._begin()
            self._lines.put(logging.LogRecord("tui_orchestrator", level, "", 0, _line(said), None, None))

    def hear(self, event: Event) -> None:
        if isinstance(event, _OFTEN):
            return
        level, what, fields = _told(event)
        self.note(level, what, request_id=event.request_id, **fields)
        if isinstance(event, Decided) and self._least <= logging.DEBUG:
            self.note(logging.DEBUG, "candidates", request_id=event.request_id, **_candidates(event.decision))

    def close(self) -> None:
        """Once all is written."""
        if self._writer is not None:
            self._writer.stop()
            for handler in self._writer.handlers:
                with contextlib.suppress(OSError):  # a full disk
                    handler.close()
            self._writer = None

    def _begin(self) -> None:
        if self._writer is None:
            from .log_file import writer

            assert self._path is not None
            self._writer = writer(self._lines, self._path)


def recent() -> list[str]:
    """The last 200 lines, whatever is written to the file."""
    return [_line(said) for said in tuple(_recent)]


def _line(said: Fields) -> str:
    return json.dumps({name: value for name, value in said.items() if value is not None}, ensure_ascii=True)


def _told(event: Event) -> tuple[int, str, Fields]:
    match event:
        case Decided(decision=decision):
            return logging.INFO, "decision", _decision(decision)
        case AttemptStarted():
            fields: Fields = {"attempt": event.attempt, "model": event.model, "cause": event.cause}
            return logging.DEBUG, "attempt_started", fields
        case AttemptFinished():
            return logging.INFO, "attempt_finished", _finished(event)
        case AttemptFailed():
            level = logging.INFO if event.error.kind is ErrorKind.CANCELLED else logging.WARNING
            return level, "attempt_failed", _failure(event)
        case Waiting():
            fields = {"attempt": event.attempt, "seconds": round(event.seconds, 3), "why": event.why}
            return logging.INFO, "waiting", fields
        case Escalated():
            fields = {"from": event.from_model, "to": event.to_model, "cause": event.cause}
            return logging.INFO, "escalated", fields
        case Verdict():
            return logging.INFO, "verdict", {"method": event.method, "winner": event.winner}
        case Completed():
            fields = {"model": event.model, "attempts": len(event.attempts), "latency_s": round(event.latency_s, 3)}
            return logging.INFO, "completed", {**fields, **_cost(event.cost)}
        case Failed(error=error):
            level = logging.ERROR if error.kind is ErrorKind.INTERNAL else logging.WARNING
            level = logging.INFO if error.kind is ErrorKind.CANCELLED else level
            return level, "failed", {"error": error.kind, "attempts": len(event.attempts), **_cost(event.cost)}
        case _:
            return logging.DEBUG, type(event).__name__.lower(), {}


def _decision(decision: Decision) -> Fields:
    profile = decision.profile
    return {
        "strategy": decision.strategy_name,
        "model": decision.model,
        "pinned": decision.pinned,
        "chain": list(decision.chain),
        "task_type": profile.task_type,
        "difficulty": round(profile.difficulty, 3),
        "complexity": profile.complexity,
        "input_tokens": profile.input_tokens,
    }


def _candidates(decision: Decision) -> Fields:
    return {
        "candidates": [
            {
                "model": one.model,
                "p": round(one.success_probability, 4),
                "cost_usd": usd(one.estimated_cost),
                "latency_s": round(one.estimated_latency_s, 3),
                "score": round(one.score, 4),
                "excluded": one.excluded_by,
            }
            for one in decision.candidates
        ]
    }


def _finished(event: AttemptFinished) -> Fields:
    return {
        "attempt": event.attempt,
        "model": event.model,
        "input_tokens": event.usage.input,
        "output_tokens": event.usage.output,
        **_cost(event.cost),
        "first_token_s": event.first_token_s,
        "latency_s": round(event.latency_s, 3),
        "confidence": round(event.confidence.value, 3) if event.confidence else None,
        "finish_reason": event.finish_reason,
        "from_cache": event.from_cache or None,
    }


def _failure(event: AttemptFailed) -> Fields:
    return {
        "attempt": event.attempt,
        "model": event.model,
        "error": event.error.kind,
        "status": event.error.status,
        "retry_after_s": event.error.retry_after_s,
        "latency_s": round(event.latency_s, 3),
        **_cost(event.cost),
        "next": event.next,
    }


def _cost(cost: Cost) -> Fields:
    return {"cost_usd": usd(cost.amount), "cost_state": cost.state}
