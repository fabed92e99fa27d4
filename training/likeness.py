"""What words have in common: columns that they share, so that what is learned of one counts a little for those like it.

A column's weight is added to that of each of its words when the weights are stored, so nothing of this is left at run
time. Words are alike in three ways:

- they stand among the same words (positive pointwise mutual information of neighbours, its leading singular vectors);
- they begin alike, as `comparing` and `comparison` do;
- they are of one topic in `topics.txt`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as linear
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOPICS = Path(__file__).with_name("topics.txt")
_NEIGHBOURS, _BEGINNINGS, _TOPICS = 1.0, 0.5, 0.7
"""How easily each kind of column is leant on, beside the words themselves."""
_DIMENSIONS = 50
_WINDOW = 4
"""Tokens to either side that count as neighbours."""
_BEGINNING = 5
"""Letters."""
_SMOOTHED = 0.75
"""Power of the neighbours' counts: rare neighbours would say too much (Levy and others, 2015)."""


def topics() -> dict[str, frozenset[str]]:
    """The words of each topic."""
    lines = [line for line in TOPICS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return {name: frozenset(words.split()) for name, _, words in (line.partition(":") for line in lines)}


def shared(names: Sequence[str], tokens: Iterable[Sequence[str]]) -> Any:
    """Names × columns, sparse. `tokens`: of the texts that may be learned from."""
    words = {name: at for at, name in enumerate(names) if " " not in name and not name.startswith("^")}
    columns = [
        _NEIGHBOURS * _by_neighbours(words, len(names), tokens),
        _BEGINNINGS * _by_beginning(words, len(names)),
        _TOPICS * _by_topic(words, len(names)),
    ]
    return sp.hstack(columns).tocsr()


def _by_neighbours(words: dict[str, int], height: int, texts: Iterable[Sequence[str]]) -> Any:
    pairs = _pairs(words, height, texts)
    often = np.asarray(pairs.sum(1)).ravel()
    smoothed = often**_SMOOTHED
    pairs = pairs.tocoo()
    chance = often[pairs.row] * smoothed[pairs.col] / max(1.0, smoothed.sum())
    told = sp.csr_matrix((np.maximum(0.0, np.log(pairs.data / chance)), (pairs.row, pairs.col)), pairs.shape)
    vectors, sizes, _ = linear.svds(told, k=_DIMENSIONS, v0=np.ones(height))
    vectors = vectors * np.sqrt(sizes)
    return sp.csr_matrix(vectors / np.maximum(1e-9, np.linalg.norm(vectors, axis=1, keepdims=True)))


def _pairs(words: dict[str, int], height: int, texts: Iterable[Sequence[str]]) -> Any:
    """How often each stands near each."""
    one, other = [], []
    for tokens in texts:
        at = np.array([words.get(token, -1) for token in tokens], dtype=np.int64)
        for apart in range(1, min(_WINDOW, len(at) - 1) + 1):
            known = (at[:-apart] >= 0) & (at[apart:] >= 0)
            one.append(at[:-apart][known])
            other.append(at[apart:][known])
    first, second = np.concatenate(one), np.concatenate(other)
    counted = sp.coo_matrix((np.ones(len(first)), (first, second)), (height, height)).tocsr()
    return counted + counted.T


def _by_beginning(words: dict[str, int], height: int) -> Any:
    groups: dict[str, list[int]] = {}
    for word, at in words.items():
        if len(word) >= _BEGINNING and word.isascii() and word.isalpha():
            groups.setdefault(word[:_BEGINNING], []).append(at)
    return _columns(groups.values(), height)


def _by_topic(words: dict[str, int], height: int) -> Any:
    return _columns([[words[word] for word in sorted(of & words.keys())] for of in topics().values()], height)


def _columns(groups: Iterable[Sequence[int]], height: int) -> Any:
    listed = list(groups)
    rows = [at for group in listed for at in group]
    columns = [number for number, group in enumerate(listed) for _ in group]
    return sp.csr_matrix((np.ones(len(rows)), (rows, columns)), (height, len(listed)))
