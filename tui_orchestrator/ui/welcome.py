"""What is said in an empty conversation: what was found, what is missing, what to press."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App

from tui_orchestrator.routing.text import clean_line

from .naming import keyed

if TYPE_CHECKING:
    from tui_orchestrator.services.runtime import Runtime

KEY_VARIABLES = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY")

TEMPORARY = (
    "## A temporary chat\n\nNothing of what is said here is kept: no session, no prompt, no draft, no cached answer. "
    "The ledger keeps what it cost, without a word of text.\n\nIt is gone when you open another session or leave."
)


SHOWN_OF_A_SERVER = 3
"""Models of a local server that are named; the others are counted."""


def welcome(runtime: Runtime, app: App[Any]) -> str:
    """Markdown, with the keys as `app` has them. Names that servers made up stand in it as code, without a backtick of
    their own."""
    lines, told = ["## Where to?", ""], partial(keyed, app)
    if runtime.demo:
        lines += [
            "**These are the embedded demo models.** They answer from scripts over real connections, some fail or "
            "hedge on purpose, and their money is not real.",
            "",
            f"For real ones set {', '.join(f'`{name}`' for name in KEY_VARIABLES[:-1])} or `{KEY_VARIABLES[-1]}`, "
            "or start a local server, such as Ollama or LM Studio.",
        ]
    else:
        lines += [*_found(runtime, told), *_missing(runtime, told)]
    hints = [
        "",
        "- **Type a prompt.** Above it you see who would answer and at what cost.",
        "- **{strategy.pick}** chooses how models are picked, **{model.pick}** pins one, **{pane.registry}** shows "
        "them all, **{settings.open}** the settings.",
        "- `@path` attaches a file or image, `/` lists commands, **{app.help}** says what keys do, **{app.palette}** "
        "finds anything.",
    ]
    lines += map(told, hints)
    if runtime.demo:
        lines += [
            "",
            "Try: *Write a Python function that merges two sorted lists*, or `/ensemble 3` and then a question.",
        ]
    return "\n".join(lines)


def _found(runtime: Runtime, told: Callable[[str], str]) -> Iterator[str]:
    by_provider: dict[str, list[str]] = {}
    for model in runtime.registry:
        if model.id not in runtime.registry.out:
            by_provider.setdefault(model.provider, []).append(model.name)
    if runtime.looking:
        yield "**Looking for models.** What you send meanwhile waits for the first of them."
        return
    if not by_provider:
        wanted = ", ".join(f"`{name}`" for name in KEY_VARIABLES)
        press = told("{models.refresh}")
        yield f"**No model can be asked yet.** Set one of {wanted} or start a local server, then press {press}."
        return
    found = sorted(by_provider.items(), key=lambda item: -len(item[1]))
    keyed_by = []
    yield f"Models found: {', '.join(f'{len(names)} of {provider}' for provider, names in found)}."
    yield ""
    for provider, names in found:
        known = runtime.catalogue.providers.get(provider)
        if known is not None and known.local:
            more = f" and {len(names) - SHOWN_OF_A_SERVER} more" if len(names) > SHOWN_OF_A_SERVER else ""
            listed = ", ".join(f"`{_plain(name)}`" for name in names[:SHOWN_OF_A_SERVER])
            yield f"- **{provider}** on this machine: {listed}{more}"
        elif known is not None and known.key_origin:
            keyed_by.append(f"**{provider}** with the key from `{known.key_origin}`")
    if keyed_by:
        yield f"- {', '.join(keyed_by)}"


def _missing(runtime: Runtime, told: Callable[[str], str]) -> Iterator[str]:
    """What would bring more models, and keys that were meant to be there."""
    providers = runtime.catalogue.providers.values()
    wanting = [known for known in providers if known.enabled and not known.usable]
    broken = [known for known in wanting if known.key_problem]
    for known in broken:
        yield f"- ✗ **{known.name}**: {_plain(known.key_problem)}"
    names = [f"`{known.key_names[0]}`" for known in wanting if known.key_names and known not in broken]
    if names and any(known.usable for known in providers):
        yield ""
        by_itself = told(" A local server that runs is found by itself ({models.refresh}).")
        here = "" if any(known.local for known in providers) else by_itself
        yield f"No key in {', '.join(names)}.{here}"


def _plain(text: str) -> str:
    return clean_line(text, 80).replace("`", "'")
