"""The system's keyring, whose backend may do whatever it likes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tui_orchestrator.settings import Secret, Settings
from tui_orchestrator.settings.key_commands import ask, to_keyring
from tui_orchestrator.settings.servers import NoKey

Load = Callable[..., Settings]
ASKED = "[providers.openai]\napi_key_keyring = true"
BACKEND = """
import getpass, os, sys, threading, time
from pathlib import Path
from keyring.backend import KeyringBackend
from keyring.errors import NoKeyringError

class Tested(KeyringBackend):
    priority = 1

    def get_password(self, service, user):
        {gives}

    def set_password(self, service, user, key):
        {takes}
"""


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has the real library ask one that does this."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tested_backend.Tested")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)

    def doing(gives: str = "return None", takes: str = "return None") -> None:
        (tmp_path / "tested_backend.py").write_text(BACKEND.format(gives=gives, takes=takes))

    return doing


def test_it_is_asked_only_when_the_settings_say_so(loaded: Load, backend: Callable[..., None]) -> None:
    backend("return f'ring-key-of-{user}-{service}'")
    assert loaded().providers["openai"].api_key is None
    provider = loaded(ASKED).providers["openai"]
    assert (provider.api_key, provider.key_origin) == (Secret("ring-key-of-openai-tui-orchestrator"), "keyring")
    assert loaded(ASKED, env={"OPENAI_API_KEY": "set-key"}).providers["openai"].key_origin == "OPENAI_API_KEY"


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        ("return None", "it holds no key; store one with: keyring set tui-orchestrator openai"),
        ("return ''", "gave nothing"),
        ("return 'sk-\\x1b]52;c;aGk=\\x07'", "what it gave is no key"),
        ("return 'sk-\\udc80'", "what it gave is no key"),
        ("return 'k' * 1_000_000", "what it gave is no key: it has more than 8,192 characters"),
        ("return b'sk-bytes'", "the system keyring failed (it gave bytes, not text)"),
        ("return 42", "the system keyring failed (it gave int, not text)"),
        ("raise RuntimeError('sk-locked')", "the system keyring failed (RuntimeError); is it unlocked?"),
        ("raise NoKeyringError", "this system has no keyring; use api_key_env or api_key_command instead"),
        ("sys.exit(3)", "the system keyring failed (SystemExit)"),
        ("raise KeyboardInterrupt", "the system keyring failed (KeyboardInterrupt)"),
        ("os.kill(os.getpid(), 11)", "the system keyring failed (it ended without an answer)"),
        ("os._exit(0)", "the system keyring failed (it ended without an answer)"),
        ("return getpass.getpass('Unlock: ')", "the system keyring failed (EOFError)"),
    ],
)
def test_whatever_it_does_is_one_sentence(
    loaded: Load, backend: Callable[..., None], capfd: pytest.CaptureFixture[str], gives: str, said: str
) -> None:
    backend(gives)
    provider = loaded(ASKED).providers["openai"]
    assert provider.api_key is None
    assert provider.key_problem.startswith(f"api_key_keyring: {said}")
    assert "sk-" not in provider.key_problem
    assert capfd.readouterr() == ("", "")


def test_what_it_prints_and_leaves_running_is_no_part_of_the_key(
    loaded: Load, backend: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    backend(
        "threading.Thread(target=time.sleep, args=[600]).start(); print('unlocking', flush=True); "
        "print('unlocked', file=sys.stderr, flush=True); return 'ring-key'"
    )
    assert loaded(ASKED).providers["openai"].api_key == Secret("ring-key")
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("childless")
def test_one_that_never_answers_is_waited_for_no_longer_than_a_while_and_is_ended(
    loaded: Load, backend: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_orchestrator.settings.key_commands._Keyring.seconds", 0.5)
    backend("time.sleep(600)")
    assert "the system keyring did not answer within" in loaded(ASKED).providers["openai"].key_problem


def test_whoever_waits_for_it_is_told_once(
    backend: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_orchestrator.settings.key_commands._PATIENCE_S", 0.0)
    for name in ("unlocked", "known"):
        os.mkfifo(tmp_path / name)
    backend(f"Path({str(tmp_path / 'unlocked')!r}).read_text(); return f'key-of-{{user}}'")
    told: list[str] = []

    def waiting(sentence: str) -> None:
        told.append(sentence)
        for name in ("unlocked", "known"):  # opens when whoever waits for it is there
            (tmp_path / name).write_text("now")

    commands = {"team": ("sh", "-c", f"read -r _ < {tmp_path / 'known'}; echo key-of-team")}
    found = ask(commands, ["openai"], waiting)
    assert found == {"openai": Secret("key-of-openai"), "team": Secret("key-of-team")}
    assert told == [
        "Waiting for 'sh', which api_key_command names, and the system keyring, which may want to be unlocked, at most "
        "30 seconds."
    ]


def test_several_providers_wait_for_it_together(loaded: Load, backend: Callable[..., None], tmp_path: Path) -> None:
    for name in ("openai", "gemini"):  # each is told by the other
        os.mkfifo(tmp_path / name)
    at = repr(str(tmp_path))
    backend(
        f"a, b = (Path({at}, name) for name in ('openai', 'gemini')); "
        "user == 'openai' and (a.write_text('x'), b.read_text()); "
        "user == 'gemini' and (a.read_text(), b.write_text('x')); return f'key-of-{user}'"
    )
    providers = loaded(f"{ASKED}\n[providers.gemini]\napi_key_keyring = true").providers
    assert [providers[name].api_key for name in ("openai", "gemini")] == [
        Secret("key-of-openai"),
        Secret("key-of-gemini"),
    ]


def test_a_library_that_is_not_installed_is_named_and_none_of_the_working_directory_is_taken_for_it(
    loaded: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keyring.py").write_text("def get_password(service, user): return 'key-of-the-project'")
    monkeypatch.chdir(tmp_path)
    # A Python without the packages of this one.
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(bare))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert "pip install 'tui-orchestrator[keyring]'" in loaded(ASKED).providers["openai"].key_problem


@pytest.mark.parametrize(
    ("takes", "said"),
    [
        ("raise RuntimeError('key-to-hold')", "the system keyring did not take it (RuntimeError); name an environment"),
        ("raise NoKeyringError", "there is no keyring here; name an environment variable for the key"),
        ("os._exit(0)", "the system keyring did not take it (it ended without an answer); name an environment"),
        ("time.sleep(600)", "the system keyring did not answer within 1 seconds; name an environment variable"),
        ("print(getpass.getpass('Unlock: '))", "the system keyring did not take it (EOFError); name an environment"),
    ],
)
def test_one_that_does_not_take_a_key_is_one_sentence(
    backend: Callable[..., None], monkeypatch: pytest.MonkeyPatch, takes: str, said: str
) -> None:
    if "sleep" in takes:
        monkeypatch.setattr("tui_orchestrator.settings.key_commands._KEYRING_S", 1.0)
    backend(takes=takes)
    with pytest.raises(NoKey) as caught:
        asyncio.run(to_keyring("team", "key-to-hold"))
    assert str(caught.value).startswith(said)


ELSE = "name an environment variable for the key, or api_key_command in the settings"


@pytest.mark.parametrize(
    ("takes", "gives", "said"),
    [
        ("return None", "return None", "did not keep it: it does not give it back"),
        ("return None", "return 'key-of-before'", "did not keep it: it does not give it back"),
        # Kept as long as the process that was given it lasts.
        ("self.key = key", "return getattr(self, 'key', None)", "did not keep it: it does not give it back"),
        ("return None", "raise RuntimeError('key-to-hold')", "did not give it back (RuntimeError)"),
        ("return None", "return b'key-to-hold'", "did not give it back (it gave bytes, not text)"),
    ],
)
def test_one_that_takes_a_key_and_does_not_give_it_back_keeps_none(
    backend: Callable[..., None], takes: str, gives: str, said: str
) -> None:
    backend(gives=gives, takes=takes)
    with pytest.raises(NoKey) as caught:
        asyncio.run(to_keyring("team", "key-to-hold"))
    assert str(caught.value) == f"the system keyring {said}; {ELSE}"


CHOSEN = [
    ("keyring.backends.null.Keyring", "keeps nothing"),
    ("keyrings.that.are.not.there.Keyring", "is not installed"),
    ("keyring.backends.null.Kept", "is not installed"),
    ("Keyring", "is not installed"),
]


@pytest.mark.parametrize(("name", "fault"), CHOSEN)
def test_a_chosen_backend_that_can_hold_no_key_is_named_and_no_key_is_stored_in_it(
    loaded: Load, monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", name)
    said = f"the keyring backend that PYTHON_KEYRING_BACKEND names, '{name}', {fault}"
    problem = loaded(ASKED).providers["openai"].key_problem
    assert problem == f"api_key_keyring: {said}; use api_key_env or api_key_command instead"
    with pytest.raises(NoKey) as caught:
        asyncio.run(to_keyring("team", "key-to-hold"))
    assert str(caught.value) == f"{said}; {ELSE}"


@pytest.mark.parametrize(("name", "fault"), CHOSEN)
def test_one_that_the_library_s_own_file_chooses_is_told_so(
    loaded: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "python_keyring").mkdir()
    (tmp_path / "python_keyring/keyringrc.cfg").write_text(f"[backend]\ndefault-keyring={name}\n")
    problem = loaded(ASKED).providers["openai"].key_problem
    assert problem.startswith(f"api_key_keyring: the keyring backend that keyringrc.cfg names {fault}; ")


def test_one_that_takes_a_key_is_given_it_whole_and_asked_for_it(backend: Callable[..., None], tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    backend(
        gives=f"return Path({str(taken)!r}).read_text().split()[2]",
        takes=f"Path({str(taken)!r}).write_text(' '.join([service, user, key]))",
    )
    asyncio.run(to_keyring("team", "key-to-hold"))
    assert taken.read_text() == "tui-orchestrator team key-to-hold"
