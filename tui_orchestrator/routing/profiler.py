"""The profile of a request: what kind of task it is, how hard, how large, and what it needs.

Pure and offline. What words and form say comes from trained weights (`prediction`, `difficulty`); what the
conversation, its size and its attachments say is added here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from . import lexicon
from .cues import LEARNED_TYPES
from .difficulty import Assessment, assess
from .features import Features, estimate_tokens, read
from .marks import Mark
from .prediction import OUTPUT, Prediction, Weights
from .prediction import weights as shipped
from .profile import Ability, Evidence, Profile, Published, TaskType, Told
from .prompt_size import input_size
from .request import Request
from .text import spoken

LONG_CONTEXT_TOKENS = 32_000
"""Input from here on needs a model made for long context."""


def profile(request: Request, weights: Weights | None = None) -> Profile:
    """Any request, the empty one included; never raises. Well under a millisecond for an ordinary prompt, and bounded
    for any. `weights`: others than those shipped, to measure with."""
    if request.continues and len(request.messages) > 2:
        return _of_the_rest(request, weights)
    learned = weights or shipped()
    features = read(request.question)
    seen = learned.predict(features)
    input_tokens, mix = input_size(request)
    probabilities = _softmax(seen.logits()) if features.tokens else dict(_NOTHING_SAID)
    hard = assess(learned, features, seen)
    told = partial(_speaking_for, learned, seen, max(probabilities, key=probabilities.__getitem__))
    difficulty, complexity, published = hard.difficulty, hard.complexity, seen.published
    follows = _follows_on(learned, request, features, probabilities)
    if follows is not None:
        probabilities = _mixed(probabilities, follows.probabilities, follows.share)
        difficulty += follows.share * (follows.hard.difficulty - difficulty)
        complexity = round(complexity + follows.share * (follows.hard.complexity - complexity))
        told = partial(_said, f"follows on from {spoken(follows.task_type)}")
    sized = _by_size(request, input_tokens, probabilities)
    if follows is not None or sized:
        published = Published()
    if request.task_type is not None:
        probabilities = {request.task_type: 1.0}
        sized, told = [], partial(_said, f"said to be {spoken(request.task_type)}")
    weighed: Sequence[Evidence] = hard.evidence
    novelty = hard.novelty
    if request.difficulty is not None:
        difficulty, complexity = request.difficulty, round(1 + 9 * request.difficulty)
        weighed, novelty, published = _said(f"said to be of difficulty {difficulty:.2f}"), 0.0, Published()
    ordered = dict(sorted(probabilities.items(), key=lambda pair: -pair[1]))
    task_type = next(iter(ordered))
    return Profile(
        task_type=task_type,
        task_probabilities=ordered,
        difficulty=difficulty,
        complexity=complexity,
        input_tokens=input_tokens,
        output_tokens=_output_tokens(request, features, task_type, math.exp(min(9.0, seen.heads[OUTPUT]))),
        needs=_needs(request, features, input_tokens),
        evidence=Told(lambda: (*weighed, *told(), *sized, *_likeness(published))),
        novelty=novelty,
        mix=mix,
        published=published,
    )


def _said(what: str) -> list[Evidence]:
    return [Evidence(what, 0.0)]


def _likeness(published: Published) -> list[Evidence]:
    return _said(f"like published questions of {published.kind}") if published.trust >= 0.5 else []


def _of_the_rest(request: Request, weights: Weights | None) -> Profile:
    """Of an answer that is gone on with: the task is that of the prompt before it, not of the words that ask to go
    on."""
    *asked, said, _ = request.messages
    whole = profile(replace(request, messages=tuple(asked), continues=False), weights)
    input_tokens, mix = input_size(request)
    left = max(_LEAST_LEFT, whole.output_tokens - estimate_tokens(said.text))
    return replace(whole, input_tokens=input_tokens, mix=mix, output_tokens=min(left, request.max_tokens or left))


_LEAST_LEFT = 100
"""Tokens expected of the rest of an answer that is already as long as was expected of all of it."""

_NOTHING_SAID = {TaskType.CONVERSATION: 1.0}


def _softmax(logits: Mapping[TaskType, float]) -> dict[TaskType, float]:
    top = max(logits.values())
    grown = {kind: math.exp(score - top) for kind, score in logits.items()}
    total = math.fsum(grown.values())
    return {kind: value / total for kind, value in grown.items()}


def _mixed(one: Mapping[TaskType, float], other: Mapping[TaskType, float], share: float) -> dict[TaskType, float]:
    return {kind: (1 - share) * value + share * other[kind] for kind, value in one.items()}


def _speaking_for(learned: Weights, seen: Prediction, kind: TaskType) -> list[Evidence]:
    named = learned.speaking_for(seen, LEARNED_TYPES.index(kind))
    return [Evidence(f"{name} speaks for {spoken(kind)}", 0.0) for name in named]


@dataclass(frozen=True, slots=True)
class _Earlier:
    """The turn before, where the prompt leans on it."""

    probabilities: Mapping[TaskType, float]
    hard: Assessment
    share: float

    @property
    def task_type(self) -> TaskType:
        return max(self.probabilities, key=self.probabilities.__getitem__)


def _follows_on(
    learned: Weights, request: Request, features: Features, probabilities: Mapping[TaskType, float]
) -> _Earlier | None:
    """A short follow-up is mostly of the kind of the turn before it, and about as hard."""
    at = request.asked_at
    before = [message for message in request.messages[max(0, at - 3) : max(0, at)] if message.role == "user"]
    if not before or features.size > _FOLLOW_UP_WORDS or probabilities.get(TaskType.CONVERSATION, 0.0) > _THANKS:
        return None
    opening = features.words[:3]
    said = bool(lexicon.FOLLOW_UP.found(opening)) or features.text.startswith(lexicon.CJK_FOLLOW_UP)
    if not said and (max(probabilities.values()) > _SURE or probabilities.get(TaskType.CONVERSATION, 0.0) > _CHAT):
        return None
    earlier = read(before[-1].text)
    seen = learned.predict(earlier)
    share = _FOLLOWING if said else _LEANING
    return _Earlier(_softmax(seen.logits()), assess(learned, earlier, seen), share)


_FOLLOW_UP_WORDS = 25
_SURE, _CHAT, _THANKS = 0.6, 0.5, 0.9
_FOLLOWING, _LEANING = 0.7, 0.4
"""How much of the profile is the earlier turn's: where the prompt opens like a follow-up, and where it only says little
by itself."""


def _by_size(request: Request, input_tokens: int, probabilities: dict[TaskType, float]) -> list[Evidence]:
    """Long context and images are seen, not learned: they take their share of the probabilities in place."""
    evidence = []
    pictures = len(request.messages[-1].images) if request.messages else 0
    for kind, share, what in (
        (
            TaskType.LONG_CONTEXT,
            min(0.97, 0.8 + 0.05 * math.log2(max(1, input_tokens) / LONG_CONTEXT_TOKENS)),
            f"about {input_tokens:,} tokens of input" if input_tokens >= LONG_CONTEXT_TOKENS else "",
        ),
        (TaskType.MULTIMODAL, 0.9, f"{pictures} image{'s' if pictures > 1 else ''} attached" if pictures else ""),
    ):
        if what:
            for other in probabilities:
                probabilities[other] *= 1 - share
            probabilities[kind] = share
            evidence.append(Evidence(what, 0.0))
    return evidence


def _needs(request: Request, features: Features, input_tokens: int) -> frozenset[Ability]:
    needs = set()
    if request.has_images:
        needs.add(Ability.VISION)
    if input_tokens >= LONG_CONTEXT_TOKENS:
        needs.add(Ability.LONG_CONTEXT)
    if request.uses_tools or request.metadata.get("tools"):
        needs.add(Ability.TOOLS)
    if request.shape is not None or wants_json(features) or Mark.STRUCTURED in features.marks:
        needs.add(Ability.STRUCTURED_OUTPUT)
    return frozenset(needs)


def wants_json(features: Features) -> bool:
    """The answer itself is to be JSON: 'answer in JSON', 'return a JSON object', not 'what is JSON?'."""
    words = features.words if "json" in features.distinct else ()
    return any(
        word == "json" and not _WANTING.isdisjoint(words[max(0, at - 6) : at]) for at, word in enumerate(words)
    ) or (features.cjk > 0 and any(cue in features.text for cue in _CJK_JSON))


_CJK_JSON = ("JSON格式", "JSON形式", "JSONで", "用JSON", "以JSON")
_WANTING = lexicon.word_set(
    "as in return respond reply output answer give provide only valid produce als gib antworte liefere nur "
    "en réponds renvoie donne uniquement responde devuelve da formato"
)


_SHORTEST, _LONG = 10, 900
"""Tokens of an answer; of one that was asked to be thorough, at least."""


def _output_tokens(request: Request, features: Features, task_type: TaskType, learned: float) -> int:
    expected = _asked_length(features)
    if expected is None and task_type is TaskType.CREATIVE:
        expected = _length_of_form(features)
    if expected is None:
        expected = max(_SHORTEST, round(learned))
        if task_type in _AS_LONG_AS_ITS_TEXT:
            expected = _by_its_text(task_type, estimate_tokens(request.question), expected)
        if Mark.LONG in features.marks:
            expected = max(_LONG, expected)
        elif _YES_OR_NO.may_stand_among(features.distinct) and _YES_OR_NO.found(features.words):
            expected = min(_SAYING_WHICH, expected)
    return min(expected, request.max_tokens) if request.max_tokens else expected


_AS_LONG_AS_ITS_TEXT = frozenset(
    {TaskType.TRANSLATION, TaskType.SUMMARIZATION, TaskType.CODE_REFACTOR, TaskType.DEBUGGING}
)


def _by_its_text(task_type: TaskType, own: int, expected: int) -> int:
    """`own`: tokens of the prompt."""
    if task_type is TaskType.TRANSLATION:
        return max(30, own)
    if task_type is TaskType.SUMMARIZATION:
        return max(80, min(500, own // 4)) if own > 150 else expected
    return max(expected, min(4000, own + 200))


_UNIT_TOKENS: Mapping[str, float] = lexicon.by_word(
    (1.4, "word words wörter worte wörtern mots palabras"),
    (28.0, "sentence sentences satz sätze sätzen phrase phrases frase frases oración oraciones"),
    (120.0, "paragraph paragraphs absatz absätze absätzen paragraphe paragraphes párrafo párrafos"),
    (650.0, "page pages seite seiten página páginas"),
    (40.0, "bullet bullets examples ideas tips items points beispiele ideen exemples ejemplos"),
)
_NUMERALS: Mapping[str, float] = lexicon.by_word(
    (1, "a one single einem einen einzigen un une una"),
    (2, "two zwei deux dos"),
    (3, "three drei trois tres"),
    (4, "four vier quatre cuatro"),
    (5, "five fünf cinq cinco"),
    (10, "ten zehn dix diez"),
)


_BEFORE_ONE = lexicon.word_set("in with a answer just only mit antworte en d'un con")
"""'In one word', 'with a single word': an answer of one word. 'One word of advice' is none."""
_FORM_TOKENS: Mapping[str, float] = lexicon.by_word(
    (25.0, "haiku haikus haïku haïkus senryu couplet couplets"),
    (15.0, "slogan slogans tagline taglines motto headline headlines einzeiler one-liner one-liners"),
    (60.0, "limerick limericks limerik limericke tweet tweets quatrain quatrains vierzeiler cinquain"),
)
_CJK_FORMS: Mapping[str, float] = {"俳句": 30.0, "川柳": 30.0, "短歌": 50.0, "标语": 20.0, "口号": 20.0}
"""Short forms and what one of them comes to in tokens, a title or a word of introduction included."""
_FORM_WITHIN = 8
"""Words at the beginning among which a form is what is asked for: 'a story about a poet who hates haikus' is not."""
_YES_OR_NO = lexicon.Phrases("yes_or_no yes/no true_or_false ja_oder_nein oui_ou_non sí_o_no si_o_no vrai_ou_faux")
_SAYING_WHICH = 40


def _length_of_form(features: Features) -> int | None:
    words = features.words[:_FORM_WITHIN]
    for at, word in enumerate(words):
        if word in _ABOUT or word in _LONGER_FORMS:
            break
        if each := _FORM_TOKENS.get(word):
            said = words[at - 1] if at else ""
            count = int(said) if said.isdecimal() and len(said) <= 3 else _NUMERALS.get(said, 1)
            return max(_SHORTEST, round(count * each))
    if features.cjk and not any(form in features.text for form in _CJK_LONGER):
        return next((round(each) for form, each in _CJK_FORMS.items() if form in features.text[:40]), None)
    return None


_ABOUT = lexicon.word_set("about on over über sur sobre")
_LONGER_FORMS = lexicon.word_set("essay story article blog speech geschichte aufsatz artikel histoire historia ensayo")
_CJK_LONGER = ("故事", "文章", "物語", "作文", "小说")


def _asked_length(features: Features) -> int | None:
    """Tokens, where the prompt says how long the answer shall be: '500 words', 'in one sentence', '800字'."""
    words, said_at_all = features.words, features.distinct
    units = [] if _UNIT_TOKENS.keys().isdisjoint(said_at_all) else list(map(_UNIT_TOKENS.get, words))
    for at, each in [(at, each) for at, each in enumerate(units) if each]:
        if at:
            for said in reversed(words[max(0, at - 2) : at]):
                count = int(said) if said.isdecimal() and len(said) <= 5 else _NUMERALS.get(said)
                # 'a word' and 'a point' stand in many a sentence that asks for no length.
                if count and said != "a" and (count > 1 or each != 1.4 or words[max(0, at - 2)] in _BEFORE_ONE):
                    return max(8, min(16_000, round(count * each)))
    for at in (at for at, word in enumerate(words) if word == "字" and at) if "字" in said_at_all else ():
        # '800字', '800文字'.
        said = words[at - 2] if words[at - 1] == "文" else words[at - 1]
        if said.isdecimal() and len(said) <= 5:
            return max(8, min(16_000, int(said)))
    return None
