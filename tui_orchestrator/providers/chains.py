"""The chains that ship: built from the models there are, not written down, so they are as new as the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..routing.model import Model
from ..routing.profile import Level
from .names import bare, generation, undated

LONGEST = 4
_STEP = 0.04
"""A later model of a chain must be this much abler to be worth its price."""
_ALIKE = 0.02
_NEAR = 1.25
_QUICK_S = 300
"""Tokens of an answer that `fast` is judged by."""

_BY_KIND = ("anthropic", "openai", "gemini")


def build(models: Iterable[Model], kinds: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """By name, cheapest first; a chain that would be empty is left out. `models` are those that can be used, `kinds`
    the protocol of each provider by its name."""
    models = [model for model in models if not model.name.endswith(":free")]
    # What its maker sells directly is not also walked through a reseller.
    direct = {_plain(model) for model in models if "/" not in model.name}
    offered = [model for model in models if "/" not in model.name or _plain(model) not in direct]
    # A turn has few attempts: none of a chain's is spent on a model that is good for the plainest prompts alone, unless
    # it costs nothing.
    priced = [m for m in offered if m.price is not None and (m.level is not Level.BASIC or m.local)]
    local = [model for model in offered if model.local]
    chains = {"mixed": _mix(priced)}
    for kind in _BY_KIND:
        chains[kind] = _ids(_steps([m for m in priced if kinds.get(m.provider) == kind], _cost))
    able = [model for model in offered if model.ability >= 0.5] or offered
    chains["fast"] = _ids(sorted(able, key=lambda m: (_latency(m), -m.ability, _cost(m), m.id))[:LONGEST])
    chains["local"] = _ids(_steps(local, _latency))
    return {name: chain for name, chain in chains.items() if chain}


def _ids(models: Iterable[Model]) -> tuple[str, ...]:
    return tuple(model.id for model in models)


def _cost(model: Model) -> float:
    """For ordering alone: three parts input to one part output, as an ordinary turn has."""
    if model.price is None:
        return float("inf")
    return 3 * model.price.rates.input + model.price.rates.output


def _plain(model: Model) -> str:
    return undated(bare(model.name)).replace(".", "-")


def _newest(model: Model) -> tuple[int, ...]:
    return (*(-part for part in generation(model.name).version), 0)


def _latency(model: Model) -> float:
    return model.first_token_s + _QUICK_S / model.tokens_per_s


def _steps(models: Sequence[Model], cost: Callable[[Model], float]) -> list[Model]:
    """Each dearer and abler than the one before; no model that another beats at both."""
    steps: list[Model] = []
    for model in sorted(models, key=lambda m: (cost(m), -m.ability, "/" in m.name, _newest(m), m.id)):
        if not steps or model.ability >= steps[-1].ability + _STEP:
            steps.append(model)
    # From a long one the ends stay, and of the middle what is spread evenly.
    while len(steps) > LONGEST:
        gaps = [steps[i + 1].ability - steps[i - 1].ability for i in range(1, len(steps) - 1)]
        del steps[1 + gaps.index(min(gaps))]
    return steps


def _mix(models: Sequence[Model]) -> tuple[str, ...]:
    """The steps across all providers. Where two models are about as able and as dear, the one of a provider not yet in
    the chain: an outage of one provider should not take a whole chain."""
    mixed: list[Model] = []
    for step in _steps(models, _cost):
        if step in mixed:
            continue
        used = {model.provider for model in mixed}
        equals = [
            model
            for model in models
            if abs(model.ability - step.ability) <= _ALIKE
            and _cost(model) <= _NEAR * _cost(step)
            and model not in mixed
        ]
        fresh = [model for model in equals if model.provider not in used and "/" not in model.name]
        mixed.append(min(fresh or [step], key=lambda m: (_cost(m), -m.ability, m.id)))
    return _ids(mixed)
