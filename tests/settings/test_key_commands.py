"""A command that is asked for a key leaves nothing behind, however it or the program ends."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tui_orchestrator.settings import Secret, Settings, key_commands

Load = Callable[..., Settings]
PATIENCE_S = 30
GRANDCHILDREN = "exec 3> {held}; sleep 600 & sleep 600 | sleep 600"
LOADING = """
import sys
from pathlib import Path
from tui_orchestrator.settings import load
load(Path(sys.argv[1]))
"""


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """A pipe with a name: whoever opened it for writing is gone when it has an end."""
    path = tmp_path / "held"
    os.mkfifo(path)
    return path


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_orchestrator.settings.key_commands._SECONDS", 0.5)


def command(script: str) -> str:
    return f'[providers.openai]\napi_key_command = """sh -c \'{script}\'"""\n'


def everybody_has_gone(reader: int) -> bool:
    ended, _, _ = select.select([reader], [], [], PATIENCE_S)
    os.close(reader)
    return bool(ended)


def test_a_command_has_as_long_as_the_documents_say() -> None:
    assert "A command has ten seconds" in (Path(__file__).parents[2] / "docs/safety.md").read_text()
    assert key_commands._SECONDS == 10


@pytest.mark.usefixtures("quick", "childless")
def test_what_a_command_has_started_ends_when_its_time_is_up(loaded: Load, held: Path) -> None:
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    provider = loaded(command(GRANDCHILDREN.format(held=held))).providers["openai"]
    assert "took longer than" in provider.key_problem
    assert everybody_has_gone(reader)


@pytest.mark.usefixtures("childless")
def test_a_key_counts_although_something_of_the_command_s_goes_on(loaded: Load, held: Path) -> None:
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    provider = loaded(command(f"exec 3> {held}; sleep 600 & echo key-from-a-shell")).providers["openai"]
    assert provider.api_key == Secret("key-from-a-shell")
    assert everybody_has_gone(reader), "it has ended with the command"


def _as_from_a_terminal() -> None:
    """However the tests were started: `nohup` has the one ignored, a shell's `&` the other."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_what_a_command_has_started_ends_with_the_program(home: Path, tmp_path: Path, held: Path, end: int) -> None:
    config = tmp_path / "config.toml"
    config.write_text(command(GRANDCHILDREN.format(held=held)))
    program = subprocess.Popen(
        [sys.executable, "-c", LOADING, str(config)],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TUI_ORCHESTRATOR_HOME": str(home)},
        preexec_fn=_as_from_a_terminal,
    )
    with held.open("rb") as reader:  # opens when the grandchild does
        program.send_signal(end)
        assert reader.read() == b""
    assert program.wait() != 0


@pytest.mark.usefixtures("quick")
def test_a_command_that_prints_without_end_is_a_sentence(loaded: Load) -> None:
    assert "printed without end" in loaded(command("yes")).providers["openai"].key_problem


def test_a_command_has_no_stdin_no_terminal_and_says_nothing_on_stderr(
    loaded: Load, capfd: pytest.CaptureFixture[str]
) -> None:
    script = "cat; echo sk-in-trouble >&2; (: < /dev/tty) 2> /dev/null || echo key-without-terminal"
    provider = loaded(command(script)).providers["openai"]
    assert provider.api_key == Secret("key-without-terminal")
    assert capfd.readouterr() == ("", "")


def test_several_commands_run_at_once(loaded: Load, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"  # each waits for the other
    os.mkfifo(one)
    os.mkfifo(other)
    text = (
        f'[providers.openai]\napi_key_command = """sh -c \'echo > {one}; cat {other}; echo key-number-one\'"""\n'
        f'[providers.gemini]\napi_key_command = """sh -c \'cat {one}; echo > {other}; echo key-number-two\'"""\n'
    )
    providers = loaded(text).providers
    keys = [providers[name].api_key for name in ("openai", "gemini")]
    assert keys == [Secret("key-number-one"), Secret("key-number-two")]
