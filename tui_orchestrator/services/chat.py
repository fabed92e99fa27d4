"""One conversation: what is sent with each prompt, and what is kept of each turn. Console and command line alike."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..routing.events import (
    CHECKS,
    AttemptFailed,
    AttemptStarted,
    Checked,
    Completed,
    Decided,
    Escalated,
    Event,
    Failed,
    Text,
    Thinking,
    Waiting,
)
from ..routing.money import Money
from ..routing.request import Check, Image, Message, Method, Request, Strategy
from ..routing.router import Turn
from ..routing.synthesis import one_from_all
from ..routing.telling import found
from ..routing.text import clean
from ..settings import Persona
from ..storage.conversations import Conversation, Discarded, Session, State, StoredMessage, standing
from .feedback import Given
from .runtime import Runtime

_NOBODY = Persona("")
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
    verdict: Method | None = None
    max_cost: Money | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    check: Check | None = None
    self_consistency: int | None = None
    system: str = ""
    use_cache: bool | None = None


@dataclass(frozen=True, slots=True)
class LastTurn:
    """What was asked last, and the answer that stands, if any."""

    prompt: Message
    files: tuple[str, ...] = ()
    answer: Given | None = None
    """None where none is whole."""
    model: str = ""
    """Whose it is."""
    response: str = ""
    """What is sent as its answer with the next prompt: also one that was cut short. Empty: none is."""


class Chat:
    """A conversation that is open. Its messages are those of the store, plus what this object has sent."""

    def __init__(self, runtime: Runtime, conversation: Conversation) -> None:
        self._runtime = runtime
        self.session: Session = conversation.session
        self.stored_already = conversation.session.messages > 0
        self.discarded: tuple[Discarded, ...] = conversation.discarded
        self.stored: list[StoredMessage] = list(conversation.messages)
        """As it was resumed, for drawing; what is sent since is told by the events."""
        self.aside: tuple[StoredMessage, ...] = conversation.aside
        """Of the branches that are not on the screen."""
        self.branches: dict[str, tuple[str, ...]] = dict(conversation.branches)
        """By the request of a prompt that has others beside it: the requests of them all, oldest first."""
        self.instead: str | None = None
        """The request in place of whose prompt the next one comes, until that is stored."""
        self._turns: list[tuple[Message, Message]] = _turns(conversation.messages)
        self.last: LastTurn | None = _last(conversation.messages)

    @classmethod
    def new(
        cls,
        runtime: Runtime,
        *,
        system: str = "",
        tags: frozenset[str] = frozenset(),
        persona: str | None = None,
        temporary: bool = False,
    ) -> Chat:
        """It is stored with its first prompt, so that a console that was only looked at leaves nothing behind; a
        temporary one never, of which the ledger alone keeps what it cost."""
        new = runtime.conversations.new(system=system, tags=tags, persona=persona, temporary=temporary)
        return cls(runtime, Conversation(new, (), ()))

    @classmethod
    async def resume(cls, runtime: Runtime, beginning: str | None = None) -> Chat:
        """By the beginning of its id; None: the one used last. Raises LookupError with a sentence."""
        if beginning is None:
            latest = await runtime.conversations.latest()
            if latest is None:
                raise LookupError("there is no earlier session to continue")
            beginning = latest.id
        return cls(runtime, await runtime.conversations.get(beginning))

    async def before(self, request_id: str) -> Chat:
        """The same conversation up to the prompt of that request, in whose place the next prompt comes: as a branch.
        Nothing is changed until that is sent. Raises LookupError with a sentence."""
        conversation = await self._runtime.conversations.get(self.id)
        prompts = [message.request_id if message.role == "user" else "" for message in conversation.messages]
        if request_id not in prompts:
            raise LookupError("that prompt is not kept, so nothing can branch off there")
        cut = conversation.messages[: prompts.index(request_id)]
        chat = Chat(self._runtime, replace(conversation, messages=cut))
        chat.session, chat.instead = self.session, request_id
        return chat

    async def on_branch(self, request_id: str) -> Chat:
        """The same conversation on the branch with that prompt, from now on. Raises LookupError with a sentence."""
        await self._runtime.conversations.turn_to(self.id, request_id)
        chat = Chat(self._runtime, await self._runtime.conversations.get(self.id))
        chat.session = self.session
        return chat

    @property
    def id(self) -> str:
        return self.session.id

    @property
    def title(self) -> str:
        return self.session.title

    @property
    def temporary(self) -> bool:
        return self.session.temporary

    @property
    def persona(self) -> Persona | None:
        """As it is configured now; None also where the session's is not configured any more."""
        name = self.session.persona
        return None if name is None else self._runtime.settings.personas.get(name)

    def request(
        self,
        prompt: str,
        images: Sequence[Image] = (),
        options: Options | None = None,
        files: Sequence[str] = (),
    ) -> Request:
        """What would be sent, with the whole conversation: turns that failed are left out of it. `files` are the names
        of the text files that are in the prompt; rules may ask for them."""
        return self._request(self._turns, Message("user", prompt, tuple(images)), options or Options(), files)

    def again(self, options: Options | None = None) -> Request:
        """The last prompt once more, never from the cache, as if it had not been answered: for `send_again`.

        Raises LookupError with a sentence when nothing was asked yet.
        """
        last = self.last
        if last is None:
            raise LookupError("nothing was asked in this session yet, so there is nothing to ask again")
        before = self._turns[:-1] if last.response.strip() else self._turns
        return self._request(before, last.prompt, options or Options(), last.files, fresh=True)

    def _request(
        self,
        turns: Sequence[tuple[Message, Message]],
        prompt: Message,
        options: Options,
        files: Sequence[str],
        *,
        fresh: bool = False,
    ) -> Request:
        said = [message for turn in turns for message in turn]
        persona = self.persona or _NOBODY
        temperatures = (options.temperature, persona.temperature, self._runtime.settings.default_temperature)
        return Request(
            messages=(*said, prompt),
            system=options.system or self.session.system or persona.system,
            strategy=options.strategy,
            model=options.model,
            chain=options.chain,
            ensemble_size=options.ensemble_size,
            verdict=options.verdict,
            max_cost=options.max_cost,
            max_tokens=persona.max_tokens if options.max_tokens is None else options.max_tokens,
            temperature=next((said for said in temperatures if said is not None), None),
            check=options.check,
            self_consistency=options.self_consistency,
            session=self.id,
            use_cache=False if self.temporary else options.use_cache,
            fresh=fresh,
            tags=self.session.tags | persona.tags,
            temporary=self.temporary,
            files=tuple(files),
        )

    async def tag(self, tags: frozenset[str]) -> None:
        """Adds them to the session's; rules may ask for them."""
        self.session = replace(self.session, tags=self.session.tags | tags)
        if self.stored_already and tags:
            await self._runtime.conversations.tag(self.id, tags)

    async def instruct(self, *, system: str | None = None, persona: str | None = None) -> None:
        """Its system text (None: as it is) and its persona's name (None: as it is; '': none) from now on."""
        self.session = replace(
            self.session,
            system=self.session.system if system is None else clean(system),
            persona=self.session.persona if persona is None else persona or None,
        )
        if self.stored_already:
            said = self.session
            await self._runtime.conversations.instruct(self.id, system=said.system, persona=said.persona)

    async def choose(self, strategy: Strategy | None, model: str | None) -> None:
        """Remembers what the session's next turns ask for, for when it is resumed."""
        self.session = replace(self.session, strategy=strategy, model=model)
        if self.stored_already:
            await self._runtime.conversations.choose(self.id, strategy=strategy, model=model)

    def send(self, request: Request, typed: str | None = None) -> Turn:
        """The prompt is stored before anything is called, the answer as it grows and when it ends. `typed`: the prompt
        without the files that go along, for the history of prompts; None: all of it was typed."""
        self.last = LastTurn(request.messages[-1], tuple(request.files))
        return self._runtime.stream(request, _Keeping(self._runtime, self, request, typed=typed).record)

    def send_again(self, request: Request, *, elsewhere: bool = False) -> Turn:
        """A request that `again` made. Its answer takes the place of the one that stands, which is kept as superseded
        and counts against its model; where none comes, the old one stands. `elsewhere`: the user asked for another
        model or strategy."""
        keeping = _Keeping(self._runtime, self, request, again=self.last or LastTurn(request.messages[-1]))
        keeping.elsewhere = elsewhere
        return self._runtime.stream(request, keeping.record)

    def together(self, answers: Sequence[str], options: Options | None = None) -> Request:
        """The last prompt beside several answers to it, for a model to write one from all: for `send_again`. Raises as
        `again`."""
        return replace(one_from_all(self.again(options), answers), puts_together=True)

    async def stand_by(self, answer: Given, model: str, text: str) -> None:
        """This answer to the last prompt is the conversation's from now on; the one that stood is kept as discarded.

        Raises LookupError with a sentence where it is no answer to the last prompt.
        """
        last = self.last
        if last is None or last.answer is None or last.answer[0] != answer[0]:
            raise LookupError("the conversation has gone on since that answer")
        if last.answer == answer:
            return
        if not self.temporary:
            conversations, (request_id, attempt) = self._runtime.conversations, answer
            await conversations.answer(self.id, request_id, text, model=model, attempt=attempt)
            why = "you went on with another answer"
            before = Discarded(request_id, last.answer[1], last.model, last.response, "", why)
            await conversations.discard(self.id, before)
        self._answered(LastTurn(last.prompt, last.files, answer, model, text))

    def _answered(self, turn: LastTurn) -> None:
        """From now on this is the answer to the last prompt."""
        if self.last is not None and self.last.response.strip():
            self._turns.pop()
        # An empty answer is no turn to go on from: providers refuse a conversation with one.
        if turn.response.strip():
            self._turns.append((turn.prompt, Message("assistant", turn.response)))
        self.last = turn


@dataclass(slots=True)
class _Growing:
    model: str
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    why: str = ""
    check: bool = False
    """Made to check another one's answer: never the conversation's."""


class _Nowhere:
    """Where a temporary chat is kept, in place of the store's conversations."""

    async def keep(self, session: Session) -> None: ...

    async def prompt(self, session: str, message: Message, request_id: str, *also: str | None) -> None: ...

    async def answer(self, session: str, request_id: str, text: str, **how: object) -> None: ...

    async def discard(self, session: str, discarded: Discarded) -> None: ...


class _Keeping:
    """Stores one turn as it is told."""

    def __init__(
        self,
        runtime: Runtime,
        chat: Chat,
        request: Request,
        *,
        typed: str | None = None,
        again: LastTurn | None = None,
    ) -> None:
        self._feedback = runtime.feedback
        self._again = again
        """The turn that is asked again, as it stood."""
        self.elsewhere = False
        self._conversations = _Nowhere() if chat.temporary else runtime.conversations
        self._clock = runtime.clock
        self._chat = chat
        self._request = request
        self._typed = typed
        self._attempts: dict[int, _Growing] = {}
        self._kept_at = 0.0
        self._stored = False

    def record(self, event: Event) -> Coroutine[Any, Any, None] | None:
        """What there is to store now, if anything; most pieces of text only join the others in memory."""
        match event:
            case Decided() | Waiting() if not self._stored and (
                self._request.prompt.strip() or self._request.has_images
            ):
                # A turn may wait for room in a budget before anything is decided.
                self._stored = True
                return self._prompt()
            case AttemptStarted():
                self._attempts[event.attempt] = _Growing(event.model, check=event.cause in CHECKS)
            case Text():
                self._attempts[event.attempt].text.append(event.text)
                return None if self._attempts[event.attempt].check else self._checkpoint(event.attempt)
            case Thinking():
                self._attempts[event.attempt].thinking.append(event.text)
            case AttemptFailed():
                self._attempts[event.attempt].why = event.error.message
            case Checked():
                for number in event.finding.attempts:
                    self._attempts[number].why = found(event.finding)
            case Escalated():
                self._last_of(event.from_model).why = event.detail
            case Completed():
                return self._completed(event)
            case Failed() if self._stored:
                return self._failed(event)
        return None

    async def _prompt(self) -> None:
        await self._conversations.keep(self._chat.session)
        self._chat.stored_already = not self._chat.temporary
        if self._again is None:
            chat, request = self._chat, self._request
            await self._conversations.prompt(chat.id, request.messages[-1], request.id, self._typed, chat.instead)
            if chat.instead is not None:
                beside = (*chat.branches.get(chat.instead, (chat.instead,)), request.id)
                chat.branches |= dict.fromkeys(beside, beside)
                chat.instead = None

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
        given, before = (end.request_id, end.attempt), self._again
        if before is not None and before.response.strip() and not end.response.strip():
            return  # nothing came in its place
        self._stands(given, end.response, end.model)
        if before is not None and before.answer is not None and not self._request.puts_together:
            await self._feedback.replaced(before.answer, given, elsewhere=self.elsewhere)

    async def _failed(self, end: Failed) -> None:
        last = max((number for number, growing in self._attempts.items() if not growing.check), default=None)
        if last is None:
            await self._conversations.answer(self._chat.id, self._request.id, "", state="failed")
            return
        cancelled = end.error.kind.value == "cancelled"
        await self._answer(last, "interrupted" if cancelled else "failed")
        await self._keep_discarded(but=last)
        if cancelled and end.partial.strip() and (self._again is None or not self._again.response.strip()):
            self._stands(None, end.partial)

    def _stands(self, answer: Given | None, response: str, model: str = "") -> None:
        prompt = self._request.messages[-1] if self._again is None else self._again.prompt
        files = tuple(self._request.files)
        self._chat._answered(LastTurn(prompt, files, answer, model, response))

    async def _keep_discarded(self, but: int) -> None:
        for number, growing in self._attempts.items():
            if number != but and (growing.text or growing.thinking):
                why = growing.why or "another answer was chosen"
                text, thinking = "".join(growing.text), "".join(growing.thinking)
                discarded = Discarded(self._request.id, number, growing.model, text, thinking, why)
                await self._conversations.discard(self._chat.id, discarded)


def _turns(messages: Sequence[StoredMessage]) -> list[tuple[Message, Message]]:
    """Prompt and answer, where there is an answer to go on from: whole, or cut short with some text."""
    return [
        (prompt.message(), answer.message())
        for prompt, answer in standing(messages)
        if answer is not None and answer.state != "failed" and answer.text.strip()
    ]


def _last(messages: Sequence[StoredMessage]) -> LastTurn | None:
    turns = standing(messages)
    if not turns:
        return None
    prompt, answer = turns[-1]
    if answer is None or answer.state == "failed":
        return LastTurn(prompt.message())
    if answer.state == "interrupted" or answer.attempt is None:
        return LastTurn(prompt.message(), response=answer.text)
    return LastTurn(prompt.message(), (), (answer.request_id, answer.attempt), answer.model or "", answer.text)
