"""The HTTP connections that every provider shares."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING

from ..settings import on_this_machine
from .environment import BadEnvironment, is_said, trouble
from .exchange import after_response, before_request

if TYPE_CHECKING:
    import ssl

    import httpx2

    from ..settings import ProviderSettings

# For listings and probes; a streamed answer sets its own deadlines.
_DEFAULT_S = 10.0
# A follow-up prompt within half a minute needs no new TLS handshake.
_KEEP_ALIVE_S = 30.0


def is_near(provider: ProviderSettings) -> bool:
    """Whether it is spoken to by `HttpClients.local`: a proxy of the environment cannot reach a server on this machine,
    whatever it speaks."""
    return provider.local or (provider.base_url is not None and on_this_machine(provider.base_url.strip()))


class HttpClients:
    """Two connection pools, each made when first asked for, from any thread.

    `cloud` goes through the proxies of the environment; `local` never does: with HTTP_PROXY set, calls to a server on
    the loopback would be sent to the proxy. Neither follows redirects, since the key would go along. `cloud` raises
    BadEnvironment where the environment lets none be made.
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
                self._cloud = _cloud(self._gather_s)
            return self._cloud

    @property
    def local(self) -> httpx2.AsyncClient:
        with self._lock:
            if self._local is None:
                self._local = _local(self._gather_s)
            return self._local

    def make(self, *, cloud: bool, local: bool) -> None:
        """Those that are wanted and not made yet. Takes a tenth of a second the first time: not on the event loop. What
        cannot be made is told to whoever uses it."""
        _ = self.local if local else None
        with suppress(BadEnvironment):
            _ = self.cloud if cloud else None

    def problem(self) -> str:
        """Why no connection to a cloud could be made, in one sentence, or ''. As slow as `make`."""
        if not is_said():
            return ""
        try:
            _ = self.cloud
        except BadEnvironment as error:
            return error.message
        return ""

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


@cache
def _own_certificates() -> ssl.SSLContext:
    """The system's, whatever the environment says."""
    import httpx2

    return httpx2.create_ssl_context(trust_env=False)


def _cloud(gather_s: float) -> httpx2.AsyncClient:
    try:
        return _client(_certificates(), trust_env=True, gather_s=gather_s)
    except Exception as error:
        if found := trouble():
            raise found from error
        raise


def _local(gather_s: float) -> httpx2.AsyncClient:
    try:
        certificates = _certificates()
    except (OSError, ValueError):
        # What the environment spoils for the cloud a server on this machine need not go without.
        certificates = _own_certificates()
    return _client(certificates, trust_env=False, gather_s=gather_s)


def _client(certificates: ssl.SSLContext, *, trust_env: bool, gather_s: float) -> httpx2.AsyncClient:
    import httpx2

    from .network import LookingUp, connect_through
    from .reuse import NoCookies, reuse_only_what_was_read_out

    client = httpx2.AsyncClient(
        verify=certificates,
        trust_env=trust_env,
        follow_redirects=False,
        timeout=_DEFAULT_S,
        cookies=NoCookies(),
        # How many calls run at once is the router's to say; a full pool would look like a slow provider.
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=_KEEP_ALIVE_S),
        event_hooks={"request": [before_request], "response": [after_response]},
    )
    connect_through(client, LookingUp)
    reuse_only_what_was_read_out(client)
    if gather_s:
        from .gathering import GatheringBackend

        connect_through(client, partial(GatheringBackend, every_s=gather_s))
    return client
