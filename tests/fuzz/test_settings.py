"""Whatever stands in a file of settings, it is read, or refused in sentences that say where. Nothing in it is run."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.terminal.pseudoterminal import foreign
from tui_orchestrator.settings import Settings, SettingsError, change, effective, load
from tui_orchestrator.settings import example as example_file
from tui_orchestrator.settings.changing import said_in
from tui_orchestrator.settings.listing import sections
from tui_orchestrator.settings.schema import every_key
from tui_orchestrator.settings.shape import Key, dotted
from tui_orchestrator.settings.shape import Path as Place

from .made_up import at_length, bent, hostile, numbers, repeated

WHOLE = re.sub(r"(?m)^#(?! )", "", example_file())
PIECES = (
    b"[",
    b"]",
    b"=",
    b'"""',
    b"'''",
    b"\\u0000",
    b"\\U0001F600",
    b"#",
    b".",
    b"{",
    b"}",
    b"1e999",
    b"inf",
    b"\xff",
)
NAMES = ("mine", "a/b", "openai/gpt-6", "openai", "a.b", "", "\u202e", "x" * 300, "\x1b[2J", "café", '"', "\n")
KEYS = list(every_key())


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path_factory.mktemp("home")))
        yield tmp_path_factory.mktemp("project")


def read(file: Path, cwd: Path, **environ: str) -> Settings | None:
    try:
        found = load(file, environ=environ, cwd=cwd, keys=False)
    except SettingsError as error:
        wrong, found = error.problems, None
    if found is None:
        assert wrong
        for sentence in wrong:
            assert foreign(sentence.encode()) == []
            assert "\n" not in sentence
            assert sentence.startswith((f"{file}:", f"{cwd}/", *(f"env {name}" for name in environ)))
        return None
    shown = [f"{one.key} {one.value} {one.origin}" for one in effective(found)]
    shown += [
        f"{one.name} {one.value} {one.typed}" for part in sections(found, said_in(file), file) for one in part.settings
    ]
    assert foreign("\n".join([*shown, *found.notices]).encode()) == []
    return found


@at_length
@given(st.binary(max_size=200) | bent(WHOLE.encode(), PIECES) | hostile.map(lambda text: text.encode(errors="replace")))
def test_any_bytes(project: Path, content: bytes) -> None:
    file = project / "any.toml"
    file.write_bytes(content)
    read(file, project)


@st.composite
def lines(draw: st.DrawFn) -> str:
    """One line of the example said otherwise, or a whole section of it."""
    all_lines = WHOLE.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(all_lines) - 1))
        other = draw(st.sampled_from(all_lines))
        key, equals, value = all_lines[at].partition(" = ")
        all_lines[at] = draw(st.sampled_from([other, "", f"{key} = {other.partition(' = ')[2]}", f"{key}.{value} = 1"]))
    start = draw(st.integers(0, len(all_lines)))
    return "\n".join(all_lines[start if equals else 0 :])


@at_length
@given(lines())
def test_lines_of_the_example_in_other_places(project: Path, text: str) -> None:
    file = project / "lines.toml"
    file.write_text(text)
    read(file, project)


plain = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | numbers.filter(lambda number: abs(number) < 2**63 or isinstance(number, float))
    | (hostile | repeated.map(lambda text: text[:500])).map(lambda text: text.encode(errors="replace").decode())
    | st.sampled_from(["cheapest", "http://127.0.0.1:1/v1", "https://a\x1b[2J@b", "a/b", "local", "f1", "(", "(a+)+$"])
    | st.datetimes()
    | st.times()
)
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=2)
)


@st.composite
def document(draw: st.DrawFn) -> dict[str, Any]:
    """Keys of the schema that hold what they may or anything, below names of every kind."""
    said: dict[str, Any] = {}
    for path, key in draw(st.lists(st.sampled_from(KEYS), max_size=5)):
        at = said
        *above, last = [part if part.islower() else draw(st.sampled_from(NAMES)) for part in path]
        for part in above:
            at = at.setdefault(part, {})
            if not isinstance(at, dict):
                break
        else:
            at[last] = draw(anything | st.just(tomllib.loads(f"it = {key.example}")["it"]))
    if isinstance(said.get("models"), dict) and draw(st.booleans()):
        models = said["models"]
        said["models"] = [{"id": name, **one} for name, one in models.items() if isinstance(one, dict)]
    return said


@at_length
@given(document())
def test_any_value_of_any_key(project: Path, said: dict[str, Any]) -> None:
    try:
        text = tomlkit.dumps(said)
    except (ValueError, TypeError, tomlkit.exceptions.TOMLKitError):
        return
    file = project / "values.toml"
    file.write_text(text)
    read(file, project)


@at_length
@given(hostile, hostile, st.sampled_from([dotted(path) for path, _ in KEYS]))
def test_a_dotenv_and_the_environment(project: Path, dotenv: str, value: str, key: str) -> None:
    cwd = project / "with a dotenv"
    cwd.mkdir(exist_ok=True)
    (cwd / ".env").write_bytes(f"{dotenv}\nDAILY_BUDGET_USD={value}\n".encode(errors="surrogatepass"))
    file = project / "empty.toml"
    file.write_text("")
    name = "TUI_ORCHESTRATOR_" + key.replace(".", "__").upper().replace('"', "")
    read(file, cwd, **{name: value.replace("\0", "")})


@at_length
@given(lines(), st.sampled_from(KEYS), hostile, st.sampled_from(NAMES))
@example("[router]\nself_consistency = 3\nself_consistency = 5\n", KEYS[0], "cheapest", "mine")
def test_one_setting_changed_in_any_file(
    project: Path, text: str, at: tuple[Place, Key], value: str, name: str
) -> None:
    file = project / "changed.toml"
    file.write_text(text)
    path = tuple(part if part.islower() else name.replace('"', "") for part in at[0])
    before = file.read_bytes()
    try:
        changed = change(file, dotted(path), value, environ={}, cwd=project)
    except SettingsError as error:
        refused, changed = str(error), None
    if changed is None:
        assert foreign(refused.encode(errors="replace")) == []
        assert file.read_bytes() == before
    else:
        assert foreign(f"{changed.value} {changed.origin}".encode()) == []
        assert read(file, project) or changed.problems
