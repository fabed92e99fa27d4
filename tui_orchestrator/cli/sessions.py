"""`sessions`: the conversations that are kept."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..aside import aside
from .manners import (
    OUTPUT_HELP,
    USAGE,
    Invocation,
    Named,
    Stop,
    Word,
    in_utf8,
    note,
    output_file,
    piped_in,
    run,
    say,
    tag_names,
    write_file,
)
from .printing import as_json, table
from .streams import confirm

if TYPE_CHECKING:
    from ..services.runtime import Runtime
    from ..storage.archive import Found, Listed


@click.group(cls=Named, invoke_without_command=True)
@click.pass_context
def sessions(context: click.Context) -> None:
    """List, show, search, rename, tag, fork, pin, delete, restore, export and import conversations.

    A session is named by its id, the beginning of one, or latest. Without a command they are listed.

    \b
    Examples:
      tui-orchestrator sessions
      tui-orchestrator sessions search binary tree "#work"
      tui-orchestrator sessions show latest
      tui-orchestrator sessions rename 6afh "Trees, again"
      tui-orchestrator sessions tag 6afh work
      tui-orchestrator sessions fork 6afh --turns 2
      tui-orchestrator sessions export 6afh --format json -o talk.json
      tui-orchestrator sessions import talk.json
      tui-orchestrator ask --continue 6afh "And in Rust?"
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


def _with_store(invocation: Invocation, work: Callable[[Runtime], Coroutine[Any, Any, None]]) -> None:
    async def go() -> None:
        async with invocation.runtime(look=False, to_read=True) as runtime:
            try:
                await work(runtime)
            except LookupError as error:
                raise Stop(str(error.args[0]), USAGE) from None

    run(go())


_COLUMNS = ("id", "last used", "messages", "cost", "title", "tags")


def _row(listed: Listed, tagged: bool) -> tuple[str, ...]:
    session = listed.session
    title = f"★ {session.title}" if session.pinned else session.title
    row = (session.id, f"{session.updated.astimezone():%Y-%m-%d %H:%M}", str(session.messages), cost_of(listed), title)
    return (*row, *((", ".join(sorted(session.tags)),) if tagged else ()))


def cost_of(listed: Listed) -> str:
    """'~$0.0031+?': partly estimated, and some of it not known. Of an imported one also what it cost elsewhere."""
    if listed.elsewhere is not None:
        here = f"{cost_of(replace(listed, elsewhere=None))} here, " if listed.cost or listed.unknown else ""
        return f"{here}{listed.elsewhere} elsewhere"
    if listed.unknown and not listed.cost:
        return "$?"
    return f"{'~' if listed.estimated else ''}{listed.cost}{'+?' if listed.unknown else ''}"


def listed_json(listed: Listed) -> dict[str, Any]:
    from ..services.exporting import session_json

    spent = listed.elsewhere
    return {
        **session_json(listed.session),
        "models": list(listed.models),
        "cost_usd": None if listed.unknown else str(listed.cost.usd),
        "unknown_costs": listed.unknown,
        "elsewhere_usd": None if spent is None or spent.amount is None else str(spent.amount.usd),
    }


@sessions.command("list")
@click.option("--json", "as_object", is_flag=True, help="Print a list of JSON objects.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N", help="At most so many."
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", callback=tag_names, help="Only those with this tag.")
@click.option("--deleted", is_flag=True, help="Those that `restore` can bring back.")
@click.pass_obj
def list_(
    invocation: Invocation,
    as_object: bool = False,
    limit: int = 50,
    tags: frozenset[str] = frozenset(),
    deleted: bool = False,
) -> None:
    """List conversations: those pinned first, then the last used."""

    async def show(runtime: Runtime) -> None:
        found = await runtime.archive.page(limit, tags=tags, deleted=deleted)
        if as_object:
            say(as_json([listed_json(listed) for listed in found]))
        elif not found:
            note(_nothing(tags, deleted))
        else:
            tagged = any(listed.session.tags for listed in found)
            rows = [_row(listed, tagged) for listed in found]
            say(table(_COLUMNS if tagged else _COLUMNS[:-1], rows, right=("messages", "cost")))

    _with_store(invocation, show)


def _nothing(tags: frozenset[str], deleted: bool) -> str:
    if deleted:
        return "No deleted session is kept; they are for a day."
    if tags:
        return f"No session is tagged {', '.join(sorted(tags))}; `sessions tag` does that."
    return "There is no session yet; `ask` and the console make them."


@sessions.command()
@click.argument("session")
@click.option("--json", "as_object", is_flag=True, help="Print it as one JSON object, with models, tokens and costs.")
@click.pass_obj
def show(invocation: Invocation, session: str, as_object: bool) -> None:
    """Print a conversation."""

    async def print_it(runtime: Runtime) -> None:
        from ..services import exporting

        conversation = await runtime.conversations.get(session)
        if as_object:
            say(as_json(await exporting.as_json(runtime, conversation, pictures=False)))
        else:
            say(await exporting.as_markdown(runtime, conversation), end="")

    _with_store(invocation, print_it)


@sessions.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--json", "as_object", is_flag=True, help="Print a list of JSON objects.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N", help="At most so many."
)
@click.pass_obj
def search(invocation: Invocation, words: tuple[str, ...], as_object: bool, limit: int) -> None:
    """Find conversations whose title, or one of whose messages, holds every word.

    Parts of words count, capitals do not. "Words in quotes" must stand together; "#TAG" asks for a tag.
    """
    typed = " ".join(_as_one(in_utf8(word, "a word")) for word in words)

    async def find(runtime: Runtime) -> None:
        found = await runtime.archive.find(typed, limit)
        if not found:
            raise Stop("No title and no message holds all these words; try fewer, or a part of one.")
        if as_object:
            say(as_json([_found_json(one) for one in found]))
        else:
            say(table(("id", "who", "where", "title"), [_found_row(one) for one in found]))

    _with_store(invocation, find)


def _as_one(word: str) -> str:
    """The shell took the quotes of words that stand together."""
    return f'"{word}"' if " " in word and '"' not in word else word


def _found_row(found: Found) -> tuple[str, ...]:
    who, where = (found.place.role, found.place.snippet.text) if found.place else ("title", "")
    return found.listed.session.id, who, where, found.listed.session.title


def _found_json(found: Found) -> dict[str, Any]:
    place = found.place
    at = place and {
        "position": place.position,
        "role": place.role,
        "request_id": place.request_id,
        "created": place.created.isoformat(),
        "snippet": place.snippet.text,
        "messages_found": place.messages,
    }
    return {**listed_json(found.listed), "in_title": bool(found.marks), "found": at}


@sessions.command()
@click.argument("session")
@click.argument("title", required=False, default="")
@click.pass_obj
def rename(invocation: Invocation, session: str, title: str) -> None:
    """Give a conversation another title; without one, that made from its first prompt."""
    wanted = in_utf8(title, "the title")

    async def change(runtime: Runtime) -> None:
        found = await runtime.archive.listed(session)
        now = await runtime.conversations.rename(found.session.id, wanted)
        note(f"{found.session.title!r} is called {now!r} now.")

    _with_store(invocation, change)


@sessions.command()
@click.argument("session")
@click.argument("tags", nargs=-1, required=True, callback=tag_names)
@click.option("--remove", is_flag=True, help="Take them away instead.")
@click.pass_obj
def tag(invocation: Invocation, session: str, tags: frozenset[str], remove: bool) -> None:
    """Tag a conversation. Your rules may ask for a tag: [rules.NAME] tags = ["work"]."""

    async def change(runtime: Runtime) -> None:
        found = (await runtime.archive.listed(session)).session
        await runtime.conversations.tag(found.id, () if remove else tags, remove=tags if remove else ())
        left = sorted(found.tags - tags if remove else found.tags | tags)
        note(f"{found.title!r} is tagged {', '.join(left)}." if left else f"{found.title!r} has no tag.")

    _with_store(invocation, change)


@sessions.command()
@click.argument("session")
@click.option("--remove", is_flag=True, help="Let it go down the list again.")
@click.pass_obj
def pin(invocation: Invocation, session: str, remove: bool) -> None:
    """Keep a conversation at the head of the list."""

    async def change(runtime: Runtime) -> None:
        found = (await runtime.archive.listed(session)).session
        await runtime.conversations.pin(found.id, not remove)
        note(f"{found.title!r} is {'not pinned any more' if remove else 'pinned'}.")

    _with_store(invocation, change)


@sessions.command()
@click.argument("session")
@click.option(
    "--turns", type=click.IntRange(1), metavar="N", help="Only the first N prompts with their answers. Default: all."
)
@click.pass_obj
def fork(invocation: Invocation, session: str, turns: int | None) -> None:
    """Copy a conversation, to go on from there another way. The copy's id goes to stdout."""

    async def copy(runtime: Runtime) -> None:
        from ..storage.answers import standing

        found = await runtime.conversations.get(session)
        prompts = [prompt.position for prompt, _ in standing(found.messages)]
        if turns is not None and turns > len(prompts):
            raise Stop(f"{found.session.title!r} has {len(prompts)} prompts; give --turns up to that", USAGE)
        upto = prompts[turns] - 1 if turns is not None and turns < len(prompts) else None
        new = await runtime.archive.fork(found.session.id, upto)
        note(f"{new.title!r} has {new.messages} messages; go on with `ask --continue {new.id} …`.")
        say(new.id)

    _with_store(invocation, copy)


@sessions.command()
@click.argument("session")
@click.option("--for-good", is_flag=True, help="At once and for ever, instead of keeping it for a day.")
@click.option("--yes", is_flag=True, help="With --for-good: do not ask.")
@click.pass_obj
def delete(invocation: Invocation, session: str, for_good: bool, yes: bool) -> None:
    """Delete a conversation; for a day `sessions restore` brings it back. What it cost stays in the ledger."""
    if for_good and not yes and piped_in():
        raise Stop("nothing was deleted: there is no terminal to ask on; say --yes", USAGE)

    async def remove(runtime: Runtime) -> None:
        try:
            found = (await runtime.archive.listed(session)).session
        except LookupError:
            if not for_good:
                raise
            found = await runtime.archive.deleted(session)
        if not for_good:
            await runtime.archive.delete(found.id)
            note(f"Deleted {found.title!r}; for a day `sessions restore {found.id}` brings it back.")
            return
        counted = f"{found.messages} message{'' if found.messages == 1 else 's'}"
        if not yes and not confirm(f"Delete {found.title!r} with {counted} for good?"):
            raise Stop("Nothing was deleted.")
        await runtime.archive.purge(found.id)
        note(f"Deleted {found.title!r} for good.")

    _with_store(invocation, remove)


@sessions.command()
@click.argument("session")
@click.pass_obj
def restore(invocation: Invocation, session: str) -> None:
    """Bring back a conversation that was deleted less than a day ago."""

    async def bring_back(runtime: Runtime) -> None:
        found = await runtime.archive.restore(session)
        note(f"{found.title!r} is back.")

    _with_store(invocation, bring_back)


@sessions.command()
@click.argument("session")
@click.option(
    "--format", "form", type=Word(("md", "json")), metavar="FORM", help="md or json. Default: by FILE's name, else md."
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help=OUTPUT_HELP)
@click.option("--force", is_flag=True, help="Write over a file that is there, without asking.")
@click.option(
    "--all-branches", is_flag=True, help="In Markdown too: every branch, the one on the screen first. JSON holds all."
)
@click.pass_obj
def export(
    invocation: Invocation, session: str, form: str | None, output: Path | None, force: bool, all_branches: bool
) -> None:
    """Write a conversation as Markdown or JSON, with models, tokens and costs. The JSON can be imported again."""
    file = output_file(output)
    form = form or ("json" if file is not None and file.suffix.lower() == ".json" else "md")
    if file is not None and file.is_file() and not force:
        if piped_in():
            raise Stop(f"{file} is there already; name another file, or say --force", USAGE)
        if not confirm(f"{file} is there already. Write over it?"):
            raise Stop("Nothing was written.")

    async def write(runtime: Runtime) -> None:
        from ..services.exporting import rendered

        found = await runtime.conversations.get(session)
        text = await rendered(runtime, found, form, all_branches=all_branches)
        if file is None:
            say(text, end="")
        else:
            write_file(file, text)
            note(f"Written to {file}.")

    _with_store(invocation, write)


@sessions.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.pass_obj
def import_(invocation: Invocation, files: tuple[Path, ...]) -> None:
    """Take in conversations from files that `sessions export --format json` wrote. The same one twice stays one.

    What was spent on them is shown with them, and not booked here. Their ids go to stdout.
    """

    async def take_in(runtime: Runtime) -> None:
        from ..services.importing import read_file, store

        # All are read before the first is stored: one bad file, and nothing came in.
        read = [await aside(partial(read_file, file, pipe=True), "a file to read") for file in files]
        for found in read:
            session, new = await store(runtime, found)
            counted = f"{session.messages} message{'' if session.messages == 1 else 's'}"
            what = f"has come in with {counted}" if new else "is here already"
            note(f"{session.title or session.id!r} {what}.")
            say(session.id)

    _with_store(invocation, take_in)
