"""On a fresh checkout each process of the suite would compile every module for itself: each compiles its share first,
and finds the others' afterwards."""

from __future__ import annotations

import compileall
from fnmatch import fnmatch
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

import tui_orchestrator

TESTS = Path(__file__).parent
PACKAGE = Path(tui_orchestrator.__file__).parent


def compile_share(config: pytest.Config, number: int, of: int) -> None:
    """Those of the tests as pytest wants them, with what an assertion says when it fails."""
    wanted = ("conftest.py", *config.getini("python_files"))
    for path in sorted((*PACKAGE.rglob("*.py"), *TESTS.rglob("*.py")))[number::of]:
        if TESTS in path.parents and any(fnmatch(path.name, pattern) for pattern in wanted):
            _rewritten(config, path)
        else:
            compileall.compile_file(path, quiet=2)


def _rewritten(config: pytest.Config, path: Path) -> None:
    kept = rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}"
    if rewrite._read_pyc(path, kept) is None and rewrite.try_makedirs(kept.parent):
        stat, code = rewrite._rewrite_test(path, config)
        rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, stat, kept)
