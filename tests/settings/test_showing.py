import re
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tui_orchestrator.locations import shipped
from tui_orchestrator.settings import Settings, effective, example, load
from tui_orchestrator.settings.reading import Reading
from tui_orchestrator.settings.schema import SCHEMA, every_key, find, fixed_keys
from tui_orchestrator.settings.shape import dotted, split
from tui_orchestrator.settings.showing import in_toml

Load = Callable[..., Settings]
ROOT = Path(__file__).parent.parent.parent


def uncommented(text: str) -> str:
    return re.sub(r"(?m)^#(?! |$)", "", text)


def test_the_example_file_in_the_repository_is_the_schemas() -> None:
    remedy = (
        'python -c "from tui_orchestrator.settings import example; print(example(), end=str())" > config.example.toml'
    )
    assert (ROOT / "config.example.toml").read_text(encoding="utf-8") == example(), remedy
    assert shipped("config.example.toml").read_text(encoding="utf-8") == example()


def test_the_example_as_it_stands_changes_nothing(loaded: Load) -> None:
    assert loaded(example()) == loaded("")


def test_every_setting_of_the_example_is_right_and_every_setting_is_in_it(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.toml"
    file.write_text(uncommented(example()))
    reading = Reading()
    reading.file(file)
    assert reading.problems == []
    documented = set()
    for path in reading.found:
        node, pattern = SCHEMA, []
        for part in path:
            pattern.append(part if part in node.keys else node.name)
            node = node.at(part)  # type: ignore[assignment]
        documented.add(tuple(pattern))
    assert documented == {path for path, _ in every_key()}
    settings = load(file, environ={"TEAM_API_KEY": "team-key"}, cwd=tmp_path)
    assert settings.providers["team"].api_key is not None
    assert settings.models[0].price is not None


def test_the_example_shows_each_default(home: Path, tmp_path: Path) -> None:
    reading = Reading()
    file = tmp_path / "all.toml"
    file.write_text(uncommented(example()))
    reading.file(file)
    for path, key in fixed_keys():
        if key.default is not None:
            assert reading.found[path].value == key.default, dotted(path)


def test_every_setting_is_explained_with_its_unit() -> None:
    for path, key in every_key():
        assert key.doc.endswith("."), dotted(path)
        if path[-1].endswith("_usd"):
            assert "US dollars" in key.kind.words
        if path[-1].endswith("_s") and path[-1] != "tokens_per_s":
            assert "seconds" in key.kind.words


def test_every_example_value_is_accepted_by_its_own_key() -> None:
    for path, key in every_key():
        value = key.parse(tomllib.loads(f"x = {key.example}", parse_float=Decimal)["x"])
        assert value is not None, dotted(path)


@pytest.mark.parametrize("key", ["a.b", 'budgets.models."x/y.z".daily_usd', '"a b"'])
def test_a_dotted_key_is_taken_apart_and_put_together_again(key: str) -> None:
    assert dotted(split(key)) == key


@pytest.mark.parametrize("key", ["", "a.", ".a", 'a."b', "a..b"])
def test_what_is_no_dotted_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is not a dotted key"):
        split(key)


def test_what_holds_is_shown_with_where_it_comes_from(loaded: Load, home: Path) -> None:
    settings = loaded(
        '[rules.r]\nprimary = "a/b"\npattern = \'x\\d\'\n[budgets.models."openai/m"]\ndaily_usd = 0.10\n'
        "[providers.openai]\napi_key_command = \"pass show 'my key'\"",
        env={"OPENAI_API_KEY": "sk-0123456789abcdefghij", "REDIS_URL": "redis://:hunter2hunter2@h:6379/0"},
    )
    rows = {row.key: row for row in effective(settings)}
    config = f"{home}/config/config.toml"
    shown = {key: (row.value, row.origin) for key, row in rows.items()}
    assert shown["router.strategy"] == ('"balanced"', "default")
    assert shown["budgets.daily_usd"] == ("(no cap)", "default")
    assert shown["budgets.alert_at"] == ("[0.5, 0.8, 0.95]", "default")
    assert shown['budgets.models."openai/m".daily_usd'] == ("0.10", f"{config}:5")
    assert shown["rules.r.pattern"] == ('"x\\\\d"', f"{config}:3")
    assert shown["providers.openai.api_key_command"] == ('"pass …"', f"{config}:7")
    assert shown["providers.openai.api_key"] == ('"sk-…ghij"', "OPENAI_API_KEY")
    assert "hunter2hunter2" not in str(rows)
    assert all(row.doc for row in rows.values())
    assert {dotted(path) for path, _ in fixed_keys()} <= set(rows)


def test_what_is_shown_can_be_read_again(loaded: Load) -> None:
    text = uncommented(example())
    first = loaded(text, env={"TEAM_API_KEY": "k"})
    for key, value in first.values.items():
        setting = find(split(key))
        if value is not None and key != "shared.url" and "command" not in key:
            again = setting.parse(tomllib.loads(f"x = {in_toml(value)}", parse_float=Decimal)["x"])  # type: ignore[union-attr]
            assert again == value, key


def test_text_is_shown_without_control_characters() -> None:
    assert in_toml("a\x1b[2J\u202eb\x7f") == '"a[2Jb"'
