"""Textual's styles for the consoles of tests, at a third of their price. All consoles have the same rules, and a widget
is styled again whenever the focus moves, nine times before a console is open. What the rules that match say together is
asked of Textual once for all consoles; which of them match is looked up each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from textual.css.match import _check_selectors
from textual.css.model import CombinatorType, RuleSet, Selector
from textual.css.styles import RulesMap
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

_apply, _parse, _replace = Stylesheet.apply, Stylesheet._parse_rules, Stylesheet.replace_rules


@dataclass(frozen=True, slots=True)
class Candidate:
    """A selector that fits a kind of node. A node of that kind matches if it is in these states and, where its place
    matters, stands below what the selectors name."""

    states: frozenset[str]
    place: list[Selector] | None


@dataclass
class Kind:
    """Nodes of one class that bear the same names."""

    candidates: list[Candidate]
    traits: dict[str, bool]
    """What Textual notes on each such node."""
    known: dict[tuple[int, ...], RulesMap | None] = field(default_factory=dict)
    """By the numbers of the candidates that match; None: no rule says anything."""


@dataclass
class Rules:
    """They are kept, so that their identity stays theirs."""

    rules: list[RuleSet]
    kinds: dict[tuple[object, ...], Kind] = field(default_factory=dict)


class Asked(Stylesheet):
    """Tells what would be set."""

    def __init__(self, sheet: Stylesheet) -> None:
        super().__init__()
        self._rules, self._rules_map = sheet.rules, sheet.rules_map
        self.answer: RulesMap | None = None

    def replace_rules(self, node: DOMNode, rules: RulesMap, animate: bool = False) -> None:  # type: ignore[override]
        self.answer = rules

    def _process_component_classes(self, node: DOMNode) -> None:
        pass


_known: dict[tuple[int, ...], Rules] = {}
_parsed: dict[object, list[RuleSet]] = {}
_variables: dict[tuple[tuple[str, str], ...], int] = {}
_components = cache(lambda kind: sorted(kind._get_component_classes()))


def _parse_rules(sheet: Stylesheet, *wanted: Any, **named: Any) -> list[RuleSet]:
    variables = sheet.__dict__.get("_numbered")
    if variables is None or variables[0] is not sheet._variables:
        number = _variables.setdefault(tuple(sheet._variables.items()), len(_variables))
        variables = sheet.__dict__["_numbered"] = sheet._variables, number
    key = (wanted, *named.items(), variables[1])
    if key not in _parsed:
        _parsed[key] = _parse(sheet, *wanted, **named)
    return _parsed[key]


def _kind(sheet: Stylesheet, node: DOMNode) -> Kind:
    rules, known = sheet.rules, sheet.__dict__.get("_of_all")
    if known is None or known[0] is not rules:
        known = rules, _known.setdefault(tuple(map(id, rules)), Rules(rules))
        sheet.__dict__["_of_all"] = known
    kinds = known[1].kinds
    key = (type(node), node.classes, node._id)
    kind = kinds.get(key)
    if kind is None:
        kind = kinds[key] = _looked_up(node, rules)
    return kind


def _looked_up(node: DOMNode, rules: list[RuleSet]) -> Kind:
    candidates = []
    for rule in rules:
        if rule.selector_names.isdisjoint(node._selector_names):
            continue
        for selectors in (one.selectors for one in rule.selector_set):
            own = _of_the_node(selectors)
            if all(selector._check(node) for selector in own):
                anywhere = len(own) == len(selectors) and own[0].combinator is CombinatorType.DESCENDENT
                states = frozenset(state for selector in own for state in selector.pseudo_classes)
                candidates.append(Candidate(states, None if anywhere else selectors))
    return Kind(candidates, {})


def _of_the_node(selectors: list[Selector]) -> list[Selector]:
    """Those at the end, which are for the node itself and for none above it."""
    first = len(selectors) - 1
    while first and selectors[first].combinator is CombinatorType.SAME:
        first -= 1
    return selectors[first:]


def _matching(node: DOMNode, candidates: list[Candidate]) -> tuple[int, ...]:
    path: list[DOMNode] = []
    in_state = node._PSEUDO_CLASSES
    found = []
    for number, candidate in enumerate(candidates):
        for state in candidate.states:
            if state not in in_state or not in_state[state](node):  # type: ignore[arg-type]
                break
        else:
            if candidate.place is None or _check_selectors(candidate.place, path := path or node.css_path_nodes):
                found.append(number)
    return tuple(found)


def _styles(sheet: Stylesheet, node: DOMNode) -> RulesMap | None:
    """The same object wherever the same rules match."""
    kind = _kind(sheet, node)
    matching = _matching(node, kind.candidates)
    if matching not in kind.known:
        asked = Asked(sheet)
        _apply(asked, node)
        kind.known[matching] = asked.answer
        traits = ("_has_hover_style", "_has_focus_within", "_has_order_style", "_has_odd_or_even")
        kind.traits = {name: getattr(node, name) for name in traits}
    node.__dict__.update(kind.traits)
    return kind.known[matching]


def _set(node: DOMNode, rules: RulesMap, animate: bool) -> None:
    """Hardly a rule is another one than before; setting all of them was a tenth of what opening a console costs."""
    if animate and node.app.animation_level != "none":
        _replace(node, rules, animate=True)
        return
    styles = node.styles.base
    if node.__dict__.get("_styled_by") != (id(rules), styles._updates):
        old = styles._rules
        for name in old.keys() | rules.keys():
            if (value := rules.get(name)) is not old.get(name):
                setattr(styles, name, value)
        node.__dict__["_styled_by"] = id(rules), styles._updates
    node.notify_style_update()


def _style(sheet: Stylesheet, node: DOMNode, *, animate: bool = False, cache: object = None) -> None:
    rules = _styles(sheet, node)
    if rules is None:
        node.__dict__["_styled_by"] = id(None), node.styles.base._updates
    else:
        _set(node, rules, animate)
    _style_components(sheet, node)


def _style_components(sheet: Stylesheet, node: DOMNode) -> None:
    components = _components(type(node))
    if not components:
        return
    before, changed = node._component_styles.copy(), False
    kept: dict[str, DOMNode] = node.__dict__.setdefault("_component_nodes", {})
    node._component_styles.clear()
    for component in components:
        part = kept.get(component)
        if part is not None and before.get(component) is part.styles:
            rules = _styles(sheet, part)
            if part.__dict__.get("_styled_by") == (id(rules), part.styles.base._updates):
                node._component_styles[component] = part.styles
                continue
        part = kept[component] = DOMNode(classes=component)
        part._attach(node)
        _style(sheet, part)
        changed = changed or before.get(component) != part.styles
        node._component_styles[component] = part.styles
    if changed:
        node.refresh()


@contextmanager
def styled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", _parse_rules)
        patch.setattr(Stylesheet, "apply", _style)
        # By identity as before, without a call to Python.
        patch.setattr(RuleSet, "__hash__", object.__hash__)
        yield
