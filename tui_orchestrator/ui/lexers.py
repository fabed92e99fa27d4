"""Pygments' lexers, none of which holds the event loop for long, though they were not made for hostile text."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

from .limit import TooLong, can_stop, within

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

MOST_S = 0.03
"""Of processor time, ten times what a chunk takes. One that takes more is drawn without colours, and so is all that
comes in a language of which that was seen `OFTEN`: once may be chance. Of 600 languages (pygments 2.21, November 2026)
17 have an expression that a line of 61 characters keeps busy for ever, and some 80 more are slow with 2,000 of them."""
OFTEN = 2


class Drawing(Protocol):
    def colours_came(self) -> None: ...


class _Step:
    """Of an event loop. One chunk that takes too long is waited for in each, however many come into view: the others
    have their turn in the next."""

    def __init__(self) -> None:
        self.waited = False
        self.left_out = False
        self.loading: asyncio.Future[Any] | None = None

    def over(self) -> None:
        again, self.waited, self.left_out = self.left_out and self.loading is None, False, False
        if again:
            _tell()


drawings: WeakSet[Drawing] = WeakSet()
"""What is told in the event loop when what was drawn without colours for lack of time may have some."""
_slow: Counter[str] = Counter()
"""How often each language took too long."""
_lexers: dict[str, Lexer] = {}
_steps: WeakKeyDictionary[asyncio.AbstractEventLoop, _Step] = WeakKeyDictionary()


def tokens(source: str, language: str) -> list[tuple[Any, str]] | None:
    """(Kind, text) one after the other; None where the language is not known, or it shall not be waited for."""
    alias = _aliases().get(language)
    if alias is None or _slow[alias] >= OFTEN or not can_stop():
        return None
    loop = _running()
    if loop is None:
        _lexer(alias)
        step = _Step()
    else:
        step = _steps.setdefault(loop, _Step())
    if step.loading is not None or step.waited:
        step.left_out = True
        return None
    try:
        return within(MOST_S, lambda: list(_lexer(alias).get_tokens(source)))
    except TooLong as stopped:
        load = _unloaded(alias, stopped)
    if load is None:
        _slow[alias] += 1
    if loop is None:
        if load is not None:
            load()
        return None
    step.waited = True
    loop.call_soon(step.over)
    if load is not None:
        # Until it has been, nothing is coloured: two threads that load the same lexer would get into each other's way.
        step.loading = loop.run_in_executor(None, load)
        step.loading.add_done_callback(partial(_loaded, step, alias))
    return None


def _unloaded(alias: str, stopped: TooLong) -> Callable[[], object] | None:
    """What loads the lexer that was being loaded, this one or one that it uses: that may take three times as long as a
    text may, once, and is not the text's fault."""
    from pygments.lexer import RegexLexerMeta

    if alias not in _lexers:
        return partial(_lexer, alias)
    at = stopped.__cause__.__traceback__ if stopped.__cause__ else None
    while at is not None:
        if at.tb_frame.f_code is RegexLexerMeta.__call__.__code__:
            load: Callable[[], object] = at.tb_frame.f_locals["cls"]
            return load
        at = at.tb_next
    return None


def _loaded(step: _Step, alias: str, loading: asyncio.Future[Any]) -> None:
    step.loading = None
    if loading.cancelled() or loading.exception():
        _slow[alias] = OFTEN
    _tell()


def _tell() -> None:
    for drawing in list(drawings):
        drawing.colours_came()


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


@cache
def _aliases() -> dict[str, str]:
    from pygments.lexers import get_all_lexers  # type: ignore[import-untyped]

    # Without plugins: looking for them reads the metadata of every installed package.
    return {alias: aliases[0] for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases}


def _lexer(alias: str) -> Lexer:
    from pygments.lexers import get_lexer_by_name

    if alias not in _lexers:
        _lexers[alias] = get_lexer_by_name(alias, stripnl=False, stripall=False)
    return _lexers[alias]
