"""What the program believes of a model before it has learned anything of its user."""

from __future__ import annotations

from tui_orchestrator.providers.families import traits
from tui_orchestrator.routing.model import Model


def model(name: str) -> Model:
    known = traits(name)
    return Model("host", name, level=known.level, ability=known.ability, family=known.family)
