"""What is booked where a provider's count of tokens is missing or cannot be true."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clock import ManualClock
from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.routing.events import Completed, Failed
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import CostState, Money, Price, Rates, Usage

from .dialects import (
    ANTHROPIC,
    BLOCK_START,
    BLOCK_STOP,
    DONE,
    GEMINI,
    MESSAGE_STOP,
    OPENAI,
    Wire,
    data,
    delta,
    events,
    generated,
    message_delta,
    message_start,
    text_delta,
    usage_chunk,
)
from .server import WireServer, head
from .test_golden import Shop

LONG = "word " * 400
LIKELY = 476
"""Tokens of it, as they are estimated."""
ESTIMATED = f"booked with 12 in and {LIKELY} out, estimated from what came"
PRICE = Price(Rates.from_usd("10", "50"))
WINDOW = 100_000


class Counting(Shop):
    """One model that answers with LONG and is allowed 4,000 tokens for it."""

    def __init__(self, wire: Wire, clients: HttpClients, body: bytes) -> None:
        self.server = WireServer(head(), body)
        self.make, self.clients = wire.make, clients
        self.model = Model("shop", "any", price=PRICE, context_window=WINDOW)
        self.clock = ManualClock()


def gemini(*usages: Any) -> bytes:
    last = generated(".", "STOP", usages[1]) if len(usages) > 1 else generated("", "STOP")
    return data(generated(LONG, usage=usages[0]), last)


def anthropic(end: dict[str, Any], **start: int) -> bytes:
    return events(message_start(**start), BLOCK_START, text_delta(LONG), BLOCK_STOP, end, MESSAGE_STOP)


def openai(*counts: int, prompt: int = 12) -> bytes:
    usages = [usage_chunk(prompt_tokens=prompt, completion_tokens=count) for count in counts]
    return data(delta(content=LONG), delta("stop"), *usages) + DONE


def counted(output: int) -> dict[str, int]:
    return {"promptTokenCount": 12, "candidatesTokenCount": output}


WITHOUT = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
SENSELESS = [
    pytest.param(GEMINI, gemini(counted(-5)), 12, LIKELY, id="gemini below zero"),
    pytest.param(GEMINI, gemini(counted(10**12)), 12, LIKELY, id="gemini beyond all"),
    pytest.param(GEMINI, gemini({"promptTokenCount": 12}), 12, LIKELY, id="gemini without"),
    pytest.param(GEMINI, gemini(counted(470), None), 12, LIKELY + 1, id="gemini before the last text alone"),
    pytest.param(GEMINI, gemini(counted(900), counted(30)), 12, 900, id="gemini less than before"),
    pytest.param(
        *(GEMINI, gemini({"promptTokenCount": 12, "thoughtsTokenCount": 200}), 12, 200 + LIKELY), id="thoughts alone"
    ),
    *(
        pytest.param(
            GEMINI, gemini({"promptTokenCount": 12, "candidatesTokenCount": odd}), None, LIKELY, id=f"gemini {odd}"
        )
        for odd in (7.5, float("inf"), float("nan"), [7], {"a": 7}, "seven")
    ),
    pytest.param(GEMINI, gemini([7]), None, LIKELY, id="gemini a list"),
    pytest.param(ANTHROPIC, anthropic({**WITHOUT, "usage": None}), 12, LIKELY, id="anthropic null"),
    pytest.param(ANTHROPIC, anthropic(WITHOUT), 12, LIKELY, id="anthropic without"),
    pytest.param(ANTHROPIC, anthropic(message_delta(output_tokens=-5)), 12, LIKELY, id="anthropic below zero"),
    pytest.param(ANTHROPIC, anthropic(message_delta(output_tokens=10**12)), 12, LIKELY, id="anthropic beyond all"),
    pytest.param(
        ANTHROPIC,
        anthropic(message_delta(input_tokens=0, output_tokens=400), input_tokens=9000, output_tokens=1),
        *(9000, 400),
        id="anthropic takes its input back",
    ),
    pytest.param(OPENAI, openai(0), 12, LIKELY, id="openai nothing"),
    pytest.param(OPENAI, openai(600, 0), 12, 600, id="openai takes it back"),
    pytest.param(OPENAI, openai(400, prompt=0), None, 400, id="openai no prompt"),
]


@pytest.mark.parametrize(("wire", "body", "read", "written"), SENSELESS)
async def test_what_cannot_be_counted_so_is_estimated_from_what_came(
    wire: Wire, body: bytes, read: int | None, written: int, clients: HttpClients
) -> None:
    end, row = await Counting(wire, clients, body).sells()
    assert isinstance(end, Completed)
    assert row.usage.source == "estimated"
    assert row.usage.output == written
    assert row.usage.input == (read or row.usage.input) > 0
    assert row.cost.state is CostState.ESTIMATED
    assert str(end.cost).startswith("~")


async def test_reasoning_that_nobody_sees_is_believed(clients: HttpClients) -> None:
    usage = usage_chunk(
        prompt_tokens=12,
        completion_tokens=3900,
        completion_tokens_details={"reasoning_tokens": 3895},
        total_tokens=3912,
    )
    end, row = await Counting(OPENAI, clients, data(delta(content="Yes."), delta("stop"), usage) + DONE).sells()
    assert row.usage == Usage(12, 3900, reasoning=3895)
    assert end.note == ""


@pytest.mark.parametrize("whole", [True, False])
async def test_a_count_that_no_call_can_have_is_told_and_not_billed_by(whole: bool, clients: HttpClients) -> None:
    usage = usage_chunk(prompt_tokens=12, completion_tokens=100_000_000)
    body = data(delta(content=LONG), *([delta("stop")] if whole else []), usage) + (DONE if whole else b"")
    end, row = await Counting(OPENAI, clients, body).sells()
    assert isinstance(end, Completed if whole else Failed)
    assert row.usage == Usage(12, LIKELY, source="estimated")
    assert row.cost.amount == end.cost.amount == Money.from_usd("0.02392")
    assert end.note == f"shop/any reported 100,000,000 output tokens, which cannot be: {ESTIMATED}"


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (GEMINI, gemini(counted(10**12))),
        (ANTHROPIC, anthropic(message_delta(output_tokens=10**12))),
        (OPENAI, openai(10**12)),
        (OPENAI, openai(10**12).replace(b"1000000000000", b"1e12")),
    ],
)
async def test_the_most_absurd_count_is_told_too(wire: Wire, body: bytes, clients: HttpClients) -> None:
    end, row = await Counting(wire, clients, body).sells()
    assert row.usage == Usage(12, LIKELY, source="estimated")
    assert end.note == f"shop/any reported 1,000,000,000,000 output tokens, which cannot be: {ESTIMATED}"


async def test_a_count_that_fills_the_screen_is_told_as_more_than_enough(clients: HttpClients) -> None:
    end, _ = await Counting(OPENAI, clients, openai(10**400)).sells()
    assert end.note == f"shop/any reported 1,000,000,000,000,000 output tokens, which cannot be: {ESTIMATED}"


async def test_a_prompt_that_no_model_could_read_is_told_and_not_billed_by(clients: HttpClients) -> None:
    end, row = await Counting(OPENAI, clients, openai(400, prompt=900_000_000)).sells()
    assert 0 < row.usage.input < 100
    assert (row.usage.output, row.usage.source) == (400, "estimated")
    booked = f"booked with {row.usage.input} in and 400 out, estimated from what came"
    assert end.note == f"shop/any reported 900,000,000 input tokens, which cannot be: {booked}"


async def test_more_than_was_allowed_is_paid_for_and_told(clients: HttpClients) -> None:
    end, row = await Counting(OPENAI, clients, openai(6000)).sells()
    assert row.usage == Usage(12, 6000, source="estimated"), "it may be billed, but was not agreed"
    assert row.cost.state is CostState.ESTIMATED
    assert end.note == "shop/any counted 6,000 output tokens, and 4,000 were the most it was allowed"


async def test_a_character_that_comes_in_two_halves_is_one(clients: HttpClients) -> None:
    pieces = [delta(content="smile \ud83d"), delta(content="\ude00, half \ud83d"), delta("stop")]
    end, _ = await Counting(OPENAI, clients, data(*pieces) + DONE).sells()
    assert isinstance(end, Completed)
    assert end.response == "smile \N{GRINNING FACE}, half \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "call", [{"tool_calls": [{"index": 0, "function": {"name": "rm"}}]}, {"function_call": {"name": "rm"}}]
)
async def test_a_call_of_a_tool_is_kept_in_its_old_form_too(call: dict[str, Any], clients: HttpClients) -> None:
    arguments = {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}
    if "function_call" in call:
        arguments = {"function_call": {"arguments": "{}"}}  # type: ignore[dict-item]
    end, _ = await Counting(OPENAI, clients, data(delta(**call), delta(**arguments), delta("stop")) + DONE).sells()
    assert isinstance(end, Completed)
    assert [(one.name, one.arguments) for one in end.calls] == [("rm", "{}")]
