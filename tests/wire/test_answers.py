"""What a good stream says: text, thinking, usage in inclusive buckets, cost, why it ended, who answered."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tui_orchestrator.providers.clients import HttpClients
from tui_orchestrator.routing.errors import ContentFilter, StreamBroken, TurnError
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.money import Money, Usage
from tui_orchestrator.routing.ports import TextPiece, ThinkingPiece, UsageSoFar

from .dialects import (
    ANTHROPIC,
    BLOCK_START,
    BLOCK_STOP,
    DONE,
    GEMINI,
    MESSAGE_STOP,
    OPENAI,
    Read,
    Wire,
    a_call,
    block_delta,
    data,
    delta,
    events,
    generated,
    message_delta,
    message_start,
    openai_at,
    text_delta,
    usage_chunk,
)
from .server import WireServer, head


async def read(wire: Wire, clients: HttpClients, body: bytes) -> Read:
    async with WireServer(head(), body) as server:
        return await Read.of(wire.make(server.url, clients))


async def read_openrouter(clients: HttpClients, body: bytes) -> Read:
    async with WireServer(head(), body) as server:
        return await Read.of(openai_at(server.url, clients, "openrouter"))


class TestAnthropic:
    async def test_cached_tokens_lie_beside_the_input_and_are_added(self, clients: HttpClients) -> None:
        start = message_start(
            input_tokens=10,
            cache_read_input_tokens=2000,
            cache_creation_input_tokens=300,
            output_tokens=1,
        )
        end = message_delta(output_tokens=40, output_tokens_details={"thinking_tokens": 25})
        answer = await read(ANTHROPIC, clients, events(start, BLOCK_START, text_delta("x"), end, MESSAGE_STOP))
        assert answer.done.usage == Usage(2310, 40, cached_input=2000, cache_write=300, reasoning=25)

    async def test_later_counts_replace_earlier_ones(self, clients: HttpClients) -> None:
        body = events(
            message_start(input_tokens=10, output_tokens=1),
            message_delta(None, output_tokens=20),
            message_delta(None, output_tokens=40, input_tokens=11, cache_read_input_tokens=None),
            message_delta("end_turn", output_tokens=41),
            MESSAGE_STOP,
        )
        answer = await read(ANTHROPIC, clients, body)
        assert answer.so_far == [UsageSoFar(Usage(*both)) for both in [(10, 1), (10, 20), (11, 40), (11, 41)]]
        assert answer.done.usage == Usage(11, 41)

    async def test_usage_is_known_before_the_first_text(self, clients: HttpClients) -> None:
        answer = await read(ANTHROPIC, clients, ANTHROPIC.whole)
        assert answer.pieces[0] == UsageSoFar(Usage(12, 1))

    async def test_thinking_is_told_apart(self, clients: HttpClients) -> None:
        body = events(
            message_start(),
            {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
            block_delta(type="thinking_delta", thinking="Hmm, "),
            block_delta(type="thinking_delta", thinking="yes."),
            block_delta(type="signature_delta", signature="c2ln"),
            BLOCK_STOP,
            {"type": "ping"},
            {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "A"}},
            text_delta("nswer"),
            BLOCK_STOP,
            {"type": "some_event_of_next_year", "x": 1},
            message_delta(),
            MESSAGE_STOP,
        )
        answer = await read(ANTHROPIC, clients, body)
        assert (answer.thinking, answer.text) == ("Hmm, yes.", "Answer")

    @pytest.mark.parametrize(
        ("reason", "finish"),
        [
            ("end_turn", FinishReason.STOP),
            ("stop_sequence", FinishReason.STOP),
            ("max_tokens", FinishReason.LENGTH),
            ("model_context_window_exceeded", FinishReason.LENGTH),
            ("tool_use", FinishReason.TOOL_CALLS),
            ("refusal", FinishReason.CONTENT_FILTER),
            ("pause_turn", FinishReason.OTHER),
            ("a reason of next year", FinishReason.OTHER),
        ],
    )
    async def test_why_it_ended(self, clients: HttpClients, reason: str, finish: FinishReason) -> None:
        answer = await read(ANTHROPIC, clients, events(message_start(), message_delta(reason), MESSAGE_STOP))
        assert answer.done.finish_reason is finish

    @pytest.mark.parametrize("name", [b"", b"event: ping\n", b"event: content_delta\n"])
    async def test_an_event_is_what_its_own_type_says(self, clients: HttpClients, name: bytes) -> None:
        body = events(message_start(), BLOCK_START, text_delta("Delete it. "))
        body += name + data(text_delta("Wait until Friday."))
        body += events({"type": "ping"}, BLOCK_STOP, message_delta(), MESSAGE_STOP) + DONE
        assert (await read(ANTHROPIC, clients, body)).text == "Delete it. Wait until Friday."

    async def test_an_event_without_a_name_that_cannot_be_read_breaks_the_stream(self, clients: HttpClients) -> None:
        body = events(message_start(), BLOCK_START, text_delta("Hel")) + b'data: {"type": "content_\n\n'
        with pytest.raises(StreamBroken):
            await read(ANTHROPIC, clients, body + events(BLOCK_STOP, message_delta(), MESSAGE_STOP))

    async def test_every_stop_reason_of_the_sdk_is_known(self) -> None:
        from typing import get_args

        from anthropic.types import StopReason

        from tui_orchestrator.providers.anthropic import _FINISH

        assert set(get_args(StopReason)) - set(_FINISH) == {"pause_turn"}


class TestOpenAI:
    async def test_text_that_came_at_once_is_one_piece_and_thinking_another(self, clients: HttpClients) -> None:
        thought = [delta(reasoning_content="Let me "), delta(reasoning_content="see.")]
        said = [delta(content="One"), delta(content=" two"), delta(content=" three"), delta("stop")]
        answer = await read(OPENAI, clients, data(*thought, *said) + DONE)
        assert answer.pieces[:-1] == [ThinkingPiece("Let me see."), TextPiece("One two three")]

    @pytest.mark.parametrize("then", [OPENAI.in_stream_error, b'data: {"choices": 5}\n\n', b"data: {\n\n"])
    async def test_what_came_at_once_with_what_cannot_be_read_is_told_before(
        self, clients: HttpClients, then: bytes
    ) -> None:
        async with WireServer(head(), data(delta(content="One"), delta(content=" two")) + then) as server:
            pieces = OPENAI.make(server.url, clients).stream(a_call())
            assert await anext(pieces) == TextPiece("One two")
            with pytest.raises(TurnError):
                await anext(pieces)

    async def test_cached_and_reasoning_tokens_lie_inside(self, clients: HttpClients) -> None:
        usage = usage_chunk(
            prompt_tokens=1000,
            completion_tokens=300,
            total_tokens=1300,
            prompt_tokens_details={"cached_tokens": 800, "cache_write_tokens": 100},
            completion_tokens_details={"reasoning_tokens": 200},
        )
        answer = await read(OPENAI, clients, data(delta(content="x"), delta("stop"), usage) + DONE)
        assert answer.done.usage == Usage(1000, 300, cached_input=800, cache_write=100, reasoning=200)
        assert answer.so_far == [UsageSoFar(Usage(1000, 300, 800, 100, 200))]

    async def test_reasoning_beside_the_completion_is_added(self, clients: HttpClients) -> None:
        usage = usage_chunk(
            prompt_tokens=100,
            completion_tokens=30,
            total_tokens=180,
            completion_tokens_details={"reasoning_tokens": 50},
        )
        answer = await read(OPENAI, clients, data(delta("stop"), usage))
        assert answer.done.usage == Usage(100, 80, reasoning=50)

    async def test_reasoning_that_is_more_than_the_completion_is_beside_it(self, clients: HttpClients) -> None:
        usage = usage_chunk(prompt_tokens=100, completion_tokens=30, completion_tokens_details={"reasoning_tokens": 50})
        answer = await read(OPENAI, clients, data(delta("stop"), usage))
        assert answer.done.usage == Usage(100, 80, reasoning=50)

    async def test_no_token_of_the_input_is_both_read_from_the_cache_and_written_to_it(
        self, clients: HttpClients
    ) -> None:
        usage = usage_chunk(
            prompt_tokens=100,
            completion_tokens=30,
            prompt_tokens_details={"cached_tokens": 80, "cache_write_tokens": 70},
        )
        answer = await read(OPENAI, clients, data(delta("stop"), usage))
        assert answer.done.usage == Usage(100, 30, cached_input=80, cache_write=20)

    async def test_usage_on_a_last_chunk_with_choices_counts(self, clients: HttpClients) -> None:
        usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9, "prompt_cache_hit_tokens": 5}
        answer = await read(OPENAI, clients, data(delta(content="Hi"), delta("stop", usage)))
        assert (answer.text, answer.done.usage) == ("Hi", Usage(7, 2, cached_input=5))

    async def test_usage_on_every_chunk_is_not_added_up(self, clients: HttpClients) -> None:
        chunks = [delta(content=str(n), usage={"prompt_tokens": 7, "completion_tokens": n}) for n in (1, 2, 3)]
        answer = await read(OPENAI, clients, data(*chunks, delta("stop")))
        assert answer.done.usage == Usage(7, 3)
        assert len(answer.so_far) == 3

    @pytest.mark.parametrize("nothing", [{}, {"prompt_tokens": 0, "completion_tokens": 0}])
    async def test_a_count_is_not_taken_back_by_one_of_nothing(self, clients: HttpClients, nothing: Any) -> None:
        counted = delta("stop", usage={"prompt_tokens": 7, "completion_tokens": 3})
        answer = await read(OPENAI, clients, data(delta(content="Hi"), counted, {"choices": [], "usage": nothing}))
        assert answer.done.usage == Usage(7, 3)

    @pytest.mark.parametrize(
        "usage",
        [
            None,
            {},
            {"prompt_tokens": 0, "completion_tokens": 0},
            {"prompt_tokens": 7},
            {"prompt_tokens": "7", "completion_tokens": "2"},
            {"prompt_tokens": -7, "completion_tokens": 2},
            {"prompt_tokens": True, "completion_tokens": 2},
        ],
    )
    async def test_missing_or_senseless_usage_is_unknown_and_not_zero(self, clients: HttpClients, usage: Any) -> None:
        answer = await read(OPENAI, clients, data(delta(content="x"), {**delta("stop"), "usage": usage}))
        assert answer.done.usage is None
        assert answer.so_far == []

    async def test_a_total_that_no_call_has_is_handed_on_to_be_told_and_its_parts_are_not(
        self, clients: HttpClients
    ) -> None:
        """`Received` weighs it: see test_counts."""
        usage = {"prompt_tokens": 7, "completion_tokens": 10**12, "prompt_tokens_details": {"cached_tokens": 10**12}}
        answer = await read(OPENAI, clients, data(delta(content="x"), {**delta("stop"), "usage": usage}))
        assert answer.done.usage == Usage(7, 10**12)

    @pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
    async def test_thinking_of_local_servers_and_openrouter(self, clients: HttpClients, field: str) -> None:
        body = data(
            delta(content="", **{field: "Hmm, "}),
            delta(content=None, **{field: "yes."}),
            delta(content="Answer", **{field: None}),
            delta("stop"),
        )
        answer = await read(OPENAI, clients, body)
        assert (answer.thinking, answer.text) == ("Hmm, yes.", "Answer")

    async def test_thinking_that_is_sent_under_both_names_comes_once(self, clients: HttpClients) -> None:
        body = data(delta(reasoning="Hmm", reasoning_content="Hmm"), delta("stop"))
        assert (await read(OPENAI, clients, body)).thinking == "Hmm"

    async def test_content_in_parts(self, clients: HttpClients) -> None:
        thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hmm"}]}
        body = data(
            delta(content=[thinking]),
            delta(content=[{"type": "text", "text": "Answer"}]),
            delta("stop"),
        )
        answer = await read(OPENAI, clients, body)
        assert (answer.thinking, answer.text) == ("Hmm", "Answer")

    async def test_a_refusal_is_text(self, clients: HttpClients) -> None:
        answer = await read(OPENAI, clients, data(delta(refusal="I can't help with that."), delta("stop")))
        assert answer.text == "I can't help with that."

    async def test_only_the_first_choice_is_the_answer(self, clients: HttpClients) -> None:
        other = delta(content="other")
        other["choices"][0]["index"] = 1
        answer = await read(OPENAI, clients, data(delta(content="one"), other, delta("stop")))
        assert answer.text == "one"

    @pytest.mark.parametrize(
        ("reason", "finish"),
        [
            ("stop", FinishReason.STOP),
            ("length", FinishReason.LENGTH),
            ("content_filter", FinishReason.CONTENT_FILTER),
            ("tool_calls", FinishReason.TOOL_CALLS),
            ("function_call", FinishReason.TOOL_CALLS),
            ("eos", FinishReason.STOP),
            ("eos_token", FinishReason.STOP),
            ("stop_sequence", FinishReason.STOP),
            ("end_turn", FinishReason.STOP),
            ("STOP", FinishReason.STOP),
            ("model_length", FinishReason.LENGTH),
            ("max_tokens", FinishReason.LENGTH),
            ("sensitive", FinishReason.CONTENT_FILTER),
            ("a reason of next year", FinishReason.OTHER),
        ],
    )
    async def test_why_it_ended(self, clients: HttpClients, reason: str, finish: FinishReason) -> None:
        assert (await read(OPENAI, clients, data(delta(reason)))).done.finish_reason is finish

    async def test_log_probabilities_become_their_mean(self, clients: HttpClients) -> None:
        first, last = delta(content="a b"), delta("stop", content="c")
        first["choices"][0]["logprobs"] = {"content": [{"token": "a", "logprob": -1.0}, {"token": "b", "logprob": -2}]}
        last["choices"][0]["logprobs"] = {"content": [{"token": "c", "logprob": -3.0}, {"token": "?", "logprob": "x"}]}
        answer = await read(OPENAI, clients, data(first, last))
        assert answer.done.mean_logprob == -2.0
        assert (await read(OPENAI, clients, OPENAI.whole)).done.mean_logprob is None


class TestOpenRouter:
    async def test_what_it_charged_is_what_was_billed(self, clients: HttpClients) -> None:
        usage = usage_chunk(prompt_tokens=7, completion_tokens=2, total_tokens=9, cost=1.234e-05, is_byok=False)
        answer = await read_openrouter(clients, data(delta("stop"), usage))
        assert answer.done.billed == Money.from_usd("0.00001234")
        assert answer.done.usage == Usage(7, 2)

    async def test_with_ones_own_upstream_key_both_charges_count(self, clients: HttpClients) -> None:
        details = {"upstream_inference_cost": 0.01}
        for cost_details, billed in ((details, Money.from_usd("0.0105")), (None, None)):
            usage = usage_chunk(
                prompt_tokens=7, completion_tokens=2, cost=0.0005, is_byok=True, cost_details=cost_details
            )
            answer = await read_openrouter(clients, data(delta("stop"), usage))
            assert answer.done.billed == billed

    @pytest.mark.parametrize("cost", [None, -1, "NaN", "free", True, 1e300])
    async def test_a_senseless_charge_is_unknown(self, clients: HttpClients, cost: Any) -> None:
        answer = await read_openrouter(
            clients, data(delta("stop"), usage_chunk(prompt_tokens=7, completion_tokens=2, cost=cost))
        )
        assert answer.done.billed is None

    async def test_a_cost_of_anyone_else_is_not_believed(self, clients: HttpClients) -> None:
        usage = usage_chunk(prompt_tokens=7, completion_tokens=2, cost=3)
        assert (await read(OPENAI, clients, data(delta("stop"), usage))).done.billed is None

    async def test_who_answered_is_told(self, clients: HttpClients) -> None:
        chunk = {**delta("stop", content="x"), "model": "other/model\x1b[2J"}
        assert (await read_openrouter(clients, data(chunk))).done.served_by == "other/model[2J"

    @pytest.mark.parametrize(
        ("reason", "native", "finish"),
        [
            ("stop", "stop", FinishReason.STOP),
            ("stop", "MAX_TOKENS", FinishReason.LENGTH),
            ("stop", "length", FinishReason.LENGTH),
            ("stop", "max_output_tokens", FinishReason.LENGTH),
            ("stop", "model_context_window_exceeded", FinishReason.LENGTH),
            ("stop", "SAFETY", FinishReason.CONTENT_FILTER),
            ("stop", "content_filter", FinishReason.CONTENT_FILTER),
            ("stop", "RECITATION", FinishReason.CONTENT_FILTER),
            ("stop", "BLOCKLIST", FinishReason.CONTENT_FILTER),
            ("stop", "PROHIBITED_CONTENT", FinishReason.CONTENT_FILTER),
            ("stop", "SPII", FinishReason.CONTENT_FILTER),
            ("stop", "malformed_response", FinishReason.OTHER),
            ("strange", "refusal", FinishReason.CONTENT_FILTER),
            ("length", "stop", FinishReason.LENGTH),
            ("stop", "MALFORMED_FUNCTION_CALL", FinishReason.OTHER),
            ("stop", "OTHER", FinishReason.OTHER),
            ("stop", "completed", FinishReason.STOP),
            ("stop", 7, FinishReason.STOP),
        ],
    )
    async def test_what_the_provider_behind_it_said_of_the_end(
        self, clients: HttpClients, reason: str, native: Any, finish: FinishReason
    ) -> None:
        chunk = delta(reason)
        chunk["choices"][0]["native_finish_reason"] = native
        assert (await read_openrouter(clients, data(chunk))).done.finish_reason is finish

    @pytest.mark.parametrize("native", ["NETWORK_ERROR", "aborted", "insufficient_system_resource"])
    async def test_an_answer_that_broke_behind_it_is_not_whole(self, clients: HttpClients, native: str) -> None:
        chunk = delta("stop", content="Half of")
        chunk["choices"][0]["native_finish_reason"] = native
        with pytest.raises(StreamBroken, match=native.lower()):
            await read_openrouter(clients, data(chunk) + DONE)


class TestGemini:
    async def test_a_word_the_sdk_does_not_know_is_not_printed(self, clients: HttpClients) -> None:
        hostile = "\x1b]52;c;aGk=\x07"
        usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "trafficType": hostile}
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            answer = await read(GEMINI, clients, data(generated("x", "STOP", usage), generated(None, hostile)))
        assert answer.text == "x"
        assert [str(one.message) for one in told if hostile in str(one.message)] == []

    async def test_thoughts_lie_beside_the_output_and_are_added(self, clients: HttpClients) -> None:
        usage = {
            "promptTokenCount": 1000,
            "cachedContentTokenCount": 800,
            "toolUsePromptTokenCount": 50,
            "candidatesTokenCount": 30,
            "thoughtsTokenCount": 200,
            "totalTokenCount": 1280,
        }
        answer = await read(GEMINI, clients, data(generated("x", "STOP", usage)))
        assert answer.done.usage == Usage(1050, 230, cached_input=800, reasoning=200)

    async def test_only_the_first_candidate_is_the_answer(self, clients: HttpClients) -> None:
        other = generated("EVIL ", "STOP")
        other["candidates"][0]["index"] = 1
        both = generated("in France.", "STOP")
        both["candidates"] = [*other["candidates"], *both["candidates"]]
        answer = await read(GEMINI, clients, data(generated("Paris is "), other, both))
        assert answer.text == "Paris is in France."

    async def test_the_last_usage_counts(self, clients: HttpClients) -> None:
        chunks = [
            generated(str(n), usage={"promptTokenCount": 9, "candidatesTokenCount": n, "totalTokenCount": 9 + n})
            for n in (1, 2, 3)
        ]
        answer = await read(GEMINI, clients, data(*chunks, generated("", "STOP")))
        assert answer.done.usage == Usage(9, 3)
        assert [piece.usage.output for piece in answer.so_far] == [1, 2, 3]

    async def test_a_count_left_out_is_a_zero_and_missing_usage_is_unknown(self, clients: HttpClients) -> None:
        only_thoughts = {"promptTokenCount": 9, "thoughtsTokenCount": 5, "totalTokenCount": 14}
        answer = await read(GEMINI, clients, data(generated("", "MAX_TOKENS", only_thoughts)))
        assert answer.done.usage == Usage(9, 5, reasoning=5)
        assert (await read(GEMINI, clients, data(generated("x", "STOP")))).done.usage is None

    async def test_thinking_is_told_apart(self, clients: HttpClients) -> None:
        body = data(generated("Hmm", thought=True), generated("Answer"), generated(finish="STOP"))
        answer = await read(GEMINI, clients, body)
        assert (answer.thinking, answer.text) == ("Hmm", "Answer")

    @pytest.mark.parametrize(
        ("reason", "finish"),
        [
            ("STOP", FinishReason.STOP),
            ("MAX_TOKENS", FinishReason.LENGTH),
            ("SAFETY", FinishReason.CONTENT_FILTER),
            ("RECITATION", FinishReason.CONTENT_FILTER),
            ("BLOCKLIST", FinishReason.CONTENT_FILTER),
            ("PROHIBITED_CONTENT", FinishReason.CONTENT_FILTER),
            ("SPII", FinishReason.CONTENT_FILTER),
            ("MODEL_ARMOR", FinishReason.CONTENT_FILTER),
            ("TOO_MANY_TOOL_CALLS", FinishReason.TOOL_CALLS),
            ("MALFORMED_FUNCTION_CALL", FinishReason.OTHER),
            ("UNEXPECTED_TOOL_CALL", FinishReason.OTHER),
            ("MALFORMED_RESPONSE", FinishReason.OTHER),
            ("OTHER", FinishReason.OTHER),
            ("CONTINUATION", FinishReason.LENGTH),
        ],
    )
    async def test_why_it_ended(self, clients: HttpClients, reason: str, finish: FinishReason) -> None:
        chunk = generated("x", reason)
        chunk["candidates"][0]["continuationToken"] = "dG9rZW4="
        async with WireServer(head(), data(chunk)) as server:
            answer = await Read.of(GEMINI.make(server.url, clients))
            assert len(server.requests) == 1, "continued by itself, at a price"
        assert answer.done.finish_reason is finish

    @pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])
    async def test_calls_that_it_says_are_malformed_are_an_error(self, clients: HttpClients, reason: str) -> None:
        called = generated(None)
        called["candidates"][0]["content"] = {
            "role": "model",
            "parts": [{"functionCall": {"name": "weather", "args": {"city": "Ulm"}}}],
        }
        with pytest.raises(StreamBroken, match=reason):
            await read(GEMINI, clients, data(called, generated(None, reason)))

    async def test_a_refused_prompt_is_an_error_whose_tokens_are_known(self, clients: HttpClients) -> None:
        refused = {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9},
        }
        async with WireServer(head(), data(refused)) as server:
            stream = aiter(GEMINI.make(server.url, clients).stream(a_call()))
            assert await anext(stream) == UsageSoFar(Usage(9, 0))
            with pytest.raises(ContentFilter, match="PROHIBITED_CONTENT"):
                await anext(stream)

    async def test_its_mean_log_probability_is_passed_on(self, clients: HttpClients) -> None:
        chunk = generated("x", "STOP")
        chunk["candidates"][0]["avgLogprobs"] = -0.25
        assert (await read(GEMINI, clients, data(chunk))).done.mean_logprob == -0.25
