"""What was observed of answers survives, and every copy of the program sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing.learning import Answer, Observation, Sign, voted
from tui_orchestrator.routing.profile import TaskType
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.observations import Observations

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANSWER = Answer("r1", 2, "openai/small", TaskType.CODE, 0.6)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


async def test_an_observation_comes_back_as_it_was(tmp_path: Path) -> None:
    told = tuple(
        Observation(Answer("r1", number, "a/b:c", task, 0.25), sign, 0.5, 0.125, later(number / 1e6))
        for number, (sign, task) in enumerate((sign, task) for sign in Sign for task in TaskType)
    )
    async with Database(tmp_path / "s.db") as db:
        await Observations(db).record(told)
    async with Database(tmp_path / "s.db") as db:
        assert (await Observations(db).since(0))[0] == told


async def test_a_second_vote_takes_the_place_of_the_first_and_is_new_to_the_others(db: Database) -> None:
    store = Observations(db)
    await store.record([voted(ANSWER, True, NOW)])
    first, serial = await store.since(0)
    await store.record([voted(ANSWER, None, later(1))])
    assert first == (voted(ANSWER, True, NOW),)
    assert (await store.since(serial))[0] == (voted(ANSWER, None, later(1)),)
    assert (await store.since(0))[0] == (voted(ANSWER, None, later(1)),)
    newest = (await store.since(serial))[1]
    assert await store.since(newest) == ((), newest)


async def test_of_two_programs_the_later_vote_stands_whoever_writes_last(tmp_path: Path) -> None:
    async with Database(tmp_path / "s.db") as one, Database(tmp_path / "s.db") as other:
        await Observations(one).record([voted(ANSWER, False, later(5))])
        await Observations(other).record([voted(ANSWER, True, later(4))])
        assert (await Observations(one).since(0))[0] == (voted(ANSWER, False, later(5)),)
        await Observations(other).record([voted(ANSWER, True, later(6))])
        assert (await Observations(one).since(0))[0] == (voted(ANSWER, True, later(6)),)


async def test_what_is_posted_is_kept_when_the_program_ends_at_once(tmp_path: Path) -> None:
    async with Database(tmp_path / "s.db") as db:
        Observations(db).post([voted(ANSWER, True, NOW)])
    async with Database(tmp_path / "s.db") as db:
        assert len((await Observations(db).since(0))[0]) == 1


async def test_a_sign_of_a_newer_version_is_passed_over(db: Database) -> None:
    await Observations(db).record([voted(ANSWER, True, NOW)])
    await db.write(
        lambda c: c.execute(
            "INSERT INTO observations "
            "SELECT NULL, 'r2', attempt, 'gaze', model, task_type, 1, 1, 1, at FROM observations"
        )
    )
    seen, serial = await Observations(db).since(0)
    assert [one.sign for one in seen] == [Sign.VOTE]
    assert (await Observations(db).since(serial))[0] == ()


STEP = st.tuples(st.integers(1, 2), st.sampled_from([True, False, None]), st.integers(0, 9), st.booleans())


@given(st.lists(STEP, max_size=12))
@settings(deadline=None, max_examples=25)
async def test_who_asks_what_is_new_ends_with_what_is_there(steps: list[tuple[int, bool | None, int, bool]]) -> None:
    async with Database(None) as db:
        store, serial, heard = Observations(db), 0, {}
        for attempt, liked, second, listens in steps:
            answer = Answer("r", attempt, "m/m", TaskType.CODE)
            await store.record([voted(answer, liked, later(second))])
            if listens:
                new, serial = await store.since(serial)
                heard.update({one.key: one for one in new})
        new, serial = await store.since(serial)
        heard.update({one.key: one for one in new})
        everything, _ = await store.since(0)
        assert heard == {one.key: one for one in everything}
