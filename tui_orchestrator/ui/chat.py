"""The chat pane: the conversation, and the answers of an ensemble side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.signal import Signal
from textual.widgets import Static

from tui_orchestrator.routing.events import Attempt, Completed, Decided, Event
from tui_orchestrator.routing.request import Method, Request
from tui_orchestrator.services.closing import NO_VERDICT
from tui_orchestrator.settings import hidden

from . import words
from .at_hand import WELCOME, AtHand
from .columns import Columns
from .continuing import Onto
from .entries import Entry, Kind, Part, Severity, answer_key, given, prompt_key, request_of
from .find import FindLine
from .hearing import hear_all
from .layout import LOW
from .live import LiveTurn
from .naming import key_to
from .reader import NewBelow, Reader
from .recounting import Recounting
from .status import Keys, asked_again, elsewhere_status
from .stored import Stored, superseded, vote_on
from .transcript import Transcript
from .unmade import stretches

if TYPE_CHECKING:
    from tui_orchestrator.services.feedback import Given
    from tui_orchestrator.services.keeping import CutOff, LastTurn
    from tui_orchestrator.storage.messages import Discarded, StoredMessage

    from .look import Caption

TOLD = ("answer.again", "answer.continue")
"""Actions whose keys stand under answers."""


class ChatPane(AtHand):
    BORDER_TITLE = "Chat"
    DEFAULT_CSS = "ChatPane #editing { height: auto; background: $surface; padding: 0 1; }"
    HELP = (
        "The conversation. {chat.up} and {chat.down} go from message to message; {chat.menu} or a right click opens "
        "the menu of the marked one, {chat.fold} or a click unfolds thinking and discarded text, {chat.branch_before}"
        " and {chat.branch_after} go between branches. A click on the line under an answer shows its route card. Page"
        " keys scroll, End follows again, {chat.find} finds words, {answer.copy} copies the marked answer, or the "
        "last one."
    )

    class Activity(Message):
        """What the running turn does now; empty when it is over."""

        def __init__(self, chat: ChatPane, text: str) -> None:
            super().__init__()
            self.chat = chat
            self.text = text

    class Blinded(Message):
        """An ensemble whose members are not to be told apart has begun, or has been revealed."""

        def __init__(self, chat: ChatPane) -> None:
            super().__init__()
            self.chat = chat

    class CardWanted(Message):
        """The route card of an earlier answer."""

        def __init__(self, request_id: str) -> None:
            super().__init__()
            self.request_id = request_id

    def __init__(self, events: Signal[Event], put_away: set[str] | None = None) -> None:
        """`put_away`: as another one knows it, which it is shared with."""
        super().__init__(classes="pane")
        self.in_front = True
        """Of those there are; another pane may still hide it."""
        self.transcript = Reader(id="transcript")
        self.transcript.greeting = WELCOME
        self.columns = Columns(id="columns")
        self._events = events
        self.find_line = FindLine(self.transcript)
        self._editing = Static(id="editing", markup=False)
        self._badge = NewBelow(self.transcript)
        self._live: LiveTurn | None = None
        self.ensemble: LiveTurn | None = None
        """The last turn whose answers stood side by side."""
        self.put_away: set[str] = set() if put_away is None else put_away
        """Ensembles whose answers the user did not want side by side any longer."""
        self._before: LastTurn | None = None
        """The turn that is being asked again."""
        self.recounting = Recounting(self.transcript)
        self._stored: Stored | None = None

    def compose(self) -> ComposeResult:
        yield Vertical(self.transcript, self._badge, id="reading")
        yield self.columns
        yield self._editing
        yield self.find_line

    def on_mount(self) -> None:
        hear_all(self._events, self, self.tell)
        self._badge.display = self.columns.display = self._editing.display = False
        self.watch(self.transcript, "new_below", self._show_badge)

    def _show_badge(self, new: bool) -> None:
        self._badge.display = new

    def begin(self, request: Request) -> None:
        """The prompt goes up at once; what follows comes by events."""
        self._take_up(request, None)
        self.see_off()
        names = [*request.files, *(image.name for image in request.messages[-1].images)]
        self.transcript.add_prompt(request.prompt, names, prompt_key(request.id))

    def begin_again(self, request: Request, before: LastTurn) -> None:
        """The last prompt once more: when an answer has come, the one before is folded."""
        self._take_up(request, before)
        for entry in self.last_turn():
            if entry.status != (status := asked_again(entry.status)):
                self.transcript.finish(entry.key, status)
        self.transcript.follow()

    def begin_onto(self, request: Request, cut_off: CutOff) -> None:
        """What comes joins the answer that was cut off."""
        its = [e for e in self.last_turn() if e.kind is Kind.ANSWER and request_of(e.key) == cut_off.request_id]
        first = (cut_off.request_id, cut_off.attempt)
        entry = next((e for e in its if given(e) == first), None) or next((e for e in its if e.discarded is None), None)
        if entry is None:
            key = answer_key(*first)
            self.transcript.begin_answer(key)
            self.transcript.append(key, cut_off.text)
        else:
            key = entry.key
            # What was said of its end holds no longer.
            self.transcript.drop([e.key for e in self.transcript.beside(key, 1) if e.kind is Kind.NOTICE])
        self._take_up(request, None, Onto(self.transcript, key, cut_off))
        if cut_off.attempt is not None:
            self.recounting.wholes.begin(key, (cut_off.request_id, cut_off.attempt))
        self.transcript.follow()

    def _take_up(self, request: Request, before: LastTurn | None, onto: Onto | None = None) -> None:
        self.reveal()
        self.show_columns(False)
        self._live = LiveTurn(self.recounting, self.columns, request.id, request.verdict, self.keys, onto)
        self._live.keeps = before is None or not before.response.strip()
        self._before = before
        self._live.merges = request.puts_together and self.ensemble is not None

    def tell(self, event: Event) -> None:
        live = self._live
        if live is None or event.request_id != live.request_id:
            return
        before = live.activity
        live.tell(event)
        if isinstance(event, Completed) and event.response.strip():
            self._fold_before()
        if live.over and live.merges:
            self._tell_merged(isinstance(event, Completed) and bool(event.response.strip()))
        if isinstance(event, Decided) and live.side_by_side:
            self.put_side_by_side(live)
        if live.onto is not None and live.part is not None:
            self.recounting.wholes.join(live.onto.key, live.part)
        if live.over:
            self.post_message(self.Activity(self, ""))
            self.find_line.look_again()
        elif live.activity != before:
            self.post_message(self.Activity(self, live.activity))

    def _tell_merged(self, merged: bool) -> None:
        if self.ensemble is not None and (told := self.columns.told) is not None:
            self.ensemble.judge(replace(told, method=Method.FUSE.value) if merged else told)

    def _fold_before(self) -> None:
        before, self._before = self._before, None
        if before is None or before.answer is None or not self.transcript.holds(key := answer_key(*before.answer)):
            return
        if given(self.transcript.entry(key)) == before.answer:
            together = self._live is not None and self._live.merges
            self.transcript.fold(key, superseded(before.model, together=together))

    def tell_votes(self, votes: Mapping[Given, bool], of: str | None = None) -> None:
        """Marks the answers; those of the turn `of`, else all, that are not named lose their mark."""
        if self._stored is not None:
            self._stored.votes = votes
        for entry in self.transcript.made:
            if entry.kind is Kind.ANSWER and of in (None, request_of(entry.key)):
                liked = vote_on(entry, votes)
                if liked is not entry.vote:
                    self.transcript.vote(entry.key, liked)
        if self.ensemble is not None and of in (None, self.ensemble.request_id):
            its = self.ensemble.request_id
            of_it = (number for (request, number), liked in votes.items() if liked and request == its)
            self.columns.best(next(of_it, None))

    @property
    def has_ensemble(self) -> bool:
        return self.ensemble is not None

    @property
    def blind(self) -> bool:
        """Whether the user is to pick before it is told whose answers these are."""
        return self.ensemble is not None and self.ensemble.blind

    def reveal(self) -> None:
        if self.ensemble is not None and self.ensemble.blind:
            self.ensemble.reveal()
            self.post_message(self.Blinded(self))

    @property
    def keys(self) -> Keys:
        return Keys(*(key_to(self.app, name) for name in TOLD))

    def stand_by(self, answer: Given, text: str, status: Caption, why: str) -> None:
        """Shows this member's answer as its turn's; the one that stood is folded, with `why`."""
        assert self.ensemble is not None
        request_id, number = answer
        key = ""
        for entry in list(self.last_turn()):
            if entry.kind is Kind.ANSWER and request_of(entry.key) == request_id:
                member = int(entry.key.split("/")[1])
                if member == number:
                    key = entry.key
                elif entry.discarded is None:
                    self.transcript.fold(entry.key, words.folded(self.ensemble.model(member), why))
        undecided = [e.key for e in self.last_turn() if e.kind is Kind.NOTICE and e.source == NO_VERDICT]
        self.transcript.drop(undecided)
        if key:
            self.transcript.entry(key).discarded = None
        else:
            key = answer_key(request_id, number)
            self.transcript.begin_answer(key)
            self.transcript.append(key, text)
        self.transcript.finish(key, status)

    def focus_inside(self) -> None:
        (self.columns.focus_inside if self.columns.display else self.transcript.focus)()

    def toggle_columns(self) -> bool:
        """The answers of the last ensemble, side by side and with the focus, or not. False where there was none."""
        if self.ensemble is None:
            return False
        shown = not self.columns.display
        self.show_columns(shown)
        if shown:
            self.columns.focus_inside()
        (self.put_away.discard if shown else self.put_away.add)(self.ensemble.request_id)
        return True

    def put_side_by_side(self, ensemble: LiveTurn, *, shown: bool = True) -> None:
        """Its answers, from now on; what is `shown` of one that is blind is all that there is."""
        self.ensemble = ensemble
        # A low terminal would hold little more than their headings; the transcript says who won.
        self.show_columns((shown and self.app.size.height >= LOW) or ensemble.blind)
        if ensemble.blind:
            self.post_message(self.Blinded(self))

    def show_columns(self, shown: bool) -> None:
        """The focus goes along, from what gives way to what stands in its place."""
        if shown and self.transcript.has_focus and self.screen.has_class("-short"):
            self.columns.focus_inside()
        elif not shown and self.columns.has_focus_within:
            self.screen.set_focus(self.transcript)
        self.columns.display = shown
        self._tell_screen()

    def _tell_screen(self) -> None:
        # The side panes give way a little, so that three columns have room beside them.
        if self.in_front:
            self.screen.set_class(self.columns.display, "ensemble")

    def come(self) -> None:
        """To the front, in place of another session's."""
        self.in_front = True
        self._tell_screen()
        self.post_message(self.Blinded(self))

    def give_way(self) -> None:
        """To another session's. It goes on to hear its turn."""
        self.in_front = self.display = False

    async def end(self) -> None:
        """It is not to be seen again."""
        for transcript in self.query(Transcript):
            transcript.forget()
        await self.remove()

    def abandon(self, why: str) -> None:
        if self._live is not None and not self._live.over:
            self._live.abandon(why)
            self.post_message(self.Activity(self, ""))

    def notice(self, text: str, severity: Severity = "information") -> None:
        self.transcript.notice(hidden(text), severity)

    def load(
        self,
        messages: Iterable[StoredMessage],
        discarded: Iterable[Discarded],
        untold: str = "",
        branches: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """`untold`: the request of an ensemble whose best answer is still to be picked, before one sees whose it is.
        `branches` as `Chat.branches` gives them."""
        self.reveal()
        self._live = self.ensemble = None
        self.show_columns(False)
        messages, discarded = tuple(messages), tuple(discarded)
        if untold:
            messages = tuple(one for one in messages if one.role == "user" or one.request_id != untold)
            discarded = tuple(one for one in discarded if one.request_id != untold)
        self.recounting.load(messages, discarded)
        self._stored = Stored(messages, discarded, self.keys.again, branches)
        above, entries = stretches(self._stored)
        self.transcript.load((e for e in entries if e.kind is not Kind.ANSWER or request_of(e.key) != untold), above)

    def greet(self, markdown: str, notices: Sequence[str], news: str = "") -> None:
        for sentence in notices:
            self.notice(sentence, "warning")
        if news:
            self.notice(news)
        self.transcript.begin_answer(WELCOME)
        self.transcript.append(WELCOME, markdown)
        self.transcript.finish(WELCOME)
        # Where it does not fit, its beginning is worth more than its end.
        self.transcript.following = False

    def see_off(self) -> None:
        """The greeting has said its own once something is asked."""
        if self.transcript.holds(WELCOME):
            self.transcript.load([entry for entry in self.transcript.entries if entry.key != WELCOME])

    def amend_greeting(self, markdown: str) -> None:
        """Models were found or lost, where it is still to be seen."""
        if self.transcript.holds(WELCOME) and self.transcript.text_of(WELCOME) != markdown:
            # What is in view stays, what was said before it above all.
            self.transcript.following = False
            self.transcript.reopen(WELCOME, markdown)
            self.transcript.finish(WELCOME)

    def tell_attempts(self, attempts: Iterable[Attempt]) -> None:
        """What is known of loaded answers, for the lines under them."""
        self.recounting.tell(attempts, self.keys)

    def tell_elsewhere(self, made: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """What an imported conversation cost where it was had, by request as its file says it."""
        for request_id, attempts in made.items():
            for one in attempts:
                key = answer_key(request_id, one.get("attempt"))
                if self.transcript.holds(key):
                    self.transcript.finish(key, elsewhere_status(one))

    def tell_editing(self, sentence: str) -> None:
        """At the pane's foot, until it is over: empty."""
        self._editing.display = bool(sentence)
        self._editing.update(Content.styled(sentence, words.ACCENT))

    def has_card(self, entry: Entry) -> bool:
        """A turn that runs tells its own; the greeting has none."""
        running = self._live is not None and not self._live.over and request_of(entry.key) == self._live.request_id
        return entry.key != WELCOME and "/" in entry.key and not running

    @on(FindLine.Closed)
    def _found(self) -> None:
        self.transcript.focus()

    @on(Transcript.Clicked)
    def _clicked(self, event: Transcript.Clicked) -> None:
        if event.part in (Part.STATUS, Part.TRAIL):
            self.post_message(self.CardWanted(request_of(event.key)))
