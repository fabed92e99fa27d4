"""What the trained profile reads of a text: the n-grams it holds, and some forty measures of its form.

Both come from the one pass of `features.read`. The order and the meaning of the measures belong to the weights: change
one, and train again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import chain, pairwise

from . import lexicon
from .features import Features
from .marks import Mark

MEASURES: Mapping[str, str] = {
    "length": "its length",
    "length_choice": "its length",
    "length_options": "the length of the options",
    "length_prose": "its length",
    "length_code": "its length",
    "length_math": "its length",
    "choice": "options to choose from",
    "options": "the number of options",
    "figures": "figures",
    "figures_options": "figures in the options",
    "figures_share": "the share of figures",
    "word_problem": "a question over several figures",
    "signs": "brackets and operators",
    "code": "looks like code",
    "code_lines": "lines of code",
    "fences": "fenced code",
    "errors": "an error message",
    "notation": "mathematical notation",
    "word_length": "the length of its words",
    "long_words": "long words",
    "distinct": "how varied its words are",
    "questions": "question marks",
    "asks": "ends with a question mark",
    "ends_colon": "ends with a colon",
    "lines": "its length",
    "list_items": "listed points",
    "blank": "a blank to fill",
    "commas": "commas",
    "sentences": "its length",
    "quotes": "quotation marks",
    "lower_case": "begins in lower case",
    "cjk": "Chinese or Japanese",
    "other_script": "letters beyond ASCII",
    "tiny": "its length",
    "short": "its length",
    "middle": "its length",
    "large": "its length",
    "huge": "its length",
    "paths": "paths and flags",
    "option_spread": "options of unlike length",
    "proof": "asks for a proof",
    "deep": "a deep subject",
    "deepening": "wants it thorough",
    "steps": "several steps",
    "constraints": "conditions to keep",
    "easing": "said to be simple",
    "brief": "wants it short",
}
"""Name: in words, for people; several measures of one thing share them."""


_LONG = (9).__lt__
_COUNTED = (Mark.DEEP, Mark.DEEPENING, Mark.STEPS, Mark.CONSTRAINTS, Mark.EASING, Mark.SHORT)


def grams(features: Features) -> Iterator[str]:
    """Every token once, the first token and pair marked as such, and every pair of neighbours, as often as it stands
    there."""
    tokens = features.tokens
    beginning = ("^" + tokens[0], f"^{tokens[0]} {tokens[1]}") if len(tokens) > 1 else tuple(map("^{}".format, tokens))
    return chain(features.distinct, beginning, map(" ".join, pairwise(tokens)))


def count_grams(features: Features) -> int:
    """How many those are."""
    count = len(features.tokens)
    return len(features.distinct) + min(2, count) + max(0, count - 1)


def measure(features: Features) -> list[float]:
    """In the order of MEASURES; each of the size of 1, logarithms of counts among them."""
    text, tokens = features.text, features.tokens
    length, size = features.length, features.size
    choice = features.multiple_choice
    code, math_signs = features.looks_like_code, features.math_signs
    stem = features.stem
    options = text[len(stem) :] if choice else ""
    figures = len(features.figures)
    in_stem = sum(part[0].isdigit() for part in stem.split()) if choice else figures
    lengths = list(map(len, features.words))
    count = max(1, len(lengths))
    log_length = math.log1p(length)
    prose = not choice and not code
    ending = text[-1:]
    marks = features.marks
    lines = [len(line) for line in options.splitlines() if line]
    usual = sum(lines) / max(1, len(lines))
    return [
        log_length / 5,
        math.log1p(len(stem)) / 5 if choice else 0.0,
        math.log1p(len(options)) / 5 if choice else 0.0,
        log_length / 5 if prose else 0.0,
        log_length / 5 if code else 0.0,
        log_length / 5 if prose and in_stem >= 2 else 0.0,
        float(choice),
        min(features.options, 10) / 5,
        math.log1p(in_stem) / 2,
        math.log1p(max(0, figures - in_stem)) / 2,
        figures / max(1, len(tokens)) * 4,
        math.log1p(figures) / 2 if prose and features.asks and figures >= 2 else 0.0,
        features.code_signs * 10,
        float(code),
        math.log1p(features.code_lines) / 2,
        math.log1p(features.fences) / 2,
        math.log1p(features.error_names),
        math.log1p(math_signs) / 2,
        sum(lengths) / count / 5,
        sum(map(_LONG, lengths)) / count * 4,
        len(features.distinct) / max(1, len(tokens)),
        min(4, text.count("?") + text.count("？")) / 2,
        float(ending in ("?", "？")),
        float(ending in (":", "：")),
        math.log1p(features.lines) / 3,
        math.log1p(features.list_items) / 2,
        float("__" in text),
        math.log1p(text.count(",")) / 2,
        math.log1p(text.count(". ")) / 2,
        math.log1p(text.count('"') + text.count("“")) / 2,
        float(text[:1].islower()),
        min(1.0, features.cjk / max(1, len(tokens)) * 2),
        0.0 if text.isascii() else 1.0,
        float(size <= 3),
        float(3 < size <= 8),
        float(8 < size <= 30),
        float(size > 100),
        float(length > len(text)),
        min(4, text.count("/") + text.count(" -") + text.count("*")) / 2 if not choice else 0.0,
        math.log1p(sum(abs(line - usual) for line in lines) / max(1, len(lines))) / 2 if choice else 0.0,
        float(asks_for_proof(features)),
        *(math.log1p(len(marks.get(mark, ()))) for mark in _COUNTED),
    ]


def asks_for_proof(features: Features) -> bool:
    return Mark.PROOF in features.marks or (features.cjk > 0 and any(cue in features.text for cue in lexicon.CJK_PROOF))
