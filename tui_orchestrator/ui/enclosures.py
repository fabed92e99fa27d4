"""The files that go along with the draft, a line each: what they are, how large, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.widgets import Static

from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.services.attachments import readable
from tui_orchestrator.services.enclosing import Burden, Size

from . import words
from .attachments import Mention
from .words import ACCENT, BAD, GOOD, MONEY, MUTED, WARN

SHOWN = 4
Weight = Callable[[Decision, Size], Burden | None]
"""What a file adds with the model that would answer; None where none would."""


class Enclosures(Static):
    DEFAULT_CSS = """
    Enclosures { height: auto; padding: 0 1; background: $surface; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self) -> None:
        super().__init__(id="enclosures", markup=False)
        self.display = False

    def tell(self, found: Sequence[Mention], decision: Decision | None, weight: Weight | None, low: bool) -> None:
        """`low`: the terminal has room for one line only."""
        self.display = bool(found)
        if not found:
            return
        # What does not go along must be seen, however many do.
        found = sorted(found, key=lambda one: (one.attachment is not None, not one.fatal))
        shown = found if len(found) <= (most := 1 if low else SHOWN) else found[: max(1, most - 1)]
        rows = [
            _draw(mention, weight(decision, mention.size) if weight is not None and decision is not None else None)
            for mention in shown
        ]
        if len(found) > len(shown) and not low:
            rows.append(Content.styled(f"  … and {len(found) - len(shown)} more", MUTED))
        elif len(found) > len(shown):
            rows[0] = Content.assemble(rows[0], (f" · and {len(found) - len(shown)} more", MUTED))
        self.update(words.lines(rows))


def _draw(mention: Mention, burden: Burden | None) -> Content:
    attachment, size = mention.attachment, mention.size
    if attachment is None:
        return Content.styled(f"✗ {mention.problem}", BAD if mention.fatal else WARN)
    parts: list[tuple[str, str]] = [(attachment.name, "bold")]
    if attachment.image is not None:
        # A picture whose head does not say its size is reckoned as one of a megapixel.
        parts.append((f"{size.pixels[0]:,}×{size.pixels[1]:,}" if size.pixels else "size not known", ""))
    parts.append((readable(attachment.size), ""))
    parts.append((f"≈{words.tokens(burden.tokens if burden else size.tokens)} tok", MUTED))
    if burden is not None:
        parts.append(("free" if burden.free else words.money(burden.cost), MONEY))
    picture = attachment.image is not None
    return Content.assemble(
        ("✓ ", GOOD),
        ("image " if picture else "", ACCENT),
        Content.styled(" · ", MUTED).join(Content.styled(text, style) for text, style in parts),
    )
