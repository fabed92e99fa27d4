"""The user's own rules: which prompts they are for, and what they ask for them.

A rule's conditions must all hold; within one condition any of its values will do. A rule without conditions is for
every prompt. The first rule that matches, in the order given, decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from .domains import DOMAINS
from .patterns import Pattern
from .profile import Level, Profile, TaskType
from .request import Request, Strategy
from .text import clean_line, spoken

SEARCHED_CHARACTERS = 10_000
"""Of a prompt, from its start: bounds what a slow pattern can cost on each keystroke."""


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    task_types: frozenset[TaskType] = frozenset()
    levels: frozenset[Level] = frozenset()
    words: tuple[str, ...] = ()
    """Whole words or phrases, upper and lower case alike."""
    pattern: Pattern | None = None
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

    def asks(self) -> dict[str, str]:
        """What it wants of a turn, by the names of its keys, for people."""
        wanted = {
            "primary": self.primary,
            "fallback": ", ".join(self.fallback) or None,
            "temperature": None if self.temperature is None else f"{self.temperature:g}",
            "max_tokens": None if self.max_tokens is None else str(self.max_tokens),
            "strategy": self.strategy and self.strategy.value,
            "system": self.system and f'"{clean_line(self.system, 60)}"',
        }
        return {key: value for key, value in wanted.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Match:
    rule: Rule
    why: str
    """For people: 'task type is code; says "lawsuit"'."""
    in_doubt: bool = False
    """It could not be told whether it is for the prompt, for the reason in `why`."""


@dataclass(frozen=True, slots=True)
class Condition:
    key: str
    """As the configuration calls it: 'task_types', 'words' …"""
    holds: bool
    why: str
    in_doubt: bool = False
    """It could not be told; then it does not hold, and no rule behind it wins."""


@dataclass(frozen=True, slots=True)
class Explanation:
    rule: Rule
    conditions: tuple[Condition, ...]
    wins: bool
    """It is the first that matches."""

    @property
    def matched(self) -> bool:
        return all(condition.holds for condition in self.conditions)

    @property
    def in_doubt(self) -> bool:
        return any(condition.in_doubt for condition in self.conditions)


def first_match(rules: Iterable[Rule], request: Request, profile: Profile) -> Match | None:
    said = _Said(request.question)
    for rule in rules:
        held = []
        for condition in _conditions(rule, request, profile, said):
            if condition.in_doubt:
                return Match(rule, condition.why, in_doubt=True)
            if not condition.holds:
                break
            held.append(condition.why)
        else:
            return Match(rule, "; ".join(held) or "is for every prompt")
    return None


def explain(rules: Iterable[Rule], request: Request, profile: Profile) -> tuple[Explanation, ...]:
    """Every rule in order with all its conditions, those behind the first match too."""
    told: list[Explanation] = []
    said, won = _Said(request.question), False
    for rule in rules:
        conditions = tuple(_conditions(rule, request, profile, said))
        matched = all(condition.holds for condition in conditions)
        one = Explanation(rule, conditions, matched and not won)
        told.append(one)
        won = won or matched or one.in_doubt
    return tuple(told)


class _Said:
    """The searched part of a prompt, prepared once for all the words of all the rules."""

    def __init__(self, prompt: str) -> None:
        self.start = prompt[:SEARCHED_CHARACTERS]

    @cached_property
    def line(self) -> str:
        return " ".join(self.start.split())

    @cached_property
    def lowered(self) -> str:
        return self.line.lower()

    def find(self, words: Iterable[str]) -> str | None:
        """The first of `words` that the prompt says, as it says it: whole words, whatever their case. Scripts without
        spaces between words are searched as they stand."""
        for word in words:
            wanted = " ".join(word.lower().split())
            at = self.lowered.find(wanted) if wanted else -1
            while at >= 0:
                end = at + len(wanted)
                if self._whole(at, end):
                    # A few letters change their length with their case; then the prompt is quoted in lower case.
                    quoted = self.line if len(self.line) == len(self.lowered) else self.lowered
                    return quoted[at:end]
                at = self.lowered.find(wanted, at + 1)
        return None

    def _whole(self, start: int, end: int) -> bool:
        text = self.lowered
        begins = start == 0 or not (_spaced(text[start]) and _in_word(text[start - 1]))
        return begins and (end == len(text) or not (_spaced(text[end - 1]) and _in_word(text[end])))


def _spaced(character: str) -> bool:
    """Whether its script puts spaces between words: letters and digits below Thai, which Unicode sorts first."""
    return character.isalnum() and character < "\u0e00"


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _conditions(rule: Rule, request: Request, profile: Profile, said: _Said) -> Iterator[Condition]:
    """Those the rule states, cheap ones first: a pattern is only searched for when it is asked for."""
    for key, weigh in _WEIGHED.items():
        if getattr(rule, key):
            try:
                yield Condition(key, *weigh(rule, request, profile, said))
            except TimeoutError:
                yield Condition(key, False, f"pattern {rule.pattern} takes too long on this prompt", in_doubt=True)


_Weighed = tuple[bool, str]


def _task_types(rule: Rule, request: Request, profile: Profile, said: _Said) -> _Weighed:
    if profile.task_type in rule.task_types:
        return True, f"task type is {spoken(profile.task_type)}"
    return False, f"task type is {spoken(profile.task_type)}, not {_any_of(map(spoken, rule.task_types))}"


def _levels(rule: Rule, request: Request, profile: Profile, said: _Said) -> _Weighed:
    if profile.level in rule.levels:
        return True, f"level is {profile.level}"
    return False, f"level is {profile.level}, not {_any_of(rule.levels)}"


def _attachment(rule: Rule, request: Request, profile: Profile, said: _Said) -> _Weighed:
    if rule.attachment in ("image", "any") and request.has_images:
        return True, "has an image"
    if rule.attachment in ("text", "any") and request.files:
        return True, "has a text file"
    return False, "has no " + {"image": "image", "text": "text file"}.get(rule.attachment or "", "attachment")


def _tags(rule: Rule, request: Request, profile: Profile, said: _Said) -> _Weighed:
    if common := rule.tags & request.tags:
        return True, f"session is tagged {_any_of(common)}"
    return False, f"session is not tagged {_any_of(rule.tags)}"


def _words(rule: Rule, request: Request, profile: Profile, said: _Said) -> _Weighed:
    if (found := said.find(rule.words)) is not None:
        return True, f'says "{clean_line(found, 40)}"'
    return False, f"says none of {', '.join(rule.words)}"


def _domains(rule: Rule, request: Request, profile: Profile, said: _Said) -> _Weighed:
    for domain in rule.domains:
        if (found := said.find(DOMAINS[domain])) is not None:
            return True, f'is about {domain}: says "{clean_line(found, 40)}"'
    return False, f"is not about {_any_of(rule.domains)}"


def _pattern(rule: Rule, request: Request, profile: Profile, said: _Said) -> _Weighed:
    assert rule.pattern is not None
    if (found := rule.pattern.search(said.start)) is not None:
        return True, f'pattern matches "{clean_line(found, 40)}"'
    return False, f"pattern {rule.pattern} does not match"


_WEIGHED: dict[str, Callable[[Rule, Request, Profile, _Said], _Weighed]] = {
    "task_types": _task_types,
    "levels": _levels,
    "attachment": _attachment,
    "tags": _tags,
    "words": _words,
    "domains": _domains,
    "pattern": _pattern,
}


def _any_of(values: Iterable[str]) -> str:
    return " or ".join(sorted(values))
