"""What Textual works out for each console, and is the same for all of them, is worked out once for all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.styles import RulesMap
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.message import Message
from textual.message_pump import MessagePump


@pytest.fixture(scope="session", autouse=True)
def styles_parsed_once() -> Iterator[None]:
    """Each console would parse the same rules again, a seventh of what opening one costs, and put them together again
    for each kind of widget that comes into it."""
    parse = Stylesheet.parse
    known: dict[object, list[RuleSet]] = {}

    def parse_all(sheet: Stylesheet) -> None:
        key = (*sheet.source.items(), *sheet._variables.items())
        if (rules := known.get(key)) is None:
            parse(sheet)
            known[key] = sheet._rules
        else:
            sheet._rules, sheet._rules_map, sheet._require_parse = rules, None, False

    parse_one = Stylesheet._parse_rules
    parts: dict[object, list[RuleSet]] = {}

    def parse_rules(sheet: Stylesheet, *wanted: Any, **named: Any) -> list[RuleSet]:
        key = (wanted, *named.items(), *sheet._variables.items())
        if key not in parts:
            parts[key] = parse_one(sheet, *wanted, **named)
        return parts[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "parse", parse_all)
        patch.setattr(Stylesheet, "_parse_rules", parse_rules)
        # By identity as before, without a call to Python: rules are looked up in sets ten thousand times a console.
        patch.setattr(RuleSet, "__hash__", object.__hash__)
        yield


@pytest.fixture(scope="session", autouse=True)
def styles_set_where_they_differ() -> Iterator[None]:
    """A widget is styled again whenever the focus moves, nine times before a console is open, and hardly a rule is
    another one then: setting all of them was a tenth of what opening one costs."""
    replace_all = Stylesheet.replace_rules

    def replace_rules(_: type[Stylesheet], node: DOMNode, rules: RulesMap, animate: bool = False) -> None:
        styles = node.styles.base
        if animate and node.app.animation_level != "none":
            replace_all(node, rules, animate=True)
            return
        old = styles._rules
        for name in old.keys() | rules.keys():
            if (value := rules.get(name)) is not old.get(name):
                setattr(styles, name, value)
        node.notify_style_update()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "replace_rules", classmethod(replace_rules))
        yield


@pytest.fixture(scope="session", autouse=True)
def styles_found_once(styles_parsed_once: None, styles_set_where_they_differ: None) -> Iterator[None]:
    """Which rules a widget has follows from all that selectors look at: of it and of what it is in, the class, the
    name, the classes of style, and the states that any rule for it names."""
    find, replace = Stylesheet.apply, Stylesheet.replace_rules
    states: dict[object, frozenset[str]] = {}
    known: dict[object, tuple[RulesMap | None, tuple[object, ...]]] = {}
    kept: dict[int, list[RuleSet]] = {}
    finding: list[list[RulesMap]] = []
    flags = ("_has_hover_style", "_has_focus_within", "_has_order_style", "_has_odd_or_even")

    def states_of(sheet: Stylesheet, node: DOMNode) -> frozenset[str]:
        key = (id(sheet.rules), frozenset(node._selector_names))
        if key not in states:
            # Kept, so that nothing else gets its identity.
            kept[id(sheet.rules)] = sheet.rules
            names = sheet.rules_map.keys() & node._selector_names
            states[key] = frozenset().union(*(rule.pseudo_classes for name in names for rule in sheet.rules_map[name]))
        return states[key]

    def apply(
        sheet: Stylesheet, node: DOMNode, *, animate: bool = False, cache: dict[tuple[Any, ...], RulesMap] | None = None
    ) -> None:
        named = states_of(sheet, node)
        key = (id(sheet.rules), *(_looked_at(one, named) for one in node.css_path_nodes))
        if key in known:
            rules, had = known[key]
            for flag, value in zip(flags, had, strict=True):
                setattr(node, flag, value)
            if rules is not None:
                sheet.replace_rules(node, rules, animate=animate)
            sheet._process_component_classes(node)
            return
        finding.append([])
        try:
            find(sheet, node, animate=animate)
        finally:
            found = finding.pop()
        known[key] = found[0] if found else None, tuple(getattr(node, flag) for flag in flags)

    def replace_rules(_: type[Stylesheet], node: DOMNode, rules: RulesMap, animate: bool = False) -> None:
        if finding:
            finding[-1].append(rules)
        replace(node, rules, animate=animate)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "apply", apply)
        patch.setattr(Stylesheet, "replace_rules", classmethod(replace_rules))
        yield


Handler = tuple[type, Callable[..., Any]]


@pytest.fixture(scope="session", autouse=True)
def handlers_found_once() -> Iterator[None]:
    """Whom a message is given to follows from its class and the widget's, but for what `on` declares: that may ask who
    sent it. Each class a widget descends from was looked through for each message."""
    find = MessagePump._get_dispatch_methods
    known: dict[tuple[type, str, type], list[Handler] | None] = {}

    def declared(pump: type, message: type) -> bool:
        return any(
            kind in vars(each).get("_decorated_handlers", ()) for each in pump.__mro__ for kind in message.__mro__
        )

    def named(pump: type, name: str) -> Iterator[Handler]:
        for each in pump.__mro__:
            method = vars(each).get(f"_{name}") or vars(each).get(name)
            if method is not None and not getattr(method, "_textual_on", None):
                yield each, method

    def methods(pump: MessagePump, name: str, message: Message) -> Iterator[Handler]:
        key = (type(pump), name, type(message))
        if key not in known:
            known[key] = None if declared(type(pump), type(message)) else list(named(type(pump), name))
        if (handlers := known[key]) is None:
            yield from find(pump, name, message)
            return
        for each, method in handlers:
            if message._no_default_action:
                return
            yield each, method.__get__(pump, each)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MessagePump, "_get_dispatch_methods", methods)
        yield


def _looked_at(node: DOMNode, states: frozenset[str]) -> tuple[object, ...]:
    checks = node._PSEUDO_CLASSES
    return (
        type(node),
        node._id,
        frozenset(node._classes),
        *(name for name in states if name in checks and checks[name](node)),
    )
