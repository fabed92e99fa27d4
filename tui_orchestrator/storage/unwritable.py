"""How a store is read that cannot be written: on a full disk, or where its file or its directory is read-only."""

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import closing
from pathlib import Path

from .faults import StoreError, look_at_kind
from .migrations import missing_steps

READ_ONLY = "mode=ro"
_UNCHANGING = "mode=ro&immutable=1"


def way_to_read(path: Path, why: StoreError) -> str:
    """What the file's URI must ask for. Raises `why` where it cannot be read either, or lacks what this program would
    have added to its schema, and StoreError for a file that is none of ours."""
    look_at_kind(path)
    for query in (READ_ONLY, _UNCHANGING):
        with contextlib.suppress(sqlite3.Error, OSError):
            if query == _UNCHANGING and _has_log(path):
                break
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{query}", uri=True)) as connection:
                if not missing_steps(connection, path):
                    return query
    raise why


def _has_log(path: Path) -> bool:
    """Whether some of what was written stands beside the file alone. To be read it needs its index, which is shared
    memory in a file, and which even a reader makes where no other program has done so."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0
