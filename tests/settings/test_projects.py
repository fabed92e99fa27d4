"""What a project's files may say of money, and of what it is counted in: less than the user, never more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tui_orchestrator.routing.budget import REFUSE, WayOut
from tui_orchestrator.routing.money import Money
from tui_orchestrator.settings import Settings

Load = Callable[..., Settings]
CAPS = ("per_request_usd", "session_usd", "daily_usd", "monthly_usd")
NARROW = ("providers.openai.daily_usd", 'models."openai/gpt-6".monthly_usd')


@pytest.mark.parametrize("key", [*CAPS, *NARROW])
def test_a_project_lowers_a_cap_and_does_not_raise_it(loaded: Load, key: str, home: Path, project: Path) -> None:
    def limit(**said: str) -> tuple[Money, tuple[str, ...]]:
        settings = loaded(f"budgets.{key} = 5", **said)
        (held,) = settings.budgets.limits.values()
        return held, settings.notices

    assert limit(own=f"budgets.{key} = 2") == (Money.from_usd(2), ())
    held, (notice,) = limit(own=f"\nbudgets.{key} = 1000000")
    assert held == Money.from_usd(5)
    file = home / "config" / "config.toml"
    assert notice == (
        f"{project}/tui-orchestrator.toml:2: budgets.{key} is not used: a project's file may only lower your caps and "
        f"what is allowed under them; 5.00 from {file}:1 holds; put it into {file}"
    )


def test_the_projects_env_raises_no_cap_either(loaded: Load, project: Path) -> None:
    for name in ("DAILY_BUDGET_USD", "TUI_ORCHESTRATOR_BUDGETS__DAILY_USD"):
        settings = loaded("budgets.daily_usd = 5", dotenv=f"A=1\n{name}=1000000")
        assert settings.budgets.daily == Money.from_usd(5)
        (notice,) = settings.notices
        assert notice.startswith(f"{project}/.env:2: budgets.daily_usd is not used")
    lower = loaded("budgets.daily_usd = 5", own="budgets.daily_usd = 3", dotenv="DAILY_BUDGET_USD=1000000")
    assert lower.budgets.daily == Money.from_usd(3), "what the project's other file has lowered stays lowered"
    assert "3.00 from" in lower.notices[0]


def test_the_user_raises_a_cap_where_a_project_cannot(loaded: Load) -> None:
    raised = loaded("budgets.daily_usd = 5", own="budgets.daily_usd = 9", env={"DAILY_BUDGET_USD": "7"})
    assert raised.budgets.daily == Money.from_usd(7)
    flagged = loaded("budgets.daily_usd = 5", own="budgets.daily_usd = 3", budgets__daily_usd="8")
    assert flagged.budgets.daily == Money.from_usd(8)


_AMOUNT = st.none() | st.integers(0, 9)


@given(st.fixed_dictionaries(dict.fromkeys(("user", "own", "dotenv"), _AMOUNT)))
@examples(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_said_a_project_leaves_no_cap_above_the_users(loaded: Load, said: dict[str, int | None]) -> None:
    texts = {who: "" if usd is None else f"budgets.daily_usd = {usd}" for who, usd in said.items() if who != "dotenv"}
    dotenv = "" if said["dotenv"] is None else f"DAILY_BUDGET_USD={said['dotenv']}"
    held = loaded(**texts, dotenv=dotenv).budgets.daily
    if said["user"] is not None:
        assert held is not None
        assert held <= Money.from_usd(said["user"])


def test_a_project_allows_nothing_under_a_cap_that_the_user_does_not(loaded: Load) -> None:
    more = "budgets.allow_unpriced = true\nbudgets.track_costs = false\nbudgets.alert_at = [1]\n"
    more += 'budgets.on_exhausted = "cheapest"\nbudgets.models."openai/gpt-6".allow_unpriced = true'
    settings, plain = loaded(own=more), loaded()
    assert (settings.budgets.on_exhausted, settings.budgets.alert_at) == (REFUSE, plain.budgets.alert_at)
    assert not settings.budgets.may_be_unpriced("openai/gpt-6")
    assert settings.track_costs
    assert len(settings.notices) == 5
    assert loaded(more).notices == (), "the user may"
    assert loaded(more, own=more).notices == ()


def test_a_project_may_allow_less(loaded: Load) -> None:
    theirs = (
        'budgets.on_exhausted = ["refuse"]\nbudgets.allow_unpriced = false\nbudgets.alert_at = [0.1, 0.5, 0.8, 0.95]'
    )
    settings = loaded("budgets.allow_unpriced = true", own=theirs)
    assert settings.notices == ()
    assert settings.budgets.on_exhausted == (WayOut.REFUSE,)
    assert (settings.budgets.allow_unpriced, settings.budgets.alert_at[0]) == (False, 0.1)
    assert loaded(own='budgets.on_exhausted = "local"').notices == (), "what is local costs nothing"


@pytest.mark.parametrize(
    "said", [{"own": 'store.path = "/tmp/theirs.db"'}, {"dotenv": "TUI_ORCHESTRATOR_STORE__PATH=/tmp/theirs.db"}]
)
def test_a_project_does_not_move_the_store(loaded: Load, said: dict[str, str]) -> None:
    settings = loaded(**said)
    assert settings.store.path is None
    (notice,) = settings.notices
    assert "store.path is not used: a project's file may not say where your caps are counted" in notice
    assert loaded('store.path = "/tmp/mine.db"', **said).store.path == Path("/tmp/mine.db")


PRICED = '[[models]]\nid = "{0}/m"\ninput_usd = 0\noutput_usd = 0\n'


@pytest.mark.parametrize("name", ["openai", "mine"])
def test_a_project_does_not_say_what_the_users_key_pays_for(loaded: Load, name: str) -> None:
    user = '[providers.mine]\nbase_url = "http://192.168.1.9/v1"\n'
    settings = loaded(user, own=PRICED.format(name), env={"OPENAI_API_KEY": "sk-0123456789abcdefghij"})
    (model,) = settings.models
    assert model.price is None
    assert [
        f'models."{name}/m".{key}_usd is not used' in notice
        for key, notice in zip(("input", "output"), settings.notices, strict=True)
    ] == [True, True]


def test_a_project_says_what_its_own_server_costs(loaded: Load) -> None:
    own = PRICED.format("theirs") + '[providers.theirs]\nbase_url = "http://192.168.1.9/v1"\nlocal = true\n'
    settings = loaded(own=own)
    assert settings.notices == ()
    assert settings.models[0].price is not None
    assert settings.providers["theirs"].local


@pytest.mark.parametrize("said", ["local = true", 'kind = "openai-compatible"'])
def test_a_project_does_not_make_the_users_provider_free(loaded: Load, said: str) -> None:
    settings = loaded(own=f"[providers.openai]\n{said}\n")
    assert (settings.providers["openai"].kind, settings.providers["openai"].local) == ("openai", False)
    assert len(settings.notices) == 1


def test_how_models_are_chosen_a_project_may_say(loaded: Load) -> None:
    settings = loaded("[router]\nmax_attempts = 2", own="[router]\nmax_attempts = 4")
    assert (settings.policy.max_attempts, settings.notices) == (4, ())
