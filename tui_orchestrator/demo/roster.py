"""The demo's models: what each costs, how fast, how good and how reliable it is. All of it is made up; the prices have
the shape of the market of November 2026, so that routing between them looks like routing between real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..routing.model import Model
from ..routing.money import Money, Price, Rates, Tier
from ..routing.profile import Ability, Level
from .behaviour import Behaviour, Break, Phase, Reply

Protocol = Literal["openai", "anthropic", "gemini"]
Manner = Literal["plain", "hedging"]

_PRICES_FROM = "demo price, made up"
_ABILITY_FROM = "scripted demo model"
_TEXT = frozenset({Ability.STRUCTURED_OUTPUT})
_SEES = _TEXT | {Ability.VISION, Ability.TOOLS}


@dataclass(frozen=True, slots=True)
class DemoModel:
    model: Model
    """What the registry is told: prices, speeds, level and ability are those the server acts out."""
    manner: Manner = "plain"
    thinks: bool = False
    logprob: float = -0.12
    """Mean log-probability it reports where the protocol has them."""
    habit: tuple[Behaviour | None, ...] = (None,)
    """What it does with call after call, round and round; None: it answers."""
    note: str = ""

    @property
    def name(self) -> str:
        return self.model.name


@dataclass(frozen=True, slots=True)
class DemoProvider:
    name: str
    protocol: Protocol
    models: tuple[DemoModel, ...]
    local: bool = False


def _price(input: str, output: str, cached: str, cache_write: str | None = None, tiers: tuple[Tier, ...] = ()) -> Price:
    return Price(Rates.from_usd(input, output, cached, cache_write), tiers, source=_PRICES_FROM)


_BUSY = Reply(429, headers={"retry-after": "2"})

_PEBBLE = DemoModel(
    Model(
        "demo-local",
        "pebble-3b",
        Price(Rates(0, 0), per_call=Money(0), source="runs on your own machine (demo)"),
        context_window=16_384,
        max_output=4_096,
        abilities=_TEXT,
        level=Level.BASIC,
        ability=0.30,
        ability_source=_ABILITY_FROM,
        local=True,
        open_weights=True,
        family="pebble",
        first_token_s=0.25,
        tokens_per_s=42.0,
    ),
    logprob=-0.45,
    note="local and free, weak",
)
_RUSH_MINI = DemoModel(
    Model(
        "demo-openai",
        "rush-mini",
        _price("0.10", "0.40", "0.025"),
        context_window=128_000,
        max_output=16_384,
        abilities=_SEES,
        level=Level.BASIC,
        ability=0.40,
        ability_source=_ABILITY_FROM,
        family="rush",
        first_token_s=0.25,
        tokens_per_s=190.0,
    ),
    logprob=-0.30,
    habit=(_BUSY, _BUSY, None),
    note="cheapest and fastest; says 429 two times of three",
)
_RUSH_PRO = DemoModel(
    Model(
        "demo-openai",
        "rush-pro",
        _price("1.25", "10", "0.125"),
        context_window=400_000,
        max_output=64_000,
        abilities=_SEES | {Ability.LONG_CONTEXT, Ability.THINKING},
        level=Level.INTERMEDIATE,
        ability=0.62,
        ability_source=_ABILITY_FROM,
        family="rush",
        first_token_s=0.7,
        tokens_per_s=85.0,
    ),
    thinks=True,
    habit=(Break("close", Phase.MID_STREAM), None),
    note="middle; every second answer breaks in mid-stream",
)
_TERN_LITE = DemoModel(
    Model(
        "demo-anthropic",
        "tern-lite",
        _price("0.25", "1.25", "0.025", "0.3125"),
        context_window=200_000,
        max_output=16_384,
        abilities=_SEES | {Ability.LONG_CONTEXT},
        level=Level.INTERMEDIATE,
        ability=0.50,
        ability_source=_ABILITY_FROM,
        family="tern",
        first_token_s=0.4,
        tokens_per_s=120.0,
    ),
    manner="hedging",
    logprob=-0.9,
    note="cheap; hedges, so its answers earn little confidence",
)
_TERN_MAX = DemoModel(
    Model(
        "demo-anthropic",
        "tern-max",
        _price("15", "75", "1.50", "18.75"),
        context_window=1_000_000,
        max_output=64_000,
        abilities=_SEES | {Ability.LONG_CONTEXT, Ability.THINKING},
        level=Level.EXPERT,
        ability=0.95,
        ability_source=_ABILITY_FROM,
        family="tern",
        first_token_s=1.4,
        tokens_per_s=55.0,
    ),
    thinks=True,
    logprob=-0.05,
    note="the dear expert; thinks first",
)
_LUMEN_DASH = DemoModel(
    Model(
        "demo-gemini",
        "lumen-dash",
        _price("0.30", "2.50", "0.03"),
        context_window=1_000_000,
        max_output=32_000,
        abilities=_SEES | {Ability.LONG_CONTEXT},
        level=Level.INTERMEDIATE,
        ability=0.58,
        ability_source=_ABILITY_FROM,
        family="lumen",
        first_token_s=0.35,
        tokens_per_s=160.0,
    ),
    note="middle, quick, reliable",
)
_LUMEN_DEEP = DemoModel(
    Model(
        "demo-gemini",
        "lumen-deep",
        _price("2", "12", "0.20", tiers=(Tier(200_000, Rates.from_usd("4", "18", "0.40")),)),
        context_window=2_000_000,
        max_output=64_000,
        abilities=_SEES | {Ability.LONG_CONTEXT, Ability.THINKING},
        level=Level.ADVANCED,
        ability=0.75,
        ability_source=_ABILITY_FROM,
        family="lumen",
        first_token_s=1.1,
        tokens_per_s=75.0,
    ),
    thinks=True,
    logprob=-0.08,
    note="advanced; thinks first, dearer beyond 200,000 tokens of input",
)

ROSTER: tuple[DemoProvider, ...] = (
    DemoProvider("demo-local", "openai", (_PEBBLE,), local=True),
    DemoProvider("demo-openai", "openai", (_RUSH_MINI, _RUSH_PRO)),
    DemoProvider("demo-anthropic", "anthropic", (_TERN_LITE, _TERN_MAX)),
    DemoProvider("demo-gemini", "gemini", (_LUMEN_DASH, _LUMEN_DEEP)),
)
