"""One request and its response, seen from beside the SDK that sends it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator

import httpx2
import pytest

from tui_orchestrator.providers import exchange as module
from tui_orchestrator.providers.exchange import Exchange, after_response, before_request


async def told(*events: object) -> AsyncIterator[object]:
    for event in events:
        if isinstance(event, Exception):
            raise event
        if event == "silence":
            await asyncio.Event().wait()
        yield event


async def read(one: Exchange, *events: object, whole: object = None) -> list[object]:
    """`whole`: the event from which on the answer is; None: never."""
    seen: list[object] = []

    async def send() -> AsyncIterator[object]:
        return told(*events)

    async for event in one.events(send, lambda: whole is not None and whole in seen[-1:]):
        seen.append(event)
    return seen


async def test_every_event_is_passed_on_to_the_end() -> None:
    assert await read(Exchange(5.0), 1, 2, 3) == [1, 2, 3]
    assert await read(Exchange(5.0)) == []
    assert await read(Exchange(5.0), 1, 2, 3, whole=2) == [1, 2, 3]


def broke(by: BaseException) -> Exception:
    error = ValueError("in the SDK's words")
    error.__cause__ = by
    return error


SILENCES = [
    httpx2.ReadError("gone"),
    httpx2.RemoteProtocolError("gone"),
    httpx2.DecodingError("spoilt"),
    TimeoutError(),
]


@pytest.mark.parametrize("error", [*SILENCES, *(broke(error) for error in SILENCES[:3])], ids=repr)
async def test_a_connection_that_breaks_behind_a_whole_answer_costs_nothing_of_it(error: Exception) -> None:
    assert await read(Exchange(5.0), 1, 2, error, whole=2) == [1, 2]
    with pytest.raises(type(error)):
        await read(Exchange(5.0), 1, 2, error)
    with pytest.raises(type(error)):
        # Text after what looked like the end.
        await read(Exchange(5.0), 1, 2, 3, error, whole=2)


@pytest.mark.parametrize("error", [ValueError("no"), broke(KeyError("x")), httpx2.InvalidURL("no")], ids=repr)
async def test_what_says_that_something_is_wrong_is_told_also_behind_a_whole_answer(error: Exception) -> None:
    with pytest.raises(type(error)):
        await read(Exchange(5.0), 1, 2, error, whole=2)


@pytest.mark.parametrize(("silence_s", "afterword_s"), [(0.02, 60.0), (math.inf, 0.01), (60.0, 0.01)])
async def test_silence_behind_a_whole_answer_ends_it(
    monkeypatch: pytest.MonkeyPatch, silence_s: float, afterword_s: float
) -> None:
    monkeypatch.setattr(module, "AFTERWORD_S", afterword_s)
    async with asyncio.timeout(20):
        assert await read(Exchange(5.0, silence_s), 1, 2, "silence", whole=2) == [1, 2]


async def test_connecting_has_the_deadline_of_the_exchange_under_way_and_no_other() -> None:
    request = httpx2.Request("POST", "http://example.test", extensions={"timeout": {"read": 7.0}})
    one, seen = Exchange(2.5), []

    async def send() -> AsyncIterator[object]:
        await before_request(request)
        seen.append(dict(request.extensions["timeout"]))
        return told(1)

    async for _ in one.events(send, lambda: False):
        other = httpx2.Request("POST", "http://example.test", extensions={"timeout": {"read": 7.0}})
        await before_request(other)
        seen.append(dict(other.extensions["timeout"]))
    assert seen == [{"connect": 2.5, "read": None, "write": None, "pool": None}, {"read": 7.0}]


@pytest.mark.parametrize(("status", "taken_for"), [(200, 200), (201, 200), (299, 200), (300, 300), (503, 503)])
async def test_every_good_status_is_the_usual_one(status: int, taken_for: int) -> None:
    one = Exchange(5.0)
    response = httpx2.Response(status, content=b"data: {}\n\n")

    async def send() -> AsyncIterator[object]:
        await after_response(response)
        return told()

    async for _ in one.events(send, lambda: False):
        pass
    assert one.response is response
    assert response.status_code == taken_for
    await one.aclose()
    assert response.is_closed


@pytest.mark.parametrize(
    ("packed", "read_as"), [("x-gzip", "gzip"), ("X-GZIP, br", "gzip, br"), ("gzip", "gzip"), ("BR", "BR"), ("", "")]
)
async def test_gzip_is_known_by_its_older_name_too(packed: str, read_as: str) -> None:
    response = httpx2.Response(200, headers={"content-encoding": packed} if packed else {})
    await after_response(response)
    assert response.headers.get("content-encoding", "") == read_as


async def test_an_exchange_that_did_not_get_so_far_has_nothing_to_close() -> None:
    one = Exchange(5.0)
    await one.aclose()
    assert one.response is None
