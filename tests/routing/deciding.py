"""Four models that differ in everything, and decisions among them."""

from __future__ import annotations

from itertools import permutations

from hypothesis import strategies as st

from tui_orchestrator.routing.budget import WayOut, alone, listed
from tui_orchestrator.routing.decide import decide
from tui_orchestrator.routing.decision import (
    Circumstances,
    Decision,
    Exclusion,
    Policy,
    Standing,
)
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.money import Money, Price, Rates
from tui_orchestrator.routing.profile import Profile
from tui_orchestrator.routing.request import Request
from tui_orchestrator.routing.rules import Rule

from .samples import model, price, profile, request

CHEAP = model("a/cheap", price=price("0.1", "0.5"), ability=0.6)
DEAR = model("b/dear", price=price("15", "75"), ability=0.95)
LOCAL = model("here/small", price=Price(Rates(0, 0)), ability=0.35, local=True)
UNPRICED = model("c/unknown", price=None, ability=0.9)
REGISTRY = Registry.of([CHEAP, DEAR, LOCAL, UNPRICED])


def decided(
    asked: Request | None = None,
    registry: Registry = REGISTRY,
    policy: Policy | None = None,
    rules: tuple[Rule, ...] = (),
    prompt: Profile | None = None,
    **standings: Standing,
) -> Decision:
    by_name = {m.name: m.id for m in registry}
    live = Circumstances({by_name[name]: standing for name, standing in standings.items()})
    return decide(asked or request(), prompt or profile(), registry, live, policy or Policy(), rules)


def exclusions(decision: Decision) -> dict[str, Exclusion]:
    return {c.model: c.excluded_by for c in decision.candidates if c.excluded_by is not None}


def room(usd: str, scope: str = "day") -> Standing:
    return Standing(room=Money.from_usd(usd), room_scope=scope)


budgets = st.sampled_from(["0", "0.0001", "0.001", "0.01", "0.05", "0.2", "0.5", "5"])
"""Room in US dollars, from nothing to plenty."""
WORDS = [alone(word) for word in WayOut]
"""One word in the configuration."""
WAYS_OUT = [
    *WORDS,
    *(listed(order) for n in (1, 2, 3) for order in permutations([w for w in WayOut if w is not WayOut.REFUSE], n)),
    listed([WayOut.REFUSE]),
]
"""Every list there can be."""
