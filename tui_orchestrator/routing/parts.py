"""Tokens inside a bucket of Usage that some models bill at a rate of their own."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


class Part(StrEnum):
    CACHE_WRITE_1H = "cache_write_1h"
    """Written to be kept for an hour; the rest of `cache_write` is kept for five minutes (Anthropic)."""
    AUDIO_INPUT = "audio_input"
    """Without the cached ones, like all that lie in the input."""
    AUDIO_CACHED = "audio_cached"
    AUDIO_OUTPUT = "audio_output"
    IMAGE_INPUT = "image_input"
    IMAGE_CACHED = "image_cached"
    IMAGE_OUTPUT = "image_output"
    VIDEO_INPUT = "video_input"
    VIDEO_OUTPUT = "video_output"

    @property
    def bucket(self) -> Literal["input", "cached_input", "cache_write", "output"]:
        """Where its tokens lie, and at whose rate they are billed when it has none."""
        if self is Part.CACHE_WRITE_1H:
            return "cache_write"
        if self.endswith("_output"):
            return "output"
        return "cached_input" if self.endswith("_cached") else "input"

    @property
    def unread(self) -> Part:
        """The same not read from a cache: what such tokens cost where reading them has no price of its own."""
        return Part(self.replace("_cached", "_input"))


Counts = tuple[tuple[Part, int], ...]
"""Ascending by part, each once: tokens, or the rate of one."""


def added(one: Counts, other: Counts) -> Counts:
    if not one or not other:
        return one or other
    counts = dict(one)
    for part, count in other:
        counts[part] = counts.get(part, 0) + count
    return tuple(sorted(counts.items()))
