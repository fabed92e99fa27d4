"""All that is known of one model, for its card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..providers.listings import DEFAULT_URLS, place
from ..routing.events import Attempt, Outcome
from ..routing.experience import Figures, Lesson
from ..routing.health import Health, HealthState
from ..routing.model import Model
from ..routing.money import Price
from ..storage.reports import Dimension, Measured
from . import local_memory, switching
from .rate_limits import in_words, rate_limits
from .runtime import Runtime

LAST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class ModelFigures:
    model: Model
    kind: str
    """What its provider speaks."""
    address: str
    """Host and port alone."""
    key_origin: str
    price: Price | None
    """As it is today."""
    asked_for_prices: datetime
    health: Health
    rate_limits: str
    """In words, with where they come from."""
    remedy: str
    """What would make it available; empty for one that is."""
    loaded: bool | None
    favourite: bool
    now: Figures
    lesson: Lesson
    month: Measured | None
    """None: not asked this month."""
    tasks: tuple[Measured, ...]
    """This month by task type, the most used first."""
    failures: tuple[Attempt, ...]
    """The last ones, the latest first."""
    discrimination: float


async def figures_of(runtime: Runtime, model_id: str) -> ModelFigures:
    """Raises KeyError for a model that is not in the registry, and StoreError."""
    model = runtime.registry[model_id]
    provider = runtime.catalogue.providers.get(model.provider)
    address = (provider.base_url or DEFAULT_URLS.get(provider.kind, "")) if provider else ""
    health, now = runtime.health(model_id), runtime.clock.now()
    by_task = await runtime.reports.measured("month", per_task=True)
    whole = await runtime.reports.measured("month")
    wanted: tuple[tuple[Dimension, str], ...] = (("model", model_id), ("outcome", Outcome.FAILED.value))
    failures = await runtime.reports.found("all", LAST_FAILURES, wanted)
    return ModelFigures(
        model,
        provider.kind if provider else "",
        place(address) if address else "",
        provider.key_origin if provider else "",
        model.price.on(now) if model.price else None,
        now,
        health,
        in_words(rate_limits(runtime, model), model),
        remedy(runtime, model_id, health),
        local_memory.loaded(runtime, model_id),
        model_id in runtime.favourites,
        runtime.router.experience.of(model_id),
        runtime.router.experience.lesson(model_id, now),
        next((one for one in whole if one.model == model_id), None),
        tuple(one for one in by_task if one.model == model_id),
        failures,
        runtime.settings.policy.discrimination,
    )


def remedy(runtime: Runtime, model_id: str, health: Health) -> str:
    """What to do for it to be available; empty where it is, or comes back by itself."""
    why = health.detail
    match health.state:
        case HealthState.AVAILABLE | HealthState.DEGRADED:
            return ""
        case HealthState.COOLING_DOWN:
            return "It is tried again by itself; a test tries it now."
        case HealthState.UNREACHABLE:
            return "Start its server, or check base_url in the configuration; then R looks again."
        case HealthState.UNAUTHORISED:
            if why.startswith("no key"):
                return "Give its provider a key: A in the table asks for it and checks it."
            return "Check the key at the provider; A in the table takes a new one and checks it."
    if why.startswith("disabled") and not switching.is_off_for_good(runtime, model_id):
        name = runtime.registry[model_id].provider
        return f"Set enabled = true under [providers.{name}] of the configuration."
    if "does not list it" in why:
        return "Check its name under [[models]]; the provider's list has another, or none any more."
    if "no " in why and "server" in why:
        return "Start the server; then R looks again."
    return "Space switches it on."
