"""Who may ask the gateway."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import httpx2
import pytest

from tui_orchestrator.gateway import guard
from tui_orchestrator.gateway.token import read_or_make, token_file

from .conftest import TOKEN, Gateway

QUESTION = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}]}
PATH = "/v1/chat/completions"


HEADERS: list[tuple[dict[str, str], int]] = [
    ({}, 401),
    ({"authorization": "Bearer wrong"}, 401),
    ({"authorization": f"Basic {TOKEN}"}, 401),
    ({"authorization": f"Bearer {TOKEN}"}, 200),
    ({"x-api-key": TOKEN}, 200),
    ({"authorization": f"Bearer {TOKEN}", "host": "evil.example"}, 403),
    ({"authorization": f"Bearer {TOKEN}", "host": "localhost"}, 200),
    ({"authorization": f"Bearer {TOKEN}", "origin": "https://evil.example"}, 403),
    ({"authorization": f"Bearer {TOKEN}", "origin": "http://localhost:3000"}, 200),
    ({"authorization": f"Bearer {TOKEN}", "origin": "null"}, 403),
    ({"authorization": f"Bearer {TOKEN}", "host": "["}, 403),
    ({"authorization": f"Bearer {TOKEN}", "host": "[::1"}, 403),
    ({"authorization": f"Bearer {TOKEN}", "host": "a]b"}, 403),
    ({"authorization": f"Bearer {TOKEN}", "origin": "http://["}, 403),
    ({"authorization": f"Bearer {TOKEN}", "host": "LOCALHOST:8765"}, 200),
    ({"authorization": f"Bearer {TOKEN}", "host": "[::1]:8765"}, 200),
    ({"authorization": f"Bearer {TOKEN}", "host": "evil.example@localhost"}, 403),
    ({"authorization": f"Bearer {TOKEN}", "host": "localhost/evil.example"}, 403),
    ({"authorization": f"Bearer {TOKEN}", "host": "localhost?evil.example"}, 403),
    ({"authorization": f"Bearer {TOKEN}", "host": "localhost#evil.example"}, 403),
    ({"authorization": f"Bearer {TOKEN}", "host": "localhost:evil"}, 403),
    ({"authorization": f"Bearer {TOKEN}", "origin": "HTTPS://[::1]:3000"}, 200),
    ({"authorization": f"Bearer {TOKEN}", "origin": "http://evil.example@localhost"}, 403),
    ({"authorization": f"Bearer {TOKEN}", "origin": "http://localhost/evil.example"}, 403),
    ({"authorization": f"Bearer {TOKEN}", "origin": "evil://localhost"}, 403),
]


async def test_the_token_the_host_and_the_origin_are_checked(gateway: Gateway) -> None:
    for headers, status in HEADERS:
        before = len(gateway.asked)
        async with httpx2.AsyncClient(base_url=gateway.address, timeout=60) as client:
            said = await client.post(PATH, json=QUESTION, headers=headers)
        assert said.status_code == status, headers
        if status != 200:
            assert said.json()["error"]["message"]
            assert len(gateway.asked) == before, headers


async def raw(gateway: Gateway, target: str, host: str) -> int:
    """The status of the answer to a request for this target, whatever it looks like."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.address.rpartition(":")[2]))
    asked = f"GET {target} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n"
    writer.write(asked.encode())
    said = await reader.read()
    writer.close()
    return int(said.split()[1])


WHOLE_ADDRESSES = [
    ("http://localhost/v1/models", "localhost", 200),
    ("HTTP://127.0.0.1:8765/v1/models?limit=1", "localhost", 200),
    ("http://localhost/health", "localhost", 200),
    ("http://localhost", "localhost", 404),
    ("http://localhost/v1/models", "evil.example", 200),  # the header says nothing beside a whole address
    ("http://evil.example/v1/models", "localhost", 403),
    ("http://localhost@evil.example/v1/models", "localhost", 403),
    ("http:///v1/models", "localhost", 403),
]


async def test_a_whole_address_is_taken_by_the_name_in_it(gateway: Gateway) -> None:
    for target, host, status in WHOLE_ADDRESSES:
        assert await raw(gateway, target, host) == status, (target, host)


async def test_a_body_that_is_too_large_is_not_read(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    large = b"x" * (guard.MOST_BYTES + 1)

    async def pieces() -> object:
        for _ in range(33):
            yield b"x" * 2**20

    async with gateway.http() as client:
        assert (await client.post(PATH, content=large)).status_code == 413
        assert (await client.post(PATH, content=pieces())).status_code == 413  # type: ignore[arg-type]
    assert gateway.asked == []


def test_the_token_is_made_once_and_readable_by_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path))
    monkeypatch.delenv("TUI_ORCHESTRATOR_GATEWAY_TOKEN", raising=False)
    token = read_or_make()
    assert len(token) > 40
    assert read_or_make() == token
    assert os.stat(token_file()).st_mode & 0o777 == 0o600
    monkeypatch.setenv("TUI_ORCHESTRATOR_GATEWAY_TOKEN", "mine")
    assert read_or_make() == "mine"


async def test_an_address_that_is_not_there_says_where_to_look(gateway: Gateway) -> None:
    async with gateway.http() as client:
        said = await client.get("/v2/chat")
    assert said.status_code == 404
    assert "openapi.json" in said.json()["error"]["message"]


async def test_an_address_with_control_characters_is_cleaned_before_it_is_repeated(gateway: Gateway) -> None:
    async with gateway.http() as client:
        said = await client.get("/v1/%1b%5d52;c;x%07%e2%80%ae" + "y" * 5000)
    message = said.json()["error"]["message"]
    assert said.status_code == 404
    assert "]52;c;x" in message
    assert message.isprintable()
    assert len(message) < 400
