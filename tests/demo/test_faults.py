"""What breaks, breaks exactly where the script says: seen from a bare socket and from httpx2."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orchestrator import demo
from tui_orchestrator.demo import LISTING, Break, Phase, Reply, Say
from tui_orchestrator.demo.anthropic import Anthropic
from tui_orchestrator.demo.dialect import Complaint, Dialect, Target, tokens
from tui_orchestrator.demo.gemini import Gemini
from tui_orchestrator.demo.openai import OpenAI

ASKED: dict[str, Any] = {
    "model": "rush-mini",
    "messages": [{"role": "user", "content": "hello"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
KEY = {"authorization": "Bearer x"}


@pytest.fixture
async def servers() -> AsyncIterator[demo.Servers]:
    async with demo.serve(pace=0, habits=False) as running:
        yield running


@pytest.fixture
async def http(servers: demo.Servers) -> AsyncIterator[httpx2.AsyncClient]:
    base_url = servers["demo-openai"].base_url
    async with httpx2.AsyncClient(base_url=base_url, headers=KEY, trust_env=False, timeout=60) as client:
        yield client


async def exchange(servers: demo.Servers, body: dict[str, Any]) -> tuple[bytes, bool]:
    """(all that came, whether it ended in a reset) of one request on a socket of its own."""
    url = urlsplit(servers["demo-openai"].base_url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    data = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer x\r\nContent-Length: {len(data)}\r\n"
    received = b""
    try:
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + data)
        while piece := await reader.read(65_536):
            received += piece
            if received.endswith(b"0\r\n\r\n"):  # a clean end: the server keeps the connection for more
                break
    except ConnectionError:
        return received, True
    finally:
        writer.close()
    return received, False


TEXT_OUT = {Phase.BEFORE_TEXT: "none", Phase.MID_STREAM: "some", Phase.BEFORE_END: "all"}


@pytest.mark.parametrize("at", list(Phase))
@pytest.mark.parametrize("how", ["reset", "close"])
async def test_a_broken_connection_breaks_at_its_phase(servers: demo.Servers, how: Any, at: Phase) -> None:
    said = "one two three four five six"
    servers.script.then(Break(how, at, say=Say(text=said)))
    received, was_reset = await exchange(servers, ASKED)
    if at is not Phase.CONNECT:  # closing what was not read makes the system itself send a reset
        assert was_reset is (how == "reset")
    assert b"[DONE]" not in received
    if at in (Phase.CONNECT, Phase.HEADERS):
        assert received == b""
    elif at is Phase.HALF_HEADERS:
        assert received
        assert b"\r\n\r\n" not in received
    else:
        assert received.startswith(b"HTTP/1.1 200 OK")
        out = sum(token.strip().encode() in received for token in tokens(said))
        assert {0: "none", len(tokens(said)): "all"}.get(out, "some") == TEXT_OUT[at]
        assert not received.endswith(b"0\r\n\r\n")
    if at is Phase.CONNECT:
        assert servers.exchanges == []
    else:
        assert await servers.exchanges[0].ended() == "broken"
    assert servers.script.left == 0


@pytest.mark.parametrize("at", list(Phase))
async def test_silence_lasts_until_the_client_hangs_up(
    servers: demo.Servers, http: httpx2.AsyncClient, at: Phase
) -> None:
    servers.script.then(Break("silence", at))
    with pytest.raises(httpx2.ReadTimeout):
        await http.post("/chat/completions", json=ASKED, timeout=0.05)
    if at is not Phase.CONNECT:
        assert await servers.exchanges[0].ended() == "hung_up"


async def test_a_connection_kept_open_breaks_too(servers: demo.Servers, http: httpx2.AsyncClient) -> None:
    assert (await http.post("/chat/completions", json=ASKED)).status_code == 200
    servers.script.then(Break("reset", Phase.CONNECT))
    with pytest.raises(httpx2.TransportError):
        await http.post("/chat/completions", json=ASKED)
    assert (await http.post("/chat/completions", json=ASKED)).status_code == 200


@pytest.mark.parametrize(
    ("how", "sign"),
    [
        ("bad_json", b'"del\n\n'),
        ("bad_utf8", b"\xff\xfe"),
        ("wrong_shape", b'"unexpected"'),
        ("comment", b"\n: keepalive\n"),
    ],
)
async def test_garbage_stands_in_mid_stream_and_the_stream_goes_on(
    servers: demo.Servers, http: httpx2.AsyncClient, how: Any, sign: bytes
) -> None:
    servers.script.then(Break(how))
    body = (await http.post("/chat/completions", json=ASKED)).content
    before, after = body.split(sign)
    assert b'"content"' in before
    assert b'"content"' in after
    assert after.endswith(b"data: [DONE]\n\n")
    assert await servers.exchanges[0].ended() == "completed"


@pytest.mark.parametrize("how", ["end", "half_line"])
async def test_a_clean_early_end_is_whole_http_without_the_marker(
    servers: demo.Servers, http: httpx2.AsyncClient, how: Any
) -> None:
    servers.script.then(Break(how))
    response = await http.post("/chat/completions", json=ASKED)
    assert response.status_code == 200
    assert b'"content"' in response.content
    assert b"[DONE]" not in response.content
    assert response.content.endswith(b"\n\n") is (how == "end")


async def test_a_reply_is_sent_as_it_was_given(servers: demo.Servers, http: httpx2.AsyncClient) -> None:
    servers.script.then(Reply(200, body=b"<html>hello</html>", content_type="text/html", headers={"x-one": "1"}))
    response = await http.post("/chat/completions", json=ASKED)
    assert response.headers["content-type"] == "text/html"
    assert response.headers["x-one"] == "1"
    assert response.text == "<html>hello</html>"


async def test_an_empty_answer_is_a_whole_stream_without_text(servers: demo.Servers, http: httpx2.AsyncClient) -> None:
    servers.script.then(Say(text=""))
    body = (await http.post("/chat/completions", json=ASKED)).text
    assert '"finish_reason":"stop"' in body
    assert '"completion_tokens":0' in body


async def test_a_server_may_report_no_usage(servers: demo.Servers, http: httpx2.AsyncClient) -> None:
    servers.script.then(Say(text="hello there", reports_usage=False))
    body = (await http.post("/chat/completions", json=ASKED)).text
    assert "completion_tokens" not in body
    exchange_ = servers.exchanges[0]
    assert exchange_.reported is None
    assert exchange_.output_tokens == len(tokens("hello there"))


async def test_the_queue_of_a_model_comes_before_the_common_one_and_the_standing_one_last(
    servers: demo.Servers, http: httpx2.AsyncClient
) -> None:
    servers.script.always(Reply(500)).then(Reply(503)).then(Reply(429), "rush-mini").then(Reply(529), "tern-max")
    statuses = [(await http.post("/chat/completions", json=ASKED)).status_code for _ in range(4)]
    assert statuses == [429, 503, 500, 500]
    assert servers.script.left == 1


async def test_the_listing_has_a_script_of_its_own(servers: demo.Servers, http: httpx2.AsyncClient) -> None:
    servers.script.always(Reply(503)).then(Reply(200, body=b""), LISTING).then(Break("reset", Phase.HEADERS), LISTING)
    assert (await http.get("/models")).content == b""
    with pytest.raises(httpx2.TransportError):
        await http.get("/models")
    assert len((await http.get("/models")).json()["data"]) == 2


async def test_a_break_in_an_answer_that_is_not_streamed_cuts_its_body(
    servers: demo.Servers, http: httpx2.AsyncClient
) -> None:
    servers.script.then(Break("close", Phase.MID_STREAM))
    with pytest.raises(httpx2.RemoteProtocolError):
        await http.post("/chat/completions", json=ASKED | {"stream": False})
    assert await servers.exchanges[0].ended() == "broken"


async def test_what_is_no_good_request_gets_the_vendor_s_refusal(
    servers: demo.Servers, http: httpx2.AsyncClient
) -> None:
    assert (await http.post("/chat/completions", content=b"{")).status_code == 400
    assert (await http.post("/chat/completions", json=["no object"])).status_code == 400
    assert (await http.post("/chat/completions", json={"model": "rush-mini"})).status_code == 400
    assert (await http.post("/chat/completions", json=ASKED | {"max_tokens": 0})).status_code == 400
    assert (await http.get("/chat/completions")).status_code == 404
    assert (await http.post("/embeddings", json={})).status_code == 404
    unkeyed = await http.post("/chat/completions", json=ASKED, headers={"authorization": ""})
    assert unkeyed.status_code == 401
    assert unkeyed.json()["error"]["code"] == "invalid_api_key"
    wrong = [[1], [{"role": "robot", "content": "x"}], [], [{"role": "user", "content": 5}]]
    for messages in wrong:
        answer = await http.post("/chat/completions", json=ASKED | {"messages": messages})
        assert answer.status_code == 400, messages
    url = servers["demo-anthropic"].base_url
    no_limit = {"model": "tern-lite", "messages": [{"role": "user", "content": "x"}]}
    refused = await http.post(f"{url}/v1/messages", json=no_limit, headers={"x-api-key": "x"})
    assert refused.json()["error"] == {"type": "invalid_request_error", "message": "max_tokens: Field required"}
    url = servers["demo-gemini"].base_url
    empty = {"contents": [{"parts": "x"}]}
    refused = await http.post(
        f"{url}/v1beta/models/lumen-dash:generateContent", json=empty, headers={"x-goog-api-key": "x"}
    )
    assert refused.json()["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"431"),
    ],
)
async def test_what_is_no_http_is_refused_and_the_connection_closed(
    servers: demo.Servers, sent: bytes, status: bytes
) -> None:
    url = urlsplit(servers["demo-openai"].base_url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(sent)
    received = await reader.readuntil(b"\r\n")
    assert received.split(b" ")[1] == status
    writer.close()


_KEYS = [
    "model",
    "messages",
    "contents",
    "role",
    "content",
    "parts",
    "text",
    "type",
    "system",
    "max_tokens",
    "thinking",
]
_KEYS += ["stream", "stream_options", "generationConfig", "thinkingConfig", "maxOutputTokens", "systemInstruction"]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["user", "text", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6),
    max_leaves=20,
)


@pytest.mark.parametrize("dialect", [OpenAI(), Anthropic(), Gemini()], ids=["openai", "anthropic", "gemini"])
@settings(max_examples=40)
@given(body=st.dictionaries(st.sampled_from(_KEYS), _JSON, max_size=8))
def test_a_body_of_any_shape_is_understood_or_complained_of(dialect: Dialect, body: dict[str, Any]) -> None:
    with contextlib.suppress(Complaint):
        question = dialect.question(Target("generate", "lumen-dash"), body)
        assert question.turns
        assert question.input_tokens > 0


async def test_a_request_sent_before_the_last_answer_ended_is_served_too(servers: demo.Servers) -> None:
    url = urlsplit(servers["demo-openai"].base_url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    body = json.dumps(ASKED | {"stream": False}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write((head.encode() + body) * 2)
    for _ in range(2):
        answered = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert answered.startswith("http/1.1 200 ok")
        length = next(line for line in answered.splitlines() if line.startswith("content-length: "))
        assert b"chat.completion" in await reader.readexactly(int(length.partition(": ")[2]))
    writer.close()


async def test_a_client_that_waits_for_100_continue_is_told_to_go_on(servers: demo.Servers) -> None:
    url = urlsplit(servers["demo-openai"].base_url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    body = json.dumps(ASKED).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nExpect: 100-continue\r\nAuthorization: Bearer x\r\n")
    writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode())
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200 OK")
    writer.close()
