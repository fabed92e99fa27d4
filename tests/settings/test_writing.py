import os
import stat
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tui_orchestrator.routing.money import Money
from tui_orchestrator.settings import Settings, SettingsError, example, load, set_value, write_privately
from tui_orchestrator.settings.shape import dotted, split

FILE = """\
# my settings
[router]
strategy = "cheapest"  # for now

[budgets]
daily_usd = 5.00 # lunch

# the good one
[[models]]
id = "openai/m"
level = "basic"
"""


@pytest.fixture
def file(home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    return path


def read(path: Path) -> Settings:
    return load(path, environ={}, cwd=path.parent)


def test_a_value_is_changed_and_every_comment_stays(file: Path) -> None:
    set_value(file, "router.strategy", "quality")
    assert file.read_text() == FILE.replace('"cheapest"', '"quality"')


@pytest.mark.parametrize(
    ("key", "value", "get", "expected"),
    [
        ("budgets.daily_usd", "0.1", lambda s: s.budgets.daily, Money.from_usd("0.1")),
        ("budgets.daily_usd", Decimal("7"), lambda s: s.budgets.daily, Money.from_usd(7)),
        ("budgets.providers.openai.daily_usd", 1, lambda s: s.budgets.providers["openai"][0], Money.from_usd(1)),
        ('budgets.models."openai/m".monthly_usd', "2", lambda s: s.budgets.models["openai/m"][1], Money.from_usd(2)),
        ("router.prefer_local", "yes", lambda s: s.policy.prefer_local, True),
        ("router.timeouts.total", 9, lambda s: s.timeouts.total, 9.0),
        ("chains.mine", ["a/b", "c"], lambda s: s.chains, {"mine": ("a/b", "c")}),
        ("ui.theme", "true", lambda s: s.ui.theme, "true"),
        ('ui.keymap."pane.zoom"', "f7", lambda s: s.ui.keymap, {"pane.zoom": "f7"}),
        ('models."openai/m".enabled', False, lambda s: s.models[0].enabled, False),
        ('models."gemini/new".ability', "0.5", lambda s: [m.id for m in s.models], ["openai/m", "gemini/new"]),
        ("rules.r.primary", "a/b", lambda s: s.rules[0].primary, "a/b"),
        ("rules.r.system", 'say "x"\n', lambda s: s.rules[0].system, 'say "x"\n'),
        ("store.path", "~/x.db", lambda s: s.store.path, Path("~/x.db").expanduser()),
    ],
)
def test_any_key_can_be_set_and_the_rest_stays(
    file: Path, key: str, value: object, get: Callable[[Settings], Any], expected: object
) -> None:
    set_value(file, key, value)
    assert get(read(file)) == expected
    assert all(line in file.read_text() for line in ("# my settings", "# for now", "# lunch", "# the good one"))


def test_a_home_directory_stays_as_short_as_it_was_given(file: Path) -> None:
    set_value(file, "store.path", "~/x.db")
    assert 'path = "~/x.db"' in file.read_text()


def test_none_takes_a_key_out(file: Path) -> None:
    set_value(file, "budgets.daily_usd", None)
    set_value(file, 'models."openai/none".level', None)
    set_value(file, "cache.exact", None)
    assert read(file).budgets.daily is None
    assert "cache" not in file.read_text()


def test_a_section_that_was_made_for_a_key_goes_with_it(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    set_value(file, "budgets.daily_usd", "7")
    set_value(file, "budgets.daily_usd", None)
    assert file.read_text().strip() == ""


def test_a_key_written_with_dots_is_changed_where_it_stands(file: Path) -> None:
    file.write_text('[ui.keymap]\npane.zoom = "f6" # mine\n')
    set_value(file, 'ui.keymap."pane.zoom"', "f7")
    assert file.read_text() == '[ui.keymap]\npane.zoom = "f7" # mine\n'


def test_a_file_that_is_not_there_is_made_for_its_owner_alone(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    set_value(path, "router.max_attempts", 5)
    assert read(path).policy.max_attempts == 5
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_was_open_to_others_is_closed(file: Path) -> None:
    file.chmod(0o644)
    set_value(file, "router.max_attempts", 5)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_a_link_leads_to_is_changed_not_the_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    set_value(link, "router.max_attempts", 5)
    assert link.is_symlink()
    assert read(file).policy.max_attempts == 5


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("router.strategy", "chepest", "router.strategy: 'chepest' is unknown, perhaps 'cheapest' is meant"),
        ("router.stratgy", "cheapest", "router.stratgy: is an unknown key; did you mean strategy?"),
        ("budgets.daily_usd", "-1", "budgets.daily_usd: -1 is below zero"),
        ("providers.openai.api_key", "sk-secret", "a key does not belong in this file"),
        ("router", 1, "router: is a section"),
        ("router..x", 1, "is not a dotted key"),
    ],
)
def test_a_wrong_value_is_refused_and_the_file_stays(file: Path, key: str, value: object, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        set_value(file, key, value)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
    assert file.read_text() == FILE


def test_a_broken_file_is_not_written_over(file: Path) -> None:
    file.write_text("[router\n")
    with pytest.raises(SettingsError, match="this is not TOML"):
        set_value(file, "router.max_attempts", 5)
    assert file.read_text() == "[router\n"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_privately(file, "new")
    assert file.read_text() == FILE
    assert [path.name for path in file.parent.iterdir() if path.is_file()] == ["config.toml"]


def test_the_example_can_be_written_and_then_changed(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    write_privately(path, example())
    set_value(path, "budgets.daily_usd", "3")
    set_value(path, "budgets.providers.openai.daily_usd", "1")
    set_value(path, "router.retries.cap", 4)
    settings = read(path)
    assert (settings.budgets.daily, settings.policy.retries.cap) == (Money.from_usd(3), 4)
    written = path.read_text().splitlines()
    assert [line for line in example().splitlines() if line not in written] == []


_changes = st.lists(
    st.sampled_from(
        [
            *(("router.max_attempts", n) for n in (1, 2, None)),
            *(("budgets.daily_usd", usd) for usd in ("1", "2.5", None)),
            *((f"budgets.providers.{name}.daily_usd", usd) for name in ("openai", "gemini") for usd in ("1", None)),
            *((f'models."openai/{name}".enabled', on) for name in "mn" for on in (True, False, None)),
            *((f'ui.keymap."{name}"', key) for name in ("pane.zoom", "pane.chat", "x") for key in ("f7", None)),
            *((f"chains.{name}", chain) for name in "ab" for chain in (["x"], None)),
            *(("router.weights.cost", weight) for weight in (1, 0.5, None)),
        ]
    ),
    max_size=8,
)


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.sampled_from(["", FILE, "router.weights = { cost = 2 }\n", "[ui]\nkeymap.pane.zoom = 'f1'\n"]), _changes)
def test_any_row_of_changes_leaves_the_last_value_of_each_key(
    home: Path, tmp_path: Path, text: str, changes: list[tuple[str, Any]]
) -> None:
    path = tmp_path / "changed.toml"
    path.write_text(text)
    before = read(path)
    for key, value in changes:
        set_value(path, key, value)
    after = read(path)
    last = {dotted(split(key)): value for key, value in changes}
    for key, value in last.items():
        if value is None:
            assert after.origins.get(key, "default") == "default"
        else:
            assert after.origins[key] != "default"
    untouched = set(before.origins) - set(last)
    assert {key: before.values[key] for key in untouched} == {key: after.values[key] for key in untouched}


@pytest.mark.parametrize("between", ["\n# the budget of the house\n# which is small\n", "\n\n", "  # one more\n", ""])
def test_a_new_key_stands_below_the_last_one_and_above_the_comments_that_follow(file: Path, between: str) -> None:
    entry, rest = (
        '# mine\n[[models]]\nid = "openai/gpt-6-luna"  # cheap\n',
        f"{between}[budgets]\ndaily_usd = 5  # so\n",
    )
    file.write_text(entry + rest)
    set_value(file, 'models."openai/gpt-6-luna".enabled', False)
    assert file.read_text() == f"{entry}enabled = false\n{rest}"
    set_value(file, "budgets.monthly_usd", "70")
    assert file.read_text() == f"{entry}enabled = false\n{rest}monthly_usd = 70.00\n"


def test_a_new_key_stands_above_the_sections_inside_its_own(file: Path) -> None:
    file.write_text("[budgets]\ndaily_usd = 5\n\n# of one provider\n[budgets.providers.openai]\ndaily_usd = 1\n")
    set_value(file, "budgets.monthly_usd", "70")
    below = "# of one provider\n[budgets.providers.openai]\ndaily_usd = 1\n"
    told = f"[budgets]\ndaily_usd = 5\nmonthly_usd = 70.00\n\n{below}"
    assert file.read_text() == told
