"""Connections to the server whose name is looked up in a thread of its own, in whatever loop."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Connection, SSLConnection

from tui_orchestrator.aside import look_up


class _Looked(Connection):
    _address = ""

    def _connection_arguments(self) -> dict[str, Any]:
        return {**super()._connection_arguments(), "host": self._address}

    async def _connect(self) -> None:
        async with asyncio.timeout(self.socket_connect_timeout):
            addresses = await look_up(self.host, self.port)
        for address in addresses:
            self._address = address
            try:
                await super()._connect()  # type: ignore[no-untyped-call]
                return
            except OSError:
                if address == addresses[-1]:
                    raise


class _LookedInTls(_Looked, SSLConnection):
    def _connection_arguments(self) -> dict[str, Any]:
        # Its certificate is the name's.
        return {**super()._connection_arguments(), "server_hostname": self.host}


LOOKED_UP: dict[type, type] = {Connection: _Looked, SSLConnection: _LookedInTls}
"""By the class that the address asks for; those of sockets that are files look nothing up."""
