"""The settings of the cache of answers."""

from __future__ import annotations

from .kinds import MODEL_NAME, Flag, whole
from .named import SHARE
from .shape import Key, Table
from .values import CacheSettings

_CACHE = CacheSettings()
_LIFETIME = whole(1, 31_536_000, "seconds")

CACHE = Table(
    "Answers kept to be given again: at temperature 0, or when asked.",
    {
        "exact": Key(Flag(), _CACHE.exact, "For the same model, messages and parameters.", "false"),
        "ttl_s": Key(_LIFETIME, _CACHE.ttl_s, "How long an answer is kept.", "3600"),
        "max_answers": Key(
            whole(1, 1_000_000), _CACHE.max_answers, "Most answers kept; those used longest ago go first.", "1000"
        ),
        "max_mb": Key(whole(1, 100_000, "megabytes"), _CACHE.max_mb, "Most megabytes of them.", "256"),
        "semantic": Key(
            Flag(),
            _CACHE.semantic,
            "For nearly the same prompt too, told by local embeddings and by its words; always marked. It needs "
            "pip install 'tui-orchestrator[semantic]', and `exact`.",
            "true",
        ),
        "semantic_similarity": Key(
            SHARE, _CACHE.semantic_similarity, "Least likeness of two prompts for that, as a cosine.", "0.98"
        ),
        "models": Table(
            "What holds of one model instead.",
            each=Table(
                "",
                {
                    "exact": Key(Flag(), None, "Whether its answers are kept.", "false", unset="as above"),
                    "semantic": Key(Flag(), None, "Whether for nearly the same prompt too.", "false", unset="as above"),
                    "ttl_s": Key(_LIFETIME, None, "How long they are kept.", "600", unset="as above"),
                },
            ),
            name="PROVIDER/MODEL",
            name_fits=MODEL_NAME,
            sample="openai/gpt-6-luna",
        ),
    },
)
