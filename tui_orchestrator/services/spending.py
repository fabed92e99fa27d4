"""What the costs pane shows, read beside the event loop."""

from __future__ import annotations

from dataclasses import dataclass

from ..routing.budget import BudgetState
from ..routing.events import Attempt
from ..routing.model import Model, Registry
from ..routing.money import Usage
from ..storage.reports import Savings, Totals
from .runtime import Runtime

RECENT = 20
_TYPICAL = Usage(1000, 500)


@dataclass(frozen=True, slots=True)
class Overview:
    budgets: tuple[BudgetState, ...]
    """Session, day, month, then every other sum that has a cap."""
    today: Totals
    by_model: tuple[Totals, ...]
    """Of today, the dearest first; likewise the next two."""
    by_task: tuple[Totals, ...]
    by_strategy: tuple[Totals, ...]
    recent: tuple[Attempt, ...]
    """The latest first."""
    baseline: str | None
    """Id of the model that savings are told against."""
    savings: Savings | None
    """Of this month; an estimate. None without a baseline of known price."""
    tokens_per_s: tuple[float, ...]
    """Of the recent attempts that show a speed, the oldest first."""


async def overview(runtime: Runtime, session: str = "") -> Overview:
    """Raises StoreError."""
    reports = runtime.reports
    recent = await reports.last(RECENT)
    baseline = baseline_model(runtime.registry, runtime.router.policy.baseline_model)
    price = baseline.price if baseline else None
    return Overview(
        budgets=await runtime.budget_states(session),
        today=await reports.total("today"),
        by_model=await reports.totals("model", "today"),
        by_task=await reports.totals("task", "today"),
        by_strategy=await reports.totals("strategy", "today"),
        recent=recent,
        baseline=baseline.id if baseline else None,
        savings=await reports.savings(price, "month") if price else None,
        tokens_per_s=tuple(a.tokens_per_s for a in reversed(recent) if a.tokens_per_s is not None),
    )


def baseline_model(registry: Registry, named: str | None) -> Model | None:
    """The model the user named; otherwise the one whose typical call costs most. None when no price is known."""
    if named is not None:
        try:
            return registry.find(named)
        except LookupError:
            return None
    priced = [(model.price.cost(_TYPICAL), model) for model in registry if model.price is not None]
    return max(priced, key=lambda pair: (pair[0], pair[1].id))[1] if priced else None
