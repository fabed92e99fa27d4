"""What a provider said went wrong, out of the many shapes it is said in."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from ..routing.text import clean_line
from ..settings import hidden, without

if TYPE_CHECKING:
    import httpx2

LONGEST_WAIT_S = 7 * 24 * 3600.0
# Attributes end where another tag begins, so that a page of nothing but beginnings is read through once.
_TITLE = re.compile(r"<title\b[^<>]*+>([^<]{1,300})", re.IGNORECASE)
_HEAD = 1 << 14
"""Characters of a page that its title stands in."""


@dataclass(frozen=True, slots=True)
class Complaint:
    status: int | None = None
    """HTTP status, or the number that a fault inside a stream gave for one."""
    codes: frozenset[str] = frozenset()
    """Whatever stood under code, type, status or reason; in lower case."""
    message: str = ""
    """For people, not cleaned yet."""
    words: str = ""
    """The message with what an upstream provider said beneath it; to be searched."""
    wait_s: float | None = None

    @classmethod
    def of(cls, error: BaseException, response: httpx2.Response | None) -> Complaint:
        """From an SDK's exception: `body` in anthropic and openai, `details` in google-genai."""
        body = getattr(error, "body", None) or getattr(error, "details", None)
        status = response.status_code if response is not None and response.status_code >= 300 else None
        if isinstance(body, list) and body:
            body = body[0]
        if isinstance(body, str):
            return cls(status, message=_page_title(body), words=body)
        if not isinstance(body, Mapping):
            return cls(status)
        inner = body.get("error")
        said = inner if isinstance(inner, Mapping) else body
        parts = list(_parts(said))
        codes = [part.get(name) for part in parts for name in ("code", "type", "status", "reason", "error_code")]
        message = _message(said) or (inner if isinstance(inner, str) else "")
        return cls(
            status if status is not None else as_status(said.get("code")),
            frozenset(code.lower() for code in codes if isinstance(code, str)),
            _page_title(message),
            " ".join([message, *(_upstream(part) for part in parts)]),
            next((wait for part in parts if (wait := _seconds(part.get("retryDelay"))) is not None), None),
        )


def _parts(said: Mapping[Any, Any]) -> Iterator[Mapping[Any, Any]]:
    """The error itself; Gemini's details; OpenRouter's metadata, which holds what the provider behind it said."""
    yield said
    details = said.get("details")
    for part in [*(details if isinstance(details, list) else [details]), said.get("metadata")]:
        if isinstance(part, Mapping):
            yield part


def _message(said: Mapping[Any, Any]) -> str:
    for name in ("message", "detail"):
        value = said.get(name)
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            value = value[0].get("msg")  # FastAPI's list of what did not validate
        if isinstance(value, str) and value.strip():
            upstream = _upstream(said.get("metadata"))
            return f"{value} ({upstream})" if upstream else value
    return ""


def _upstream(part: object) -> str:
    raw = part.get("raw") if isinstance(part, Mapping) else None
    return raw if isinstance(raw, str) else ""


def _page_title(text: str) -> str:
    """Proxies answer with a page of HTML; its title is the sentence."""
    if not text.lstrip().startswith("<"):
        return text
    title = _TITLE.search(text, 0, _HEAD)
    return title[1] if title else ""


def as_status(code: object) -> int | None:
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) == 3:
        code = int(code)
    if isinstance(code, bool) or not isinstance(code, int):
        return None
    return code if 300 <= code < 600 else None


def _seconds(text: object) -> float | None:
    """'7', '7.5' or Gemini's '7.5s'; None for anything else, the negative and the endless included."""
    if not isinstance(text, str) or not text.isascii():
        return None
    try:
        seconds = float(text.strip().removesuffix("s"))
    except ValueError:
        return None
    return min(seconds, LONGEST_WAIT_S) if math.isfinite(seconds) and seconds >= 0 else None


def retry_after(response: httpx2.Response | None, said: Complaint) -> float | None:
    """Seconds to wait, from the headers (`retry-after-ms`, `Retry-After` in seconds or as a date) or from the body."""
    if response is not None:
        headers = response.headers
        milliseconds = _seconds(headers.get("retry-after-ms"))
        if milliseconds is not None:
            return milliseconds / 1000
        waits = [_wait(one, headers.get("date")) for one in headers.get_list("retry-after")]
        if known := [wait for wait in waits if wait is not None]:
            return max(known)
    return said.wait_s


def _wait(header: str, now: str | None) -> float | None:
    """The longest, where a proxy has put several into one."""
    listed = [_seconds(one) for one in header.split(",")]
    if known := [seconds for seconds in listed if seconds is not None]:
        return max(known) if len(known) == len(listed) else None
    return _until(header, now)


def _until(date: str, now: str | None) -> float | None:
    """Counted from the server's own clock where it gives one: ours may go wrong by more than the wait."""
    try:
        until = parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
    try:
        present = parsedate_to_datetime(now or "").timestamp()
    except (ValueError, OverflowError, TypeError):
        present = time.time()
    return min(max(0.0, until - present), LONGEST_WAIT_S)


def redact(text: str, key: str) -> str:
    """One clean line without `key`, another provider's or anything else that looks like one: some repeat the key they
    refuse, and several may be behind one proxy."""
    return clean_line(hidden(without(clean_line(text, 2000), key)))


_SHORTEST_KEY = 16
"""Shorter ones are placeholders for local servers, and 'test' or 'ollama' is a part of many a name."""


def named(name: str, key: str) -> str:
    """A name that a provider gave, without the key that some servers repeat in whatever they say."""
    return without(name, key) if len(key) >= _SHORTEST_KEY else name
