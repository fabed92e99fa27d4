"""The HTTP connections that every provider shares."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

from .exchange import after_response, before_request

if TYPE_CHECKING:
    import ssl

    import httpx2

# For listings and probes; a streamed answer sets its own deadlines.
_DEFAULT_S = 10.0
# A follow-up prompt within half a minute needs no new TLS handshake.
_KEEP_ALIVE_S = 30.0


class HttpClients:
    """Two connection pools, each made when first asked for, from any thread.

    `cloud` goes through the proxies of the environment; `local` never does: with HTTP_PROXY set, calls to a server on
    the loopback would be sent to the proxy. Neither follows redirects, since the key would go along.
    """

    def __init__(self, gather_s: float = 0.0) -> None:
        """`gather_s`: for so long what a server sends in small pieces is left to gather before it is read again."""
        self._gather_s = gather_s
        self._lock = threading.Lock()
        self._cloud: httpx2.AsyncClient | None = None
        self._local: httpx2.AsyncClient | None = None

    @property
    def cloud(self) -> httpx2.AsyncClient:
        with self._lock:
            if self._cloud is None:
                self._cloud = _client(trust_env=True, gather_s=self._gather_s)
            return self._cloud

    @property
    def local(self) -> httpx2.AsyncClient:
        with self._lock:
            if self._local is None:
                self._local = _client(trust_env=False, gather_s=self._gather_s)
            return self._local

    async def aclose(self) -> None:
        with self._lock:
            made = [client for client in (self._cloud, self._local) if client is not None]
            self._cloud = self._local = None
        for client in made:
            await client.aclose()


@cache
def _certificates() -> ssl.SSLContext:
    """Read once for both pools: loading the bundle takes 30 ms of processor time."""
    import httpx2

    return httpx2.create_ssl_context()


def _client(*, trust_env: bool, gather_s: float) -> httpx2.AsyncClient:
    import httpx2

    client = httpx2.AsyncClient(
        verify=_certificates(),
        trust_env=trust_env,
        follow_redirects=False,
        timeout=_DEFAULT_S,
        # How many calls run at once is the router's to say; a full pool would look like a slow provider.
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=_KEEP_ALIVE_S),
        event_hooks={"request": [before_request], "response": [after_response]},
    )
    if gather_s:
        from .gathering import gather

        gather(client, gather_s)
    return client
