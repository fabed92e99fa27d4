"""A screen that draws again only what is seen of what has changed.

Textual's own asks every widget in the rectangle round all changes for its rows, those it is hidden behind included, and
puts them together cell by cell: for a word that streams in that is nearly the whole screen, many times a second. Here
each piece of a change is drawn by whichever widget is seen there, and rows that look as before are not even joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from textual._compositor import Compositor, CompositorUpdate
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget


class Pieces(CompositorUpdate):
    def __init__(self, pieces: Iterable[tuple[int, int, Strip]]) -> None:
        """Column, row, and what is to stand from there on."""
        self.pieces = list(pieces)

    def render_segments(self, console: Console) -> str:
        return "".join([f"\x1b[{y + 1};{x + 1}H{strip.render(console)}" for x, y, strip in self.pieces])


class FrugalCompositor(Compositor):
    def render_partial_update(self) -> Pieces | None:  # type: ignore[override]  # any update will do
        # A region may lie outside the screen for as long as it takes to lay it out anew.
        screen = self.size.region
        wanted = [part for region in self._dirty_regions if (part := region.intersection(screen))]
        self._dirty_regions.clear()
        if not wanted:
            return None
        return Pieces(
            (part.x, y, strip)
            for widget, region, part in self._seen(wanted)
            for y, strip in enumerate(widget.render_lines(part.translate(-region.offset)), part.y)
        )

    def _seen(self, wanted: list[Region]) -> Iterator[tuple[Widget, Region, Region]]:
        """Each widget that is to be drawn, the foremost first, with its region and a part of it; no two overlap but
        where what is wanted does."""
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            left: list[Region] = []
            for one in wanted:
                if part := one.intersection(shown):
                    yield widget, region, part
                    left += _without(one, part)
                else:
                    left.append(one)
            wanted = left
            if not wanted:
                return


def _without(region: Region, part: Region) -> list[Region]:
    """What is left of a region: above, below, and on both sides of a part of it."""
    rest = (
        Region(region.x, region.y, region.width, part.y - region.y),
        Region(region.x, part.bottom, region.width, region.bottom - part.bottom),
        Region(region.x, part.y, part.x - region.x, part.height),
        Region(part.right, part.y, region.right - part.right, part.height),
    )
    return [one for one in rest if one]


class FrugalScreen(Screen[None]):
    def __init__(self) -> None:
        super().__init__()
        self._compositor = FrugalCompositor()
