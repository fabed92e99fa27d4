"""A batch under a rate limit, on a clock of its own: what is said of its time."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tui_orchestrator.batch import Batch, Output, Progress, read_lines
from tui_orchestrator.library.orchestrator import Orchestrator
from tui_orchestrator.library.tasks import Task
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import Settings
from tui_orchestrator.settings.values import StoreSettings

from ..leaping import leaping

LINES, A_MINUTE = 9, 3


async def run(directory: Path) -> tuple[Progress, list[tuple[float, float | None, str]]]:
    """What came of it, and every ten seconds: how long it ran, how long it said is left, what it waited for."""
    prompts = directory / "in.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": f"Question {n}?"}) + "\n" for n in range(LINES)))
    settings = Settings(discovery=False, store=StoreSettings(directory / "store.db"))
    async with await Runtime.open(settings, demo=True, pace=0) as runtime:
        model = next(iter(runtime.registry))
        runtime.router.caller.limits.provider(model.provider, A_MINUTE, None, None)
        lines = read_lines(prompts, Task("?", model=model.id), runtime.registry)
        with Output(directory / "out.jsonl") as output:
            batch = Batch(Orchestrator.over(runtime), lines, output, at_once=4)
            progress, seen = batch.progress, []

            async def look() -> None:
                while True:
                    await asyncio.sleep(10)
                    seen.append((progress.seconds, progress.seconds_left, progress.held.told if progress.held else ""))

            looking = asyncio.create_task(look())
            await batch.run()
            looking.cancel()
    return progress, seen


def test_what_is_left_and_the_rate_know_of_the_limit_and_the_wait_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path / "home"))
    with leaping() as runner:
        progress, seen = runner.run(run(tmp_path))
    assert progress.answered == LINES
    assert progress.seconds == pytest.approx(120, abs=5), "three at once, three after each minute"
    assert progress.per_minute == pytest.approx(LINES / 2, abs=0.3)
    within = [one for one in seen if one[0] % 60 > 5]  # a minute begins, and three lines are asked
    assert len(within) >= 10
    for seconds, left, waits in within:
        assert left == pytest.approx(120 - seconds, abs=1)
        assert "waits for the rate limit of " in waits
