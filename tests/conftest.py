from __future__ import annotations

import gc
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import httpcore2
import pytest
from hypothesis import HealthCheck, settings

from tests.compiling import compile_share
from tui_orchestrator.providers.prices import Entry, PriceBook
from tui_orchestrator.storage import database
from tui_orchestrator.storage.migrations import migrate

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

_modules = 0
_copying = threading.Lock()

GARBAGE = (20_000, 20, 50)
gc.set_threshold(*GARBAGE)

# Dozens of tests start the program as a process of its own: what one of them has compiled is not compiled again, a
# third of what each costs.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# No test is judged by a clock: how long an example takes says how busy the machine is. Each run draws other examples,
# so that 25 in each of many runs find what a hundred in each would; `--thorough` draws them at once.
UNHURRIED = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("unhurried", UNHURRIED)
settings.register_profile("thorough", UNHURRIED, max_examples=200)
settings.load_profile("unhurried")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are processors: a fifth of its time a test waits for a socket, a process or a timer."""
    return len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)) + 2


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="every cell of every product, and many more examples")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cells: of the product of its parameters each value is tried; `--thorough`: all")
    if config.getoption("thorough"):
        settings.load_profile("thorough")
    if worker := getattr(config, "workerinput", None):
        compile_share(config, int(worker["workerid"].removeprefix("gw")), worker["workercount"])


def pytest_collection() -> None:
    """What is imported and collected is no garbage, and is not looked through for any."""
    gc.disable()


# Last: whoever keeps pictures is to know that those of the cells left out are not without a test.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a product that is marked `cells`, and that nobody asked for in part, the cells of its diagonal stay: in them
    each value of each parameter comes at least once. Of one parameter those stay whose places the mark names: several
    tests share out what it stands for, such as the sizes of a terminal. New pictures are taken of every cell."""
    products: dict[tuple[Path, str], list[pytest.Function]] = {}
    every = config.getoption("thorough") or config.getoption("update_snapshots", False)
    for item in items if not every else ():
        if isinstance(item, pytest.Function) and item.get_closest_marker("cells"):
            products.setdefault((item.path, item.originalname), []).append(item)
    left: list[pytest.Function] = []
    for cells in products.values():
        (named,) = (mark.args for mark in cells[0].iter_markers("cells"))
        axes = [range(len(mark.args[1])) for mark in cells[0].iter_markers("parametrize")]
        places = list(product(*axes))
        if len(places) == len(cells):
            steps = named or range(max(map(len, axes)))
            kept = {tuple(step % len(axis) for axis in axes) for step in steps}
            left += [cell for cell, place in zip(cells, places, strict=True) if place not in kept]
    if left:
        config.hook.pytest_deselected(items=left)
        gone = set(left)
        items[:] = [item for item in items if item not in gone]


@pytest.fixture(scope="session")
def thorough(pytestconfig: pytest.Config) -> bool:
    """Whether everything is to be tried, and not a choice in which each value comes at least once."""
    return bool(pytestconfig.getoption("thorough"))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_runtest_setup() -> None:
    """A console wants short collections of garbage from its start on; the tests after it want few."""
    gc.set_threshold(*GARBAGE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """What was imported stays to the end: it is left out of every collection of garbage. The SDKs' quarter of a million
    objects took 0.2 s each time, a fifth of all that a test of the console cost."""
    global _modules
    yield
    if len(sys.modules) > _modules + 50:
        _modules = len(sys.modules)
        gc.collect()
        gc.freeze()


@cache
def _empty_store() -> sqlite3.Connection:
    store = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    migrate(store)
    return store


def _open_schema(
    connection: sqlite3.Connection, path: Path | None, *, begin: Callable[[sqlite3.Connection], object]
) -> Path | None:
    with _copying:
        if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            _empty_store().backup(connection)
    return migrate(connection, path, begin=begin)


@pytest.fixture(scope="session", autouse=True)
def migrated_once() -> Iterator[None]:
    """Every new store is a copy of one that all migrations made: they take 40 ms of processor time, a copy 2."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "migrate", _open_schema)
        yield


@pytest.fixture(scope="session", autouse=True)
def prices_read_once() -> Iterator[None]:
    """What the price book says of a model in this minute is the same for every test; to read all of it again was a
    third of what a command with real providers costs."""
    read = PriceBook._entry
    known: dict[tuple[object, ...], tuple[ModelInfo, Entry]] = {}

    def entry(book: PriceBook, name: str, model: ModelInfo) -> Entry:
        # By identity, which is nobody else's as long as the model is kept here.
        key = (name, id(model), book.at.replace(second=0, microsecond=0))
        if key not in known:
            known[key] = model, read(book, name, model)
        return known[key][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PriceBook, "_entry", entry)
        yield


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once() -> Iterator[None]:
    """As the program does for its own connections: the clients of a test trust whom the one before trusted, and reading
    the bundle takes 50 ms of processor time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpcore2, "default_ssl_context", cache(httpcore2.default_ssl_context))
        yield
