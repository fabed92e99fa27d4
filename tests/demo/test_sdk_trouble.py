"""What goes wrong, as the vendors' own SDKs see it."""

from __future__ import annotations

import asyncio

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors as genai_errors
from google.genai import types as genai_types

from tui_orchestrator import demo
from tui_orchestrator.demo import Break, Phase, Reply, Say

from .conftest import PROMPT


async def test_a_429_reaches_each_sdk_with_the_vendor_s_body_and_retry_after(
    servers: demo.Servers,
    openai_client: openai.AsyncOpenAI,
    anthropic_client: anthropic.AsyncAnthropic,
    gemini_client: genai.Client,
) -> None:
    servers.script.always(Reply(429, headers={"retry-after": "7"}))
    with pytest.raises(openai.RateLimitError) as first:
        await openai_client.chat.completions.create(model="rush-mini", messages=[{"role": "user", "content": "x"}])
    assert first.value.code == "rate_limit_exceeded"
    assert first.value.response.headers["retry-after"] == "7"
    with pytest.raises(anthropic.RateLimitError) as second:
        await anthropic_client.messages.create(
            model="tern-lite", messages=[{"role": "user", "content": "x"}], max_tokens=9
        )
    assert second.value.type == "rate_limit_error"
    assert second.value.response.headers["retry-after"] == "7"
    with pytest.raises(genai_errors.ClientError) as third:
        await gemini_client.aio.models.generate_content(model="lumen-dash", contents="x")
    assert third.value.status == "RESOURCE_EXHAUSTED"


async def test_an_unknown_model_is_not_found(
    openai_client: openai.AsyncOpenAI,
    anthropic_client: anthropic.AsyncAnthropic,
    gemini_client: genai.Client,
) -> None:
    with pytest.raises(openai.NotFoundError, match="`nobody` does not exist"):
        await openai_client.chat.completions.create(model="nobody", messages=[{"role": "user", "content": "x"}])
    with pytest.raises(anthropic.NotFoundError, match="model: nobody"):
        await anthropic_client.messages.create(
            model="nobody", messages=[{"role": "user", "content": "x"}], max_tokens=9
        )
    with pytest.raises(genai_errors.ClientError, match="models/nobody is not found"):
        await gemini_client.aio.models.generate_content(model="nobody", contents="x")


async def test_an_overload_is_529_at_anthropic(
    servers: demo.Servers, anthropic_client: anthropic.AsyncAnthropic
) -> None:
    servers.script.then(Reply(529))
    with pytest.raises(anthropic.InternalServerError) as raised:
        await anthropic_client.messages.create(
            model="tern-lite", messages=[{"role": "user", "content": "x"}], max_tokens=9
        )
    assert raised.value.type == "overloaded_error"


async def test_a_prompt_longer_than_the_window_is_refused_in_the_vendor_s_words(servers: demo.Servers) -> None:
    long = "word " * 20_000
    async with openai.AsyncOpenAI(api_key="x", base_url=servers["demo-local"].base_url, max_retries=0) as client:
        with pytest.raises(openai.BadRequestError) as local:
            await client.chat.completions.create(model="pebble-3b", messages=[{"role": "user", "content": long}])
    assert local.value.type == "exceed_context_size_error"
    async with openai.AsyncOpenAI(api_key="x", base_url=servers["demo-openai"].base_url, max_retries=0) as client:
        with pytest.raises(openai.BadRequestError) as raised:
            await client.chat.completions.create(model="rush-mini", messages=[{"role": "user", "content": long * 7}])
    assert raised.value.code == "context_length_exceeded"


async def test_a_stream_that_ends_cleanly_without_its_marker_raises_in_no_sdk(
    servers: demo.Servers,
    openai_client: openai.AsyncOpenAI,
    anthropic_client: anthropic.AsyncAnthropic,
    gemini_client: genai.Client,
) -> None:
    servers.script.always(Break("end", Phase.MID_STREAM))
    stream = await openai_client.chat.completions.create(
        model="rush-mini", messages=[{"role": "user", "content": PROMPT}], stream=True
    )
    chunks = [chunk async for chunk in stream]
    assert any(chunk.choices[0].delta.content for chunk in chunks)
    assert not any(chunk.choices[0].finish_reason for chunk in chunks)
    async with await anthropic_client.messages.create(
        model="tern-lite", messages=[{"role": "user", "content": PROMPT}], max_tokens=4000, stream=True
    ) as events:
        kinds = [event.type async for event in events]
    assert "content_block_delta" in kinds
    assert "message_delta" not in kinds
    pieces = [
        piece
        async for piece in await gemini_client.aio.models.generate_content_stream(model="lumen-dash", contents=PROMPT)
    ]
    assert any(piece.text for piece in pieces)
    assert not any(piece.candidates and piece.candidates[0].finish_reason for piece in pieces)
    assert [await exchange.ended() for exchange in servers.exchanges] == ["broken"] * 3
    assert all(exchange.reported is None and exchange.output_tokens > 0 for exchange in servers.exchanges)


async def test_an_error_inside_the_stream_reaches_each_sdk(
    servers: demo.Servers,
    openai_client: openai.AsyncOpenAI,
    anthropic_client: anthropic.AsyncAnthropic,
    gemini_client: genai.Client,
) -> None:
    servers.script.always(Break("error_event", Phase.MID_STREAM, status=503))
    stream = await openai_client.chat.completions.create(
        model="rush-mini", messages=[{"role": "user", "content": PROMPT}], stream=True
    )
    with pytest.raises(openai.APIError, match="overloaded"):
        async for _ in stream:
            pass
    events = await anthropic_client.messages.create(
        model="tern-lite", messages=[{"role": "user", "content": PROMPT}], max_tokens=4000, stream=True
    )
    with pytest.raises(anthropic.APIStatusError):
        async for _ in events:
            pass
    with pytest.raises(genai_errors.ServerError, match="overloaded"):
        async for _ in await gemini_client.aio.models.generate_content_stream(model="lumen-dash", contents=PROMPT):
            pass


async def test_a_content_filter_is_said_in_each_vendor_s_words(
    servers: demo.Servers,
    openai_client: openai.AsyncOpenAI,
    anthropic_client: anthropic.AsyncAnthropic,
    gemini_client: genai.Client,
) -> None:
    servers.script.always(Say(text="I can", finish="content_filter"))
    first = await openai_client.chat.completions.create(model="rush-mini", messages=[{"role": "user", "content": "x"}])
    assert first.choices[0].finish_reason == "content_filter"
    second = await anthropic_client.messages.create(
        model="tern-lite", messages=[{"role": "user", "content": "x"}], max_tokens=9
    )
    assert second.stop_reason == "refusal"
    third = await gemini_client.aio.models.generate_content(model="lumen-dash", contents="x")
    assert third.candidates
    assert third.candidates[0].finish_reason == genai_types.FinishReason.SAFETY


async def test_cancelling_the_reader_is_seen_as_a_hang_up(
    servers: demo.Servers, anthropic_client: anthropic.AsyncAnthropic
) -> None:
    servers.script.then(Break("silence", Phase.MID_STREAM))
    reading = asyncio.Event()

    async def read() -> None:
        async with await anthropic_client.messages.create(
            model="tern-lite", messages=[{"role": "user", "content": PROMPT}], max_tokens=4000, stream=True
        ) as events:
            async for event in events:
                if event.type == "content_block_delta":
                    reading.set()

    task = asyncio.create_task(read())
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [exchange] = servers.exchanges
    assert await exchange.ended() == "hung_up"
    assert exchange.output_tokens > 0
