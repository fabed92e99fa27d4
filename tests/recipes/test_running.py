"""Recipes carried out, from a program and from the command line."""

from __future__ import annotations

import json
import shlex
import signal
from pathlib import Path

import pytest

from tui_orchestrator import Orchestrator
from tui_orchestrator.demo import Break, Phase, Reply, Say, Servers
from tui_orchestrator.recipes import Advance, RecipeFailed, carry_out, parse, shelf
from tui_orchestrator.routing.money import Cost

from ..cli.conftest import Shell
from ..cli.terminal import terminal

TWO = """
output = "{all}"
[parameters.topics]
description = "what about"
type = "list"
[[steps]]
id = "each"
for_each = "topics"
model = "rush-pro"
task_type = "creative"
prompt = "Say something about {item}."
[[steps]]
id = "all"
model = "tern-max"
prompt = "Put together: {each}"
"""


async def test_the_rounds_of_a_loop_come_to_the_next_step_in_their_order(
    orchestrator: Orchestrator, servers: Servers
) -> None:
    servers.script.always(Say("A fine thing."), "rush-pro").always(Say("All fine."), "tern-max")
    told: list[Advance] = []
    outcome = await carry_out(
        orchestrator, parse("two", TWO, "two.toml"), {"topics": ["trees", "rivers"]}, on_advance=told.append
    )
    assert outcome.text == "All fine."
    assert len(outcome.steps["each"]) == 2
    assert outcome.cost == Cost.sum(result.cost for results in outcome.steps.values() for result in results)
    assert outcome.steps["each"][0].decision.profile.task_type.value == "creative"
    sent = [json.dumps(exchange.body) for exchange in servers.exchanges if exchange.method == "POST"]
    assert any("about trees." in body for body in sent)
    assert any("about rivers." in body for body in sent)
    assert "1. A fine thing.\\n\\n2. A fine thing." in sent[-1]
    assert [(one.step.id, one.ended, one.rounds) for one in told] == [
        ("each", 0, 2), ("each", 1, 2), ("each", 2, 2), ("all", 0, 1), ("all", 1, 1),
    ]  # fmt: skip


async def test_a_step_without_an_answer_ends_it_with_what_was_spent(
    orchestrator: Orchestrator, servers: Servers
) -> None:
    servers.script.always(Say("A fine thing."), "rush-pro").always(Reply(400, "no"), "tern-max")
    with pytest.raises(RecipeFailed, match="the step all gave no answer") as raised:
        await carry_out(orchestrator, parse("two", TWO, "two.toml"), {"topics": ["trees"]})
    assert raised.value.cost.amount
    assert {id_: [one.text for one in results] for id_, results in raised.value.steps.items()} == {
        "each": ["A fine thing."]
    }


async def test_of_a_loop_that_failed_the_rounds_that_gave_an_answer_are_there(
    orchestrator: Orchestrator, servers: Servers
) -> None:
    servers.script.then(Say("A fine thing."), "rush-pro").always(Reply(400, "no"), "rush-pro")
    with pytest.raises(RecipeFailed, match="the step each gave no answer") as raised:
        await carry_out(orchestrator, parse("two", TWO, "two.toml"), {"topics": ["trees", "rivers"]}, at_once=1)
    (results,) = raised.value.steps.values()
    assert [one.text for one in results] == ["A fine thing."]


async def test_the_command_tells_what_finished_before_a_step_failed(shell: Shell) -> None:
    shell.script.then(Say("First of all."), "rush-pro").always(Reply(400, "no"))
    command = ("recipe", "run", "compare", "question=x", "models=rush-pro", "models=tern-max", "--at-once", "1")
    ended = await shell.run(*command)
    assert (ended.code, ended.out) == (1, "")
    assert "  First of all." in ended.err
    assert "gave no answer" in ended.err
    assert "What finished is kept, and is not asked again by: tui-orchestrator --config " in ended.err
    shell.script.then(Say("First of all."), "rush-pro")
    told = (await shell.run(*command, "--json")).json
    assert (told["text"], told["error"]["kind"]) == (None, "bad_request")
    assert [[one["text"] for one in results] for results in told["steps"].values()] == [["First of all."]]
    assert told["cost_usd"] > 0
    assert told["failed_step"] in told["steps"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("problem-variations", {"topic": ["fractions"], "count": ["3"]}),
        ("grade", {"question": ["2+2?"], "expected": ["4"], "answer": ["5"]}),
        ("summarize-long", {"text": ["A long text. " * 4000]}),
        ("compare", {"question": ["Tabs or spaces?"], "models": ["rush-pro", "tern-max"]}),
    ],
)
async def test_a_shipped_recipe_runs(
    name: str, said: dict[str, list[str]], orchestrator: Orchestrator, servers: Servers
) -> None:
    servers.script.always(Say("Something that answers."))
    outcome = await carry_out(orchestrator, shelf().find(name), said)
    assert "Something that answers." in outcome.text
    rounds = {id_: len(results) for id_, results in outcome.steps.items()}
    expected = {
        "problem-variations": {"problem": 1, "variations": 3},
        "grade": {"judgement": 1},
        "compare": {"answers": 2, "comparison": 1},
    }
    if name in expected:
        assert rounds == expected[name]
    else:
        assert rounds["notes"] > 1
        assert rounds["summary"] == 1


HARD = """Prove rigorously, from the axioms alone, that every compact subset of a Hausdorff space is closed; deduce that
a continuous bijection from a compact space onto a Hausdorff space is a homeomorphism, and refute the converse by a
counterexample whose properties you verify step by step. Then derive an asymptotic bound for the number of open sets
that a minimal subcover of the n-dimensional cube needs, analyse the trade-off between its radius and its size, and show
by induction on n that no deterministic algorithm of polynomial complexity approximates it within a constant factor."""


async def test_cheap_models_vary_the_problem_however_hard_its_text_is(
    orchestrator: Orchestrator, servers: Servers
) -> None:
    servers.script.always(
        Say("A bounded sequence of rationals is given by its first ten terms. Show that it converges.")
    )
    servers.script.always(Say(HARD), "tern-max")
    outcome = await carry_out(orchestrator, shelf().find("problem-variations"), {"topic": ["topology"], "count": ["3"]})
    (problem,) = outcome.steps["problem"]
    dearest = problem.cost.amount
    assert dearest is not None
    for variation in outcome.steps["variations"]:
        assert variation.model != problem.model
        assert variation.cost.amount is not None
        assert variation.cost.amount < dearest


async def test_one_is_run_from_the_command_line(shell: Shell) -> None:
    shell.script.always(Say("Score: 3/10\nWrong."))
    shell.write("answer.txt", "five")
    ended = await shell.run("recipe", "run", "grade", "question=2+2?", "expected=4", "answer=@answer.txt")
    assert (ended.code, ended.out) == (0, "Score: 3/10\nWrong.\n"), ended.err
    assert "1 answer · $" in ended.err
    whole = await shell.run("recipe", "run", "grade", "question=2+2?", "expected=4", "answer=5", "--json")
    assert whole.json["steps"]["judgement"][0]["text"].startswith("Score: 3/10")
    assert whole.json["cost_usd"] > 0


async def test_a_cap_stops_it_before_it_is_passed(shell: Shell) -> None:
    ended = await shell.run("recipe", "run", "grade", "question=x", "expected=4", "answer=5", "-c", "0.000000001")
    assert ended.code in (0, 3)
    assert all(model == "pebble-3b" for model in shell.asked)


VARIATIONS = ("recipe", "run", "problem-variations", "topic=fractions", "count=3")


async def test_its_plan_and_price_are_told_before_anything_is_sent(shell: Shell) -> None:
    ended = await shell.run(*VARIATIONS, "--estimate")
    assert (ended.code, ended.out, shell.asked) == (0, "", [])
    problem, variations, together = ended.err.splitlines()[:3]
    assert problem.startswith("  problem 1× · about $")
    assert variations.startswith("  variations 3× · about $")
    assert together.startswith("4 answers: about $")
    told = (await shell.run(*VARIATIONS, "--estimate", "--json")).json
    assert (told["answers"], told["steps"]["variations"]["lines"]) == (4, 3)
    assert told["cost_usd"] > 0
    begun = await shell.run(*VARIATIONS)
    assert begun.err.index("4 answers: about $") < begun.err.index("✓ problem")


async def test_a_plan_that_passes_a_cap_is_not_begun_without_a_yes(shell: Shell) -> None:
    shell.script.always(Say("Something that answers."))
    pinned = ("recipe", "run", "compare", "question=x", "models=rush-pro", "-c", "0.00001")
    refused = await shell.run(*pinned)
    assert (refused.code, refused.out, shell.asked) == (3, "", [])
    assert "passes the recipe's cap" in refused.err
    assert "say --yes to begin all the same" in refused.err
    begun = await shell.run(*pinned, "--yes")
    assert "✗ compare: the step " in begun.err, "it begins, and ends at the cap"
    assert begun.code == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "grad"), "no recipe is called grad; did you mean grade?"),
        (("run", "grade"), "grade needs question"),
        (("run", "grade", "question"), "'question' is no parameter; write NAME=VALUE"),
        (("run", "compare", "question=x", "models=nobody"), "no model is called 'nobody'"),
        (("run", "grade", "question=@missing.txt"), "missing.txt"),
        (("show", "nothing"), "no recipe is called nothing"),
    ],
)
async def test_what_is_wrong_is_said_before_anything_is_sent(
    arguments: tuple[str, ...], said: str, shell: Shell
) -> None:
    ended = await shell.run("recipe", *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert shell.asked == []


async def test_they_are_listed_and_shown(shell: Shell) -> None:
    listed = await shell.run("recipe")
    assert "summarize-long" in listed.out
    assert "Your own lie in" in listed.err
    shown = await shell.run("recipe", "show", "summarize-long")
    assert "words [300]: about how long" in shown.out
    assert (await shell.run("recipe", "list", "--json")).json["problems"] == []
    assert (await shell.run("recipe", "show", "grade", "--json")).json["steps"][0]["task_type"] == "evaluation"


async def test_every_mistake_of_one_is_told_where_it_is_listed_asked_for_and_looked_for(shell: Shell) -> None:
    own = Path(shell.environment["TUI_ORCHESTRATOR_HOME"]) / "config" / "recipes"
    own.mkdir(parents=True)
    file = own / "mistaken.toml"
    file.write_text('output = 3\n[[steps]]\nid = "one"\nprompt = "Say {it}"\ntemperature = 3\n')
    told = [
        f"{file}:1: output: is 3; it must be text, in quotes",
        f"{file}:4: steps[1].prompt: {{it}} is no parameter and no step before it; there are none",
        f"{file}:5: steps[1].temperature: is 3; it must be a number from 0 to 2",
    ]
    assert [line for line in (await shell.run("recipe")).err.splitlines() if "mistaken" in line] == [
        f"! {problem}" for problem in told
    ]
    assert (await shell.run("recipe", "list", "--json")).json["problems"] == told
    for command in (("show", "mistaken"), ("run", "mistaken")):
        ended = await shell.run("recipe", *command)
        assert (ended.code, ended.err.splitlines()) == (2, told)
    looked = await shell.run("doctor")
    assert [problem for problem in told if f"✗ recipes: {problem}" not in " ".join(looked.out.split())] == []
    assert looked.code == 1


async def test_what_finished_of_one_that_is_interrupted_is_told_and_kept(shell: Shell) -> None:
    shell.script.then(Say("First of all."), "rush-pro").always(Break("silence", Phase.BEFORE_TEXT))
    command = ("recipe", "run", "compare", "question=x", "models=rush-pro", "models=tern-max", "--at-once", "1", "-y")
    async with terminal(shell, *command) as screen:
        await screen.until("✓ ")
        screen.process.send_signal(signal.SIGINT)
        assert await screen.end() == 130
    seen = " ".join(screen.seen.split())
    assert "First of all." in seen
    assert "Interrupted; what had come is booked. What finished cost $" in seen
    assert "What finished is kept, and is not asked again by" in seen
    (file,) = (Path(shell.environment["TUI_ORCHESTRATOR_HOME"]) / "data" / "unfinished").iterdir()
    asked, first = map(json.loads, file.read_text().splitlines())
    assert asked == {"recipe": "compare", "said": {"question": ["x"], "models": ["rush-pro", "tern-max"]}}
    assert (first["text"], first["model"]) == ("First of all.", "openai/rush-pro")
    assert file.stat().st_mode & 0o777 == 0o600
    listed = await shell.run("recipe")
    goes_on = f"tui-orchestrator --config {shell.config} recipe run compare --resume {file}"
    assert f"Unfinished, with 1 answer kept; unless it still runs, go on or delete its file: {goes_on}\n" in listed.err
    assert (await shell.run("recipe", "list", "--json")).json["unfinished"] == [str(file)]
    looked = " ".join((await shell.run("doctor")).out.split())
    assert "· recipes: compare did not come to its end; 1 answer is kept" in looked
    assert f"go on by /recipe in the console or {goes_on}, or delete its file" in looked
    called = len(shell.asked)
    shell.script.always(Say("Second of all."), "tern-max").always(Say("All of them."))
    ended = await shell.run("recipe", "run", "compare", "--resume", str(file), "-y")
    assert (ended.code, "1 taken over" in ended.err) == (0, True)
    assert "1 kept, which is not asked again." in ended.err, "its price is of what is left"
    assert shell.asked[called:].count("rush-pro") == 0, "it is paid for once"
    assert not file.exists()
    bodies = [json.dumps(exchange.body) for exchange in shell.servers.exchanges if exchange.method == "POST"]
    assert "First of all." in bodies[-1]
    assert "Second of all." in bodies[-1]


async def test_what_goes_on_from_it_is_told_for_the_shell_with_the_settings_it_began_with(shell: Shell) -> None:
    """Those of a file that was named from where the program was called, and that has a space in its name."""
    named = "of the project's.toml"
    shell.write(named, shell.config.read_text())
    shell.config = Path(named)
    shell.script.then(Say("First of all."), "rush-pro").then(Reply(400, "no"), "tern-max")
    command = ("recipe", "run", "compare", "question=x", "models=rush-pro", "models=tern-max", "--at-once", "1", "-y")
    ended = await shell.run(*command)
    said = ended.err.partition("is not asked again by: ")[2].splitlines()[0]
    listed = (await shell.run("recipe")).err.partition("go on or delete its file: ")[2].splitlines()[0]
    looked = (await shell.run("doctor")).out.partition("in the console or ")[2].partition(", or delete")[0]
    assert said == listed == looked
    program, config, file, *goes_on = shlex.split(said)
    assert (program, config, file) == ("tui-orchestrator", "--config", str(shell.directory / named))
    shell.config = Path(file)
    shell.script.always(Say("Fine."))
    assert (await shell.run(*goes_on, "-y")).code == 0


async def test_only_what_a_recipe_has_left_is_gone_on_from(shell: Shell) -> None:
    for content, why in (
        ("", "is not what a recipe"),
        ('{"recipe": "grade", "said": {}}', "is of the recipe grade, not of compare"),
    ):
        ended = await shell.run("recipe", "run", "compare", "--resume", shell.write("left.jsonl", content))
        assert (ended.code, why in ended.err) == (2, True)
    ended = await shell.run("recipe", "run", "compare", "question=x", "--resume", shell.write("left.jsonl", content))
    assert (ended.code, "leave them out" in ended.err) == (2, True)


async def test_of_one_that_is_done_nothing_more_is_kept(shell: Shell) -> None:
    shell.script.always(Say("Fine."))
    ended = await shell.run("recipe", "run", "compare", "question=x", "models=rush-pro", "models=tern-max", "-y")
    assert ended.code == 0
    assert list((Path(shell.environment["TUI_ORCHESTRATOR_HOME"]) / "data" / "unfinished").iterdir()) == []
    assert "Unfinished" not in (await shell.run("recipe")).err
