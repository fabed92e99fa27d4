"""The exporters of OpenTelemetry, so that a collector that is away is told of, once. Imported where telemetry is on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class Collector:
    def __init__(self, where: str, tell: Callable[[str], None]) -> None:
        """`tell` is called in the exporters' threads."""
        self._where = where
        self._tell = tell
        self._away = False

    def left_behind(self) -> None:
        """The program ends before all was taken."""
        self.took(False)

    def took(self, all_of_it: bool) -> None:
        if all_of_it == self._away:
            self._away = not all_of_it
            said = "takes telemetry again" if all_of_it else "does not take telemetry; what it was to be sent is lost"
            self._tell(f"The collector at {self._where} {said}.")


class TellingSpans(SpanExporter):
    def __init__(self, exporter: SpanExporter, collector: Collector) -> None:
        self._exporter = exporter
        self._collector = collector

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        self._collector.took(result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class TellingMetrics(MetricExporter):
    def __init__(self, exporter: Any, collector: Collector) -> None:
        # What the reader asks an exporter for when it is made.
        super().__init__(exporter._preferred_temporality, exporter._preferred_aggregation)
        self._exporter = exporter
        self._collector = collector

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **named: Any) -> MetricExportResult:
        result: MetricExportResult = self._exporter.export(metrics_data, timeout_millis, **named)
        self._collector.took(result is MetricExportResult.SUCCESS)
        return result

    def shutdown(self, timeout_millis: float = 30_000, **named: Any) -> None:
        self._exporter.shutdown(timeout_millis, **named)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return bool(self._exporter.force_flush(timeout_millis))
