"""What the server is asked, what is told of its faults, and what never is."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tests.storage.samples import attempt, costing, day_cap, hold
from tui_orchestrator.routing.budget import Cap, Refusal, Reservation
from tui_orchestrator.routing.money import Money
from tui_orchestrator.settings.secrets import Secret
from tui_orchestrator.shared.book import Seen, forgotten_before
from tui_orchestrator.shared.faults import Away
from tui_orchestrator.shared.server import Server

from .copies import Machine
from .redis_server import RedisServer

PASSWORD = "correct-horse-battery"


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path, "--requirepass", PASSWORD)
    server.start()
    yield server
    server.kill()


async def fault_of(url: str) -> Away:
    server = Server(Secret(url), "team")
    with pytest.raises(Away) as caught:
        await server.ask("look", store="s", sums=[])
    assert server.away is caught.value
    await server.aclose()
    return caught.value


async def test_over_tls_the_certificate_is_that_of_the_name(redis_server: RedisServer) -> None:
    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_read, to_write = await asyncio.open_connection("127.0.0.1", redis_server.port)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, to_write), pump(to_read, writer), return_exceptions=True)

    certificate = Path(__file__).with_name("localhost.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with await asyncio.start_server(passed_on, "127.0.0.1", 0, ssl=context) as tunnel:
        port = tunnel.sockets[0].getsockname()[1]
        server = Server(Secret(f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}"), "team")
        assert "redis_version" in await server.facts()
        await server.aclose()
        assert "cannot be reached" in str(await fault_of(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}"))


async def test_every_fault_says_what_to_do_and_no_password(locked: RedisServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        nobody = taken.getsockname()[1]
        said = {
            f"redis://127.0.0.1:{locked.port}": "wants a password; put it into shared.url",
            f"redis://:{PASSWORD}x@127.0.0.1:{locked.port}": "does not accept the name or password",
            f"redis://:{PASSWORD}@127.0.0.1:{nobody}": "cannot be reached",
            f"redis://:{PASSWORD}@no-such-host.invalid": "cannot be reached",
            f"rediss://:{PASSWORD}@127.0.0.1:{locked.port}": "the shared Redis at 127.0.0.1",
            f"redis://:{PASSWORD}@127.0.0.1:{locked.port}/0?socket_timeout=soon": "has an address that cannot be used",
        }
        for url, what in said.items():
            fault = await fault_of(url)
            assert what in str(fault), url
            assert PASSWORD not in repr(fault) + str(fault) + repr(vars(fault)) + fault.remedy
            assert fault.__cause__ is None
            assert fault.__suppress_context__


async def test_a_full_server_is_away_and_says_so(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--maxmemory", "1", "--maxmemory-policy", "noeviction")
    server.start()
    try:
        assert "is full; give it more memory" in str(await fault_of_tell(server))
    finally:
        server.kill()


async def fault_of_tell(server: RedisServer) -> Away:
    async with Machine(None, server.url) as one:
        assert one.server.away is not None
        return one.server.away


async def test_with_its_password_it_is_asked(locked: RedisServer) -> None:
    async with Machine(None, Secret(f"redis://:{PASSWORD}@127.0.0.1:{locked.port}/2")) as one:
        assert one.server.away is None
        assert one.server.where == f"127.0.0.1:{locked.port}/2"
        assert PASSWORD not in repr(vars(one.server))


async def test_two_machines_share_a_days_cap_and_tell_whose_spending_is_whose(redis_server: RedisServer) -> None:
    async with Machine(None, redis_server.url) as one, Machine(None, redis_server.url) as other:
        held = await one.ledger.reserve(hold(60, day_cap(100)))
        assert isinstance(held, Reservation)
        refused = await other.ledger.reserve(hold(50, day_cap(100), request_id="r2"))
        assert isinstance(refused, Refusal)
        assert (refused.blocking.left, refused.blocking.reserved) == (Money(40), Money(60))
        await one.ledger.book(attempt(cost=costing(30)), held)
        (state,) = await other.ledger.budgets([day_cap(100)])
        assert (state.spent, state.reserved, state.others) == (Money(30), Money(), Money(30))
        (own,) = await one.ledger.budgets([day_cap(100)])
        assert (own.spent, own.others) == (Money(30), Money())
        await other.member.tell()
        other.cut_off()
        (remembered,) = await other.ledger.budgets([day_cap(100)])
        assert (remembered.spent, remembered.others) == (Money(30), Money(30)), "as it was last seen"


async def test_what_another_store_has_spent_is_never_remembered_as_less(redis_server: RedisServer) -> None:
    async with Machine(None, redis_server.url) as one:
        today = one.clock.today()
        sum_ = ("day", today.isoformat())
        # Of two copies on one store the one that was told first may be the last to write it down.
        for seen in (Seen(50, 10), Seen(30, 5)):
            await one.member.book.see({"other": {sum_: seen}}, forgotten_before(today))
        assert await one.member.book.seen() == {"other": {sum_: Seen(50, 5)}}


async def test_amounts_beyond_what_a_lua_number_holds_are_exact(redis_server: RedisServer) -> None:
    most = 9_000_000 * 10**12 + 1
    async with Machine(None, redis_server.url) as one, Machine(None, redis_server.url) as other:
        held = await one.ledger.reserve(hold(most, day_cap(most + 1)))
        assert isinstance(held, Reservation)
        assert isinstance(await other.ledger.reserve(hold(2, day_cap(most + 1))), Refusal)
        assert isinstance(await other.ledger.reserve(hold(1, day_cap(most + 1), request_id="r2")), Reservation)
        states = await one.ledger.book(attempt(cost=costing(most)), held)
        assert (states[0].spent, states[0].reserved) == (Money(most), Money(1))


async def test_calls_of_a_machine_that_is_gone_count_as_the_most_they_can_cost_until_it_is_back(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    lost = await Machine(tmp_path / "lost.db", redis_server.url).open()
    async with Machine(None, redis_server.url) as other:
        held = await lost.ledger.reserve(hold(60, day_cap(100)))
        assert isinstance(held, Reservation)
        with redis_server.plain as client:
            client.zadd("{team}:stores", {lost.member.store: 0})
        await other.member.tell()
        (state,) = await other.ledger.budgets([day_cap(100)])
        assert (state.spent, state.reserved) == (Money(60), Money())
        await lost.ledger.book(attempt(cost=costing(5)), held)
        await lost.member.tell()
        (state,) = await other.ledger.budgets([day_cap(100)])
        assert (state.spent, state.reserved) == (Money(5), Money())
    await lost.leave()


async def test_what_a_machine_spent_that_never_comes_back_is_remembered_by_the_others(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with Machine(tmp_path / "other.db", redis_server.url) as other, Machine(None, redis_server.url) as gone:
        held = await gone.ledger.reserve(hold(60, day_cap(100)))
        assert isinstance(held, Reservation)
        await gone.ledger.book(attempt(cost=costing(60)), held)
        await other.member.tell()
    with redis_server.plain as client:
        client.flushall()
    async with Machine(tmp_path / "other.db", redis_server.url) as again:
        (state,) = await again.ledger.budgets([day_cap(100)])
        assert (state.spent, state.others) == (Money(60), Money(60))


async def test_a_server_that_was_emptied_lets_nobody_in_who_has_not_told(redis_server: RedisServer) -> None:
    async with Machine(None, redis_server.url) as one, Machine(None, redis_server.url) as other:
        held = await one.ledger.reserve(hold(60, day_cap(100)))
        assert isinstance(held, Reservation)
        with redis_server.plain as client:
            client.flushall()
        await one.member.tell()
        assert isinstance(await other.ledger.reserve(hold(41, day_cap(100))), Refusal), "it told before it was let in"
        assert isinstance(await other.ledger.reserve(hold(40, day_cap(100))), Reservation)


async def test_a_server_that_was_started_anew_is_noticed_although_it_kept_everything(mortal: RedisServer) -> None:
    async with Machine(None, mortal.url) as one:
        run = one.member._run
        await one.ledger.reserve(hold(60, day_cap(100)))
        mortal.kill()
        with pytest.raises(Away, match="cannot be reached"):
            await one.ledger.reserve(hold(10, day_cap(100), request_id="r2"))
        mortal.start()
        with pytest.raises(Away):
            await one.ledger.reserve(hold(10, day_cap(100), request_id="r2"))
        await one.member.tell()
        assert one.member._run != run
        (state,) = await one.ledger.budgets([day_cap(100)])
        assert (state.spent, state.reserved) == (Money(), Money(60))


async def test_who_has_not_told_a_server_that_came_back_with_an_old_state_tells_before_it_spends(
    redis_server: RedisServer,
) -> None:
    async with Machine(None, redis_server.url) as one, Machine(None, redis_server.url) as other:
        held = await one.ledger.reserve(hold(60, day_cap(100)))
        assert isinstance(held, Reservation)
        await one.ledger.book(attempt(cost=costing(60)), held)
        with redis_server.plain as client:
            client.hset("{team}:epoch", "run", "the one before")
            for key in ("{team}:spent", f"{{team}}:of:{one.member.store}"):
                client.delete(key)
        await other.member.tell()
        assert isinstance(await one.ledger.reserve(hold(41, day_cap(100), request_id="r2")), Refusal)
        (state,) = await other.ledger.budgets([day_cap(100)])
        assert state.others == Money(60)


async def test_a_machine_whose_clock_is_far_ahead_has_nobodys_spending_forgotten(redis_server: RedisServer) -> None:
    now, ahead = ManualClock(datetime.now(UTC)), ManualClock(datetime.now(UTC) + timedelta(days=400))
    cap = Cap("day", now.today().isoformat(), Money(100))
    async with Machine(None, redis_server.url, now) as one:
        held = await one.ledger.reserve(hold(60, cap))
        assert isinstance(held, Reservation)
        await one.ledger.book(attempt(cost=costing(60), day=cap.period), held)
        async with Machine(None, redis_server.url, ahead):
            pass
        async with Machine(None, redis_server.url, now) as other:
            assert isinstance(await other.ledger.reserve(hold(60, cap)), Refusal)
