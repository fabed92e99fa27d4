"""The two connection pools, and what of the environment keeps one from being made."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import httpcore2
import httpx2
import pytest

from tui_orchestrator.providers import clients as module
from tui_orchestrator.providers.clients import HttpClients, is_near
from tui_orchestrator.providers.environment import BadEnvironment, is_said, trouble
from tui_orchestrator.providers.gathering import GatheringBackend
from tui_orchestrator.providers.network import LookingUp
from tui_orchestrator.providers.reuse import pools
from tui_orchestrator.settings import ProviderSettings

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper() in VARIABLES:
            monkeypatch.delenv(name)
    for of, name in ((module, "_certificates"), (module, "_own_certificates"), (httpcore2, "default_ssl_context")):
        monkeypatch.setattr(of, name, cache(getattr(of, name).__wrapped__))


@pytest.mark.parametrize("gather_s", [0.0, 0.05])
async def test_both_pools_keep_connections_and_follow_nobody(gather_s: float) -> None:
    clients = HttpClients(gather_s)
    for client in (clients.cloud, clients.local):
        assert (client.timeout, client.follow_redirects) == (httpx2.Timeout(10.0), False)
        [pool] = pools(client)
        kept: Any = pool
        assert (kept._max_connections, kept._max_keepalive_connections, kept._keepalive_expiry) == (
            *(2**63 - 1, 100, 30.0),
        )
        backend: Any = pool._network_backend
        assert isinstance(backend, GatheringBackend if gather_s else LookingUp)
        assert not gather_s or (backend._every_s == gather_s and isinstance(backend._backend, LookingUp))
    assert clients.cloud.trust_env
    assert not clients.local.trust_env
    await clients.aclose()


async def test_only_the_clouds_goes_through_the_environments_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    clients = HttpClients()
    assert [len(list(pools(client))) for client in (clients.cloud, clients.local)] == [2, 1]
    assert clients.problem() == ""
    await clients.aclose()


@pytest.mark.parametrize(("cloud", "local"), [(True, False), (False, True), (False, False)])
async def test_only_what_is_wanted_is_made(cloud: bool, local: bool) -> None:
    clients = HttpClients()
    clients.make(cloud=cloud, local=local)
    assert (clients._cloud is not None, clients._local is not None) == (cloud, local)
    made = clients._cloud or clients._local
    clients.make(cloud=cloud, local=local)
    assert (clients._cloud or clients._local) is made
    await clients.aclose()
    assert made is None or made.is_closed


async def test_where_the_environment_spoils_the_cloud_a_server_on_this_machine_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spoilt = tmp_path / "none.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(spoilt))
    clients = HttpClients()
    clients.make(cloud=True, local=True)
    assert clients._local is not None
    with pytest.raises(BadEnvironment, match="SSL_CERT_FILE must be a file of certificates in PEM") as caught:
        _ = clients.cloud
    assert clients.problem() == caught.value.message
    assert not caught.value.retryable
    await clients.aclose()


@pytest.mark.parametrize("name", [*VARIABLES[:-1], *(name.lower() for name in VARIABLES[:-1])])
def test_what_is_worth_looking_at_is_known_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert not is_said()
    monkeypatch.setenv(name, "x")
    assert is_said()


def test_another_variable_is_not_worth_looking_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "x")
    monkeypatch.setenv("FTP_PROXY", "x")
    assert not is_said()
    assert trouble() is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "SSL_CERT_FILE",
            "{}/none",
            "SSL_CERT_FILE must be a file of certificates in PEM, and {}/none is none (No such file or directory).",
        ),
        ("SSL_CERT_FILE", "{}/text", "SSL_CERT_FILE must be a file of certificates in PEM, and {}/text is none ("),
        (
            "SSLKEYLOGFILE",
            "{}/none/log",
            "SSLKEYLOGFILE must be a file that can be written, and {}/none/log is none (No such file or directory).",
        ),
        ("SSLKEYLOGFILE", "{}/log", ""),
        ("SSL_CERT_DIR", "{}", ""),
        ("SSL_CERT_FILE", "", ""),
        (
            "HTTP_PROXY",
            "socks5://127.0.0.1:9",
            "HTTP_PROXY names a SOCKS proxy, for which the package socksio must be installed",
        ),
        (
            "https_proxy",
            "ftp://user:pw@127.0.0.1:9",
            "https_proxy must be the address of a proxy, as http://host:port.",
        ),
        ("Http_Proxy", "ftp://127.0.0.1:9", "Http_Proxy must be the address of a proxy, as http://host:port."),
        ("ALL_PROXY", "http://127.0.0.1:port", "ALL_PROXY must be the address of a proxy, as http://host:port ("),
        ("http_proxy", "127.0.0.1:9", ""),
        ("all_proxy", "https://user:pw@127.0.0.1:9", ""),
    ],
)
def test_the_variable_that_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, said: str
) -> None:
    (tmp_path / "text").write_text("no certificate")
    monkeypatch.setenv(name, value.format(tmp_path))
    found = trouble()
    assert (found is not None) == bool(said)
    if found is not None:
        assert str(found).startswith(said.format(tmp_path))
        assert str(found).endswith(".")
        assert "user" not in str(found)


@pytest.mark.parametrize(
    ("url", "local", "near"),
    [
        (None, False, False),
        (None, True, True),
        (" http://127.0.0.1:9 ", False, True),
        ("http://localhost/v1", False, True),
        ("http://example.test", False, False),
        ("http://example.test", True, True),
    ],
)
def test_who_is_spoken_to_without_a_proxy(url: str | None, local: bool, near: bool) -> None:
    assert is_near(ProviderSettings("mine", "openai", url, local=local)) == near
