"""What a recipe's rounds have answered, in a file of its own until all of it is done: what was paid for outlasts the
program, however that ends, and is gone on from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import locations
from ..library.tasks import Task
from ..opening import from_json
from ..routing.event_json import usd
from ..services.exporting import file_name
from ..services.feedback import Given
from .recipe import RecipeError
from .running import Advance, Known


class Journal:
    """JSON lines: first what was asked, then each round as it ends. Begun with the first of them; where the file cannot
    be written there is none."""

    def __init__(self, recipe: str, said: Mapping[str, Sequence[str]], at: datetime) -> None:
        """`recipe`: its name."""
        self.path: Path | None = None
        """Where it is, once there is something in it."""
        self.recipe = recipe
        self.said = {key: list(values) for key, values in said.items()}
        self.taken = 0
        """Answers that were gone on from."""
        self.kept = 0
        """Answers in the file."""
        self.last: tuple[Given, str] | None = None
        """Where the last of them came from, and whose it is."""
        self._answers: dict[tuple[str, str], list[str]] = {}
        self._name = file_name(f"{recipe} {at:%Y-%m-%d %H%M%S} {os.getpid()}", "recipe", "jsonl")

    @classmethod
    def read(cls, path: Path, at: datetime) -> Journal:
        """Of one that did not come to its end, which it goes on in. Blocks. Raises RecipeError."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            asked, *rounds = (from_json(line) for line in lines)
            said = {str(key): [str(value) for value in values] for key, values in asked["said"].items()}
            journal = cls(str(asked["recipe"]), said, at)
            for one in rounds:
                journal._answers.setdefault((one["step"], one["asked"]), []).append(str(one["text"]))
                journal.last = (str(one["request_id"]), int(one.get("attempt", 1))), str(one["model"])
            journal.kept = len(rounds)
        except OSError as error:
            raise RecipeError(f"{path} cannot be read: {error.strerror or error}") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise RecipeError(f"{path} is not what a recipe that came to nothing has left") from None
        journal.path = path
        return journal

    def known(self, step: str, task: Task) -> str | None:
        """What was answered to the same before; each answer once."""
        answer = _next(self._answers, step, task)
        self.taken += answer is not None
        return answer

    def peeked(self) -> Known:
        """As `known`, of which it takes nothing away: for what is only planned."""
        answers = {key: list(texts) for key, texts in self._answers.items()}
        return lambda step, task: _next(answers, step, task)

    def keep(self, advance: Advance) -> None:
        """Of the round that has just ended, if it gave an answer. Blocks for as long as a line takes to be written."""
        result = advance.result
        if result is None:
            return
        told = {
            "step": advance.step.id,
            "asked": _asked(result.task),
            "model": result.model,
            "cost_usd": usd(result.cost.amount),
            "request_id": result.task.id,
            "attempt": result.attempt,
            "text": result.text,
        }
        with contextlib.suppress(OSError, locations.LocationError):
            if self.path is None:
                path = locations.private(_left_in()) / self._name
                _write(path, {"recipe": self.recipe, "said": self.said})
                self.path = path
            _write(self.path, told)
        self.last = (result.task.id, result.attempt), result.model

    @property
    def told(self) -> str:
        """How to go on; '' where nothing is kept."""
        if self.path is None:
            return ""
        return f"What finished is kept, and is not asked again by: {self.command}"

    @property
    def command(self) -> str:
        """That goes on from the file."""
        return f"tui-orchestrator recipe run {shlex.quote(self.recipe)} --resume {shlex.quote(str(self.path))}"

    def drop(self) -> None:
        """It is kept elsewhere."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()


def left(at: datetime) -> list[Journal]:
    """Of all recipes that did not come to their end, those that still run among them, by name and time. Blocks."""
    found = []
    with contextlib.suppress(OSError, locations.LocationError):
        for path in sorted(_left_in().glob("*.jsonl")):
            with contextlib.suppress(RecipeError):
                found.append(Journal.read(path, at))
    return found


def _left_in() -> Path:
    return locations.data_dir() / "unfinished"


def _next(answers: Mapping[tuple[str, str], list[str]], step: str, task: Task) -> str | None:
    found = answers.get((step, _asked(task)))
    return found.pop(0) if found else None


def _asked(task: Task) -> str:
    """The same for the same prompt."""
    return hashlib.sha256(json.dumps([task.prompt, task.system]).encode()).hexdigest()[:32]


def _write(path: Path, line: Mapping[str, Any]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
        file.write(json.dumps(line) + "\n")
