"""Work that is stopped when its processor time is up, wherever it is then."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import importlib
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui_orchestrator.ui.limit import TooLong, can_stop, within

MOST_S = 0.02
FOR_EVER_S = 60


def never_ends(*_: object) -> None:
    raise AssertionError("it goes on for ever")


@pytest.fixture(autouse=True)
def not_for_ever() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, never_ends)
    signal.alarm(FOR_EVER_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def one_match() -> None:
    re.match(r"(a|aa)+!", "a" * 80)


def many_steps() -> None:
    while True:
        pass


def a_generator() -> None:
    for _ in (one_match() for _ in range(9)):
        pass


def with_handlers_of_its_own() -> None:
    for _ in range(9):
        try:
            one_match()
        except Exception as error:
            raise AssertionError("it was seen") from error


def that_swallows_everything() -> None:
    for _ in range(2):
        try:
            one_match()
        except BaseException:  # noqa: BLE001
            continue
    one_match()


def busy(most_s: float) -> None:
    until = time.thread_time() + most_s
    while time.thread_time() < until:
        pass


@pytest.mark.parametrize(
    "work", [one_match, many_steps, a_generator, with_handlers_of_its_own, that_swallows_everything]
)
def test_what_goes_on_for_ever_is_stopped(work: Callable[[], None]) -> None:
    with pytest.raises(TooLong):
        within(MOST_S, work)


def test_what_is_done_in_time_is_returned_and_nothing_is_stopped_afterwards() -> None:
    assert within(MOST_S, lambda: "done") == "done"
    with pytest.raises(ValueError, match="its own"):
        within(MOST_S, lambda: int("its own"))
    busy(4 * MOST_S)


def test_no_garbage_is_looked_for_meanwhile() -> None:
    """Its callbacks swallow what is raised in them."""
    before = gc.isenabled()
    gc.enable()
    try:
        assert within(MOST_S, gc.isenabled) is False
        with pytest.raises(TooLong):
            within(MOST_S, lambda: (within(MOST_S, str), one_match()))
        assert gc.isenabled()
        gc.disable()
        within(MOST_S, str)
        assert not gc.isenabled()
    finally:
        (gc.enable if before else gc.disable)()


def test_the_time_of_other_threads_does_not_count() -> None:
    other = threading.Thread(target=hashlib.pbkdf2_hmac, args=("sha256", b"", b"", 1_000_000))
    other.start()
    assert within(MOST_S, other.join) is None


def test_a_limit_within_another_leaves_it_its_own() -> None:
    def outer() -> None:
        with pytest.raises(TooLong):
            within(MOST_S, one_match)
        seen.append("the inner one")
        one_match()

    seen: list[str] = []
    with pytest.raises(TooLong):
        within(3 * MOST_S, outer)
    assert seen == ["the inner one"]


def test_a_limit_within_a_shorter_one_does_not_lengthen_it() -> None:
    def outer() -> None:
        with pytest.raises(TooLong):
            within(10 * FOR_EVER_S, one_match)
        one_match()

    with pytest.raises(TooLong):
        within(MOST_S, outer)


def test_the_timer_and_the_handler_of_somebody_else_come_back() -> None:
    def struck(*_: object) -> None:
        raise ZeroDivisionError

    before = signal.signal(signal.SIGVTALRM, struck)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, 3 * MOST_S)
        with pytest.raises(TooLong):
            within(MOST_S, one_match)
        with pytest.raises(ZeroDivisionError):
            one_match()
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


async def test_the_signals_of_the_event_loop_go_on() -> None:
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, came.set)
    try:
        with pytest.raises(TooLong):
            within(MOST_S, one_match)
        signal.raise_signal(signal.SIGUSR1)
        await came.wait()
    finally:
        loop.remove_signal_handler(signal.SIGUSR1)


def test_an_import_is_not_left_in_its_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "takes_its_time.py").write_text(
        f"import time\nuntil = time.thread_time() + {4 * MOST_S}\nwhile time.thread_time() < until: pass\nDONE = 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def work() -> None:
        importlib.import_module("takes_its_time")
        one_match()

    with pytest.raises(TooLong):
        within(MOST_S, work)
    assert sys.modules.pop("takes_its_time").DONE == 1


def test_nothing_can_be_stopped_in_another_thread() -> None:
    said: list[bool] = []
    other = threading.Thread(target=lambda: said.append(can_stop()))
    other.start()
    other.join()
    assert (can_stop(), said) == (True, [False])
