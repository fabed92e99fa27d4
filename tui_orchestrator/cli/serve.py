"""`serve`: the gateway."""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
import sys

import click

from ..settings import masked
from .manners import FAILED, USAGE, Invocation, Stop, note, run
from .streams import end_now, tell

SETTLED = {
    "http": "tui_orchestrator.gateway.connections:Connection",
    "ws": "none",
    "log_level": "warning",
    "access_log": False,
    "timeout_graceful_shutdown": 30,
    "h11_max_incomplete_event_size": 65536,
    "log_config": {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"stderr": {"class": f"{__name__}.Lines"}},
        "loggers": {"uvicorn": {"handlers": ["stderr"], "propagate": False}},
    },
}
"""What uvicorn is told."""


_ANYBODY_MAY = "Invalid HTTP request received."
"""What uvicorn says each time that something else than a request comes; who sent it is told."""


class Lines(logging.Handler):
    """What uvicorn says of itself, as all that is printed: without control characters and keys. What it logs of a
    mistake of the program may quote anything."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg != _ANYBODY_MAY:
            tell(masked(self.format(record)))

    def flush(self) -> None:
        # At the end of the process; a worker waits for nothing else that is still to be written.
        end_now()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, metavar="N", help="0: any.")
@click.option(
    "--allow-host", "hosts", multiple=True, metavar="NAME", help="A name clients elsewhere know it by. May be repeated."
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, metavar="N", help="Processes.")
@click.pass_obj
def serve(invocation: Invocation, host: str, port: int, hosts: tuple[str, ...], workers: int) -> None:
    """Serve the router to any client that speaks OpenAI's chat completions.

    The client's base URL is the printed one; its key is the token that lies in the printed file (or in
    TUI_ORCHESTRATOR_GATEWAY_TOKEN); its model is auto, a strategy, a chain or a model. Routing, caps, fallbacks and the
    ledger are those of the console.

    \b
    Examples:
      tui-orchestrator serve
      tui-orchestrator --demo serve --port 8080
      tui-orchestrator serve --workers 2

    Ends with Ctrl-C: what is under way is finished first.
    """
    try:
        import starlette  # noqa: F401  # the workers import it, where there are several
        import uvicorn

        from ..gateway.token import VARIABLE, from_environment, read_or_make, token_file
    except ImportError as error:
        if error.name not in ("uvicorn", "starlette"):
            raise
        raise Stop("the gateway needs two more packages: pip install 'tui-orchestrator[gateway]'", FAILED) from None
    if not _is_loopback(host) and not hosts:
        raise Stop("--host opens the gateway to other machines; say with --allow-host by what name they know it", USAGE)
    modules = run(_modules(invocation))  # says now in a sentence what is wrong, not in every worker
    try:
        token = read_or_make()
    except OSError as error:
        raise Stop(f"{token_file()} cannot be written: {error.strerror}; set {VARIABLE}") from None
    bound = _bound(host, port)
    address = f"http://{host if ':' not in host else f'[{host}]'}:{bound.getsockname()[1]}"
    note(f"OpenAI-compatible: {address}/v1 · also {address}/api/v1/orchestrator/openapi.json")
    where = f"is that of {VARIABLE}" if from_environment() else f"lies in {token_file()}"
    note(f"The token {where} · model: auto, a strategy, a chain or a model")
    if workers == 1:
        from ..gateway.app import application

        # uvicorn ends in order at the signal, and then sends it once more; workers and who minds them end with 0.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        app = application(token, config=invocation.config, demo=invocation.demo, hosts=hosts)
        uvicorn.Server(uvicorn.Config(app, **SETTLED)).run(sockets=[bound])  # type: ignore[arg-type]
    else:
        from uvicorn.supervisors import Multiprocess

        from ..gateway.workers import FACTORY, share, tell

        share(modules)
        tell(invocation.config, invocation.demo, hosts)
        config = uvicorn.Config(
            FACTORY,
            factory=True,
            workers=workers,
            # To start takes seconds of processor time: on a busy machine none would be up within uvicorn's five.
            timeout_worker_healthcheck=120,
            **SETTLED,  # type: ignore[arg-type]
        )
        Multiprocess(config, sockets=[bound]).run()


async def _modules(invocation: Invocation) -> list[str]:
    """Those of the SDKs that will be called."""
    from ..providers.connect import sdk_modules

    async with invocation.runtime(look=False) as runtime:
        return sdk_modules(provider.kind for provider in runtime.catalogue.providers.values() if provider.usable)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bound(host: str, port: int) -> socket.socket:
    try:
        bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        # For every connection: asyncio sees to it for sockets of its own making alone, and without it what is sent in
        # two pieces waits 40 ms until the first is acknowledged.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return bound
    except OSError as error:
        raise Stop(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from None
