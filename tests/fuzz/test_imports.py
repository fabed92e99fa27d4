"""Whatever lies in a file of a conversation, it comes in as it will go out again, or is refused in one sentence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.terminal.pseudoterminal import foreign
from tests.services.test_exchange import good, home
from tui_orchestrator.routing.text import clean_line
from tui_orchestrator.services import exporting
from tui_orchestrator.services.importing import FromFile, parse

from .made_up import ENDLESS, altered, as_json, at_length, bent, values


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def read(content: bytes) -> FromFile | None:
    try:
        return parse(content)
    except ValueError as error:
        said = f"talk.json{error}"
        assert said.startswith("talk.json:")
        assert clean_line(said, 2_000) == said
        return None


async def there_and_back(found: FromFile) -> None:
    async with AsyncExitStack() as stack:
        here = await home(stack)
        session, new = await here.archive.take_in(found.conversation, found.digest, found.attempts)
        assert new
        stored = await here.conversations.get(session.id)
        assert stored is not None
        for form in ("json", "md"):
            written = await exporting.rendered(here, stored, form)
            assert foreign(written.encode()) == []
        again = parse((await exporting.rendered(here, stored, "json")).encode())
        assert again.conversation == stored
        assert await here.archive.take_in(again.conversation, again.digest, again.attempts) == (stored.session, False)


@at_length
@given(st.binary(max_size=300) | bent(json.dumps(good(), indent=1).encode()) | values.map(as_json))
def test_any_bytes(content: bytes) -> None:
    read(content)


@at_length
@given(altered(good()))
@example({**good(), "messages": [{**good()["messages"][1], "parent": None, "attempts": [{"latency_s": ENDLESS}]}]})
def test_a_conversation_with_something_else_in_places(runner: asyncio.Runner, said: Any) -> None:
    found = read(as_json(said))
    if found is not None:
        runner.run(there_and_back(found))
