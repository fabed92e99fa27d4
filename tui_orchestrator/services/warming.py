"""What the first prompt would else wait for, read and imported beside the event loop."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterable

from ..providers.connect import warm
from ..providers.embedding import StaticEmbedder
from ..routing.prediction import weights
from . import garbage

WARM_AFTER_S = 0.5


async def read_weights() -> None:
    # Else the first key would wait for them.
    await asyncio.to_thread(weights)


async def warm_when_quiet(kinds: Iterable[str], embedder: StaticEmbedder | None) -> None:
    # Seconds of processor time, which the first screen and the first keys shall not have to share.
    await asyncio.sleep(WARM_AFTER_S)
    # What is imported stays. To look through its million objects for garbage again and again holds the loop for a third
    # of a second each time.
    known = len(sys.modules)
    with garbage.put_off():
        await warm(kinds)
        # Only then: what a runtime before this one left behind would stay as well.
        if len(sys.modules) > known:
            gc.freeze()
    if embedder is not None:
        await asyncio.to_thread(embedder.load)
