"""Markdown as it streams: cut into blocks that stay, laid out in lines that fit, nothing lost, nothing that acts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from tests.once import read_once
from tui_orchestrator.ui import markdown
from tui_orchestrator.ui.blocks import CODE_LINES, MAX_CHARACTERS, MAX_LINES, TABLE_ROWS, Block, Kind, Splitter
from tui_orchestrator.ui.lines import Line, tidy, wrap
from tui_orchestrator.ui.look import Look

LOOK = Look.of({})

PIECES = st.sampled_from(
    [
        "word ",
        "two words",
        "\n",
        "\n\n",
        "- item\n",
        "  - nested\n",
        "1. one\n",
        "2. two\n",
        "   more\n",
        "```python\n",
        "```\n",
        "x = 1\n",
        "    deep\n",
        "| a | b |\n",
        "|---|---|\n",
        "| 1 | 2 |\n",
        "> quote\n",
        "# Title\n",
        "---\n",
        "**bold** ",
        "`code` ",
        "[text](http://h.example/p) ",
        "日本語、",
        "👍 ",
        "é",
        "<b>",
        "&amp;",
        "*",
        "_",
        "\t",
        "   ```\n",
        "~~~\n",
        "===\n",
        "<br>",
        "\\",
        "|",
        "[",
        "]",
        "!",
    ]
)
MARKDOWN = st.lists(PIECES, max_size=40).map("".join)


def split(text: str) -> list[Block]:
    splitter = Splitter()
    splitter.feed(text)
    splitter.finish()
    return splitter.settled


def drawn(text: str, width: int = 60) -> list[Line]:
    lines: list[Line] = []
    for block in split(text):
        lines += [Line([]) for _ in range(block.gap)]
        lines += markdown.lay_out(block, width, LOOK)
    return lines


def screen(text: str, width: int = 60) -> list[str]:
    return [line.text.rstrip() for line in drawn(text, width)]


@given(MARKDOWN, st.lists(st.integers(1, 20), min_size=1))
def test_blocks_do_not_depend_on_how_the_text_arrived(text: str, sizes: list[int]) -> None:
    splitter = Splitter()
    at = turn = 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        splitter.feed(text[at : at + size])
        at, turn = at + size, turn + 1
    splitter.finish()
    assert splitter.settled == split(text)


@given(MARKDOWN)
def test_settled_blocks_stay_and_growing_ones_are_what_would_settle_now(text: str) -> None:
    splitter = Splitter()
    for at, character in enumerate(text):
        before = list(splitter.settled)
        splitter.feed(character)
        assert splitter.settled[: len(before)] == before
        now = splitter.settled + splitter.growing()
        whole = split(text[: at + 1])
        assert [block for block in whole if block.kind is not Kind.FENCE_CLOSE] == [
            block for block in now if block.kind is not Kind.FENCE_CLOSE
        ]


@given(MARKDOWN, st.integers(8, 100))
@settings(max_examples=60, deadline=None)
def test_no_line_is_wider_than_the_screen(text: str, width: int) -> None:
    for line in drawn(text, width):
        assert cell_len(line.text) <= width
        assert "\n" not in line.text
        assert "\t" not in line.text


@given(
    st.lists(
        st.sampled_from(["alpha", "beta", "gamma", "\n", "\n\n", "- ", "1. ", "> ", "```\n", "# ", "|"]), max_size=30
    )
)
@settings(deadline=None)
def test_no_word_is_lost(parts: list[str]) -> None:
    text = " ".join(parts).replace("\n ", "\n")
    # What stands behind the opening of a fence is the name of a language, and case does not matter in it.
    shown = " ".join(screen(text, 200)).lower()
    body = re.sub(r"(?m)^ *```.*$", "", text)
    for word in ("alpha", "beta", "gamma"):
        assert shown.count(word) >= body.count(word)


@given(st.text("ab 中文、👍e\u0301", max_size=80), st.integers(4, 30))
def test_wrapped_lines_join_to_what_they_were(text: str, width: int) -> None:
    text = " ".join(text.split())
    lines = wrap([(text, LOOK.base)], width)
    assert "".join((line.join if index else "") + line.text for index, line in enumerate(lines)) == text
    assert all(cell_len(line.text) <= width for line in lines)


@pytest.mark.parametrize("text", ["12345678 ", "1234 678   ", " " * 9])
def test_spaces_at_the_end_of_a_full_line_do_not_make_it_longer(text: str) -> None:
    assert [line.text for line in wrap([(text, LOOK.base)], 8)] == [text.rstrip()]


def test_closing_punctuation_does_not_begin_a_line() -> None:
    assert [line.text for line in wrap([("中文中文。中文", LOOK.base)], 8)] == ["中文中", "文。中文"]


def test_a_list_keeps_its_numbers_over_nested_code_and_repeated_ones() -> None:
    assert screen("1. one\n   ```py\n   x = 1\n\n   y = 2\n   ```\n   after\n1. two\n1. three\n\npara\n1. again") == [
        "1. one",
        "     py",
        "     x = 1",
        "",
        "     y = 2",
        "",
        "   after",
        "2. two",
        "3. three",
        "",
        "para",
        "1. again",
    ]


def test_nested_lists_get_their_own_bullets_and_hang() -> None:
    assert screen("- a long item that wraps\n  - inner\n    - third\n\n- loose", 16) == [
        "• a long item",
        "  that wraps",
        "  ◦ inner",
        "    ▪ third",
        "",
        "• loose",
    ]


@pytest.mark.parametrize("width", [12, 34, 60])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("> " * 200 + "deep\n" + "- " * 100 + "x\n| a | b |\n|--\n| 1 | 2 | 3 |", "deep x | a | b | |-- | 1 | 2 | 3 |"),
        (">" * 300 + "deep", "deep"),
        ("1. " * 90 + "deep", "deep"),
        ("\n".join(" " * 2 * depth + f"- w{depth}" for depth in range(40)), " ".join(f"w{d}" for d in range(40))),
        ("\n".join("  " * depth + "- " * 6 + f"w{depth}" for depth in range(30)), " ".join(f"w{d}" for d in range(30))),
        ("> " * 30 + "| a | b |\n" + "> " * 30 + "|---|---|\n" + "> " * 30 + "| c | d |", "abcd"),
    ],
    ids=["both", "quotes", "numbers", "indented", "indented-markers", "quoted-table"],
)
def test_no_depth_of_nesting_hides_words(text: str, said: str, width: int) -> None:
    shown = re.sub(r"[^\w|]", "", "".join(screen(text, width)))
    wanted = re.sub(r"[^\w|]", "", said)
    if "|" not in wanted:
        shown = shown.replace("|", "")
    at = -1
    for character in wanted:
        at = shown.find(character, at + 1)
        assert at >= 0, (character, screen(text, width))


def test_deep_nesting_leaves_half_of_the_width_to_the_text() -> None:
    assert screen("> " * 200 + "said", 40) == ["▎ " * 8 + "said"]
    assert screen("> " * 18 + "said", 40) == ["▎ " * 10 + "said"]


def test_headings_quotes_and_rules() -> None:
    assert screen("# One\ntext\n## Two\n> said\n> twice\n\n---\nend", 12) == [
        "One",
        "━" * 12,
        "text",
        "",
        "Two",
        "▎ said",
        "▎ twice",
        "",
        "─" * 12,
        "end",
    ]


def test_a_table_is_aligned_in_cells_not_characters() -> None:
    lines = screen("| name | n |\n|:--|--:|\n| 中文 | 1 |\n| e\u0301 | 22 |")
    assert lines == ["name │  n", "─────┼───", "中文 │  1", "e\u0301    │ 22"]


def test_a_table_too_wide_wraps_and_one_much_too_wide_is_told_by_records() -> None:
    table = "| key | value |\n|---|---|\n| a | many words that do not fit here |"
    assert screen(table, 20) == [
        "key │ value",
        "────┼───────────────",
        "a   │ many words",
        "    │ that do not",
        "    │ fit here",
    ]
    wide = "| first | second | third |\n|---|---|---|\n| aaa | bbb | ccc |\n| ddd | eee | fff |"
    assert screen(wide, 12) == [
        "first: aaa",
        "second: bbb",
        "third: ccc",
        "╌" * 12,
        "first: ddd",
        "second: eee",
        "third: fff",
    ]
    nameless = "| | n | m |\n|---|---|---|\n| aaaaaaaa | bb | cc |"
    assert screen(nameless, 12) == ["aaaaaaaa", "n: bb", "m: cc"]


def test_records_that_take_two_lines_at_most_flow() -> None:
    table = "| model | total | consensus |\n|:--|--:|--:|\n| 3 tern-max | 1.07 | 0.75 |\n| 1 lumen | 1.04 | 0.71 |"
    assert screen(table, 26) == [
        "model: 3 tern-max · total:",
        "1.07 · consensus: 0.75",
        "╌" * 26,
        "model: 1 lumen · total:",
        "1.04 · consensus: 0.71",
    ]


def test_a_long_table_is_cut_into_blocks_and_still_looks_like_one() -> None:
    rows = "".join(f"| row {n} | {n} |\n" for n in range(3 * TABLE_ROWS))
    text = "| a heading | n |\n|---|--:|\n" + rows
    assert len(split(text)) >= 3
    lines = screen(text)
    assert len(lines) == 2 + 3 * TABLE_ROWS
    assert {line.index("│") for line in lines if "│" in line} == {10}
    assert sum("heading" in line for line in lines) == 1


def test_a_break_tag_in_a_cell_breaks_and_other_html_is_shown() -> None:
    assert screen("| a |\n|---|\n| one<br>two |")[-2:] == ["one", "two"]
    assert screen("<script>alert(1)</script>") == ["<script>alert(1)</script>"]


def test_links_show_their_address_and_are_not_links_for_the_terminal() -> None:
    (line,) = drawn("[docs](https://h.example/x?a=[1]) <https://auto.example> ![pic](http://i.example/p.png)", 200)
    assert line.text == "docs (https://h.example/x?a=%5B1%5D) https://auto.example ▣ pic (http://i.example/p.png)"
    assert all(style.link is None and not style.meta for _, style in line.runs)


def test_a_definition_stays_on_the_screen() -> None:
    assert screen("see [1]\n\n[1]: http://h.example") == ["see [1]", "", "[1]: http://h.example"]


@pytest.mark.parametrize(
    "text",
    [
        "&#x1b;[31m",
        "&#x202e;evil",
        "&#10;",
        "`\x1b]52;c;x\x07`",
        "[a](http://h.example/&#x1b;)",
        "```&#x202e;\nx\n```",
        "&#13;x",
        "![&#x200f;](a)",
    ],
)
def test_an_entity_cannot_spell_a_control_character(text: str) -> None:
    for line in drawn(text):
        assert re.search("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", line.text) is None


def test_code_is_highlighted_in_the_colours_of_the_theme_and_keeps_its_spaces() -> None:
    lines = drawn('```python\ndef f():\n    return "x"  # why\n\n\n    pass\n```')
    assert [line.text.rstrip() for line in lines] == [
        "  python",
        "  def f():",
        '      return "x"  # why',
        "",
        "",
        "      pass",
        "",
    ]
    styles = dict(lines[1].runs) | dict(lines[2].runs)
    assert styles["def"] == LOOK.style("code-keyword")
    assert styles["f"] == LOOK.style("code-function")
    assert styles["# why"] == LOOK.style("code-comment")
    assert all(line.fill == LOOK.code for line in lines)


@pytest.mark.parametrize("language", ["", "no-such-language", "[/x]", "python extra", "{.python}"])
def test_any_language_is_drawn(language: str) -> None:
    assert "  x = 1" in screen(f"```{language}\nx = 1\n```")


def test_a_growing_fence_settles_its_finished_code() -> None:
    splitter = Splitter()
    splitter.feed("```python\n" + "x = 1\n" * (4 * CODE_LINES))
    assert len(splitter.settled) >= 4
    assert sum(block.text.count("\n") + 1 for block in splitter.growing()) <= CODE_LINES


MANY_OPEN = "![" * 20_000 + "\n```python\nx = 1\n```\n"


def test_fences_are_handed_out_as_they_were_written() -> None:
    text = "a\n```python\nx = 1\n\ty\n```\n- b\n  ```\n  z\n  ```\n"
    assert markdown.fences(text) == [("python", "x = 1\n\ty\n"), ("", "z\n")]


MONSTERS = {
    "one line": "word " * 200_000,
    "one word": "x" * 1_000_000,
    "brackets": "[" * 50_000,
    "links": "[a](" * 20_000,
    "stars": "*a **b " * 20_000,
    "paragraphs": "hi\n\n" * 5_000,
    "lines": "line\n" * 20_000,
    "rows": "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 5_000,
    "columns": "|" + "a|" * 5_000 + "\n|" + "-|" * 5_000 + "\n" + ("|" + "b|" * 5_000 + "\n") * 5,
    "quotes": ">" * 5_000 + " x",
    "nested": "\n".join(" " * 2 * depth + "- x" for depth in range(500)),
    "code": "```js\n" + "(a" * 50_000 + "\n" + "x;\n" * 5_000,
    "joiners": "👩\u200d" * 50_000,
    "marks": "e" + "\u0301" * 50_000,
}


@pytest.mark.parametrize("name", MONSTERS)
def test_no_text_makes_a_block_that_could_hold_the_loop(name: str) -> None:
    blocks = split(MONSTERS[name])
    for block in blocks:
        assert len(block.text) <= 2 * MAX_CHARACTERS + 1
        assert block.text.count("\n") < MAX_LINES
    markers = MONSTERS[name].count("```")
    assert "".join("".join(block.text.split()) for block in blocks) in "".join(MONSTERS[name].split())
    assert (
        sum(len("".join(block.text.split())) for block in blocks) >= len("".join(MONSTERS[name].split())) - 5 * markers
    )
    for block in (blocks[0], blocks[len(blocks) // 2], blocks[-1]):
        assert all(cell_len(line.text) <= 80 for line in markdown.lay_out(block, 80, LOOK))


@given(st.integers(1, 900))
@settings(max_examples=20, deadline=None)
def test_the_rest_of_a_monstrous_line_is_plain_text_however_it_arrived(size: int) -> None:
    text = "start " + "# - > 1. ``` | " * 400 + "\nnext"
    splitter = Splitter()
    for at in range(0, len(text), size):
        splitter.feed(text[at : at + size])
    splitter.finish()
    assert splitter.settled == split(text)
    kinds = [block.kind for block in splitter.settled]
    assert kinds == [Kind.TEXT, *[Kind.PLAIN] * (len(kinds) - 2), Kind.TEXT]
    assert len(kinds) > 3


def test_tidy_leaves_one_harmless_line() -> None:
    assert tidy("a\x1b[31m\tb\r\n\u2028c\x85") == "a[31m    b c"


@pytest.mark.parametrize("width", [10, 18, 30, 40, 76, 100, 200])
def test_a_list_is_broken_between_its_parts_where_each_has_room(width: int) -> None:
    parts = ["tern-max", "demo-anthropic", "↑115 ↓81", "52 tok/s", "confidence 0.99", "~$0.0095 the turn"]
    lines = [line.text for line in wrap([(" · ".join(parts), Style())], width, parts=True)]
    assert " ".join(lines) == " · ".join(parts) or width == 10
    assert all(cell_len(line) <= width for line in lines)
    if width >= max(map(len, parts)) + 2:
        assert all(line.removesuffix(" ·").split(" · ")[0] in parts for line in lines)
        assert all(line.endswith(" ·") for line in lines[:-1])


def test_fences_are_found_in_one_pass_whatever_stands_around_them() -> None:
    with read_once(len(MANY_OPEN)):
        assert markdown.fences(MANY_OPEN) == [("python", "x = 1\n")]
