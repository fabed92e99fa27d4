from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clock import ManualClock
from tui_orchestrator.routing.answer_key import Question
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.vectors import Vectors

NUMBERS = np.random.default_rng(7)
VECTORS = NUMBERS.normal(size=(40, 8)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


async def keep(db: Database, vectors: Vectors, at: int, context: str) -> None:
    key = f"{context}/{at}"
    stored = ManualClock().now().isoformat()

    def write(connection: object) -> None:
        connection.execute(  # type: ignore[attr-defined]
            "INSERT OR REPLACE INTO answers (key, model, text, thinking, usage, finish_reason, stored) "
            "VALUES (?, 'a/b', '', '', '{}', 'stop', ?)",
            (key, stored),
        )
        vectors.keep(connection, Question(key, context, key, "a/b"), VECTORS[at])  # type: ignore[arg-type]

    await db.write(write)


STEPS = st.lists(
    st.tuples(st.sampled_from(["keep", "forget", "look"]), st.integers(0, 39), st.sampled_from("xy")), max_size=40
)


@settings(max_examples=50, deadline=None)
@given(STEPS, st.floats(-1, 1))
def test_what_is_found_is_what_a_search_of_everything_finds(steps: list[tuple[str, int, str]], least: float) -> None:
    async def go() -> None:
        vectors, there = Vectors("m"), set[str]()
        async with Database(None) as db:
            for what, at, context in steps:
                key = f"{context}/{at}"
                if what == "keep":
                    await keep(db, vectors, at, context)
                    there.add(key)
                elif what == "forget":
                    await db.write(lambda c, key=key: c.execute("DELETE FROM answers WHERE key = ?", (key,)))
                    there.discard(key)
                else:
                    asked = VECTORS[at]
                    found = await db.read(
                        lambda c, context=context, asked=asked: vectors.likest(c, context, asked, least, 99)
                    )
                    cosines = [cosine for _, _, cosine in found]
                    assert cosines == sorted(cosines, reverse=True)
                    near = {
                        f"{context}/{row}"
                        for row in range(40)
                        if f"{context}/{row}" in there and VECTORS[row] @ asked >= least + 0.002
                    }
                    # 16-bit floats: what lies at the threshold itself may be on either side.
                    assert near <= {found_key for _, found_key, _ in found}
                    assert all(cosine >= least for cosine in cosines)

    asyncio.run(go())


async def test_two_copies_of_the_program_see_each_others_and_vectors_of_another_model_are_left_out(
    tmp_path: Path,
) -> None:
    mine, theirs, foreign = Vectors("m"), Vectors("m"), Vectors("another")
    async with Database(tmp_path / "s.db") as one, Database(tmp_path / "s.db") as two:
        await keep(one, mine, 0, "x")
        assert [key for _, key, _ in await two.read(lambda c: theirs.likest(c, "x", VECTORS[0], 0.9, 9))] == ["x/0"]
        await keep(one, mine, 1, "x")
        found = await two.read(lambda c: theirs.likest(c, "x", VECTORS[1], 0.9, 9))
        assert [key for _, key, _ in found] == ["x/1"]
        theirs.drop(found[0][0])
        assert await two.read(lambda c: theirs.likest(c, "x", VECTORS[1], 0.9, 9)) == []
        assert await two.read(lambda c: foreign.likest(c, "x", VECTORS[0], -1, 9)) == []


async def test_the_matrix_is_read_anew_when_most_of_it_is_gone() -> None:
    vectors = Vectors("m")
    async with Database(None) as db:
        for _ in range(60):
            for at in range(40):
                await keep(db, vectors, at, "x")
            assert len(await db.read(lambda c: vectors.likest(c, "x", VECTORS[0], -1, 10_000))) >= 40
        assert len(vectors._keys) <= 2_200
