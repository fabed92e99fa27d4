"""One conversation: what is sent with each prompt, and what is kept of each turn. Console and command line alike."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..routing.events import (
    AttemptFailed,
    AttemptStarted,
    Completed,
    Decided,
    Escalated,
    Event,
    Failed,
    Text,
    Thinking,
)
from ..routing.money import Money
from ..routing.request import Image, Message, Request, Strategy
from ..routing.router import Turn
from ..storage.conversations import Conversation, Discarded, Session, State, StoredMessage
from .runtime import Runtime

CHECKPOINT_S = 0.5
"""A growing answer is stored this often: what a killed program may lose of it."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked of the next turns. None and empty: as configured."""

    strategy: Strategy | None = None
    model: str | None = None
    """Pinned."""
    chain: tuple[str, ...] = ()
    ensemble_size: int = 3
    max_cost: Money | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    system: str = ""
    use_cache: bool | None = None


class Chat:
    """A conversation that is open. Its messages are those of the store, plus what this object has sent."""

    def __init__(self, runtime: Runtime, conversation: Conversation) -> None:
        self._runtime = runtime
        self.session: Session = conversation.session
        self.stored_already = conversation.session.messages > 0
        self.discarded: tuple[Discarded, ...] = conversation.discarded
        self.stored: list[StoredMessage] = list(conversation.messages)
        """As it was resumed, for drawing; what is sent since is told by the events."""
        self._turns: list[tuple[Message, Message]] = _turns(conversation.messages)

    @classmethod
    def new(cls, runtime: Runtime, *, system: str = "") -> Chat:
        """It is stored with its first prompt, so that a console that was only looked at leaves nothing behind."""
        return cls(runtime, Conversation(runtime.conversations.new(system=system), (), ()))

    @classmethod
    async def resume(cls, runtime: Runtime, beginning: str | None = None) -> Chat:
        """By the beginning of its id; None: the one used last. Raises LookupError with a sentence."""
        if beginning is None:
            latest = await runtime.conversations.latest()
            if latest is None:
                raise LookupError("there is no earlier session to continue")
            beginning = latest.id
        return cls(runtime, await runtime.conversations.get(beginning))

    @property
    def id(self) -> str:
        return self.session.id

    @property
    def title(self) -> str:
        return self.session.title

    def request(
        self,
        prompt: str,
        images: Sequence[Image] = (),
        options: Options | None = None,
        files: Sequence[str] = (),
    ) -> Request:
        """What would be sent, with the whole conversation: turns that failed are left out of it. `files` are the names
        of the text files that are in the prompt; rules may ask for them."""
        options = options or Options()
        said = [message for turn in self._turns for message in turn]
        default = self._runtime.settings.default_temperature
        return Request(
            messages=(*said, Message("user", prompt, tuple(images))),
            system=options.system or self.session.system,
            strategy=options.strategy,
            model=options.model,
            chain=options.chain,
            ensemble_size=options.ensemble_size,
            max_cost=options.max_cost,
            max_tokens=options.max_tokens,
            temperature=default if options.temperature is None else options.temperature,
            session=self.id,
            use_cache=options.use_cache,
            files=tuple(files),
        )

    async def choose(self, strategy: Strategy | None, model: str | None) -> None:
        """Remembers what the session's next turns ask for, for when it is resumed."""
        self.session = replace(self.session, strategy=strategy, model=model)
        if self.stored_already:
            await self._runtime.conversations.choose(self.id, strategy=strategy, model=model)

    def send(self, request: Request) -> Turn:
        """The prompt is stored before anything is called, the answer as it grows and when it ends."""
        return self._runtime.stream(request, _Keeping(self._runtime, self, request).record)

    def _said(self, prompt: Message, answer: str) -> None:
        self._turns.append((prompt, Message("assistant", answer)))


@dataclass(slots=True)
class _Growing:
    model: str
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    why: str = ""


class _Keeping:
    """Stores one turn as it is told."""

    def __init__(self, runtime: Runtime, chat: Chat, request: Request) -> None:
        self._conversations = runtime.conversations
        self._clock = runtime.clock
        self._chat = chat
        self._request = request
        self._attempts: dict[int, _Growing] = {}
        self._kept_at = 0.0
        self._stored = False

    def record(self, event: Event) -> Coroutine[Any, Any, None] | None:
        """What there is to store now, if anything; most pieces of text only join the others in memory."""
        match event:
            case Decided() if self._request.prompt.strip() or self._request.has_images:
                self._stored = True
                return self._prompt()
            case AttemptStarted():
                self._attempts[event.attempt] = _Growing(event.model)
            case Text():
                self._attempts[event.attempt].text.append(event.text)
                return self._checkpoint(event.attempt)
            case Thinking():
                self._attempts[event.attempt].thinking.append(event.text)
            case AttemptFailed():
                self._attempts[event.attempt].why = event.error.message
            case Escalated():
                self._last_of(event.from_model).why = event.detail
            case Completed():
                return self._completed(event)
            case Failed() if self._stored:
                return self._failed(event)
        return None

    async def _prompt(self) -> None:
        await self._conversations.keep(self._chat.session)
        self._chat.stored_already = True
        await self._conversations.prompt(self._chat.id, self._request.messages[-1], self._request.id)

    def _last_of(self, model: str) -> _Growing:
        return next(growing for growing in reversed(self._attempts.values()) if growing.model == model)

    def _checkpoint(self, attempt: int) -> Coroutine[Any, Any, None] | None:
        now = self._clock.monotonic()
        if now - self._kept_at < CHECKPOINT_S:
            return None
        self._kept_at = now
        return self._answer(attempt, "interrupted")

    async def _answer(self, attempt: int, state: State) -> None:
        growing = self._attempts[attempt]
        await self._conversations.answer(
            self._chat.id,
            self._request.id,
            "".join(growing.text),
            thinking="".join(growing.thinking),
            model=growing.model,
            attempt=attempt,
            state=state,
        )

    async def _completed(self, end: Completed) -> None:
        await self._answer(end.attempt, "complete")
        await self._keep_discarded(but=end.attempt)
        # An empty answer is no turn to go on from: providers refuse a conversation with one.
        if end.response.strip():
            self._chat._said(self._request.messages[-1], end.response)

    async def _failed(self, end: Failed) -> None:
        last = max(self._attempts, default=None)
        if last is None:
            await self._conversations.answer(self._chat.id, self._request.id, "", state="failed")
            return
        cancelled = end.error.kind.value == "cancelled"
        await self._answer(last, "interrupted" if cancelled else "failed")
        await self._keep_discarded(but=last)
        if cancelled and end.partial.strip():
            self._chat._said(self._request.messages[-1], end.partial)

    async def _keep_discarded(self, but: int) -> None:
        for number, growing in self._attempts.items():
            if number != but and (growing.text or growing.thinking):
                why = growing.why or "another answer was chosen"
                text, thinking = "".join(growing.text), "".join(growing.thinking)
                discarded = Discarded(self._request.id, number, growing.model, text, thinking, why)
                await self._conversations.discard(self._chat.id, discarded)


def _turns(messages: Sequence[StoredMessage]) -> list[tuple[Message, Message]]:
    """Prompt and answer, where there is an answer to go on from: whole, or cut short with some text."""
    prompts = {message.request_id: message for message in messages if message.role == "user"}
    turns = []
    for message in messages:
        if message.role == "assistant" and message.state != "failed" and message.text.strip():
            prompt = prompts.get(message.request_id)
            if prompt is not None:
                turns.append((prompt.message(), message.message()))
    return turns
