"""A provider without a server: it says what it was told. Good for trying things out at no cost."""

from collections.abc import AsyncIterator, Sequence

from tui_orchestrator.plugins import Account
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import FREE, Usage
from tui_orchestrator.routing.ports import Call, Done, Piece, TextPiece


class Echo:
    key_names: tuple[str, ...] = ()
    """Environment names its key is looked for under; none: it needs no key."""

    def __init__(self, account: Account) -> None:
        self.name = account.name

    def models(self) -> Sequence[Model]:
        # As weak as a model can be: strategies that weigh answers leave it, those that ask local or free first ask it.
        return [Model(self.name, "parrot", price=FREE, context_window=8000, ability=0.01, local=True, family="echo")]

    async def stream(self, call: Call) -> AsyncIterator[Piece]:
        words = call.messages[-1].text.split()
        for word in words:
            yield TextPiece(f"{word} ")
        yield Done(FinishReason.STOP, Usage(len(words), len(words)))
