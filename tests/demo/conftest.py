"""The demo servers, and the vendors' own SDKs as their clients."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai import types as genai_types

from tui_orchestrator import demo

PROMPT = "Write a Python function that merges two sorted lists"


@pytest.fixture
async def servers() -> AsyncIterator[demo.Servers]:
    async with demo.serve(pace=0, habits=False) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
def openai_client(servers: demo.Servers, http: httpx2.AsyncClient) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="x", base_url=servers["demo-openai"].base_url, http_client=http, max_retries=0)


@pytest.fixture
def anthropic_client(servers: demo.Servers, http: httpx2.AsyncClient) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(
        api_key="x", base_url=servers["demo-anthropic"].base_url, http_client=http, max_retries=0
    )


@pytest.fixture
def gemini_client(servers: demo.Servers, http: httpx2.AsyncClient) -> genai.Client:
    return gemini(servers, http, "v1beta")


def gemini(servers: demo.Servers, http: httpx2.AsyncClient, version: str) -> genai.Client:
    options = genai_types.HttpOptions(
        base_url=servers["demo-gemini"].base_url, api_version=version, httpx_async_client=http
    )
    return genai.Client(api_key="x", http_options=options)
