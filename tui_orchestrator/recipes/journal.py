"""What a recipe's rounds have answered, in a file of its own until all of it is done: what was paid for outlasts the
program, however that ends."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import locations
from ..routing.event_json import usd
from ..services.exporting import file_name
from .recipe import Recipe
from .running import Advance


class Journal:
    """JSON lines: first what was asked, then each round as it ends. Begun with the first of them; where the file cannot
    be written there is none."""

    def __init__(self, recipe: Recipe, said: Mapping[str, Sequence[str]], at: datetime) -> None:
        self.path: Path | None = None
        """Where it is, once there is something in it."""
        self._name = file_name(f"{recipe.name} {at:%Y-%m-%d %H%M%S} {os.getpid()}", "recipe", "jsonl")
        self._asked = {"recipe": recipe.name, "said": {key: list(values) for key, values in said.items()}}

    def keep(self, advance: Advance) -> None:
        """Of the round that has just ended, if it gave an answer. Blocks for as long as a line takes to be written."""
        result = advance.result
        if result is None:
            return
        told = {
            "step": advance.step.id,
            "model": result.model,
            "cost_usd": usd(result.cost.amount),
            "request_id": result.task.id,
            "text": result.text,
        }
        with contextlib.suppress(OSError, locations.LocationError):
            if self.path is None:
                path = locations.private(locations.data_dir() / "unfinished") / self._name
                _write(path, self._asked)
                self.path = path
            _write(self.path, told)

    @property
    def told(self) -> str:
        """A sentence; '' where nothing is kept."""
        return f"What finished is kept in {self.path}." if self.path is not None else ""

    def drop(self) -> None:
        """It is kept elsewhere."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()


def _write(path: Path, line: Mapping[str, Any]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
        file.write(json.dumps(line) + "\n")
