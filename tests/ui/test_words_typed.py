"""What is typed into the prompt: commands, files, keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.conftest import console
from tui_orchestrator.routing.model import Model, Registry
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.services.attachments import MAX_IMAGE_BYTES, Attachment, enclose
from tui_orchestrator.services.chat import Options
from tui_orchestrator.ui.attachments import Mention, look_up, mentions
from tui_orchestrator.ui.commands import ACTIONS, keymap
from tui_orchestrator.ui.layout import arrange
from tui_orchestrator.ui.options import CHANGES, Refused, change
from tui_orchestrator.ui.slash import SLASH_COMMANDS, parse_slash, slash_matches

REGISTRY = Registry.of(
    [Model("openai", "gpt-6-luna"), Model("anthropic", "claude-haiku-5.5")],
    chains={"fast": ("openai/gpt-6-luna", "anthropic/claude-haiku-5.5")},
)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


@pytest.mark.parametrize(
    ("name", "argument", "wanted"),
    [
        ("strategy", "local-first", Options(strategy=Strategy.LOCAL_FIRST)),
        ("strategy", "default", Options()),
        ("model", "gpt-6-luna", Options(model="openai/gpt-6-luna")),
        ("model", "auto", Options()),
        ("chain", "fast", Options(chain=("openai/gpt-6-luna", "anthropic/claude-haiku-5.5"))),
        ("chain", "claude-haiku-5.5, gpt-6-luna", Options(chain=("anthropic/claude-haiku-5.5", "openai/gpt-6-luna"))),
        ("ensemble", "", Options(strategy=Strategy.ENSEMBLE, ensemble_size=3)),
        ("ensemble", "5", Options(strategy=Strategy.ENSEMBLE, ensemble_size=5)),
        ("cost", "$0.05", Options(max_cost=Money.from_usd("0.05"))),
        ("tokens", "2000", Options(max_tokens=2000)),
        ("system", "Be brief.", Options(system="Be brief.")),
    ],
)
def test_a_command_changes_what_the_next_turns_ask_for(name: str, argument: str, wanted: Options) -> None:
    changed, said = change(Options(), name, argument, REGISTRY)
    assert changed == wanted
    assert said


@pytest.mark.parametrize(
    ("name", "argument", "sentence"),
    [
        ("strategy", "best", "no strategy is called 'best'"),
        ("model", "gpt-6-lunar", "did you mean gpt-6-luna"),
        ("chain", "slow", "chains are fast"),
        ("chain", ",", "chains are fast"),
        ("ensemble", "1", "2 to 8"),
        ("ensemble", "many", "2 to 8"),
        ("cost", "-1", "above zero"),
        ("cost", "NaN", "is not an amount"),
        ("tokens", "0", "such as 2000"),
    ],
)
def test_a_senseless_argument_is_refused_in_a_sentence(name: str, argument: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        change(Options(), name, argument, REGISTRY)


def test_what_begins_with_a_slash_is_a_command_a_typo_or_a_path() -> None:
    parsed = parse_slash("/cost 0.05")
    assert isinstance(parsed, tuple)
    assert (parsed[0].name, parsed[1]) == ("cost", "0.05")
    assert parse_slash("/modle x") == "no command is called /modle; did you mean /model?"
    assert parse_slash("/quit now") == "/quit takes nothing behind it"
    assert parse_slash("/etc/hosts is what?") is None
    assert parse_slash("what is /cost?") is None
    found = [command.name for command in slash_matches("/s")]
    assert found == ["strategy", "samples", "system", "sessions", "settings"]
    assert slash_matches("/s\n") == []


def test_every_option_has_a_command() -> None:
    assert set(CHANGES) <= {command.name for command in SLASH_COMMANDS}


def test_no_key_is_another_one_on_older_terminals_and_none_is_given_twice() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    for scope in ("app", "prompt", "registry"):
        keys = [key for action in ACTIONS if action.scope == scope for key in action.key.split(",")]
        assert len(keys) == len(set(keys))
        assert not {"ctrl+m", "ctrl+i", "ctrl+h", "ctrl+left_square_bracket"} & set(keys)


def test_a_keymap_names_actions() -> None:
    known, complaints = keymap({"app.quit": "ctrl+x", "app.quite": "ctrl+y"})
    assert known == {"app.quit": "ctrl+x"}
    assert complaints == ["[ui.keymap] names an unknown action 'app.quite'; did you mean app.quit?"]


def test_paths_are_found_and_words_are_left_alone() -> None:
    assert mentions('see @a.py, @"my notes.txt" and (mail me@example.org) @b/c.png.') == [
        "a.py",
        "my notes.txt",
        "b/c.png",
    ]
    assert mentions("@a.py again @a.py") == ["a.py"]


def test_a_file_is_judged_by_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print('```')\n")
    (tmp_path / "picture.txt").write_bytes(PNG)
    (tmp_path / "binary.txt").write_bytes(b"\x00\x80\xff")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "huge.png").write_bytes(PNG + b"\x00" * MAX_IMAGE_BYTES)
    (tmp_path / "huge.txt").write_bytes(b"a" * 1_500_000)

    def read(name: str) -> Mention:
        mention = look_up(name, tmp_path)
        assert mention is not None
        return mention

    text, picture = read("a.py").attachment, read("picture.txt").attachment
    assert text is not None
    assert picture is not None
    assert text.text == "print('```')\n"
    assert picture.image is not None
    assert picture.image.media_type == "image/png"
    for name in ("binary.txt", "empty.txt", "huge.png", "huge.txt", "."):
        refused = read(name)
        assert refused.fatal, name
        assert refused.problem
    assert not read("no/such.file").fatal
    assert look_up("property", tmp_path) is None


def test_a_files_own_fence_does_not_end_it(tmp_path: Path) -> None:
    sent = enclose("Explain", [Attachment("a.md", 10, text="````\ncode\n````\n")])
    assert sent.files == ("a.md",)
    assert sent.text == "Explain\n\na.md:\n`````md\n````\ncode\n````\n`````"


@pytest.mark.parametrize(
    ("size", "current", "zoomed", "wanted"),
    [
        ((160, 48), "chat", False, ("chat", "decision", "costs")),
        ((160, 48), "registry", False, ("registry",)),
        ((160, 48), "costs", True, ("costs",)),
        ((100, 30), "chat", False, ("chat", "decision")),
        ((100, 30), "costs", False, ("chat", "costs")),
        ((80, 24), "decision", False, ("decision",)),
        ((40, 10), "chat", False, ("chat",)),
    ],
)
def test_panes_stand_where_there_is_room(
    size: tuple[int, int], current: str, zoomed: bool, wanted: tuple[str, ...]
) -> None:
    shown = {"chat", "decision", "costs"}
    assert arrange(*size, shown, current, "decision", zoomed) == wanted  # type: ignore[arg-type]


async def test_a_name_that_no_model_has_points_to_the_consoles_own_list(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        for command in ("/model zzzzzz", "/again zzzzzz"):
            await seat.send(command)
            await seat.sees("no model is called 'zzzzzz'; /models lists those there are")
            seat.app.composer.prompt.text = ""
