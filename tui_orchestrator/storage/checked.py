"""Whether what was read from the store is what its types say. SQLite keeps a text where a number should be; another
program may have put it there, or damage to the file."""

from __future__ import annotations

import math
import re
import sqlite3
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .schema import MIGRATIONS

T = TypeVar("T")
Check = Callable[[Any], str]
"""'' for what fits, else what it is."""

_NAMES = {str: "a text", bytes: "bytes", int: "a whole number", float: "a number", bool: "a yes or no"}


class Unreadable(Exception):
    """Something in the store is not what this program writes. The message says what and where."""


@contextmanager
def readable(table: str) -> Iterator[None]:
    """Around what makes a value of a row, and does nothing else: raises Unreadable where it cannot."""
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Unreadable(f"a row of {table} ({type(error).__name__})") from error


@dataclass(frozen=True, slots=True)
class Whole(Generic[T]):
    """What work gives that has looked at all it read: `checked` takes it as it is."""

    value: T


def a_text(cell: object) -> str:
    """Raises Unreadable for anything else."""
    if not isinstance(cell, str):
        raise Unreadable(f"{_name(cell)} where a text should be")
    return cell


def a_count(cell: object, what: str) -> int:
    """Raises Unreadable for anything else than a whole number."""
    if not isinstance(cell, int):
        raise Unreadable(f"{_name(cell)} as {what}")
    return cell


def look_at(found: object) -> None:
    """Raises Unreadable for a value among what a read gave, in however many lists, that has a field of another type
    than it says."""
    if said := _look(found):
        raise Unreadable(said)


def checked(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """What `work` gives. Raises Unreadable for what is of the wrong type, and where the work failed over it."""
    try:
        found = work(connection)
    except (TypeError, ValueError, KeyError, AttributeError, ArithmeticError, sqlite3.OperationalError) as error:
        # A sum of numbers beyond all bounds is SQLITE_ERROR.
        if "integer overflow" in str(error):
            raise Unreadable("numbers beyond all bounds") from error
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code == sqlite3.SQLITE_ERROR and not lost(error) and (said := wrong_cell(connection)):
            raise Unreadable(said) from error
        raise
    look_at(found)
    return found


def lost(error: Exception) -> str:
    """What of its schema the store has lost, by an SQLITE_ERROR: 'its table prompts is gone'; '' for anything else,
    such as a query for what no store has."""
    if said := _LOST.search(str(error)):
        own = any(said["name"] in _WORD.findall(migration.sql) for migration in MIGRATIONS)
        return f"its {said['kind'] or 'column'} {said['name']} is gone" if own else ""
    return ""


_LOST = re.compile(r"(?:no such (?P<kind>table|column): |has no column named )(?:\w+\.)?(?P<name>\w+)")
_WORD = re.compile(r"\w+")


def wrong_cell(connection: sqlite3.Connection) -> str:
    """The first cell of the store that has not its column's type, such as 'a text in attempts.cost'; '' where all
    have. Reads all of it. By the program's own schema: that of the file may have been changed too."""
    from .migrations import migrate  # whose faults are told by what this tells

    own = sqlite3.connect(":memory:", isolation_level=None)
    migrate(own)
    tables = own.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' "
        "AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'messages_text%'"
    ).fetchall()
    for (table,) in tables:
        for _, column, declared, not_null, _, key in own.execute(f"PRAGMA table_info({table})").fetchall():
            fits = _STORED.get(declared)
            if fits is None:
                continue
            null = "" if not_null or key else f" AND {column} IS NOT NULL"
            wrong = connection.execute(
                f"SELECT typeof({column}) FROM {table} WHERE NOT COALESCE({fits.format(column)}, 0){null} LIMIT 1"
            ).fetchone()
            if wrong is not None:
                return f"{_SQL_NAMES[wrong[0]]} in {table}.{column}"
    return ""


_STORED = {
    "TEXT": "typeof({0}) = 'text'",
    "BLOB": "typeof({0}) = 'blob'",
    "INTEGER": "typeof({0}) = 'integer'",
    "REAL": "typeof({0}) IN ('real', 'integer') AND {0} BETWEEN -1e300 AND 1e300",
}
_SQL_NAMES = {"text": "a text", "blob": "bytes", "null": "nothing", "integer": "a number", "real": "a number"}


def _look(found: object) -> str:
    kind: type = type(found)
    return _look_at(kind)(found)


@cache
def _look_at(kind: type) -> Check:
    if issubclass(kind, list | tuple | frozenset | set) and not hasattr(kind, "_fields"):
        return lambda found: next((said for one in found if (said := _look(one))), "")
    if issubclass(kind, Mapping):
        return lambda found: next((said for one in found.values() if (said := _look(one))), "")
    if is_dataclass(kind) and kind is not Whole:
        return _fields_of(kind)
    return lambda found: ""


@cache
def _fields_of(kind: type) -> Check:
    try:
        hints = get_type_hints(kind)
    except NameError:  # a type that is there for the type checker alone
        return lambda found: ""
    checks = [
        (field.name, _enough(hints[field.name]), check)
        for field in fields(kind)
        if (check := _check(hints[field.name])) is not None
    ]

    def look(found: Any) -> str:
        for name, enough, check in checks:
            value = getattr(found, name)
            if type(value) not in enough and (said := check(value)):
                return said if " as " in said else f"{said} as {name.replace('_', ' ').strip()}"
        return ""

    return look


def _enough(hint: Any) -> frozenset[type]:
    """Types whose every value fits: of ten thousand messages no more is to be looked at."""
    several = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return frozenset(one for one in several if one in (int, str, bytes, bool, types.NoneType, datetime))


def _check(hint: Any) -> Check | None:
    """None: nothing is to be checked."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        several = [(_check(one), one) for one in arguments]
        if any(check is None for check, _ in several):
            return None
        tried = [check for check, _ in several if check is not None]
        return lambda found: "" if any(not check(found) for check in tried) else _name(found)
    if origin is Literal:
        return lambda found: "" if found in arguments else _name(found)
    if origin in (tuple, frozenset, list, Sequence, Mapping):
        return _look_in(arguments[-2] if arguments and arguments[-1] is Ellipsis else None)
    if hint is float:
        return lambda found: "" if type(found) in (float, int) and math.isfinite(found) else _name(found)
    if hint is int:
        return lambda found: "" if isinstance(found, int) else _name(found)
    if hint is types.NoneType:
        return lambda found: "" if found is None else _name(found)
    if not isinstance(hint, type):
        return None
    if is_dataclass(hint):
        return lambda found: _look(found) if isinstance(found, hint) else _name(found)
    if hint in (str, bytes, bool) or issubclass(hint, Enum) or hint.__module__ == "datetime":
        return lambda found: "" if isinstance(found, hint) else _name(found)
    return None


def _look_in(hint: Any) -> Check:
    inner = None if hint is None else _check(hint)
    if inner is None:
        return _look

    def look(found: Any) -> str:
        if not isinstance(found, list | tuple | frozenset | set):
            return _name(found)
        return next((said for one in found if (said := inner(one))), "") if found else ""

    return look


def _name(found: object) -> str:
    return "nothing" if found is None else _NAMES.get(type(found), f"a {type(found).__name__}")
