"""Through how much of what there is garbage is looked for at once: bounded, however long the program lives."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import ClassVar

import pytest

from tui_orchestrator.services import garbage
from tui_orchestrator.services.garbage import Tidying

AT_ONCE = 20_000


class Node:
    """Of a cycle, with something that hangs on it."""

    alive: ClassVar[weakref.WeakSet[Node]] = weakref.WeakSet()

    def __init__(self, holds: int) -> None:
        self.me = self
        self.things = [[number] for number in range(holds)]
        self.alive.add(self)


@pytest.fixture
def looked() -> Iterator[list[int]]:
    """How many objects each look through all went through. Nothing that is there before is looked through."""
    found: list[int] = []

    def begun(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            found.append(len(gc.get_objects()))

    gc.collect()
    gc.freeze()
    thresholds = gc.get_threshold()
    gc.callbacks.append(begun)
    # As `begin` sets them, in small.
    gc.set_threshold(garbage.YOUNG // 10, garbage.MIDDLE, garbage.OLD)
    yield found
    gc.callbacks.remove(begun)
    gc.set_threshold(*thresholds)
    Node.alive.clear()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "AT_ONCE", AT_ONCE)
    monkeypatch.setattr(garbage, "MANY", AT_ONCE // 4)


@pytest.mark.parametrize("calm", [True, False], ids=["at rest", "at work"])
@pytest.mark.usefixtures("small")
def test_in_a_long_life_no_look_goes_through_more_than_a_bounded_number_of_objects(
    looked: list[int], calm: bool
) -> None:
    tidying, kept = Tidying(), list[object]()
    for turn in range(300):
        kept.append([[number] for number in range(1_000)])
        Node(500)
        tidying.look(calm=calm, passing=turn % 3 == 0)
    assert len(kept) * 1_000 > 10 * AT_ONCE
    assert len(looked) > 5
    assert max(looked) < 1.5 * AT_ONCE


@pytest.mark.parametrize("calm", [True, False], ids=["at rest", "at work"])
@pytest.mark.usefixtures("small", "looked")
def test_cycles_that_grow_old_before_they_end_do_not_stay(calm: bool) -> None:
    tidying, open_ = Tidying(), list[Node]()
    for _ in range(300):
        open_.append(Node(500))
        if len(open_) > 5:
            open_.pop(0)
        tidying.look(calm=calm, passing=False)
    assert len(Node.alive) < 100


@pytest.mark.usefixtures("small")
def test_more_than_is_looked_through_at_once_is_never_looked_through(looked: list[int]) -> None:
    before, kept = gc.get_freeze_count(), [[number] for number in range(3 * AT_ONCE)]
    Tidying().look(calm=True, passing=False)
    assert not looked
    assert gc.get_freeze_count() > before + 2 * AT_ONCE
    assert len(kept) == 3 * AT_ONCE


@pytest.mark.usefixtures("small")
def test_what_is_soon_gone_is_not_kept_for_good(looked: list[int]) -> None:
    tidying, before = Tidying(), gc.get_freeze_count()
    dialog = Node(AT_ONCE // 2)
    tidying.look(calm=True, passing=True)
    assert looked
    assert gc.get_freeze_count() < before + 1_000
    del dialog
    kept = [[number] for number in range(10_000)]
    tidying.look(calm=True, passing=False)
    assert not Node.alive
    assert len(kept) == 10_000


@pytest.mark.usefixtures("small")
def test_more_than_is_looked_through_again_and_again_waits_until_nothing_soon_ends(looked: list[int]) -> None:
    tidying, before = Tidying(), gc.get_freeze_count()
    dialog, kept = Node(AT_ONCE // 20), [[number] for number in range(AT_ONCE * 6 // 10)]
    gc.collect(1)
    tidying.look(calm=False, passing=True)
    assert looked
    assert gc.get_freeze_count() < before + 1_000
    del dialog
    tidying.look(calm=False, passing=False)
    assert not Node.alive
    assert gc.get_freeze_count() >= before + len(kept)


@pytest.mark.usefixtures("small")
def test_where_nothing_has_grown_old_nothing_is_looked_through(looked: list[int]) -> None:
    tidying = Tidying()
    gc.collect(1)
    tidying.look(calm=True, passing=False)
    looks = len(looked)
    for _ in range(50):
        tidying.look(calm=True, passing=False)
    assert len(looked) == looks


def test_while_something_is_made_no_garbage_is_looked_for() -> None:
    with garbage.put_off():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_fails_to_be_made_ends_the_pause_too() -> None:
    with pytest.raises(ZeroDivisionError), garbage.put_off():
        _ = 1 / 0
    assert gc.isenabled()
