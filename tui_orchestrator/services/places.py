"""Settings that name something on the disk: only a look at it tells whether they can hold."""

from __future__ import annotations

import os

from ..locations import shipped_themes, themes_dir
from ..opening import LONGEST_THEME, parsed, whole_of
from ..plugins.contract import Kind
from ..plugins.finding import names as plugin_names
from ..providers.embedding import INSTALL, missing
from ..routing.text import clean_line
from ..settings import Settings, hidden


def store_problem(settings: Settings) -> str:
    """One sentence with file, line and key when the store cannot be made where it is wanted, else ''. Makes nothing."""
    path = settings.store.path
    if path is None:
        return ""
    # Missing directories are made, so what counts is the nearest one there is.
    there = next(place for place in (path, *path.parents) if os.path.exists(place))
    if there == path and path.is_dir():
        why = "is a directory; give a file"
    elif there != path and not there.is_dir():
        why = f"cannot be made: {there} is no directory; name another file"
    elif not os.access(there, os.W_OK):
        why = f"cannot be written: you may not write to {there}; name another file"
    else:
        return ""
    return hidden(clean_line(f"{settings.origins.get('store.path', '')}: store.path: {path} {why}", 700))


def embedding_problem(settings: Settings) -> str:
    """One sentence with file, line and key when prompts that are nearly the same are to be told and cannot be, else
    ''."""
    if not settings.cache.nearly or not (lacking := missing()):
        return ""
    said = f"{lacking}, so only exactly the same prompts are answered from the cache; {INSTALL}"
    origin = settings.origins.get("cache.semantic", "")
    return clean_line(f"{origin}: cache.semantic: {said}" if origin else f"cache.semantic: {said}", 700)


def theme_problem(settings: Settings) -> str:
    """One sentence with file, line and key when there is no theme of that name, else ''."""
    wanted = settings.ui.theme
    if wanted is None or wanted in (names := theme_names()) or wanted in plugin_names(Kind.THEME):
        return ""
    said = f"no theme is called {clean_line(wanted, 40)!r}; there are {', '.join(names) or 'none'}"
    return hidden(clean_line(f"{settings.origins.get('ui.theme', '')}: ui.theme: {said}", 700))


def theme_names() -> list[str]:
    """The shipped ones and the user's own, without a look at their colours."""
    names = set()
    for file in (*shipped_themes(), *themes_dir().glob("*.toml")):
        try:
            name = parsed(whole_of(file, LONGEST_THEME).decode()).get("name", file.stem)
        except (OSError, ValueError, RecursionError):
            continue  # the console skips it as well, and says why
        if isinstance(name, str):
            names.add(name)
    return sorted(names)
