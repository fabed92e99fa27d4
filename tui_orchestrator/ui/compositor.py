"""A screen that draws again only what is seen of what has changed.

Textual's own asks every widget in the rectangle round all changes for its rows, those it is hidden behind included, and
puts them together cell by cell: for a word that streams in that is nearly the whole screen, many times a second. Here
each piece of a change is drawn by whichever widget is seen there, and rows that look as before are not even joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter

from rich.color import Color as Ink
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import Compositor, CompositorUpdate, LayoutUpdate, ReflowResult
from textual.await_complete import AwaitComplete
from textual.color import Color
from textual.events import ScreenResume
from textual.geometry import Region, Size
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.strip import Strip
from textual.widget import Widget

from .painting import filtered


class Pieces(CompositorUpdate):
    def __init__(self, pieces: Iterable[tuple[int, int, Strip]]) -> None:
        """Column, row, and what is to stand from there on."""
        self.pieces = list(pieces)

    def render_segments(self, console: Console) -> str:
        return "".join([f"\x1b[{y + 1};{x + 1}H{strip.render(console)}" for x, y, strip in self.pieces])


class FrugalCompositor(Compositor):
    def __init__(self) -> None:
        super().__init__()
        self._placed: dict[Widget, tuple[Region, Region]] = {}
        """What is drawn or about to be, each with its region and clip."""

    def clear(self) -> None:
        super().clear()
        self._placed = {}

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        result = super().reflow(parent, size)
        self._draw_what_moved()
        return result

    def reflow_visible(self, parent: Widget, size: Size) -> set[Widget]:
        exposed = super().reflow_visible(parent, size)
        self._draw_what_moved()
        return exposed

    def _draw_what_moved(self) -> None:
        """Textual compares with the last layout it worked out, which may never have been drawn: whoever asks for the
        place of a widget after a notice has gone has one worked out, and the notice would stay on the screen."""
        changes = self._placed.items() ^ self.visible_widgets.items()
        self._placed = self.visible_widgets
        if self.size.region not in self._dirty_regions:
            self._dirty_regions.update(part for _, (region, clip) in changes if (part := region.intersection(clip)))

    def strips(self, wanted: Region) -> list[Strip]:
        """The rows of a part of the screen as they look, nothing before it included; it lies within `size`."""
        rows: list[list[tuple[int, Strip]]] = [[] for _ in range(wanted.height)]
        for widget, region, part in self._seen([wanted]):
            for y, strip in enumerate(widget.render_lines(part.translate(-region.offset)), part.y - wanted.y):
                rows[y].append((part.x, strip))
        return [Strip.join([strip for _, strip in sorted(row, key=itemgetter(0))]) for row in rows]

    def render_strips(self, size: Size | None = None) -> list[Strip]:
        return self.strips((size or self.size).region.intersection(self.size.region))

    def render_full_update(self, simplify: bool = False) -> LayoutUpdate:
        self._dirty_regions.clear()
        strips = self.strips(self.size.region)
        if simplify:
            strips = [strip.simplify().discard_meta() for strip in strips]
        return LayoutUpdate([[strip] for strip in strips], self.size.region)

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

    def draw_at_once(self, widget: Widget) -> None:
        """What has changed of this widget alone, before the next frame. Does nothing where it has to be laid out."""
        laid_out = not (self._layout_required or widget._layout_required)
        if laid_out and self.is_current and not self.app._batch_count:
            self._compositor.update_widgets({widget})
            self.app._display(self, self._compositor.render_partial_update())


class FrugalModal(ModalScreen[ScreenResultType]):
    """Over another screen, of which it draws what is seen beside it and has changed, in the shade of its background.

    Textual's own draws all of what is below anew for each letter that changes on either.
    """

    def __init__(self) -> None:
        super().__init__()
        self._compositor = FrugalCompositor()
        self._shade = Shade(Color(0, 0, 0))
        self._ending: tuple[ScreenResultType | None] | None = None
        """The result, once there is one."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Once: what is pressed twice must not close what lies below. While another lies over it, it waits until it is
        in front, and then ends with this result."""
        if self._ending is None:
            self._ending = (result,)
        if self.app.screen_stack[-1:] != [self]:
            return AwaitComplete()
        return super().dismiss(self._ending[0])

    def on_screen_resume(self, event: ScreenResume) -> None:
        if self._ending is not None:
            event.prevent_default()
            self.dismiss()

    def render_lines(self, crop: Region) -> list[Strip]:
        below, background = self._below, self.styles.background
        if below is None or background.a == 1:
            return super().render_lines(crop)
        if self._shade.color != background:
            self._shade = Shade(background)
        # While the terminal changes its size, what is below may still have the one it had.
        there = crop.intersection(below.size.region)
        filters, around = self.get_line_filters(), self.background_colors[1]
        rows = [filtered(self._shade.over(strip), filters, around) for strip in below.strips(there)]
        rows = [row.adjust_cell_length(crop.width) for row in rows]
        return rows + [Strip.blank(crop.width)] * (crop.height - len(rows))

    @property
    def _below(self) -> FrugalCompositor | None:
        stack = self.app.screen_stack
        at = stack.index(self) if self in stack else 0
        found = stack[at - 1]._compositor if at else None
        return found if isinstance(found, FrugalCompositor) else None


class Shade:
    """What a translucent background makes of what is below it: other colours, and nothing to click."""

    KNOWN = 4096
    """Styles for which it is kept what becomes of them."""

    def __init__(self, color: Color) -> None:
        self.color = color
        self._known: dict[Style | None, Style] = {}

    def over(self, strip: Strip) -> Strip:
        return Strip(
            [Segment(text, self._known.get(style) or self._of(style)) for text, style, _ in strip], strip.cell_length
        )

    def _of(self, style: Style | None) -> Style:
        plain = Style() if style is None else style.clear_meta_and_links()
        if self.color.a:
            plain += Style(color=self._mixed(plain.color), bgcolor=self._mixed(plain.bgcolor))
        if len(self._known) >= self.KNOWN:
            self._known.clear()
        self._known[style] = plain
        return plain

    def _mixed(self, color: Ink | None) -> Ink | None:
        return None if color is None else (Color.from_rich_color(color) + self.color).rich_color
