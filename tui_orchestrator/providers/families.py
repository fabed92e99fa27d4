"""How good the models of today are, and what they can do, as far as it is published: a table to read and to correct.

`ability` is on the scale of a prompt's difficulty: a good answer has probability sigmoid(8 × (ability − difficulty)).
Each row says what it was judged from. The scale is a judgement laid over published results, not itself a measurement;
the router moves it with what this user sees. Bands: basic 0.30–0.45, intermediate 0.50–0.62, advanced 0.70–0.82,
expert 0.90–1.00.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from ..routing.money import Price
from ..routing.profile import Ability, Level
from .names import bare, size

_TOOLS = frozenset({Ability.TOOLS, Ability.STRUCTURED_OUTPUT})
_THINKS = _TOOLS | {Ability.THINKING}
_SEES = _TOOLS | {Ability.VISION}
_ALL = _SEES | _THINKS
_ONLY_THINKS = frozenset({Ability.THINKING})
_TEXT: frozenset[Ability] = frozenset()


class Bulk(StrEnum):
    """Of a model within its maker's line-up: sets its usual rate limit and speed."""

    SMALL = "small"
    MIDDLE = "middle"
    LARGEST = "largest"


_REQUESTS_PER_MINUTE = {Bulk.SMALL: 100, Bulk.MIDDLE: 50, Bulk.LARGEST: 20}
# Seconds to the first token and tokens per second over the makers' own APIs: what is usual for each size, rounded, as
# judged in November 2026. Replaced by this user's own measurements after a few calls.
_SPEED = {Bulk.SMALL: (0.6, 140.0), Bulk.MIDDLE: (1.0, 75.0), Bulk.LARGEST: (1.8, 45.0)}


def usual_of(requests_per_minute: int | None) -> Bulk | None:
    """Of which size this is the usual limit; None: of none."""
    return next((bulk for bulk, usual in _REQUESTS_PER_MINUTE.items() if usual == requests_per_minute), None)


@dataclass(frozen=True, slots=True)
class Traits:
    """What is believed of a model by its name alone."""

    family: str
    ability: float
    source: str
    """For people: what level and ability were judged from."""
    abilities: frozenset[Ability]
    bulk: Bulk
    open_weights: bool = False
    max_output: int | None = None
    accepts_temperature: bool = True
    known: bool = True
    """False when the ability is a prior from size or price instead of a row of the table."""

    @property
    def level(self) -> Level:
        return level_of(self.ability)

    @property
    def requests_per_minute(self) -> int:
        return _REQUESTS_PER_MINUTE[self.bulk]

    @property
    def first_token_s(self) -> float:
        return _SPEED[self.bulk][0]

    @property
    def tokens_per_s(self) -> float:
        return _SPEED[self.bulk][1]


def level_of(ability: float) -> Level:
    if ability < 0.48:
        return Level.BASIC
    if ability < 0.66:
        return Level.INTERMEDIATE
    return Level.ADVANCED if ability < 0.86 else Level.EXPERT


ABILITY_OF = {Level.BASIC: 0.38, Level.INTERMEDIATE: 0.56, Level.ADVANCED: 0.76, Level.EXPERT: 0.95}
"""For a model of which only the level is said: the middle of its band."""


@dataclass(frozen=True, slots=True)
class Row:
    pattern: str
    """Searched from the start of the bare name, dots, colons and underscores written as '-'. The first row wins."""
    family: str
    ability: float
    abilities: frozenset[Ability]
    bulk: Bulk
    source: str
    max_output: int | None = None
    open_weights: bool = False
    accepts_temperature: bool = True


S, M, L = Bulk.SMALL, Bulk.MIDDLE, Bulk.LARGEST


def _index(points: int) -> str:
    return f"judged from {points} on the Artificial Analysis Intelligence Index v4.1, June 2026"


def _mmlu_pro(percent: str, when: str) -> str:
    return f"judged from MMLU-Pro {percent} % (its maker's model card, {when})"


def _outcomes(percent: str, of: str = "") -> str:
    return f"judged from {percent} % of 2,039 questions of MMLU-Pro answered rightly (published answers, 2024){of}"


_CHATQA = "judged from 20 % of 2,667 prompts of LLMRouter answered well (2025): it reads documents"


def _line(maker: str) -> str:
    return f"judged from its place and price in {maker}'s line-up, November 2026"


def _claude(
    pattern: str, ability: float, bulk: Bulk, out: int | None, source: str = "", temperature: bool = True
) -> Row:
    source = source or _line("Anthropic")
    return Row(pattern, "claude", ability, _ALL, bulk, source, out, accepts_temperature=temperature)


def _gpt(pattern: str, ability: float, bulk: Bulk, source: str = "", out: int | None = 128_000) -> Row:
    return Row(pattern, "gpt", ability, _ALL, bulk, source or _line("OpenAI"), out, accepts_temperature=False)


def _gemini(pattern: str, ability: float, bulk: Bulk, source: str = "", out: int | None = 65_536) -> Row:
    return Row(pattern, "gemini", ability, _ALL, bulk, source or _line("Google"), out)


def _open(pattern: str, family: str, ability: float, can: frozenset[Ability], bulk: Bulk, source: str) -> Row:
    return Row(pattern, family, ability, can, bulk, source, open_weights=True)


# Largest outputs: the makers' model pages, November 2026. Claude from 4.7 and OpenAI's reasoning models refuse a
# temperature: the same pages.
_CLAUDE = (
    _claude(r"claude-(fable|mythos)-5", 0.98, L, 128_000, _index(60) + ", of Fable 5", temperature=False),
    _claude(r"claude-opus-5-5|claude-5-5-opus", 0.97, L, 128_000, temperature=False),
    _claude(r"claude-opus-5", 0.96, L, 128_000, temperature=False),
    _claude(r"claude-opus-4-8", 0.95, L, 128_000, _index(56), temperature=False),
    _claude(r"claude-opus-4-7", 0.94, L, 128_000, temperature=False),
    _claude(r"claude-opus-4-6", 0.92, L, 128_000),
    _claude(r"claude-opus-4-5", 0.90, L, 64_000),
    _claude(r"claude-(opus-4|4-opus)", 0.82, L, 32_000),
    _claude(r"claude-sonnet-5", 0.92, M, 128_000, temperature=False),
    _claude(r"claude-sonnet-4-6", 0.82, M, 64_000),
    _claude(r"claude-(sonnet-4|4-sonnet)", 0.80, M, 64_000),
    _claude(r"claude-haiku-5", 0.76, S, 128_000, temperature=False),
    _claude(r"claude-haiku-4-5", 0.72, S, 64_000),
    _claude(r"claude-3-7-sonnet", 0.70, M, 64_000),
    _claude(r"claude-3-5-sonnet", 0.62, M, 8_192, _mmlu_pro("78", "October 2024")),
    _claude(r"claude-3-5-haiku", 0.52, S, 8_192, _mmlu_pro("65", "October 2024")),
    Row(r"claude-3-haiku", "claude", 0.40, _SEES, S, _line("Anthropic"), 4_096),
    Row(r"claude-3", "claude", 0.54, _SEES, L, _line("Anthropic"), 4_096),
)
_OPENAI = (
    Row(r"gpt-oss-120b", "gpt-oss", 0.62, _THINKS, M, _line("open weights"), open_weights=True),
    Row(r"gpt-oss-20b", "gpt-oss", 0.54, _THINKS, S, _line("open weights"), open_weights=True),
    _gpt(r"gpt-6-astra", 0.98, L),
    _gpt(r"gpt-6.*-sol", 0.95, M),
    _gpt(r"gpt-6.*-terra", 0.90, M),
    _gpt(r"gpt-6.*-luna", 0.76, S),
    _gpt(r"gpt-[56].*-(cyber|rosalind)", 0.95, L),
    _gpt(r"gpt-5(-\d)?-pro", 0.95, L),
    _gpt(r"gpt-5-6-terra", 0.82, M),
    _gpt(r"gpt-5-6-luna", 0.72, S),
    _gpt(r"gpt-5-6", 0.95, L),
    _gpt(r"gpt-5-5", 0.94, L, _index(55)),
    _gpt(r"gpt-5-4-nano", 0.60, S),
    _gpt(r"gpt-5-4-mini", 0.74, S),
    _gpt(r"gpt-5-4", 0.91, L),
    _gpt(r"gpt-5-[1-3].*codex-mini", 0.74, S),
    _gpt(r"gpt-5-[1-3]-?mini", 0.72, S),
    Row(r"gpt-5(-[1-3])?-chat", "gpt", 0.70, _SEES, M, _line("OpenAI"), 16_384),
    _gpt(r"gpt-5-[1-3]", 0.82, M),
    _gpt(r"gpt-5-nano", 0.54, S),
    _gpt(r"gpt-5-mini", 0.72, S),
    _gpt(r"gpt-5", 0.80, M),
    _gpt(r"codex-mini", 0.74, S, out=100_000),
    Row(r"gpt-4-1-nano", "gpt", 0.45, _SEES, S, _line("OpenAI"), 32_768),
    Row(r"gpt-4-1-mini", "gpt", 0.56, _SEES, S, _line("OpenAI"), 32_768),
    Row(r"gpt-4-1", "gpt", 0.62, _SEES, M, _line("OpenAI"), 32_768),
    Row(r"gpt-4-5", "gpt", 0.62, _SEES, L, _line("OpenAI"), 16_384),
    Row(r"(chat)?gpt-4o-mini", "gpt", 0.45, _SEES, S, _line("OpenAI"), 16_384),
    Row(r"(chat)?gpt-4o", "gpt", 0.58, _SEES, M, _line("OpenAI"), 16_384),
    Row(r"gpt-4-turbo|gpt-4-vision", "gpt", 0.54, _SEES, L, _line("OpenAI"), 4_096),
    Row(r"gpt-4", "gpt", 0.52, _TOOLS, L, _line("OpenAI"), 8_192),
    Row(r"gpt-3-5", "gpt", 0.38, _TOOLS, S, _line("OpenAI"), 4_096),
    _gpt(r"o[34]-mini", 0.74, S, out=100_000),
    _gpt(r"o3", 0.80, L, out=100_000),
    Row(r"o1-(mini|preview)", "gpt", 0.70, _ONLY_THINKS, L, _line("OpenAI"), 32_768, False, False),
    _gpt(r"o1", 0.72, L, out=100_000),
)
_GOOGLE = (
    _gemini(r"gemini-4", 0.96, L, out=None),
    _gemini(r"gemini-3-1-pro|gemini-pro-latest", 0.91, L, _index(46)),
    _gemini(r"gemini-3-pro", 0.90, L),
    _gemini(r"gemini-3-5-flash-lite|gemini-flash-lite-latest", 0.62, S),
    _gemini(r"gemini-3-1-flash-lite", 0.60, S),
    _gemini(r"gemini-3-[5-9]-flash|gemini-flash-latest", 0.82, M),
    _gemini(r"gemini-3-flash", 0.80, M),
    _gemini(r"gemini-2-5-pro", 0.80, L),
    _gemini(r"gemini-2-5-flash-lite", 0.52, S),
    _gemini(r"gemini-2-5-flash", 0.70, M),
    Row(r"gemini-2-0-flash-lite", "gemini", 0.50, _SEES, S, _mmlu_pro("72", "February 2025"), 8_192),
    Row(r"gemini-2-0-flash", "gemini", 0.54, _SEES, S, _mmlu_pro("78", "February 2025"), 8_192),
    Row(r"gemini-(1-5-pro|pro-1-5)", "gemini", 0.56, _SEES, M, _mmlu_pro("76", "February 2025"), 8_192),
    Row(r"gemini-(1-5-flash-8b|flash-1-5-8b)", "gemini", 0.45, _SEES, S, _line("Google"), 8_192),
    Row(r"gemini-(1-5-flash|flash-1-5)", "gemini", 0.52, _SEES, S, _mmlu_pro("67", "February 2025"), 8_192),
    _open(r"gemma-?4-31b", "gemma", 0.60, _ALL, M, _line("open weights")),
    _open(r"gemma-?4", "gemma", 0.56, _ALL, S, _line("open weights")),
    _open(r"gemma-?3-27b", "gemma", 0.52, _SEES, M, _mmlu_pro("67.5", "March 2025")),
    _open(r"gemma-?3-12b", "gemma", 0.45, _SEES, S, _mmlu_pro("60.6", "March 2025")),
    _open(r"gemma-?3-4b", "gemma", 0.38, _SEES, S, _mmlu_pro("43.6", "March 2025")),
    _open(r"gemma-?3-1b", "gemma", 0.30, _TEXT, S, _mmlu_pro("14.7", "March 2025")),
)
_OTHERS = (
    Row(r"grok-4-[5-9]", "grok", 0.91, _ALL, M, _line("xAI")),
    Row(r"grok-4.*-non-reasoning", "grok", 0.70, _SEES, S, _line("xAI")),
    Row(r"grok-4(-1)?-fast", "grok", 0.74, _ALL, S, _line("xAI")),
    Row(r"grok-(build|code)", "grok", 0.70, _THINKS, S, _line("xAI")),
    Row(r"grok-4", "grok", 0.82, _ALL, M, _line("xAI")),
    Row(r"grok-3-mini", "grok", 0.60, _THINKS, S, _line("xAI")),
    Row(r"grok-3", "grok", 0.62, _TOOLS, L, _line("xAI")),
    Row(r"grok-2", "grok", 0.54, _TOOLS, M, _line("xAI")),
    _open(
        r"deepseek-r1-distill.*(-70b|-32b)", "deepseek", 0.56, frozenset({Ability.THINKING}), M, _line("open weights")
    ),
    _open(
        r"deepseek-r1-(distill|0528-qwen)|deepseek-r1-\d+(-5)?b",
        "deepseek",
        0.45,
        _ONLY_THINKS,
        S,
        _line("open weights"),
    ),
    _open(r"deepseek-(r1|reasoner)", "deepseek", 0.72, _THINKS, L, _mmlu_pro("84", "January 2025")),
    _open(r"deepseek-v4-pro|deepseek-pro", "deepseek", 0.82, _THINKS, L, _index(44)),
    _open(r"deepseek-(v4|flash)", "deepseek", 0.76, _THINKS, M, _line("DeepSeek")),
    _open(r"deepseek-coder-v2", "deepseek", 0.54, _TEXT, L, _outcomes("73")),
    _open(r"deepseek-v3-[12]", "deepseek", 0.74, _THINKS, L, _line("DeepSeek")),
    _open(r"deepseek-(v3|chat)", "deepseek", 0.62, _TOOLS, L, _mmlu_pro("75.9", "December 2024")),
    _open(r"kimi-k3", "kimi", 0.90, _ALL, L, _line("Moonshot AI")),
    _open(r"kimi-k2", "kimi", 0.78, _THINKS, L, _mmlu_pro("81", "July 2025") + ", of Kimi K2"),
    _open(r"(zai-)?glm-5.*flash", "glm", 0.74, _THINKS, S, _line("Z.ai")),
    _open(r"(zai-)?glm-5", "glm", 0.82, _THINKS, L, _line("Z.ai")),
    _open(r"(zai-)?glm-4-[567].*(air|flash)", "glm", 0.62, _THINKS, S, _line("Z.ai")),
    _open(r"(zai-)?glm-4-[567]", "glm", 0.76, _THINKS, L, _mmlu_pro("84.6", "July 2025") + ", of GLM-4.5"),
    _open(r"minimax-m3", "minimax", 0.82, _THINKS, L, _index(44)),
    _open(r"minimax-m2", "minimax", 0.76, _THINKS, M, _line("MiniMax")),
    Row(r"qwen3-[5-9]-(max|plus)", "qwen", 0.82, _ALL, L, _line("Alibaba")),
    _open(r"qwen3-[5-9]-(122b|397b|2-4t)", "qwen", 0.80, _ALL, L, _line("Alibaba")),
    _open(r"qwen3-[5-9]-(27b|35b)", "qwen", 0.62, _ALL, M, _line("Alibaba")),
    _open(r"qwen3-[5-9]-9b", "qwen", 0.52, _THINKS, S, _line("Alibaba")),
    Row(r"qwen3-[5-9].*flash", "qwen", 0.70, _ALL, S, _line("Alibaba")),
    _open(r"qwen-?3-235b|qwen3-vl-235b", "qwen", 0.74, _THINKS, L, _mmlu_pro("83", "July 2025")),
    Row(r"qwen3-max", "qwen", 0.78, _THINKS, L, _line("Alibaba")),
    _open(
        r"qwen-?3-(coder-)?(32b|30b|next)", "qwen", 0.58, _THINKS, M, _mmlu_pro("78.4", "July 2025") + ", of 30B-A3B"
    ),
    _open(r"qwen-?3-coder", "qwen", 0.72, _TOOLS, L, _line("Alibaba")),
    _open(r"qwen-?3-14b", "qwen", 0.52, _THINKS, S, _line("Alibaba")),
    _open(r"qwen-?3-(8b|4b)", "qwen", 0.45, _THINKS, S, _line("Alibaba")),
    _open(r"qwen-?3-(1-7b|0-6b)", "qwen", 0.32, _THINKS, S, _line("Alibaba")),
    _open(r"qwq-32b", "qwen", 0.60, _THINKS, M, _line("Alibaba")),
    _open(r"qwen-?2-5-(vl-)?72b", "qwen", 0.54, _TOOLS, M, _mmlu_pro("71.1", "September 2024")),
    _open(r"qwen-?2-5-(coder-)?32b", "qwen", 0.52, _TOOLS, M, _mmlu_pro("69.0", "September 2024")),
    _open(r"qwen-?2-5-(coder-)?14b", "qwen", 0.45, _TOOLS, S, _mmlu_pro("63.7", "September 2024")),
    _open(r"qwen-?1-5-(72b|110b)", "qwen", 0.42, _TEXT, M, _outcomes("47")),
    _open(r"qwen-?1-5", "qwen", 0.34, _TEXT, S, _outcomes("30", ", of 7B")),
    _open(r"qwen-?2-5-(coder-)?7b", "qwen", 0.42, _TOOLS, S, _mmlu_pro("56.3", "September 2024")),
    _open(r"(meta-)?llama-?4-maverick|llama4-maverick", "llama", 0.62, _SEES, M, _mmlu_pro("80.5", "April 2025")),
    _open(r"(meta-)?llama-?4-scout|llama4-scout", "llama", 0.56, _SEES, M, _mmlu_pro("74.3", "April 2025")),
    _open(r"(meta-)?llama-?3-3-70b", "llama", 0.54, _TOOLS, M, _mmlu_pro("68.9", "December 2024")),
    _open(r"(meta-)?llama-?3-1-405b", "llama", 0.56, _TOOLS, L, _mmlu_pro("73.4", "July 2024")),
    _open(r"(meta-)?llama-?3(-[12])?-(70b|90b)", "llama", 0.52, _TOOLS, M, _mmlu_pro("66.4", "July 2024")),
    _open(r"(meta-)?llama-?3(-1)?-8b", "llama", 0.42, _TOOLS, S, _mmlu_pro("48.3", "July 2024")),
    _open(r"(meta-)?llama-?2-70b", "llama", 0.38, _TEXT, M, _line("open weights")),
    _open(r"(meta-)?llama-?2", "llama", 0.32, _TEXT, S, _outcomes("29", ", of 13B")),
    _open(r"llama-?3-chatqa", "llama", 0.30, _TEXT, S, _CHATQA),
    _open(r"llama-?3-2-11b", "llama", 0.40, frozenset({Ability.VISION}), S, _line("open weights")),
    _open(r"llama-?3-2-3b", "llama", 0.34, _TOOLS, S, _line("open weights")),
    _open(r"llama-?3-2-1b", "llama", 0.30, _TEXT, S, _line("open weights")),
    _open(r"mistral-large-(2512|3|4|latest)", "mistral", 0.72, _SEES, L, _line("Mistral")),
    Row(r"mistral-medium-(3|latest)", "mistral", 0.70, _SEES, M, _line("Mistral")),
    _open(r"mistral-large", "mistral", 0.56, _TOOLS, L, _line("Mistral")),
    _open(r"mistral-small-(26|latest)", "mistral", 0.58, _SEES, S, _line("Mistral")),
    _open(r"mistral-small", "mistral", 0.52, _TOOLS, S, _mmlu_pro("66.8", "March 2025")),
    Row(r"magistral-medium", "mistral", 0.70, _ALL, M, _line("Mistral")),
    _open(r"magistral-small", "mistral", 0.58, _ALL, S, _line("Mistral")),
    _open(r"devstral|codestral", "mistral", 0.56, _TOOLS, S, _line("Mistral")),
    _open(r"ministral-14b", "mistral", 0.50, _SEES, S, _line("Mistral")),
    _open(r"ministral-8b|mistral-nemo", "mistral", 0.42, _TOOLS, S, _line("Mistral")),
    _open(r"ministral-3b|mistral-7b|mistral-tiny", "mistral", 0.35, _TOOLS, S, _line("Mistral")),
    _open(r"mixtral-8x22b", "mistral", 0.50, _TOOLS, M, _line("Mistral")),
    _open(r"mixtral-8x7b", "mistral", 0.42, _TEXT, S, _line("Mistral")),
    _open(r"phi-?4-(mini|multimodal)", "phi", 0.42, _TOOLS, S, _mmlu_pro("52.8", "February 2025")),
    _open(r"phi-?4", "phi", 0.52, _TEXT, S, _mmlu_pro("70.4", "December 2024")),
    _open(r"phi-?3", "phi", 0.42, _TEXT, S, _outcomes("47", ", of Phi-3-mini")),
    _open(r"(nvidia-)?nemotron-3.*(super|ultra)", "nemotron", 0.70, _THINKS, L, _line("NVIDIA")),
    _open(r"(nvidia-)?nemotron-3", "nemotron", 0.58, _THINKS, S, _line("NVIDIA")),
    _open(r"muse-(spark-open|glimmer)", "muse", 0.74, _ALL, L, _line("Meta")),
    Row(r"muse-(spark|wonder)", "muse", 0.82, _ALL, L, _line("Meta")),
    _open(r"mimo-v2.*pro", "mimo", 0.78, _THINKS, L, _line("Xiaomi")),
    _open(r"mimo-v2", "mimo", 0.70, _THINKS, M, _line("Xiaomi")),
    Row(r"nova-(premier|pro)", "nova", 0.58, _SEES, M, _line("Amazon")),
    Row(r"nova-(2-)?lite", "nova", 0.52, _SEES, S, _line("Amazon")),
    Row(r"nova-micro", "nova", 0.42, _TOOLS, S, _line("Amazon")),
    Row(r"command-a", "command", 0.60, _TOOLS, L, _line("Cohere")),
    Row(r"(c4ai-)?command-r-?plus", "command", 0.50, _TOOLS, M, _line("Cohere")),
    Row(r"(c4ai-)?command-r", "command", 0.40, _TOOLS, S, _outcomes("39")),
    Row(r"sonar(-reasoning)?-pro", "sonar", 0.72, _TOOLS, M, _line("Perplexity")),
    Row(r"sonar", "sonar", 0.56, _TOOLS, S, _line("Perplexity")),
)
TABLE: tuple[Row, ...] = (*_CLAUDE, *_OPENAI, *_GOOGLE, *_OTHERS)
_COMPILED = tuple((re.compile(f"(?:{row.pattern})(?![0-9])"), row) for row in TABLE)

# The prior for a name the table does not know. By size: ability = 0.42 + 0.04 × log2(billions / 8), between what the
# outcomes of ten open models on MMLU-Pro rise by with each doubling (0.27 in log-odds, 0.034 at a discrimination of 8;
# training/abilities.card.json) and what the table above does (0.043). Single models lie 0.06 off it either way. By
# price, in dollars per million tokens, three parts input to one part output: the table's rows again. A price says less
# than a size, so it never claims expert.
_AT_8B, _PER_DOUBLING = 0.42, 0.04
_SMALLEST, _LARGEST = 0.28, 0.74
_BY_PRICE = ((0.1, 0.38), (0.3, 0.45), (1.0, 0.56), (3.0, 0.70))
_UNKNOWN = 0.50
_VISION = re.compile(r"vision|-vl\b|\dvl\b|llava|pixtral|\dv\b|multimodal")
_REASONING = re.compile(r"reason|think|\br1\b|qwq|deepthink")


@lru_cache(maxsize=4096)
def traits(name: str, price: Price | None = None) -> Traits:
    """From the table, else from the size in the name, else from the price."""
    plain = re.sub(r"[.:_]", "-", bare(name))
    for pattern, row in _COMPILED:
        if pattern.match(plain):
            return Traits(
                row.family,
                row.ability,
                row.source,
                row.abilities,
                row.bulk,
                row.open_weights,
                row.max_output,
                row.accepts_temperature,
            )
    return _prior(name, plain, price)


def _prior(name: str, plain: str, price: Price | None) -> Traits:
    abilities: set[Ability] = set()
    if _VISION.search(plain):
        abilities.add(Ability.VISION)
    if _REASONING.search(plain):
        abilities.add(Ability.THINKING)
    family = (re.match(r"[a-z]+", plain) or [""])[0]
    if parameters := size(name):
        billions = parameters.total
        sized = _AT_8B + _PER_DOUBLING * math.log2(max(0.1, billions) / 8)
        ability = round(min(_LARGEST, max(_SMALLEST, sized)), 2)
        source = f"guessed from its {billions:g} billion parameters"
    elif price is not None and not price.free:
        blend = (3 * price.rates.input + price.rates.output) / 4 / 1_000_000
        ability = next((ability for most, ability in _BY_PRICE if blend <= most), 0.76)
        source = f"guessed from its price, ${blend:.2f} per million tokens three to one"
    else:
        ability, source = _UNKNOWN, "unknown: taken as intermediate"
    bulk = S if ability < 0.5 else M if ability < 0.7 else L
    weights = parameters is not None
    return Traits(family, ability, source, frozenset(abilities), bulk, open_weights=weights, known=False)


def local_speed(name: str) -> float:
    """Tokens per second on a person's own machine, until measured.

    Memory bandwidth bounds it: about 250 GB/s over half a byte and a bit per active parameter at 4-bit quantisation
    (judged, November 2026).
    """
    parameters = size(name)
    active = parameters.active if parameters else 8.0
    return max(3.0, min(120.0, round(250 / active)))
