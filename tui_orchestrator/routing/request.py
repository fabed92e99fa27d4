"""What was asked: the conversation, the new prompt, and what the user wants of the answer. No model is chosen yet."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import EnumMeta, StrEnum
from typing import Any, Literal

from .money import Money
from .profile import TaskType
from .text import clean_line
from .tools import FREE, Tool, ToolCall, ToolChoice

CLIENT, ASKED_FOR = "client", "asked_for"
"""In the metadata of a request that another program made: what it calls itself, and the model it named."""

Role = Literal["system", "user", "assistant", "tool"]


class _Open(EnumMeta):
    """An enum that others may add to: its own members first, then those on offer beside them."""

    def __iter__(cls) -> Iterator[Any]:
        yield from super().__iter__()
        yield from _offered

    def __contains__(cls, value: object) -> bool:
        return any(value == member for member in cls)


class Strategy(StrEnum, metaclass=_Open):
    """How a model is chosen. Plugins add to it: in `list(Strategy)`, and as `Strategy("theirs")`, there are those that
    are on offer as well. One that was there when something was stored is still read by `named`, and may be gone."""

    CHEAPEST = "cheapest"
    BALANCED = "balanced"
    QUALITY = "quality"
    PERFORMANCE = "performance"
    PREFERENCE = "preference"
    LOCAL_FIRST = "local_first"
    FALLBACK = "fallback"
    ENSEMBLE = "ensemble"

    @classmethod
    def _missing_(cls, value: object) -> Strategy | None:
        return next((one for one in _offered if one.value == value), None)

    @classmethod
    def named(cls, name: str) -> Strategy:
        """The one of this name, on offer or not; always the same object."""
        if name in cls._value2member_map_:
            return cls(name)
        if name not in _others:
            # As an enum makes those members that it computes, such as the sums of flags.
            other = str.__new__(cls, name)
            other._name_, other._value_ = name.upper(), name
            _others[name] = other
        return _others[name]

    @classmethod
    def offer(cls, others: Iterable[Strategy]) -> None:
        """Beside its own members these, and no longer those before."""
        _offered[:] = others

    @property
    def built_in(self) -> bool:
        return self.value in Strategy._value2member_map_


_others: dict[str, Strategy] = {}
_offered: list[Strategy] = []


class Check(StrEnum):
    """How a finished answer is checked before the turn goes by its confidence."""

    AUTO = "auto"
    """One other cheap model is asked the same where that may change what happens next, and is worth its cost."""
    OFF = "off"
    SECOND_ANSWER = "second_answer"
    """The same for every answer."""
    JUDGE = "judge"
    """A cheap model is asked whether the answer is right, for every answer."""


class Method(StrEnum):
    """How an ensemble's answers come to one."""

    WEIGHTED = "weighted"
    """By confidence, capability, completeness and consensus."""
    JUDGE = "judge"
    """A model names the best and says why."""
    FUSE = "fuse"
    """A model writes one answer from all."""
    VOTE = "vote"
    """The user picks, who is who hidden until then; where nobody picks it is as weighed."""


class Split(StrEnum):
    """What becomes of a prompt that is too long for every model."""

    NEVER = "never"
    """It is answered by nobody."""
    SHOWN = "shown"
    """The decision says how it would be answered in parts, and at what cost. Nothing is sent."""
    AGREED = "agreed"
    """It is answered so: whoever asks has agreed to the cost."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that goes with a message. `data` is the file as it is, not base64."""

    media_type: str
    """image/png, image/jpeg, image/gif or image/webp: what all providers read."""
    data: bytes = field(repr=False)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    text: str
    images: tuple[Image, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    """Of an assistant's message: the tools it called."""
    answers: str = ""
    """Of a tool's message: the id of the call whose result it is."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The answer is to be JSON."""

    schema: Mapping[str, Any] | None = None
    """None: any object."""
    name: str = "answer"
    description: str = ""
    strict: bool | None = None
    """The provider is to hold the answer to the schema, where it can."""


@dataclass(frozen=True, slots=True)
class Request:
    """One turn. The last message is the user's new prompt, or the result of a tool the last answer called; system text
    lies in `system`, never among `messages`."""

    messages: tuple[Message, ...]
    system: str = ""
    strategy: Strategy | None = None
    """None: as configured."""
    model: str | None = None
    """A pinned model's id. It is obeyed: no other model is tried."""
    chain: tuple[str, ...] = ()
    """Model ids in the order they may be walked; empty: built from the registry."""
    ensemble_size: int = 3
    verdict: Method | None = None
    """Of an ensemble. None: as configured."""
    puts_together: bool = False
    """The prompt asks for one answer from several that are there already: its attempts are told as a synthesis."""
    framed: str = ""
    """The user's own prompt, where the last message has it among other things: answers to be put together. What kind of
    task it is goes by this. Empty: the last message is the prompt."""
    judges: bool = False
    """The prompt asks which of several answers is the best: its attempts are told as a judge's, and what it says is no
    answer that is weighed or learned from."""
    continues: bool = False
    """The prompt asks to go on with an answer that was cut off: what comes is gone on from after a failure alone, and
    no rule applies."""
    max_cost: Money | None = None
    """For the whole turn, all its attempts together."""
    max_tokens: int | None = None
    """Most output tokens per attempt, reasoning included. None: the configured default, made smaller when a budget
    is tight."""
    temperature: float | None = None
    check: Check | None = None
    """None: as configured."""
    self_consistency: int | None = None
    """How often the model is asked again, to see whether it says the same. None: as configured."""
    session: str = ""
    """Id of the conversation; the session budget counts by it."""
    tags: frozenset[str] = frozenset()
    """Of the session, as `tag_name` makes them."""
    files: tuple[str, ...] = ()
    """Names of the text files whose contents the prompt holds."""
    use_cache: bool | None = None
    """True: an earlier answer will do; False: neither look for one nor keep this one; None: as usual, at temperature 0
    only."""
    fresh: bool = False
    """Ask for real, whatever is kept; what comes takes its place."""
    temporary: bool = False
    """Nothing of what is said may be kept, only what it cost."""
    stands: bool = False
    """What is shown cannot be taken back: after the first text no other model takes over, neither where the answer
    breaks off nor where it is weak, and none checks it."""
    task_type: TaskType | None = None
    """What kind of task the prompt is, where whoever asks knows. None: as judged from its words."""
    difficulty: float | None = None
    """0-1, where whoever asks knows how hard it is. None: as judged from the prompt's words and its length."""
    tools: tuple[Tool, ...] = ()
    """That the answer may call: then it ends with the calls, and whoever asked carries them out."""
    tool_choice: ToolChoice = FREE
    shape: Shape | None = None
    """Of the answer. None: text."""
    split: Split = Split.NEVER
    """Whether it may be answered in parts where it is too long for every model."""
    unattended: bool = False
    """Nobody waits for it who could be asked to raise a cap: it waits itself, for what other calls have set aside."""
    patience_s: float | None = None
    """How long a call may wait for its turn under a rate limit. None: as configured."""
    once: bool = False
    """What fails is not tried again: one call and no other."""
    place: str = ""
    """Of the prompt in its conversation: the same for what is only previewed and for what is asked again there. By it
    an experiment draws. Empty: by the id."""
    apart: bool = False
    """It takes part in no experiment."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def asked_at(self) -> int:
        """The place of the user's last message; −1: there is none."""
        return next((at for at in range(len(self.messages) - 1, -1, -1) if self.messages[at].role == "user"), -1)

    @property
    def prompt(self) -> str:
        """The user's last words: a tool's result is material, and no question."""
        at = self.asked_at if self.uses_tools else len(self.messages) - 1
        return self.messages[at].text if at >= 0 else ""

    @property
    def question(self) -> str:
        """The prompt without what was put around it."""
        return self.framed or self.prompt

    @property
    def uses_tools(self) -> bool:
        return bool(self.tools) or any(message.calls for message in self.messages)

    @property
    def has_images(self) -> bool:
        return any(message.images for message in self.messages)


LONGEST_TAG = 40


def tag_name(said: str) -> str:
    """A session's tag as it is kept and matched: in lower case, without space around it. Raises ValueError."""
    tag = " ".join(clean_line(said, LONGEST_TAG + 1).lower().split())
    if not tag:
        raise ValueError("a tag is empty; give it a name, such as work")
    if len(tag) > LONGEST_TAG:
        raise ValueError(f"the tag {tag!r} is longer than {LONGEST_TAG} characters")
    return tag
