"""Batches that were begun in a console and are not done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .checked import readable
from .database import Database
from .rows import instant


class Unfinished:
    """By the whole path of their output, as JSON values. All methods raise StoreError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def all(self) -> tuple[dict[str, Any], ...]:
        """In the order in which they were begun first."""
        query = "SELECT wanted FROM unfinished_batches ORDER BY began, output"
        return await self._db.read(lambda c: tuple(_wanted(wanted) for (wanted,) in c.execute(query)))

    async def keep(self, output: str, wanted: Mapping[str, Any], at: datetime) -> None:
        row = (output, json.dumps(wanted), instant(at))
        query = (
            "INSERT INTO unfinished_batches VALUES (?, ?, ?) "
            "ON CONFLICT (output) DO UPDATE SET wanted = excluded.wanted"
        )
        await self._db.write(lambda c: c.execute(query, row))

    async def remove(self, output: str) -> None:
        await self._db.write(lambda c: c.execute("DELETE FROM unfinished_batches WHERE output = ?", (output,)))


@readable("unfinished_batches")
def _wanted(stored: str) -> dict[str, Any]:
    return dict(json.loads(stored))
