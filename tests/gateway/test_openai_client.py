"""The official client of OpenAI's, pointed at the gateway."""

from __future__ import annotations

import asyncio
import base64
import json
from itertools import product
from pathlib import Path
from typing import Any

import openai
import pytest

from tui_orchestrator.demo import Break, Phase, Reply, Say
from tui_orchestrator.routing.events import AttemptFailed, AttemptStarted, Completed, Failed

from .conftest import Gateway

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


async def test_a_question_is_answered_with_usage_and_what_the_router_says(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("Paris."))
    raw = await gateway.openai().chat.completions.with_raw_response.create(
        model="auto", messages=[{"role": "user", "content": "What is the capital of France?"}]
    )
    answer = raw.parse()
    assert answer.choices[0].message.content == "Paris."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    told = (answer.model_extra or {})["orchestrator"]
    assert told["model"] == answer.model == raw.headers["x-orchestrator-model"]
    assert told["cost_usd"] == pytest.approx(float(raw.headers["x-orchestrator-cost-usd"]))
    assert answer.id == f"chatcmpl-{raw.headers['x-orchestrator-request-id']}"
    assert "p 0." in told["reason"] or told["reason"]


async def test_a_stream_comes_in_pieces_and_ends_with_usage_and_the_decision(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("one two three four"))
    stream = await gateway.openai().chat.completions.create(
        model="rush-pro",
        messages=[{"role": "user", "content": "Count"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert "".join(texts) == "one two three four"
    assert len(texts) > 1
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []
    assert (chunks[-1].model_extra or {})["orchestrator"]["cost_usd"] > 0


NAMED = {"cheapest": "cheapest", "ensemble": "ensemble", "openai/rush-pro": "balanced"}


async def test_the_model_names_a_strategy_or_a_model(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("Yes."))
    for (model, strategy), stream in product(NAMED.items(), (False, True)):
        raw = await gateway.openai().chat.completions.with_raw_response.create(
            model=model, messages=[{"role": "user", "content": "Is it so?"}], stream=stream
        )
        assert raw.headers["x-orchestrator-strategy"] == strategy
        if stream:
            text = "".join([c.choices[0].delta.content or "" async for c in raw.parse() if c.choices])  # type: ignore[union-attr]
            assert text == "Yes."


async def test_system_text_history_and_parameters_go_along(gateway: Gateway) -> None:
    await gateway.openai().chat.completions.create(
        model="rush-pro",
        messages=[
            {"role": "developer", "content": "Answer in one line."},
            {"role": "user", "content": "Capital of France?"},
            {"role": "assistant", "content": "Paris."},
            {"role": "user", "content": "And its river?"},
        ],
        max_completion_tokens=77,
        temperature=0.5,
    )
    sent = json.dumps([one.body for one in gateway.servers.exchanges if one.method == "POST"][-1])
    assert sent.index("one line") < sent.index("Capital of France") < sent.index("And its river?")
    assert ": 77" in sent
    assert ": 0.5" in sent


async def test_a_picture_is_passed_on(gateway: Gateway) -> None:
    await gateway.openai().chat.completions.create(
        model="rush-pro",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                ],
            }
        ],
    )
    sent = json.dumps([one.body for one in gateway.servers.exchanges if one.method == "POST"][-1])
    assert PIXEL in sent
    assert base64.b64decode(PIXEL)[:4] == b"\x89PNG"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_stop_ends_the_answer_before_it(stream: bool, gateway: Gateway) -> None:
    gateway.servers.script.always(Say("one two STOP three"))
    asked = gateway.openai().chat.completions
    if stream:
        chunks = await asked.create(
            model="rush-pro", messages=[{"role": "user", "content": "Count"}], stop=["STOP"], stream=True
        )
        text = "".join([c.choices[0].delta.content or "" async for c in chunks if c.choices])
    else:
        answer = await asked.create(model="rush-pro", messages=[{"role": "user", "content": "Count"}], stop="STOP")
        text = answer.choices[0].message.content or ""
    assert text == "one two "


@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_before_the_first_text_falls_over_unseen(stream: bool, gateway: Gateway) -> None:
    gateway.servers.script.always(Reply(500, "the engine is on fire"), "rush-pro")
    gateway.servers.script.always(Say("A whole answer."))
    failed: list[str] = []
    gateway.runtime.subscribe(lambda event: failed.append(event.model) if isinstance(event, AttemptFailed) else None)
    answer = await gateway.openai().chat.completions.create(
        model="two", messages=[{"role": "user", "content": "Is it so?"}], stream=stream
    )
    if stream:
        text = "".join([c.choices[0].delta.content or "" async for c in answer if c.choices])  # type: ignore[union-attr]
    else:
        text = answer.choices[0].message.content or ""  # type: ignore[union-attr]
    assert text == "A whole answer."
    assert failed


async def test_text_that_was_sent_is_never_spliced(gateway: Gateway) -> None:
    gateway.servers.script.always(Break("close", Phase.MID_STREAM, Say("half an answer that breaks")), "rush-pro")
    gateway.servers.script.always(Say("A whole answer."))
    stream = await gateway.openai().chat.completions.create(
        model="two", messages=[{"role": "user", "content": "Is it so?"}], stream=True
    )
    texts: list[str] = []

    async def read() -> None:
        async for chunk in stream:
            texts.append(chunk.choices[0].delta.content or "")

    with pytest.raises(openai.APIError, match="broke off"):
        await read()
    assert "half" in "".join(texts)
    assert "whole" not in "".join(texts)
    assert gateway.asked == ["rush-pro"]


async def test_only_an_answer_that_is_whole_ends_with_the_closing_event(gateway: Gateway) -> None:
    gateway.servers.script.then(Break("close", Phase.MID_STREAM, Say("half an answer that breaks")), "rush-pro")
    asked = {"model": "rush-pro", "messages": [{"role": "user", "content": "Is it so?"}], "stream": True}
    async with gateway.http() as client:
        broken, whole = [(await client.post("/v1/chat/completions", json=asked)).text for _ in range(2)]
    assert '"code":"stream_broken"' in broken
    assert "[DONE]" not in broken
    assert whole.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("finish", ["stop", "length"])
async def test_an_answer_without_text_is_streamed_like_any_other(finish: str, gateway: Gateway) -> None:
    gateway.servers.script.always(Say("", finish=finish))  # type: ignore[arg-type]
    stream = await gateway.openai().chat.completions.create(
        model="rush-pro",
        messages=[{"role": "user", "content": "Say nothing."}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == [finish]
    assert chunks[-1].usage is not None


async def test_a_client_that_hangs_up_cancels_and_pays_for_what_came(gateway: Gateway) -> None:
    gateway.servers.script.always(Break("silence", Phase.MID_STREAM, Say("half an answer and then nothing")))
    ended = asyncio.Event()
    gateway.runtime.subscribe(lambda event: ended.set() if isinstance(event, Completed | Failed) else None)
    stream = await gateway.openai().chat.completions.create(
        model="rush-pro", messages=[{"role": "user", "content": "Is it so?"}], stream=True
    )
    async for chunk in stream:
        if chunk.choices[0].delta.content:
            break
    await stream.close()
    await ended.wait()
    total = await gateway.runtime.reports.total("today")
    assert total.cancelled == 1
    assert total.cost


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_hangs_up_before_the_first_word_cancels_too(stream: bool, gateway: Gateway) -> None:
    gateway.servers.script.always(Break("silence", Phase.BEFORE_TEXT))
    begun, ended = asyncio.Event(), asyncio.Event()
    gateway.runtime.subscribe(lambda event: begun.set() if isinstance(event, AttemptStarted) else None)
    gateway.runtime.subscribe(lambda event: ended.set() if isinstance(event, Completed | Failed) else None)
    asking = asyncio.create_task(
        gateway.openai().chat.completions.create(
            model="rush-pro", messages=[{"role": "user", "content": "Is it so?"}], stream=stream
        )
    )
    await begun.wait()
    asking.cancel()
    await asyncio.wait([asking])
    await ended.wait()
    assert (await gateway.runtime.reports.total("today")).cancelled == 1


WRONG: list[tuple[int, str, dict[str, object]]] = [
    (404, "model", {"model": "nobody", "messages": [{"role": "user", "content": "x"}]}),
    (400, "messages", {"messages": []}),
    (400, "n", {"n": 2, "messages": [{"role": "user", "content": "x"}]}),
    (400, "tools[0]", {"tools": [{"type": "function"}], "messages": [{"role": "user", "content": "x"}]}),
    (400, "temperature", {"temperature": 3, "messages": [{"role": "user", "content": "x"}]}),
    (400, "max_tokens", {"max_tokens": 0, "messages": [{"role": "user", "content": "x"}]}),
    (400, "messages[0].role", {"messages": [{"role": "robot", "content": "x"}]}),
    (
        400,
        "messages[0].content",
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1/x.png"}}]}
            ]
        },
    ),
]


async def test_a_wrong_request_is_told_in_openai_s_form(gateway: Gateway) -> None:
    for status, kind, body in WRONG:
        async with gateway.http() as client:
            said = await client.post("/v1/chat/completions", json={"model": "auto", **body})
        assert said.status_code == status, body
        assert said.json()["error"]["type"] == "invalid_request_error"
        assert said.json()["error"]["param"] == kind
        assert gateway.asked == []


async def test_errors_have_the_codes_that_openai_s_programs_look_for(gateway: Gateway) -> None:
    async def code(client: openai.AsyncOpenAI, model: str, **wanted: Any) -> str | None:
        with pytest.raises(openai.APIStatusError) as raised:
            await client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hi"}], **wanted)
        return raised.value.code

    client = gateway.openai()
    assert await code(client, "nobody") == "model_not_found"
    assert await code(client, "auto", n=2) is None
    assert await code(client.with_options(api_key="sk-wrong"), "auto") == "invalid_api_key"
    gateway.servers.script.always(Reply(429, "slow down"))
    assert await code(client, "rush-pro") == "rate_limit_exceeded"


HALVES: list[tuple[str, Any, str]] = [
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": "a \ud800"}]}, "messages[0].content"),
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": "a"}], "stop": ["\udfff"]}, "stop[0]"),
    ("/api/v1/orchestrator/chat/execute", {"prompt": "a \ud800"}, "prompt"),
    ("/api/v1/orchestrator/chat/stream", {"prompt": "a", "tags": ["\ud83d"]}, "tags[0]"),
    ("/api/v1/orchestrator/batch/submit", {"lines": [{"prompt": "a"}, {"prompt": "\ud800"}]}, "lines[1].prompt"),
]


async def test_half_a_character_is_refused_before_any_call(gateway: Gateway) -> None:
    for path, body, at in HALVES:
        async with gateway.http() as client:
            said = await client.post(path, content=json.dumps(body), headers={"content-type": "application/json"})
        assert said.status_code == 400
        assert said.json()["error"]["param"] == at
        assert said.json()["error"]["message"].startswith(f"{at} holds half a character")
        assert gateway.asked == []


async def test_a_budget_that_says_no_is_an_error_the_client_does_not_repeat(gateway: Gateway, tmp_path: Path) -> None:
    from dataclasses import replace

    from tui_orchestrator.routing.money import Money

    router = gateway.runtime.router
    router.budgets = replace(router.budgets, daily=Money(1))
    with pytest.raises(openai.APIStatusError) as raised:
        await gateway.openai().chat.completions.create(
            model="tern-max", messages=[{"role": "user", "content": "Explain monads"}]
        )
    assert raised.value.status_code == 402
    assert raised.value.code == "budget_exceeded"
    assert gateway.asked == []


async def test_a_provider_that_fails_is_a_502(gateway: Gateway) -> None:
    gateway.servers.script.always(Reply(401))
    with pytest.raises(openai.APIStatusError) as raised:
        await gateway.openai().chat.completions.create(model="tern-max", messages=[{"role": "user", "content": "Hi"}])
    assert raised.value.status_code == 502
    assert "key-of-anthropic" not in str(raised.value)


@pytest.mark.parametrize(("status", "told"), [(429, 429), (503, 503), (500, 502)])
async def test_how_long_a_provider_asks_to_wait_is_passed_on(gateway: Gateway, status: int, told: int) -> None:
    gateway.servers.script.always(Reply(status, headers={"retry-after": "99.5"}))
    question = [{"role": "user", "content": "Hi"}]
    for path, body in (
        ("/v1/chat/completions", {"model": "tern-max", "messages": question}),
        ("/v1/chat/completions", {"model": "lumen-dash", "messages": question, "stream": True}),
        ("/api/v1/orchestrator/chat/execute", {"model": "rush-pro", "prompt": "Hi"}),
    ):
        async with gateway.http() as client:
            said = await client.post(path, json=body)
        assert said.status_code == told
        assert said.headers.get("retry-after") == (None if told == 502 else "100")
        assert said.headers["x-should-retry"] == "false"


SPOKEN = ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]})
STREAMED = ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}], "stream": True})
EXECUTED = ("/api/v1/orchestrator/chat/execute", {"prompt": "Hi"})


@pytest.mark.parametrize(("path", "body"), [SPOKEN, STREAMED, EXECUTED], ids=["whole", "streamed", "native"])
async def test_who_comes_while_a_model_is_left_alone_is_told_for_how_long(
    gateway: Gateway, path: str, body: dict[str, Any]
) -> None:
    gateway.servers.script.always(Reply(429, headers={"retry-after": "99.5"}))
    body = {**body, "model": "tern-max"}
    async with gateway.http() as client:
        assert (await client.post(path, json=body)).headers["x-should-retry"] == "false", "it was tried"
        asked = len(gateway.asked)
        said = await client.post(path, json=body)
    assert said.status_code == 503
    assert 90 <= int(said.headers["retry-after"]) <= 100
    assert said.headers["x-should-retry"] == "true"
    error = said.json()["error"]
    assert error["code"] == "no_candidate"
    if path == EXECUTED[0]:
        assert error["retry_after_s"] == int(said.headers["retry-after"])
    else:
        assert error["message"].endswith(" s. Wait, or choose another model; `models` shows how each one stands.")
    assert len(gateway.asked) == asked, "nothing was sent"


async def test_of_several_that_are_left_alone_the_first_to_be_asked_again_is_waited_for(gateway: Gateway) -> None:
    for model, wait_s in (("rush-mini", 99), ("tern-lite", 300)):
        gateway.servers.script.always(Reply(429, headers={"retry-after": str(wait_s)}), model)
    chain = {"prompt": "Hi", "chain": ["rush-mini", "tern-lite"]}
    async with gateway.http() as client:
        await client.post("/api/v1/orchestrator/chat/execute", json=chain)
        said = await client.post("/api/v1/orchestrator/chat/stream", json=chain)
    failed = json.loads(said.text.rsplit("data: ", 1)[1])
    assert failed["type"] == "failed"
    assert 90 <= failed["error"]["retry_after_s"] <= 99


async def test_a_refused_key_is_nothing_to_wait_for(gateway: Gateway) -> None:
    gateway.servers.script.always(Reply(401))
    question = {"model": "tern-max", "messages": [{"role": "user", "content": "Hi"}]}
    async with gateway.http() as client:
        await client.post("/v1/chat/completions", json=question)
        said = await client.post("/v1/chat/completions", json=question)
    assert said.status_code == 503
    assert "retry-after" not in said.headers
    assert said.headers["x-should-retry"] == "false"


async def test_the_models_are_listed(gateway: Gateway) -> None:
    names = [model.id async for model in gateway.openai().models.list()]
    assert names[0] == "auto"
    assert {"cheapest", "ensemble", "openai/rush-pro"} <= set(names)


async def test_one_model_is_told_by_its_name_and_what_is_not_spoken_is_said(gateway: Gateway) -> None:
    client = gateway.openai()
    assert (await client.models.retrieve("openai/rush-pro")).owned_by == "openai"
    with pytest.raises(openai.NotFoundError, match="lists them"):
        await client.models.retrieve("nobody")
    with pytest.raises(openai.NotFoundError, match="chat completions"):
        await client.responses.create(model="auto", input="Hi")
    with pytest.raises(openai.NotFoundError, match="Embeddings are not routed"):
        await client.embeddings.create(model="auto", input="Hi")
