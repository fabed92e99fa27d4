"""One conversation: what is sent with each prompt, and what is kept of each turn. Console and command line alike."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..routing.events import Completed, Event, Failed, FinishReason
from ..routing.request import Check, Image, Message, Request, Split, Strategy
from ..routing.synthesis import one_from_all, which_is_best
from ..routing.text import clean
from ..settings import Persona
from ..storage.answers import last_turn, standing, standing_parts, whole
from ..storage.conversations import Conversation, Session
from ..storage.messages import Discarded, StoredMessage
from . import personas
from .closing import NO_VERDICT
from .keeping import CutOff, Keeping, LastTurn
from .options import Options as Options

if TYPE_CHECKING:
    from ..routing.turn import Turn
    from .feedback import Given
    from .runtime import Runtime

_NOBODY = Persona("")
_GO_ON = (
    "Your answer was cut off. Continue it exactly where it stopped, in the same language and form. Begin with the very "
    "next character, and with a space or a line break where one belongs there. Repeat nothing, and add no introduction "
    "and no remark. It ends with:\n"
)
_END_SHOWN = 120
"""Characters of its end that are shown again."""


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
        self.owed: list[Callable[[], Coroutine[Any, Any, None]]] = []
        """Ends of turns that could not be stored, oldest first."""
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
        chat = cls(runtime, await runtime.conversations.get(beginning))
        await chat._see_whether_cut_off()
        return chat

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
        await chat._see_whether_cut_off()
        return chat

    async def _see_whether_cut_off(self) -> None:
        """Of a whole answer only its attempt knows that it ended at the most tokens it might have."""
        last = self.last
        if last is None or last.cut_off is not None or not last.response.strip():
            return
        [(_, parts)] = standing_parts(last_turn(self.stored))
        if not parts:
            return
        first, end = parts[0], parts[-1]
        attempts = await self._runtime.reports.attempts(end.request_id)
        if any(one.number == end.attempt and one.finish_reason is FinishReason.LENGTH for one in attempts):
            cut_off = CutOff(first.request_id, first.attempt, end.model or "", last.response)
            self.last = replace(last, cut_off=cut_off)

    @cached_property
    def _turns(self) -> list[tuple[Message, Message]]:
        """What goes along with the next prompt. Of a long conversation it is made when it is weighed first."""
        return _turns(self.stored)

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

    @property
    def may_go_on(self) -> bool:
        """Whether the last answer was cut off, so that it can be continued."""
        return self.last is not None and self.last.cut_off is not None

    def going_on(self, options: Options | None = None) -> Request:
        """The answer that was cut off, to be continued where it stopped: for `send_on`. By the model that gave its end;
        where that is out or fails, by the others in the order they would be asked anyway. By `options.model`, if any,
        alone. Raises LookupError with a sentence when there is none."""
        last = self.last
        if last is None or last.cut_off is None:
            raise LookupError("the last answer was not cut off, so there is nothing to continue")
        said = last.cut_off.text
        before = self._turns[:-1] if last.response.strip() else self._turns
        options = replace(options or Options(), check=Check.OFF, self_consistency=0, use_cache=False)
        request = self._request(
            [*before, (last.prompt, Message("assistant", said))],
            Message("user", _GO_ON + said[-_END_SHOWN:]),
            options,
            last.files,
            fresh=True,
        )
        request = replace(request, continues=True)
        if request.model is not None:
            return request
        others = self._runtime.preview(request).chain
        return replace(request, strategy=Strategy.FALLBACK, chain=tuple(dict.fromkeys((last.cut_off.model, *others))))

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
            # A turn that failed is not among them: what is asked next stands in its place.
            place=f"{self.id}/{len(turns)}",
            use_cache=False if self.temporary else options.use_cache,
            fresh=fresh,
            split=options.split or Split.NEVER,
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
        """Its system text (None: as it is) and its persona's name (None: as it is; '': none) from now on. The way to a
        model of a persona that is taken goes before the user's own until he asks for another."""
        self.session = replace(
            self.session,
            system=self.session.system if system is None else clean(system),
            persona=self.session.persona if persona is None else persona or None,
            own_way=self.session.own_way if persona is None else False,
        )
        if self.stored_already:
            said = self.session
            await self._runtime.conversations.instruct(
                self.id, system=said.system, persona=said.persona, own_way=said.own_way
            )

    async def choose(self, strategy: Strategy | None, model: str | None, *, own_way: bool) -> None:
        """Remembers what the user asks of the session's next turns, for when it is resumed. `own_way`: it goes before
        what the persona says."""
        self.session = replace(self.session, strategy=strategy, model=model, own_way=own_way)
        if self.stored_already:
            await self._runtime.conversations.choose(self.id, strategy=strategy, model=model, own_way=own_way)

    def chosen(self) -> tuple[Strategy | None, str | None, bool]:
        """What was remembered by `choose`."""
        said = self.session
        strategy = next((one for one in Strategy if one == said.strategy), None)
        if said.own_way is not None:
            return strategy, said.model, said.own_way
        brought = self.by_persona(Options())
        if (brought.strategy, brought.model) == (strategy, said.model):
            return None, None, False
        return strategy, said.model, True

    def by_persona(self, own: Options) -> Options:
        """The user's own options with the persona's way to a model in place of his, where it has one. A model that is
        not there is pinned all the same: the turn says so."""
        return own if self.persona is None else personas.taken(own, self.persona, self._runtime.registry)

    def send(self, request: Request, typed: str | None = None) -> Turn:
        """The prompt is stored before anything is called, the answer as it grows and when it ends. `typed`: the prompt
        without the files that go along, for the history of prompts; None: all of it was typed."""
        self.last = LastTurn(request.messages[-1], tuple(request.files))
        return self._runtime.stream(request, Keeping(self._runtime, self, request, typed=typed).record)

    async def send_kept(self, request: Request) -> Turn:
        """As `send`, but nothing is called where the prompt cannot be stored: NotKept is raised then."""
        self.last = LastTurn(request.messages[-1], tuple(request.files))
        keeping = Keeping(self._runtime, self, request)
        await keeping.begin()
        return self._runtime.stream(request, keeping.record)

    def send_again(self, request: Request, *, elsewhere: bool = False) -> Turn:
        """A request that `again` made. Its answer takes the place of the one that stands, which is kept as superseded
        and counts against its model; where none comes, the old one stands. `elsewhere`: the user asked for another
        model or strategy."""
        keeping = Keeping(self._runtime, self, request, again=self.last or LastTurn(request.messages[-1]))
        keeping.elsewhere = elsewhere
        return self._runtime.stream(request, keeping.record)

    def send_on(self, request: Request) -> Turn:
        """A request that `going_on` made. What comes joins the answer."""
        keeping = Keeping(self._runtime, self, request, onto=self.last)
        return self._runtime.stream(request, keeping.record)

    def together(self, answers: Sequence[str], options: Options | None = None) -> Request:
        """The last prompt beside several answers to it, for a model to write one from all: for `send_again`. Raises as
        `again`."""
        return replace(one_from_all(self.again(options), answers), puts_together=True)

    def which_is_best(self, answers: Sequence[str], options: Options | None = None) -> Request:
        """The last prompt beside several answers to it, for a model to name the best: for `judge`. Raises as
        `again`."""
        options = replace(options or Options(), check=Check.OFF, self_consistency=0, use_cache=False)
        return replace(which_is_best(self.again(options), answers), judges=True)

    def judge(self, request: Request, ended: Callable[[Completed | Failed], None]) -> Turn:
        """A request that `which_is_best` made. What is said does not join the conversation; `ended` is told the end."""

        def hear(event: Event) -> None:
            if isinstance(event, Completed | Failed):
                ended(event)

        return self._runtime.stream(request, hear)

    async def put(self, prompt: str, answer: str, given: Given, model: str, note: str) -> None:
        """Adds a prompt with its answer, which came otherwise than by a turn of this conversation; the next turns go on
        from it. `given`: the attempt that the answer came from at last, of that `model`; `note` is kept under it.

        Not while a turn runs. Raises StoreError where they cannot be kept; then they are said all the same."""
        said, (request_id, attempt) = Message("user", clean(prompt)), given
        self.last = LastTurn(said)
        self.answered(LastTurn(said, answer=given, model=model, response=clean(answer)))
        if not self.temporary:
            conversations = self._runtime.conversations
            await conversations.keep(self.session)
            self.stored_already = True
            await conversations.prompt(self.id, said, request_id, typed="")
            await conversations.answer(self.id, request_id, answer, model=model, attempt=attempt, note=note)

    async def stand_by(self, answer: Given, model: str, text: str, why: str) -> None:
        """This answer to the last prompt is the conversation's from now on; the one that stood is kept as discarded,
        because of `why`.

        Raises LookupError with a sentence where it is no answer to the last prompt.
        """
        last = self.last
        if last is None or last.answer is None or last.answer[0] != answer[0]:
            raise LookupError("the conversation has gone on since that answer")
        conversations, (request_id, attempt) = self._runtime.conversations, answer
        if last.answer == answer:
            if not self.temporary:
                await conversations.unsay(self.id, request_id, NO_VERDICT)
            return
        if not self.temporary:
            await conversations.answer(self.id, request_id, text, model=model, attempt=attempt)
            before = Discarded(request_id, last.answer[1], last.model, last.response, "", why)
            await conversations.discard(self.id, before)
        self.answered(LastTurn(last.prompt, last.files, answer, model, text))

    def answered(self, turn: LastTurn) -> None:
        """From now on this is the answer to the last prompt."""
        if self.last is not None and self.last.response.strip():
            self._turns.pop()
        # An empty answer is no turn to go on from: providers refuse a conversation with one.
        if turn.response.strip():
            self._turns.append((turn.prompt, Message("assistant", turn.response)))
        self.last = turn


def _turns(messages: Sequence[StoredMessage]) -> list[tuple[Message, Message]]:
    """Prompt and answer, where there is an answer to go on from: whole, or cut short with some text."""
    return [
        (prompt.message(), answer.message())
        for prompt, answer in standing(messages)
        if answer is not None and answer.state != "failed" and answer.text.strip()
    ]


def _last(messages: Sequence[StoredMessage]) -> LastTurn | None:
    if not (turn := last_turn(messages)):
        return None
    [(prompt, parts)] = standing_parts(turn)
    if not parts:
        return LastTurn(prompt.message())
    answer, by = whole(parts), parts[-1].model or ""
    cut_off = CutOff(answer.request_id, answer.attempt, by, answer.text) if answer.text.strip() else None
    if answer.state == "failed":
        return LastTurn(prompt.message(), cut_off=cut_off)
    if answer.state == "complete" and answer.attempt is None:
        return LastTurn(prompt.message(), (), None, by, answer.text)
    if answer.state == "interrupted" or answer.attempt is None:
        return LastTurn(prompt.message(), response=answer.text, cut_off=cut_off)
    return LastTurn(prompt.message(), (), (answer.request_id, answer.attempt), answer.model or "", answer.text)
