"""Earlier prompts edited and sent anew: a branch from there, and the ways between branches."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work

from tui_orchestrator.routing.errors import OrchestratorError

from .attachments import mentions
from .entries import Entry, Kind, Part, prompt_key, request_of
from .in_turn import typed_beside
from .naming import keyed
from .prompt import Draft
from .reader import Reader
from .shelf import Shelf
from .transcript import Transcript

if TYPE_CHECKING:
    from tui_orchestrator.services.attachments import Enclosed
    from tui_orchestrator.services.chat import Chat
    from tui_orchestrator.services.remembering import Recalled
    from tui_orchestrator.settings import Settings


_KEYS = "{prompt.send} sends it as a branch · {turn.cancel} leaves all as it is"
_EDITING = f"↳ You edit an earlier prompt · {_KEYS}"
_NEW_HERE = f"↳ A new prompt goes here · {_KEYS}"


@dataclass
class Edit:
    """An earlier prompt that is being edited. What it has become stands in the prompt field."""

    instead: str
    """The request whose prompt it is."""
    before: Draft
    """What stood in the prompt field, which comes back afterwards."""
    told: str
    cut: Chat | None = None
    """The conversation up to that prompt, once it is read."""


class Branching(Shelf):
    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._edits: dict[str, Edit] = {}
        """By session: each goes on where it was left."""

    @property
    def _edit_here(self) -> Edit | None:
        return self._edits.get(self.talk.id) if self.talk is not None else None

    async def _begin(self, talk: Chat, at: str | None = None) -> None:
        await super()._begin(talk, at)
        edit = self._edit_here or await self._edit_left(talk)
        self.chat.tell_editing("" if edit is None else keyed(self, edit.told))
        if edit is not None:
            self._read_cut(edit)

    async def _edit_left(self, talk: Chat) -> Edit | None:
        """The one that was under way when the program ended; it goes on."""
        left = await self.drafts.edit_left(talk.id) if self.drafts is not None and talk.stored else None
        if left is None or talk is not self.talk or self.drafts is None:
            return None
        instead, become = left
        if all(message.request_id != instead for message in (*talk.stored, *talk.aside)):
            return None
        field = self.composer.prompt
        edit = self._edits[talk.id] = Edit(instead, field.draft, _EDITING)
        self.drafts.begin_edit(instead)
        field.restore(become)
        return edit

    # -- edit and send

    def may_branch(self) -> bool:
        return not self.here.under_way and self.talk is not None and not self.talk.temporary

    def edit_and_branch(self, prompt: Entry, *, empty: bool = False) -> None:
        """Puts an earlier prompt back into the prompt field; what is sent then begins a branch there."""
        if self.busy() or self.talk is None or not self.may_branch():
            return
        field, before = self.composer.prompt, self._edit_here
        left = field.draft if before is None else before.before
        edit = self._edits[self.talk.id] = Edit(request_of(prompt.key), left, _NEW_HERE if empty else _EDITING)
        if self.drafts is not None:
            self.drafts.begin_edit(edit.instead)
        self._read_cut(edit)
        field.replace_draft("" if empty else _typed(prompt.source))
        self.chat.tell_editing(keyed(self, edit.told))
        self.go_home()

    def action_edit_prompt(self) -> None:
        """The marked prompt, or that of the marked answer; else the last one."""
        reader = self.chat.transcript
        marked = reader.marked_entry if reader.has_focus else None
        last = next((entry for entry in reader.latest() if entry.kind is Kind.PROMPT), None)
        prompt = self.chat.prompt_at(marked.key) if marked is not None else last
        if prompt is None:
            self.notify("There is no prompt to edit yet.", severity="warning", markup=False)
        elif self.talk is not None and self.talk.temporary:
            self.notify("A temporary chat has no branches.", severity="warning", markup=False)
        else:
            self.edit_and_branch(prompt)

    @typed_beside
    @work(group="cut", exclusive=True, exit_on_error=False)
    async def _read_cut(self, edit: Edit) -> None:
        """For the line above the prompt. Where it cannot be read, sending says so."""
        assert self.talk is not None
        with contextlib.suppress(LookupError, OrchestratorError):
            edit.cut = await self.talk.before(edit.instead)
            self.composer.weigh_again()

    @property
    def weighed_talk(self) -> Chat | None:
        return super().weighed_talk if self._edit_here is None else self._edit_here.cut

    def _end_editing(self, *, sent: bool) -> Edit | None:
        """The prompt that was being edited, if one was."""
        self.chat.tell_editing("")
        if self.drafts is not None:
            self.drafts.end_edit(sent=sent)
        return self._edits.pop(self.talk.id, None) if self.talk is not None else None

    def ask(self, draft: Enclosed) -> None:
        if self._edit_here is None:
            super().ask(draft)
        else:
            self._ask_on_a_branch(draft, self._edit_here.instead)

    @work(group="branch", exclusive=True, exit_on_error=False)
    async def _ask_on_a_branch(self, draft: Enclosed, instead: str) -> None:
        assert self.talk is not None
        asked, here = self.talk, self.here
        problem = ""
        self.hold(here, True)
        try:
            original = next((m for m in asked.stored if m.request_id == instead and m.role == "user"), None)
            try:
                talk = await asked.before(instead)
            except LookupError:
                # A search may have led to another branch meanwhile.
                talk = await (await asked.on_branch(instead)).before(instead)
            ensemble = await self._ensemble_of(talk)
        except (LookupError, OrchestratorError) as error:
            problem = f"not sent: {error.args[0]}"
        finally:
            self.hold(here, False)
        if problem:
            self._give_back(here, draft.typed)
            self.composer.say(problem=problem)
            return
        if self.talk is not asked:
            if self.drafts is not None:
                await self.drafts.put(asked.id, draft.typed)
            return
        if original is not None:
            # Pictures that no @path of the text names go along as they are.
            named = {Path(path).name for path in mentions(original.text)}
            kept = tuple(image for image in original.images if image.name not in named)
            draft = replace(draft, images=(*kept, *draft.images))
        self._show(talk, ensemble)
        edit = self._end_editing(sent=True)
        super().ask(draft)
        if edit is not None:
            self.composer.prompt.restore(edit.before)
        beside = talk.branches.get(instead, (instead,))
        prompt = next(entry for entry in self.chat.transcript.latest() if entry.kind is Kind.PROMPT)
        self.chat.transcript.tell_branch(prompt.key, (len(beside) + 1, len(beside) + 1))

    def _show(self, talk: Chat, ensemble: Recalled | None, at: str | None = None) -> None:
        """The same session, on another branch."""
        self.talk = talk
        self._put_up(talk, ensemble, side_by_side=False)
        if at is not None:
            self.call_after_refresh(self._show_request, at)

    # -- from one to the other

    @on(Reader.BranchWanted)
    def _branch_wanted(self, message: Reader.BranchWanted) -> None:
        self.next_branch(message.key, message.step)

    @on(Transcript.Clicked)
    def _branch_clicked(self, message: Transcript.Clicked) -> None:
        if message.part is Part.BRANCH:
            self.next_branch(message.key, 1, around=True)

    @work(group="branch", exclusive=True, exit_on_error=False)
    async def next_branch(self, key: str, step: int, around: bool = False) -> None:
        """From the branch that the prompt at `key`, or the nearest one above it, is on."""
        if self.busy() or self.talk is None or self._edit_here is not None:
            return
        reader = self.chat.transcript
        above = chain([reader.entry(key)], reader.beside(key, -1)) if reader.holds(key) else reader.latest()
        prompt = next((entry for entry in above if entry.kind is Kind.PROMPT and entry.branch is not None), None)
        if prompt is None:
            self.notify("No branch begins here or above; the menu of a prompt makes one.", markup=False, timeout=3)
            return
        here = request_of(prompt.key)
        beside = self.talk.branches[here]
        place = beside.index(here) + step
        if around:
            place %= len(beside)
        if not 0 <= place < len(beside):
            self.notify(
                f"There are {len(beside)} branches; this is the {'last' if step > 0 else 'first'}.", markup=False
            )
            return
        await self._turn_to_branch(beside[place])

    async def _turn_to_branch(self, request_id: str) -> None:
        """Not while an answer grows on the branch that is shown."""
        if self.talk is None or self.busy():
            return
        before = self.talk
        try:
            talk = await before.on_branch(request_id)
            ensemble = await self._ensemble_of(talk)
        except (LookupError, OrchestratorError) as error:
            self.notify(str(error.args[0]), severity="warning", markup=False)
            return
        if self.talk is not before or self.here.under_way:
            return
        self._show(talk, ensemble, request_id)
        self.chat.transcript.mark(prompt_key_in(self.chat.transcript, request_id))

    async def _open_id(self, session: str, at: str | None = None) -> None:
        await super()._open_id(session, at)
        talk = self.talk
        if at is None or self.runtime is None or talk is None or talk.id != session:
            return
        if prompt_key_in(self.chat.transcript, at) is None:
            aside = (await self.runtime.conversations.get(session)).aside
            # An answer that was asked again has a request of its own, without a prompt.
            if any(message.request_id == at and message.role == "user" for message in aside):
                await self._turn_to_branch(at)

    def action_escape(self) -> None:
        if self.composer.close_completions():
            return
        if not self.running and (edit := self._end_editing(sent=False)) is not None:
            self.composer.prompt.put_back(edit.before)
            return
        super().action_escape()


def prompt_key_in(reader: Reader, request_id: str) -> str | None:
    return key if reader.holds(key := prompt_key(request_id)) else None


def _typed(source: str) -> str:
    """A prompt as it was sent, without the files whose contents were put behind it: their @path reads them again."""
    for path in mentions(source):
        at = source.find(f"\n\n{Path(path).name}:\n```")
        if at >= 0:
            source = source[:at]
    return source
