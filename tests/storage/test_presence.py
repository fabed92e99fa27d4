"""Which copies of the program are there, and what the dead ones have left."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_orchestrator.storage.presence import Presence, is_locked


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def copies(store: Path) -> Iterator[tuple[Presence, Presence]]:
    made = Presence(store), Presence(store)
    yield made
    for one in made:
        one.leave()


def killed(one: Presence) -> None:
    """Its lock is gone and its file stays, as the kernel leaves it."""
    assert one._lock is not None
    os.close(one._lock)
    one._lock = None


def test_a_copy_is_seen_by_others_from_its_claim_until_it_leaves(copies: tuple[Presence, Presence]) -> None:
    one, other = copies
    assert (one.alive(one.id), other.alive(one.id)) == (True, False)
    one.claim()
    one.claim()
    assert other.alive(one.id)
    assert one.directory is not None
    [file] = one.directory.iterdir()
    assert (file.name, is_locked(file), file.stat().st_size) == (one.id, True, 16 * 1024)
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(one.directory.stat().st_mode)) == (0o600, 0o700)
    one.leave()
    one.leave()
    assert (other.alive(one.id), list(one.directory.iterdir())) == (False, [])
    one.claim()
    assert other.alive(one.id), "it may come back"


def test_what_the_dead_have_left_to_be_known_stays_until_it_is_known(copies: tuple[Presence, Presence]) -> None:
    one, other = copies
    one.keep(["before the claim there is no place for it"])
    assert one.kept(one.id) == []
    one.claim()
    one.keep(["first", "second"])
    one.keep(["third"])
    assert other.kept(one.id) == one.kept(one.id) == ["third"]
    killed(one)
    other.claim()
    assert (other.alive(one.id), other.kept(one.id)) == (False, ["third"])
    other.forget([one.id, "nobody"])
    assert other.directory is not None
    assert [file.name for file in other.directory.iterdir()] == [other.id]


def test_a_copy_that_leaves_with_something_to_be_known_leaves_its_file(copies: tuple[Presence, Presence]) -> None:
    one, other = copies
    one.claim()
    one.keep(["a call"])
    one.leave()
    assert (other.alive(one.id), other.kept(one.id)) == (False, ["a call"])


def test_files_of_the_dead_are_taken_away_and_nothing_else(copies: tuple[Presence, Presence]) -> None:
    one, other = copies
    one.claim()
    killed(one)
    assert one.directory is not None
    (one.directory / "a directory").mkdir()
    (one.directory / "no name of ours").write_text("precious")
    other.claim()
    assert {file.name for file in one.directory.iterdir()} == {other.id, "a directory"}
    assert not other.alive("no name of ours")


class Late(Presence):
    """Whose files are taken away by somebody else while it looks."""

    def kept(self, owner: str) -> list[str]:
        found = super().kept(owner)
        if self.directory is not None:
            (self.directory / owner).unlink(missing_ok=True)
        return found


def test_a_file_that_somebody_else_takes_away_meanwhile_is_missed_by_nobody(store: Path) -> None:
    dead, late = Presence(store), Late(store)
    dead.claim()
    killed(dead)
    late.claim()
    assert late.directory is not None
    assert [file.name for file in late.directory.iterdir()] == [late.id]
    late.leave()
    assert list(late.directory.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "kept"), [("x" * (16 * 1024 - 1), 1), ("x" * (16 * 1024), 0), ("x" * (8 * 1024 - 1), 2)]
)
def test_as_many_lines_are_kept_as_there_is_room_for(copies: tuple[Presence, Presence], line: str, kept: int) -> None:
    one, other = copies
    one.claim()
    one.keep([line] * 3)
    assert other.kept(one.id) == [line] * kept


def test_what_is_no_text_is_nothing_to_be_known(copies: tuple[Presence, Presence]) -> None:
    one, other = copies
    one.claim()
    assert one.directory is not None
    (one.directory / one.id).write_bytes(b"\xff\n")
    assert other.kept(one.id) == []
    assert other.kept("nobody") == []


def test_a_store_in_memory_has_no_other_copies() -> None:
    one = Presence(None)
    one.claim()
    one.keep(["nothing"])
    one.forget(["somebody", one.id])
    one.leave()
    assert (one.alive(one.id), one.alive("somebody"), one.kept(one.id)) == (True, False, [])
