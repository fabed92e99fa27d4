"""A real OTLP/HTTP receiver on the loopback, and a runtime that is told to send there."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.cli.conftest import shell as shell
from tests.turns.conftest import running
from tui_orchestrator.demo import Script, Servers
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import Settings, TelemetrySettings


@dataclass(frozen=True)
class Span:
    name: str
    kind: int
    id: bytes
    parent: bytes
    trace: bytes
    began: int
    ended: int
    error: str
    attributes: dict[str, Any]


@dataclass
class Receiver:
    url: str = ""
    spans: list[Span] = field(default_factory=list)
    metrics: dict[str, list[Any]] = field(default_factory=dict)
    """Name → data points."""
    resources: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    """Of all that came, as it came."""
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """Until it is set, nothing is answered."""

    def __post_init__(self) -> None:
        self.answers.set()

    async def traces(self, request: Request) -> Response:
        said = ExportTraceServiceRequest.FromString(await self._body(request))
        for resource in said.resource_spans:
            self.resources.append(values(resource.resource.attributes))
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        Span(
                            span.name,
                            span.kind,
                            span.span_id,
                            span.parent_span_id,
                            span.trace_id,
                            span.start_time_unix_nano,
                            span.end_time_unix_nano,
                            span.status.message if span.status.code == 2 else "",
                            values(span.attributes),
                        )
                    )
        return Response(b"", media_type="application/x-protobuf")

    async def measurements(self, request: Request) -> Response:
        said = ExportMetricsServiceRequest.FromString(await self._body(request))
        for resource in said.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    data = metric.histogram if metric.HasField("histogram") else metric.sum
                    self.metrics.setdefault(metric.name, []).extend(data.data_points)
        return Response(b"", media_type="application/x-protobuf")

    async def _body(self, request: Request) -> bytes:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.headers.append(dict(request.headers))
        self.bodies.append(body)
        await self.answers.wait()
        return body

    @property
    def turn(self) -> Span:
        (turn,) = [span for span in self.spans if span.name == "turn"]
        return turn

    @property
    def calls(self) -> list[Span]:
        found = [span for span in self.spans if span.name.startswith("chat ")]
        return sorted(found, key=lambda span: span.attributes["tui_orchestrator.attempt"])


def values(attributes: Any) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    routes = [
        Route("/v1/traces", one.traces, methods=["POST"]),
        Route("/v1/metrics", one.measurements, methods=["POST"]),
    ]
    config = uvicorn.Config(Starlette(routes=routes), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # those of the tests stay
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn tells it no other way
        await asyncio.sleep(0.001)
    one.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield one
    finally:
        one.answers.set()
        server.should_exit = True
        await serving


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUI_ORCHESTRATOR_HOME", str(tmp_path / "home"))
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def told(
    path: Path, script: Script | None = None, *, content: bool = False, url: str | None = None, **wanted: Any
) -> AsyncIterator[tuple[Runtime, Servers]]:
    """A runtime with telemetry on; all has been sent when it is closed."""
    base = Settings(telemetry=TelemetrySettings(True, url, content))
    async with running(path / "store.db", script, base=base, **wanted) as (runtime, servers):
        yield runtime, servers
