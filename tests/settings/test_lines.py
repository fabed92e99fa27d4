import tomllib
from collections.abc import Iterator
from typing import Any

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.settings.lines import Place, key_lines, line_of


def test_keys_sections_and_entries_of_arrays_have_lines() -> None:
    text = """# a comment = 1

[router]
strategy = "cheapest" # x = 2
weights.cost = 1
  "odd key" = 3

[budgets.models."openai/gpt-6"]
daily_usd = 1

[[models]]
id = "a/b"
[[models]]
id = 'c/d'
[models.more]
x = 1
"""
    lines = key_lines(text)
    assert {place: lines[place] for place in lines if len(place) > 1} == {
        ("router", "strategy"): 4,
        ("router", "weights"): 5,
        ("router", "weights", "cost"): 5,
        ("router", "odd key"): 6,
        ("budgets", "models"): 8,
        ("budgets", "models", "openai/gpt-6"): 8,
        ("budgets", "models", "openai/gpt-6", "daily_usd"): 9,
        ("models", 0): 11,
        ("models", 0, "id"): 12,
        ("models", 1): 13,
        ("models", 1, "id"): 14,
        ("models", 1, "more"): 15,
        ("models", 1, "more", "x"): 16,
    }


def test_what_looks_like_a_key_inside_a_value_is_none() -> None:
    text = (
        'a = """\nb = 1\n[c]\n"""""\nd = [\n  "e = 1", # f = [\n  {g = "]"},\n]\n'
        "h = '''\ni = 1'''\nj = \"\\\"k\"\nl = 1\n"
    )
    assert tomllib.loads(text)["l"] == 1
    assert key_lines(text) == {("a",): 1, ("d",): 5, ("h",): 9, ("j",): 11, ("l",): 12}


def test_windows_line_ends_count_once() -> None:
    assert key_lines("a = 1\r\n\r\n[b]\r\nc = 2\r\n") == {("a",): 1, ("b",): 3, ("b", "c"): 4}


def test_a_key_in_an_inline_table_is_told_by_the_line_around_it() -> None:
    lines = key_lines("\n[router]\nweights = { cost = 1 }\n")
    assert line_of(lines, ("router", "weights", "cost")) == 3
    assert line_of(lines, ("elsewhere",)) == 1


def test_broken_text_ends_the_search_without_an_error() -> None:
    assert key_lines("a = 1\n= 3\nb = 2") == {("a",): 1}
    assert key_lines('a = "never closed\nb = 1')[("a",)] == 1


_names = st.text("ab\"'\\ .=#[]é\t", min_size=1, max_size=6) | st.text("abc", min_size=1, max_size=3)
_leaves = (
    st.integers()
    | st.booleans()
    | st.text("ab\"'\\#[]{}=\n\té", max_size=12)
    | st.lists(st.text("a]\"'\n#"), max_size=3)
)
_tables = st.recursive(
    st.dictionaries(_names, _leaves, max_size=4),
    lambda inner: st.dictionaries(_names, _leaves | inner | st.lists(inner, min_size=1, max_size=3), max_size=4),
    max_leaves=12,
)


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*place, name)
            yield from _places(inner, (*place, name))
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _places(item, (*place, index))


@given(_tables)
def test_every_key_of_any_document_is_found_on_a_line_that_names_it(document: dict[str, Any]) -> None:
    text = tomlkit.dumps(document)
    read = tomllib.loads(text)
    lines = key_lines(text)
    # Split as TOML does, at newlines alone.
    written = text.split("\n")
    for place in _places(read):
        assert line_of(lines, place) <= len(written)
        if place in lines and isinstance(place[-1], str) and place[-1].isalpha():
            assert place[-1] in written[lines[place] - 1]
    assert {(name,) for name in read} <= set(lines)
    found = {place for place in lines if isinstance(place[-1], str)}
    assert found <= set(_places(read))
