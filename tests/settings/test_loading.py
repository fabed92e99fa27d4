import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import tui_orchestrator
from tui_orchestrator.routing.budget import Budgets, OnExhausted
from tui_orchestrator.routing.decision import Policy, Retries, Weights
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.ports import Timeouts
from tui_orchestrator.routing.profile import Ability, Level, TaskType
from tui_orchestrator.routing.request import Strategy
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


def test_every_routing_setting_arrives(loaded: Load) -> None:
    settings = loaded("""
[router]
strategy = "ensemble"
quality_threshold = 0.7
confidence_threshold = 0.5
max_attempts = 4
max_tokens = 999
temperature = 0.4
default_model = "openai/gpt"
baseline_model = "anthropic/dear"
prefer_local = true
prefer_opensource = true
local_max_complexity = 5
discrimination = 6
exploration = 0.1
max_wait_s = 12
requests_per_minute = 30
discover_local = false
debug = true
weights = { quality = 2, cost = 0.8, latency = 0 }
[router.timeouts]
connect = 1
first_token = 2
between_tokens = 3
total = 4.5
[router.retries]
base = 1
cap = 2
retry_after_cap = 3
per_model = 4
patience = 5
[budgets]
on_exhausted = "local"
""")
    assert settings.policy == Policy(
        strategy=Strategy.ENSEMBLE,
        quality_threshold=0.7,
        confidence_threshold=0.5,
        max_attempts=4,
        prefer_local=True,
        prefer_opensource=True,
        local_max_complexity=5,
        max_tokens=999,
        weights=Weights(2, 0.8, 0),
        discrimination=6,
        exploration=0.1,
        max_wait_s=12,
        on_exhausted=OnExhausted.LOCAL,
        retries=Retries(1, 2, 3, 4, 5),
        lean_to="openai/gpt",
        baseline_model="anthropic/dear",
    )
    # Were a field to have its default, nobody could tell that its key had been read.
    for given, default in ((settings.policy, Policy()), (settings.policy.retries, Retries())):
        assert not [name for name in type(given).__slots__ if getattr(given, name) == getattr(default, name)]
    assert settings.timeouts == Timeouts(1, 2, 3, 4.5)
    assert (settings.default_temperature, settings.default_model) == (0.4, "openai/gpt")
    assert (settings.discovery, settings.debug_routing) == (False, True)
    assert {provider.requests_per_minute for provider in settings.providers.values()} == {30}


def test_every_budget_arrives_exact_to_the_last_place(loaded: Load) -> None:
    budgets = loaded("""
[budgets]
per_request_usd = 0.1
session_usd = "0.30"
daily_usd = 5
monthly_usd = 100.000000000001
alert_at = [0.9, 0.5]
on_exhausted = "cheapest"
providers.openai = { daily_usd = 1 }
[budgets.models."openai/gpt-6.1"]
monthly_usd = 2.5
""").budgets
    assert budgets == Budgets(
        per_request=Money.from_usd("0.1"),
        session=Money.from_usd("0.3"),
        daily=Money.from_usd(5),
        monthly=Money(100_000_000_000_001),
        providers={"openai": (Money.from_usd(1), None)},
        models={"openai/gpt-6.1": (None, Money.from_usd("2.5"))},
        alert_at=(0.5, 0.9),
        on_exhausted=OnExhausted.CHEAPEST,
    )


def test_a_budget_of_zero_is_a_cap_not_its_absence(loaded: Load) -> None:
    assert loaded("[budgets]\ndaily_usd = 0").budgets.daily == Money(0)


def test_every_field_of_a_model_arrives(loaded: Load) -> None:
    text = """
[[models]]
id = "openai/vendor/m"
enabled = false
input_usd = 0.4
output_usd = 1.6
cached_input_usd = 0.04
cache_write_usd = 0.5
reasoning_usd = 2
per_call_usd = 0.005
context_window = 1000
max_output = 100
abilities = ["tools", "vision"]
level = "advanced"
ability = 0.65
local = true
open_weights = true
family = "qwen"
first_token_s = 0.4
tokens_per_s = 80
accepts_temperature = false
requests_per_minute = 1
tokens_per_minute = 2
max_concurrent = 3
"""
    (model,) = loaded(text).models
    assert model.id == "openai/vendor/m"
    assert (model.provider, model.name) == ("openai", "vendor/m")
    assert model.price is not None
    rates = model.price.rates
    assert (rates.input, rates.output, rates.cached_input, rates.cache_write, rates.reasoning) == (
        *(400_000, 1_600_000, 40_000, 500_000, 2_000_000),
    )
    assert model.price.per_call == Money.from_usd("0.005")
    assert model.price.source == "your configuration"
    assert model.abilities == {Ability.TOOLS, Ability.VISION}
    assert model.level is Level.ADVANCED
    (bare,) = loaded('[[models]]\nid = "openai/m"').models
    unsaid = {name for name in type(bare).__slots__ if getattr(bare, name) is None}
    assert unsaid == set(type(bare).__slots__) - {"provider", "name", "enabled"}
    assert not [name for name in unsaid if getattr(model, name) is None]


def test_a_model_may_name_its_provider_apart(loaded: Load) -> None:
    text = '[[models]]\nid = "openai/gpt"\nprovider = "openrouter"\n[[models]]\nid = "openai/gpt"\nprovider = "openai"'
    assert [(m.provider, m.name) for m in loaded(text).models] == [("openrouter", "openai/gpt"), ("openai", "gpt")]


def test_every_field_of_a_rule_arrives_and_the_projects_rules_come_first(loaded: Load) -> None:
    user = """
[rules.first]
primary = "a/b"
[rules.legal]
task_types = ["code", "math"]
levels = ["expert"]
words = ["contract"]
pattern = 'T-\\d+'
domains = ["law"]
attachment = "image"
tags = ["work"]
primary = "a/b"
fallback = ["c/d", "e"]
temperature = 0.2
max_tokens = 2000
strategy = "quality"
system = "Cite."
"""
    settings = loaded(user, "[rules.near]\nsystem = 'x'\n")
    assert [rule.name for rule in settings.rules] == ["near", "first", "legal"]
    rule = settings.rules[2]
    assert rule.task_types == {TaskType.CODE, TaskType.MATH}
    assert rule.pattern is not None
    assert rule.pattern.search("see t-12")
    assert (rule.fallback, rule.strategy, rule.tags) == (("c/d", "e"), Strategy.QUALITY, {"work"})
    bare = settings.rules[0]
    assert not [name for name in type(rule).__slots__ if getattr(rule, name) == getattr(bare, name)]


def test_the_consoles_the_caches_and_the_stores_settings_arrive(loaded: Load) -> None:
    settings = loaded("""
[cache]
exact = false
ttl_s = 60
semantic = true
semantic_similarity = 0.9
[ui]
theme = "mine"
panes = ["chat", "registry"]
density = "compact"
[ui.keymap]
pane.zoom = "f7,ctrl+z"
"prompt.send" = "ctrl+s"
[store]
path = "/var/x.db"
redis_url = "redis://:pass-word-pass-word@host:6379/0"
""")
    assert (settings.cache.exact, settings.cache.ttl_s) == (False, 60)
    assert (settings.cache.semantic, settings.cache.semantic_similarity) == (True, 0.9)
    assert (settings.ui.theme, settings.ui.panes, settings.ui.density) == ("mine", ("chat", "registry"), "compact")
    assert settings.ui.keymap == {"pane.zoom": "f7,ctrl+z", "prompt.send": "ctrl+s"}
    assert settings.store.path == Path("/var/x.db")
    assert settings.store.redis_url is not None
    assert settings.store.redis_url.reveal().startswith("redis://:pass")
    assert "pass-word" not in repr(settings)
    assert [notice.partition(": ")[2].partition(":")[0] for notice in settings.notices] == [
        "store.redis_url is not used",
        "cache.semantic is not used",
    ]


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
    assert settings.store.redis_url is not None
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
