"""Code as lines of the screen: highlighted in the theme's colours, on a panel with its language above."""

from __future__ import annotations

from collections import Counter
from functools import cache, lru_cache
from time import thread_time
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from .lines import Line, Run, tidy, wrap
from .look import Look

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

PAD = 2
LONGEST_LINE = 250
"""Beyond it a chunk is drawn without colours: lexers are regular expressions, and some are slow on such lines."""
MOST_S = 0.03
"""Of processor time, ten times what a chunk takes. One that takes more is drawn without colours, and so is all that
comes in a language of which that was seen `OFTEN`: of 600 languages (pygments 2.19, November 2026) a dozen take a tenth
of a second to a whole one for some 2,000 characters."""
OFTEN = 2

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


_slow: Counter[str] = Counter()
"""How often each language took too long."""


def _highlighted(source: str, language: str, look: Look) -> list[list[Run]]:
    rows = source.split("\n")
    plain = [[(tidy(row), look.style("text"))] for row in rows]
    lexer = None if _slow[language] >= OFTEN else _lexer(language)
    if lexer is None or max(map(len, rows)) > LONGEST_LINE:
        return plain
    lines: list[list[Run]] = [[]]
    until = thread_time() + MOST_S
    for kind, text in lexer.get_tokens(source):
        if thread_time() > until:
            _slow[language] += 1
            return plain
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


@cache
def _aliases() -> dict[str, str]:
    from pygments.lexers import get_all_lexers  # type: ignore[import-untyped]

    # Without plugins: looking for them reads the metadata of every installed package.
    return {alias: aliases[0] for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases}


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name

    alias = _aliases().get(language)
    return get_lexer_by_name(alias, stripnl=False, stripall=False) if alias else None
