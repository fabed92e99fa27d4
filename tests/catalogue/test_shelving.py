"""One model, out of what its server, the price book, the families table and the user say of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tui_orchestrator.providers.families import Traits, traits
from tui_orchestrator.providers.listings import Listed
from tui_orchestrator.providers.prices import PriceBook
from tui_orchestrator.providers.shelving import Shelf
from tui_orchestrator.providers.specialists import specialty
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import FREE, Price, Rates
from tui_orchestrator.routing.profile import Ability, Level, TaskType
from tui_orchestrator.settings import ModelSettings, ProviderSettings, Secret

OPENAI = ProviderSettings("openai", "openai", api_key=Secret("sk-0123456789abcdef"))
RACK = ProviderSettings("rack", "openai-compatible", "http://127.0.0.1:9/v1", local=True)
OFFICE = ProviderSettings("office", "openai-compatible", "http://office.example/v1")
PRICE = Price(Rates(1, 2), source="the server")


def as_known(known: Traits, provider: str, name: str, **more: Any) -> Model:
    return Model(
        provider,
        name,
        max_output=known.max_output,
        abilities=known.abilities,
        level=known.level,
        ability=known.ability,
        ability_source=known.source,
        open_weights=known.open_weights,
        family=known.family,
        accepts_temperature=known.accepts_temperature,
        first_token_s=known.first_token_s,
        tokens_per_s=known.tokens_per_s,
        **more,
    )


def test_a_clouds_model_is_what_the_table_and_the_book_know(book: PriceBook) -> None:
    known, entry = traits("gpt-4o-mini"), book.entry("openai", "gpt-4o-mini")
    assert entry is not None
    window = {"price": entry.price, "context_window": entry.context_window}
    plain = as_known(known, "openai", "gpt-4o-mini", requests_per_minute=known.requests_per_minute, **window)
    expected = replace(plain, abilities=plain.abilities | {Ability.LONG_CONTEXT})
    assert Shelf(OPENAI, book).model(Listed("gpt-4o-mini")) == expected
    assert (expected.first_token_s, expected.tokens_per_s) != (
        Model("a", "b").first_token_s,
        Model("a", "b").tokens_per_s,
    )
    assert expected.requests_per_minute == 100


def test_what_the_server_says_of_a_model_wins_over_the_table_and_the_book(book: PriceBook) -> None:
    said = Listed("gpt-4o-mini", PRICE, 99, 88, frozenset({Ability.THINKING}), accepts_temperature=False)
    model = Shelf(OPENAI, book).model(said)
    assert (model.price, model.context_window, model.max_output) == (PRICE, 99, 88)
    assert (model.abilities, model.accepts_temperature) == ({Ability.THINKING}, False)
    known = Shelf(OPENAI, book).model(Listed("gpt-6-luna"))
    assert (known.accepts_temperature, known.max_output) == (False, 128_000)
    assert Shelf(OPENAI, book).model(Listed("gpt-6-luna", accepts_temperature=True)).accepts_temperature


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ({"price": PRICE}, {"price": PRICE}),
        ({"context_window": 99}, {"context_window": 99}),
        ({"max_output": 9}, {"max_output": 9}),
        ({"abilities": frozenset()}, {"abilities": frozenset()}),
        ({"task_abilities": {TaskType.MATH: 0.1}}, {"task_abilities": {TaskType.MATH: 0.1}}),
        ({"local": True}, {"local": True}),
        ({"open_weights": True}, {"open_weights": True}),
        ({"family": "own"}, {"family": "own"}),
        ({"requests_per_minute": 1}, {"requests_per_minute": 1}),
        ({"tokens_per_minute": 2}, {"tokens_per_minute": 2}),
        ({"max_concurrent": 3}, {"max_concurrent": 3}),
        ({"first_token_s": 4.0}, {"first_token_s": 4.0}),
        ({"tokens_per_s": 5.0}, {"tokens_per_s": 5.0}),
        ({"accepts_temperature": False}, {"accepts_temperature": False}),
        (
            {"level": Level.BASIC},
            {"level": Level.BASIC, "ability": 0.38, "ability_source": "your configuration"},
        ),
        ({"ability": 0.0}, {"level": Level.BASIC, "ability": 0.0, "ability_source": "your configuration"}),
        (
            {"level": Level.EXPERT, "ability": 0.3, "ability_source": "a test"},
            {"level": Level.EXPERT, "ability": 0.3, "ability_source": "a test"},
        ),
        ({"enabled": False}, {}),
    ],
)
def test_what_the_user_says_of_a_model_wins_over_everything(
    book: PriceBook, said: dict[str, Any], changed: dict[str, Any]
) -> None:
    listed = Listed("gpt-4o", PRICE, 1000, 100, frozenset({Ability.VISION}))
    plain = Shelf(OPENAI, book).model(listed)
    assert Shelf(OPENAI, book).model(listed, ModelSettings("openai", "gpt-4o", **said)) == replace(plain, **changed)


def test_a_local_model_is_as_quick_as_its_size_lets_it_be(book: PriceBook) -> None:
    shelf = Shelf(RACK, book)
    expected = as_known(traits("llama3.1:8b"), "rack", "llama3.1:8b", price=FREE, local=True)
    expected = replace(expected, tokens_per_s=31.0, first_token_s=0.5)
    assert shelf.model(Listed("llama3.1:8b")) == expected
    assert shelf.model(Listed("llama3.1:8b", loaded=True)) == expected
    assert shelf.model(Listed("llama3.1:8b", loaded=False)) == replace(expected, first_token_s=6.0)
    own = shelf.model(Listed("mine"))
    assert (own.open_weights, own.local, own.requests_per_minute) == (True, True, None)


@pytest.mark.parametrize(
    ("name", "parameters", "tokens_per_s"),
    [
        ("mine", "", 31.0),
        ("mine", "70B", 4.0),
        ("mine:latest", "1.5B", 120.0),
        ("mine", "large", 31.0),
        ("mine:32b", "70B", 8.0),
        ("team/mine:latest", "30B-A3B", 8.0),
    ],
)
def test_the_size_that_a_server_tells_counts_where_the_name_tells_none(
    book: PriceBook, name: str, parameters: str, tokens_per_s: float
) -> None:
    model = Shelf(RACK, book).model(Listed(name, parameters=parameters))
    assert model.tokens_per_s == tokens_per_s
    if tokens_per_s == 4.0:
        assert "guessed from its 70 billion parameters" in model.ability_source


@pytest.mark.parametrize(
    ("provider", "item", "recognised", "price", "local"),
    [
        (RACK, Listed("mine"), False, FREE, True),
        (RACK, Listed("mine", PRICE), False, PRICE, True),
        (RACK, Listed("mine", remote=True), False, None, False),
        (RACK, Listed("claude-opus-5-5"), False, None, True),
        (RACK, Listed("claude-opus-5-5"), True, FREE, True),
        (RACK, Listed("llama3.1:8b"), False, FREE, True),
        (OFFICE, Listed("mine"), False, None, False),
        (OFFICE, Listed("gpt-4o", PRICE), False, PRICE, False),
        (replace(OPENAI, local=True), Listed("mine"), False, None, False),
    ],
)
def test_what_runs_here_is_free_and_what_is_passed_on_is_not(
    book: PriceBook, provider: ProviderSettings, item: Listed, recognised: bool, price: Price | None, local: bool
) -> None:
    model = Shelf(provider, book, recognised).model(item)
    assert (model.price, model.local) == (price, local)


@pytest.mark.parametrize(
    ("provider", "limit"),
    [
        (OPENAI, 50),
        (replace(OPENAI, requests_per_minute=7), None),
        (replace(OPENAI, kind="openai-compatible"), None),
        (RACK, None),
    ],
)
def test_the_usual_limit_of_a_maker_holds_at_its_own_servers(
    book: PriceBook, provider: ProviderSettings, limit: int | None
) -> None:
    assert Shelf(provider, book).model(Listed("gpt-4o")).requests_per_minute == limit


def test_a_specialist_says_what_both_judgements_rest_on(book: PriceBook) -> None:
    model, special = Shelf(RACK, book).model(Listed("deepseek-r1:70b")), specialty("deepseek-r1:70b")
    assert special is not None
    assert (model.task_abilities, model.ability_source) == (
        special.offsets,
        f"{traits('deepseek-r1:70b').source}; {special.source}",
    )
    plain = Shelf(OPENAI, book).model(Listed("gpt-4o"))
    assert (plain.task_abilities, plain.ability_source) == ({}, traits("gpt-4o").source)


@pytest.mark.parametrize(
    ("provider", "listed", "offered"),
    [
        # A local server has each file it lists; a cloud's releases of one model are one.
        (RACK, ["m-2025-01-01", "m"], ["m-2025-01-01", "m"]),
        (OPENAI, ["gpt-4o-2024-11-20", "gpt-4o"], ["gpt-4o"]),
        (RACK, ["mine", "nomic-embed-text", "gpt-5.5-pro"], ["mine", "gpt-5.5-pro"]),
        (OPENAI, ["mine", "text-embedding-3-large", "gpt-5.5-pro"], ["mine"]),
    ],
)
def test_what_of_a_list_is_offered(
    book: PriceBook, provider: ProviderSettings, listed: list[str], offered: list[str]
) -> None:
    shelf = Shelf(provider, book)
    assert [item.name for item in shelf.offered(map(Listed, listed))] == offered
    assert shelf.offered([Listed("mine", chats=False)]) == []
    assert shelf.offered([Listed("mine", chats=True)]) == [Listed("mine", chats=True)]


@pytest.mark.parametrize(
    ("provider", "some"),
    [
        (OPENAI, True),
        (replace(OPENAI, api_key=None), False),
        (replace(OPENAI, name="office", base_url="http://office.example/v1"), False),
        (replace(OPENAI, name="office"), True),
        (replace(OPENAI, base_url="http://office.example/v1"), True),
        (replace(OFFICE, api_key=OPENAI.api_key), False),
        (replace(OFFICE, api_key=OPENAI.api_key, base_url="https://api.groq.com/openai/v1"), True),
        (replace(RACK, api_key=OPENAI.api_key, base_url="https://api.groq.com/openai/v1"), False),
    ],
)
def test_before_its_list_is_read_only_who_is_known_by_name_or_address_has_models(
    book: PriceBook, provider: ProviderSettings, some: bool
) -> None:
    assert bool(Shelf(provider, book).unasked()) == some
