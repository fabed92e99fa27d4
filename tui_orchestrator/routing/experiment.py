"""Two ways to be answered, tried side by side on one's own turns: which turns take part, and which way each one goes.

The draw is a digest of the experiment and of the prompt's place in its conversation, so that what is previewed, sent
and asked again there goes the same way, in every copy of the program, without anything being remembered. It is drawn
for each turn and not for each session: turns of one session hang together, and a few long ones would outweigh all
others. What is found rests on this draw alone (`routing.sequential`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from .request import Request, Strategy
from .text import clean_line

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the two ways. What it leaves out is as usual."""

    says: str
    """As it was typed, for people: 'strategy=cheapest', 'model=openai/gpt-6-luna', 'persona=terse', 'default'."""
    strategy: Strategy | None = None
    model: str | None = None
    """A model's id. It answers; where it fails, others take over."""
    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None

    @property
    def short(self) -> str:
        return clean_line(self.says, 60)

    @property
    def routes(self) -> bool:
        return self.strategy is not None or self.model is not None


@dataclass(frozen=True, slots=True)
class Experiment:
    id: str
    name: str
    a: Arm
    b: Arm
    share: float = 0.5
    """Of the turns that go to B; the others go to A."""
    judge: str | None = None
    """Id of the model that judges each answer; None: what you do with the answers alone tells."""

    def arm(self, side: Side) -> Arm:
        return self.a if side == "a" else self.b

    @property
    def arms(self) -> tuple[Arm, Arm]:
        return self.a, self.b

    @property
    def models(self) -> frozenset[str]:
        return frozenset(arm.model for arm in self.arms if arm.model is not None)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Of one turn."""

    experiment: str
    """Its id."""
    name: str
    side: Side
    place: str
    """Of the prompt: turns with the same one are one prompt, which counts once."""


def assigned(experiment: Experiment, request: Request) -> Assignment | None:
    """None where the turn takes no part: what it varies was asked for by the user, or it is no turn of their own."""
    if not _takes_part(experiment, request):
        return None
    place = request.place or request.id
    side: Side = "b" if draw(experiment.id, place) < experiment.share else "a"
    return Assignment(experiment.id, experiment.name, side, place)


def draw(experiment: str, place: str) -> float:
    """From 0 up to 1, each as likely."""
    digest = hashlib.blake2b(f"{experiment}\n{place}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def _takes_part(experiment: Experiment, request: Request) -> bool:
    if request.apart or request.temporary or request.judges or request.puts_together or request.continues:
        return False
    arms = experiment.arms
    if any(arm.routes for arm in arms) and (request.model or request.chain or request.strategy):
        return False
    if any(arm.system is not None for arm in arms) and request.system:
        return False
    # Calls of several models cannot be put together, so that such an arm would not be what it says.
    return not (request.uses_tools and any(arm.strategy is Strategy.ENSEMBLE for arm in arms))
