"""`eval`: prompts and outcomes in, figures out; nothing is called."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Shell


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def judged(count: int = 40) -> list[dict[str, Any]]:
    easy = [{"prompt": f"hello {n}", "outcomes": {"pebble-3b": 1, "tern-max": 1}} for n in range(count // 2)]
    hard = [
        {
            "prompt": f"Prove by induction that the sum of the first {n} odd numbers is a square, and derive why",
            "outcomes": {"pebble-3b": 0, "tern-max": 1},
            "complexity": 7,
        }
        for n in range(count - count // 2)
    ]
    return [*easy, *hard]


async def test_the_table_and_the_object_tell_the_same_figures(shell: Shell) -> None:
    shell.write("o.jsonl", lines(*judged()))
    told = (await shell.run("eval", "--json", "o.jsonl")).json
    ended = await shell.run("eval", "o.jsonl")
    assert (ended.code, ended.err) == (0, "")
    (pair,) = told["pairs"]
    assert (pair["weak"], pair["strong"], pair["rows"]) == ("pebble-3b", "tern-max", 40)
    low, high = pair["apgr"]["interval_95"]
    assert f"{pair['apgr']['value']:.2f} [{low:.2f}, {high:.2f}]" in ended.out
    assert f"{told['calibration']['value']:.2f} [" in ended.out
    strategies = ended.out.partition("What each strategy")[2].splitlines()
    for name, earned in {**told["strategies"], **told["alone"]}.items():
        row = next(line for line in strategies if line.startswith(f"{name} "))
        assert f"{earned['quality']:.3f}" in row
    assert told["complexity_spearman"] == {"value": None, "rows": 20, "interval_95": None}
    assert "complexity   30 needed" in ended.out
    assert shell.asked == []


async def test_a_pair_can_be_named_and_stdin_read(shell: Shell) -> None:
    shown = await shell.run(
        *("eval", "-", "--weak", "pebble-3b", "--strong", "tern-max", "--threshold", "0"), stdin=lines(*judged())
    )
    assert "From difficulty 0 on to the strong model" in shown.out
    assert "100%" in shown.out


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"prompt": "x", "outcomes": [1]}', '"outcomes" is no object'),
        ('{"prompt": "x", "outcomes": {"m": 1.5}}', "the outcome of 'm' is 1.5; it is a number from 0, bad, to 1"),
        ('{"prompt": "x", "outcomes": {"m": NaN}}', "the outcome of 'm' is nan"),
        ('{"prompt": "x", "outcomes": {"m": null}}', "the outcome of 'm' is missing"),
        ('{"prompt": "x", "task_type": "coding"}', "no task type is called 'coding'; did you mean 'code'?"),
        ('{"prompt": "x", "complexity": "high"}', "\"complexity\" is 'high'; it is a number"),
        ('{"prompt": "x", "answer": "y", "quality": 1}', 'an "answer" is text and goes with "model"'),
        ('{"prompt": "x", "answer": "y", "model": "m"}', '"quality" is missing; it is a number from 0'),
        ('{"prompt": ""}', "the prompt is empty"),
        ("nope", "not JSON"),
    ],
)
async def test_a_bad_row_is_told_by_file_and_line(shell: Shell, row: str, said: str) -> None:
    shell.write("o.jsonl", lines({"prompt": "fine"}) + row + "\n")
    ended = await shell.run("eval", "o.jsonl")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("o.jsonl:2: ")
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


async def test_a_file_of_one_endless_line_is_not_read_to_its_end(shell: Shell) -> None:
    with (shell.directory / "o.jsonl").open("wb") as file:
        file.truncate(20 * 2**30)
    ended = await shell.run("eval", "o.jsonl")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("o.jsonl:1: is longer than 64 MiB; a line is {")


async def test_a_pair_that_no_row_has_is_told_before_anything_is_measured(shell: Shell) -> None:
    shell.write("o.jsonl", lines(*judged()))
    typed = await shell.run("eval", "o.jsonl", "--weak", "pebble", "--strong", "tern-max")
    assert (typed.code, typed.err) == (2, "no row has an outcome of 'pebble'; did you mean 'pebble-3b'?\n")
    half = await shell.run("eval", "o.jsonl", "--weak", "pebble-3b")
    assert (half.code, half.err) == (2, "--weak and --strong name a pair; give both or neither\n")
    nothing = await shell.run("eval", "-", stdin="\n")
    assert nothing.code == 2
    assert "holds no rows" in nothing.err
