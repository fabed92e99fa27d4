"""Models, prompts and candidates as short as a table needs them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tui_orchestrator.routing.decision import Candidate, Exclusion
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import Money, Price, Rates
from tui_orchestrator.routing.profile import Profile, TaskType
from tui_orchestrator.routing.request import Message, Request


def price(input: str = "1", output: str = "5", **more: Any) -> Price:
    """Dollars per million tokens."""
    return Price(Rates.from_usd(input, output), **more)


def model(id: str, **more: Any) -> Model:
    provider, _, name = id.partition("/")
    known: dict[str, Any] = {"price": price(), "context_window": 100_000, "ability": 0.7, "family": name}
    return Model(provider, name, **(known | more))


def profile(**more: Any) -> Profile:
    plain = Profile(TaskType.CODE, {TaskType.CODE: 1.0}, 0.4, 4, input_tokens=1000, output_tokens=500)
    return replace(plain, **more)


def request(prompt: str = "Why?", **more: Any) -> Request:
    return replace(Request((Message("user", prompt),), session="s", id="r"), **more)


def candidate(
    id: str, p: float = 0.9, usd: str | None = "0.01", seconds: float = 2.0, local: bool = False, **more: Any
) -> Candidate:
    amount = None if usd is None else Money.from_usd(usd)
    return Candidate(
        model=id,
        provider=id.partition("/")[0],
        local=local,
        success_probability=p,
        estimated_cost=amount,
        cost_ceiling=amount,
        estimated_latency_s=seconds,
        max_tokens=1000,
        **({"family": id, "score": 0.0} | more),
    )


def too_dear(id: str, why: Exclusion = Exclusion.OVER_BUDGET, **more: Any) -> Candidate:
    return candidate(id, excluded_by=why, excluded="costs too much", **more)
