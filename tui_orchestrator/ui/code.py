"""Code as lines of the screen: highlighted in the theme's colours, on a panel with its language above."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rich.cells import cell_len

from .lexers import tokens
from .lines import Line, Run, tidy, wrap
from .look import Look

PAD = 2
LONGEST_LINE = 250
"""Beyond it a chunk is drawn without colours: lexers are regular expressions, and some are slow on such lines."""

# From pygments' token types, the closest ancestor counts: https://pygments.org/docs/tokens/
_ROLES = {
    "Keyword": "code-keyword",
    "Keyword.Type": "code-type",
    "Keyword.Constant": "code-number",
    "Operator.Word": "code-keyword",
    "Name.Builtin": "code-type",
    "Name.Class": "code-type",
    "Name.Exception": "code-type",
    "Name.Function": "code-function",
    "Name.Decorator": "code-function",
    "Name.Tag": "code-keyword",
    "Name.Attribute": "code-function",
    "Name.Constant": "code-number",
    "Literal.String": "code-string",
    "Literal.Number": "code-number",
    "Comment": "code-comment",
    "Comment.Preproc": "code-keyword",
    "Generic.Heading": "code-keyword",
    "Generic.Deleted": "error",
    "Generic.Inserted": "success",
    "Generic.Prompt": "code-comment",
}


def top(language: str, width: int, look: Look) -> Line:
    label = language or "text"
    if cell_len(label) > width - 2 * PAD:
        label = ""
    return Line([(" " * PAD, look.style("text")), (label, look.style("code-comment"))], fill=look.code, quiet=True)


def bottom(look: Look) -> Line:
    return Line([], fill=look.code, quiet=True)


def lay_out(source: str, language: str, width: int, look: Look) -> list[Line]:
    """Long lines are wrapped, not cut off."""
    lines: list[Line] = []
    pad = [(" " * PAD, look.style("text"))]
    for runs in _highlighted(source, language, look):
        for line in wrap(runs, width - 2 * PAD, words=False):
            line = line.with_lead(pad)
            line.fill = look.code
            lines.append(line)
    return lines


def _highlighted(source: str, language: str, look: Look) -> list[list[Run]]:
    rows = source.split("\n")
    found = tokens(source, language) if max(map(len, rows)) <= LONGEST_LINE else None
    if found is None:
        return [[(tidy(row), look.style("text"))] for row in rows]
    lines: list[list[Run]] = [[]]
    for kind, text in found:
        style = look.style(_role(kind))
        first, *rest = text.split("\n")
        lines[-1].append((tidy(first), style))
        for part in rest:
            lines.append([(tidy(part), style)])
    # The lexer ends its text with a newline of its own.
    return lines[: len(rows)]


@lru_cache(maxsize=512)
def _role(kind: Any) -> str:
    path = list(kind)
    while path:
        if role := _ROLES.get(".".join(path)):
            return role
        path.pop()
    return "text"
