"""The models a user likes to have at hand."""

from __future__ import annotations

from datetime import datetime

from .database import Database
from .rows import instant


class Favourites:
    """By a model's id, whether or not it is there now. All methods raise StoreError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def all(self) -> frozenset[str]:
        query = "SELECT model FROM favourites"
        return await self._db.read(lambda c: frozenset(model for (model,) in c.execute(query)))

    async def add(self, model_id: str, at: datetime) -> None:
        row = (model_id, instant(at))
        await self._db.write(lambda c: c.execute("INSERT OR IGNORE INTO favourites VALUES (?, ?)", row))

    async def remove(self, model_id: str) -> None:
        await self._db.write(lambda c: c.execute("DELETE FROM favourites WHERE model = ?", (model_id,)))
