from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import shell as shell

from .packages import installed, write_examples


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """Where packages are installed that are there for this test."""
    with installed(tmp_path / "site") as site:
        yield site


@pytest.fixture
def examples(site: Path) -> Path:
    write_examples(site)
    return site
