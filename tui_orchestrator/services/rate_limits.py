"""The limits per minute that a model is asked within, and who said them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..providers.families import Bulk, usual_of
from ..routing.model import Model
from ..routing.ratelimit import NamedLimit

if TYPE_CHECKING:
    from .runtime import Runtime

CONFIGURED, OF_PROVIDER = "your configuration", "said by its provider"
_SIZES = {Bulk.SMALL: "a small model", Bulk.MIDDLE: "a middle model", Bulk.LARGEST: "a maker's largest model"}


def rate_limits(runtime: Runtime, model: Model) -> list[tuple[NamedLimit, str]]:
    """Those of its provider as a whole and its own, each with where it comes from."""
    return [
        (limit, _of_model(runtime, model) if limit.name == model.id else CONFIGURED)
        for limit in runtime.router.caller.limits.named(model)
    ]


def _of_model(runtime: Runtime, model: Model) -> str:
    said = next((one for one in runtime.settings.models if one.id == model.id), None)
    if said is not None and (said.requests_per_minute or said.tokens_per_minute):
        return CONFIGURED
    provider, size = runtime.catalogue.providers.get(model.provider), usual_of(model.requests_per_minute)
    if size is None or (provider is not None and provider.kind == "plugin"):
        return OF_PROVIDER
    return f"the default of {_SIZES[size]}"


def in_words(limits: Iterable[tuple[NamedLimit, str]], model: Model) -> str:
    """'20 requests a minute, the default of a maker's largest model'."""
    told = [f"{limit.told}{'' if limit.name == model.id else ' to its provider'}, {source}" for limit, source in limits]
    return "; ".join(told) or "none"


def defaults_in_words(runtime: Runtime, models: Iterable[Model]) -> str:
    """Of how many models the limit is that of their size; '' where of none."""
    sizes: Counter[int] = Counter()
    for model in models:
        for limit, source in rate_limits(runtime, model):
            if source not in (CONFIGURED, OF_PROVIDER) and limit.requests is not None:
                sizes[limit.requests] += 1
    told = ", ".join(f"{count} at {requests} a minute" for requests, count in sorted(sizes.items(), reverse=True))
    return f"requests are held to the default of a model's size: {told}" if told else ""
