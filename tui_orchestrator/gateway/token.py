"""The token that a client of the gateway must know."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ..locations import config_dir
from ..settings import write_privately

VARIABLE = "TUI_ORCHESTRATOR_GATEWAY_TOKEN"


def token_file() -> Path:
    return config_dir() / "gateway-token"


def from_environment() -> str:
    """'' where it says none."""
    return os.environ.get(VARIABLE, "").strip()


def read_or_make() -> str:
    """From the environment, else from the file, which is made, 0600, when it is missing. Blocking. Raises OSError."""
    if said := from_environment():
        return said
    path = token_file()
    if path.exists():
        kept = path.read_text(encoding="ascii", errors="replace").strip()
        if kept:
            return kept
    token = f"tui-{secrets.token_urlsafe(32)}"
    write_privately(path, token + "\n")
    return token
