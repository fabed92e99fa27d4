"""A prompt too long for every model through the gateway: an error, as any client expects, unless the body agrees to
parts."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from tests.turns.test_parted import QUESTION, report
from tui_orchestrator.demo import Say

from .conftest import Gateway

ASKED: Any = [{"role": "user", "content": f"{QUESTION}\n\n{report()}"}]


@pytest.fixture(autouse=True)
def answers(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("All rooms are in good order."))


def chat(gateway: Gateway) -> Any:
    return gateway.openai().chat.completions


@pytest.mark.parametrize("said", [{}, {"split": False}])
async def test_without_split_it_is_the_error_a_client_expects(said: dict[str, bool], gateway: Gateway) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        await chat(gateway).create(model="pebble-3b", messages=ASKED, extra_body=said)
    assert "reads 16,384 tokens" in str(raised.value)
    assert raised.value.code == "context_length_exceeded"
    assert gateway.asked == []


@pytest.mark.parametrize("stream", [False, True])
async def test_with_split_its_parts_are_read_and_one_answer_comes(stream: bool, gateway: Gateway) -> None:
    asked = {"model": "pebble-3b", "messages": ASKED, "extra_body": {"split": True}}
    if stream:
        chunks = [chunk async for chunk in await chat(gateway).create(**asked, stream=True)]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        told = chunks[-1].model_extra["orchestrator"]
    else:
        answer = await chat(gateway).create(**asked)
        text, told = answer.choices[0].message.content, answer.model_extra["orchestrator"]
    # What the parts say is material, not the answer: it comes once.
    assert text == "All rooms are in good order."
    assert told["attempts"] == len(gateway.asked) > 2


async def test_split_must_be_a_yes_or_a_no(gateway: Gateway) -> None:
    with pytest.raises(openai.BadRequestError, match="split must be true or false"):
        await chat(gateway).create(model="pebble-3b", messages=ASKED, extra_body={"split": "always"})


async def test_the_routers_own_routes_tell_the_plan_and_carry_it_out(gateway: Gateway) -> None:
    body = {"prompt": ASKED[0]["content"], "model": "pebble-3b", "split": True}
    async with gateway.http() as client:
        root = "/api/v1/orchestrator/chat"
        plan = (await client.post(f"{root}/route", json=body)).json()["division"]
        assert plan["parts"] > 1
        assert gateway.asked == []
        answered = await client.post(f"{root}/execute", json=body)
        assert answered.json()["response"] == "All rooms are in good order."
        assert len(gateway.asked) == plan["parts"] + 1
        refused = await client.post(f"{root}/execute", json={**body, "split": False})
        assert refused.status_code == 400
        assert json.loads(refused.text)["error"]["kind"] == "no_candidate"
