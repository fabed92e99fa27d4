"""What a recipe's rounds have answered, in a file of its own until all of it is done: what was paid for outlasts the
program, however that ends, and is gone on from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import locations
from ..library.tasks import Task
from ..opening import from_json, opened
from ..routing.event_json import usd
from ..services.exporting import file_name
from ..services.feedback import Given
from ..storage.appended import Appended
from .recipe import RecipeError
from .running import Advance, Known


class Journal:
    """JSON lines: first what was asked, then each round as it ends. Begun with the first of them. What could not be
    written is in `unkept`; of what a full disk or a power cut has torn, the lines that are whole are gone on from."""

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
        self.torn = 0
        """Lines that were found in it and are no whole records: what they held is asked again."""
        self.unkept: list[Advance] = []
        """Rounds whose answers are not in it, because it could not be written."""
        self.last: tuple[Given, str] | None = None
        """Where the last of them came from, and whose it is."""
        self.program: tuple[str, ...] = ("tui-orchestrator",)
        """As it was called, with what chooses its settings: how going on is told."""
        self._answers: dict[tuple[str, str], list[str]] = {}
        self._why = ""
        self._name = file_name(f"{recipe} {at:%Y-%m-%d %H%M%S} {secrets.token_hex(4)}", "recipe", "jsonl")
        self._file: Appended | None = None
        """While no other program may go on from it."""

    @classmethod
    def read(cls, path: Path, at: datetime) -> Journal:
        """Of one that did not come to its end, or that still runs: to be looked at, and gone on in once it is held.
        Blocks. Raises RecipeError."""
        journal = cls("", {}, at)
        journal.path = path
        try:
            with opened(path) as file:
                journal._take_in(path, file.read())
        except OSError as error:
            raise RecipeError(f"{path} cannot be read: {error.strerror or error}") from None
        return journal

    def _take_in(self, path: Path, data: bytes) -> None:
        found = [_record(line) for line in data.split(b"\n") if line.strip()]
        answers = [one for one in found if isinstance(one, _Answer)]
        asked = next((one for one in found if isinstance(one, _Asking)), None)
        if asked is None:
            whole = f"; answers that can still be read in it: {len(answers):,}" if answers else ""
            raise RecipeError(f"{path} is not what a recipe that came to nothing has left{whole}")
        self._answers = {}
        for one in answers:
            self._answers.setdefault((one.step, one.asked), []).append(one.text)
            self.last = one.by
        self.recipe, self.said = asked.recipe, asked.said
        self.kept, self.torn = len(answers), found.count(None)

    def hold(self) -> None:
        """Until it is closed or dropped, or the program dies, no other goes on from it; with what has come into it
        since it was read. Blocks. Raises RecipeError, also where another holds it."""
        if self._file is not None or self.path is None:
            return
        try:
            self._file = Appended(self.path, create=False)
            self._take_in(self.path, self._file.read())
        except BlockingIOError:
            raise RecipeError(f"{self.path} is of a recipe that still runs; let it end, or stop it there") from None
        except OSError as error:
            self.close()
            raise RecipeError(f"{self.path} cannot be gone on in: {error.strerror or error}") from None
        except RecipeError:
            self.close()
            raise

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def known(self, step: str, task: Task) -> str | None:
        """What was answered to the same before; each answer once. Raises RecipeError as `hold` does."""
        self.hold()
        answer = _next(self._answers, step, task)
        self.taken += answer is not None
        return answer

    def peeked(self) -> Known:
        """As `known`, of which it takes nothing away: for what is only planned."""
        answers = {key: list(texts) for key, texts in self._answers.items()}
        return lambda step, task: _next(answers, step, task)

    def keep(self, advance: Advance) -> None:
        """Of the round that has just ended, if it gave an answer, and of those before it that could not be kept. Blocks
        for as long as a line takes to be written."""
        if advance.result is None:
            return
        self.last = (advance.result.task.id, advance.result.attempt), advance.result.model
        self.unkept.append(advance)
        if self._wrote(advance):
            self.unkept.pop()
            self.keep_rest()

    def keep_rest(self) -> None:
        """Tries again what could not be kept. Blocks."""
        self.unkept = [one for one in self.unkept if not self._wrote(one)]

    def _wrote(self, advance: Advance) -> bool:
        result = advance.result
        assert result is not None
        told = {
            "step": advance.step.id,
            "asked": _asked(result.task),
            "model": result.model,
            "cost_usd": usd(result.cost.amount),
            "request_id": result.task.id,
            "attempt": result.attempt,
            "text": result.text,
        }
        try:
            path = self.path or locations.private(_left_in()) / self._name
            self._append(path, told)
            self.path = path
        except OSError as error:
            self._why = error.strerror or str(error)
            return False
        except locations.LocationError as error:
            self._why = str(error)
            return False
        self.kept += 1
        return True

    def _append(self, path: Path, told: Mapping[str, Any]) -> None:
        """Below the first line where there is none yet; a line that was torn before is ended. Raises OSError."""
        if self._file is None or not self._file.there:
            self.close()
            self._file = Appended(path)
        data = json.dumps(told).encode() + b"\n"
        empty = not self._file.size
        if empty:
            data = json.dumps({"recipe": self.recipe, "said": self.said}).encode() + b"\n" + data
        elif not self._file.whole:
            data = b"\n" + data
        try:
            self._file.append(data)
        except OSError:
            if empty:
                _remove(path)
                self.close()
            raise

    @property
    def lost(self) -> str:
        """Which answers could not be kept, and why; '' where all are."""
        if not self.unkept:
            return ""
        counted = Counter(one.step.id for one in self.unkept)
        named = ", ".join(f"{answers(count)} of {step}" for step, count in counted.items())
        return f"NOT kept ({self._why}): {named}. Their text stands here alone; going on asks, and pays, again."

    @property
    def torn_told(self) -> str:
        """'' where all that was found in the file is whole."""
        if not self.torn:
            return ""
        lines = "1 line of it is" if self.torn == 1 else f"{self.torn:,} lines of it are"
        return f"{lines} not whole, and left out"

    @property
    def told(self) -> str:
        """What is not kept, and how to go on with what is; '' where there is nothing of either."""
        if self.path is None:
            return self.lost
        what = f"{self.lost} What else finished" if self.lost else "What finished"
        return f"{what} is kept, and is not asked again by: {self.command}"

    @property
    def command(self) -> str:
        """That goes on from the file."""
        return shlex.join([*self.program, "recipe", "run", self.recipe, "--resume", str(self.path)])

    def drop(self) -> None:
        """It is kept elsewhere."""
        if self.path is not None:
            _remove(self.path)
        self.close()


@dataclass(frozen=True, slots=True)
class _Asking:
    recipe: str
    said: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class _Answer:
    step: str
    asked: str
    text: str
    by: tuple[Given, str]


def left(at: datetime) -> tuple[list[Journal], list[str]]:
    """Of all recipes that did not come to their end, those that still run among them, by name and time; and sentences
    about files that cannot be gone on from. Blocks."""
    found, problems = [], []
    with contextlib.suppress(OSError, locations.LocationError):
        for path in sorted(_left_in().glob("*.jsonl")):
            try:
                found.append(Journal.read(path, at))
            except RecipeError as error:
                problems.append(str(error))
    return found, problems


def answers(count: int) -> str:
    return f"{count:,} answer{'' if count == 1 else 's'}"


def _left_in() -> Path:
    return locations.data_dir() / "unfinished"


def _next(answers: Mapping[tuple[str, str], list[str]], step: str, task: Task) -> str | None:
    found = answers.get((step, _asked(task)))
    return found.pop(0) if found else None


def _asked(task: Task) -> str:
    """The same for the same prompt."""
    return hashlib.sha256(json.dumps([task.prompt, task.system]).encode()).hexdigest()[:32]


def _record(line: bytes) -> _Asking | _Answer | None:
    """None for what is no whole one."""
    try:
        one = from_json(line)
        if "recipe" in one:
            said = {str(key): [str(value) for value in values] for key, values in one["said"].items()}
            return _Asking(str(one["recipe"]), said)
        by = (str(one["request_id"]), int(one.get("attempt", 1))), str(one["model"])
        return _Answer(str(one["step"]), str(one["asked"]), str(one["text"]), by)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
