"""Titles made from first prompts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_orchestrator.storage.titles import title_of


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("What is the capital of France?", "What is the capital of France?"),
        ('What means "hello world"', 'What means "hello world"'),
        ('"Hello world" means what', '"Hello world" means what'),
        ('"Brave new world"', "Brave new world"),
        ("Hi! Could you please tell me how to merge two lists in Python? Thanks!", "How to merge two lists in Python?"),
        ("please write a haiku, thanks", "Write a haiku"),
        ("Kannst du mir bitte einen B-Baum erklären?", "Einen B-Baum erklären?"),
        ("请帮我解释一下二叉树的遍历方法", "解释一下二叉树的遍历方法"),
        ("```python\ndef merge(a, b): ...\n```\nwhy does this loop forever?", "Why does this loop forever?"),
        ("```python\ndef merge(a, b): ...\n```", "def merge(a, b): ..."),
        ("Review this change\n\nnotes.md:\n```md\n# hello\n```", "Review this change"),
        ("# Fix the **bug** in `my_list`", "Fix the bug in my_list"),
        ("np.array broadcasting: why?", "np.array broadcasting: why?"),
        ("Explain https://www.example.com/a/b?c=d to me", "Explain example.com to me"),
        # cut between words
        ("Compare SQLite and DuckDB for a small team that soon will be large",
         "Compare SQLite and DuckDB for a small team that soon will…"),
        ("hi", "Hi"),
        ("hello there", "Hello there"),
        ("", ""),
        ("\x1b[2J\u202emischief", "2Jmischief"),
    ],
)  # fmt: skip
def test_a_title_is_the_first_sentence_that_says_something(prompt: str, title: str) -> None:
    assert title_of(prompt) == title


@given(st.text(max_size=300))
def test_a_title_is_one_harmless_line_of_at_most_60_cells(prompt: str) -> None:
    title = title_of(prompt)
    assert cell_len(title) <= 60
    assert "\n" not in title
    assert "\x1b" not in title
