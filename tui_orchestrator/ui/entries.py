"""What a conversation holds, apart from how it is drawn: prompts, answers, notices, escalation trails."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from tui_orchestrator.routing.text import clean

from .blocks import Block, Splitter

if TYPE_CHECKING:
    from tui_orchestrator.services.feedback import Given

    from .look import Caption

Severity = Literal["information", "warning", "error"]

# Estimates of tokens are shown with a ~ and priced by nobody: four bytes a token is the providers' own rule of thumb
# (OpenAI's help pages, November 2026).
BYTES_PER_TOKEN = 4
SLICE = 1000
"""Characters that are split into blocks before the clock is looked at again."""
PROMPT_LINES = 12
PROMPT_CHARACTERS = 2000


class Kind(StrEnum):
    PROMPT = "prompt"
    ANSWER = "answer"
    NOTICE = "notice"
    TRAIL = "trail"


class Part(StrEnum):
    """What of an entry a click hit."""

    PROMPT = "prompt"
    BRANCH = "branch"
    HEADING = "heading"
    THINKING = "thinking"
    BODY = "body"
    STATUS = "status"
    DISCARDED = "discarded"
    NOTICE = "notice"
    TRAIL = "trail"


FOLDS = frozenset({Part.PROMPT, Part.THINKING, Part.DISCARDED})

_serial = itertools.count(1)


def _new_key() -> str:
    return f"entry-{next(_serial)}"


@dataclass(slots=True, eq=False)
class Entry:
    """Texts are kept as they came and cleaned before they are drawn or handed out."""

    kind: Kind
    key: str = field(default_factory=_new_key)
    caption: Caption = ""
    """An answer's heading, a trail's or a notice's line."""
    text: str = ""
    """Given at once: a prompt, a notice, a loaded answer. What streams in comes through `append`."""
    thoughts: list[str] = field(default_factory=list)
    attachments: tuple[str, ...] = ()
    severity: Severity = "information"
    status: Caption = ""
    vote: bool | None = None
    """The user's, up or down."""
    branch: tuple[int, int] | None = None
    """Of a prompt with others beside it: which of how many, from 1."""
    growing: bool = False
    discarded: Caption | None = None
    """Why the answer does not count; its text is then folded under this line."""
    unfolded: set[Part] = field(default_factory=set)
    changed: bool = True
    """Something other than the end of the body has changed since it was last drawn."""
    restarted: bool = False
    """What was drawn of it before holds no more."""
    _pieces: list[str] = field(default_factory=list)
    _waiting: deque[str] = field(default_factory=deque)
    _splitter: Splitter | None = None
    _finished: bool = False

    @classmethod
    def prompt(cls, text: str, attachments: Sequence[str] = (), key: str | None = None) -> Entry:
        return cls(Kind.PROMPT, key or _new_key(), text=text, attachments=tuple(attachments))

    @classmethod
    def answer(
        cls,
        text: str = "",
        *,
        heading: Caption = "",
        thinking: str = "",
        status: Caption = "",
        discarded: Caption | None = None,
        growing: bool = False,
        key: str | None = None,
    ) -> Entry:
        return cls(
            Kind.ANSWER,
            key or _new_key(),
            caption=heading,
            text=text,
            thoughts=[thinking] if thinking else [],
            status=status,
            discarded=discarded,
            growing=growing,
        )

    @classmethod
    def notice(cls, text: str, severity: Severity = "information", key: str | None = None) -> Entry:
        return cls(Kind.NOTICE, key or _new_key(), text=text, severity=severity)

    @classmethod
    def trail(cls, caption: Caption, key: str | None = None) -> Entry:
        return cls(Kind.TRAIL, key or _new_key(), caption=caption)

    def append(self, text: str) -> None:
        self._pieces.append(text)
        if self._splitter is not None:
            self._waiting.extend(_slices(text))

    def rewrite(self, text: str) -> None:
        """In place of all that came: read afresh, and growing on from there."""
        self.growing = True
        self.text, self._splitter, self._finished, self.restarted, self.changed = text, None, False, True, True
        self._pieces.clear()
        self._waiting.clear()

    def append_thinking(self, text: str) -> None:
        self.thoughts.append(text)
        self.changed = True

    @property
    def thinking(self) -> str:
        if len(self.thoughts) > 1:
            self.thoughts = ["".join(self.thoughts)]
        return self.thoughts[0] if self.thoughts else ""

    @property
    def source(self) -> str:
        """The whole text, clean, as Markdown: for copying and quoting."""
        return clean(self.raw)

    @property
    def raw(self) -> str:
        """As it came: for looking through, never for drawing or handing out."""
        if self._pieces:
            self.text += "".join(self._pieces)
            self._pieces.clear()
        return self.text

    @property
    def size(self) -> int:
        return len(self.text) + sum(map(len, self._pieces))

    @property
    def folded(self) -> bool:
        return self.discarded is not None and Part.DISCARDED not in self.unfolded

    @property
    def unread(self) -> bool:
        """Text has come that is not split into blocks yet; only answers that count are."""
        if self.kind is not Kind.ANSWER or self.discarded is not None:
            return False
        return bool(self._waiting) or (self._splitter is None and self.size > 0)

    def foldable(self, part: Part) -> bool:
        if part is Part.DISCARDED:
            return self.discarded is not None
        return part is Part.THINKING or self.long_prompt

    @property
    def long_prompt(self) -> bool:
        """Longer than is shown before it is unfolded."""
        return self.kind is Kind.PROMPT and (
            len(self.text) > PROMPT_CHARACTERS or self.text.count("\n") >= PROMPT_LINES
        )

    def toggle(self, part: Part) -> None:
        self.unfolded ^= {part}
        self.changed = True

    def split(self, until: float) -> None:
        """Reads new text into blocks until none is left or `time.perf_counter()` passes `until`; at least a little."""
        if self._splitter is None:
            self._splitter = Splitter()
            self._waiting = deque(part for text in (self.text, *self._pieces) for part in _slices(text))
        while self._waiting:
            self._splitter.feed(clean(self._waiting.popleft()))
            if perf_counter() >= until:
                break
        if not self._waiting and not self.growing and not self._finished:
            self._splitter.finish()
            self._finished = True

    def settled(self, start: int) -> list[Block]:
        return self._splitter.settled[start:] if self._splitter else []

    def tail(self) -> list[Block]:
        return self._splitter.growing() if self._splitter and not self._finished else []


def _slices(text: str) -> Iterator[str]:
    return (text[at : at + SLICE] for at in range(0, len(text), SLICE))


def estimate_tokens(text: str) -> int:
    return -(-len(text.encode(errors="replace")) // BYTES_PER_TOKEN)


def prompt_key(request_id: str) -> str:
    return f"{request_id}/prompt"


def answer_key(request_id: str, attempt: int | None) -> str:
    return f"{request_id}/{attempt}"


def trail_key(request_id: str) -> str:
    return f"{request_id}/trail"


def request_of(key: str) -> str:
    """The turn an entry's key belongs to."""
    return key.partition("/")[0]


def given(entry: Entry) -> Given | None:
    """Which answer an entry shows; None for one that shows none that counts."""
    request_id, _, rest = entry.key.partition("/")
    number = rest.partition("/")[0]
    counts = entry.kind is Kind.ANSWER and entry.discarded is None and not entry.growing
    return (request_id, int(number)) if counts and number.isdecimal() else None
