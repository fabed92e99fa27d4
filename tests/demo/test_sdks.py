"""The vendors' own SDKs against the demo servers: what they make of the bytes is what counts."""

from __future__ import annotations

import base64

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai import types as genai_types

from tui_orchestrator import demo
from tui_orchestrator.demo import Say
from tui_orchestrator.demo.dialect import tokens
from tui_orchestrator.routing.money import Usage
from tui_orchestrator.routing.prompt_size import image_tokens
from tui_orchestrator.routing.request import Image

from .conftest import PROMPT, gemini


async def test_openai_streams_text_and_reports_usage_on_a_last_chunk_without_choices(
    servers: demo.Servers, openai_client: openai.AsyncOpenAI
) -> None:
    stream = await openai_client.chat.completions.create(
        model="rush-mini",
        messages=[{"role": "user", "content": PROMPT}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    [finish] = [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason]
    assert finish == "stop"
    assert "```python" in text
    assert chunks[-1].choices == []
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.completion_tokens == len(tokens(text))
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert {chunk.model for chunk in chunks} == {"rush-mini"}
    assert len({chunk.id for chunk in chunks}) == 1
    [exchange] = servers.exchanges
    assert await exchange.ended() == "completed"
    assert exchange.text == text
    assert exchange.reported == Usage(usage.prompt_tokens, usage.completion_tokens)
    assert exchange.output_tokens == usage.completion_tokens
    assert exchange.headers["authorization"] == "Bearer x"
    assert exchange.body["stream_options"] == {"include_usage": True}


async def test_openai_reports_no_usage_unless_asked(openai_client: openai.AsyncOpenAI) -> None:
    stream = await openai_client.chat.completions.create(
        model="rush-mini", messages=[{"role": "user", "content": "hi"}], stream=True
    )
    chunks = [chunk async for chunk in stream]
    assert all(chunk.usage is None for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_openai_streams_reasoning_and_log_probabilities(openai_client: openai.AsyncOpenAI) -> None:
    stream = await openai_client.chat.completions.create(
        model="rush-pro",
        messages=[{"role": "user", "content": PROMPT}],
        stream=True,
        logprobs=True,
        stream_options={"include_usage": True},
    )
    deltas = []
    logprobs = []
    usage = None
    async for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            deltas.append(choice.delta)
            if choice.logprobs:
                logprobs += choice.logprobs.content or []
    thinking = "".join((delta.model_extra or {}).get("reasoning_content") or "" for delta in deltas)
    text = "".join(delta.content or "" for delta in deltas)
    assert thinking
    assert "".join(one.token for one in logprobs) == text
    assert all(one.logprob < 0 for one in logprobs)
    assert usage is not None
    assert usage.completion_tokens_details is not None
    assert usage.completion_tokens_details.reasoning_tokens == len(tokens(thinking))
    assert usage.completion_tokens == len(tokens(thinking)) + len(tokens(text))


async def test_openai_answers_at_once_without_a_stream(openai_client: openai.AsyncOpenAI) -> None:
    answer = await openai_client.chat.completions.create(
        model="rush-mini", messages=[{"role": "user", "content": "What is 6 * 7?"}]
    )
    assert "42" in (answer.choices[0].message.content or "")
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0


async def test_each_listing_names_the_provider_s_models(
    servers: demo.Servers,
    openai_client: openai.AsyncOpenAI,
    anthropic_client: anthropic.AsyncAnthropic,
    gemini_client: genai.Client,
) -> None:
    assert [model.id async for model in openai_client.models.list()] == ["rush-mini", "rush-pro"]
    listed = [model async for model in anthropic_client.models.list()]
    assert [model.id for model in listed] == ["tern-lite", "tern-max"]
    assert listed[1].max_input_tokens == 1_000_000
    gemini = [model async for model in await gemini_client.aio.models.list()]
    assert [model.name for model in gemini] == ["models/lumen-dash", "models/lumen-deep"]
    assert gemini[0].supported_actions == ["generateContent"]
    local = openai.AsyncOpenAI(api_key="none", base_url=servers["demo-local"].base_url, max_retries=0)
    assert [model.id async for model in local.models.list()] == ["pebble-3b"]
    await local.close()
    assert (await anthropic_client.models.retrieve("tern-max")).display_name == "Tern Max"


async def test_anthropic_streams_thinking_then_text_and_final_usage(
    servers: demo.Servers, anthropic_client: anthropic.AsyncAnthropic
) -> None:
    thinking = text = ""
    kinds = []
    usage = stop = None
    async with await anthropic_client.messages.create(
        model="tern-max",
        max_tokens=4000,
        system="Be brief.",
        messages=[{"role": "user", "content": PROMPT}],
        stream=True,
    ) as stream:
        async for event in stream:
            kinds.append(event.type)
            if event.type == "message_start":
                assert event.message.usage.output_tokens <= 1
                assert event.message.usage.input_tokens > 0
            elif event.type == "content_block_delta" and event.delta.type == "thinking_delta":
                thinking += event.delta.thinking
            elif event.type == "content_block_delta" and event.delta.type == "text_delta":
                text += event.delta.text
            elif event.type == "message_delta":
                usage, stop = event.usage, event.delta.stop_reason
    assert thinking
    assert "heapq" in text
    assert stop == "end_turn"
    assert kinds[-1] == "message_stop"
    assert usage is not None
    assert usage.output_tokens == len(tokens(thinking)) + len(tokens(text))
    assert usage.output_tokens_details is not None
    assert usage.output_tokens_details.thinking_tokens == len(tokens(thinking))
    [exchange] = servers.exchanges
    assert exchange.reported == Usage(usage.input_tokens or 0, usage.output_tokens, reasoning=len(tokens(thinking)))


async def test_anthropic_s_own_accumulator_agrees_with_the_answer_at_once(
    anthropic_client: anthropic.AsyncAnthropic,
) -> None:
    asked = {"model": "tern-max", "max_tokens": 4000, "messages": [{"role": "user", "content": PROMPT}]}
    async with anthropic_client.messages.stream(**asked) as stream:  # type: ignore[arg-type]
        streamed = await stream.get_final_message()
    at_once = await anthropic_client.messages.create(**asked)  # type: ignore[call-overload]
    assert [block.type for block in streamed.content] == ["thinking", "text"]
    assert [getattr(b, "text", getattr(b, "thinking", "")) for b in streamed.content] == [
        getattr(b, "text", getattr(b, "thinking", "")) for b in at_once.content
    ]
    assert streamed.usage.output_tokens == at_once.usage.output_tokens


@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_gemini_streams_with_usage_on_every_chunk(
    servers: demo.Servers, http: httpx2.AsyncClient, version: str
) -> None:
    client = gemini(servers, http, version)
    config = genai_types.GenerateContentConfig(
        system_instruction="Be brief.",
        thinking_config=genai_types.ThinkingConfig(include_thoughts=True),
    )
    thinking = text = ""
    last = None
    async for chunk in await client.aio.models.generate_content_stream(
        model="lumen-deep", contents=PROMPT, config=config
    ):
        assert chunk.usage_metadata is not None
        assert chunk.candidates
        content = chunk.candidates[0].content
        for part in (content.parts if content else None) or []:
            if part.thought:
                thinking += part.text or ""
            else:
                text += part.text or ""
        last = chunk
    assert last is not None
    assert last.candidates
    assert last.candidates[0].finish_reason == genai_types.FinishReason.STOP
    usage = last.usage_metadata
    assert usage is not None
    assert thinking
    assert usage.candidates_token_count == len(tokens(text))
    assert usage.thoughts_token_count == len(tokens(thinking))
    assert last.model_version == "lumen-deep"
    [exchange] = servers.exchanges
    assert exchange.path == f"/{version}/models/lumen-deep:streamGenerateContent"
    assert exchange.reported == Usage(
        usage.prompt_token_count or 0, len(tokens(text)) + len(tokens(thinking)), reasoning=len(tokens(thinking))
    )


async def test_gemini_bills_thoughts_it_does_not_show(gemini_client: genai.Client) -> None:
    answer = await gemini_client.aio.models.generate_content(model="lumen-deep", contents=PROMPT)
    assert answer.candidates
    assert answer.candidates[0].content
    assert not any(part.thought for part in answer.candidates[0].content.parts or [])
    assert answer.usage_metadata is not None
    assert (answer.usage_metadata.thoughts_token_count or 0) > 0


async def test_max_tokens_cuts_the_answer_and_is_said_in_each_vendor_s_words(
    openai_client: openai.AsyncOpenAI,
    anthropic_client: anthropic.AsyncAnthropic,
    gemini_client: genai.Client,
) -> None:
    first = await openai_client.chat.completions.create(
        model="rush-mini", messages=[{"role": "user", "content": PROMPT}], max_completion_tokens=9
    )
    assert (first.choices[0].finish_reason, first.usage and first.usage.completion_tokens) == ("length", 9)
    second = await anthropic_client.messages.create(
        model="tern-lite", messages=[{"role": "user", "content": PROMPT}], max_tokens=9
    )
    assert (second.stop_reason, second.usage.output_tokens) == ("max_tokens", 9)
    third = await gemini_client.aio.models.generate_content(
        model="lumen-dash", contents=PROMPT, config=genai_types.GenerateContentConfig(max_output_tokens=9)
    )
    assert third.candidates
    assert third.candidates[0].finish_reason == genai_types.FinishReason.MAX_TOKENS
    assert third.usage_metadata is not None
    assert third.usage_metadata.candidates_token_count == 9


async def test_a_given_usage_is_told_in_each_vendor_s_buckets(
    servers: demo.Servers,
    openai_client: openai.AsyncOpenAI,
    anthropic_client: anthropic.AsyncAnthropic,
    gemini_client: genai.Client,
) -> None:
    given = Usage(input=1000, output=200, cached_input=600, cache_write=100, reasoning=50)
    servers.script.always(Say(text="Fine.", usage=given))
    first = await openai_client.chat.completions.create(model="rush-mini", messages=[{"role": "user", "content": "x"}])
    assert first.usage is not None
    assert first.usage.prompt_tokens_details is not None
    assert (first.usage.prompt_tokens, first.usage.completion_tokens) == (1000, 200)
    assert first.usage.prompt_tokens_details.cached_tokens == 600
    second = await anthropic_client.messages.create(
        model="tern-lite", messages=[{"role": "user", "content": "x"}], max_tokens=9
    )
    assert second.usage.input_tokens == 300
    assert second.usage.cache_read_input_tokens == 600
    assert second.usage.cache_creation_input_tokens == 100
    assert second.usage.output_tokens == 200
    third = await gemini_client.aio.models.generate_content(model="lumen-dash", contents="x")
    assert third.usage_metadata is not None
    assert third.usage_metadata.prompt_token_count == 1000
    assert third.usage_metadata.cached_content_token_count == 600
    assert third.usage_metadata.candidates_token_count == 150
    assert third.usage_metadata.thoughts_token_count == 50


async def test_pictures_are_billed_by_their_size_as_they_are_estimated(
    servers: demo.Servers,
    openai_client: openai.AsyncOpenAI,
    anthropic_client: anthropic.AsyncAnthropic,
    gemini_client: genai.Client,
) -> None:
    small, large = (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\xff\xfb"
        for width, height in ((100, 80), (1_500, 1_000))
    )
    for picture in (small, large):
        said = base64.b64encode(picture).decode()
        url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{said}"}}
        source = {"type": "base64", "media_type": "image/png", "data": said}
        await openai_client.chat.completions.create(
            model="rush-mini",
            messages=[{"role": "user", "content": [{"type": "text", "text": "x"}, url]}],  # type: ignore[list-item]
        )
        await anthropic_client.messages.create(
            model="tern-lite",
            max_tokens=100,
            messages=[
                {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image", "source": source}]}
            ],  # type: ignore[list-item, typeddict-item]
        )
        parts = [genai_types.Part(text="x"), genai_types.Part.from_bytes(data=picture, mime_type="image/png")]
        await gemini_client.aio.models.generate_content(model="lumen-dash", contents=parts)
    billed = [exchange.input_tokens for exchange in servers.exchanges]
    more = image_tokens(Image("image/png", large)) - image_tokens(Image("image/png", small))
    assert more == 2_000 - 258
    assert [after - before for before, after in zip(billed[::2], billed[1::2], strict=True)] == [more] * 3


async def test_pictures_and_earlier_turns_are_counted(servers: demo.Servers, openai_client: openai.AsyncOpenAI) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    await openai_client.chat.completions.create(
        model="rush-mini",
        messages=[
            {"role": "user", "content": PROMPT},
            {"role": "assistant", "content": "def merge(a, b): ..."},
            {"role": "user", "content": [{"type": "text", "text": "And this?"}, picture]},  # type: ignore[list-item]
        ],
    )
    [exchange] = servers.exchanges
    assert exchange.input_tokens > 800 + len(tokens(PROMPT))
    assert PROMPT in exchange.text
