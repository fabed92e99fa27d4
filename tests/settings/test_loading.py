"""Where settings come from: files, the environment and flags, laid over each other."""

import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import tui_orchestrator
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.ports import Timeouts
from tui_orchestrator.routing.profile import Level
from tui_orchestrator.settings import Settings, SettingsError, load

Load = Callable[..., Settings]
Problems = Callable[..., list[str]]


def test_with_no_file_at_all_everything_has_its_default(home: Path, project: Path) -> None:
    settings = load(environ={}, cwd=project)
    assert (settings.policy, settings.timeouts, settings.budgets) == (Policy(), Timeouts(), Budgets())
    assert settings.chains == {}
    assert settings.rules == settings.models == settings.notices == ()
    assert set(settings.providers) == {"anthropic", "openai", "gemini", "openrouter"}
    assert not any(provider.usable for provider in settings.providers.values())
    assert set(settings.origins.values()) == {"default"}
    assert settings.values.keys() == settings.origins.keys()
    assert not home.exists()


def test_loading_brings_along_nothing_heavy(home: Path, project: Path) -> None:
    program = (
        "import sys; from tui_orchestrator.settings import load; load(environ={}); "
        "print(*({'tomlkit', 'keyring', 'textual', 'httpx2', 'openai', 'genai_prices', 'pydantic'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(tui_orchestrator.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_each_source_goes_before_the_one_below_it(loaded: Load, home: Path, project: Path) -> None:
    sources: list[tuple[dict[str, object], float, str]] = [
        ({"user": "[router]\nquality_threshold = 0.1"}, 0.1, f"{home}/config/config.toml:2"),
        ({"own": "\n\nrouter.quality_threshold = 0.2"}, 0.2, f"{project}/tui-orchestrator.toml:3"),
        ({"dotenv": "A=1\nQUALITY_THRESHOLD=0.3"}, 0.3, f"{project}/.env:2"),
        ({"env": {"QUALITY_THRESHOLD": "0.4"}}, 0.4, "env QUALITY_THRESHOLD"),
        ({"router__quality_threshold": "0.5"}, 0.5, "flag"),
    ]
    given: dict[str, object] = {}
    assert loaded().origins["router.quality_threshold"] == "default"
    for source, value, origin in sources:
        given |= source
        settings = loaded(**given)
        assert (settings.policy.quality_threshold, settings.origins["router.quality_threshold"]) == (value, origin)


def test_sources_are_laid_over_each_other_key_by_key(loaded: Load) -> None:
    settings = loaded(
        '[budgets]\ndaily_usd = 5\n[chains]\na = ["x/y"]\n[[models]]\nid = "openai/m"\nlevel = "expert"\n',
        'budgets.monthly_usd = 50\nchains.b = ["x/z"]\n[[models]]\nid = "m"\nprovider = "openai"\nfamily = "gpt"\n',
    )
    assert (settings.budgets.daily, settings.budgets.monthly) == (Money.from_usd(5), Money.from_usd(50))
    assert settings.chains == {"a": ("x/y",), "b": ("x/z",)}
    assert [(m.id, m.level, m.family) for m in settings.models] == [("openai/m", Level.EXPERT, "gpt")]


def test_config_takes_the_place_of_the_users_file(loaded: Load, home: Path, project: Path, tmp_path: Path) -> None:
    loaded("[budgets]\ndaily_usd = 1\nmonthly_usd = 2", "router.max_attempts = 7")
    other = tmp_path / "other.toml"
    other.write_text("[budgets]\ndaily_usd = 9\n")
    settings = load(other, environ={}, cwd=project)
    assert (settings.budgets.daily, settings.budgets.monthly) == (Money.from_usd(9), None)
    assert settings.policy.max_attempts == 7


def test_a_named_file_that_is_not_there_is_an_error_but_the_usual_ones_need_not_be(project: Path, home: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        load(project / "none.toml", environ={}, cwd=project)
    load(environ={}, cwd=project / "gone")


def test_every_plain_environment_name_is_honoured(loaded: Load) -> None:
    settings = loaded(
        env={
            "DAILY_BUDGET_USD": "5.5",
            "MONTHLY_COST_LIMIT": "$60",
            "PREFER_OPENSOURCE": "yes",
            "QUALITY_THRESHOLD": "0.75",
            "RATE_LIMIT_REQUESTS": "10",
            "RATE_LIMIT_WINDOW": "3600",
            "REDIS_URL": "redis://localhost:6379",
            "DEFAULT_MODEL_PROVIDER": "OpenAI",
            "DEFAULT_MODEL_NAME": "gpt-6",
            "DEFAULT_TEMPERATURE": "0.3",
            "DEFAULT_MAX_TOKENS": "1000",
            "COST_TRACKING_ENABLED": "false",
            "ORCHESTRATOR_DEBUG_ROUTING": "1",
            "OPENROUTER_ENABLED": "off",
            "OPENROUTER_API_KEY": "or-key",
        }
    )
    assert (settings.budgets.daily, settings.budgets.monthly) == (Money.from_usd("5.5"), Money.from_usd(60))
    assert (settings.policy.prefer_opensource, settings.policy.quality_threshold) == (True, 0.75)
    assert {provider.requests_per_minute for provider in settings.providers.values()} == {1}
    assert settings.shared.url is not None
    assert (settings.default_model, settings.policy.lean_to) == ("openai/gpt-6", "openai/gpt-6")
    assert (settings.default_temperature, settings.policy.max_tokens) == (0.3, 1000)
    assert (settings.track_costs, settings.debug_routing) == (False, True)
    assert not settings.providers["openrouter"].enabled


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"DEFAULT_MODEL_NAME": "m"}, "m"),
        ({"DEFAULT_MODEL_PROVIDER": "p"}, "p"),
        ({"DEFAULT_MODEL_PROVIDER": "p", "DEFAULT_MODEL_NAME": "p/m"}, "p/m"),
        ({"DEFAULT_MODEL_PROVIDER": "openrouter", "DEFAULT_MODEL_NAME": "openai/m"}, "openrouter/openai/m"),
    ],
)
def test_a_default_model_is_put_together_from_both_names(loaded: Load, env: dict[str, str], expected: str) -> None:
    assert loaded(env=env).default_model == expected


def test_a_rate_limit_is_for_providers_without_one_of_their_own(loaded: Load) -> None:
    settings = loaded("[providers.openai]\nrequests_per_minute = 7", env={"RATE_LIMIT_REQUESTS": "90"})
    assert settings.providers["openai"].requests_per_minute == 7
    assert settings.providers["gemini"].requests_per_minute == 90


@pytest.mark.parametrize(
    ("name", "value", "key", "expected"),
    [
        ("ROUTER__STRATEGY", "cheapest", "router.strategy", "cheapest"),
        ("ROUTER__STRATEGY", '"cheapest"', "router.strategy", "cheapest"),
        ("ROUTER__TIMEOUTS__CONNECT", "2.5", "router.timeouts.connect", 2.5),
        ("ROUTER__PREFER_LOCAL", "on", "router.prefer_local", True),
        ("ROUTER__PREFER_LOCAL", "true", "router.prefer_local", True),
        ("ROUTER__DEFAULT_MODEL", "2026", "router.default_model", "2026"),
        ("BUDGETS__DAILY_USD", "0.1", "budgets.daily_usd", Money.from_usd("0.1")),
        ("BUDGETS__ALERT_AT", "0.5, 0.9", "budgets.alert_at", (0.5, 0.9)),
        ("BUDGETS__ALERT_AT", "[0.5]", "budgets.alert_at", (0.5,)),
        ("UI__PANES", "chat,costs", "ui.panes", ("chat", "costs")),
        ("CHAINS__THRIFTY", "a/b,c", "chains.thrifty", ("a/b", "c")),
        ("CHAINS", '{ x = ["a/b"] }', "chains.x", ("a/b",)),
        ("PROVIDERS__OPENAI__MAX_CONCURRENT", "3", "providers.openai.max_concurrent", 3),
        ("MODELS", '[{ id = "openai/m", level = "basic" }]', 'models."openai/m".level', "basic"),
    ],
)
def test_any_key_can_be_set_in_the_environment(loaded: Load, name: str, value: str, key: str, expected: object) -> None:
    settings = loaded(env={f"TUI_ORCHESTRATOR_{name}": value})
    assert settings.values[key] == expected
    assert settings.origins[key] == f"env TUI_ORCHESTRATOR_{name}"


def test_names_with_signs_are_found_in_the_environment_by_their_letters(loaded: Load) -> None:
    settings = loaded(
        '[[models]]\nid = "openai/gpt-6.1"\n[budgets.models."openai/gpt-6.1"]\ndaily_usd = 1',
        env={
            "TUI_ORCHESTRATOR_MODELS__OPENAI_GPT_6_1__ENABLED": "no",
            "TUI_ORCHESTRATOR_BUDGETS__MODELS__OPENAI_GPT_6_1__DAILY_USD": "2",
        },
    )
    assert not settings.models[0].enabled
    assert settings.budgets.models == {"openai/gpt-6.1": (Money.from_usd(2), None)}


def test_the_environment_goes_before_dotenv_whichever_name_each_uses(loaded: Load) -> None:
    settings = loaded(dotenv="TUI_ORCHESTRATOR_BUDGETS__DAILY_USD=1", env={"DAILY_BUDGET_USD": "2"})
    assert settings.budgets.daily == Money.from_usd(2)


def test_an_empty_name_in_the_environment_says_nothing(loaded: Load) -> None:
    assert loaded("[budgets]\ndaily_usd = 1", env={"DAILY_BUDGET_USD": " "}).budgets.daily == Money.from_usd(1)


@pytest.mark.parametrize("value", [Money.from_usd("0.5"), "0.5", Decimal("0.5")])
def test_a_flag_may_be_text_or_a_value(loaded: Load, value: object) -> None:
    settings = loaded(budgets__per_request_usd=value, router__strategy=None)
    assert settings.budgets.per_request == Money.from_usd("0.5")
    assert settings.origins["router.strategy"] == "default"


def test_a_flag_that_is_wrong_is_told_as_one(problems: Problems) -> None:
    assert problems(router__strategy="dear")[0].startswith("flag: router.strategy: 'dear' is unknown; give one of")


def test_a_directory_that_is_gone_is_no_project(home: Path, project: Path) -> None:
    before = Path.cwd()
    gone = project / "gone"
    gone.mkdir()
    try:
        os.chdir(gone)
        gone.rmdir()
        assert load(environ={}).policy == Policy()
    finally:
        os.chdir(before)


def test_home_given_to_load_is_where_the_users_file_is_read(tmp_path: Path, project: Path) -> None:
    file = tmp_path / "elsewhere" / "config" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("router.max_attempts = 9")
    environ = {"TUI_ORCHESTRATOR_HOME": str(tmp_path / "elsewhere")}
    assert load(environ=environ, cwd=project).policy.max_attempts == 9
