"""Every parameter of OpenAI's does what it says, or is refused, or is named as one that changes nothing."""

from __future__ import annotations

import typing

import openai
import pytest
from openai.types.chat import completion_create_params as params

from tui_orchestrator.demo import Say
from tui_orchestrator.gateway.parameters import HEEDED, IDLE, NEUTRAL

from .conftest import Gateway

ASKED: list[typing.Any] = [{"role": "user", "content": "Hi"}]


def test_all_that_openai_s_own_library_can_send_is_known() -> None:
    theirs = {
        *typing.get_type_hints(params.CompletionCreateParamsNonStreaming),
        *typing.get_type_hints(params.CompletionCreateParamsStreaming),
    }
    assert theirs == (HEEDED | IDLE | NEUTRAL.keys()) - {"split"}
    assert len(HEEDED) + len(IDLE) + len(NEUTRAL) == len(theirs) + 1


async def test_what_has_no_effect_is_named(gateway: Gateway) -> None:
    raw = await gateway.openai().chat.completions.with_raw_response.create(
        model="auto",
        messages=[{"role": "user", "content": [{"type": "text", "text": "Hi"}], "name": "me"}],
        seed=3,
        user="me",
        store=True,
    )
    assert raw.headers["x-orchestrator-ignored"] == "messages.name, seed, store, user"


async def test_what_asks_for_nothing_is_taken(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("Yes."))
    raw = await gateway.openai().chat.completions.with_raw_response.create(
        model="auto",
        messages=ASKED,
        top_p=1,
        presence_penalty=0,
        frequency_penalty=0,
        logit_bias={},
        logprobs=False,
        modalities=["text"],
        reasoning_effort="medium",
        service_tier="auto",
        n=1,
        stop=None,
    )
    assert raw.parse().choices[0].message.content == "Yes."
    assert "x-orchestrator-ignored" not in raw.headers


NOT_PROMISED: list[tuple[str, object]] = [
    ("audio", {"voice": "alloy", "format": "wav"}),
    ("frequency_penalty", 0.5),
    ("function_call", "auto"),
    ("functions", [{"name": "f"}]),
    ("logit_bias", {"50256": -100}),
    ("logprobs", True),
    ("modalities", ["text", "audio"]),
    ("moderation", {"input": {"mode": "block"}}),
    ("n", 2),
    ("presence_penalty", -1),
    ("reasoning_effort", "high"),
    ("service_tier", "flex"),
    ("top_logprobs", 5),
    ("top_p", 0.5),
    ("verbosity", "low"),
    ("web_search_options", {}),
    ("top_k", 40),
    ("stream", "yes"),
    ("stream_options", {"include_usage": True}),
    ("split", 1),
]


async def test_what_cannot_be_promised_is_refused_by_its_name(gateway: Gateway) -> None:
    for name, value in NOT_PROMISED:
        async with gateway.http() as client:
            said = await client.post("/v1/chat/completions", json={"model": "auto", "messages": ASKED, name: value})
        error = said.json()["error"]
        assert (said.status_code, error["type"], error["param"]) == (400, "invalid_request_error", name)
        assert name in error["message"] or name == "n"
        assert gateway.asked == []


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"include_obfuscation": True}, "stream_options.include_obfuscation"),
        ({"every": 2}, "stream_options.every"),
        ({"include_usage": 1}, "include_usage"),
    ],
)
async def test_options_of_a_stream_that_are_not_spoken_are_refused(
    options: dict[str, object], param: str, gateway: Gateway
) -> None:
    body = {"model": "auto", "messages": ASKED, "stream": True, "stream_options": options}
    async with gateway.http() as client:
        said = await client.post("/v1/chat/completions", json=body)
    assert (said.status_code, said.json()["error"]["param"]) == (400, param)


async def test_an_answer_goes_back_into_the_conversation_as_the_client_had_it(gateway: Gateway) -> None:
    gateway.servers.script.always(Say("Yes."))
    client = gateway.openai()
    first = await client.chat.completions.create(model="rush-pro", messages=ASKED)
    said: typing.Any = [*ASKED, first.choices[0].message, *ASKED]
    raw = await client.chat.completions.with_raw_response.create(model="rush-pro", messages=said)
    assert raw.parse().choices[0].message.content == "Yes."
    assert "x-orchestrator-ignored" not in raw.headers


async def test_a_refusal_of_the_assistant_s_is_its_text_and_its_sound_is_refused(gateway: Gateway) -> None:
    client = gateway.openai()
    refused: typing.Any = {"role": "assistant", "refusal": "I will not say."}
    await client.chat.completions.create(model="rush-pro", messages=[*ASKED, refused, *ASKED])
    sent = [one.body for one in gateway.servers.exchanges if one.method == "POST"]
    assert "I will not say." in str(sent[-1])
    with pytest.raises(openai.BadRequestError, match=r"messages\[1\]\.audio is not passed through"):
        await client.chat.completions.create(
            model="rush-pro", messages=[*ASKED, {"role": "assistant", "audio": {"id": "audio_1"}}, *ASKED]
        )
