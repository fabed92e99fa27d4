"""The user's own rules: which prompts they are for, and what they ask for them.

A rule's conditions must all hold; within one condition any of its values will do. A rule without conditions is for
every prompt. The first rule that matches, in the order given, decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .profile import Level, TaskType
from .request import Strategy

SEARCHED_CHARACTERS = 10_000
"""Of a prompt, from its start: bounds what a slow pattern can cost on each keystroke."""


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    task_types: frozenset[TaskType] = frozenset()
    levels: frozenset[Level] = frozenset()
    words: tuple[str, ...] = ()
    """Whole words or phrases, upper and lower case alike."""
    pattern: re.Pattern[str] | None = None
    """Made by `compile_pattern`, which refuses patterns that could take for ever."""
    domains: tuple[str, ...] = ()
    """Of DOMAINS."""
    attachment: Literal["image", "text", "any"] | None = None
    tags: frozenset[str] = frozenset()
    """Of the session."""
    primary: str | None = None
    """A model's id or bare name."""
    fallback: tuple[str, ...] = ()
    """Models to walk when `primary` fails or is not good enough."""
    temperature: float | None = None
    max_tokens: int | None = None
    strategy: Strategy | None = None
    system: str | None = None
