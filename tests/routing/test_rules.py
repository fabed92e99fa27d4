import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.domains import DOMAINS
from tui_orchestrator.routing.patterns import compile_pattern
from tui_orchestrator.routing.profile import Level, Profile, TaskType
from tui_orchestrator.routing.request import Image, Message, Request
from tui_orchestrator.routing.rules import SEARCHED_CHARACTERS, Rule, explain, first_match


def asked(prompt: str, **fields: object) -> Request:
    images = fields.pop("images", ())
    return Request((Message("user", prompt, images),), **fields)  # type: ignore[arg-type]


def profiled(task_type: TaskType = TaskType.CODE, complexity: int = 5) -> Profile:
    return Profile(task_type, {task_type: 1.0}, 0.5, complexity, 10, 100)


def matches(rule: Rule, request: Request, profile: Profile | None = None) -> bool:
    return first_match([rule], request, profile or profiled()) is not None


def test_the_first_rule_that_matches_decides() -> None:
    rules = [Rule("math", task_types=frozenset({TaskType.MATH})), Rule("words", words=("merge",)), Rule("all")]
    match = first_match(rules, asked("merge two lists"), profiled())
    assert match is not None
    assert match.rule.name == "words"
    assert match.why == 'says "merge"'


def test_no_rule_matches_where_none_applies() -> None:
    assert first_match([Rule("math", task_types=frozenset({TaskType.MATH}))], asked("hi"), profiled()) is None
    assert first_match([], asked("hi"), profiled()) is None


def test_a_rule_without_conditions_is_for_every_prompt() -> None:
    match = first_match([Rule("all")], asked("anything"), profiled())
    assert match is not None
    assert match.why == "is for every prompt"


def test_all_conditions_of_a_rule_must_hold() -> None:
    rule = Rule("both", task_types=frozenset({TaskType.CODE}), words=("merge",))
    assert matches(rule, asked("merge"), profiled(TaskType.CODE))
    assert not matches(rule, asked("merge"), profiled(TaskType.MATH))
    assert not matches(rule, asked("sort"), profiled(TaskType.CODE))


def test_any_value_of_a_condition_will_do() -> None:
    rule = Rule("levels", levels=frozenset({Level.ADVANCED, Level.EXPERT}))
    assert [matches(rule, asked("x"), profiled(complexity=c)) for c in (3, 5, 7, 9)] == [False, False, True, True]


def test_a_word_is_matched_whole_and_whatever_its_case() -> None:
    rule = Rule("tax", words=("tax",))
    assert matches(rule, asked("My TAX, please"))
    assert not matches(rule, asked("a taxi to the syntax"))


def test_a_phrase_is_matched_over_a_line_break() -> None:
    assert matches(Rule("p", words=("balance sheet",)), asked("read this balance\nsheet"))


def test_a_word_may_begin_or_end_with_a_sign() -> None:
    assert matches(Rule("c", words=("c++",)), asked("in C++, please"))
    assert matches(Rule("n", words=(".net",)), asked("in .NET"))


def test_a_word_of_a_script_without_spaces_is_found_inside_a_sentence() -> None:
    assert matches(Rule("zh", words=("合同",)), asked("请帮我看这份合同的条款"))
    assert not matches(Rule("ru", words=("кот",)), asked("который час"))


def test_a_pattern_is_searched_only_in_the_start_of_a_long_prompt() -> None:
    rule = Rule("p", pattern=compile_pattern("needle"))
    assert matches(rule, asked("x" * (SEARCHED_CHARACTERS - 6) + "needle"))
    assert not matches(rule, asked("x" * SEARCHED_CHARACTERS + "needle"))


@pytest.mark.parametrize(
    "text", ["(a+)+$", "(a*)*", "((ab?)*c)*", "(?:x|y+)*", "(.*?,)+", r"(\w{2,})+", "((a+){2,99})"]
)
def test_a_pattern_that_could_take_for_ever_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="can take for ever"):
        compile_pattern(text)


@pytest.mark.parametrize(
    "text", ["a+b*", r"\bJIRA-\d+\b", "(a++)+", "(?:(?>a+)b)*", "(ab){2,8}", "([a-z]{1,3},)+", "a|b+"]
)
def test_an_ordinary_pattern_is_not_refused(text: str) -> None:
    assert str(compile_pattern(text)) == text


def test_nothing_is_printed_about_what_a_later_python_may_make_of_a_pattern() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compile_pattern("[[a]--b]").search("a--b]")


@pytest.mark.parametrize(
    "text", ["a{1001}", "[ab]{4000000000}", "(?:a{32}b){32}", "(?>(?:(?:a{11}){10}|b){10})", "a{1001}+"]
)
def test_a_pattern_that_takes_the_memory_of_the_machine_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="more than 1,000 repeats"):
        compile_pattern(text)


@pytest.mark.parametrize("text", ["a{1000}b{1000}", "a{0,4000000000}", "(?:(?:a{10}){10}){10}"])
def test_one_that_asks_for_many_is_not_refused(text: str) -> None:
    assert compile_pattern(text).search("a" * 1_000 + "b" * 1_000)


SLOW = "(a|aa)+!"
"""No repeat lies in a repeat, and yet a prompt of a hundred letters takes it an age."""


def test_a_rule_whose_pattern_takes_too_long_is_in_doubt_and_no_rule_behind_it_wins() -> None:
    rules = [Rule("slow", pattern=compile_pattern(SLOW)), Rule("all")]
    prompt = asked("a" * 5_000)
    match = first_match(rules, prompt, profiled())
    assert match is not None
    assert (match.rule.name, match.in_doubt) == ("slow", True)
    assert match.why == f"pattern {SLOW} takes too long on this prompt"
    slow, all_ = explain(rules, prompt, profiled())
    assert [(c.holds, c.in_doubt, c.why) for c in slow.conditions] == [(False, True, match.why)]
    assert not slow.wins
    assert not all_.wins
    # Where it does not take long it is a rule like any other.
    quick = first_match(rules, asked("aa!"), profiled())
    assert quick is not None
    assert quick.why == 'pattern matches "aa!"'
    assert not quick.in_doubt


def test_a_slow_pattern_is_not_searched_where_another_condition_has_failed() -> None:
    rules = [Rule("slow", pattern=compile_pattern(SLOW), tags=frozenset({"law"})), Rule("all")]
    match = first_match(rules, asked("a" * 5_000), profiled())
    assert match is not None
    assert match.rule.name == "all"


@pytest.mark.parametrize("text", ["(", "[a", "*", "(?P<x>", "a{99999999999999999999}"])
def test_a_broken_pattern_is_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        compile_pattern(text)


def test_a_domain_is_told_by_its_words() -> None:
    rule = Rule("d", domains=("law", "medicine"))
    match = first_match([rule], asked("The Plaintiff filed first."), profiled())
    assert match is not None
    assert match.why == 'is about law: says "Plaintiff"'
    assert not matches(rule, asked("Write a poem about rain."))


@given(st.sampled_from(sorted(DOMAINS)), st.data())
def test_every_word_of_a_domain_speaks_for_it(domain: str, data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(DOMAINS[domain]))
    assert matches(Rule("d", domains=(domain,)), asked(f"Tell me: {word.upper()}?"))


def test_an_attachment_is_an_image_or_a_text_file() -> None:
    image = asked("look", images=(Image("image/png", b"png"),))
    text = asked("look", files=("notes.txt",))
    seen = {
        wanted: [matches(Rule("a", attachment=wanted), r) for r in (image, text, asked("look"))]  # type: ignore[arg-type]
        for wanted in ("image", "text", "any")
    }
    assert seen == {"image": [True, False, False], "text": [False, True, False], "any": [True, True, False]}


def test_a_tag_of_the_session_matches() -> None:
    rule = Rule("work", tags=frozenset({"work", "client"}))
    assert matches(rule, asked("x", tags=frozenset({"client", "old"})))
    assert not matches(rule, asked("x", tags=frozenset({"home"})))


def test_every_rule_is_explained_with_each_condition_also_behind_the_first_match() -> None:
    rules = [
        Rule("math", task_types=frozenset({TaskType.MATH}), words=("merge",)),
        Rule("merge", task_types=frozenset({TaskType.CODE}), words=("merge",)),
        Rule("picture", attachment="image"),
        Rule("ticket", pattern=compile_pattern(r"T-\d+")),
        Rule("rest"),
    ]
    told = explain(rules, asked("merge two lists"), profiled())
    assert [(e.rule.name, e.matched, e.wins) for e in told] == [
        ("math", False, False),
        ("merge", True, True),
        ("picture", False, False),
        ("ticket", False, False),
        ("rest", True, False),
    ]
    assert [[(c.key, c.holds, c.why) for c in e.conditions] for e in told] == [
        [("task_types", False, "task type is code, not math"), ("words", True, 'says "merge"')],
        [("task_types", True, "task type is code"), ("words", True, 'says "merge"')],
        [("attachment", False, "has no image")],
        [("pattern", False, r"pattern T-\d+ does not match")],
        [],
    ]


@given(st.lists(st.sampled_from(["code", "merge", "law", "image", "tag", "T-1", "all"]), max_size=5), st.booleans())
def test_what_explains_the_rules_and_what_decides_by_them_agree(kinds: list[str], tagged: bool) -> None:
    made = {
        "code": Rule("code", task_types=frozenset({TaskType.CODE}), words=("lists",)),
        "merge": Rule("merge", words=("merge", "sort")),
        "law": Rule("law", domains=("law",), levels=frozenset({Level.INTERMEDIATE})),
        "image": Rule("image", attachment="any"),
        "tag": Rule("tag", tags=frozenset({"work"})),
        "T-1": Rule("T-1", pattern=compile_pattern("a lawyer")),
        "all": Rule("all"),
    }
    rules = [made[kind] for kind in kinds]
    request = asked("What does a lawyer do?", tags=frozenset({"work"} if tagged else ()))
    match = first_match(rules, request, profiled())
    winners = [e.rule for e in explain(rules, request, profiled()) if e.wins]
    assert winners == ([match.rule] if match else [])


def test_a_rule_tells_what_it_asks() -> None:
    rule = Rule("r", primary="a/b", fallback=("c/d", "e/f"), temperature=0.0, max_tokens=9, system="Cite.")
    assert rule.asks() == {
        "primary": "a/b",
        "fallback": "c/d, e/f",
        "temperature": "0",
        "max_tokens": "9",
        "system": '"Cite."',
    }


@pytest.mark.parametrize(
    ("domain", "prompt"),
    [
        ("law", "Prüfe die Kündigungsfrist in meinem Vertrag"),
        ("law", "这份合同里有没有违约条款？"),
        ("law", "この契約書に問題はありますか"),
        ("law", "¿Qué dice el código\ncivil sobre esto?"),
        ("medicine", "Quels sont les effets secondaires de ce médicament ?"),
        ("medicine", "高血压患者可以吃什么药物"),
        ("finance", "Wie fülle ich meine Steuererklärung aus?"),
        ("finance", "確定申告の書き方を教えて"),
        ("data", "数据库怎么建索引"),
        ("security", "¿Cómo corrijo esta vulnerabilidad?"),
        ("operations", "nginx in Docker starten"),
        ("science", "Explique la photosynthèse"),
        ("education", "帮我写一份教案"),
        ("web", "サイトのフロントエンドを直して"),
    ],
)
def test_domains_are_told_in_six_languages(domain: str, prompt: str) -> None:
    others = tuple(other for other in DOMAINS if other != domain)
    assert matches(Rule("d", domains=(domain,)), asked(prompt))
    assert not matches(Rule("d", domains=others), asked(prompt))


@pytest.mark.parametrize(
    "prompt",
    [
        "Be patient, please join us at the tennis court",
        "Schreib mir ein Gedicht über den Herbst",
        "Raconte-moi une histoire de dragon",
        "Cuéntame un chiste",
        "写一首关于秋天的诗",
        "面白い話をして",
    ],
)
def test_everyday_talk_is_about_no_domain(prompt: str) -> None:
    assert not matches(Rule("d", domains=tuple(DOMAINS)), asked(prompt))


def test_what_matched_is_told_without_control_characters() -> None:
    match = first_match([Rule("p", pattern=compile_pattern("a.b"))], asked("a\x1bb"), profiled())
    assert match is not None
    assert "\x1b" not in match.why


def test_a_request_without_messages_is_no_trouble() -> None:
    assert first_match([Rule("w", words=("x",))], Request(()), profiled()) is None
