"""Which earlier prompts are like a new one: their vectors, in the store and in memory."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Protocol, TypeAlias

from tui_orchestrator.routing.answer_key import Question

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector: TypeAlias = NDArray[np.float32]

_AT_ONCE = 2_000
_GONE = -1


class Embedder(Protocol):
    name: str
    """Vectors of two names cannot be compared."""

    def embed(self, text: str) -> Vector:
        """Of unit length. Not for the event loop: the first call reads the model."""
        ...


class Vectors:
    """The vectors of all kept prompts as one matrix, brought up to date with what is new in the store before each
    search. Of one store, to be searched on one thread. numpy is imported when it is first needed."""

    def __init__(self, embedder: str) -> None:
        self._embedder = embedder
        self._newest = 0
        """The last serial that was read."""
        self._matrix: NDArray[np.float32] | None = None
        self._contexts: NDArray[np.int64] | None = None
        """A number for each row's context, or _GONE."""
        self._numbers: dict[str, int] = {}
        self._keys: list[str] = []

    def keep(self, connection: sqlite3.Connection, question: Question, vector: Vector) -> None:
        """To be called on a connection that writes, after the question's answer is in."""
        import numpy as np

        connection.execute(
            "INSERT INTO vectors (key, context, prompt, embedder, vector) VALUES (?, ?, ?, ?, ?)",
            (question.key, question.context, question.prompt, self._embedder, vector.astype(np.float16).tobytes()),
        )

    def likest(
        self, connection: sqlite3.Connection, context: str, vector: Vector, least: float, most: int
    ) -> list[tuple[int, str, float]]:
        """The prompts of this context at least so like, the likest first: each with its row, for `drop`, its key, and
        its cosine. Some may be gone since."""
        import numpy as np

        self._catch_up(connection)
        number = self._numbers.get(context)
        if number is None or self._matrix is None or self._contexts is None:
            return []
        # The whole product is cheaper than a copy of most of the matrix.
        cosines = self._matrix[: len(self._keys)] @ vector
        near = np.flatnonzero((cosines >= least) & (self._contexts[: len(self._keys)] == number))
        # The newest first among equals: it is good for the longest.
        order = near[np.lexsort((-near, -cosines[near]))][:most]
        return [(int(row), self._keys[row], float(cosines[row])) for row in order]

    def drop(self, row: int) -> None:
        """It is gone from the store, or past its time: never found again."""
        if self._contexts is not None:
            self._contexts[row] = _GONE

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        if self._matrix is not None and self._contexts is not None and len(self._keys) > _AT_ONCE:
            (kept,) = connection.execute(
                "SELECT COUNT(*) FROM vectors INDEXED BY sqlite_autoindex_vectors_1"
            ).fetchone()
            if len(self._keys) > 2 * kept + _AT_ONCE:
                # Most rows are of answers that are gone.
                self._matrix = self._contexts = None
                self._newest, self._numbers, self._keys = 0, {}, []
        new = connection.execute(
            "SELECT serial, key, context, vector FROM vectors WHERE serial > ? AND embedder = ? ORDER BY serial",
            (self._newest, self._embedder),
        )
        while rows := new.fetchmany(_AT_ONCE):
            self._add(rows)

    def _add(self, rows: list[tuple[int, str, str, bytes]]) -> None:
        import numpy as np

        vectors = np.frombuffer(b"".join(row[3] for row in rows), dtype=np.float16).reshape(len(rows), -1)
        before, after = len(self._keys), len(self._keys) + len(rows)
        if self._matrix is None or self._contexts is None or after > len(self._matrix):
            room = max(256, after + after // 2)
            matrix = np.zeros((room, vectors.shape[1]), dtype=np.float32)
            contexts = np.full(room, _GONE, dtype=np.int64)
            if self._matrix is not None and self._contexts is not None:
                matrix[:before], contexts[:before] = self._matrix[:before], self._contexts[:before]
            self._matrix, self._contexts = matrix, contexts
        self._matrix[before:after] = vectors
        for at, (serial, key, context, _) in enumerate(rows, before):
            self._contexts[at] = self._numbers.setdefault(context, len(self._numbers))
            self._keys.append(key)
            self._newest = serial
