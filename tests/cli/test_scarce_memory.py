"""A system that gives the program less than it needs."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import LIBRARY
from tui_orchestrator.scarcity import SENTENCE, scarce

MEGABYTE = 1_000_000


def ended(home: Path, command: list[str], limit: Callable[[], object]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tui_orchestrator", "--demo", *command],
        env={
            "PYTHONPATH": str(LIBRARY),
            "TUI_ORCHESTRATOR_HOME": str(home),
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
        },
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        preexec_fn=limit,
    )


def memory(megabytes: int) -> Callable[[], object]:
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (megabytes * MEGABYTE, megabytes * MEGABYTE))


@pytest.mark.cells(0, 1, 2)
@pytest.mark.parametrize("command", [["ask", "hello"], ["costs"]], ids=" ".join)
@pytest.mark.parametrize("megabytes", [30, 60, 110, 160, 300])
def test_too_little_memory_is_told_in_one_sentence(tmp_path: Path, megabytes: int, command: list[str]) -> None:
    done = ended(tmp_path, command, memory(megabytes))
    assert (done.returncode, done.stderr) == (1, f"{SENTENCE}\n") or (done.returncode == 0 and megabytes > 60)


def test_an_error_is_told_by_what_it_came_from() -> None:
    assert scarce(ImportError("/lib/a.so: failed to map segment from shared object"))
    assert scarce(RuntimeError("can't start new thread"))
    assert scarce(OSError(12, "Cannot allocate memory"))
    assert scarce(ExceptionGroup("", [MemoryError(), MemoryError()]))
    late = ValueError("no")
    late.__context__ = MemoryError()
    assert scarce(late)
    late.__context__.__context__ = late
    assert not scarce(ExceptionGroup("", [MemoryError(), KeyError("a")]))
    assert not any(
        scarce(one) for one in (None, ValueError("out of memory"), ImportError("no module"), OSError(2, "x"))
    )
