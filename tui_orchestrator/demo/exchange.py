"""What the server keeps of each request, for a test or a curious user to compare with the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..routing.money import Usage

Ending = Literal["open", "completed", "hung_up", "broken"]


@dataclass(slots=True)
class Exchange:
    """One request as the server saw it, and how it ended."""

    provider: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    """The JSON; None where there was none."""
    model: str = ""
    status: int | None = None
    text: str = ""
    """What of the answer's text was sent."""
    input_tokens: int = 0
    output_tokens: int = 0
    """What was sent, thinking included."""
    reported: Usage | None = None
    """What the client was told it used; None until the answer was complete."""
    ending: Ending = "open"
    """`hung_up`: by the client; `broken`: by the server, as scripted."""
    _ended: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    async def ended(self) -> Ending:
        """Waits until the exchange is over, however it ends."""
        await self._ended.wait()
        return self.ending

    def end(self, ending: Ending) -> None:
        if self.ending == "open":
            self.ending = ending
            self._ended.set()
