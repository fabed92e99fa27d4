"""The kinds of value a setting can have: what is accepted, and how it is told what would have been right."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from ..plugins.contract import Kind as PluginKind
from ..plugins.finding import names
from ..routing.money import Money
from ..routing.patterns import Pattern, compile_pattern
from ..routing.request import Strategy
from ..routing.text import HARMFUL
from .secrets import KEY_BEGINS, LIKE_A_KEY, Secret, hidden


class Kind(Protocol):
    @property
    def words(self) -> str:
        """What to give, as in 'give …'."""
        ...

    def parse(self, raw: object) -> object:
        """`raw` is as TOML gave it, numbers with a point as Decimal. Raises ValueError that says what is wrong."""
        ...

    def from_text(self, text: str) -> object:
        """What TOML would have given for a value written without quotes, as in the environment."""
        ...


class AsWritten:
    """Without quotes a value is what it is in them."""

    __slots__ = ()

    def from_text(self, text: str) -> object:
        return text


def shown(raw: object) -> str:
    """A wrong value, short enough for an error."""
    if isinstance(raw, Mapping):
        return "a section"
    if isinstance(raw, list):
        return "a list"
    if isinstance(raw, bool):
        return str(raw).lower()
    text = repr(raw) if isinstance(raw, str) else str(raw)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _number(text: str) -> object:
    try:
        return Decimal(text.strip().replace("_", ""))
    except InvalidOperation:
        return text


@dataclass(frozen=True, slots=True)
class Flag:
    words = "true or false"

    def parse(self, raw: object) -> bool:
        if isinstance(raw, bool):
            return raw
        raise ValueError(f"{shown(raw)} is neither true nor false")

    def from_text(self, text: str) -> object:
        word = text.strip().lower()
        if word in ("1", "true", "yes", "on"):
            return True
        return False if word in ("0", "false", "no", "off") else text


@dataclass(frozen=True, slots=True)
class FlagOr:
    """On, off, or another way of being on."""

    word: str

    @property
    def words(self) -> str:
        return f'true, false or "{self.word}"'

    def parse(self, raw: object) -> bool | str:
        if isinstance(raw, bool) or raw == self.word:
            assert isinstance(raw, bool | str)
            return raw
        raise ValueError(f"{shown(raw)} is neither true nor false nor {self.word}")

    def from_text(self, text: str) -> object:
        return Flag().from_text(text)


@dataclass(frozen=True, slots=True)
class Number:
    low: Decimal | int = 0
    high: Decimal | int = 1
    unit: str = ""
    whole: bool = False

    @property
    def words(self) -> str:
        what = "a whole number" if self.whole else "a number"
        return f"{what}{f' of {self.unit}' if self.unit else ''} from {self.low} to {self.high}"

    def parse(self, raw: object) -> int | float:
        if isinstance(raw, float):
            raw = Decimal(str(raw))
        if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
            raise ValueError(f"{shown(raw)} is not a number")
        if isinstance(raw, Decimal) and not raw.is_finite():
            raise ValueError(f"{raw} is not a number that can be counted with")
        if raw < self.low:
            raise ValueError(f"{raw} is below {self.low or 'zero'}")
        if raw > self.high:
            raise ValueError(f"{raw} is above {self.high or 'zero'}")
        if not self.whole:
            return float(raw)
        if raw != int(raw):
            raise ValueError(f"{raw} is not a whole number")
        return int(raw)

    def from_text(self, text: str) -> object:
        return _number(text)


def whole(low: int, high: int, unit: str = "") -> Number:
    return Number(low, high, unit, whole=True)


@dataclass(frozen=True, slots=True)
class Usd(AsWritten):
    """Money. From TOML it comes as Decimal or int, never as float."""

    words: str = "US dollars"

    def parse(self, raw: object) -> Money:
        if isinstance(raw, str):
            # A price in quotes is as exact as one without.
            raw = _number(raw.removeprefix("$"))
        if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
            raise ValueError(f"{shown(raw)} is not an amount")
        if isinstance(raw, Decimal) and not raw.is_finite():
            raise ValueError(f"{raw} is not an amount")
        if raw < 0:
            raise ValueError(f"{raw} is below zero")
        if raw > 1_000_000_000:
            raise ValueError(f"{shown(raw)} is above a billion")
        return Money.from_usd(raw)


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple[str, ...]

    @property
    def words(self) -> str:
        return f"one of {', '.join(self.options)}"

    def parse(self, raw: object) -> str:
        if isinstance(raw, str) and raw in self.options:
            return raw
        close = difflib.get_close_matches(str(raw).lower(), self.options, 1)
        perhaps = f", perhaps '{close[0]}' is meant" if close else ""
        raise ValueError(f"{shown(raw)} is unknown{perhaps}")

    def from_text(self, text: str) -> object:
        return text.strip()


class StrategyName(Choice):
    """One of the program's own, or of a plugin that is installed, which is not imported to find out."""

    __slots__ = ()

    def __init__(self) -> None:
        pass

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(Strategy)

    @property
    def words(self) -> str:
        return f"one of {', '.join(self.options)}, or one that a plugin brings"

    def parse(self, raw: object) -> str:
        if isinstance(raw, str) and raw not in self.options and raw in names(PluginKind.STRATEGY):
            return raw
        return super().parse(raw)


@dataclass(frozen=True, slots=True)
class Text(AsWritten):
    words: str = "text in quotes"
    fits: str = r"(?s).*\S.*"
    """What all of it must look like."""
    confidential: bool = False
    """A wrong value is not repeated."""
    never_a_key: bool = False
    """What is shown and stored with every decision."""

    def parse(self, raw: object) -> str:
        if not isinstance(raw, str):
            raise ValueError(f"{shown(raw)} is not text")
        if not raw.strip():
            raise ValueError("the text is empty")
        if not re.fullmatch(self.fits, raw):
            raise ValueError("this is not what is wanted" if self.confidential else f"{shown(raw)} is not right here")
        if self.never_a_key and hidden(raw) != raw:
            raise ValueError(LIKE_A_KEY)
        return raw


_UNSEEN = re.compile(rf"\s|{HARMFUL.pattern}")
MODEL = Text("a model's id as `models` lists it", rf"(?:(?!{HARMFUL.pattern})[^\s,])+", never_a_key=True)
MODEL_NAME = rf"(?!.*{HARMFUL.pattern})[^\s/\"]+/[^\s\"]+"
"""Of one that has a section."""
ENVIRONMENT_NAME = Text(
    "the name of an environment variable, not the key itself", rf"(?!{KEY_BEGINS})[A-Za-z_]\w*", confidential=True
)


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Kind
    plural: str
    least: int = 1

    @property
    def words(self) -> str:
        return f"a list of {self.plural}" + (f", each {self.item.words}" if isinstance(self.item, Choice) else "")

    def parse(self, raw: object) -> tuple[object, ...]:
        if not isinstance(raw, list | tuple):
            raise ValueError(f"{shown(raw)} is not a list")
        if len(raw) < self.least:
            raise ValueError("the list is empty and so names nothing")
        values = tuple(self.item.parse(item) for item in raw)
        for number, value in enumerate(values):
            if value in values[:number]:
                raise ValueError(f"{shown(raw[number])} stands in the list twice")
        return values

    def from_text(self, text: str) -> object:
        return [self.item.from_text(part.strip()) for part in text.split(",") if part.strip()]


@dataclass(frozen=True, slots=True)
class WordOrList:
    """One word, or several in the order they hold."""

    item: Choice
    plural: str

    @property
    def words(self) -> str:
        return f"{self.item.words}, or a list of them in the order they are tried"

    def parse(self, raw: object) -> str | tuple[object, ...]:
        if isinstance(raw, list | tuple):
            return ListOf(self.item, self.plural).parse(raw)
        return self.item.parse(raw)

    def from_text(self, text: str) -> object:
        return ListOf(self.item, self.plural).from_text(text) if "," in text else self.item.from_text(text)


@dataclass(frozen=True, slots=True)
class ByName:
    """Some of several names, each with a value of its own: `{ code = 0.1 }`."""

    names: Choice
    value: Kind
    plural: str

    @property
    def words(self) -> str:
        return f"a table of {self.plural}, each {self.value.words}; they are {', '.join(self.names.options)}"

    def parse(self, raw: object) -> dict[str, object]:
        if not isinstance(raw, Mapping):
            raise ValueError(f"{shown(raw)} is not a table of {self.plural}")
        values = {}
        for name, value in raw.items():
            known = self.names.parse(name)
            try:
                values[known] = self.value.parse(value)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return values

    def from_text(self, text: str) -> object:
        pairs = (part.partition("=") for part in text.split(",") if part.strip())
        return {name.strip(): self.value.from_text(value.strip()) for name, _, value in pairs}


@dataclass(frozen=True, slots=True)
class Regex(AsWritten):
    words = "a regular expression, best in single quotes"

    def parse(self, raw: object) -> Pattern:
        if not isinstance(raw, str) or not raw:
            raise ValueError(f"{shown(raw)} is not a pattern")
        return compile_pattern(raw)


@dataclass(frozen=True, slots=True)
class Url(AsWritten):
    """An address without a password in it, unless it is kept as a secret."""

    schemes: tuple[str, ...] = ("http", "https")
    secret: bool = False

    @property
    def words(self) -> str:
        return f"an address that begins with {' or '.join(f'{scheme}://' for scheme in self.schemes)}"

    def parse(self, raw: object) -> str | Secret:
        # The value is never repeated: what is wrong with it may be the key someone put there.
        if not isinstance(raw, str):
            raise ValueError("this is not an address")
        address = raw.strip()
        try:
            parts = urlsplit(address)
            port_is_right = parts.port is None or parts.port > 0
        except ValueError:
            raise ValueError("this is not an address") from None
        if parts.scheme not in self.schemes or not parts.hostname or not port_is_right or _UNSEEN.search(address):
            raise ValueError("this is not such an address")
        if self.secret:
            return Secret(address)
        if parts.username or parts.password:
            raise ValueError("the address holds a name or password; keys go through api_key_env")
        if parts.query or parts.fragment:
            raise ValueError("the address goes on after its path, with ? or #")
        return address.rstrip("/")


@dataclass(frozen=True, slots=True)
class FilePath(AsWritten):
    words = "a whole path, from / or ~"

    def parse(self, raw: object) -> Path:
        if not isinstance(raw, str) or not raw.strip() or HARMFUL.search(raw):
            raise ValueError(f"{shown(raw)} is not a path")
        try:
            path = Path(raw).expanduser()
        except RuntimeError:
            raise ValueError(f"nobody knows where the home directory of {shown(raw)} is") from None
        if not path.is_absolute():
            raise ValueError(f"{shown(raw)} depends on where the program is started")
        return path


@dataclass(frozen=True, slots=True)
class Command(AsWritten):
    """A program with its arguments. No shell ever sees it."""

    words = "a command with its arguments"

    def parse(self, raw: object) -> tuple[str, ...]:
        if not isinstance(raw, str):
            raise ValueError(f"{shown(raw)} is not a command")
        try:
            words = tuple(shlex.split(raw))
        except ValueError as error:
            raise ValueError(f"the command cannot be split into words: {str(error).lower()}") from None
        if not words or "\0" in raw:
            raise ValueError("the command is empty")
        return words


@dataclass(frozen=True, slots=True)
class Refused(AsWritten):
    """A key that must not be there at all."""

    words: str
    why: str = "a key does not belong in this file"

    def parse(self, raw: object) -> object:
        raise ValueError(self.why)
