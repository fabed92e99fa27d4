from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.cli.conftest import shell as every_provider

from .packages import installed, write_examples

__all__ = ["every_provider"]


@pytest.fixture
def shell(every_provider: Shell) -> Shell:
    """With keys for one cloud: each further one takes a second to import, and none is what is tried here."""
    for name in ("ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        del every_provider.environment[name]
    return every_provider


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """Where packages are installed that are there for this test."""
    with installed(tmp_path / "site") as site:
        yield site


@pytest.fixture
def examples(site: Path) -> Path:
    write_examples(site)
    return site
