"""Text that changes often, in a place that stays."""

from __future__ import annotations

from textual.content import Content
from textual.visual import VisualType
from textual.widgets import Static


class Steady(Static):
    """Has the screen laid out anew only when its height becomes another: that costs far more than to draw the text, and
    a line of figures changes many times a turn. Its width must not depend on its text."""

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        width = self.content_size.width if layout and self.is_attached and self.display else 0
        before, height = self.visual, self.get_content_height(self.size, self.app.size, width) if width else 0
        if width and isinstance(content, Content) and isinstance(before, Content) and content.is_same(before):
            return
        super().update(content, layout=False)
        if layout:
            self.clear_cached_dimensions()
            if not width or self.get_content_height(self.size, self.app.size, width) != height:
                self.refresh(layout=True)
