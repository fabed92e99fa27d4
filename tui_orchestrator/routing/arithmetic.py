"""Sums that an answer writes out, done again: '17 × 23 = 401' does not come out.

Only what stands there in figures is checked, TeX and units of one word included; a sum with a variable in it is passed
over.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

_READ = 8_000
_MOST_SUMS = 60
_LARGEST = 1e15

_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]{1,40})\}\{([^{}]{1,40})\}")
_TIMES = re.compile(r"(?<=[\d)]) ?(?:x|times|multiplied by) ?(?=[\d($])")
_OVER = re.compile(r"(?<=\d) divided by (?=[\d$])")
_SIGNS = (
    *(("\\times", "*"), ("\\cdot", "*"), ("\\*", "*"), ("×", "*"), ("·", "*"), ("∗", "*")),
    *(("\\div", "/"), ("÷", "/"), ("−", "-"), ("–", "-"), ("\\approx", "≈")),
)
_DRESS = re.compile(r"\\(?:text|mathrm|mathbf)\{[^{}]{0,40}\}|\\[,;!() \[\]]|\\(?:left|right)|[$€£¥{}\\]|<<.{0,80}?>>")
# A single letter is a unit or a variable; x, y, n, P and the like are left, and their sums are not checked.
_UNIT = re.compile(r"(?<=\d)[ ]?(?!e\d)(?:[A-Za-z°]{2,12}|[mgskhlVAWJNKLCF])(?:/[A-Za-z]{1,8})?(?=[ ]?[-+*/=)≈])")
_SUM = re.compile(
    r"([-(\d][-\d.,()+*/^ %]{2,90}?)[ ]?(=|≈)[ ]?(-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?![\d,]*\d)[ ]?(%?)"
    r"(?![ ]?[-*/^+(.]?\d|[ ]?[*/^+(])"
)
_ITEM = re.compile(r"^(?:-|\d{1,2}\.) +")
"""Of a list."""
_TOKEN = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?|[-+*/^()%]")


class Sums(NamedTuple):
    right: int
    wrong: tuple[str, ...]
    """As they stand, without their dress."""


def check_sums(text: str) -> Sums:
    """Of the first 8,000 characters, at most 60 sums. A whole-number sum must come out exactly, any other to within
    rounding or 1 %."""
    if "=" not in text and "≈" not in text and "approx" not in text:
        return Sums(0, ())
    plain = _FRACTION.sub(r"((\1)/(\2))", text[:_READ])
    for sign, meant in _SIGNS:
        plain = plain.replace(sign, meant)
    plain = _UNIT.sub("", _DRESS.sub("", _OVER.sub("/", _TIMES.sub("*", plain))))
    right, wrong = 0, []
    for count, match in enumerate(_SUM.finditer(plain)):
        if count == _MOST_SUMS:
            break
        left, relation, given, percent = match.groups()
        near = plain[max(0, match.start() - 8) : match.start()]
        before = near.rstrip(" ")[-1:]
        # The sum goes on to the left, unlike behind the full stop of a sentence, or its first term is a variable.
        if near[-1:] == "." or (before and (before in "+-*/^()" or (left[0] == "-" and before.isalnum()))):
            continue
        left = _ITEM.sub("", left)
        value = _value(left)
        if value is None:
            continue
        if _comes_out(value, left, relation, given, percent):
            right += 1
        elif not _converted(value, left, given):
            wrong.append(f"{' '.join(left.split())} {relation} {given}{percent}")
    return Sums(right, tuple(wrong))


def _comes_out(value: float, left: str, relation: str, given: str, percent: str) -> bool:
    result = float(given.replace(",", ""))
    places = len(given.partition(".")[2])
    exact = relation == "=" and not places and not any(sign in left for sign in "./%^")
    candidates = [value, value * 100] if percent or "%" in left else [value]
    if exact:
        return any(abs(candidate - result) < 0.01 for candidate in candidates)
    share, rounding = 0.0051 if relation == "=" else 0.02, 0.51 * 10**-places
    return any(
        abs(candidate - result) <= max(share * max(abs(candidate), abs(result)), rounding) for candidate in candidates
    )


def _converted(value: float, left: str, given: str) -> bool:
    """Off by a power of ten among powers or fractions: metres made millimetres, not a slip."""
    result = float(given.replace(",", ""))
    if not value or not result or not any(sign in left for sign in ".^/"):
        return False
    decades = math.log10(abs(value / result))
    return abs(decades) > 0.9 and abs(decades - round(decades)) < 0.01


def _value(expression: str) -> float | None:
    """None when it is no sum: no operator, unbalanced, beyond 10¹⁵."""
    tokens = _TOKEN.findall(expression)
    if sum(token in "+-*/^" for token in tokens[1:]) == 0 or len(tokens) > 40:
        return None
    if tokens.count("(") != tokens.count(")"):
        return None
    try:
        value, rest = _terms(tokens, 0)
    except (IndexError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return value if rest == len(tokens) and abs(value) < _LARGEST else None


def _terms(tokens: list[str], at: int) -> tuple[float, int]:
    value, at = _factors(tokens, at)
    while at < len(tokens) and tokens[at] in "+-":
        other, after = _factors(tokens, at + 1)
        value, at = (value + other if tokens[at] == "+" else value - other), after
    return value, at


def _factors(tokens: list[str], at: int) -> tuple[float, int]:
    value, at = _power(tokens, at)
    while at < len(tokens) and (tokens[at] in "*/" or tokens[at] == "("):
        # Two brackets side by side multiply.
        step = 0 if tokens[at] == "(" else 1
        other, after = _power(tokens, at + step)
        value, at = (value / other if tokens[at] == "/" else value * other), after
    return value, at


def _power(tokens: list[str], at: int) -> tuple[float, int]:
    if tokens[at] in "+-":
        value, after = _power(tokens, at + 1)
        return (-value if tokens[at] == "-" else value), after
    base, at = _atom(tokens, at)
    if at < len(tokens) and tokens[at] == "^":
        exponent, at = _power(tokens, at + 1)
        if abs(exponent) > 20 or abs(base) > 1e6 or (base < 0 and exponent != int(exponent)):
            raise ValueError("out of range")
        base = float(base**exponent)
    return base, at


def _atom(tokens: list[str], at: int) -> tuple[float, int]:
    if tokens[at] == "(":
        value, at = _terms(tokens, at + 1)
        if tokens[at] != ")":
            raise ValueError("unbalanced")
        at += 1
    else:
        value, at = float(tokens[at].replace(",", "")), at + 1
    if at < len(tokens) and tokens[at] == "%":
        value, at = value / 100, at + 1
    return value, at
