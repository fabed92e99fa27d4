"""What the settings come to, once every layer has been read, checked and laid over the one below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..routing.budget import Budgets
from ..routing.decision import Policy
from ..routing.errors import OrchestratorError
from ..routing.money import Price
from ..routing.ports import Timeouts
from ..routing.profile import Ability, Level, TaskType
from ..routing.request import Strategy
from ..routing.rules import Rule
from .secrets import Secret, hidden

ProviderKind = Literal["anthropic", "openai", "gemini", "openrouter", "openai-compatible", "plugin"]


DEMO = "demo"
"""Origin of what the demo supplies, where the user says nothing."""


class SettingsError(OrchestratorError):
    """Settings that cannot be used. Every problem found is told, not only the first."""

    def __init__(self, *problems: str) -> None:
        self.problems = tuple(map(hidden, problems))
        """A sentence each: where, which key, what is wrong and what would be right. Without the keys of providers that
        stand in a wrong place."""
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Persona:
    """A way to be answered. None and empty: not said, so what is configured otherwise holds."""

    name: str
    system: str = ""
    strategy: Strategy | None = None
    model: str | None = None
    """Pinned: a model's id or its bare name."""
    temperature: float | None = None
    max_tokens: int | None = None
    tags: frozenset[str] = frozenset()
    """As `tag_name` makes them."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    name: str
    kind: ProviderKind
    base_url: str | None = None
    """None: the provider's own address."""
    api_key: Secret | None = None
    key_origin: str = ""
    """'OPENAI_API_KEY', '.env: OPENAI_API_KEY', 'api_key_command', 'keyring'; empty without a key."""
    key_names: tuple[str, ...] = ()
    """Environment names a key is looked for under: what to tell someone who has none."""
    key_problem: str = ""
    """Why the configured way to a key gave none, in one sentence."""
    enabled: bool = True
    local: bool = False
    """Runs on the user's own machine: costs nothing, sends nothing away."""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_concurrent: int | None = None

    @property
    def usable(self) -> bool:
        """Enabled, and has a key where its kind cannot do without one, or where it is said how it is found."""
        needs_none = self.kind == "openai-compatible" or (self.kind == "plugin" and not self.key_names)
        needs_none = needs_none and not self.key_problem
        return self.enabled and (self.api_key is not None or needs_none)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """One [[models]] entry. None: not said, so what is known of the model otherwise holds."""

    provider: str
    name: str
    """As the provider's API wants it."""
    enabled: bool = True
    price: Price | None = None
    context_window: int | None = None
    max_output: int | None = None
    abilities: frozenset[Ability] | None = None
    level: Level | None = None
    ability: float | None = None
    ability_source: str | None = None
    """Who says level and ability, where it is not the user: no key of the file."""
    task_abilities: Mapping[TaskType, float] | None = None
    local: bool | None = None
    open_weights: bool | None = None
    family: str | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_concurrent: int | None = None
    first_token_s: float | None = None
    tokens_per_s: float | None = None
    accepts_temperature: bool | None = None

    @property
    def id(self) -> str:
        return f"{self.provider}/{self.name}"


@dataclass(frozen=True, slots=True)
class CacheModel:
    """What is kept of one model's answers. None: as of all."""

    exact: bool | None = None
    semantic: bool | None = None
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True)
class CacheSettings:
    exact: bool = True
    ttl_s: int = 86_400
    max_answers: int = 20_000
    max_mb: int = 64
    """Of answers, their reasoning and the prompts that nearly the same ones are told by."""
    semantic: bool = False
    semantic_similarity: float = 0.7
    """Least cosine of two prompts' embeddings for one to stand for the other; their words must agree as well.
    benchmarks/semantic_cache.py: below 0.7 nothing more is found, from 0.8 on a good part is missed (November 2026)."""
    models: Mapping[str, CacheModel] = field(default_factory=dict)
    """By id."""

    def of(self, model: str) -> CacheModel:
        """What holds of this model, with nothing left open. Without `exact` nothing is kept, so nothing nearly the same
        is found either."""
        own = self.models.get(model, CacheModel())
        exact = self.exact if own.exact is None else own.exact
        semantic = self.semantic if own.semantic is None else own.semantic
        return CacheModel(exact, exact and semantic, self.ttl_s if own.ttl_s is None else own.ttl_s)

    @property
    def used(self) -> bool:
        """Whether anything is kept of any model."""
        return self.exact or any(own.exact for own in self.models.values())

    @property
    def nearly(self) -> bool:
        """Whether anything nearly the same is looked for, of any model."""
        return (self.exact and self.semantic) or any(self.of(model).semantic for model in self.models)


@dataclass(frozen=True, slots=True)
class UiSettings:
    theme: str | None = None
    """None: the console's own."""
    panes: tuple[str, ...] = ("chat", "decision", "costs")
    """Those shown at the start, as far as the terminal is wide enough."""
    density: Literal["comfortable", "compact"] = "comfortable"
    motion: Literal["full", "reduced"] = "full"
    notifications: bool | Literal["bell"] = True
    """Whether the terminal is asked to notify of a cap that is nearly spent."""
    keymap: Mapping[str, str] = field(default_factory=dict)
    """Action id → key, such as 'ctrl+g'; several with commas between."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    path: Path | None = None
    """None: `locations.store_file()`."""


@dataclass(frozen=True, slots=True)
class SharedSettings:
    """A Redis server that several machines keep their caps in together."""

    url: Secret | None = None
    """Secret, because its address may carry a password. None: this machine shares nothing."""
    namespace: str = "tui-orchestrator"
    """Those who use the same one share."""
    when_away: Literal["refuse", "share"] = "refuse"
    """What is done under a shared cap while the server cannot be asked."""
    share: float = 0.25
    """Of what is left of each cap, set aside for this machine while the server is there; for `share` alone."""
    answers: bool = True
    """Whether answers are given to, and taken from, the others too."""


@dataclass(frozen=True, slots=True)
class PluginSettings:
    """Which of the installed plugins are used. Each is called by its name, KIND:NAME, or its package."""

    enabled: tuple[str, ...] | None = None
    """None: all but `disabled`."""
    disabled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    enabled: bool = False
    endpoint: str | None = None
    """The collector's base address, to which the path of each signal is added. None: as OTEL_EXPORTER_OTLP_ENDPOINT
    says, else the usual port on this machine."""
    content: bool = False
    """Whether what is asked and answered is told too."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    level: Literal["off", "error", "warning", "info", "debug"] = "warning"


@dataclass(frozen=True, slots=True)
class Settings:
    policy: Policy = field(default_factory=Policy)
    timeouts: Timeouts = field(default_factory=Timeouts)
    budgets: Budgets = field(default_factory=Budgets)
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The user's own, by name; the shipped ones are built from the registry."""
    rules: tuple[Rule, ...] = ()
    """In the order they are tried: the project's before the user's."""
    personas: Mapping[str, Persona] = field(default_factory=dict)
    """By name."""
    providers: Mapping[str, ProviderSettings] = field(default_factory=dict)
    """The four clouds always, with or without a key; local servers only where the user says something of them."""
    models: tuple[ModelSettings, ...] = ()
    discovery: bool = True
    """Whether to probe the well-known ports of local servers."""
    cache: CacheSettings = CacheSettings()
    ui: UiSettings = UiSettings()
    store: StoreSettings = StoreSettings()
    shared: SharedSettings = SharedSettings()
    plugins: PluginSettings = PluginSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    log: LogSettings = LogSettings()
    default_temperature: float | None = None
    default_model: str | None = None
    """A model's id or bare name, or a provider's name. Leaned to, never pinned."""
    debug_routing: bool = False
    track_costs: bool = True
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    """Dotted key → value as it was read, for showing: every fixed key, and of those under names the ones said."""
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Dotted key → where its value came from: 'default', 'FILE:LINE' (a .env too), 'env NAME', 'flag', DEMO."""
    file: Path | None = None
    """The user's own, or the one that was named instead, whether it is there or not: where a setting is kept. None:
    that of `locations.config_file()`."""
    notices: tuple[str, ...] = ()
    """Sentences worth showing once that stop nothing."""
