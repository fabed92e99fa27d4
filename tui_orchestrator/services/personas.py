"""Personas: ways to be answered that stand in the configuration, chosen for a session."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from ..routing.text import spoken

if TYPE_CHECKING:
    from ..routing.model import Registry
    from ..settings import Persona, Settings
    from .options import Options


TO_ADD = "add one under [personas.NAME] of the configuration"


def find(settings: Settings, name: str, *, to_add: str = TO_ADD) -> Persona:
    """Raises LookupError with a sentence that says what there is, or, where there is none, the way `to_add` one."""
    wanted = name.strip()
    known = {persona.lower(): persona for persona in settings.personas}
    if wanted.lower() in known:
        return settings.personas[known[wanted.lower()]]
    if not known:
        raise LookupError(f"there is no persona {wanted!r}: none is configured; {to_add}")
    close = difflib.get_close_matches(wanted.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {known[close[0]]!r}?" if close else f"there are {', '.join(sorted(known.values()))}"
    raise LookupError(f"no persona is called {wanted!r}; {hint}")


def adopted(options: Options, persona: Persona, registry: Registry) -> Options:
    """With the persona's strategy and model, unless another way to a model was asked for. What else it says, the chat
    adds to each request by itself. Raises as `check`."""
    if options.strategy is not None or options.model is not None or options.chain:
        return options
    check(persona, registry)
    return taken(options, persona, registry)


def check(persona: Persona, registry: Registry) -> None:
    """Raises LookupError with a sentence where the model that it pins is not there."""
    try:
        if persona.model:
            registry.find(persona.model)
    except LookupError as error:
        raise LookupError(f"persona {persona.name!r} pins a model: {error.args[0]}") from None


def taken(options: Options, persona: Persona, registry: Registry) -> Options:
    """With the persona's strategy and model in place of those asked for, where it has one of them."""
    if persona.strategy is None and not persona.model:
        return options
    models = registry.called(persona.model) if persona.model else []
    model = models[0].id if len(models) == 1 else persona.model
    return replace(options, strategy=persona.strategy, model=model, chain=())


def summary(persona: Persona) -> str:
    """What it changes, in one line."""
    said = [
        spoken(persona.strategy) if persona.strategy else "",
        persona.model or "",
        f"temperature {persona.temperature:g}" if persona.temperature is not None else "",
        f"up to {persona.max_tokens:,} tokens" if persona.max_tokens is not None else "",
        " ".join(f"#{tag}" for tag in sorted(persona.tags)),
        " ".join(persona.system.split()),
    ]
    return " · ".join(part for part in said if part)
