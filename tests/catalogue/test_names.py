"""What a name tells, on every name in genai-prices and on real ones that are not in it."""

from __future__ import annotations

import pytest
from genai_prices.data_snapshot import get_snapshot

from tui_orchestrator.providers.names import (
    Generation,
    Size,
    answers_chat_completions,
    chats,
    generation,
    one_of_each,
    size,
    todays,
)

CHAT = """
gpt-6-astra gpt-6.1-sol gpt-4o gpt-4o-mini gpt-3.5-turbo o3 o4-mini chatgpt-4o-latest gpt-oss-120b
ft:gpt-4o-mini:org::id claude-opus-5-5 claude-haiku-4-5-20251001 claude-3-5-sonnet-latest gemini-4-argon
gemini-2.5-flash-preview-09-2025 gemini-flash-latest gemma-3n-e4b-it learnlm-2.0-flash-experimental
grok-4-1-fast-reasoning grok-2-vision-1212 meta-llama/llama-4-maverick-17b-128e-instruct llama3.2-vision:11b
qwen2.5-vl-7b-instruct qwen3-coder:30b mistral-large-latest mixtral-8x7b-32768 deepseek-reasoner kimi-k2-thinking
glm-4.5v command-a phi-4-multimodal-instruct sonar sonar-reasoning-pro pixtral-12b codestral-2508 devstral-2512
granite-4.0-h-micro smollm2:1.7b nova-micro-v1 minimax-m3 olmo-3-32b-think llava:13b moondream3-preview
mlx-community/Llama-3.2-3B-Instruct-4bit openrouter/auto muse-spark-open embedded-llama
"""

OTHER = """
text-embedding-3-large text-embedding-ada-002 gemini-embedding-001 mistral-embed embed-v4.0 nomic-embed-text:latest
mxbai-embed-large bge-m3 all-minilm:l6-v2 voyage-4-large rerank-v3.5 cohere/rerank-4-pro qwen3-embedding-8b gte-large
gpt-image-2 chatgpt-image-latest dall-e-3 gemini-2.5-flash-image imagen-4.0-generate-001 black-forest-labs/flux-2-pro
gemini-nano-banana-2.1 stable-diffusion-xl sora-2 veo-3.1-generate-preview gemini-omni-1.1-flash gpt-audio-mini
gpt-4o-audio-preview gpt-4o-transcribe gpt-4o-mini-tts tts-1-hd whisper-large-v3-turbo grok-voice-latest
gpt-realtime-2 gpt-4o-realtime-preview gemini-3.8-live gemini-live-2.5-flash gpt-live-1 lyria-3-pro-preview
voxtral-mini-2602 canopylabs/orpheus-v1-english amazon.nova-sonic-v1:0 omni-moderation-latest text-moderation-stable
moderation llama-guard-4-12b gpt-oss-safeguard-20b shieldgemma:9b llama-prompt-guard-2-86m nemotron-3.5-content-safety
gpt-4o-search-preview gpt-5-search-api perplexity/sonar-pro-search o3-deep-research sonar-deep-research aqa
computer-use-preview gemini-2.5-computer-use-preview-10-2025 bytedance/ui-tars-1.5-7b gemini-robotics-er-2-preview
mistral-ocr-latest deepseek/deepseek-ocr-2 gpt-3.5-turbo-instruct davinci-002 babbage-002 text-davinci-003
relace/relace-apply-3 morph/morph-v3-large anthropic/claude-opus-5:batch ~openai/gpt-latest pplx-decider-v1.2
"""


@pytest.mark.parametrize("name", CHAT.split())
def test_a_model_that_chats_is_offered(name: str) -> None:
    assert chats(name)


@pytest.mark.parametrize("name", OTHER.split())
def test_a_model_of_another_trade_is_not_offered(name: str) -> None:
    assert not chats(name)


def test_every_name_in_genai_prices_is_sorted_by_what_it_is_billed_for() -> None:
    """What is billed by the picture, second, character or page does not chat; nothing that chats is lost."""
    wrongly_offered, wrongly_hidden = [], []
    for provider in get_snapshot().providers:
        for model in provider.models:
            prices = model.get_prices(get_snapshot().timestamp)
            keys = {key for key, value in prices.__dict__.items() if value is not None}
            other = any(
                word in key for key in keys for word in ("hours", "mchars", "kpages", "output_image", "output_audio")
            )
            if chats(model.id) and other:
                wrongly_offered.append(f"{provider.id}/{model.id}")
            plain = {
                "input_mtok",
                "output_mtok",
                "cache_read_mtok",
                "cache_write_mtok",
            } >= keys and "output_mtok" in keys
            maker = provider.id in (
                "anthropic",
                "deepseek",
                "moonshotai",
                "zai",
                "minimax",
                "meta",
                "cerebras",
                "cursor",
            )
            if maker and plain and not chats(model.id):
                wrongly_hidden.append(f"{provider.id}/{model.id}")
    assert wrongly_offered == []
    assert wrongly_hidden == ["zai/GLM-OCR"]


@pytest.mark.parametrize("name", ["gpt-5.5-pro", "o3-pro", "gpt-5.1-codex-mini", "codex-mini-latest", "gpt-6-cyber"])
def test_what_openai_serves_by_another_protocol_is_known(name: str) -> None:
    assert not answers_chat_completions(name)


@pytest.mark.parametrize("name", ["gpt-6-sol", "gpt-5.4-mini", "gpt-4o", "o4-mini", "my-gateway/prompt-model"])
def test_what_openai_serves_at_chat_completions_is_kept(name: str) -> None:
    assert answers_chat_completions(name)


@pytest.mark.parametrize(
    ("name", "line", "version"),
    [
        ("claude-opus-4-5-20251101", "claude-opus", (4, 5)),
        ("anthropic/claude-opus-4.5", "claude-opus", (4, 5)),
        ("claude-3-5-haiku-latest", "claude-haiku", (3, 5)),
        ("gpt-5.4-mini", "gpt-mini", (5, 4)),
        ("gpt-6-astra", "gpt-astra", (6,)),
        ("gpt-4-32k", "gpt-32k", (4,)),
        ("o4-mini", "o-mini", (4,)),
        ("gemini-2.5-flash-preview-09-2025", "gemini-flash", (2, 5)),
        ("grok-4.20", "grok", (4, 2)),
        ("grok-4-0709", "grok", (4,)),
        ("llama-3.3-70b-versatile", "llama-70b-versatile", (3, 3)),
        ("qwen3.8-27b", "qwen-27b", (3, 8)),
        ("mistral-large-2512", "mistral-large", ()),
        ("grok-4.0", "grok", (4, 0)),
        ("grok-4.10", "grok", (4, 1)),
        ("o10", "o", (10,)),
        ("gpt-5.1_x", "gpt-x", (5, 1)),
    ],
)
def test_line_and_version_are_read_from_a_name(name: str, line: str, version: tuple[int, ...]) -> None:
    assert generation(name) == Generation(line, version)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("llama3.1:8b", Size(8, 8)),
        ("mixtral-8x7b", Size(56, 14)),
        ("qwen3-30b-a3b", Size(30, 3)),
        ("qwen3.8-2.4t-a95b", Size(2400, 95)),
        ("gemma-3n-e4b-it", Size(4, 4)),
        ("phi3:3.8b-mini-instruct-q4_K_M", Size(3.8, 3.8)),
        ("gpt-4o", None),
        ("claude-opus-5-5", None),
        ("qwen3-4bit", None),
        ("colossus-2t", Size(2000, 2000)),
        ("colossus-8x1.5b", Size(12, 3)),
        ("Llama-8B", Size(8, 8)),
    ],
)
def test_size_is_read_from_a_name(name: str, expected: Size | None) -> None:
    assert size(name) == expected


@pytest.mark.parametrize(
    ("listed", "offered"),
    [
        (["gpt-5", "gpt-5-2025-08-07", "gpt-4o"], ["gpt-5", "gpt-4o"]),
        (["claude-opus-4-5-20251101", "claude-haiku-5-5"], ["claude-opus-4-5-20251101", "claude-haiku-5-5"]),
        (["gpt-4o-2024-05-13", "gpt-4o-2024-11-20", "gpt-4o-2024-08-06"], ["gpt-4o-2024-11-20"]),
        (["mistral-large-latest", "mistral-large-2411", "mistral-large-2512"], ["mistral-large-2512"]),
        (["gemini-2.5-pro-preview-05-06", "gemini-2.5-pro-preview-06-05"], ["gemini-2.5-pro-preview-06-05"]),
        (["gemini-2.0-flash", "gemini-2.0-flash-001"], ["gemini-2.0-flash"]),
        (["gemini-3-flash-preview"], ["gemini-3-flash-preview"]),
        (["gemini-3-flash-latest", "gemini-3-flash-preview"], ["gemini-3-flash-preview"]),
        (["gemini-3-flash-preview", "gemini-3-flash-latest"], ["gemini-3-flash-preview"]),
        (["gemini-3-pro-001", "gemini-3-pro-002"], ["gemini-3-pro-002"]),
        (["gemini-3-pro-002", "gemini-3-pro-001"], ["gemini-3-pro-002"]),
        (["gpt-5-latest", "gpt-5-12-2025", "gpt-5-11-2025"], ["gpt-5-12-2025"]),
        (["gpt-5-12-2024", "gpt-5-01-2025"], ["gpt-5-01-2025"]),
        (["gpt-5-20251101", "gpt-5-2025-11-02"], ["gpt-5-2025-11-02"]),
        (["gpt-5@20251101", "gpt-5"], ["gpt-5"]),
        (["mistral-2411", "Mistral-2412"], ["Mistral-2412"]),
        (["llama", "qwen", "llama"], ["llama", "qwen"]),
    ],
)
def test_dated_duplicates_fold_into_one(listed: list[str], offered: list[str]) -> None:
    assert one_of_each(listed) == offered


@pytest.mark.parametrize(
    ("names", "offered"),
    [
        ("claude-opus-4-4 claude-opus-4-5", "claude-opus-4-5"),
        ("gpt-5-3 gpt-5-4", "gpt-5-4"),
        ("gemma-2-9b gemma-3-4b", "gemma-3-4b"),
        ("o8 o9-mini", "o9-mini"),
        ("nova-1 nova-2 nova-3", "nova-2 nova-3"),
        ("nova nova-1 nova-2 nova-3 nova-embed-9", "nova nova-2 nova-3"),
        ("qwen:2 qwen:3", "qwen:3"),
        ("gpt-oss-120b claude-mythos-5 gpt-5.5-cyber muse-1-contributor ft:gpt-6 gpt-6", "gpt-6"),
    ],
)
def test_each_family_has_an_oldest_that_is_still_served(names: str, offered: str) -> None:
    assert todays(names.split()) == offered.split()


def test_today_means_the_two_newest_of_each_line_and_nothing_retired() -> None:
    names = """
    claude-3-opus-latest claude-opus-4-5 claude-opus-4-8 claude-opus-5 claude-opus-5-5 claude-haiku-4-5
    claude-haiku-5-5 claude-mythos-5-2 gpt-4o gpt-5 gpt-5.5 gpt-6-sol gpt-6.1-sol gpt-image-2 o3 ft:gpt-4o
    """
    assert todays(names.split()) == [
        "claude-opus-5",
        "claude-opus-5-5",
        "claude-haiku-4-5",
        "claude-haiku-5-5",
        "gpt-5.5",
        "gpt-6-sol",
        "gpt-6.1-sol",
    ]
