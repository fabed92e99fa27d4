"""Counts of tokens as each format has them, in inclusive buckets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tui_orchestrator.providers.usage import (
    anthropic_counts,
    anthropic_tier,
    anthropic_usage,
    count,
    gemini_tier,
    gemini_usage,
    openai_usage,
    openrouter_bill,
    service_tier,
)
from tui_orchestrator.routing.money import Money, Usage
from tui_orchestrator.routing.parts import Part


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        (0, 0),
        (7.0, 7),
        (10**9, 10**9),
        (10**9 + 1, None),
        (-1, None),
        (7.5, None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        ("7", None),
        (None, None),
        ([7], None),
    ],
)
def test_a_count_is_a_whole_number_that_a_call_may_have(said: object, counted: int | None) -> None:
    assert count(said) == counted


def openai(prompt: Any = 100, completion: Any = 30, **more: Any) -> Usage | None:
    return openai_usage({"prompt_tokens": prompt, "completion_tokens": completion, **more})


def of_prompt(**details: Any) -> Usage | None:
    return openai(prompt_tokens_details=details)


def of_completion(**details: Any) -> Usage | None:
    return openai(completion_tokens_details=details)


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        (openai(0, 1), Usage(0, 1)),
        (openai(1, 0), Usage(1, 0)),
        (openai(0, 0), None),
        (openai(None), None),
        (openai(100, None), None),
        # Totals are handed on, however absurd, for whoever weighs them; parts are not.
        (openai(10**15, 30), Usage(10**15, 30)),
        (openai(10**15 + 1, 30), Usage(10**15, 30)),
        (openai(float("inf"), 30), Usage(10**15, 30)),
        (openai(-1, 30), None),
        (of_prompt(cached_tokens=10**9 + 1), Usage(100, 30)),
        (of_prompt(cached_tokens=60), Usage(100, 30, cached_input=60)),
        (of_prompt(cached_tokens=101), Usage(100, 30, cached_input=100)),
        (openai(prompt_cache_hit_tokens=60), Usage(100, 30, cached_input=60)),
        (openai(prompt_cache_hit_tokens=60, prompt_tokens_details={"cached_tokens": 0}), Usage(100, 30)),
        (of_prompt(cache_write_tokens=40), Usage(100, 30, cache_write=40)),
        (of_prompt(cached_tokens=60, cache_write_tokens=41), Usage(100, 30, cached_input=60, cache_write=40)),
        (of_prompt(audio_tokens=5), Usage(100, 30, parts=((Part.AUDIO_INPUT, 5),))),
        (of_prompt(image_tokens=5), Usage(100, 30, parts=((Part.IMAGE_INPUT, 5),))),
        (of_prompt(audio_tokens=0), Usage(100, 30)),
        (
            of_prompt(audio_tokens=80, image_tokens=80),
            Usage(100, 30, parts=((Part.AUDIO_INPUT, 80), (Part.IMAGE_INPUT, 20))),
        ),
        (
            of_prompt(cached_tokens=60, cache_write_tokens=30, audio_tokens=11),
            Usage(100, 30, cached_input=60, cache_write=30, parts=((Part.AUDIO_INPUT, 10),)),
        ),
        (of_completion(audio_tokens=5), Usage(100, 30, parts=((Part.AUDIO_OUTPUT, 5),))),
        (of_completion(image_tokens=5), Usage(100, 30, parts=((Part.IMAGE_OUTPUT, 5),))),
        (
            of_completion(reasoning_tokens=20, audio_tokens=11),
            Usage(100, 30, reasoning=20, parts=((Part.AUDIO_OUTPUT, 10),)),
        ),
        (of_completion(reasoning_tokens=30), Usage(100, 30, reasoning=30)),
        (of_completion(reasoning_tokens=31), Usage(100, 61, reasoning=31)),
        (openai(total_tokens=150, completion_tokens_details={"reasoning_tokens": 20}), Usage(100, 50, reasoning=20)),
        (openai(total_tokens=130, completion_tokens_details={"reasoning_tokens": 20}), Usage(100, 30, reasoning=20)),
        (openai(total_tokens=130, prompt_tokens_details=None, completion_tokens_details="x"), Usage(100, 30)),
    ],
)
def test_what_openai_counts_lies_inside_its_totals(usage: Usage | None, read: Usage | None) -> None:
    assert usage == read


def anthropic(input: Any = 100, output: Any = 30, **more: Any) -> Usage | None:
    return anthropic_usage(anthropic_counts(as_objects({"input_tokens": input, "output_tokens": output, **more})))


def as_objects(value: Any) -> Any:
    """What the SDKs make of JSON."""
    if isinstance(value, list):
        return [as_objects(one) for one in value]
    return (
        SimpleNamespace(**{name: as_objects(one) for name, one in value.items()}) if isinstance(value, dict) else value
    )


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        (anthropic(), Usage(100, 30)),
        (anthropic(None), None),
        (anthropic(100, None), None),
        (anthropic(0, 0), None),
        (anthropic(10**12, 10**12), Usage(10**12, 10**12)),
        (anthropic(cache_read_input_tokens=10**9 + 1), Usage(100, 30)),
        (anthropic(cache_read_input_tokens=50), Usage(150, 30, cached_input=50)),
        (anthropic(cache_creation_input_tokens=7), Usage(107, 30, cache_write=7)),
        (anthropic(cache_creation={"ephemeral_5m_input_tokens": 7}), Usage(107, 30, cache_write=7)),
        (
            anthropic(cache_creation={"ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 5}),
            Usage(112, 30, cache_write=12, parts=((Part.CACHE_WRITE_1H, 5),)),
        ),
        (
            anthropic(cache_creation_input_tokens=9, cache_creation={"ephemeral_1h_input_tokens": 5}),
            Usage(109, 30, cache_write=9, parts=((Part.CACHE_WRITE_1H, 5),)),
        ),
        (anthropic(output_tokens_details={"thinking_tokens": 25}), Usage(100, 30, reasoning=25)),
        (anthropic(output_tokens_details={"thinking_tokens": 31}), Usage(100, 30, reasoning=30)),
    ],
)
def test_what_anthropic_counts_lies_beside_its_input(usage: Usage | None, read: Usage | None) -> None:
    assert usage == read


def gemini(prompt: Any = 100, candidates: Any = 30, **more: Any) -> Usage | None:
    said = {"prompt_token_count": prompt, "candidates_token_count": candidates, **more}
    return gemini_usage(as_objects(said))


def by(*counts: tuple[object, object]) -> list[dict[str, Any]]:
    return [{"modality": {"value": modality}, "token_count": tokens} for modality, tokens in counts]


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        (gemini(), Usage(100, 30)),
        (gemini(None), None),
        (gemini(0, None), None),
        (gemini(100, None), Usage(100, 0)),
        (gemini(10**12), Usage(10**12, 30)),
        (gemini(tool_use_prompt_token_count=7), Usage(107, 30)),
        (gemini(thoughts_token_count=20), Usage(100, 50, reasoning=20)),
        (gemini(cached_content_token_count=60), Usage(100, 30, cached_input=60)),
        (gemini(prompt_tokens_details=by(("TEXT", 95), ("AUDIO", 5))), Usage(100, 30, parts=((Part.AUDIO_INPUT, 5),))),
        (gemini(prompt_tokens_details=by(("IMAGE", 2), ("IMAGE", 3))), Usage(100, 30, parts=((Part.IMAGE_INPUT, 5),))),
        (gemini(prompt_tokens_details=by(("VIDEO", 5))), Usage(100, 30, parts=((Part.VIDEO_INPUT, 5),))),
        (gemini(prompt_tokens_details=by(("AUDIO", None), (None, 5), ("AUDIO", -5))), Usage(100, 30)),
        (gemini(prompt_tokens_details=[{"token_count": 5}]), Usage(100, 30)),
        (
            gemini(
                cached_content_token_count=60,
                prompt_tokens_details=by(("AUDIO", 9), ("IMAGE", 8), ("VIDEO", 7)),
                cache_tokens_details=by(("AUDIO", 4), ("IMAGE", 9)),
            ),
            Usage(
                *(100, 30, 60),
                parts=(
                    (Part.AUDIO_CACHED, 4),
                    (Part.AUDIO_INPUT, 5),
                    (Part.IMAGE_CACHED, 9),
                    (Part.VIDEO_INPUT, 7),
                ),
            ),
        ),
        (
            gemini(candidates_tokens_details=by(("AUDIO", 1), ("IMAGE", 2), ("VIDEO", 3))),
            Usage(100, 30, parts=((Part.AUDIO_OUTPUT, 1), (Part.IMAGE_OUTPUT, 2), (Part.VIDEO_OUTPUT, 3))),
        ),
    ],
)
def test_what_gemini_counts_lies_by_modality(usage: Usage | None, read: Usage | None) -> None:
    assert usage == read


@pytest.mark.parametrize(
    ("said", "tier"),
    [
        *(
            (usual, "")
            for usual in ("", "auto", "default", "Standard", "ON_DEMAND", "TRAFFIC_TYPE_UNSPECIFIED", None, 7)
        ),
        ("priority", "priority"),
        ("Flex", "flex"),
        ("ON_DEMAND_PRIORITY", "priority"),
        ("x" * 50, "x" * 39 + "…"),
    ],
)
def test_a_tier_is_named_where_it_is_not_the_usual_one(said: object, tier: str) -> None:
    assert service_tier(said) == tier
    assert gemini_tier(as_objects({"traffic_type": {"value": said}})) == tier
    assert anthropic_tier(as_objects({"service_tier": said})) == tier
    assert anthropic_tier(as_objects({"speed": said, "service_tier": "batch"})) == (tier or "batch")


@pytest.mark.parametrize(
    ("said", "billed"),
    [
        ({"cost": 0}, "0"),
        ({"cost": "0.25"}, "0.25"),
        ({"cost": 10**6}, "1000000"),
        ({"cost": "1000000.01"}, None),
        ({"cost": 0.1, "is_byok": False, "cost_details": {"upstream_inference_cost": 5}}, "0.1"),
        ({"cost": 0.1, "is_byok": "yes", "cost_details": {"upstream_inference_cost": 5}}, "0.1"),
        ({"cost": 0.1, "is_byok": True, "cost_details": {"upstream_inference_cost": 5}}, "5.1"),
        ({"cost": 0.1, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, None),
        ({"cost": 0.1, "is_byok": True, "cost_details": [5]}, None),
        ({"cost": 0.1, "is_byok": True}, None),
        ({"cost": [1]}, None),
        ({}, None),
    ],
)
def test_what_openrouter_charged_is_read_exactly(said: dict[str, object], billed: str | None) -> None:
    assert openrouter_bill(said) == (None if billed is None else Money.from_usd(billed))
