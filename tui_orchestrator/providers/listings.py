"""What the providers themselves say they serve: one bounded GET (or a few, where the list has pages).

Listings are not billed. Whatever goes wrong becomes a sentence in the Listing; nothing is raised but cancellation. Keys
travel in headers and appear in no sentence.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from ..routing.deadline import LATE_S
from ..routing.model import Model
from ..routing.money import Price
from ..routing.profile import Ability
from ..routing.text import clean_line
from ..settings.secrets import hidden
from .complaint import named

if TYPE_CHECKING:
    import httpx2

MAX_BODY = 8 * 2**20
LISTING_TIMEOUT_S = 6.0
"""For one provider's whole list, all its pages together."""
_MAX_PAGES = 20
_MAX_MODELS = 5000
_MAX_NAME = 200
_MAX_BRACKETS = 20 * _MAX_MODELS
_MAX_COMMAS = 150 * _MAX_MODELS
"""More than OpenRouter's list would have of so many models. Decoding takes 50 ms for as many that lie in no object, in
which nothing else runs."""

ANTHROPIC_VERSION = "2023-06-01"
DEFAULT_URLS = {
    "anthropic": "https://api.anthropic.com",
    "openai": "https://api.openai.com/v1",
    "gemini": "https://generativelanguage.googleapis.com",
    "openrouter": "https://openrouter.ai/api/v1",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One model as a server describes it. None everywhere means: the server does not say."""

    name: str
    price: Price | None = None
    context_window: int | None = None
    max_output: int | None = None
    abilities: frozenset[Ability] | None = None
    accepts_temperature: bool | None = None
    chats: bool | None = None
    loaded: bool | None = None
    """Of a local server: whether the model is in memory already."""
    remote: bool = False
    """A local server passes this model's calls on to somebody else's machine."""
    parameters: str = ""
    """'8.0B', where the name does not say."""


@dataclass(frozen=True, slots=True)
class Listing:
    models: tuple[Listed, ...] = ()
    reachable: bool = True
    authorised: bool | None = None
    """False: the key was refused. None: the list is open to everyone, or nothing was learned."""
    detail: str = ""
    """One sentence for people."""
    seconds: float = 0.0
    server: str = ""
    """Of a local server: lmstudio, ollama, llamacpp, vllm, mlx; '' for one that was not recognised."""
    silent: bool = False
    """The list did not come in time, so `reachable` is False; a busy server may answer questions all the same."""
    unread: bool = False
    """What came is no list, or none came. The server may answer questions all the same: some do well at
    /chat/completions and have no list."""
    unwell: bool = False
    """It answered with a redirect, or that something is wrong with it: a call would most likely end the same way."""
    own: tuple[Model, ...] = ()
    """Of a plugin's provider: its models whole, in place of `models`."""


class ListingError(Exception):
    """Why a list could not be read, as a sentence without keys."""

    def __init__(
        self,
        detail: str,
        *,
        reachable: bool = True,
        authorised: bool | None = None,
        silent: bool = False,
        unwell: bool = False,
    ) -> None:
        super().__init__(detail)
        self.reachable = reachable
        self.authorised = authorised
        self.silent = silent
        self.unwell = unwell


@dataclass(frozen=True, slots=True)
class Source:
    """Where to ask and with what. Its repr shows no key."""

    kind: Literal["anthropic", "openai", "gemini", "openrouter", "openai-compatible", "plugin"]
    base_url: str
    client: httpx2.AsyncClient
    key: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        if not self.key:
            return {}
        if self.kind == "anthropic":
            return {"x-api-key": self.key}
        if self.kind == "gemini":
            return {"x-goog-api-key": self.key}
        return {"authorization": f"Bearer {self.key}"}


async def read_listing(source: Source, timeout_s: float = LISTING_TIMEOUT_S) -> Listing:
    """The list of a provider of any kind but a local server, which `discovery.read_server` knows better."""
    return without_key(await unless_it_stood_still(lambda: _read_listing(source, timeout_s), timeout_s), source.key)


def without_key(listing: Listing, key: str) -> Listing:
    """Without models whose name has a part of the key in it, or the key in another form: a server may repeat it."""
    return replace(listing, models=tuple(model for model in listing.models if named(model.name, key) == model.name))


async def unless_it_stood_still(read: Callable[[], Awaitable[Listing]], timeout_s: float) -> Listing:
    """Once more where far more time has passed than a reading may take: this program stood still meanwhile (Ctrl-Z, a
    machine that slept), which says nothing of the server."""
    listing = await read()
    return await read() if not listing.reachable and listing.seconds > timeout_s + LATE_S else listing


async def _read_listing(source: Source, timeout_s: float) -> Listing:
    started = now()
    readers = {"anthropic": _anthropic, "gemini": _gemini, "openrouter": _openrouter}
    reader = readers.get(source.kind, _openai)
    try:
        async with asyncio.timeout(timeout_s):
            models = await reader(source)
    except TimeoutError:
        detail = f"{place(source.base_url)} did not answer within {timeout_s:g} s"
        return Listing(reachable=False, detail=detail, seconds=now() - started, silent=True, unread=True)
    except ListingError as error:
        return replace(unread(error), seconds=now() - started)
    # OpenRouter shows its list to everyone, so reading it proves no key.
    authorised = True if source.key and source.kind != "openrouter" else None
    return Listing(tuple(models[:_MAX_MODELS]), True, authorised, counted(models), now() - started)


def unread(error: ListingError) -> Listing:
    found = Listing((), error.reachable, error.authorised, str(error), silent=error.silent, unread=True)
    return replace(found, unwell=error.unwell)


def now() -> float:
    """Seconds, of the clock by which limits are kept."""
    return asyncio.get_running_loop().time()


def counted(models: Sequence[Listed]) -> str:
    if not models:
        return "its model list is empty"
    if len(models) >= _MAX_MODELS:
        return f"the first {_MAX_MODELS} of the models listed"
    return f"{len(models)} model{'s' * (len(models) > 1)} listed"


def place(url: str) -> str:
    """Host and port alone: an address may carry a password or a key."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        return clean_line(f"{parts.hostname or 'the server'}{port}", 100)
    except ValueError:
        return "the server"


async def fetch_json(
    source: Source,
    url: str,
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    post: Mapping[str, object] | None = None,
) -> Any:
    """The decoded body of a 2xx answer; None for an empty one. Raises ListingError for everything else."""
    import httpx2

    where = place(source.base_url)
    if not (source.key.isascii() and source.key.isprintable()):
        raise ListingError(f"the key for {where} holds characters that no key has", authorised=False)
    # Uncompressed, so that the bound holds before a small body is blown up into a large one.
    sent = {"accept": "application/json", "accept-encoding": "identity", **source.headers, **(headers or {})}
    try:
        async with source.client.stream(
            "POST" if post is not None else "GET",
            url,
            params=params,
            headers=sent,
            json=post,
            timeout=httpx2.Timeout(LISTING_TIMEOUT_S),
            follow_redirects=False,
        ) as response:
            body = await bounded(response, where)
            status = response.status_code
    except httpx2.ConnectTimeout as error:
        raise ListingError(f"{where} could not be reached in time", reachable=False) from error
    except httpx2.TimeoutException as error:
        raise ListingError(f"{where} did not answer in time", reachable=False, silent=True) from error
    except (httpx2.RemoteProtocolError, httpx2.ReadError) as error:
        raise ListingError(f"the connection to {where} broke ({type(error).__name__})", reachable=False) from error
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, ValueError) as error:
        raise ListingError(f"{where} could not be reached ({type(error).__name__})", reachable=False) from error
    _check(status, body, where, has_key=bool(source.key))
    if not body.strip():
        return None
    try:
        return await decoded(body, where)
    except (ValueError, RecursionError) as error:
        raise ListingError(f"{where} answered with something that is no model list") from error


async def bounded(response: httpx2.Response, where: str) -> bytes:
    """The body of an answer that was asked for uncompressed. Raises ListingError for more than MAX_BODY of it."""
    if response.headers.get("content-encoding", "identity") not in ("identity", ""):
        raise ListingError(f"{where} compressed its answer unasked; it was not read")
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_BODY:
            raise ListingError(f"{where} sent more than {MAX_BODY // 2**20} MB; it was not read")
    return bytes(body)


async def decoded(body: bytes, where: str) -> Any:
    """JSON, read beside the event loop. Raises ListingError for more parts than a list has, and what json raises."""
    if body.count(b"{") + body.count(b"[") > _MAX_BRACKETS or body.count(b",") > _MAX_COMMAS:
        raise ListingError(f"{where} sent too many parts; it was not read")

    def as_it_is(said: dict[str, Any]) -> dict[str, Any]:
        return said

    # Without a function of Python's the decoder lets no other thread run before it is through.
    return await asyncio.to_thread(json.loads, body, object_hook=as_it_is)


def _check(status: int, body: bytes, where: str, *, has_key: bool) -> None:
    # Gemini says 400 for a wrong key.
    if status == 401 or (status == 400 and b"API_KEY_INVALID" in body):
        detail = f"the key was not accepted by {where}" if has_key else f"{where} wants a key"
        raise ListingError(detail, authorised=False)
    if status == 403:
        raise ListingError(f"{where} does not show its model list to this key (HTTP 403)")
    if not 200 <= status < 300:
        unwell = 300 <= status < 400 or status >= 500
        raise ListingError(f"{where} answered HTTP {status} instead of a model list", unwell=unwell)


async def _openai(source: Source) -> list[Listed]:
    return openai_rows(await fetch_json(source, f"{source.base_url.rstrip('/')}/models"), source)


def openai_rows(body: Any, source: Source) -> list[Listed]:
    """Raises ListingError for what is no list, as any web server may answer."""
    if not isinstance(body.get("data") if isinstance(body, dict) else body, list):
        said = "nothing" if body is None else "something that is no model list"
        raise ListingError(f"{place(source.base_url)} answered with {said}")
    return [listed for item in rows(body) if (listed := openai_row(item))]


def openai_row(item: Mapping[str, Any]) -> Listed | None:
    name = clean_name(item.get("id"))
    if not name or _past(item.get("shutdown_date")):
        return None
    # vLLM says max_model_len, Groq context_window, Mistral max_context_length, others context_length.
    window = next((n for key in _WINDOW_KEYS if (n := whole(item.get(key)))), None)
    output = next((n for key in _OUTPUT_KEYS if (n := whole(item.get(key)))), None)
    return Listed(name, context_window=window, max_output=output)


_WINDOW_KEYS = ("max_model_len", "context_window", "max_context_length", "context_length")
_OUTPUT_KEYS = ("max_completion_tokens", "max_output_tokens")


async def _anthropic(source: Source) -> list[Listed]:
    base = source.base_url.rstrip("/").removesuffix("/v1")
    found: list[Listed] = []
    after: dict[str, str] = {}
    for _ in range(_MAX_PAGES):
        page = await fetch_json(
            source,
            f"{base}/v1/models",
            params={"limit": "1000", **after},
            headers={"anthropic-version": ANTHROPIC_VERSION},
        )
        found += [listed for item in rows(page) if (listed := _anthropic_row(item))]
        last = page.get("last_id") if isinstance(page, dict) else None
        if not (isinstance(page, dict) and page.get("has_more") is True and isinstance(last, str)):
            break
        after = {"after_id": last}
    return found


def _anthropic_row(item: Mapping[str, Any]) -> Listed | None:
    name = clean_name(item.get("id"))
    if not name or item.get("lifecycle") == "retired":
        return None
    can = item.get("capabilities")
    abilities: frozenset[Ability] | None = None
    if isinstance(can, dict):
        named = {"image_input": Ability.VISION, "structured_outputs": Ability.STRUCTURED_OUTPUT}
        named["thinking"] = Ability.THINKING
        supported = {a for key, a in named.items() if isinstance(can.get(key), dict) and can[key].get("supported")}
        abilities = frozenset({Ability.TOOLS, *supported})
    return Listed(name, None, whole(item.get("max_input_tokens")), whole(item.get("max_tokens")), abilities)


async def _gemini(source: Source) -> list[Listed]:
    base = source.base_url.rstrip("/")
    versioned = base if base.endswith(("/v1beta", "/v1", "/v1alpha")) else f"{base}/v1beta"
    found: list[Listed] = []
    token: dict[str, str] = {}
    for _ in range(_MAX_PAGES):
        page = await fetch_json(source, f"{versioned}/models", params={"pageSize": "1000", **token})
        found += [listed for item in rows(page, "models") if (listed := _gemini_row(item))]
        following = page.get("nextPageToken") if isinstance(page, dict) else None
        if not isinstance(following, str) or not following:
            break
        token = {"pageToken": following}
    return found


def _gemini_row(item: Mapping[str, Any]) -> Listed | None:
    name = clean_name(item.get("name")).removeprefix("models/")
    if not name:
        return None
    methods = item.get("supportedGenerationMethods")
    chats = "generateContent" in methods if isinstance(methods, list) else None
    return Listed(
        name,
        context_window=whole(item.get("inputTokenLimit")),
        max_output=whole(item.get("outputTokenLimit")),
        chats=False if chats is False else None,
    )


async def _openrouter(source: Source) -> list[Listed]:
    from .openrouter_catalogue import parse

    return parse(await fetch_json(source, f"{source.base_url.rstrip('/')}/models"))


def rows(body: Any, key: str = "data") -> Sequence[Mapping[str, Any]]:
    """The first objects of a list that comes bare or under `key`; nothing where the body is something else."""
    listed = body.get(key) if isinstance(body, dict) else body
    return [item for item in listed[:_MAX_MODELS] if isinstance(item, dict)] if isinstance(listed, list) else []


_FILLERS = "\u115f\u1160\u3164\uffa0"
"""Letters that are drawn as nothing."""


def clean_name(name: object) -> str:
    """'' for what cannot be a model's name: no text, no letter or figure, too long, or not the same after cleaning,
    since a name that had to be changed would not be understood by the server it came from. Nor is a key one, which a
    server may repeat."""
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME or clean_line(name, _MAX_NAME) != name:
        return ""
    if not any(letter.isalnum() and letter not in _FILLERS for letter in name):
        return ""
    return name if hidden(name) == name else ""


def whole(value: object) -> int | None:
    """A count of tokens, or None for anything that is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**40 else None


def _past(when: object) -> bool:
    if not isinstance(when, str):
        return False
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) < datetime.now(UTC)
