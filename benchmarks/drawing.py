"""What it costs to draw an answer while it streams: this console's transcript beside two ways that come with Textual.

Prints one JSON object. `cpu_s` is processor time per 1,000 tokens; `stall_ms` is how much later than asked a task woke
that sleeps 5 ms at a time, so how long the event loop was held. `floor` streams into nothing. A token is four letters.

    python benchmarks/drawing.py [--tokens 1000] [--rate 100] [--size 120x40]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from rich.markdown import Markdown as RichMarkdown
from terminal.answer import tokens
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Markdown, Static

from tui_orchestrator.ui.transcript import Transcript

TICK_S = 0.005


async def stream(pieces: list[str], rate: float, take: Callable[[str], Awaitable[None]]) -> float:
    """At `rate` tokens a second, catching up where drawing held it. Returns seconds it ended late."""
    started = time.perf_counter()
    for number, piece in enumerate(pieces, 1):
        await take(piece)
        await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
    return time.perf_counter() - started - len(pieces) / rate


async def measure(app: App[None], size: tuple[int, int], run: Callable[[], Awaitable[float]]) -> dict[str, float]:
    stalls: list[float] = []

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK_S)
            stalls.append(time.perf_counter() - before - TICK_S)

    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        ticking = asyncio.create_task(tick())
        before = time.process_time()
        late = await run()
        await pilot.pause(0.2)
        spent = time.process_time() - before
        ticking.cancel()
    return {
        "cpu_s": round(spent, 3),
        "stall_p50_ms": round(1000 * statistics.median(stalls), 2),
        "stall_p95_ms": round(1000 * statistics.quantiles(stalls, n=20)[-1], 2),
        "stall_max_ms": round(1000 * max(stalls), 1),
        "late_s": round(late, 2),
    }


class Bench(App[None]):
    def __init__(self, widget: Any, scroll: bool = False) -> None:
        super().__init__()
        self.widget = widget
        self.scroll = scroll

    def compose(self) -> ComposeResult:
        if self.scroll:
            with VerticalScroll() as container:
                container.anchor()
                yield self.widget
        else:
            yield self.widget


async def floor(pieces: list[str], rate: float, size: tuple[int, int]) -> dict[str, float]:
    async def take(piece: str) -> None:
        pass

    return await measure(Bench(Static()), size, lambda: stream(pieces, rate, take))


async def transcript(pieces: list[str], rate: float, size: tuple[int, int]) -> dict[str, float]:
    widget = Transcript()

    async def take(piece: str) -> None:
        widget.append("answer", piece)

    async def run() -> float:
        widget.begin_answer("answer", "model")
        late = await stream(pieces, rate, take)
        widget.finish("answer", "done")
        return late

    return await measure(Bench(widget), size, run)


async def markdown_stream(pieces: list[str], rate: float, size: tuple[int, int]) -> dict[str, float]:
    widget = Markdown()

    async def run() -> float:
        writer = Markdown.get_stream(widget)
        late = await stream(pieces, rate, writer.write)
        await writer.stop()
        return late

    return await measure(Bench(widget, scroll=True), size, run)


async def static_markdown(pieces: list[str], rate: float, size: tuple[int, int]) -> dict[str, float]:
    """The whole text anew, thirty times a second."""
    widget = Static()
    text: list[str] = []

    async def take(piece: str) -> None:
        text.append(piece)

    async def run() -> float:
        timer = widget.set_interval(1 / 30, lambda: widget.update(RichMarkdown("".join(text))))
        late = await stream(pieces, rate, take)
        timer.stop()
        return late

    return await measure(Bench(widget, scroll=True), size, run)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--size", default="120x40")
    options = parser.parse_args()
    columns, rows = map(int, options.size.split("x"))
    pieces = tokens(options.tokens)
    # The first run pays for imports and caches, so each way is run once in small before it is measured.
    ways: dict[str, Any] = {
        "floor": floor,
        "transcript": transcript,
        "textual_markdown_stream": markdown_stream,
        "static_rich_markdown": static_markdown,
    }
    results: dict[str, dict[str, float]] = {}
    for name, way in ways.items():
        await way(tokens(200), 1000.0, (columns, rows))
        result = await way(pieces, options.rate, (columns, rows))
        result["cpu_s"] = round(result["cpu_s"] * 1000 / len(pieces), 3)
        results[name] = result
    print(json.dumps({"tokens": len(pieces), "rate": options.rate, "size": options.size, "ways": results}))


if __name__ == "__main__":
    asyncio.run(main())
