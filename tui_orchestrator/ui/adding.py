"""The form that adds a provider, or a model of one: Enter looks whether it answers, and writes it."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.services import adding
from tui_orchestrator.services.adding import Wanted
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import ProviderKind
from tui_orchestrator.settings.servers import NoKey

from .dialogs import Choice, Dialog, keys_line
from .saying import Said
from .words import ACCENT, MUTED, fit

KINDS: dict[ProviderKind, str] = {
    "anthropic": "Anthropic, with a key",
    "openai": "OpenAI, with a key",
    "gemini": "Google Gemini, with a key",
    "openrouter": "OpenRouter, with a key",
    "openai-compatible": "a server of your own, or any that speaks as OpenAI does",
}
_FIELDS = {
    "name": ("name", "team"),
    "address": ("address", "http://192.168.1.20:8000/v1"),
    "key": ("key", "typed or pasted; it goes to the system keyring"),
    "variable": ("variable", "or: the environment variable that holds the key"),
    "model": ("model", "only to add one that its list does not have"),
}


def kind_choices() -> list[Choice]:
    return [Choice(kind, ((fit(kind, 19), "bold"), (note, MUTED))) for kind, note in KINDS.items()]


class Adding(Dialog[str]):
    """Answers with a sentence on what was written; '' for Esc."""

    HELP = (
        "What the console needs to reach a provider or a server of yours. ↑↓ go from line to line. Enter asks it for "
        "its models and writes it into your file, whose comments stay; where it gives no list, Enter once "
        "more writes it all the same. The key goes into the system's keyring, never into the file."
    )
    DEFAULT_CSS = """
    Adding .dialog { scrollbar-size-vertical: 1; }
    Adding Horizontal { height: 1; }
    Adding .label { width: 10; color: $muted; }
    Adding Input { width: 1fr; border: none; background: $panel; height: 1; }
    Adding #said { height: auto; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "Close"),
        Binding("down", "app.focus_next", "Down", show=False),
        Binding("up", "app.focus_previous", "Up", show=False),
    ]

    def __init__(self, runtime: Runtime, kind: ProviderKind) -> None:
        super().__init__()
        self._runtime = runtime
        self._kind = kind
        self._failed: Wanted | None = None
        """What did not answer: Enter once more writes it all the same."""
        own = kind == "openai-compatible"
        self._inputs = {
            id_: Input(placeholder=hint, id=id_, compact=True, password=id_ == "key")
            for id_, (_, hint) in _FIELDS.items()
            if own or id_ not in ("name", "address")
        }
        self._said = Said()

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
            dialog.border_title = Content(f"Add {self._kind}")
            dialog.border_subtitle = keys_line("Enter checks and writes it · ↑↓ fields · Esc closes")
            for id_, field in self._inputs.items():
                with Horizontal():
                    yield Static(_FIELDS[id_][0], classes="label", markup=False)
                    yield field
            yield self._said

    def on_mount(self) -> None:
        next(iter(self._inputs.values())).focus()
        self._said.say("Nothing is written before it was asked for its models.", MUTED)

    @property
    def _wanted(self) -> Wanted:
        return Wanted(self._kind, **{id_: field.value.strip() for id_, field in self._inputs.items()})

    @on(Input.Submitted)
    @work(exclusive=True, exit_on_error=False)
    async def _enter(self) -> None:
        wanted = self._wanted
        taken = self._take_address(wanted)
        if problem := adding.problem_with(wanted):
            self._said.refuse(problem)
            return
        if wanted != self._failed:
            self._wait(f"Asking it for its models{taken}.")
            listing = await adding.look(self._runtime, wanted)
            if listing.unread or not listing.reachable:
                self._failed = wanted
                self._said.refuse(f"{listing.detail}{taken}. Enter once more writes it all the same.")
                return
            # OpenRouter shows its list to everyone.
            proven = " (the list is open to all: the key is not proven)" if self._kind == "openrouter" else ""
            kind, models = listing.server, listing.detail.removeprefix(f"{listing.server}: ")
            if not listing.models:
                models = "it lists no model yet"
            found = (f"it is a {kind} server, {models}" if kind else models) + proven + taken
        else:
            found = "its list could not be read yet"
        await self._save(wanted, found)

    def _take_address(self, wanted: Wanted) -> str:
        """Shows the address as it is taken, and says so where that is not as it was typed."""
        field = self._inputs.get("address")
        if field is None or field.value.strip() == wanted.address:
            return ""
        field.value = wanted.address
        return f" (the address is taken as {wanted.address})"

    def _wait(self, what_for: str) -> None:
        self._said.say(f"◐ {what_for}", ACCENT)

    async def _save(self, wanted: Wanted, found: str) -> None:
        try:
            file = await adding.save(self._runtime, wanted, self._wait)
        except (OrchestratorError, OSError, NoKey) as error:
            self._said.refuse(str(error))
            return
        self.dismiss(f"{wanted.provider}: {found}. Written to {file}.")
