"""What a finished answer shows of its quality, as numbers, read in one pass over its two ends.

Each is dimensionless and mostly within 0 to 5. One that does not apply to the question (options where none are offered,
a literal where nothing is to be run) is 0.
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from .arithmetic import Sums, check_sums
from .features import words_of
from .final_answer import Final, asks_figure, question_and_options
from .lexicon import word_set

HEAD, TAIL = 12_000, 4_000
"""Characters of an answer that are read; what is said between is of a kind with them."""
_PROMPT_HEAD, _PROMPT_TAIL = 6_000, 3_000
_MOST_NUMBERS = 300
TERSE = 60
"""Characters of an answer that is nothing but its result."""

_NUMBER = re.compile(r"(?<![\w.])[-−]?\d[\d,]*(?:\.\d+)?")
_CLAUSE_END = re.compile(r"[.!?。！？](?:\s|$)|\n")
_NO_OPTION_FITS = (
    *("closest", "none of the", "not listed", "not among", "not match", "not one of", "n't match", "most reasonable"),
    *("most plausible", "cannot be determined", "cannot determine", "cannot answer", "cannot provide", "error in the"),
    *("not provided", "misprint", "typo", "keine der", "aucune des", "ninguna de las", "以上都不", "どれも"),
)
_TURNS = word_set(
    "however but although though actually instead wait aber jedoch allerdings cependant pourtant mais pero aunque"
)
_TURNS_CJK = ("但是", "不过", "然而", "しかし", "ただし")
_GUESSES = word_set(
    "assume assuming assumption suppose likely probably may might could angenommen wohl vermutlich probablement "
    "supposons probablemente supongamos"
)
_GUESSES_CJK = ("假设", "可能", "おそらく", "仮に")
_ANSWER_IS = ("answer is", "answer would be", "option is", "choice is", "boxed", "####")
_CALL = re.compile(r"^[ \t]*(?:>>>[ \t]*|assert[ \t]+|print\()?(\w+\(.*\))(?:[ \t]*==.*)?[ \t]*$", re.MULTILINE)
_DEF = re.compile(r"^[ \t]*def \w+\(", re.MULTILINE)
_BRANCH = re.compile(r"\b(?:if|elif|else)\b")
_TEXT_METHOD = re.compile(
    r"\.(?:replace|r?split|join|[lr]?strip|r?find|r?index|count|upper|lower|swapcase|title|r?partition|is[a-z]+"
    r"|format|[lr]just|center|zfill|translate|startswith|endswith|remove(?:pre|suf)fix|capitalize)\("
)


class Task(StrEnum):
    """What a prompt wants of an answer, as far as judging it goes."""

    CHOICE = "choice"
    """One of the options it offers."""
    RUN = "run"
    """The value of a call of the Python function it shows."""
    RESULT = "result"
    """One number, word or verdict, with or without its working."""
    OPEN = "open"


@dataclass(frozen=True)
class Asked:
    """A prompt, as far as judging answers to it needs. Reads at most 9,000 characters."""

    prompt: str

    @cached_property
    def text(self) -> str:
        if len(self.prompt) <= _PROMPT_HEAD + _PROMPT_TAIL:
            return self.prompt
        return f"{self.prompt[:_PROMPT_HEAD]}\n{self.prompt[-_PROMPT_TAIL:]}"

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Of the question."""
        return words_of(self.question)

    @cached_property
    def all_words(self) -> frozenset[str]:
        return frozenset(words_of(self.text) if self.options else self.words)

    @cached_property
    def _parts(self) -> tuple[str, Mapping[str, str]]:
        return question_and_options(self.text)

    @property
    def question(self) -> str:
        """Without the options."""
        return self._parts[0]

    @property
    def options(self) -> Mapping[str, str]:
        return self._parts[1]

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """Those of the options among them."""
        return numbers_of(self.text)

    @cached_property
    def call(self) -> str | None:
        """The call whose value is asked for, where the prompt shows a Python function and calls it."""
        if not _DEF.search(self.text):
            return None
        calls: list[str] = _CALL.findall(self.text[-2500:])
        return calls[-1] if calls else None


@dataclass(frozen=True)
class Answer:
    whole: str
    """Without white space around it, not empty."""

    @cached_property
    def text(self) -> str:
        """The two ends that are read."""
        return self.whole if len(self.whole) <= HEAD + TAIL else f"{self.whole[:HEAD]}\n{self.whole[-TAIL:]}"

    @cached_property
    def words(self) -> tuple[str, ...]:
        return words_of(self.text)

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        return numbers_of(self.text)

    @cached_property
    def sums(self) -> Sums:
        return check_sums(self.text)

    @cached_property
    def working(self) -> str:
        """What comes before the last announcement of the result."""
        lowered = self.text.lower()
        at = max(map(lowered.rfind, _ANSWER_IS))
        return self.text[:at] if at >= 0 else self.text


def numbers_of(text: str) -> tuple[float, ...]:
    """At most 300 of them, in order, without signs of currency and per cent."""
    found: list[float] = []
    for match in _NUMBER.finditer(text):
        digits = match[0].replace(",", "").replace("−", "-")
        if len(digits) < 25:
            found.append(float(digits))
        if len(found) == _MOST_NUMBERS:
            break
    return tuple(found)


def task_of(asked: Asked, answer: Answer, final: Final | None) -> Task:
    if asked.options:
        return Task.CHOICE
    if asked.call is not None and (final is not None or "\n" not in answer.whole):
        return Task.RUN
    if asks_figure(asked.text) or (final is not None and final.announced):
        return Task.RESULT
    return Task.OPEN


def features(asked: Asked, answer: Answer, final: Final | None) -> dict[str, float]:
    """By name, all of them for every answer; `final` is `final_answer` of the two."""
    return {
        **_size(asked, answer, final),
        **_wording(answer),
        **_figures(asked, answer, final),
        **_option(asked, answer, final),
        **_run(asked, answer, final),
    }


def _size(asked: Asked, answer: Answer, final: Final | None) -> dict[str, float]:
    words, length = answer.words, len(answer.words)
    fresh = set(words)
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return {
        "answer_words": math.log1p(length),
        "sentences": math.log1p(len(_CLAUSE_END.findall(answer.text))),
        "question_words": math.log1p(len(asked.words)),
        "new_words": len(fresh.difference(asked.all_words)) / (len(fresh) + 1),
        "repeated_words": 1 - len(set(triples)) / len(triples) if triples else 0.0,
        "open_end": float(_ends_open(answer, final)),
    }


def _ends_open(answer: Answer, final: Final | None) -> bool:
    if len(answer.whole) <= TERSE or answer.whole[-1] in ".!?)}`\"'$]*|。！？）」»”":
        return False
    return final is None or final.shown[-20:] not in answer.whole[-60:]


def _wording(answer: Answer) -> dict[str, float]:
    text, words = answer.text.lower(), answer.words
    turns, guesses = sum(word in _TURNS for word in words), sum(word in _GUESSES for word in words)
    if not text.isascii():
        turns += sum(map(text.count, _TURNS_CJK))
        guesses += sum(map(text.count, _GUESSES_CJK))
    return {
        "no_option_fits": math.log1p(sum(map(text.count, _NO_OPTION_FITS))),
        "turns": math.log1p(turns),
        "guesses": math.log1p(guesses),
    }


def _figures(asked: Asked, answer: Answer, final: Final | None) -> dict[str, float]:
    own, sums = answer.numbers, answer.sums
    known = set(numbers_of(asked.question) if asked.options else asked.numbers)
    checked = sums.right + len(sums.wrong)
    return {
        "question_figures": math.log1p(len(asked.numbers)),
        "question_formulas": math.log1p(sum(map(asked.text.count, "\\^="))),
        "answer_figures": math.log1p(len(own)),
        "figure_share": len(own) / (len(answer.words) + 1),
        "formulas": math.log1p(answer.text.count("=")),
        "figures_used": len(known.intersection(own)) / len(known) if known else 0.0,
        "wrong_sums": math.log1p(len(sums.wrong)),
        "wrong_share": len(sums.wrong) / (checked + 1),
        "no_result": float(final is None and bool(asked.options)),
        "announced": float(final is not None and (final.announced or len(answer.whole) <= TERSE)),
    }


def _option(asked: Asked, answer: Answer, final: Final | None) -> dict[str, float]:
    names = "options option_said option_length option_place option_figures option_reached"
    seen = dict.fromkeys(names.split(), 0.0)
    offered = asked.options
    if not offered:
        return seen
    seen["options"] = len(offered) / 10
    if final is None:
        return seen
    chosen = offered.get(final.value)
    if chosen is None:
        return seen
    seen["option_said"] = _share_said(offered, final.value, set(words_of(answer.working)))
    mean = sum(map(len, offered.values())) / len(offered)
    seen["option_length"] = math.log((len(chosen) + 3) / (mean + 3))
    seen["option_place"] = (ord(final.value) - ord("A")) / (len(offered) - 1)
    figures = {letter: numbers_of(words) for letter, words in offered.items()}
    seen["option_figures"] = sum(map(bool, figures.values())) / len(offered)
    own = figures[final.value]
    if own and seen["option_figures"] > 0.7:
        reached = numbers_of(answer.working)[-12:]
        if reached:
            met = sum(any(_is_near(value, wanted) for value in reached) for wanted in own)
            seen["option_reached"] = 2 * met / len(own) - 1
    return seen


def _share_said(offered: Mapping[str, str], chosen: str, said: set[str]) -> float:
    """Of an option's words; one counts the more the fewer options have it."""
    words = {
        letter: {word for word in words_of(text) if len(word) > 2 or word[0].isdigit()}
        for letter, text in offered.items()
    }
    spread = Counter(word for of in words.values() for word in of)
    total = sum(1 / spread[word] for word in words[chosen])
    return sum(1 / spread[word] for word in words[chosen] if word in said) / total if total else 0.0


def _is_near(a: float, b: float) -> bool:
    return abs(abs(a) - abs(b)) <= 0.005 * max(abs(a), abs(b))


def _run(asked: Asked, answer: Answer, final: Final | None) -> dict[str, float]:
    """Of a predicted value: the function's size and what it does, and the value's size and kind."""
    names = "run_code run_branches run_text_methods run_input run_output run_text run_container"
    seen = dict.fromkeys([*names.split(), "run_unchanged", "run_empty", "run_no_value"], 0.0)
    if asked.call is None:
        return seen
    code = asked.text[: asked.text.rfind(asked.call)]
    code = code[: code.rfind("\n\n")] if "\n\n" in code else code
    given = asked.call[asked.call.index("(") + 1 : -1]
    stated = final is not None and final.announced and len(answer.whole) > 2 * len(final.shown)
    value = (final.shown if stated and final else answer.whole).strip("`\n ")[:4000]
    quoted = value[:1] in ("'", '"')
    seen["run_code"] = math.log1p(len(code)) - 5
    seen["run_branches"] = math.log1p(len(_BRANCH.findall(code)))
    seen["run_text_methods"] = math.log1p(len(_TEXT_METHOD.findall(code)))
    seen["run_input"] = math.log1p(len(given)) - 3
    seen["run_output"] = math.log1p(len(value)) - 2
    seen["run_text"] = float(quoted)
    seen["run_container"] = float(value[:1] in ("[", "(", "{"))
    seen["run_unchanged"] = float(len(value) > 3 and value.strip("'\"") in given)
    seen["run_empty"] = float(value in ("''", '""', "[]", "{}", "()", "0", "set()"))
    seen["run_no_value"] = float(not _is_literal(value))
    return seen


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return False
    return True
