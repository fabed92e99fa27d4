"""What a console was asking when it ended, by a crash or by hand: kept from the first line to the last."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..library.orchestrator import AT_ONCE
from ..library.tasks import Task
from ..routing.money import Money
from ..storage.batches import Unfinished
from .output import being_written

if TYPE_CHECKING:
    from ..services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Wanted:
    file: Path
    output: Path
    defaults: Task
    """What lines that do not say it are asked with: of it the system text, strategy and model come back."""
    max_cost: Money | None = None
    """For all runs together."""
    at_once: int = AT_ONCE


class Left:
    """All methods raise StoreError."""

    def __init__(self, runtime: Runtime) -> None:
        self._kept = Unfinished(runtime.database)
        self._clock = runtime.clock

    async def keep(self, wanted: Wanted) -> None:
        await self._kept.keep(str(wanted.output.resolve()), _to_json(wanted), self._clock.now())

    async def remove(self, wanted: Wanted) -> None:
        await self._kept.remove(str(wanted.output.resolve()))

    async def all(self) -> tuple[Wanted, ...]:
        """Those that no program is asking now."""
        found = [_from_json(said) for said in await self._kept.all()]
        return await asyncio.to_thread(lambda: tuple(one for one in found if not being_written(one.output)))


def _to_json(wanted: Wanted) -> dict[str, Any]:
    defaults = wanted.defaults
    return {
        "file": str(wanted.file.resolve()),
        "output": str(wanted.output.resolve()),
        "system": defaults.system,
        "strategy": None if defaults.strategy is None else str(defaults.strategy),
        "model": defaults.model,
        "max_cost": None if wanted.max_cost is None else wanted.max_cost.picodollars,
        "at_once": wanted.at_once,
    }


def _from_json(said: Mapping[str, Any]) -> Wanted:
    defaults = Task("?", system=said["system"], strategy=said["strategy"], model=said["model"])
    most = None if said["max_cost"] is None else Money(said["max_cost"])
    return Wanted(Path(said["file"]), Path(said["output"]), defaults, most, said["at_once"])
