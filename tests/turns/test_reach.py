"""Whether a server is there: what the lists tell, `health` says and the choice heeds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.routing.decision import Exclusion
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.health import COOLDOWN_S, HealthState
from tui_orchestrator.routing.money import Price, Rates
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import ModelSettings, ProviderSettings, Secret, Settings, StoreSettings

from .conftest import ask, events_of
from .reading import completed, failed

ONE = "mine/one"
CHUNK = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "one"}
ANSWER = "".join(
    f"data: {json.dumps({**CHUNK, 'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish}]})}\n\n"
    for delta, finish in (({"role": "assistant", "content": "Paris."}, None), ({}, "stop"))
)


@asynccontextmanager
async def server(list_status: int | None) -> AsyncIterator[int]:
    """Answers questions. Its list is `list_status`; None: it never comes."""
    streams: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        streams.append(writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if head.startswith("post"):
            status, kind, body = 200, "text/event-stream", f"{ANSWER}data: [DONE]\n\n"
        elif list_status is None:
            return
        else:
            status, kind, body = list_status, "application/json", "{}"
        writer.write(
            f"HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
            f"connection: close\r\n\r\n{body}".encode()
        )
        await writer.drain()
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()
        for stream in streams:
            stream.close()


@asynccontextmanager
async def looking_at(port: int, tmp_path: Path) -> AsyncIterator[tuple[Runtime, ManualClock]]:
    mine = ProviderSettings("mine", "openai-compatible", f"http://127.0.0.1:{port}/v1", Secret("k"), "MY_KEY")
    settings = Settings(
        discovery=False,
        store=StoreSettings(tmp_path / "store.db"),
        providers={"mine": mine},
        models=(ModelSettings("mine", "one", price=Price(Rates(1, 1))),),
    )
    clock = ManualClock()
    async with await Runtime.open(settings, clock=clock) as runtime:
        yield runtime, clock


async def test_a_server_that_is_not_there_is_unreachable_and_not_chosen_until_it_is_tried_again(tmp_path: Path) -> None:
    async with looking_at(9, tmp_path) as (runtime, clock):
        assert runtime.health(ONE).state is HealthState.AVAILABLE, "nobody has looked yet"
        await runtime.refresh()
        health = runtime.health(ONE)
        assert health.state is HealthState.UNREACHABLE
        assert health.detail == runtime.catalogue.reports["mine"].detail
        candidate = runtime.preview(ask()).candidate(ONE)
        assert candidate is not None
        assert candidate.excluded_by is Exclusion.UNHEALTHY
        end = failed(await events_of(runtime, ask(model=ONE)))
        assert end.error.kind is ErrorKind.NO_CANDIDATE
        assert "127.0.0.1:9 could not be reached" in end.error.message
        clock.advance(COOLDOWN_S)
        assert runtime.health(ONE).state is HealthState.UNREACHABLE
        assert failed(await events_of(runtime, ask(model=ONE))).error.kind is ErrorKind.CONNECTION


@pytest.mark.parametrize("status", [404, 500, 403])
async def test_a_server_without_a_list_stays_in(tmp_path: Path, status: int) -> None:
    async with server(status) as port, looking_at(port, tmp_path) as (runtime, _):
        await runtime.refresh()
        assert runtime.health(ONE).state is HealthState.AVAILABLE
        assert completed(await events_of(runtime, ask(model=ONE))).response == "Paris."


async def test_a_server_whose_list_hangs_reads_unreachable_but_may_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server(None) as port, looking_at(port, tmp_path) as (runtime, _):
        monkeypatch.setattr(runtime.catalogue, "_listing_timeout_s", 0.2)
        await runtime.refresh()
        assert runtime.health(ONE).state is HealthState.UNREACHABLE
        assert completed(await events_of(runtime, ask(model=ONE))).response == "Paris."
        assert runtime.health(ONE).state is HealthState.AVAILABLE, "an answer tells more than a list"


async def test_a_server_that_comes_back_is_in_again_with_the_next_look(tmp_path: Path) -> None:
    async with server(404) as port, looking_at(9, tmp_path) as (runtime, _):
        await runtime.refresh()
        assert runtime.health(ONE).state is HealthState.UNREACHABLE
        mine = replace(runtime.settings.providers["mine"], base_url=f"http://127.0.0.1:{port}/v1")
        there = replace(runtime.settings, providers={"mine": mine})
        runtime.catalogue.settings = there
        await runtime.refresh(forget=False)
        assert runtime.health(ONE).state is HealthState.AVAILABLE


async def test_a_refused_key_reads_unauthorised(tmp_path: Path) -> None:
    async with server(401) as port, looking_at(port, tmp_path) as (runtime, _):
        await runtime.refresh()
        assert runtime.health(ONE).state is HealthState.UNAUTHORISED
