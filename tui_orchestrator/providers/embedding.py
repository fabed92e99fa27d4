"""A small embedding model that lies inside an installed package, read from its files: nothing here can download.

wordllama 0.4.0.post1 (MIT, December 2025) ships the `l2_supercat` table: 32,000 tokens × 256 numbers, 16 MB, trained on
pairs of sentences that mean the same. A text's vector is the mean of its tokens' rows. The package itself is never
imported: it would set up the root logger, load a client for the web, and fetch files that it does not find.
"""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WEIGHTS = Path("weights", "l2_supercat_256.safetensors")
_TOKENIZER = Path("tokenizers", "l2_supercat_tokenizer_config.json")
INSTALL = "pip install 'tui-orchestrator[semantic]'"


def missing() -> str:
    """What is not there of what embedding needs, as '… is not installed'; '' when all is. Imports nothing of it."""
    needed = ("numpy", "safetensors", "tokenizers", "wordllama")
    absent = [name for name in needed if importlib.util.find_spec(name) is None]
    if absent:
        return f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed"
    lacking = [str(file) for file in (_WEIGHTS, _TOKENIZER) if not (_package() / file).is_file()]
    return f"the installed wordllama has no {' and no '.join(lacking)}" if lacking else ""


def _package() -> Path:
    spec = importlib.util.find_spec("wordllama")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


class StaticEmbedder:
    """Safe to use from several threads. `missing` says whether it can be."""

    name = "wordllama/l2_supercat_256"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._table: NDArray[np.float16] | None = None
        self._tokenizer: Any = None

    def embed(self, text: str) -> NDArray[np.float32]:
        """Of unit length; of a text without a token: zeros, which are like nothing."""
        import numpy as np

        self.load()
        assert self._table is not None
        # In lower case, because the table knows few words in every spelling: `France` and `france` are 0.7 alike.
        plain = text.lower().encode("utf-8", "replace").decode()
        tokens = self._tokenizer.encode(plain, add_special_tokens=False).ids
        if not tokens:
            return np.zeros(self._table.shape[1], dtype=np.float32)
        mean = self._table[tokens].astype(np.float32).mean(axis=0)
        length = float(np.linalg.norm(mean))
        vector: NDArray[np.float32] = (mean / length if length else mean).astype(np.float32)
        return vector

    def load(self) -> None:
        """Reads the model, about 0.4 s of processor time, unless that was done; a second thread waits for the first."""
        with self._lock:
            if self._table is None:
                from safetensors.numpy import load_file
                from tokenizers import Tokenizer

                package = _package()
                self._tokenizer = Tokenizer.from_file(str(package / _TOKENIZER))
                self._table = load_file(package / _WEIGHTS)["embedding.weight"]
