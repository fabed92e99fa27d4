"""What single words and the form of a text say about its task type: points per type, set by hand.

One of the things that the trained profile reads; alone it names the type of about six prompts in ten.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import lexicon
from .features import Features
from .profile import TaskType

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
_COMMANDED = frozenset(
    {TaskType.TRANSLATION, TaskType.SUMMARIZATION, TaskType.EXTRACTION, TaskType.COMPLETION, TaskType.CODE_REFACTOR}
)
"""Types whose verb at the very start rules over what the text that follows is about."""
_RELATIVE = lexicon.word_set("who when where which whose qui quand où quel que qué wer wann wo welche welcher")
"""Question words that mostly only join clauses when they stand further on."""

LEARNED_TYPES = tuple(kind for kind in TaskType if kind not in (TaskType.LONG_CONTEXT, TaskType.MULTIMODAL))
"""Those that words tell; the other two are told by size and by images."""


def points(features: Features) -> dict[TaskType, float]:
    """Points per type."""
    said = _said(features)
    gathered = dict(_PRIOR)
    for kind, weight in said.items():
        gathered[kind] += min(_MOST_POINTS, weight)
    _add_shape(features, said, gathered)
    return gathered


def _said(features: Features) -> dict[TaskType, float]:
    """The weights of the cues per type, each cue counted once, where it weighs most."""
    words = features.words
    heard: dict[int, tuple[float, TaskType]] = {}
    tail, following = len(words) - _INSTRUCTION_TAIL, (*words[1:], "")
    listed = [(at, cues) for at, (cues, _) in features.listed if cues]
    if "-" in features.text:
        # 'Explique-moi', 'code-review': the part before the hyphen, where the whole is not listed.
        hyphened = {word for word in features.distinct if "-" in word} - lexicon.CUES.keys()
        heads = {word: cues for word in hyphened if (cues := lexicon.CUES.get(word.partition("-")[0]))}
        if heads:
            listed += [(at, heads[word]) for at, word in enumerate(words) if word in heads]
    for at, (alone, before) in listed:
        for rest, kind, weight, number in before.get(following[at], alone):
            if rest and words[at + 2 : at + 2 + len(rest)] != rest:
                continue
            if at < 3:
                weight *= 1.6 if kind in _COMMANDED else 1.3
            elif _INSTRUCTION_HEAD <= at < tail or (at > 3 and words[at] in _RELATIVE):
                weight *= 0.25
            if number not in heard or heard[number][0] < weight:
                heard[number] = (weight, kind)
    spoken = list(heard.values())
    if features.cjk:
        begun = lexicon.CJK_BEGINNINGS.keys() & set(features.tokens)
        for at in sorted(at for first in begun for at in lexicon.CJK_BEGINNINGS[first]):
            cue, kind, weight = lexicon.CJK_CUES[at]
            if cue in features.text:
                spoken.append((weight, kind))
    said: dict[TaskType, float] = {}
    for weight, kind in spoken:
        said[kind] = said.get(kind, 0.0) + weight
    return said


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
    asks_of_figures = features.asks and features.numbers >= 3 and size > 15 and not features.options
    if asks_of_figures and features.quantities >= 3:
        points[TaskType.MATH] += 4.0
    if features.multiple_choice:
        points[TaskType.REASONING] += 3.0
    if "___" in features.text:
        points[TaskType.COMPLETION] += 2.5
