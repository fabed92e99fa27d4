"""The profile of a request: what kind of task it is, how hard, how large, and what it needs.

Pure and offline. Each task type gathers points from words (`lexicon`) and from the shape of the text (`features`);
a softmax over the points gives the probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from . import difficulty, lexicon
from .features import Features, estimate_tokens, read
from .marks import Mark
from .profile import Ability, Evidence, Profile, TaskType
from .request import Message, Request

TASK_NAMES: Mapping[TaskType, str] = {
    TaskType.CODE: "code",
    TaskType.CODE_REFACTOR: "refactoring",
    TaskType.DEBUGGING: "debugging",
    TaskType.MATH: "mathematics",
    TaskType.REASONING: "reasoning",
    TaskType.RESEARCH: "explanation and research",
    TaskType.ANALYSIS: "analysis",
    TaskType.PLANNING: "planning and ideas",
    TaskType.CREATIVE: "creative writing",
    TaskType.SUMMARIZATION: "summary",
    TaskType.TRANSLATION: "translation",
    TaskType.EXTRACTION: "extraction",
    TaskType.EVALUATION: "evaluation",
    TaskType.PROBLEM_GENERATION: "making up problems",
    TaskType.COMPLETION: "completion",
    TaskType.SIMPLE_QA: "simple question",
    TaskType.CONVERSATION: "conversation",
    TaskType.LONG_CONTEXT: "long context",
    TaskType.MULTIMODAL: "images",
}
"""For people."""

LONG_CONTEXT_TOKENS = 32_000
"""Input from here on needs a model made for long context."""
IMAGE_TOKENS = 1_100
"""A picture of about a megapixel; width × height / 750 by Anthropic's vision guide, 765 to 1,105 at OpenAI's high
detail for 1,024 × 1,024, 258 a tile at Google's (as of November 2026)."""
MESSAGE_TOKENS = 4
"""Role and separators around each message."""

_PRIOR: Mapping[TaskType, float] = {
    **dict.fromkeys(TaskType, -1.0),
    TaskType.SIMPLE_QA: 0.2,
    TaskType.RESEARCH: 0.2,
    TaskType.CREATIVE: 0.0,
    TaskType.CODE: 0.0,
    TaskType.CONVERSATION: -0.3,
    TaskType.REASONING: -0.5,
    TaskType.ANALYSIS: -0.5,
    TaskType.PLANNING: -0.5,
    TaskType.LONG_CONTEXT: -3.0,
    TaskType.MULTIMODAL: -3.0,
}
_INSTRUCTION_HEAD, _INSTRUCTION_TAIL = 40, 25
_MOST_POINTS = 5.5
_SHARPNESS = 1.25
_COMMANDED = frozenset(
    {TaskType.TRANSLATION, TaskType.SUMMARIZATION, TaskType.EXTRACTION, TaskType.COMPLETION, TaskType.CODE_REFACTOR}
)
"""Types whose verb at the very start rules over what the text that follows is about."""
_RELATIVE = lexicon.word_set("who when where which whose qui quand où quel que qué wer wann wo welche welcher")
"""Question words that mostly only join clauses when they stand further on."""
_ABOUT_CODE = (TaskType.CODE, TaskType.DEBUGGING, TaskType.CODE_REFACTOR)

_EXPECTED_OUTPUT: Mapping[TaskType, int] = {
    TaskType.CODE: 600,
    TaskType.CODE_REFACTOR: 700,
    TaskType.DEBUGGING: 600,
    TaskType.MATH: 500,
    TaskType.REASONING: 400,
    TaskType.RESEARCH: 600,
    TaskType.ANALYSIS: 600,
    TaskType.PLANNING: 700,
    TaskType.CREATIVE: 650,
    TaskType.SUMMARIZATION: 250,
    TaskType.TRANSLATION: 100,
    TaskType.EXTRACTION: 250,
    TaskType.EVALUATION: 350,
    TaskType.PROBLEM_GENERATION: 600,
    TaskType.COMPLETION: 150,
    TaskType.SIMPLE_QA: 120,
    TaskType.CONVERSATION: 60,
    TaskType.LONG_CONTEXT: 600,
    TaskType.MULTIMODAL: 300,
}
"""Tokens of a typical chat answer; set by hand, as good as a factor of two."""


def profile(request: Request) -> Profile:
    """Any request, the empty one included; never raises. Well under a millisecond for an ordinary prompt, and bounded
    for any."""
    features = read(request.prompt)
    input_tokens = _input_tokens(request)
    points, spoken = _points(features)
    evidence = [Evidence(f"{cue!r} speaks for {TASK_NAMES[kind]}", 0.0) for cue, kind in spoken]
    evidence += _from_conversation(request, features, points)
    evidence += _from_size(request, input_tokens, points)
    probabilities = _softmax(points)
    task_type = max(probabilities, key=lambda kind: probabilities[kind])
    hard, complexity, reasons = difficulty.assess(features, probabilities)
    return Profile(
        task_type=task_type,
        task_probabilities=probabilities,
        difficulty=hard,
        complexity=complexity,
        input_tokens=input_tokens,
        output_tokens=_output_tokens(request, features, task_type),
        needs=_needs(request, features, input_tokens),
        evidence=(*reasons[:8], *evidence[:6]),
        novelty=round(features.strangeness, 3),
    )


def _softmax(points: Mapping[TaskType, float]) -> dict[TaskType, float]:
    top = max(points.values())
    grown = {kind: math.exp(_SHARPNESS * (score - top)) for kind, score in points.items()}
    total = math.fsum(grown.values())
    return {kind: value / total for kind, value in sorted(grown.items(), key=lambda pair: -pair[1])}


def _points(features: Features) -> tuple[dict[TaskType, float], list[tuple[str, TaskType]]]:
    """Points per type, and the cues that gave most of those for the leading types."""
    said, spoken = _cues(features)
    points = {kind: prior + min(_MOST_POINTS, said.get(kind, 0.0)) for kind, prior in _PRIOR.items()}
    _add_shape(features, said, points)
    leading = sorted(points, key=lambda kind: -points[kind])[:2]
    return points, [(cue, kind) for _, cue, kind in sorted(spoken, reverse=True) if kind in leading][:4]


def _cues(features: Features) -> tuple[dict[TaskType, float], list[tuple[float, str, TaskType]]]:
    words = features.words
    heard: dict[int, tuple[float, str, TaskType]] = {}
    tail = len(words) - _INSTRUCTION_TAIL
    following = (*words[1:], "")
    for at, word in enumerate(words):
        for rest, kind, weight, text, number in _filed_under(word):
            if rest and (rest[0] != following[at] or words[at + 1 : at + 1 + len(rest)] != rest):
                continue
            if at < 3:
                weight *= 1.6 if kind in _COMMANDED else 1.3
            elif _INSTRUCTION_HEAD <= at < tail or (at > 3 and word in _RELATIVE):
                weight *= 0.25
            if number not in heard or heard[number][0] < weight:
                heard[number] = (weight, text, kind)
    spoken = list(heard.values())
    if features.cjk:
        spoken += [(weight, cue, kind) for cue, kind, weight in lexicon.CJK_CUES if cue in features.text]
    said: dict[TaskType, float] = {}
    for weight, _, kind in spoken:
        said[kind] = said.get(kind, 0.0) + weight
    return said, spoken


def _filed_under(word: str) -> tuple[lexicon.Cue, ...]:
    cues = lexicon.CUES.get(word, ())
    # 'Explique-moi', 'code-review': the part before the hyphen, where the whole is not listed.
    return lexicon.CUES.get(word.partition("-")[0], ()) if not cues and "-" in word else cues


def _add_shape(features: Features, said: Mapping[TaskType, float], points: dict[TaskType, float]) -> None:
    """Adds what the form of the text says, whatever language it is in."""
    size = features.size
    if features.asks and size <= 30 and not features.multiple_choice:
        points[TaskType.SIMPLE_QA] += 0.8
    if size <= 4 and not (said.keys() - {TaskType.CONVERSATION}):
        points[TaskType.CONVERSATION] += 2.0 if size else 4.0
    elif said.get(TaskType.CONVERSATION) and size > 12 and max(said.values()) > 1.5 and len(said) > 1:
        # 'Hi, can you …' greets, and then asks for something.
        points[TaskType.CONVERSATION] -= 2.0
    if features.looks_like_code:
        points[TaskType.CODE] += 2.2
        for kind in (TaskType.DEBUGGING, TaskType.CODE_REFACTOR):
            if said.get(kind):
                points[kind] += 3.0
    elif not said.get(TaskType.CODE) and not features.error_names:
        # 'Fix', 'wrong' and 'simplify' are said of many things but code.
        points[TaskType.DEBUGGING] -= 1.5
        points[TaskType.CODE_REFACTOR] -= 1.5
    if said.get(TaskType.CODE, 0.0) >= 2:
        # 'How do I undo a commit?' is about programming before it is a wish to understand.
        points[TaskType.RESEARCH] -= 0.8
    if features.error_names:
        points[TaskType.DEBUGGING] += 4.0 if said.get(TaskType.DEBUGGING) else 2.2
        points[TaskType.CODE] += 0.6
    if features.math_signs and not features.looks_like_code:
        points[TaskType.MATH] += min(2.4, 0.8 + 0.4 * features.math_signs)
    if features.quantities >= 3 and features.asks and size > 15 and not features.options:
        points[TaskType.MATH] += 4.0
    if features.multiple_choice:
        points[TaskType.REASONING] += 3.0
    if "___" in features.text:
        points[TaskType.COMPLETION] += 2.5


def _from_conversation(request: Request, features: Features, points: dict[TaskType, float]) -> list[Evidence]:
    """A short follow-up is mostly of the kind of the turn before it."""
    before = [message for message in request.messages[-4:-1] if message.role == "user"]
    if not before or features.size > 25:
        return []
    opening = features.words[:3]
    follows = bool(lexicon.FOLLOW_UP.found(opening)) or features.text.startswith(lexicon.CJK_FOLLOW_UP)
    if not follows and max(points.values()) > 2.5:
        return []
    earlier, _ = _points(read(before[-1].text))
    leading = max(earlier, key=lambda kind: earlier[kind])
    weight = 0.8 if follows else 0.5
    for kind, prior in _PRIOR.items():
        if kind is TaskType.CONVERSATION and leading is not kind:
            continue
        points[kind] += weight * max(0.0, earlier[kind] - prior)
    answered = next((message for message in request.messages[-2::-1] if message.role == "assistant"), None)
    if answered and answered.text.count("```", 0, 4000) and leading in _ABOUT_CODE:
        points[TaskType.CODE] += 1.5
    return [Evidence(f"follows on from {TASK_NAMES[leading]}", 0.0)]


def _from_size(request: Request, input_tokens: int, points: dict[TaskType, float]) -> list[Evidence]:
    evidence = []
    if input_tokens >= LONG_CONTEXT_TOKENS:
        points[TaskType.LONG_CONTEXT] += 7.0 + 2 * math.log2(input_tokens / LONG_CONTEXT_TOKENS)
        evidence.append(Evidence(f"about {input_tokens:,} tokens of input", 0.0))
    pictures = len(request.messages[-1].images) if request.messages else 0
    if pictures:
        points[TaskType.MULTIMODAL] += 8.0
        evidence.append(Evidence(f"{pictures} image{'s' if pictures > 1 else ''} attached", 0.0))
    return evidence


def _input_tokens(request: Request) -> int:
    """The whole conversation. Of more than 200 messages every nth is measured and the sum scaled by their lengths."""
    messages = request.messages
    images = sum(len(message.images) for message in messages)
    fixed = images * IMAGE_TOKENS + len(messages) * MESSAGE_TOKENS + estimate_tokens(request.system)
    if len(messages) <= 200:
        return fixed + sum(estimate_tokens(message.text) for message in messages)
    last, older = messages[-1], messages[:-1]
    sample: tuple[Message, ...] = older[:: len(older) // 100]
    measured = sum(estimate_tokens(message.text) for message in sample)
    length = sum(len(message.text) for message in sample)
    whole = sum(len(message.text) for message in older)
    return fixed + estimate_tokens(last.text) + round(measured * whole / max(1, length))


def _needs(request: Request, features: Features, input_tokens: int) -> frozenset[Ability]:
    needs = set()
    if request.has_images:
        needs.add(Ability.VISION)
    if input_tokens >= LONG_CONTEXT_TOKENS:
        needs.add(Ability.LONG_CONTEXT)
    if request.metadata.get("tools"):
        needs.add(Ability.TOOLS)
    if wants_json(features) or Mark.STRUCTURED in features.marks:
        needs.add(Ability.STRUCTURED_OUTPUT)
    return frozenset(needs)


def wants_json(features: Features) -> bool:
    """The answer itself is to be JSON: 'answer in JSON', 'return a JSON object', not 'what is JSON?'."""
    words = features.words
    return any(
        word == "json" and not _WANTING.isdisjoint(words[max(0, at - 6) : at]) for at, word in enumerate(words)
    ) or any(cue in features.text for cue in ("JSON格式", "JSON形式", "JSONで", "用JSON", "以JSON"))


_WANTING = lexicon.word_set(
    "as in return respond reply output answer give provide only valid produce als gib antworte liefere nur "
    "en réponds renvoie donne uniquement responde devuelve da formato"
)


def _output_tokens(request: Request, features: Features, task_type: TaskType) -> int:
    expected = _asked_length(features)
    if expected is None:
        expected = _EXPECTED_OUTPUT[task_type]
        own = estimate_tokens(request.prompt)
        if task_type is TaskType.TRANSLATION:
            expected = max(30, own)
        elif task_type is TaskType.SUMMARIZATION:
            expected = max(80, min(500, own // 4)) if own > 150 else expected
        elif task_type in (TaskType.CODE_REFACTOR, TaskType.DEBUGGING):
            expected = max(expected, min(4000, own + 200))
        if Mark.LONG in features.marks:
            expected = round(expected * 1.7)
        elif Mark.SHORT in features.marks:
            expected = max(15, expected // 3)
    return min(expected, request.max_tokens) if request.max_tokens else expected


_UNIT_TOKENS: Mapping[str, float] = lexicon.by_word(
    (1.4, "word words wörter worte wörtern mots palabras"),
    (28.0, "sentence sentences satz sätze sätzen phrase phrases frase frases oración oraciones"),
    (120.0, "paragraph paragraphs absatz absätze absätzen paragraphe paragraphes párrafo párrafos"),
    (650.0, "page pages seite seiten página páginas"),
    (40.0, "bullet bullets examples ideas tips items points beispiele ideen exemples ejemplos"),
)
_NUMERALS: Mapping[str, float] = lexicon.by_word(
    (1, "a one single einem einen un une una"),
    (2, "two zwei deux dos"),
    (3, "three drei trois tres"),
    (4, "four vier quatre cuatro"),
    (5, "five fünf cinq cinco"),
    (10, "ten zehn dix diez"),
)


def _asked_length(features: Features) -> int | None:
    """Tokens, where the prompt says how long the answer shall be: '500 words', 'in one sentence', '800字'."""
    words = features.words
    for at, word in enumerate(words):
        each = _UNIT_TOKENS.get(word)
        if each and at:
            for said in reversed(words[max(0, at - 2) : at]):
                count = int(said) if said.isdecimal() and len(said) <= 5 else _NUMERALS.get(said)
                # 'a word' and 'a point' stand in many a sentence that asks for no length.
                if count and not (said == "a" or (count == 1 and each == 1.4 and words[max(0, at - 2)] != "in")):
                    return max(8, min(16_000, round(count * each)))
    if features.cjk:
        for at, word in enumerate(words[:-1]):
            if word.isdecimal() and len(word) <= 5 and words[at + 1].startswith(("字", "文字")):
                return max(8, min(16_000, int(word)))
    return None
