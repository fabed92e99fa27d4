"""Frozen dataclasses to JSON values and back, exactly, led by their annotations.

A field the stored value lacks takes its default, and one that no longer exists is passed over, so that what an older
version wrote can still be read.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.request import Strategy

T = TypeVar("T")
_PLAIN = frozenset({str, int, float, bool, type(None)})


def encode(value: object) -> Any:
    """Money becomes its picodollars, an enum its value, a set a sorted list."""
    return value if type(value) in _PLAIN else _ENCODERS[type(value)](value)


class _Encoders(dict[type, Callable[[Any], Any]]):
    """By type, found once: a decision is made of hundreds of values."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        self[kind] = found = _encoder(kind)
        return found


_ENCODERS = _Encoders()


def _encoder(kind: Any) -> Callable[[Any], Any]:
    if issubclass(kind, Money):
        return attrgetter("picodollars")
    if issubclass(kind, Enum):
        return attrgetter("_value_")
    if issubclass(kind, datetime):
        return datetime.isoformat
    if is_dataclass(kind):
        return _of_fields(kind)
    if issubclass(kind, Mapping):
        return lambda found: {encode(key): encode(item) for key, item in found.items()}
    if issubclass(kind, frozenset):
        return lambda found: sorted(map(encode, found))
    if issubclass(kind, str | int | float):
        return lambda found: found
    if issubclass(kind, Sequence) and not issubclass(kind, bytes | bytearray):
        return lambda found: [item if type(item) in _PLAIN else encode(item) for item in found]
    raise TypeError(f"a {kind.__name__} has no JSON form here")


def _of_fields(kind: Any) -> Callable[[Any], dict[str, Any]]:
    names = _names(kind)
    if len(names) < 2:
        return lambda found: {name: encode(getattr(found, name)) for name in names}
    fields = attrgetter(*names)
    return lambda found: {
        name: item if type(item) in _PLAIN else _ENCODERS[type(item)](item)
        for name, item in zip(names, fields(found), strict=True)
    }


@cache
def _names(kind: type) -> tuple[str, ...]:
    """Of the fields it is made from: what it works out of them itself is worked out anew."""
    return tuple(field.name for field in fields(kind) if field.init)


def decode(kind: type[T], stored: Any) -> T:
    """What `encode` made of an instance of `kind`."""
    return cast(T, _decode(kind, stored))


def _decode(kind: Any, stored: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (some,) = (argument for argument in arguments if argument is not types.NoneType)
        return None if stored is None else _decode(some, stored)
    if origin is tuple:
        if isinstance(stored, str):
            # Written when there was only one of it.
            stored = [stored]
        repeated = len(arguments) == 2 and arguments[1] is Ellipsis
        kinds = arguments[:1] * len(stored) if repeated else arguments
        return tuple(_decode(each, item) for each, item in zip(kinds, stored, strict=True))
    if origin is Sequence:
        return tuple(_decode(arguments[0], item) for item in stored)
    if origin is frozenset:
        return frozenset(_decode(arguments[0], item) for item in stored)
    if origin is Mapping:
        return {_decode(arguments[0], key): _decode(arguments[1], item) for key, item in stored.items()}
    if kind is datetime:
        return datetime.fromisoformat(stored)
    if kind is Strategy:
        # A plugin's, which may have been removed since.
        return Strategy.named(stored)
    if kind is Money or (isinstance(kind, type) and issubclass(kind, Enum)):
        return kind(stored)
    if isinstance(kind, type) and is_dataclass(kind):
        hints, known = _hints(kind), _names(kind)
        return kind(**{name: _decode(hints[name], item) for name, item in stored.items() if name in known})
    return stored


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
