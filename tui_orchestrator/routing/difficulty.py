"""How hard a prompt is: a small sum set by hand, every term of which is shown.

The words of a prompt say little about who will answer it well; its length says something on questions of knowledge and
the opposite on small talk, so length has a sign per task type. The scale is that of the models' abilities: a greeting
0.05, a function to merge two lists 0.35, a proof about primes 0.7, a consensus algorithm with a safety proof 0.9.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from . import lexicon
from .features import Features
from .marks import Mark
from .profile import Evidence, TaskType

_BASE: Mapping[TaskType, float] = {
    TaskType.CODE: 0.345,
    TaskType.CODE_REFACTOR: 0.42,
    TaskType.DEBUGGING: 0.46,
    TaskType.MATH: 0.40,
    TaskType.REASONING: 0.44,
    TaskType.RESEARCH: 0.31,
    TaskType.ANALYSIS: 0.38,
    TaskType.PLANNING: 0.38,
    TaskType.CREATIVE: 0.29,
    TaskType.SUMMARIZATION: 0.26,
    TaskType.TRANSLATION: 0.24,
    TaskType.EXTRACTION: 0.28,
    TaskType.EVALUATION: 0.42,
    TaskType.PROBLEM_GENERATION: 0.38,
    TaskType.COMPLETION: 0.22,
    TaskType.SIMPLE_QA: 0.10,
    TaskType.CONVERSATION: 0.04,
    TaskType.LONG_CONTEXT: 0.48,
    TaskType.MULTIMODAL: 0.32,
}

_PER_DOUBLING: Mapping[TaskType, float] = {
    TaskType.CODE: 0.025,
    TaskType.CODE_REFACTOR: 0.02,
    TaskType.DEBUGGING: 0.02,
    TaskType.MATH: 0.035,
    TaskType.REASONING: 0.03,
    TaskType.RESEARCH: 0.025,
    TaskType.ANALYSIS: 0.02,
    TaskType.PLANNING: 0.02,
    TaskType.CREATIVE: -0.005,
    TaskType.SUMMARIZATION: 0.005,
    TaskType.TRANSLATION: 0.015,
    TaskType.EXTRACTION: 0.01,
    TaskType.EVALUATION: 0.015,
    TaskType.PROBLEM_GENERATION: 0.015,
    TaskType.SIMPLE_QA: 0.04,
    TaskType.CONVERSATION: -0.01,
}
"""What each doubling of the prompt's length beyond fifteen words adds."""

_EXAMINATION, _EXAMINATION_PER_DOUBLING = 0.38, 0.04


def assess(features: Features, probabilities: Mapping[TaskType, float]) -> tuple[float, int, tuple[Evidence, ...]]:
    """Difficulty 0–1, complexity 1–10 and the evidence for both, the strongest first."""
    if features.multiple_choice:
        # What an examination question is about says little; how long the question itself is says most.
        base, growth = _EXAMINATION, _EXAMINATION_PER_DOUBLING
    else:
        base = sum(share * _BASE[task_type] for task_type, share in probabilities.items())
        growth = sum(share * _PER_DOUBLING.get(task_type, 0.0) for task_type, share in probabilities.items())
    evidence = [*_asked(features), *_shape(features)]
    least = -2.0 if features.multiple_choice else 0.0
    doublings = min(6.0, max(least, math.log2(max(1, features.question_size) / 15)))
    perceived = base + sum(item.effect for item in evidence)
    if abs(growth * doublings) >= 0.005:
        evidence.append(Evidence(f"about {features.question_size:,} words long", growth * doublings))
    difficulty = base + sum(item.effect for item in evidence)
    # A person sees a long prompt as harder whatever it is about.
    perceived += 0.04 * max(0.0, doublings)
    complexity = round(0.6 + 9.6 * _bounded(perceived))
    evidence.sort(key=lambda item: -abs(item.effect))
    return _bounded(difficulty), max(1, min(10, complexity)), tuple(evidence)


def _bounded(sum_of_terms: float) -> float:
    """Linear up to 0.85, then ever slower towards 0.98: many small signs never add up to certainty."""
    if sum_of_terms <= 0.85:
        return max(0.02, sum_of_terms)
    return 0.85 + 0.13 * math.tanh((sum_of_terms - 0.85) / 0.13)


def _asked(features: Features) -> list[Evidence]:
    """What the words ask for."""
    marks = features.marks
    evidence = []
    if Mark.PROOF in marks or (features.cjk and any(cue in features.text for cue in lexicon.CJK_PROOF)):
        evidence.append(Evidence("asks for a proof", 0.26))
    for mark, what, each, most in (
        (Mark.DEEP, "deep subject", 0.08, 0.28),
        (Mark.DEEPENING, "wants it thorough", 0.035, 0.07),
        (Mark.STEPS, "several steps", 0.02, 0.06),
        (Mark.CONSTRAINTS, "conditions to keep", 0.012, 0.08),
        (Mark.EASING, "said to be simple", -0.04, -0.06),
    ):
        found = marks.get(mark)
        if found:
            effect = max(most, each * len(found)) if each < 0 else min(most, each * len(found))
            evidence.append(Evidence(f"{what}: {', '.join(found[:3])}", effect))
    return evidence


def _shape(features: Features) -> list[Evidence]:
    """What the form of the text shows."""
    evidence = []
    if features.math_signs:
        count = features.math_signs
        evidence.append(Evidence(f"mathematical notation, {count} signs", min(0.12, 0.03 + 0.012 * count)))
    figures = features.numbers / max(1, len(features.words))
    if features.numbers >= 3 and not features.looks_like_code:
        # The share of words that are figures told most about failure on published examinations.
        evidence.append(
            Evidence(f"{features.numbers} figures", min(0.14, 0.5 * figures) * min(1.0, features.size / 30))
        )
    if features.multiple_choice and Mark.NEGATION in features.marks:
        evidence.append(Evidence("a negated question", 0.03))
    if features.looks_like_code and features.lines > 15:
        lines = features.lines
        evidence.append(Evidence(f"{lines:,} lines with code", min(0.12, 0.03 * math.log2(lines / 8))))
    elif features.list_items >= 3:
        evidence.append(Evidence(f"{features.list_items} listed points", min(0.06, 0.01 * features.list_items)))
    if features.error_names:
        evidence.append(Evidence("an error message", 0.03))
    return evidence
