"""OpenAI chat completions: OpenAI, OpenRouter, and every server that speaks the same: LM Studio, Ollama, llama.cpp,
vLLM, MLX, any base_url."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from ..routing.events import FinishReason
from ..routing.money import Money, Usage
from ..routing.ports import Call, CallPiece, Done, Piece, TextPiece, ThinkingPiece, UsageSoFar
from ..routing.request import Message
from ..routing.text import clean_line
from ..routing.tools import Tool
from .ending import Ending, tells_of_failure
from .sdk import SdkProvider, system_text, text_of
from .seams import Seams
from .usage import openai_usage, openrouter_bill, service_tier

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

CLOSING_EVENT = "[DONE]"
Dialect = Literal["openai", "openrouter", "openai-compatible"]

_FINISH = {
    "stop": FinishReason.STOP,
    # Together, Hugging Face and servers that pass on what others say.
    "eos": FinishReason.STOP,
    "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,  # Mistral
    "max_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
    "sensitive": FinishReason.CONTENT_FILTER,  # Z.ai
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
}
_NO_REASON = ("null", "none")
"""Instead of none at all, by servers that make text of everything."""
# OpenRouter's native_finish_reason: what the provider behind it said, where that is worse than its translation.
_NATIVE = {
    "max_tokens": FinishReason.LENGTH,
    "length": FinishReason.LENGTH,
    "max_output_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
    "refusal": FinishReason.CONTENT_FILTER,
    "safety": FinishReason.CONTENT_FILTER,
    "recitation": FinishReason.CONTENT_FILTER,
    "blocklist": FinishReason.CONTENT_FILTER,
    "prohibited_content": FinishReason.CONTENT_FILTER,
    "spii": FinishReason.CONTENT_FILTER,
    "other": FinishReason.OTHER,
    "malformed_function_call": FinishReason.OTHER,
    "malformed_response": FinishReason.OTHER,
}
# Asked for only where they are known to be given: a reasoning model, and many a compatible server, refuses the whole
# request for them. OpenAI's API reference, `logprobs`, as bundled with its SDK 3.52 (2026).
_GIVES_LOGPROBS = re.compile(r"(?:openai/)?gpt-4(?:o|\.1|-turbo)?(?:-mini|-nano)?(?:-\d{4}-\d\d-\d\d)?")


class OpenAIProvider(SdkProvider["AsyncOpenAI"]):
    default_base_url = "https://api.openai.com/v1"
    module = "openai"
    together = True

    def __init__(
        self,
        name: str,
        api_key: str,
        base_url: str | None,
        http: Callable[[], httpx2.AsyncClient],
        connect_s: float,
        silence_s: float = math.inf,
        dialect: Dialect = "openai-compatible",
    ) -> None:
        if base_url is None and dialect == "openrouter":
            base_url = "https://openrouter.ai/api/v1"
        super().__init__(name, api_key, base_url, http, connect_s, silence_s)
        self._dialect = dialect
        self._is_openai = urlsplit(self._base_url).hostname == "api.openai.com"

    def _open(self) -> AsyncOpenAI:
        from openai import AsyncOpenAI

        sdk = AsyncOpenAI(
            api_key=self._key or "none",
            base_url=self._base_url,
            http_client=self._http(),
            max_retries=0,
            timeout=None,
        )
        # Read from OPENAI_CUSTOM_HEADERS, OPENAI_ORG_ID and OPENAI_PROJECT_ID. What is sent is the settings' to say.
        sdk._custom_headers = {}
        sdk.organization = sdk.project = None
        return sdk

    async def _send(self, sdk: AsyncOpenAI, call: Call) -> AsyncIterator[Any]:
        import httpx2
        from openai import AsyncStream, omit

        from .openai_stream import events

        body = request_body(call, self._dialect, self._is_openai)
        body |= {"stream": True, "stream_options": {"include_usage": True}}
        # Some servers refuse a key they do not expect.
        options: Any = {} if self._key else {"headers": {"Authorization": omit}}
        # Not `chat.completions.create`: of the messages it takes a copy field by field, which holds the event loop for
        # seconds where a conversation is long, and of each event it makes objects, at thirty times the cost of JSON.
        # The whole address, because the SDK would read it anew each time to put it together.
        response: Any = await sdk.post(
            f"{self._base_url}/chat/completions",
            body=body,
            options=options,
            cast_to=httpx2.Response,
            stream=True,
            stream_cls=AsyncStream[Any],
        )
        return events(response)

    def _answer(self) -> OpenAIAnswer:
        return OpenAIAnswer(self._dialect)


def request_body(call: Call, dialect: Dialect, is_openai: bool) -> dict[str, Any]:
    """`is_openai`: OpenAI itself, not something that speaks like it."""
    messages: list[dict[str, Any]] = []
    system = system_text(call)
    if system:
        messages.append({"role": "system", "content": system})
    messages += [written for message in call.messages if (written := _message(message)) is not None]
    # OpenAI's reasoning models refuse max_tokens; most others know nothing else and would answer without a limit.
    limit = "max_completion_tokens" if is_openai else "max_tokens"
    body: dict[str, Any] = {"model": call.model.name, "messages": messages, limit: call.max_tokens}
    if call.temperature is not None and call.model.accepts_temperature:
        body["temperature"] = call.temperature
    if (is_openai or dialect == "openrouter") and _GIVES_LOGPROBS.fullmatch(call.model.name):
        body["logprobs"] = True
    if dialect == "openrouter":
        body["usage"] = {"include": True}
    return body | _tools(call)


def _message(message: Message) -> dict[str, Any] | None:
    """None: there is nothing in it, or it stands at the beginning already."""
    content = _content(message)
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.answers, "content": content}
    if message.calls:
        called = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
                # As Google's own OpenAI-compatible server wants it.
                **({"extra_content": {"google": {"thought_signature": call.signature}}} if call.signature else {}),
            }
            for call in message.calls
        ]
        return {"role": "assistant", "content": content or None, "tool_calls": called}
    return {"role": message.role, "content": content} if content and message.role != "system" else None


def _tools(call: Call) -> dict[str, Any]:
    """Also the shape of the answer: what is asked of it beside its words."""
    body: dict[str, Any] = {}
    if call.tools:
        choice = call.tool_choice
        named = {"type": "function", "function": {"name": choice.name}}
        body["tools"] = [{"type": "function", "function": _function(tool)} for tool in call.tools]
        if choice.how != "auto":
            body["tool_choice"] = named if choice.how == "named" else choice.how
        if choice.several is not None:
            body["parallel_tool_calls"] = choice.several
    shape = call.shape
    if shape is not None and shape.schema is None:
        body["response_format"] = {"type": "json_object"}
    elif shape is not None:
        said = {"name": shape.name, "description": shape.description, "schema": shape.schema, "strict": shape.strict}
        kept = {key: value for key, value in said.items() if value not in (None, "")}
        body["response_format"] = {"type": "json_schema", "json_schema": kept}
    return body


def _function(tool: Tool) -> dict[str, Any]:
    said = {"name": tool.name, "description": tool.description, "parameters": tool.parameters, "strict": tool.strict}
    return {key: value for key, value in said.items() if value not in (None, "", {})}


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not message.images:
        return message.text
    parts: list[dict[str, Any]] = [{"type": "text", "text": message.text}] if message.text else []
    for image in message.images:
        url = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode('ascii')}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return parts


class OpenAIAnswer:
    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.ending = Ending()
        self._seams = Seams()
        self._usage: Usage | None = None
        self._billed: Money | None = None
        self._model = ""
        """That answers, as the server named it last."""
        self._served_by: str | None = None
        self._tier = ""
        self._logprob_sum = 0.0
        self._logprobs = 0
        self._calls: list[tuple[int, str]] = []
        """Of each call its index and id, as the server gave them."""

    def read(self, chunk: Any) -> Iterator[Piece]:
        """An event as it was decoded from its JSON, of whatever shape; the closing one as its text."""
        if chunk == CLOSING_EVENT:
            self.ending.close()
        said = _fields(chunk)
        choices = [_fields(choice) for choice in said.get("choices") or ()]
        opens, speaks = _opens(choices), any(_fields(choice.get("delta")).get("content") for choice in choices)
        if self._seams.another(said.get("id"), opens=opens, speaks=speaks) and self.ending.begin():
            return
        model = said.get("model")
        if isinstance(model, str) and model and model != self._model:
            self._model, self._served_by = model, clean_line(model) or None
        for choice in choices:
            if not choice.get("index"):
                yield from self._choice(choice)
        self._tier = service_tier(said.get("service_tier")) or self._tier
        # OpenAI sends usage on a last chunk without choices, some servers on the last one with text, some on every one.
        reported = said.get("usage")
        if reported is None:
            return
        if not choices:
            self.ending.close()
        usage = openai_usage(_fields(reported))
        self._usage = usage or self._usage
        if self._dialect == "openrouter":
            self._billed = openrouter_bill(_fields(reported))
        if usage is not None:
            yield UsageSoFar(usage, self._billed, self._tier)

    def _choice(self, choice: Mapping[str, Any]) -> Iterator[Piece]:
        delta = _fields(choice.get("delta"))
        # llama.cpp, vLLM, LM Studio and DeepSeek say reasoning_content, OpenRouter and Ollama reasoning; some both.
        thinking = delta.get("reasoning_content") or delta.get("reasoning")
        if thinking:
            yield ThinkingPiece(text_of(thinking))
        yield from _pieces(delta.get("content"))
        for part in delta.get("tool_calls") or ():
            yield self._called(_fields(part))
        if legacy := _fields(delta.get("function_call")):
            # As calls were made before there were tools: one to an answer, without an id.
            yield self._called({"function": legacy})
        if refusal := delta.get("refusal"):
            yield TextPiece(text_of(refusal))
        self._weigh(_fields(choice.get("logprobs")))
        reason = choice.get("finish_reason")
        if reason and (said := text_of(reason).lower()) not in _NO_REASON:
            native = choice.get("native_finish_reason")
            self._finish(said, native.lower() if isinstance(native, str) else "")

    def _finish(self, reason: str, native: str) -> None:
        vague = _FINISH.get(reason, FinishReason.OTHER) in (FinishReason.STOP, FinishReason.OTHER)
        if vague and (native in _NATIVE or tells_of_failure(native)):
            self.ending.finish(native, _NATIVE)
        else:
            self.ending.finish(reason, _FINISH)

    def _called(self, part: Mapping[str, Any]) -> CallPiece:
        """Some servers give every call the index 0, or none, each with an id of its own."""
        index, id_, function = part.get("index") or 0, text_of(part.get("id") or ""), _fields(part.get("function"))
        arguments = function.get("arguments") or ""
        # Some give them as an object, and not as its text.
        written = json.dumps(arguments) if isinstance(arguments, dict) else text_of(arguments)
        known = [at for at, (place, of) in enumerate(self._calls) if place == index and (not id_ or id_ == of)]
        if known:
            return CallPiece(known[-1], written)
        self._calls.append((index, id_))
        google = _fields(_fields(part.get("extra_content")).get("google"))
        signature = text_of(google.get("thought_signature") or "")
        return CallPiece(len(self._calls) - 1, written, id_, text_of(function.get("name") or ""), signature)

    def _weigh(self, logprobs: Mapping[str, Any]) -> None:
        for token in logprobs.get("content") or ():
            logprob = _fields(token).get("logprob")
            if isinstance(logprob, float | int) and math.isfinite(logprob) and logprob <= 0:
                self._logprob_sum += logprob
                self._logprobs += 1

    def done(self) -> Done:
        mean = self._logprob_sum / self._logprobs if self._logprobs else None
        return Done(self.ending.reason, self._usage, self._billed, self._served_by, mean, self._tier)


def _fields(value: Any) -> Mapping[str, Any]:
    """Of an object; what is none has no fields."""
    return value if isinstance(value, dict) else {}


def _opens(choices: Iterable[Mapping[str, Any]]) -> bool:
    """A message anew, as the first chunk of an answer does. Some servers name the role with calls or at the end too."""
    for choice in choices:
        delta = _fields(choice.get("delta"))
        if (
            delta.get("role")
            and not delta.get("tool_calls")
            and (delta.get("content") or not choice.get("finish_reason"))
        ):
            return True
    return False


def _pieces(content: Any) -> Iterator[Piece]:
    """Text as a rule; Mistral's reasoning models send a list of parts."""
    if isinstance(content, list):
        for part in content:
            if part.get("type") == "thinking":
                for thought in part["thinking"]:
                    yield ThinkingPiece(text_of(thought["text"]))
            elif part.get("type") == "text":
                yield TextPiece(text_of(part["text"]))
    elif content:
        yield TextPiece(text_of(content))
