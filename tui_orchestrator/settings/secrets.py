"""Keys that are held but never shown."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NoReturn
from unicodedata import normalize
from urllib.parse import quote
from weakref import WeakValueDictionary

_SHORTEST = 8
"""What is shorter stands in ordinary words too."""
_SHORTEST_WHOLE = 4
"""In what a provider says, that may quote the key: rather a word too few than a key."""
_SHORTEST_TAKEN_APART = 16
_PIECE = 8
"""So many of a key's letters in a row are hidden."""
_GRAM = 4
_STRIDE = _PIECE - _GRAM + 1
_BETWEEN = bytes(range(0x21)) + b"\\\x7f"
"""What may stand between a key's letters: what is escaped twice has more backslashes."""
_ESCAPES = ("{:02x}", "%{:02x}", "&#{};", "&#x{:x};", "x{:02x}", "u{:04x}")
"""One letter of a key, as it may be written, without backslashes."""
_LETTERS = re.compile(r"[\x21-\x5b\x5d-\x7e]+")
KEY_BEGINS = r"(?:sk|pk|gsk|xai|hf|r8|pplx)[-_]|AIza"
"""As keys of those who give keys out begin, November 2026."""
_PUBLIC = re.compile(rf"^(?:{KEY_BEGINS})(?:(?:ant-[a-z]+\d\d|proj|svcacct|admin|or-v1)-)?")
"""What all keys of a vendor, or of one of its kinds, begin with."""
_KEY = re.compile(rf"(?:{KEY_BEGINS})\S{{6}}|(?=.*[0-9])[^\s/]{{20}}")
_NAMES = r"(?:api[-_]?key|(?<!first_)token|secret|password|passwd|passphrase|authorization)"
_HOLDS_ONE = re.compile(rf"(?i)(?:(?:^|_)key|{_NAMES})$")
_AFTER_ITS_NAME = re.compile(
    rf"(?i)(?P<name>{_NAMES}[\"']?\s*[:=]\s*)"
    r"(?:(?P<quote>[\"'])(?:(?!(?P=quote)).){4,}(?P=quote)|(?:bearer|basic)\s+\S{4,}|(?=\S*\d)[^\s\"',;&)\]}]{8,})"
)
"""A value that is named so: in quotes, behind the way it is sent, or with a digit in it, unlike our sentences."""
# OpenAI repeats a wrong key with stars in its middle.
_SHAPED = re.compile(
    r"\bsk-[\w*.-]{5,}[\w*]|\b(?:gsk|xai|pplx|hf|r8)[-_][\w-]{20,}|\bAIza[\w*-]{10,}|(?<=Bearer )[^\s'\"]{4,}"
)


LIKE_A_KEY = "looks like a key, which does not belong in this file"


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
_around: dict[str, str] = {}
"""What the surroundings of this process hold under names of keys, and how it is shown: of ours and of others."""


def hold(name: str, value: str) -> None:
    """A variable of the environment or a `.env`: what is a key by its name is shown nowhere from now on."""
    value = value.strip()
    if _HOLDS_ONE.search(name) and not value.startswith(("/", "~")):
        hold_key(value)


def hold_key(value: str) -> None:
    if len(value) >= _SHORTEST:
        _around[value] = str(Secret(value))


def holds_a_key(words: Iterable[str]) -> bool:
    """Whether one of a command's words looks like one, or has one in it: rather once too often than not at all."""
    return any(_KEY.match(piece) for word in words for piece in re.split(r"[\s='\",:;]+", word))


def masked(text: str) -> str:
    """Without any key that this process holds, whole or in part: for a traceback, whose errors may quote one."""
    held = _ours()
    return without(_replaced(text, _around | held), *held)


def hidden(text: str) -> str:
    """Without any whole key that this process holds, and without what looks like one: for what the program says of
    itself. A part of a key may be a word in a name."""
    return without_keys(
        _replaced(text, {value: shown for value, shown in (_around | _ours()).items() if not is_a_word(value)})
    )


def _ours() -> dict[str, str]:
    """Each with how it is shown."""
    return {one.reveal(): str(one) for one in tuple(_held.values()) if len(one.reveal()) >= _SHORTEST}


def _replaced(text: str, keys: Mapping[str, str]) -> str:
    for value, shown in keys.items():
        text = text.replace(value, shown)
    return text


def is_a_word(key: str) -> bool:
    """Local servers are given keys such as 'lm-studio', which stand in names and sentences too."""
    short = len(key) < _SHORTEST_TAKEN_APART
    return len(key) < _SHORTEST or (short and (key.isdigit() or re.search("[0-9]", key) is None))


def without_keys(text: str) -> str:
    """Without what looks like a key, whosever it is."""
    return _SHAPED.sub("…", _AFTER_ITS_NAME.sub(r"\g<name>…", text))


def without(text: str, *keys: str) -> str:
    """Also without a part of a key, or a key in another form: in capitals, backwards, with something between its
    letters, in full-width letters, in base64, in hexadecimal figures, with percent signs, or escaped as HTML and JSON
    have it. Whoever repeats it may have changed it."""
    for key in keys:
        text = text.replace(key, "…") if len(key) >= _SHORTEST_WHOLE else text
    return _traces(tuple(key for key in keys if len(key) >= _SHORTEST_TAKEN_APART), _PIECE).hidden(text)


def traces(key: str) -> Traces | None:
    """What of a key is hidden in what others write at length. None: nothing, since it is a word. What a vendor's keys
    all begin with is no secret, and of a key that is put together of words and numbers only the whole is hidden."""
    if is_a_word(key):
        return None
    secret = _PUBLIC.sub("", key)
    if len(secret) >= _SHORTEST_TAKEN_APART and any(map(_by_chance, re.findall("[A-Za-z0-9]+", secret))):
        return _traces((secret,), _PIECE)
    return _traces((key,), None)


def _by_chance(part: str) -> bool:
    """As no word and no number is."""
    mixed = len(re.findall("[a-z][A-Z]", part)) >= 2
    return len(part) >= _PIECE and (mixed or (len(re.findall("[0-9]", part)) >= 2 and not part.isdigit()))


class Traces:
    """Pieces of keys, in all their forms, as they are looked for in a text."""

    def __init__(self, pieces: Mapping[int, set[bytes]]) -> None:
        """By their length, in small letters without white space and backslashes."""
        self._pieces = pieces
        # Every piece holds one at a place that is divisible by the stride: a megabyte takes hundredths of a second so.
        self._grams = {
            piece[at : at + _GRAM]
            for those in pieces.values()
            for piece in those
            for at in range(len(piece) - _GRAM + 1)
        }

    def hidden(self, text: str) -> str:
        spans = self.spans(text)
        return hide(text, spans) if spans else text

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where pieces stand, in order: the first letter's place and the one behind the last letter's."""
        # What cannot be part of a key is passed over: zero-width characters, and whatever else stands between letters.
        plain, letters = _letters(text)
        likely = [at for at in range(0, len(letters) - _GRAM + 1, _STRIDE) if letters[at : at + _GRAM] in self._grams]
        inside = bytearray(len(letters))
        """Of each letter, whether it and the next one are in the same piece."""
        for size, those in self._pieces.items():
            untried = 0
            for at in likely:
                for start in range(max(untried, at + _GRAM - size), min(at, len(letters) - size) + 1):
                    if letters[start : start + size] in those:
                        inside[start : start + size - 1] = b"\1" * (size - 1)
                untried = at + 1
        found = [place for part in re.finditer(rb"\x01+", inside) for place in part.span()]
        places = _places(plain, found)
        return [(first, last + 1) for first, last in zip(places[::2], places[1::2], strict=True)]

    def begun(self, text: str) -> int:
        """Where the letters at the end of a text begin that may be part of a piece; of fewer than four nothing can be
        said."""
        plain, letters = _letters(text)
        start = len(letters)
        while start >= _GRAM and letters[start - _GRAM : start] in self._grams:
            start -= 1
        if start == len(letters):
            return len(text)
        return _with_its_backslash(text, _places(plain, [start - _GRAM + 1])[0])


def hide(text: str, spans: Iterable[tuple[int, int]], start: int = 0) -> str:
    """From `start` on. A backslash goes with what it stands before, so that JSON stays JSON."""
    shown: list[str] = []
    for first, end in spans:
        if end > start:
            first = max(start, _with_its_backslash(text, first))
            # Two pieces that touch are one.
            shown += [text[start:first], "…" if first > start or not shown else ""]
            start = end
    return "".join([*shown, text[start:]])


def _with_its_backslash(text: str, place: int) -> int:
    return place - (text[place - 1 : place] == "\\")


def _letters(text: str) -> tuple[str, bytes]:
    """As long as the text, and what of it may be letters of a key."""
    plain = _plain(text)
    return plain, plain.encode("ascii", "ignore").translate(None, _BETWEEN).lower()


def _plain(text: str) -> str:
    """As long, with full-width, bold and other such letters as those of ASCII."""
    if text.isascii():
        return text
    plain = {ord(one): normalize("NFKC", one) for one in set(text) if not one.isascii()}
    return text.translate({odd: one for odd, one in plain.items() if len(one) == 1 and one.isascii()})


def _places(text: str, letters: list[int]) -> list[int]:
    """Where in a text these of its letters stand, counted from 0, in rising order."""
    places: list[int] = []
    counted = 0
    for run in _LETTERS.finditer(text):
        while len(places) < len(letters) and letters[len(places)] < counted + run.end() - run.start():
            places.append(run.start() + letters[len(places)] - counted)
        counted += run.end() - run.start()
    return places


@lru_cache(16)
def _traces(keys: tuple[str, ...], piece: int | None) -> Traces:
    """`piece`: so many of a key's letters in a row; None: all of them."""
    pieces: dict[int, set[bytes]] = {}
    for form, width in (one for key in keys for one in _forms(key)):
        letters = form.encode(errors="surrogateescape").translate(None, b"\\")
        size = len(letters) if piece is None else piece * width
        pieces.setdefault(size, set()).update(letters[at : at + size] for at in range(len(letters) - size + 1))
    return Traces(pieces)


@lru_cache(16)
def _forms(key: str) -> list[tuple[str, int]]:
    """In small letters, each with how many of them stand for one of the key's."""
    raw = key.encode(errors="surrogateescape")
    coded = [b64encode(b"\0" * shift + raw).decode().strip("=")[4 if shift else 0 :] for shift in range(3)]
    plain = [
        *(key, key[::-1], quote(raw, safe=""), *coded),
        *(one.replace("+", "-").replace("/", "_") for one in coded),
    ]
    return [
        *((form.lower(), 1) for form in dict.fromkeys(plain)),
        *(("".join(map(each.format, raw)), len(each.format(100))) for each in _ESCAPES),
    ]
