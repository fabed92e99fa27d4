"""What the wire protocols have in common: an SDK imported late, one call, one boundary where its exceptions end."""

from __future__ import annotations

import asyncio
import importlib
import math
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from ..routing.errors import TurnError
from ..routing.ports import Call, Done, Piece, TextPiece, ThinkingPiece, UsageSoFar
from .bounds import MARKS, TooMuch
from .ending import Ending, says_something
from .exchange import Exchange
from .faults import broken_off, check_key, translate
from .withheld import Withheld

if TYPE_CHECKING:
    import httpx2

Sdk = TypeVar("Sdk")

# The modules of an SDK import one another in circles: of two threads that import them at once, one may be given half a
# module, and its call fails with an ImportError.
_IMPORTING = threading.Lock()


def import_sdk(module: str) -> None:
    """Not on the event loop: it takes seconds."""
    with _IMPORTING:
        importlib.import_module(module)


class Answer(Protocol):
    """What one wire protocol makes of its SDK's events, in order. Data of the wrong shape may raise anything."""

    ending: Ending
    """Told by `read` of finish reasons and closing events, by whoever reads of the pieces."""

    def read(self, event: Any) -> Iterable[Piece]:
        """Each piece before what the event says of the end."""
        ...

    def done(self) -> Done:
        """Asked only of a whole answer."""
        ...


class SdkProvider(ABC, Generic[Sdk]):
    """A routing.ports.Provider over a vendor's SDK."""

    default_base_url: ClassVar[str]
    module: ClassVar[str]
    """With the parts that the SDK itself imports only at the first call."""
    named_events: ClassVar[bool] = True
    """Its SDK reads what events are called, and takes their names for nothing else."""
    together: ClassVar[bool] = False
    """What is sent gives lists of events, each of those that came at once."""
    marks: ClassVar[int] = MARKS
    """So many brackets and commas of one event its SDK reads in 50 ms of processor time."""

    @staticmethod
    def readable(data: bytes) -> bytes:
        """An event's data as the SDK is to read them: without what it would fall over for no good reason."""
        return data

    def __init__(
        self,
        name: str,
        api_key: str,
        base_url: str | None,
        http: Callable[[], httpx2.AsyncClient],
        connect_s: float,
        silence_s: float = math.inf,
    ) -> None:
        """`http` gives one of HttpClients' clients; it is asked at the first call, in a thread. `connect_s` is the only
        deadline kept here; `silence_s` is the reader's own, which what comes after a whole answer must not reach."""
        self.name = name
        self._key = api_key
        self._base_url = base_url or self.default_base_url
        self._http = http
        self._connect_s = connect_s
        self._silence_s = silence_s
        self._sdk: Sdk | None = None
        self._opening = threading.Lock()

    async def ready(self) -> None:
        # Importing an SDK takes up to two seconds, loading certificates some more.
        if self._sdk is None:
            await asyncio.to_thread(self._opened)

    async def stream(self, call: Call) -> AsyncGenerator[Piece, None]:
        answer = self._answer()
        ending, withheld = answer.ending, Withheld(self._key, call)
        exchange = Exchange(
            *(self._connect_s, self._silence_s),
            named=self.named_events,
            readable=self.readable,
            marks=self.marks,
            spared=ending.spares,
        )
        counted = False
        try:
            check_key(self.name, self._key)
            async with aclosing(exchange.events(lambda: self._sent(call), lambda: ending.certain)) as events:
                with _up_to_its_close(ending):
                    async for came in events:
                        for piece in _joined(_read(answer, came if self.together else (came,))):
                            # What was counted before more of the answer came is not the count of all of it.
                            counted = isinstance(piece, UsageSoFar) or (counted and not says_something(piece))
                            for told in withheld.told(piece):
                                yield told
                                if withheld.at_length:
                                    await asyncio.sleep(0)
                        if ending.begun_again:
                            break  # some proxies try again in the middle of an answer
            if not ending.whole or ending.failed:
                raise broken_off(self.name, self._key, exchange.response, ending.why)
            done = answer.done()
            for told in withheld.told(replace(done, usage=done.usage if counted else None)):
                yield told
        except Exception as error:
            for told in withheld.rest():
                yield told
            if isinstance(error, TurnError):
                raise
            raise translate(error, self.name, self._key, exchange.response) from error
        finally:
            await exchange.aclose()

    async def _sent(self, call: Call) -> AsyncIterator[Any]:
        await self.ready()
        return await self._send(self._opened(), call)

    def _opened(self) -> Sdk:
        with self._opening:
            if self._sdk is None:
                import_sdk(self.module)
                with _IMPORTING:
                    self._sdk = self._open()
            return self._sdk

    async def aclose(self) -> None:
        """Leaves the connections open: they belong to HttpClients, and other providers use them too."""
        self._sdk = None

    @abstractmethod
    def _open(self) -> Sdk:
        """Makes the client of the SDK, which is imported; runs in a thread."""

    @abstractmethod
    async def _send(self, sdk: Sdk, call: Call) -> AsyncIterator[Any]: ...

    @abstractmethod
    def _answer(self) -> Answer: ...


def _read(answer: Answer, events: Iterable[Any]) -> Iterator[Piece]:
    ending = answer.ending
    for event in events:
        for piece in answer.read(event):
            ending.after(piece)
            yield piece
        if ending.begun_again:
            return


def _joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Text that came at once as one piece, also that before what cannot be read: whoever is told has work with each."""
    kind: type[TextPiece | ThinkingPiece] = TextPiece
    held: list[str] = []
    try:
        for piece in pieces:
            if held and type(piece) is not kind:
                yield kind("".join(held))
                held = []
            if isinstance(piece, TextPiece | ThinkingPiece):
                kind = type(piece)
                held.append(piece.text)
            else:
                yield piece
    except Exception:
        if held:
            yield kind("".join(held))
        raise
    if held:
        yield kind("".join(held))


@contextmanager
def _up_to_its_close(ending: Ending) -> Iterator[None]:
    """What cannot be read behind the closing event costs nothing of the answer."""
    try:
        yield
    except (TooMuch, ValueError, TypeError, AttributeError, LookupError, RecursionError):
        if not ending.closed:
            raise


def system_text(call: Call) -> str:
    return "\n\n".join(filter(None, [call.system, *(m.text for m in call.messages if m.role == "system")]))


def text_of(value: Any) -> str:
    """The SDKs check no types. What should be text and is not raises TypeError, as they do over other wrong shapes."""
    if not isinstance(value, str):
        raise TypeError(f"expected text, not {type(value).__name__}")
    return value
