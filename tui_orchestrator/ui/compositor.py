"""A screen that draws again only what is seen of what has changed.

Textual's own asks every widget in the rectangle round all changes for its rows, those it is hidden behind included: for
a word that streams in that is nearly the whole screen, many times a second.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

_Rendered = tuple[Region, Region, list[Strip]]
"""A widget's region, the part of it that was rendered, and the rows of that part."""


class Spans(ChopsUpdate):
    def render_segments(self, console: Console) -> str:
        parts: list[str] = []
        for y, left, right in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x > right or end <= left:
                    continue
                if not (left <= x < right and end <= right):
                    strip = strip.crop(0, min(end, right) - x)
                parts.append(f"\x1b[{y + 1};{x + 1}H{strip.render(console)}")
        return "".join(parts)


class FrugalCompositor(Compositor):
    def __init__(self) -> None:
        super().__init__()
        self._wanted: list[Region] = []
        """What is drawn at the moment; empty: everything."""

    def render_partial_update(self) -> ChopsUpdate | None:
        # A region may lie outside the screen for as long as it takes to lay it out anew.
        screen = self.size.region
        self._wanted = [part for region in self._dirty_regions if (part := region.intersection(screen))]
        self._dirty_regions.clear()
        if not self._wanted:
            return None
        try:
            spans = list(self._regions_to_spans(self._wanted))
            chops = self._render_chops(Region.from_union(self._wanted), {y for y, _, _ in spans}.__contains__)
        finally:
            self._wanted = []
        return Spans(chops, spans, [cuts[1:] for cuts in self.cuts])

    def _get_renders(self, crop: Region | None = None) -> Iterable[_Rendered]:
        if not self._wanted:
            yield from super()._get_renders(crop)
            return
        for widget, region, part in self._seen(self._wanted):
            yield region, part, widget.render_lines(part.translate(-region.offset))

    def _seen(self, wanted: list[Region]) -> Iterable[tuple[Widget, Region, Region]]:
        """Each widget that is to be drawn, the foremost first, with its region and the part of it."""
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            touched = [one for one in wanted if shown.overlaps(one)]
            if not touched:
                continue
            top, bottom = min(one.y for one in touched), max(one.bottom for one in touched)
            part = shown.intersection(Region(shown.x, top, shown.width, bottom - top))
            if part:
                yield widget, region, part
            wanted = [one for one in wanted if not shown.contains_region(one)]
            if not wanted:
                return


class FrugalScreen(Screen[None]):
    def __init__(self) -> None:
        super().__init__()
        self._compositor = FrugalCompositor()
