"""Reserve before a call, settle after it: the caps a call falls under, and whether it fits.

The sums themselves live behind the `Ledger` port, which reserves and settles in one transaction across all running
copies of the program. Here is what is pure: which caps apply, how much room they leave, how a call is made to fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum, auto

from .model import Model
from .money import ZERO, Money, Price, Usage
from .request import Request


class WayOut(StrEnum):
    """What may be done when the call the strategy chose does not fit into a budget."""

    FEWER_TOKENS = "fewer_tokens"
    CHEAPEST = "cheapest"
    """Another model that fits; among those the strategy's own choice."""
    LOCAL = "local"
    REFUSE = "refuse"


WaysOut = tuple[WayOut, ...]
"""In the order they are tried. Each opens a way beside those before it, for the chosen model and all who may stand in:
after 'fewer_tokens' whoever comes later may be asked for fewer too. Whatever is left at the end is refused."""


def alone(word: WayOut) -> WaysOut:
    """What one word means that stands for a whole list: fewer tokens come first."""
    return tuple(dict.fromkeys((WayOut.FEWER_TOKENS, word, WayOut.REFUSE)))


def listed(words: Sequence[WayOut]) -> WaysOut:
    """Raises ValueError for an order that makes no sense."""
    if WayOut.REFUSE in words[:-1]:
        raise ValueError("nothing comes after 'refuse', which ends the list; put it last or leave it out")
    return tuple(dict.fromkeys((*words, WayOut.REFUSE)))


REFUSE = alone(WayOut.REFUSE)


@dataclass(frozen=True, slots=True)
class Budgets:
    """The user's caps. None: no cap; the spending is summed all the same."""

    per_request: Money | None = None
    session: Money | None = None
    daily: Money | None = None
    monthly: Money | None = None
    providers: Mapping[str, tuple[Money | None, Money | None]] = field(default_factory=dict)
    """Provider → (daily, monthly)."""
    models: Mapping[str, tuple[Money | None, Money | None]] = field(default_factory=dict)
    """Model id → (daily, monthly)."""
    alert_at: tuple[float, ...] = (0.5, 0.8, 0.95)
    """Shares of a cap, ascending."""
    on_exhausted: WaysOut = REFUSE
    allow_unpriced: bool = False
    """Whether a model whose price nobody knows may be called under a cap: what it costs then counts towards none."""
    unpriced_models: frozenset[str] = frozenset()
    """Ids of those that may, whatever `allow_unpriced` says."""
    raised: Mapping[tuple[str, str], Money] = field(default_factory=dict)
    """(scope, period) of a cap → what the user raised it to, for that period alone."""

    def with_cap_raised(self, cap: Cap, limit: Money) -> Budgets:
        """For this request, this session, this day or this month; the next begins with the configured cap."""
        return replace(self, raised={**self.raised, (cap.scope, cap.period): limit})

    def with_limit(self, scope: str, limit: Money) -> Budgets:
        """With the configured cap of this scope changed, for every period; what it was raised to no longer holds."""
        return self._with_configured(scope, limit).without_raises({scope})

    def without_raises(self, scopes: Collection[str]) -> Budgets:
        """With the configured caps of these scopes, whatever they were raised to."""
        return replace(self, raised={key: limit for key, limit in self.raised.items() if key[0] not in scopes})

    @property
    def limits(self) -> dict[str, Money]:
        """The configured caps there are, by scope."""
        plain = {"request": self.per_request, "session": self.session, "day": self.daily, "month": self.monthly}
        for kind, caps in (("provider", self.providers), ("model", self.models)):
            for name, (daily, monthly) in caps.items():
                plain |= {f"day {kind}:{name}": daily, f"month {kind}:{name}": monthly}
        return {scope: limit for scope, limit in plain.items() if limit is not None}

    def _with_configured(self, scope: str, limit: Money) -> Budgets:
        span, _, whose = scope.partition(" ")
        if not whose:
            field_of = {"request": "per_request", "session": "session", "day": "daily", "month": "monthly"}
            return replace(self, **{field_of[span]: limit})  # type: ignore[arg-type]
        kind, _, name = whose.partition(":")
        narrowed = self.providers if kind == "provider" else self.models
        daily, monthly = narrowed.get(name, (None, None))
        changed = {**narrowed, name: (limit, monthly) if span == "day" else (daily, limit)}
        return replace(self, providers=changed) if kind == "provider" else replace(self, models=changed)

    def may_be_unpriced(self, model_id: str) -> bool:
        return self.allow_unpriced or model_id in self.unpriced_models


@dataclass(frozen=True, slots=True)
class Cap:
    """One sum a call counts towards, with its limit where there is one. (scope, period) is its identity."""

    scope: str
    """'request', 'session', 'day', 'month', 'day provider:NAME', 'month model:ID' …"""
    period: str
    """The request's or session's id, '2026-11-21', '2026-11': dates are the user's local ones when it was booked."""
    limit: Money | None
    called: str = field(default="", compare=False)
    """For people, where it is another's than its scope says: "the batch's cap"."""

    @property
    def name(self) -> str:
        return self.called or cap_name(self.scope)


def cap_name(scope: str) -> str:
    """For people: "the day's cap", "the month's cap on openai"."""
    span, _, whose = scope.partition(" ")
    on = f" on {whose.partition(':')[2]}" if whose else ""
    return f"the {span}'s cap{on}"


class BudgetCondition(StrEnum):
    OK = "ok"
    ALERT = "alert"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A cap and what counts towards it now, over all running copies of the program."""

    cap: Cap
    spent: Money
    reserved: Money
    alert_at: tuple[float, ...] = ()
    others: Money | None = None
    """The part of `spent` that other machines spent, which share this cap; None: it is this one's alone."""

    @property
    def scope(self) -> str:
        return self.cap.scope

    @property
    def limit(self) -> Money | None:
        return self.cap.limit

    @property
    def left(self) -> Money | None:
        """What a further call may still reserve; None without a limit, never below zero."""
        if self.cap.limit is None:
            return None
        return max(ZERO, self.cap.limit - self.spent - self.reserved)

    @property
    def share(self) -> float | None:
        """Spent and reserved as a share of the limit; None without one."""
        if self.cap.limit is None:
            return None
        if not self.cap.limit:
            return 1.0
        return float(Decimal((self.spent + self.reserved).picodollars) / self.cap.limit.picodollars)

    @property
    def condition(self) -> BudgetCondition:
        if self.cap.limit is None:
            return BudgetCondition.OK
        if self.spent >= self.cap.limit:
            return BudgetCondition.EXHAUSTED
        share = float(Decimal(self.spent.picodollars) / self.cap.limit.picodollars)
        return BudgetCondition.ALERT if any(share >= at for at in self.alert_at) else BudgetCondition.OK


@dataclass(frozen=True, slots=True)
class Lost:
    """What is booked of a call whose program was killed before it could book it."""

    session: str
    strategy: str
    task_type: str
    cause: str
    price: Price | None
    usage: Usage
    """Estimated: the input, and the output expected where none of it was kept."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Money asked for before a call: the most it can cost."""

    request_id: str
    attempt: int
    provider: str
    model: str
    amount: Money
    caps: tuple[Cap, ...]
    lost: Lost | None = None
    """None: a call that dies with the program leaves no row."""
    at_once: bool = False
    """Nothing is waited for once the money is set aside: `Ledger.sent` is said with it, and not by itself."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money set aside. Settled exactly once, by booking the attempt it belongs to."""

    id: str
    hold: Hold
    states: tuple[BudgetState, ...]
    """Each cap of the hold, this reservation included."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing was set aside, because `blocking` has too little left."""

    hold: Hold
    states: tuple[BudgetState, ...]
    """Each cap of the hold, without the refused amount."""
    blocking: BudgetState
    least: Money | None = None
    """What the call needs with as few output tokens as are worth it; None where fewer are not allowed."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """A call that does not fit, as the user is told of it before it is refused."""

    model: str
    needs: Money
    """The most the call can cost."""
    state: BudgetState
    """The cap with the least left among those that are too tight; it has a limit."""
    least: Money | None = None
    """What it needs with fewer output tokens; None where fewer are not allowed."""
    members: tuple[str, ...] = ()
    """Of an ensemble: all that count towards that cap, whose sums the amounts are; `model` is the first of them."""
    without_raising: tuple[str, ...] = ()
    """Of an ensemble: those that fit as it is. The turn may go on with them alone."""
    request_id: str = ""
    """Of the turn that waits."""

    @property
    def limit(self) -> Money:
        """What that cap must be raised to for the whole call to fit."""
        return self.state.spent + self.state.reserved + self.needs

    @property
    def least_limit(self) -> Money:
        """What lets it fit at all."""
        return self.state.spent + self.state.reserved + (self.least or self.needs)


class GoOn(Enum):
    """An answer to a Shortage beside a new limit and None."""

    WITH_THOSE_THAT_FIT = auto()


def caps_for(request: Request, model: Model | None, budgets: Budgets, today: date) -> tuple[Cap, ...]:
    """Every sum a call to `model` counts towards; without a model, those that any call counts towards.

    `today` is the user's local date.
    """
    day = today.isoformat()
    month = day[:7]
    limits = [limit for limit in (budgets.per_request, request.max_cost) if limit is not None]
    caps = [
        Cap("request", request.id, min(limits) if limits else None),
        # A call outside any session is a session of its own: such calls must not add up to one for ever.
        Cap("session", request.session or request.id, budgets.session),
        Cap("day", day, budgets.daily),
        Cap("month", month, budgets.monthly),
    ]
    if model is not None:
        for name, (daily, monthly) in (
            (f"provider:{model.provider}", budgets.providers.get(model.provider, (None, None))),
            (f"model:{model.id}", budgets.models.get(model.id, (None, None))),
        ):
            caps += [Cap(f"day {name}", day, daily), Cap(f"month {name}", month, monthly)]
    if budgets.raised:
        caps = [replace(cap, limit=budgets.raised.get((cap.scope, cap.period), cap.limit)) for cap in caps]
    return tuple(caps)


def too_tight(states: Iterable[BudgetState], amount: Money) -> BudgetState | None:
    """The cap with the least left among those that `amount` does not fit into. What costs nothing fits everywhere."""
    return tightest(state for state in states if state.left is not None and state.left < amount)


def tightest(states: Iterable[BudgetState]) -> BudgetState | None:
    """The state with the least left among those with a limit."""
    limited = [(state.left, state) for state in states if state.left is not None]
    return min(limited, key=lambda pair: pair[0])[1] if limited else None


def input_bound(tokens: int) -> int:
    """What is reserved for an input estimated at `tokens`: estimates from bytes are within a third of what the
    providers count for prose, code and CJK; half as much again covers tables of digits and odd alphabets."""
    return tokens + tokens // 2 + 64


def least_output(asked: int, expected: int) -> int:
    """The fewest output tokens a call is still worth making with: an answer of the expected length fits."""
    return min(asked, max(256, expected))
