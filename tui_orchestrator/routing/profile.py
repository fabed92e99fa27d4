"""What a prompt looks like: task type, difficulty, needs, size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import overload


class TaskType(StrEnum):
    CODE = "code"
    CODE_REFACTOR = "code_refactor"
    DEBUGGING = "debugging"
    MATH = "math"
    REASONING = "reasoning"
    RESEARCH = "research"
    ANALYSIS = "analysis"
    PLANNING = "planning"
    CREATIVE = "creative"
    SUMMARIZATION = "summarization"
    TRANSLATION = "translation"
    EXTRACTION = "extraction"
    EVALUATION = "evaluation"
    PROBLEM_GENERATION = "problem_generation"
    COMPLETION = "completion"
    SIMPLE_QA = "simple_qa"
    CONVERSATION = "conversation"
    LONG_CONTEXT = "long_context"
    MULTIMODAL = "multimodal"

    # Of an enumeration's own, written in Python, a lookup takes five times as long.
    __hash__ = str.__hash__


class Level(StrEnum):
    """Of a prompt: how much it asks. Of a model: how much it can do."""

    BASIC = "basic"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"
    EXPERT = "expert"

    # As in TaskType.
    __hash__ = str.__hash__

    @classmethod
    def of_complexity(cls, complexity: int) -> Level:
        """From 1–10: basic 1–3, intermediate 4–5, advanced 6–7, expert 8–10."""
        if complexity <= 3:
            return cls.BASIC
        if complexity <= 5:
            return cls.INTERMEDIATE
        return cls.ADVANCED if complexity <= 7 else cls.EXPERT


class Ability(StrEnum):
    """Something a model can do and a prompt can need."""

    VISION = "vision"
    TOOLS = "tools"
    STRUCTURED_OUTPUT = "structured_output"
    LONG_CONTEXT = "long_context"
    THINKING = "thinking"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One feature of the prompt and which way it pushed."""

    feature: str
    """In words: 'asks for a proof', '3 code blocks'."""
    effect: float
    """On difficulty, −1 to 1; 0 where it only spoke for the task type."""


class Told(Sequence[Evidence]):
    """Evidence that is worked out when somebody reads it: no decision has need of it, and each keystroke makes one."""

    __slots__ = ("_found", "_tell")

    def __init__(self, tell: Callable[[], Iterable[Evidence]]) -> None:
        self._tell = tell
        self._found: tuple[Evidence, ...] | None = None

    def _all(self) -> tuple[Evidence, ...]:
        if self._found is None:
            self._found = tuple(self._tell())
        return self._found

    @overload
    def __getitem__(self, at: int) -> Evidence: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Evidence, ...]: ...
    def __getitem__(self, at: int | slice) -> Evidence | tuple[Evidence, ...]:
        return self._all()[at]

    def __iter__(self) -> Iterator[Evidence]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


@dataclass(frozen=True, slots=True)
class Published:
    """What published outcomes of questions like the prompt say, whatever its difficulty is."""

    trust: float = 0.0
    """0 for everyday prompts to 1: how sure it is of a kind that outcomes were published of. So much of a success
    probability is what follows, the rest is worked out from difficulty and ability."""
    chances: Mapping[str, float] = field(default_factory=dict)
    """Of a good answer, by model; the names are those of `published.MODELS`."""
    kind: str = ""
    """The likeliest, in words."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What the estimated input is made of, as shares of it; the rest is ASCII letters and spaces."""

    signs: float = 0.0
    """ASCII signs and digits."""
    cjk: float = 0.0
    other: float = 0.0
    images: float = 0.0

    @property
    def letters(self) -> float:
        return max(0.0, 1 - self.signs - self.cjk - self.other - self.images)


@dataclass(frozen=True, slots=True)
class Profile:
    task_type: TaskType
    task_probabilities: Mapping[TaskType, float]
    """Sums to 1 over the types it names; types left out have probability 0."""
    difficulty: float
    """0–1, on the scale of the models' abilities; decides."""
    complexity: int
    """1–10, as a person would perceive it; shown."""
    input_tokens: int
    """Estimate for the whole conversation, system text and images included."""
    output_tokens: int
    """Expected length of a good answer."""
    needs: frozenset[Ability] = frozenset()
    evidence: Sequence[Evidence] = ()
    novelty: float = 0.0
    """0 like what the estimate was learned from, 1 unlike all of it; the estimate is worth that much less."""
    mix: Mix = Mix()
    """Of `input_tokens`: models differ in what they make of each script."""
    published: Published = Published()

    @property
    def level(self) -> Level:
        return Level.of_complexity(self.complexity)

    @property
    def task_confidence(self) -> float:
        return self.task_probabilities.get(self.task_type, 0.0)
