"""Models one may route to, and the registry that holds them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .money import Price
from .profile import Ability, Level, TaskType


@dataclass(frozen=True, slots=True)
class Model:
    """One thing that answers. What is not known is None, never a guess that costs money."""

    provider: str
    name: str
    """As the provider's API wants it."""
    price: Price | None = None
    context_window: int | None = None
    """Input and output tokens together."""
    max_output: int | None = None
    abilities: frozenset[Ability] = frozenset()
    level: Level = Level.INTERMEDIATE
    ability: float = 0.5
    """On the scale of a prompt's difficulty: at equal values a good answer is as likely as not."""
    task_abilities: Mapping[TaskType, float] = field(default_factory=dict)
    """Added to `ability` on these task types: a specialist is better at some and worse at others."""
    ability_source: str = ""
    """For people: where `level`, `ability` and `task_abilities` come from."""
    local: bool = False
    open_weights: bool = False
    family: str = ""
    """'claude', 'gpt', 'gemini', 'llama' …: an ensemble prefers members of different families."""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_concurrent: int | None = None
    first_token_s: float = 1.0
    """Prior, until this user's own calls have been measured."""
    tokens_per_s: float = 60.0
    accepts_temperature: bool = True
    id: str = field(init=False, repr=False, compare=False)
    """'provider/name'. Kept, because a decision asks every model for it several times."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", f"{self.provider}/{self.name}")


@dataclass(frozen=True, slots=True)
class Registry:
    """The models of this moment, by id. Immutable: a refresh makes a new one."""

    models: Mapping[str, Model] = field(default_factory=dict)
    out: Mapping[str, str] = field(default_factory=dict)
    """Model id → why it cannot be used at all: 'disabled in your configuration', 'no key: set OPENAI_API_KEY' …"""
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unlisted: Mapping[str, str] = field(default_factory=dict)
    """Provider of which no model is known → why: '127.0.0.1:11434 did not answer within 6 s' …"""

    @classmethod
    def of(
        cls,
        models: Iterable[Model],
        out: Mapping[str, str] | None = None,
        chains: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Registry:
        return cls({model.id: model for model in models}, out or {}, chains or {})

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models.values())

    def __len__(self) -> int:
        return len(self.models)

    def __contains__(self, model_id: object) -> bool:
        return model_id in self.models

    def __getitem__(self, model_id: str) -> Model:
        return self.models[model_id]

    def get(self, model_id: str) -> Model | None:
        return self.models.get(model_id)

    def called(self, wanted: str) -> list[Model]:
        """The one with that id, else all with that bare name."""
        if wanted in self.models:
            return [self.models[wanted]]
        return [model for model in self if model.name == wanted]

    def find(self, wanted: str) -> Model:
        """By id, or by bare name where only one provider has it.

        Raises LookupError with a sentence that says what would be right.
        """
        named = self.called(wanted)
        if len(named) == 1:
            return named[0]
        if named:
            raise LookupError(f"{wanted!r} is served by several providers; say {' or '.join(m.id for m in named)}")
        known = [*self.models, *(model.name for model in self)]
        close = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else "`models` lists those there are"
        provider = wanted.partition("/")[0]
        if provider in self.unlisted:
            hint = f"no model of {provider} is known: {self.unlisted[provider]}"
        raise LookupError(f"no model is called {wanted!r}; {hint}")
