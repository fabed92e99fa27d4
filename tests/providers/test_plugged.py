"""A plugin's provider, watched at the edge: what it may bring, and how what it does wrong is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.wire.dialects import Read, a_call
from tui_orchestrator.plugins import Account
from tui_orchestrator.providers.catalogue import Catalogue
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.plugged import PluggedProvider, PluggedProviders
from tui_orchestrator.routing.errors import NotFound, RateLimited, Server, TurnError
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import FREE, Price, Rates, Usage
from tui_orchestrator.routing.ports import CallPiece, Done, Piece, TextPiece, ThinkingPiece, UsageSoFar
from tui_orchestrator.settings import ModelSettings, ProviderSettings, Secret, Settings

KEY = "plain-key-of-mine-0123456789"
SETTINGS = ProviderSettings("mine", "plugin", "http://127.0.0.1:9", Secret(KEY))
DONE = Done(FinishReason.STOP, None)


class Own:
    """What a plugin brings."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.listed: Sequence[object] = [Model("mine", "one", price=FREE)]
        self.said: list[object] = [TextPiece("Hello"), DONE]
        self.closed: list[str] = []

    def models(self) -> Any:
        return self.listed

    async def stream(self, call: object) -> AsyncIterator[Any]:
        try:
            for piece in self.said:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed.append("stream")

    async def aclose(self) -> None:
        self.closed.append("provider")
        raise OSError("it was gone already")


def provider(own: Callable[[Account], Any] = Own) -> PluggedProvider:
    return PluggedProvider(SETTINGS, own, 3.0)


async def read(one: PluggedProvider) -> list[Piece]:
    return [piece async for piece in one.stream(a_call())]


async def test_its_key_is_in_nothing_that_it_writes() -> None:
    class Telling(Own):
        async def stream(self, call: object) -> AsyncIterator[Any]:
            yield TextPiece(f"It is {KEY[:9]}")
            yield TextPiece(f"{KEY[9:]}, or pla")
            yield TextPiece("in-")
            raise ValueError(KEY)

    answer = Read([])
    with pytest.raises(Server) as caught:
        await answer.on(provider(Telling))
    assert answer.text == "It is …, or plain-"
    assert KEY not in str(caught.value)


async def test_it_is_made_once_with_its_account_and_beside_the_event_loop() -> None:
    made: list[tuple[Own, int]] = []

    def make(account: Account) -> Own:
        made.append((Own(account), threading.get_ident()))
        return made[-1][0]

    one = provider(make)
    await asyncio.gather(one.ready(), one.ready(), one.models())
    [(own, thread)] = made
    assert own.account == Account("mine", KEY, "http://127.0.0.1:9", 3.0)
    assert thread != threading.get_ident()
    await one.aclose()
    assert own.closed == ["provider"]
    await one.aclose()
    await one.ready()
    assert (own.closed, len(made)) == (["provider"], 2)


async def test_an_account_without_a_key_has_an_empty_one() -> None:
    made: list[Account] = []
    bare = ProviderSettings("mine", "plugin")
    await PluggedProvider(bare, lambda account: made.append(account) or Own(account), 3.0).ready()  # type: ignore[func-returns-value]
    assert made == [Account("mine", "", None, 3.0)]


async def test_every_kind_of_piece_passes_and_nothing_behind_the_last() -> None:
    own = Own(Account("mine"))
    pieces = [TextPiece("a"), ThinkingPiece("b"), CallPiece(0), UsageSoFar(Usage(1, 1)), DONE]
    own.said = [*pieces, TextPiece("more")]
    assert await read(provider(lambda account: own)) == pieces
    assert own.closed == ["stream"]


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        ([TextPiece("a"), "b"], Server, "mine, a plugin: TypeError: expected a piece of a stream, not 'b'"),
        ([KeyError("x")], Server, "mine, a plugin: KeyError: 'x'"),
        ([RuntimeError(f"no {KEY}\x1b[2J")], Server, "mine, a plugin: RuntimeError: no pla…6789[2J"),
        ([RateLimited(f"slow down, {KEY}")], RateLimited, "slow down, pla…6789"),
        ([RuntimeError("x" * 400)], Server, "mine, a plugin: RuntimeError: " + "x" * 269 + "…"),
    ],
)
async def test_what_goes_wrong_in_it_is_told_without_the_key(
    said: list[object], kind: type[TurnError], message: str
) -> None:
    own = Own(Account("mine"))
    own.said = said
    with pytest.raises(kind) as caught:
        await read(provider(lambda account: own))
    assert (type(caught.value), caught.value.message) == (kind, message)


@pytest.mark.parametrize(("key", "told"), [("short1", "no …"), ("", "no short1")])
async def test_a_key_too_short_to_be_shown_in_part_is_not_told_at_all(key: str, told: str) -> None:
    def make(account: Account) -> Own:
        raise RateLimited("no short1")

    settings = ProviderSettings("mine", "plugin", None, Secret(key) if key else None)
    with pytest.raises(RateLimited) as caught:
        await PluggedProvider(settings, make, 3.0).ready()
    assert caught.value.message == told


async def test_a_provider_that_no_plugin_brings_is_not_found() -> None:
    nobodys = PluggedProviders({"mine": Own})
    assert "mine" in nobodys
    assert "other" not in nobodys
    other = ProviderSettings("other", "plugin")
    with pytest.raises(NotFound, match="No plugin brings the provider other") as caught:
        await nobodys.provider(other).ready()
    assert caught.value.hint == "Install its package, or see [plugins] disabled."


def test_it_stays_the_same_for_as_long_as_its_settings_do() -> None:
    plugged = PluggedProviders({"mine": Own})
    one = plugged.provider(SETTINGS)
    assert plugged.provider(SETTINGS) is one
    changed = plugged.provider(ProviderSettings("mine", "plugin", "http://127.0.0.1:10"))
    assert changed is not one
    assert plugged.provider(SETTINGS) is not one


def named(name: str, provider: str = "mine", **more: Any) -> Model:
    return Model(provider, name, **more)


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (["one"], "TypeError: expected a Model of the provider mine, not 'one'"),
        ([named("one", "other")], "TypeError: expected a Model of the provider mine, not Model("),
        ([named("")], "TypeError: '' is no name of a model"),
        ([named("two\nlines")], "TypeError: 'two\\nlines' is no name of a model"),
        ([named("x" * 201)], "is no name of a model"),
        ([named("one", price=5)], "TypeError: expected a Price, not 5"),
        (None, "TypeError: "),
    ],
)
async def test_a_list_of_something_else_is_told(listed: Any, said: str) -> None:
    own = Own(Account("mine"))
    own.listed = listed
    listing = await PluggedProviders({"mine": lambda account: own}).listing(SETTINGS, 20)
    assert (listing.reachable, listing.silent, listing.own, listing.authorised) == (False, False, (), None)
    assert listing.detail.startswith("mine, a plugin: ")
    assert said in listing.detail
    assert listing.seconds > 0


async def test_its_models_are_listed_up_to_a_bound() -> None:
    own = Own(Account("mine"))
    price = Price(Rates(1, 2))
    own.listed = tuple(named(f"m{number}", price=price) for number in range(5001))
    listing = await PluggedProviders({"mine": lambda account: own}).listing(SETTINGS, 20)
    assert (listing.reachable, listing.detail, len(listing.own)) == (True, "listed by its plugin", 5000)
    assert (listing.own[-1].name, listing.own[0].price) == ("m4999", price)
    own.listed = [named("x" * 200)]
    assert [model.name for model in await provider(lambda account: own).models()] == ["x" * 200]


async def test_a_list_that_does_not_come_is_left(request: pytest.FixtureRequest) -> None:
    hanging = threading.Event()
    request.addfinalizer(hanging.set)

    class Hanging(Own):
        def models(self) -> Any:
            hanging.wait(20)

    listing = await PluggedProviders({"mine": Hanging}).listing(SETTINGS, 0.05)
    assert (listing.reachable, listing.silent, listing.own) == (False, True, ())
    assert listing.detail == "its plugin did not list its models within 0.05 s"
    assert listing.seconds > 0.04


async def test_the_user_wins_field_by_field_over_a_plugins_models(tmp_path: Path) -> None:
    own = Own(Account("mine"))
    own.listed = [named("one", price=FREE, context_window=8192), named("two", price=FREE)]
    said = (ModelSettings("mine", "one", context_window=99), ModelSettings("mine", "two", enabled=False))
    wanted = Settings(providers={"mine": SETTINGS}, models=said, discovery=False)
    made = Catalogue(wanted, HttpClients(), tmp_path, plugged=PluggedProviders({"mine": lambda account: own}))
    for registry in (await made.instant(), await made.read()):
        assert (registry["mine/one"].price, registry["mine/one"].context_window) == (FREE, 99)
        assert registry.out == {"mine/two": "disabled in your configuration"}
        assert list(registry.models) == ["mine/one", "mine/two"]
    report = made.reports["mine"]
    assert (report.reachable, report.models, report.detail) == (True, 1, "listed by its plugin")
