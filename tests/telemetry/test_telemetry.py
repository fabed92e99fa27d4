from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.turns.conftest import PROMPT, ask, events_of
from tui_orchestrator.demo import KEY, Reply, Say, Script
from tui_orchestrator.routing.events import Completed
from tui_orchestrator.routing.request import Split, Strategy
from tui_orchestrator.services import logbook, telemetry
from tui_orchestrator.services.telemetry import Telemetry
from tui_orchestrator.settings import TelemetrySettings

from .conftest import Receiver, told

GOOD = "```python\ndef merge(a, b):\n    return sorted([*a, *b])\n```\nIt sorts both lists as one."
MODEL = "demo-openai/rush-pro"


async def test_a_turn_is_a_span_with_one_for_its_call(tmp_path: Path, receiver: Receiver) -> None:
    async with told(tmp_path, Script().always(Say(GOOD)), url=receiver.url) as (runtime, _):
        *_, end = await events_of(runtime, ask(model=MODEL))
    assert isinstance(end, Completed)
    turn, (call,) = receiver.turn, receiver.calls
    assert (call.name, call.parent, call.trace, call.kind) == ("chat rush-pro", turn.id, turn.trace, 3)
    assert turn.began <= call.began <= call.ended <= turn.ended
    (attempt,) = end.attempts
    said = call.attributes
    assert said["gen_ai.operation.name"] == "chat"
    assert said["gen_ai.provider.name"] == "openai"
    assert said["gen_ai.request.model"] == said["gen_ai.response.model"] == "rush-pro"
    assert said["gen_ai.response.finish_reasons"] == ["stop"]
    assert said["gen_ai.usage.input_tokens"] == attempt.usage.input
    assert said["gen_ai.usage.output_tokens"] == attempt.usage.output
    assert said["gen_ai.response.time_to_first_chunk"] == attempt.first_token_s
    assert (said["server.address"], type(said["server.port"])) == ("127.0.0.1", int)
    assert said["tui_orchestrator.cost_picodollars"] == attempt.cost.amount.picodollars  # type: ignore[union-attr]
    assert said["tui_orchestrator.cause"] == "first"
    assert turn.attributes["tui_orchestrator.strategy"] == end.strategy
    assert turn.attributes["gen_ai.conversation.id"] == "s"


async def test_each_attempt_is_told_with_its_cause_and_its_error(tmp_path: Path, receiver: Receiver) -> None:
    script = Script().always(Say(GOOD)).then(Reply(500, f'{{"error": {{"message": "no {KEY}"}}}}'), "rush-pro")
    async with told(tmp_path, script, url=receiver.url) as (runtime, _):
        await events_of(runtime, ask(chain=(MODEL, "demo-gemini/lumen-deep"), strategy=Strategy.FALLBACK))
    failed, good = receiver.calls
    assert failed.attributes["error.type"] == failed.error == "server"
    assert failed.attributes["tui_orchestrator.outcome"] == "failed"
    assert "gen_ai.response.model" not in failed.attributes
    assert good.attributes["tui_orchestrator.cause"] in ("retry", "fallback")
    assert "error.type" not in good.attributes
    assert not receiver.turn.error
    assert receiver.turn.attributes["tui_orchestrator.attempts"] == 2


async def test_a_turn_that_fails_says_with_what(tmp_path: Path, receiver: Receiver) -> None:
    script = Script().always(Reply(401, '{"error": {"message": "wrong key"}}'))
    async with told(tmp_path, script, url=receiver.url) as (runtime, _):
        await events_of(runtime, ask(model=MODEL))
    assert receiver.turn.error == receiver.turn.attributes["error.type"] == "authentication"
    assert receiver.turn.attributes["tui_orchestrator.outcome"] == "failed"


async def test_measurements_have_the_names_and_boundaries_of_the_conventions(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with told(tmp_path, Script().always(Say(GOOD)), url=receiver.url) as (runtime, _):
        *_, end = await events_of(runtime, ask(model=MODEL))
    assert isinstance(end, Completed)
    usage = end.attempts[0].usage
    (duration,) = receiver.metrics["gen_ai.client.operation.duration"]
    assert (duration.count, duration.explicit_bounds[0], duration.explicit_bounds[-1]) == (1, 0.01, 81.92)
    tokens = receiver.metrics["gen_ai.client.token.usage"]
    assert sorted(point.sum for point in tokens) == sorted([usage.input, usage.output])
    assert tokens[0].explicit_bounds[-1] == 67108864
    assert len(receiver.metrics["gen_ai.client.operation.time_to_first_chunk"]) == 1
    (cost,) = receiver.metrics["tui_orchestrator.cost"]
    assert cost.as_double == pytest.approx(float(end.cost.amount.usd))  # type: ignore[union-attr]
    assert receiver.metrics["tui_orchestrator.turns"][0].as_int == 1


async def test_nothing_that_was_said_and_no_key_is_told(tmp_path: Path, receiver: Receiver) -> None:
    script = Script().always(Say(GOOD)).then(Reply(500, f'{{"error": {{"message": "bad {KEY}"}}}}'), "rush-pro")
    async with told(tmp_path, script, url=receiver.url) as (runtime, _):
        await events_of(runtime, ask(model=MODEL, system="Be brief, Ada."))
    everything = b"".join(receiver.bodies)
    assert b"rush-pro" in everything
    for secret in (PROMPT, "sorts both lists", "Ada", KEY, "bad "):
        assert secret.encode() not in everything


async def test_what_was_said_is_told_where_that_is_asked_for(tmp_path: Path, receiver: Receiver) -> None:
    async with told(tmp_path, Script().always(Say(GOOD)), url=receiver.url, content=True) as (runtime, _):
        await events_of(runtime, ask(model=MODEL, system="Be brief."))
    said = receiver.calls[0].attributes
    (question,) = json.loads(said["gen_ai.input.messages"])
    assert question == {"role": "user", "parts": [{"type": "text", "content": PROMPT}]}
    (answer,) = json.loads(said["gen_ai.output.messages"])
    assert (answer["role"], answer["parts"][0]["content"], answer["finish_reason"]) == ("assistant", GOOD, "stop")
    assert json.loads(said["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief."}]


async def test_a_part_of_a_long_prompt_is_not_told_as_the_whole_of_it(tmp_path: Path, receiver: Receiver) -> None:
    long = "\n\n".join(f"Room {n} was looked at by the third team, and two doors were found." for n in range(1500))
    async with told(tmp_path, Script().always(Say("Two doors.")), url=receiver.url, content=True) as (runtime, _):
        await events_of(runtime, ask(long, model="demo-local/pebble-3b", split=Split.AGREED))
    assert len(receiver.calls) > 2
    assert not [call for call in receiver.calls if "gen_ai.input.messages" in call.attributes]
    assert all("gen_ai.output.messages" in call.attributes for call in receiver.calls)


async def test_a_temporary_chat_is_told_without_what_was_said(tmp_path: Path, receiver: Receiver) -> None:
    async with told(tmp_path, Script().always(Say(GOOD)), url=receiver.url, content=True) as (runtime, _):
        await events_of(runtime, ask(model=MODEL, temporary=True))
    assert receiver.calls[0].attributes["gen_ai.usage.output_tokens"] > 0
    assert PROMPT.encode() not in b"".join(receiver.bodies)


async def test_an_answer_from_the_cache_is_no_call(tmp_path: Path, receiver: Receiver) -> None:
    async with told(tmp_path, Script().always(Say(GOOD)), url=receiver.url) as (runtime, _):
        for _ in range(2):
            await events_of(runtime, ask(model=MODEL, use_cache=True))
    live, recalled = sorted(receiver.calls, key=lambda span: span.began)
    if live.attributes["tui_orchestrator.from_cache"]:
        live, recalled = recalled, live
    assert (live.kind, recalled.kind) == (3, 1)
    assert recalled.attributes["tui_orchestrator.from_cache"] is True
    assert receiver.metrics["gen_ai.client.operation.duration"][0].count == 1


async def test_the_environment_of_opentelemetry_holds(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=blue")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "desk")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "none")
    async with told(tmp_path, Script().always(Say(GOOD))) as (runtime, _):
        await events_of(runtime, ask(model=MODEL))
    (resource,) = receiver.resources
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("desk", "test")
    assert (receiver.headers[0]["x-team"], receiver.headers[0]["content-encoding"]) == ("blue", "gzip")
    assert not receiver.metrics


async def test_without_names_of_its_own_the_service_is_the_program(tmp_path: Path, receiver: Receiver) -> None:
    async with told(tmp_path, Script().always(Say(GOOD)), url=receiver.url) as (runtime, _):
        await events_of(runtime, ask(model=MODEL))
    assert receiver.resources[0]["service.name"] == "tui-orchestrator"
    assert receiver.resources[0]["tui_orchestrator.demo"] is False


async def test_a_collector_that_is_away_costs_only_its_spans_and_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.01")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
    logbook._recent.clear()
    # The discard port: nobody listens there.
    async with told(tmp_path, Script().always(Say(GOOD)), url="http://127.0.0.1:9") as (runtime, _):
        for _ in range(3):
            *_, end = await events_of(runtime, ask(model=MODEL))
            assert isinstance(end, Completed)
            assert runtime.telemetry is not None
            await telemetry.aside(lambda: runtime.telemetry._tracing.force_flush(), "flush")  # type: ignore[union-attr]
    lines = [line for line in logbook.recent() if '"telemetry"' in line]
    assert len(lines) == 1
    assert "The collector at http://127.0.0.1:9 does not take telemetry; what it was to be sent is lost." in lines[0]
    assert capfd.readouterr().err == ""


async def test_a_collector_that_comes_back_is_told_of(receiver: Receiver) -> None:
    from tui_orchestrator.services.collector import Collector

    said: list[str] = []
    collector = Collector("http://here", said.append)
    for took in (True, False, False, True, True, False):
        collector.took(took)
    assert [sentence.split(" ")[4] for sentence in said] == ["does", "takes", "does"]


async def test_an_environment_that_cannot_be_read_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "0")
    async with told(tmp_path, Script().always(Say(GOOD))) as (runtime, _):
        assert runtime.telemetry is None
        assert any(notice.startswith("Telemetry cannot begin (") for notice in runtime.notices)
        assert isinstance((await events_of(runtime, ask(model=MODEL)))[-1], Completed)


def test_an_address_is_shown_without_what_may_be_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    assert telemetry.address(TelemetrySettings(True, "https://me:secret@host:4318/otlp/?key=1")) == (
        "https://host:4318/otlp"
    )
    assert telemetry.address(TelemetrySettings(True)) == "http://localhost:4318"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:1/here")
    assert telemetry.address(TelemetrySettings(True), "traces") == "http://traces:1/here"
    assert telemetry.address(TelemetrySettings(True), "metrics") == "http://collector:4318/v1/metrics"
    assert telemetry.address(TelemetrySettings(True, "http://mine:1"), "traces") == "http://mine:1/v1/traces"


def test_off_it_imports_nothing(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from tui_orchestrator.services.runtime import Runtime;"
        "from tui_orchestrator.settings import Settings, StoreSettings;"
        "from pathlib import Path;"
        f"s = Settings(store=StoreSettings(Path({str(tmp_path / 'store.db')!r})), discovery=False);"
        "r = asyncio.run(Runtime.open(s, demo=False));"
        "assert not any(name.startswith('opentelemetry.sdk') for name in sys.modules)"
    )
    environment = {**os.environ, "TUI_ORCHESTRATOR_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=60)


async def test_its_end_waits_for_a_collector_no_longer_than_it_may(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers.clear()
    said: list[str] = []
    one = await Telemetry.open(TelemetrySettings(True, receiver.url), dict, said.append, patience_s=0.01)
    one._instruments.turn({"tui_orchestrator.outcome": "completed"})
    await one.aclose()
    assert not receiver.answers.is_set()
    assert said == [f"The collector at {receiver.url} does not take telemetry; what it was to be sent is lost."]


async def test_the_sdk_may_be_switched_off_altogether(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    async with told(tmp_path, Script().always(Say(GOOD)), url=receiver.url) as (runtime, _):
        assert isinstance((await events_of(runtime, ask(model=MODEL)))[-1], Completed)
    assert not receiver.bodies


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("", "✓ telemetry: off: nothing is sent"),
        (
            "[telemetry]\nenabled = true\nendpoint = 'http://127.0.0.1:9'\n",
            "✓ telemetry: on: turns are told to http://127.0.0.1:9; nothing that is said is sent",
        ),
        (
            "[telemetry]\nenabled = true\ncontent = true\n",
            "· telemetry: on: turns are told to http://localhost:4318; what is asked and answered is sent too",
        ),
    ],
)
async def test_doctor_says_whether_it_is_on_and_where_it_sends(shell: Shell, section: str, said: str) -> None:
    shell.config.write_text(shell.config.read_text() + section)
    assert said in (await shell.run("doctor", OTEL_EXPORTER_OTLP_TIMEOUT="0.01")).out


async def test_a_projects_file_cannot_switch_it_on(shell: Shell) -> None:
    shell.write("tui-orchestrator.toml", "[telemetry]\nenabled = true\n")
    ended = await shell.run("doctor")
    assert "✓ telemetry: off" in ended.out
    assert "a project's file may not say who is told of your turns" in ended.out
