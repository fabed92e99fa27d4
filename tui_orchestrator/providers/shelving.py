"""From what is said of a model (by its server, the price book, the families table and the user) to one Model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..routing.model import Model
from ..routing.money import FREE, Price
from ..routing.profile import Ability
from ..settings import ModelSettings, ProviderSettings
from .families import ABILITY_OF, Traits, level_of, local_speed, traits
from .listings import DEFAULT_URLS, Listed
from .names import answers_chat_completions, bare, chats, one_of_each, size, todays
from .prices import Entry, PriceBook
from .specialists import specialty

LONG_CONTEXT_TOKENS = 128_000
_LOADING_S = 6.0
"""Until the first token of a local model that must be read from disk first; judged from 8B models on solid-state disks,
November 2026."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """One provider, with the part of the price book that is about it."""

    provider: ProviderSettings
    book: PriceBook
    recognised: bool = False
    """A local server that told which program it is."""

    @property
    def name(self) -> str | None:
        return self.book.shelf(self.provider.kind, self.provider.base_url or DEFAULT_URLS.get(self.provider.kind))

    @property
    def own_machine(self) -> bool:
        """Only an OpenAI-compatible server: the clouds' own protocols on the loopback are a gateway that bills."""
        return self.provider.local and self.provider.kind == "openai-compatible"

    def _entry(self, item: Listed, said: ModelSettings | None = None) -> Entry | None:
        """Not looked up where nothing is to be learned: OpenRouter tells hundreds of models whole, and a user may."""
        price = item.price or (said and said.price)
        window = item.context_window or (said and said.context_window)
        told = price is not None and window is not None
        return None if self.own_machine or told else self.book.entry(self.name, item.name)

    def unasked(self) -> list[Listed]:
        """What to offer while the provider's own list has not been read: today's models of the price book whose
        family is in the table, and nothing that has no price there.

        A cloud at another address than its own keeps its models if it keeps its name (a company's gateway for OpenAI);
        a server of another name that only speaks like one has what it lists and what the user says it has.
        """
        provider = self.provider
        itself = provider.base_url is None or provider.name == provider.kind or provider.kind == "openai-compatible"
        if self.own_machine or not itself or provider.api_key is None:
            return []
        entries = [entry for entry in self.book.entries(self.name) if entry.price and not entry.deprecated]
        offered = todays(one_of_each(entry.name for entry in entries))
        if provider.kind == "openrouter":
            offered = [name for name in offered if "/" in name and ":" not in name]
        if provider.kind == "gemini":
            offered = [name for name in offered if name.startswith("gemini")]  # the rest is served by Vertex alone
        return [Listed(name) for name in offered if traits(name).known and self._fits(Listed(name))]

    def offered(self, listed: Iterable[Listed]) -> list[Listed]:
        """What of a server's own list can be chatted with, one name for each model."""
        fitting = {item.name: item for item in listed if self._fits(item)}
        names = list(fitting) if self.own_machine else one_of_each(fitting)
        return [fitting[name] for name in names]

    def _fits(self, item: Listed) -> bool:
        if item.chats is False or not chats(item.name):
            return False
        if self.provider.kind == "openai" and not answers_chat_completions(item.name):
            return False
        entry = self._entry(item)
        return entry is None or entry.answers

    def model(self, item: Listed, said: ModelSettings | None = None) -> Model:
        """What the user said wins field by field, then the server, then the price book, then the table."""
        entry = self._entry(item, said)
        price = self._price(item, entry)
        known = traits(_sized(item), price or (said.price if said else None))
        local = self.own_machine and not item.remote
        window = item.context_window or (entry.context_window if entry else None)
        special = specialty(item.name)
        model = Model(
            self.provider.name,
            item.name,
            price=price,
            context_window=window,
            max_output=item.max_output or known.max_output,
            abilities=known.abilities if item.abilities is None else item.abilities,
            level=known.level,
            ability=known.ability,
            task_abilities=special.offsets if special else {},
            ability_source=f"{known.source}; {special.source}" if special else known.source,
            local=local,
            open_weights=known.open_weights or local,
            family=known.family,
            requests_per_minute=self._requests_per_minute(known),
            accepts_temperature=known.accepts_temperature
            if item.accepts_temperature is None
            else item.accepts_temperature,
            first_token_s=known.first_token_s,
            tokens_per_s=known.tokens_per_s,
        )
        if local:
            speed = local_speed(_sized(item))
            model = replace(model, tokens_per_s=speed, first_token_s=_LOADING_S if item.loaded is False else 0.5)
        return _long_context(merged(model, said) if said else model, said)

    def _price(self, item: Listed, entry: Entry | None) -> Price | None:
        if item.price is not None:
            return item.price
        if not self.own_machine:
            return entry.price if entry else None
        if item.remote:
            return None
        # Weights that nobody can download do not run here: an unrecognised server with such a name resells it.
        row = traits(item.name)
        resold = row.known and not row.open_weights and not self.recognised
        return None if resold else FREE

    def _requests_per_minute(self, known: Traits) -> int | None:
        # A maker's usual limit is its own servers': of one at an address of the user's own nothing is known.
        provider = self.provider
        if self.own_machine or provider.kind == "openai-compatible" or provider.requests_per_minute is not None:
            return None
        return known.requests_per_minute


def _sized(item: Listed) -> str:
    """The name with the parameters its server told, where the name itself has none: 'llama3:latest' of '8.0B' reads as
    'llama3:8b'."""
    if not item.parameters or size(item.name):
        return item.name
    told = size(item.parameters)
    return f"{bare(item.name).removesuffix(':latest')}:{told.total:g}b" if told else item.name


def merged(model: Model, said: ModelSettings) -> Model:
    fields = {
        name: value
        for name in ModelSettings.__dataclass_fields__
        if name not in ("provider", "name", "enabled") and (value := getattr(said, name)) is not None
    }
    if said.level is not None or said.ability is not None:
        ability = said.ability if said.ability is not None else ABILITY_OF[said.level or model.level]
        fields["ability"] = ability
        fields["level"] = said.level or level_of(ability)
        fields["ability_source"] = said.ability_source or "your configuration"
    return replace(model, **fields)


def _long_context(model: Model, said: ModelSettings | None) -> Model:
    """Reading a long text is an ability of every model with room for one, unless the user listed the abilities."""
    if said is not None and said.abilities is not None:
        return model
    roomy = (model.context_window or 0) >= LONG_CONTEXT_TOKENS
    return replace(model, abilities=model.abilities | {Ability.LONG_CONTEXT}) if roomy else model
