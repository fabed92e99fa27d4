"""The file that a batch writes, a line for each that ended, and its journal: what stands in it is not asked again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from ..library.tasks import Result, TaskFailed
from ..opening import from_json
from ..routing.event_json import error_json, usd
from ..routing.text import clean_line
from ..storage.appended import Appended
from ..storage.presence import is_locked
from .lines import BatchError, Line

Record = Mapping[str, Any]
ANSWERED, FAILED = "answered", "failed"
_BEGINS = b'{"id":'
"""Every line, as it is written here."""


class BeingWritten(BatchError):
    """Another batch has the file."""


class Output:
    """Open it with `with`; one program at a time may. All of it is blocking, for a thread."""

    def __init__(self, path: Path, *, retry_failed: bool = False) -> None:
        """`retry_failed`: what failed before is taken out, to be asked again."""
        self.path = path
        self._retry_failed = retry_failed
        self._file: Appended | None = None
        self.ended: dict[str, str] = {}
        """The ids of the lines that are in it, and whether each was answered or failed."""
        self.errors: dict[str, str] = {}
        """By the ids of those that failed, what is said of it."""
        self.session: str | None = None
        """The one that earlier runs counted towards."""

    def __enter__(self) -> Output:
        """Raises BatchError for a file that no batch wrote or that cannot be written, BeingWritten for one that another
        writes."""
        try:
            self._file = Appended(self.path)
            self._take_up(self._file)
        except BlockingIOError:
            sentence = f"{self.path} is being written by another batch; wait for it or name another -o"
            raise BeingWritten(sentence) from None
        except OSError as error:
            self._close()
            raise BatchError(f"{self.path} cannot be written: {error.strerror}") from None
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _take_up(self, file: Appended) -> None:
        data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        lines, torn, kept = whole.splitlines(keepends=True), data[len(whole) :], []
        for number, line in enumerate(lines, 1):
            record = _record(line)
            if record is None:
                raise self._of_another(number)
            self.session = record["session"]
            if record["status"] == FAILED and self._retry_failed:
                continue
            kept.append(line)
            self._count(record)
        # What a killed program or a power cut has left of a write.
        if not _BEGINS.startswith(torn[: len(_BEGINS)].rstrip(b"\0")):
            raise self._of_another(len(lines) + 1)
        if len(kept) < len(lines):
            file.replace(b"".join(kept))
        elif torn:
            file.cut(len(whole))

    def _of_another(self, number: int) -> BatchError:
        return BatchError(f"{self.path}:{number}: was not written by a batch; name another file with -o")

    def write(self, record: Record) -> None:
        """One line, which a killed program has written whole or not. Raises OSError."""
        assert self._file is not None
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        self._file.append(line.encode("utf-8", "backslashreplace") + b"\n")
        self._count(record)

    def _count(self, record: Record) -> None:
        self.ended[record["id"]] = record["status"]
        if record["status"] == FAILED:
            error = record.get("error")
            said = error.get("message") if isinstance(error, Mapping) else None
            self.errors[record["id"]] = clean_line(str(said or "failed"), 300)


def being_written(path: Path) -> bool:
    """By this program or another. Blocking."""
    try:
        return is_locked(path)
    except OSError:
        return False


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = from_json(line)
    except ValueError:
        return None
    ours = isinstance(record, dict) and isinstance(record.get("id"), str) and isinstance(record.get("session"), str)
    return record if ours and record.get("status") in (ANSWERED, FAILED) else None


def record_of(line: Line, ended: Result | TaskFailed, session: str) -> Record:
    """What stands in the file of a line that ended. Amounts are numbers of US dollars, null where not known."""
    known = {"id": line.id, "line": line.number, "session": session, "request_id": line.task.id}
    cost = {"cost_usd": usd(ended.cost.amount), "cost_state": ended.cost.state.value, "attempts": len(ended.attempts)}
    metadata = {} if line.metadata is None else {"metadata": line.metadata}
    if isinstance(ended, TaskFailed):
        error = {**error_json(ended.error), "hint": ended.error.hint}
        return {**known, "status": FAILED, "error": error, "partial": ended.partial, **cost, **metadata}
    return {
        **known,
        "status": ANSWERED,
        "response": ended.text,
        "model": ended.model,
        "strategy": ended.strategy,
        **cost,
        "input_tokens": ended.usage.input,
        "output_tokens": ended.usage.output,
        "latency_s": round(ended.latency_s, 3),
        "confidence": round(ended.confidence.value, 3),
        **({"note": ended.note} if ended.note else {}),
        **metadata,
    }
