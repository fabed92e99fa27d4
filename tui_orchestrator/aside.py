"""Blocking code beside the event loop, which the end of the program does not wait for."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import zip_longest
from typing import TypeVar

from .routing.contained import contained, told

T = TypeVar("T")


async def aside(work: Callable[[], T], name: str) -> T:
    """In a thread of its own that does not keep the program from ending, as those of the loop's pool would. What it
    raises is raised here, `contained`; a wait for it may be given up. Not for imports: Python's own end may need the
    lock that a thread held when it was stopped in one."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(value)  # type: ignore[arg-type]  # of the two exactly one is there
        else:
            done.set_exception(error)

    def run() -> None:
        value: T | None = None
        error: Exception | None = None
        try:
            with contained():
                value = work()
        except StopIteration as fault:
            # It cannot be raised from a future.
            error = RuntimeError(told(fault))
        except Exception as fault:  # noqa: BLE001  # raised to whoever waits
            error = fault
        try:
            loop.call_soon_threadsafe(settle, value, error)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    threading.Thread(target=run, name=name, daemon=True).start()
    return await done


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name in the order to try them in, the two families in turns. Raises OSError. A name server
    that keeps silent holds a look-up for minutes: those of any loop's pool, few as they are, would soon all wait for
    it, and the loop at its end for them."""
    with suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    # In bytes, because what is no name at all is then the system's to say, as an OSError.
    found = await aside(lambda: socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM), "look-up")
    families: dict[int, list[str]] = {}
    for family, *_, address in found:
        families.setdefault(family, []).append(str(address[0]))
    return [address for turn in zip_longest(*families.values()) for address in turn if address is not None]


class Loop(asyncio.SelectorEventLoop):
    """Of the program as a process of its own: at its end it waits for no thread. In those of the pool SDKs may be half
    imported. What had to be done in threads is done when the runtime is closed."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        return None
