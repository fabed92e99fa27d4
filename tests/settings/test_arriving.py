"""Every key of a file arrives in the settings as what it means."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tui_orchestrator.routing.budget import Budgets, WayOut, alone
from tui_orchestrator.routing.decision import Diversity, Leanings, Policy, Retries, Votes, Weights
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.parts import Part
from tui_orchestrator.routing.ports import Timeouts
from tui_orchestrator.routing.profile import Ability, Level, TaskType
from tui_orchestrator.routing.request import Check, Method, Strategy
from tui_orchestrator.settings import Settings

Load = Callable[..., Settings]


def test_every_routing_setting_arrives(loaded: Load) -> None:
    settings = loaded("""
[router]
strategy = "ensemble"
quality_threshold = 0.7
confidence_threshold = 0.5
max_attempts = 4
check = "judge"
verdict = "fuse"
self_consistency = 3
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
[router.weights]
quality = 2
cost = 0.8
latency = 0
leanings = { open_weights = 0.2, local = 0.3, default_model = 0.4 }
votes = { estimate = 20, task = 5 }
diversity = { cost = 0.5, same_family = 0.6, same_provider = 0.7 }
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
past_filters = false
[budgets]
on_exhausted = "local"
""")
    assert settings.policy == Policy(
        strategy=Strategy.ENSEMBLE,
        quality_threshold=0.7,
        confidence_threshold=0.5,
        max_attempts=4,
        check=Check.JUDGE,
        verdict=Method.FUSE,
        self_consistency=3,
        prefer_local=True,
        prefer_opensource=True,
        local_max_complexity=5,
        max_tokens=999,
        weights=Weights(2, 0.8, 0, Leanings(0.2, 0.3, 0.4), Votes(20, 5), Diversity(0.5, 0.6, 0.7)),
        discrimination=6,
        exploration=0.1,
        max_wait_s=12,
        on_exhausted=alone(WayOut.LOCAL),
        retries=Retries(1, 2, 3, 4, 5, past_filters=False),
        lean_to="openai/gpt",
        baseline_model="anthropic/dear",
    )
    # Were a field to have its default, nobody could tell that its key had been read.
    weights = settings.policy.weights
    for given, default in (
        (settings.policy, Policy()),
        (settings.policy.retries, Retries()),
        (weights, Weights()),
        (weights.leanings, Leanings()),
        (weights.votes, Votes()),
        (weights.diversity, Diversity()),
    ):
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
        on_exhausted=alone(WayOut.CHEAPEST),
    )


def test_the_ways_out_arrive_in_their_order_and_who_may_go_unpriced_by_name(loaded: Load) -> None:
    budgets = loaded("""
[budgets]
on_exhausted = ["cheapest", "fewer_tokens"]
allow_unpriced = true
[budgets.models."openai/gpt-6.1"]
allow_unpriced = true
""").budgets
    assert budgets.on_exhausted == (WayOut.CHEAPEST, WayOut.FEWER_TOKENS, WayOut.REFUSE)
    assert budgets.allow_unpriced
    assert budgets.unpriced_models == {"openai/gpt-6.1"}
    assert loaded('budgets.on_exhausted = ["refuse"]').budgets.on_exhausted == (WayOut.REFUSE,)


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
parts_usd = { cache_write_1h = 0.8, audio_input = "3" }
long_prompt_over = 200_000
long_prompt_usd = { input = 0.8, cache_write_1h = 1.6 }
context_window = 1000
max_output = 100
abilities = ["tools", "vision"]
level = "advanced"
ability = 0.65
task_abilities = { code = 0.1 }
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
    assert model.price.rates.parts == ((Part.AUDIO_INPUT, 3_000_000), (Part.CACHE_WRITE_1H, 800_000))
    # What the long prompt's price leaves out costs as it does in a short one.
    (long,) = model.price.tiers
    assert long.over == 200_000
    assert (long.rates.input, long.rates.output, long.rates.cached_input) == (800_000, 1_600_000, 40_000)
    assert long.rates.parts == ((Part.AUDIO_INPUT, 3_000_000), (Part.CACHE_WRITE_1H, 1_600_000))
    assert model.price.source == "your configuration"
    assert model.abilities == {Ability.TOOLS, Ability.VISION}
    assert model.level is Level.ADVANCED
    (bare,) = loaded('[[models]]\nid = "openai/m"').models
    unsaid = {name for name in type(bare).__slots__ if getattr(bare, name) is None}
    assert unsaid == set(type(bare).__slots__) - {"provider", "name", "enabled"}
    # Whose word its level is: the file's, unless another says so.
    assert [name for name in unsaid if getattr(model, name) is None] == ["ability_source"]


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
motion = "reduced"
[ui.keymap]
pane.zoom = "f7,ctrl+z"
"prompt.send" = "ctrl+s"
[store]
path = "/var/x.db"
[shared]
url = "redis://:pass-word-pass-word@host:6379/0"
""")
    assert (settings.cache.exact, settings.cache.ttl_s) == (False, 60)
    assert (settings.cache.semantic, settings.cache.semantic_similarity) == (True, 0.9)
    assert (settings.ui.theme, settings.ui.panes, settings.ui.density) == ("mine", ("chat", "registry"), "compact")
    assert settings.ui.motion == "reduced"
    assert settings.ui.keymap == {"pane.zoom": "f7,ctrl+z", "prompt.send": "ctrl+s"}
    assert settings.store.path == Path("/var/x.db")
    assert settings.shared.url is not None
    assert settings.shared.url.reveal().startswith("redis://:pass")
    assert "pass-word" not in repr(settings)
    assert [notice.partition(": ")[2].partition(":")[0] for notice in settings.notices] == [
        "cache.semantic is not used",
    ]


@pytest.mark.parametrize(
    ("text", "level"), [("", "warning"), ('[log]\nlevel = "error"', "error"), ("[router]\ndebug = true", "debug")]
)
def test_the_level_of_the_log_arrives_and_to_look_into_decisions_is_the_finest(
    loaded: Load, text: str, level: str
) -> None:
    assert loaded(text).log.level == level
