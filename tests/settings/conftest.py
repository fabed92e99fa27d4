import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui_orchestrator.settings import Settings, SettingsError, load

Load = Callable[..., Settings]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything of the program's lies here; nothing of the machine's own is read."""
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _children() -> set[str]:
    """Of this process, ended ones that nobody has waited for among them; none where the system does not list them."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(status.parent.name)
    return found


@pytest.fixture
def childless() -> Iterator[None]:
    """No process that the test has started is left: others may have started some for good."""
    before = _children()
    yield
    assert _children() <= before


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


@pytest.fixture
def loaded(home: Path, project: Path, tmp_path: Path) -> Load:
    """Loads what it is given: the user's file, the project's, its .env, the environment, flags."""

    def loading(
        user: str = "", own: str = "", dotenv: str = "", env: dict[str, str] | None = None, **flags: object
    ) -> Settings:
        file = home / "config" / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(0o600)
        for path, text in ((file, user), (project / "tui-orchestrator.toml", own), (project / ".env", dotenv)):
            path.write_text(text, encoding="utf-8")
        overrides = {name.replace("__", "."): value for name, value in flags.items()}
        return load(environ={"TUI_ORCHESTRATOR_HOME": str(home), **(env or {})}, cwd=project, overrides=overrides)

    return loading


@pytest.fixture
def problems(loaded: Load, home: Path) -> Callable[..., list[str]]:
    """What is said of wrong settings, the user's file called FILE."""

    def of(*args: str, **kwargs: object) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            loaded(*args, **kwargs)
        return [p.replace(str(home / "config" / "config.toml"), "FILE") for p in caught.value.problems]

    return of
