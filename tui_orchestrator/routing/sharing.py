"""Circuits as all running copies of the program see them."""

from __future__ import annotations

from .cancelling import undisturbed
from .errors import BeingTried, TurnError
from .health import Begun, Circuits
from .model import Model
from .ports import Clock, SharedHealth


class Sharing:
    """Keeps the `circuits` of this copy and those of the others in step. `shared` None: there are no others."""

    def __init__(self, circuits: Circuits, clock: Clock, shared: SharedHealth | None = None) -> None:
        self.circuits = circuits
        self._clock = clock
        self._shared = shared

    async def catch_up(self) -> None:
        """Learns what the others have seen."""
        if self._shared is not None and (heard := await self._shared.read()) is not None:
            self.circuits.hear(heard, self._clock.monotonic())

    async def begin(self, model_id: str) -> Begun:
        """A call starts. Raises BeingTried where the model is on trial and another call, of whichever copy, is it."""
        call = self.circuits.begin(model_id)
        if call.trial and self._shared is not None:
            trial = self.circuits.as_told(model_id, self._clock.monotonic())
            try:
                claimed = await undisturbed(self._shared.claim(trial))
            except BaseException:
                self.circuits.stopped(model_id, trial.provider, call)
                raise
            if not claimed:
                self.circuits.tried_elsewhere(model_id)
                raise BeingTried
        return call

    async def ended(
        self, model: Model, call: Begun | None, error: TurnError | None, now: float, *, whole: bool
    ) -> None:
        """What became of a call, for the others too. None: it was given up before it began."""
        of = model.id, model.provider
        if call is None:
            pass
        elif error is not None:
            self.circuits.failed(*of, error, now, call)
        elif whole:
            self.circuits.succeeded(*of)
        else:
            self.circuits.stopped(*of, call)
        await self.tell()

    async def tell(self) -> None:
        """Tells the others what they do not know yet. A cancellation meanwhile is held back."""
        untold = self.circuits.untold(self._clock.monotonic())
        if untold and self._shared is not None:
            await undisturbed(self._shared.tell(untold))
        self.circuits.told(untold)

    async def forget(self) -> None:
        self.circuits.forget()
        if self._shared is not None:
            await self._shared.forget()
