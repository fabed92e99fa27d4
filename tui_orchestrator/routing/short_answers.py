"""Whether two short answers to one prompt state the same fact, whatever the order of their words.

What counts is what an answer adds to the words of the prompt: 'Canberra', in 'The capital of Australia is Canberra'.
Words are all that is compared, so there is a third outcome, None: not to be told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .keypoints import CJK, NEGATIONS, NEGATIONS_CJK, STOP, TOKEN, stem
from .lexicon import word_set

_LONGEST, _SENTENCES = 240, 2
_FEW, _BARE = 3, 2
"""Added words of a statement that is read as one fact, with a name in it and without: with more, other words may mean
the same."""
_READ_PROMPT = 2_000
_SENTENCE = re.compile(r"(?<=[^\W\d_][^\W\d_][.!?])\s+|(?<=\d[.!?])\s+(?=[A-ZÀ-Þ])|[。！？\n]+")
_ASIDE = re.compile(
    r"[;；(（]|\s[–—]\s|，|,\s+(?=(?:which|who|where|whose|not|because|since|as|although|rather|instead|but|chosen|"
    r"nicht|welche\w*|weil|da|obwohl|sondern|aber|qui|que|où|pas|non|car|parce|mais|quien|porque|no|pero)\b)",
    re.IGNORECASE,
)
"""Where a remark on what was just said begins."""
_LISTING = word_set("and or und oder et ou y o")
_COMPARING = word_set("between zwischen entre than als")
_SEVERAL_CJK = re.compile("[和或与與、比]|とか|または")
_CJK_PARTICLES = re.compile(
    "でした|です|ます|でしょう|[はがのをにで]|是|的|了|在|为|為|于|於|位于|和|或|与|與|叫做|叫|这座城市|城市|[哪里谁什么嗎吗呢]"
)
_LONGEST_NAME = 40
_DAY = re.compile(r" \d")
_NAMES = ("May", "Will")
"""Words that say nothing but where they are written large, after another."""
_MARKUP = re.compile(r"[*_`$]+")


class _Words(NamedTuple):
    words: Sequence[tuple[str, bool]]
    """(word, whether it is written as a name) in their order; '' for a word that says nothing."""
    denies: bool
    several: bool
    lists: bool


@dataclass(frozen=True, slots=True)
class _Statement:
    order: tuple[str, ...]
    """Content words as they come, each once."""
    added: frozenset[str]
    """Those the prompt does not have."""
    runs: tuple[frozenset[str], ...]
    """Added words that stand side by side: 'paul keating'."""
    names: frozenset[str]
    """Added words that are written as names, or in Chinese or Japanese."""
    denies: bool
    several: bool
    """More than one thing is named, or compared."""
    lists: bool

    @property
    def figures(self) -> frozenset[str]:
        return frozenset(word for word in self.added if word[0].isdigit())


def is_short(answer: str) -> bool:
    """One or two sentences of at most 240 characters in all."""
    text = answer.strip()
    if not text or len(text) > _LONGEST or "```" in text:
        return False
    return len([part for part in _SENTENCE.split(text) if part and part.strip()]) <= _SENTENCES


def same_fact(prompt: str, one: str, other: str) -> bool | None:
    """True and False only where it is plain; both answers are to be short."""
    asked = frozenset(word for word, _ in _words(prompt[-_READ_PROMPT:]).words)
    whole = _statement(asked, _first(one)), _statement(asked, _first(other))
    verdict = _compare(*whole)
    if verdict is True:
        return verdict
    heads = _statement(asked, _head(one)), _statement(asked, _head(other))
    return _compare(*heads) if heads != whole else verdict


def _compare(a: _Statement, b: _Statement) -> bool | None:
    if a.denies != b.denies or not a.order or not b.order:
        return None
    if frozenset(a.order) == frozenset(b.order):
        return True if a.lists and b.lists else None if _swapped(a, b) else True
    if not a.added or not b.added:
        # All of it is in the prompt, as when it offers two things: one of them or the other.
        return False if not a.several and not b.several and not set(a.order) & set(b.order) else None
    if a.added == b.added:
        return True
    if a.figures and b.figures and a.figures - b.figures and b.figures - a.figures:
        return False
    small, large = (a, b) if len(a.added) < len(b.added) else (b, a)
    if _contains(large, small):
        return True
    return False if _apart(a, b) else None


def _contains(large: _Statement, small: _Statement) -> bool:
    if not small.added < large.added or large.several != small.several:
        return False
    beside = [run for run in large.runs if not run & small.added]
    rivals = large.figures if small.figures else large.names
    return not any(run & rivals for run in beside)


def _apart(a: _Statement, b: _Statement) -> bool:
    if a.several or b.several or any(bool(CJK.search(w)) for w in a.names) != any(bool(CJK.search(w)) for w in b.names):
        return False
    if not a.added & b.added:
        alike = any(x in y or y in x for x in a.added for y in b.added)
        most = max(len(a.added), len(b.added))
        return not alike and (most <= _BARE or (most <= _FEW and bool(a.names or b.names)))
    return bool(a.names and b.names) and not a.names & b.names and max(len(a.names), len(b.names)) <= _FEW


def _swapped(a: _Statement, b: _Statement) -> bool:
    """Two words have changed places around others that have not: 'Bonn beat Ulm', 'Ulm beat Bonn'."""
    moved = sum(x != y for x, y in zip(a.order, b.order, strict=False))
    return len(a.order) == len(b.order) >= 3 and moved == 2


def _first(answer: str) -> str:
    return next((part for part in _SENTENCE.split(_MARKUP.sub("", answer).strip()) if part and part.strip()), "")


def _head(answer: str) -> str:
    first = _first(answer)
    return next((part for part in _ASIDE.split(first) if part and part.strip()), first)


def _statement(asked: frozenset[str], text: str) -> _Statement:
    read = _words(text)
    known = "".join(sorted(word for word in asked if CJK.search(word)))
    runs: list[set[str]] = []
    names: set[str] = set()
    last = -2
    for at, (word, name) in enumerate(read.words):
        if not word or word in asked or (CJK.search(word) and word in known):
            continue
        if at != last + 1:
            runs.append(set())
        runs[-1].add(word)
        last = at
        if name:
            names.add(word)
    added = frozenset().union(*runs)
    order = tuple(dict.fromkeys(word for word, _ in read.words if word))
    together = tuple(frozenset(run) for run in runs)
    return _Statement(order, added, together, frozenset(names), read.denies, read.several, read.lists)


def _words(text: str) -> _Words:
    found: list[tuple[str, bool]] = []
    several = lists = denies = False
    text = text.replace("’", "'")
    for match in TOKEN.finditer(text):
        token = match[0]
        lower = token.lower()
        if token[0].isdigit():
            found.append((token.replace(",", "").rstrip("."), False))
        elif CJK.search(token):
            several = several or bool(_SEVERAL_CJK.search(token))
            denies = denies or any(negation in token for negation in NEGATIONS_CJK)
            for part in _CJK_PARTICLES.split(token):
                found.append((part or "", True))
        else:
            several = several or lower in _LISTING or lower in _COMPARING
            lists = lists or lower in _LISTING
            denies = denies != (lower in NEGATIONS)
            says = (lower not in STOP or _named(text, match)) and lower not in NEGATIONS and not _elided(text, match)
            # Any word is written large where a sentence begins.
            found.append((stem(lower) if says else "", token[0].isupper() and bool(found)))
    return _Words(found, denies, several, lists)


def _named(text: str, match: re.Match[str]) -> bool:
    """A word that says nothing elsewhere, as a name: 'vitamin D', 'World War I', 'in May', 'May 5', 'Mr Will Smith'."""
    token, between = match[0], text[match.start() - 1 : match.start()]
    words = text[max(0, match.start() - _LONGEST_NAME) : match.start()].replace("-", " ").split()
    before = words[-1] if words and between in (" ", "-") and words[-1].isalnum() else ""
    if token == "I":
        return before[:1].isupper()
    if token == "May" and _DAY.match(text, match.end()):
        return True
    return bool(before) and (token in _NAMES or (len(token) == 1 and token.isupper()))


def _elided(text: str, match: re.Match[str]) -> bool:
    """A letter before or after an apostrophe, or any small one: 'l'eau', 'Australia's'. Not 'vitamin C'."""
    letter = match[0]
    return len(letter) == 1 and (not letter.isupper() or text[match.end() : match.end() + 1] == "'")
