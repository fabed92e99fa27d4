"""Changing a settings file: the user's comments stay, and a crash leaves the old file or the new one."""

from __future__ import annotations

import errno
import os
import tempfile
import tomllib
from collections.abc import Mapping, MutableMapping
from decimal import Decimal
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from ..locations import private
from ..opening import OTHERWISE, parsed
from .kinds import Flag, Number, Usd
from .reading import Reading, model_id
from .schema import SCHEMA, find
from .shape import Key, Path, Table, dotted, split, toml_value
from .showing import in_toml
from .values import SettingsError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


_HARM = "cannot be set without harm to the file; edit it by hand"


def set_value(path: FilePath, key: str, value: object) -> None:
    """Sets one dotted key, of a model 'models."PROVIDER/MODEL".enabled'; None takes it out.

    `value` is as TOML would give it, or a number's text as a user typed it. Raises SettingsError where the key, the
    value or the file as it stands is wrong, OSError where it cannot be read or written.
    """
    write_privately(path, text_with(path, key, value))


def text_with(path: FilePath, key: str, value: object) -> str:
    """The file's text as `set_value` would write it; nothing is written."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        place = split(key)
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None
    setting = find(place)
    if not isinstance(setting, Key):
        raise SettingsError(_unknown(place, path))
    written = None if value is None else _as_written(setting, place, value, path)
    before, document = _document(path)
    try:
        _put(document, SCHEMA, place, None if written is None else tomlkit.value(written))
        text = document.as_string()
        _check(place, before, text, None if written is None else setting.parse(toml_value(written)))
    except TOMLKitError:
        raise SettingsError(f"{path}: {dotted(place)}: {_HARM}") from None
    except ValueError as error:
        raise SettingsError(f"{path}: {dotted(place)}: {error}") from None
    return text


def write_privately(path: FilePath, text: str) -> None:
    """Replaces the file at once, readable by its owner alone; through a link, what it leads to. Makes the directory."""
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, OTHERWISE, str(path))
    private(target.parent)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        FilePath(temporary).unlink(missing_ok=True)
        raise


def _unknown(place: Path, path: FilePath) -> str:
    reading = Reading()
    reading.value(place, "", str(path))
    return reading.problems[0] if reading.problems else f"{path}: {dotted(place)}: is a section; name a key in it"


def _as_written(setting: Key, place: Path, value: object, path: FilePath) -> str:
    """The value in TOML. Numbers and money as they were understood, all else as it was given: '~' stays '~'."""
    number = isinstance(setting.kind, Usd | Number | Flag)
    raw = setting.kind.from_text(value) if number and isinstance(value, str) else value
    try:
        parsed = setting.parse(raw)
    except ValueError as error:
        raise SettingsError(f"{path}: {dotted(place)}: {error}") from None
    return in_toml(parsed if number else raw)


def _document(path: FilePath) -> tuple[str, TOMLDocument]:
    """The file's text, empty where there is no file, and the same to be edited."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    reading = Reading()
    try:
        reading.file(path)
        text = path.read_bytes().decode("utf-8-sig")
        return text, tomlkit.parse(text)
    except FileNotFoundError:
        return "", tomlkit.document()
    except (ValueError, TOMLKitError):
        raise SettingsError(*reading.problems or (f"{path}: {_HARM}",)) from None


def _put(container: MutableMapping[str, Any], table: Table, place: Path, value: Any) -> None:
    """Sets or, with None, takes out the value at `place`, making the sections on the way to it."""
    import tomlkit

    name, rest = place[0], place[1:]
    node = table.at(name)
    if table.dotted_names and name not in container:
        # The file may have it as a.b without quotes, which to TOML is a section.
        first, _, below = name.partition(".")
        if below and isinstance(container.get(first), MutableMapping):
            _put(container[first], table, (below,), value)
            return
    if not rest:
        if value is None:
            container.pop(name, None)
        else:
            _set(container, name, value)
        return
    assert isinstance(node, Table), place
    if node.array:
        _put_entry(container, name, node, rest, value)
        return
    if name not in container:
        if value is None:
            return
        # Without a header of its own where only sections will lie in it.
        container[name] = tomlkit.table(is_super_table=len(rest) > 1)
    if not isinstance(container[name], MutableMapping):
        raise ValueError(f"{name} is a value in the file, not a section; write [{name}] there")
    _put(container[name], node, rest, value)
    if value is None and _is_bare(container[name]):
        # It goes with its last key: of what the user named nothing is left, and a rule without a key would be wrong.
        container.pop(name)


def _set(container: MutableMapping[str, Any], name: str, value: Any) -> None:
    """A new key directly after the last one: a comment below that may speak of the section that follows. The document
    can only be written out afterwards."""
    from tomlkit.items import AoT
    from tomlkit.items import Table as Written

    below: list[Any] = []
    if isinstance(container, Written) and name not in container:
        body = container.value.body
        keys = [at for at, (key, item) in enumerate(body) if key is not None and not isinstance(item, Written | AoT)]
        if keys:
            below = body[keys[-1] + 1 :]
            del body[keys[-1] + 1 :]
    container[name] = value
    if below:
        body.extend(below)


def _is_bare(section: Any) -> bool:
    """No key and no comment is in it or beside its name."""
    from tomlkit.items import Table as Written

    return isinstance(section, Written) and not section.as_string().strip() and not section.trivia.comment


def _put_entry(container: MutableMapping[str, Any], name: str, table: Table, place: Path, value: Any) -> None:
    import tomlkit

    entry_table = table.at(place[0])
    assert isinstance(entry_table, Table), place
    for entry in container.get(name, ()):
        if _id_of(entry) == place[0]:
            _put(entry, entry_table, place[1:], value)
            return
    if value is None:
        return
    entry = tomlkit.table()
    entry["id"] = place[0]
    entry[place[1]] = value
    if name not in container:
        container[name] = tomlkit.aot()
    container[name].append(entry)


def _id_of(entry: Mapping[str, object]) -> str | None:
    try:
        return model_id(entry)
    except ValueError:
        return None


def _check(place: Path, before: str, after: str, value: object) -> None:
    """That the new text says what was meant and lost nothing else. An editor of TOML has odd corners; a user's file is
    no place to find them. Raises ValueError."""

    def settings_in(text: str) -> dict[Path, object]:
        reading = Reading()
        reading.table(parsed(text, Decimal), SCHEMA, (), (), lambda _: "", False)
        return {key: found.value for key, found in reading.found.items()}

    try:
        old, new = settings_in(before), settings_in(after)
    except tomllib.TOMLDecodeError:
        raise ValueError(_HARM) from None
    # A model that was not in the file brings its id along.
    untold = {place, (*place[:-1], "id")} if place[0] == "models" else {place}
    lost_or_gained = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)} - untold
    if lost_or_gained or new.get(place) != value:
        raise ValueError(_HARM)
