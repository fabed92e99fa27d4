"""What a user asks of the next turns beside the prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..routing.money import Money
    from ..routing.request import Check, Method, Split, Strategy


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked of the next turns. None and empty: as configured."""

    strategy: Strategy | None = None
    model: str | None = None
    """Pinned."""
    chain: tuple[str, ...] = ()
    ensemble_size: int = 3
    verdict: Method | None = None
    max_cost: Money | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    check: Check | None = None
    self_consistency: int | None = None
    system: str = ""
    use_cache: bool | None = None
    split: Split | None = None
    """None: never."""
