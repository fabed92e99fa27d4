"""The scripted answers as they lie in answers/*.md, read once.

A file opens with `key: value` lines (`ask`, patterns parted by `; `; `weight` of each; `least`, how many must match;
`for`, the programming language; `related`, when it is only the nearest script for a language; `script`, the writing
system; `think`), then sections `=== [language] basic|good|best`, `=== points` that all models share, `=== own` of
which each model makes one its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

QUALITIES = ("basic", "good", "best")
_LANGUAGES = {
    "python": r"\bpython\b|\bpy\b",
    "rust": r"\brust\b",
    "typescript": r"\b(typescript|javascript|ts|js|node(\.?js)?|react)\b",
    "sql": r"\bsql\b",
    "shell": r"\b(bash|shell|zsh|sh|command[- ]line|terminal)\b",
    "go": r"\b(golang|in go)\b",
    "java": r"\bjava\b",
    "c++": r"\bc\+\+|\bcpp\b",
}
_SCRIPTS = (("japanese", r"[\u3040-\u30ff]"), ("korean", r"[\uac00-\ud7af]"), ("chinese", r"[\u4e00-\u9fff]"))


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    patterns: tuple[re.Pattern[str], ...]
    weight: float
    least: int
    language: str
    related: bool
    script: str
    thinking: str
    sections: dict[str, str]

    def matches(self, text: str) -> int:
        return sum(bool(pattern.search(text)) for pattern in self.patterns)

    @property
    def languages(self) -> tuple[str, ...]:
        named = [heading.split(" ")[0] for heading in self.sections if " " in heading]
        return tuple(dict.fromkeys(named))

    def section(self, language: str, quality: str) -> str:
        """In the wanted quality, or the next lower one there is, or the lowest."""
        prefix = f"{language} " if language in self.languages else ""
        there = [q for q in QUALITIES if prefix + q in self.sections]
        fits = [q for q in there if QUALITIES.index(q) <= QUALITIES.index(quality)]
        return self.sections[prefix + (fits[-1] if fits else there[0])]

    def lines(self, section: str) -> tuple[str, ...]:
        return tuple(self.sections.get(section, "").splitlines())


@cache
def topics() -> dict[str, Topic]:
    files = resources.files(__package__).joinpath("answers").iterdir()
    read = [
        _topic(file.name.removesuffix(".md"), file.read_text("utf-8")) for file in files if file.name.endswith(".md")
    ]
    return {topic.name: topic for topic in sorted(read, key=lambda topic: topic.name)}


def _topic(name: str, text: str) -> Topic:
    head, *parts = re.split(r"^=== (.+)\n", text, flags=re.MULTILINE)
    said = dict(line.split(": ", 1) for line in head.splitlines())
    ask = [pattern for pattern in said.get("ask", "").split("; ") if pattern]
    return Topic(
        name=name,
        patterns=tuple(re.compile(pattern, re.IGNORECASE) for pattern in ask),
        weight=float(said.get("weight", 2)),
        least=int(said.get("least", 1)),
        language=said.get("for", ""),
        related="related" in said,
        script=said.get("script", ""),
        thinking=said.get("think", ""),
        sections={heading: body.strip("\n") for heading, body in zip(parts[::2], parts[1::2], strict=True)},
    )


def language_of(text: str) -> str:
    """The programming language a prompt names, or an empty string."""
    return next((name for name, pattern in _LANGUAGES.items() if re.search(pattern, text, re.IGNORECASE)), "")


def topic_of(text: str) -> Topic:
    """The topic that fits best; `generic` when none does."""
    # Only the beginning says what is wanted; a text to be summed up may speak of anything.
    asked = text[:240]
    known = topics()
    best, best_score = known["generic"], 0.0
    for topic in known.values():
        matched = topic.matches(asked)
        score = matched * topic.weight + (1.0 if matched and topic.language == language_of(asked) != "" else 0.0)
        if matched >= topic.least and score > best_score:
            best, best_score = topic, score
    if best_score < 3:  # an English word inside a Chinese sentence is not what it is about
        for script, pattern in _SCRIPTS:
            if re.search(pattern, asked):
                return known[script]
    return best
