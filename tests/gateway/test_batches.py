"""What the gateway keeps of the batches that clients submit."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tui_orchestrator.batch import Output
from tui_orchestrator.demo import Say, Servers
from tui_orchestrator.gateway.batches import Batches

from ..cli.conftest import LIBRARY
from ..storage.test_database import PRIVATELY, may_mount
from .conftest import Gateway

ROOT = "/api/v1/orchestrator"
ID = "0123456789abcdef" * 2


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The directory of the batches."""
    return tmp_path / "home" / "data" / "batches"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def keep(kept: Path, **files: bytes) -> None:
    """A batch's, as an earlier gateway left them."""
    kept.mkdir()
    for suffix, written in files.items():
        (kept / f"{ID}.{suffix}").write_bytes(written)


async def resumed(gateway: Gateway) -> dict[str, Any]:
    """What is told of the batch once the gateway has taken it up."""
    await gateway.app.state.batches.resume()
    await gateway.app.state.batches.settle()
    async with gateway.http() as client:
        status: dict[str, Any] = (await client.get(f"{ROOT}/batch/{ID}/status")).json()
    return status


async def test_the_files_of_a_batch_are_their_owners_alone(gateway: Gateway, kept: Path) -> None:
    gateway.servers.script.always(Say("Yes."))
    before = os.umask(0)
    try:
        async with gateway.http() as client:
            said = await client.post(f"{ROOT}/batch/submit", json={"lines": [{"prompt": "Is it so?"}]})
        await gateway.app.state.batches.settle()
    finally:
        os.umask(before)
    files = [kept / f"{said.json()['id']}{suffix}" for suffix in (".ended", ".json", ".jsonl", ".out.jsonl")]
    assert sorted(os.listdir(kept)) == [file.name for file in files]
    assert [mode(file) for file in files] == [0o600] * 4
    assert mode(kept) == 0o700


@pytest.fixture
def in_the_way(kept: Path, servers: Servers) -> Path:
    kept.parent.mkdir()
    kept.touch()
    return kept


async def test_a_batch_that_cannot_be_written_down_is_not_taken(in_the_way: Path, gateway: Gateway) -> None:
    async with gateway.http() as client:
        said = await client.post(f"{ROOT}/batch/submit", json={"lines": [{"prompt": "Is it so?"}]})
    assert (said.status_code, said.json()["error"]["type"]) == (503, "unrecorded")
    assert said.headers["x-should-retry"] == "false"
    assert said.json()["error"]["message"] == (
        f"Nothing is called, since the batch could not be written down: {in_the_way} cannot be used: {in_the_way} "
        "is not a directory. Make that directory writable."
    )
    assert gateway.asked == []


async def test_a_cap_of_no_dollars_is_refused_by_its_name(gateway: Gateway, kept: Path) -> None:
    async with gateway.http() as client:
        caps: tuple[object, ...] = ({}, [], True, "much", "-1", "1e99")
        for cap in caps:
            said = await client.post(f"{ROOT}/batch/submit", json={"lines": [{"prompt": "So?"}], "max_cost_usd": cap})
            assert said.status_code == 400, cap
            told = said.json()["error"]["message"]
            assert told.startswith("max_cost_usd: ")
            assert "US dollars, such as 0.05" in told.replace("'", "")
            assert kept.name not in os.listdir(kept.parent)


DAMAGED = [b"", b'{"max_cost_usd": "0.5', b'{"at_once": 8}', b'{"max_cost_usd": "-1", "at_once": 8}', b"[]", b"\xff"]


@pytest.mark.parametrize("written", DAMAGED)
async def test_a_batch_whose_cap_cannot_be_read_is_stopped_with_the_reason(
    written: bytes, gateway: Gateway, kept: Path
) -> None:
    keep(kept, jsonl=b'{"prompt": "Is it so?"}\n', json=written)
    status = await resumed(gateway)
    assert (status["status"], status["lines"], status["left"]) == ("stopped", 1, 1)
    assert status["why"] == (
        f"{kept / ID}.json is damaged, so that the batch's cap is not known; "
        f"submit the lines of {kept / ID}.jsonl again"
    )
    assert gateway.asked == []


async def test_a_batch_whose_lines_are_gone_is_stopped_with_the_reason(gateway: Gateway, kept: Path) -> None:
    keep(kept, json=b'{"max_cost_usd": null, "at_once": 8}')
    status = await resumed(gateway)
    assert (status["status"], status["left"]) == ("stopped", 0)
    assert status["why"] == f"{kept / ID}.jsonl cannot be read: No such file or directory"


async def test_a_batch_that_another_worker_runs_is_running(gateway: Gateway, kept: Path) -> None:
    keep(kept, jsonl=b'{"prompt": "Is it so?"}\n', json=b'{"max_cost_usd": null, "at_once": 8}')
    with Output(kept / f"{ID}.out.jsonl"):
        status = await resumed(gateway)
    assert (status["status"], status["why"], gateway.asked) == ("running", None, [])


async def test_every_worker_tells_why_a_batch_stopped_until_one_goes_on(gateway: Gateway, kept: Path) -> None:
    gateway.servers.script.always(Say("Yes."))
    keep(kept, jsonl=b'{"prompt": "Is it so?"}\n', json=b"")
    stopped = await resumed(gateway)
    other = Batches(gateway.app.state.runtime)
    assert await other.status(ID) == stopped
    assert "is damaged" in stopped["why"]
    (kept / f"{ID}.json").write_bytes(b'{"max_cost_usd": null, "at_once": 8}')
    await other.resume()
    await other.settle()
    async with gateway.http() as client:
        ended = (await client.get(f"{ROOT}/batch/{ID}/status")).json()
    assert (ended["status"], ended["why"], ended["answered"]) == ("ended", None, 1)


FULL = """
import asyncio, os, sys
from pathlib import Path
import httpx2
from tests.gateway.conftest import TOKEN, served
from tui_orchestrator.gateway.app import application
disk, room = Path(sys.argv[1]), int(sys.argv[2])
filler, kept = disk / "filler", disk / "data" / "batches"
submit, lines = "/api/v1/orchestrator/batch/submit", {"lines": [{"prompt": "hi"}]}
chat = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}

async def main():
    app = application(TOKEN, demo=True)
    async with served(app) as address:
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=60) as client:
            filler.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - room))
            said = await client.post(submit, json=lines)
            print(said.status_code, said.json()["error"]["type"], said.json()["error"]["message"])
            print(sorted(path.name for path in kept.iterdir()))
            if not room:
                said = await client.post("/v1/chat/completions", json=chat)
                print(said.status_code, said.json()["error"]["type"])
            filler.unlink()
            print((await client.post(submit, json=lines)).status_code)
            await app.state.batches.settle()

asyncio.run(main())
"""

if may_mount:

    @pytest.mark.parametrize("room", [0, 4096])
    def test_a_batch_on_a_full_disk_is_refused_as_a_chat_is_and_leaves_nothing(tmp_path: Path, room: int) -> None:
        """Bytes of `room` are enough for the lines and not for what is wanted of them."""
        mounted = 'mount -t tmpfs -o size=4m none "$1" && shift && exec "$@"'
        script = [sys.executable, "-c", FULL, str(tmp_path), str(room)]
        done = subprocess.run(
            [*PRIVATELY, "sh", "-c", mounted, "sh", str(tmp_path), *script],
            capture_output=True,
            text=True,
            cwd=LIBRARY,
            env={**os.environ, "TUI_ORCHESTRATOR_HOME": str(tmp_path)},
        )
        refused, *rest = done.stdout.splitlines() or [""]
        assert refused.startswith(
            "503 unrecorded Nothing is called, since the batch could not be written down: "
            f"{tmp_path}/data/batches cannot grow: the disk is full ({tmp_path}, 0.0 of 4.2 MB left). "
        ), done.stdout + done.stderr
        assert refused.endswith("Free some space there, or let TUI_ORCHESTRATOR_HOME name a directory on another disk.")
        assert rest == ["[]", *(["503 unrecorded"] if not room else []), "202"], done.stderr
        assert done.stderr == ""
