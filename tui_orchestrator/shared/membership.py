"""This copy of the program among all that share one server: it says again and again that it is there and what its book
says, hears what the others spent, and sets aside what it may spend while the server cannot be asked."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from tui_orchestrator.routing.budget import Cap
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.ports import Clock
from tui_orchestrator.storage.faults import StoreError

from .book import Account, Book, Seen, Sum, first_day, forgotten_before, named, shared, unnamed
from .faults import Away
from .server import Server

SHARE_LASTS = timedelta(hours=1)
"""How long a copy may live off its share. Then the others have it back, since it may never return."""
_MARGIN = timedelta(minutes=1)
"""Longer at the server: it takes back what was set aside only when the copy has long stopped counting on it."""
_RENEWED_AFTER = timedelta(minutes=5)
PARTS = 1_000_000


@dataclass(frozen=True, slots=True)
class WhenAway:
    """What is done under a shared cap while the server cannot be asked."""

    do: Literal["refuse", "share"] = "refuse"
    share: float = 0.25
    """Of what is left of each cap, set aside for this store alone while the server is there."""


class Membership:
    """Of one store. Raises nothing but StoreError and, where it says so, Away."""

    def __init__(
        self,
        server: Server,
        book: Book,
        clock: Clock,
        when_away: WhenAway,
        caps: Callable[[date], Sequence[Cap]] = lambda day: (),
    ) -> None:
        """`caps`: those of any call on a day."""
        self.server = server
        self.book = book
        self.clock = clock
        self.when_away = when_away
        self.caps = caps
        self.store = ""
        self.copy = uuid.uuid4().hex
        self.others: dict[str, dict[Sum, Seen]] = {}
        """By store, as they were last seen."""
        self.running = 0
        """Copies of the program, this one included, when the server was last asked."""
        self._run: str | None = None
        self._told: dict[Sum, int] = {}
        self._swept: date | None = None
        self._telling = asyncio.Lock()
        self._beating: asyncio.Task[None] | None = None
        self._left = False

    async def join(self) -> None:
        """Without the server too: then it is looked for again and again."""
        self.store = await self.book.name()
        self.others = await self.book.seen()
        with contextlib.suppress(Away):
            await self.tell()

    def begin_to_beat(self) -> None:
        """From now on it is said again and again that this copy is there."""
        self._beating = asyncio.create_task(self._beat())

    async def leave(self) -> None:
        """What was set aside is given back, as far as the server is there."""
        self._left = True
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        if self.server.away is None and self.store:
            with contextlib.suppress(Away, StoreError):
                before = await self.server.holds(self.store)
                open_calls = {call.id for call in (await self.book.account(self.clock.today())).calls}
                # First here: nothing may be counted on that others may already spend.
                dropped = await self.book.drop_ceilings()
                gone = [one for one in before if one not in open_calls]
                asked = {"store": self.store, "copy": self.copy, "gone": gone, "sums": [*map(named, dropped)]}
                await self.server.ask("leave", **asked)
        await self.server.aclose()

    async def tell(self, *, whole: bool = False) -> None:
        """Says how this store stands and hears of the others; whatever the server has lost is put back. Raises Away."""
        async with self._telling:
            whole = whole or self._run is None or self.server.away is not None
            watched, reply = await self._tell(whole)
            if not whole and (reply["run"] != self._run or not reply["told"]):
                watched, reply = await self._tell(True)
            self._run = reply["run"]
            self.running = reply["running"]
            self.server.away = None
            await self._hear(reply)
            if not reply["wait"]:
                await self._set_aside(watched, reply)
            await self._sweep()

    def spent_elsewhere(self, sum_: Sum) -> Money:
        return Money(sum(seen[sum_].spent for seen in self.others.values() if sum_ in seen))

    async def _beat(self) -> None:
        # A cancellation that meets an answer of the server is lost in its client.
        while not self._left:
            timing = self.server.timing
            await asyncio.sleep((timing.beat if self.server.away is None else timing.beat_while_away) / 1000)
            with contextlib.suppress(Away, StoreError):
                await self.tell()

    async def _tell(self, whole: bool) -> tuple[list[Sum], dict[str, Any]]:
        # In this order: what the server holds and the book, read later, does not, has come to its end.
        before = await self.server.holds(self.store)
        account = await self.book.account(self.clock.today())
        watched, since = self._watched(account), first_day(self.clock.today())
        open_calls = {call.id for call in account.calls}
        others: Mapping[str, Mapping[Sum, Seen]] = self.others if whole else {}
        reply = await self.server.try_(
            "tell",
            store=self.store,
            copy=self.copy,
            spent={
                named(sum_): str(amount)
                for sum_, amount in account.spent.items()
                if whole or self._told.get(sum_) != amount
            },
            holds=[
                {"id": call.id, "amount": str(call.picodollars), "sums": [named(sum_) for sum_ in call.sums]}
                for call in account.calls
            ],
            gone=[one for one in before if one not in open_calls],
            whole=whole,
            others={
                store: {named(sum_): [str(one.spent), str(one.open)] for sum_, one in seen.items()}
                for store, seen in others.items()
            },
            ceilings=await self._ceilings() if whole else [],
            since={"day": since.isoformat(), "month": f"{since:%Y-%m}"},
            sums=[*map(named, watched)],
        )
        self._told = dict(account.spent)
        await self._free_ended(open_calls)
        return watched, reply

    async def _free_ended(self, told: set[str]) -> None:
        """What was told has put back the calls that had ended by then, but not when the book was read."""
        account = await self.book.account(self.clock.today())
        spent = {named(sum_): str(amount) for sum_, amount in account.spent.items()}
        for id_ in told - {call.id for call in account.calls}:
            await self.server.try_("settle", store=self.store, id=id_, spent=spent, sums=[])

    async def _ceilings(self) -> list[dict[str, object]]:
        now = self.clock.now()
        return [
            {"sum": named(sum_), "ceiling": str(amount), "ends_in": _ms(ends - now + _MARGIN)}
            for sum_, (amount, ends) in (await self.book.ceilings(now)).items()
        ]

    def _watched(self, account: Account) -> list[Sum]:
        """What this store counts, and what has a cap."""
        own = dict.fromkeys(account.spent)
        return [*own, *(sum_ for cap in self._capped() if (sum_ := (cap.scope, cap.period)) not in own)]

    def _capped(self) -> list[Cap]:
        # A day that begins while the server is away has its share set aside before.
        days = dict.fromkeys(self.clock.local(at).date() for at in (self.clock.now(), self.clock.now() + SHARE_LASTS))
        caps = (cap for day in days for cap in self.caps(day) if cap.limit is not None and shared(cap.scope))
        return list(dict.fromkeys(caps))

    async def _hear(self, reply: Mapping[str, Any]) -> None:
        news: dict[str, dict[Sum, Seen]] = {}
        for other in reply["others"] or ():
            known = self.others.setdefault(other["store"], {})
            for name, spent, open_ in other["sums"] or ():
                before = known.get(unnamed(name), Seen(0, 0))
                seen = Seen(max(before.spent, int(spent)), int(open_))
                if seen != before:
                    known[unnamed(name)] = news.setdefault(other["store"], {})[unnamed(name)] = seen
        if news:
            await self.book.see(news, forgotten_before(self.clock.today()))

    async def _set_aside(self, watched: Sequence[Sum], reply: Mapping[str, Any]) -> None:
        """Sets aside this store's share of what each cap has left."""
        if self.when_away.do != "share":
            return
        found = zip(reply["states"] or (), map(int, reply["owned"] or ()), strict=True)
        by_sum = dict(zip(watched, found, strict=True))
        now = self.clock.now()
        ends = now + SHARE_LASTS
        have = await self.book.ceilings(now)
        wanted: dict[Sum, int] = {}
        shares: list[dict[str, object]] = []
        for cap in self._capped():
            sum_, limit = (cap.scope, cap.period), cap.limit
            if limit is None or sum_ not in by_sum:
                continue
            state, owned = by_sum[sum_]
            left = limit.picodollars - sum(int(state[part]) for part in ("spent", "held", "aside"))
            ceiling = owned + max(0, left) * int(self.when_away.share * PARTS) // PARTS
            wanted[sum_] = ceiling
            shares.append(
                {
                    "sum": named(sum_),
                    "ceiling": str(ceiling),
                    "limit": str(limit.picodollars),
                    "ends_in": _ms(SHARE_LASTS + _MARGIN),
                }
            )
        # What is less than before is held to here before the server lets others have it; what is more, only afterwards.
        less = {s: (amount, have[s][1]) for s, amount in wanted.items() if s in have and amount < have[s][0]}
        if less:
            await self.book.set_ceilings(less, now)
        if not shares:
            return
        granted = (await self.server.try_("set_aside", store=self.store, shares=shares))["granted"]
        news = {
            s: (amount, ends)
            for (s, amount), yes in zip(wanted.items(), granted, strict=True)
            if yes and (s not in have or have[s][0] != amount or ends - have[s][1] > _RENEWED_AFTER)
        }
        if news:
            await self.book.set_ceilings(news, now)

    async def _sweep(self) -> None:
        """Drops, once a day, what no call counts towards any more."""
        today = self.clock.today()
        if self._swept != today:
            before, now = forgotten_before(today).isoformat(), int(self.clock.now().timestamp() * 1000)
            await self.server.try_("forget_old", before=before, now=now)
            self._swept = today


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
