"""Each session's own draft, written down within a second of the key that changed it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from tui_orchestrator.routing.errors import OrchestratorError

from . import words
from .folds import Fold, folded
from .prompt import Draft, Prompt

if TYPE_CHECKING:
    from tui_orchestrator.storage.conversations import Conversations
    from tui_orchestrator.storage.drafts import KeptDraft

KEEP_AFTER_S = 0.5
NEW = ""
"""Whose draft that of a session is before its first prompt; all new sessions share it."""
Owner = str | None
"""A session's id, NEW, or None for a temporary chat, of which nothing is kept."""


class Drafts:
    """Lives on the event loop. What is written is in the order in which it was typed."""

    def __init__(self, prompt: Prompt, conversations: Conversations, tell: Callable[[str], None]) -> None:
        """`tell` is given a sentence when drafts cannot be kept, once until they can again."""
        self._prompt = prompt
        self._conversations = conversations
        self._tell = tell
        self._owner: Owner = None
        self._opened = False
        self._left: dict[str, Draft] = {}
        """As they were left in this run, folded and with the cursor; the store has the text."""
        self._kept: dict[str, tuple[object, ...]] = {}
        self._edits: dict[str, str] = {}
        """By session: the request whose prompt is being edited there. What it has become is in the prompt then, and the
        draft waits in the store."""
        self._timer: asyncio.TimerHandle | None = None
        self._saving: set[asyncio.Task[None]] = set()
        self._told = False
        self._new_went_out = False

    def typed(self) -> None:
        """The draft has changed."""
        if self._opened and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(KEEP_AFTER_S, self._begin_saving)

    async def turn_to(self, owner: Owner, *, begun: bool = False) -> None:
        """Another session comes on the screen, and its draft into the prompt. What was typed before anything was asked
        goes along into a temporary chat, unless something was asked there: `begun`."""
        if owner == self._owner and self._opened and not (owner is None and begun):
            return
        stored = await self._of(owner)
        left, self._owner = self._owner, owner
        opened, self._opened = self._opened, True
        if not opened:
            # What was typed while the program opened stays; the draft of the last run is one ↑ away.
            if not self._prompt.text:
                self._prompt.restore(stored)
            elif stored.text:
                self._prompt.earlier(stored.unfolded)
        elif left == NEW and owner is None and not begun:
            await self._save(NEW, Draft())
        else:
            if left is not None:
                draft = self._prompt.draft
                self._left[left] = draft
                saving = self._keep_in_order(self._save(left, draft))
                self._prompt.restore(stored)
                await saving
            else:
                self._prompt.restore(stored)

    async def left_behind(self) -> str:
        """When the program opens: a sentence, as `keyed` takes it, about the draft in the session used last, which is
        one line up from now on. Empty where there is none, or where there is one in the prompt."""
        try:
            left = None if self._prompt.text else await self._conversations.left_draft()
            others = await self._conversations.drafts_left() - (left is not None)
        except OrchestratorError:
            return ""  # said already
        if left is None:
            return ""
        self._prompt.earlier(left[1])
        keys = "{prompt.up} brings it here, {session.open} opens the session"
        also = f"; {others} other session{' has' if others == 1 else 's have'} one too" if others > 0 else ""
        return f"A draft is left in {words.quoted(left[0])}: {keys}{also}."

    def sent(self, owner: Owner) -> None:
        """The draft went out; what is typed from now on is `owner`'s, who was perhaps no session before."""
        self._new_went_out = self._new_went_out or (self._owner == NEW != owner)
        self._owner = owner
        self._kept.clear()  # the store is done with it too

    async def stored(self) -> None:
        """What went out is kept now as a prompt: what is still kept of it as a draft is not needed any more."""
        if self._new_went_out:
            self._new_went_out = False
            # Another one may have been begun meanwhile.
            await self._save(NEW, self._prompt.draft if self._owner == NEW else self._left.get(NEW, Draft()))

    async def put(self, owner: str, text: str) -> None:
        """Another draft for a session that is not on the screen."""
        self._left.pop(owner, None)
        await self._save(owner, Draft(text, {}))

    # -- an earlier prompt that is being edited

    def begin_edit(self, instead: str) -> None:
        """In the session on the screen, of the prompt of that request: what stands in the prompt now waits."""
        if self._owner:
            if self._owner not in self._edits:
                self._keep_in_order(self._save(self._owner, self._prompt.draft))
            self._edits[self._owner] = instead

    def end_edit(self, *, sent: bool) -> None:
        """`sent`: it is out of the store with the prompt that it became."""
        if self._owner and self._edits.pop(self._owner, None) is not None and not sent:
            self._keep_in_order(self._forget_edit(self._owner))

    async def edit_left(self, session: str) -> tuple[str, Draft] | None:
        """The request whose prompt was being edited there when the program ended, and what that had become."""
        try:
            found = await self._conversations.edit(session)
        except OrchestratorError as error:
            self._complain(error)
            return None
        return None if found is None else (found[0], _as_it_stood(found[1]))

    async def _forget_edit(self, session: str) -> None:
        try:
            await self._conversations.end_edit(session)
        except OrchestratorError as error:
            self._complain(error)

    async def aclose(self) -> None:
        """After all is written, the draft as it is included, and what was typed meanwhile. From then on nothing is:
        a save that began later would find the store closed, or no event loop to run it."""
        draft = None
        while self._opened and self._owner is not None and draft != self._prompt.draft:
            draft = self._prompt.draft
            await self._save(self._owner, draft)
        self._opened = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await asyncio.gather(*self._saving)

    async def _of(self, owner: Owner) -> Draft:
        if owner is None:
            return Draft()
        if owner in self._left:
            return self._left.pop(owner)
        if owner == NEW and self._new_went_out:
            return Draft()
        if owner in self._edits and (edit := await self.edit_left(owner)) is not None:
            return edit[1]
        try:
            draft = _as_it_stood(await self._conversations.draft(owner))
        except OrchestratorError as error:
            self._complain(error)
            return Draft()
        self._kept[owner] = (None, draft.unfolded, draft.places)
        return draft

    def _begin_saving(self) -> None:
        self._timer = None
        if self._owner is not None:
            self._keep_in_order(self._save(self._owner, self._prompt.draft))

    def _keep_in_order(self, saving: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(saving)
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)
        return task

    def _save(self, owner: str, draft: Draft) -> Coroutine[None, None, None]:
        """What is to be done is settled by the time it returns."""
        return self._write(owner, self._edits.get(owner), draft.unfolded, draft.places)

    async def _write(self, owner: str, instead: str | None, text: str, places: tuple[Fold, ...]) -> None:
        if self._kept.get(owner) == (instead, text, places):
            return
        self._kept[owner] = (instead, text, places)
        try:
            if instead is None:
                await self._conversations.save_draft(owner, text, places)
            else:
                await self._conversations.save_edit(owner, instead, text, places)
            self._told = False
        except OrchestratorError as error:
            self._kept.pop(owner, None)
            self._complain(error)

    def _complain(self, error: OrchestratorError) -> None:
        if not self._told:
            self._told = True
            self._tell(f"What is typed is not kept: {error}")


def _as_it_stood(kept: KeptDraft) -> Draft:
    return Draft(kept.text) if kept.folds is None else Draft(*folded(kept.text, kept.folds))
