"""How far to trust a finished answer: hard checks, then evidence summed as log-odds.

    confidence = min(ceilings, sigmoid(prior + Σ learned + Σ evidence))

`prior` are the log-odds of the model's success probability, drawn towards those of a usual answer where the text says
enough by itself. What is learned are weights on what answers show, from published answers whose outcome is known; what
they have too few of to learn from (hedging, parts left out, a count that is no whole number) is weighed by hand. A
ceiling comes from a hard check that failed: nothing there, a refusal, cut off, ended for a reason nobody knows, not the
JSON or the code that was asked for.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from . import phrases
from .added import Opinion
from .answer_features import Answer, Asked, Task, features, task_of
from .events import Confidence, EscalationCause, FinishReason
from .features import Features, estimate_tokens, read
from .final_answer import Final, Kind, final_answer
from .learned import Weights, weights
from .lexicon import word_set
from .marks import Mark
from .profile import Profile, TaskType
from .profiler import wants_json
from .request import Request
from .signs import SIGNS, Sign, in_words
from .tools import ToolCall, flaw

_TOLD = 0.2
"""Log-odds against an answer below which a sign counts and is not worth a word; for it, twice as many."""
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
_HOW_MANY = re.compile(r"\bhow many\b|\bwie viele\b|\bcombien d|\bcuánt[oa]s\b", re.IGNORECASE)
_UNSEEN = re.compile(
    r"[\s\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0]*+"
)
"""White space, and what only joins or directs letters."""
_MEASURED = re.compile(
    r"\bhow many (?:more |total |square )?(?:hours|minutes|seconds|days|weeks|months|years|miles|km|kilom|met|feet"
    r"|inch|yards|pounds|kg|kilog|grams|tons|lit|gallons|ounces|cups|dollars|euros|cents|percent|times|degrees|points)",
    re.IGNORECASE,
)


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
    *,
    trained: Weights | None = None,
    calls: Sequence[ToolCall] = (),
    opinions: Sequence[Opinion] = (),
) -> Confidence:
    """`success_probability` is the decision's for the model that answered; `mean_logprob` of its output tokens, natural
    logarithm, where the provider gives it. `trained` None: as shipped. `opinions`: what the checks of plugins found.
    Never raises."""
    trained = trained or weights()
    whole = "" if _UNSEEN.fullmatch(answer) else answer.strip()
    if calls:
        return _of_calls(request, calls, finish_reason)
    if finish_reason is FinishReason.TOOL_CALLS and not whole:
        return Confidence(0.5, ("calls a tool instead of answering",))
    if not whole:
        if finish_reason is FinishReason.CONTENT_FILTER:
            return Confidence(0.0, ("withheld by the provider's content filter",), EscalationCause.REFUSAL)
        return Confidence(0.0, ("the answer is empty",), EscalationCause.EMPTY)
    seen, asked, question = Answer(whole), read(request.question), Asked(request.question)
    final = final_answer(request.question, whole)
    task = task_of(question, seen, final)
    cut_off = finish_reason is FinishReason.LENGTH or max_tokens_hit
    ceilings = _hard_checks(profile, seen, asked, task, finish_reason, cut_off)
    if request.shape is not None and not ceilings and not _is_json(whole):
        ceilings.append(_Ceiling(0.3, "is not the JSON that was asked for"))
    ceilings += [_Ceiling(0.3, opinion.reason) for opinion in opinions if opinion.falls_short]
    evidence = [
        *((opinion.weight, "") for opinion in opinions),
        *_learned(trained, question, seen, final, task),
        *_hedging(seen, profile),
        *_completeness(seen, profile, asked, task),
        *_plausibility(question, seen, final, task),
        *_log_probability(mean_logprob),
    ]
    odds = min(0.99, max(0.01, success_probability))
    prior = trained.prior(task, math.log(odds / (1 - odds)))
    value = 1 / (1 + math.exp(-(prior + sum(weight for weight, _ in evidence))))
    value = min([value, *(ceiling.most for ceiling in ceilings)])
    told = [(weight, reason) for weight, reason in evidence if reason and not -_TOLD < weight < 2 * _TOLD]
    # However little it weighs: whoever installed the check wants to see it at work.
    told += [(opinion.weight, opinion.reason) for opinion in opinions if not opinion.falls_short]
    if odds < 0.5:
        told.append((prior, f"hard for this model: {odds:.0%} likely to do well"))
    told.sort(key=lambda pair: (pair[0] > 0, -abs(pair[0])))
    ceilings.sort(key=lambda ceiling: ceiling.most)
    said = dict.fromkeys([*(ceiling.reason for ceiling in ceilings), *(reason for _, reason in told)])
    cause = next((ceiling.cause for ceiling in ceilings if ceiling.cause), None)
    return Confidence(round(value, 4), tuple(said) or ("complete, without hedging",), cause)


_CALLED, _WRONGLY_CALLED = 0.9, 0.2
"""A call that can be carried out is whole, and whether it is wise no check of its text could tell."""


def _of_calls(request: Request, calls: Sequence[ToolCall], finish: FinishReason) -> Confidence:
    if finish is FinishReason.LENGTH:
        return Confidence(_WRONGLY_CALLED, ("cut off at the length limit",), EscalationCause.TRUNCATED)
    wrong = flaw(calls, request.tools)
    if wrong:
        return Confidence(_WRONGLY_CALLED, (wrong,))
    return Confidence(_CALLED, (f"calls {', '.join(dict.fromkeys(call.name for call in calls))} as offered",))


def _hard_checks(
    profile: Profile, answer: Answer, asked: Features, task: Task, finish: FinishReason, cut_off: bool
) -> list[_Ceiling]:
    ceilings = []
    if finish is FinishReason.CONTENT_FILTER:
        reason = "stopped by the provider's content filter"
        ceilings.append(_Ceiling(0.1, reason, EscalationCause.REFUSAL))
    if finish is FinishReason.OTHER:
        ceilings.append(_Ceiling(0.3, "ended for a reason its provider does not explain"))
    if _refuses(answer.whole, asked.text):
        ceilings.append(_Ceiling(0.1, "refuses to answer", EscalationCause.REFUSAL))
    if cut_off:
        ceilings.append(_Ceiling(0.3, "cut off at the length limit", EscalationCause.TRUNCATED))
    elif answer.whole.count("```") % 2:
        ceilings.append(_Ceiling(0.35, "ends inside a block of code", EscalationCause.TRUNCATED))
    if not ceilings and wants_json(asked) and not _holds_json(answer.whole):
        ceilings.append(_Ceiling(0.4, "no valid JSON though JSON was asked for"))
    if not ceilings and task is Task.OPEN and _wants_code(profile, asked) and not _holds_code(answer):
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
    return _is_json(body)


def _is_json(text: str) -> bool:
    if len(text) > _JSON_AT_MOST:
        return text[0] in "{[" and text[-1] in "}]"
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _wants_code(profile: Profile, asked: Features) -> bool:
    builds = not _BUILDS.isdisjoint(asked.words[:25]) or any(cue in asked.text for cue in _BUILDS_CJK)
    return builds and _about_code(profile)


def _about_code(profile: Profile) -> bool:
    return sum(profile.task_probabilities.get(kind, 0.0) for kind in (TaskType.CODE, TaskType.CODE_REFACTOR)) >= 0.6


def _holds_code(answer: Answer) -> bool:
    return "`" in answer.text or bool(_FLAG.search(answer.text[:4000]))


def _learned(
    trained: Weights, asked: Asked, answer: Answer, final: Final | None, task: Task
) -> list[tuple[float, str]]:
    seen = features(asked, answer, final)
    by_sign = dict.fromkeys(Sign, 0.0)
    for name, weight in trained.contributions(task, seen).items():
        by_sign[SIGNS[name]] += weight
    return [(weight, in_words(sign, weight, seen, asked, answer, final)) for sign, weight in by_sign.items()]


def _hedging(answer: Answer, profile: Profile) -> list[tuple[float, str]]:
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
    own = (1.9 if len(words) < 80 else 1.1) * unsure
    doubt = min(4.5, own + 0.35 * max(0.0, excess)) if unsure else min(1.2, 0.35 * max(0.0, excess))
    if doubt > 0.2:
        times = unsure + guarded
        evidence.append((-weight * doubt, "hedges once" if times == 1 else f"hedges {times} times"))
    if taken_back:
        evidence.append((-weight * min(2.4, 1.3 * taken_back), "takes back what it said"))
    if len(words) > 150 and len(set(words)) < 0.12 * min(len(words), 1200):
        evidence.append((-1.8, "repeats itself"))
    return evidence


def _completeness(answer: Answer, profile: Profile, asked: Features, task: Task) -> list[tuple[float, str]]:
    evidence = []
    parts = len(_NUMBERED.findall(asked.text))
    if parts < 2 and not asked.multiple_choice:
        parts = min(6, asked.text.count("?") + asked.text.count("？"))
    if parts >= 2 and task is not Task.RUN and not asked.looks_like_code and profile.task_type not in _TELLING:
        given = max(len(_PART.findall(answer.text)), len(answer.text.split("\n\n")), answer.text.count(". ") // 2 + 1)
        if given < parts:
            evidence.append((-2.2 * (1 - given / parts), f"answers about {given} of {parts} parts"))
        else:
            evidence.append((0.15, f"answers all {parts} parts"))
    # A short question may have a short answer whatever it is about, and one line of shell is a whole program.
    terse = (asked.asks and asked.size <= 30) or wants_json(asked) or (_about_code(profile) and _holds_code(answer))
    if task is Task.OPEN and profile.task_type not in _BRIEF and profile.output_tokens >= 200 and not terse:
        share = estimate_tokens(answer.whole) / profile.output_tokens
        if share < 0.1:
            evidence.append((-2.2 if Mark.LONG in asked.marks else -0.8, "very short for what was asked"))
    ending = answer.whole[-1]
    unended = (ending in ",:;(-" or ending.islower()) and "\n" not in answer.whole[-60:]
    if unended and len(answer.whole) > 200 and profile.task_type not in _TELLING:
        evidence.append((-0.8, "breaks off in mid-sentence"))
    return evidence


def _plausibility(asked: Asked, answer: Answer, final: Final | None, task: Task) -> list[tuple[float, str]]:
    """Of a result that cannot be, whatever its working says."""
    if final is None:
        return []
    if task is Task.CHOICE and final.kind is Kind.OPTION and final.value not in asked.options:
        return [(-2.0, f"picks {final.shown}, which is not among the options")]
    evidence = []
    if task is Task.RESULT and answer.sums.wrong:
        # Besides what was learned of it from examinations, where the options often save a slip.
        evidence.append((-0.8, f"a sum does not come out: {answer.sums.wrong[0]}"))
    if final.kind is Kind.NUMBER and _HOW_MANY.search(asked.text) and not _MEASURED.search(asked.text):
        if final.value.startswith("-"):
            evidence.append((-2.2, f"counts to less than nothing: {final.shown}"))
        elif "." in final.value:
            evidence.append((-2.2, f"counts to a fraction: {final.shown}"))
    return evidence


def _log_probability(mean: float | None) -> list[tuple[float, str]]:
    """Around −0.35 a chat model is as sure as it usually is."""
    if mean is None or not math.isfinite(mean):
        return []
    weight = max(-1.4, min(0.5, 1.6 * (mean + 0.35)))
    if abs(weight) < 0.1:
        return []
    return [(weight, f"{'sure' if weight > 0 else 'unsure'} of its words: mean log-probability {mean:.2f}")]
