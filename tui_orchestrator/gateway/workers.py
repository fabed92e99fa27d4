"""What worker processes are told by the one that starts them, and what they share with it."""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Sequence
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


def share(modules: Iterable[str]) -> None:
    """Imports these modules and what the gateway needs, and has uvicorn fork its workers from here: two of them take
    less memory than two programs, and start at once. On Linux alone. To be called when no thread runs."""
    if sys.platform != "linux":
        return  # elsewhere the system's own libraries do not bear it
    import uvicorn._subprocess

    from ..routing import learned, prediction
    from . import app as app

    for module in modules:
        importlib.import_module(module)
    prediction.weights()
    learned.weights()
    # Each would else be an interpreter of its own, and uvicorn has no word for anything else.
    uvicorn._subprocess.spawn = multiprocessing.get_context("fork")  # type: ignore[assignment]
    # A look for garbage writes to every object that it sees, and what is written to is no longer shared.
    gc.collect()
    gc.freeze()


def application() -> Starlette:
    """Of a worker, as it was told."""
    from .app import application

    for inherited in (signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(inherited, signal.SIG_DFL)  # of the process that minds the workers
    config = os.environ.get(_CONFIG)
    hosts = [host for host in os.environ.get(_HOSTS, "").split(",") if host]
    demo = True if os.environ.get(_DEMO) else None
    return application(read_or_make(), config=Path(config) if config else None, demo=demo, hosts=hosts)
