from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .redis_server import RedisServer


@pytest.fixture(scope="session")
def one_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_server(one_redis: RedisServer) -> RedisServer:
    """Empty, and shared by all tests: not to be killed."""
    with one_redis.plain as client:
        client.flushall()
    return one_redis


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RedisServer]:
    """One to be killed, that writes everything down at once."""
    directory = tmp_path / "redis"
    directory.mkdir()
    server = RedisServer(directory, "--appendonly", "yes", "--appendfsync", "always")
    server.start()
    yield server
    server.kill()
