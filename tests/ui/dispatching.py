"""Textual's way of a message to its handlers, at half its price: a key is several hundred messages to the eighty
widgets of a console. Which methods of a class are for which message is found out once, and no log is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from textual.message import Message
from textual.message_pump import MessagePump

_with_selectors = MessagePump._get_dispatch_methods


@cache
def _handlers(pump: type, name: str, message: type[Message]) -> list[tuple[type, Callable[..., Any]]] | None:
    """None where one was declared with `on`, which may depend on who sent it."""
    found = []
    for kind in pump.__mro__:
        declared = kind.__dict__.get("_decorated_handlers") or {}
        if any(wanted in declared for wanted in message.__mro__):
            return None
        method = kind.__dict__.get(f"_{name}") or kind.__dict__.get(name)
        if method is not None and not getattr(method, "_textual_on", None):
            found.append((kind, method))
    return found


def _dispatched(pump: MessagePump, name: str, message: Message) -> Iterable[tuple[type, Callable[..., Any]]]:
    handlers = _handlers(type(pump), name, type(message))
    return _with_selectors(pump, name, message) if handlers is None else _bound(pump, message, handlers)


def _bound(
    pump: MessagePump, message: Message, handlers: list[tuple[type, Callable[..., Any]]]
) -> Iterator[tuple[type, Callable[..., Any]]]:
    for kind, method in handlers:
        if message._no_default_action:
            return
        yield kind, method.__get__(pump, kind)


class Silence:
    """A log that nobody reads."""

    def __call__(self, *_: object, **__: object) -> None:
        pass

    def __getattr__(self, _: str) -> Silence:
        return self

    def verbosity(self, _: bool) -> Silence:
        return self


@contextmanager
def dispatched_soon() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MessagePump, "_get_dispatch_methods", _dispatched)
        patch.setattr("textual.message_pump.log", Silence())
        yield
