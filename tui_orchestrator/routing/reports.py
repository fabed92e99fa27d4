"""What a provider reports of a call's tokens, where a part of it cannot be true."""

from __future__ import annotations

from dataclasses import replace

from .money import Usage
from .parts import Counts

LARGEST_WINDOW = 2_000_000
"""Tokens that a model of unknown window is believed to read and write in one call. All but one window of the price book
is as long or shorter (November 2026)."""
LEAST_WINDOW = 200_000
"""A smaller one may be what the user allows it, and not all that it can do."""
MOST_TIMES = 4
"""No tokeniser makes four times as many tokens of a text as `features.estimate_tokens` does."""


def input_of(before: Usage, said: Usage) -> Usage:
    """`said` with the input of the report before it."""
    return replace(
        said,
        input=before.input,
        cached_input=before.cached_input,
        cache_write=before.cache_write,
        parts=_parts(before, said),
    )


def output_of(before: Usage, said: Usage) -> Usage:
    """`said` with the output of the report before it."""
    return replace(said, output=before.output, reasoning=before.reasoning, parts=_parts(said, before))


def _parts(read: Usage, written: Usage) -> Counts:
    """Those of the input of one report, and of the output of another."""
    return tuple(
        sorted(
            [
                *((part, count) for part, count in read.parts if part.bucket != "output"),
                *((part, count) for part, count in written.parts if part.bucket == "output"),
            ]
        )
    )
