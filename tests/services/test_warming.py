from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from tui_orchestrator.providers import connect
from tui_orchestrator.services import runtime


async def test_what_the_sdks_bring_along_is_left_out_of_every_collection_of_garbage_but_nothing_later_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fresh_sdk.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fresh_sdk", raising=False)
    monkeypatch.setattr(connect, "_SDK_MODULES", {"openai": "fresh_sdk"})
    monkeypatch.setattr(runtime, "WARM_AFTER_S", 0)
    there = [[number] for number in range(2_000)]
    before = gc.get_freeze_count()
    await runtime._warm_when_quiet(["openai"], None)
    left_out = gc.get_freeze_count()
    assert left_out > before + len(there) // 2
    later = [[number] for number in range(2_000)]
    await runtime._warm_when_quiet(["openai"], None)
    assert gc.get_freeze_count() < left_out + len(later) // 2
