"""The families table, as a reader would check it."""

from __future__ import annotations

import re

import pytest

from tui_orchestrator.providers.families import ABILITY_OF, TABLE, Row, level_of, local_speed, traits
from tui_orchestrator.routing.money import Price, Rates
from tui_orchestrator.routing.profile import Ability, Level

BANDS = {
    Level.BASIC: (0.30, 0.45),
    Level.INTERMEDIATE: (0.50, 0.62),
    Level.ADVANCED: (0.70, 0.82),
    Level.EXPERT: (0.90, 1.00),
}

# name, family, level, requests per minute, takes a temperature
KNOWN = """
claude-fable-5-2                    claude    expert        20   no
claude-opus-5-5                     claude    expert        20   no
claude-opus-4-8                     claude    expert        20   no
claude-opus-4-5-20251101            claude    expert        20   yes
claude-opus-4-20250514              claude    advanced      20   yes
anthropic/claude-sonnet-5.5         claude    expert        50   no
claude-sonnet-4-5                   claude    advanced      50   yes
claude-haiku-5-5                    claude    advanced      100  no
claude-haiku-4-5-20251001           claude    advanced      100  yes
anthropic/claude-3.5-haiku          claude    intermediate  100  yes
claude-3-haiku-20240307             claude    basic         100  yes
gpt-6-astra                         gpt       expert        20   no
gpt-6.1-sol                         gpt       expert        50   no
gpt-6-luna-2026-09-22               gpt       advanced      100  no
gpt-5.6-terra                       gpt       advanced      50   no
openai/gpt-5.5                      gpt       expert        20   no
gpt-5.4-mini-2026-03-17             gpt       advanced      100  no
gpt-5.4-nano                        gpt       intermediate  100  no
gpt-5-2025-08-07                    gpt       advanced      50   no
gpt-5-mini                          gpt       advanced      100  no
gpt-5-chat-latest                   gpt       advanced      50   yes
gpt-4.1-mini                        gpt       intermediate  100  yes
gpt-4o-2024-11-20                   gpt       intermediate  50   yes
gpt-4o-mini                         gpt       basic         100  yes
gpt-3.5-turbo-0125                  gpt       basic         100  yes
o3                                  gpt       advanced      20   no
o4-mini                             gpt       advanced      100  no
gpt-oss:20b                         gpt-oss   intermediate  100  yes
openai/gpt-oss-120b                 gpt-oss   intermediate  50   yes
gemini-4-argon                      gemini    expert        20   yes
gemini-3.1-pro-preview              gemini    expert        20   yes
gemini-3.8-flash                    gemini    advanced      50   yes
gemini-3.5-flash-lite               gemini    intermediate  100  yes
gemini-2.5-flash-lite               gemini    intermediate  100  yes
gemma3:27b                          gemma     intermediate  50   yes
gemma-3-4b-it                       gemma     basic         100  yes
grok-4.7                            grok      expert        50   yes
grok-4-1-fast-non-reasoning         grok      advanced      100  yes
llama3.1:8b-instruct-q4_K_M         llama     basic         100  yes
meta-llama/Llama-3.3-70B-Instruct   llama     intermediate  50   yes
llama-3.1-405b-instruct             llama     intermediate  20   yes
llama3.2:1b                         llama     basic         100  yes
qwen2.5-coder:7b                    qwen      basic         100  yes
qwen2.5:32b                         qwen      intermediate  50   yes
qwen/qwen3-30b-a3b                  qwen      intermediate  50   yes
qwen/qwen3.8-27b                    qwen      intermediate  50   yes
qwen3:8b                            qwen      basic         100  yes
deepseek-v4-pro                     deepseek  advanced      20   yes
deepseek-reasoner                   deepseek  advanced      20   yes
deepseek-r1:70b                     deepseek  basic         100  yes
mistral-large-2512                  mistral   advanced      20   yes
mistral-small-3.2-24b-instruct      mistral   intermediate  100  yes
mistral:7b                          mistral   basic         100  yes
phi4:14b                            phi       intermediate  100  yes
moonshotai/Kimi-K3                  kimi      expert        20   yes
zai-org/GLM-5.3                     glm       advanced      20   yes
""".strip().splitlines()


@pytest.mark.parametrize("row", KNOWN)
def test_the_families_of_today_are_known(row: str) -> None:
    name, family, level, per_minute, temperature = row.split()
    known = traits(name)
    assert (known.family, known.level) == (family, level)
    assert known.requests_per_minute == int(per_minute)
    assert known.accepts_temperature == (temperature == "yes")


@pytest.mark.parametrize(
    ("dated", "plain"),
    [
        ("gpt-5-2025-08-07", "gpt-5"),
        ("claude-opus-4-20250514", "claude-opus-4-0"),
        ("anthropic/claude-opus-4.5", "claude-opus-4-5-20251101"),
        ("GPT-OSS:20B", "openai/gpt-oss-20b"),
    ],
)
def test_a_date_a_maker_and_another_spelling_change_nothing(dated: str, plain: str) -> None:
    assert traits(dated) == traits(plain)


def test_each_row_lies_in_a_band() -> None:
    bands = [(row, *BANDS[level_of(row.ability)]) for row in TABLE]
    assert [(row.pattern, row.ability) for row, low, high in bands if not low <= row.ability <= high] == []


def test_each_row_says_what_it_was_judged_from_and_when() -> None:
    told = re.compile(r"(?=.*judged from).*20(24|25|26)", re.DOTALL)
    assert [(row.pattern, row.source) for row in TABLE if not told.match(row.source)] == []


def test_no_row_is_hidden_by_one_above_it() -> None:
    assert [row.pattern for row in TABLE if not _reached(row)] == []


def _reached(row: Row) -> bool:
    said = (row.family, row.ability, row.abilities, row.bulk, row.max_output, row.source)
    named = [traits(name) for name in _samples(row.pattern)]
    return said in [(t.family, t.ability, t.abilities, t.bulk, t.max_output, t.source) for t in named]


def _samples(pattern: str) -> list[str]:
    """Names that the pattern matches: first alternatives taken, optional parts with and without."""
    names = {pattern}
    while any(re.search(r"\([^()]*\)\??", name) for name in names):
        grown = set()
        for name in names:
            found = re.search(r"\(([^()]*)\)(\??)", name)
            if not found:
                grown.add(name)
                continue
            options = [*found[1].split("|"), *([""] if found[2] else [])]
            grown |= {name[: found.start()] + option + name[found.end() :] for option in options}
        names = grown
    names = {part for name in names for part in name.split("|")}
    ends = {re.sub(r"\[(\d)-?\d*\]", r"\1", name).replace(".*", "").replace("\\d+", "8") for name in names}
    ends |= {re.sub(r"\[\d*-?(\d)\]", r"\1", name).replace(".*", "-").replace("\\d+", "8") for name in names}
    return [
        shape for name in ends for shape in (name.replace("-?", "-"), name.replace("-?", ""), name.replace("\\d", "2"))
    ]


@pytest.mark.parametrize(
    ("name", "ability", "why"),
    [
        ("some-new-model-1.5b", 0.32, "1.5 billion parameters"),
        ("nobody/unheard-of-8b-instruct", 0.42, "8 billion parameters"),
        ("unheard-of:70b", 0.55, "70 billion parameters"),
        ("colossus-1.2t-a40b", 0.71, "1200 billion parameters"),
    ],
)
def test_an_unknown_model_is_judged_by_its_size(name: str, ability: float, why: str) -> None:
    known = traits(name)
    assert (known.ability, known.known) == (ability, False)
    assert why in known.source
    assert known.source.startswith("guessed from")


@pytest.mark.parametrize(
    ("name", "ability"),
    [
        ("unheard-of-0.05b", 0.28),
        ("unheard-of-0.1b", 0.28),
        ("unheard-of-1b", 0.3),
        ("unheard-of-4b", 0.38),
        ("unheard-of-16b", 0.46),
        ("unheard-of-1000b", 0.7),
        ("unheard-of-9t", 0.74),
    ],
)
def test_each_doubling_of_the_size_adds_as_much_up_to_a_bound(name: str, ability: float) -> None:
    assert traits(name).ability == ability


@pytest.mark.parametrize(
    ("input_usd", "output_usd", "ability", "blend"),
    [
        ("0.1", "0.1", 0.38, "0.10"),
        ("0.12", "0.04", 0.38, "0.10"),
        ("0.1", "0.101", 0.45, "0.10"),
        ("0.3", "0.3", 0.45, "0.30"),
        ("0.3", "0.31", 0.56, "0.30"),
        ("1", "1", 0.56, "1.00"),
        ("1", "1.1", 0.7, "1.02"),
        ("3", "3", 0.7, "3.00"),
        ("3", "4", 0.76, "3.25"),
    ],
)
def test_the_price_that_an_unknown_model_is_judged_by_is_three_parts_input_to_one_of_output(
    input_usd: str, output_usd: str, ability: float, blend: str
) -> None:
    known = traits("enigma-large", Price(Rates.from_usd(input_usd, output_usd)))
    assert (known.ability, known.known, known.open_weights) == (ability, False, False)
    assert known.source == f"guessed from its price, ${blend} per million tokens three to one"


def test_a_size_says_more_than_a_price_and_a_free_one_nothing() -> None:
    assert traits("enigma-8b", Price(Rates.from_usd("9", "9"))).source == "guessed from its 8 billion parameters"
    assert traits("enigma", Price(Rates(0, 0))).source == "unknown: taken as intermediate"


@pytest.mark.parametrize(
    ("name", "family", "per_minute", "speed"),
    [
        ("unheard-of-25b", "unheard", 100, (0.6, 140.0)),
        ("unheard-of-30b", "unheard", 50, (1.0, 75.0)),
        ("unheard-of-900b", "unheard", 50, (1.0, 75.0)),
        ("unheard-of-1100b", "unheard", 20, (1.8, 45.0)),
        ("7up-8b", "", 100, (0.6, 140.0)),
    ],
)
def test_an_unknown_model_is_as_quick_as_those_of_its_ability(
    name: str, family: str, per_minute: int, speed: tuple[float, float]
) -> None:
    known = traits(name)
    assert (known.family, known.requests_per_minute, known.open_weights) == (family, per_minute, True)
    assert (known.first_token_s, known.tokens_per_s) == speed


@pytest.mark.parametrize(
    ("ability", "level"),
    [
        (0.479, Level.BASIC),
        (0.48, Level.INTERMEDIATE),
        (0.659, Level.INTERMEDIATE),
        (0.66, Level.ADVANCED),
        (0.859, Level.ADVANCED),
        (0.86, Level.EXPERT),
    ],
)
def test_where_a_level_begins(ability: float, level: Level) -> None:
    assert level_of(ability) is level


@pytest.mark.parametrize(
    ("name", "tokens_per_s"),
    [
        ("mine-1b", 120),
        ("mine-2b", 120),
        ("mine-2.5b", 100),
        ("mine", 31),
        ("mine-30b-a3b", 83),
        ("mine-70b", 4),
        ("mine-900b", 3),
    ],
)
def test_local_speed_has_bounds(name: str, tokens_per_s: float) -> None:
    assert local_speed(name) == tokens_per_s


@pytest.mark.parametrize(
    ("input_usd", "output_usd", "level"),
    [("0.05", "0.10", "basic"), ("0.5", "1.5", "intermediate"), ("2", "6", "advanced"), ("20", "90", "advanced")],
)
def test_an_unknown_model_without_a_size_is_judged_by_its_price_and_never_called_expert(
    input_usd: str, output_usd: str, level: str
) -> None:
    assert traits("enigma-large", Price(Rates.from_usd(input_usd, output_usd))).level == level


def test_a_model_of_which_nothing_is_known_is_taken_as_intermediate() -> None:
    known = traits("enigma")
    assert known.level is Level.INTERMEDIATE
    assert known.source == "unknown: taken as intermediate"
    assert known.abilities == frozenset()


def test_abilities_follow_the_family_or_the_name() -> None:
    assert Ability.VISION in traits("claude-haiku-5-5").abilities
    assert Ability.VISION not in traits("deepseek-v4-pro").abilities
    assert traits("unheard-of-vl-8b").abilities == {Ability.VISION}
    assert traits("unheard-of-8b-thinking").abilities == {Ability.THINKING}


@pytest.mark.parametrize(
    ("name", "open_weights"),
    [
        *(
            (name, True)
            for name in ("llama3.1:8b", "gpt-oss-120b", "gemma-3-4b-it", "qwen3:8b", "phi4:14b", "mistral:7b")
        ),
        *(
            (name, False)
            for name in ("claude-opus-5-5", "gpt-6-luna", "gemini-4-argon", "grok-4.7", "magistral-medium")
        ),
    ],
)
def test_whose_weights_anybody_can_have_is_known(name: str, open_weights: bool) -> None:
    known = traits(name)
    assert (known.open_weights, known.known) == (open_weights, True)


def test_published_output_limits_are_known() -> None:
    limits = {"claude-opus-5-5": 128_000, "claude-haiku-4-5": 64_000, "gpt-6-luna": 128_000, "gpt-4o": 16_384}
    assert {name: traits(name).max_output for name in limits} == limits
    assert traits("grok-4.7").max_output is None


def test_a_level_alone_means_the_middle_of_its_band() -> None:
    assert {level_of(ability) for level, ability in ABILITY_OF.items() if level_of(ability) == level} == set(Level)


def test_local_speed_falls_with_the_parameters_a_token_passes_through() -> None:
    assert local_speed("qwen3-30b-a3b") > local_speed("llama3.1:8b") > local_speed("llama3.3:70b") >= 3
