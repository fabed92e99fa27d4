"""What an answer comes to: the option it picks, its number, its yes or no, the value it predicts.

Two answers to one prompt are compared by this; wording and working are left out. Looked for is what is announced
('the answer is', 'boxed', '####', in six languages), then the last figure where a figure is asked for, then the whole
of a short answer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

_READ_PROMPT, _READ_HEAD, _READ_TAIL = 12_000, 600, 1_600
_SHORT = 60

_OPTION_LINE = re.compile(r"^[ \t]*(?:[-*][ \t]*)?\(?([A-Z])[.):][ \t]+(\S[^\n]{0,300})", re.MULTILINE)
_INLINE_OPTION = re.compile(r"\(([A-J])\)[ \t]?(\S[^()\n]{0,120})")
_BOXED = re.compile(r"\\boxed\s?\{((?:[^{}]|\{[^{}]{0,80}\}){1,120})\}")
_HASHES = re.compile(r"####[ \t]*(\S[^\n]{0,80})")
_ANNOUNCED = re.compile(
    r"(?:\b(?:answer|option|choice)(?: here| choice)?(?: is| would be| must be| should be|[ \t*]*[:=])[ \t]*:?"
    r"|\bantwort(?: ist| lautet|[ \t*]*:)|\bréponse(?: est|[ \t*]*:)|\brespuesta(?: es|[ \t*]*:)"
    r"|答案(?:是|为|為|[:：])[:：]?|答えは|正解は)[ \t*]*\n?[ \t]*(?=(\S[^\n]{0,160}))",
    re.IGNORECASE,
)
_LETTER_FIRST = re.compile(
    r"[\s*_`\"'(\[{$\\]*(?:text\{|mathrm\{|mathbf\{|option |choice )?[(]?([A-Z])(?![\w'’])", re.ASCII
)
_LONE_LETTER = re.compile(r"\(([A-Z])\)|(?:^|\n)(?:[^\S\n]|[*_])*+\(?([A-Z])[).:]|\boption ([A-Z])\b", re.ASCII)
_NUMBER = re.compile(r"[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?/\s?\d+)?(?:[eE][-+]?\d{1,3})?")
_TRUTHS: Mapping[str, str] = {
    **dict.fromkeys(("yes", "true", "correct", "ja", "oui", "sí", "si", "是", "对", "はい", "valid"), "yes"),
    **dict.fromkeys(("no", "false", "incorrect", "nein", "non", "否", "不是", "いいえ", "invalid"), "no"),
}
_VERDICT = re.compile(r"[*\s]*(\w+)\**[.,:;!。，]")
_ASKS_FIGURE = re.compile(
    r"\bhow (?:many|much|far|long|old|tall|fast)\b|\bcalculate\b|\bcompute\b|\bevaluate\b|\bwhat is [-\d(]"
    r"|\bfind the (?:value|number|sum|area|probability)|\bsolve\b|\bwieviel|\bwie viele?\b|\bberechne|\bcombien"
    r"|\bcalcule|\bcuánt|多少|几|いくつ|いくら|何個|何人"
)
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]{1,40})\}\{([^{}]{1,40})\}")
_FIGURE_CUES = (
    *(
        "how ",
        "calculate",
        "compute",
        "evaluate",
        "what is ",
        "find the ",
        "solve",
        "wie",
        "berechne",
        "combien",
        "calcule",
    ),
    *("cuánt", "多少", "几", "いくつ", "いくら", "何個", "何人"),
)
"""One of them is in whatever `_ASKS_FIGURE` finds; looking for them first is ten times as fast."""
_DRESS = re.compile(r"\\(?:text|mathrm|mathbf|left|right|,|;|!|\$|%)|[*_`$€£¥{}\\]")
_ARTICLES = re.compile(r"\b(?:the|a|an|der|die|das|le|la|les|el|los|las)\b|[^\w\s.+\-/:]")
_SPACES = re.compile(r"\s+")


class Kind(StrEnum):
    OPTION = "option"
    NUMBER = "number"
    TRUTH = "truth"
    VALUE = "value"
    """A literal of Python or JSON."""
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Final:
    kind: Kind
    value: str
    """Normalised: equal values of one kind are the same answer."""
    shown: str
    """As the answer writes it, one line."""
    announced: bool
    """The answer itself says that this is its result."""


def options(prompt: str) -> dict[str, str]:
    """The answers a prompt offers to choose from, by letter; empty unless there are at least two, from A on."""
    return question_and_options(prompt)[1]


def question_and_options(prompt: str) -> tuple[str, dict[str, str]]:
    """The prompt up to its options, and the options. Of a long prompt, the two ends."""
    text = prompt if len(prompt) <= _READ_PROMPT else prompt[: _READ_PROMPT // 2] + "\n" + prompt[-_READ_PROMPT // 2 :]
    for pattern in (_OPTION_LINE, _INLINE_OPTION):
        found: dict[str, str] = {}
        start = 0
        for match in pattern.finditer(text):
            letter = match[1]
            if letter == "A":
                found, start = {}, match.start()
            if ord(letter) == ord("A") + len(found):
                found[letter] = match[2].strip()
        if len(found) >= 2:
            return text[:start], found
    return text, {}


def final_answer(prompt: str, answer: str) -> Final | None:
    """None for an answer that comes to no single result, as an explanation or an essay does. Reads the first 600 and
    the last 1,600 characters of the answer."""
    text = answer.strip()
    if not text:
        return None
    ends = text if len(text) <= _READ_HEAD + _READ_TAIL else text[:_READ_HEAD] + "\n" + text[-_READ_TAIL:]
    offered = options(prompt)
    if offered:
        return _option(offered, ends)
    said = _said(ends)
    if said is not None:
        return _result(said, announced=True)
    verdict = _VERDICT.match(text[:20].lower())
    if verdict and verdict[1] in _TRUTHS:
        return Final(Kind.TRUTH, _TRUTHS[verdict[1]], verdict[1], announced=True)
    if "\n" not in text:
        value = _literal(text)
        if value is not None:
            return Final(Kind.VALUE, value, text[:_SHORT], announced=False)
        if len(text) <= _SHORT:
            return _result(text, announced=False)
    if asks_figure(prompt):
        numbers = _NUMBER.findall(ends[-400:])
        if numbers:
            return Final(Kind.NUMBER, _number(numbers[-1]) or numbers[-1], numbers[-1], announced=False)
    return None


def asks_figure(prompt: str) -> bool:
    """The end of the prompt wants a number: 'how many', 'berechne', '多少'."""
    end = prompt[-2000:].lower()
    return any(cue in end for cue in _FIGURE_CUES) and bool(_ASKS_FIGURE.search(end))


def same_result(a: Final, b: Final) -> bool:
    """Numbers are the same when the longer one rounds to the shorter."""
    if a.value == b.value:
        return True
    if a.kind is not Kind.NUMBER or b.kind is not Kind.NUMBER:
        return False
    try:
        x, y = Decimal(a.value), Decimal(b.value)
        coarser = max(_exponent(x), _exponent(y))
        return coarser < 0 and x.quantize(Decimal(1).scaleb(coarser)) == y.quantize(Decimal(1).scaleb(coarser))
    except InvalidOperation:
        return False


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _said(ends: str) -> str | None:
    """What the answer announces last."""
    for pattern in (_BOXED, _HASHES, _ANNOUNCED):
        found = pattern.findall(ends)
        if found:
            return str(found[-1])
    return None


def _option(offered: Mapping[str, str], ends: str) -> Final | None:
    for pattern in (_BOXED, _ANNOUNCED):
        for said in reversed(pattern.findall(ends)):
            match = _LETTER_FIRST.match(said)
            if match:
                return Final(Kind.OPTION, match[1], match[1], announced=True)
            letter = _option_of(offered, said)
            if letter:
                return Final(Kind.OPTION, letter, letter, announced=True)
    match = _LETTER_FIRST.match(ends)
    # 'A lens is …' begins with an article.
    if match and not (match[1] in "AI" and ends[match.end() : match.end() + 1] == " "):
        return Final(Kind.OPTION, match[1], match[1], announced=True)
    lone = [letter for groups in _LONE_LETTER.findall(ends[-400:]) for letter in groups if letter in offered]
    letter = lone[-1] if lone else _option_of(offered, ends)
    return Final(Kind.OPTION, letter, letter, announced=False) if letter else None


def _option_of(offered: Mapping[str, str], said: str) -> str | None:
    """The one option whose words are said."""
    spoken = f" {plain(said)} "
    named = [letter for letter, words in offered.items() if f" {plain(words)} " in spoken]
    return named[0] if len(named) == 1 else None


def _result(said: str, announced: bool) -> Final | None:
    shown = _SPACES.sub(" ", said).strip()
    bare = _DRESS.sub("", _FRACTION.sub(r"\1/\2", shown)).strip().rstrip(".。!")
    word = bare.lower().strip(" .,:;()\"'")
    if word in _TRUTHS:
        return Final(Kind.TRUTH, _TRUTHS[word], word, announced)
    letter = re.fullmatch(r"\(?([A-Z])\)?", bare)
    if letter:
        return Final(Kind.OPTION, letter[1], letter[1], announced)
    value = _literal(shown)
    if value is not None:
        return Final(Kind.VALUE, value, shown, announced)
    numbers = _NUMBER.findall(bare)
    if numbers and (len(numbers) == 1 or "=" in bare or "≈" in bare):
        return Final(Kind.NUMBER, _number(numbers[-1]) or numbers[-1], numbers[-1], announced)
    words = plain(re.split(r"(?<=\w)[.;。]\s|, (?:because|since|as) ", bare)[0])
    if not words or len(words) > _SHORT:
        return None
    return Final(Kind.TEXT, words, shown[:_SHORT].rstrip(), announced)


def plain(text: str) -> str:
    """Lower case, without articles, punctuation and TeX."""
    return _SPACES.sub(" ", _ARTICLES.sub(" ", _DRESS.sub("", text.lower()))).strip(" .")


def _literal(text: str) -> str | None:
    """A container or quoted string of Python, spelled one way."""
    if text[:1] not in "[({'\"" or len(text) > 2000:
        return None
    try:
        return repr(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _number(text: str) -> str | None:
    """Plain decimal notation without trailing zeros; None for what is no number. A fraction becomes eight places."""
    above, _, below = text.replace(",", "").replace("−", "-").replace(" ", "").partition("/")
    try:
        number = Decimal(above)
        if below:
            number = (number / Decimal(below)).quantize(Decimal("0.00000001"))
        if not number.is_finite() or abs(number.adjusted()) > 60:
            return text
        return format(number.normalize() if number else Decimal(0), "f")
    except (InvalidOperation, ZeroDivisionError):
        return None
