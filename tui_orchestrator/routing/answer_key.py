"""The name under which an exact answer is kept: a digest of everything sent that can change the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from .ports import Call


def cache_key(call: Call, base_url: str | None = None) -> str:
    """`base_url` tells two servers of one name apart; None: the provider's own.

    Deadlines and the file names of images are left out: neither reaches the model.
    """
    digest = hashlib.sha256()
    for part in _parts(call, base_url):
        # Each with its length before it, so that no two ways of cutting the same bytes into parts look alike.
        digest.update(b"-" if part is None else len(part).to_bytes(8) + part)
    return digest.hexdigest()


def _parts(call: Call, base_url: str | None) -> Iterator[bytes | None]:
    yield _bytes(call.model.provider)
    yield None if base_url is None else _bytes(base_url.rstrip("/"))
    yield _bytes(call.model.name)
    yield _bytes(call.system)
    yield None if call.temperature is None else _bytes(repr(float(call.temperature)))
    yield _bytes(str(call.max_tokens))
    for message in call.messages:
        yield _bytes(message.role)
        yield _bytes(message.text)
        yield _bytes(str(len(message.images)))
        for image in message.images:
            yield _bytes(image.media_type)
            yield image.data


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
