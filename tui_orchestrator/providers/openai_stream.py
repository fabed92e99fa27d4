"""The events of OpenAI's streams, as they stand in a response that `bounds` has put into one form. To be imported where
the SDK is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

import httpx2
from openai import APIError

from .openai import CLOSING_EVENT

_READ_OUT_S = 0.1
"""How long the end of a body may take to come behind the closing event, as the SDK has it: only a connection whose
answer was read out can be used again."""


async def events(response: httpx2.Response) -> AsyncIterator[list[object]]:
    """Events as decoded from their JSON, those together that came at once; the closing one, which is no JSON, comes
    last and as its text. Raises APIError for those that tell of an error, also where it is not under `error`.

    The SDK's own stream reads what `bounds` has read already, letter by letter, at twice the cost of all that is done
    with it here."""
    async for chunk in response.aiter_bytes():
        came: list[object] = []
        try:
            closed = _read(response, chunk, came)
        except (APIError, ValueError, RecursionError):
            if came:
                yield came
            raise
        if came:
            yield came
        if closed:
            with suppress(TimeoutError, httpx2.HTTPError, httpx2.StreamError):
                async with asyncio.timeout(_READ_OUT_S):
                    async for _ in response.stream:  # type: ignore[union-attr]
                        pass
            return


def _read(response: httpx2.Response, chunk: bytes, came: list[object]) -> bool:
    """Puts the events of a chunk into `came`. Whether the closing one is among them."""
    # Behind the last blank line there is what was cut off.
    for event in chunk.split(b"\n\n")[:-1]:
        name, data = _fields(event.decode())
        if not name and not data:
            continue  # no event: a paragraph of a page
        if name == "error":
            raise _error(response, _decoded(data))
        if data.startswith(CLOSING_EVENT):
            came.append(CLOSING_EVENT)
            return True
        said = json.loads(data)
        if isinstance(said, Mapping):
            if error := said.get("error") or _of_a_choice(said.get("choices")):
                raise _error(response, error)
            if _is_error(said):
                raise _error(response, said)
        if said is not None:
            came.append(said)
    return False


def _fields(event: str) -> tuple[str, str]:
    """Name and data."""
    if "\n" not in event and event.startswith("data: "):
        return "", event[6:]
    name, data = "", []
    for line in event.split("\n"):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
    return name, "\n".join(data)


def _error(response: httpx2.Response, said: object) -> APIError:
    return APIError("An error occurred during streaming", request=response.request, body=said)


def _of_a_choice(choices: object) -> object:
    """OpenRouter tells in a choice of the error that ended it, with an ordinary finish reason beside it."""
    told = (choice.get("error") for choice in choices if isinstance(choice, Mapping)) if type(choices) is list else ()
    return next(filter(None, told), None)


def _is_error(said: Mapping[str, object]) -> bool:
    """vLLM and FastChat say {"object": "error", "message": …}, others {"code": …, "message": …}."""
    if "choices" in said:
        return False
    return "error" in (said.get("object"), said.get("type")) or bool(said.get("code") and said.get("message"))


def _decoded(data: str) -> object:
    """As it is, where it is no JSON."""
    try:
        decoded: object = json.loads(data)
    except (ValueError, RecursionError):
        return data
    return decoded
