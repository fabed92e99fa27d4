"""What is wrong with a plugin is said in one sentence that names it, and stops nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tui_orchestrator.plugins import Kind, State, load
from tui_orchestrator.plugins.finding import installed
from tui_orchestrator.plugins.watched import WatchedCheck
from tui_orchestrator.routing.added import Given, Opinion
from tui_orchestrator.services.plugging import plugins_of
from tui_orchestrator.settings import ProviderSettings, Settings
from tui_orchestrator.settings import load as load_settings

from .packages import write

CODE = "Write a Python function that merges two sorted lists"
GIVEN = Given("why?", "because", "a/b", "reasoning")


@pytest.mark.parametrize(
    ("source", "place", "said"),
    [
        ("import nothing_of_that_name", "bad:worth", "cannot be loaded (ModuleNotFoundError"),
        ("raise SystemExit(3)", "bad:worth", "cannot be loaded (SystemExit: 3)"),
        ("raise GeneratorExit('\\x1b[2J')", "bad:worth", "cannot be loaded (GeneratorExit: [2J)"),
        ("raise BaseException('all')", "bad:worth", "cannot be loaded (BaseException: all)"),
        ("this is no python", "bad:worth", "cannot be loaded (SyntaxError"),
        ("other = 1", "bad:worth", "cannot be loaded (AttributeError"),
        ("worth = 1", "bad:worth", "is 1, not a function of an option"),
        (
            "raise ValueError('\\x1b]0;mine\\x07\\n' * 300)",
            "bad:worth",
            "cannot be loaded (ValueError: ]0;mine ]0;mine",
        ),
    ],
)
def test_a_broken_plugin_is_named_in_one_sentence(site: Path, source: str, place: str, said: str) -> None:
    write(site, "bad", source, strategies={"wobbly": place})
    (one,) = load(installed(), {}).every
    assert one.state is State.BROKEN
    assert one.problem.startswith("strategy 'wobbly' of bad 1.0 is not used: ")
    assert said in one.problem
    assert len(one.problem) < 400
    assert one.problem.isprintable()


@pytest.mark.parametrize("kind", ["recipes", "themes"])
def test_a_plugins_file_that_is_too_long_is_not_read_whole(site: Path, kind: str) -> None:
    (site / "long.toml").write_text("#" * 500_000)
    write(
        site,
        "bad",
        f"from pathlib import Path\nfile = Path({str(site / 'long.toml')!r})",
        **{kind: {"long": "bad:file"}},
    )
    (one,) = load(installed(), {}).every
    assert one.state is State.BROKEN
    assert "it has more than 400 kB" in one.problem


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("steps = [", "its text is no TOML: Invalid value (at end of document)"),
        ('colour = "red"\n[[steps]]\nid = "one"\nprompt = "Say it"', "colour"),
    ],
)
async def test_doctor_and_who_runs_it_are_told_why_a_plugins_text_is_no_recipe(
    shell: Shell, site: Path, text: str, why: str
) -> None:
    write(site, "bad", f"TEXT = {text!r}", recipes={"weekly": "bad:TEXT"})
    doctor = await shell.run("doctor")
    assert doctor.code == 1
    (line,) = [line for line in doctor.out.splitlines() if line.startswith("✗") and "weekly" in line]
    assert why in line
    ended = await shell.run("recipe", "run", "weekly")
    assert (ended.code, "no recipe is called" in ended.err) == (2, False)
    assert "weekly" in ended.err
    assert why in ended.err


async def test_a_broken_plugin_that_quotes_a_key_shows_it_nowhere(shell: Shell, site: Path) -> None:
    key = "correct.horse.battery.staple"
    shell.environment["OPENAI_API_KEY"] = key
    write(site, "bad", "import os\nraise ValueError(os.environ['OPENAI_API_KEY'])", strategies={"wobbly": "bad:worth"})
    for command in (("route", CODE), ("doctor",), ("config", "show")):
        ended = await shell.run(*command)
        assert key not in ended.out + ended.err
    (line, *_) = (await shell.run("route", CODE)).err.splitlines()
    assert "it cannot be loaded (ValueError: cor…aple)" in line


async def test_the_program_goes_on_without_a_broken_plugin(shell: Shell, site: Path) -> None:
    write(site, "bad", "import nothing_of_that_name", strategies={"wobbly": "bad:worth"})
    ended = await shell.run("route", "--json", CODE)
    assert ended.code == 0
    (line,) = ended.err.splitlines()
    assert line.startswith("Strategy 'wobbly' of bad 1.0 is not used: it cannot be loaded (ModuleNotFoundError")
    doctor = await shell.run("doctor")
    assert "✗ plugin wobbly: strategy 'wobbly' of bad 1.0 is not used: " in doctor.out
    assert doctor.code == 1


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("strategies", "quality"),
        ("strategies", "all"),
        ("providers", "openai"),
        ("verdicts", "judge"),
        ("recipes", "grade"),
        ("themes", "dusk"),
    ],
)
def test_a_name_that_the_program_has_is_refused(site: Path, group: str, name: str) -> None:
    write(site, "rude", "def thing(*_): return 1", **{group: {name: "rude:thing"}})
    (one,) = plugins_of(Settings()).every
    assert one.state is State.BROKEN
    assert f"'{name}' of rude is not used: the program has a {one.kind} of that name; it needs another" in one.problem


def test_a_provider_or_chain_of_the_users_keeps_its_name(site: Path) -> None:
    write(site, "rude", "def thing(*_): return 1", providers={"team": "rude:thing"}, strategies={"mine": "rude:thing"})
    settings = Settings(providers={"team": ProviderSettings("team", "openai-compatible")}, chains={"mine": ("a/b",)})
    assert [one.state for one in plugins_of(settings).every] == [State.BROKEN, State.BROKEN]


async def test_of_two_plugins_with_one_name_the_first_is_used(shell: Shell, site: Path) -> None:
    source = "def worth(option):\n    '''{} it'''\n    return option.p"
    write(site, "first", source.format("First has"), strategies={"both": "first:worth"})
    write(site, "second", source.format("Second has"), strategies={"both": "second:worth"})
    ended = await shell.run("route", "--strategy", "both", "--json", CODE)
    assert ended.json["reason"].startswith("first has it (both, of first 1.0)")
    assert "first brings one of that name; switch one off in [plugins] disabled" in ended.err


def test_a_name_that_could_not_be_typed_is_refused(site: Path) -> None:
    write(site, "odd", "def worth(option): return 1", strategies={"Très Chic\x1b[2J": "odd:worth"})
    (one,) = load(installed(), {}).every
    assert (one.state, one.name) == (State.BROKEN, "Très Chic[2J")


async def test_a_strategy_cannot_get_round_a_cap(shell: Shell, site: Path) -> None:
    """It wants the dearest, and the caps stand where they stood."""
    source = "def worth(option): return option.cost_usd or 0.0"
    write(site, "lavish", source, strategies={"lavish": "lavish:worth"})
    dear = (await shell.run("route", "--strategy", "lavish", "--json", CODE)).json
    assert dear["model"] is not None
    ended = await shell.run("ask", "--strategy", "lavish", "-c", "0.00001", "--json", CODE)
    assert ended.code == 3
    shell.config.write_text(shell.config.read_text() + '[budgets]\ndaily_usd = 0\non_exhausted = "cheapest"\n')
    free = await shell.run("ask", "--strategy", "lavish", "--json", CODE)
    assert (free.code, free.json["cost"]) == (0, 0)


async def test_a_projects_file_cannot_switch_plugins_on(shell: Shell, site: Path) -> None:
    write(site, "plain", "def worth(option): return option.p", strategies={"plain": "plain:worth"})
    shell.config.write_text(shell.config.read_text() + '[plugins]\ndisabled = ["plain"]\n')
    shell.write("tui-orchestrator.toml", '[plugins]\ndisabled = ["nothing"]\n')
    ended = await shell.run("doctor")
    assert "· plugin plain: strategy of plain 1.0, off" in ended.out
    assert "a project's file may not say which plugins run" in ended.out


async def test_a_provider_that_breaks_is_told_without_its_key_and_the_turn_ends(shell: Shell, site: Path) -> None:
    source = """
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import FREE
class Broken:
    key_names = ("BROKEN_KEY",)
    def __init__(self, account): self.account = account
    def models(self): return [Model(self.account.name, "one", price=FREE, local=True)]
    async def stream(self, call):
        yield "no piece" if call.messages[-1].text == "piece" else self.fail()
    def fail(self): raise RuntimeError(f"\\x1b[31mrefused {self.account.api_key}")
"""
    write(site, "bad", source, providers={"broken": "bad:Broken"})
    without = await shell.run("doctor")
    assert "· provider broken: no key\n    → set BROKEN_KEY to use it" in without.out
    ended = await shell.run("ask", "-m", "broken/one", "hello", BROKEN_KEY="key-of-broken")
    assert ended.code == 1
    assert "broken, a plugin: RuntimeError: [31mrefused" in ended.err
    assert "key-of-broken" not in ended.err
    piece = await shell.run("ask", "-m", "broken/one", "piece", BROKEN_KEY="key-of-broken")
    assert "expected a piece of a stream, not 'no piece'" in piece.err


@pytest.mark.parametrize("place", ["open", "read", "close"])
@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("SystemExit(3)", "SystemExit: 3"),
        ("KeyboardInterrupt", "KeyboardInterrupt"),
        ("GeneratorExit", "GeneratorExit"),
        ("asyncio.CancelledError", "CancelledError"),
        ("BaseException('\\x1b[31mred')", "BaseException: [31mred"),
    ],
)
async def test_a_provider_that_would_end_the_program_fails_as_any_other(
    shell: Shell, site: Path, place: str, raised: str, said: str
) -> None:
    source = f"""
import asyncio
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import FREE
from tui_orchestrator.routing.ports import TextPiece
class Leaving:
    def __init__(self, account): self.name = account.name
    def models(self): return [Model(self.name, "one", price=FREE, local=True)]
    def stream(self, call): return self if "{place}" != "open" else self.leave()
    def __aiter__(self): return self.pieces() if "{place}" != "close" else self
    async def pieces(self):
        yield TextPiece("The beginning.")
        self.leave()
    async def __anext__(self): raise StopAsyncIteration
    async def aclose(self):
        if "{place}" == "close": self.leave()
    def leave(self): raise {raised}
"""
    write(site, "bad", source, providers={"leaving": "bad:Leaving"})
    ended = await shell.run("ask", "-m", "leaving/one", "hello")
    assert ended.code == 1
    assert f"leaving, a plugin: {said}" in ended.err
    assert "\x1b" not in ended.err


@pytest.mark.parametrize("place", ["__init__", "models"])
async def test_a_provider_that_would_end_the_program_before_it_is_asked_leaves_the_others(
    shell: Shell, site: Path, place: str
) -> None:
    source = f"class Leaving:\n    def __init__(self, account): pass\n    def {place}(self, *_): raise BaseException"
    write(site, "bad", source, providers={"leaving": "bad:Leaving"})
    assert (await shell.run("ask", CODE)).code == 0
    assert "✗ provider leaving: leaving, a plugin: BaseException" in (await shell.run("doctor")).out


async def test_a_package_with_spoilt_metadata_brings_nothing_and_stops_nothing(shell: Shell, site: Path) -> None:
    source = "def worth(option):\n    'Has it'\n    return option.p"
    write(site, "sound", source, strategies={"surest": "sound:worth"})
    for name, entries in {"bytes": b"x = y:z\n\xff\xfe", "words": b"nonsense"}.items():
        write(site, name, source)
        (site / f"{name}-1.0.dist-info" / "entry_points.txt").write_bytes(b"[tui_orchestrator.themes]\n" + entries)
    ended = await shell.run("route", "--strategy", "surest", "--json", CODE)
    assert (ended.code, ended.json["reason"][:6]) == (0, "has it")


async def test_a_provider_without_models_leaves_the_others(shell: Shell, site: Path) -> None:
    source = "class Empty:\n    def __init__(self, account): raise KeyError('address')"
    write(site, "bad", source, providers={"empty": "bad:Empty"})
    assert (await shell.run("ask", CODE)).code == 0
    assert "✗ provider empty: empty, a plugin: KeyError: 'address'" in (await shell.run("doctor")).out


async def test_a_check_that_fails_says_nothing_against_the_answer() -> None:
    def look(given: Given) -> Opinion:
        raise KeyError("no\x1b[2J")

    said = await WatchedCheck("sources", "bad 1.0", look).look(GIVEN)
    assert said == Opinion("sources of bad 1.0 failed (KeyError: 'no\\x1b[2J')")


@pytest.mark.parametrize("raised", [SystemExit(4), KeyboardInterrupt(), GeneratorExit(), BaseException("all")])
async def test_a_check_that_would_end_the_program_says_nothing_against_the_answer(raised: BaseException) -> None:
    def look(given: Given) -> Opinion:
        raise raised

    said = await WatchedCheck("sources", "bad 1.0", look).look(GIVEN)
    text = f"{type(raised).__name__}: {raised}".removesuffix(": ")
    assert said == Opinion(f"sources of bad 1.0 failed ({text})")


async def test_a_check_that_waited_too_long_itself_is_asked_again() -> None:
    def look(given: Given) -> Opinion:
        raise TimeoutError("the index")

    check = WatchedCheck("sources", "bad 1.0", look)
    for _ in range(2):
        assert await check.look(GIVEN) == Opinion("sources of bad 1.0 failed (TimeoutError: the index)")


async def test_a_check_is_held_to_its_bounds() -> None:
    check = WatchedCheck("sources", "bad 1.0", lambda given: Opinion("sure\x1b]0;x\x07\nof it", 99.0))
    assert await check.look(GIVEN) == Opinion("sources: sure]0;x of it", 3.0)
    for wrong in (1, "yes", Opinion("x", float("inf")), Opinion(None)):  # type: ignore[arg-type]
        said = await WatchedCheck("sources", "bad 1.0", lambda given, wrong=wrong: wrong).look(GIVEN)  # type: ignore[misc]
        assert said is not None
        assert "failed (TypeError: expected" in said.reason


async def test_a_check_that_hangs_is_not_asked_again() -> None:
    import threading

    ended = threading.Event()
    asked = []

    def look(given: Given) -> None:
        asked.append(given)
        ended.wait()

    check = WatchedCheck("slow", "bad 1.0", look, patience_s=0.01)
    said = await check.look(GIVEN)
    assert said == Opinion("slow of bad 1.0 took longer than 0.01 s and is not asked again")
    assert await check.look(GIVEN) is None
    assert len(asked) == 1
    ended.set()


def test_only_the_kinds_that_are_wanted_are_imported(site: Path) -> None:
    write(site, "loud", "raise RuntimeError", strategies={"loud": "loud:worth"}, recipes={"loud": "loud:text"})
    assert [one.kind for one in load(installed(), {}, only=(Kind.RECIPE,)).every] == [Kind.RECIPE]


async def test_a_check_that_quotes_a_key_shows_it_nowhere(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "correct.horse.battery.staple"
    monkeypatch.setenv("WIKI_TOKEN", key)
    source = (
        "import os\nfrom tui_orchestrator.plugins import Opinion\nkey = os.environ['WIKI_TOKEN']\n"
        "def says(given):\n    return Opinion(f'has {key}', 0.5)\n"
        "def fails(given):\n    raise ValueError(key)\n"
    )
    write(site, "quoting", source, verdicts={"says": "quoting:says", "fails": "quoting:fails"})
    looks = [await check.look(GIVEN) for check in plugins_of(load_settings()).checks]
    assert all(look is not None and "cor…aple" in look.reason and key not in look.reason for look in looks)
    assert len(looks) == 2
