"""Keys that are held but never shown."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import NoReturn
from urllib.parse import quote
from weakref import WeakValueDictionary

_SHORTEST = 8
"""What is shorter stands in ordinary words too."""
_SHORTEST_WHOLE = 4
"""In what a provider says, that may quote the key: rather a word too few than a key."""
_SHORTEST_TAKEN_APART = 16
_PIECE = 8
"""So many of a key's letters in a row are hidden."""


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
    held = [(secret.reveal(), str(secret)) for secret in tuple(_held.values()) if len(secret.reveal()) >= _SHORTEST]
    for value, shown in held:
        text = text.replace(value, shown)
    return without(text, *(value for value, _ in held))


def without(text: str, *keys: str) -> str:
    """Also without a part of a key, or a key in another form: in capitals, with something between its letters, in
    base64 or with percent signs. Whoever repeats it may have changed it."""
    for key in keys:
        text = text.replace(key, "…") if len(key) >= _SHORTEST_WHOLE else text
    # What cannot be part of a key is passed over: zero-width characters, and whatever else stands between its letters.
    letters = [(place, letter.lower()) for place, letter in enumerate(text) if letter.isascii() and letter > " "]
    run = "".join(letter for _, letter in letters)
    gone = [False] * len(text)
    for form, size in (one for key in keys if len(key) >= _SHORTEST_TAKEN_APART for one in _forms(key)):
        pieces = {form[at : at + size] for at in range(len(form) - size + 1)}
        for at in range(len(run) - size + 1):
            if run[at : at + size] in pieces:
                first, last = letters[at][0], letters[at + size - 1][0]
                gone[first : last + 1] = [True] * (last + 1 - first)
    shown = (("…" if hidden else "".join(letter for letter, _ in part)) for hidden, part in _runs(text, gone))
    return "".join(shown)


def _runs(text: str, gone: list[bool]) -> Iterator[tuple[bool, Iterable[tuple[str, bool]]]]:
    return groupby(zip(text, gone, strict=True), key=lambda pair: pair[1])


@lru_cache(16)
def _forms(key: str) -> list[tuple[str, int]]:
    """In small letters, each with how many of its letters in a row are too many."""
    raw = key.encode()
    coded = [b64encode(b"\0" * shift + raw).decode().strip("=")[4 if shift else 0 :] for shift in range(3)]
    percent = "".join(f"%{byte:02x}" for byte in raw)
    plain = [key, quote(key, safe=""), *coded, *(one.replace("+", "-").replace("/", "_") for one in coded)]
    return [*((form.lower(), _PIECE) for form in dict.fromkeys(plain)), (percent, 3 * _PIECE)]
