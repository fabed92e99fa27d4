from __future__ import annotations

import asyncio
import gc
import sys
from pathlib import Path

import pytest

from tui_orchestrator.providers import connect
from tui_orchestrator.providers.sdk import import_sdk
from tui_orchestrator.services import warming


async def test_what_the_sdks_bring_along_is_left_out_of_every_collection_of_garbage_but_nothing_later_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fresh_sdk.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "fresh_sdk", raising=False)
    monkeypatch.setattr(connect, "_SDK_MODULES", {"openai": "fresh_sdk"})
    monkeypatch.setattr(warming, "WARM_AFTER_S", 0)
    there = [[number] for number in range(2_000)]
    before = gc.get_freeze_count()
    await warming.warm_when_quiet(["openai"], None)
    left_out = gc.get_freeze_count()
    assert left_out > before + len(there) // 2
    later = [[number] for number in range(2_000)]
    await warming.warm_when_quiet(["openai"], None)
    assert gc.get_freeze_count() < left_out + len(later) // 2


async def test_two_sdks_are_never_imported_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of packages whose modules import one another in circles, two threads may be given half a module."""
    (tmp_path / "first_sdk.py").write_text(
        "import sys, threading\n"
        "from tui_orchestrator.providers.sdk import import_sdk\n"
        "other = threading.Thread(target=import_sdk, args=('second_sdk',))\n"
        "other.start()\n"
        "other.join(0.1)\n"
        "alone = 'second_sdk' not in sys.modules\n"
    )
    (tmp_path / "second_sdk.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("first_sdk", "second_sdk"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    await asyncio.to_thread(import_sdk, "first_sdk")
    first = sys.modules["first_sdk"]
    first.other.join()
    assert first.alone
    assert "second_sdk" in sys.modules
