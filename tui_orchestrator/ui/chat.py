"""The chat pane: the conversation, and the answers of an ensemble side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Click
from textual.message import Message
from textual.signal import Signal
from textual.widgets import Static

from tui_orchestrator.routing.events import Attempt, Completed, Decided, Event
from tui_orchestrator.routing.request import Request
from tui_orchestrator.services.chat import LastTurn
from tui_orchestrator.services.feedback import Given
from tui_orchestrator.storage.conversations import Discarded, StoredMessage, standing

from . import words
from .columns import Columns
from .entries import Entry, Kind, Part, Severity
from .layout import LOW
from .live import LiveTurn, answer_key, given, prompt_key, request_of
from .look import Caption
from .status import stored_status
from .transcript import Transcript

WELCOME = "welcome"
"""Key of the greeting, which is no answer."""


class NewBelow(Static):
    """Shown while something came below that has not been seen."""

    def on_click(self, event: Click) -> None:
        event.stop()
        assert isinstance(self.parent, ChatPane)
        self.parent.transcript.follow()


class ChatPane(Vertical):
    BORDER_TITLE = "Chat"
    HELP = (
        "The conversation. ↑↓ and Page keys scroll, End follows again, Enter or a click unfolds thinking and discarded "
        "text, a click on the line under an answer shows its route card, Ctrl+G copies the last answer."
    )

    class Activity(Message):
        """What the running turn does now; empty when it is over."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class CardWanted(Message):
        """The route card of an earlier answer."""

        def __init__(self, request_id: str) -> None:
            super().__init__()
            self.request_id = request_id

    def __init__(self, events: Signal[Event]) -> None:
        super().__init__(id="chat", classes="pane")
        self.transcript = Transcript(id="transcript")
        self.columns = Columns(id="columns")
        self._events = events
        self._badge = NewBelow("↓ new", id="new-below", markup=False)
        self._live: LiveTurn | None = None
        self._before: LastTurn | None = None
        """The turn that is being asked again."""

    def compose(self) -> ComposeResult:
        yield self.transcript
        yield self.columns
        yield self._badge

    def on_mount(self) -> None:
        self._events.subscribe(self, self.tell)
        self._badge.display = self.columns.display = False
        self.watch(self.transcript, "new_below", self._show_badge)

    def _show_badge(self, new: bool) -> None:
        self._badge.display = new

    def begin(self, request: Request) -> None:
        """The prompt goes up at once; what follows comes by events."""
        self._show_columns(False)
        self._live, self._before = LiveTurn(self.transcript, self.columns, request.id), None
        names = [*request.files, *(image.name for image in request.messages[-1].images)]
        self.transcript.add_prompt(request.prompt, names, prompt_key(request.id))

    def begin_again(self, request: Request, before: LastTurn) -> None:
        """The last prompt once more: when an answer has come, the one before is folded."""
        self._show_columns(False)
        self._live, self._before = LiveTurn(self.transcript, self.columns, request.id), before
        self.transcript.follow()

    def tell(self, event: Event) -> None:
        live = self._live
        if live is None or event.request_id != live.request_id:
            return
        before = live.activity
        live.tell(event)
        if isinstance(event, Completed) and event.response.strip():
            self._fold_before()
        if isinstance(event, Decided) and live.side_by_side:
            # A low terminal would hold little more than their headings; the transcript says who won.
            self._show_columns(self.app.size.height >= LOW)
        if live.over:
            self.post_message(self.Activity(""))
        elif live.activity != before:
            self.post_message(self.Activity(live.activity))

    def _fold_before(self) -> None:
        before, self._before = self._before, None
        entries = self.transcript.entries
        for entry in entries:
            if before is not None and before.answer is not None and given(entry) == before.answer:
                self.transcript.supersede(entry.key, superseded(before.model))

    @property
    def answer_at_hand(self) -> Given | None:
        """What a vote is about: the lowest answer in view, which is the last one unless the user scrolled up."""
        entries = [] if self.transcript.following else self.transcript.in_view()
        found = (given(entry) for entry in (*entries, *reversed(self.transcript.entries)))
        return next((answer for answer in found if answer is not None), None)

    def vote_of(self, answer: Given) -> bool | None:
        return next((entry.vote for entry in self.transcript.entries if given(entry) == answer), None)

    def tell_votes(self, votes: Mapping[Given, bool], of: str | None = None) -> None:
        """Marks the answers; those of the turn `of`, else all, that are not named lose their mark."""
        for entry in self.transcript.entries:
            request_id, _, rest = entry.key.partition("/")
            number = rest.partition("/")[0]
            if entry.kind is Kind.ANSWER and number.isdecimal() and of in (None, request_id):
                liked = votes.get((request_id, int(number)))
                if liked is not entry.vote:
                    self.transcript.vote(entry.key, liked)
        if self._live is not None and self._live.side_by_side and of in (None, self._live.request_id):
            of_it = (number for (request, number), liked in votes.items() if liked and request == self._live.request_id)
            self.columns.best(next(of_it, None))

    @property
    def has_ensemble(self) -> bool:
        return self._live is not None and self._live.side_by_side

    def toggle_columns(self) -> bool:
        """The answers of the last ensemble, side by side. False where there was none."""
        if not self.has_ensemble:
            return False
        self._show_columns(not self.columns.display)
        return True

    def _show_columns(self, shown: bool) -> None:
        self.columns.display = shown
        # The side panes give way a little, so that three columns have room beside them.
        self.screen.set_class(shown, "ensemble")

    def abandon(self, why: str) -> None:
        if self._live is not None and not self._live.over:
            self._live.abandon(why)
            self.post_message(self.Activity(""))

    def notice(self, text: str, severity: Severity = "information") -> None:
        self.transcript.notice(text, severity)

    def load(self, messages: Iterable[StoredMessage], discarded: Iterable[Discarded]) -> None:
        self._live = None
        self._show_columns(False)
        self.transcript.load(stored_entries(messages, discarded))

    def greet(self, markdown: str, notices: Sequence[str]) -> None:
        for sentence in notices:
            self.notice(sentence, "warning")
        self.transcript.begin_answer(WELCOME)
        self.transcript.append(WELCOME, markdown)
        self.transcript.finish(WELCOME)
        # Where it does not fit, its beginning is worth more than its end.
        self.transcript.following = False

    def amend_greeting(self, markdown: str) -> None:
        """Models were found or lost. It stays as it was once something has been asked, or where there is none."""
        entries = self.transcript.entries
        greeting = next((entry for entry in entries if entry.key == WELCOME), None)
        asked = any(entry.kind is Kind.PROMPT for entry in entries)
        if greeting is None or asked or greeting.source == markdown:
            return
        amended = Entry.answer(markdown, key=WELCOME)
        self.transcript.load([amended if entry is greeting else entry for entry in entries])
        self.transcript.following = False
        self.transcript.show(WELCOME)

    def tell_attempts(self, attempts: Iterable[Attempt]) -> None:
        """What is known of loaded answers, for the lines under them."""
        keys = {entry.key for entry in self.transcript.entries}
        for attempt in attempts:
            key = answer_key(attempt.request_id, attempt.number)
            if key in keys and self.transcript.entry(key).discarded is None:
                self.transcript.finish(key, stored_status(attempt))

    def text_at_hand(self) -> Entry | None:
        """The lowest answer in view that has text, else the last one; what is still streamed counts."""
        entries = [] if self.transcript.following else self.transcript.in_view()
        return next((entry for entry in (*entries, *reversed(self.transcript.entries)) if _to_copy(entry)), None)

    @on(Transcript.Clicked)
    def _clicked(self, event: Transcript.Clicked) -> None:
        if event.part in (Part.STATUS, Part.TRAIL):
            self.post_message(self.CardWanted(request_of(event.key)))


def _to_copy(entry: Entry) -> bool:
    counts = entry.kind is Kind.ANSWER and entry.key != WELCOME and entry.discarded is None
    return counts and bool(entry.source.strip())


def stored_entries(messages: Iterable[StoredMessage], discarded: Iterable[Discarded]) -> list[Entry]:
    thrown: dict[str, list[Discarded]] = {}
    for one in discarded:
        thrown.setdefault(one.request_id, []).append(one)
    messages = tuple(messages)
    stand = {answer.position for _, answer in standing(messages) if answer is not None}
    entries = []
    for message in messages:
        if message.role == "user":
            names = tuple(image.name or image.media_type for image in message.images)
            entries.append(Entry.prompt(message.text, names, prompt_key(message.request_id)))
            entries += [_discarded(one) for one in thrown.pop(message.request_id, ())]
        elif message.role == "assistant":
            # What a prompt that was asked again brought before its answer.
            entries += [_discarded(one) for one in thrown.pop(message.request_id, ())]
            entry = Entry.answer(
                message.text,
                thinking=message.thinking,
                status=_stored_state(message),
                discarded=None if message.position in stand else superseded(message.model),
                key=answer_key(message.request_id, message.attempt),
            )
            entries.append(entry)
    return entries


def superseded(model: str | None) -> str:
    return f"superseded answer of {words.short_name(model or '?')}: you asked again"


def _discarded(one: Discarded) -> Entry:
    why = words.folded(one.model, one.why)
    key = answer_key(one.request_id, one.attempt)
    return Entry.answer(one.text, thinking=one.thinking, discarded=why, key=key)


def _stored_state(message: StoredMessage) -> Caption:
    name = words.short_name(message.model or "")
    match message.state:
        case "complete":
            return [(name, "strong")]
        case "interrupted":
            return [(f"■ {name} interrupted".replace("  ", " "), "warning")]
        case "failed":
            return [(f"✗ {name} failed".replace("  ", " "), "error")]
