"""The settings whose entries the user names: chains, rules, providers, models."""

from __future__ import annotations

from decimal import Decimal

from ..routing.domains import DOMAINS
from ..routing.money import BUCKETS
from ..routing.parts import Part
from ..routing.profile import Ability, Level, TaskType
from .kinds import (
    ENVIRONMENT_NAME,
    MODEL,
    MODEL_NAME,
    ByName,
    Choice,
    Command,
    Flag,
    ListOf,
    Number,
    Refused,
    Regex,
    StrategyName,
    Text,
    Url,
    Usd,
    whole,
)
from .shape import Key, Table

SHARE = Number(0, 1)
STRATEGY = StrategyName()
TEMPERATURE = Number(0, 2)
TOKENS = whole(1, 10_000_000, "tokens")
PAUSE = Number(0, 3_600, "seconds")
_MODEL_LIST = ListOf(MODEL, "model ids")


BY_SIZE = "100, 50 or 20 for each model by its size; none for a server of your own"


def _limits(of: str, otherwise: str) -> dict[str, Key]:
    """`otherwise`: what holds without a limit of requests."""
    return {
        "requests_per_minute": Key(
            whole(1, 1_000_000), None, f"Most requests a minute to {of}. {otherwise}", "60", unset=BY_SIZE
        ),
        "tokens_per_minute": Key(
            whole(1, 10**9),
            None,
            f"Most tokens a minute to {of}, input and output together.",
            "200000",
            unset="no limit",
        ),
        "max_concurrent": Key(whole(1, 1_000), None, f"Most calls to {of} at once.", "4", unset="no limit"),
    }


CHAINS = Table(
    "Chains of your own, beside mixed, anthropic, openai, fast and local: models in the order a turn may walk them.",
    each=Key(_MODEL_LIST, None, "Model ids, the first one tried first.", '["ollama/llama4", "openai/gpt-6-luna"]'),
    sample="thrifty",
)

RULES = Table(
    "Rules of your own. The first that matches decides before the strategy does; the project's rules come before "
    "yours. All conditions given must hold; of a list, any of its values will do.",
    each=Table(
        "",
        {
            "task_types": Key(
                ListOf(Choice(tuple(TaskType)), "task types"), (), "What the prompt asks for.", '["code"]'
            ),
            "levels": Key(ListOf(Choice(tuple(Level)), "levels"), (), "How much it asks.", '["advanced", "expert"]'),
            "words": Key(
                ListOf(Text("words or phrases in quotes"), "words"),
                (),
                "Whole words or phrases in the prompt, upper and lower case alike.",
                '["contract", "terms of use"]',
            ),
            "pattern": Key(Regex(), None, "A regular expression, searched without regard to case.", r"'\bJIRA-\d+\b'"),
            "domains": Key(
                ListOf(Choice(tuple(DOMAINS)), "domains"),
                (),
                "Fields told by words that seldom occur elsewhere.",
                '["law"]',
            ),
            "attachment": Key(Choice(("image", "text", "any")), None, "What comes with the prompt.", '"image"'),
            "tags": Key(ListOf(Text("tags"), "tags"), (), "Tags of the session.", '["work"]'),
            "primary": Key(MODEL, None, "The model to use.", '"anthropic/claude-opus-5.5"'),
            "fallback": Key(_MODEL_LIST, (), "Models to walk when that one is not enough.", '["openai/gpt-6"]'),
            "temperature": Key(TEMPERATURE, None, "Sent with the prompt.", "0.2", unset="as the request says"),
            "max_tokens": Key(TOKENS, None, "Most output tokens.", "2000", unset="as the request says"),
            "strategy": Key(
                STRATEGY, None, "In place of the configured one.", '"quality"', unset="as the request says"
            ),
            "system": Key(Text(), None, "System text to send.", '"Cite the paragraph."', unset="as the request says"),
        },
    ),
    sample="legal",
)

PERSONAS = Table(
    "Ways to be answered, each with defaults of its own, chosen for a session: /persona NAME, or `ask --persona NAME`.",
    each=Table(
        "",
        {
            "system": Key(
                Text(), None, "System text of its sessions.", '"You review code. Name the line."', unset="none"
            ),
            "strategy": Key(STRATEGY, None, "How a model is chosen.", '"quality"', unset="as configured"),
            "model": Key(MODEL, None, "Pins a model.", '"anthropic/claude-sonnet-5.5"', unset="none is pinned"),
            "temperature": Key(TEMPERATURE, None, "Sent with each prompt.", "0.2", unset="as configured"),
            "max_tokens": Key(TOKENS, None, "Most output tokens of an attempt.", "2000", unset="as configured"),
            "tags": Key(
                ListOf(Text("tags"), "tags"), (), "Tags of its sessions; your rules may ask for them.", '["work"]'
            ),
        },
    ),
    sample="reviewer",
)

PROVIDERS = Table(
    "anthropic, openai, gemini and openrouter are there when their key is; lmstudio, ollama, llamacpp, vllm and mlx "
    "are found when they run. Say here what differs, or add a server of your own. A project's file may not say `kind` "
    "or `local` of these and of those that you name, and may use no key of yours for those that you do not name.",
    each=Table(
        "",
        {
            "kind": Key(
                Choice(("anthropic", "openai", "gemini", "openrouter", "openai-compatible", "plugin")),
                None,
                "What it speaks; `plugin`: the plugin of this name knows.",
                '"openai-compatible"',
                unset="that of the name where it is one of the above or a plugin's, else openai-compatible",
            ),
            "enabled": Key(Flag(), True, "Whether it may be used. OPENROUTER_ENABLED sets it for openrouter.", "false"),
            "base_url": Key(
                Url(),
                None,
                "Where it is. A project's file may only name an address on this machine for a key that is yours.",
                '"http://192.168.1.20:8000/v1"',
                unset="its usual address",
            ),
            "api_key_env": Key(
                ENVIRONMENT_NAME,
                None,
                "The environment variable that holds the key. A project's file may only name one of the project's "
                "`.env`, or that which is read in any case.",
                '"TEAM_API_KEY"',
                unset="ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or GOOGLE_API_KEY, OPENROUTER_API_KEY",
            ),
            "api_key_command": Key(
                Command(),
                None,
                "A command that prints the key; ten seconds, no shell, not from a project's file. Asked after the "
                "environment.",
                '"pass show team/api-key"',
            ),
            "api_key_keyring": Key(
                Flag(),
                False,
                "Ask the system keyring, service tui-orchestrator, user the provider's name; thirty seconds, in a "
                "process without a terminal. Asked last.",
                "true",
            ),
            "api_key": Key(
                Refused("api_key_env, api_key_command or api_key_keyring instead"), None, "", '""', hidden=True
            ),
            "local": Key(
                Flag(),
                None,
                "Whether it runs on hardware of yours and costs nothing.",
                "true",
                unset="true for an address on this machine",
            ),
            **_limits(
                "this provider",
                "Without it each of its models has the limit of its size: 100 for a small one, 50 for a middle one, 20 "
                "for its maker's largest. Where the kind is openai-compatible, as of local servers and of your own, "
                "there is no such limit.",
            ),
        },
    ),
    name_fits=r"[a-z0-9][a-z0-9_.-]*",
    sample="team",
)

_PRICE = Usd("US dollars per million tokens")
MODELS = Table(
    "Models to add, or to know better. What is not said stays as it is known otherwise; a price that nobody knows is "
    "unknown, not zero. A project's file may give prices only of a server that it alone names, without a key of yours.",
    each=Table(
        "",
        {
            "id": Key(
                MODEL, None, "PROVIDER/MODEL, or the model's name alone beside `provider`.", '"team/qwen4-coder"'
            ),
            "provider": Key(
                Text("a provider's name", r"[a-z0-9][a-z0-9_.-]*"), None, "Who serves it.", '"team"', unset="as in `id`"
            ),
            "enabled": Key(Flag(), True, "Whether it may be used.", "false"),
            "input_usd": Key(_PRICE, None, "What input tokens cost; goes with output_usd.", "0.40", unset="not known"),
            "output_usd": Key(_PRICE, None, "What output tokens cost.", "1.60", unset="not known"),
            "cached_input_usd": Key(
                _PRICE, None, "What input tokens read from a cache cost.", "0.04", unset="as input_usd"
            ),
            "cache_write_usd": Key(
                _PRICE, None, "What input tokens written to a cache cost.", "0.50", unset="as input_usd"
            ),
            "reasoning_usd": Key(_PRICE, None, "What hidden reasoning tokens cost.", "1.60", unset="as output_usd"),
            "parts_usd": Key(
                ByName(Choice(tuple(Part)), _PRICE, "kinds of tokens"),
                None,
                f"US dollars per million of the tokens that have a price of their own: {', '.join(Part)}.",
                "{ cache_write_1h = 0.80, image_input = 0.60 }",
                unset="as the tokens they are among",
            ),
            "long_prompt_over": Key(
                TOKENS,
                None,
                "Longer prompts are billed by long_prompt_usd as a whole.",
                "200000",
                unset="none",
            ),
            "long_prompt_usd": Key(
                ByName(Choice((*BUCKETS, *Part)), _PRICE, "kinds of tokens"),
                None,
                "US dollars per million tokens of such a prompt and its answer, by kind; goes with long_prompt_over.",
                "{ input = 0.80, output = 2.40 }",
                unset="as above",
            ),
            "per_call_usd": Key(Usd(), None, "What each call costs beside its tokens.", "0.005", unset="0"),
            "context_window": Key(TOKENS, None, "Input and output together.", "131072", unset="not known"),
            "max_output": Key(TOKENS, None, "Most tokens it can answer with.", "16384", unset="not known"),
            "abilities": Key(
                ListOf(Choice(tuple(Ability)), "abilities", least=0), None, "What it can do.", '["tools", "vision"]'
            ),
            "level": Key(Choice(tuple(Level)), None, "How much it can do, roughly.", '"advanced"', unset="not known"),
            "ability": Key(
                SHARE,
                None,
                "How much it can do, on the scale of a prompt's difficulty: "
                "at equal values a good answer is as likely as not.",
                "0.65",
                unset="from `level`",
            ),
            "task_abilities": Key(
                ByName(Choice(tuple(TaskType)), Number(-1, 1), "task types"),
                None,
                "What to add to its ability on some task types.",
                "{ code = 0.08, creative = -0.05 }",
                unset="known of some specialists",
            ),
            "local": Key(Flag(), None, "Whether it runs on hardware of yours.", "true", unset="as its provider"),
            "open_weights": Key(Flag(), None, "Whether its weights are public.", "true", unset="not known"),
            "family": Key(
                Text("a word"),
                None,
                "An ensemble prefers members of different families.",
                '"qwen"',
                unset="from its name",
            ),
            "first_token_s": Key(PAUSE, None, "Time to the first token, until measured.", "0.4", unset="a guess"),
            "tokens_per_s": Key(
                Number(Decimal("0.1"), 100_000), None, "Output tokens a second, until measured.", "80", unset="a guess"
            ),
            "accepts_temperature": Key(Flag(), None, "Whether a temperature may be sent.", "false", unset="not known"),
            **_limits(
                "this model",
                "It takes the place of the limit of the model's size; that of its provider holds beside it.",
            ),
        },
    ),
    name="PROVIDER/MODEL",
    sample="team/qwen4-coder",
    name_fits=MODEL_NAME,
    array=True,
)
