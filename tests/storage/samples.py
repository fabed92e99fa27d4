"""Attempts, caps and decisions to store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from tui_orchestrator.routing.budget import Budgets, Cap, Hold, caps_for
from tui_orchestrator.routing.decision import Candidate, Decision
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import Attempt, Cause, FinishReason, Outcome
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import Cost, CostState, Money, Price, Rates, Tier, Usage
from tui_orchestrator.routing.profile import Profile, TaskType
from tui_orchestrator.routing.request import Message, Request, Strategy

TODAY = date(2026, 11, 21)
PRICE = Price(
    Rates(1_000_000, 5_000_000, cached_input=100_000), (Tier(200_000, Rates(2_000_000, 7_500_000)),), source="made up"
)
ATTEMPT = Attempt(
    request_id="r1",
    number=1,
    session="s1",
    model="openai/small",
    provider="openai",
    strategy="balanced",
    task_type="code",
    cause=Cause.FIRST,
    started=datetime(2026, 11, 21, 11, 59, 30, 250_000, tzinfo=UTC),
    day="2026-11-21",
    outcome=Outcome.FINISHED,
    usage=Usage(1200, 340, 200, 0, 40),
    cost=Cost(Money(2_720_000_000), CostState.COMPUTED),
    price=PRICE,
    latency_s=3.25,
    first_token_s=0.5,
    tokens_per_s=123.6,
    confidence=0.75,
    finish_reason=FinishReason.STOP,
)
FAILED = replace(
    ATTEMPT,
    number=2,
    cause=Cause.FALLBACK,
    outcome=Outcome.FAILED,
    cost=Cost(None, CostState.UNKNOWN),
    price=None,
    first_token_s=None,
    tokens_per_s=None,
    confidence=None,
    finish_reason=None,
    error_kind=ErrorKind.OVERLOADED,
    error_message="The provider is overloaded.",
)
PROFILE = Profile(TaskType.CODE, {TaskType.CODE: 0.8, TaskType.SIMPLE_QA: 0.2}, 0.4, 4, 1200, 300)
REQUEST = Request((Message("user", "Merge two sorted lists"),), session="s1", id="r1", tags=frozenset({"work"}))
DECISION = Decision(
    "r1",
    Strategy.BALANCED,
    "openai/small",
    "small is good enough for code of difficulty 4/10",
    ("openai/small", "openai/large"),
    PROFILE,
    (Candidate("openai/small", "openai", False, 0.9, Money(2_500_000_000), Money(9_000_000_000), 2.5, 0.8, 4096),),
)


def attempt(**changes: Any) -> Attempt:
    return replace(ATTEMPT, **changes)


def costing(picodollars: int | None) -> Cost:
    return Cost(None, CostState.UNKNOWN) if picodollars is None else Cost(Money(picodollars), CostState.COMPUTED)


def hold(amount: int, *caps: Cap, request_id: str = "r1", number: int = 1) -> Hold:
    return Hold(request_id, number, "openai", "openai/small", Money(amount), caps)


def day_cap(limit: int | None) -> Cap:
    return Cap("day", TODAY.isoformat(), None if limit is None else Money(limit))


def all_caps(budgets: Budgets, request: Request = REQUEST, today: date = TODAY) -> tuple[Cap, ...]:
    return caps_for(request, Model("openai", "small"), budgets, today)
