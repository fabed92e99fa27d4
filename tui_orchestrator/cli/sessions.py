"""`sessions`: the conversations that are kept."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..routing.event_json import attempt_json
from .manners import (
    OUTPUT_HELP,
    USAGE,
    Invocation,
    Named,
    Stop,
    Word,
    output_file,
    piped_in,
    run,
    say,
    tag_names,
    write_file,
)
from .printing import as_json, table

if TYPE_CHECKING:
    from ..routing.events import Attempt
    from ..services.feedback import Given
    from ..services.runtime import Runtime
    from ..storage.conversations import Conversation, Session, StoredMessage


@click.group(cls=Named, invoke_without_command=True)
@click.pass_context
def sessions(context: click.Context) -> None:
    """List, show, search, tag, export and delete conversations.

    A session is named by its id or the beginning of one. Without a command they are listed.

    \b
    Examples:
      tui-orchestrator sessions
      tui-orchestrator sessions search binary tree
      tui-orchestrator sessions show 6afh
      tui-orchestrator sessions tag 6afh work
      tui-orchestrator sessions export 6afh --format json -o talk.json
      tui-orchestrator ask --continue 6afh "And in Rust?"
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


def _with_store(invocation: Invocation, work: Callable[[Runtime], Coroutine[Any, Any, None]]) -> None:
    async def go() -> None:
        async with invocation.runtime(look=False) as runtime:
            try:
                await work(runtime)
            except LookupError as error:
                raise Stop(str(error.args[0]), USAGE) from None

    run(go())


_COLUMNS = ("id", "last used", "messages", "title", "tags")


def _row(session: Session, tagged: bool) -> tuple[str, ...]:
    used, tags = f"{session.updated.astimezone():%Y-%m-%d %H:%M}", ", ".join(sorted(session.tags))
    return (session.id, used, str(session.messages), session.title, *((tags,) if tagged else ()))


@sessions.command("list")
@click.option("--json", "as_object", is_flag=True, help="Print a list of JSON objects.")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N", help="At most so many."
)
@click.pass_obj
def list_(invocation: Invocation, as_object: bool = False, limit: int = 50) -> None:
    """List conversations, the last used first."""

    async def show(runtime: Runtime) -> None:
        found = await runtime.conversations.recent(limit)
        if as_object:
            say(as_json([session_json(session) for session in found]))
        elif not found:
            click.echo("There is no session yet; `ask` and the console make them.", err=True)
        else:
            tagged = any(session.tags for session in found)
            say(table(_COLUMNS if tagged else _COLUMNS[:-1], [_row(s, tagged) for s in found], right=("messages",)))

    _with_store(invocation, show)


@sessions.command()
@click.argument("session")
@click.option("--json", "as_object", is_flag=True, help="Print it as one JSON object, with models, tokens and costs.")
@click.pass_obj
def show(invocation: Invocation, session: str, as_object: bool) -> None:
    """Print a conversation."""

    async def print_it(runtime: Runtime) -> None:
        conversation = await runtime.conversations.get(session)
        if as_object:
            say(as_json(await conversation_json(runtime, conversation)))
        else:
            say(await as_markdown(runtime, conversation), end="")

    _with_store(invocation, print_it)


@sessions.command()
@click.argument("words", nargs=-1, required=True)
@click.pass_obj
def search(invocation: Invocation, words: tuple[str, ...]) -> None:
    """Find messages that hold every one of the words."""

    async def find(runtime: Runtime) -> None:
        found = await runtime.conversations.search(" ".join(words))
        if not found:
            raise Stop("No message holds all these words.")
        rows = [
            (one.session.id, one.message.role, _around(one.message.text, words[0]), one.session.title) for one in found
        ]
        say(table(("id", "who", "where", "title"), rows))

    _with_store(invocation, find)


@sessions.command()
@click.argument("session")
@click.option(
    "--format", "form", type=Word(("md", "json")), metavar="FORM", default="md", show_default=True, help="md or json."
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help=OUTPUT_HELP)
@click.pass_obj
def export(invocation: Invocation, session: str, form: str, output: Path | None) -> None:
    """Write a conversation as Markdown or JSON, with models, tokens and costs."""
    file = output_file(output)

    async def write(runtime: Runtime) -> None:
        conversation = await runtime.conversations.get(session)
        if form == "md":
            text = await as_markdown(runtime, conversation)
        else:
            text = as_json(await conversation_json(runtime, conversation)) + "\n"
        if file is None:
            say(text, end="")
        else:
            write_file(file, text)

    _with_store(invocation, write)


@sessions.command()
@click.argument("session")
@click.argument("tags", nargs=-1, required=True, callback=tag_names)
@click.option("--remove", is_flag=True, help="Take them away instead.")
@click.pass_obj
def tag(invocation: Invocation, session: str, tags: frozenset[str], remove: bool) -> None:
    """Tag a conversation. Your rules may ask for a tag: [rules.NAME] tags = ["work"]."""

    async def change(runtime: Runtime) -> None:
        found = (await runtime.conversations.get(session)).session
        await runtime.conversations.tag(found.id, () if remove else tags, remove=tags if remove else ())
        left = sorted(found.tags - tags if remove else found.tags | tags)
        click.echo(
            f"{found.title!r} is tagged {', '.join(left)}." if left else f"{found.title!r} has no tag.", err=True
        )

    _with_store(invocation, change)


@sessions.command()
@click.argument("session")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(invocation: Invocation, session: str, yes: bool) -> None:
    """Delete a conversation for good. What it cost stays in the ledger."""
    if not yes and piped_in():
        raise Stop("nothing was deleted: there is no terminal to ask on; say --yes", USAGE)

    async def remove(runtime: Runtime) -> None:
        found = (await runtime.conversations.get(session)).session
        counted = f"{found.messages} message{'' if found.messages == 1 else 's'}"
        if not yes and not click.confirm(f"Delete {found.title!r} with {counted}?", err=True):
            raise Stop("Nothing was deleted.")
        await runtime.conversations.delete(found.id)
        click.echo(f"Deleted {found.title!r}.", err=True)

    _with_store(invocation, remove)


def _around(text: str, word: str) -> str:
    at = max(0, text.lower().find(word.lower()))
    start = max(0, at - 30)
    piece = " ".join(text[start : at + 50].split())
    return ("…" if start else "") + piece + ("…" if at + 50 < len(text) else "")


def session_json(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "title": session.title,
        "created": session.created.isoformat(),
        "updated": session.updated.isoformat(),
        "strategy": session.strategy,
        "model": session.model,
        "system": session.system,
        "messages": session.messages,
        "tags": sorted(session.tags),
    }


async def conversation_json(runtime: Runtime, conversation: Conversation) -> dict[str, Any]:
    messages = []
    votes = await runtime.feedback.votes(conversation.session.id)
    superseded = _superseded(conversation)
    for message in conversation.messages:
        attempts: tuple[Attempt, ...] = ()
        if message.role == "assistant":
            attempts = await runtime.reports.attempts(message.request_id)
        messages.append(
            {
                "role": message.role,
                "text": message.text,
                "thinking": message.thinking,
                "images": [image.name for image in message.images],
                "state": message.state,
                "superseded": message.position in superseded,
                "vote": _vote(votes, message),
                "model": message.model,
                "created": message.created.isoformat(),
                "request_id": message.request_id,
                "attempts": [attempt_json(attempt) for attempt in attempts],
            }
        )
    return {**session_json(conversation.session), "messages": messages}


def _superseded(conversation: Conversation) -> set[int]:
    """Positions of the answers in whose place another one came."""
    from ..storage.conversations import standing

    stand = {answer.position for _, answer in standing(conversation.messages) if answer is not None}
    return {one.position for one in conversation.messages if one.role == "assistant" and one.position not in stand}


def _vote(votes: Mapping[Given, bool], message: StoredMessage) -> str | None:
    if message.role == "user" or message.attempt is None:
        return None
    liked = votes.get((message.request_id, message.attempt))
    return None if liked is None else "up" if liked else "down"


async def as_markdown(runtime: Runtime, conversation: Conversation) -> str:
    votes, superseded = await runtime.feedback.votes(conversation.session.id), _superseded(conversation)
    parts = [f"# {conversation.session.title or conversation.session.id}"]
    if conversation.session.system:
        parts.append(f"> {conversation.session.system}")
    for message in conversation.messages:
        if message.role == "user":
            parts.append(f"## You\n\n{message.text}")
            parts += [f"*attached: {image.name}*" for image in message.images]
            continue
        state = "" if message.state == "complete" else f" ({message.state})"
        if message.position in superseded:
            state += " (superseded)"
        state += {"up": " ▲", "down": " ▼"}.get(_vote(votes, message) or "", "")
        parts.append(f"## {message.model or 'No answer'}{state}\n\n{message.text or '*nothing came*'}")
        parts += [_line(attempt) for attempt in await runtime.reports.attempts(message.request_id)]
    return "\n\n".join(parts) + "\n"


def _line(attempt: Attempt) -> str:
    usage = attempt.usage
    about = "~" if usage.source == "estimated" else ""
    error = f" · {attempt.error_kind.value}" if attempt.error_kind else ""
    return (
        f"*{attempt.number}. {attempt.model} · {attempt.cause.value} · {attempt.outcome.value}{error} · "
        f"{about}{usage.input} in {about}{usage.output} out · {attempt.latency_s:.1f} s · {attempt.cost}*"
    )
