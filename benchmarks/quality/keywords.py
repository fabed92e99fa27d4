"""What a learned router has to beat: the rules of thumb most routers ship, the length of the prompt, and chance."""

from __future__ import annotations

import re

# Lists of words for each of four levels, as in hand-made routers: the highest level with a hit counts, more hits break
# ties.
_LEVELS = {
    4: "prove proof theorem derive rigorous research comprehensive in-depth optimal novel state-of-the-art formal",
    3: "design implement debug optimize optimise refactor architecture algorithm analyze analyse compare evaluate "
    "critique strategy trade-off trade-offs",
    2: "write calculate compute solve summarize summarise translate explain convert describe generate create list how",
    1: "what who when where which define name spell hello hi thanks",
}
_PATTERNS = {
    level: re.compile(rf"\b(?:{'|'.join(map(re.escape, words.split()))})\b", re.IGNORECASE)
    for level, words in _LEVELS.items()
}


def keyword_difficulty(prompt: str) -> float:
    hits = {level: len(pattern.findall(prompt)) for level, pattern in _PATTERNS.items()}
    highest = next((level for level in _PATTERNS if hits[level]), 1 if len(prompt) < 60 else 2)
    return highest + min(20, sum(level * count for level, count in hits.items())) / 25


def length(prompt: str) -> float:
    return float(len(prompt))


def chance(prompt: str) -> float:
    """All alike: prompts are sent in every order at once, which is what chance comes to on average."""
    return 0.0


_TASKS = {
    "translation": "translate translation übersetze traduire 翻译",
    "summarization": "summarize summarise summary tl;dr",
    "code": "code function python javascript java c++ rust sql regex bash script debug bug algorithm program class api",
    "reasoning": "solve calculate compute prove equation probability how many sum percent puzzle theorem",
    "creative": "story poem haiku song lyrics fiction character plot joke novel essay email letter blog",
    "analysis": "analyze analyse classify extract compare evaluate sentiment review",
    "research": "explain why how describe difference",
    "qa": "what who when where which",
}
_TASK_PATTERNS = {
    task: re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words.split()), re.IGNORECASE)
    for task, words in _TASKS.items()
}


def keyword_task(prompt: str) -> str:
    """The first of the coarse task types with a word in the prompt."""
    return next((task for task, pattern in _TASK_PATTERNS.items() if pattern.search(prompt)), "qa")


_HEDGES = re.compile(
    r"\b(?:i think|maybe|perhaps|possibly|probably|might|not sure|unsure|unclear|it seems|likely|i don't know|i cannot|"
    r"i can't|unable to|approximately|as an ai)\b",
    re.IGNORECASE,
)


def hedging_confidence(answer: str) -> float:
    """Points off for hedges, and for very short and very long answers."""
    words = len(answer.split())
    off = 0.25 if words < 5 else 0.1 if words < 20 else 0.05 if words > 400 else 0.0
    return 0.85 - 0.08 * min(6, len(_HEDGES.findall(answer))) - off
