"""Taking a model into a local server's memory, and out of it, by the server's own HTTP API.

Ollama: POST /api/generate without a prompt loads, with `keep_alive` 0 unloads (its docs/api.md). LM Studio since 0.4:
POST /api/v1/models/load and /unload, the latter for each instance that GET /api/v1/models names
(lmstudio.ai/docs/developer/rest). Read in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..routing.text import clean_line
from .listings import ListingError, Source, bounded, decoded, place, rows

SERVERS = ("ollama", "lmstudio")
"""Those that can be told to."""
LOADING_TIMEOUT_S = 600.0
"""A large model comes from the disk at a few hundred megabytes a second."""


class NotMoved(Exception):
    """Why the server did not do it, in one sentence without keys."""


async def load(source: Source, server: str, name: str) -> None:
    """Returns once the model is in memory. Raises NotMoved."""
    if server == "ollama":
        await _ask(source, "/api/generate", {"model": name, "stream": False}, server)
    else:
        await _ask(source, "/api/v1/models/load", {"model": name}, server)


async def unload(source: Source, server: str, name: str) -> None:
    """Raises NotMoved."""
    if server == "ollama":
        await _ask(source, "/api/generate", {"model": name, "keep_alive": 0, "stream": False}, server)
        return
    listed = await _ask(source, "/api/v1/models", None, server)
    for instance in _instances(listed, name):
        await _ask(source, "/api/v1/models/unload", {"instance_id": instance}, server)


def _instances(listed: Any, name: str) -> list[str]:
    """Of a model by its key, or the one instance of that name: the older list names instances."""
    found = []
    for item in rows(listed, "models"):
        for instance in rows(item, "loaded_instances"):
            id_ = instance.get("id")
            if isinstance(id_, str) and name in (item.get("key"), id_):
                found.append(id_)
    return found


async def _ask(source: Source, path: str, body: Mapping[str, object] | None, server: str) -> Any:
    """The decoded answer. Raises NotMoved for anything but a 2xx."""
    import httpx2

    root = urlunsplit((*urlsplit(source.base_url)[:2], "", "", ""))
    where = place(source.base_url)
    try:
        async with source.client.stream(
            "GET" if body is None else "POST",
            root + path,
            json=body,
            headers={"accept-encoding": "identity", **source.headers},
            timeout=httpx2.Timeout(LOADING_TIMEOUT_S, connect=5.0),
        ) as response:
            content = await bounded(response, where)
    except ListingError as error:
        raise NotMoved(str(error)) from error
    except httpx2.TimeoutException as error:
        raise NotMoved(f"{where} did not answer in time") from error
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise NotMoved(f"{where} could not be reached ({type(error).__name__})") from error
    said = await _decoded(content, where)
    if response.is_success and not (isinstance(said, dict) and said.get("error")):
        return said
    if server == "lmstudio" and (response.status_code == 404 or b"Unexpected endpoint" in content):
        raise NotMoved(f"{where} cannot be told so; LM Studio 0.4 or newer can")
    raise NotMoved(f"{where} refused (HTTP {response.status_code}){_reason(said)}")


async def _decoded(body: bytes, where: str) -> Any:
    try:
        return await decoded(body, where)
    except (ListingError, ValueError, RecursionError):
        return None


def _reason(said: Any) -> str:
    error = said.get("error") if isinstance(said, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    return f": {clean_line(error, 200)}" if isinstance(error, str) and error else ""
