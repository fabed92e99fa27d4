"""What Textual holds in circles, taken apart when it ends, so that it goes at once and is not left to be looked for.

A console that has grown old is not looked through for garbage any more (`services/garbage.py`): a circle that was there
by then, and ended later, stayed for good.
"""

from __future__ import annotations

from asyncio import Task
from collections.abc import Iterable
from typing import Any

from textual.cache import LRUCache
from textual.css.styles import RenderStyles
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker

_end = Widget._message_loop_exit
_start = Worker._start
_style_parts = Stylesheet._process_component_classes


def part() -> None:
    """From now on."""
    Widget._message_loop_exit = _end_apart  # type: ignore[method-assign, assignment]
    Worker._start = _start_apart  # type: ignore[method-assign, assignment]
    Stylesheet._process_component_classes = _style_parts_anew  # type: ignore[method-assign, assignment]
    LRUCache.clear = LRUCache.__del__ = _clear  # type: ignore[method-assign, assignment, attr-defined]


async def _end_apart(widget: Widget) -> None:
    """Its styles, its timers and what it was drawn with know a widget that knows them."""
    parts = list(widget._component_styles.values())
    await _end(widget)
    _let_go([widget.styles, *parts])
    widget._layout_cache.clear()
    if isinstance(widget, Screen):
        widget._compositor.root = None
    for own in vars(widget).values():
        if isinstance(own, Timer):
            own._callback = None


def _start_apart(worker: Worker[Any], *how: Any) -> None:
    """Its task runs where the worker, and the widget that it works for, are known."""

    def ended(_: Task[Any]) -> None:
        worker._task = None

    _start(worker, *how)
    if worker._task is not None:
        worker._task.add_done_callback(ended)


def _style_parts_anew(sheet: Stylesheet, node: DOMNode) -> None:
    before = list(node._component_styles.values())
    _style_parts(sheet, node)
    _let_go(before)


def _let_go(styles: Iterable[RenderStyles]) -> None:
    for one in styles:
        one.base.node = one.inline.node = None


def _clear(cache: LRUCache[Any, Any]) -> None:
    """Its entries are a ring."""
    for entry in cache._cache.values():
        entry.clear()
    cache._cache.clear()
    cache._full, cache._head = False, []
