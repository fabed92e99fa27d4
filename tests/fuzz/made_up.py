"""Input as no friend would write it: ordinary files bent a little, and texts of the pieces that trouble is made of."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from benchmarks.terminal import texts

at_length = settings(
    max_examples=500 if os.environ.get("FUZZ_MINUTES") else 40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

PIECES = (
    *(*texts.CONTROLS, *texts.BIDI, *texts.INVISIBLE, *texts.MARKUP, *texts.WORDS, *texts.MARKDOWN),
    *("\r\n", "\r", "\n", "\n\n", "\t", " ", "    ", "\x85", "\ud800", "\udfff", "\U0010ffff", "\ufffe", "&#0;"),
    *("&#xD800;", "&#x9b;", "&NotEqualTilde;", "&#1114112;", "-", "=", "|", "```", "~~~~", "<br>", "\\", "1. ", "#"),
    *("999999999. ", "- [ ] ", "> ", "![", "](", ")", "<http://", ">", "_", "**", "`", "~~", "|-|-|\n", "|a|b|\n"),
)
hostile = st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=6), max_size=30).map("".join)
repeated = st.tuples(hostile.map(lambda text: text[:30]), st.integers(1, 2_000)).map(lambda pair: pair[0] * pair[1])

ENDLESS = "1e999"
"""In JSON: a number, and read as infinity."""
numbers = st.sampled_from(
    [0, 1, -1, 2**31, 2**63, -(2**63) - 1, 10**25, 10**400, 1e308, 1e-308, float("inf"), float("nan"), -0.0, 0.1, 1.5]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | hostile | st.sampled_from(["", "0", "null", ENDLESS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile.map(lambda key: key[:12]), inner, max_size=3),
    max_leaves=6,
)


def as_json(document: Any) -> bytes:
    return json.dumps(document).replace(f'"{ENDLESS}"', ENDLESS).encode()


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = document.items() if isinstance(document, dict) else enumerate(document) if type(document) is list else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


@st.composite
def altered(draw: st.DrawFn, document: Any, others: st.SearchStrategy[Any] = values) -> Any:
    """A copy in which up to three places hold something else, are gone, or are held by another place's content."""
    document = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(places(document)))
        if not path:
            continue
        holder = document
        for part in path[:-1]:
            holder = holder[part]
        match draw(st.sampled_from(["other", "gone", "moved"])):
            case "other":
                holder[path[-1]] = draw(others)
            case "gone":
                del holder[path[-1]]
            case "moved":
                content: Any = document
                for part in draw(st.sampled_from(places(document))):
                    content = content[part]
                holder[path[-1]] = json.loads(json.dumps(content))
    return document


@st.composite
def bent(draw: st.DrawFn, data: bytes, pieces: Sequence[bytes] = (b"\x00", b"\xff", b"\r", b"\n", b'"', b"{")) -> bytes:
    """With up to four spans left out, said twice, or written over."""
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        between = draw(st.sampled_from([b"", data[start:end] * 2]) | st.sampled_from(pieces) | st.binary(max_size=8))
        data = data[:start] + between + data[end:]
    return data
