"""What the word under the cursor may become: `/` commands, what they take, and files."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from tui_orchestrator.routing.text import clean_line
from tui_orchestrator.services.paths import Listing, list_paths

from . import arguments
from .attachments import begun, written
from .completions import Completion, Offer
from .prompt import Prompt
from .slash import SLASH_COMMANDS, SlashCommand, slash_matches

_READER = ThreadPoolExecutor(1, "paths")
"""Of its own: a file server that does not answer holds up no other thread."""


@dataclass(frozen=True, slots=True)
class PathWanted:
    """A path is being typed: `start` to `end` of the line are to be replaced by one of those a directory holds."""

    start: int
    end: int
    typed: str
    mention: bool
    """Written with its @, and quoted where it has to be."""


def wanted(prompt: Prompt, names: arguments.Names) -> Offer | PathWanted | None:
    """From memory alone. None: nothing is to be completed here."""
    row, column = prompt.cursor_location
    line = prompt.document.get_line(row)
    if not prompt.selection.is_empty:
        return None
    if row == 0 and prompt.document.line_count == 1 and slash_matches(line):
        return _of_command(line, names) if column == len(line) else None
    if (path := begun(line[:column])) is None:
        return None
    rest = line[column:]
    quoted = line[path.start + 1 : path.start + 2] == '"'
    if rest and not rest[0].isspace() and not (quoted and rest[0] == '"'):
        return None  # in the middle of a path
    end = column + (1 if quoted and rest[:1] == '"' else 0)
    return PathWanted(path.start, end, path.path, True)


def _of_command(line: str, names: arguments.Names) -> Offer | PathWanted | None:
    name, space, argument = line[1:].partition(" ")
    if not space:
        commands = [command for command in SLASH_COMMANDS if command.name.startswith(name)]
        commands.sort(key=lambda command: command.name != name)
        return Offer(0, len(line), tuple(_command(command) for command in commands))
    command = next(command for command in SLASH_COMMANDS if command.name == name)
    start = len(name) + 2
    if arguments.completes_paths(name):
        return PathWanted(start, len(line), argument, False)
    usage = f"{usage_of(command)}: {command.help}"
    before, typed = arguments.last_of_several(name, argument)
    fitting = arguments.matching(arguments.arguments(name, names), typed)
    if any(value == typed for value, _ in fitting):
        fitting = []  # it is there already
    offered = tuple(Completion(before + value, value, note) for value, note in fitting)
    return Offer(start, len(line), offered, usage)


def usage_of(command: SlashCommand) -> str:
    return f"/{command.name} {command.argument}".rstrip()


def _command(command: SlashCommand) -> Completion:
    insert = f"/{command.name}{' ' if command.argument else ''}"
    return Completion(insert, usage_of(command), command.help)


async def listed(path: PathWanted, stop: Event) -> Offer:
    """Reads the directory on a thread, until `stop` is set."""
    loop, directory = asyncio.get_running_loop(), Path.cwd()
    return _offer(path, await loop.run_in_executor(_READER, list_paths, path.typed, directory, stop.is_set))


def _offer(path: PathWanted, listing: Listing) -> Offer:
    if listing.problem:
        return Offer(path.start, path.end, (), clean_line(f"{path.typed}: {listing.problem}", 120), warning=True)
    if listing.paths == (path.typed,) and not path.typed.endswith("/"):
        return Offer(path.start, path.end)  # it is there already

    def insert(found: str) -> str:
        if not path.mention:
            return found
        return written(found) + ("" if found.endswith("/") else " ")

    completions = tuple(Completion(insert(found), found) for found in listing.paths)
    return Offer(path.start, path.end, completions, "there are more; type on" if listing.more else "")
