from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tui_orchestrator.providers import embedding
from tui_orchestrator.providers.embedding import StaticEmbedder, missing

_ALONE = """
import socket, sys
def refuse(*_, **__):
    raise OSError("no network here")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from tui_orchestrator.providers.embedding import StaticEmbedder
from tui_orchestrator.storage.cache import SqliteCache
assert not {"numpy", "tokenizers", "safetensors"} & set(sys.modules), "imported before it is needed"
assert StaticEmbedder().embed("hello").shape == (256,)
print(sorted({"wordllama", "huggingface_hub", "requests"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def embedder() -> StaticEmbedder:
    return StaticEmbedder()


def test_it_needs_no_network_no_home_and_no_cache_and_imports_nothing_that_could_download(tmp_path: Path) -> None:
    nothing = {"HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "PATH": os.environ["PATH"]}
    ended = subprocess.run(
        [sys.executable, "-c", _ALONE], env=nothing, capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert (ended.stdout, ended.stderr) == ("[]\n", "")
    assert list(tmp_path.iterdir()) == []


def test_vectors_are_of_unit_length_and_know_what_is_alike(embedder: StaticEmbedder) -> None:
    texts = ("How do I reverse a list?", "how can I reverse a list", "What does a nurse earn?")
    one, same, other = (embedder.embed(text) for text in texts)
    assert all(abs(float(np.linalg.norm(vector)) - 1) < 1e-6 for vector in (one, same, other))
    assert one @ same > 0.9 > 0.5 > one @ other


@pytest.mark.parametrize("odd", ["", "\udc80", "\x00", "🦆" * 5000])
def test_any_text_has_a_vector(embedder: StaticEmbedder, odd: str) -> None:
    assert np.isfinite(embedder.embed(odd)).all()


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing() == ""
    for name in ("tokenizers", "wordllama"):
        monkeypatch.setitem(sys.modules, name, None)
    assert missing() == "tokenizers and wordllama are not installed"


def test_one_that_is_not_installed_and_files_that_are_not_there_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "tokenizers", None)
        assert missing() == "tokenizers is not installed"
    weights, words = "weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"
    monkeypatch.setattr(embedding, "_package", lambda: tmp_path)
    assert missing() == f"the installed wordllama has no {weights} and no {words}"
    for left, file in ((words, weights), ("", words)):
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).touch()
        assert missing() == (f"the installed wordllama has no {left}" if left else "")


def test_a_text_without_a_token_is_like_nothing_and_spelling_in_capitals_says_nothing(embedder: StaticEmbedder) -> None:
    nothing = embedder.embed("")
    assert (nothing.shape, nothing.dtype, float(np.abs(nothing).max())) == ((256,), np.float32, 0.0)
    assert embedder.embed("FRANCE").tolist() == embedder.embed("france").tolist()
    assert embedder.embed("france").dtype == np.float32
