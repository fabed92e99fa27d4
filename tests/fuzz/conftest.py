"""Every target is an ordinary property: a few examples with each run of the tests, FUZZ_MINUTES of them when asked.

The minutes are shared out evenly over the files, and in a file over its targets. An example that takes LONGEST_S has
hung. What is found is mended, and stays as an `@example`.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest
from hypothesis import is_hypothesis_test

MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
LONGEST_S = 60

_seconds: dict[str, float] = {}
_examples: Counter[str] = Counter()


def _hung(*_: object) -> None:
    raise TimeoutError(f"an example took more than {LONGEST_S} s")


def _watched(test: Callable[..., None], name: str) -> Callable[..., None]:
    @wraps(test)
    def watched(*args: Any, **kwargs: Any) -> None:
        _examples[name] += 1
        signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
        try:
            test(*args, **kwargs)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    return watched


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    targets = [item for item in items if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj)]
    files = Counter(item.path for item in targets)
    for item in targets:
        _seconds[item.nodeid] = MINUTES * 60 / len(files) / files[item.path]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not is_hypothesis_test(pyfuncitem.obj):
        return None
    hypothesis = pyfuncitem.obj.hypothesis
    inner, hypothesis.inner_test = hypothesis.inner_test, _watched(hypothesis.inner_test, pyfuncitem.nodeid)
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    before = signal.signal(signal.SIGALRM, _hung)
    until = time.monotonic() + _seconds[pyfuncitem.nodeid]
    try:
        pyfuncitem.obj(**arguments)
        while time.monotonic() < until:
            pyfuncitem.obj(**arguments)
    finally:
        hypothesis.inner_test = inner
        signal.signal(signal.SIGALRM, before)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if MINUTES:
        for name, count in _examples.items():
            terminalreporter.write_line(f"{count:>9,} examples in {_seconds[name] / 60:.1f} min: {name}")
