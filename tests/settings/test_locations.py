from collections.abc import Callable
from pathlib import Path

import pytest

from tui_orchestrator import locations


def test_one_directory_for_all_when_it_is_named(home: Path) -> None:
    assert locations.config_file() == home / "config" / "config.toml"
    assert locations.themes_dir() == home / "config" / "themes"
    assert locations.store_file() == home / "data" / "store.db"
    assert locations.cache_dir() == home / "cache"
    assert not home.exists()


def test_the_demo_keeps_a_store_of_its_own(home: Path) -> None:
    assert locations.store_file(demo=True) == home / "data" / "demo.db"


def test_otherwise_things_lie_where_the_system_keeps_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TUI_ORCHESTRATOR_HOME", raising=False)
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    assert locations.config_dir() == tmp_path / "CONFIG" / "tui-orchestrator"
    assert locations.data_dir() == tmp_path / "DATA" / "tui-orchestrator"
    assert locations.cache_dir() == tmp_path / "CACHE" / "tui-orchestrator"


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TUI_ORCHESTRATOR_HOME", "HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    # As for a user id that the system's user database does not know, in a container for one.
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError("getpwuid(): uid not found")))
    monkeypatch.setattr(locations, "_without_home", False)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_directory_there_is_a_sentence() -> None:
    with pytest.raises(
        locations.LocationError, match=r"no home directory was found.*set HOME or TUI_ORCHESTRATOR_HOME"
    ):
        locations.config_file()


@pytest.mark.usefixtures("homeless")
def test_who_does_without_one_has_places_where_nothing_can_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert locations.do_without_home().startswith("no home directory was found; set HOME or TUI_ORCHESTRATOR_HOME")
    assert locations.config_file() == tmp_path / "tui-orchestrator" / "config.toml", "what there is still counts"
    for place in (locations.data_dir(), locations.cache_dir()):
        assert not place.exists()
        with pytest.raises(NotADirectoryError):
            locations.private(place)


def test_who_has_a_home_does_not_do_without(home: Path) -> None:
    assert locations.do_without_home() == ""
    assert locations.data_dir() == home / "data"


@pytest.mark.parametrize("asked", [locations.data_dir, locations.do_without_home])
def test_a_home_that_nobody_knows_is_a_sentence(monkeypatch: pytest.MonkeyPatch, asked: Callable[[], object]) -> None:
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", "~nobody-of-that-name/x")
    with pytest.raises(locations.LocationError, match="give a whole path"):
        asked()


def test_what_is_shipped_is_found_in_the_package_before_the_checkout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "site" / "tui_orchestrator"
    (tmp_path / "site" / "themes").mkdir(parents=True)
    package.mkdir()
    monkeypatch.setattr(locations, "__file__", str(package / "locations.py"))
    (tmp_path / "site" / "themes" / "b.toml").touch()
    (tmp_path / "site" / "themes" / "a.toml").touch()
    assert [path.name for path in locations.shipped_themes()] == ["a.toml", "b.toml"]
    (package / "themes").mkdir()
    assert locations.shipped_themes() == ()
    (package / "themes" / "c.toml").touch()
    assert [path.name for path in locations.shipped_themes()] == ["c.toml"]
