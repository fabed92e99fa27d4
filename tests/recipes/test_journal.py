"""What a recipe's steps have answered, in a file that a full disk or a power cut has torn."""

from __future__ import annotations

import os
from asyncio.subprocess import PIPE
from datetime import datetime
from pathlib import Path

import pytest

from tui_orchestrator import Orchestrator
from tui_orchestrator.demo import Break, Phase, Reply, Say, Servers
from tui_orchestrator.recipes import Advance, Journal, RecipeError, carry_out, left, parse

from ..cli.conftest import Shell
from ..cli.terminal import forked
from ..storage.test_appended import files_of_at_most

FOUR = """
output = "{last}"
[parameters.about]
description = "what about"
type = "list"
[[steps]]
id = "first"
model = "rush-pro"
prompt = "Begin."
[[steps]]
id = "each"
for_each = "about"
model = "lumen-dash"
prompt = "Say something about {item}."
[[steps]]
id = "last"
model = "tern-max"
prompt = "End."
"""
PADDED = """
[parameters.pad]
description = "what fills the disk"
"""
SAID = {"about": ["trees", "rivers"]}
NOW = datetime(2026, 11, 22)


@pytest.fixture
async def ended(
    orchestrator: Orchestrator, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Advance]:
    """The rounds of a recipe that gave an answer, in a home of its own."""
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path / "home"))
    servers.script.always(Say("A fine thing.\nIn two lines."))
    told: list[Advance] = []
    await carry_out(orchestrator, parse("four", FOUR, "four.toml"), SAID, on_advance=told.append)
    return [one for one in told if one.result is not None]


def in_it(path: Path, ended: list[Advance]) -> list[bool]:
    """Which of those the file knows."""
    journal = Journal.read(path, NOW)
    assert (journal.recipe, journal.said) == ("four", SAID)
    known = journal.peeked()
    return [known(one.step.id, one.result.task) is not None for one in ended if one.result is not None]


def kept(ended: list[Advance]) -> Path:
    journal = Journal("four", SAID, NOW)
    for one in ended:
        journal.keep(one)
    journal.close()
    assert journal.path is not None
    return journal.path


async def test_wherever_it_is_cut_its_whole_lines_are_gone_on_from(ended: list[Advance]) -> None:
    *first, last = ended
    path = kept(first)
    data = path.read_bytes()
    ends = [place for place, byte in enumerate(data) if byte == ord("\n")]
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        whole = [end <= cut for end in ends]
        torn = cut > 0 and cut not in (*ends, *(end + 1 for end in ends))
        if not whole[0]:
            found, (problem,) = left(NOW)
            assert (found, problem) == ([], f"{path} is not what a recipe that came to nothing has left")
            continue
        assert in_it(path, first) == whole[1:], f"cut at {cut}"
        journal = Journal.read(path, NOW)
        assert (journal.kept, journal.torn) == (sum(whole[1:]), torn)
        journal.keep(last)
        journal.close()
        assert in_it(path, ended) == [*whole[1:], True], f"cut at {cut}, then gone on"


async def test_lines_that_are_no_record_are_left_out_wherever_they_stand(ended: list[Advance]) -> None:
    path = kept(ended)
    asked, *rounds = path.read_bytes().splitlines(keepends=True)
    junk = [b"\0\0\0\n", b'{"step": "each", "as\n', b"[1]\n", b'"recipe"\n', b"\xff\n", b'{"attempt": Infinity}\n']
    path.write_bytes(b"".join([*junk[:3], asked, rounds[0], *junk[3:], *rounds[1:]]))
    assert in_it(path, ended) == [True] * 4
    assert Journal.read(path, NOW).torn_told == "6 lines of it are not whole, and left out"
    path.write_bytes(b"".join(rounds))
    with pytest.raises(RecipeError, match="came to nothing has left; answers that can still be read in it: 4"):
        Journal.read(path, NOW)


async def test_what_could_not_be_kept_is_with_the_next_or_at_the_end(ended: list[Advance]) -> None:
    first, second, third, last = ended
    journal = Journal("four", SAID, NOW)
    with files_of_at_most(100):
        journal.keep(first)
    assert journal.told == (
        "NOT kept (File too large): 1 answer of first. Their text stands here alone; going on asks, and pays, again."
    )
    journal.keep(second)
    assert journal.path is not None
    assert in_it(journal.path, ended) == [True, True, False, False]
    assert journal.told.startswith("What finished is kept")
    whole = journal.path.read_bytes()
    with files_of_at_most(len(whole) + 20):
        journal.keep(third)
        journal.keep(last)
    assert journal.path.read_bytes() == whole, "nothing torn is left in it"
    assert "): 1 answer of each, 1 answer of last. Their text" in journal.told
    assert "What else finished is kept, and is not asked again by: tui-orchestrator" in journal.told
    journal.keep_rest()
    assert in_it(journal.path, ended) == [True] * 4
    assert (journal.lost, journal.kept, Journal.read(journal.path, NOW).torn) == ("", 4, 0)
    journal.close()


async def test_a_file_that_was_taken_away_is_begun_again(ended: list[Advance]) -> None:
    path = kept(ended[:1])
    journal = Journal.read(path, NOW)
    path.unlink()
    journal.keep(ended[1])
    path.unlink()
    journal.keep(ended[2])
    journal.close()
    assert in_it(path, ended) == [False, False, True, False]


async def test_it_is_gone_on_from_once_at_a_time(
    ended: list[Advance], orchestrator: Orchestrator, servers: Servers
) -> None:
    path, recipe, before = kept(ended[:1]), parse("four", FOUR, "four.toml"), len(servers.exchanges)
    one, other = Journal.read(path, NOW), Journal.read(path, NOW)
    one.hold()
    with pytest.raises(RecipeError, match="is of a recipe that still runs; let it end, or stop it there"):
        other.hold()
    with pytest.raises(RecipeError, match="still runs"):
        await carry_out(orchestrator, recipe, SAID, known=other.known)
    assert len(servers.exchanges) == before
    one.keep(ended[1])
    one.close()
    other.hold()
    assert (other.kept, in_it(path, ended)) == (2, [True, True, False, False]), "with what has come into it since"
    one.drop()
    other.close()
    with pytest.raises(RecipeError, match="cannot be gone on in: No such file"):
        other.hold()


async def test_one_that_runs_is_not_paid_for_twice_and_one_that_was_killed_is_gone_on_from(shell: Shell) -> None:
    shell.script.then(Say("First of all."), "rush-pro").always(Break("silence", Phase.BEFORE_TEXT))
    asked = ("question=x", "models=rush-pro", "models=tern-max", "--at-once", "1", "-y")
    process = await forked(shell, "recipe", "run", "compare", *asked, stderr=PIPE)
    assert process.stderr is not None
    async for line in process.stderr:
        if "✓ " in line.decode():
            break
    (file,) = (Path(shell.environment["TUI_ORCHESTRATOR_HOME"]) / "data" / "unfinished").iterdir()
    goes_on = ("recipe", "run", "compare", "--resume", str(file), "-y")
    ended = await shell.run(*goes_on)
    why = f"{file} is of a recipe that still runs; let it end, or stop it there\n"
    assert (ended.code, ended.err) == (2, why)
    process.kill()
    await process.wait()
    shell.script.always(Say("All of them."))
    ended = await shell.run(*goes_on)
    assert (ended.code, "1 taken over" in ended.err) == (0, True)
    assert shell.asked.count("rush-pro") == 1
    assert not file.exists()


async def test_what_is_no_file_is_not_gone_on_from(shell: Shell) -> None:
    os.mkfifo(shell.directory / "pipe")
    for name in ("/dev/zero", "pipe"):
        ended = await shell.run("recipe", "run", "compare", "--resume", name)
        assert (ended.code, ended.err) == (2, f"{name} cannot be read: it is a pipe or a device, not a file\n")


async def test_of_a_disk_that_fills_up_the_command_tells_what_is_not_kept(shell: Shell) -> None:
    long, pad = "x" * 4_000, "p" * 985_000
    shell.script.always(Say("Begun."), "rush-pro").always(Say(long), "lumen-dash").always(Reply(400, "no"), "tern-max")
    recipes = Path(shell.environment["TUI_ORCHESTRATOR_HOME"]) / "config" / "recipes"
    recipes.mkdir(parents=True)
    (recipes / "four.toml").write_text(FOUR.replace("{last}", "{last}{pad}") + PADDED)
    topics = [f"about={one}" for one in ("trees", "rivers", "hills", "clouds")]
    with files_of_at_most(1_000_000):
        ended = await shell.run("recipe", "run", "four", *topics, f"pad={pad}", "-y")
    assert ended.code == 1
    assert ended.err.count(long) == 4, "what is not kept is told"
    assert "NOT kept (File too large): 1 answer of each. Their text stands here alone" in ended.err
    (file,) = (recipes.parents[1] / "data" / "unfinished").iterdir()
    goes_on = f"tui-orchestrator --config {shell.config} recipe run four --resume {file}"
    assert f"What else finished is kept, and is not asked again by: {goes_on}\n" in ended.err
    file.write_bytes(file.read_bytes()[:-40])
    listed = await shell.run("recipe")
    assert "Unfinished, with 3 answers kept; 1 line of it is not whole, and left out; unless" in listed.err
    looked = " ".join((await shell.run("doctor")).out.split())
    assert "· recipes: four did not come to its end; 3 answers are kept; 1 line of it is not whole" in looked
    shell.script.always(Say("Ended."), "tern-max")
    ended = await shell.run("recipe", "run", "four", "--resume", str(file), "-y")
    assert (ended.code, ended.out) == (0, f"Ended.{pad}\n")
    assert f"! {file}: 1 line of it is not whole, and left out.\n" in ended.err
    asked = [shell.asked.count(model) for model in ("rush-pro", "lumen-dash")]
    assert asked == [1, 4 + 2], "what is whole is paid for once"


async def test_a_file_whose_first_line_is_torn_is_named_all_the_same(shell: Shell) -> None:
    unfinished = Path(shell.environment["TUI_ORCHESTRATOR_HOME"]) / "data" / "unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "four.jsonl").write_text('{"recipe": "four", "sa')
    why = f"{unfinished / 'four.jsonl'} is not what a recipe that came to nothing has left"
    assert f"! {why}\n" in (await shell.run("recipe")).err
    assert (await shell.run("recipe", "list", "--json")).json["problems"] == [why]
    assert f"· recipes: {why} → copy from it what" in " ".join((await shell.run("doctor")).out.split())


async def test_what_is_not_kept_is_told_also_where_the_answer_cannot_be_written(shell: Shell) -> None:
    shell.script.always(Say("Fine."))
    unfinished = Path(shell.environment["TUI_ORCHESTRATOR_HOME"]) / "data" / "unfinished"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_text("in its way")
    command = ("recipe", "run", "compare", "question=x", "models=rush-pro", "models=tern-max", "-y")
    ended = await shell.run(*command, "-o", "/dev/full")
    assert ended.code == 1, ended.err
    assert ended.err.count("  Fine.\n") == 3
    assert "is not a directory): 2 answers of answers, 1 answer of comparison. Their text stands" in ended.err
