"""What `/` commands change in the options of the next turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.request import Check, Method, Strategy
from tui_orchestrator.services.options import Options

from . import words

NONE = ("none", "off", "default", "auto")


WAYS = ("strategy", "model", "chain", "ensemble")
"""Those that are a way to a model."""


class Refused(ValueError):
    """The argument makes no sense; the text is a sentence that says what would."""


def change(options: Options, name: str, argument: str, registry: Registry) -> tuple[Options, str]:
    """The options after `/NAME ARGUMENT`, and a sentence that says what holds now. Raises Refused."""
    return _CHANGES[name](options, argument, registry)


def _strategy(options: Options, argument: str, registry: Registry) -> tuple[Options, str]:
    if argument in NONE:
        return replace(options, strategy=None), "strategy as configured"
    try:
        strategy = Strategy(argument.replace("-", "_").lower())
    except ValueError:
        raise Refused(f"no strategy is called {argument!r}; there are {', '.join(Strategy)}") from None
    return replace(options, strategy=strategy), f"{words.spoken(strategy)}: {words.picks(strategy)}"


def _model(options: Options, argument: str, registry: Registry) -> tuple[Options, str]:
    if argument in NONE:
        return replace(options, model=None), "no model is pinned; the strategy chooses"
    try:
        model = registry.find(argument)
    except LookupError as error:
        raise Refused(str(error.args[0])) from None
    return replace(options, model=model.id), f"{model.id} is pinned; /model auto lets the strategy choose again"


def _chain(options: Options, argument: str, registry: Registry) -> tuple[Options, str]:
    if argument in NONE:
        return replace(options, chain=()), "the chain is built from the registry again"
    if argument in registry.chains:
        chain = registry.chains[argument]
    else:
        try:
            names = [name.strip() for name in argument.split(",") if name.strip()]
            chain = tuple(registry.find(name).id for name in names)
        except LookupError as error:
            known = f"; chains are {', '.join(registry.chains)}" if registry.chains else ""
            raise Refused(f"{error.args[0]}{known}") from None
    if not chain:
        known = ", ".join(registry.chains)
        raise Refused(f"/chain takes a chain's name or model names with commas; chains are {known}")
    return replace(options, chain=chain), f"chain: {' → '.join(words.short_name(model) for model in chain)}"


def _ensemble(options: Options, argument: str, registry: Registry) -> tuple[Options, str]:
    size = _whole(argument, 2, 8, "/ensemble takes how many models to ask at once, 2 to 8") if argument else 3
    changed = replace(options, strategy=Strategy.ENSEMBLE, ensemble_size=size)
    return changed, f"ensemble of {size}: several models answer at once, then a verdict"


def _verdict(options: Options, argument: str, registry: Registry) -> tuple[Options, str]:
    if argument in NONE:
        return replace(options, verdict=None), "verdict as configured"
    try:
        method = Method(argument.lower())
    except ValueError:
        raise Refused(f"no verdict is called {argument!r}; there are {', '.join(Method)}") from None
    return replace(options, verdict=method), f"verdict {method}: {words.VERDICTS[method]}"


def _blind(options: Options, argument: str, registry: Registry) -> tuple[Options, str]:
    if argument not in ("on", "off"):
        raise Refused("/blind takes on or off")
    return _verdict(options, Method.VOTE if argument == "on" else "default", registry)


def _cost(options: Options, argument: str, registry: Registry) -> tuple[Options, str]:
    if argument in NONE:
        return replace(options, max_cost=None), "no cap for one request but those configured"
    try:
        amount = Money.from_usd(argument.removeprefix("$"))
    except ValueError:
        raise Refused(f"{argument!r} is not an amount in US dollars, such as 0.05") from None
    if amount <= ZERO:
        raise Refused("the most a turn may cost is above zero dollars, such as 0.05")
    return replace(options, max_cost=amount), f"one request may cost at most {amount}"


def _tokens(options: Options, argument: str, registry: Registry) -> tuple[Options, str]:
    if argument in NONE:
        return replace(options, max_tokens=None), "output tokens as configured"
    count = _whole(argument, 1, 1_000_000, "/tokens takes how many output tokens an attempt may use, such as 2000")
    return replace(options, max_tokens=count), f"at most {count:,} output tokens per attempt"


def _check(options: Options, argument: str, registry: Registry) -> tuple[Options, str]:
    if argument in ("none", "default"):
        return replace(options, check=None), "answers are checked as configured"
    try:
        check = Check(argument.replace("-", "_").lower())
    except ValueError:
        raise Refused(f"no check is called {argument!r}; there are {', '.join(Check)}") from None
    return replace(options, check=check), f"check {words.spoken(check)}: {words.CHECKED[check]}"


def _samples(options: Options, argument: str, registry: Registry) -> tuple[Options, str]:
    if argument in ("none", "default"):
        return replace(options, self_consistency=None), "samples as configured"
    count = _whole(argument, 0, 8, "/samples takes how often the same model is asked again, 0 to 8")
    said = f"each answer is compared with {count} more of the same model" if count else "no further samples"
    return replace(options, self_consistency=count), said


def _cache(options: Options, argument: str, registry: Registry) -> tuple[Options, str]:
    wanted = {"on": True, "off": False, "default": None, "none": None}
    if argument not in wanted:
        raise Refused("/cache takes on, off or default; alone it shows what is kept")
    said = {
        True: "an earlier answer will do, and answers are kept",
        False: "nothing from the cache, and nothing is kept",
        None: "the cache as configured: at temperature 0",
    }
    return replace(options, use_cache=wanted[argument]), said[wanted[argument]]


def _system(options: Options, argument: str, registry: Registry) -> tuple[Options, str]:
    if argument in NONE:
        return replace(options, system=""), "no system text"
    return replace(options, system=argument), "system text set for the next turns"


def _whole(argument: str, low: int, high: int, sentence: str) -> int:
    try:
        number = int(argument)
    except ValueError:
        raise Refused(sentence) from None
    if not low <= number <= high:
        raise Refused(sentence)
    return number


_Change = Callable[[Options, str, Registry], tuple[Options, str]]
_CHANGES: Mapping[str, _Change] = {
    "strategy": _strategy,
    "model": _model,
    "chain": _chain,
    "ensemble": _ensemble,
    "verdict": _verdict,
    "blind": _blind,
    "cost": _cost,
    "tokens": _tokens,
    "check": _check,
    "samples": _samples,
    "cache": _cache,
    "system": _system,
}
NEEDS_ARGUMENT = ("chain", "verdict", "blind", "cost", "tokens", "check", "samples", "system")
"""Said alone these show how they are used; /strategy, /model and /cache alone open a list."""
CHANGES = tuple(_CHANGES)
