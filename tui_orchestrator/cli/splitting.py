"""A prompt that is too long for every model: whether it is to be answered in parts is asked on a terminal, with the
price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..routing.request import Request, Split
from .manners import Stop, note
from .raising import can_ask, yes
from .streams import tell

if TYPE_CHECKING:
    from ..services.runtime import Runtime


async def agreed(runtime: Runtime, request: Request) -> Request:
    """As it is to be sent. Raises Stop where nobody agrees to the price, or nobody is there to be asked."""
    from ..services.splitting import agreed_to

    if request.split is not Split.SHOWN or runtime.preview(request).division is None:
        return request
    decision = await runtime.decide(request)
    division = decision.division
    if division is None or decision.model is None:
        return request
    note(f"! {division.in_words}.")
    if not can_ask():
        raise Stop("nothing was sent; --split always has it answered in parts, and -c USD caps what that may cost")
    tell("  Send it so? [y/N] ", end="")
    if not await yes():
        raise Stop("nothing was sent")
    return agreed_to(request, division)
