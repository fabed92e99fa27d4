"""The styles that text is drawn in, taken once from the theme's variables.

A role is a name for what a piece of text means ("muted", "money", "code-string"); which colour that is, the theme says.
Captions are written in roles, so a line that is already on screen follows a change of theme.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.style import Style
from textual.color import Color, ColorParseError

Mark = tuple[str, str]
"""Text and its role; an unknown role is drawn as plain text."""
Caption = str | Sequence[Mark]

# role: (variable, variable that stands in where a theme does not name the first, attributes)
_ROLES: dict[str, tuple[str, str, str]] = {
    "text": ("foreground", "foreground", ""),
    "strong": ("foreground", "foreground", "bold"),
    "muted": ("muted", "foreground-muted", ""),
    "border": ("rule", "panel", ""),
    "primary": ("primary", "primary", ""),
    "secondary": ("secondary", "primary", ""),
    "accent": ("accent", "primary", ""),
    "success": ("success", "success", ""),
    "warning": ("warning", "warning", ""),
    "error": ("error", "error", ""),
    "heading-1": ("primary", "primary", "bold"),
    "heading-2": ("secondary", "primary", "bold"),
    "heading-3": ("accent", "primary", "bold"),
    "user": ("user-bar", "primary", ""),
    "thinking": ("thinking", "foreground-muted", "italic"),
    "discarded": ("discarded", "foreground-muted", "italic"),
    "money": ("money", "success", ""),
    "link": ("secondary", "primary", "underline"),
    "caret": ("accent", "primary", ""),
    "code-keyword": ("code-keyword", "primary", ""),
    "code-string": ("code-string", "success", ""),
    "code-number": ("code-number", "accent", ""),
    "code-comment": ("code-comment", "foreground-muted", "italic"),
    "code-function": ("code-function", "secondary", ""),
    "code-type": ("code-type", "warning", ""),
    "code-inline": ("code-inline", "accent", ""),
}


@dataclass(frozen=True, slots=True)
class Look:
    """Equal for equal themes, so it can be compared to see whether a theme has changed."""

    base: Style
    """Foreground on background; lies under everything else."""
    selection: Style
    code: Style
    """Background of code panels."""
    user: Style
    """Background of the user's prompts."""
    roles: Mapping[str, Style]

    def style(self, role: str) -> Style:
        return self.roles.get(role, _PLAIN)

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Look:
        """From a Textual app's theme variables; those of its built-in themes suffice."""
        return _look(frozenset(variables.items()))

    def runs(self, caption: Caption, role: str = "text") -> list[tuple[str, Style]]:
        if isinstance(caption, str):
            caption = [(caption, role)]
        return [(text, self.style(mark)) for text, mark in caption]


@lru_cache(maxsize=4)
def _look(named: frozenset[tuple[str, str]]) -> Look:
    variables = dict(named)
    background = _opaque(variables.get("background", "#121212"), Color(18, 18, 18))
    foreground = _opaque(variables.get("foreground", "#e0e0e0"), background)

    def color(*names: str) -> Color:
        for name in names:
            if name in variables:
                return _opaque(variables[name], background)
        return foreground

    def style(variable: str, stand_in: str, attributes: str) -> Style:
        return Style.parse(attributes or "none") + Style(color=color(variable, stand_in).rich_color)

    base = Style(color=foreground.rich_color, bgcolor=background.rich_color)
    if variables.get("marked-style") == "reverse":
        selection = base + Style(reverse=True)
    else:
        selection = base + Style(bgcolor=color("selection", "primary-muted").rich_color)
    return Look(
        base=base,
        selection=selection,
        code=Style(bgcolor=color("code-background", "surface").rich_color),
        user=Style(bgcolor=color("user-background", "surface").rich_color),
        roles={role: style(*spec) for role, spec in _ROLES.items()},
    )


_PLAIN = Style()


def _opaque(value: str, background: Color) -> Color:
    """A variable such as "auto 60%" or "ansi_default" is no colour of its own: the background's opposite stands in."""
    try:
        color = Color.parse(value)
    except ColorParseError:
        return background.get_contrast_text(0.8)
    return background + color if color.a < 1 else color
