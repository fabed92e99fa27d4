"""The gateway beside a LiteLLM proxy, before the same server on the loopback, asked by the same client.

    python benchmarks/gateway.py [--litellm DIR] [--seconds 8]

DIR is an environment with `litellm[proxy]` in it; it is made, from PyPI, where it is missing. Both run at once and are
asked in turns, so that what else the machine does meets both alike. Added latency is that through a gateway less that
of the server asked directly; one worker each, one and 32 requests at once. Requests per second are those of two workers
each, on the processors there are, the server and the client included. Memory is the proportional set size of all
processes of a gateway after that load. On a machine that does other things too, trust the ratios and the processor time
per request alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

TOKEN = "sk-a-token-of-the-benchmark"
ANSWER = "An answer of a few words, as a small model would give it."
START_S = 120.0
TURNS = 4
"""So often each is asked by turns, in each measurement."""
USAGE = {"prompt_tokens": 20, "completion_tokens": 14, "total_tokens": 34}


# The server that both stand before


def _whole() -> bytes:
    message = {"role": "assistant", "content": ANSWER}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "echo", "choices": [choice], "usage": USAGE}
    said = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(said)}\r\n\r\n"
    return head.encode() + said


def _streamed() -> bytes:
    def chunk(delta: dict[str, str], finish: str | None = None, **more: object) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "echo", "choices": choices, **more}
        return b"data: " + json.dumps(body).encode() + b"\n\n"

    words = [chunk({"content": f"{word} "}) for word in ANSWER.split()]
    said = b"".join([*words, chunk({}, "stop"), chunk({}, choices=[], usage=USAGE), b"data: [DONE]\n\n"])
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n%b" % (len(said), said)


async def upstream(port: int) -> None:
    whole, streamed = _whole(), _streamed()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                _, _, body = await _message(reader)
                writer.write(streamed if b'"stream":true' in body.replace(b" ", b"") else whole)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    await server.serve_forever()


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """First line, headers and body of an HTTP message."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].split(b"\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    if headers.get(b"transfer-encoding") != b"chunked":
        return first, headers, await reader.readexactly(int(headers.get(b"content-length", b"0")))
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return first, headers, body


# The client


@dataclass
class Load:
    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    took: float = 0.0
    processor_s: float = 0.0
    """Of all processes of who was asked."""

    def add(self, other: Load) -> None:
        self.seconds += other.seconds
        self.failed += other.failed
        self.took += other.took
        self.processor_s += other.processor_s

    def at(self, share: float) -> float:
        """Milliseconds."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))] * 1000

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.took


async def ask(port: int, model: str, at_once: int, seconds: float) -> Load:
    load, until = Load(), time.monotonic() + seconds
    began = time.monotonic()

    async def one(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = 0
        while time.monotonic() < until:
            asked += 1
            prompt = {"role": "user", "content": f"Question {number}.{asked}: what is the capital of France?"}
            body = json.dumps({"model": model, "max_tokens": 60, "messages": [prompt]}).encode()
            head = (
                f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {TOKEN}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            sent = time.perf_counter()
            writer.write(head.encode() + body)
            first, headers, said = await _message(reader)
            if b" 200 " in first and b"An answer" in said:
                load.seconds.append(time.perf_counter() - sent)
            else:
                load.failed += 1
                if load.failed == 1:
                    print(first.decode(), said[:300].decode(errors="replace"), file=sys.stderr)
            if headers.get(b"connection") == b"close":
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    await asyncio.gather(*(one(number) for number in range(at_once)))
    load.took = time.monotonic() - began
    return load


# Whom it asks


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(command: list[str], port: int, environment: dict[str, str], log: Path) -> AsyncIterator[int]:
    """A program and its workers, once it listens; gives its process id."""
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=written, stderr=written, start_new_session=True
        )
    as_nice_as_this(process.pid)
    try:
        for _ in range(int(START_S / 0.1)):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                if process.returncode is not None:
                    said = await asyncio.to_thread(log.read_text)
                    raise SystemExit(f"{command[0]} ended: {said[-2000:]}") from None
                await asyncio.sleep(0.1)
            else:
                writer.close()
                break
        yield process.pid
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 15)
            except TimeoutError:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()


def as_nice_as_this(session: int) -> None:
    """Linux weighs a session as one, whatever the niceness of what is in it."""
    with suppress(OSError):
        Path(f"/proc/{session}/autogroup").write_text(str(os.nice(0)))


def memory_mb(session: int) -> float:
    """Proportional set size of all processes of a session."""
    total = 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and os.getsid(int(entry.name)) == session:
                rollup = (entry / "smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total / 1024


def processor_s(session: int) -> float:
    """Processor seconds of all processes of a session so far."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and os.getsid(int(entry.name)) == session:
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
                ticks += int(after_name[11]) + int(after_name[12])
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def ours(home: Path, upstream_port: int, port: int, workers: int) -> tuple[list[str], dict[str, str], str]:
    config = home / "ours.toml"
    config.write_text(
        "[router]\ndiscover_local = false\n"
        f'[providers.team]\nbase_url = "http://127.0.0.1:{upstream_port}/v1"\nmax_concurrent = 256\n'
        '[[models]]\nid = "team/echo"\ninput_usd = 1\noutput_usd = 4\ncontext_window = 32000\n'
    )
    command = [sys.executable, "-m", "tui_orchestrator", "--config", str(config), "serve", "--port", str(port)]
    environment = {**os.environ, "TUI_ORCHESTRATOR_HOME": str(home), "TUI_ORCHESTRATOR_GATEWAY_TOKEN": TOKEN}
    return [*command, "--workers", str(workers)], environment, "team/echo"


def litellm(
    home: Path, where: Path, upstream_port: int, port: int, workers: int
) -> tuple[list[str], dict[str, str], str]:
    config = home / "litellm.yaml"
    server = f"http://127.0.0.1:{upstream_port}/v1"
    config.write_text(
        "model_list:\n  - model_name: echo\n    litellm_params:\n      model: openai/echo\n"
        f"      api_base: {server}\n      api_key: none\n"
        "      input_cost_per_token: 0.000001\n      output_cost_per_token: 0.000004\n"
        f"general_settings:\n  master_key: {TOKEN}\nlitellm_settings:\n  telemetry: false\n"
    )
    binary = where / "bin"
    command = [str(binary / "litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "HOME": str(home)}
    environment["PATH"] = f"{binary}:{environment['PATH']}"
    environment.pop("PYTHONPATH", None)
    # Under gunicorn, since on a busy machine uvicorn ends its workers before they have been imported.
    several = ["--num_workers", str(workers), "--run_gunicorn"] if workers > 1 else []
    return [*command, *several], environment, "echo"


def prepared(where: Path) -> None:
    if not (where / "bin" / "litellm").exists():
        venv.create(where, with_pip=True)
        subprocess.run([where / "bin" / "pip", "install", "--quiet", "litellm[proxy]"], check=True)


# What is measured


async def measured(home: Path, where: Path, upstream_port: int, seconds: float) -> dict[str, dict[str, float]]:
    """Of both, by name; latencies in ms."""
    told: dict[str, dict[str, float]] = {"ours": {"failed": 0}, "litellm": {"failed": 0}}
    for workers in (1, 2):
        async with AsyncExitStack() as both:
            asked: dict[str, tuple[int, str, int]] = {}
            for name in told:
                port = free_port()
                if name == "ours":
                    command, environment, model = ours(home, upstream_port, port, workers)
                else:
                    command, environment, model = litellm(home, where, upstream_port, port, workers)
                log = home / f"{name}-{workers}.log"
                session = await both.enter_async_context(running(command, port, environment, log))
                await ask(port, model, 8, seconds / 2)  # warm, every worker
                asked[name] = port, model, session
            for at_once in (1, 32) if workers == 1 else (32,):
                for name, load in (await in_turns(asked, at_once, seconds)).items():
                    told[name]["failed"] += load.failed
                    told[name] |= _figures(load, at_once) if workers == 1 else _throughput(load)
            for name, (_, _, session) in asked.items():
                told[name][f"memory_mb_{workers}_workers"] = round(memory_mb(session), 1)
                print(name, workers, json.dumps(told[name]), file=sys.stderr)
    return told


async def in_turns(asked: Mapping[str, tuple[int, str, int]], at_once: int, seconds: float) -> dict[str, Load]:
    """Each for so many seconds in all; the one that begins changes."""
    loads = {name: Load() for name in asked}
    for turn in range(TURNS):
        for name in list(asked) if turn % 2 == 0 else reversed(list(asked)):
            port, model, session = asked[name]
            before = processor_s(session)
            load = await ask(port, model, at_once, seconds / TURNS)
            load.processor_s = processor_s(session) - before
            loads[name].add(load)
    return loads


def _figures(load: Load, at_once: int) -> dict[str, float]:
    return {
        f"p50_at_{at_once}": load.at(0.5),
        f"p99_at_{at_once}": load.at(0.99),
        f"processor_ms_at_{at_once}": round(load.processor_s * 1000 / len(load.seconds), 2),
        f"requests_at_{at_once}": len(load.seconds),
    }


def _throughput(load: Load) -> dict[str, float]:
    return {
        "per_second": round(load.per_second, 1),
        "processor_ms_2_workers": round(load.processor_s * 1000 / len(load.seconds), 2),
    }


async def main(where: Path, seconds: float) -> dict[str, object]:
    prepared(where)
    upstream_port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        server = [sys.executable, __file__, "--upstream", str(upstream_port)]
        async with running(server, upstream_port, dict(os.environ), home / "upstream.log"):
            direct: dict[str, float] = {}
            for at_once in (1, 32):
                load = await ask(upstream_port, "echo", at_once, min(3.0, seconds))
                direct |= {f"p50_at_{at_once}": load.at(0.5), f"p99_at_{at_once}": load.at(0.99)}
            told = await measured(home, where, upstream_port, seconds)
    added = {name: {key: round(found[key] - direct[key], 3) for key in direct} for name, found in told.items()}
    mine, theirs = told["ours"], told["litellm"]
    compared = [
        *("processor_ms_at_1", "processor_ms_at_32", "processor_ms_2_workers"),
        *("per_second", "memory_mb_1_workers", "memory_mb_2_workers"),
    ]
    return {
        "benchmark": "gateway",
        "litellm": _litellm_version(where),
        "uvicorn": version("uvicorn"),
        "processors": os.cpu_count(),
        "direct_ms": direct,
        "measured": told,
        "added_ms": added,
        "ratios_ours_to_litellm": {
            **{f"added_{key}": round(added["ours"][key] / added["litellm"][key], 3) for key in direct},
            **{key: round(mine[key] / theirs[key], 3) for key in compared},
        },
    }


def _litellm_version(where: Path) -> str:
    found = next(iter(where.glob("lib/python*/site-packages/litellm-*.dist-info")), None)
    return found.name.removeprefix("litellm-").removesuffix(".dist-info") if found else "?"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--litellm", type=Path, default=Path(tempfile.gettempdir()) / "tui-orchestrator-litellm")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    parser.add_argument("--upstream", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.upstream:
        asyncio.run(upstream(asked.upstream))
    else:
        print(json.dumps(asyncio.run(main(asked.litellm, asked.seconds)), indent=2))
