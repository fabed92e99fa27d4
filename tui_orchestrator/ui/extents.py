"""Heights stacked on one another: which one lies at a row, and where each begins."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate


class Extents:
    """Rows from 0. A change costs nothing until the next question, which sums again from the first one changed."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        self._tops: list[int] = [0]
        self._valid = 0

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def append(self, height: int) -> None:
        self._heights.append(height)

    def set(self, index: int, height: int) -> None:
        if self._heights[index] != height:
            self._heights[index] = height
            self._valid = min(self._valid, index)

    def replace(self, heights: Iterable[int]) -> None:
        self._heights = list(heights)
        self._valid = 0

    def put(self, index: int, heights: Iterable[int]) -> None:
        """In place of the one there."""
        self._heights[index : index + 1] = heights
        self._valid = min(self._valid, index)

    def top(self, index: int) -> int:
        self._sum()
        return self._tops[index]

    @property
    def total(self) -> int:
        self._sum()
        return self._tops[-1]

    def find(self, row: int) -> int:
        """The index whose rows hold `row`; the last one past the end. Those of height 0 are never found."""
        self._sum()
        return max(0, min(bisect_right(self._tops, row) - 1, len(self._heights) - 1))

    def _sum(self) -> None:
        if self._valid < len(self._heights) or len(self._tops) != len(self._heights) + 1:
            del self._tops[self._valid + 1 :]
            self._tops[self._valid :] = accumulate(self._heights[self._valid :], initial=self._tops[self._valid])
            self._valid = len(self._heights)
