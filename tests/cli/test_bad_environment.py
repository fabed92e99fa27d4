"""Variables for certificates and proxies with which no connection can be made."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import httpcore2
import pytest

from tests.cli.conftest import FAR, Shell
from tui_orchestrator.demo import Say
from tui_orchestrator.providers import clients

CERTIFICATE = Path(__file__).parents[1] / "wire" / "unvouched.pem"
BAD = [
    (
        "SSL_CERT_FILE",
        "/nowhere/all.pem",
        "SSL_CERT_FILE must be a file of certificates in PEM, and /nowhere/all.pem is none (No such file or directory)",
    ),
    ("SSL_CERT_FILE", __file__, "SSL_CERT_FILE must be a file of certificates in PEM"),
    ("ALL_PROXY", "socks5h://h:1080", "ALL_PROXY names a SOCKS proxy, for which the package socksio must be installed"),
    ("HTTPS_PROXY", "http://me:secret@h:port", "HTTPS_PROXY must be the address of a proxy, as http://host:port"),
    ("https_proxy", "ftp://me:secret@h", "https_proxy must be the address of a proxy, as http://host:port"),
]


@pytest.fixture(autouse=True)
def _nothing_is_read_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((clients, "_certificates"), (httpcore2, "default_ssl_context")):
        monkeypatch.setattr(module, name, cache(getattr(module, name).__wrapped__))


@pytest.mark.parametrize(("name", "value", "said"), BAD)
async def test_a_variable_that_lets_no_connection_be_made_is_named_and_the_machines_own_servers_answer(
    shell: Shell, name: str, value: str, said: str
) -> None:
    shell.config.write_text(shell.config.read_text() + FAR)
    shell.script.always(Say(text="ready"))
    bad = {name: value}
    for command in (("models",), ("doctor",), ("ask", "-m", "far/model", "hello")):
        ended = await shell.run(*command, **bad)
        told = " ".join(f"{ended.out} {ended.err}".split())
        assert said in told, command
        assert "Traceback" not in told
        assert "mistake of the program" not in told
        assert "secret" not in told
        assert "_ssl.c" not in told
        if command == ("doctor",):
            assert "check that it runs and that base_url is right" in told
    assert ended.code == 1
    assert told.count(said) == 2, "as a notice, and as what befell the turn"
    for model in ("gemini/lumen-dash", "openai/rush-mini", "anthropic/tern-max"):
        ended = await shell.run("ask", "-m", model, "hello", **bad)
        assert (ended.code, ended.out.strip()) == (0, "ready"), model


async def test_a_key_log_that_cannot_be_written_is_named(shell: Shell) -> None:
    shell.config.write_text(shell.config.read_text() + FAR)
    bad = {"SSL_CERT_FILE": str(CERTIFICATE), "SSLKEYLOGFILE": "/nowhere/keys"}
    ended = await shell.run("ask", "-m", "far/model", "hello", **bad)
    assert ended.code == 1
    assert "SSLKEYLOGFILE must be a file that can be written, and /nowhere/keys is none" in " ".join(ended.err.split())
