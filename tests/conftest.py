from __future__ import annotations

import gc
import sqlite3
import sys
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tui_orchestrator.storage import database
from tui_orchestrator.storage.migrations import migrate

_modules = 0
_copying = threading.Lock()

gc.set_threshold(20_000, 20, 50)

# No test is judged by a clock: how long an example takes says how busy the machine is.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


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


def _open_schema(connection: sqlite3.Connection, path: Path | None) -> Path | None:
    with _copying:
        if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            _empty_store().backup(connection)
    return migrate(connection, path)


@pytest.fixture(scope="session", autouse=True)
def migrated_once() -> Iterator[None]:
    """Every new store is a copy of one that all migrations made: they take 40 ms of processor time, a copy 2."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "migrate", _open_schema)
        yield
