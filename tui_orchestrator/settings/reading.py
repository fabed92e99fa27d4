"""Laying one source of settings over another, each checked against the schema."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path as FilePath

from ..opening import LongKey, LongNumber, opened, parsed
from ..routing.text import clean_line
from .environment import Variable
from .lines import Place, key_lines, line_of
from .schema import SCHEMA, every_key, find
from .secrets import LIKE_A_KEY, hidden
from .servers import SHIPPED
from .shape import Key, Path, Table, dotted, toml_value

LARGEST = 1_000_000
"""Bytes of a settings file."""
_KEY_WORDS = frozenset({"apikey", "api-key", "api_token", "token", "secret", "key"})
Where = Callable[[Place], str]


@dataclass(frozen=True, slots=True)
class Found:
    value: object
    origin: str
    project: bool
    """From a file of the project's, which may have been downloaded with it: not to be trusted with keys."""


@dataclass(slots=True)
class Reading:
    """What has been read so far. Whatever is read later goes before it, key by key."""

    found: dict[Path, Found] = field(default_factory=dict)
    names: dict[Path, dict[str, Found]] = field(default_factory=dict)
    """Under ('rules',), ('providers',), … the names the user chose, in the order of their last mention, with where."""
    problems: list[str] = field(default_factory=list)
    wrong: set[Path] = field(default_factory=set)
    """What a problem was told of: it was said, though nothing of it is in `found`."""

    def problem(self, origin: str, path: Path, sentence: str) -> None:
        self.wrong.add(path)
        self.problems.append(clean_line(f"{origin}: {dotted(path)}: {sentence}", 700))

    def file(self, path: FilePath, *, project: bool = False, table: Table = SCHEMA) -> None:
        """Raises OSError where it cannot be read."""
        with opened(path) as file:
            self.content(path, file.read(LARGEST + 1), project=project, table=table)

    def content(self, path: FilePath, content: bytes, *, project: bool = False, table: Table = SCHEMA) -> None:
        """As though it were what the file holds."""
        if len(content) > LARGEST:
            self.problems.append(f"{path}: is longer than a megabyte; give a file of settings")
            return
        try:
            text = content.decode("utf-8-sig")
            raw = parsed(text, Decimal)
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            self.problems.append(f"{path}:{line}: is not UTF-8 text; save the file as UTF-8")
        except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
            self.problems.append(clean_line(f"{path}:{syntax(error, content.decode('utf-8-sig'))}", 700))
        else:
            lines = key_lines(text)
            self.table(raw, table, (), (), lambda place: f"{path}:{line_of(lines, place)}", project)

    def table(self, raw: object, table: Table, path: Path, place: Place, where: Where, project: bool) -> None:
        if not isinstance(raw, Mapping):
            heading = f"[{dotted(path)}]"
            self.problem(where(place), path, f"is a section, not a value; write {heading} and its keys below")
            return
        for name, inner, value in _named(raw, table):
            self._entry(table, value, (*path, name), (*place, *inner), where, project)

    def _entry(self, table: Table, raw: object, path: Path, place: Place, where: Where, project: bool) -> None:
        if table.each is not None and hidden(path[-1]) != path[-1]:
            self.problem(where(place), path, f"{LIKE_A_KEY}; give a name")
            return
        node = table.at(path[-1])
        if node is None:
            self.problem(where(place), path, _unknown(table, path))
            return
        if path[-1] not in table.keys:
            self._name(path[:-1], path[-1], Found(None, where(place), project))
        if isinstance(node, Key):
            try:
                self.found[path] = Found(node.parse(raw), where(place), project)
            except ValueError as error:
                self.problem(where(place), path, str(error))
        elif node.array:
            self._array(raw, node, path, place, where, project)
        else:
            self.table(raw, node, path, place, where, project)

    def _array(self, raw: object, table: Table, path: Path, place: Place, where: Where, project: bool) -> None:
        """Entries are told apart by their `id`, so that a later file can say more of the same one."""
        if not isinstance(raw, list) or not all(isinstance(entry, Mapping) for entry in raw):
            self.problem(where(place), path, f"is a list of entries; write [[{dotted(path)}]] above each")
            return
        seen: dict[str, str] = {}
        for index, entry in enumerate(raw):
            here = where((*place, index))
            try:
                name = model_id(entry)
            except ValueError as error:
                self.problem(here, (*path, "id"), str(error))
                continue
            if name in seen:
                self.problem(here, (*path, name), f"is described twice, first at {seen[name]}; put both together")
            seen[name] = here
            self._entry(table, entry, (*path, name), (*place, index), where, project)

    def text(self, parts: Path, variable: Variable, label: str) -> None:
        """A value without quotes, as the environment and flags give it. `label` goes before an error in `parts`, which
        may spell a name the user chose in the way environment names allow."""
        try:
            path = self._path_of(parts)
        except LookupError as error:
            name = "" if label in variable.origin else f"{label}: "
            self.problems.append(clean_line(f"{variable.origin}: {name}{error}", 700))
            return
        node = find(path)
        raw = node.from_text(variable.value) if isinstance(node, Key) else toml_value(variable.value)
        self.value(path, variable.value if raw is None else raw, variable.origin, variable.project)

    def value(self, path: Path, raw: object, origin: str, project: bool = False) -> None:
        """`raw` as TOML would have given it."""
        parent: Table = SCHEMA
        for depth, part in enumerate(path[:-1]):
            if part not in parent.keys:
                self._name(path[:depth], part, Found(None, origin, project))
            node = parent.at(part)
            if not isinstance(node, Table):
                self.problem(origin, path, _unknown(parent, path[: depth + 1]))
                return
            parent = node
        self._entry(parent, raw, path, (), lambda place: origin, project)

    def _name(self, path: Path, name: str, found: Found) -> None:
        names = self.names.setdefault(path, {})
        names.pop(name, None)
        names[name] = found

    def _path_of(self, parts: Path) -> Path:
        """Raises LookupError with a sentence."""
        node: Key | Table | None = SCHEMA
        path: Path = ()
        for part in parts:
            if not isinstance(node, Table):
                raise LookupError(f"{dotted(path)} has nothing below it")
            if part not in node.keys and node.each is not None:
                known = (*self.names.get(path, ()), *SHIPPED) if path == ("providers",) else self.names.get(path, ())
                same = [name for name in known if _folded(name) == _folded(part)]
                if not same and (node.array or node.dotted_names or not re.fullmatch(node.name_fits, part)):
                    raise LookupError(f"{part} names nothing in {dotted(path)}; set it in a file")
                part = same[0] if same else part
            elif part not in node.keys:
                raise LookupError(_unknown(node, (*path, part)))
            path = (*path, part)
            node = node.at(part)
        return path


def model_id(entry: Mapping[str, object]) -> str:
    """PROVIDER/MODEL of a [[models]] entry. Raises ValueError that says what is wrong and what would be right."""
    name, provider = entry.get("id"), entry.get("provider")
    if not isinstance(name, str) or not name.strip():
        raise ValueError('is missing; give the model\'s id, such as id = "team/qwen4-coder"')
    if isinstance(provider, str) and provider:
        return name if name.startswith(f"{provider}/") else f"{provider}/{name}"
    before, slash, after = name.partition("/")
    if not (before and slash and after):
        raise ValueError(f"{name!r} does not say who serves it; give PROVIDER/MODEL, or `provider` beside it")
    return name


def _named(raw: Mapping[str, object], table: Table) -> Iterator[tuple[str, Place, object]]:
    """The entries of a section: name, place below the section's, value."""
    for name, value in raw.items():
        if table.dotted_names and isinstance(value, Mapping):
            for below, place, inner in _named(value, table):
                yield f"{name}.{below}", (name, *place), inner
        else:
            yield name, (name,), value


def _unknown(table: Table, path: Path) -> str:
    """Why the last part of a path cannot stand there, and what was probably meant."""
    name = path[-1]
    if table.each is not None:
        return f"{name!r} cannot be a name here; give {table.name}, such as {dotted((table.sample,))}"
    here = [key for key, node in table.keys.items() if not (isinstance(node, Key) and node.hidden)]
    if "api_key_env" in here and name.lower() in _KEY_WORDS:
        return "is an unknown key, and a key does not belong in this file; did you mean api_key_env?"
    wanted = name.lower().replace("-", "_")
    elsewhere = {known[-1]: dotted(known) for known, _ in reversed(list(every_key()))}
    if wanted not in elsewhere and (close := difflib.get_close_matches(wanted, here, 1)):
        return f"is an unknown key; did you mean {close[0]}?"
    if close := difflib.get_close_matches(wanted, elsewhere, 1, 0.75):
        return f"is an unknown key; did you mean {elsewhere[close[0]]}?"
    return f"is an unknown key; those there are: {', '.join(here)}"


def syntax(error: Exception, text: str) -> str:
    """'LINE: sentence', from what tomllib says."""
    if isinstance(error, RecursionError):
        return "1: lists are nested too deeply; give flat ones"
    said = str(error)
    at = re.search(r" \(at line (\d+), column \d+\)$", said)
    line = int(at[1]) if at else len(text.rstrip().split("\n"))
    said = re.sub(r" \(at [^()]*\)$", "", said)
    if isinstance(error, LongKey):
        return f"{line}: {said}; write a shorter one"
    if isinstance(error, LongNumber):
        above = [(at, len(place), place) for place, at in key_lines(text).items() if at <= line]
        place = max(above, key=lambda one: one[:2], default=(0, 0, ()))[2]
        key = dotted(tuple(part for part in place if isinstance(part, str)))
        return f"{line}: {f'{key}: ' if key else ''}{said}; write a shorter one"
    hints = {
        "Invalid value": 'text goes in quotes, such as strategy = "cheapest"',
        "Cannot overwrite a value": "the same key stands there twice; leave one",
        "Cannot declare": "the same section stands there twice; put both together",
    }
    hint = next((hint for start, hint in hints.items() if said.startswith(start)), "write KEY = VALUE, one to a line")
    return f"{line}: this is not TOML: {said}; {hint}"


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())
