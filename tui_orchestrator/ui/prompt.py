"""The field prompts are written in: history, folded pastes, completion."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from textual.actions import SkipAction
from textual.binding import BindingsMap
from textual.content import Content
from textual.document._document import Document, EditResult, Location
from textual.events import Event, Key, Paste
from textual.keys import key_to_character
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import TextArea

from tui_orchestrator.routing.text import clean

from .commands import ACTIONS, bindings
from .completions import Completions
from .folds import Fold, Folds, too_long
from .naming import keyed
from .terminal import AtTerminal


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed and not sent, as it stood."""

    text: str = ""
    pastes: Mapping[str, str] | None = None
    """What its tokens stand for. None: nothing was folded yet, and what is long will be."""
    cursor: Location | None = None
    """None: at the end."""

    @property
    def unfolded(self) -> str:
        return Folds(self.pastes).unfold(self.text)

    @property
    def places(self) -> tuple[Fold, ...]:
        """Of what is folded, in the unfolded text."""
        return Folds(self.pastes).places(self.text)


NOTHING_FOLDED = "nothing is folded here: only a long paste is"
BLINKS_FOR_S = 10.0
"""As other terminals do it."""


class Prompt(TextArea):
    """Enter sends. A big paste is folded into a token, which is deleted and passed over as one."""

    HELP = (
        "Write here. {prompt.send} sends, {prompt.newline} breaks the line, {prompt.up} and {prompt.down} walk your "
        "earlier prompts and {prompt.search} searches them, @path adds a file or image, / lists commands, "
        "{prompt.complete} completes either, {prompt.fold} unfolds a long paste, {prompt.editor} opens your editor, "
        "{prompt.decision} shows the whole decision, {turn.cancel} cancels a running answer."
    )
    BINDINGS = bindings("prompt")

    class Sent(Message):
        """What stands here is to go out."""

        def __init__(self) -> None:
            super().__init__()
            self.dealt_with = asyncio.Event()
            """To be set once it went out, or it is said why not."""

    class EditorWanted(Message):
        pass

    class CompletionWanted(Message):
        """Tab was pressed before there was a list."""

    class Refused(Message):
        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    def __init__(self) -> None:
        super().__init__(
            id="prompt",
            compact=True,
            highlight_cursor_line=False,
        )
        self.completions = Completions()
        """Mounted by the composer."""
        self._history: list[str] = []
        self._left_out: frozenset[str] = frozenset()
        self._place = 0
        """Index into the history; its length stands for the draft."""
        self._draft = Draft()
        self._walked = ""
        """What the history put here last."""
        self._accepted = ("", Draft())
        """What went out last, unfolded and as it stood."""
        self._folds = Folds()
        self._blinks = True
        self._calming: Timer | None = None
        self.forgets = False
        """Whether what is sent joins no history: a temporary chat's does not."""

    def give_way(self, keys: Mapping[str, str]) -> None:
        """To what the user gave to actions of the whole console: a text area has a use of its own for many a key, and
        letters are written."""
        own = self._merged_bindings.key_to_bindings if self._merged_bindings else {}
        # Its `copy` would share the lists with all other text areas.
        self._bindings = BindingsMap.from_keys({key: list(bound) for key, bound in own.items()})
        for action in ACTIONS:
            wanted = keys.get(action.id, "").split(",") if action.scope == "app" else []
            for key in wanted:
                if key and key_to_character(key.strip()) is None:
                    does, shown = f"app.{action.action}", bool(action.footer)
                    self._bindings.bind(key, does, action.footer or action.title, show=shown, priority=True)

    def name_keys(self) -> None:
        """As they are now, in the place of a draft."""
        told = keyed(self.app, "Ask anything · {prompt.send} sends · / commands · @file · {app.help} help")
        self.placeholder = Content(told).truncate(max(1, self.content_size.width or len(told)), ellipsis=True)

    def on_resize(self) -> None:
        self.name_keys()

    def on_mount(self) -> None:
        self.name_keys()
        self._calming = self.set_interval(BLINKS_FOR_S, self._calm)

    def blink(self, wanted: bool) -> None:
        """Whether the cursor blinks, for a while after each key; then it stands still, and costs nothing."""
        self._blinks = self.cursor_blink = wanted

    def _calm(self) -> None:
        self.cursor_blink = False
        if self._calming is not None:
            self._calming.pause()

    def render_line(self, y: int) -> Strip:
        # Where there is room for no letter Textual would wrap what stands in the place of a draft nevertheless.
        return super().render_line(y) if self.content_size.width > 0 else Strip([])

    async def on_event(self, event: Event) -> None:
        await super().on_event(event)
        if isinstance(event, Key) and isinstance(self.app, AtTerminal):
            self.app.echo(self)

    async def on_key(self, event: Key) -> None:
        if self._blinks:
            self.cursor_blink = True
        if self._calming is not None:
            self._calming.reset()
        if not event.is_printable and await self.app._check_bindings(event.key, priority=True):
            event.stop()
            event.prevent_default()

    @property
    def unfolded(self) -> str:
        return self.unfold(self.text)

    def unfold(self, text: str) -> str:
        """Some of what stands here."""
        return self._folds.unfold(text)

    @property
    def recalled(self) -> bool:
        """Whether what stands here is from the history as it was: the arrows go on from it."""
        return bool(self._walked) and self.text == self._walked

    @property
    def draft(self) -> Draft:
        return Draft(self.text, self._folds.pastes, self.cursor_location)

    def remember(self, prompts: list[str]) -> None:
        """The history, oldest first; the draft stays."""
        self._history = prompts
        self._place = len(prompts)

    def leave_out(self, prompts: frozenset[str]) -> None:
        """These of the history are not walked to any more, and all others are again."""
        self._left_out = prompts

    def earlier(self, text: str) -> None:
        """One more, later than all that are remembered."""
        self.remember([*self._history, text])

    def replace_draft(self, text: str) -> None:
        """By another, all in one: undoing brings the one before back."""
        self._replace_all(self._folds.fold(clean(text)))

    def take_written(self, text: str) -> None:
        """The same from an editor: pastes are folded again where they are as they were; what one wrote stays in
        sight."""
        self._replace_all(self._folds.fold_again(clean(text), self.text))

    def _replace_all(self, folded: str) -> None:
        self.history.checkpoint()
        self.replace(folded, (0, 0), self.document.end, maintain_selection_offset=False)
        self.history.checkpoint()
        self.move_cursor(self.document.end)

    def restore(self, draft: Draft) -> None:
        """Another session's; nothing of this one can be undone into it."""
        self._folds = Folds(draft.pastes)
        self._place, self._draft = len(self._history), Draft()
        self.text = draft.text if draft.pastes is not None else self._folds.fold(clean(draft.text))
        self.move_cursor(self.document.end if draft.cursor is None else draft.cursor)

    def put_back(self, draft: Draft) -> None:
        """One that gave way to what stands here, which undoing brings back."""
        self._folds = Folds({**self._folds.pastes, **(draft.pastes or {})})
        self._replace_all(draft.text)
        if draft.cursor is not None:
            self.move_cursor(draft.cursor)

    def give_back(self, text: str) -> None:
        """What went out last, and yet did not, as it stood."""
        accepted, draft = self._accepted
        if text == accepted:
            self.put_back(draft)
        else:
            self.replace_draft(text)

    def recall(self, text: str) -> None:
        """An earlier prompt in place of the draft, which is one ↓ past the latest."""
        if self._place == len(self._history):
            self._draft = self.draft
        backwards = reversed(range(len(self._history)))
        self._place = next((at for at in backwards if self._history[at] == text), len(self._history))
        self.replace_draft(text)
        self._walked = self.text

    def accept(self) -> None:
        """The prompt went out: it joins the history and the field is empty again."""
        sent = self.unfolded
        self._accepted = (sent, self.draft)
        if not self.forgets:
            self._left_out -= {sent}
            if not self._history or self._history[-1] != sent:
                self._history.append(sent)
        self.restore(Draft())

    # -- keys

    async def action_send(self) -> None:
        if self.completions.moved:
            self.complete()
        elif self.text.strip() and not self.read_only:
            sent = self.Sent()
            # To the composer, and not through here: what is typed meanwhile waits, and goes out with what comes next.
            if isinstance(self.parent, Widget) and self.parent.post_message(sent):
                await sent.dealt_with.wait()

    def action_newline(self) -> None:
        if (place := self._outside(self.cursor_location, end=True)) != self.cursor_location:
            self.move_cursor(place)
        self.insert("\n")

    def action_complete(self) -> None:
        if self.completions.marked is not None:
            self.complete()
        elif self.read_only or self.document.get_line(self.cursor_location[0])[: self.cursor_location[1]].isspace():
            raise SkipAction()
        else:
            self.post_message(self.CompletionWanted())

    def complete(self) -> None:
        """Puts the marked completion in place of what it completes."""
        offer, marked = self.completions.offer, self.completions.marked
        if offer is None or marked is None:
            return
        row, _ = self.cursor_location
        insert, after = marked.insert, self.document.get_line(row)[offer.end :]
        if after[:1].isspace():
            insert = insert.rstrip(" ")
        self.replace(insert, (row, offer.start), (row, offer.end), maintain_selection_offset=False)
        self.move_cursor((row, offer.start + len(insert)))
        self.completions.show(None)

    def action_editor(self) -> None:
        self.post_message(self.EditorWanted())

    def action_up(self) -> None:
        if self.completions.marked is not None:
            self.completions.move(-1)
        elif not (self.cursor_at_first_line and self.selection.is_empty and not self.read_only and self._walk(-1)):
            self.action_cursor_up()

    def action_down(self) -> None:
        if self.completions.marked is not None:
            self.completions.move(1)
        elif not (self.cursor_at_last_line and not self.read_only and self._walk(1)):
            self.action_cursor_down()

    def _walk(self, step: int) -> bool:
        place = self._place + step
        while 0 <= place < len(self._history) and self._history[place] in self._left_out:
            place += step
        if not 0 <= place <= len(self._history):
            return False
        if self._place == len(self._history):
            self._draft = self.draft
        self._place = place
        if place == len(self._history):
            self.put_back(replace(self._draft, cursor=None))
        else:
            self.replace_draft(self._history[place])
        self._walked = "" if place == len(self._history) else self.text
        if step < 0:
            self.move_cursor((0, len(self.document.get_line(0))))
        return True

    # -- pastes

    async def _on_paste(self, event: Paste) -> None:
        event.prevent_default()
        event.stop()
        self._put(event.text)

    def action_paste(self) -> None:
        self._put(self.app.clipboard)

    def _put(self, text: str) -> None:
        text = clean(text.replace("\r\n", "\n").replace("\r", "\n"))
        if result := self._replace_via_keyboard(self._folds.fold(text), *self.selection):
            self.move_cursor(result.end_location)

    def action_cut(self) -> None:
        """What a token stands for, not its words: they say nothing anywhere else."""
        start, end = self._whole(*self.selection)
        if self.read_only:
            return
        gone = self._delete_cursor_line() if start == end else self._delete_via_keyboard(start, end)
        if gone is not None:
            self.app.copy_to_clipboard(self._folds.unfold(gone.replaced_text))

    def action_copy(self) -> None:
        if self.selection.is_empty:
            raise SkipAction()
        self.app.copy_to_clipboard(self._folds.unfold(self.get_text_range(*self._whole(*self.selection))))

    def action_fold(self) -> None:
        """Unfolds the paste at the cursor, or folds it again. Where there is none, the nearest in the line, or the only
        one of the draft."""
        document = self.document
        assert isinstance(document, Document)
        place = document.get_index_from_location(self.cursor_location)
        found = self._folds.turned_at(self.text, place)
        if found is None:
            several = "the cursor is at none of the long pastes: put it on one"
            self.post_message(self.Refused(several if self._folds.held(self.text) else NOTHING_FOLDED))
        elif too_long(found.instead):
            said = "that paste is too long to be unfolded here; {prompt.editor} opens it"
            self.post_message(self.Refused(keyed(self.app, said)))
        else:
            start, end = (document.get_location_from_index(place) for place in (found.start, found.end))
            self.replace(found.instead, start, end, maintain_selection_offset=False)
            # On the side where it was. In a paste is behind it, as with all that is typed there.
            longer = found.start + len(found.instead) - found.end
            behind = max(place, found.end) + longer
            self.move_cursor(document.get_location_from_index(behind if place > found.start else place))

    def _replace_via_keyboard(self, insert: str, start: Location, end: Location) -> EditResult | None:
        return super()._replace_via_keyboard(insert, *self._whole(start, end))

    def _delete_via_keyboard(self, start: Location, end: Location) -> EditResult | None:
        return super()._delete_via_keyboard(*self._whole(start, end))

    def _whole(self, start: Location, end: Location) -> tuple[Location, Location]:
        """Wide enough to cut no token in two: half of one would be sent as words. What is typed in one comes after."""
        # To delete the last line, Textual gives the beginning of the one after it, which is not there.
        first, last = sorted(min(place, self.document.end) for place in (start, end))
        return self._outside(first, end=first == last), self._outside(last, end=True)

    def _outside(self, place: Location, *, end: bool) -> Location:
        """The place, or the end or beginning of the token it is in."""
        row, column = place
        spans = self._folds.spans(self.document.get_line(row))
        inside = next((span for span in spans if span[0] < column < span[1]), None)
        return place if inside is None else (row, inside[1] if end else inside[0])


def _end_of(text: str, start: Location) -> Location:
    """Where a text ends that starts there."""
    row, column = start
    lines = text.count("\n")
    return row + lines, len(text) - text.rfind("\n") - 1 if lines else column + len(text)
