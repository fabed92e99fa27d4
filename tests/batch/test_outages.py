"""A batch whose models are away for a while, or for good: on a clock of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tui_orchestrator import demo
from tui_orchestrator.batch import Batch, Output, Progress, read_lines
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script, Servers
from tui_orchestrator.library.orchestrator import Orchestrator
from tui_orchestrator.library.tasks import Task
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import Settings, StoreSettings

from ..leaping import leaping

LINES, AT_ONCE = 60, 4
GOOD, FULL = Say("Whole."), Reply(429, headers={"retry-after": "300"})


class Run:
    """What came of a batch, and what was said of its wait every ten seconds."""

    progress: Progress
    records: list[dict[str, Any]]
    asked: list[str]
    booked: int

    def __init__(self) -> None:
        self.told: list[str] = []

    @property
    def statuses(self) -> list[str]:
        return [record["status"] for record in self.records]


async def run(
    directory: Path,
    script: Script,
    model: Callable[[int], str],
    later: Callable[[], object] | None,
    at_once: int = AT_ONCE,
) -> Run:
    """`model`: of each line, by its place. `later`: what happens after 200 seconds."""
    prompts, said = directory / "in.jsonl", Run()
    lines = [{"prompt": f"Question {n}?", "model": model(n)} for n in range(LINES)]
    prompts.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    base = replace(Settings(), store=StoreSettings(directory / "store.db"), discovery=False)
    async with (
        demo.serve(pace=0, habits=False, script=script) as servers,
        await Runtime.open(demo.settings(servers, base), demo=False) as runtime,
    ):
        await asyncio.wait_for(_carried_out(runtime, servers, prompts, said, later, at_once), 86_400)
    return said


async def _carried_out(
    runtime: Runtime, servers: Servers, prompts: Path, said: Run, later: Callable[[], object] | None, at_once: int
) -> None:
    lines = read_lines(prompts, Task("?"), runtime.registry)
    with Output(prompts.with_name("out.jsonl")) as output:
        batch = Batch(Orchestrator.over(runtime), lines, output, at_once=at_once)

        async def look() -> None:
            while True:
                await asyncio.sleep(10)
                if batch.progress.held is not None:
                    said.told.append(batch.progress.held.told)

        looking = asyncio.create_task(look())
        if later is not None:
            asyncio.get_running_loop().call_later(200, later)
        said.progress = await batch.run()
        looking.cancel()
    said.records = [json.loads(line) for line in prompts.with_name("out.jsonl").read_text().splitlines()]
    said.asked = [exchange.model for exchange in servers.exchanges if exchange.method == "POST"]
    said.booked = await runtime.database.read(
        lambda connection: int(connection.execute("SELECT COUNT(*) FROM attempts").fetchone()[0])
    )


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("trouble", [Reply(503), Reply(500), FULL], ids=["503", "500", "429"])
def test_an_outage_in_its_middle_is_waited_for(tmp_path: Path, trouble: Reply) -> None:
    script = Script().then(GOOD, "rush-mini", 20).always(trouble, "rush-mini")
    with leaping() as runner:
        ended = runner.run(run(tmp_path, script, lambda n: "rush-mini", lambda: script.always(GOOD, "rush-mini")))
    failed = ended.statuses.count("failed")
    assert failed <= AT_ONCE + 200 // 30, "of those that were sent meanwhile, a trial every half minute"
    assert ended.statuses.count("answered") == LINES - failed
    assert ended.progress.left == 0
    assert ended.progress.stopped is None
    assert any("waits for demo-openai/rush-mini until " in told for told in ended.told)
    assert len({record["request_id"] for record in ended.records}) == LINES
    assert ended.booked >= len(ended.asked), "each call is in the ledger"


def test_answers_that_break_off_together_are_waited_for_as_three_are(tmp_path: Path) -> None:
    """A server that is restarted: whatever was under way fails, before any has been answered."""
    broken = Break("reset", Phase.MID_STREAM, Say("Two lists become one when their heads are compared in turn."))
    script = Script().then(broken, "rush-mini", 8).always(GOOD, "rush-mini")
    with leaping() as runner:
        ended = runner.run(run(tmp_path, script, lambda n: "rush-mini", None, at_once=8))
    assert (ended.statuses.count("failed"), ended.statuses.count("answered")) == (8, LINES - 8)
    assert ended.progress.stopped is None
    assert 30 <= ended.progress.seconds < 32
    assert any("waits for demo-openai/rush-mini until " in told for told in ended.told)


def test_where_nobody_comes_back_the_rest_is_left_and_not_failed(tmp_path: Path) -> None:
    script = Script().then(GOOD, "rush-mini", 20).always(Reply(500), "rush-mini")
    with leaping() as runner:
        ended = runner.run(run(tmp_path, script, lambda n: "rush-mini", None))
    assert ended.statuses.count("answered") == 20
    assert ended.statuses.count("failed") <= AT_ONCE + 900 // 30 + 1
    assert ended.progress.stopped is not None
    assert ended.progress.stopped.told.startswith(
        "Stopped: demo-openai/rush-mini is pinned, but cooling down after 500"
    )
    assert ended.progress.left == LINES - len(ended.records) > 0
    assert 840 < ended.progress.seconds < 901


def test_where_nobody_was_there_from_the_beginning_it_waits_a_minute(tmp_path: Path) -> None:
    script = Script().always(Reply(500), "rush-mini")
    with leaping() as runner:
        ended = runner.run(run(tmp_path, script, lambda n: "rush-mini", None))
    assert set(ended.statuses) == {"failed"}
    assert len(ended.records) <= AT_ONCE + 2
    assert ended.progress.stopped is not None
    assert ended.progress.seconds < 61


def test_where_the_key_is_refused_those_under_way_fail_and_the_rest_is_left_at_once(tmp_path: Path) -> None:
    script = Script().then(GOOD, "rush-mini", 20).always(Reply(401), "rush-mini")
    with leaping() as runner:
        ended = runner.run(run(tmp_path, script, lambda n: "rush-mini", None))
    assert ended.statuses.count("answered") == 20
    assert ended.statuses.count("failed") <= AT_ONCE
    assert ended.progress.left == LINES - len(ended.records)
    assert ended.progress.stopped is not None
    assert "the key was not accepted" in ended.progress.stopped.why
    assert ended.progress.seconds < 5


def test_lines_for_other_models_go_on_while_one_is_away(tmp_path: Path) -> None:
    script = Script().always(Reply(401), "rush-mini").always(GOOD)
    with leaping() as runner:
        ended = runner.run(run(tmp_path, script, lambda n: "tern-lite" if n % 2 else "rush-mini", None))
    assert ended.statuses.count("answered") == LINES // 2
    assert ended.statuses.count("failed") <= AT_ONCE
    assert ended.progress.stopped is not None
    assert "the key was not accepted" in ended.progress.stopped.why
