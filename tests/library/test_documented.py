"""Every example of docs/library.md, docs/recipes.md and docs/long-context.md runs as it stands."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path

import pytest

from tui_orchestrator.demo import Servers

DOCS = Path(__file__).parents[2] / "docs"
TEXT = "".join((DOCS / name).read_text() for name in ("library.md", "recipes.md", "long-context.md"))
EXAMPLES = dict(re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE))


def test_every_example_is_found() -> None:
    assert len(EXAMPLES) == TEXT.count("```python") >= 10


@pytest.mark.parametrize("title", EXAMPLES)
async def test_the_example_runs(title: str, servers: Servers, capsys: pytest.CaptureFixture[str]) -> None:
    compiled = compile(EXAMPLES[title], title, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if compiled.co_flags & inspect.CO_COROUTINE:
        await eval(compiled, {})
    else:
        await asyncio.to_thread(exec, compiled, {"__name__": "__main__"})
    assert capsys.readouterr().out.strip()
