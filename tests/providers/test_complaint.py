"""What a provider said went wrong, out of every shape it is said in."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tui_orchestrator.providers.complaint import Complaint, as_status, named, retry_after


class Refused(Exception):
    def __init__(self, body: object = None, details: object = None) -> None:
        super().__init__("the SDK's own words")
        self.body = body
        self.details = details


def said(body: object, status: int | None = 400) -> Complaint:
    return Complaint.of(Refused(body), None if status is None else httpx2.Response(status))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "No."}}, "No."),
        ({"error": "No."}, "No."),
        ({"message": "No."}, "No."),
        ({"detail": "No."}, "No."),
        ({"detail": [{"loc": ["body"], "msg": "No."}, {"msg": "Nor that."}]}, "No."),
        ({"error": {"message": [{"msg": "No."}]}}, "No."),
        ({"message": "", "detail": "No."}, "No."),
        ({"message": " ", "detail": "No."}, "No."),
        ({"message": "No.", "detail": "Not said."}, "No."),
        ([{"error": {"message": "No."}}, {"error": {"message": "Not said."}}], "No."),
        ("No.", "No."),
        ("  <html><title>No.</title>", "No."),
        ({"error": {"message": "<html><title>No.</title>"}}, "No."),
        ({"error": {"message": "No.", "metadata": {"raw": "Too long."}}}, "No. (Too long.)"),
        ({"error": {"message": "No.", "metadata": {"raw": {"too": "long"}}}}, "No."),
        ({"error": {"message": "No.", "metadata": "Too long."}}, "No."),
        ({"error": {"code": 5}}, ""),
        ({"error": ["No."]}, ""),
        ({"detail": []}, ""),
        ({"detail": [5]}, ""),
        ([], ""),
        ([5], ""),
        (5, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_the_message_is_found_whatever_shape_it_came_in(body: object, message: str) -> None:
    assert said(body).message == message
    assert said(body).status == 400


def test_geminis_sdk_calls_it_details() -> None:
    assert Complaint.of(Refused(details={"error": {"message": "No."}}), None).message == "No."


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "No.", "metadata": {"raw": "Too long."}}}, "No. (Too long.)"),
        ({"error": {"metadata": {"raw": "Too long."}}}, "Too long."),
        (
            {"error": {"message": "No.", "details": [{"raw": "Too long."}, {"raw": "Too dear."}, 5]}},
            "Too long. Too dear.",
        ),
        ({"error": {"message": "No.", "details": {"raw": "Too long."}}}, "Too long."),
        ("<html><title>No.</title>Too long.", "Too long."),
    ],
)
def test_what_lies_beneath_is_searched_too(body: object, words: str) -> None:
    assert words in " ".join(said(body).words.split())


@pytest.mark.parametrize(
    ("error", "codes"),
    [
        ({"code": "A"}, {"a"}),
        ({"type": "A"}, {"a"}),
        ({"status": "A"}, {"a"}),
        ({"reason": "A"}, {"a"}),
        ({"error_code": "A"}, {"a"}),
        ({"code": 5, "type": None, "status": ["A"]}, set()),
        ({"code": "A", "details": [{"reason": "B"}, {"code": "C"}]}, {"a", "b", "c"}),
        ({"details": {"error_code": "B"}}, {"b"}),
        ({"metadata": {"code": "B"}}, {"b"}),
        ({"message": "A", "param": "B"}, set()),
    ],
)
def test_codes_are_gathered_from_everywhere(error: dict[str, object], codes: set[str]) -> None:
    assert said({"error": error}).codes == codes
    assert said(error).codes == codes


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (300, 300),
        (599, 599),
        (299, None),
        (600, None),
        ("429", 429),
        ("0429", None),
        ("42", None),
        ("٤٢٩", None),
        ("4.2", None),
        (429.0, None),
        (True, None),
        (None, None),
    ],
)
def test_a_number_inside_a_stream_stands_for_a_status(code: object, status: int | None) -> None:
    assert as_status(code) == status
    assert said({"error": {"code": code}}, None).status == status
    assert said({"error": {"code": code}}, 200).status == status
    assert said({"error": {"code": code}}, 503).status == 503
    assert said("No.", 300).status == 300
    assert said("No.", 299).status is None


@pytest.mark.parametrize(
    ("headers", "body", "wait_s"),
    [
        ({}, None, None),
        ({}, {"retryDelay": "7s"}, 7.0),
        ({}, {"details": [{"other": 1}, {"retryDelay": "7.5s"}]}, 7.5),
        ({}, {"retryDelay": "0"}, 0.0),
        ({}, {"retryDelay": "-1s"}, None),
        ({}, {"retryDelay": 7}, None),
        ({}, {"retryDelay": "٧"}, None),
        ({}, {"retryDelay": "nan"}, None),
        ({}, {"retryDelay": f"{9 * 10**9}s"}, 7 * 24 * 3600.0),
        ({"retry-after": "3"}, {"retryDelay": "7s"}, 3.0),
        ({"retry-after": "soon"}, {"retryDelay": "7s"}, 7.0),
        ({"retry-after-ms": "0"}, {"retryDelay": "7s"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "3"}, None, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "3"}, None, 3.0),
        ({"retry-after": "5, 3"}, None, 5.0),
        (
            {"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:31 GMT"},
            *(None, 0.0),
        ),
        (
            {"retry-after": "Wed, 21 Oct 2037 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:31 GMT"},
            *(None, 7 * 24 * 3600.0),
        ),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "today"}, None, 0.0),
        ({"retry-after": "Wed, 21 Oct 2999 07:28:30 GMT", "date": "today"}, None, 7 * 24 * 3600.0),
    ],
)
def test_how_long_to_wait_is_read_from_the_headers_before_the_body(
    headers: dict[str, str], body: dict[str, Any] | None, wait_s: float | None
) -> None:
    complaint = Complaint.of(Refused({"error": body or {}}), None)
    assert retry_after(httpx2.Response(429, headers=headers), complaint) == wait_s
    if not headers:
        assert retry_after(None, complaint) == wait_s


def test_the_longest_of_several_headers_is_waited_for() -> None:
    several = [("retry-after", "3"), ("retry-after", "5"), ("retry-after", "soon"), ("retry-after", "4")]
    assert retry_after(httpx2.Response(429, headers=several), Complaint()) == 5.0


def test_only_what_is_long_enough_to_be_a_key_is_taken_out_of_names() -> None:
    assert named("a-team/0123456789abcdef", "0123456789abcdef") == "a-team/…"
    assert named("a-team/0123456789abcde", "0123456789abcde") == "a-team/0123456789abcde"
