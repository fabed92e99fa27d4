"""Models that are better at some kinds of task than their general ability says, and worse at others.

Offsets are added to a model's ability (`families`), by task type. They are judgements from the results named with each
row, at a discrimination of 8: 0.05 is worth about a tenth of p where p is a half.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..routing.profile import TaskType
from .names import bare

_CODE = (TaskType.CODE, TaskType.CODE_REFACTOR, TaskType.DEBUGGING, TaskType.COMPLETION)
_EXACT = (TaskType.MATH, TaskType.REASONING)
_PROSE = (TaskType.CREATIVE, TaskType.CONVERSATION, TaskType.TRANSLATION, TaskType.RESEARCH)
_GIVEN = (TaskType.SUMMARIZATION, TaskType.EXTRACTION)
"""What is to be answered from a text that is there."""


@dataclass(frozen=True, slots=True)
class Specialty:
    pattern: str
    """Searched in the bare name."""
    offsets: Mapping[TaskType, float]
    source: str


def _at(*parts: tuple[Iterable[TaskType], float]) -> dict[TaskType, float]:
    return {task: offset for tasks, offset in parts for task in tasks}


_REST = tuple(task for task in TaskType if task not in (*_GIVEN, TaskType.LONG_CONTEXT))

SPECIALTIES = (
    Specialty(
        r"chatqa",
        _at((_REST, -0.12), ((TaskType.SIMPLE_QA,), -0.06)),
        "tuned to answer from given documents: 24 % of ARC-Challenge and of MBPP where Llama-3.1-8B has 75 and 64 %, "
        "but 36 against 48 % of Natural Questions (LLMRouter's published scores, 2025)",
    ),
    Specialty(
        r"codegemma|code-?llama|starcoder|deepseek-coder|(?<!de)coder(?![a-z])|codestral|devstral|codex|grok-(?:build|code)",
        _at((_CODE, 0.06), (_PROSE, -0.06), ((TaskType.SIMPLE_QA,), -0.04)),
        "tuned on code: CodeGemma-7B solves as much of MBPP as Gemma-2-9B-it (57 and 56 %), and 39 against 74 % of "
        "CommonsenseQA (LLMRouter's published scores, 2025)",
    ),
    Specialty(
        r"mathstral|qwen-?2(?:-5)?-math|deepseek-math|(?<![a-z])math(?![a-z])",
        _at((_EXACT, 0.06), ((*_PROSE, *_CODE, *_GIVEN), -0.10), ((TaskType.SIMPLE_QA,), -0.06)),
        "tuned on mathematics: Mathstral-7B has 40 % of MMLU-Pro's business and chemistry, which are sums, where "
        "Mistral-7B-Instruct has 19 and 8, and 62 against 60 % of its economics (published predictions, 2024)",
    ),
    Specialty(
        r"deepseek-r1|deepseek-reasoner|qwq|magistral|phi-?4.{0,40}reason|^o[134](?!\d)|-(?:thinking|reasoning)(?![a-z])",
        _at((_EXACT, 0.05), ((TaskType.CREATIVE, TaskType.CONVERSATION, TaskType.TRANSLATION), -0.03)),
        "reasons before it answers: DeepSeek-R1 97.3 % on MATH-500 where V3 has 90.2, 71.5 against 59.1 % on GPQA; the "
        "gain on general questions is smaller (DeepSeek, January 2025)",
    ),
)
_COMPILED = tuple((re.compile(one.pattern), one) for one in SPECIALTIES)


def specialty(name: str) -> Specialty | None:
    plain = re.sub(r"[.:_]", "-", bare(name))
    if "non-reasoning" in plain:
        return None
    return next((one for pattern, one in _COMPILED if pattern.search(plain)), None)
