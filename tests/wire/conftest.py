from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tui_orchestrator.providers.clients import HttpClients

from .dialects import WIRES, Wire


@pytest.fixture
async def clients() -> AsyncIterator[HttpClients]:
    made = HttpClients()
    yield made
    await made.aclose()


@pytest.fixture(params=WIRES, ids=str)
def wire(request: pytest.FixtureRequest) -> Wire:
    param: Wire = request.param
    return param
