"""The sixteen scenarios of Failover Bench (github.com/failoverbench/failoverbench), put through this router.

Its faults, time limits, checks and verdicts are those of its catalogue, methodology v0.1 as of September 2026, at the
published waits; the provider that breaks, the answer and the code are our own. Each scenario is one task with a chain
of two models, the first of which is faulty. Of the sixteen verdicts `pass` means: the whole answer came (for S13, the
provider's reason) and every check held; `partial`: it came, but an advisory check did not hold; `safe`: a clean error
in time; `fail`: a hang, a part of an answer taken for the whole, or a check that did not hold.

The bench lets a system be configured, as long as it says how. `--as configured` (the default) sets three keys:
`router.timeouts.first_token = 10`, `router.retries.patience = 3`, `router.retries.past_filters = false`. `--as shipped`
sets none, but for the longest silence of 30 s that the bench prescribes, which is our own too.

Beyond the bench's own checks every request that the provider saw must be an attempt in the ledger, with what it cost
known, and no reservation may be left.

    python benchmarks/failover.py [--as configured|shipped] [S01 S15 …]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import struct
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tui_orchestrator.library import Orchestrator, Result, Task, TaskFailed
from tui_orchestrator.providers.connect import warm
from tui_orchestrator.routing.decision import Policy, Retries
from tui_orchestrator.routing.money import Cost, Price, Rates
from tui_orchestrator.routing.ports import Timeouts
from tui_orchestrator.routing.request import Check
from tui_orchestrator.settings import ModelSettings, ProviderSettings, Secret, Settings, StoreSettings

ANSWER = (
    "A router is worth its place only on the days when somebody behind it fails, because on every other day a plain "
    "call would have done as well. It has to notice soon, tell honestly what went wrong, ask somebody else once, "
    "and hand over either one whole answer or else a clear and early reason for there being none."
)
WORDS = ANSWER.split()
TOKEN_S, CUT_AFTER, STALL_AFTER, BROKEN_AT = 0.015, 40, 20, 10
SILENT_S, STALLED_S, SLOW_S, DOWN_S = 120.0, 30.0, 20.0, 60.0
STEADY = "fb-ok"
NO_PREFILL = "fb-ok-noprefill"


@dataclass
class Seen:
    """One attempt, as the provider saw it."""

    at: float
    model: str
    said: str = ""


class Provider:
    """Speaks OpenAI's format and breaks as the model's name says."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.began = time.monotonic()

    def reset(self) -> None:
        self.seen = []
        self.began = time.monotonic()

    def of(self, model: str) -> list[Seen]:
        return [one for one in self.seen if one.model == model]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """False: the connection is not to be used again."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = head.partition("content-length:")[2].split("\r\n")[0]
        asked = json.loads(await reader.readexactly(int(length or 0)) or b"{}")
        seen = Seen(time.monotonic() - self.began, asked.get("model", ""))
        self.seen.append(seen)
        first = len(self.of(seen.model)) == 1
        kind = seen.model.removeprefix("fb-").partition("-")[0]
        if seen.model == NO_PREFILL and asked["messages"][-1]["role"] == "assistant":
            return await _refuse(writer, seen, 400, "this model takes no prefill", "invalid_prefill")
        match kind:
            case "s01" if first:
                return await _refuse(writer, seen, 429, "slow down", "rate_limit_exceeded", {"Retry-After": "2"})
            case "s02":
                return await _refuse(writer, seen, 429, "slow down", "rate_limit_exceeded")
            case "s03" if first:
                return await _refuse(writer, seen, 500, "we failed", None)
            case "s04" | "s16":
                return await _refuse(writer, seen, 503, "we are overloaded", "overloaded")
            case "s05" if first:
                seen.said = "reset"
                raw: socket.socket = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            case "s06":
                seen.said = "silence"
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1), SILENT_S)
                return False
            case "s12":
                return await _refuse(writer, seen, 400, "maximum context length is 8192", "context_length_exceeded")
            case "s13":
                return await _refuse(writer, seen, 400, "our safety system refused", "content_policy_violation")
            case "s15" if seen.at < DOWN_S:
                return await _refuse(writer, seen, 503, "we are overloaded", "overloaded")
        return await self._stream(writer, seen, kind)

    async def _stream(self, writer: asyncio.StreamWriter, seen: Seen, kind: str) -> bool:
        async def send(data: bytes) -> None:
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()

        async def event(choice: dict[str, Any] | None, **more: object) -> None:
            choices = [] if choice is None else [{"index": 0, **choice}]
            whole = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": seen.model, **more}
            await send(f"data: {json.dumps(whole | {'choices': choices})}\n\n".encode())

        seen.said = "200"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        await writer.drain()
        if kind == "s07":
            await asyncio.sleep(SLOW_S)
        await event({"delta": {"role": "assistant", "content": ""}, "finish_reason": None})
        for number, word in enumerate(WORDS):
            if kind in ("s08", "s14") and number == CUT_AFTER:
                return False
            if kind == "s09" and number == STALL_AFTER:
                await asyncio.sleep(STALLED_S)
                return False
            if kind == "s10" and number == BROKEN_AT:
                await send(b'data: {"id": "c", "choices": [{"delta": {"content": \n\n')
            await event({"delta": {"content": word if number == 0 else f" {word}"}, "finish_reason": None})
            await asyncio.sleep(TOKEN_S)
        await event({"delta": {}, "finish_reason": "stop"})
        usage = {"prompt_tokens": 25, "completion_tokens": len(WORDS), "total_tokens": 25 + len(WORDS)}
        await event(None, usage=usage)
        if kind != "s11":
            await send(b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


async def _refuse(
    writer: asyncio.StreamWriter,
    seen: Seen,
    status: int,
    message: str,
    code: str | None,
    headers: dict[str, str] | None = None,
) -> bool:
    seen.said = str(status)
    body = json.dumps({"error": {"message": message, "type": "error", "param": None, "code": code}}).encode()
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return True


@dataclass
class Told:
    """What came of one scenario, from both sides."""

    seconds: float
    result: Result | None
    failed: TaskFailed | None
    primary: list[Seen]
    fallback: list[Seen]
    alive: bool = False
    """A sound call succeeds afterwards."""
    booked: bool = False
    """Each request that came to the provider is in the ledger, at a cost that is known, and nothing is set aside."""
    served: list[tuple[float, bool]] = field(default_factory=list)
    """Of a sequence: when each was asked, and whether it got the whole answer."""

    @property
    def ended(self) -> bool:
        return self.result is not None or self.failed is not None

    @property
    def whole(self) -> bool:
        return self.result is not None and self.result.text.split() == WORDS

    def gap(self) -> float:
        return self.primary[1].at - self.primary[0].at if len(self.primary) > 1 else 0.0

    def within(self, seconds: float) -> int:
        return sum(one.at - self.primary[0].at < seconds for one in self.primary)

    def returned_s(self) -> float:
        """From the recovery of the first model to its first answer."""
        return min((one.at - DOWN_S for one in self.primary if one.said == "200"), default=float("inf"))


Checks = dict[str, Callable[[Told], bool]]


@dataclass(frozen=True)
class Scenario:
    title: str
    model: str
    most_s: float
    """What takes longer hangs."""
    required: Checks = field(default_factory=dict)
    advisory: Checks = field(default_factory=dict)
    fallback: str = STEADY
    ends_in_error: bool = False


FEW = {"at most six attempts": lambda told: len(told.primary) <= 6}
ONCE = {"one attempt": lambda told: len(told.primary) == 1}
BOOKED: Checks = {"each attempt is booked": lambda told: told.booked}
ALIVE = {"alive afterwards": lambda told: told.alive}
USAGE = {"usage is told": lambda told: told.result is not None and told.result.usage.output > 0}
SCENARIOS = {
    "S01": Scenario(
        "429 with Retry-After",
        "fb-s01-429-retry-after",
        20,
        {"no hammering": lambda told: told.within(1.5) <= 2},
        {"tried again": lambda told: len(told.primary) >= 2, "as late as asked": lambda told: told.gap() >= 1.8},
    ),
    "S02": Scenario(
        "429 without Retry-After, persistent",
        "fb-s02-429-persistent",
        40,
        {"no hammering": lambda told: told.within(3) <= 4, **FEW},
    ),
    "S03": Scenario(
        "500 once, then healthy",
        "fb-s03-500-then-200",
        20,
        advisory={"the same once more": lambda told: len(told.primary) >= 2},
    ),
    "S04": Scenario("503 persistent", "fb-s04-503-persistent", 40, FEW),
    "S05": Scenario("TCP reset before headers", "fb-s05-reset", 20),
    "S06": Scenario(
        "No response at all",
        "fb-s06-no-response",
        130,
        {"in the budget of 100 s": lambda told: told.seconds <= 100},
        {"a silent route is not tried again": lambda told: len(told.primary) <= 1},
    ),
    "S07": Scenario(
        "Slow first token", "fb-s07-slow-ttft", 60, advisory={"within 15 s": lambda told: told.seconds <= 15}
    ),
    "S08": Scenario("Stream cut mid-answer", "fb-s08-stream-cut", 40),
    "S09": Scenario(
        "Stream stalls", "fb-s09-stream-stall", 70, {"within 45 s": lambda told: told.seconds <= 45, **ALIVE}
    ),
    "S10": Scenario("Malformed chunk in the stream", "fb-s10-malformed-chunk", 30, ALIVE),
    "S11": Scenario(
        "Stream ends without [DONE]", "fb-s11-no-done", 30, {"within 8 s": lambda told: told.seconds <= 8}, USAGE
    ),
    "S12": Scenario("Context length exceeded", "fb-s12-context-length", 20, ONCE),
    "S13": Scenario("Content-filter rejection", "fb-s13-content-filter", 20, ONCE, ends_in_error=True),
    "S14": Scenario(
        "Fallback target rejects prefill",
        "fb-s14-stream-cut",
        40,
        {"no prefill is refused": lambda told: all(one.said != "400" for one in told.fallback)},
        fallback=NO_PREFILL,
    ),
    "S15": Scenario(
        "Primary flaps: down, then healthy",
        "fb-s15-flap",
        30,
        {
            "served all the while": lambda told: all(whole for _, whole in told.served),
            "back within 30 s": lambda told: told.returned_s() <= 30,
        },
    ),
    "S16": Scenario(
        "Fail-over accounting",
        "fb-s16-503-persistent",
        40,
        {
            "who answered is told": lambda told: told.result is not None and told.result.model.endswith(STEADY),
            "what failed is not billed": lambda told: (
                told.result is not None and all(not one.cost.amount for one in told.result.attempts[:-1])
            ),
            **FEW,
        },
        USAGE,
    ),
}


def verdict(scenario: Scenario, told: Told) -> tuple[str, list[str]]:
    missed = [name for name, holds in (scenario.required | BOOKED).items() if not holds(told)]
    if not told.ended:
        return "fail", ["hangs"]
    if told.result is not None and not told.whole:
        return "fail", ["a part is taken for the whole"]
    if missed:
        return "fail", missed
    if (told.result is None) != scenario.ends_in_error:
        return ("partial", ["answered all the same"]) if scenario.ends_in_error else ("safe", [str(told.failed)])
    advice = [name for name, holds in scenario.advisory.items() if not holds(told)]
    return ("partial", advice) if advice else ("pass", [])


class Bench:
    def __init__(self, provider: Provider, base: Settings) -> None:
        self.provider = provider
        self.base = base

    async def scenario(self, scenario: Scenario) -> Told:
        with tempfile.TemporaryDirectory() as directory:
            settings = replace(self.base, store=StoreSettings(Path(directory) / "store.db"))
            async with Orchestrator(settings=settings, demo=False, look=False) as router:
                self.provider.reset()
                chain = (f"wall/{scenario.model}", f"wall/{scenario.fallback}")
                if scenario.model == "fb-s15-flap":
                    told = await self._sequence(router, chain, scenario.most_s)
                else:
                    told = await self._one(router, chain, scenario.most_s)
                told.primary, told.fallback = self.provider.of(scenario.model), self.provider.of(scenario.fallback)
                told.booked = await self._booked(router)
                told.alive = (await self._one(router, (f"wall/{STEADY}",), 10)).whole
        return told

    async def _booked(self, router: Orchestrator) -> bool:
        rows = await router.runtime.reports.last(1000)
        states = await router.runtime.budget_states(router.session)
        spent = Cost.sum(row.cost for row in rows).amount
        return (
            sorted(row.model for row in rows) == sorted(f"wall/{one.model}" for one in self.provider.seen)
            and all(row.cost.amount is not None for row in rows)
            and all(state.spent == spent and not state.reserved for state in states)
        )

    async def _one(self, router: Orchestrator, chain: tuple[str, ...], most_s: float) -> Told:
        began = time.monotonic()
        told = Told(0.0, None, None, [], [])
        try:
            async with asyncio.timeout(most_s):
                told.result = await router.execute(Task("Say in sixty words when a router is worth it.", chain=chain))
        except TaskFailed as failed:
            told.failed = failed
        except TimeoutError:
            pass
        told.seconds = time.monotonic() - began
        return told

    async def _sequence(self, router: Orchestrator, chain: tuple[str, ...], most_s: float) -> Told:
        """Twenty, four seconds apart."""
        began = time.monotonic()
        served = []
        for number in range(20):
            await asyncio.sleep(max(0.0, began + 4 * number - time.monotonic()))
            at = time.monotonic() - began
            last = await self._one(router, chain, most_s)
            served.append((at, last.whole))
            if not last.ended:
                break
        last.served, last.seconds = served, time.monotonic() - began
        return last


def configured(port: int, shipped: bool) -> Settings:
    names = [scenario.model for scenario in SCENARIOS.values()] + [STEADY, NO_PREFILL]
    price = Price(Rates.from_usd("1", "4"))
    retries, timeouts = Retries(), Timeouts()
    if not shipped:
        retries, timeouts = Retries(patience=3.0, past_filters=False), replace(timeouts, first_token=10.0)
    return Settings(
        providers={
            "wall": ProviderSettings("wall", "openai", f"http://127.0.0.1:{port}/v1", Secret("failover"), "here")
        },
        models=tuple(
            ModelSettings("wall", name, price=price, context_window=128_000 if name == STEADY else 8_192)
            for name in dict.fromkeys(names)
        ),
        policy=Policy(check=Check.OFF, retries=retries),
        timeouts=timeouts,
        discovery=False,
    )


async def run(names: list[str], shipped: bool) -> dict[str, Any]:
    await warm({"openai"})
    provider = Provider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    bench = Bench(provider, configured(server.sockets[0].getsockname()[1], shipped))
    rows: dict[str, Any] = {}
    for name in names:
        told = await bench.scenario(SCENARIOS[name])
        said, why = verdict(SCENARIOS[name], told)
        rows[f"{name} {SCENARIOS[name].title}"] = {
            "verdict": said,
            **({"why": why} if why else {}),
            "seconds": round(told.seconds, 1),
            "attempts": f"{len(told.primary)} and {len(told.fallback)}",
            **({"back_after_s": round(told.returned_s(), 1)} if told.served else {}),
        }
    server.close()
    verdicts = [row["verdict"] for row in rows.values()]
    return {said: verdicts.count(said) for said in ("pass", "partial", "safe", "fail")} | {"scenarios": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--as", dest="how", choices=("configured", "shipped"), default="configured")
    parser.add_argument("scenarios", nargs="*", choices=[[], *SCENARIOS], default=[])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        os.environ["TUI_ORCHESTRATOR_HOME"] = directory
        told = asyncio.run(run(options.scenarios or list(SCENARIOS), options.how == "shipped"))
    print(json.dumps({"as": options.how, **told}, indent=2))


if __name__ == "__main__":
    main()
