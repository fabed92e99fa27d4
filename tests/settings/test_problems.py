import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tui_orchestrator.opening import LongKey, parsed
from tui_orchestrator.settings import SettingsError, load, write_privately
from tui_orchestrator.settings.changing import change

Problems = Callable[..., list[str]]

PROBLEMS = [
    (
        'budgets.on_exhausted = ["refuse", "local"]',
        "FILE:1: budgets.on_exhausted: nothing comes after 'refuse', which ends the list; put it last or leave it out",
    ),
    (
        'budgets.on_exhausted = ["locl"]',
        "FILE:1: budgets.on_exhausted: 'locl' is unknown, perhaps 'local' is meant; give one of fewer_tokens, "
        "cheapest, local, refuse, or a list of them in the order they are tried, such as "
        '["fewer_tokens", "local", "cheapest", "refuse"]',
    ),
    ("\n[budgets]\ndaily_usd = -3", "FILE:3: budgets.daily_usd: -3 is below zero; give US dollars, such as 5.00"),
    ("budgets.daily_usd = nan", "FILE:1: budgets.daily_usd: NaN is not an amount; give US dollars, such as 5.00"),
    ("budgets.daily_usd = true", "FILE:1: budgets.daily_usd: true is not an amount; give US dollars, such as 5.00"),
    (
        '[router]\nstrategy = "chepest"',
        "FILE:2: router.strategy: 'chepest' is unknown, perhaps 'cheapest' is meant; give one of cheapest, balanced, "
        "quality, performance, preference, local_first, fallback, ensemble, or one that a plugin brings",
    ),
    (
        "[router]\nquality_treshold = 1",
        "FILE:2: router.quality_treshold: is an unknown key; did you mean quality_threshold?",
    ),
    ("[router]\ndaily_usd = 1", "FILE:2: router.daily_usd: is an unknown key; did you mean budgets.daily_usd?"),
    ("strategy = 'x'", "FILE:1: strategy: is an unknown key; did you mean router.strategy?"),
    ("[bugdets]", "FILE:1: bugdets: is an unknown key; did you mean budgets?"),
    (
        "[zzz]",
        "FILE:1: zzz: is an unknown key; those there are: router, budgets, chains, rules, personas, providers, models, "
        "cache, ui, store, shared, plugins, telemetry, log",
    ),
    (
        "[router]\nmax_attempts = 2.5",
        "FILE:2: router.max_attempts: 2.5 is not a whole number; give a whole number from 1 to 20, such as 5",
    ),
    (
        "router.quality_threshold = 1.5",
        "FILE:1: router.quality_threshold: 1.5 is above 1; give a number from 0 to 1, such as 0.7",
    ),
    (
        "router.timeouts.total = '9'",
        "FILE:1: router.timeouts.total: '9' is not a number; give a number of seconds from 0.05 to 86400, such as 900",
    ),
    ("router.prefer_local = 1", "FILE:1: router.prefer_local: 1 is neither true nor false; give true or false"),
    ("router = 3", "FILE:1: router: is a section, not a value; write [router] and its keys below"),
    ("models = 3", "FILE:1: models: is a list of entries; write [[models]] above each"),
    ("[models]\nid='a/b'", "FILE:1: models: is a list of entries; write [[models]] above each"),
    ("router.strategy.x = 3", None),
    (
        "[chains]\nfast = []",
        "FILE:2: chains.fast: the list is empty and so names nothing; give a list of model ids, such as "
        '["ollama/llama4", "openai/gpt-6-luna"]',
    ),
    ('chains.x = ["a", "a"]', None),
    ('chains.x = [""]', None),
    ('chains."a/b" = ["x"]', None),
    (
        "[rules.r]\nwords = ['x']",
        "FILE:1: rules.r: does nothing; give it one of primary, fallback, temperature, max_tokens, strategy, system",
    ),
    (
        "[rules.r]\nwords = ['x']\nfallback = ['a/b']",
        "FILE:3: rules.r.fallback: is walked after `primary`, which is not given; say which model goes first",
    ),
    ("[rules.r]\nprimary = 'x'\npattern = '('", None),
    ("[rules.r]\nprimary = 'x'\npattern = '(a+)+'", None),
    ("[rules.r]\nprimary = 'x'\nwords = ['']", None),
    ("[rules.r]\nprimary = 'x'\ndomains = ['lwa']", None),
    (
        '[[models]]\nid = "openai/m"\n[[models]]\nid = "m"\nprovider = "openai"',
        'FILE:3: models."openai/m": is described twice, first at FILE:1; put both together',
    ),
    (
        "[[models]]\nlevel = 'basic'",
        'FILE:1: models.id: is missing; give the model\'s id, such as id = "team/qwen4-coder"',
    ),
    (
        "[[models]]\nid = 'm'",
        "FILE:1: models.id: 'm' does not say who serves it; give PROVIDER/MODEL, or `provider` beside it",
    ),
    *(
        (
            f'[[models]]\nid = "openai/m{unseen}"',
            f"FILE:1: models.\"openai/m\": 'openai/m{shown}' cannot be a name here; give PROVIDER/MODEL, such as "
            '"team/qwen4-coder"',
        )
        for unseen, shown in [("\\u001b", "\\x1b"), ("\\u009b", "\\x9b"), ("\\u202e", "\\u202e")]
    ),
    ('store.path = "/a/\\u001b[2J"', None),
    ('[providers.a]\nbase_url = "http://localhost/\\u202e"', None),
    ("[[models]]\nid = 'opnai/m'", "FILE:1: models.\"opnai/m\": no provider is called 'opnai'; did you mean openai?"),
    (
        "[[models]]\nid = 'zzz/m'",
        "FILE:1: models.\"zzz/m\": no provider is called 'zzz'; add [providers.zzz] with its base_url",
    ),
    (
        "[[models]]\nid = 'openai/m'\ninput_usd = 1",
        'FILE:1: models."openai/m": output_usd is missing; a price needs input_usd and output_usd',
    ),
    ("[[models]]\nid = 'openai/m'\ninput_usd = 1\noutput_usd = -1", None),
    (
        "[budgets.providers.opnai]\ndaily_usd = 1",
        "FILE:1: budgets.providers.opnai: no provider is called 'opnai'; did you mean openai?",
    ),
    (
        "[budgets.models.gpt]\ndaily_usd = 1",
        "FILE:1: budgets.models.gpt: 'gpt' cannot be a name here; give PROVIDER/MODEL, such as "
        '"anthropic/claude-opus-5.5"',
    ),
    (
        "[providers.team]\nkind = 'openai-compatible'",
        'FILE:1: providers.team.base_url: is missing; give its address, such as "http://host:8000/v1"',
    ),
    ("[providers.team]\nkind = 'openai-compatible'\nbase_url = 'nonsense'", None),
    ("[providers.openai]\nbase_url = 'ftp://x'", None),
    ("[providers.openai]\nbase_url = 'http://x:99999'", None),
    ("[providers.openai]\nbase_url = 'http://'", None),
    ("[providers.openai]\nbase_url = 'http://x/?key=sk-1'", None),
    ("[providers.openai]\napi_key_command = '\"open'", None),
    ("[providers.openai]\napi_key_command = ''", None),
    (
        "[store]\npath = 'x.db'",
        "FILE:2: store.path: 'x.db' depends on where the program is started; give a whole path, from / or ~, such as "
        '"~/llm/store.db"',
    ),
    ("[ui]\npanes = []", None),
    ("[ui.keymap]\npane.zoom = 'f7,, f8'", None),
]


@pytest.mark.parametrize(("text", "sentence"), PROBLEMS, ids=range(len(PROBLEMS)))
def test_a_mistake_is_one_sentence_with_file_line_and_key(problems: Problems, text: str, sentence: str | None) -> None:
    (said,) = problems(text)
    if sentence is not None:
        assert said == sentence
    assert said.startswith("FILE:")
    assert ";" in said  # what is wrong; what would be right


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\na = b", "FILE:2: this is not TOML: Invalid value; text goes in quotes"),
        ("[a\n", "FILE:1: this is not TOML: Expected ']'"),
        ("[router]\n\nmax_attempts 3", "FILE:3: this is not TOML: Expected '='"),
        ("a = 1\na = 2\nb = 3", "FILE:2: this is not TOML: Cannot overwrite a value; the same key stands there twice"),
        ("[ui]\n[ui]\n", "FILE:2: this is not TOML: Cannot declare ('ui',) twice; the same section"),
        ("a = 'x", "FILE:1: this is not TOML"),
        ("x = " + "[" * 5000, "FILE:1: "),
        ("x = " + "9" * 5000, "FILE:1: x: a number has more than 600 digits; write a shorter one"),
        (
            f"[router]\nmax_attempts = 2\n[budgets]\ndaily_usd = -{'9_' * 20_000}9\n[ui]",
            "FILE:4: budgets.daily_usd: a number has more than 600 digits",
        ),
        (f"[[models]]\nid = 'a'\nlevel = [\n1,\n{'8' * 700}]", "FILE:5: models.level: a number has more than 600"),
        (f"a = {'1' * 700} b = 2", "FILE:1: a: a number has more than 600 digits"),
        ("x = '''\n1'''\nx" + ".a" * 30_000 + " = 1", "FILE:3: a key has more than 30 dots; write a shorter one"),
        ("[x" + " . 'a.b' . \"c\"" * 16 + "]", "FILE:1: a key has more than 30 dots; write a shorter one"),
    ],
)
def test_broken_toml_is_told_with_its_line(problems: Problems, text: str, said: str) -> None:
    (sentence,) = problems(text)
    assert sentence.startswith(said)


@pytest.mark.parametrize("quoted", ["'''{}\n{}'''", '"""{}"\n{}"""', "'{}' # {}", '"{}\\"" # {}'])
def test_dots_in_texts_and_comments_are_none_of_a_key(quoted: str) -> None:
    dots = "x" + ".a" * 40
    text = quoted.format(dots, dots)
    assert list(parsed(f"one.two = {text}\nthree = 0.1")["one"]) == ["two"]
    with pytest.raises(LongKey, match=r"line (3|2),"):
        parsed(f"one.two = {text}\n{dots} = 1")


def test_digits_in_texts_keys_and_comments_are_none_of_a_number() -> None:
    many = "1" * 700
    text = f"one = '{many}' # {many}\nk{many} = 0x{many}\n'{many}' = 0.{many}"
    assert list(parsed(text)) == ["one", f"k{many}", many]


def test_all_mistakes_of_all_sources_are_told_at_once(problems: Problems) -> None:
    said = problems("router.max_attempts = 0\nchains.x = []", "budgets.daily_usd = -1", env={"QUALITY_THRESHOLD": "2"})
    expected = ("router.max_attempts", "chains.x", "budgets.daily_usd", "router.quality_threshold")
    assert [key for key, sentence in zip(expected, said, strict=True) if f": {key}: " in sentence] == [*expected]


def test_the_message_of_the_error_is_all_its_problems() -> None:
    assert str(SettingsError("one", "two")) == "one\ntwo"


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        (
            {"DAILY_BUDGET_USD": "abc"},
            "env DAILY_BUDGET_USD: budgets.daily_usd: 'abc' is not an amount; give US dollars, such as 5.00",
        ),
        (
            {"RATE_LIMIT_REQUESTS": "-1"},
            "env RATE_LIMIT_REQUESTS: '-1' is not a number above zero; give requests, such as 100",
        ),
        (
            {"RATE_LIMIT_REQUESTS": "5", "RATE_LIMIT_WINDOW": "soon"},
            "env RATE_LIMIT_WINDOW: 'soon' is not a number above zero; give seconds, such as 60",
        ),
        (
            {"TUI_ORCHESTRATOR_ROUTER__STRATEGI": "x"},
            "env TUI_ORCHESTRATOR_ROUTER__STRATEGI: is an unknown key; did you mean strategy?",
        ),
        (
            {"TUI_ORCHESTRATOR_ROUTER_STRATEGY": "cheapest"},
            "env TUI_ORCHESTRATOR_ROUTER_STRATEGY: TUI_ORCHESTRATOR_ROUTER_STRATEGY is no setting; did you mean "
            "TUI_ORCHESTRATOR_ROUTER__STRATEGY?",
        ),
        (
            {"TUI_ORCHESTRATOR_MODELS__X__ENABLED": "no"},
            "env TUI_ORCHESTRATOR_MODELS__X__ENABLED: x names nothing in models; set it in a file",
        ),
        (
            {"TUI_ORCHESTRATOR_ROUTER__STRATEGY__X": "no"},
            "env TUI_ORCHESTRATOR_ROUTER__STRATEGY__X: router.strategy has nothing below it",
        ),
    ],
)
def test_a_mistake_in_the_environment_is_told_with_its_name(
    problems: Problems, env: dict[str, str], sentence: str
) -> None:
    assert problems(env=env) == [sentence]


def test_other_names_that_begin_as_ours_are_left_alone(home: Path, project: Path) -> None:
    load(environ={"TUI_ORCHESTRATOR_LOG_FORMAT": "debug", "TUI_ORCHESTRATOR_HOME": str(home)}, cwd=project)


@pytest.mark.parametrize("name", ["api_key", "apikey", "token", "key", "API-Key"])
def test_a_key_in_a_file_is_refused_without_repeating_it(problems: Problems, name: str) -> None:
    (sentence,) = problems(f'[providers.openai]\n{name} = "sk-very-secret"')
    assert "a key does not belong in this file" in sentence
    assert "api_key_env" in sentence
    assert "secret" not in sentence


@pytest.mark.parametrize(
    "line",
    [
        'base_url = "https://user:hunter2@host/v1"',
        'base_url = "hunter2"',
        'base_url = "https://host/?api_key=hunter2"',
        'api_key_env = "sk-hunter2"',
    ],
)
def test_a_key_in_the_wrong_place_is_not_repeated(problems: Problems, line: str) -> None:
    (sentence,) = problems(f"[providers.openai]\n{line}")
    assert "hunter2" not in sentence


def test_a_file_cannot_write_control_characters_into_an_error(problems: Problems) -> None:
    (sentence,) = problems('"a\\u001b]0;x\\u0007" = 1')
    assert "\x1b" not in sentence
    assert "\x07" not in sentence


def test_a_file_that_is_not_utf8_is_told_with_the_line(home: Path, project: Path) -> None:
    file = project / "x.toml"
    file.write_bytes(b"[router]\n# caf\xe9\n")
    with pytest.raises(SettingsError, match=r"x\.toml:2: is not UTF-8 text; save the file as UTF-8"):
        load(file, environ={}, cwd=project)


def test_a_byte_order_mark_and_windows_line_ends_are_no_trouble(home: Path, project: Path) -> None:
    file = project / "x.toml"
    file.write_bytes(b"\xef\xbb\xbf[router]\r\nmax_attempts = 4\r\n")
    settings = load(file, environ={}, cwd=project)
    assert settings.policy.max_attempts == 4
    assert settings.origins["router.max_attempts"] == f"{file}:2"


def test_a_directory_in_place_of_a_file_is_told(home: Path, project: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(project, environ={}, cwd=project)


def test_a_pipe_that_lies_in_a_project_is_told_and_not_waited_for(home: Path, project: Path) -> None:
    os.mkfifo(project / "tui-orchestrator.toml")
    with pytest.raises(SettingsError, match=r"tui-orchestrator\.toml: is no ordinary file"):
        load(environ={}, cwd=project)


def test_a_pipe_that_is_named_is_told_and_not_waited_for(home: Path, project: Path) -> None:
    os.mkfifo(project / "named")
    for path in (project / "named", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(SettingsError, match=f"{path}: is no ordinary file; name a file of settings"):
            load(path, environ={}, cwd=project)
    for write in (lambda path: change(path, "ui.theme", "dark"), lambda path: write_privately(path, "nothing of it")):
        with pytest.raises((OSError, SettingsError), match=r"pipe or a device|no ordinary file"):
            write(project / "named")


def test_a_huge_file_is_refused(home: Path, project: Path) -> None:
    file = project / "x.toml"
    file.write_bytes(b"# " + b"x" * 1_000_001)
    with pytest.raises(SettingsError, match="longer than a megabyte"):
        load(file, environ={}, cwd=project)


_values = st.sampled_from(
    ["1", "-1", "0.5", "nan", "true", '"x"', '""', "[]", '["a", 1]', "{ a = 1 }", "2026-11-21", "[[]]"]
)
_keys = st.sampled_from(
    [
        *(
            "router",
            "router.strategy",
            "router.weights.cost",
            "budgets.daily_usd",
            "budgets.models",
            "chains.x",
            "models",
        ),
        *('budgets.models."a/b".daily_usd', "rules.r.words", "rules.r", "providers.openai.base_url", "ui.keymap.a.b"),
        *("ui.panes", "store.path", "cache", '"\\u0000"', "providers.x.kind", "budgets.alert_at", "rules.r.pattern"),
        *("providers.openai.api_key_env", "router.strategy.deeper"),
    ]
)


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(_keys, _values), max_size=3))
def test_whatever_a_file_says_it_is_read_or_refused_with_a_sentence(
    home: Path, project: Path, lines: list[tuple[str, str]]
) -> None:
    file = project / "any.toml"
    file.write_text("\n".join(f"{key} = {value}" for key, value in lines))
    said: tuple[str, ...] = ()
    try:
        load(file, environ={}, cwd=project)
    except SettingsError as error:
        said = error.problems or ("nothing",)
    assert all(sentence.startswith(f"{file}:") and "\n" not in sentence for sentence in said)
