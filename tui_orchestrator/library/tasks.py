"""What a program asks of the router, and what it gets."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from ..routing.decision import Decision
from ..routing.errors import BudgetExceeded, OrchestratorError, TurnError
from ..routing.events import Attempt, Confidence, Failed, Verdict
from ..routing.model import Registry
from ..routing.money import Cost, Money, Usage
from ..routing.profile import TaskType
from ..routing.request import Check, Image, Message, Method, Request, Split, Strategy, tag_name
from ..routing.text import HALF_A_CHARACTER, full_stop, half_a_character
from ..routing.tools import FREE, LONGEST_NAME, NAME, Tool, ToolCall, ToolChoice
from ..services.attachments import Attachment, enclose

Usd = Money | Decimal | str | int
"""US dollars: '0.05', Decimal('0.05') or 1. Never a float, which loses cents."""


_Word = TypeVar("_Word", Strategy, Method, Check, TaskType)


def money(amount: Usd) -> Money:
    """Raises ValueError for what is no amount from zero."""
    found = amount if isinstance(amount, Money) else Money.from_usd(amount)
    if found.picodollars < 0:
        raise ValueError(f"{found} is below zero; give US dollars, such as '0.05'")
    return found


@dataclass(frozen=True, slots=True)
class Task:
    """One prompt and what is wanted of its answer. What is left out is as the user configured it."""

    prompt: str
    """Empty where the history ends with a tool's result: then that is what is answered."""
    system: str = ""
    history: Sequence[Message] = ()
    """The conversation before the prompt."""
    files: Sequence[Path | str] = ()
    """Text files and images that go along, read when the task is carried out."""
    images: Sequence[Image] = ()
    strategy: Strategy | str | None = None
    model: str | None = None
    """Pins a model: no other is tried."""
    chain: Sequence[str] | str = ()
    """Models to walk, the first first, or the name of a configured chain. Without a strategy it is walked as a chain of
    fallbacks: the next one answers where one fails or falls short."""
    ensemble_size: int = 3
    verdict: Method | str | None = None
    max_cost: Usd | None = None
    """For the whole task, all its attempts together."""
    max_tokens: int | None = None
    """Most output tokens of each attempt."""
    temperature: float | None = None
    check: Check | str | None = None
    self_consistency: int | None = None
    use_cache: bool | None = None
    tools: Sequence[Tool] = ()
    """That the answer may call: it then ends with `Result.calls`, and the program carries them out."""
    tool_choice: ToolChoice = FREE
    split: bool = False
    """Answered in parts where it is too long for every model: `route` tells how many, by whom, and at what cost."""
    tags: Sequence[str] = ()
    """For the user's rules."""
    task_type: TaskType | str | None = None
    """What kind of task it is, where the program knows better than the prompt's words tell."""
    difficulty: float | None = None
    """0-1, where the program knows how hard the task is: a long text in the prompt makes it look harder than what is to
    be done with it."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Comes back with the result as it is."""
    patience_s: float | None = None
    """How long each call may wait for its turn under a rate limit."""
    temporary: bool = False
    """Nothing of what is said is kept, only what it cost."""
    unattended: bool = False
    """Where a cap has no room nobody is asked to raise it, as somebody before a console would be; it waits for what
    other calls of this program have set aside."""
    priority: int = 0
    """Among the tasks of a batch the higher goes first."""
    apart: bool = False
    """It takes part in no experiment on the user's own turns."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def request(self, registry: Registry, session: str, attachments: Sequence[Attachment] = ()) -> Request:
        """Raises LookupError for a model or chain that is not there, ValueError for another value that is wrong."""
        enclosed = enclose(self.prompt, attachments)
        prompt = Message("user", enclosed.text, (*enclosed.images, *self.images))
        said = bool(prompt.text.strip() or prompt.images)
        if not said and not (self.history and self.history[-1].role == "tool"):
            raise ValueError("the prompt is empty; give the task a prompt")
        texts = {"prompt": self.prompt, "system": self.system, "history": [one.text for one in self.history]}
        if (at := half_a_character(texts)) is not None:
            raise ValueError(f"{at} {HALF_A_CHARACTER}")
        for name, least, most, what in _RANGES:
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name} is {value}; {what}")
        strategy = _word(Strategy, self.strategy, "strategy")
        self._check_tools(strategy)
        return Request(
            messages=(*self.history, prompt) if said else tuple(self.history),
            system=self.system,
            strategy=strategy,
            model=registry.find(self.model).id if self.model else None,
            chain=chain_of(registry, self.chain),
            ensemble_size=self.ensemble_size,
            verdict=_word(Method, self.verdict, "verdict"),
            max_cost=None if self.max_cost is None else money(self.max_cost),
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            check=_word(Check, self.check, "check"),
            self_consistency=self.self_consistency,
            session=session,
            tags=frozenset(tag_name(tag) for tag in self.tags),
            files=enclosed.files,
            use_cache=self.use_cache,
            tools=tuple(self.tools),
            tool_choice=self.tool_choice,
            split=Split.AGREED if self.split else Split.NEVER,
            task_type=_word(TaskType, self.task_type, "task_type"),
            difficulty=self.difficulty,
            patience_s=self.patience_s,
            temporary=self.temporary,
            unattended=self.unattended,
            apart=self.apart,
            metadata=self.metadata,
            id=self.id,
        )

    def _check_tools(self, strategy: Strategy | None) -> None:
        names = [tool.name for tool in self.tools]
        for name in names:
            if not NAME.fullmatch(name):
                raise ValueError(f"a tool is called {name!r}; take 1 to {LONGEST_NAME} letters, digits, - or _")
            if names.count(name) > 1:
                raise ValueError(f"two tools are called {name}; give each a name of its own")
        choice = self.tool_choice
        if choice.how == "named" and choice.name not in names:
            raise ValueError(f"tool_choice names {choice.name!r}; the tools are {', '.join(names) or 'none'}")
        if choice.how == "required" and not names:
            raise ValueError("tool_choice is required, and there are no tools to choose from")
        if strategy is Strategy.ENSEMBLE and (names or any(message.calls for message in self.history)):
            raise ValueError("the calls of several models cannot be put together; with tools take another strategy")
        _check_calls(self.history)


def _check_calls(history: Sequence[Message]) -> None:
    """Providers refuse a conversation in which a call has no result, or a result no call."""
    due: set[str] = set()
    for message in history:
        if message.role == "tool":
            if message.answers not in due:
                raise ValueError(f"a tool's result answers {message.answers!r}, which no call before it is called")
            due.discard(message.answers)
        elif due:
            break
        else:
            due = {call.id for call in message.calls}
    if due:
        raise ValueError(f"the result of the call {min(due)} is missing; add Message('tool', …, answers={min(due)!r})")


def _word(kind: type[_Word], said: str | None, name: str) -> _Word | None:
    if said is None:
        return None
    try:
        return kind(said)
    except ValueError:
        raise ValueError(f"{name} is {said!r}; it is one of {', '.join(kind)}") from None


def chain_of(registry: Registry, wanted: Sequence[str] | str) -> tuple[str, ...]:
    """Ids of the models of a chain. Raises LookupError with a sentence."""
    if isinstance(wanted, str):
        if wanted in registry.chains:
            return registry.chains[wanted]
        known = f"the chains are {', '.join(sorted(registry.chains))}" if registry.chains else "none is configured"
        raise LookupError(f"no chain is called {wanted!r}; {known}")
    return tuple(dict.fromkeys(registry.find(name).id for name in wanted))


_RANGES = (
    ("ensemble_size", 2, 8, "ask 2 to 8 models at once"),
    ("max_tokens", 1, math.inf, "it is a whole number from 1, or None for as many as configured"),
    ("temperature", 0, 2, "it is a number from 0 to 2"),
    ("difficulty", 0, 1, "it is a number from 0 to 1"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one member of an ensemble said."""

    model: str
    text: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Result:
    task: Task
    text: str
    model: str
    """Whose answer it is."""
    strategy: str
    cost: Cost
    """Of all attempts; `str(result.cost)` says it with its state."""
    usage: Usage
    """Of the answer's own attempt."""
    latency_s: float
    """From the beginning of the turn to its end."""
    confidence: Confidence
    decision: Decision
    attempts: tuple[Attempt, ...]
    """As they are in the ledger, those that failed too."""
    verdict: Verdict | None = None
    answers: tuple[Answer, ...] = ()
    """Of an ensemble's members that came to an end."""
    note: str = ""
    """What the user should know of this answer, such as that a better one was too dear."""
    calls: tuple[ToolCall, ...] = ()
    """Of the task's tools, for the program to carry out; `text` may be empty then. `arguments_of` reads what they are
    called with, which a model wrote and may be wrong."""
    attempt: int = 1
    """Number of the one among `attempts` whose answer it is."""

    @property
    def reason(self) -> str:
        """Why this model, in one sentence."""
        return self.decision.reason


class TaskFailed(OrchestratorError):
    """No answer came that could be kept. What was spent all the same is in `cost`."""

    def __init__(self, task: Task, failed: Failed) -> None:
        super().__init__(f"{full_stop(failed.error.message)} {failed.error.hint}")
        self.task = task
        self.error: TurnError = failed.error
        self.cost: Cost = failed.cost
        self.partial: str = failed.partial
        """What had come before it broke off."""
        self.attempts: tuple[Attempt, ...] = failed.attempts


class BudgetExceededError(TaskFailed):
    """A cap did not allow the call. Nothing was sent that would have passed it."""


def failure(task: Task, failed: Failed) -> TaskFailed:
    kind = BudgetExceededError if isinstance(failed.error, BudgetExceeded) else TaskFailed
    return kind(task, failed)
