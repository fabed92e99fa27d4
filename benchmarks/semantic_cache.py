"""How safely the semantic cache tells the same question from a near miss, and what a look-up costs. One JSON object.

    python benchmarks/semantic_cache.py

`vectors` goes by the likeness of the embeddings alone; `used` is what the cache does: the words must agree as well. The
pairs are in semantic_cache.tsv; how they were made is said there.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tui_orchestrator.providers.embedding import StaticEmbedder, missing
from tui_orchestrator.routing.alike import why_not_alike
from tui_orchestrator.routing.answer_key import Question
from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.settings import CacheSettings
from tui_orchestrator.storage.cache import SqliteCache
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.vectors import Vectors

THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99)
KEPT = 20_000
LOOK_UPS = 100
WORDS = ("list", "file", "tree", "graph", "cat", "dog", "city", "river", "tax", "loan", "poem", "song", "atom", "star")


@dataclass(frozen=True, slots=True)
class Pair:
    seen: bool
    kind: str
    one: str
    other: str

    @property
    def same(self) -> bool:
        return self.kind == "same"


def pairs() -> list[Pair]:
    lines = Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [Pair(name == "seen", kind, one, other) for name, kind, one, other in rows]


def judged(of: list[Pair], hits: Callable[[Pair], bool]) -> dict[str, float | int | None]:
    right = sum(pair.same and hits(pair) for pair in of)
    wrong = sum(not pair.same and hits(pair) for pair in of)
    same = sum(pair.same for pair in of)
    precision = round(right / (right + wrong), 3) if right + wrong else None
    return {"precision": precision, "recall": round(right / same, 3), "wrong_hits": wrong}


def quality(embedder: StaticEmbedder, of: list[Pair]) -> dict[str, object]:
    likeness = {pair: float(embedder.embed(pair.one) @ embedder.embed(pair.other)) for pair in of}
    words = {pair: why_not_alike(pair.one, pair.other) is None for pair in of}
    table = {
        f"{least:.2f}": {
            "vectors": judged(of, lambda pair, least=least: likeness[pair] >= least),  # type: ignore[misc]
            "used": judged(of, lambda pair, least=least: likeness[pair] >= least and words[pair]),  # type: ignore[misc]
        }
        for least in THRESHOLDS
    }
    return {
        "same": sum(pair.same for pair in of),
        "near_misses": dict(Counter(pair.kind for pair in of if not pair.same)),
        "by_similarity": table,
    }


def speed(embedder: StaticEmbedder, prompt: str) -> float:
    """Microseconds a vector, the median of many."""
    took = []
    for _ in range(500):
        began = time.perf_counter()
        embedder.embed(prompt)
        took.append(time.perf_counter() - began)
    return round(statistics.median(took) * 1e6, 1)


async def look_ups(embedder: StaticEmbedder) -> dict[str, float | int]:
    """Milliseconds among so many kept prompts of one context, and how long the event loop was held meanwhile."""
    clock, settings = SystemClock(), CacheSettings(semantic=True, semantic_similarity=0.7, max_answers=KEPT)
    with tempfile.TemporaryDirectory() as directory:
        async with Database(Path(directory, "store.db")) as database:
            cache = SqliteCache(database, settings, clock, embedder)
            await _fill(database, embedder)
            began = time.perf_counter()
            await cache.get(_question("How do I sort a list of atoms?"))
            first = time.perf_counter() - began
            late = [0.0]
            ticking = asyncio.create_task(_tick(late))
            took = []
            for number in range(LOOK_UPS):
                began = time.perf_counter()
                await cache.get(_question(f"How do I sort {number} {WORDS[number % len(WORDS)]}s?"))
                took.append(time.perf_counter() - began)
            ticking.cancel()
    took.sort()
    return {
        "kept": KEPT,
        "first_ms": round(first * 1e3, 1),
        "median_ms": round(statistics.median(took) * 1e3, 2),
        "p95_ms": round(took[int(0.95 * len(took))] * 1e3, 2),
        "loop_held_ms": round(max(late) * 1e3, 2),
    }


async def _tick(late: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        late.append(time.perf_counter() - began - 0.001)


async def _fill(database: Database, embedder: StaticEmbedder) -> None:
    vectors = Vectors(embedder.name)
    stored = datetime.now(UTC).isoformat(timespec="microseconds")
    kinds = len(WORDS)
    asked = [
        _question(f"What is the {WORDS[number % kinds]} of {number} {WORDS[number // kinds % kinds]}s?")
        for number in range(KEPT)
    ]
    prompts = [(question, embedder.embed(question.prompt)) for question in asked]

    def keep(connection: sqlite3.Connection) -> None:
        for question, vector in prompts:
            connection.execute(
                "INSERT INTO answers (key, model, text, thinking, usage, finish_reason, stored, used, bytes) "
                "VALUES (?, 'a/b', 'x', '', '{}', 'stop', ?, ?, 600)",
                (question.key, stored, stored),
            )
            vectors.keep(connection, question, vector)

    await database.write(keep)


def _question(prompt: str) -> Question:
    return Question(f"key {prompt}", "context", prompt, "a/b", nearly=True)


def main() -> None:
    if said := missing():
        sys.exit(f"{said}: pip install 'tui-orchestrator[semantic]'")
    began, processor = time.perf_counter(), time.process_time()
    embedder = StaticEmbedder()
    embedder.load()
    load = {"seconds": round(time.perf_counter() - began, 2), "processor_s": round(time.process_time() - processor, 2)}
    every = pairs()
    print(
        json.dumps(
            {
                "embedder": embedder.name,
                "load": load,
                "vector_us": {
                    "10 words": speed(embedder, "How do I sort a list of names in Python?"),
                    "400 words": speed(embedder, "How do I sort a list of names in Python? " * 40),
                },
                "seen": quality(embedder, [pair for pair in every if pair.seen]),
                "unseen": quality(embedder, [pair for pair in every if not pair.seen]),
                "look_up": asyncio.run(look_ups(embedder)),
            }
        )
    )


if __name__ == "__main__":
    main()
