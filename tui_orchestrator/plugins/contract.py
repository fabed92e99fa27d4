"""What a plugin is made of: the kinds there are, and what each is given and gives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from ..routing.errors import OrchestratorError

if TYPE_CHECKING:
    from ..routing.model import Model
    from ..routing.ports import Call, Piece

PREFIX = "tui_orchestrator."


class Kind(StrEnum):
    PROVIDER = "provider"
    """A callable that is given an Account and returns an AddedProvider."""
    STRATEGY = "strategy"
    """A callable: Option → number, more is better. The first line of its docstring says what it picks."""
    VERDICT = "verdict"
    """A callable: Given → Opinion, or None where it has nothing to say."""
    RECIPE = "recipe"
    """The TOML of a recipe as text, the path of its file, or a callable that returns either."""
    THEME = "theme"
    """The path of a palette's file, or a callable that returns it."""

    @property
    def group(self) -> str:
        """Of its entry points: 'tui_orchestrator.strategies'."""
        return PREFIX + {"strategy": "strategies"}.get(self.value, f"{self.value}s")


class PluginError(OrchestratorError):
    """What is wrong with a plugin, in one sentence that begins with its name."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a provider is given to reach its server with."""

    name: str
    """The provider's: its models' ids begin with it."""
    api_key: str = field(default="", repr=False)
    base_url: str | None = None
    """None: nothing is configured."""
    connect_s: float = 10.0
    """How long a connection may take; every other deadline is kept by the program."""


class AddedProvider(Protocol):
    def models(self) -> Sequence[Model]:
        """Those there are, each with the account's name as its provider. Called in a thread; it may ask a server. What
        is not known of a model is left out; without a price it is not called under a cap."""
        ...

    def stream(self, call: Call) -> AsyncIterator[Piece]:
        """As in `routing.ports.Provider`: text pieces as they come, at the end one Done. It may raise a TurnError such
        as RateLimited; anything else counts as a failure of its server. Never retries."""
        ...
