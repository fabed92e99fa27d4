"""What is streamed: Markdown of every kind, cut into tokens of four letters."""

from __future__ import annotations

TOKEN = 4
"""Letters."""

PASSAGE = '''
## Step {n}: reading the data

The *first* thing to see is that a stream has **no end** that anyone could wait for, so `parse()` must work with
what has come. See [the manual](https://example.org/manual) for the details, and 日本語 for width.

1. Read a chunk
2. Feed it to the parser
   - settle what cannot change any more
   - keep the rest

```python
async def read(stream: Stream, step: int = {n}) -> list[Block]:
    """Blocks that are settled."""
    blocks = []
    async for chunk in stream:
        blocks += parser.feed(chunk)  # the tail stays inside
    return blocks
```

| step | reads | writes | remark |
|:--|--:|--:|---|
| {n} | 4,096 | 1,024 | the usual case |
| next | 8,192 | 2,048 | twice as much, because the window grows with what was acknowledged |

> What is drawn once need not be drawn again.
'''


def tokens(count: int, last: str = "") -> list[str]:
    """`last` is a word that ends the text, within the count."""
    end = f"\n\n{last}" if last else ""
    size = count * TOKEN - len(end)
    text = "".join(PASSAGE.format(n=n) for n in range(1, 2 + size // len(PASSAGE)))[:size]
    if last and text.count("```") % 2:
        # A fence left open would take the last word in.
        text = text[: text.rindex("```")]
        text += ("so it goes on, " * (1 + size // 15))[: size - len(text)]
    text += end
    return [text[at : at + TOKEN] for at in range(0, len(text), TOKEN)]
