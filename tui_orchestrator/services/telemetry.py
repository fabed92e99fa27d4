"""Turns told to an OpenTelemetry collector: a span each with one for every attempt, and their measurements.

Off unless asked for. Everything is told at a turn's end, from the rows that the ledger keeps: in memory on the event
loop, sent by threads of the SDK. A collector that is away loses what it would have been sent, and is told of once.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .. import __version__
from ..aside import aside
from ..routing.decision import Decision
from ..routing.events import Attempt, AttemptFinished, Completed, Decided, Event, Failed, Outcome, Text
from ..routing.request import Request
from ..routing.text import clean_line
from ..settings import ProviderSettings, TelemetrySettings
from . import semantics
from .logbook import Logbook
from .semantics import Attributes

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

    from .collector import Collector

INSTALL = "pip install 'tui-orchestrator[telemetry]'"
USUAL = "http://localhost:4318"
PATIENCE_S = 2.0
"""How long the program's end waits for what was not sent yet."""

Tell = Callable[[str], None]


def missing() -> bool:
    """Whether the packages are not installed. Imports none of them."""
    wanted = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
    try:
        return any(importlib.util.find_spec(name) is None for name in wanted)
    except ModuleNotFoundError:
        return True


def address(settings: TelemetrySettings, signal: str = "") -> str:
    """Where `signal` (traces, metrics) is sent; of none: to be shown, without what may be secret in it."""
    said = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "") if signal else ""
    if said and settings.endpoint is None:
        return said
    base = settings.endpoint or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "") or USUAL
    if signal:
        return f"{base.rstrip('/')}/v1/{signal}"
    parts = urlsplit(base)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path.rstrip('/')}"


async def opened(
    settings: TelemetrySettings,
    providers: Callable[[], Mapping[str, ProviderSettings]],
    logbook: Logbook,
    resources: AsyncExitStack,
    notices: list[str],
    *,
    demo: bool,
) -> Telemetry | None:
    """None where it is off, and where it cannot be on, which is a notice then."""
    if not settings.enabled:
        return None
    if missing():
        notices.append(f"Telemetry is on, and OpenTelemetry is not installed; {INSTALL}.")
        return None

    def tell(sentence: str) -> None:
        logbook.note(logging.WARNING, "telemetry", says=sentence)

    try:
        telemetry = await Telemetry.open(settings, providers, tell, demo=demo)
    # The SDK reads many variables of the environment, each with complaints of its own; a turn needs none of it.
    except Exception as error:  # noqa: BLE001
        notices.append(f"Telemetry cannot begin ({clean_line(f'{type(error).__name__}: {error}', 200)}).")
        return None
    resources.push_async_callback(telemetry.aclose)
    return telemetry


@dataclass(slots=True)
class _Told:
    """Of one turn, until its end."""

    decision: Decision | None = None
    request: Request | None = None
    """Only where what was said is to be told."""
    served_by: dict[int, str] = field(default_factory=dict)
    texts: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))


class Telemetry:
    """Lives on the event loop. Made by `open`, ended by `aclose`."""

    def __init__(
        self,
        tracing: TracerProvider,
        metering: MeterProvider,
        collector: Collector,
        content: bool,
        providers: Callable[[], Mapping[str, ProviderSettings]],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._tracing = tracing
        self._metering = metering
        self._collector = collector
        self._tracer: Tracer = tracing.get_tracer("tui_orchestrator", __version__)
        self._instruments = _Instruments(metering.get_meter("tui_orchestrator", __version__))
        self._content = content
        self._providers = providers
        self._patience_s = patience_s
        self._turns: defaultdict[str, _Told] = defaultdict(_Told)

    @classmethod
    async def open(
        cls,
        settings: TelemetrySettings,
        providers: Callable[[], Mapping[str, ProviderSettings]],
        tell: Tell,
        *,
        demo: bool = False,
        patience_s: float = PATIENCE_S,
    ) -> Telemetry:
        """`tell` is given a sentence when the collector cannot be reached, and when it can be again; on the event loop.
        Raises ImportError."""
        loop = asyncio.get_running_loop()

        def from_a_thread(sentence: str) -> None:
            # An export that ends after the program's loop has nobody to tell.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(tell, sentence)

        from_settings = _Making(settings, from_a_thread, demo)
        # The SDK takes a third of a second of processor time to import.
        made = await asyncio.to_thread(from_settings.make)
        return cls(*made, settings.content, providers, patience_s)

    def asked(self, request: Request) -> None:
        """To be told before the turn begins. What is said in a temporary chat is told nobody."""
        if self._content and not request.temporary:
            self._turns[request.id].request = request

    def hear(self, event: Event) -> None:
        match event:
            case Decided():
                self._turns[event.request_id].decision = event.decision
            case Text() if self._content and self._turns[event.request_id].request is not None:
                self._turns[event.request_id].texts[event.attempt].append(event.text)
            case AttemptFinished() if event.served_by:
                self._turns[event.request_id].served_by[event.attempt] = event.served_by
            case Completed() | Failed():
                self._end(event, self._turns.pop(event.request_id, _Told()))

    def _end(self, end: Completed | Failed, told: _Told) -> None:
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.status import Status, StatusCode

        began = min((attempt.started for attempt in end.attempts), default=end.at)
        began = min(began, end.at - timedelta(seconds=end.latency_s))
        attributes = semantics.of_turn(end, told.decision)
        turn = self._tracer.start_span("turn", kind=SpanKind.INTERNAL, attributes=attributes, start_time=_ns(began))
        if isinstance(end, Failed):
            turn.set_status(Status(StatusCode.ERROR, end.error.kind.value))
        inside = set_span_in_context(turn)
        for attempt in end.attempts:
            common, own = self._of(attempt, told)
            span = self._tracer.start_span(
                f"chat {semantics.name_of(attempt)}",
                context=inside,
                kind=SpanKind.INTERNAL if attempt.from_cache else SpanKind.CLIENT,
                attributes={**common, **own},
                start_time=_ns(attempt.started),
            )
            if attempt.outcome is not Outcome.FINISHED and attempt.error_kind is not None:
                span.set_status(Status(StatusCode.ERROR, attempt.error_kind.value))
            span.end(_ns(attempt.started + timedelta(seconds=attempt.latency_s)))
            self._instruments.attempt(attempt, common)
        turn.end(_ns(end.at))
        self._instruments.turn(attributes)

    def _of(self, attempt: Attempt, told: _Told) -> tuple[Attributes, Attributes]:
        provider = self._providers().get(attempt.provider)
        common = semantics.operation(attempt, provider, told.served_by.get(attempt.number, ""))
        own = semantics.of_attempt(attempt)
        if told.request is not None:
            if semantics.answers_the_prompt(attempt.cause, told.decision):
                own |= semantics.asked(told.request)
            if text := "".join(told.texts[attempt.number]):
                own |= semantics.answered(text, attempt.finish_reason.value if attempt.finish_reason else "error")
        return common, own

    async def aclose(self) -> None:
        """Sends what there is, for as long as the end of the program may wait for it."""

        def shut_down() -> None:
            self._tracing.shutdown()
            self._metering.shutdown()

        try:
            async with asyncio.timeout(self._patience_s):
                await aside(shut_down, "telemetry")
        except TimeoutError:
            # Its threads end with the program.
            self._collector.left_behind()
            await asyncio.sleep(0)


class _Instruments:
    def __init__(self, meter: Meter) -> None:
        def seconds(name: str, what: str) -> Any:
            return meter.create_histogram(name, "s", what, explicit_bucket_boundaries_advisory=semantics.SECONDS)

        self._duration = seconds(semantics.DURATION, "GenAI operation duration.")
        self._first = seconds(semantics.TIME_TO_FIRST_CHUNK, "Time to receive the first chunk.")
        self._tokens = meter.create_histogram(
            *(semantics.TOKEN_USAGE, "{token}", "Number of input and output tokens used."),
            explicit_bucket_boundaries_advisory=semantics.TOKENS,
        )
        self._cost = meter.create_counter(semantics.COST, "{USD}", "What calls cost, as far as it is known.")
        self._turns = meter.create_counter(semantics.TURNS, "{turn}", "Turns, by how they were decided and ended.")

    def attempt(self, attempt: Attempt, common: Attributes) -> None:
        if attempt.from_cache:
            return  # nothing was called
        self._duration.record(attempt.latency_s, common)
        if attempt.first_token_s is not None:
            self._first.record(attempt.first_token_s, common)
        for kind, tokens in (("input", attempt.usage.input), ("output", attempt.usage.output)):
            self._tokens.record(tokens, {**common, "gen_ai.token.type": kind})
        if attempt.cost.amount is not None:
            self._cost.add(float(attempt.cost.amount.usd), {**common, "tui_orchestrator.cause": attempt.cause.value})

    def turn(self, attributes: Attributes) -> None:
        wanted = ("tui_orchestrator.strategy", "tui_orchestrator.outcome", "tui_orchestrator.task_type", "error.type")
        self._turns.add(1, {name: attributes[name] for name in wanted if name in attributes})


@dataclass(frozen=True, slots=True)
class _Making:
    settings: TelemetrySettings
    tell: Tell
    demo: bool

    def make(self) -> tuple[TracerProvider, MeterProvider, Collector]:
        """Blocking. Of this program alone: a program that this one runs inside may have others."""
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from .collector import Collector, TellingMetrics, TellingSpans

        # Its complaints would else be written over the console: `Collector` tells what there is to tell.
        if not (logger := logging.getLogger("opentelemetry")).handlers:
            logger.addHandler(logging.NullHandler())
        collector = Collector(address(self.settings), self.tell)
        # The environment's come first in what it says itself; without a name of its own it makes one up.
        said = dict(Resource.create().attributes)
        if str(said.get("service.name", "")).startswith("unknown_service"):
            said["service.name"] = "tui-orchestrator"
        resource = Resource({"service.version": __version__, **said, "tui_orchestrator.demo": self.demo})
        tracing = TracerProvider(resource=resource, shutdown_on_exit=False)
        readers = []
        if os.environ.get("OTEL_TRACES_EXPORTER", "") != "none":
            spans = OTLPSpanExporter(endpoint=address(self.settings, "traces"))
            tracing.add_span_processor(BatchSpanProcessor(TellingSpans(spans, collector)))
        if os.environ.get("OTEL_METRICS_EXPORTER", "") != "none":
            metrics = OTLPMetricExporter(endpoint=address(self.settings, "metrics"))
            readers.append(PeriodicExportingMetricReader(TellingMetrics(metrics, collector)))
        return tracing, MeterProvider(readers, resource=resource, shutdown_on_exit=False), collector


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
