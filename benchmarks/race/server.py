"""A model server on the loopback that keeps count of every answer it gave whole.

`POST /MODEL` with {"prompt", "max_tokens"}; the answer is a line of JSON a piece, the last one with the usage. Some
answers fail, break off, or stop long enough in the middle to be cancelled.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from typing import Any

REQUEST_ID = re.compile(r"\bq-\d+-\d+\b")

Served = tuple[str, str, int, int]
"""Request, model, input and output tokens."""


class CountingServer:
    def __init__(self, seed: int, faults: float = 0.12) -> None:
        """`faults`: the share of calls that do not end well."""
        self.served: Counter[Served] = Counter()
        self.calls = 0
        self.port = 0
        self._dice = random.Random(seed)
        self._faults = faults
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> CountingServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(re.findall(r"(?i)content-length: (\d+)", head)[0])
            await self._answer(head.split()[1][1:], json.loads(await reader.readexactly(length)), writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # whoever asked was cancelled or killed
        finally:
            writer.close()

    async def _answer(self, model: str, asked: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        prompt, dice = asked["prompt"], self._dice
        fault = dice.choice(("refused", "broken", "slow")) if dice.random() < self._faults else ""
        if fault == "refused":
            writer.write(b"HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n")
            return
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        # Now and then all that was asked for, so that a reservation is what the call costs.
        most = asked["max_tokens"]
        output = most if dice.random() < 0.3 else dice.randint(1, most)
        for piece in range(dice.randint(1, 4)):
            writer.write(json.dumps({"text": f"Part {piece} of a plain answer. "}).encode() + b"\n")
            await writer.drain()
            await asyncio.sleep(0.3 if fault == "slow" else dice.uniform(0, 0.02))
            if fault == "broken":
                return
        usage = {"input": max(1, len(prompt) // 5), "output": output}
        writer.write(json.dumps({"usage": usage}).encode() + b"\n")
        await writer.drain()
        found = REQUEST_ID.search(prompt)
        assert found is not None, "every prompt of the race names its request"
        self.served[found[0], model, usage["input"], usage["output"]] += 1
