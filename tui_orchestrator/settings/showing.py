"""Settings as text: values in TOML, all of them with where they came from, and the commented example file."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path as FilePath

from ..routing.money import Money
from ..routing.patterns import Pattern
from ..routing.text import clean
from .key_commands import program_of
from .kinds import Choice, Command, ListOf, Number, Usd
from .schema import SCHEMA, find
from .secrets import Secret, hidden
from .shape import Key, Path, Table, dotted, split
from .values import Settings


def in_toml(value: object) -> str:
    """A value of a setting as TOML writes it; a secret masked."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Money):
        usd = value.usd.normalize()
        return f"{usd:.2f}" if usd == round(usd, 2) else f"{usd:f}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{dotted((str(name),))} = {in_toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(in_toml(item) for item in value)}]"
    return json.dumps(clean(str(value)), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting as it holds now."""

    key: str
    """Dotted."""
    value: str
    """In TOML; where it is not set, what that comes to, in brackets. Secrets are masked, and of a command stands the
    program alone."""
    origin: str
    doc: str


def effective(settings: Settings) -> list[Effective]:
    """All settings in the schema's order, those under names as far as they are said; then the keys in use."""
    rows = []
    order = {name: number for number, name in enumerate(SCHEMA.keys)}
    for name in sorted(settings.values, key=lambda name: order[split(name)[0]]):
        key = find(split(name))
        assert isinstance(key, Key), name
        rows.append(Effective(hidden(name), shown_value(settings, name), settings.origins[name], key.doc))
    for provider in settings.providers.values():
        if provider.api_key is not None:
            name = dotted(("providers", provider.name, "api_key"))
            rows.append(Effective(name, in_toml(provider.api_key), provider.key_origin, "The key in use."))
    return rows


def shown_value(settings: Settings, name: str) -> str:
    """Of a dotted key, as `Effective.value`; one that is not said anywhere stands at its default."""
    key = find(split(name))
    assert isinstance(key, Key), name
    return said(key, settings.values.get(name, key.default))


def said(key: Key, value: object) -> str:
    if value is None or (value == () and key.default == ()):
        return f"({key.unset})"
    if isinstance(key.kind, Command) and isinstance(value, tuple):
        value = program_of(value) + (" …" if value[1:] else "")
    return hidden(in_toml(value))


def as_typed(key: Key, value: object) -> str:
    """The shortest text that `Key.from_text` understands as this value: what stands in a field to be edited. Empty for
    None, for a secret, for a command, which may hold one, and for what has a key in it."""
    if value is None or value == () or isinstance(value, Secret) or isinstance(key.kind, Command):
        return ""
    in_full = in_toml(value)
    if hidden(in_full) != in_full:
        return ""
    bare = str(value) if isinstance(value, str | FilePath | Pattern) else in_full
    plain = ", ".join(map(str, value)) if isinstance(value, tuple) else bare
    try:
        same = key.parse(key.from_text(plain)) == key.parse(key.from_text(in_full))
    except ValueError:
        same = False
    return plain if same and plain == plain.strip() and "\n" not in plain else in_full


_HEAD = """\
# Settings of tui-orchestrator. Every key there is, with its default; all are optional.
#
# Yours lie where `tui-orchestrator config path` says; `config init` puts this file there. What a project needs
# otherwise goes into ./tui-orchestrator.toml, which goes before yours; .env in the same directory before that, then the
# environment, then flags. A project's two files may lower your caps, never raise them. Any key can be set in the
# environment: TUI_ORCHESTRATOR_ROUTER__STRATEGY=cheapest.
# `config check` finds mistakes, `config show` says what holds and why.
#
# Money is in US dollars, times are in seconds. Lines that begin with "#" and no space after it are settings to take the
# "#" from.
"""


def example() -> str:
    """The text of config.example.toml. As it stands it changes nothing."""
    return "\n".join([_HEAD, *_section(SCHEMA, ())]).rstrip() + "\n"


def _section(table: Table, path: Path) -> Iterator[str]:
    """Keys before sections: TOML would count a key below a section to that section."""
    below = {**table.keys, **({table.sample: table.each} if table.each else {})}
    for name, node in below.items():
        if isinstance(node, Key) and not node.hidden:
            yield from _setting(name, node, dotted_name=table.dotted_names)
    for name, node in below.items():
        if not isinstance(node, Table):
            continue
        place = path if table.array else (*path, name)
        chosen = name == table.sample and table.each is node
        if node.doc:
            yield from _comment(node.doc)
        brackets = f"[[{dotted(place)}]]" if table.array else f"[{dotted(place)}]"
        # Where names are chosen the section is an example too; elsewhere it stands, so that a key needs one "#" less.
        if chosen:
            yield f"#{brackets}"
        elif not isinstance(node.each, Table):
            yield brackets
        if chosen or not isinstance(node.each, Table):
            yield ""
        yield from _section(node, place)


def _setting(name: str, key: Key, *, dotted_name: bool) -> Iterator[str]:
    nothing = key.default is None or key.default == ()
    sentences = [key.doc]
    item = key.kind.item if isinstance(key.kind, ListOf) else key.kind
    if isinstance(item, Choice | Number | Usd):
        sentences.append(f"{key.kind.words[0].upper()}{key.kind.words[1:]}.")
    if key.default is None:
        sentences.append(f"Not set: {key.unset}.")
    yield from _comment(" ".join(sentences))
    value = key.example if nothing else in_toml(key.default)
    yield f"#{name if dotted_name else dotted((name,))} = {value}"
    yield ""


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 118, break_long_words=False, break_on_hyphens=False)]
