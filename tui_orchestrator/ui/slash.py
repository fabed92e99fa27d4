"""The commands that are typed into the prompt behind a `/`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SlashCommand:
    name: str
    argument: str
    """How the help shows it; empty: it takes none."""
    help: str


SLASH_COMMANDS = (
    SlashCommand("strategy", "NAME|default", "choose how models are picked"),
    SlashCommand("model", "NAME|auto", "pin one model, or let the strategy choose"),
    SlashCommand("chain", "NAME|a,b,c|none", "the models a turn may walk, in order"),
    SlashCommand("ensemble", "[2-8]", "ask several models at once, so many"),
    SlashCommand("verdict", "HOW|default", "how an ensemble's answers come to one"),
    SlashCommand("blind", "on|off", "pick an ensemble's best before names are shown"),
    SlashCommand("enough", "", "end an ensemble's members still at work"),
    SlashCommand("merge", "[MODEL]", "one answer from all of an ensemble's"),
    SlashCommand("judge", "[MODEL]", "a model says which answer is an ensemble's best"),
    SlashCommand("cost", "USD|none", "the most one request may cost"),
    SlashCommand("cap", "[PERIOD USD|none]", "a spending cap, kept in your settings"),
    SlashCommand("tokens", "N|none", "the most output tokens per attempt"),
    SlashCommand("check", "HOW|default", "how answers are checked, if at all"),
    SlashCommand("samples", "0-8|default", "how often a model is asked again, to compare"),
    SlashCommand("cache", "[on|off|default]", "whether earlier answers will do; alone: clear"),
    SlashCommand("system", "TEXT|none", "a system text for this session"),
    SlashCommand("new", "", "start a new session"),
    SlashCommand("sessions", "", "find and open an earlier session"),
    SlashCommand("temporary", "", "a chat of which nothing is kept but what it cost"),
    SlashCommand("persona", "[NAME|none]", "answer as one of your personas"),
    SlashCommand("rename", "[TITLE]", "rename this session"),
    SlashCommand("tag", "[TAG, -TAG]", "tag this session, or take tags away"),
    SlashCommand("pin", "", "this session at the head of the list, or not"),
    SlashCommand("fork", "", "copy this session, whole or up to a prompt"),
    SlashCommand("delete", "", "delete this session; /undo brings it back"),
    SlashCommand("undo", "", "bring back the session deleted last"),
    SlashCommand("export", "[md|json|FILE]", "write this session to a file"),
    SlashCommand("import", "[FILE]", "take in a session that was exported as JSON"),
    SlashCommand("models", "", "the table of models"),
    SlashCommand("reports", "[WHICH]", "what was spent, how models did, what to change"),
    SlashCommand("decisions", "[WORDS]", "every decision that was made, searched for words"),
    SlashCommand("gateway", "", "what other programs ask through the gateway"),
    SlashCommand("experiment", "[NAME]", "compare two strategies or models on your turns"),
    SlashCommand("batch", "[FILE]", "ask many prompts from a file, beside the chat"),
    SlashCommand("recipe", "[NAME]", "a prompt in several steps"),
    SlashCommand("whatif", "[STRATEGY]", "other decisions, and the difference in dollars"),
    SlashCommand("refresh", "", "look again for servers and models"),
    SlashCommand("find", "[WORDS]", "find words in this conversation"),
    SlashCommand("edit", "", "edit the last prompt and send it as a branch"),
    SlashCommand("copy", "[code|file]", "copy the answer in view, its code, or to a file"),
    SlashCommand("good", "", "vote for the answer in view, or take that back"),
    SlashCommand("bad", "", "vote against it, or take that back"),
    SlashCommand("again", "[MODEL|STRATEGY]", "ask the last prompt again, also elsewhere"),
    SlashCommand("continue", "[MODEL]", "continue an answer that was cut off"),
    SlashCommand("best", "", "pick the best answer of an ensemble, from a list"),
    SlashCommand("settings", "[WORDS]", "every setting, searched for words, to be changed"),
    SlashCommand("theme", "[NAME]", "change the colours"),
    SlashCommand("help", "", "keys and commands"),
    SlashCommand("quit", "", "leave"),
)

ELSEWHERE = {
    **dict.fromkeys(("budget", "budgets", "caps", "limit"), "cap"),
    **dict.fromkeys(("clear", "reset", "chat"), "new"),
    **dict.fromkeys(("history", "resume", "load", "open", "search"), "sessions"),
    **dict.fromkeys(("costs", "usage", "stats", "spend"), "reports"),
    **dict.fromkeys(("exit", "bye", "q"), "quit"),
    **dict.fromkeys(("config", "preferences", "set"), "settings"),
    **dict.fromkeys(("compare", "multi"), "ensemble"),
    **dict.fromkeys(("regenerate", "retry", "regen"), "again"),
    **dict.fromkeys(("save", "download"), "export"),
    **dict.fromkeys(("route", "router", "mode"), "strategy"),
    **dict.fromkeys(("why", "explain"), "decisions"),
    "commands": "help",
}
"""What other programs, or anybody, might call a command: what it is called here."""


def slash_matches(draft: str) -> list[SlashCommand]:
    """The commands a draft may become; none as soon as it is more than one line or no command."""
    if not draft.startswith("/") or "\n" in draft:
        return []
    name, space, _ = draft[1:].partition(" ")
    if space:
        return [command for command in SLASH_COMMANDS if command.name == name]
    return [command for command in SLASH_COMMANDS if command.name.startswith(name)]


def parse_slash(draft: str) -> tuple[SlashCommand, str] | str | None:
    """A command with its argument, named in full, or alone and begun as no other is; a sentence when none is called
    that, None when the draft is a plain prompt (a path such as /etc/hosts is one)."""
    if not draft.startswith("/") or draft.startswith("//"):
        return None
    name, _, argument = draft[1:].partition(" ")
    if "/" in name or "\n" in name:
        return None
    fitting = [command for command in SLASH_COMMANDS if name and command.name.startswith(name)]
    for command in fitting:
        if command.name == name or (len(fitting) == 1 and not argument):
            if argument.strip() and not command.argument:
                return f"/{name} takes nothing behind it"
            return command, argument.strip()
    if name in ELSEWHERE:
        return f"no command is called /{name}; did you mean /{ELSEWHERE[name]}?"
    close = difflib.get_close_matches(name, [command.name for command in SLASH_COMMANDS], n=1)
    hint = f"; did you mean /{close[0]}?" if close else "; /help lists those there are"
    return f"no command is called /{name}{hint}"
