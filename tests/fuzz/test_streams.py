"""Whatever bytes a server sends, a provider gives an answer that ended or raises a TurnError, and nothing else."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.terminal.pseudoterminal import foreign
from tests.wire import dialects
from tests.wire.dialects import KEY, WIRES, Read, Wire
from tests.wire.server import WireServer, head
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.providers.exchange import after_response, before_request
from tui_orchestrator.routing.errors import TurnError
from tui_orchestrator.routing.money import Usage
from tui_orchestrator.routing.ports import CallPiece, Provider, TextPiece, ThinkingPiece
from tui_orchestrator.routing.text import clean, clean_line

from .made_up import altered, as_json, at_length, bent, values

OPENROUTER = Wire(
    "openrouter",
    lambda url, clients: dialects.openai_at(url, clients, "openrouter"),
    dialects.OPENAI.opening,
    dialects.OPENAI.closing,
    dialects.OPENAI.in_stream_error,
)
ALL = (*WIRES, OPENROUTER)
FIELDS = sorted(
    {
        *("type", "delta", "text", "thinking", "message", "usage", "content_block", "stop_reason", "model", "error"),
        *("choices", "index", "content", "finish_reason", "logprobs", "reasoning", "refusal", "prompt_tokens", "code"),
        *("candidates", "parts", "finishReason", "usageMetadata", "promptFeedback", "blockReason", "modelVersion"),
        *("completion_tokens", "cost", "is_byok", "cost_details", "token", "logprob", "native_finish_reason"),
        *("avgLogprobs", "logprobsResult", "trafficType", "service_tier", "cache_creation", "output_tokens_details"),
        *(
            "tool_calls",
            "function",
            "name",
            "arguments",
            "id",
            "functionCall",
            "args",
            "partial_json",
            "thoughtSignature",
        ),
        *("prompt_tokens_details", "cached_tokens", "total_tokens", "thoughtsTokenCount", "promptTokensDetails"),
    }
)
TYPES = ["message_start", "content_block_start", "content_block_delta", "message_delta", "error", "text_delta", "stop"]
shaped = st.recursive(
    st.none()
    | st.integers(-1, 10**25)
    | st.floats()
    | st.sampled_from([*TYPES, "STOP", "", KEY])
    | st.text(max_size=5),
    lambda children: st.lists(children, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), children, max_size=4),
    max_leaves=12,
)

ANTHROPIC_EVENTS: list[Any] = [
    dialects.message_start(input_tokens=12, output_tokens=1, cache_read_input_tokens=4, cache_creation_input_tokens=3),
    dialects.BLOCK_START,
    dialects.text_delta("Hel"),
    dialects.block_delta(type="thinking_delta", thinking="hm"),
    dialects.block_delta(type="signature_delta", signature="x"),
    dialects.text_delta(KEY[:9]),
    dialects.text_delta(KEY[9:]),
    {
        **dialects.BLOCK_START,
        "index": 1,
        "content_block": {"type": "tool_use", "id": "a", "name": "weather", "input": {}},
    },
    {**dialects.block_delta(type="input_json_delta", partial_json='{"city": "Ulm' + KEY[:9]), "index": 1},
    {**dialects.block_delta(type="input_json_delta", partial_json=KEY[9:] + '"}'), "index": 1},
    dialects.BLOCK_STOP,
    dialects.message_delta("end_turn", input_tokens=12, output_tokens=5),
    dialects.message_delta("max_tokens"),
    dialects.MESSAGE_STOP,
    {"type": "ping"},
    {"type": "error", "error": {"type": "overloaded_error", "message": f"Overloaded {KEY}"}},
]
OPENAI_EVENTS: list[Any] = [
    dialects.delta(role="assistant", content=""),
    dialects.delta(content="Hel"),
    dialects.delta(content=[{"type": "text", "text": "lo"}]),
    dialects.delta(reasoning_content="hm"),
    dialects.delta(refusal="no"),
    dialects.delta(content=KEY[:9]),
    dialects.delta(content=KEY[9:]),
    dialects.delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "weather", "arguments": KEY[:9]}}]),
    dialects.delta(tool_calls=[{"index": 0, "function": {"arguments": KEY[9:]}}]),
    dialects.delta("stop"),
    dialects.delta("length", usage={"prompt_tokens": 3, "completion_tokens": 4, "cost": 0.1, "is_byok": True}),
    dialects.usage_chunk(prompt_tokens=12, completion_tokens=5, total_tokens=17, cost=0.00021),
    dialects.usage_chunk(
        prompt_tokens=12,
        completion_tokens=5,
        prompt_tokens_details={"cached_tokens": 4, "audio_tokens": 2},
        completion_tokens_details={"reasoning_tokens": 9},
    ),
    {
        **dialects.delta("stop"),
        "choices": [{"index": 0, "delta": {}, "logprobs": {"content": [{"token": "a", "logprob": -0.1}]}}],
    },
    {"error": {"message": f"Overloaded {KEY}", "code": 503}, "choices": []},
]
GEMINI_EVENTS: list[Any] = [
    dialects.generated("Hel", usage={"promptTokenCount": 12, "candidatesTokenCount": 1, "totalTokenCount": 13}),
    dialects.generated("hm", thought=True),
    dialects.generated(
        "lo", "STOP", usage={"promptTokenCount": 12, "thoughtsTokenCount": 7, "cachedContentTokenCount": 5}
    ),
    dialects.generated(KEY[:9]),
    dialects.generated(KEY[9:]),
    {"candidates": [{"content": {"parts": [{"functionCall": {"id": "a", "name": "weather", "args": {"city": KEY}}}]}}]},
    dialects.generated(None, "MAX_TOKENS"),
    dialects.generated(None, "SAFETY"),
    {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 2}},
    {"error": {"code": 503, "message": f"Overloaded {KEY}", "status": "UNAVAILABLE"}},
]
EVENTS = {"anthropic": ANTHROPIC_EVENTS, "openai": OPENAI_EVENTS, "gemini": GEMINI_EVENTS, "openrouter": OPENAI_EVENTS}
NOISE = (
    b": keepalive",
    b"",
    b"retry: 1",
    b"id: \x00",
    b"event: x",
    b"data:",
    b"data: [DONE]",
    b"data",
    b"\xef\xbb\xbf",
    b"data: {",
)


@st.composite
def bodies(draw: st.DrawFn, name: str) -> bytes:
    """Events of the provider's in any order, in any of which something else may stand, with what else a stream has."""
    line_end = draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"]))
    lines: list[bytes] = []
    for event in draw(st.lists(st.sampled_from(EVENTS[name]), max_size=6)):
        said = draw(st.just(event) | altered(event, shaped | values))
        if name == "anthropic":
            kind = said.get("type") if draw(st.booleans()) else draw(st.sampled_from(TYPES))
            lines.append(f"event: {kind}".encode(errors="replace").replace(b"\n", b"").replace(b"\r", b""))
        lines += [b"data: " + as_json(said), b""]
        lines += draw(st.lists(st.sampled_from(NOISE), max_size=1))
    body = line_end.join(lines) + line_end
    return draw(st.just(body) | bent(body, (*NOISE, b"\n\n", b"\xff", b"\x00")))


class Bench:
    """One server and one provider for all examples: making an SDK's client is the dear part."""

    def __init__(self, wire: Wire, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.clients = HttpClients()
        self.server = WireServer()
        runner.run(self.server.__aenter__())
        self.over_sockets = wire.make(self.server.url, self.clients)
        self.content: tuple[int, str, list[bytes]] = (200, "", [])
        self.in_memory = wire.make("http://in.memory", self._without_sockets())
        for provider in (self.over_sockets, self.in_memory):
            # To import an SDK takes seconds, of which no example is to be blamed.
            self.runner.run(provider.ready())

    def _without_sockets(self) -> Any:
        import httpx2

        async def respond(request: httpx2.Request) -> httpx2.Response:
            status, kind, pieces = self.content
            return httpx2.Response(status, headers={"Content-Type": kind}, content=_sent(pieces))

        self.client = httpx2.AsyncClient(
            transport=httpx2.MockTransport(respond),
            event_hooks={"request": [before_request], "response": [after_response]},
        )
        return type("InMemory", (), {"local": self.client})

    def read(self, *script: bytes) -> None:
        self.server.script = script
        self.runner.run(answer_or_error(self.over_sockets))

    def read_in_memory(self, status: int, kind: str, pieces: list[bytes]) -> None:
        self.content = (status, kind, pieces)
        self.runner.run(answer_or_error(self.in_memory))

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.run(self.clients.aclose())
        self.runner.run(self.server.__aexit__(None, None, None))


async def _sent(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def answer_or_error(provider: Provider) -> None:
    read, refused = Read([]), None
    try:
        await read.on(provider)
    except TurnError as error:
        refused = error
    if refused is not None:
        assert refused.message == clean_line(refused.message)
        assert foreign(refused.message.encode()) == []
        assert KEY not in f"{refused} {refused!r}"
    else:
        assert read.done.served_by is None or read.done.served_by == clean_line(read.done.served_by)
    called: dict[int, str] = defaultdict(str)
    for piece in read.pieces:
        if isinstance(piece, TextPiece | ThinkingPiece):
            assert foreign(clean(piece.text).encode()) == []
        elif isinstance(piece, CallPiece):
            called[piece.index] += piece.arguments
            assert KEY not in f"{piece.id} {piece.name} {piece.signature}"
        elif piece.usage is not None:
            makes_sense(piece.usage)
    assert KEY not in "\0".join([clean(read.text), clean(read.thinking), *called.values()])


def makes_sense(usage: Usage) -> None:
    assert min(usage.input, usage.output, usage.cached_input, usage.cache_write, usage.reasoning) >= 0
    assert usage.cached_input + usage.cache_write <= usage.input <= 5 * 10**9
    assert usage.reasoning <= usage.output <= 5 * 10**9


@pytest.fixture(scope="module")
def benches() -> Iterator[dict[str, Bench]]:
    with asyncio.Runner() as runner:
        made = {wire.name: Bench(wire, runner) for wire in ALL}
        yield made
        for bench in made.values():
            bench.close()


@pytest.mark.parametrize("wire", ALL, ids=str)
@at_length
@given(data=st.data())
def test_events_of_its_own(benches: dict[str, Bench], wire: Wire, data: st.DataObject) -> None:
    body = data.draw(bodies(wire.name))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    status = data.draw(st.sampled_from([200, 200, 200, 200, 429, 500]))
    kind = data.draw(st.sampled_from(["text/event-stream", "text/event-stream", "application/json", "text/html", ""]))
    benches[wire.name].read_in_memory(status, kind, pieces)


@pytest.mark.parametrize("wire", WIRES, ids=str)
@at_length
@given(body=st.binary(max_size=200), begun=st.booleans(), status=st.sampled_from([200, 200, 400, 500]))
def test_as_a_body(benches: dict[str, Bench], wire: Wire, body: bytes, begun: bool, status: int) -> None:
    benches[wire.name].read(head(status), wire.opening if begun else b"", body)


@pytest.mark.parametrize("wire", WIRES, ids=str)
@at_length
@given(response=st.binary(max_size=200) | bent(head() + b"data: {}\n\n"))
def test_as_a_whole_response(benches: dict[str, Bench], wire: Wire, response: bytes) -> None:
    benches[wire.name].read(response)


@pytest.mark.parametrize("wire", WIRES, ids=str)
@at_length
@given(payload=values | shaped, event=st.sampled_from(TYPES), status=st.sampled_from([200, 200, 200, 429]))
def test_as_json_of_any_shape(benches: dict[str, Bench], wire: Wire, payload: object, event: str, status: int) -> None:
    line = f"data: {as_json(payload).decode()}\n\n"
    if wire.name == "anthropic":
        line = f"event: {event}\n{line}"
    benches[wire.name].read_in_memory(status, "text/event-stream", [line.encode()])
