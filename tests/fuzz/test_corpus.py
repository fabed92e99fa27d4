"""What was found by `guided.py`, and what it begins with, harms nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from .targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


def test_every_target_has_its_corpus_and_every_corpus_its_target() -> None:
    assert {path.parent.name for path in FILES} == set(TARGETS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_nothing_in_the_corpus_harms(file: Path) -> None:
    TARGETS[file.parent.name](file.read_bytes())
