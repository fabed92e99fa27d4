"""What routing asks of the world. Providers and storage implement these; routing knows nothing else of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from .budget import BudgetState, Cap, Hold, Refusal, Reservation
from .decision import Decision
from .events import Attempt, Completed, Failed, FinishReason
from .model import Model
from .money import Money, Usage
from .request import Message, Request, Shape
from .tools import FREE, Tool, ToolChoice

if TYPE_CHECKING:
    from .answer_key import Question
    from .health import SharedCircuit
    from .ratelimit import NamedLimit


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `total` bounds a whole attempt, first byte to last; `turn` all that a turn does."""

    connect: float = 10.0
    first_token: float = 60.0
    between_tokens: float = 30.0
    total: float = 600.0
    turn: float = 1200.0


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent to one model, once."""

    model: Model
    messages: tuple[Message, ...]
    system: str = ""
    max_tokens: int = 4096
    """Reasoning included."""
    temperature: float | None = None
    timeouts: Timeouts = Timeouts()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = FREE
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A piece of the answer, as it came: not yet cleaned of control characters."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingPiece:
    text: str


@dataclass(frozen=True, slots=True)
class CallPiece:
    """A piece of a call of a tool, as it came. Id and name come with its first piece, and never again."""

    index: int
    """Of the call within the answer, from 0."""
    arguments: str = ""
    """The next piece of its JSON text."""
    id: str = ""
    """Empty: the provider gives none."""
    name: str = ""
    signature: str = ""
    """As in ToolCall."""


@dataclass(frozen=True, slots=True)
class Done:
    """The last piece of every good stream, exactly once. A stream that ends without the provider's own closing marker
    raises StreamBroken instead."""

    finish_reason: FinishReason
    usage: Usage | None
    """None where the provider reported none; the router then estimates it."""
    billed: Money | None = None
    """What the provider says it charged."""
    served_by: str | None = None
    """The model that actually answered, where the provider names it."""
    mean_logprob: float | None = None
    """Mean log-probability of the output tokens, where given."""
    tier: str = ""
    """The service tier it was served in, where that is not the usual one: 'flex', 'priority', 'fast'."""


@dataclass(frozen=True, slots=True)
class UsageSoFar:
    """Usage the provider reported before the end. Each replaces the last; it prices a stream that breaks or is
    cancelled."""

    usage: Usage
    billed: Money | None = None
    """What the provider says it has charged so far."""
    tier: str = ""
    """As in Done."""


Piece = TextPiece | ThinkingPiece | CallPiece | UsageSoFar | Done


class Provider(Protocol):
    """One place models are served. Stateless between calls but for its HTTP connections."""

    name: str

    async def ready(self) -> None:
        """Loads what only the first call would have to wait for, such as an SDK."""
        ...

    def stream(self, call: Call) -> AsyncIterator[Piece]:
        """Sends one request when first iterated. Raises nothing but TurnError and CancelledError; cancelling the task
        that reads closes the connection at once. Never retries. The router owns all deadlines but `connect`."""
        ...

    async def aclose(self) -> None: ...


class Ledger(Protocol):
    """The durable record. Every method returns when what it says is on disk, and raises NotKept where it cannot be."""

    async def budgets(self, caps: Sequence[Cap]) -> tuple[BudgetState, ...]:
        """What counts towards each cap now, in the given order."""
        ...

    async def reserve(self, hold: Hold) -> Reservation | Refusal:
        """Sets the amount aside in all its caps or in none, in one transaction over all processes."""
        ...

    async def release(self, reservation: Reservation) -> None:
        """Nothing was called with it, and nothing is booked."""
        ...

    async def sent(self, reservation: Reservation) -> None:
        """Its call goes out now: to be said before the first byte does. Of a program that is killed, a call of which
        this was said is booked with what it may have cost, and of any other the money is freed."""
        ...

    async def held_up(self, reservation: Reservation) -> None:
        """A call that was to go out `at_once` waits all the same: takes back what was said of it."""
        ...

    async def book(self, attempt: Attempt, reservation: Reservation | None) -> tuple[BudgetState, ...]:
        """Writes the row, adds its cost to every cap and frees the reservation, in one transaction. An attempt is
        booked once: a second row for (request, number) changes nothing. Returns the reservation's caps afterwards
        (of a row without one: nothing)."""
        ...

    async def decided(self, decision: Decision, request: Request, at: datetime) -> None: ...

    async def concluded(self, end: Completed | Failed) -> None:
        """Adds the outcome to the stored decision, and to the rows of its attempts what was found of their answers
        after these were booked."""
        ...


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    model: str
    text: str
    thinking: str
    usage: Usage
    cost: Money | None
    finish_reason: FinishReason
    stored: datetime
    mean_logprob: float | None = None
    """As `Done` had it, so that the answer can be judged anew by all there is to judge it by."""
    prompt: str = ""
    """The prompt it answered, where that is not the one asked now."""
    similarity: float | None = None
    """Of the two, as a cosine."""


class SharedHealth(Protocol):
    """What the copies of the program tell each other of models that fail. Every method raises nothing: a copy that can
    neither read nor write goes by what it has seen itself."""

    async def read(self) -> Sequence[SharedCircuit] | None:
        """Those that are not closed; None where that cannot be known."""
        ...

    async def tell(self, circuits: Sequence[SharedCircuit]) -> None:
        """How they stand now. Whoever tried one has ended."""
        ...

    async def claim(self, circuit: SharedCircuit) -> bool:
        """Whether the call at hand may try it: of all copies one, until it tells or is no more."""
        ...

    async def forget(self) -> None:
        """All are closed."""
        ...


@dataclass(frozen=True, slots=True)
class SharedPlace:
    """In the line that all copies of the program stand in."""

    seconds: float
    """Until it is due, as of when it was given."""
    ticket: object = None
    """What it is given back by."""


class SharedLine(Protocol):
    """One line for the rate limits of all copies. Every method raises nothing: a copy that cannot ask goes by its own
    line alone."""

    async def claim(self, provider: str, limits: Sequence[NamedLimit], tokens: int) -> SharedPlace | None:
        """A place under all these limits at once; None where there is no line to stand in."""
        ...

    async def give_back(self, place: SharedPlace) -> None: ...


class AnswerCache(Protocol):
    """Both methods raise nothing: what cannot be read was never kept, and what cannot be kept is not."""

    async def get(self, question: Question) -> CachedAnswer | None:
        """None when there is none or it is past its time to live."""
        ...

    async def put(self, question: Question, answer: CachedAnswer) -> None: ...


class Clock(Protocol):
    """Time, so that tests own it."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def today(self) -> date:
        """The user's local date."""
        ...

    def local(self, at: datetime) -> datetime:
        """The same instant in the user's zone, as it is there then."""
        ...

    def midnight(self, day: date) -> datetime:
        """When the user's local day begins: aware. Days that turn to or from daylight-saving time are not 24 hours."""
        ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...
