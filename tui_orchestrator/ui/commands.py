"""Every action of the console with its keys; the prompt's `/` commands are in `slash`.

Key bindings, the footer, the palette, the help and the keymap of the settings are all read from here. Ctrl+M, Ctrl+I,
Ctrl+H and Ctrl+[ are Enter, Tab, Backspace and Escape on older terminals and are never keys of ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from textual.binding import Binding, BindingType
from textual.keys import key_to_character

from tui_orchestrator.settings import hidden

from .kept_keys import KEPT, locks_in

Need = Literal[
    "", "answer", "asked", "cut off", "ensemble", "several", "at work", "running", "said", "branches", "kept",
    "kept and idle", "deleted", "code", "voted", "elsewhere", "panes", "personas", "earlier", "later",
]  # fmt: skip
"""What has to be there for an action to do anything: an answer, something asked that can be asked again, an answer
that ended before its end, an ensemble's answers, several to the last prompt, members of an ensemble still at work, a
running turn, a prompt or an answer in the conversation, branches, a session that is kept, one that is while no turn
runs in it, a session deleted since the program began, an answer with a code block, one with a
vote, a session elsewhere whose answer runs or has come, panes side by side or one that is zoomed, personas, a
decision before or after the one on the card."""
Scope = Literal[
    "app", "prompt", "chat", "find", "decision", "costs", "registry", "reports", "sessions", "settings", "ensemble",
    "experiments", "batch", "recipes", "recipe",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Action:
    id: str
    """What [ui.keymap] names."""
    scope: Scope
    """Where its key works: everywhere, or with the focus in that pane."""
    key: str
    """Several are separated by commas."""
    action: str
    """In Textual's form: the method action_NAME of the scope's widget."""
    title: str
    """For the palette and the help, 'area: verb'."""
    footer: str = ""
    """Short, for the footer; empty: not shown there."""
    palette: bool = True
    needs: Need = ""
    """The palette and the line of keys offer it only then; its key always works, and says what is missing."""
    when: Need = ""
    """As `needs`, but a pane's own key stays in its line: what is clicked twice shall not move."""


TAKEN_BY_TEXT_AREAS = (
    *("f6", "f7", "ctrl+f", "alt+u", "alt+d", "alt+n", "alt+r", "alt+m", "alt+s", "alt+w", "alt+c", "alt+q", "alt+k"),
    *("alt+t", "alt+p", "alt+l", "alt+y", "alt+i", "alt+g", "alt+e", "alt+o", "alt+x", "alt+z", "alt+h"),
    *("alt+a", "alt+j"),
)
"""Keys of ours that would select text in the prompt, or write into it, if it did not bind them too."""

_PLACES = {"find": "search line", "registry": "list of models", "ensemble": "answers side by side"}
"""What a scope is called where that is not its name."""
UNBOUND = "unbound"
"""The key of an action that has none: no terminal sends it."""

ACTIONS = (
    Action("prompt.send", "prompt", "enter", "send", "prompt: send", "Send", palette=False),
    Action("prompt.newline", "prompt", "ctrl+j,shift+enter", "newline", "prompt: break the line", palette=False),
    Action("prompt.complete", "prompt", "tab", "complete", "prompt: complete a / command or a @file", palette=False),
    Action("prompt.up", "prompt", "up", "up", "prompt: line up, or an earlier prompt", palette=False),
    Action("prompt.down", "prompt", "down", "down", "prompt: line down, or a later prompt", palette=False),
    Action("prompt.editor", "prompt", "ctrl+e", "editor", "prompt: write it in $EDITOR", palette=False),
    Action("prompt.fold", "prompt", "alt+v", "fold", "prompt: unfold a long paste, or fold it again", palette=False),
    Action("prompt.decision", "app", "alt+h", "draft_decision", "prompt: show the whole decision about it"),
    Action("prompt.search", "app", "ctrl+r", "search_prompts", "prompt: search all earlier ones"),
    Action("turn.cancel", "app", "escape", "escape", "chat: cancel the running answer", needs="running"),
    Action("app.help", "app", "f1", "help", "help: what the keys do here", "Help"),
    Action("pane.chat", "app", "f2", "pane('chat')", "view: chat", "Chat"),
    Action("pane.decision", "app", "f3", "pane('decision')", "view: decision", "Decision"),
    Action("pane.costs", "app", "f4", "pane('costs')", "view: costs", "Costs"),
    Action("pane.registry", "app", "f5", "pane('registry')", "view: models", "Models"),
    Action("pane.columns", "app", "f7", "columns", "view: answers side by side", "Side by side", needs="ensemble"),
    Action("reports.open", "app", "f10", "reports('costs')", "view: reports on costs, performance and advice"),
    Action("pane.zoom", "app", "f6", "zoom", "view: zoom the pane, or back", "Zoom", when="panes"),
    Action("view.jump", "app", "ctrl+o", "jump", "view: jump to any pane by its letter", "Jump"),
    Action("strategy.pick", "app", "ctrl+s", "pick_strategy", "strategy: choose", "Strategy"),
    Action("model.pick", "app", "ctrl+t", "pick_model", "model: pin or unpin", "Pin model"),
    Action("session.new", "app", "ctrl+n", "new_session", "session: new", "New"),
    Action("session.open", "app", "ctrl+l", "open_session", "session: find an earlier one", "Sessions"),
    Action(
        "session.elsewhere",
        "app",
        "ctrl+b",
        "elsewhere",
        "session: go where another answer runs, or has come",
        "Elsewhere",
        needs="elsewhere",
    ),
    Action("session.temporary", "app", "alt+t", "temporary_chat", "session: temporary chat, of which nothing is kept"),
    Action("session.persona", "app", "alt+p", "pick_persona", "session: choose a persona", when="personas"),
    Action("session.rename", "app", "alt+l", "session('rename')", "session: rename this one", needs="kept"),
    Action("session.tag", "app", "alt+y", "session('tag')", "session: tag this one", needs="kept"),
    Action("session.pin", "app", "alt+i", "session('pin')", "session: pin this one, or not any more", needs="kept"),
    Action(
        "session.fork",
        "app",
        "alt+g",
        "session('fork')",
        "session: fork this one, whole or up to a prompt",
        needs="kept and idle",
    ),
    Action("session.export", "app", "alt+e", "session('export')", "session: export this one to a file", needs="kept"),
    Action(
        "session.export_all", "app", "alt+j", "session('export_all')", "session: export all branches", needs="branches"
    ),
    Action("session.import", "app", "alt+o", "import_session", "session: import one from a file"),
    Action("session.delete", "app", "alt+x", "session('delete')", "session: delete this one", needs="kept and idle"),
    Action("session.undelete", "app", "alt+z", "undelete", "session: bring back the one deleted last", needs="deleted"),
    Action("settings.open", "app", "f12", "settings", "settings: open"),
    Action("theme.pick", "app", "f9", "pick_theme", "view: theme", ""),
    Action("answer.copy", "app", "ctrl+g", "copy_answer", "answer: copy", needs="answer"),
    Action("answer.code", "app", "alt+c", "copy_code", "answer: copy a code block", needs="code"),
    Action(
        "answer.quote", "app", "alt+q", "quote", "answer: quote it, or what is selected, in the prompt", needs="answer"
    ),
    # Not Alt with an arrow, which most terminals send as Escape and the arrow; nor with B or F, which macOS sends so.
    Action("answer.up", "app", "alt+u", "vote(True)", "answer: vote up, or take that back", needs="answer"),
    Action("answer.down", "app", "alt+d", "vote(False)", "answer: vote down, or take that back", needs="answer"),
    Action("answer.unvote", "app", "alt+n", "vote(None)", "answer: take the vote back", needs="voted"),
    Action("answer.again", "app", "alt+r", "ask_again", "answer: ask again", needs="asked"),
    Action("answer.rerun", "app", "alt+m", "ask_another_model", "answer: ask another model", needs="asked"),
    Action(
        "answer.restrategy", "app", "alt+s", "ask_another_way", "answer: ask again by another strategy", needs="asked"
    ),
    Action("answer.continue", "app", "alt+a", "continue_answer", "chat: continue the answer", needs="cut off"),
    Action("answer.best", "app", "alt+w", "pick_best", "answer: pick the best of an ensemble", needs="ensemble"),
    Action("cache.show", "app", "alt+k", "show_cache", "cache: show what is kept, and clear it"),
    Action("models.refresh", "app", "f8", "refresh_models", "models: look again for servers and models", ""),
    Action("chat.find", "app", "ctrl+f", "find", "chat: find in the conversation", needs="said"),
    Action("app.palette", "app", "ctrl+p", "palette", "help: all commands", "Palette", palette=False),
    Action("app.interrupt", "app", "ctrl+c", "interrupt", "program: cancel, or quit if pressed twice", palette=False),
    Action("app.quit", "app", "ctrl+q", "quit", "program: quit", ""),
    Action(
        "decision.earlier",
        "decision",
        "left",
        "app.decision_step(-1)",
        "decision: the one before",
        "Earlier",
        when="earlier",
    ),
    Action(
        "decision.later", "decision", "right", "app.decision_step(1)", "decision: the one after", "Later", when="later"
    ),
    Action("decision.history", "decision", "enter", "app.decisions", "decision: all that were made", "All decisions"),
    Action("decision.whatif", "decision", "space", "app.what_if", "decision: what if it were otherwise", "What if"),
    Action("chat.up", "chat", "up", "mark(-1)", "chat: mark the message above", palette=False),
    Action("chat.down", "chat", "down", "mark(1)", "chat: mark the message below", palette=False),
    Action("chat.menu", "chat", "enter", "menu", "chat: what the marked message allows", "Menu", palette=False),
    Action("chat.fold", "chat", "space", "fold", "chat: fold or unfold the marked message", "Fold", palette=False),
    Action("chat.edit", "chat", "ctrl+e", "app.edit_prompt", "prompt: edit and branch", "Edit", needs="kept and idle"),
    Action("chat.branch_before", "chat", "left", "branch(-1)", "chat: the branch before", palette=False),
    Action("chat.branch_after", "chat", "right", "branch(1)", "chat: the next branch", palette=False),
    Action("find.next", "find", "enter,down", "step(1)", "find: the next place", "Next", palette=False),
    Action("find.previous", "find", "up,shift+enter", "step(-1)", "find: the place before", "Before", palette=False),
    Action("find.close", "find", "escape", "close", "find: close the line and stay there", "Close", palette=False),
    Action("costs.earlier", "costs", "left", "span(-1)", "costs: a shorter span of time", palette=False),
    Action("costs.later", "costs", "right", "span(1)", "costs: a longer span of time", "Period", palette=False),
    Action("costs.dimension", "costs", "space", "dimension", "costs: shares of the next kind", "Group", palette=False),
    Action("costs.reports", "costs", "enter", "app.reports('costs')", "costs: reports", "Reports", palette=False),
    Action("budget.cap", "costs", "c", "app.set_cap", "budget: set a cap", "Cap"),
    Action(
        "costs.gateway", "costs", "g", "app.traffic", "costs: what other programs ask through the gateway", "Gateway"
    ),
    Action("experiments.open", "costs", "x", "app.experiments", "costs: experiments, two ways compared", "Experiments"),
    Action("experiments.new", "experiments", "n", "new", "experiments: start one", "Start", palette=False),
    Action("experiments.stop", "experiments", "s", "stop", "experiments: stop it, or go on", "Stop", palette=False),
    Action("batch.open", "costs", "b", "app.batches", "batch: ask many prompts from a file"),
    Action("batch.begin", "batch", "enter", "begin", "batch: ask its price, and begin", "Begin", palette=False),
    Action("batch.stop", "batch", "s", "stop", "batch: stop it, or go on", "Stop", palette=False),
    Action("batch.retry", "batch", "r", "retry", "batch: ask those again that failed", "Failed", palette=False),
    Action("batch.other", "batch", "tab", "other", "batch: show the next one", "Next", palette=False),
    Action("batch.new", "batch", "n", "new", "batch: take another file", "File", palette=False),
    Action("recipes.open", "costs", "r", "app.recipes", "recipe: run one, a prompt in several steps"),
    Action("recipes.run", "recipes", "enter", "run", "recipe: fill in the marked one", "Run", palette=False),
    Action("recipe.stop", "recipe", "s", "stop", "recipe: stop it", "Stop", palette=False),
    Action("ensemble.previous", "ensemble", "left", "turn(-1)", "ensemble: the answer before", palette=False),
    Action("ensemble.next", "ensemble", "right", "turn(1)", "ensemble: the next answer", "Next", palette=False),
    Action("ensemble.zoom", "ensemble", "z", "zoom", "ensemble: zoom one answer, or back", "Zoom", palette=False),
    *(
        Action(f"ensemble.pick{n}", "ensemble", str(n), f"pick({n})", f"ensemble: pick answer {n}", palette=False)
        for n in range(1, 9)
    ),
    Action("ensemble.pick", "ensemble", "p", "pick(0)", "ensemble: pick this answer", "Pick", palette=False),
    Action(
        "ensemble.differences",
        "ensemble",
        "d",
        "differences",
        "ensemble: show in which words it differs from the winner, or not",
        "Differences",
        palette=False,
    ),
    Action(
        "ensemble.go_on",
        "ensemble",
        "c",
        "go_on",
        "ensemble: go on with this model",
        "Continue",
        palette=False,
        needs="several",
    ),
    Action(
        "ensemble.merge",
        "ensemble",
        "m",
        "merge",
        "ensemble: one answer from all",
        "Merge",
        palette=False,
        needs="several",
    ),
    Action(
        "ensemble.judge",
        "ensemble",
        "j",
        "app.judge",
        "ensemble: have a model judge the answers",
        "Judge",
        needs="several",
    ),
    Action(
        "ensemble.settle",
        "ensemble",
        "e",
        "settle",
        "ensemble: end those still at work",
        "Enough",
        palette=False,
        needs="at work",
    ),
    Action("sessions.open", "sessions", "enter", "select", "sessions: open the marked one", palette=False),
    Action("sessions.rename", "sessions", "r", "do('rename')", "sessions: rename", "Rename", palette=False),
    Action("sessions.tag", "sessions", "t", "do('tag')", "sessions: tag", "Tags", palette=False),
    Action("sessions.pin", "sessions", "p", "do('pin')", "sessions: pin, or not any more", "Pin", palette=False),
    Action("sessions.fork", "sessions", "f", "do('fork')", "sessions: fork", "Fork", palette=False),
    Action("sessions.delete", "sessions", "d,delete", "do('delete')", "sessions: delete", "Delete", palette=False),
    Action("sessions.undelete", "sessions", "u", "do('undelete')", "sessions: undo a deletion", "Undo", palette=False),
    Action("sessions.export", "sessions", "e", "do('export')", "sessions: export", "Export", palette=False),
    Action("sessions.import", "sessions", "i", "do('import')", "sessions: import", "Import", palette=False),
    Action("sessions.new", "sessions", "n", "do('new')", "sessions: new", "New", palette=False),
    Action("sessions.temporary", "sessions", "x", "do('temporary')", "sessions: temporary", "Temporary", palette=False),
    Action("sessions.search", "sessions", "slash", "do('search')", "sessions: search", "Search", palette=False),
    Action(
        "registry.card", "registry", "enter", "do('card')", "models: all that is known of it", "Card", palette=False
    ),
    Action("registry.pin", "registry", "p", "do('pin')", "models: pin the marked one", "Pin", palette=False),
    Action("registry.test", "registry", "t", "do('test')", "models: test with a tiny call", "Test", palette=False),
    Action(
        "registry.favourite",
        "registry",
        "f",
        "do('favourite')",
        "models: favourite, or not any more",
        "Favourite",
        palette=False,
    ),
    Action("registry.first", "registry", "asterisk", "favourites_first", "models: favourites first", palette=False),
    Action("registry.toggle", "registry", "space", "do('switch')", "models: switch on or off", "On/off", palette=False),
    Action("registry.memory", "registry", "m", "do('memory')", "models: load into memory, or unload", palette=False),
    Action("registry.add", "registry", "a", "app.add_provider", "models: add a provider, a server or a model", "Add"),
    Action("registry.sort", "registry", "s", "sort", "models: sort by the next column", "Sort", palette=False),
    Action("registry.filter", "registry", "slash", "filter", "models: filter", "Filter", palette=False),
    Action("registry.refresh", "registry", "r", "app.refresh_models", "models: look again", "Refresh", palette=False),
    Action("settings.edit", "settings", "enter", "edit", "settings: change the marked one", "Change", palette=False),
    Action("settings.reset", "settings", "ctrl+r", "reset", "settings: back to the default", "Default", palette=False),
    Action("settings.file", "settings", "ctrl+o", "open_file", "settings: the file in $EDITOR", "File", palette=False),
    Action("settings.reload", "settings", "f8", "reload", "settings: read the file again", palette=False),
    Action("settings.back", "settings", "escape", "back", "settings: end the search, then back", "Back", palette=False),
    Action("reports.period", "reports", "p", "pick_period", "reports: choose the time", "Time", palette=False),
    Action("reports.by", "reports", "g", "pick_grouping", "reports: a row for each what", "Group", palette=False),
    Action("reports.sort", "reports", "s", "sort", "reports: sort by the next column", "Sort", palette=False),
    Action("reports.turn", "reports", "S", "turn", "reports: turn the order", palette=False),
    Action("reports.csv", "reports", "e", "export('csv')", "reports: write the table as CSV", "CSV", palette=False),
    Action("reports.json", "reports", "j", "export('json')", "reports: write the table as JSON", "JSON", palette=False),
    Action("reports.reload", "reports", "r", "reload", "reports: read the ledger again", "Reload", palette=False),
    Action("reports.costs", "reports", "1", "tab('costs')", "reports: costs", palette=False),
    Action("reports.performance", "reports", "2", "tab('performance')", "reports: performance", palette=False),
    Action("reports.advice", "reports", "3", "tab('advice')", "reports: advice", palette=False),
    Action("reports.next", "reports", "tab", "next_tab(1)", "reports: the next of the three", "Next", palette=False),
    Action("reports.previous", "reports", "shift+tab", "next_tab(-1)", "reports: the one before", palette=False),
    Action("reports.back", "reports", "escape,q", "back", "reports: back", "Back", palette=False),
)


def bindings(scope: Scope) -> list[BindingType]:
    return [
        Binding(
            action.key,
            action.action if action.scope == scope else f"app.{action.action}",
            action.footer or action.title,
            id=action.id,
            # Which is not always there, so that nobody would look for it.
            show=bool(action.footer) and (action.scope == scope or bool(action.needs)),
            # A text area takes Enter and Tab for itself before it asks its bindings, unless they come first; and out of
            # a dialog too one may want to leave.
            priority=scope == "prompt" or action.id == "app.quit",
        )
        for action in ACTIONS
        if action.scope == scope or (scope == "prompt" and action.key in TAKEN_BY_TEXT_AREAS)
    ]


def keymap(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The part of the user's keymap that names an action, without keys that another action has, and a sentence for each
    entry that names none and for each key that two actions would share."""
    known = {action.id for action in ACTIONS}
    complaints = []
    for name in wanted:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else "; the help lists those there are"
            complaints.append(f"[ui.keymap] names an unknown action {name!r}{hint}")
    taken = {name: key for name, key in wanted.items() if name in known}
    for action in ACTIONS:
        if action.id in taken and (key := locks_in(action, ACTIONS, taken)):
            complaints.append(f"[ui.keymap] gives {key} to {action.id}, but {KEPT[key]}; give it another key")
            del taken[action.id]
    bound = dict(taken)
    for key, sharing in _conflicts(taken).items():
        losers = [one for one in sharing if any(_takes(key, other, one, [*taken]) for other in sharing)]
        for one in losers:
            left = [other for other in _keys(one, bound) if other != key]
            bound[one.id] = ",".join(left) or UNBOUND
        complaints.append(_told(key, sharing, losers))
    return bound, [hidden(complaint) for complaint in complaints]


def _keys(action: Action, keys: Mapping[str, str]) -> list[str]:
    return [key.strip() for key in keys.get(action.id, action.key).split(",")]


def _conflicts(taken: Mapping[str, str]) -> dict[str, list[Action]]:
    """Panes may use a key for different things; those of the whole console work in all of them. The prompt, where one
    nearly always is, hides what it shares. What shares a key as the program comes is meant to."""
    conflicts, users = dict[str, list[Action]](), dict[str, list[Action]]()
    for action in ACTIONS:
        for key in _keys(action, taken):
            users.setdefault(key, []).append(action)
    for key, sharing in users.items():
        between = [pair for pair in combinations(sharing, 2) if _hide(*pair) and not _came_with(key, *pair)]
        told = {one.id for pair in between if not taken.keys().isdisjoint(one.id for one in pair) for one in pair}
        if told:
            conflicts[key] = [one for one in sharing if one.id in told]
    return conflicts


def _hide(one: Action, other: Action) -> bool:
    """Whether one of them could not be had by a key of both."""
    return one.scope == other.scope or "app" in (one.scope, other.scope)


def _takes(key: str, one: Action, other: Action, given: Sequence[str]) -> bool:
    """Whether `other` cannot be had by the key because `one` has it. Of two of the same pane the one that the user gave
    it to does, the first of them; in the prompt, what the user gave it to in the whole console."""
    if one.id not in given or one is other:
        return False
    if one.scope == other.scope:
        return other.id not in given or given.index(one.id) < given.index(other.id)
    return one.scope == "app" and other.scope == "prompt" and key_to_character(key) is None


def _told(key: str, sharing: Sequence[Action], losers: Sequence[Action]) -> str:
    winners = [one for one in sharing if one not in losers]
    wide = [one.id for one in winners if one.scope == "app"]
    near = [f"{one.id} in the {_PLACES.get(one.scope, one.scope)}" for one in winners if one.scope != "app"]
    has = f"{_listed(wide or near)} has it"
    if wide and near:
        has += f", but {_listed(near)}"
    lost = f", and {_listed([one.id for one in losers])} not" if losers else ""
    named = _listed([one.id for one in sharing])
    return f"[ui.keymap] gives {key} to {named}; give one of them another key. Until then {has}{lost}"


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _came_with(key: str, *actions: Action) -> bool:
    return all(key in action.key.split(",") for action in actions)
