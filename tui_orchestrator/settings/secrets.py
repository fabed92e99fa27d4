"""Keys that are held but never shown."""

from __future__ import annotations

from typing import NoReturn
from weakref import WeakValueDictionary

_SHORTEST = 8
"""What is shorter stands in ordinary words too."""


class Secret:
    """Text that only `reveal()` gives out: printing, formatting, comparing in a failed test or pickling does not."""

    __slots__ = ("__weakref__", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        _held[id(self)] = self

    def reveal(self) -> str:
        return self._value

    def __str__(self) -> str:
        """Enough to tell two keys apart: 'sk-…abcd'. Of a short one, nothing."""
        if len(self._value) < 16:
            return "…"
        return f"{self._value[:3]}…{self._value[-4:]}"

    def __repr__(self) -> str:
        return f"Secret({str(self)!r})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere, so it cannot be pickled or copied")


# By identity: of two that are equal one may go while the other stays.
_held: WeakValueDictionary[int, Secret] = WeakValueDictionary()


def masked(text: str) -> str:
    """Without any key that this process holds: for a traceback, whose errors may quote one."""
    for secret in tuple(_held.values()):
        if len(value := secret.reveal()) >= _SHORTEST:
            text = text.replace(value, str(secret))
    return text
