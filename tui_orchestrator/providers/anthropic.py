"""Anthropic Messages."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from ..routing.events import FinishReason
from ..routing.ports import Call, Done, Piece, TextPiece, ThinkingPiece, UsageSoFar
from ..routing.request import Message
from ..routing.text import clean_line
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
        body = request_body(call)
        # As for OpenAI: a long conversation would be copied field by field while everything else waits.
        body["extra_body"] = {**body.get("extra_body", {}), "messages": body.pop("messages")}
        events: AsyncIterator[Any] = await sdk.messages.create(messages=(), **body, stream=True)
        return events

    def _answer(self) -> AnthropicAnswer:
        return AnthropicAnswer()


def request_body(call: Call) -> dict[str, Any]:
    system = system_text(call)
    body: dict[str, Any] = {
        "model": call.model.name,
        "max_tokens": call.max_tokens,
        "messages": [
            {"role": message.role, "content": content}
            for message in call.messages
            if message.role != "system" and (content := _content(message))
        ],
    }
    if system:
        body["system"] = system
    if call.temperature is not None and call.model.accepts_temperature:
        body["extra_body"] = {"temperature": call.temperature}  # no parameter of the SDK any more, still one of the API
    return body


def _content(message: Message) -> str | list[dict[str, Any]]:
    """Empty blocks are refused by the API; a message without any content is left out by the caller."""
    if not message.images:
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
    return blocks


class AnthropicAnswer:
    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._tier = ""
        self._finish: FinishReason | None = None
        self._served_by: str | None = None

    @property
    def finished(self) -> bool:
        return self._finish is not None

    def read(self, event: Any) -> Iterator[Piece]:
        if event.type == "content_block_delta":
            if event.delta.type == "text_delta":
                yield TextPiece(text_of(event.delta.text))
            elif event.delta.type == "thinking_delta":
                yield ThinkingPiece(text_of(event.delta.thinking))
        elif event.type == "content_block_start":
            # Text may lie in the opening of a block already.
            if event.content_block.type == "text" and event.content_block.text:
                yield TextPiece(text_of(event.content_block.text))
        elif event.type == "message_start":
            self._served_by = clean_line(text_of(event.message.model)) or None
            yield from self._count(event.message.usage)
        elif event.type == "message_delta":
            yield from self._count(event.usage)
            if event.delta.stop_reason:
                self._finish = _FINISH.get(text_of(event.delta.stop_reason), FinishReason.OTHER)

    def _count(self, reported: Any) -> Iterator[UsageSoFar]:
        self._counts |= anthropic_counts(reported)
        self._tier = anthropic_tier(reported) or self._tier
        usage = anthropic_usage(self._counts)
        if usage is not None:
            yield UsageSoFar(usage, tier=self._tier)

    def done(self) -> Done:
        assert self._finish is not None
        return Done(self._finish, anthropic_usage(self._counts), served_by=self._served_by, tier=self._tier)
