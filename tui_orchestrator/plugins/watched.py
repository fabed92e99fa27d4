"""The check of a plugin, called so that it can neither hold up nor break a turn."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

from ..aside import aside
from ..routing.added import MOST_EVIDENCE, Given, Opinion
from ..routing.contained import told
from ..routing.text import clean_line

PATIENCE_S = 2.0
"""An answer waits for so long for each check. One that takes longer is not asked again: it would leave a thread behind
each time."""


class WatchedCheck:
    def __init__(self, name: str, source: str, look: Callable[[Given], Any], patience_s: float = PATIENCE_S) -> None:
        self.name = name
        self._source = source
        self._look = look
        self._patience_s = patience_s
        self.hide: Callable[[str], str] = str
        """Takes keys out of what it says."""
        self._given_up = False

    async def look(self, given: Given) -> Opinion | None:
        """What went wrong is told with the answer, and says nothing for or against it."""
        if self._given_up:
            return None
        patience = asyncio.timeout(self._patience_s)
        try:
            async with patience:
                return await aside(lambda: self._clean(self._look(given)), f"verdict {self.name}")
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the plugin's
            # It may raise a TimeoutError of its own.
            if patience.expired():
                self._given_up = True
                return self._unsaid(f"took longer than {self._patience_s:g} s and is not asked again")
            return self._unsaid(f"failed ({clean_line(told(error), 160)})")

    def _unsaid(self, what: str) -> Opinion:
        return Opinion(self.hide(f"{self.name} of {self._source} {what}"))

    def _clean(self, said: object) -> Opinion | None:
        """Raises TypeError for what is no opinion."""
        if said is None:
            return None
        if not isinstance(said, Opinion) or not isinstance(said.reason, str):
            raise TypeError(f"expected an Opinion or None, not {clean_line(repr(said), 60)}")
        weight = said.weight
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
            raise TypeError(f"expected a number as its weight, not {clean_line(repr(weight), 40)}")
        bounded = max(-MOST_EVIDENCE, min(MOST_EVIDENCE, float(weight)))
        reason = clean_line(self.hide(said.reason), 120)
        return Opinion(f"{self.name}: {reason or 'gives no reason'}", bounded, said.falls_short is True)
