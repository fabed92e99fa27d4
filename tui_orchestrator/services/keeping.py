"""Keeping a turn of a conversation while it is told: its prompt, its growing answer, what was discarded."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ..routing.errors import ErrorKind, NotKept
from ..routing.events import (
    CHECKS,
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Cause,
    Checked,
    Completed,
    Decided,
    Escalated,
    Event,
    Failed,
    FinishReason,
    Text,
    Thinking,
    Waiting,
)
from ..routing.request import Message, Request
from ..routing.telling import KILLED, found
from ..storage.answers import joined
from ..storage.conversations import Session
from ..storage.messages import Discarded, State
from .checkpoints import Checkpoints
from .closing import ANOTHER, FIRST, NO_VERDICT, Closing, closing
from .feedback import Given
from .runtime import Runtime

if TYPE_CHECKING:
    from .chat import Chat

E = TypeVar("E", Completed, Failed)


@dataclass(frozen=True, slots=True)
class CutOff:
    """An answer that ended before its end: at the most tokens it might have, cancelled, or broken off."""

    request_id: str
    """Of its first part."""
    attempt: int | None
    """The same; None where it is not known."""
    model: str
    """Who gave what there is last of it."""
    text: str


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
    cut_off: CutOff | None = None
    """Where the answer can be continued."""


@dataclass(slots=True)
class _Growing:
    model: str
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    why: str = ""
    check: bool = False
    """Made to check another one's answer, or about a part of the prompt: never the conversation's by itself."""
    member: bool = False
    """Of an ensemble: the others answer beside it."""
    finished: bool = False
    """With an answer; one that came to nothing never stands."""


class _Nowhere:
    """Where a temporary chat is kept, in place of the store's conversations."""

    async def keep(self, session: Session) -> None: ...

    async def prompt(self, session: str, message: Message, request_id: str, *also: object) -> None: ...

    async def answer(self, session: str, request_id: str, text: str, **how: object) -> None: ...

    async def discard(self, session: str, discarded: Discarded) -> None: ...


class Keeping:
    """Stores one turn as it is told."""

    def __init__(
        self,
        runtime: Runtime,
        chat: Chat,
        request: Request,
        *,
        typed: str | None = None,
        again: LastTurn | None = None,
        onto: LastTurn | None = None,
    ) -> None:
        self._feedback = runtime.feedback
        self._again = again
        """The turn that is asked again, as it stood."""
        self._onto = onto
        """The turn whose answer is continued, as it stood."""
        self.elsewhere = False
        self._conversations = _Nowhere() if chat.temporary else runtime.conversations
        self._chat = chat
        self._request = request
        self._typed = typed
        self._attempts: dict[int, _Growing] = {}
        self._holds: int | None = None
        """The attempt whose answer is kept as the turn's until it ends; the others are kept beside it."""
        self._checkpoints = Checkpoints(self._meanwhile, runtime.clock)
        self._begun = False
        self._stored = False
        """The prompt is: without it no answer can be. Where it could not be, it is tried again with each answer."""

    async def begin(self) -> None:
        """Stores the prompt before anything is decided. Raises NotKept where it cannot be."""
        if self._asks:
            await self._prompt()
            self._begun = True

    @property
    def _asks(self) -> bool:
        return bool(self._request.prompt.strip()) or self._request.has_images

    def record(self, event: Event) -> Coroutine[Any, Any, None] | None:
        """What there is to store now, if anything; most pieces of text only join the others in memory."""
        work = self._work(event)
        if work is None:
            return None
        return work if isinstance(event, Text | Thinking) else self._after_growth(work)

    async def _after_growth(self, work: Coroutine[Any, Any, None]) -> None:
        await self._checkpoints.settled()
        await work

    def _work(self, event: Event) -> Coroutine[Any, Any, None] | None:
        match event:
            case Decided() | Waiting() if not self._begun and self._asks:
                # A turn may wait for room in a budget before anything is decided.
                self._begun = True
                return self._prompt()
            case AttemptStarted():
                self._attempts[event.attempt] = _Growing(
                    event.model,
                    why=f"part {event.part}" if event.part else "",
                    check=event.cause in CHECKS or bool(event.part),
                    member=event.cause is Cause.ENSEMBLE,
                )
            case Text():
                self._attempts[event.attempt].text.append(event.text)
                return self._grown(event.attempt)
            case AttemptFinished():
                return self._finished(event.attempt)
            case Thinking():
                self._attempts[event.attempt].thinking.append(event.text)
                return self._grown(event.attempt)
            case AttemptFailed():
                self._attempts[event.attempt].why = event.error.message
                if self._holds not in {None, event.attempt}:
                    return self._beside(event.attempt)
            case Checked():
                for number in event.finding.attempts:
                    self._attempts[number].why = found(event.finding)
                return self._beside(*event.finding.attempts)
            case Escalated():
                self._last_of(event.from_model).why = event.detail
            case Completed():
                self._checkpoints.end()
                self._goes_on_from(event)
                return self._end(self._completed, event)
            case Failed() if self._begun:
                self._checkpoints.end()
                self._goes_on_from(event)
                return self._end(self._failed, event)
        return None

    async def _end(self, store: Callable[[E], Coroutine[Any, Any, None]], end: E) -> None:
        """What cannot be stored now is stored with the next turn, which comes after it."""
        try:
            await store(end)
        except NotKept:
            self._chat.owed.append(lambda: store(end))
            raise

    async def _prompt(self) -> None:
        owed, self._chat.owed = self._chat.owed, []
        while owed:
            try:
                await owed[0]()
            except NotKept:
                self._chat.owed = owed
                raise
            owed.pop(0)
        await self._conversations.keep(self._chat.session)
        self._chat.stored_already = not self._chat.temporary
        if self._again is None and self._onto is None:
            chat, request = self._chat, self._request
            await self._conversations.prompt(
                chat.id, request.messages[-1], request.id, self._typed, chat.instead, request.files
            )
            if chat.instead is not None:
                beside = (*chat.branches.get(chat.instead, (chat.instead,)), request.id)
                chat.branches |= dict.fromkeys(beside, beside)
                chat.instead = None
        self._stored = True

    def _last_of(self, model: str) -> _Growing:
        return next(growing for growing in reversed(self._attempts.values()) if growing.model == model)

    def _grown(self, attempt: int) -> Coroutine[Any, Any, None] | None:
        return None if self._attempts[attempt].check else self._checkpoints.grown(attempt)

    def _finished(self, attempt: int) -> Coroutine[Any, Any, None] | None:
        """Seen finished, it is kept at once, also where the turn goes on."""
        growing = self._attempts[attempt]
        growing.finished = bool("".join(growing.text).strip())
        if not growing.finished or (growing.check and not growing.why):
            return None  # what a check says is kept with what it found
        return self._beside(attempt) if growing.check else self._meanwhile(attempt)

    def _meanwhile(self, attempt: int) -> Coroutine[Any, Any, None]:
        """Until the turn ends, its answer is the one that came last; of an ensemble that which was finished first."""
        growing, held = self._attempts[attempt], self._holds
        if held is not None and held != attempt:
            before = self._attempts[held]
            # Thoughts alone are not worth the place of an answer.
            stays = before.finished or not growing.finished if before.member else attempt < held
            if stays or (before.text and not growing.text):
                return self._beside(attempt)
        # Of two that finish together the one must know of the other before anything is written.
        self._holds = attempt
        return self._stand(attempt, held)

    async def _stand(self, attempt: int, held: int | None) -> None:
        """`held`: whose answer was the turn's before."""
        growing = self._attempts[attempt]
        if held is not None and held != attempt:
            await self._beside(held)
        said = Closing(NO_VERDICT, "warning") if growing.member and growing.finished else None
        await self._answer(attempt, "complete" if growing.finished else "interrupted", said=said)

    async def _beside(self, *attempts: int) -> None:
        """Keeps what these have said while the turn goes on."""
        if not self._stored:
            await self._prompt()
        for attempt in attempts:
            growing = self._attempts[attempt]
            await self._discard(attempt, growing.why or (FIRST if growing.finished else KILLED))

    async def _discard(self, attempt: int, why: str) -> None:
        growing = self._attempts[attempt]
        with self._checkpoints.taken(attempt):
            text, thinking = "".join(growing.text), "".join(growing.thinking)
            if text or thinking:
                discarded = Discarded(self._request.id, attempt, growing.model, text, thinking, why)
                await self._conversations.discard(self._chat.id, discarded)

    async def _answer(self, attempt: int, state: State, text: str | None = None, said: Closing | None = None) -> None:
        """`text` None: as it has grown. `said`: under it, once it is over."""
        said = said or Closing()
        growing = self._attempts[attempt]
        if not self._stored:
            await self._prompt()
        with self._checkpoints.taken(attempt):
            await self._conversations.answer(
                self._chat.id,
                self._request.id,
                "".join(growing.text) if text is None else text,
                thinking="".join(growing.thinking),
                model=growing.model,
                attempt=attempt,
                state=state,
                continues=self._continues,
                note=said.note,
                weight=said.weight,
            )

    def _closing(self, end: Completed | Failed) -> Closing:
        kept = self._again is None or not self._again.response.strip()
        return closing(end, onto=self._onto is not None, keeps=kept)

    @property
    def _continues(self) -> str | None:
        return self._onto.cut_off.request_id if self._onto is not None and self._onto.cut_off is not None else None

    async def _completed(self, end: Completed) -> None:
        await self._answer(end.attempt, "complete", end.response, self._closing(end))
        await self._keep_discarded(end.attempt, whole=True)
        before = self._again
        if before is None or (before.response.strip() and not end.response.strip()):
            return  # nothing came in its place
        if before.answer is not None and not self._request.puts_together:
            await self._feedback.replaced(before.answer, (end.request_id, end.attempt), elsewhere=self.elsewhere)

    async def _failed(self, end: Failed) -> None:
        last = max((number for number, growing in self._attempts.items() if not growing.check), default=None)
        if last is None:
            if not self._stored:
                await self._prompt()
            if self._onto is None:
                said = self._closing(end)
                await self._conversations.answer(
                    self._chat.id, self._request.id, "", state="failed", note=said.note, weight=said.weight
                )
            await self._keep_discarded(None, whole=False)
            return
        # What came first of an answer that is being continued was not lost with what follows.
        kept = end.error.kind is ErrorKind.CANCELLED or self._onto is not None
        await self._answer(last, "interrupted" if kept else "failed", said=self._closing(end))
        await self._keep_discarded(last, whole=False)

    def _goes_on_from(self, end: Completed | Failed) -> None:
        """The conversation does so whether or not it can be stored."""
        kept = self._again is not None and bool(self._again.response.strip())
        if isinstance(end, Completed):
            short = any(n.number == end.attempt and n.finish_reason is FinishReason.LENGTH for n in end.attempts)
            cut_off = CutOff(end.request_id, end.attempt, end.model, end.response)
            if self._onto is not None:
                self._joins(end.model, end.response, self._onto, cut_off=short)
            elif end.response.strip() or not kept:
                there = short and bool(end.response.strip())
                self._stands((end.request_id, end.attempt), end.response, end.model, cut_off if there else None)
            return
        last = max((number for number, growing in self._attempts.items() if not growing.check), default=None)
        if last is None:
            return
        growing, text = self._attempts[last], "".join(self._attempts[last].text)
        if self._onto is not None:
            self._joins(growing.model, text, self._onto, cut_off=True)
        elif text.strip() and not kept:
            cut_off = CutOff(self._request.id, last, growing.model, text)
            if end.error.kind is ErrorKind.CANCELLED:
                self._stands(None, text, "", cut_off)
            elif self._chat.last is not None:
                self._chat.last = replace(self._chat.last, cut_off=cut_off)

    def _stands(self, answer: Given | None, response: str, model: str, cut_off: CutOff | None) -> None:
        prompt = self._request.messages[-1] if self._again is None else self._again.prompt
        files = tuple(self._request.files)
        self._chat.answered(LastTurn(prompt, files, answer, model, response, cut_off))

    def _joins(self, model: str, more: str, before: LastTurn, *, cut_off: bool) -> None:
        """The answer of before with what came now. Where nothing came it stays as it was."""
        cut = before.cut_off
        if cut is None or not more.strip():
            return
        text = joined(cut.text, cut.model, more, model)
        given = None if cut.attempt is None else (cut.request_id, cut.attempt)
        still = replace(cut, model=model, text=text) if cut_off else None
        self._chat.answered(
            replace(before, answer=given, model=before.model or cut.model, response=text, cut_off=still)
        )

    async def _keep_discarded(self, stands: int | None, *, whole: bool) -> None:
        """Of the answer that stands only why the turn had gone on from it, where it had."""
        for number, growing in self._attempts.items():
            if number != stands:
                await self._discard(number, growing.why or ANOTHER)
            elif whole and growing.why:
                why = Discarded(self._request.id, number, growing.model, "", "", growing.why)
                await self._conversations.discard(self._chat.id, why)
