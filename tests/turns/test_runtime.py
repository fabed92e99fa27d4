"""What every front end shares: which models there are, where things are kept, who is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.routing import features
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.decision import Exclusion, Policy
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import Completed, Event
from tui_orchestrator.routing.health import HealthState
from tui_orchestrator.routing.money import Money, Price, Rates
from tui_orchestrator.routing.profile import TaskType
from tui_orchestrator.services import model_tests
from tui_orchestrator.services.checkup import Standing, check
from tui_orchestrator.services.runtime import DEMO_NOTICE, RegistryChanged, Runtime
from tui_orchestrator.services.spending import baseline_model, overview
from tui_orchestrator.settings import ModelSettings, ProviderSettings, Secret, Settings, StoreSettings
from tui_orchestrator.storage.faults import StoreError

from .conftest import ask, events_of, running
from .reading import asked, completed, failed, most_tokens

DASH, PRO, LOCAL = "demo-gemini/lumen-dash", "demo-openai/rush-pro", "demo-local/pebble-3b"
USD = Money.from_usd


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def alone(tmp_path: Path, **more: object) -> Settings:
    """No provider, and nothing is looked for on this machine."""
    return replace(Settings(discovery=False, store=StoreSettings(tmp_path / "store.db")), **more)  # type: ignore[arg-type]


async def test_with_no_key_and_no_server_the_demo_answers_and_says_so(tmp_path: Path) -> None:
    async with await Runtime.open(alone(tmp_path), pace=0) as runtime:
        assert runtime.demo
        assert DEMO_NOTICE in runtime.notices
        end = completed(await events_of(runtime, ask()))
        assert end.model.startswith("demo-")
        assert "demo" in end.response
        assert runtime.database.path is not None
        assert "demo" in runtime.database.path.name, "the demo's money is kept apart"


async def test_the_demo_the_user_asked_for_needs_no_notice(tmp_path: Path) -> None:
    async with await Runtime.open(alone(tmp_path), demo=True, pace=0) as runtime:
        assert DEMO_NOTICE not in runtime.notices


async def test_a_configured_provider_never_gives_way_to_the_demo(tmp_path: Path) -> None:
    nowhere = ProviderSettings("mine", "openai-compatible", "http://127.0.0.1:1/v1", Secret("k"), "MY_KEY")
    model = ModelSettings("mine", "one", price=Price(Rates(1, 1)))
    settings = alone(tmp_path, providers={"mine": nowhere}, models=(model,), policy=Policy(max_attempts=1))
    async with await Runtime.open(settings) as runtime:
        assert not runtime.demo
        assert [m.id for m in runtime.registry] == ["mine/one"]
        end = failed(await events_of(runtime, ask()))
    assert end.error.kind is ErrorKind.CONNECTION
    assert [attempt.model for attempt in end.attempts] == ["mine/one"]


async def test_a_provider_whose_key_was_not_found_where_it_should_be_never_gives_way_to_the_demo(
    tmp_path: Path,
) -> None:
    why = "the system keyring is locked"
    locked = ProviderSettings("mine", "openai-compatible", "http://127.0.0.1:1/v1", key_problem=why)
    async with await Runtime.open(alone(tmp_path, providers={"mine": locked})) as runtime:
        assert not runtime.demo
        end = failed(await events_of(runtime, ask()))
        problems = {one.what for one in await check(runtime.settings, runtime) if one.standing is Standing.PROBLEM}
    assert end.error.kind is ErrorKind.NO_CANDIDATE
    assert why in problems
    switched_off = replace(locked, enabled=False)
    async with await Runtime.open(alone(tmp_path, providers={"mine": switched_off}), pace=0) as runtime:
        assert runtime.demo


def broken_store(tmp_path: Path) -> StoreSettings:
    path = tmp_path / "broken.db"
    path.write_bytes(b"this is not a database at all, but long enough to be looked at" * 20)
    return StoreSettings(path)


async def test_a_broken_store_is_an_error_unless_the_program_may_go_on_without(tmp_path: Path) -> None:
    settings = alone(tmp_path, store=broken_store(tmp_path))
    nowhere = ProviderSettings("mine", "openai-compatible", "http://127.0.0.1:1/v1", Secret("k"), "MY_KEY")
    settings = replace(settings, providers={"mine": nowhere})
    with pytest.raises(StoreError, match="not a database"):
        await Runtime.open(settings)
    before = settings.store.path.read_bytes() if settings.store.path else b""
    async with await Runtime.open(settings, in_memory_if_broken=True) as runtime:
        assert any(". Nothing of this run will be kept." in notice for notice in runtime.notices)
        assert runtime.database.path is None
    assert settings.store.path is not None
    assert settings.store.path.read_bytes() == before, "what is broken is left for the user to mend"


@pytest.mark.parametrize(
    ("budgets", "out"),
    [
        (Budgets(daily=USD(5)), True),
        (Budgets(monthly=USD(5)), True),
        (Budgets(providers={"demo-gemini": (USD(5), None)}), True),
        (Budgets(models={DASH: (None, USD(5))}), True),
        (Budgets(session=USD(5)), False),
        (Budgets(providers={"demo-openai": (USD(5), None)}), False),
    ],
)
async def test_without_a_store_no_cap_that_it_would_have_kept_is_passed(
    tmp_path: Path, budgets: Budgets, out: bool
) -> None:
    from tui_orchestrator import demo

    async with demo.serve(pace=0, habits=False) as servers:
        settings = replace(demo.settings(servers, alone(tmp_path)), store=broken_store(tmp_path), budgets=budgets)
        async with await Runtime.open(settings, demo=False, in_memory_if_broken=True) as runtime:
            candidate = runtime.preview(ask()).candidate(DASH)
            assert candidate is not None
            assert (candidate.excluded_by is Exclusion.OVER_BUDGET) is out
            assert any("caps cannot be checked" in notice for notice in runtime.notices) is (
                out or bool(budgets.providers)
            )
            assert completed(await events_of(runtime, ask(model=LOCAL))).model == LOCAL


async def test_a_model_that_is_switched_off_is_out_until_it_is_switched_on(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        told: list[Event | RegistryChanged] = []
        unsubscribe = runtime.subscribe(told.append)
        runtime.set_enabled(DASH, False)
        assert not runtime.is_enabled(DASH)
        assert runtime.health(DASH).state is HealthState.DISABLED
        candidate = runtime.preview(ask()).candidate(DASH)
        assert candidate is not None
        assert candidate.excluded == "switched off in the console"
        assert failed(await events_of(runtime, ask(model=DASH))).error.kind is ErrorKind.NO_CANDIDATE
        await runtime.refresh()
        assert runtime.health(DASH).state is HealthState.DISABLED, "a refresh changes nothing of it"
        runtime.set_enabled(DASH, True)
        assert runtime.health(DASH).state is HealthState.AVAILABLE
        changes = [event for event in told if isinstance(event, RegistryChanged)]
        assert changes[-1].registry is runtime.registry
        assert len(changes) == 3
        unsubscribe()
        unsubscribe()
        runtime.set_enabled(DASH, False)
        assert len([event for event in told if isinstance(event, RegistryChanged)]) == 3


async def test_a_refresh_tries_afresh_what_had_failed(tmp_path: Path) -> None:
    from tui_orchestrator.demo import Reply

    async with running(tmp_path / "s.db", Script().then(Reply(404), "lumen-dash")) as (runtime, _):
        await events_of(runtime, ask(model=DASH))
        assert runtime.health(DASH).state is HealthState.UNREACHABLE
        await runtime.refresh(forget=False)
        assert runtime.health(DASH).state is HealthState.UNREACHABLE
        await runtime.refresh()
        assert runtime.health(DASH).state is HealthState.AVAILABLE


async def test_subscribers_hear_every_event_of_every_turn_in_order(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        told: list[Event | RegistryChanged] = []
        runtime.subscribe(told.append)
        first = await events_of(runtime, ask(id="1"))
        second = await events_of(runtime, ask(id="2"))
    assert told == [*first, *second]


async def test_a_preview_calls_nobody_writes_nothing_and_says_what_the_turn_will_do(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        request = ask()
        preview = runtime.preview(request)
        assert servers.exchanges == []
        assert await runtime.reports.decision(request.id) is None
        events = await events_of(runtime, request)
        kept = await runtime.reports.decision(request.id)
    assert kept == preview
    assert completed(events).model == preview.model


async def test_what_is_sent_as_it_was_previewed_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = features.spoken_of
    monkeypatch.setattr(features, "spoken_of", lambda text: read.append(text) or real(text))
    async with running(tmp_path / "s.db") as (runtime, _):
        shown = runtime.preview(ask("Why is the sky blue?"))
        sent = await runtime.router.decide(ask("Why is the sky blue?"))
        assert read == ["Why is the sky blue?"]
        assert sent.profile == shown.profile
        runtime.preview(ask("Why is the sky blue at noon?"))
        harder = runtime.preview(ask("Why is the sky blue at noon?", task_type=TaskType.MATH))
        assert len(read) == 3
        assert harder.task_type is TaskType.MATH


async def test_a_test_of_a_model_is_tiny_and_real_and_booked(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        async with runtime.stream(model_tests.request(runtime.registry[DASH])) as turn:
            events = [event async for event in turn]
        assert completed(events).model == DASH
        assert most_tokens(asked(servers, "lumen-dash")[0]) == 64
        assert (await runtime.reports.total()).attempts == 1


async def test_what_was_measured_is_remembered_by_the_next_run(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        await events_of(runtime, ask(model=DASH))
        learned = runtime.router.experience.of(DASH)
    async with running(tmp_path / "s.db") as (runtime, _):
        remembered = runtime.router.experience.of(DASH)
    assert (remembered.attempts, remembered.finished) == (learned.attempts, learned.finished) == (1, 1)
    assert remembered.first_token_s == learned.first_token_s


async def test_the_budgets_are_those_of_the_users_own_day(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(daily=USD("0.0020"))) as (runtime, _):
        assert isinstance(runtime.clock, ManualClock)
        assert isinstance((await events_of(runtime, ask(model=DASH, id="1")))[-1], Completed)
        assert failed(await events_of(runtime, ask(model=DASH, id="2"))).error.kind is ErrorKind.BUDGET_EXCEEDED
        runtime.clock.advance(12 * 3600)
        assert isinstance((await events_of(runtime, ask(model=DASH, id="3")))[-1], Completed)


async def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    runtime = await Runtime.open(alone(tmp_path), demo=True, pace=0)
    runtime.start_background()
    await runtime.aclose()
    await runtime.aclose()


async def test_the_overview_adds_up(tmp_path: Path) -> None:
    script = Script().then(Say(text="I'm sorry, but I can't help with that."), "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        end = completed(await events_of(runtime, ask(chain=(PRO, DASH))))
        seen = await overview(runtime, "s")
    assert seen.today.cost == end.cost.amount
    assert seen.today.attempts == 2
    assert {total.key for total in seen.shares["model"]} == {PRO, DASH}
    assert [total.key for total in seen.shares["strategy"]] == ["fallback"]
    assert seen.trend.spent == seen.month.spent == end.cost.amount
    assert [attempt.model for attempt in seen.recent] == [DASH, PRO]
    assert seen.baseline == "demo-anthropic/tern-max"
    assert seen.savings is not None
    assert seen.savings.baseline > seen.savings.cost == end.cost.amount
    assert [state.scope for state in seen.budgets] == ["session", "day", "month"]
    assert {state.spent for state in seen.budgets} == {end.cost.amount}


async def test_the_baseline_is_the_named_model_or_the_dearest(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        named, nobody = baseline_model(runtime.registry, "rush-pro"), baseline_model(runtime.registry, "gone")
    assert named is not None
    assert named.id == PRO
    assert nobody is None


async def test_a_checkup_bills_nothing_and_finds_the_store_writable(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        await runtime.refresh(forget=False)
        findings = await check(runtime.settings, runtime)
        assert all(exchange.method == "GET" for exchange in servers.exchanges)
        assert (await runtime.reports.total()).attempts == 0
    areas = {finding.area for finding in findings}
    assert {"program", "configuration", "models", "store", "provider demo-openai"} <= areas
    assert not [finding for finding in findings if finding.standing is Standing.PROBLEM]
