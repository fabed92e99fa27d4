"""Specialists by name, as a reader would check them."""

from __future__ import annotations

import pytest

from tui_orchestrator.providers.specialists import SPECIALTIES, specialty
from tui_orchestrator.routing.profile import TaskType

# name, better at, worse at
SPECIALISTS = """
qwen2.5-coder:7b                        code        creative
qwen/qwen3-coder-480b                   debugging   conversation
codestral-2508                          code        research
x-ai/grok-code-fast-1                   code        translation
codegemma-7b                            completion  creative
mathstral-7b                            math        code
qwen2.5-math-72b                        math        translation
deepseek-r1:70b                         math        creative
o3                                      reasoning   conversation
qwq-32b                                 reasoning   creative
moonshotai/kimi-k2-thinking             math        translation
nvidia/llama3-chatqa-1.5-8b             -           simple_qa
""".strip().splitlines()


@pytest.mark.parametrize("row", SPECIALISTS, ids=lambda row: row.split()[0])
def test_a_specialist_is_better_at_its_own_and_worse_elsewhere(row: str) -> None:
    name, better, worse = row.split()
    found = specialty(name)
    assert found is not None
    if better != "-":
        assert found.offsets[TaskType(better)] > 0
    assert found.offsets[TaskType(worse)] < 0


@pytest.mark.parametrize(
    "name",
    ["gpt-6-luna", "claude-opus-5-5", "llama3.1:8b", "gpt-4o", "grok-4-1-fast-non-reasoning", "decoder-7b", "o1000"],
)
def test_who_is_no_specialist_is_the_same_everywhere(name: str) -> None:
    assert specialty(name) is None


def test_every_row_says_what_it_was_judged_from_and_when() -> None:
    for one in SPECIALTIES:
        assert "202" in one.source
        assert all(0 < abs(offset) <= 0.15 for offset in one.offsets.values())
