"""Batches that clients submit: kept in files, so that they go on when the gateway is started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..batch import Batch, BatchError, BeingWritten, Line, Output, line_of, read_lines
from ..library import Orchestrator
from ..library.tasks import Task, money
from ..locations import HOME_VARIABLE, data_dir
from ..opening import from_json
from ..routing.errors import OrchestratorError, Unrecorded
from ..services.runtime import Runtime
from ..settings import write_privately
from ..storage.faults import StoreError, fault_of

_ID = re.compile(r"[0-9a-f]{32}")
MOST_LINES = 100_000


class Batches:
    def __init__(self, runtime: Runtime, directory: Path | None = None) -> None:
        self._runtime = runtime
        self._directory = directory or data_dir() / "batches"
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopped: dict[str, str] = {}
        """Why one is not going on, where it could not be written down for the other workers."""

    async def resume(self) -> None:
        """Goes on with those that have not ended. Of several gateways one does, by the file's lock."""
        for path in await asyncio.to_thread(self._unfinished):
            self._begin(path.stem)

    def _unfinished(self) -> list[Path]:
        found = sorted(self._directory.glob("*.json")) if self._directory.is_dir() else []
        return [path for path in found if _ID.fullmatch(path.stem) and not path.with_suffix(".ended").exists()]

    async def settle(self) -> None:
        """Waits until those under way have ended or stopped."""
        await asyncio.gather(*self._running.values())

    async def aclose(self) -> None:
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def submit(self, said: Mapping[str, Any]) -> str:
        """Its id. Raises ValueError or LookupError with a sentence, Unrecorded where it cannot be written down; nothing
        is kept then."""
        lines = said.get("lines")
        if unknown := next((key for key in said if key not in ("lines", "max_cost_usd", "at_once")), None):
            raise ValueError(f"{unknown}: is an unknown key; there are lines, max_cost_usd and at_once")
        if not isinstance(lines, list) or not 1 <= len(lines) <= MOST_LINES:
            raise ValueError(f"lines: must be a list of 1 to {MOST_LINES:,} objects")
        cost, at_once = _limits({"max_cost_usd": None, "at_once": 8, **said})
        seen: set[str] = set()
        for number, one in enumerate(lines, 1):
            try:
                line = line_of(one, number, Task(""), self._runtime.registry, None)
            except (ValueError, LookupError) as error:
                raise ValueError(f"lines[{number - 1}]: {error.args[0]}") from None
            if line.id in seen:
                raise ValueError(f"lines[{number - 1}]: the id {line.id!r} is that of an earlier line already")
            seen.add(line.id)
        id_ = uuid.uuid4().hex
        try:
            await asyncio.to_thread(self._keep, id_, {"max_cost_usd": cost, "at_once": at_once}, lines)
        except OSError as error:
            fault = self._fault(error)
            sentence = f"Nothing is called, since the batch could not be written down: {fault.path} {fault.what}."
            raise Unrecorded(sentence, hint=f"{fault.remedy[0].upper()}{fault.remedy[1:]}.") from error
        self._begin(id_)
        return id_

    def _keep(self, id_: str, wanted: Mapping[str, Any], lines: list[Any]) -> None:
        """Both files or none; that of the lines first, since the other one makes it a batch. Raises OSError."""
        written = "".join(json.dumps(line, default=float) + "\n" for line in lines)
        try:
            write_privately(self._path(id_, ".jsonl"), written)
            write_privately(self._path(id_, ".json"), json.dumps(wanted))
        except BaseException:
            with contextlib.suppress(OSError):
                self._path(id_, ".jsonl").unlink()
            raise

    def _fault(self, error: OSError) -> StoreError:
        """Why nothing can be written here."""
        elsewhere = f"let {HOME_VARIABLE} name a directory on another disk"
        return fault_of(error, self._directory, writable="make that directory writable", elsewhere=elsewhere)

    def _path(self, id_: str, suffix: str) -> Path:
        return self._directory / f"{id_}{suffix}"

    def _begin(self, id_: str) -> None:
        task = asyncio.create_task(self._run(id_))
        self._running[id_] = task
        task.add_done_callback(lambda _: self._running.pop(id_, None))

    async def _run(self, id_: str) -> None:
        try:
            why = await self._outcome(id_)
        except BeingWritten:
            return  # another worker runs it
        except OrchestratorError as error:
            why = str(error)
        except OSError as error:
            why = str(self._fault(error))
        if why:
            await asyncio.to_thread(self._stop, id_, why)

    async def _outcome(self, id_: str) -> str:
        """Why it did not come to its end; '' where it did. Raises OrchestratorError, OSError."""
        cost, at_once = await asyncio.to_thread(self._wanted, id_)
        lines = await asyncio.to_thread(self._lines, id_)
        with Output(self._path(id_, ".out.jsonl")) as output:
            await asyncio.to_thread(self._path(id_, ".stopped").unlink, missing_ok=True)
            orchestrator = Orchestrator.over(self._runtime)
            batch = Batch(orchestrator, lines, output, at_once=at_once)
            if cost is not None:
                orchestrator.set_cap(cost, "the batch's cap")
            progress = await batch.run()
        if progress.stopped:
            return progress.stopped.why
        await asyncio.to_thread(self._path(id_, ".ended").touch, 0o600)
        return ""

    def _stop(self, id_: str, why: str) -> None:
        try:
            write_privately(self._path(id_, ".stopped"), why)
        except OSError:
            self._stopped[id_] = why

    def _why(self, id_: str) -> str | None:
        """Why it is not going on; None where it is."""
        try:
            return self._path(id_, ".stopped").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return self._stopped.get(id_)

    def _wanted(self, id_: str) -> tuple[str | None, int]:
        """Its cap and how many lines at once. Raises BatchError where they are not there as `_keep` wrote them."""
        path = self._path(id_, ".json")
        try:
            return _limits(from_json(path.read_bytes()))
        except OSError as error:
            raise BatchError(f"{path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            lines = self._path(id_, ".jsonl")
            sentence = f"{path} is damaged, so that the batch's cap is not known; submit the lines of {lines} again"
            raise BatchError(sentence) from None

    def _lines(self, id_: str) -> list[Line]:
        return read_lines(self._path(id_, ".jsonl"), Task(""), self._runtime.registry)

    async def status(self, id_: str, *, with_results: bool = False) -> dict[str, Any] | None:
        """None: there is none with that id."""
        if not _ID.fullmatch(id_):
            return None
        return await asyncio.to_thread(self._status, id_, with_results)

    def _status(self, id_: str, with_results: bool) -> dict[str, Any] | None:
        if not self._path(id_, ".json").exists():
            return None
        lines, records = 0, []
        with contextlib.suppress(FileNotFoundError):
            lines = sum(1 for line in self._path(id_, ".jsonl").read_bytes().split(b"\n") if line.strip())
        with contextlib.suppress(FileNotFoundError):
            written = self._path(id_, ".out.jsonl").read_text(encoding="utf-8")
            records = [json.loads(line) for line in written.split("\n")[:-1]]
        failed = sum(record["status"] == "failed" for record in records)
        ended = self._path(id_, ".ended").exists()
        why = None if ended else self._why(id_)
        known = sum(record["cost_usd"] or 0 for record in records)
        return {
            "id": id_,
            "status": "ended" if ended else "running" if why is None else "stopped",
            "why": why,
            "lines": lines,
            "answered": len(records) - failed,
            "failed": failed,
            "left": max(0, lines - len(records)),
            "cost_usd": round(known, 12),
            "cost_unknown": sum(record["cost_usd"] is None for record in records),
            **({"results": records} if with_results else {}),
        }


def _limits(said: Mapping[str, Any]) -> tuple[str | None, int]:
    """The cap in US dollars and how many lines at once. Raises ValueError with a sentence, KeyError where one is not
    there."""
    cost, at_once = said["max_cost_usd"], said["at_once"]
    if not isinstance(at_once, int) or isinstance(at_once, bool) or not 1 <= at_once <= 256:
        raise ValueError("at_once: must be a whole number from 1 to 256")
    if cost is None:
        return None, at_once
    if isinstance(cost, bool) or not isinstance(cost, str | int | Decimal):
        raise ValueError("max_cost_usd: must be an amount in US dollars, such as 0.05")
    try:
        money(cost)
    except ValueError as error:
        raise ValueError(f"max_cost_usd: {error}") from None
    return str(cost), at_once
