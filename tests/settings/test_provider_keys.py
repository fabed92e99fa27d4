import copy
import pickle
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tui_orchestrator.settings import LOCAL_SERVERS, Secret, Settings, effective, on_this_machine
from tui_orchestrator.settings.changing import change, said_in
from tui_orchestrator.settings.listing import sections

Load = Callable[..., Settings]
Problems = Callable[..., list[str]]
KEY = "sk-0123456789abcdefghij"


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """A program of these shell lines: the command that runs it."""

    def written(lines: str) -> str:
        path = tmp_path / "print key"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return f'"""\'{path}\' an-argument"""'

    return written


def test_a_secret_is_never_shown() -> None:
    secret = Secret(KEY)
    shown = f"{secret} {secret!r} {secret:>40} {[secret]}" + str({"key": secret})
    assert KEY[4:-4] not in shown
    assert str(secret) == "sk-…ghij"
    assert secret.reveal() == KEY


def test_of_a_short_secret_nothing_is_shown() -> None:
    assert str(Secret("123456789012345")) == "…"


def test_a_secret_cannot_be_pickled_or_copied() -> None:
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            attempt(Secret(KEY))  # type: ignore[operator]


def test_secrets_are_equal_by_value() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1


def test_a_cloud_appears_when_its_key_is_set(loaded: Load) -> None:
    settings = loaded(env={"ANTHROPIC_API_KEY": KEY, "OPENROUTER_API_KEY": KEY})
    assert [name for name, provider in settings.providers.items() if provider.usable] == ["anthropic", "openrouter"]
    provider = settings.providers["anthropic"]
    assert provider.api_key == Secret(KEY)
    assert provider.key_origin == "ANTHROPIC_API_KEY"
    assert KEY not in repr(settings)


def test_the_gemini_name_wins_over_the_google_name(loaded: Load) -> None:
    both = loaded(env={"GOOGLE_API_KEY": "google-key", "GEMINI_API_KEY": "gemini-key"}).providers["gemini"]
    assert (both.api_key, both.key_origin) == (Secret("gemini-key"), "GEMINI_API_KEY")
    one = loaded(env={"GOOGLE_API_KEY": "google-key"}).providers["gemini"]
    assert (one.api_key, one.key_origin) == (Secret("google-key"), "GOOGLE_API_KEY")


def test_a_key_may_lie_in_dotenv_and_the_environment_wins(loaded: Load) -> None:
    provider = loaded(dotenv='export OPENAI_API_KEY="dot-key" # mine').providers["openai"]
    assert (provider.api_key, provider.key_origin) == (Secret("dot-key"), ".env: OPENAI_API_KEY")
    provider = loaded(dotenv="OPENAI_API_KEY=dot-key", env={"OPENAI_API_KEY": "env-key"}).providers["openai"]
    assert (provider.api_key, provider.key_origin) == (Secret("env-key"), "OPENAI_API_KEY")


@pytest.mark.parametrize(("mode", "told"), [(0o600, False), (0o640, True), (0o644, True), (0o604, True)])
def test_a_dotenv_with_a_key_that_others_may_read_is_told(loaded: Load, tmp_path: Path, mode: int, told: bool) -> None:
    text = f"OPENAI_API_KEY={KEY}"
    loaded(dotenv=text)
    (dotenv,) = tmp_path.rglob(".env")
    dotenv.chmod(mode)
    notices = loaded(dotenv=text).notices
    assert notices == ((f"{dotenv} holds a key, and others may read it; chmod 600 {dotenv}",) if told else ())


def test_a_dotenv_without_a_key_may_be_read_by_all(loaded: Load, tmp_path: Path) -> None:
    text = "DAILY_BUDGET_USD=3"
    loaded(dotenv=text)
    (dotenv,) = tmp_path.rglob(".env")
    dotenv.chmod(0o644)
    assert loaded(dotenv=text).notices == ()


def test_a_named_variable_takes_the_place_of_the_usual_one(loaded: Load) -> None:
    text = "[providers.openai]\napi_key_env = 'WORK_KEY'"
    found = loaded(text, env={"OPENAI_API_KEY": "usual", "WORK_KEY": "work"}).providers["openai"]
    assert (found.api_key, found.key_origin) == (Secret("work"), "WORK_KEY")
    missing = loaded(text, env={"OPENAI_API_KEY": "usual"})
    assert missing.providers["openai"].api_key is None
    assert missing.notices == ("openai: api_key_env: WORK_KEY is not set",)


def test_a_disabled_provider_has_no_key_and_is_not_usable(
    loaded: Load, program: Callable[[str], str], tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    text = f"[providers.openai]\nenabled = false\napi_key_command = {program(f'touch {ran}')}"
    provider = loaded(text).providers["openai"]
    assert not provider.usable
    assert not ran.exists()


def test_a_command_prints_the_key(loaded: Load, program: Callable[[str], str]) -> None:
    text = f"[providers.openai]\napi_key_command = {program('echo key-of-$1; echo more')}"
    provider = loaded(text).providers["openai"]
    assert (provider.api_key, provider.key_origin) == (Secret("key-of-an-argument"), "api_key_command")


def test_a_command_is_not_run_when_the_environment_has_the_key(
    loaded: Load, program: Callable[[str], str], tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    text = f"[providers.openai]\napi_key_command = {program(f'touch {ran}; echo k')}"
    assert loaded(text, env={"OPENAI_API_KEY": "env-key"}).providers["openai"].key_origin == "OPENAI_API_KEY"
    assert not ran.exists()


def test_a_command_is_not_run_for_settings_that_are_wrong(
    problems: Problems, program: Callable[[str], str], tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    problems(f"budgets.daily_usd = -1\n[providers.openai]\napi_key_command = {program(f'touch {ran}; echo k')}")
    assert not ran.exists()


def test_no_shell_reads_a_command(loaded: Load, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    loaded(f"[providers.openai]\napi_key_command = 'echo key; touch {ran}'")
    assert not ran.exists()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("echo sk-secret; echo sk-secret >&2; exit 3", "ended with code 3; run it by hand to see why"),
        ("true", "api_key_command: gave nothing; it should give the key alone"),
        ("echo sk secret", "what it gave is no key"),
        ("printf 'sk-\\033[2J'", "what it gave is no key"),
    ],
)
def test_a_command_that_fails_is_a_sentence_without_what_it_printed(
    loaded: Load, program: Callable[[str], str], lines: str, said: str
) -> None:
    settings = loaded(f"[providers.openai]\napi_key_command = {program(lines)}")
    provider = settings.providers["openai"]
    assert provider.api_key is None
    assert said in provider.key_problem
    assert "secret" not in provider.key_problem
    assert settings.notices == (f"openai: {provider.key_problem}",)


def test_a_command_that_is_not_there_or_hangs_is_a_sentence(
    loaded: Load, program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_orchestrator.settings.key_commands._SECONDS", 0.2)
    text = (
        "[providers.openai]\napi_key_command = 'no-such-program-here'\n"
        f"[providers.gemini]\napi_key_command = {program('exec sleep 30')}"
    )
    providers = loaded(text).providers
    assert "there is no program 'no-such-program-here'" in providers["openai"].key_problem
    assert "took longer than" in providers["gemini"].key_problem


@pytest.mark.parametrize("pasted", [KEY, "AIzaSyPASTEDpasted1234567890abcdefgh", "0123456789abcdef0123456789abcdef"])
def test_a_key_that_was_pasted_for_a_command_or_a_variable_is_never_shown(
    loaded: Load, problems: Problems, home: Path, pasted: str
) -> None:
    file = home / "config" / "config.toml"
    for command in (pasted, f"echo {pasted}", f"sh -c 'echo {pasted}'"):
        settings = loaded(f'[providers.openai]\napi_key_command = "{command}"')
        listed = sections(settings, said_in(file), file)
        shown = [replace(one, doc="") for section in listed for one in section.settings]
        everything = (settings.notices, settings.providers["openai"].key_problem, effective(settings), shown)
        assert pasted not in str(everything)
        changed = change(file, "providers.openai.api_key_command", command, environ={}, cwd=home)
        assert pasted not in f"{changed.value} {changed.problems}"
    (said,) = loaded(f'[providers.openai]\napi_key_command = "{pasted}"').notices
    assert "looks like a key; put the key into an environment variable" in said
    if not pasted[0].isdigit():
        assert pasted not in str(problems(f'[providers.openai]\napi_key_env = "{pasted}"'))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o604])
@pytest.mark.parametrize(
    ("said", "held"),
    [
        (f"[providers.openai]\napi_key_command = 'echo {KEY}'", True),
        ("[shared]\nurl = 'redis://:hunter2@127.0.0.1:1/0'", True),
        ("[providers.openai]\napi_key_command = 'echo one'", False),
        ("[shared]\nurl = 'redis://127.0.0.1:1/0'", False),
    ],
)
def test_a_settings_file_with_a_key_that_others_may_read_is_told(
    loaded: Load, home: Path, mode: int, said: str, held: bool
) -> None:
    loaded()
    file = home / "config" / "config.toml"
    file.chmod(mode)
    told = [notice for notice in loaded(said).notices if "others may read" in notice]
    sentence = f"{file} holds what looks like a key, and others may read it; chmod 600 {file}"
    assert told == ([sentence] if held and mode != 0o600 else [])


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel", '"quoted"', "k" * 8_193])
def test_a_key_that_no_header_can_carry_is_told_without_repeating_it(loaded: Load, key: str) -> None:
    provider = loaded(env={"OPENAI_API_KEY": key}).providers["openai"]
    assert provider.api_key is None
    assert provider.key_problem.startswith("OPENAI_API_KEY: what it gave is no key")
    assert key not in provider.key_problem


def test_white_space_around_a_key_is_not_part_of_it(loaded: Load) -> None:
    assert loaded(env={"OPENAI_API_KEY": " key\n"}).providers["openai"].api_key == Secret("key")


def test_a_server_of_ones_own_needs_no_key(loaded: Load) -> None:
    provider = loaded("[providers.team]\nbase_url = 'https://llm.example/v1/'").providers["team"]
    assert provider.usable
    assert (provider.kind, provider.base_url, provider.local) == ("openai-compatible", "https://llm.example/v1", False)
    assert provider.key_names == ()


def test_a_server_of_ones_own_whose_key_is_none_is_not_asked_without_it(loaded: Load) -> None:
    text = "[providers.team]\nbase_url = 'https://llm.example/v1/'\napi_key_env = 'TEAM_KEY'"
    assert not loaded(text, env={"TEAM_KEY": "two words"}).providers["team"].usable
    assert not loaded(text).providers["team"].usable
    assert loaded(text, env={"TEAM_KEY": "one-word"}).providers["team"].usable


@pytest.mark.parametrize("name", LOCAL_SERVERS)
def test_a_local_server_is_known_by_its_name_and_may_be_disabled(loaded: Load, name: str) -> None:
    assert name not in loaded().providers
    provider = loaded(f"[providers.{name}]\nenabled = false").providers[name]
    assert (provider.kind, provider.base_url, provider.local) == ("openai-compatible", LOCAL_SERVERS[name][0], True)
    assert not provider.usable


def test_local_is_judged_by_the_address_unless_it_is_said(loaded: Load) -> None:
    text = """
[providers.here]
base_url = "http://127.0.0.1:9/v1"
[providers.lan]
base_url = "http://192.168.1.9/v1"
[providers.mine]
base_url = "http://192.168.1.9/v1"
local = true
[providers.openai]
base_url = "http://localhost:4000/v1"
"""
    # A proxy to a cloud is no local model: what goes through it is paid for.
    expected = {"here": True, "lan": False, "mine": True, "openai": False}
    assert {name: loaded(text).providers[name].local for name in expected} == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://127.1.2.3", True),
        ("http://[::1]:80", True),
        ("http://LocalHost", True),
        ("http://a.localhost", True),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
        ("http://10.0.0.1", False),
    ],
)
def test_what_is_on_this_machine(address: str, expected: bool) -> None:
    assert on_this_machine(address) is expected


ELSEWHERE = "[providers.openai]\nbase_url = 'https://elsewhere.example/v1'"


@pytest.mark.parametrize(
    "source",
    [
        {"own": ELSEWHERE},
        {"dotenv": "TUI_ORCHESTRATOR_PROVIDERS__OPENAI__BASE_URL=https://elsewhere.example/v1"},
        {"own": "[providers.x]\nkind = 'openai'\nbase_url = 'https://elsewhere.example'"},
        {"own": "[providers.x]\napi_key_env = 'OPENAI_API_KEY'\nbase_url = 'https://elsewhere.example'"},
        {"own": ELSEWHERE, "user": "[providers.openai]\napi_key_keyring = true", "env": {}},
    ],
)
def test_a_project_cannot_have_the_users_key_sent_elsewhere(problems: Problems, source: dict[str, object]) -> None:
    (sentence,) = problems(**{"env": {"OPENAI_API_KEY": KEY}, **source})
    assert "a project's file may not send your key to an address elsewhere" in sentence


@pytest.mark.parametrize(
    "source",
    [
        {"own": "[providers.x]\nkind = 'openai'"},
        {"own": "[providers.x]\nkind = 'openai'\nbase_url = 'http://127.0.0.1:9/v1'"},
        {"own": "[providers.x]\nbase_url = 'http://127.0.0.1:9/v1'\napi_key_env = 'OPENAI_API_KEY'"},
        {"own": "[providers.x]\nkind = 'openai'\napi_key_env = 'GITHUB_TOKEN'"},
        {"own": "[providers.x]\nkind = 'openai'\napi_key_keyring = true", "env": {}},
        {"dotenv": "TUI_ORCHESTRATOR_PROVIDERS__X__KIND=openai"},
    ],
)
def test_a_project_cannot_have_the_users_key_used_under_a_name_without_the_users_caps(
    problems: Problems, source: dict[str, object]
) -> None:
    user = "[budgets.providers.openai]\ndaily_usd = 1"
    (sentence,) = problems(user, **{"env": {"OPENAI_API_KEY": KEY, "GITHUB_TOKEN": KEY}, **source})
    assert "providers.x: a project's file may not use a key of yours for a provider that you do not name" in sentence
    assert "name it in FILE, or give it a key of its own in the project's .env" in sentence


def test_a_project_names_providers_with_keys_of_its_own_and_those_the_user_names(loaded: Load) -> None:
    own = "[providers.x]\nkind = 'openai'\napi_key_env = 'X_KEY'"
    provider = loaded(own=own, dotenv=f"X_KEY={KEY}", env={"OPENAI_API_KEY": "mine"}).providers["x"]
    assert (provider.api_key, provider.key_origin) == (Secret(KEY), ".env: X_KEY")
    assert loaded("[providers.x]\nkind = 'openai'", own=own, dotenv=f"X_KEY={KEY}").providers["x"].usable
    assert loaded(own="[providers.x]\nkind = 'openai'\nenabled = false", env={"OPENAI_API_KEY": KEY}).providers["x"]


@pytest.mark.parametrize("name", ["openrouter", "ollama", "mine", "taken"])
def test_a_project_cannot_choose_which_of_the_users_keys_is_sent(problems: Problems, name: str) -> None:
    user = "[providers.mine]\nbase_url = 'https://llm.example/v1'\n"
    user += "[providers.taken]\nkind = 'openai'\napi_key_env = 'WORK_KEY'"
    own = f"[providers.{name}]\napi_key_env = 'OPENAI_API_KEY'"
    (sentence,) = problems(user, own=own, env={"OPENAI_API_KEY": KEY, "WORK_KEY": KEY})
    assert f"providers.{name}.api_key_env: a project's file may not say which of your keys a provider is" in sentence


def test_a_project_may_name_the_variable_that_is_read_in_any_case(loaded: Load) -> None:
    env, work = {"OPENAI_API_KEY": KEY, "WORK_KEY": KEY}, "[providers.openai]\napi_key_env = 'WORK_KEY'"
    usual = loaded(own="[providers.openai]\napi_key_env = 'OPENAI_API_KEY'", env=env).providers["openai"]
    assert usual.key_origin == "OPENAI_API_KEY"
    assert loaded(work, own=work, env=env).providers["openai"].key_origin == "WORK_KEY"
    theirs = loaded(own="[providers.openai]\napi_key_env = 'THEIRS'", dotenv=f"THEIRS={KEY}", env=env)
    assert theirs.providers["openai"].key_origin == ".env: THEIRS"


def test_a_project_may_send_its_own_key_or_ours_to_this_machine(loaded: Load) -> None:
    assert loaded(own=ELSEWHERE, dotenv=f"OPENAI_API_KEY={KEY}").providers["openai"].usable
    near = "[providers.openai]\nbase_url = 'http://127.0.0.1:9/v1'"
    assert loaded(own=near, env={"OPENAI_API_KEY": KEY}).providers["openai"].usable
    assert loaded(ELSEWHERE, env={"OPENAI_API_KEY": KEY}).providers["openai"].usable


def test_a_project_cannot_have_a_command_run(problems: Problems, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (sentence,) = problems(own=f"[providers.openai]\napi_key_command = 'touch {ran}'")
    assert "a project's file may not have commands run" in sentence
    assert problems(dotenv=f"TUI_ORCHESTRATOR_PROVIDERS__OPENAI__API_KEY_COMMAND=touch {ran}")
    assert not ran.exists()
