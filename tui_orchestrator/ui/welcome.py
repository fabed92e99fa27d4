"""What is said in an empty conversation: what was found, what is missing, what to press."""

from __future__ import annotations

from collections import Counter

from tui_orchestrator.services.runtime import Runtime

KEY_VARIABLES = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY")

TEMPORARY = (
    "## A temporary chat\n\nNothing of what is said here is kept: no session, no prompt, no draft, no cached answer. "
    "The ledger keeps what it cost, without a word of text.\n\nIt is gone when you open another session or leave."
)


def welcome(runtime: Runtime) -> str:
    """Markdown. Every name in it is the program's own or a provider's as the settings say."""
    usable = Counter(model.provider for model in runtime.registry if model.id not in runtime.registry.out)
    lines = ["## Where to?", ""]
    if runtime.demo:
        lines += [
            "**These are the embedded demo models.** They answer from scripts over real connections, some fail or "
            "hedge on purpose, and their money is not real.",
            "",
            f"To ask real ones, set {', '.join(f'`{name}`' for name in KEY_VARIABLES[:-1])} or `{KEY_VARIABLES[-1]}`, "
            "or start LM Studio, Ollama, llama.cpp or vLLM on this machine.",
        ]
    elif usable:
        found = ", ".join(f"{count} of {provider}" for provider, count in usable.most_common())
        lines.append(f"Models found: {found}.")
    else:
        names = ", ".join(f"`{name}`" for name in KEY_VARIABLES)
        lines.append(f"**No model can be asked yet.** Set one of {names} or start a local server, then press F8.")
    lines += [
        "",
        "- **Type a prompt.** The line above it says which model it would go to and at what cost; Enter sends it.",
        "- **Ctrl+S** chooses how models are picked, **Ctrl+T** pins one, **F5** shows them all.",
        "- `@path` attaches a file or image, `/` lists commands, **F1** says what keys do, **Ctrl+P** finds anything.",
    ]
    if runtime.demo:
        lines += [
            "",
            "Try: *Write a Python function that merges two sorted lists*, or `/ensemble 3` and then a question.",
        ]
    return "\n".join(lines)
