"""A block of Markdown as lines of the screen.

Nothing in it can act: HTML is shown as text, links as text with their address, and every piece of text is cleaned again
after the parser, because a numeric entity can spell a control character.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from rich.cells import cell_len
from rich.style import Style

from . import code, table
from .blocks import Block, Kind
from .lines import Line, Run, tidy, wrap
from .look import Look

BULLETS = "•◦▪"
MIN_WIDTH = 8
"""However deep the nesting, text gets this many cells."""
LEVELS = 8
"""Nesting that is told apart in what is nested more deeply than the parser reads."""
MAX_COLUMNS = 64
"""A wider table is shown as its source."""
MAX_BRACKETS = 200
"""What has more of them is shown as its source: the parser seeks the end of each anew."""


@cache
def _parser() -> MarkdownIt:
    # Without "reference", because a definition would vanish from the screen, and blocks must not depend on one another.
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("reference")


@cache
def _block_parser() -> MarkdownIt:
    """What stands within a line is not read: links never closed would take the square of their number."""
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable(["reference", "inline"])


def fences(text: str) -> list[tuple[str, str]]:
    """(language, code) of every code block, as its author wrote it."""
    return [(token.info.strip(), token.content) for token in _block_parser().parse(text) if token.type == "fence"]


def _read(text: str) -> SyntaxTreeNode | None:
    """What nests too deeply loses levels, never words; None where even then the parser would drop some."""
    for source in (text, _flattened(text)):
        tokens = _parser().parse(source)
        # A container that ends up as deep as the parser goes is left empty by it.
        deepest = max((token.level for token in tokens if token.type in _CONTAINERS), default=0)
        if deepest < _parser().options["maxNesting"] - 1:
            return SyntaxTreeNode(tokens)
    return None


def _flattened(text: str) -> str:
    """With no more markers and indentation at the beginning of a line than `LEVELS`."""
    return "\n".join(_DEEP.sub(r"\1", line[max(0, _indent(line) - 2 * LEVELS) :]) for line in text.split("\n"))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def lay_out(block: Block, width: int, look: Look) -> list[Line]:
    """The block's own rows, without the gap before it."""
    width = max(MIN_WIDTH, width)
    room = max(MIN_WIDTH, width - block.margin)
    match block.kind:
        case Kind.PLAIN:
            lines = wrap([(tidy(block.text), look.style("text"))], room)
        case Kind.FENCE_OPEN:
            lines = [code.top(block.language, room, look)]
        case Kind.CODE:
            lines = code.lay_out(block.text, block.language, room, look)
        case Kind.FENCE_CLOSE:
            lines = [code.bottom(look)]
        case Kind.TABLE if block.text.partition("\n")[0].count("|") > MAX_COLUMNS:
            lines = wrap([(tidy_lines(block.text), look.style("text"))], room)
        case _ if block.text.count("[") > MAX_BRACKETS:
            lines = wrap([(tidy_lines(block.text), look.style("text"))], room)
        case Kind.TABLE if block.head:
            lines = _Renderer(look).table_rest(block, room)
        case _:
            tree = _read(block.text)
            if tree is None:
                lines = wrap([(tidy_lines(block.text), look.style("text"))], room)
            else:
                lines = _Renderer(look, block.number, least=max(MIN_WIDTH, room // 2)).stack(tree.children, room)
    if block.margin and width > MIN_WIDTH:
        lines = [line.with_lead([(" " * min(block.margin, width - MIN_WIDTH), look.style("text"))]) for line in lines]
    return [part for line in lines for part in _fitted(line, width)]


class _Renderer:
    def __init__(self, look: Look, number: int | None = None, body: str = "text", least: int = MIN_WIDTH) -> None:
        """`least`: cells that the bars of quotes leave to the text."""
        self.look = look
        self.least = least
        self.body = look.style(body)
        self.number = number
        self.depth = 0

    def stack(self, nodes: list[SyntaxTreeNode], width: int, tight: bool = False) -> list[Line]:
        lines: list[Line] = []
        for index, node in enumerate(nodes):
            listed = node.type in ("bullet_list", "ordered_list")
            if index and not (tight or (listed and nodes[index - 1].type == "paragraph")):
                lines.append(Line([]))
            lines += self.node(node, max(MIN_WIDTH, width))
        return lines

    def node(self, node: SyntaxTreeNode, width: int) -> list[Line]:
        match node.type:
            case "heading":
                return self.heading(node, width)
            case "bullet_list" | "ordered_list":
                return self.listing(node, width)
            case "blockquote":
                room = width - 2 if width - 2 >= self.least else width
                inner = _Renderer(self.look, body="muted", least=self.least).stack(node.children, room)
                if room == width:
                    return inner
                return [line.with_lead([("▎ ", self.look.style("secondary"))]) for line in inner]
            case "fence" | "code_block":
                language = node.info.strip().split(" ")[0].lower() if node.type == "fence" else ""
                body = code.lay_out(tidy_lines(node.content.rstrip("\n")), language, width, self.look)
                return [code.top(tidy(language), width, self.look), *body, code.bottom(self.look)]
            case "hr":
                return [Line([("─" * width, self.look.style("border"))], quiet=True)]
            case "table":
                return table.lay_out(self.cells(node), width, self.look)
            case _:
                inline = [child for child in node.children if child.type == "inline"]
                return wrap([run for child in inline for run in self.inline(child)], width)

    def heading(self, node: SyntaxTreeNode, width: int) -> list[Line]:
        level = int(node.tag[1])
        style = self.look.style(f"heading-{level}" if level <= 3 else "strong")
        lines = wrap([run for child in node.children for run in self.inline(child, style)], width)
        if level == 1:
            lines.append(Line([("━" * width, self.look.style("border"))], quiet=True))
        return lines

    def listing(self, node: SyntaxTreeNode, width: int) -> list[Line]:
        lines: list[Line] = []
        start = node.attrs.get("start", 1)
        number = self.number if self.number is not None else int(start)
        # Only the block's own first item goes by its place in the answer; lists inside it count for themselves.
        self.number = None
        numbers = range(number, number + len(node.children))
        loose = any(child.type == "paragraph" and not child.hidden for item in node.children for child in item.children)
        self.depth += 1
        for index, (number, item) in enumerate(zip(numbers, node.children, strict=True)):
            if node.type == "ordered_list":
                mark = f"{number}. ".rjust(len(f"{numbers[-1]}. "))
            else:
                mark = BULLETS[min(self.depth, len(BULLETS)) - 1] + " "
            if index and loose:
                lines.append(Line([]))
            body = self.stack(item.children, width - len(mark), tight=not loose) or [Line([])]
            lines += _hang(body, mark, self.look)
        self.depth -= 1
        return lines

    def cells(self, node: SyntaxTreeNode) -> table.Cells:
        rows = [row for part in node.children for row in part.children]
        aligns = [str(cell.attrs.get("style", "")).removeprefix("text-align:") for cell in rows[0].children]
        cells = [[child for cell in row.children for child in cell.children] for row in rows]
        content = [[self.inline(cell) for cell in row] for row in cells]
        return table.Cells(content, aligns, [[cell.content for cell in row] for row in cells])

    def table_rest(self, block: Block, width: int) -> list[Line]:
        """The rows after the cut, in the columns of the first chunk."""
        header = "\n".join(block.head.split("\n")[:2])
        first, rest = (SyntaxTreeNode(_parser().parse(text)) for text in (block.head, f"{header}\n{block.text}"))
        nodes = [tree.children[-1] for tree in (first, rest)]
        if any(node.type != "table" for node in nodes):
            return wrap([(tidy_lines(block.text), self.look.style("text"))], width)
        above, below = (self.cells(node) for node in nodes)
        widths = table.column_widths(above.rows + below.rows, width)
        return table.lay_out(below, width, self.look, widths=widths, header=False)

    def inline(self, node: SyntaxTreeNode, style: Style | None = None) -> list[Run]:
        """Runs, in which a newline is a line break the author made."""
        tokens = node.token.children if node.token and node.token.children else []
        styles = [style or self.body]
        links: list[tuple[str, int]] = []
        runs: list[Run] = []
        for token in tokens:
            if token.nesting == 1:
                if token.type == "link_open":
                    links.append((str(token.attrs.get("href", "")), len(runs)))
                styles.append(styles[-1] + self._inline_style(token))
            elif token.nesting == -1:
                styles.pop()
                if token.type == "link_close" and links:
                    runs += self._address(*links.pop(), runs)
            else:
                runs += self._leaf(token, styles[-1])
        return runs

    def _inline_style(self, token: Token) -> Style:
        match token.tag:
            case "strong":
                return _BOLD
            case "em":
                return _ITALIC
            case "s":
                return _STRIKE
            case "a":
                return self.look.style("link")
        return _NONE

    def _leaf(self, token: Token, style: Style) -> list[Run]:
        match token.type:
            case "softbreak" | "hardbreak":
                return [("\n", style)]
            case "code_inline":
                return [(tidy(token.content), style + self.look.style("code-inline") + self.look.code)]
            case "image":
                source = tidy(str(token.attrs.get("src", "")))
                return [(f"▣ {tidy(token.content)} ", style), (f"({source})", self.look.style("muted"))]
        parts = _LINE_BREAK.split(token.content)
        return [(part if part == "\n" else tidy(part), style) for part in _between(parts) if part]

    def _address(self, address: str, first: int, runs: list[Run]) -> list[Run]:
        shown = "".join(text for text, _ in runs[first:])
        address = tidy(address)
        return (
            [] if shown in (address, address.removeprefix("mailto:")) else [(f" ({address})", self.look.style("muted"))]
        )


def _fitted(line: Line, width: int) -> list[Line]:
    """Nesting deeper than the screen is wide leaves lines that are too long: they are folded rather than cut off."""
    if cell_len(line.text) <= width:
        return [line]
    first, *rest = wrap(line.runs, width, words=False)
    rest = [replace(part, fill=line.fill, quiet=line.quiet, row=line.row) for part in rest]
    return [replace(line, runs=first.runs, cells=()), *rest]


def tidy_lines(text: str) -> str:
    return "\n".join(tidy(line) for line in text.split("\n"))


def _hang(body: list[Line], mark: str, look: Look) -> list[Line]:
    first, *rest = body
    space = " " * len(mark)
    lines = [first.with_lead([(mark, look.style("accent"))], copied=not first.lead)]
    for line in rest:
        # A wrapped line is copied as one with its beginning, so its indentation is not; a nested block keeps it.
        lines.append(line.with_lead([(space, look.style("text"))], copied=line.join == "\n" and not line.lead))
    return lines


def _between(parts: list[str]) -> list[str]:
    """The parts with a newline between each two."""
    return [piece for part in parts for piece in ("\n", part)][1:]


_CONTAINERS = ("blockquote_open", "list_item_open")
_DEEP = re.compile(rf"^( *(?:(?:>|[-*+]|\d{{1,9}}[.)]) *){{{LEVELS}}})(?:(?:>|[-*+]|\d{{1,9}}[.)])(?: +|(?=>)|$))+")
# Models write it in table cells, where Markdown has no other line break.
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_NONE, _BOLD, _ITALIC, _STRIKE = Style(), Style(bold=True), Style(italic=True), Style(strike=True)
