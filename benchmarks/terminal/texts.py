"""Texts that no terminal and no program should have to read, made up from a seed: the same ones every time.

Whatever could pass for a sequence of the console's own has the number 31337 in it, so that it is told from one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

ESC, CSI8, ST8 = "\x1b", "\x9b", "\x9c"

CONTROLS = (
    f"{ESC}]52;c;SE9TVElMRQ==\x07",  # writes the clipboard
    f"{ESC}]52;c;?{ESC}\\",  # reads it, and types it
    f"{ESC}]8;;ssh://h/-oProxyCommand=x{ESC}\\click{ESC}]8;;{ESC}\\",
    f"{ESC}]0;title\x07",
    f"{ESC}]9;note\x07",
    f"{ESC}]1337;File=inline=1:AAAA\x07",
    f"{ESC}[31337;31337H",
    f"{ESC}[31337;5m",
    f"{ESC}[2J",
    f"{ESC}[?1049l",
    f"{ESC}[6n",
    f"{ESC}[c",
    f"{ESC}[>c",
    f"{ESC}[?31337h",
    f"{ESC}[21t",
    f"{ESC}[5i",
    f'{ESC}P$q"p{ESC}\\',
    f"{ESC}P+q544e{ESC}\\",
    f"{ESC}_Gi=1;AAAA{ESC}\\",
    f"{ESC}^secret{ESC}\\",
    f"{ESC}c",
    f"{ESC}#8",
    f"{ESC}(0",
    f"{CSI8}31337m{CSI8}2J",
    f"\x9d52;c;eA=={ST8}",
    "\x90q\x9c",
    *map(chr, (*range(0, 9), *range(11, 32), 127, *range(128, 160))),
    "\r\x1b[2K",
    "\x1b[200~rm -rf ~\n\x1b[201~",
)
BIDI = ("\u202e", "\u202d", "\u2066", "\u2067", "\u2068", "\u2069", "\u200f", "\u200e", "\u061c", "\u202a")
INVISIBLE = (
    "\u200b",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u180e",
    "\ufe0f",
    "\U000e0041",
    "\u2028",
    "\u2029",
    "\u034f",
)
MARKUP = (
    "[@click=app.hostile]click me[/]",
    "[@click=app.quit]x[/]",
    "[@click='app.hostile()']y[/]",
    "[link=https://x.test/[a]]l[/link]",
    "[/x]",
    "[/]",
    "[red on",
    "[bold]b[/red]",
    "[on $primary]x",
    "\\[",
    "[@click=app.hostile",
    "https://x.test/[a](b)[c]",
    "[link='javascript:1']j[/]",
)
WORDS = ("ordinary", "words", "日本語", "👩‍👩‍👧‍👦", "🏳️‍🌈", "e\u0301", "ß", "नमस्ते", "שלום", "مرحبا", "ﷺ", "❤️", "①", "…")
ENDLESS = {
    **dict.fromkeys(("ansys", "cddl", "chapel", "factor", "fish", "maple", "ncl", "pan", "registry"), '"' + "\\" * 60),
    **dict.fromkeys(("rego", "rell", "scala", "smithy", "tcsh"), '"' + "\\" * 60),
    "fancy": "/" + "\\" * 60,
    "urbiscript": "'" + "\\" * 60,
    "mcschema": "<!--" * 15,
}
"""Languages with a line that keeps a regular expression of pygments' lexer busy for ever."""
SLOW = {
    "pug": "-" * 240 + "\n" + "-" * 240,
    "fan": "a" * 240 + "\n" + "a" * 240,
    "gherkin": (" " * 40 + "\n") * 40,
    "aspectj": "a\n" * 1_000,
    "systemd": ('"' * 240 + "\n") * 4,
}
"""And those with a text that takes it some tenths of a second in all; `pug` uses the lexer of `scala`."""
FENCES = tuple(f"\n```{language}\n{text}\n```\n" for language, text in [*ENDLESS.items(), *SLOW.items()])
MARKDOWN = (
    "[a](ssh://host/-oProxyCommand=id)",
    "![i](file:///etc/passwd)",
    "<https://x.test/%1b]52;c;eA==%07>",
    "&#27;]52;c;eA==&#7;",
    "&#x9b;2J&#155;31337m",
    "<script>alert(1)</script>",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "```\n\x1b[2J\n```",
    "- " * 40 + "deep",
    "> " * 60 + "deeper",
    "*" * 80,
    "[" * 90,
    "`" * 41,
    "[a][b]\n\n[b]: data:text/html,x",
    *FENCES,
)


def _mixed(rng: random.Random) -> str:
    kinds = (CONTROLS, CONTROLS, BIDI, INVISIBLE, MARKUP, WORDS, MARKDOWN)
    pieces = [rng.choice(rng.choice(kinds)) for _ in range(rng.randint(1, 14))]
    return rng.choice(("", " ", " ", "\n")).join(pieces)


def _characters(rng: random.Random) -> str:
    ranges = (
        (0, 0x20),
        (0x7F, 0xA0),
        (0x20, 0x7F),
        (0x2000, 0x2070),
        (0x300, 0x370),
        (0x1F300, 0x1FAFF),
        (0xD800, 0xE000),
    )
    return "".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(rng.randint(1, 60)))


def _marks(rng: random.Random) -> str:
    return "Z" + "".join(chr(rng.randrange(0x300, 0x370)) for _ in range(rng.randint(50, 4_000))) + "algo"


GIANTS: dict[str, Callable[[int], str]] = {
    "one line": lambda size: "x" * size,
    "one line of words": lambda size: "word " * (size // 5),
    "one line of wide characters": lambda size: "語" * (size // 3),
    "one line of emoji": lambda size: "👩‍👩‍👧‍👦" * (size // 25),
    "one line of marks": lambda size: "Z" + "\u0301" * (size // 2),
    "short paragraphs": lambda size: "a\n\n" * (size // 3),
    "short lines": lambda size: "ab\n" * (size // 3),
    "empty lines": lambda size: "\n" * size,
    "nested quotes": lambda size: ">" * size,
    "nested quotes by line": lambda size: "".join(">" * (n % 200) + " q\n" for n in range(size // 100)),
    "nested lists": lambda size: "".join(" " * (2 * (n % 120)) + "- i\n" for n in range(size // 120)),
    "list markers": lambda size: "- " * (size // 2),
    "open brackets": lambda size: "[" * size,
    "links never closed": lambda size: "[a](" * (size // 4),
    "stars": lambda size: "*a " * (size // 3),
    "many stars": lambda size: "*" * size,
    "emphasis that crosses": lambda size: "**a *b " * (size // 7),
    "backticks": lambda size: "".join("`" * (n % 300) + " " for n in range(size // 150)),
    "a wide table": lambda size: "|a" * (size // 6) + "|\n" + "|-" * (size // 6) + "|\n" + "|b" * (size // 6) + "|\n",
    "a long table": lambda size: "| a | b |\n|---|---|\n" + "| c | d |\n" * (size // 10),
    "a table of long cells": lambda size: (
        "| a | b |\n|---|---|\n| " + "w " * (size // 4) + " | " + "v " * (size // 4) + " |\n"
    ),
    "entities": lambda size: "&#27;" * (size // 5),
    "backslashes": lambda size: "\\" * size,
    "escapes": lambda size: "\x1b[2J" * (size // 4),
    "code of one line": lambda size: "```python\n" + "x=" * (size // 2) + "\n```",
    "code of many lines": lambda size: (
        "```python\n" + "def f(x): return '''" * 1 + "a = [1, 2]\n" * (size // 11) + "```"
    ),
    "code of brackets": lambda size: "```javascript\n" + "({[" * (size // 3) + "\n```",
    "code of quotes": lambda size: "```rust\n" + "\"'`/*" * (size // 5) + "\n```",
    "code of blanks": lambda size: "```autoit\n" + (" " * 40 + "\n") * (size // 41) + "```",
    "code of words": lambda size: "```java\n" + ("a " * 20 + "\n") * (size // 41) + "```",
    "code that lexers are slow with": lambda size: "".join(FENCES) * (1 + size // sum(map(len, FENCES))),
    "fences": lambda size: "```\n" * (size // 4),
    "html": lambda size: "<a href=" * (size // 8),
    "html comments": lambda size: "<!-- " * (size // 5),
    "autolinks": lambda size: "<a@" * (size // 3),
    "headings": lambda size: "# h\n" * (size // 4),
    "one heading": lambda size: "# " + "h " * (size // 2),
    "underlined": lambda size: "a\n=\n" * (size // 4),
    "tabs": lambda size: "\ta\n" * (size // 3),
    "blanks": lambda size: " " * size,
    "references": lambda size: "[a]: b\n" * (size // 7),
    "images": lambda size: "![" * (size // 2),
    "markup": lambda size: "[@click=app.hostile]x" * (size // 21),
}
"""By name: of about as many bytes as asked for, each of which cost some parser dear."""


def texts(count: int, seed: int = 1) -> Iterator[str]:
    rng = random.Random(seed)
    giants = list(GIANTS.values())
    for number in range(count):
        kind = number % 20
        if kind < 13:
            yield _mixed(rng)
        elif kind < 17:
            yield _characters(rng)
        elif kind < 18:
            yield _marks(rng)
        else:
            yield rng.choice(giants)(rng.randint(200, 6_000)) + rng.choice(CONTROLS)
