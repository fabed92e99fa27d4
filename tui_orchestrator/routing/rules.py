"""The user's own rules: which prompts they are for, and what they ask for them.

A rule's conditions must all hold; within one condition any of its values will do. A rule without conditions is for
every prompt. The first rule that matches, in the order given, decides.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from .profile import Level, Profile, TaskType
from .request import Request, Strategy
from .text import clean_line

SEARCHED_CHARACTERS = 10_000
"""Of a prompt, from its start: bounds what a slow pattern can cost on each keystroke."""

# Words that seldom occur outside their field. Chosen by hand, November 2026; not measured.
DOMAINS: dict[str, tuple[str, ...]] = {
    "law": (
        *("lawsuit", "plaintiff", "defendant", "litigation", "statute", "clause", "liability", "attorney", "lawyer"),
        *("tort", "jurisdiction", "legal advice", "contract law", "court", "gdpr", "copyright", "breach of contract"),
    ),
    "medicine": (
        *("patient", "diagnosis", "symptom", "symptoms", "clinical", "dosage", "dose", "disease", "surgery"),
        *("therapy", "prescription", "medication", "vaccine", "chronic", "tumor", "tumour", "mg/kg", "differential"),
    ),
    "finance": (
        *("portfolio", "dividend", "equity", "hedge", "balance sheet", "cash flow", "ebitda", "valuation", "bond"),
        *("interest rate", "mortgage", "stock market", "shares", "audit", "invoice", "tax", "depreciation"),
    ),
    "web": (
        *("html", "css", "javascript", "typescript", "react", "vue", "svelte", "frontend", "browser", "dom"),
        *("http", "rest api", "graphql", "webpack", "next.js", "node.js", "website"),
    ),
    "data": (
        *("sql", "dataset", "dataframe", "pandas", "csv", "query", "regression", "etl", "data warehouse", "parquet"),
        *("histogram", "time series", "postgres", "sqlite", "schema", "join", "numpy"),
    ),
    "security": (
        *("vulnerability", "exploit", "cve", "malware", "phishing", "encryption", "firewall", "xss", "csrf"),
        *("sql injection", "penetration test", "ransomware", "tls", "threat model", "buffer overflow"),
    ),
    "operations": (
        *("kubernetes", "docker", "terraform", "ansible", "systemd", "nginx", "ci/cd", "helm", "deployment"),
        *("load balancer", "aws", "azure", "gcp", "prometheus", "grafana", "ssh", "cron"),
    ),
    "science": (
        *("hypothesis", "experiment", "molecule", "quantum", "protein", "genome", "thermodynamics", "enzyme"),
        *("catalyst", "relativity", "photosynthesis", "isotope", "neuron", "astrophysics", "chemistry", "physics"),
    ),
    "education": (
        *("lesson plan", "curriculum", "homework", "rubric", "syllabus", "quiz", "pupil", "pupils", "classroom"),
        *("learning objective", "learning objectives", "worksheet", "grading", "exam"),
    ),
}


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    task_types: frozenset[TaskType] = frozenset()
    levels: frozenset[Level] = frozenset()
    words: tuple[str, ...] = ()
    """Whole words or phrases, upper and lower case alike."""
    pattern: re.Pattern[str] | None = None
    """Made by `compile_pattern`, which refuses patterns that could take for ever."""
    domains: tuple[str, ...] = ()
    """Of DOMAINS."""
    attachment: Literal["image", "text", "any"] | None = None
    tags: frozenset[str] = frozenset()
    """Of the session."""
    primary: str | None = None
    """A model's id or bare name."""
    fallback: tuple[str, ...] = ()
    """Models to walk when `primary` fails or is not good enough."""
    temperature: float | None = None
    max_tokens: int | None = None
    strategy: Strategy | None = None
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    rule: Rule
    why: str
    """For people: 'task type is code; says "lawsuit"'."""


@dataclass(frozen=True, slots=True)
class Explanation:
    rule: str
    matched: bool
    why: str
    """All that held of a rule that matched; the first thing that did not of one that did not."""


def first_match(rules: Iterable[Rule], request: Request, profile: Profile) -> Match | None:
    for rule in rules:
        matched, why = _weigh(rule, request, profile)
        if matched:
            return Match(rule, why)
    return None


def explain(rules: Iterable[Rule], request: Request, profile: Profile) -> tuple[Explanation, ...]:
    """Every rule in order, those behind the first match too."""
    return tuple(Explanation(rule.name, *_weigh(rule, request, profile)) for rule in rules)


def compile_pattern(text: str) -> re.Pattern[str]:
    """Case-insensitive. Raises ValueError with what is wrong and what would be right.

    A repeat without bound inside another, such as (a+)+, is refused: on some prompts it takes longer than the age of
    the universe, and Python's matcher cannot be stopped.
    """
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a regular expression Python understands: {error}") from error
    # The parser is private to `re`, but nothing public tells a pattern's shape, and it is the same from 3.11 on.
    parser: Any = importlib.import_module("re._parser")
    if _nested_repeat(parser.parse(text), inside=False):
        raise ValueError(
            "a repeat inside a repeat, such as (a+)+, can take for ever; make the inner one possessive, such as (a++)+"
        )
    return pattern


_UNBOUNDED = 64
"""A repeat that may go on for longer counts as one without a bound."""


def _nested_repeat(part: Any, inside: bool) -> bool:
    """Whether a backtracking repeat lies within another, in what `re._parser` made of a pattern."""
    for operation, argument in part:
        repeats = str(operation) in ("MAX_REPEAT", "MIN_REPEAT") and argument[1] > _UNBOUNDED
        if repeats and inside:
            return True
        # A possessive repeat or an atomic group never goes back into itself: what is in it starts afresh.
        atomic = str(operation) in ("POSSESSIVE_REPEAT", "ATOMIC_GROUP")
        within = (inside or repeats) and not atomic
        if any(_nested_repeat(inner, within) for inner in _parts_of(argument)):
            return True
    return False


def _parts_of(argument: Any) -> list[Any]:
    if type(argument).__name__ == "SubPattern":
        return [argument]
    if isinstance(argument, tuple | list):
        return [inner for item in argument for inner in _parts_of(item)]
    return []


def _weigh(rule: Rule, request: Request, profile: Profile) -> tuple[bool, str]:
    """Whether all of the rule's conditions hold, and why or why not."""
    prompt = request.prompt[:SEARCHED_CHARACTERS]
    held: list[str] = []
    # Cheap conditions first: the pattern is only searched for when all else holds.
    for condition in (
        _task_type(rule, profile),
        _level(rule, profile),
        _attachment(rule, request),
        _tags(rule, request),
    ):
        if condition is not None:
            holds, words = condition
            if not holds:
                return False, words
            held.append(words)
    for search in (_words, _domains, _pattern):
        condition = search(rule, prompt)
        if condition is not None:
            holds, words = condition
            if not holds:
                return False, words
            held.append(words)
    return True, "; ".join(held) or "is for every prompt"


_Condition = tuple[bool, str] | None
"""None where the rule does not ask."""


def _task_type(rule: Rule, profile: Profile) -> _Condition:
    if not rule.task_types:
        return None
    if profile.task_type in rule.task_types:
        return True, f"task type is {profile.task_type}"
    return False, f"task type is {profile.task_type}, not {_any_of(rule.task_types)}"


def _level(rule: Rule, profile: Profile) -> _Condition:
    if not rule.levels:
        return None
    if profile.level in rule.levels:
        return True, f"level is {profile.level}"
    return False, f"level is {profile.level}, not {_any_of(rule.levels)}"


def _attachment(rule: Rule, request: Request) -> _Condition:
    if rule.attachment is None:
        return None
    if rule.attachment in ("image", "any") and request.has_images:
        return True, "has an image"
    if rule.attachment in ("text", "any") and request.files:
        return True, "has a text file"
    wanted = {"image": "image", "text": "text file", "any": "attachment"}[rule.attachment]
    return False, f"has no {wanted}"


def _tags(rule: Rule, request: Request) -> _Condition:
    if not rule.tags:
        return None
    if common := rule.tags & request.tags:
        return True, f"session is tagged {_any_of(common)}"
    return False, f"session is not tagged {_any_of(rule.tags)}"


def _words(rule: Rule, prompt: str) -> _Condition:
    if not rule.words:
        return None
    if found := _word_search(rule.words).search(prompt):
        return True, f'says "{clean_line(found.group(), 40)}"'
    return False, f"says none of {', '.join(rule.words)}"


def _domains(rule: Rule, prompt: str) -> _Condition:
    if not rule.domains:
        return None
    for domain in rule.domains:
        if found := _word_search(DOMAINS[domain]).search(prompt):
            return True, f'is about {domain}: says "{clean_line(found.group(), 40)}"'
    return False, f"is not about {_any_of(rule.domains)}"


def _pattern(rule: Rule, prompt: str) -> _Condition:
    if rule.pattern is None:
        return None
    if found := rule.pattern.search(prompt):
        return True, f'pattern matches "{clean_line(found.group(), 40)}"'
    return False, f"pattern {rule.pattern.pattern} does not match"


@lru_cache(maxsize=256)
def _word_search(words: tuple[str, ...]) -> re.Pattern[str]:
    """Finds any of `words` as a whole word. Scripts without spaces between words are searched as they stand."""

    def whole(word: str) -> str:
        before = r"(?<!\w)" if _spaced(word[0]) else ""
        after = r"(?!\w)" if _spaced(word[-1]) else ""
        folded = r"\s+".join(re.escape(part) for part in word.split())
        return f"{before}{folded}{after}"

    return re.compile("|".join(whole(word.strip()) for word in words), re.IGNORECASE)


def _spaced(character: str) -> bool:
    """Whether its script puts spaces between words: letters and digits below Thai, which Unicode sorts first."""
    return character.isalnum() and character < "\u0e00"


def _any_of(values: Iterable[str]) -> str:
    return " or ".join(sorted(values))
