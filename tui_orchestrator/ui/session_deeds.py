"""What is done with a session from its list, from the palette and by `/` commands alike: each asks what it must, does
it, and says what was done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from textual.app import App

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.request import tag_name
from tui_orchestrator.routing.text import clean_line
from tui_orchestrator.services import exporting
from tui_orchestrator.services.importing import import_file
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.storage.answers import standing
from tui_orchestrator.storage.archive import Listed
from tui_orchestrator.storage.conversations import Session

from . import words
from .asking import Ask, AskFile
from .dialogs import Choice, Picker
from .naming import key_to
from .options import Refused

WHOLE = "whole"
TURNS_OFFERED = 300
"""The last ones, of a conversation that has more."""


class SessionDeeds:
    """Awaited in a worker, since some open a dialog. Each raises StoreError, and LookupError with a sentence for a
    session that another copy of the program has deleted."""

    def __init__(self, app: App[int], runtime: Runtime, runs: Callable[[str], bool] = lambda session: False) -> None:
        """`runs`: whether an answer does in the session with that id."""
        self._app = app
        self._runs = runs
        self._runtime = runtime
        self._deleted: list[Session] = []
        """Since the program began, the last one last."""

        self.tell: Callable[[str, bool], None] | None = None
        """Where it is said what was done, or, where the second is false, why nothing was; None: in a toast."""

    @property
    def may_undelete(self) -> bool:
        return bool(self._deleted)

    def _say(self, sentence: str, *, done: bool = True) -> None:
        if self.tell is None:
            self._app.notify(sentence, markup=False, timeout=4)
        else:
            self.tell(sentence, done)

    async def rename(self, listed: Listed, title: str | None = None) -> None:
        session = listed.session

        async def keep(written: str) -> str:
            now = await self._runtime.conversations.rename(session.id, written)
            self._say(f"It is called {now!r} now.")
            return ""

        if title is not None:
            await keep(title)
            return
        note = "Empty: the title made from its first prompt."
        await self._app.push_screen_wait(Ask("Rename", session.title, keep, note=note))

    async def tag(self, listed: Listed, tags: str | None = None) -> None:
        """Without `tags` in a dialog, where what is left there is what holds; with them they are added, and those with
        a minus sign taken away. Raises Refused for what is no tag."""
        session = listed.session

        async def keep(written: str) -> str:
            try:
                wanted = frozenset(tag_name(tag.strip().lstrip("#")) for tag in written.split(",") if tag.strip())
            except ValueError as error:
                return str(error)
            await self._runtime.conversations.tag(session.id, wanted - session.tags, remove=session.tags - wanted)
            said = words.tags(wanted)
            self._say(f"{words.quoted(session.title)} is tagged {said}." if said else "It has no tag now.")
            return ""

        if tags is not None:
            given = [tag.strip() for tag in tags.split(",")]
            away = {tag.lstrip("-#").lower() for tag in given if tag.startswith("-")}
            added = [tag for tag in given if not tag.startswith("-")]
            problem = await keep(", ".join([*(session.tags - away), *added]))
            if problem:
                raise Refused(problem)
            return
        known = await self._runtime.archive.tags()
        note = "With commas between. " + (f"There are: {', '.join(list(known)[:8])}." if known else "")
        await self._app.push_screen_wait(Ask("Tags", ", ".join(sorted(session.tags)), keep, note=note))

    async def pin(self, listed: Listed) -> None:
        session = listed.session
        await self._runtime.conversations.pin(session.id, not session.pinned)
        self._say(f"{words.quoted(session.title)} is {'not pinned any more' if session.pinned else 'pinned'}.")

    async def fork(self, listed: Listed) -> str | None:
        """The copy's id; None where nothing was copied. Raises Refused while an answer runs there."""
        self._is_at_rest(listed, "forked")
        session = listed.session
        messages = (await self._runtime.conversations.get(session.id)).messages
        turns = standing(messages)
        # The message before may be far off where another branch was written between.
        before = {message.position: one.position for one, message in pairwise(messages)}
        ends = [before[following.position] for following, _ in turns[1:]]
        offered = [Choice(WHOLE, (("all of it", "bold"),), f"{session.messages:,} messages", marked=True)]
        for number, (end, (prompt, answer)) in enumerate(zip(ends, turns, strict=False), 1):
            said = clean_line(answer.text, 90) if answer is not None else "no answer"
            asked = words.fit(clean_line(prompt.text, 90), 66).rstrip()
            offered.append(Choice(str(end), ((f"up to {number}: ", words.MUTED), (asked, "")), said))
        kept = [offered[0], *offered[1:][-TURNS_OFFERED:]]
        empty = "No prompt holds that."
        picker = Picker(f"Fork {words.quoted(session.title)}", kept, empty=empty, hint="Enter forks there")
        chosen = await self._app.push_screen_wait(picker) if len(kept) > 1 else WHOLE
        if chosen is None:
            return None
        new = await self._runtime.archive.fork(session.id, None if chosen == WHOLE else int(chosen))
        self._say(f"{words.quoted(new.title)} is a copy with {new.messages} messages; the original stays as it is.")
        return new.id

    def _is_at_rest(self, listed: Listed, to_be: str) -> None:
        if self._runs(listed.session.id):
            title = words.quoted(listed.session.title)
            raise Refused(f"an answer is still running in {title}: it can be {to_be} once that is over or cancelled")

    async def delete(self, listed: Listed) -> None:
        """Raises Refused while an answer runs there."""
        self._is_at_rest(listed, "deleted")
        await self._runtime.archive.delete(listed.session.id)
        self._deleted.append(listed.session)
        key = key_to(self._app, "sessions.undelete")
        self._say(f"{words.quoted(listed.session.title)} is deleted; {key} in the list, or /undo, brings it back.")

    async def undelete(self) -> str | None:
        """The last one deleted; its id. None, said, where there is none."""
        while self._deleted:
            session = self._deleted.pop()
            try:
                await self._runtime.archive.restore(session.id)
            except LookupError:
                continue  # it came back, or went for good, in another copy of the program
            self._say(f"{words.quoted(session.title)} is back.")
            return session.id
        said = "Nothing deleted since the program began is left to come back; `sessions list --deleted` shows the rest."
        self._say(said, done=False)
        return None

    async def export(self, listed: Listed, to: str | None = None, *, all_branches: bool = False) -> None:
        session = listed.session
        asked_of = ""

        async def write(written: str) -> str:
            nonlocal asked_of
            path = Path(written.strip())
            if not written.strip() or path.suffix.lower() not in (".md", ".json"):
                return "name a file that ends with .md, to read, or .json, to import again"
            replace, asked_of = asked_of == written, written
            conversation, form = await self._runtime.conversations.get(session.id), path.suffix.lower()[1:]
            text = await exporting.rendered(self._runtime, conversation, form, all_branches=all_branches)
            try:
                there = await asyncio.to_thread(exporting.write, path, text, replace=replace)
            except FileExistsError:
                return f"{clean_line(written, 60)} is there already; Enter once more writes over it"
            except OrchestratorError as error:
                return str(error)
            self._say(f"Written to {clean_line(str(there), 200)}")
            return ""

        name, problem = exporting.file_name(session.title, session.id, "md"), ""
        if to is not None:
            name = exporting.file_name(session.title, session.id, to) if to in ("md", "json") else to
            problem = await write(name)
            if not problem:
                return
            # What a command cannot do at once is asked in the dialog.
        note = f"In {clean_line(str(Path.cwd()), 60)}; .json can be imported again, and holds all branches."
        title = "Export all branches" if all_branches else "Export"
        await self._app.push_screen_wait(Ask(title, name, write, note=note, problem=problem, verb="Enter writes it"))

    async def import_(self, path: str | None = None) -> str | None:
        """The id of what came in, or was here already."""
        came: list[str] = []

        async def read(written: str) -> str:
            if not written.strip():
                return "name a file that was exported as .json"
            try:
                session, new = await import_file(self._runtime, _path(written))
            except OrchestratorError as error:
                return str(error)
            came.append(session.id)
            self._say(f"{words.quoted(session.title)} {'has come in' if new else 'is here already'}.", done=new)
            return ""

        problem = await read(path) if path is not None else ""
        if came:
            return came[0]
        note = "A conversation that was exported as .json, here or elsewhere."
        await self._app.push_screen_wait(
            AskFile("Import", path or "", read, note=note, problem=problem, verb="Enter reads it")
        )
        return came[0] if came else None


def _path(written: str) -> Path:
    return Path(written.strip()).expanduser()
