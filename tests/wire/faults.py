"""Every fault a provider is put through, and what the program then does. docs/reliability.md shows this table."""

from __future__ import annotations

import functools
import gzip
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from tui_orchestrator.providers.bounds import ERROR_BYTES, EVENT_BYTES, EVENT_LINES
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.ports import Timeouts

from .dialects import (
    ANTHROPIC,
    BLOCK_START,
    BLOCK_STOP,
    DONE,
    GEMINI,
    MESSAGE_STOP,
    OPENAI,
    block_delta,
    data,
    delta,
    events,
    generated,
    message_delta,
    message_start,
    text_delta,
    usage_chunk,
)
from .server import LAST_CHUNK, Act, Drip, Slowly, Step, answer, chunk, chunked_head, head

PATIENT = Timeouts(5, 20, 20, 20)
"""Longer than anything but silence takes."""
SHORT = 0.15
KIND = ErrorKind


class Phase(Enum):
    CONNECT = "while connecting"
    HEADERS = "before the headers"
    STATUS = "as a status"
    BEFORE_TEXT = "after the headers, before any text"
    MID_STREAM = "in the middle of the text"
    BEFORE_END = "after the text, before the closing event"
    AFTER_END = "at the closing event and after it"


class Then(Enum):
    """What the turn does when another model is there."""

    AGAIN = "the same model once more"
    NEXT = "the next model"
    AGAIN_THEN_NEXT = "the same model once more, then the next"
    ESCALATES = "the next model, as an escalation"
    ANSWERS = "nothing is wrong: the answer stands"


class Paid(Enum):
    NOTHING = "nothing"
    PROMPT = "the prompt, estimated"
    COUNTED = "nothing, unless the provider had counted the prompt already"
    PARTIAL = "the prompt and what had come, estimated"
    REPORTED = "what the provider reported"


@dataclass(frozen=True)
class Spoken:
    """The parts of 'Hello' in one wire format that a fault may fall between."""

    start: bytes
    """Before any text."""
    opening: bytes
    """From the start to 'Hel'."""
    rest: bytes
    """'lo'."""
    finish: bytes
    """The finish reason: what an answer is whole by."""
    usage: bytes
    """Where it does not come with the finish reason."""
    trailer: bytes
    """The closing event, where the format has one besides."""
    overloaded: bytes
    refused: bytes
    """An error inside the stream, for a request that is wrong."""
    thought: bytes
    aborted: bytes
    """A finish reason that says the answer is not whole."""
    counted: bytes
    """Tokens so far and nothing else."""
    finished: Callable[[int], bytes]
    """The finish reason with the usage, where so much is counted of the answer."""
    named: bytes = b""
    """What an event begins with, where its format names it."""

    @property
    def closing(self) -> bytes:
        return self.finish + self.usage

    @property
    def whole(self) -> bytes:
        return self.opening + self.rest + self.closing + self.trailer

    @property
    def read_on(self) -> bytes:
        """Whole, but for a closing event behind which nothing more is read."""
        return self.whole.removesuffix(DONE)


def _usage() -> dict[str, int]:
    return {"promptTokenCount": 12, "candidatesTokenCount": 5, "totalTokenCount": 17}


SPOKEN = {
    "anthropic": Spoken(
        events(message_start(), BLOCK_START),
        ANTHROPIC.opening,
        events(text_delta("lo")),
        events(BLOCK_STOP, message_delta()),
        b"",
        events(MESSAGE_STOP),
        ANTHROPIC.in_stream_error,
        events({"type": "error", "error": {"type": "invalid_request_error", "message": "No."}}),
        events(block_delta(type="thinking_delta", thinking="Hm.")),
        events(message_delta("abort")),
        events(message_delta(None)),
        lambda count: events(BLOCK_STOP, message_delta(output_tokens=count)),
        b"event: content_block_delta\n",
    ),
    "openai": Spoken(
        data(delta(role="assistant", content="")),
        OPENAI.opening,
        data(delta(content="lo")),
        data(delta("stop")),
        data(usage_chunk(prompt_tokens=12, completion_tokens=5, total_tokens=17)),
        DONE,
        OPENAI.in_stream_error,
        data({"error": {"message": "No.", "code": 400}}),
        data(delta(reasoning_content="Hm.")),
        data(delta("abort")),
        data(usage_chunk(prompt_tokens=12, completion_tokens=5, total_tokens=17)),
        lambda count: data(delta("stop"), usage_chunk(prompt_tokens=12, completion_tokens=count)),
    ),
    "gemini": Spoken(
        b"",
        GEMINI.opening,
        data(generated("lo")),
        data(generated("", "STOP", usage=_usage())),
        b"",
        b"",
        GEMINI.in_stream_error,
        data({"error": {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT"}}),
        data(generated("Hm.", thought=True)),
        data(generated("", "ABORT")),
        data(generated(usage=_usage())),
        lambda count: data(generated("", "STOP", {"promptTokenCount": 12, "candidatesTokenCount": count})),
    ),
}

Script = Callable[[Spoken], Sequence[Step]]


@dataclass(frozen=True)
class Fault:
    phase: Phase
    name: str
    script: Script
    kind: ErrorKind | None
    """None: it is no failure."""
    then: Then
    again: bool
    """With no other model there it is tried once more."""
    paid: Paid
    says: str = ""
    """In the sentence the user reads; what is not the provider's own."""
    timeouts: Timeouts = PATIENT
    waits_s: float | None = None
    """What the provider asks for, where nobody else is there."""
    but: str = ""
    """The wire format that knows no such thing."""
    came: str = ""
    """Of the answer, where its phase does not say it."""
    where: str = ""
    """An address in place of the server's: 'nobody', 'no such name', 'silent names', 'no TLS', 'unvouched TLS', 'silent
    TLS'."""

    def __str__(self) -> str:
        return f"{self.phase.name.lower()}: {self.name}"


def _chunked(*parts: bytes) -> tuple[bytes, ...]:
    return (chunked_head(), *(chunk(part) for part in parts if part))


def _gzipped(body: bytes, *, cut: int = 0, called: str = "gzip") -> tuple[Step, ...]:
    packed = gzip.compress(body)
    return head(Content_Encoding=called), packed[: len(packed) - cut]


def _with_a_wrong_checksum(body: bytes) -> tuple[Step, ...]:
    """So much comes behind it that the answer is read long before the checksum."""
    more = random.Random(0).randbytes(1 << 18).hex().encode()
    packed = gzip.compress(body + b"".join(b": " + more[at : at + 4096] + b"\n\n" for at in range(0, len(more), 4096)))
    return head(Content_Encoding="gzip"), packed[:-8] + b"\0" * 8


def _at(where: str, name: str, says: str, timeouts: Timeouts = PATIENT) -> Fault:
    return Fault(
        *(Phase.CONNECT, name, lambda spoken: (), KIND.CONNECTION, Then.AGAIN_THEN_NEXT, True, Paid.NOTHING, says),
        timeouts=timeouts,
        where=where,
    )


CONNECTING = (
    _at("nobody", "nobody listens", "connection attempts failed"),
    _at("no such name", "the name does not resolve", "not known"),
    _at(
        *("silent names", "the name server keeps silent", "no answer from the name server in 0.15 s"),
        Timeouts(SHORT, 20, 20, 20),
    ),
    _at("no TLS", "the server speaks no TLS", "("),
    _at("unvouched TLS", "nobody vouches for the certificate", "certificate verify failed"),
    _at("silent TLS", "the server is silent while TLS begins", "", Timeouts(SHORT, 20, 20, 20)),
)


def _before_headers(
    name: str, *script: Step, kind: ErrorKind = KIND.CONNECTION, then: Then = Then.AGAIN, paid: Paid = Paid.NOTHING
) -> Fault:
    silent = kind is KIND.TIMEOUT
    timeouts, says = (Timeouts(5, SHORT, 20, 20), "Nothing came for") if silent else (PATIENT, "")
    return Fault(Phase.HEADERS, name, lambda spoken: script, kind, then, True, paid, says, timeouts)


BEFORE_HEADERS = (
    _before_headers("the connection is closed", Act.CLOSE),
    _before_headers("the connection is reset", Act.RESET),
    _before_headers("closed in the middle of the headers", b"HTTP/1.1 200 OK\r\nContent-Ty", Act.CLOSE),
    _before_headers("reset in the middle of the headers", b"HTTP/1.1 200 OK\r\nContent-Ty", Act.RESET),
    _before_headers("something that is not HTTP", b"\x00\x01 SSH-2.0 or so\r\n\r\n"),
    _before_headers("a header without end", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000, Act.CLOSE),
    _before_headers("silence", Act.STALL, kind=KIND.TIMEOUT, then=Then.NEXT, paid=Paid.PROMPT),
)


def _status(
    status: int,
    kind: ErrorKind,
    then: Then = Then.NEXT,
    *,
    again: bool = False,
    note: str = "",
    waits_s: float | None = None,
    body: object = None,
    media_type: str = "application/json",
    says: str = "No.",
    **headers: str,
) -> Fault:
    said = {"error": {"message": "No."}} if body is None else body
    # A time-out may come after the prompt was read.
    paid = Paid.PROMPT if kind is KIND.TIMEOUT else Paid.NOTHING
    return Fault(
        Phase.STATUS,
        f"{status}{f' {note}' if note else ''}",
        lambda spoken: answer(status, said, media_type, **headers),
        kind,
        then,
        again,
        paid,
        says,
        waits_s=waits_s,
    )


def _redirect(status: int) -> Fault:
    return _status(
        status,
        KIND.NOT_FOUND,
        note="to another host: not followed, the key is not sent along",
        body=b"",
        says=f"HTTP {status}",
        Location="http://elsewhere/",
    )


_DATED = {"Retry_After": "Wed, 21 Oct 2026 07:28:09 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}
_PAGE = b"<html><head><title>No.</title></head><body><h1>Sorry</h1></body></html>"
_GIANT = b'{"error": {"message": "' + b"No. " * (ERROR_BYTES // 4) + b'"}}'

STATUSES = (
    *map(_redirect, (301, 302, 303, 307, 308)),
    _status(400, KIND.BAD_REQUEST),
    _status(401, KIND.AUTHENTICATION, note="(the provider's other models are left out too)"),
    _status(402, KIND.PERMISSION, note="(the provider's other models are left out too)"),
    _status(403, KIND.PERMISSION),
    _status(404, KIND.NOT_FOUND),
    _status(405, KIND.NOT_FOUND),
    _status(408, KIND.TIMEOUT, again=True),
    _status(409, KIND.SERVER, Then.AGAIN, again=True),
    _status(410, KIND.NOT_FOUND),
    _status(413, KIND.CONTEXT_WINDOW, note="(only to a model that reads more)"),
    _status(418, KIND.BAD_REQUEST),
    _status(422, KIND.BAD_REQUEST),
    _status(425, KIND.OVERLOADED, Then.AGAIN, again=True),
    _status(429, KIND.RATE_LIMITED, again=True, note="without Retry-After"),
    _status(429, KIND.RATE_LIMITED, Then.AGAIN, again=True, note="Retry-After: 0.4", waits_s=0.4, Retry_After="0.4"),
    _status(
        *(429, KIND.RATE_LIMITED, Then.AGAIN),
        again=True,
        note="Retry-After-Ms: 400",
        waits_s=0.4,
        Retry_After_Ms="400",
    ),
    _status(429, KIND.RATE_LIMITED, again=True, note="Retry-After: 7", waits_s=7.0, Retry_After="7"),
    _status(429, KIND.RATE_LIMITED, again=True, note="Retry-After: a date in 9 s", waits_s=9.0, **_DATED),
    _status(429, KIND.RATE_LIMITED, note="Retry-After: 3600", Retry_After="3600"),
    _status(429, KIND.RATE_LIMITED, again=True, note="Retry-After: soon (nonsense)", Retry_After="soon"),
    _status(451, KIND.PERMISSION),
    _status(500, KIND.SERVER, Then.AGAIN, again=True),
    _status(500, KIND.SERVER, Then.AGAIN, again=True, note="with an HTML page", body=_PAGE, media_type="text/html"),
    _status(500, KIND.SERVER, Then.AGAIN, again=True, note="with an empty body", body=b"", says="HTTP 500"),
    _status(500, KIND.SERVER, Then.AGAIN, again=True, note="with broken JSON", body=b'{"error": {"mess', says='{"err'),
    _status(500, KIND.SERVER, Then.AGAIN, again=True, note="with a giant body", body=_GIANT, says="HTTP 500"),
    _status(501, KIND.BAD_REQUEST),
    _status(502, KIND.SERVER, Then.AGAIN, again=True),
    _status(503, KIND.OVERLOADED, Then.AGAIN, again=True),
    _status(503, KIND.OVERLOADED, Then.AGAIN, again=True, note="Retry-After: 0.4", waits_s=0.4, Retry_After="0.4"),
    _status(504, KIND.TIMEOUT, again=True),
    _status(520, KIND.SERVER, Then.AGAIN, again=True),
    _status(521, KIND.CONNECTION, Then.AGAIN, again=True),
    _status(522, KIND.TIMEOUT, again=True),
    _status(524, KIND.TIMEOUT, again=True),
    _status(529, KIND.OVERLOADED, Then.AGAIN, again=True),
    _status(599, KIND.SERVER, Then.AGAIN, again=True),
    Fault(
        *(Phase.STATUS, "503 whose page breaks off"),
        lambda spoken: (head(503, Content_Length="100"), b"half of", Act.RESET),
        *(KIND.OVERLOADED, Then.AGAIN, True, Paid.NOTHING, "HTTP 503"),
    ),
    Fault(
        *(Phase.STATUS, "500, packed with gzip"),
        lambda spoken: answer(500, gzip.compress(b'{"error": {"message": "No."}}'), Content_Encoding="gzip"),
        *(KIND.SERVER, Then.AGAIN, True, Paid.NOTHING, "No."),
    ),
    Fault(
        *(Phase.STATUS, "500 whose page never ends"),
        lambda spoken: (head(500, "text/html"), Drip(b"<p>No." * 4096, 0.0)),
        *(KIND.SERVER, Then.AGAIN, True, Paid.NOTHING, "HTTP 500"),
    ),
)


def _endless(phase: Phase, what: str, before: Callable[[Spoken], bytes], more: Callable[[Spoken], bytes]) -> Fault:
    """Sent faster than it is read: whoever reads never has to wait for anything."""
    return Fault(
        *(phase, f"{what} without end, faster than it is read"),
        lambda spoken: (*_chunked(before(spoken)), Drip(chunk(more(spoken) * 200), 0.0)),
        *(KIND.TIMEOUT, Then.NEXT, True, Paid.PARTIAL, "in total"),
        timeouts=Timeouts(5, 20, 20, 2 * SHORT),
    )


def _between(stream: bytes, line: bytes) -> bytes:
    return line + stream.replace(b"\n\n", b"\n\n" + line)


def another(stream: bytes) -> bytes:
    """The same under another id."""
    return stream.replace(b'"id": "', b'"id": "2').replace(b'"responseId": "', b'"responseId": "2')


@functools.cache
def _among_comments(before: bytes, whole: bytes) -> bytes:
    """A whole answer in some tens of kilobytes, which take many seconds to be read."""
    return gzip.compress(before + b": c\n\n" * (8 << 20) + whole.removeprefix(before))


_CROWD = b'data: {"type": "content_block_delta", "choices": [' + b"{}," * 300_000 + b"{}]}\n\n"
_UNREADABLE = {
    "truncated JSON": b'data: {"type": "content_block_delta", "choices": [\n\n',
    "broken UTF-8": b'data: {"type": "content_block_delta", "x": "\xff\xfe"}\n\n',
    "JSON of another shape": (b'data: {"type": "content_block_delta", "delta": 7, "candidates": 7, "choices": 7}\n\n'),
    "JSON nested 50,000 deep": b"data: " + b"[" * 50_000 + b"\n\n",
}
_NO_EVENT = {
    "as JSON that is no event": b"",
    "behind a byte-order mark": b"\xef\xbb\xbfdata: ",
    "behind a space": b" data: ",
    "under a wrong field": b"dat: ",
    "with a space before its colon": b"data : ",
}
_BROKEN = "The answer broke off before its end"


def _inside(phase: Phase, before: Callable[[Spoken], bytes], paid: Paid) -> tuple[Fault, ...]:
    """The faults that may befall a stream at any point of it."""

    def fault(
        name: str,
        script: Script,
        kind: ErrorKind = KIND.STREAM_BROKEN,
        then: Then = Then.NEXT,
        says: str = "",
        *,
        again: bool = False,
        timeouts: Timeouts = PATIENT,
        paid: Paid = paid,
        but: str = "",
    ) -> Fault:
        return Fault(phase, name, script, kind, then, again, paid, says, timeouts, but=but)

    def then_comes(name: str, garbage: bytes) -> Fault:
        return fault(name, lambda spoken: (*_chunked(before(spoken), spoken.named + garbage), LAST_CHUNK))

    first = phase is Phase.BEFORE_TEXT
    silent = Timeouts(5, SHORT, 20, 20) if first else Timeouts(5, 20, SHORT, 20)
    waited = "Nothing came for" if first else "stood still for"
    return (
        fault("a clean end", lambda spoken: (*_chunked(before(spoken)), LAST_CHUNK), says=_BROKEN),
        fault("the connection is closed", lambda spoken: (*_chunked(before(spoken)), Act.CLOSE), says=_BROKEN),
        fault("the connection is reset", lambda spoken: (*_chunked(before(spoken)), Act.RESET), says=_BROKEN),
        fault(
            *("silence", lambda spoken: (*_chunked(before(spoken)), Act.STALL), KIND.TIMEOUT, Then.NEXT, waited),
            again=True,
            timeouts=silent,
        ),
        fault(
            "keep-alive comments and nothing else",
            lambda spoken: (*_chunked(before(spoken)), Drip(chunk(b": keep-alive\n\n"))),
            *(KIND.TIMEOUT, Then.NEXT, waited),
            again=True,
            timeouts=silent,
        ),
        fault(
            "one count of tokens again and again and nothing else",
            lambda spoken: (*_chunked(before(spoken)), Drip(chunk(spoken.counted))),
            *(KIND.TIMEOUT, Then.NEXT, waited),
            again=True,
            timeouts=silent,
            paid=Paid.PARTIAL,
        ),
        fault(
            "keep-alive comments packed with gzip, faster than they are read",
            lambda spoken: (head(Content_Encoding="gzip"), _among_comments(before(spoken), spoken.whole)),
            *(KIND.TIMEOUT, Then.NEXT, waited),
            again=True,
            timeouts=silent,
        ),
        fault(
            f"an event of more than {EVENT_LINES} lines",
            lambda spoken: (*_chunked(before(spoken), spoken.named, b"data:\n" * 170_000, b"\n"), LAST_CHUNK),
            says="sent an event of more than 256 lines",
        ),
        fault(
            "an event of 300,000 empty objects",
            lambda spoken: (*_chunked(before(spoken), spoken.named + _CROWD), LAST_CHUNK),
            says="sent an event of more than",
        ),
        fault(
            "an error event: overloaded",
            lambda spoken: (*_chunked(before(spoken), spoken.overloaded), LAST_CHUNK),
            *(KIND.OVERLOADED, Then.AGAIN, "Overloaded"),
            again=True,
            paid=Paid.COUNTED if first else paid,
        ),
        fault(
            "an error event: the request is wrong",
            lambda spoken: (*_chunked(before(spoken), spoken.refused), LAST_CHUNK),
            *(KIND.BAD_REQUEST, Then.NEXT, "No."),
            paid=Paid.COUNTED if first else paid,
        ),
        *(then_comes(name, garbage) for name, garbage in _UNREADABLE.items()),
        then_comes("lines that are no events", b"well\nthis: is odd\ndata\n\n\n\n"),
        *(
            fault(
                f"one piece of the answer {name}",
                lambda spoken, wrong=wrong: (  # type: ignore[misc]
                    *_chunked(before(spoken) + spoken.rest.replace(b"data: ", wrong, 1) + spoken.finish),
                    *_chunked(spoken.usage + spoken.trailer),
                    LAST_CHUNK,
                ),
                says="sent something that is not of its format",
                # Its SDK reads JSON that is no event, and its answers begin with their text.
                but="gemini" if wrong in (b"", _NO_EVENT["behind a byte-order mark"]) else "",
            )
            for name, wrong in _NO_EVENT.items()
        ),
        fault(
            "an event cut inside its line",
            lambda spoken: (*_chunked(before(spoken), spoken.rest[: len(spoken.rest) // 2]), LAST_CHUNK),
        ),
        fault(
            f"an event of more than {EVENT_BYTES >> 20} MiB",
            lambda spoken: (*_chunked(before(spoken), spoken.named + b"data: "), Drip(chunk(b"x" * 65_536), 0.0)),
            says="sent an event of more than 1 MiB",
        ),
    )


BEFORE_TEXT = (
    *_inside(Phase.BEFORE_TEXT, lambda spoken: spoken.start, Paid.PROMPT),
    *(
        Fault(
            *(Phase.BEFORE_TEXT, f"200 with {name} in place of events"),
            lambda spoken, body=body, media_type=media_type: answer(200, body, media_type),  # type: ignore[misc]
            *(KIND.STREAM_BROKEN, Then.NEXT, False, Paid.PROMPT, says),
        )
        for name, body, media_type, says in (
            ("JSON", {"id": "x", "choices": []}, "application/json", ""),
            ("an HTML page", _PAGE, "text/html", ""),
            ("nothing", b"", "text/plain", "text/plain instead of a stream"),
            ("an empty stream", b"", "text/event-stream", _BROKEN),
        )
    ),
    Fault(
        *(Phase.BEFORE_TEXT, "200 with a text of paragraphs in place of events"),
        lambda spoken: answer(200, b"Sorry.\n\nNot today.\n\n", "text/plain"),
        *(KIND.STREAM_BROKEN, Then.NEXT, False, Paid.PROMPT, "text/plain instead of a stream"),
        but="gemini",  # whose SDK falls over it, and says so
    ),
    Fault(
        *(Phase.BEFORE_TEXT, "200 with an error as JSON in place of events"),
        lambda spoken: answer(200, spoken.overloaded.partition(b"data: ")[2].strip(), "application/json"),
        *(KIND.OVERLOADED, Then.AGAIN, True, Paid.NOTHING, "Overloaded"),
    ),
    _endless(Phase.BEFORE_TEXT, "thoughts", lambda spoken: spoken.start, lambda spoken: spoken.thought),
    _endless(Phase.BEFORE_TEXT, "counts of tokens", lambda spoken: spoken.start, lambda spoken: spoken.counted),
    Fault(
        *(Phase.BEFORE_TEXT, "gzip that unpacks to an event of more than 1 MiB"),
        lambda spoken: _gzipped(b"data: " + b"x" * (EVENT_BYTES + 100_000)),
        *(KIND.STREAM_BROKEN, Then.NEXT, False, Paid.PROMPT, "sent an event of more than 1 MiB"),
    ),
    Fault(
        *(Phase.BEFORE_TEXT, "events under a wrong content type"),
        lambda spoken: answer(200, spoken.whole, "application/octet-stream"),
        *(None, Then.ANSWERS, False, Paid.REPORTED),
    ),
    Fault(
        *(Phase.BEFORE_TEXT, "events packed with gzip"),
        lambda spoken: _gzipped(spoken.whole),
        *(None, Then.ANSWERS, False, Paid.REPORTED),
    ),
    Fault(
        *(Phase.BEFORE_TEXT, "events packed with gzip under its older name, x-gzip"),
        lambda spoken: _gzipped(spoken.whole, called="X-GZip"),
        *(None, Then.ANSWERS, False, Paid.REPORTED),
    ),
    *(
        Fault(
            *(Phase.BEFORE_TEXT, f"events under the status {status}"),
            lambda spoken, status=status: (head(status), spoken.whole),  # type: ignore[misc]
            *(None, Then.ANSWERS, False, Paid.REPORTED),
        )
        for status in (206, 299)
    ),
    Fault(
        *(Phase.BEFORE_TEXT, "a byte-order mark before the events"),
        lambda spoken: (head(), b"\xef\xbb\xbf" + spoken.whole),
        *(None, Then.ANSWERS, False, Paid.REPORTED),
    ),
    *(
        Fault(
            *(Phase.BEFORE_TEXT, f"{name} between the events"),
            lambda spoken, line=line: (head(), _between(spoken.whole, line)),  # type: ignore[misc]
            *(None, Then.ANSWERS, False, Paid.REPORTED),
        )
        for name, line in (
            ("pauses to reconnect after (`retry: 3000`)", b"retry: 3000\n\n"),
            ("ids (`id: 1`)", b"id: 1\n\n"),
            ("pings without data (`event: ping`)", b"event: ping\n\n"),
            ("events without data (`data:`)", b"data:\n\n"),
        )
    ),
    Fault(
        *(Phase.BEFORE_TEXT, "ids and names in every event, and no space before its data"),
        lambda spoken: (head(), spoken.whole.replace(b"data: ", b"id: 1\nretry: 9\ndata:")),
        *(None, Then.ANSWERS, False, Paid.REPORTED),
    ),
    Fault(
        *(Phase.BEFORE_TEXT, "events that drip in byte by byte"),
        lambda spoken: (head(), Slowly(spoken.whole)),
        *(None, Then.ANSWERS, False, Paid.REPORTED),
    ),
)
_NAMELESS = data({"error": {"type": "overloaded_error", "message": "Overloaded"}})
MID_STREAM = (
    *_inside(Phase.MID_STREAM, lambda spoken: spoken.opening, Paid.PARTIAL),
    Fault(
        *(Phase.MID_STREAM, "text that drips in without end"),
        lambda spoken: (*_chunked(spoken.opening), Drip(chunk(spoken.rest))),
        *(KIND.TIMEOUT, Then.NEXT, True, Paid.PARTIAL, "in total"),
        timeouts=Timeouts(5, 20, 20, 2 * SHORT),
    ),
    Fault(
        *(Phase.MID_STREAM, "a second answer from its beginning (a proxy that tries again)"),
        lambda spoken: (*_chunked(spoken.opening + spoken.thought, another(spoken.whole)), LAST_CHUNK),
        *(KIND.STREAM_BROKEN, Then.NEXT, False, Paid.PARTIAL, "a second answer began"),
    ),
    Fault(
        *(Phase.MID_STREAM, "a second answer from its beginning, under the same id"),
        lambda spoken: (*_chunked(spoken.opening + spoken.rest, spoken.whole), LAST_CHUNK),
        *(KIND.STREAM_BROKEN, Then.NEXT, False, Paid.PARTIAL, "a second answer began"),
        but="gemini",
        came="Hello",
    ),
    Fault(
        *(Phase.MID_STREAM, "text that is no UTF-8"),
        lambda spoken: (head(), spoken.whole.replace(b'"lo"', b'"l\xff"')),
        *(KIND.STREAM_BROKEN, Then.NEXT, False, Paid.PARTIAL),
    ),
    Fault(
        *(Phase.MID_STREAM, "an error that no event's name tells of"),
        lambda spoken: (*_chunked(spoken.opening + _NAMELESS), LAST_CHUNK),
        *(KIND.OVERLOADED, Then.AGAIN, True, Paid.PARTIAL, "Overloaded"),
    ),
    Fault(
        *(Phase.MID_STREAM, "an error that is only a sentence"),
        lambda spoken: (*_chunked(spoken.opening, data({"error": "No."})), LAST_CHUNK),
        *(KIND.SERVER, Then.AGAIN, True, Paid.PARTIAL, "No."),
    ),
    _endless(Phase.MID_STREAM, "text", lambda spoken: spoken.opening, lambda spoken: spoken.rest),
)
BEFORE_END = (
    *_inside(Phase.BEFORE_END, lambda spoken: spoken.opening + spoken.rest, Paid.PARTIAL),
    Fault(
        *(Phase.BEFORE_END, "gzip that breaks off"),
        lambda spoken: _gzipped(spoken.opening + spoken.rest, cut=9),
        *(KIND.STREAM_BROKEN, Then.NEXT, False, Paid.PARTIAL),
    ),
)


def _ending(name: str, script: Script) -> Fault:
    return Fault(Phase.AFTER_END, name, script, None, Then.ANSWERS, False, Paid.REPORTED)


def _said(spoken: Spoken) -> bytes:
    return spoken.opening + spoken.rest + spoken.closing


def _every(spoken: Spoken) -> bytes:
    return spoken.opening + spoken.finish + spoken.rest + spoken.finish


def _reopened(name: str, said: Callable[[Spoken], bytes], last: Step) -> Fault:
    silent = last is Act.STALL
    return Fault(
        *(Phase.AFTER_END, name, lambda spoken: (*_chunked(said(spoken)), last)),
        *((KIND.TIMEOUT, Then.NEXT, True) if silent else (KIND.STREAM_BROKEN, Then.NEXT, False)),
        *(Paid.PARTIAL, "stood still for" if silent else _BROKEN),
        timeouts=Timeouts(5, 20, SHORT, 20) if silent else PATIENT,
        came="Hello",
    )


_GARBAGE = (
    b"data: garbage\n\nwell\nthis: is odd\n\ndata: 7\n\n\xff\xfe\n\ndata: \xff\xfe\n\ndata: {garb\n\n"
    b"<html>\n\n<title>502</title>"
)
_BOOKED_WITH = "which cannot be: booked with {input} in and {output} out, estimated from what came"
AFTER_END = (
    _ending("the closing event twice", lambda spoken: (*_chunked(_said(spoken) + spoken.closing), LAST_CHUNK)),
    _ending("a second answer after the closing event", lambda s: (*_chunked(_said(s), another(s.whole)), LAST_CHUNK)),
    _ending("nothing after the closing event", lambda spoken: (*_chunked(_said(spoken)), LAST_CHUNK)),
    _ending("silence after the closing event", lambda spoken: (*_chunked(_said(spoken)), Act.STALL)),
    _ending("closed after the closing event", lambda spoken: (*_chunked(_said(spoken)), Act.CLOSE)),
    _ending("reset after the closing event", lambda spoken: (*_chunked(_said(spoken)), Act.RESET)),
    _ending(
        "garbage after the finish reason", lambda s: (*_chunked(_said(s) + _GARBAGE + b"\n\n", s.trailer), LAST_CHUNK)
    ),
    _ending("garbage after the closing event", lambda spoken: (*_chunked(spoken.whole + _GARBAGE), LAST_CHUNK)),
    *(
        replace(
            _ending(
                f"{name} after the closing event",
                lambda spoken, more=more: (*_chunked(spoken.read_on + spoken.named + more), LAST_CHUNK),  # type: ignore[misc]
            ),
            but="gemini",  # which has no closing event: it may be a part of the answer
        )
        for name, more in _UNREADABLE.items()
    ),
    _ending(
        "OpenAI's closing event (`[DONE]`), whatever the format",
        lambda spoken: (*_chunked(spoken.read_on, DONE), LAST_CHUNK),
    ),
    _ending(
        'an error of nothing (`{"error": null}`) after the closing event',
        lambda spoken: (*_chunked(spoken.read_on, data({"error": None})), LAST_CHUNK),
    ),
    _ending("gzip with a wrong checksum", lambda spoken: _with_a_wrong_checksum(spoken.whole)),
    Fault(
        *(Phase.AFTER_END, "an error after the closing event that no event's name tells of"),
        lambda spoken: (*_chunked(spoken.read_on, _NAMELESS), LAST_CHUNK),
        *(KIND.OVERLOADED, Then.AGAIN, True, Paid.PARTIAL, "Overloaded"),
    ),
    Fault(
        *(Phase.AFTER_END, "an error event after garbage after the closing event"),
        lambda spoken: (*_chunked(spoken.read_on + _GARBAGE + b"\n\n" + spoken.overloaded), LAST_CHUNK),
        *(KIND.OVERLOADED, Then.AGAIN, True, Paid.PARTIAL, "Overloaded"),
    ),
    Fault(
        *(Phase.AFTER_END, "an error event after the closing event"),
        lambda spoken: (*_chunked(_said(spoken) + spoken.overloaded), LAST_CHUNK),
        *(KIND.OVERLOADED, Then.AGAIN, True, Paid.PARTIAL, "Overloaded"),
    ),
    _ending(
        "a finish reason with every piece",
        lambda spoken: (*_chunked(_every(spoken) + spoken.usage + spoken.trailer), LAST_CHUNK),
    ),
    _reopened("a finish reason with every piece, then the connection is closed", _every, Act.CLOSE),
    _reopened("a finish reason with every piece, then the connection is reset", _every, Act.RESET),
    _reopened("a finish reason with every piece, then silence", _every, Act.STALL),
    _reopened("text after the finish reason, then a clean end", lambda s: s.opening + s.finish + s.rest, LAST_CHUNK),
    Fault(
        *(Phase.AFTER_END, "a finish reason that tells of a failure: abort, timeout, network_error"),
        lambda spoken: (*_chunked(spoken.opening + spoken.aborted + spoken.usage + spoken.trailer), LAST_CHUNK),
        *(KIND.STREAM_BROKEN, Then.NEXT, False, Paid.PARTIAL, "finish reason"),
        came="Hel",
    ),
    *(
        Fault(
            *(Phase.AFTER_END, f"a count of {count:,} tokens for the answer"),
            lambda spoken, count=count: (  # type: ignore[misc]
                *_chunked(spoken.opening + spoken.rest + spoken.finished(count) + spoken.trailer),
                LAST_CHUNK,
            ),
            *(None, Then.ANSWERS, False, Paid.PARTIAL, said),
        )
        for count, said in (
            (0, ""),
            (-5, ""),
            *((count, f"{{model}} reported {count:,} output tokens, {_BOOKED_WITH}") for count in (10**8, 10**12)),
        )
    ),
    Fault(
        *(Phase.AFTER_END, "an empty answer"),
        lambda spoken: (*_chunked(spoken.start + spoken.closing + spoken.trailer), LAST_CHUNK),
        *(None, Then.ESCALATES, False, Paid.REPORTED, "the answer is empty"),
    ),
    Fault(
        *(Phase.AFTER_END, "thoughts and no answer"),
        lambda spoken: (*_chunked(spoken.start + spoken.thought + spoken.closing + spoken.trailer), LAST_CHUNK),
        *(None, Then.ESCALATES, False, Paid.REPORTED, "the answer is empty"),
    ),
)

FAULTS = (*CONNECTING, *BEFORE_HEADERS, *STATUSES, *BEFORE_TEXT, *MID_STREAM, *BEFORE_END, *AFTER_END)

WORDS: dict[Phase, str] = {
    Phase.BEFORE_TEXT: "",
    Phase.MID_STREAM: "Hel",
    Phase.BEFORE_END: "Hello",
}
"""What had come of the answer when the fault befell it."""
