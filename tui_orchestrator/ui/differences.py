"""How one answer differs from another, word by word."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from textual.content import Content

from .words import BAD, GOOD

MOST_WORDS = 4000
"""Of each answer that are compared."""
MOST_PAIRS = 40_000
"""Of equal words in the two. With so many the worst case, one word said over and over, takes half a second (November
2026); prose comes to them after some 2,000 words."""

# Chinese and Japanese write no spaces: each character is a word. Line breaks are words, so that paragraphs stay.
_WORD = re.compile("[\u3040-\u30ff\u3400-\u9fff]|[^\\W\u3040-\u30ff\u3400-\u9fff]+(?:['’.,-]\\w+)*|\\n+|[^\\w\\s]")


class Change(StrEnum):
    SAME = "same"
    GONE = "gone"
    """Only the one that is compared with has it."""
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Run:
    change: Change
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    runs: tuple[Run, ...]
    added: int
    """Words, here and below; marks of punctuation are none."""
    removed: int
    shared: float
    """0–1: how much of both they have in common."""
    cut: bool
    """Only the beginning was compared: they are too long."""

    def content(self) -> Content:
        """For drawing: told apart by brackets too, as wdiff does it."""
        return Content.assemble(*(part for run in self.runs for part in _drawn(run)))


def difference(base: str, other: str) -> Difference:
    """What `other` says that `base` does not, and the other way round. Too slow for the event loop."""
    old, new = _words(base), _words(other)
    length = _comparable(old, new)
    cut = max(len(old), len(new)) > length
    old, new = old[:length], new[:length]
    matcher = SequenceMatcher(None, [word for word, _ in old], [word for word, _ in new], autojunk=False)
    runs: list[Run] = []
    added = removed = 0
    for what, i, j, k, m in matcher.get_opcodes():
        if what == "equal":
            runs.append(Run(Change.SAME, _text(new[k:m])))
            continue
        if i < j:
            removed += _count(old[i:j])
            runs.append(Run(Change.GONE, _text(old[i:j])))
        if k < m:
            added += _count(new[k:m])
            runs.append(Run(Change.NEW, _text(new[k:m])))
    return Difference(tuple(runs), added, removed, matcher.ratio(), cut)


_Word = tuple[str, str]
"""A word as it is compared, and with the space after it as it is shown."""


def _words(text: str) -> list[_Word]:
    found = list(_WORD.finditer(text))
    ends = [*(match.start() for match in found), len(text)][1:]
    return [
        (match[0] if match[0].strip() else "\n", text[match.start() : end])
        for match, end in zip(found, ends, strict=True)
    ]


def _drawn(run: Run) -> list[tuple[str, str]]:
    body = run.text.strip()
    if run.change is Change.SAME or not body:
        return [(run.text if run.change is not Change.GONE else " ", "")]
    opening, closing, style = (
        ("{+", "+}", f"bold {GOOD}") if run.change is Change.NEW else ("[-", "-]", f"strike {BAD}")
    )
    # Brackets hug the words; the breaks around them stay outside.
    before, after = run.text[: len(run.text) - len(run.text.lstrip())], run.text[len(run.text.rstrip()) :]
    return [(before, ""), (f"{opening}{body}{closing}", style), (after, "")]


def _comparable(old: list[_Word], new: list[_Word]) -> int:
    """How many words from the beginning of each."""
    in_old, in_new = Counter[str](), Counter[str]()
    pairs = 0
    for length in range(min(MOST_WORDS, max(len(old), len(new)))):
        if length < len(old):
            in_old[old[length][0]] += 1
            pairs += in_new[old[length][0]]
        if length < len(new):
            in_new[new[length][0]] += 1
            pairs += in_old[new[length][0]]
        if pairs > MOST_PAIRS:
            return length
    return MOST_WORDS


def _text(words: list[_Word]) -> str:
    return "".join(shown for _, shown in words)


def _count(words: list[_Word]) -> int:
    return sum(word[0].isalnum() for word, _ in words)
