"""Choosing among nine models by name and price, and after seeing outcomes of other prompts as if they were votes; and
what could be had with hindsight: of each prompt, or only of each kind of task."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from training.data import Row
from training.published import SOURCE
from tui_orchestrator.providers.families import traits
from tui_orchestrator.routing.ability import Learned, Seen, learn, success_probability
from tui_orchestrator.routing.decide import decide, replay
from tui_orchestrator.routing.decision import Circumstances, Policy, Standing
from tui_orchestrator.routing.model import Model, Registry
from tui_orchestrator.routing.money import Price, Rates
from tui_orchestrator.routing.request import Message, Request, Strategy

from .labels import Judge

# Dollars per million tokens, in and out alike: what LLMRouter's models cost at their host.
_PRICES = {
    "qwen2.5-7b-instruct": "0.2",
    "codegemma-7b": "0.2",
    "gemma-2-9b-it": "0.1",
    "llama-3.1-8b-instruct": "0.2",
    "llama3-chatqa-1.5-8b": "0.2",
    "mistral-7b-instruct-v0.3": "0.2",
    "llama-3.3-nemotron-super-49b-v1": "0.9",
    "llama-3.1-nemotron-51b-instruct": "0.9",
    "llama3-chatqa-1.5-70b": "0.9",
}
_OUTPUT = 300
"""Tokens of an answer, where the published ones are not known; an input token is four characters."""
_STRATEGIES = (Strategy.CHEAPEST, Strategy.BALANCED, Strategy.QUALITY)
Key = Callable[[Row], Hashable]


def _model(name: str) -> Model:
    price = Price(Rates.from_usd(_PRICES[name], _PRICES[name]))
    known = traits(name, price)
    return Model("host", name, price, 32_000, level=known.level, ability=known.ability, family=known.family)


MODELS = {name: _model(name) for name in _PRICES}
_REGISTRY = Registry.of(MODELS.values())


def _cost(row: Row, name: str) -> float:
    """Dollars of 1,000 such prompts."""
    return float(_PRICES[name]) * (len(row.prompt) / 4 + _OUTPUT) / 1000


def choosing(rows: Sequence[Row], judge: Judge, without_kind: Judge, policy: Policy) -> dict[str, Any]:
    of = [row for row in rows if row.source == SOURCE and MODELS.keys() <= row.outcomes.keys()]
    if not of:
        return {}
    singles = {name: _earned(of, {row.id: name for row in of}) for name in MODELS}
    best = {row.id: _best(row) for row in of}
    nothing = {name: Learned() for name in MODELS}
    return {
        "rows": len(of),
        "alone": singles,
        "oracle": _earned(of, best),
        "each kind's own model, with hindsight": _by_kind(of, max(one["usd_per_1000"] for one in singles.values())),
        "by name and price alone": _decided([(of, nothing)], judge, policy),
        "after the outcomes of the other folds": _decided(_parts(of, judge, policy, lambda r: r.fold), judge, policy),
        "by name, no outcomes of such tasks published": _decided([(of, nothing)], without_kind, policy),
        "after those of the other kinds of task": _decided(
            _parts(of, without_kind, policy, lambda r: r.group), without_kind, policy
        ),
    }


def _best(row: Row) -> str:
    return min(MODELS, key=lambda name: (-row.outcomes[name], _cost(row, name)))


_SHARES = (0.4, 0.6, 0.8, 1.0)


def _by_kind(rows: Sequence[Row], dearest: float) -> dict[str, dict[str, float]]:
    """One model a kind of task, chosen knowing all outcomes: the most quality at each share of the dearest's cost. What
    tells kinds apart and nothing within them cannot do better."""
    kinds = [[row for row in rows if row.group == group] for group in dict.fromkeys(row.group for row in rows)]
    best: list[tuple[float, float]] = [(0.0, 0.0)]
    for of in kinds:
        adds = [(sum(_cost(row, name) for row in of), sum(row.outcomes[name] for row in of)) for name in MODELS]
        best = _undominated([(cost + more, good + better) for cost, good in best for more, better in adds])
    within = {share: [one for one in best if one[0] <= share * dearest * len(rows) + 1e-9] for share in _SHARES}
    return {
        f"up to {share:.0%} of the cost": {
            "quality": round(found[-1][1] / len(rows), 4),
            "usd_per_1000": round(found[-1][0] / len(rows), 4),
        }
        for share, found in within.items()
        if found
    }


def _undominated(ways: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """(cost, good), by cost: those that nobody beats in both."""
    kept: list[tuple[float, float]] = []
    for cost, good in sorted(ways, key=lambda way: (way[0], -way[1])):
        if not kept or good > kept[-1][1]:
            kept.append((cost, good))
    return kept


def _parts(
    rows: Sequence[Row], judge: Judge, policy: Policy, key: Key
) -> list[tuple[Sequence[Row], Mapping[str, Learned]]]:
    """Each part of the rows with what was learned from all others."""
    parts: list[tuple[Sequence[Row], Mapping[str, Learned]]] = []
    for value in dict.fromkeys(map(key, rows)):
        held = [row for row in rows if key(row) == value]
        others = [row for row in rows if key(row) != value]
        parts.append((held, {name: learned(model, name, others, judge, policy) for name, model in MODELS.items()}))
    return parts


def learned(model: Model, name: str, rows: Sequence[Row], judge: Judge, policy: Policy) -> Learned:
    """What the router learns of a model from a user who votes on its answers as they were scored."""
    seen = []
    for row in rows:
        if name in row.outcomes:
            prompt = judge(row)
            p = success_probability(model, prompt, 0.0, policy.discrimination)
            seen.append(Seen(prompt.task_type, row.outcomes[name], 1.0, p))
    return learn(seen)


def _decided(
    parts: Sequence[tuple[Sequence[Row], Mapping[str, Learned]]], judge: Judge, policy: Policy
) -> dict[str, Any]:
    picks: dict[Strategy, dict[str, str]] = {strategy: {} for strategy in _STRATEGIES}
    rows: list[Row] = []
    for held, lessons in parts:
        rows += held
        for row in held:
            prompt = judge(row)
            live = {
                MODELS[name].id: Standing(ability_shift=lesson.shift(prompt, policy.discrimination))
                for name, lesson in lessons.items()
            }
            request = Request((Message("user", row.prompt),), id=row.id)
            decision = decide(request, prompt, _REGISTRY, Circumstances(live), policy)
            for strategy, chosen in picks.items():
                chosen[row.id] = (replay(decision, strategy).model or "").partition("/")[2]
    return {strategy.value: _earned(rows, chosen) for strategy, chosen in picks.items()}


def _earned(rows: Sequence[Row], picks: Mapping[str, str]) -> dict[str, float]:
    quality = sum(row.outcomes[picks[row.id]] for row in rows) / len(rows)
    cost = sum(_cost(row, picks[row.id]) for row in rows) / len(rows)
    return {"quality": round(quality, 4), "usd_per_1000": round(cost, 4)}
