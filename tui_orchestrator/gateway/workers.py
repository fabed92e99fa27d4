"""What worker processes are told by the one that starts them, which imports nothing of what they serve."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .token import read_or_make

if TYPE_CHECKING:
    from starlette.applications import Starlette

FACTORY = "tui_orchestrator.gateway.workers:application"
_CONFIG, _DEMO, _HOSTS = "TUI_ORCHESTRATOR_SERVE_CONFIG", "TUI_ORCHESTRATOR_SERVE_DEMO", "TUI_ORCHESTRATOR_SERVE_HOSTS"


def tell(config: Path | None, demo: bool | None, hosts: Sequence[str]) -> None:
    """Through the environment: they are given names and no objects."""
    os.environ.update({_CONFIG: str(config or ""), _DEMO: "1" if demo else "", _HOSTS: ",".join(hosts)})


def application() -> Starlette:
    """Of a worker, as it was told."""
    from .app import application

    config = os.environ.get(_CONFIG)
    hosts = [host for host in os.environ.get(_HOSTS, "").split(",") if host]
    demo = True if os.environ.get(_DEMO) else None
    return application(read_or_make(), config=Path(config) if config else None, demo=demo, hosts=hosts)
