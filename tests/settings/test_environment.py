from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.settings.environment import parse_dotenv, read_environment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1", "1"),
        ("  export A = two words  ", "two words"),
        ("A=", ""),
        ("A=1 # note", "1"),
        ("A=# note", ""),
        ("A=a#b", "a#b"),
        ("A='a' b # note", "'a' b"),
        ("A=a 'b'# note", "a 'b'"),
        ("A='$HOME \\n # kept'", "$HOME \\n # kept"),
        ('A="x\\ty\\"z\\\\ # kept" # note', 'x\ty"z\\ # kept'),
        ('A="$(touch x) `touch y` ${Z}"', "$(touch x) `touch y` ${Z}"),
        ('A="two\nlines"', "two\nlines"),
        ("A=1\r", "1"),
        ("A='open", "'open"),
    ],
)
def test_an_assignment_is_read(text: str, expected: str) -> None:
    assert [(name, value) for name, value, _ in parse_dotenv(f"{text}\nB=2")] == [("A", expected), ("B", "2")]


def test_what_is_no_assignment_is_left_out_and_lines_are_counted() -> None:
    text = '# A=0\n\nnot one\n1A=x\nA="one\ntwo"\nB=3\n-C=4\n'
    assert list(parse_dotenv(text)) == [("A", "one\ntwo", 5), ("B", "3", 7)]


@given(st.text("AB=\"'\\#\n \t$é", max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert all(line <= text.count("\n") + 1 for _, _, line in parse_dotenv(text))


def test_the_later_of_two_assignments_holds(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nA=2\n")
    assert read_environment({}, tmp_path / ".env")["A"].value == "2"


def test_an_empty_name_in_the_environment_hides_the_one_in_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nB=1\n")
    assert set(read_environment({"A": ""}, tmp_path / ".env")) == {"B"}


def test_a_dotenv_that_is_a_directory_or_too_long_or_no_text_is_none_of_ours(tmp_path: Path) -> None:
    assert read_environment({}, tmp_path) == {}
    assert read_environment({}, tmp_path / "none") == {}
    (tmp_path / "long").write_text("A=1\n" * 50_000)
    assert read_environment({}, tmp_path / "long") == {}
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00A=1\nB=2")
    assert set(read_environment({}, tmp_path / "bytes")) == {"B"}
