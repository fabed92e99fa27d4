"""Every setting there is, described once: how it is read, checked, explained, shown and written."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ..routing.budget import Budgets, WayOut
from ..routing.decision import Policy
from ..routing.ports import Timeouts
from ..routing.request import Check, Method
from .caching import CACHE
from .keys import KeyNames
from .kinds import MODEL, MODEL_NAME, Choice, Flag, FlagOr, ListOf, Number, Text, Usd, WordOrList, whole
from .named import BY_SIZE, CHAINS, MODELS, PAUSE, PERSONAS, PROVIDERS, RULES, SHARE, STRATEGY, TEMPERATURE, TOKENS
from .shape import Key, Path, Table
from .surroundings import LOG, PLUGINS, SHARED, STORE, TELEMETRY
from .values import UiSettings
from .weights import WEIGHTS

_POLICY, _TIMEOUTS, _BUDGETS, _UI = Policy(), Timeouts(), Budgets(), UiSettings()
_SECONDS = Number(Decimal("0.05"), 86_400, "seconds")


def _caps(of: str) -> dict[str, Key | Table]:
    return {
        "daily_usd": Key(Usd(), None, f"Cap on a day's calls to {of}.", "1.00", unset="no cap"),
        "monthly_usd": Key(Usd(), None, f"Cap on a month's calls to {of}.", "20.00", unset="no cap"),
    }


_ROUTER = Table(
    "How a model is chosen, and when the next one is tried.",
    {
        "strategy": Key(
            STRATEGY, _POLICY.strategy.value, "How a model is chosen where a request does not say.", '"cheapest"'
        ),
        "quality_threshold": Key(
            SHARE,
            _POLICY.quality_threshold,
            "Least probability of a good answer that `cheapest`, `performance` and `local_first` ask of a model.",
            "0.7",
            env="QUALITY_THRESHOLD",
        ),
        "confidence_threshold": Key(
            SHARE, _POLICY.confidence_threshold, "An answer trusted less than this escalates to the next model.", "0.5"
        ),
        "max_attempts": Key(
            whole(1, 20),
            _POLICY.max_attempts,
            "Most calls a turn may make, over all models and retries; those that only check an answer are not counted.",
            "5",
        ),
        "check": Key(
            Choice(tuple(Check)),
            _POLICY.check.value,
            "How an answer is checked: `auto` asks one other cheap model the same where the confidence is near the "
            "threshold and it is worth its cost, `second_answer` does so for every answer, `judge` asks a cheap model "
            "whether the answer is right.",
            '"judge"',
        ),
        "self_consistency": Key(
            whole(0, 8),
            _POLICY.self_consistency,
            "How often each model is asked again, to see whether it says the same; not at temperature 0.",
            "2",
        ),
        "verdict": Key(
            Choice(tuple(Method)),
            _POLICY.verdict.value,
            "How an ensemble's answers come to one: `weighted` by confidence, capability, completeness and consensus, "
            "`judge` has a model name the best, `fuse` has one write an answer from all, `vote` lets you pick blindly.",
            '"judge"',
        ),
        "max_tokens": Key(
            TOKENS,
            _POLICY.max_tokens,
            "Most output tokens of an attempt, reasoning included, where a request does not say.",
            "2048",
            env="DEFAULT_MAX_TOKENS",
        ),
        "temperature": Key(
            TEMPERATURE,
            None,
            "Sent where a request does not say and the model accepts one.",
            "0.7",
            env="DEFAULT_TEMPERATURE",
            unset="the provider's own",
        ),
        "default_model": Key(
            MODEL,
            None,
            "A model's id, its bare name, or a provider's name: leaned to, never pinned. "
            "DEFAULT_MODEL_PROVIDER and DEFAULT_MODEL_NAME set it too.",
            '"anthropic/claude-sonnet-5.5"',
        ),
        "baseline_model": Key(
            MODEL,
            None,
            "Savings are told against what this model would have cost.",
            '"openai/gpt-6"',
            unset="the dearest model there is",
        ),
        "prefer_local": Key(Flag(), _POLICY.prefer_local, "Lean to models on your own machine.", "true"),
        "prefer_opensource": Key(
            Flag(), _POLICY.prefer_opensource, "Lean to models with open weights.", "true", env="PREFER_OPENSOURCE"
        ),
        "local_max_complexity": Key(
            whole(0, 10),
            _POLICY.local_max_complexity,
            "`local_first` sends prompts up to this complexity (1–10) to a local model whatever its chances.",
            "5",
        ),
        "discrimination": Key(
            Number(Decimal("0.1"), 100),
            _POLICY.discrimination,
            "How steeply the probability of a good answer rises with a model's ability over the prompt's difficulty.",
            "6",
        ),
        "exploration": Key(
            SHARE,
            _POLICY.exploration,
            "Largest share of `preference` turns that try a model other than your favourite.",
            "0.05",
        ),
        "max_wait_s": Key(
            PAUSE,
            _POLICY.max_wait_s,
            "A model whose rate limit would keep a call waiting for longer is not considered.",
            "10",
        ),
        "requests_per_minute": Key(
            whole(1, 1_000_000),
            None,
            "Most requests a minute to each provider that has no limit of its own below, in place of the limits that "
            "its models have by their size. RATE_LIMIT_REQUESTS, in RATE_LIMIT_WINDOW seconds (60), sets it too.",
            "60",
            unset=BY_SIZE,
        ),
        "discover_local": Key(
            Flag(), True, "Look for LM Studio, Ollama, llama.cpp, vLLM and MLX on their usual ports.", "false"
        ),
        "debug": Key(Flag(), False, "Log each decision in full.", "true", env="ORCHESTRATOR_DEBUG_ROUTING"),
        "weights": WEIGHTS,
        "timeouts": Table(
            "How long to wait for what.",
            {
                "connect": Key(_SECONDS, _TIMEOUTS.connect, "Until the connection stands.", "5"),
                "first_token": Key(_SECONDS, _TIMEOUTS.first_token, "From sending until the first token.", "120"),
                "between_tokens": Key(_SECONDS, _TIMEOUTS.between_tokens, "Longest silence inside an answer.", "60"),
                "total": Key(_SECONDS, _TIMEOUTS.total, "A whole attempt, first byte to last.", "900"),
                "turn": Key(_SECONDS, _TIMEOUTS.turn, "A whole turn with all it tries, waits for and checks.", "1800"),
            },
        ),
        "retries": Table(
            "Only failures that may pass are tried again.",
            {
                "base": Key(
                    PAUSE, _POLICY.retries.base, "The first pause is up to this, each further up to twice.", "1"
                ),
                "cap": Key(PAUSE, _POLICY.retries.cap, "Longest pause of our own making.", "20"),
                "retry_after_cap": Key(
                    PAUSE,
                    _POLICY.retries.retry_after_cap,
                    "A provider that asks to wait for longer is left for the next model.",
                    "60",
                ),
                "per_model": Key(
                    whole(0, 10), _POLICY.retries.per_model, "How often the same model is tried again.", "2"
                ),
                "patience": Key(
                    PAUSE,
                    _POLICY.retries.patience,
                    "A wait longer than this goes to the next model instead, where there is one.",
                    "5",
                ),
                "past_filters": Key(
                    Flag(),
                    _POLICY.retries.past_filters,
                    "Ask the next model when a provider's content filter refuses the prompt.",
                    "false",
                ),
            },
        ),
    },
)

_BUDGETS_TABLE = Table(
    "Caps in US dollars. None is ever passed: a call that does not fit is not made. 0 allows free models alone. A "
    "project's file may only lower them and allow less, and add shares to `alert_at`; where it says more, yours holds.",
    {
        "per_request_usd": Key(Usd(), None, "Cap on one request, all its attempts together.", "0.05", unset="no cap"),
        "session_usd": Key(Usd(), None, "Cap on one conversation.", "1.00", unset="no cap"),
        "daily_usd": Key(Usd(), None, "Cap on a day, your local one.", "5.00", env="DAILY_BUDGET_USD", unset="no cap"),
        "monthly_usd": Key(Usd(), None, "Cap on a month.", "50.00", env="MONTHLY_COST_LIMIT", unset="no cap"),
        "alert_at": Key(
            ListOf(Number(Decimal("0.01"), 1), "shares of a cap, from 0.01 to 1"),
            _BUDGETS.alert_at,
            "Shares of a cap at which it is said, once each.",
            "[0.8]",
        ),
        "on_exhausted": Key(
            WordOrList(Choice(tuple(WayOut)), "ways out"),
            WayOut.REFUSE.value,
            "When the chosen model's call does not fit: `fewer_tokens`, the `cheapest` (another that fits), a `local` "
            "one, `refuse`. A list is tried in its order; one word means fewer tokens first, then that.",
            '["fewer_tokens", "local", "cheapest", "refuse"]',
        ),
        "allow_unpriced": Key(
            Flag(),
            _BUDGETS.allow_unpriced,
            "Call models of unknown price although there is a cap; what they cost counts towards none.",
            "true",
        ),
        "track_costs": Key(
            Flag(),
            True,
            "Say what answers cost and open the costs pane. Attempts are recorded and caps hold either way.",
            "false",
            env="COST_TRACKING_ENABLED",
        ),
        "providers": Table(
            "Caps on one provider.",
            each=Table("", _caps("this provider")),
            sample="openai",
            name_fits=r"[a-z0-9][a-z0-9_.-]*",
        ),
        "models": Table(
            "Caps on one model.",
            each=Table(
                "",
                {
                    **_caps("this model"),
                    "allow_unpriced": Key(
                        Flag(), False, "Call it under any cap although its price is not known.", "true"
                    ),
                },
            ),
            name="PROVIDER/MODEL",
            name_fits=MODEL_NAME,
            sample="anthropic/claude-opus-5.5",
        ),
    },
)

_UI_TABLE = Table(
    "The console.",
    {
        "theme": Key(Text("a theme's name"), None, "One of those F9 lists.", '"mine"', unset="the console's own"),
        "panes": Key(
            ListOf(Choice(("chat", "decision", "costs", "registry")), "panes"),
            _UI.panes,
            "Shown at the start, as far as the terminal has room.",
            '["chat"]',
        ),
        "density": Key(
            Choice(("comfortable", "compact")), _UI.density, "How much air there is between things.", '"compact"'
        ),
        "motion": Key(
            Choice(("full", "reduced")), _UI.motion, "Whether things slide and the cursor blinks.", '"reduced"'
        ),
        "notifications": Key(
            FlagOr("bell"),
            _UI.notifications,
            "Ask the terminal to notify when a cap is nearly spent and you look elsewhere; `bell` rings instead.",
            '"bell"',
        ),
        "keymap": Table(
            "Keys of your own: an action's id, as the help (F1) lists it, and its key or keys with commas between.",
            each=Key(KeyNames(), None, "Its key or keys.", '"f7,ctrl+z"'),
            name="ACTION",
            name_fits=r"[a-z0-9][a-z0-9_.:-]*",
            sample="pane.zoom",
            dotted_names=True,
        ),
    },
)

SCHEMA = Table(
    "",
    {
        "router": _ROUTER,
        "budgets": _BUDGETS_TABLE,
        "chains": CHAINS,
        "rules": RULES,
        "personas": PERSONAS,
        "providers": PROVIDERS,
        "models": MODELS,
        "cache": CACHE,
        "ui": _UI_TABLE,
        "store": STORE,
        "shared": SHARED,
        "plugins": PLUGINS,
        "telemetry": TELEMETRY,
        "log": LOG,
    },
)


def find(path: Path) -> Key | Table | None:
    """What the schema says of a place; None for one that there is not."""
    node: Key | Table | None = SCHEMA
    for part in path:
        node = node.at(part) if isinstance(node, Table) else None
    return node


def fixed_keys(table: Table = SCHEMA, path: Path = ()) -> Iterator[tuple[Path, Key]]:
    """Every key that is there without the user naming anything."""
    for name, node in table.keys.items():
        if isinstance(node, Table):
            yield from fixed_keys(node, (*path, name))
        elif not node.hidden:
            yield (*path, name), node


def every_key(table: Table = SCHEMA, path: Path = ()) -> Iterator[tuple[Path, Key]]:
    """Those under names the user chooses too, with a placeholder such as NAME for it; refused keys not."""
    below = {**table.keys, **({table.name: table.each} if table.each else {})}
    for name, node in below.items():
        if isinstance(node, Table):
            yield from every_key(node, (*path, name))
        elif not node.hidden:
            yield (*path, name), node
