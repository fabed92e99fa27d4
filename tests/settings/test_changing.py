"""One setting changed for good, as the settings screen and `config set` do it."""

from __future__ import annotations

import stat
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tui_orchestrator.routing.text import clean
from tui_orchestrator.settings import Changed, SettingsError, change, load
from tui_orchestrator.settings.changing import said_in
from tui_orchestrator.settings.kinds import Choice, Flag, Kind, ListOf, Number, Text, Usd
from tui_orchestrator.settings.listing import Listed, sections
from tui_orchestrator.settings.schema import every_key, fixed_keys
from tui_orchestrator.settings.shape import Key, dotted
from tui_orchestrator.settings.shape import Path as Place
from tui_orchestrator.settings.showing import as_typed

COMMENTED = """\
# mine
[router]   # how
strategy = "quality"  # the best
"""


@pytest.fixture
def file(home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(COMMENTED)
    return path


def changed(file: Path, key: str, text: str | None, **environ: str) -> Changed:
    return change(file, key, text, environ={"TUI_ORCHESTRATOR_HOME": str(file.parent), **environ}, cwd=file.parent)


def listed(file: Path, **environ: str) -> dict[str, Listed]:
    settings = load(file, environ=environ, cwd=file.parent)
    return {one.name: one for section in sections(settings, said_in(file), file) for one in section.settings}


def test_what_is_typed_needs_neither_quotes_nor_brackets(file: Path) -> None:
    changed(file, "chains.mine", "a/b, c/d")
    changed(file, "budgets.daily_usd", "$5")
    after = changed(file, "router.prefer_local", "yes")
    assert after.settings is not None
    assert after.settings.chains == {"mine": ("a/b", "c/d")}
    assert str(after.settings.budgets.daily) == "$5.00"
    assert (after.value, after.overridden) == ("true", "")
    assert all(comment in file.read_text() for comment in ("# mine", "# how", "# the best"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_change_that_would_break_the_whole_is_refused_before_anything_is_written(file: Path) -> None:
    with pytest.raises(SettingsError, match=r"rules\.legal: does nothing; give it one of primary"):
        changed(file, "rules.legal.words", "contract")
    with pytest.raises(SettingsError, match="output_usd is missing"):
        changed(file, 'models."openai/new".input_usd', "1")
    assert file.read_text() == COMMENTED


def test_a_wrong_value_elsewhere_does_not_keep_another_from_being_mended(file: Path) -> None:
    file.write_text('[budgets]\ndaily_usd = -1\n[router]\nstrategy = "chepest"\n')
    first = changed(file, "router.strategy", "cheapest")
    assert first.settings is None
    assert ["daily_usd" in problem for problem in first.problems] == [True]
    assert changed(file, "budgets.daily_usd", "2").value == "2.00"
    assert file.read_text() == '[budgets]\ndaily_usd = 2.00\n[router]\nstrategy = "cheapest"\n'


@pytest.mark.parametrize(
    "text", ["[router\n", "[router]\nstrategy = 1\nstrategy = 2\n", "[rules]\na.words = 'b'\n[rules.a]\n"]
)
def test_a_file_that_is_no_toml_stays_as_it_is(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError, match="this is not TOML"):
        changed(file, "router.strategy", "cheapest")
    assert file.read_text() == text


def test_a_section_written_as_a_value_is_told_not_written_over(file: Path) -> None:
    file.write_text("budgets = 5\n")
    with pytest.raises(SettingsError, match=r"budgets is a value in the file, not a section; write \[budgets\] there"):
        changed(file, "budgets.daily_usd", "5")
    assert file.read_text() == "budgets = 5\n"


def test_what_goes_before_the_file_is_named(file: Path) -> None:
    after = changed(file, "budgets.daily_usd", "3", DAILY_BUDGET_USD="9")
    assert (after.value, after.overridden) == ("9.00", "env DAILY_BUDGET_USD")
    (file.parent / "tui-orchestrator.toml").write_text("[cache]\nexact = false\n")
    assert changed(file, "cache.exact", "true").overridden == f"{file.parent}/tui-orchestrator.toml:2"
    row = listed(file, DAILY_BUDGET_USD="9")["budgets.daily_usd"]
    assert (row.value, row.origin, row.own, row.overridden) == ("9.00", "env DAILY_BUDGET_USD", "3.00", True)
    assert row.typed == "3.00", "what is edited is what the file says"


def test_every_key_is_listed_with_what_it_takes(file: Path) -> None:
    rows = listed(file)
    assert {dotted(path) for path, key in fixed_keys() if not key.hidden} <= rows.keys()
    strategy = rows["router.strategy"]
    assert (strategy.value, strategy.default, strategy.own_origin) == ('"quality"', '"balanced"', f"{file}:3")
    assert strategy.takes.startswith("one of cheapest, ")
    assert rows["budgets.daily_usd"].value == "(no cap)"
    assert rows["budgets.daily_usd"].variables == ("DAILY_BUDGET_USD", "TUI_ORCHESTRATOR_BUDGETS__DAILY_USD")
    assert rows["cache.exact"].holds(["cache", "same", "true"])
    assert not rows["cache.exact"].holds(["same", "strategy"])


def test_what_the_user_named_is_listed_whole(file: Path) -> None:
    file.write_text(
        '[rules.legal]\nwords = ["contract"]\nprimary = "openai/m"\n[[models]]\nid = "openai/m"\nability = 1\n'
    )
    rows = listed(file)
    assert rows["rules.legal.words"].typed == "contract"
    assert rows["rules.legal.strategy"].value == "(as the request says)"
    assert rows['models."openai/m".ability'].value == "1.0"
    assert 'models."openai/m".id' not in rows
    assert "providers.openai.base_url" in rows


def test_a_secret_is_masked_and_not_offered_for_editing(file: Path) -> None:
    file.write_text('[shared]\nurl = "redis://:hunter2-hunter2@host:6379/0"\n')
    row = listed(file)["shared.url"]
    key = listed(file, OPENAI_API_KEY="sk-0123456789abcdef")["providers.openai.api_key"]
    assert "hunter2" not in row.value + row.own + row.typed + repr(row)
    assert (key.value, key.key, key.origin) == ('"sk-…cdef"', None, "OPENAI_API_KEY")
    assert "0123456789" not in repr(key)


def values(kind: Kind) -> st.SearchStrategy[object]:
    """As TOML would give them."""
    match kind:
        case Flag():
            return st.booleans()
        case Choice():
            return st.sampled_from(kind.options)
        case Number(whole=True):
            return st.integers(int(kind.low), int(kind.high))
        case Number():
            return st.decimals(Decimal(kind.low), Decimal(kind.high), places=3)
        case Usd():
            return st.decimals(0, 1_000_000, places=6)
        case ListOf():
            return st.lists(values(kind.item), min_size=max(1, kind.least), max_size=3, unique=True)
        case Text():
            # What is cleaned away at the edge can come from no field.
            return st.text(max_size=12).map(clean) | st.from_regex(r"[a-z]{1,6}/[a-z.0-9]{1,6}", fullmatch=True)
    return st.nothing()


KEYS = [(path, key) for path, key in every_key() if not values(key.kind).is_empty]


@given(st.data())
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_what_stands_in_the_field_is_read_back_the_same(data: st.DataObject) -> None:
    _, key = data.draw(st.sampled_from(KEYS))
    try:
        value = key.parse(data.draw(values(key.kind)))
    except ValueError:
        assume(False)
    assert key.parse(key.from_text(as_typed(key, value))) == value


PLAIN: list[tuple[Place, Key]] = [
    (path, key)
    for path, key in fixed_keys()
    if isinstance(key.kind, Flag | Choice | Number | Usd) and "long_prompt" not in path[-1]
]


@given(st.data())
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
def test_whatever_is_set_and_unset_the_rest_of_the_file_stays(file: Path, data: st.DataObject) -> None:
    file.write_text(COMMENTED)
    path, key = data.draw(st.sampled_from([one for one in PLAIN if one[0] != ("router", "strategy")]))
    value = key.parse(data.draw(values(key.kind)))
    after = changed(file, dotted(path), as_typed(key, value))
    assert after.settings is not None
    assert after.settings.values[dotted(path)] == value
    assert after.origin.startswith(f"{file}:")
    assert all(line in file.read_text() for line in COMMENTED.splitlines())
    back = changed(file, dotted(path), None)
    assert (back.origin, back.value) == ("default", listed(file)[dotted(path)].default)
    assert all(line in file.read_text() for line in COMMENTED.splitlines())
