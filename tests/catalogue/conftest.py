from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.prices import PriceBook


@pytest.fixture(scope="session")
def book() -> PriceBook:
    return PriceBook()


@pytest.fixture
async def clients() -> AsyncIterator[HttpClients]:
    made = HttpClients()
    yield made
    await made.aclose()
