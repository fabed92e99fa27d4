"""What a file adds to a prompt: tokens, and what they cost with the model that would answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..routing.features import script_tokens
from ..routing.money import Money, Usage
from ..routing.parts import Part
from ..routing.profile import Mix
from ..routing.prompt_size import image_tokens, pixels

if TYPE_CHECKING:
    from ..routing.decision import Decision
    from .attachments import Attachment
    from .runtime import Runtime

_SLICE = 20_000
"""Characters counted at a stretch: the event loop may go on between two."""


@dataclass(frozen=True, slots=True)
class Size:
    tokens: int = 0
    """Estimated from bytes and pixels, before any model's own reports."""
    mix: Mix = field(default_factory=Mix)
    pixels: tuple[int, int] | None = None
    """Width and height; None where the picture does not say, and of text."""


def measure(attachment: Attachment) -> Size:
    """Takes tens of milliseconds for a megabyte of text: call it in a thread."""
    if attachment.image is not None:
        return Size(image_tokens(attachment.image), Mix(images=1.0), pixels(attachment.image.data))
    text = attachment.text or ""
    counts = [script_tokens(text[start : start + _SLICE]) for start in range(0, len(text), _SLICE)]
    letters, signs, cjk, other = (sum(kind) for kind in zip(*counts, strict=True)) if counts else (0.0,) * 4
    whole = letters + signs + cjk + other
    return Size(round(whole), Mix(signs / whole, cjk / whole, other / whole)) if whole else Size()


@dataclass(frozen=True, slots=True)
class Burden:
    tokens: int
    """As the model that would answer is likely to count them."""
    cost: Money | None
    """None where its price is not known."""
    free: bool


def burden(runtime: Runtime, decision: Decision, size: Size) -> Burden | None:
    """None where no model would answer. An estimate, at the list price of this call's length."""
    model = runtime.registry.get(decision.model) if decision.model else None
    if model is None:
        return None
    estimates, profile = runtime.router.caller.estimates, decision.profile
    alone = replace(profile, input_tokens=size.tokens, mix=size.mix)
    # A model's template counts once for the call, not for what goes along.
    base = estimates.input(model.id, replace(profile, input_tokens=0))
    tokens = max(1, estimates.input(model.id, alone) - base) if size.tokens else 0
    if model.price is None:
        return Burden(tokens, None, False)
    price = model.price.on(runtime.clock.now())
    pictures = ((Part.IMAGE_INPUT, tokens),) if size.mix.images else ()
    rates = price.rates_at(max(profile.input_tokens, tokens))
    return Burden(tokens, rates.cost(Usage(input=tokens, parts=pictures)), price.free)
