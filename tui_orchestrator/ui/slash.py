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
    SlashCommand("strategy", "NAME|default", "choose how models are picked; alone: from a list"),
    SlashCommand("model", "NAME|auto", "pin one model, or let the strategy choose again; alone: from a list"),
    SlashCommand("chain", "NAME|a,b,c|none", "the models a turn may walk, in order"),
    SlashCommand("ensemble", "[2-8]", "ask several models at once; the number is how many"),
    SlashCommand("verdict", "HOW|default", "how its answers come to one: weighted, judge, fuse or vote"),
    SlashCommand("blind", "on|off", "pick the best of an ensemble before you see whose it is"),
    SlashCommand("enough", "", "end the members of an ensemble that are still at work"),
    SlashCommand("merge", "[MODEL]", "one answer from all of an ensemble's; alone: by whom, from a list"),
    SlashCommand("judge", "[MODEL]", "a model says which of an ensemble's answers is the best; alone: from a list"),
    SlashCommand("cost", "USD|none", "the most one turn may cost"),
    SlashCommand("cap", "[day|month|session|turn USD|none]", "a spending cap, kept in your settings; alone: them all"),
    SlashCommand("tokens", "N|none", "the most output tokens per attempt"),
    SlashCommand("check", "HOW|default", "how answers are checked: auto, off, second_answer or judge"),
    SlashCommand("samples", "0-8|default", "how often the same model is asked again, to compare"),
    SlashCommand("cache", "[on|off|default]", "whether earlier answers will do; alone: what is kept, to clear it"),
    SlashCommand("system", "TEXT|none", "a system text for this session"),
    SlashCommand("new", "", "start a new session"),
    SlashCommand("sessions", "", "find and open an earlier session"),
    SlashCommand("temporary", "", "a chat of which nothing is kept but what it cost"),
    SlashCommand("persona", "[NAME|none]", "answer as one of your personas; alone: from a list"),
    SlashCommand("rename", "[TITLE]", "rename this session"),
    SlashCommand("tag", "[TAG, -TAG]", "tag this session, or take tags away"),
    SlashCommand("pin", "", "keep this session at the head of the list, or not any more"),
    SlashCommand("fork", "", "copy this session, whole or up to a prompt, and go on there"),
    SlashCommand("delete", "", "delete this session; /undo brings it back"),
    SlashCommand("undo", "", "bring back the session deleted last"),
    SlashCommand("export", "[md|json|FILE]", "write this session to a file"),
    SlashCommand("import", "[FILE]", "take in a session that was exported as JSON"),
    SlashCommand("models", "", "the table of models"),
    SlashCommand("reports", "[costs|performance|advice]", "what was spent, how models did, what to change"),
    SlashCommand("decisions", "[WORDS]", "every decision that was made, searched for words"),
    SlashCommand("gateway", "", "what other programs ask through the gateway, as it happens"),
    SlashCommand("experiment", "[NAME]", "two strategies, models or prompts compared on your own turns"),
    SlashCommand("batch", "[FILE]", "many prompts from a file, answered into a file beside the conversation"),
    SlashCommand("recipe", "[NAME]", "a prompt in several steps; alone: from a list"),
    SlashCommand("whatif", "[STRATEGY]", "what would have been decided otherwise, and the difference in dollars"),
    SlashCommand("refresh", "", "look again for servers and models"),
    SlashCommand("find", "[WORDS]", "find words in this conversation"),
    SlashCommand("edit", "", "edit the last prompt and send it anew, as a branch"),
    SlashCommand("copy", "[code|file]", "copy the answer in view; a block of its code; to a file"),
    SlashCommand("good", "", "vote for the answer in view; once more takes it back"),
    SlashCommand("bad", "", "vote against it; once more takes it back"),
    SlashCommand("again", "[MODEL|STRATEGY]", "ask the last prompt again, as before or elsewhere"),
    SlashCommand("continue", "[MODEL]", "continue an answer that was cut off, where it stopped"),
    SlashCommand("best", "", "pick the best answer of an ensemble, from a list"),
    SlashCommand("settings", "[WORDS]", "every setting, searched for words, to be changed"),
    SlashCommand("theme", "[NAME]", "change the colours; alone: from a list"),
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
            return command, argument.strip()
    if name in ELSEWHERE:
        return f"no command is called /{name}; did you mean /{ELSEWHERE[name]}?"
    close = difflib.get_close_matches(name, [command.name for command in SLASH_COMMANDS], n=1)
    hint = f"; did you mean /{close[0]}?" if close else "; /help lists those there are"
    return f"no command is called /{name}{hint}"
