"""What the environment says of certificates and proxies, where no connection can be made for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..routing.errors import Connection
from ..routing.text import clean_line

# Read by Python's ssl and by httpx2 when a client is made (httpx2 2.16).
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_KEY_LOG = "SSLKEYLOGFILE"
_PROXIES = ("http", "https", "all")


class BadEnvironment(Connection):
    """No connection can be made as the environment is. `str` is one sentence that names the variable."""

    what = "The environment does not let a connection be made."
    hint = "Unset the variable, or give it a value that is right."
    retryable = False


def trouble() -> BadEnvironment | None:
    """For a client that could not be made; None where the environment is not to blame."""
    return next((BadEnvironment(clean_line(f"{said}.", 300)) for said in _problems()), None)


def is_said() -> bool:
    """Whether any of these variables is set at all: what only then is worth looking at."""
    names = {name.lower() for name in os.environ}
    return not names.isdisjoint({_KEY_LOG.lower(), *map(str.lower, _CERTIFICATES), *(f"{s}_proxy" for s in _PROXIES)})


def _problems() -> Iterator[str]:
    import ssl
    from urllib.request import getproxies

    for name in _CERTIFICATES:
        if path := os.environ.get(name):
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
                    **{"cafile" if name == "SSL_CERT_FILE" else "capath": path}
                )
            except (OSError, ValueError) as error:
                kind = "a file of certificates in PEM" if name == "SSL_CERT_FILE" else "a directory of certificates"
                yield f"{name} must be {kind}, and {path} is none ({_why(error)})"
    if path := os.environ.get(_KEY_LOG):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).keylog_filename = path
        except (OSError, ValueError) as error:
            yield f"{_KEY_LOG} must be a file that can be written, and {path} is none ({_why(error)})"
    known = getproxies()
    for scheme in _PROXIES:
        if (url := known.get(scheme)) and (said := _problem_of_proxy(url)):
            yield f"{_name_of(scheme)} {said}"


def _problem_of_proxy(url: str) -> str:
    """Does not repeat the address: it may hold a password."""
    import httpx2

    try:
        httpx2.AsyncHTTPTransport(proxy=httpx2.Proxy(url if "://" in url else f"http://{url}"), verify=False)
    except ImportError:
        return "names a SOCKS proxy, for which the package socksio must be installed (or name an http:// proxy)"
    except Exception as error:  # noqa: BLE001  # whatever it is, no call could be made
        why = "" if isinstance(error, ValueError) and "scheme" in str(error) else f" ({_why(error)})"
        return f"must be the address of a proxy, as http://host:port{why}"
    return ""


def _why(error: Exception) -> str:
    said = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return said.partition(" (_ssl.c")[0]


def _name_of(scheme: str) -> str:
    """As it is set; macOS and Windows keep proxies in their settings too."""
    for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
        if os.environ.get(name):
            return name
    return next((name for name in os.environ if name.lower() == f"{scheme}_proxy"), f"The system's {scheme} proxy")
