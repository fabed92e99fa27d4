"""A plugin's strategy at the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.packages import installed, write

from .conftest import Gateway


@pytest.fixture(autouse=True)
def site(tmp_path: Path) -> Iterator[Path]:
    """Before the gateway, which finds it there."""
    with installed(tmp_path / "site") as site:
        write(site, "pack", "def worth(option): return option.p", strategies={"surest": "pack:worth"})
        yield site


async def test_a_plugins_strategy_is_listed_and_asked_for_as_a_model(site: Path, gateway: Gateway) -> None:
    client = gateway.openai()
    assert "surest" in [model.id async for model in client.models.list()]
    answer = await client.chat.completions.create(
        model="surest", messages=[{"role": "user", "content": "Write a Python function that merges two sorted lists"}]
    )
    assert answer.choices[0].message.content
    turns = await gateway.runtime.history.turns(1)
    assert [turn.decision.strategy for turn in turns] == ["surest"]
