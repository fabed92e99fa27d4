"""A model server with OpenAI's and Ollama's streaming formats, at an even pace; it says when each answer was out.

`python -m terminal.server` prints {"port"} first, then a line of JSON for each answer as its last token leaves: the
word it ended with, its tokens, and the moment on the system's monotonic clock. A prompt that says "N tokens at R" gets
so many at so many a second, any other a short answer. Models: alpha, beta, gamma.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from typing import Any

from .answer import tokens

MODELS = ("alpha", "beta", "gamma")
WANTED = re.compile(r"(\d+) tokens at (\d+)")
"""In a prompt."""
SHORT = 12
"""Tokens of any other answer."""
_numbers = itertools.count(1)


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


def ending(number: int) -> str:
    """The word the answer of that number ends with."""
    return f"finis{number}"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = re.search(r"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
            await _answer(head.split()[1].partition("?")[0], json.loads(body) if body else {}, writer)
    except (OSError, asyncio.IncompleteReadError):
        pass  # whoever asked has left
    finally:
        writer.close()


async def _answer(path: str, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    model = asked.get("model", MODELS[0])
    if path.endswith("/models"):
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "bench"} for name in MODELS]
        _whole(writer, {"object": "list", "data": listed})
    elif path == "/api/tags":
        _whole(writer, {"models": [_ollama_model(name) for name in MODELS]})
    elif path == "/api/show":
        _whole(writer, {"details": _DETAILS, "model_info": {}, "capabilities": ["completion"], "parameters": ""})
    elif path == "/api/version":
        _whole(writer, {"version": "0.13.0"})
    elif path in ("/api/chat", "/api/generate"):
        await _stream(writer, asked, "application/x-ndjson", *_ollama(model))
    elif path.endswith("/chat/completions"):
        await _stream(writer, asked, "text/event-stream", *_openai(model))
    else:
        _whole(writer, {"error": {"message": f"no {path} here"}}, "404 Not Found")


_DETAILS = {"format": "gguf", "family": "bench", "families": ["bench"], "parameter_size": "8B"}


def _ollama_model(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "model": name,
        "modified_at": "2026-11-01T00:00:00Z",
        "size": 1,
        "digest": name,
        "details": _DETAILS,
    }


def _openai(model: str) -> tuple[Any, Any]:
    def chunk(delta: dict[str, str], finish: str | None = None, **more: object) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        event = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": choices}
        return b"data: " + json.dumps({**event, **more}).encode() + b"\n\n"

    def end(count: int) -> bytes:
        usage = {"prompt_tokens": 20, "completion_tokens": count, "total_tokens": 20 + count}
        return chunk({}, "stop") + chunk({}, choices=[], usage=usage) + b"data: [DONE]\n\n"

    return (lambda text: chunk({"role": "assistant", "content": text})), end


def _ollama(model: str) -> tuple[Any, Any]:
    def line(text: str, **more: object) -> bytes:
        message = {"role": "assistant", "content": text}
        said = {"model": model, "created_at": "2026-11-01T00:00:00Z", "message": message, "response": text}
        return json.dumps({**said, "done": False, **more}).encode() + b"\n"

    return line, lambda count: line("", done=True, done_reason="stop", eval_count=count, prompt_eval_count=20)


async def _stream(writer: asyncio.StreamWriter, asked: dict[str, Any], kind: str, piece: Any, end: Any) -> None:
    said = json.dumps(asked.get("messages", asked.get("prompt", ""))[-1:])
    found = WANTED.search(said)
    count, rate = (int(found[1]), int(found[2])) if found else (SHORT, 100)
    number = next(_numbers)
    pieces = tokens(count, ending(number))
    if not asked.get("stream", kind.endswith("ndjson")):
        text = "".join(pieces)
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        _whole(writer, {"id": "c", "model": asked.get("model"), "choices": choices, "message": message, "done": True})
        return
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    began = time.monotonic()
    for place, text in enumerate(pieces, 1):
        _chunk(writer, piece(text))
        await writer.drain()
        await asyncio.sleep(max(0.0, began + place / rate - time.monotonic()))
    _say(ended=ending(number), tokens=len(pieces), at=time.monotonic(), took=time.monotonic() - began)
    _chunk(writer, end(len(pieces)))
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def _whole(writer: asyncio.StreamWriter, said: object, status: str = "200 OK") -> None:
    body = json.dumps(said).encode()
    writer.write(
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )


async def main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    _say(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
