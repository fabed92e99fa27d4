"""How each program is started against the server, and which keys lead to its prompt."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .screen import Terminal

OURS = "tui-orchestrator"
PACKAGES = {"elia": "elia-chat", "oterm": "oterm", "parllama": "parllama", "gptme": "gptme"}
"""On the package index."""
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR")


class Unavailable(Exception):
    """A peer that cannot be measured here, and why."""


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    command: Sequence[str]
    prepare: Callable[[Path, int], Mapping[str, str]]
    """Writes its configuration into that home, for the server at that port; returns what its environment needs."""
    to_prompt: Callable[[Terminal], None] = lambda terminal: None
    """From its first screen to where a prompt can be typed."""
    submit: str = "\r"

    def start(self, home: Path, port: int) -> Terminal:
        """In that home, which may hold what an earlier start left."""
        for kind in ("config", "data", "cache", "state"):
            (home / kind).mkdir(parents=True, exist_ok=True)
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment |= {
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_STATE_HOME": str(home / "state"),
        }
        environment |= self.prepare(home, port)
        return Terminal(self.command, environment, home)


def ours() -> Program:
    """That of this checkout."""
    return Program(OURS, (sys.executable, "-m", "tui_orchestrator"), _prepare_ours)


_OURS = """
[router]
check = "off"
confidence_threshold = 0.0
max_tokens = 10000
discover_local = false

[providers.bench]
kind = "openai-compatible"
base_url = "http://127.0.0.1:{port}/v1"
"""
_MODEL = """
[[models]]
id = "bench/{name}"
level = "{level}"
context_window = 1000000
max_output = 100000
family = "{name}"
"""


def _prepare_ours(home: Path, port: int) -> Mapping[str, str]:
    levels = {"alpha": "expert", "beta": "advanced", "gamma": "advanced"}
    models = "".join(_MODEL.format(name=name, level=level) for name, level in levels.items())
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "config.toml").write_text(_OURS.format(port=port) + models)
    return {"TUI_ORCHESTRATOR_HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])}


def install(name: str, environments: Path) -> Program:
    """A peer, in an environment of its own that is kept for the next time. Raises Unavailable."""
    if name not in _PEERS:
        raise Unavailable(f"there is no driver for it; there is one for {', '.join(_PEERS)}")
    place = environments / name
    python = place / "bin" / "python"
    try:
        if not (place / "installed").exists():
            subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, capture_output=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, PACKAGES[name]], check=True, capture_output=True, text=True, timeout=900)
            (place / "installed").touch()
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise Unavailable(f"cannot be installed: {str(said).strip()[-300:]}") from error
    return _PEERS[name](place / "bin")


def _elia(programs: Path) -> Program:
    def prepare(home: Path, port: int) -> Mapping[str, str]:
        folder = home / "config" / "elia"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.toml").write_text(
            'default_model = "openai/alpha"\n\n[[models]]\nname = "openai/alpha"\n'
            f'api_base = "http://127.0.0.1:{port}/v1"\napi_key = "none"\n'
        )
        return {"OPENAI_API_KEY": "none"}

    return Program("elia", (str(programs / "elia"),), prepare, submit="\n")


_PEERS: dict[str, Callable[[Path], Program]] = {"elia": _elia}
