"""Model servers on this machine: found by knocking at their usual ports, then recognised by how they answer.

A port proves nothing: 8080 is anybody's web server, and LM Studio answers 200 to every path. So each server is known by
an answer of its own, and its own list says more than the OpenAI one: context windows, abilities, what is loaded.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from ..routing.money import FREE
from ..routing.profile import Ability
from ..settings import ProviderSettings
from .listings import (
    Listed,
    Listing,
    ListingError,
    Source,
    clean_name,
    counted,
    fetch_json,
    now,
    openai_row,
    openai_rows,
    place,
    rows,
    unless_it_stood_still,
    unread,
    whole,
    without_key,
)

if TYPE_CHECKING:
    import httpx2

PORTS: tuple[int, ...] = (1234, 11434, 8080, 9931, 8000, 8081)
"""LM Studio, Ollama, llama.cpp (old and new), vLLM, MLX."""
PROBE_TIMEOUT_S = 1.0
"""For all ports together, lists included."""
_SHOWN_AT_ONCE = 8
_SHOW_SHARE = 0.5
"""Of the time a server is given, what may go into asking about single models."""
_MOST_SHOWN = 200
_NUM_CTX = re.compile(r"^num_ctx\s+(\d{1,9})\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """A server nobody configured."""

    provider: ProviderSettings
    listing: Listing


async def discover(
    client: httpx2.AsyncClient,
    ports: Sequence[int] = PORTS,
    taken: Mapping[str, ProviderSettings] | None = None,
    timeout_s: float = PROBE_TIMEOUT_S,
) -> list[Found]:
    """The recognised servers on the loopback, in the order of `ports`, within `timeout_s` altogether. Those at an
    address that a provider in `taken` already has are left out, and no name in it is given twice."""
    taken = taken or {}
    addresses = {_address(provider.base_url) for provider in taken.values() if provider.base_url}
    wanted = [port for port in ports if ("127.0.0.1", port) not in addresses]
    tasks = [asyncio.create_task(_knock(client, port, timeout_s)) for port in wanted]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    found: list[Found] = []
    names = set(taken)
    for port, task in zip(wanted, tasks, strict=True):
        listing = None if task.cancelled() else task.result()
        if listing is None:
            continue
        name = listing.server if listing.server not in names else f"{listing.server}-{port}"
        names.add(name)
        found.append(Found(ProviderSettings(name, "openai-compatible", _url(port) + "/v1", local=True), listing))
    return found


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _address(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return ("127.0.0.1" if host in ("localhost", "::1", "0.0.0.0") else host, parts.port)
    except ValueError:
        return ("", None)


async def _knock(client: httpx2.AsyncClient, port: int, timeout_s: float) -> Listing | None:
    """None when nothing listens there, or something that is no model server."""
    try:
        # A refused port is known at once and cheaply; only an open one is asked anything.
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return None
    writer.close()
    source = Source("openai-compatible", _url(port) + "/v1", client)
    listing = await read_server(source, timeout_s)
    return listing if listing.reachable and listing.server else None


async def read_server(source: Source, timeout_s: float = 5.0) -> Listing:
    """A local server's own list, with `server` saying which kind it is; '' for an OpenAI-compatible one of no known
    kind. Its models have the known price of nothing, unless the server passes them on to another machine."""
    return without_key(await unless_it_stood_still(lambda: _read_server(source, timeout_s), timeout_s), source.key)


async def _read_server(source: Source, timeout_s: float) -> Listing:
    started = now()
    try:
        async with asyncio.timeout(timeout_s):
            listing = await _recognise(source, timeout_s * _SHOW_SHARE)
    except TimeoutError:
        detail = f"{place(source.base_url)} did not answer within {timeout_s:g} s"
        listing = Listing(reachable=False, detail=detail, silent=True, unread=True)
    except ListingError as error:
        listing = unread(error)
    models = tuple(
        model if model.remote or not listing.server else replace(model, price=FREE) for model in listing.models
    )
    return replace(listing, models=models, seconds=now() - started)


async def _recognise(source: Source, show_s: float) -> Listing:
    root = urlunsplit((*urlsplit(source.base_url)[:2], "", "", ""))

    async def ask(path: str) -> Any:
        try:
            return await fetch_json(source, root + path)
        except ListingError as error:
            return error

    props, version, studio, listed = await asyncio.gather(
        ask("/props"), ask("/api/version"), ask("/api/v0/models"), ask(_models_path(source.base_url))
    )

    async def plain() -> list[Listed]:
        return openai_rows(listed, source)

    readers: list[tuple[str, bool, Callable[[], Awaitable[list[Listed]]]]] = [
        ("llamacpp", _is_llamacpp(props, listed), lambda: _llamacpp(props, listed)),
        ("lmstudio", _is_lmstudio(studio), lambda: _lmstudio(studio)),
        ("ollama", _is_ollama(version), lambda: _ollama(source, root, show_s)),
        ("vllm", _owned_by(listed, "vllm"), plain),
        ("mlx", _is_mlx(listed), plain),
    ]
    for server, is_it, read in readers:
        if is_it:
            models = await read()
            return Listing(tuple(models), detail=f"{server}: {counted(models)}", server=server)
    if isinstance(listed, ListingError):
        refused = next((e for e in (listed, props, version, studio) if _refuses(e)), None)
        raise refused or listed
    models = await plain()
    return Listing(tuple(models), detail=counted(models))


def _refuses(error: object) -> bool:
    return isinstance(error, ListingError) and error.authorised is False


def _models_path(base_url: str) -> str:
    return urlsplit(base_url).path.rstrip("/") + "/models"


def _is_llamacpp(props: Any, listed: Any) -> bool:
    says = isinstance(props, dict) and isinstance(props.get("default_generation_settings"), dict)
    return says or _owned_by(listed, "llamacpp")


def _is_lmstudio(studio: Any) -> bool:
    # LM Studio without models has an empty list; other servers do not know this path.
    listed = isinstance(studio, dict) and studio.get("object") == "list" and isinstance(studio.get("data"), list)
    return listed and all("state" in item and "type" in item for item in rows(studio))


def _is_ollama(version: Any) -> bool:
    return isinstance(version, dict) and isinstance(version.get("version"), str)


def _owned_by(listed: Any, owner: str) -> bool:
    return any(item.get("owned_by") == owner for item in rows(listed))


def _is_mlx(listed: Any) -> bool:
    """mlx_lm.server: an OpenAI list of Hugging Face names whose entries have no owner at all."""
    items = rows(listed)
    return bool(items) and all(
        item.get("object") == "model" and "owned_by" not in item and "created" in item and "/" in str(item.get("id"))
        for item in items
    )


async def _lmstudio(studio: Any) -> list[Listed]:
    found = []
    for item in rows(studio):
        if not (name := clean_name(item.get("id"))):
            continue
        loaded = item.get("state") == "loaded"
        window = whole(item.get("loaded_context_length")) if loaded else None
        can = {Ability.VISION} if item.get("type") == "vlm" else set()
        capabilities = item.get("capabilities")
        if isinstance(capabilities, list) and "tool_use" in capabilities:
            can |= {Ability.TOOLS}
        found.append(
            Listed(
                name,
                context_window=window or whole(item.get("max_context_length")),
                abilities=frozenset(can | {Ability.STRUCTURED_OUTPUT}),
                chats=item.get("type") in ("llm", "vlm"),
                loaded=loaded,
            )
        )
    return found


async def _llamacpp(props: Any, listed: Any) -> list[Listed]:
    settings = props.get("default_generation_settings") if isinstance(props, dict) else None
    window = whole(settings.get("n_ctx")) if isinstance(settings, dict) else None
    modalities = props.get("modalities") if isinstance(props, dict) else None
    sees = isinstance(modalities, dict) and modalities.get("vision") is True
    named = [row for item in rows(listed) if (row := openai_row(item))]
    if not named and isinstance(props, dict):
        # The model list may be empty or broken while the server answers well; it ignores the name anyway.
        path = props.get("model_alias") or props.get("model_path")
        name = clean_name(str(path).replace("\\", "/").rsplit("/", 1)[-1]) if path else ""
        named = [Listed(name or "default")]
    if len(named) > 1:
        return named  # a router over several models: /props speaks for none of them
    abilities = frozenset({Ability.VISION, Ability.STRUCTURED_OUTPUT}) if sees else None
    return [
        replace(row, context_window=window or row.context_window, abilities=abilities, loaded=True) for row in named
    ]


_OLLAMA = {"vision": Ability.VISION, "tools": Ability.TOOLS, "thinking": Ability.THINKING}


async def _ollama(source: Source, root: str, show_s: float) -> list[Listed]:
    tags = await fetch_json(source, f"{root}/api/tags")
    if not isinstance(tags, dict) or not isinstance(tags.get("models") or [], list):
        raise ListingError(f"{place(source.base_url)} answered with something that is no model list")
    try:
        running = await fetch_json(source, f"{root}/api/ps")
    except ListingError:
        running = None  # older ones do not tell what runs
    windows = {item.get("name"): whole(item.get("context_length")) for item in rows(running, "models")}
    named = [_ollama_tag(item, windows) for item in rows(tags, "models") if clean_name(item.get("name"))]
    turns = asyncio.Semaphore(_SHOWN_AT_ONCE)

    async def show(row: Listed) -> Listed:
        async with turns:
            shown = await fetch_json(source, f"{root}/api/show", post={"model": row.name})
        return _ollama_row(row, shown if isinstance(shown, dict) else {}, windows.get(row.name))

    tasks = [asyncio.create_task(show(row)) for row in named[:_MOST_SHOWN]]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=show_s)
    finally:
        for task in tasks:
            task.cancel()
        shown = await asyncio.gather(*tasks, return_exceptions=True)
    # One that was not shown is listed all the same: it can be asked, only its window is unknown.
    return [more if isinstance(more, Listed) else row for row, more in zip(named, shown, strict=False)] + named[
        _MOST_SHOWN:
    ]


def _ollama_tag(item: Mapping[str, Any], windows: Mapping[Any, int | None]) -> Listed:
    name = clean_name(item.get("name"))
    details = item.get("details")
    size = details.get("parameter_size") if isinstance(details, dict) else None
    away = bool(item.get("remote_host")) or name.endswith(("-cloud", ":cloud"))
    return Listed(name, loaded=name in windows, remote=away, parameters=size[:16] if isinstance(size, str) else "")


def _ollama_row(row: Listed, shown: Mapping[str, Any], running: int | None) -> Listed:
    info, capabilities = shown.get("model_info"), shown.get("capabilities")
    trained = None
    if isinstance(info, dict):
        trained = next((whole(value) for key, value in info.items() if str(key).endswith(".context_length")), None)
    # What the server really gives a conversation: a running model's window, else the one set for it, else at most what
    # it was trained for.
    parameters = shown.get("parameters")
    chosen = _NUM_CTX.search(parameters) if isinstance(parameters, str) else None
    window = running or (int(chosen[1]) if chosen else None) or trained
    if not isinstance(capabilities, list):
        return replace(row, context_window=window)
    can = {_OLLAMA[word] for word in capabilities if isinstance(word, str) and word in _OLLAMA}
    return replace(
        row,
        context_window=window,
        abilities=frozenset(can | {Ability.STRUCTURED_OUTPUT}),
        chats=None if "completion" in capabilities else False,
    )
