"""Anthropic Messages."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..routing.events import FinishReason
from ..routing.ports import Call, CallPiece, Done, Piece, TextPiece, ThinkingPiece, UsageSoFar
from ..routing.request import Message
from ..routing.text import clean_line
from ..routing.tools import Tool, arguments_of
from .ending import Ending
from .sdk import SdkProvider, system_text, text_of
from .usage import anthropic_counts, anthropic_tier, anthropic_usage

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

_FINISH = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}


class AnthropicProvider(SdkProvider["AsyncAnthropic"]):
    default_base_url = "https://api.anthropic.com"
    module = "anthropic.resources.messages"
    marks = 500  # 80 µs each in the worst of places, where the SDK tries one type of block after the other

    def _open(self) -> AsyncAnthropic:
        from anthropic import AsyncAnthropic

        # Without a key the SDK looks for one in the environment and on disk; which key is used is the settings' to say.
        sdk = AsyncAnthropic(
            api_key=self._key or "none",
            base_url=self._base_url,
            http_client=self._http(),
            max_retries=0,
            timeout=None,
        )
        # Read from ANTHROPIC_CUSTOM_HEADERS, which could even put another key in the place of this one.
        sdk._custom_headers = {}
        return sdk

    async def _send(self, sdk: AsyncAnthropic, call: Call) -> AsyncIterator[Any]:
        from anthropic.types import Message as Answer

        from .anthropic_stream import Events

        # As for OpenAI: a long conversation would be copied field by field while everything else waits.
        body = {**request_body(call), "stream": True}
        return await sdk.post("/v1/messages", body=body, cast_to=Answer, stream=True, stream_cls=Events)

    def _answer(self) -> AnthropicAnswer:
        return AnthropicAnswer()


def request_body(call: Call) -> dict[str, Any]:
    system = system_text(call)
    if call.shape is not None and call.shape.schema is None:
        # The API holds an answer to a schema, and has no word for "any object" (structured outputs, November 2026).
        system = "\n\n".join(filter(None, [system, "Answer with one JSON object and nothing else."]))
    body: dict[str, Any] = {
        "model": call.model.name,
        "max_tokens": call.max_tokens,
        "messages": list(_messages(call.messages)),
    }
    if system:
        body["system"] = system
    body |= _tools(call)
    if call.temperature is not None and call.model.accepts_temperature:
        body["temperature"] = call.temperature
    return body


def _messages(messages: Iterable[Message]) -> Iterator[dict[str, Any]]:
    """The results of the calls of one answer go together into one message of the user's."""
    results: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "tool":
            # Empty text is refused as a block, but not as a result.
            results.append({"type": "tool_result", "tool_use_id": _id(message.answers), "content": message.text})
            continue
        if results:
            yield {"role": "user", "content": results}
            results = []
        if message.role != "system" and (content := _content(message)):
            yield {"role": message.role, "content": content}
    if results:
        yield {"role": "user", "content": results}


def _id(id_: str) -> str:
    """An id that another provider gave, in the characters that are taken here."""
    return _NOT_IN_IDS.sub("_", id_)


_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")


def _tools(call: Call) -> dict[str, Any]:
    """Also the shape of the answer: what is asked of it beside its words."""
    body: dict[str, Any] = {}
    names = {called.name for message in call.messages for called in message.calls} if not call.tools else set()
    tools = call.tools or tuple(map(Tool, sorted(names)))
    if tools:
        choice = call.tool_choice
        # Calls in the conversation want their tools defined, also where none may be called any more.
        how = choice.how if call.tools else "none"
        body["tools"] = [_tool(tool) for tool in tools]
        chosen: dict[str, Any] = {"type": {"required": "any", "named": "tool"}.get(how, how)}
        if how == "named":
            chosen["name"] = choice.name
        if choice.several is not None and how != "none":
            chosen["disable_parallel_tool_use"] = not choice.several
        if chosen != {"type": "auto"}:
            body["tool_choice"] = chosen
    if call.shape is not None and call.shape.schema is not None:
        from anthropic import transform_schema

        # A schema is taken in part; the rest is put into its descriptions.
        schema = transform_schema(dict(call.shape.schema))
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return body


def _tool(tool: Tool) -> dict[str, Any]:
    said: dict[str, Any] = {"name": tool.name, "input_schema": {"type": "object", **tool.parameters}}
    if tool.description:
        said["description"] = tool.description
    if tool.strict:
        said["strict"] = True
    return said


def _content(message: Message) -> str | list[dict[str, Any]]:
    """Empty blocks are refused by the API; a message without any content is left out by the caller."""
    if not message.images and not message.calls:
        return message.text
    blocks: list[dict[str, Any]] = [
        {
            "type": "image",
            "source": {
                "type": "base64",
                "media_type": image.media_type,
                "data": base64.b64encode(image.data).decode("ascii"),
            },
        }
        for image in message.images
    ]
    if message.text:
        blocks.append({"type": "text", "text": message.text})
    for call in message.calls:
        blocks.append({"type": "tool_use", "id": _id(call.id), "name": call.name, "input": arguments_of(call) or {}})
    return blocks


class AnthropicAnswer:
    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._tier = ""
        self.ending = Ending()
        self._served_by: str | None = None
        self._calls: dict[int, int] = {}
        """By the index of a block, that of the call in it."""
        self._open: set[int] = set()
        """Indices of blocks of text that have not ended."""

    def read(self, event: Any) -> Iterator[Piece]:
        if event.type == "content_block_delta":
            if event.delta.type == "text_delta":
                yield TextPiece(text_of(event.delta.text))
            elif event.delta.type == "thinking_delta":
                yield ThinkingPiece(text_of(event.delta.thinking))
            elif event.delta.type == "input_json_delta" and event.index in self._calls:
                yield CallPiece(self._calls[event.index], text_of(event.delta.partial_json))
        elif event.type == "content_block_start":
            if event.content_block.type == "text" and event.index in self._open:
                self.ending.begun_again = True  # two answers in turns
                return
            # Text may lie in the opening of a block already.
            if event.content_block.type == "text":
                self._open.add(event.index)
                if event.content_block.text:
                    yield TextPiece(text_of(event.content_block.text))
            elif event.content_block.type == "tool_use":
                block = event.content_block
                self._calls[event.index] = len(self._calls)
                # The input of the opening is empty; what comes in pieces is the whole of it.
                yield CallPiece(self._calls[event.index], "", text_of(block.id), text_of(block.name))
        elif event.type == "content_block_stop":
            self._open.discard(event.index)
        elif event.type == "message_start":
            if self.ending.begin():
                return
            self._open.clear()
            self._served_by = clean_line(text_of(event.message.model)) or None
            yield from self._count(event.message.usage)
        elif event.type == "message_delta":
            yield from self._count(event.usage)
            if event.delta.stop_reason:
                self.ending.finish(text_of(event.delta.stop_reason), _FINISH)
        elif event.type == "message_stop":
            self.ending.close()

    def _count(self, reported: Any) -> Iterator[UsageSoFar]:
        counts = anthropic_counts(reported)
        self._counts |= counts
        self._tier = anthropic_tier(reported) or self._tier
        usage = anthropic_usage(self._counts)
        # Without one of the output nothing was counted of what came since the last report.
        if usage is not None and "output_tokens" in counts:
            yield UsageSoFar(usage, tier=self._tier)

    def done(self) -> Done:
        return Done(self.ending.reason, anthropic_usage(self._counts), served_by=self._served_by, tier=self._tier)
