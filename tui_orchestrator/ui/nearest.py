"""Which of several things one means by what one typed."""

from __future__ import annotations

from collections.abc import Iterable


def nearness(names: Iterable[str], typed: str) -> int:
    """Of what may be called by any of `names`: 0 it was typed whole, 1 it begins so, 2 all words stand in it, 3 they do
    not, but perhaps in what is said about it."""
    wanted = " ".join(typed.lower().split())
    called = [" ".join(name.lower().split()) for name in names]
    if wanted in called:
        return 0
    if any(name.startswith(wanted) for name in called):
        return 1
    return 2 if any(all(word in name for word in wanted.split()) for name in called) else 3
