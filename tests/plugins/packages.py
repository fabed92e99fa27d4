"""Packages that are really installed: a directory on `sys.path` with the modules and .dist-info that pip would make."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

from tui_orchestrator.routing.added import adopt

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "orchestrator-examples"


def metadata(site: Path, name: str, version: str, entry_points: Mapping[str, Mapping[str, str]]) -> None:
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    sections = [
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in entries.items())
        for group, entries in entry_points.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(sections))


def write(site: Path, name: str, source: str, **kinds: Mapping[str, str]) -> None:
    """A package `name` of one module. `kinds`: by the group's last word, such as strategies, the entry points."""
    site.mkdir(exist_ok=True)
    (site / f"{name}.py").write_text(source)
    metadata(site, name, "1.0", {f"tui_orchestrator.{group}": entries for group, entries in kinds.items()})


def write_examples(site: Path) -> None:
    """Those of the documentation, as their pyproject.toml says."""
    project = tomllib.loads((EXAMPLES / "pyproject.toml").read_text())["project"]
    copytree(EXAMPLES / "orchestrator_examples", site / "orchestrator_examples")
    metadata(site, project["name"], project["version"], project["entry-points"])


@contextmanager
def installed(site: Path) -> Iterator[Path]:
    """The packages in it are there until the end, and nothing of them stays."""
    site.mkdir(exist_ok=True)
    sys.path.insert(0, str(site))
    try:
        yield site
    finally:
        sys.path.remove(str(site))
        theirs = [
            name
            for name, module in sys.modules.items()
            if str(getattr(module, "__file__", None) or "").startswith(str(site))
        ]
        for name in theirs:
            del sys.modules[name]
        sys.path_importer_cache.pop(str(site), None)
        adopt([])
