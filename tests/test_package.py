"""What is installed: a wheel outside the checkout finds all it needs, and importing stays light."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's contents, in a directory far from the checkout."""
    built = tmp_path_factory.mktemp("wheel")
    code = f"import os, hatchling.build; os.chdir({str(ROOT)!r}); hatchling.build.build_wheel({str(built)!r})"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    [wheel] = built.glob("*.whl")
    place = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


def run(installed: Path, home: Path, *arguments: str) -> str:
    keep = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    environment = {**keep, "PYTHONPATH": str(installed), "TUI_ORCHESTRATOR_HOME": str(home)}
    command = [sys.executable, "-P", *arguments]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_wheel_outside_the_checkout_finds_its_themes_and_its_example(installed: Path, tmp_path: Path) -> None:
    code = (
        "import tui_orchestrator\n"
        "from tui_orchestrator import locations\n"
        "print(tui_orchestrator.__file__)\n"
        "print(*(path.stem for path in locations.shipped_themes()))\n"
        "print(locations.shipped('config.example.toml'))\n"
    )
    where, themes, example = run(installed, tmp_path, "-c", code).splitlines()
    assert Path(where).is_relative_to(installed)
    assert {"dusk", "paper"} <= set(themes.split())
    assert Path(example).is_relative_to(installed)
    assert Path(example).read_text() == (ROOT / "config.example.toml").read_text()


def test_an_installed_program_answers_with_its_demo_models(installed: Path, tmp_path: Path) -> None:
    said = run(installed, tmp_path, "-m", "tui_orchestrator", "ask", "-m", "pebble-3b", "Hi")
    assert "Scripted demo answer" in said


def test_the_wheel_is_typed_and_carries_no_tests(installed: Path) -> None:
    assert (installed / "tui_orchestrator" / "py.typed").exists()
    assert not (installed / "tests").exists()


def test_importing_the_routing_library_drags_nothing_heavy_along() -> None:
    heavy = ["textual", "rich", "httpx2", "sqlite3", "anthropic", "openai", "google.genai", "genai_prices", "click"]
    code = f"import sys, tui_orchestrator.routing.router; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_first_screen_is_drawn_before_the_store_the_providers_and_the_router_are_read() -> None:
    later = (
        "storage",
        "providers",
        "routing.router",
        "routing.decide",
        "services.runtime",
        "services.chat",
        "ui.reports",
    )
    code = f"""
import sys
import tui_orchestrator.ui.app
print([name for name in sys.modules if name.startswith(tuple("tui_orchestrator." + one for one in {later}))])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
