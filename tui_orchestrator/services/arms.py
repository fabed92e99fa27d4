"""The two ways of an experiment as they are typed."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from ..routing.experiment import Arm
from ..routing.request import Strategy
from ..routing.text import clean, clean_line
from . import personas

if TYPE_CHECKING:
    from ..routing.model import Registry
    from ..settings import Settings

FORMS = "strategy=NAME, model=NAME, persona=NAME, system=TEXT or default"
_LONGEST_NAME = 40
_NAME = re.compile(r"[\w][\w.-]*")


def arm_of(said: str, registry: Registry, settings: Settings) -> Arm:
    """Raises LookupError or ValueError with a sentence that says what would be right."""
    said = clean(said).strip()
    kind, sign, value = said.partition("=")
    kind, value = kind.strip().lower(), value.strip()
    if not sign:
        return _bare(said, registry, settings)
    if not value:
        raise ValueError(f"{clean_line(said, 40)!r} says nothing after the sign; write {FORMS}")
    match kind:
        case "strategy":
            return _strategy(value)
        case "model":
            model = registry.find(value).id
            return Arm(f"model={model}", model=model)
        case "system":
            return Arm(f"system={value}", system=value)
        case "persona":
            return _persona(value, registry, settings)
    close = difflib.get_close_matches(kind, ("strategy", "model", "persona", "system"), n=1)
    hint = f"did you mean {close[0]}=…?" if close else f"write {FORMS}"
    raise ValueError(f"no way to be answered is called {clean_line(kind, 40)!r}; {hint}")


def name_of(said: str) -> str:
    """An experiment's name. Raises ValueError."""
    name = clean_line(said, _LONGEST_NAME + 1)
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name for an experiment; take letters, digits, '-', '_' and '.', {_LONGEST_NAME} at most"
        )
    return name


def share_of(said: str) -> float:
    """'20%', '20' or '0.2'. Raises ValueError."""
    text = said.strip()
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = -1.0
    share = number / 100 if text.endswith("%") or number >= 1 else number
    if not 0.05 <= share <= 0.95:
        raise ValueError(f"{clean_line(said, 20)!r} is no share of the turns; write one from 5% to 95%")
    return share


def _bare(said: str, registry: Registry, settings: Settings) -> Arm:
    if said.lower() == "default":
        return Arm("default")
    if said.lower() in tuple(Strategy):
        return _strategy(said)
    if said in settings.personas:
        return _persona(said, registry, settings)
    try:
        model = registry.find(said).id
    except LookupError:
        known = [*Strategy, *settings.personas, *registry.models, *(model.name for model in registry)]
        close = difflib.get_close_matches(said, known, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]}?" if close else f"write {FORMS}"
        raise ValueError(f"{clean_line(said, 60)!r} is no way to be answered; {hint}") from None
    return Arm(f"model={model}", model=model)


def _strategy(value: str) -> Arm:
    wanted = value.lower().replace("-", "_").replace(" ", "_")
    if wanted not in tuple(Strategy):
        close = difflib.get_close_matches(wanted, list(Strategy), n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(Strategy)}"
        raise ValueError(f"no strategy is called {clean_line(value, 40)!r}; {hint}")
    return Arm(f"strategy={wanted}", strategy=Strategy(wanted))


def _persona(value: str, registry: Registry, settings: Settings) -> Arm:
    """As it is now: what is changed of it later does not change what is being tried."""
    one = personas.find(settings, value)
    return Arm(
        f"persona={one.name}",
        strategy=None if one.model else one.strategy,
        model=registry.find(one.model).id if one.model else None,
        system=one.system or None,
        temperature=one.temperature,
        max_tokens=one.max_tokens,
    )
