"""One pass over a text: its words and counts, and how many tokens it will be.

Only the first 1,000 and the last 400 characters are read word by word: the instruction stands at one end or the other,
and a paste of ten megabytes costs no more than a page. Sizes are those of the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import filterfalse
from typing import Generic, TypeVar

from .lexicon import CUES, Cues
from .marks import MARKED, Mark, Marked, find_marks

T = TypeVar("T")

HEAD, TAIL = 1000, 400
_MARGIN = 4000
"""White space before the first word that is skipped, at most: a million spaces are not searched for a word."""

_SCRIPTS = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f"
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# The usual word, told from what follows it without a look into the large character sets below.
_USUAL = r"[a-zà-öø-ÿ]++(?=[ \n,?!:)])"
# Words may carry an inner apostrophe or hyphen, and the endings that name languages: c++, c#, node.js.
_WORD = re.compile(rf"{_USUAL}|[^\W\d_]+(?:['\-.;][^\W\d_]+)*(?:\+\+|#)?|{_NUMBER.pattern}")
# A token and the white space behind it: at each place where no token begins every branch would be tried. Chinese and
# Japanese write no spaces: each of their characters is a token, and so is each sign.
_SIGN = r"[!-/:-@\[-^`{-~]"
_TOKEN = re.compile(
    rf"({_USUAL}|[{_SCRIPTS}]|{_SIGN}"
    rf"|[^\W\d_{_SCRIPTS}]+(?:['\-.;][^\W\d_{_SCRIPTS}]+)*(?:\+\+|#)?|{_NUMBER.pattern}|__+|[^\w\s])\s*"
)
# The same over ASCII, where character sets are quick to look into.
_ASCII_WORD = re.compile(rf"[a-z]+(?:['\-.;][a-z]+)*(?:\+\+|#)?|{_NUMBER.pattern}", re.ASCII)
_ASCII_TOKEN = re.compile(rf"([a-z]++(?=[ \n,?!:)])|{_SIGN}|{_ASCII_WORD.pattern}|__+|[^\w\s])\s*", re.ASCII)
_ASCII_SIGNS = frozenset(sign for sign in map(chr, range(128)) if not sign.isalnum())
_DIGIT = re.compile(r"\d")
_CJK = re.compile(f"[{_SCRIPTS}]")
_CJK_LEADS = bytes((*range(0xE3, 0xEA), 0xEF))
"""First bytes in UTF-8 of all those characters, and of few others."""
# These look for a line end and what follows it, over a text with one put in front: far quicker than `^` in every place.
_CODE_LINE = re.compile(
    r"\n[ \t]*(?:def \w+\(|class \w+[:({]|import [\w.]+|from [\w.]+ import |#include|fn \w+|func \w+|function \w*\("
    r"|(?:public|private|static|const|let|var) \w+|SELECT(?=\s)|return\b|for ?\(|if ?\(|while ?\(|@\w+|<\w+[ >/]"
    r"|\$ \w+|\}|//|Traceback |at \w+[.$]\w+\()"
)
_OPTION = re.compile(r"\n[ \t]*\(?[A-Ja-j][.):][ \t]")
_LIST_ITEM = re.compile(r"\n[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]")
_ERROR_NAME = re.compile(r"\b[A-Z]\w*(?:Error|Exception)\b|\berror\[?[A-Z]+\d+|\bpanic:|\bSegmentation fault")
_LISTED = {word: (CUES.get(word), MARKED.get(word)) for word in CUES.keys() | MARKED.keys()}
_CENTURIES = ("15", "16", "17", "18", "19", "20")

# Rules of thumb for today's tokenisers (byte-pair encodings of 100,000 to 200,000 entries, November 2026): English
# prose comes to about 4 bytes a token, source code to about 3, Chinese and Japanese to about one character. Each figure
# is tokens a byte or a character and errs on the high side; a factor learned per model corrects it.
_PER_BYTE = 1 / 4.2
_PER_SIGN = 1 / 1.6
_PER_TWO_BYTE = 0.45
_PER_THREE_BYTE = 1.0
_PER_FOUR_BYTE = 2.5
_SIGNS = bytes(b for b in range(33, 127) if not chr(b).isalpha())
_TWO, _THREE, _FOUR = bytes(range(0xC2, 0xE0)), bytes(range(0xE0, 0xF0)), bytes(range(0xF0, 0xF5))
_EAST = bytes((*range(0xE3, 0xEE), 0xEF))
"""First bytes of Chinese, Japanese and Korean characters, and of few others."""
_SAMPLED, _WINDOW = 65_536, 4096


def estimate_tokens(text: str) -> int:
    """About how many tokens a model will count; 0 only for an empty text.

    A text longer than 65,536 characters is judged by sixteen evenly spaced windows of 4,096.
    """
    return max(1, round(sum(script_tokens(text)))) if text else 0


def script_tokens(text: str) -> tuple[float, float, float, float]:
    """The same by script and not yet rounded: ASCII letters and spaces; ASCII signs and digits; Chinese, Japanese and
    Korean; all others."""
    length = len(text)
    if length <= _SAMPLED:
        return _tokens(text)
    stride = (length - _WINDOW) / 15
    sample = "".join(text[int(i * stride) : int(i * stride) + _WINDOW] for i in range(16))
    scale = length / len(sample)
    letters, marks, cjk, other = _tokens(sample)
    return letters * scale, marks * scale, cjk * scale, other * scale


def _tokens(text: str) -> tuple[float, float, float, float]:
    data = text.encode("utf-8", "replace")
    size = len(data)
    signs = size - len(data.translate(None, _SIGNS))
    if text.isascii():
        return (size - signs) * _PER_BYTE, signs * _PER_SIGN, 0.0, 0.0
    two = size - len(data.translate(None, _TWO))
    if size == len(text) + two:
        return (size - signs - 2 * two) * _PER_BYTE, signs * _PER_SIGN, 0.0, two * _PER_TWO_BYTE
    three = size - len(data.translate(None, _THREE))
    four = size - len(data.translate(None, _FOUR))
    east = size - len(data.translate(None, _EAST))
    plain = size - signs - 2 * two - 3 * three - 4 * four
    other = two * _PER_TWO_BYTE + (three - east) * _PER_THREE_BYTE + four * _PER_FOUR_BYTE
    return plain * _PER_BYTE, signs * _PER_SIGN, east * _PER_THREE_BYTE, other


def words_of(text: str) -> tuple[str, ...]:
    """Lower-cased words and numbers in order; a run of Chinese or Japanese is one of them."""
    if text.isascii():
        return tuple(_ASCII_WORD.findall(text.lower()))
    return tuple(_WORD.findall(text.replace("’", "'").lower()))


def spoken_of(text: str) -> list[str]:
    """Lower-cased words, numbers, signs and single Chinese and Japanese characters in order."""
    return _ASCII_TOKEN.findall(text.lower()) if text.isascii() else _TOKEN.findall(text.replace("’", "'").lower())


class _Once(Generic[T]):
    """As functools.cached_property, which before Python 3.12 takes a lock for each property: a microsecond."""

    def __init__(self, make: Callable[[Features], T]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    def __get__(self, features: Features, owner: type[Features]) -> T:
        # The next time it is found in the instance, without coming here.
        made = features.__dict__[self._make.__name__] = self._make(features)
        return made


@dataclass(frozen=True)
class Features:
    """What was seen of one text."""

    text: str
    """The two ends that were read."""
    spoken: list[str]
    """Its words, numbers, signs and single Chinese and Japanese characters in order, in lower case."""
    length: int
    """Characters of the whole text."""
    lines: int
    """Of the whole text."""
    fences: int
    """Marks of ``` among the characters read."""
    cjk: int
    """Chinese and Japanese characters among those read."""

    @_Once
    def tokens(self) -> list[str]:
        """The same, every number as '0'."""
        if not self.figures:
            return self.spoken
        # Most are words, which come behind the figures and need no second look.
        return [said if said >= ":" or said < "0" else "0" for said in self.spoken]

    @_Once
    def distinct(self) -> set[str]:
        return set(self.tokens)

    @_Once
    def figures(self) -> list[str]:
        """Its numbers as they stand there."""
        return [said for said in self.spoken if said < ":" and said >= "0"] if _DIGIT.search(self.text) else []

    @_Once
    def size(self) -> int:
        """Length in words of the whole text, two Chinese or Japanese characters counted as one."""
        if not self.text:
            return 0
        read = len(self.words) - self.cjk + (self.cjk + 1) // 2
        return round(read * max(1.0, self.length / len(self.text)))

    @_Once
    def words(self) -> tuple[str, ...]:
        """Words and numbers in order; every Chinese or Japanese character is one of them."""
        if self.text.isascii() and "__" not in self.text:
            return tuple(filterfalse(_ASCII_SIGNS.__contains__, self.spoken))
        return tuple([said for said in self.spoken if said[0].isalnum()])

    @_Once
    def code_lines(self) -> int:
        return len(_CODE_LINE.findall("\n" + self.text)) if any(sign in self.text for sign in "(<{$@#=:") else 0

    @_Once
    def error_names(self) -> int:
        if any(hint in self.text for hint in ("rror", "xception", "panic:", "Segmentation fault")):
            return len(_ERROR_NAME.findall(self.text))
        return 0

    @_Once
    def options(self) -> int:
        """Lines that offer an answer to choose: 'A. …'."""
        return len(_OPTION.findall("\n" + self.text)) if self.text.count("\n") >= 2 else 0

    @_Once
    def listed(self) -> list[tuple[int, tuple[Cues | None, Marked | None]]]:
        """Where words stand that cues or marks begin with, and which ones do."""
        return [(at, entry) for at, entry in enumerate(map(_LISTED.get, self.words)) if entry]

    @_Once
    def marks(self) -> dict[Mark, list[str]]:
        return find_marks(self.words, [(at, marked) for at, (_, marked) in self.listed if marked])

    @_Once
    def multiple_choice(self) -> bool:
        return self.options >= 3

    @_Once
    def stem(self) -> str:
        """The text without the answers to choose from."""
        first = _OPTION.search("\n" + self.text) if self.multiple_choice else None
        return self.text if first is None else self.text[: first.start()]

    @_Once
    def list_items(self) -> int:
        return len(_LIST_ITEM.findall("\n" + self.text)) if "\n" in self.text else 0

    @_Once
    def code_signs(self) -> float:
        """Share of the characters read that are brackets, semicolons and the like."""
        data = self.text.encode("utf-8", "replace")
        return (len(data) - len(data.translate(None, b"{}();=<>[]|&"))) / max(1, len(self.text))

    @_Once
    def math_signs(self) -> int:
        text = self.text
        tex = text.count("^") + text.count("_{")
        if "\\" in text:
            tex += sum(map(text.count, ("\\frac", "\\sum", "\\int", "\\sqrt", "\\text", "\\(")))
        signs = 0 if text.isascii() else sum(map(text.count, "≡≤≥∑∫√∈∀∃π×÷∞²³→"))
        return tex + text.count("$") // 2 + signs

    @_Once
    def numbers(self) -> int:
        return len(self.figures)

    @_Once
    def quantities(self) -> int:
        """Numbers that do not look like years."""
        return sum(len(said) != 4 or said[:2] not in _CENTURIES for said in self.figures)

    @_Once
    def asks(self) -> bool:
        return "?" in self.text or "？" in self.text or self.text.endswith(("吗", "か", "か。"))

    @_Once
    def looks_like_code(self) -> bool:
        if self.fences or self.code_lines >= 2:
            return True
        return self.code_signs > 0.06 and self.length > 40 and self.math_signs < 2


def _count_cjk(text: str) -> int:
    data = b"" if text.isascii() else text.encode("utf-8", "replace")
    return len(_CJK.findall(text)) if len(data.translate(None, _CJK_LEADS)) < len(data) else 0


def read(text: str) -> Features:
    lead = text[:_MARGIN]
    start = len(lead) - len(lead.lstrip())
    end = len(text) - (_MARGIN - len(text[-_MARGIN:].rstrip())) if len(text) > _MARGIN else len(text.rstrip())
    length = max(0, end - start)
    seen = _ends(text, start, end, HEAD, TAIL)
    cjk = _count_cjk(seen)
    if 4 * cjk > len(seen):
        # A character there says about as much as three letters do.
        seen = _ends(text, start, end, HEAD // 2, TAIL // 2)
        cjk = _count_cjk(seen)
    lines = text.count("\n", start, end) + 1 if length else 0
    return Features(seen, spoken_of(seen), length, lines, fences=seen.count("```"), cjk=cjk)


def _ends(text: str, start: int, end: int, head: int, tail: int) -> str:
    if end - start <= head + tail:
        return text[start:end]
    return f"{text[start : start + head]}\n{text[end - tail : end]}"
