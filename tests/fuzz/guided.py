"""`python -m tests.fuzz.guided TARGET -max_total_time=300`: a target led by coverage, from its corpus on.

Needs atheris, which no test does: pip install atheris. What it finds is written to the working directory; once it is
mended it goes into the target's corpus.
"""

from __future__ import annotations

import sys
import tempfile

import atheris

from .conftest import LONGEST_S

with atheris.instrument_imports(include=["tui_orchestrator", "markdown_it", "tomllib", "json"]):
    from .targets import TARGETS
    from .test_corpus import CORPUS


def main() -> None:
    name, *flags = sys.argv[1:]
    with tempfile.TemporaryDirectory() as found:
        # What it learns on its way is not kept: thousands of files that say little.
        limits = [f"-timeout={LONGEST_S}", "-max_len=4096", "-rss_limit_mb=2500"]
        atheris.Setup([sys.argv[0], found, str(CORPUS / name), *limits, *flags], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
