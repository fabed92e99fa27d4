"""What an answer says, point by point, and on which points several answers agree.

A point is a sentence, a bullet or a heading's line. Two points are the same when their content words overlap enough and
neither denies the other or names other figures. Chinese and Japanese, which write no spaces, are compared by pairs of
characters. Words are all that is compared: a paraphrase without a common word passes for a new point.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .lexicon import word_set

MOST_POINTS = 60
_READ = 40_000
_LONGEST = 240
_CONTAINED, _JACCARD = 0.7, 0.4

_LINE_START = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|[-*•+][ \t]+|\(?\d{1,3}[.)][ \t]+|>[ \t]?)+")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|(?<=[。！？])")
_ASIDE = re.compile(r"([*_])(?![*_\s])[^*_]+\1|\|.*\|?")
"""A line that is wholly in italics, or a row of a table: notes and figures around the answer, not points of it."""
_MARKS = re.compile(r"\*\*|__|`|\$")
TOKEN = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*")
CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")

STOP = word_set(
    "a an the and or but of to in on at for from by with as is are was were be been being it its this that these those "
    "there here which who whom what when where how why do does did has have had can could may might will would should "
    "i you he she we they me my your his her our their so if then than also very more most some any all each such into "
    "about over just only one answer yes sure certainly course "
    "der die das den dem des ein eine einen einem einer und oder aber ist sind war waren wird werden im in am an auf "
    "zu zum zur von vom mit für als auch es sich ich du er sie wir ihr wie was wenn dass so nur noch sehr "
    "le la les l un une des du de d et ou mais est sont était dans en au aux pour par sur avec ce cette ces il elle on "
    "nous vous ils elles qui que qu se sa son ses plus "
    "el los las una unos unas y o pero es son fue era por para con del al su sus lo como más este esta"
)
NEGATIONS = word_set(
    "not no never none neither nor cannot without isn doesn don didn wasn aren won "
    "nicht kein keine keinen nie ohne pas jamais aucun aucune sans nunca ningún ninguna sin"
)
NEGATIONS_CJK = ("不", "没", "無", "非", "ない", "ません")
_ENDINGS = ("ations", "ation", "ingly", "ments", "ment", "ings", "ing", "ies", "edly", "ed", "es", "ly", "en", "s", "e")


class Agreement(NamedTuple):
    shared: tuple[str, ...]
    """Points that more than half of the answers make, the most widely shared first, each in one answer's words."""
    dissent: tuple[tuple[str, str], ...]
    """(name, point): what one answer says alone. Empty when there is but one answer."""
    consensus: Mapping[str, float]
    """By name, 0–1: how far an answer's points are also made by the others, averaged over its points. 0 for an answer
    without points or without others."""
    made: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Every point once, with the names of those that make it; the most widely shared first."""


@dataclass(frozen=True, slots=True)
class _Point:
    text: str
    words: frozenset[str]
    figures: frozenset[str]
    denies: bool


def key_points(answer: str) -> tuple[str, ...]:
    """At most 60 points in their order, as plain text of at most 240 characters each; blocks of code are left out."""
    return tuple(point.text for point in _points(answer))


def agreement(answers: Mapping[str, str]) -> Agreement:
    """`answers` by the name under which they are to be shown. The work grows with the square of their number."""
    points = {name: _points(answer) for name, answer in answers.items()}
    others = len(points) - 1
    if others < 1:
        return Agreement((), (), dict.fromkeys(points, 0.0))
    made: list[tuple[_Point, tuple[str, ...]]] = []
    consensus: dict[str, float] = {}
    for name, own in points.items():
        makers = [tuple(other for other in points if other == name or _is_made(p, points[other])) for p in own]
        consensus[name] = sum(len(by) - 1 for by in makers) / (others * len(own)) if own else 0.0
        made += zip(own, makers, strict=True)
    told: list[tuple[_Point, tuple[str, ...]]] = []
    for point, by in sorted(made, key=lambda pair: -len(pair[1])):
        if len(by) == 1 or not any(_same(point, known) for known, _ in told):
            told.append((point, by))
    shared = tuple(point.text for point, by in told if len(by) > 1 and 2 * len(by) > len(points))
    dissent = tuple((by[0], point.text) for point, by in told if len(by) == 1)
    return Agreement(shared, dissent, consensus, tuple((point.text, by) for point, by in told))


def _is_made(point: _Point, elsewhere: tuple[_Point, ...]) -> bool:
    return any(_same(point, other) for other in elsewhere)


def _same(a: _Point, b: _Point) -> bool:
    common = len(a.words & b.words)
    if not common or a.denies != b.denies:
        return False
    if a.figures and b.figures and a.figures.isdisjoint(b.figures):
        return False
    fewer, union = min(len(a.words), len(b.words)), len(a.words) + len(b.words) - common
    # In a short point the word that differs is the one that matters: 'the capital is Lyon'.
    return common / fewer >= _CONTAINED or (fewer >= 5 and common / union >= _JACCARD)


def _points(answer: str) -> tuple[_Point, ...]:
    found: list[_Point] = []
    in_code = False
    for raw in answer[:_READ].splitlines():
        if raw.lstrip()[:3] in ("```", "~~~"):
            in_code = not in_code
            continue
        line = raw.strip()
        if in_code or not line or _ASIDE.fullmatch(line):
            continue
        line = _MARKS.sub("", _LINE_START.sub("", line[:4000]))
        for sentence in _SENTENCE_END.split(line):
            point = _point(sentence.strip())
            if point is not None and all(point.words != known.words or point.denies != known.denies for known in found):
                found.append(point)
                if len(found) == MOST_POINTS:
                    return tuple(found)
    return tuple(found)


def _point(sentence: str) -> _Point | None:
    # What ends in a colon announces points and makes none.
    if not sentence or sentence.endswith((":", "：")):
        return None
    tokens = TOKEN.findall(sentence[:2000].lower().replace("’", "'"))
    words: set[str] = set()
    figures: set[str] = set()
    denies = False
    for token in tokens:
        if token[0].isdigit():
            figures.add(token.replace(",", "").rstrip("."))
        elif CJK.search(token):
            words.update(token[i : i + 2] for i in range(max(1, len(token) - 1)))
            denies = denies or any(negation in token for negation in NEGATIONS_CJK)
        elif token in NEGATIONS:
            denies = not denies
        elif token not in STOP and len(token) > 1:
            words.add(stem(token))
    words |= figures
    if not words:
        # 'Yes.' and 'No.' are whole answers.
        words = {token for token in tokens if token in ("yes", "no", "ja", "nein", "oui", "non", "sí")}
        denies = False
    if not words:
        return None
    text = sentence if len(sentence) <= _LONGEST else sentence[: _LONGEST - 1].rstrip() + "…"
    return _Point(text, frozenset(words), frozenset(figures), denies)


def stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
