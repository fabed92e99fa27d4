"""How far to trust a finished answer: hard checks, then evidence summed as log-odds.

    confidence = min(ceilings, sigmoid(1 + fit + Σ evidence))

`fit` is half the log-odds of the model's success probability, within ±1: what was expected of this model before it
answered. Evidence is what the text shows, each piece with a weight below. A ceiling comes from a hard check that
failed: nothing there, a refusal, cut off, not the JSON or the code that was asked for. The weights are set by hand;
text alone tells a wrong answer from a right one little better than chance, so the number orders answers and promises
nothing.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass

from . import phrases
from .events import Confidence, EscalationCause, FinishReason
from .features import Features, estimate_tokens, read, words_of
from .lexicon import word_set
from .marks import Mark
from .profile import Profile, TaskType
from .profiler import wants_json
from .request import Request

_HEAD, _TAIL = 12_000, 4_000
"""Characters of an answer that are read word by word; what is said between is of a kind with them."""
_REFUSAL_WITHIN, _REFUSAL_AT_MOST = 240, 900
_JSON_AT_MOST = 400_000

_TELLING = (TaskType.CREATIVE, TaskType.TRANSLATION, TaskType.SUMMARIZATION, TaskType.COMPLETION)
"""Types whose answers carry others' words: their hedges are not the model's."""
_BRIEF = (
    *(TaskType.SIMPLE_QA, TaskType.CONVERSATION, TaskType.TRANSLATION, TaskType.COMPLETION, TaskType.EXTRACTION),
    *(TaskType.MATH, TaskType.REASONING, TaskType.MULTIMODAL, TaskType.SUMMARIZATION, TaskType.EVALUATION),
)
"""Types to which one line can be the whole answer."""
_BUILDS = word_set(
    "write implement create build code generate make add refactor convert rewrite program script give show schreibe "
    "schreib implementiere erstelle programmiere écris écrivez implémente crée escribe implementa crea"
)
_BUILDS_CJK = ("写", "实现", "编写", "書いて", "実装", "作って")
_FLAG = re.compile(r"(?:^|\s)-{1,2}[A-Za-z]|^\s{4}\S|[|;{}=]|\w\(", re.MULTILINE)
_PART = re.compile(r"^[ \t]*(?:[-*•]|#{1,6}|\(?[0-9a-h]{1,2}[.):]|\*\*)[ \t]?\S", re.MULTILINE)
_NUMBERED = re.compile(r"^[ \t]*\(?\d{1,2}[.)][ \t]", re.MULTILINE)
_OPTION_NAMED = re.compile(
    r"(?:answer|option|choice)\b[^\n]{0,12}\b[A-J]\b|boxed|\([A-J]\)|(?:^|\n)\W*[A-J]\b", re.IGNORECASE
)
_NO_OPTION_FITS = re.compile(
    r"\bclosest|\bnone of the (?:options|choices|above|given)|\bnot (?:listed|among|match)|n't match", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    """The two ends that are read."""
    whole: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Ceiling:
    most: float
    reason: str
    cause: EscalationCause | None = None


def assess(
    request: Request,
    profile: Profile,
    answer: str,
    finish_reason: FinishReason,
    success_probability: float,
    mean_logprob: float | None = None,
    max_tokens_hit: bool = False,
) -> Confidence:
    """`success_probability` is the decision's for the model that answered; `mean_logprob` of its output tokens, natural
    logarithm, where the provider gives it. Never raises."""
    whole = answer.strip()
    if finish_reason is FinishReason.TOOL_CALLS and not whole:
        return Confidence(0.5, ("calls a tool instead of answering",))
    if not whole:
        if finish_reason is FinishReason.CONTENT_FILTER:
            return Confidence(0.0, ("withheld by the provider's content filter",), EscalationCause.REFUSAL)
        return Confidence(0.0, ("the answer is empty",), EscalationCause.EMPTY)
    text = whole if len(whole) <= _HEAD + _TAIL else f"{whole[:_HEAD]}\n{whole[-_TAIL:]}"
    seen = _Answer(text, whole, words_of(text))
    asked = read(request.prompt)
    cut_off = finish_reason is FinishReason.LENGTH or max_tokens_hit
    ceilings = _hard_checks(profile, seen, asked, finish_reason, cut_off)
    evidence = [
        *_hedging(seen, profile),
        *_completeness(seen, profile, asked),
        *_closed_question(seen, profile, asked),
        *_log_probability(mean_logprob),
    ]
    odds = min(0.99, max(0.01, success_probability))
    fit = max(-1.0, min(1.0, 0.5 * math.log(odds / (1 - odds))))
    if odds < 0.5:
        evidence.append((fit, f"hard for this model: {odds:.0%} likely to do well"))
        fit = 0.0
    value = 1 / (1 + math.exp(-(1.0 + fit + sum(weight for weight, _ in evidence))))
    value = min([value, *(ceiling.most for ceiling in ceilings)])
    against = sorted((pair for pair in evidence if pair[0] < 0), key=lambda pair: pair[0])
    speaking_for = [reason for weight, reason in evidence if weight > 0]
    ceilings.sort(key=lambda ceiling: ceiling.most)
    reasons = (*(ceiling.reason for ceiling in ceilings), *(reason for _, reason in against), *speaking_for)
    cause = next((ceiling.cause for ceiling in ceilings if ceiling.cause), None)
    return Confidence(round(value, 4), reasons or ("complete, without hedging",), cause)


def _hard_checks(
    profile: Profile, answer: _Answer, asked: Features, finish: FinishReason, cut_off: bool
) -> list[_Ceiling]:
    ceilings = []
    if finish is FinishReason.CONTENT_FILTER:
        reason = "stopped by the provider's content filter"
        ceilings.append(_Ceiling(0.1, reason, EscalationCause.REFUSAL))
    if _refuses(answer.whole, asked.text):
        ceilings.append(_Ceiling(0.1, "refuses to answer", EscalationCause.REFUSAL))
    if cut_off:
        ceilings.append(_Ceiling(0.3, "cut off at the length limit", EscalationCause.TRUNCATED))
    elif answer.whole.count("```") % 2:
        ceilings.append(_Ceiling(0.35, "ends inside a block of code", EscalationCause.TRUNCATED))
    if not ceilings and wants_json(asked) and not _holds_json(answer.whole):
        ceilings.append(_Ceiling(0.4, "no valid JSON though JSON was asked for"))
    if not ceilings and _wants_code(profile, asked) and not _holds_code(answer):
        ceilings.append(_Ceiling(0.4, "no code though code was asked for"))
    return ceilings


def _refuses(answer: str, prompt: str) -> bool:
    """A refusal opens the answer and is most of it; one quoted, translated or written to order is none."""
    if len(answer) > _REFUSAL_AT_MOST:
        return False
    match = phrases.REFUSAL.search(answer[:_REFUSAL_WITHIN].replace("’", "'"))
    if match is None or answer[match.start() - 1 : match.start()] in ('"', "“", "„", "«", "'", "「"):
        return False
    lowered = prompt.lower().replace("’", "'")
    return not any(cue in lowered for cue in phrases.REFUSING) and not phrases.REFUSAL.search(lowered)


def _holds_json(answer: str) -> bool:
    """The answer, its fenced block or what lies between its outer brackets parses. Beyond 400,000 characters only the
    brackets are looked at."""
    if "```" in answer:
        block = answer.split("```", 2)[1]
        tag, _, rest = block.partition("\n")
        body = rest if tag.strip().isalpha() or not tag.strip() else block
    else:
        body = answer
    starts = [at for at in (body.find("{"), body.find("[")) if at >= 0]
    end = max(body.rfind("}"), body.rfind("]"))
    if starts and end > min(starts):
        body = body[min(starts) : end + 1]
    if len(body) > _JSON_AT_MOST:
        return body[0] in "{[" and body[-1] in "}]"
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _wants_code(profile: Profile, asked: Features) -> bool:
    builds = not _BUILDS.isdisjoint(asked.words[:25]) or any(cue in asked.text for cue in _BUILDS_CJK)
    return builds and _about_code(profile)


def _about_code(profile: Profile) -> bool:
    return sum(profile.task_probabilities.get(kind, 0.0) for kind in (TaskType.CODE, TaskType.CODE_REFACTOR)) >= 0.6


def _holds_code(answer: _Answer) -> bool:
    return "`" in answer.text or bool(_FLAG.search(answer.text[:4000]))


def _hedging(answer: _Answer, profile: Profile) -> list[tuple[float, str]]:
    """Doubt of its own, by number; guarded words by density; corrections of itself."""
    words, text = answer.words, answer.text
    cjk = not text.isascii()
    unsure = len(phrases.UNSURE.found(words)) + (sum(map(text.count, phrases.UNSURE_CJK)) if cjk else 0)
    guarded = len(phrases.GUARDED.found(words)) + (sum(map(text.count, phrases.GUARDED_CJK)) if cjk else 0)
    taken_back = len(phrases.TAKEN_BACK.found(words)) + (sum(map(text.count, phrases.TAKEN_BACK_CJK)) if cjk else 0)
    weight = 0.2 if profile.task_type in _TELLING else 1.0
    evidence = []
    # One guarded word in sixty is good manners.
    excess = guarded - (len(words) + len(text) / 4 * (not words or cjk)) / 60
    doubt = min(3.0, 1.1 * unsure + 0.35 * max(0.0, excess)) if unsure else min(1.2, 0.35 * max(0.0, excess))
    if doubt > 0.2:
        times = unsure + guarded
        evidence.append((-weight * doubt, "hedges once" if times == 1 else f"hedges {times} times"))
    if taken_back:
        evidence.append((-weight * min(2.4, 1.3 * taken_back), "takes back what it said"))
    if len(words) > 150 and len(set(words)) < 0.12 * min(len(words), 1200):
        evidence.append((-1.8, "repeats itself"))
    return evidence


def _completeness(answer: _Answer, profile: Profile, asked: Features) -> list[tuple[float, str]]:
    evidence = []
    parts = len(_NUMBERED.findall(asked.text))
    if parts < 2 and not asked.multiple_choice:
        parts = min(6, asked.text.count("?") + asked.text.count("？"))
    if parts >= 2 and not asked.looks_like_code and profile.task_type not in _TELLING:
        given = max(len(_PART.findall(answer.text)), len(answer.text.split("\n\n")), answer.text.count(". ") // 2 + 1)
        if given < parts:
            evidence.append((-2.2 * (1 - given / parts), f"answers about {given} of {parts} parts"))
        else:
            evidence.append((0.15, f"answers all {parts} parts"))
    # A short question may have a short answer whatever it is about, and one line of shell is a whole program.
    terse = (asked.asks and asked.size <= 30) or wants_json(asked) or (_about_code(profile) and _holds_code(answer))
    if profile.task_type not in _BRIEF and profile.output_tokens >= 200 and not terse:
        share = estimate_tokens(answer.whole) / profile.output_tokens
        if share < 0.1:
            evidence.append((-2.2 if Mark.LONG in asked.marks else -0.8, "very short for what was asked"))
    ending = answer.whole[-1]
    unended = (ending in ",:;(-" or ending.islower()) and "\n" not in answer.whole[-60:]
    if unended and len(answer.whole) > 200 and profile.task_type not in _TELLING:
        evidence.append((-0.8, "breaks off in mid-sentence"))
    return evidence


def _closed_question(answer: _Answer, profile: Profile, asked: Features) -> list[tuple[float, str]]:
    """Of a question with one right answer. On published examination answers (MMLU-Pro, four models) these three told
    wrong from right best."""
    if not (asked.multiple_choice or profile.task_type in (TaskType.MATH, TaskType.REASONING)):
        return []
    evidence = []
    if _NO_OPTION_FITS.search(answer.text[-1500:]):
        evidence.append((-1.0, "says that no option fits its result"))
    if asked.multiple_choice and not _OPTION_NAMED.search(answer.text[-300:] + "\n" + answer.text[:100]):
        evidence.append((-1.0, "names none of the options"))
    doublings = math.log2(max(1.0, estimate_tokens(answer.whole) / 100))
    if doublings >= 0.5 and not asked.looks_like_code and profile.difficulty < 0.65:
        evidence.append((-min(1.0, 0.25 * doublings), "long working for a question with one answer"))
    return evidence


def _log_probability(mean: float | None) -> list[tuple[float, str]]:
    """Around −0.35 a chat model is as sure as it usually is."""
    if mean is None or not math.isfinite(mean):
        return []
    weight = max(-1.4, min(0.5, 1.6 * (mean + 0.35)))
    if abs(weight) < 0.1:
        return []
    return [(weight, f"{'sure' if weight > 0 else 'unsure'} of its words: mean log-probability {mean:.2f}")]
