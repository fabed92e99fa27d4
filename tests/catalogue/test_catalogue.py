"""The registry that comes out of keys, lists, found servers and the user's own words."""

from __future__ import annotations

import asyncio
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from tui_orchestrator.providers import catalogue as module
from tui_orchestrator.providers import clients as clients_of
from tui_orchestrator.providers import names
from tui_orchestrator.providers.catalogue import Catalogue
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.listings import Source
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.money import FREE, Price, Rates
from tui_orchestrator.routing.profile import Ability, Level
from tui_orchestrator.routing.rules import Rule
from tui_orchestrator.settings import ModelSettings, ProviderSettings, Secret, Settings, SettingsError

from .server import Reply, serving
from .test_discovery import LLAMACPP, OLLAMA, VLLM
from .test_listings import SONNET, openai_list

KEY = "sk-very-secret-0123456789"
NAMES = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY", "gemini": "GEMINI_API_KEY"}


def cloud(kind: str, url: str | None = None, *, key: bool = True, **fields: object) -> ProviderSettings:
    name = NAMES.get(kind, "OPENROUTER_API_KEY")
    held = Secret(KEY) if key else None
    made = ProviderSettings(kind, kind, url, held, name if key else "", (name,))  # type: ignore[arg-type]
    return replace(made, **fields)  # type: ignore[arg-type]


def server(name: str, url: str, **fields: object) -> ProviderSettings:
    return replace(ProviderSettings(name, "openai-compatible", url, local=True), **fields)  # type: ignore[arg-type]


def settings(*providers: ProviderSettings, **fields: object) -> Settings:
    return Settings(providers={p.name: p for p in providers}, **fields)  # type: ignore[arg-type]


def catalogue(wanted: Settings, clients: HttpClients, cache: Path, **options: object) -> Catalogue:
    return Catalogue(wanted, clients, cache, **{"ports": (), "probe_timeout_s": 20, **options})  # type: ignore[arg-type]


async def instant(wanted: Settings, clients: HttpClients, cache: Path) -> Registry:
    return await catalogue(wanted, clients, cache).instant()


# Without the network --------------------------------------------------------------------------------------------------


async def test_a_key_alone_brings_its_providers_models_of_today(clients: HttpClients, tmp_path: Path) -> None:
    registry = await instant(
        settings(cloud("anthropic"), cloud("openai"), cloud("gemini", key=False)), clients, tmp_path
    )
    assert {model.provider for model in registry} == {"anthropic", "openai"}
    for name in ("anthropic/claude-opus-5-5", "anthropic/claude-haiku-5-5", "openai/gpt-6-luna", "openai/gpt-6.1-sol"):
        model = registry[name]
        assert model.price is not None
        assert model.price.source.startswith("genai-prices")
        assert model.context_window
        assert "judged from" in model.ability_source
        assert not model.local
    absent = {"anthropic/claude-3-opus-latest", "openai/gpt-5.5-pro", "openai/gpt-image-2", "openai/gpt-4", "openai/o1"}
    assert not absent & set(registry.models)
    assert registry.out == {}


async def test_without_a_key_nothing_appears(clients: HttpClients, tmp_path: Path) -> None:
    registry = await instant(settings(cloud("openai", key=False)), clients, tmp_path)
    assert len(registry) == 0
    assert registry.chains == {}


async def test_gemini_models_are_geminis_own(clients: HttpClients, tmp_path: Path) -> None:
    registry = await instant(settings(cloud("gemini")), clients, tmp_path)
    assert "gemini/gemini-4-argon" in registry
    assert all(model.name.startswith("gemini-") for model in registry)


async def test_openrouter_has_at_once_what_is_named_by_its_maker_and_billed(
    clients: HttpClients, tmp_path: Path
) -> None:
    registry = await instant(settings(cloud("openrouter")), clients, tmp_path)
    names = [model.name for model in registry]
    assert "anthropic/claude-haiku-5.5" in names
    assert [name for name in names if "/" not in name or ":" in name] == []
    assert all(model.price is not None and not model.price.free for model in registry)


async def test_of_the_price_book_only_families_that_are_known_and_still_served_are_offered(
    clients: HttpClients, tmp_path: Path
) -> None:
    known = settings(cloud("openrouter"), cloud("gemini"), cloud("openai"))
    registry = await instant(known, clients, tmp_path)
    assert [model.id for model in registry if model.ability_source.startswith(("guessed", "unknown"))] == []
    assert "gemini/gemini-3-pro-preview" not in registry, "retired"
    assert "openai/text-embedding-3-large" not in registry
    assert "openai/gpt-5.5-pro" not in registry, "another protocol"
    assert "openrouter/openai/gpt-5.5-pro" in registry, "there it is served as any other"


@pytest.mark.parametrize(
    ("listed", "offered"),
    [(["pricing", "context_length"], True), (["pricing"], False), (["context_length"], False), ([], False)],
)
async def test_a_model_that_its_server_describes_whole_is_offered_whatever_the_price_book_says_of_it(
    clients: HttpClients, tmp_path: Path, listed: list[str], offered: bool
) -> None:
    """The book has a price for what it reads and none for what it writes."""
    whole = {"pricing": {"prompt": "0.000001", "completion": "0.000001"}, "context_length": 8192}
    item = {"id": "scaledown/extract", **{name: whole[name] for name in listed}}
    async with serving({"/api/v1/models": {"data": [item, SONNET]}}) as resold:
        wanted = settings(cloud("openrouter", resold.url + "/api/v1"), discovery=False)
        registry = await catalogue(wanted, clients, tmp_path).read()
    assert ("openrouter/scaledown/extract" in registry) == offered


async def test_what_a_server_leaves_out_the_price_book_tells_field_by_field(
    clients: HttpClients, tmp_path: Path
) -> None:
    name = "anthropic/claude-haiku-5.5"
    known = (await instant(settings(cloud("openrouter")), clients, tmp_path))[f"openrouter/{name}"]
    priced = {"pricing": {"prompt": "0.5", "completion": "0.5"}}
    own = Price(Rates.from_usd("500000", "500000"), source="OpenRouter catalogue")
    for said, price, window in (
        ({}, known.price, known.context_window),
        (priced, own, known.context_window),
        ({"context_length": 9}, known.price, 9),
        ({**priced, "context_length": 9}, own, 9),
    ):
        async with serving({"/api/v1/models": {"data": [{"id": name, **said}]}}) as resold:
            wanted = settings(cloud("openrouter", resold.url + "/api/v1"), discovery=False)
            model = (await catalogue(wanted, clients, tmp_path).read(refresh=True))[f"openrouter/{name}"]
        assert (model.price, model.context_window) == (price, window)


@pytest.mark.parametrize(("window", "long"), [(127_999, False), (128_000, True), (None, False)])
async def test_a_long_context_begins_at_a_size(
    clients: HttpClients, tmp_path: Path, window: int | None, long: bool
) -> None:
    for abilities in (None, frozenset({Ability.TOOLS})):
        said = ModelSettings("rack", "mine", context_window=window, abilities=abilities)
        wanted = settings(server("rack", "http://127.0.0.1:9/v1"), models=(said,))
        model = (await instant(wanted, clients, tmp_path))["rack/mine"]
        assert model.abilities == (abilities or ({Ability.LONG_CONTEXT} if long else set()))


async def test_a_model_with_room_for_it_can_read_long_texts(clients: HttpClients, tmp_path: Path) -> None:
    registry = await instant(settings(cloud("openai")), clients, tmp_path)
    assert Ability.LONG_CONTEXT in registry["openai/gpt-6-luna"].abilities


async def test_a_chain_without_a_key_says_which_key_is_missing(clients: HttpClients, tmp_path: Path) -> None:
    chains = {"mine": ("openai/gpt-6-luna", "anthropic/claude-opus-5-5")}
    wanted = settings(cloud("openai"), cloud("anthropic", key=False), chains=chains)
    registry = await instant(wanted, clients, tmp_path)
    assert registry.out == {"anthropic/claude-opus-5-5": "no key: set ANTHROPIC_API_KEY"}
    assert registry["anthropic/claude-opus-5-5"].price is not None
    assert registry.chains["mine"] == chains["mine"]
    assert not any("anthropic/" in model for model in registry.chains["mixed"])


async def test_why_a_configured_way_to_a_key_gave_none_is_said(clients: HttpClients, tmp_path: Path) -> None:
    provider = cloud("openai", key=False, key_problem="api_key_command exited with 1")
    wanted = settings(provider, models=(ModelSettings("openai", "gpt-6-luna"),))
    registry = await instant(wanted, clients, tmp_path)
    assert registry.out == {"openai/gpt-6-luna": "no key: api_key_command exited with 1"}


@pytest.mark.parametrize(
    ("provider", "why"),
    [
        (cloud("openai", key=False, key_names=("A", "B")), "no key: set A or B"),
        (
            cloud("openai", key=False, key_names=()),
            "no key: set api_key_env or api_key_command in [providers.openai]",
        ),
        (cloud("openai", key=False, enabled=False), "disabled in your configuration"),
    ],
)
async def test_what_would_make_a_provider_usable_is_said(
    clients: HttpClients, tmp_path: Path, provider: ProviderSettings, why: str
) -> None:
    made = catalogue(settings(provider, models=(ModelSettings("openai", "gpt-6-luna"),)), clients, tmp_path)
    assert (await made.instant()).out == {"openai/gpt-6-luna": why}
    await made.read()
    report = made.reports["openai"]
    assert (report.reachable, report.authorised, report.models, report.detail) == (None, None, 0, why)
    assert report.seconds == 0


async def test_the_models_that_a_rule_a_default_or_a_chain_names_are_known_even_without_a_key(
    clients: HttpClients, tmp_path: Path
) -> None:
    wanted = settings(
        cloud("openai", key=False),
        chains={"mine": ("openai/one", "anthropic/other", "openai/")},
        rules=(Rule("long", primary="openai/two", fallback=("openai/three", "four")),),
        default_model="openai/five",
        policy=Policy(baseline_model="openai/one"),
    )
    registry = await instant(wanted, clients, tmp_path)
    assert list(registry.out) == ["openai/one", "openai/two", "openai/three", "openai/five"]
    assert set(registry.out.values()) == {"no key: set OPENAI_API_KEY"}


async def test_the_baseline_is_known_even_without_its_key(clients: HttpClients, tmp_path: Path) -> None:
    wanted = settings(cloud("openai", key=False), policy=Policy(baseline_model="openai/gpt-6-astra"))
    registry = await instant(wanted, clients, tmp_path)
    assert registry["openai/gpt-6-astra"].price is not None
    assert "openai/gpt-6-astra" in registry.out


async def test_a_users_chain_may_use_bare_names(clients: HttpClients, tmp_path: Path) -> None:
    wanted = settings(cloud("openai"), chains={"mine": ("gpt-6-luna", "nothing-like-it")})
    registry = await instant(wanted, clients, tmp_path)
    assert registry.chains["mine"] == ("openai/gpt-6-luna", "nothing-like-it")


async def test_the_users_words_win_field_by_field(clients: HttpClients, tmp_path: Path) -> None:
    price = Price(Rates(1, 2), source="your configuration")
    said = ModelSettings(
        "openai", "gpt-6-luna", price=price, level=Level.EXPERT, requests_per_minute=7, first_token_s=9.0
    )
    plain = (await instant(settings(cloud("openai")), clients, tmp_path))["openai/gpt-6-luna"]
    model = (await instant(settings(cloud("openai"), models=(said,)), clients, tmp_path))["openai/gpt-6-luna"]
    assert (model.price, model.requests_per_minute, model.first_token_s) == (price, 7, 9.0)
    assert (model.level, model.ability, model.ability_source) == (Level.EXPERT, 0.95, "your configuration")
    assert (model.context_window, model.abilities) == (plain.context_window, plain.abilities)


async def test_an_ability_alone_sets_the_level(clients: HttpClients, tmp_path: Path) -> None:
    wanted = settings(cloud("openai"), models=(ModelSettings("openai", "gpt-6-luna", ability=0.3),))
    model = (await instant(wanted, clients, tmp_path))["openai/gpt-6-luna"]
    assert (model.ability, model.level) == (0.3, Level.BASIC)


async def test_a_model_that_nobody_lists_can_be_added(clients: HttpClients, tmp_path: Path) -> None:
    said = ModelSettings("company", "in-house-70b", context_window=32_000)
    wanted = settings(server("company", "http://gateway.example/v1", local=False), models=(said,))
    model = (await instant(wanted, clients, tmp_path))["company/in-house-70b"]
    assert model.price is None, "a price nobody named is unknown"
    assert model.context_window == 32_000
    assert "70 billion" in model.ability_source


async def test_a_disabled_model_or_provider_is_out(clients: HttpClients, tmp_path: Path) -> None:
    off = (ModelSettings("openai", "gpt-6-luna", enabled=False), ModelSettings("anthropic", "claude-opus-5-5"))
    wanted = settings(cloud("openai"), cloud("anthropic", enabled=False), models=off)
    registry = await instant(wanted, clients, tmp_path)
    out = "disabled in your configuration"
    assert registry.out == {"openai/gpt-6-luna": out, "anthropic/claude-opus-5-5": out}
    assert all("gpt-6-luna" not in model for chain in registry.chains.values() for model in chain)
    assert [model.id for model in registry if model.provider == "anthropic"] == ["anthropic/claude-opus-5-5"]


def test_a_model_of_a_provider_there_is_not_is_refused_in_a_sentence(clients: HttpClients, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"provider 'opnai', which there is not; add \[providers\.opnai\]"):
        catalogue(settings(cloud("openai"), models=(ModelSettings("opnai", "gpt-6"),)), clients, tmp_path)


async def test_a_model_of_a_local_server_waits_for_the_server(clients: HttpClients, tmp_path: Path) -> None:
    async with serving(dict(OLLAMA)) as ollama:
        said = ModelSettings("ollama", "qwen3:8b", level=Level.ADVANCED)
        made = catalogue(settings(models=(said,)), clients, tmp_path, ports=(ollama.port,))
        before = await made.instant()
        assert before.out == {"ollama/qwen3:8b": "no ollama server has been found on this machine"}
        awaited = before["ollama/qwen3:8b"]
        assert (awaited.local, awaited.price, awaited.level) == (True, FREE, Level.ADVANCED)
        registry = await made.read()
    assert "ollama/qwen3:8b" not in registry.out
    assert (registry["ollama/qwen3:8b"].level, registry["ollama/qwen3:8b"].context_window) == (Level.ADVANCED, 8192)


async def test_a_users_rate_for_a_provider_replaces_the_families_default(clients: HttpClients, tmp_path: Path) -> None:
    default = await instant(settings(cloud("openai")), clients, tmp_path)
    chosen = await instant(settings(cloud("openai", requests_per_minute=500)), clients, tmp_path)
    assert default["openai/gpt-6-luna"].requests_per_minute == 100
    assert chosen["openai/gpt-6-luna"].requests_per_minute is None


async def test_a_server_of_your_own_has_no_limit_by_size_wherever_it_is(clients: HttpClients, tmp_path: Path) -> None:
    async with serving({"/v1/models": openai_list("llama-3.3-70b")}) as server:
        own = replace(cloud("openai", server.url + "/v1"), name="rack", kind="openai-compatible", local=False)
        registry = await catalogue(settings(own), clients, tmp_path).read()
    assert registry["rack/llama-3.3-70b"].requests_per_minute is None


async def test_a_server_of_another_name_has_what_it_lists_and_no_more(clients: HttpClients, tmp_path: Path) -> None:
    async with serving({"/v1/models": openai_list("house-blend")}) as other:
        imitation = replace(cloud("openai", other.url + "/v1"), name="office")
        made = catalogue(settings(imitation), clients, tmp_path)
        assert len(await made.instant()) == 0
        assert list((await made.read()).models) == ["office/house-blend"]


async def test_a_gateway_that_keeps_the_clouds_name_has_its_models_at_once(
    clients: HttpClients, tmp_path: Path
) -> None:
    registry = await instant(settings(cloud("openai", "https://gateway.example/v1")), clients, tmp_path)
    assert "openai/gpt-6-luna" in registry


async def test_a_name_with_the_key_in_it_is_no_models(clients: HttpClients, tmp_path: Path) -> None:
    async with serving({"/v1/models": openai_list(KEY, "house-blend", f"a-{KEY}")}) as other:
        made = catalogue(settings(replace(cloud("openai", other.url + "/v1"), name="office")), clients, tmp_path)
        assert list((await made.read()).models) == ["office/house-blend"]


async def test_a_known_reseller_has_its_models_at_once_when_there_is_a_key(
    clients: HttpClients, tmp_path: Path
) -> None:
    groq = server("groq", "https://api.groq.com/openai/v1", local=False, api_key=Secret(KEY))
    registry = await instant(settings(groq), clients, tmp_path)
    model = registry["groq/openai/gpt-oss-120b"]
    assert model.price is not None
    assert (model.price.free, model.local) == (False, False)
    assert len(await instant(settings(replace(groq, api_key=None)), clients, tmp_path)) == 0


# From the providers' own lists ----------------------------------------------------------------------------------------


async def test_a_providers_own_list_wins(clients: HttpClients, tmp_path: Path) -> None:
    names = ("gpt-6-luna", "gpt-6-luna-2026-09-22", "gpt-4o", "gpt-image-2", "gpt-5.5-pro", "brand-new-model")
    async with serving({"/v1/models": openai_list(*names)}) as openai:
        made = catalogue(settings(cloud("openai", openai.url + "/v1")), clients, tmp_path)
        registry = await made.read()
    assert list(registry.models) == ["openai/gpt-6-luna", "openai/gpt-4o", "openai/brand-new-model"]
    assert registry["openai/gpt-4o"].price is not None
    assert registry["openai/brand-new-model"].price is None
    report = made.reports["openai"]
    assert (report.reachable, report.authorised, report.models) == (True, True, 3)
    assert (report.detail, report.silent, report.unread, report.unwell) == ("6 models listed", False, False, False)
    assert report.seconds > 0


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply("", 500), (True, None, False, True, True)),
        (Reply("", 404), (True, None, False, True, False)),
        (Reply("", 401), (True, False, False, True, False)),
        (Reply(silent=True), (False, None, True, True, False)),
    ],
)
async def test_the_report_says_how_the_list_was_missed(
    clients: HttpClients, tmp_path: Path, reply: Reply, told: tuple[object, ...]
) -> None:
    async with serving({}, reply) as openai:
        wanted = settings(cloud("openai", openai.url + "/v1"), discovery=False)
        made = catalogue(wanted, clients, tmp_path, listing_timeout_s=0.2 if reply.silent else 20)
        assert not made.looked
        await made.read()
        assert made.looked
    report = made.reports["openai"]
    assert (report.reachable, report.authorised, report.silent, report.unread, report.unwell) == told


async def test_a_server_whose_list_gave_no_model_is_told_with_the_reason(clients: HttpClients, tmp_path: Path) -> None:
    async with serving({"/v1/models": {"data": []}}) as empty:
        wanted = settings(server("rack", empty.url + "/v1"), server("away", empty.url + "/elsewhere"), discovery=False)
        registry = await catalogue(wanted, clients, tmp_path).read()
    assert registry.unlisted == {
        "rack": "its model list is empty",
        "away": f"127.0.0.1:{empty.port} answered HTTP 404 instead of a model list",
    }


async def test_what_was_listed_can_be_asked_for_again(clients: HttpClients, tmp_path: Path) -> None:
    async with serving(dict(OLLAMA)) as ollama:
        made = catalogue(settings(cloud("openai", key=False)), clients, tmp_path, ports=(ollama.port,))
        assert (made.server("ollama"), made.listed("ollama", "qwen3:8b"), made.source("ollama")) == ("", None, None)
        there = Source("openai-compatible", ollama.url + "/v1", clients.local)
        await made.read()
    assert (made.server("ollama"), made.server("openai")) == ("ollama", "")
    assert made.source("ollama") == there
    with_a_key = catalogue(settings(cloud("openai", "http://127.0.0.1:9/v1")), clients, tmp_path).source("openai")
    assert with_a_key == Source("openai", "http://127.0.0.1:9/v1", clients.local, KEY)
    assert made.source("openai") == Source("openai", "https://api.openai.com/v1", clients.cloud)
    shown = made.listed("ollama", "qwen3:8b")
    assert shown is not None
    assert shown.loaded
    assert made.listed("ollama", "qwen3") is None


async def test_a_named_model_that_the_list_does_not_have_is_out(clients: HttpClients, tmp_path: Path) -> None:
    chains = {"mine": ("openai/gpt-6-luna", "openai/gpt-4.5-preview", "openai/gpt-4o-2024-11-20")}
    async with serving({"/v1/models": openai_list("gpt-6-luna", "gpt-4o")}) as openai:
        wanted = settings(cloud("openai", openai.url + "/v1"), chains=chains)
        registry = await catalogue(wanted, clients, tmp_path).read()
    assert registry.out == {"openai/gpt-4.5-preview": "openai does not list it"}


@pytest.mark.parametrize(
    ("reply", "said"), [(Reply({"data": []}), "its model list is empty"), (Reply(b""), "answered with nothing")]
)
async def test_an_empty_list_and_none_leave_the_price_books_models(
    clients: HttpClients, tmp_path: Path, reply: Reply, said: str
) -> None:
    async with serving({"/v1/models": reply}) as openai:
        made = catalogue(settings(cloud("openai", openai.url + "/v1")), clients, tmp_path)
        registry = await made.read()
    assert "openai/gpt-6-luna" in registry
    assert made.reports["openai"].detail.endswith(said)


async def test_a_refused_key_puts_the_providers_models_out(clients: HttpClients, tmp_path: Path) -> None:
    async with serving({}, Reply("", 401)) as openai:
        made = catalogue(
            settings(cloud("openai", openai.url + "/v1"), cloud("anthropic", openai.url)), clients, tmp_path
        )
        registry = await made.read()
    assert set(registry.out) == set(registry.models)
    assert registry.out["openai/gpt-6-luna"] == "the key was not accepted (from OPENAI_API_KEY)"
    assert made.reports["openai"].authorised is False
    assert KEY not in repr(made.reports) + repr(registry) + repr(made.providers)


async def test_why_a_model_is_out_whose_server_refused_is_said_by_what_was_sent(
    clients: HttpClients, tmp_path: Path
) -> None:
    async with serving({}, Reply("", 401)) as refusing:
        url = refusing.url + "/v1"
        wanted = settings(
            server("bare", url),
            server("keyed", url, api_key=Secret(KEY)),
            server("told", url, api_key=Secret(KEY), key_origin="keyring"),
            models=tuple(ModelSettings(name, "m") for name in ("bare", "keyed", "told")),
            discovery=False,
        )
        registry = await catalogue(wanted, clients, tmp_path).read()
    assert registry.out == {
        "bare/m": "the server wants a key and none is set",
        "keyed/m": "the key was not accepted",
        "told/m": "the key was not accepted (from keyring)",
    }


async def test_other_settings_are_gone_on_with_by_what_was_listed_and_found(
    clients: HttpClients, tmp_path: Path
) -> None:
    async with serving(dict(OLLAMA)) as ollama, serving({"/v1/models": openai_list("house-blend")}) as rack:
        own = server("rack", rack.url + "/v1")
        made = catalogue(settings(own), clients, tmp_path, ports=(ollama.port,))
        await made.read()
        asked = len(ollama.asked) + len(rack.asked)
        made.adopt(settings(own, models=(ModelSettings("rack", "house-blend", context_window=99),)))
        registry = await made.instant()
        assert (registry["rack/house-blend"].context_window, "ollama/qwen3:8b" in registry) == (99, True)
        with pytest.raises(SettingsError, match="which there is not"):
            made.adopt(settings(models=(ModelSettings("nobody", "m"),)))
        assert made.settings.models[0].context_window == 99, "what cannot be used is not gone on with"
        made.adopt(settings())
        assert list(made.providers) == ["ollama"]
        assert [model.provider for model in await made.instant()] == ["ollama"] * 3
        assert len(ollama.asked) + len(rack.asked) == asked


@pytest.mark.parametrize("provider", ["lmstudio", "ollama", "llamacpp", "vllm", "mlx", "ollama-11435"])
async def test_a_model_may_be_of_a_server_that_is_not_found_yet(
    clients: HttpClients, tmp_path: Path, provider: str
) -> None:
    registry = await instant(settings(models=(ModelSettings(provider, "m"),)), clients, tmp_path)
    assert registry.out == {f"{provider}/m": f"no {provider} server has been found on this machine"}
    for odd in (f"{provider}-x", f"{provider}-123456"):
        with pytest.raises(SettingsError, match=f"is of provider '{odd}', which there is not"):
            catalogue(settings(models=(ModelSettings(odd, "m"),)), clients, tmp_path)


async def test_a_provider_that_is_not_configured_yet_is_looked_at_and_nothing_kept_of_it(
    clients: HttpClients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = catalogue(settings(discovery=False), clients, tmp_path)
    async with serving(dict(VLLM)) as there:
        local = await made.look_at(server("new", there.url + "/v1"))
        far = await made.look_at(server("new", there.url + "/v1", local=False))
        cloud_ = await made.look_at(cloud("openai", there.url + "/v1", local=True))
    assert [(one.server, len(one.models)) for one in (local, far, cloud_)] == [("vllm", 1), ("", 1), ("", 1)]
    assert len(await made.instant()) == 0
    monkeypatch.setenv("ALL_PROXY", "ftp://127.0.0.1:9")
    spoilt = await catalogue(settings(), HttpClients(), tmp_path).look_at(cloud("openai"))
    assert (spoilt.reachable, spoilt.models) == (False, ())
    assert spoilt.detail == "ALL_PROXY must be the address of a proxy, as http://host:port"


async def test_a_hanging_provider_does_not_hold_the_others(clients: HttpClients, tmp_path: Path) -> None:
    async with serving({}, Reply(silent=True)) as hung, serving({"/v1/models": openai_list("gpt-6-luna")}) as openai:
        wanted = settings(cloud("anthropic", hung.url), cloud("openai", openai.url + "/v1"))
        made = catalogue(wanted, clients, tmp_path, listing_timeout_s=1.5)
        registry = await made.read()
    assert "openai/gpt-6-luna" in registry
    assert "anthropic/claude-opus-5-5" in registry, "what is most likely there stays"
    assert registry.out == {}
    assert (made.reports["anthropic"].reachable, made.reports["openai"].reachable) == (False, True)


async def test_a_list_that_was_read_once_outlives_a_failure(clients: HttpClients, tmp_path: Path) -> None:
    async with serving({"/v1/models": openai_list("only-this-one")}) as openai:
        made = catalogue(settings(cloud("openai", openai.url + "/v1")), clients, tmp_path)
        await made.read()
    registry = await made.read(refresh=True)
    assert list(registry.models) == ["openai/only-this-one"]
    assert made.reports["openai"].reachable is False


async def test_a_provider_that_was_not_asked_says_why(clients: HttpClients, tmp_path: Path) -> None:
    made = catalogue(settings(cloud("openai", key=False)), clients, tmp_path)
    await made.read()
    report = made.reports["openai"]
    assert (report.reachable, report.authorised, report.detail) == (None, None, "no key: set OPENAI_API_KEY")


async def test_openrouters_catalogue_is_read_once_a_day(clients: HttpClients, tmp_path: Path) -> None:
    free = {"id": "some/thing:free", "pricing": {"prompt": "0", "completion": "0"}}
    async with serving({"/api/v1/models": {"data": [SONNET, free]}}) as resold:
        wanted = settings(cloud("openrouter", resold.url + "/api/v1"))
        made = catalogue(wanted, clients, tmp_path)
        first = await made.read()
        assert first["openrouter/anthropic/claude-sonnet-5.5"].price == Price(
            Rates(2_000_000, 10_000_000, 100_000), source="OpenRouter catalogue"
        )
        assert (made.reports["openrouter"].authorised, made.reports["openrouter"].detail) == (None, "2 models listed")
        await made.read()
        assert len(resold.asked) == 1
        kept = made.reports["openrouter"]
        assert (kept.reachable, kept.models, kept.detail) == (True, 2, "2 models listed, read within the last day")
        await made.read(refresh=True)
        assert len(resold.asked) == 2
        tomorrow = datetime.now(UTC) + timedelta(hours=25)
        await catalogue(wanted, clients, tmp_path, now=lambda: tomorrow).read()
        assert len(resold.asked) == 3
    again = await catalogue(wanted, clients, tmp_path, now=lambda: tomorrow).instant()
    assert set(again.models) == set(first.models), "the next start has it without the network"
    assert not any("some/thing:free" in model for chain in first.chains.values() for model in chain)


# Servers on this machine ----------------------------------------------------------------------------------------------


async def test_a_found_server_becomes_a_provider_with_free_models(clients: HttpClients, tmp_path: Path) -> None:
    async with serving(dict(OLLAMA)) as ollama, serving(dict(LLAMACPP)) as llamacpp:
        made = catalogue(settings(cloud("openai", key=False)), clients, tmp_path, ports=(ollama.port, llamacpp.port))
        assert list(made.providers) == ["openai"]
        registry = await made.read()
        assert made.providers["ollama"].base_url == f"{ollama.url}/v1"
    assert list(made.providers) == ["openai", "ollama", "llamacpp"]
    llama, qwen = registry["ollama/llama3:latest"], registry["ollama/qwen3:8b"]
    for model in (llama, qwen, registry["llamacpp/gemma-3-4b-it-Q4_K_M.gguf"]):
        assert (model.local, model.open_weights, model.price) == (True, True, FREE)
        assert model.requests_per_minute is None
    assert llama.family == "llama"
    assert "48.3" in llama.ability_source, "its size was told by the server, not by its name"
    assert llama.first_token_s > qwen.first_token_s, "one must be loaded first"
    assert "ollama/nomic-embed-text:latest" not in registry
    assert registry["ollama/gpt-oss:120b-cloud"].price is None
    assert not registry["ollama/gpt-oss:120b-cloud"].local
    assert set(registry.chains["local"]) <= {model.id for model in registry if model.local}
    assert (made.reports["ollama"].reachable, made.reports["ollama"].models) == (True, 3)


async def test_a_server_that_went_away_takes_its_models_along(clients: HttpClients, tmp_path: Path) -> None:
    async with serving(dict(OLLAMA)) as ollama:
        made = catalogue(settings(), clients, tmp_path, ports=(ollama.port,))
        assert len(await made.read()) > 0
    assert len(await made.read()) == 0
    assert "ollama" not in made.providers


async def test_discovery_can_be_turned_off(clients: HttpClients, tmp_path: Path) -> None:
    async with serving(dict(OLLAMA)) as ollama:
        made = catalogue(settings(discovery=False), clients, tmp_path, ports=(ollama.port,))
        assert len(await made.read()) == 0
        assert ollama.asked == []


async def test_a_configured_local_server_is_free_unless_it_must_be_reselling(
    clients: HttpClients, tmp_path: Path
) -> None:
    """Nobody can run Claude's weights at home, so a server of no known kind that offers it passes the bill on."""
    async with serving({"/v1/models": openai_list("llama-3.1-8b", "claude-opus-5-5", "my-finetune")}) as proxy:
        registry = await catalogue(settings(server("proxy", proxy.url + "/v1")), clients, tmp_path).read()
    prices = {model.name: model.price for model in registry}
    assert prices == {"llama-3.1-8b": FREE, "claude-opus-5-5": None, "my-finetune": FREE}


async def test_a_clouds_protocol_on_the_loopback_is_billed_as_the_cloud(clients: HttpClients, tmp_path: Path) -> None:
    async with serving({"/v1/models": openai_list("gpt-6-luna")}) as gateway:
        wanted = settings(cloud("openai", gateway.url + "/v1", local=True))
        model = (await catalogue(wanted, clients, tmp_path).read())["openai/gpt-6-luna"]
    assert not model.local
    assert model.price is not None
    assert not model.price.free


# Chains ---------------------------------------------------------------------------------------------------------------


async def test_the_shipped_chains_rise_in_price_and_ability(clients: HttpClients, tmp_path: Path) -> None:
    registry = await instant(settings(cloud("openai"), cloud("anthropic"), cloud("gemini")), clients, tmp_path)
    assert list(registry.chains) == ["mixed", "anthropic", "openai", "gemini", "fast"]
    for name in ("anthropic", "openai", "gemini"):
        models = [registry[model_id] for model_id in registry.chains[name]]
        assert 2 <= len(models) <= 4
        assert {model.provider for model in models} == {name}
        prices = [model.price.rates.output for model in models if model.price]
        assert prices == sorted(prices)
        abilities = [model.ability for model in models]
        assert abilities == sorted(set(abilities))
    mixed = [registry[model_id] for model_id in registry.chains["mixed"]]
    assert len({model.provider for model in mixed}) >= 2
    assert mixed[-1].level is Level.EXPERT
    fast = [registry[model_id] for model_id in registry.chains["fast"]]
    assert all(model.first_token_s <= 1 for model in fast)


async def test_a_users_chain_replaces_a_shipped_one_of_its_name(clients: HttpClients, tmp_path: Path) -> None:
    wanted = settings(cloud("openai"), chains={"fast": ("openai/gpt-6-astra",)})
    registry = await instant(wanted, clients, tmp_path)
    assert registry.chains["fast"] == ("openai/gpt-6-astra",)


async def test_two_readings_at_once_agree(clients: HttpClients, tmp_path: Path) -> None:
    async with serving({"/v1/models": openai_list("gpt-6-luna")}) as openai:
        made = catalogue(settings(cloud("openai", openai.url + "/v1")), clients, tmp_path)
        one, two = await asyncio.gather(made.read(), made.read())
    assert one == two


async def test_connections_are_made_beside_the_event_loop_and_only_those_that_are_wanted(
    clients: HttpClients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[bool, int]] = []
    own = clients_of._client

    def noted(certificates: ssl.SSLContext, *, trust_env: bool, gather_s: float) -> httpx2.AsyncClient:
        made.append((trust_env, threading.get_ident()))
        return own(certificates, trust_env=trust_env, gather_s=gather_s)

    monkeypatch.setattr(clients_of, "_client", noted)
    wanted = settings(server("nobody", "http://127.0.0.1:9/v1"), discovery=False)
    await catalogue(wanted, clients, tmp_path, listing_timeout_s=0.2).read()
    assert [cloud for cloud, _ in made] == [False]
    assert made[0][1] != threading.get_ident()


async def test_each_name_of_a_long_list_is_looked_at_a_few_times(
    clients: HttpClients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not once for every other: five hundred are an ordinary list, and five thousand held the start up."""
    looked: list[str] = []

    def undated(name: str) -> str:
        looked.append(name)
        return names.undated(name)

    monkeypatch.setattr(module, "undated", undated)
    async with serving({"/v1/models": openai_list(*(f"model-{number}" for number in range(400)))}) as there:
        made = catalogue(settings(server("rack", there.url + "/v1")), clients, tmp_path)
        await made.read()
        registry = await made.instant()
    assert len([model for model in registry if model.provider == "rack"]) == 400
    assert len(looked) <= 5 * 400
