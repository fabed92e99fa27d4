"""One call of a thread for all that waits for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tui_orchestrator.storage.waking import Waking


def test_what_is_put_there_before_it_begins_needs_no_call_of_its_own_and_what_comes_later_does() -> None:
    done: list[int] = []
    held, begun = threading.Event(), threading.Event()

    def work() -> None:
        done.append(len(done))
        begun.set()

    with ThreadPoolExecutor(1) as threads:
        wake = Waking(threads, work)
        threads.submit(held.wait)
        for _ in range(5):
            wake()
        held.set()
        assert begun.wait(30)
        wake()
    assert done == [0, 1]


def test_where_no_thread_could_be_had_the_next_one_is_called_for_again() -> None:
    done: list[str] = []
    ended, other = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    ended.shutdown()
    wake = Waking(ended, lambda: done.append("work"))
    for _ in range(2):
        with pytest.raises(RuntimeError):
            wake()
    wake._threads = other
    wake()
    other.shutdown()
    assert done == ["work"]
