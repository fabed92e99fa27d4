"""Providers that plugins bring: made late, watched at the edge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from ..aside import aside
from ..plugins import Account, AddedProvider
from ..routing.cancelling import closed
from ..routing.contained import contained, told
from ..routing.errors import NotFound, Server, TurnError
from ..routing.model import Model
from ..routing.money import Price
from ..routing.ports import Call, CallPiece, Done, Piece, TextPiece, ThinkingPiece, UsageSoFar
from ..routing.text import clean_line
from ..settings import ProviderSettings, masked
from .listings import Listing
from .withheld import Withheld

_PIECES = (TextPiece, ThinkingPiece, CallPiece, UsageSoFar, Done)
_MOST_MODELS = 5000


class PluggedProvider:
    """A routing.ports.Provider over a plugin's."""

    def __init__(
        self, settings: ProviderSettings, make: Callable[[Account], AddedProvider] | None, connect_s: float
    ) -> None:
        """`make` None: there is no such plugin, or it is switched off."""
        self.name = settings.name
        self._key = settings.api_key.reveal() if settings.api_key is not None else ""
        self._account = Account(settings.name, self._key, settings.base_url, connect_s)
        self._make = make
        self._made: AddedProvider | None = None
        self._making = asyncio.Lock()

    async def ready(self) -> None:
        """Raises TurnError."""
        await self._own()

    async def models(self) -> tuple[Model, ...]:
        """Raises TurnError."""
        made = await self._own()
        try:
            return await aside(lambda: self._listed(made), f"models of {self.name}")
        except Exception as error:
            raise self._translated(error) from error

    async def stream(self, call: Call) -> AsyncIterator[Piece]:
        made, withheld = await self._own(), Withheld(self._key, call)
        try:
            with contained():
                pieces = made.stream(call)
                reading = aiter(pieces)
            try:
                while (piece := await self._next(reading)) is not None:
                    for said in withheld.told(piece):
                        yield said
                        if withheld.at_length:
                            await asyncio.sleep(0)
                    if isinstance(piece, Done):
                        return
                for said in withheld.rest():
                    yield said
            finally:
                with contained():
                    await closed(pieces)
        except Exception as error:
            for said in withheld.rest():
                yield said
            raise self._translated(error) from error

    async def aclose(self) -> None:
        made, self._made = self._made, None
        closing = getattr(made, "aclose", None)
        if closing is not None:
            try:
                with contained():
                    await closing()
            except Exception:  # noqa: BLE001  # it is left behind either way
                return

    async def _own(self) -> AddedProvider:
        make, account = self._make, self._account
        if make is None:
            raise NotFound(
                f"No plugin brings the provider {self.name}.", hint="Install its package, or see [plugins] disabled."
            )
        async with self._making:
            if self._made is None:
                try:
                    self._made = await aside(lambda: make(account), f"provider {self.name}")
                except Exception as error:
                    raise self._translated(error) from error
            return self._made

    @staticmethod
    async def _next(reading: AsyncIterator[object]) -> Piece | None:
        """None at the end."""
        with contained():
            try:
                piece = await anext(reading)
            except StopAsyncIteration:
                return None
            if not isinstance(piece, _PIECES):
                raise TypeError(f"expected a piece of a stream, not {clean_line(repr(piece), 60)}")
            return piece

    def _listed(self, made: AddedProvider) -> tuple[Model, ...]:
        return tuple(self._checked(model) for model in list(made.models())[:_MOST_MODELS])

    def _checked(self, model: object) -> Model:
        if not isinstance(model, Model) or model.provider != self.name:
            raise TypeError(f"expected a Model of the provider {self.name}, not {clean_line(repr(model), 80)}")
        if clean_line(model.name, 200) != model.name or not model.name:
            raise TypeError(f"{clean_line(repr(model.name), 80)} is no name of a model")
        if model.price is not None and not isinstance(model.price, Price):
            raise TypeError(f"expected a Price, not {clean_line(repr(model.price), 60)}")
        return model

    def _translated(self, error: Exception) -> TurnError:
        if isinstance(error, TurnError):
            error.message = self._safe(error.message)
            return error
        return Server(self._safe(f"{self.name}, a plugin: {told(error)}"))

    def _safe(self, said: str) -> str:
        said = masked(said)
        return clean_line(said.replace(self._key, "…") if self._key else said, 300)


@dataclass(slots=True)
class PluggedProviders:
    """Those there are, each made once for as long as its settings stay the same."""

    factories: Mapping[str, Callable[[Account], AddedProvider]] = field(default_factory=dict)
    connect_s: float = 10.0
    _made: dict[str, tuple[ProviderSettings, PluggedProvider]] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.factories

    def provider(self, settings: ProviderSettings) -> PluggedProvider:
        known = self._made.get(settings.name)
        if known is None or known[0] != settings:
            known = settings, PluggedProvider(settings, self.factories.get(settings.name), self.connect_s)
            self._made[settings.name] = known
        return known[1]

    async def listing(self, settings: ProviderSettings, patience_s: float) -> Listing:
        """Never raises anything but cancellation, as `read_listing`."""
        began = monotonic()
        try:
            async with asyncio.timeout(patience_s):
                models = await self.provider(settings).models()
        except TimeoutError:
            said = f"its plugin did not list its models within {patience_s:g} s"
            return Listing(reachable=False, detail=said, seconds=monotonic() - began, silent=True)
        except TurnError as error:
            return Listing(reachable=False, detail=error.message, seconds=monotonic() - began)
        detail = "listed by its plugin"
        return Listing(detail=detail, seconds=monotonic() - began, own=models)
