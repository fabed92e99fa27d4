"""Whatever bytes a server sends, a provider raises nothing but TurnError."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.routing.errors import TurnError
from tui_orchestrator.routing.ports import Done, Provider
from tui_orchestrator.routing.text import clean_line

from .dialects import WIRES, Read, Wire
from .server import WireServer, head

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
FIELDS = sorted(
    {
        *("type", "delta", "text", "thinking", "message", "usage", "content_block", "stop_reason", "model", "error"),
        *("choices", "index", "content", "finish_reason", "logprobs", "reasoning", "refusal", "prompt_tokens", "code"),
        *("candidates", "parts", "finishReason", "usageMetadata", "promptFeedback", "blockReason", "modelVersion"),
    }
)
TYPES = ["message_start", "content_block_start", "content_block_delta", "message_delta", "error", "text_delta", "stop"]
shaped = st.recursive(
    st.none() | st.integers(-1, 10**25) | st.floats() | st.sampled_from([*TYPES, "STOP", ""]) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), children, max_size=4),
    max_leaves=12,
)


async def attempt(provider: Provider) -> tuple[Read | None, TurnError | None]:
    try:
        return await Read.of(provider), None
    except TurnError as error:
        return None, error


class Bench:
    """One server and one provider for all examples: making an SDK's client is the dear part."""

    def __init__(self, wire: Wire, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.clients = HttpClients()
        self.server = WireServer()
        runner.run(self.server.__aenter__())
        self.provider = wire.make(self.server.url, self.clients)

    def only_a_turn_error(self, *script: bytes) -> None:
        self.server.script = script
        read, error = self.runner.run(attempt(self.provider))
        assert (read is None) != (error is None)
        if read is not None:
            assert isinstance(read.pieces[-1], Done)
        if error is not None:
            assert error.message == clean_line(error.message)

    def close(self) -> None:
        self.runner.run(self.clients.aclose())
        self.runner.run(self.server.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def benches() -> Iterator[dict[str, Bench]]:
    with asyncio.Runner() as runner:
        made = {wire.name: Bench(wire, runner) for wire in WIRES}
        yield made
        for bench in made.values():
            bench.close()


few = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize("wire", WIRES, ids=str)
@few
@given(body=st.binary(max_size=200), begun=st.booleans(), status=st.sampled_from([200, 200, 400, 500]))
def test_as_a_body(benches: dict[str, Bench], wire: Wire, body: bytes, begun: bool, status: int) -> None:
    benches[wire.name].only_a_turn_error(head(status), wire.opening if begun else b"", body)


@pytest.mark.parametrize("wire", WIRES, ids=str)
@few
@given(response=st.binary(max_size=200))
def test_as_a_whole_response(benches: dict[str, Bench], wire: Wire, response: bytes) -> None:
    benches[wire.name].only_a_turn_error(response)


@pytest.mark.parametrize("wire", WIRES, ids=str)
@few
@given(payload=json_values | shaped, event=st.sampled_from(TYPES), status=st.sampled_from([200, 200, 200, 429]))
def test_as_json_of_any_shape(benches: dict[str, Bench], wire: Wire, payload: object, event: str, status: int) -> None:
    line = f"data: {json.dumps(payload)}\n\n"
    if wire.name == "anthropic":
        line = f"event: {event}\n{line}"
    benches[wire.name].only_a_turn_error(head(status), line.encode())
