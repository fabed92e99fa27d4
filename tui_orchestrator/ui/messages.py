"""What a person does with one message of the conversation: find it, mark it, and choose from its menu."""

from __future__ import annotations

from textual import on, work

from .branching import Branching
from .choosing import message_choices
from .dialogs import Picker
from .entries import Entry, Kind, given, request_of
from .reader import Reader


class Messages(Branching):
    def action_find(self, typed: str = "") -> None:
        if not self.chat.has_said:
            self.notify("Nothing was said yet.", severity="warning", markup=False)
            return
        self.show_pane("chat", focus=False)
        self.chat.find_line.open(typed)

    @on(Reader.MenuWanted)
    def _menu_wanted(self, message: Reader.MenuWanted) -> None:
        self._menu(message.key)

    @work(group="menu", exclusive=True, exit_on_error=False)
    async def _menu(self, key: str) -> None:
        """Offers only what is possible on that message now."""
        if len(self.screen_stack) > 1:
            return
        entry = self.chat.transcript.entry(key)
        offered = self._possible(entry)
        title = "Your prompt" if entry.kind is Kind.PROMPT else "This answer"
        picker = Picker(title, message_choices(offered), empty="Nothing is called that.", hint="Enter does it")
        chosen = await self.push_screen_wait(picker)
        if chosen is not None and self.chat.transcript.holds(key):
            self._do(chosen, entry)

    def _possible(self, entry: Entry) -> list[str]:
        """Names of `choosing.MESSAGE_DEEDS`."""
        reader, answer = self.chat.transcript, given(entry)
        text, idle = bool(entry.source.strip()), not self.here.under_way and self.talk is not None
        last = self.talk.last if self.talk is not None else None
        fold = reader.fold_of(entry)
        stored = self.talk is not None and self.talk.stored_already
        possible = {
            "copy": text,
            "code": bool(entry.kind is Kind.ANSWER and reader.code_blocks(entry.key)),
            "quote": text,
            "up": answer is not None and entry.vote is not True,
            "down": answer is not None and entry.vote is not False,
            "unvote": answer is not None and entry.vote is not None,
            "again": idle and last is not None and self.chat.is_last_turn(entry),
            "continue": idle and last is not None and self._is_cut_off(entry),
            "edit": entry.kind is Kind.PROMPT and stored and self.may_branch(),
            "onward": answer is not None and self.may_branch() and self.chat.prompt_after(entry.key) is not None,
            "branch": entry.branch is not None and idle,
            "unfold": fold is not None and fold not in entry.unfolded,
            "fold": fold is not None and fold in entry.unfolded,
            "card": self.chat.has_card(entry),
        }
        return [name for name, is_possible in possible.items() if is_possible]

    def _is_cut_off(self, entry: Entry) -> bool:
        cut_off = self.talk.last.cut_off if self.talk is not None and self.talk.last is not None else None
        counts = entry.kind is Kind.ANSWER and entry.discarded is None
        return counts and cut_off is not None and request_of(entry.key) == cut_off.request_id

    def _do(self, deed: str, entry: Entry) -> None:
        answer = given(entry)
        match deed:
            case "copy":
                self.copy_to_clipboard(entry.source)
            case "code":
                self.copy_code(self.chat.transcript.code_blocks(entry.key))
            case "quote":
                self.quote(entry.source)
            case "up" | "down" | "unvote" if answer is not None:
                self.vote_on(answer, {"up": True, "down": False}.get(deed))
            case "again":
                self.action_ask_again()
            case "continue":
                self.action_continue_answer()
            case "edit":
                self.edit_and_branch(entry)
            case "onward" if (following := self.chat.prompt_after(entry.key)) is not None:
                self.edit_and_branch(following, empty=True)
            case "branch":
                self.next_branch(entry.key, 1, around=True)
            case "fold" | "unfold":
                self.chat.transcript.fold_or_unfold(entry.key)
            case "card":
                self._open_card(request_of(entry.key))
