"""Every exception the SDKs and the HTTP library can raise is known by name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from types import ModuleType
from typing import get_args

import anthropic
import anthropic._exceptions
import anthropic.types.shared
import google.genai.errors
import httpx2
import openai
import openai._exceptions
import pytest

from tui_orchestrator.providers.bounds import TooMuch
from tui_orchestrator.providers.faults import (
    CLASSES,
    PromptRefused,
    broken_off,
    by_class,
    by_status,
    check_key,
    translate,
)
from tui_orchestrator.routing.errors import (
    Authentication,
    BadRequest,
    Connection,
    ContentFilter,
    ContextWindow,
    Internal,
    NotFound,
    RateLimited,
    Server,
    StreamBroken,
    Timeout,
    TurnError,
)

MODULES = {
    "anthropic": (anthropic, anthropic._exceptions),
    "openai": (openai, openai._exceptions),
    "google": (google.genai.errors,),
    "httpx2": (httpx2,),
}


def exceptions_of(root: str, *modules: ModuleType) -> Iterator[type[Exception]]:
    for module in modules:
        for cls in vars(module).values():
            # Of the type only: asking openai's lazy clients for their class would load them all.
            is_error = issubclass(type(cls), type) and issubclass(cls, Exception) and not issubclass(cls, Warning)
            if is_error and cls.__module__.partition(".")[0] == root:
                yield cls


def subclasses(cls: type[Exception]) -> Iterator[type[Exception]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from subclasses(sub)


@pytest.mark.parametrize("root", MODULES)
def test_every_exception_class_has_a_mapping_of_its_own(root: str) -> None:
    found = {f"{root}.{cls.__name__}" for cls in exceptions_of(root, *MODULES[root])}
    assert len(found) > 5
    known = {name for name in CLASSES if name.startswith(f"{root}.")}
    assert found - known == set(), "the SDK has learnt to raise something new; say in CLASSES what it means"
    assert known - found == set(), "the SDK raises this no more"


@pytest.mark.parametrize(
    "base", [anthropic.AnthropicError, openai.OpenAIError, google.genai.errors.APIError, httpx2.HTTPError]
)
def test_their_subclasses_anywhere_in_the_sdk_are_mapped_through_their_bases(base: type[Exception]) -> None:
    assert all(by_class(cls.__new__(cls)) is not None for cls in subclasses(base))


def error_code(cls: type[Exception]) -> str | None:
    """The code that makes the SDK choose this class, where the status alone does not."""
    details = getattr(anthropic.types.shared, f"{cls.__name__}Details", None)
    fields = getattr(details, "model_fields", {})
    return get_args(fields["error_code"].annotation)[0] if "error_code" in fields else None


def test_the_answer_that_makes_an_sdk_raise_a_class_means_what_the_class_means() -> None:
    checked = 0
    for root, base in (("anthropic", anthropic.APIStatusError), ("openai", openai.APIStatusError)):
        for cls in exceptions_of(root, *MODULES[root]):
            status = getattr(cls, "status_code", None)
            if issubclass(cls, base) and isinstance(status, int):
                error, response = cls.__new__(cls), httpx2.Response(status)
                error.body = {"error": {"type": "whatever", "details": {"error_code": error_code(cls)}}}  # type: ignore[attr-defined]
                assert type(translate(error, "x", "", response)) is CLASSES[f"{root}.{cls.__name__}"], cls
                checked += 1
    assert checked > 30


def test_no_two_statuses_of_a_good_answer_are_faults() -> None:
    assert by_status(200) is by_status(204) is by_status(None) is None
    for status in range(300, 600):
        fault = by_status(status)
        assert fault is not None
        assert issubclass(fault, TurnError)
        assert fault is not Internal


@pytest.mark.parametrize(
    "error",
    [TypeError("x"), AttributeError("x"), ValueError("x"), AssertionError(), RecursionError("x"), KeyError("x")],
)
def test_pythons_own_exceptions_break_an_answer_that_had_begun_and_refuse_one_that_had_not(error: Exception) -> None:
    begun = httpx2.Response(200)
    assert type(translate(error, "x", "", begun)) is StreamBroken
    refused = translate(error, "x", "", None)
    assert type(refused) is BadRequest
    assert refused.message == " ".join(f"x: {BadRequest.what[:-1]} ({type(error).__name__}: {error}).".split())


def test_only_what_another_try_may_mend_is_retryable() -> None:
    retryable = {status for status in range(400, 600) if (fault := by_status(status)) and fault.retryable}
    assert retryable >= {408, 409, 429, 500, 502, 503, 504, 529}
    assert not retryable & {400, 401, 402, 403, 404, 413, 422, 501}


class Said(Exception):
    """As an SDK raises it."""

    def __init__(self, body: object) -> None:
        super().__init__("in the SDK's words")
        self.body = body


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        # A code decides before the words, these before the status where it says little, and a vague code comes last.
        ({"code": "context_length_exceeded", "message": "invalid api key"}, 400, ContextWindow),
        ({"code": "context_length_exceeded"}, 500, ContextWindow),
        ({"type": "not_found_error", "code": "content_filter"}, 400, ContentFilter),
        ({"message": "Invalid API key"}, 400, Authentication),
        ({"message": "Invalid API key"}, 429, RateLimited),
        ({"message": "Invalid API key"}, None, Authentication),
        ({"type": "invalid_request_error", "message": "prompt is too long"}, 413, ContextWindow),
        ({"type": "server_error"}, 400, BadRequest),
        ({"type": "server_error"}, None, Server),
        ({"type": "invalid_argument"}, None, BadRequest),
        ({"message": "No."}, 599, Server),
        ({"message": "No."}, 499, Server),
        ({"message": "No."}, 498, BadRequest),
        ({"message": "No."}, 399, NotFound),
    ],
)
def test_what_decides_comes_in_order(body: dict[str, str], status: int | None, kind: type[TurnError]) -> None:
    response = None if status is None else httpx2.Response(status)
    error = translate(Said({"error": body}), "x", "", response)
    assert (type(error), error.status) == (kind, status)


@pytest.mark.parametrize(
    ("status", "wait_s", "hint"),
    [
        (429, "59.9", None),
        (429, "60", "It asks to wait 60 s; this model is left out for 60 s. Choose another model until then."),
        (429, "1200", "It asks to wait 20 min; this model is left out for 10 min. Choose another model until then."),
        (
            429,
            "604799",
            "It asks to wait 168 h 0 min; this model is left out for 10 min. Choose another model until then.",
        ),
        (
            429,
            "604800",
            "It asks to wait a week or longer; this model is left out for 10 min. Choose another model until then.",
        ),
        (503, "1200", None),
        (429, None, None),
        (
            *(302, None),
            "Set base_url to the address it redirects to: redirects are not followed, since the key would go along.",
        ),
        (399, None, "Set base_url"),
        (400, None, None),
    ],
)
def test_what_to_do_is_said_where_the_answer_tells(status: int, wait_s: str | None, hint: str | None) -> None:
    headers = {} if wait_s is None else {"retry-after": wait_s}
    error = translate(Said("No."), "x", "", httpx2.Response(status, headers=headers))
    assert error.retry_after_s == (None if wait_s is None else float(wait_s))
    assert error.hint.startswith(type(error).hint if hint is None else hint)


def caused(error: BaseException, by: BaseException | None) -> BaseException:
    error.__cause__ = by
    return error


REQUEST = httpx2.Request("POST", "http://example.test", extensions={"timeout": {"connect": 2.5}})


@pytest.mark.parametrize(
    ("error", "begun", "kind", "message"),
    [
        (TooMuch("sent more than 64 MiB"), True, StreamBroken, "x: sent more than 64 MiB"),
        (PromptRefused("not that"), True, ContentFilter, "x: the prompt was refused (not that)"),
        (UnicodeDecodeError("utf-8", b"a", 0, 1, "no"), True, StreamBroken, "x: sent text that is not UTF-8"),
        (
            json.JSONDecodeError("no", "{garbage \x1b[2J" + "y" * 99, 0),
            *(True, StreamBroken, "x: sent something that is not of its format: {garbage [2J" + "y" * 67 + "…"),
        ),
        (
            caused(TypeError(), json.JSONDecodeError("no", "<p>", 0)),
            *(True, StreamBroken, "x: sent something that is not of its format: <p>"),
        ),
        (json.JSONDecodeError("no", " ", 0), True, StreamBroken, "x: sent something that is not of its format"),
        (httpx2.ReadTimeout("late"), True, Timeout, f"x: {Timeout.what[:-1]} (late)."),
        (httpx2.ConnectError("nobody"), False, Connection, f"x: {Connection.what[:-1]} (nobody)."),
        (httpx2.ReadError("gone"), True, StreamBroken, f"x: {StreamBroken.what[:-1]} (gone)."),
        (caused(httpx2.ReadError(""), OSError("gone")), False, Connection, f"x: {Connection.what[:-1]} (gone)."),
        (httpx2.ReadError(" "), False, Connection, f"x: {Connection.what[:-1]} (ReadError)."),
        (
            caused(openai.APIConnectionError(request=REQUEST), httpx2.ConnectError("nobody")),
            *(False, Connection, f"x: {Connection.what[:-1]} (nobody)."),
        ),
        (
            caused(openai.APITimeoutError(request=REQUEST), httpx2.ReadTimeout("late")),
            *(False, Timeout, f"x: {Timeout.what[:-1]} (late)."),
        ),
        (
            openai.APIConnectionError(request=REQUEST),
            False,
            Connection,
            f"x: {Connection.what[:-1]} (Connection error).",
        ),
        (
            caused(httpx2.ConnectTimeout("", request=REQUEST), asyncio.CancelledError()),
            *(False, Connection, f"x: {Connection.what[:-1]} (no connection in 2.5 s)."),
        ),
        (
            caused(httpx2.ConnectTimeout(""), asyncio.CancelledError()),
            *(False, Connection, f"x: {Connection.what[:-1]} (no connection)."),
        ),
    ],
)
def test_what_broke_is_told_in_plain_words(error: Exception, begun: bool, kind: type[TurnError], message: str) -> None:
    told = translate(error, "x", "", httpx2.Response(200) if begun else None)
    assert (type(told), told.message, told.status) == (kind, message, None)


@pytest.mark.parametrize(
    ("kind", "why", "message"),
    [
        ("text/event-stream; charset=utf-8", "", StreamBroken.what),
        ("text/html", "", "answered with text/html instead of a stream of events"),
        ("", "", StreamBroken.what),
        (None, "", StreamBroken.what),
        ("text/html", "finish reason: abort", f"{StreamBroken.what.rstrip('.')} (finish reason: abort)."),
    ],
)
def test_why_a_stream_that_ended_in_good_order_is_broken(kind: str | None, why: str, message: str) -> None:
    response = None if kind is None else httpx2.Response(200, headers={"content-type": kind})
    assert broken_off("x", "", response, why).message == f"x: {message}"


@pytest.mark.parametrize(
    ("key", "fits"), [("", True), ("sk-abc", True), ("sk-\n", False), ("sk-ä", False), ("\x00", False)]
)
def test_a_key_that_no_header_can_carry_is_refused(key: str, fits: bool) -> None:
    if fits:
        check_key("x", key)
    else:
        with pytest.raises(Authentication, match="x: the key contains a line break or a character that no key has"):
            check_key("x", key)
