"""A table of which whole rows are marked."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import DataTable


class RowTable(DataTable[Text]):
    """Home and End go to the first and the last row, as in every list: its columns fit, and Textual's own would go to
    the first and the last of those."""

    def action_scroll_home(self) -> None:
        self.action_scroll_top()

    def action_scroll_end(self) -> None:
        self.action_scroll_bottom()
