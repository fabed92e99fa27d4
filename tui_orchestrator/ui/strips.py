"""Textual's lines of the screen, without caches that most of them never use, and gone with what they were drawn for.

Textual makes seven for each line at once. They were six of ten objects of a console that had shown much: most of what
drawing costs beside its work, and most of what is looked through for garbage.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.segment import Segment
from textual._styles_cache import StylesCache
from textual.cache import FIFOCache
from textual.strip import Strip

_ENTRIES = {
    "_divide_cache": 4,
    "_crop_cache": 16,
    "_style_cache": 16,
    "_filter_cache": 4,
    "_line_length_cache": 4,
    "_crop_extend_cache": 4,
    "_offsets_cache": 4,
}
"""How many each keeps (Textual 8.2.8)."""
_OTHERS = {"_segments", "_cell_length", "_render_cache", "_link_ids", "_cell_count"}


def lighten() -> None:
    """From now on a line makes a cache when it first uses it. Does nothing where Textual's lines have others. Lines of
    widgets that are gone go too: a cache of colours keyed by each widget's lines kept a thousand of them all."""
    if set(Strip.__slots__) == _OTHERS | _ENTRIES.keys():
        Strip.__init__ = _begin  # type: ignore[method-assign, assignment]
        Strip.__getattr__ = _cache  # type: ignore[attr-defined]
    if hasattr(colours := vars(StylesCache)["get_inner_outer"], "cache_info"):
        StylesCache.get_inner_outer = classmethod(colours)  # type: ignore[method-assign, assignment]


def _begin(strip: Strip, segments: Iterable[Segment], cell_length: int | None = None) -> None:
    strip._segments = list(segments)
    strip._cell_length = cell_length
    strip._render_cache = strip._link_ids = strip._cell_count = None


def _cache(strip: Strip, name: str) -> FIFOCache[Any, Any]:
    """Asked for what is not set."""
    if name not in _ENTRIES:
        raise AttributeError(f"'Strip' object has no attribute {name!r}", name=name, obj=strip)
    cache: FIFOCache[Any, Any] = FIFOCache(_ENTRIES[name])
    setattr(strip, name, cache)
    return cache
