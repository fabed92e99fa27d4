"""Gemini streamGenerateContent."""

from __future__ import annotations

import base64
import binascii
import json
import math
import warnings
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..routing.events import FinishReason
from ..routing.ports import Call, CallPiece, Done, Piece, TextPiece, ThinkingPiece, UsageSoFar
from ..routing.request import Message
from ..routing.text import clean_line
from ..routing.tools import ToolCall, arguments_of
from .complaint import as_status
from .ending import Ending
from .faults import PromptRefused
from .sdk import SdkProvider, system_text
from .seams import Seams
from .usage import gemini_tier, gemini_usage

if TYPE_CHECKING:
    from google.genai import Client

VERSION = "v1beta"
"""The SDK's own default is v1, which many compatible servers do not know."""

_FINISH = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "CONTINUATION": FinishReason.LENGTH,  # the rest would be another paid request
    "SAFETY": FinishReason.CONTENT_FILTER,
    "RECITATION": FinishReason.CONTENT_FILTER,
    "BLOCKLIST": FinishReason.CONTENT_FILTER,
    "PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "SPII": FinishReason.CONTENT_FILTER,
    "MODEL_ARMOR": FinishReason.CONTENT_FILTER,
    "TOO_MANY_TOOL_CALLS": FinishReason.TOOL_CALLS,
}

_CLOSING = b"[DONE]"
"""Of proxies that speak like Gemini, whose own streams have no closing event."""

_NO_CALLS = frozenset({"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"})
"""Calls that come with these are not to be carried out: Gemini could not read them itself, or no tool was offered."""


class GeminiProvider(SdkProvider["Client"]):
    default_base_url = "https://generativelanguage.googleapis.com"
    module = "google.genai"
    named_events = False
    marks = 3_000  # 13 µs each in the worst of places

    @staticmethod
    def readable(data: bytes) -> bytes:
        if data.strip() == _CLOSING:
            return b""
        return _without_odd_counts(_with_a_sound_error(data) if b'"error"' in data else data)

    def _open(self) -> Client:
        import ssl

        import httpx2
        from google.genai import Client
        from google.genai.client import DebugConfig
        from google.genai.types import HttpOptions

        # It warns of every word it does not know, in the server's own words, and a terminal would carry them out.
        warnings.filterwarnings("ignore", module=r"google\.genai\b")
        root, version = split_version(self._base_url)
        # For calls that block and for web sockets, which are never made. The SDK's own would read certificates and
        # proxies of the environment, and fall over them where a server on this machine needs neither.
        blocking = httpx2.Client(transport=httpx2.BaseTransport(), trust_env=False)
        web_sockets = {"ssl": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}
        return Client(
            api_key=self._key or "none",
            vertexai=False,  # or an environment variable would send the prompt elsewhere
            debug_config=DebugConfig(client_mode=None, replays_directory=None, replay_id=None),  # or answer from a file
            # With a client of ours the SDK leaves aiohttp alone, which has hidden retries and deadlines of its own.
            http_options=HttpOptions(
                base_url=root,
                api_version=version,
                httpx_async_client=self._http(),
                httpx_client=blocking,
                async_client_args=web_sockets,
            ),
        )

    async def _send(self, sdk: Client, call: Call) -> AsyncIterator[Any]:
        return await sdk.aio.models.generate_content_stream(**request_body(call))

    def _answer(self) -> GeminiAnswer:
        return GeminiAnswer()


def split_version(base_url: str) -> tuple[str, str]:
    """'https://host/v1' → ('https://host', 'v1'): the SDK wants the two apart."""
    root, _, last = base_url.rstrip("/").rpartition("/")
    if last[:1] == "v" and last[1:2].isdigit() and urlsplit(base_url).path not in ("", "/"):
        return root, last
    return base_url.rstrip("/"), VERSION


def request_body(call: Call) -> dict[str, Any]:
    config: dict[str, Any] = {
        "max_output_tokens": call.max_tokens,
        "automatic_function_calling": {"disable": True},
        "automatic_continuation": False,  # would send, and bill, further requests
    }
    system = system_text(call)
    if system:
        config["system_instruction"] = system
    if call.temperature is not None and call.model.accepts_temperature:
        config["temperature"] = call.temperature
    config |= _tools(call)
    contents = list(_contents(call.messages))
    # As they go over the wire: the SDK's own way holds the event loop for 200 µs a message, on every send.
    config["http_options"] = {"extra_body": {"contents": contents}}
    return {"model": call.model.name, "contents": " ", "config": config}


_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "named": "ANY"}
_NO_SIGNATURE = b"skip_thought_signature_validator"
"""In the place of a signature in a call that another model made: without one the latest models refuse the whole
conversation (ai.google.dev/gemini-api/docs/thought-signatures, November 2026)."""


def _tools(call: Call) -> dict[str, Any]:
    """Also the shape of the answer: what is asked of it beside its words."""
    config: dict[str, Any] = {}
    if call.tools:
        declared: list[dict[str, Any]] = []
        for tool in call.tools:
            said: dict[str, Any] = {"name": tool.name, "description": tool.description}
            declared.append(said | ({"parameters_json_schema": dict(tool.parameters)} if tool.parameters else {}))
        config["tools"] = [{"function_declarations": declared}]
        choice = call.tool_choice
        calling: dict[str, Any] = {"mode": _MODES[choice.how]}
        if choice.how == "named":
            calling["allowed_function_names"] = [choice.name]
        if choice.how != "auto":
            config["tool_config"] = {"function_calling_config": calling}
    if call.shape is not None:
        config["response_mime_type"] = "application/json"
        if call.shape.schema is not None:
            config["response_json_schema"] = dict(call.shape.schema)
    return config


def _contents(messages: Iterable[Message]) -> Iterator[dict[str, Any]]:
    """The results of the calls of one answer go together into one turn."""
    names: dict[str, str] = {}
    results: list[dict[str, Any]] = []
    for message in messages:
        names |= {call.id: call.name for call in message.calls}
        if message.role == "tool":
            answered = {"id": message.answers, "name": names.get(message.answers, ""), "response": _result(message)}
            results.append({"functionResponse": answered})
            continue
        if results:
            yield {"role": "user", "parts": results}
            results = []
        if message.role != "system" and (parts := _parts(message)):
            yield {"role": "model" if message.role == "assistant" else "user", "parts": parts}
    if results:
        yield {"role": "user", "parts": results}


def _result(message: Message) -> dict[str, Any]:
    try:
        said = json.loads(message.text)
    except (ValueError, RecursionError):
        said = message.text
    return said if isinstance(said, dict) else {"output": said}


def _signed(call: ToolCall) -> str:
    """In base64."""
    try:
        signed = base64.b64decode(call.signature, validate=True)
    except (binascii.Error, ValueError):
        signed = b""
    return base64.b64encode(signed or _NO_SIGNATURE).decode("ascii")


def _parts(message: Message) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [
        {"inlineData": {"mimeType": image.media_type, "data": base64.b64encode(image.data).decode("ascii")}}
        for image in message.images
    ]
    if message.text:
        parts.append({"text": message.text})
    for call in message.calls:
        called = {"id": call.id, "name": call.name, "args": arguments_of(call) or {}}
        parts.append({"functionCall": called, "thoughtSignature": _signed(call)})
    return parts


class GeminiAnswer:
    def __init__(self) -> None:
        self._reported: Any = None
        self.ending = Ending(closing_event=False)
        self._seams = Seams()
        self._served_by: str | None = None
        self._mean_logprob: float | None = None
        self._calls = 0

    def read(self, chunk: Any) -> Iterator[Piece]:
        if self._seams.another(chunk.response_id, opens=None, speaks=_speaks(chunk)) and self.ending.begin():
            return
        if chunk.model_version:
            self._served_by = clean_line(chunk.model_version) or None
        for candidate in chunk.candidates or ():
            if candidate.index:
                continue
            for part in (candidate.content and candidate.content.parts) or ():
                if part.function_call is not None:
                    yield self._called(part)
                elif part.text:
                    yield ThinkingPiece(part.text) if part.thought else TextPiece(part.text)
            mean = candidate.avg_logprobs
            if isinstance(mean, float) and math.isfinite(mean) and mean <= 0:
                self._mean_logprob = mean
            reason = candidate.finish_reason and candidate.finish_reason.value
            if reason and reason != "FINISH_REASON_UNSPECIFIED":
                self.ending.finish(reason, _FINISH, failed=bool(self._calls) and reason in _NO_CALLS)
        if chunk.usage_metadata is not None:
            self._reported = chunk.usage_metadata  # the last one counts, of all that came up to it
            usage = gemini_usage(self._reported)
            if usage is not None:
                yield UsageSoFar(usage, tier=gemini_tier(self._reported))
        feedback = chunk.prompt_feedback
        if feedback is not None and feedback.block_reason and not chunk.candidates:
            why = feedback.block_reason_message or feedback.block_reason.value
            raise PromptRefused(why)

    def _called(self, part: Any) -> CallPiece:
        """Calls come whole."""
        self._calls += 1
        signature = base64.b64encode(part.thought_signature).decode("ascii") if part.thought_signature else ""
        call = part.function_call
        arguments = json.dumps(call.args or {}, ensure_ascii=False)
        return CallPiece(self._calls - 1, arguments, call.id or "", call.name or "", signature)

    def done(self) -> Done:
        return Done(
            self.ending.reason,
            gemini_usage(self._reported),
            served_by=self._served_by,
            mean_logprob=self._mean_logprob,
            tier=gemini_tier(self._reported),
        )


def _speaks(chunk: Any) -> bool:
    parts = [part for one in chunk.candidates or () for part in (one.content and one.content.parts) or ()]
    return any(part.text and not part.thought for part in parts)


def _with_a_sound_error(data: bytes) -> bytes:
    """The SDK sees an error only where it comes first, reads one only with a number as its code, and falls over one
    that is none."""
    try:
        said = json.loads(data)
        error = said.pop("error")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return data
    if error and isinstance(error, str | dict):
        told = {"message": error} if isinstance(error, str) else error
        code = told.get("code")
        said = {"error": {**told, "code": as_status(code) or 0, "error_code": code}, **said}
    elif error:
        return data
    return json.dumps(said).encode()


def _without_odd_counts(data: bytes) -> bytes:
    """The SDK refuses a whole event, and the words in it, for a count that is no number."""
    if b"usageMetadata" not in data:
        return data
    from google.genai.types import GenerateContentResponseUsageMetadata
    from pydantic import ValidationError

    try:
        said = json.loads(data)
        GenerateContentResponseUsageMetadata.model_validate(said["usageMetadata"])
    except ValidationError as error:
        # What is new in the format is passed over by the SDK too.
        if all(one["type"] == "extra_forbidden" for one in error.errors()):
            return data
        return json.dumps({name: value for name, value in said.items() if name != "usageMetadata"}).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        pass  # it is the SDK's to say so
    return data
