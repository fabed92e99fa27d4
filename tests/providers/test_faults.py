"""Every exception the SDKs and the HTTP library can raise is known by name."""

from __future__ import annotations

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

from tui_orchestrator.providers.faults import CLASSES, by_class, by_status, translate
from tui_orchestrator.routing.errors import BadRequest, Internal, StreamBroken, TurnError

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
    assert refused.message == " ".join(f"x: {BadRequest.what} ({type(error).__name__}: {error})".split())


def test_only_what_another_try_may_mend_is_retryable() -> None:
    retryable = {status for status in range(400, 600) if (fault := by_status(status)) and fault.retryable}
    assert retryable >= {408, 409, 429, 500, 502, 503, 504, 529}
    assert not retryable & {400, 401, 402, 403, 404, 413, 422, 501}
