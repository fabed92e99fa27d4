"""Bad input and broken worlds: one clear sentence each, a sensible exit code, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.storage.test_soundness import spoil
from tui_orchestrator.demo import Behaviour, Reply, Say
from tui_orchestrator.demo.behaviour import LISTING

WRONG = {
    "an empty prompt": (["ask", ""], "the prompt is empty; type a question"),
    "a blank prompt": (["ask", " \n\t"], "the prompt is empty; type a question"),
    "no prompt": (["ask"], "the prompt is empty; type a question"),
    "two prompts": (["ask", "a", "-p", "b"], "the prompt was given twice"),
    "a prompt without quotes": (["ask", "what", "is", "this"], "the prompt is several words; put it in quotes"),
    "bytes that are no text": (["ask", "a\udcff"], "the prompt is not UTF-8 text"),
    "a system text that is none": (["ask", "--system", "a\udcff", "hi"], "--system is not UTF-8 text"),
    "an unknown strategy": (["ask", "-s", "cheepest", "hi"], "did you mean 'cheapest'?"),
    "a strategy like no other": (["ask", "-s", "xyz", "hi"], "there are cheapest, balanced, quality"),
    "an unknown model": (["ask", "-m", "rush-mimi", "hi"], "did you mean rush-mini"),
    "an unknown chain": (["ask", "--chain", "locale", "hi"], "did you mean 'local'?"),
    "an unknown model in a chain": (["ask", "--chain", "rush-mini,tern-mix", "hi"], "did you mean tern-max"),
    "an empty chain": (["ask", "--chain", ",", "hi"], "the chain is empty"),
    "a negative cap": (["ask", "-c", "-0.01", "hi"], "-0.01 is below zero"),
    "a cap that is no amount": (["ask", "-c", "cheap", "hi"], "'cheap' is not an amount in US dollars"),
    "a cap that is not finite": (["ask", "-c", "nan", "hi"], "'nan' is not an amount in US dollars"),
    "an endless cap": (["ask", "-c", "1e999999999", "hi"], "is not an amount in US dollars"),
    "no output at all": (["ask", "--max-tokens", "0", "hi"], "0 is not in the range"),
    "an ensemble of one": (["ask", "-e", "1", "hi"], "1 is not in the range"),
    "an ensemble of a single strategy": (["ask", "-e", "3", "-s", "cheapest", "hi"], "choose one"),
    "a pinned ensemble": (["ask", "-e", "3", "-m", "rush-mini", "hi"], "leave -e out"),
    "a pinned chain": (["ask", "--chain", "local", "-m", "rush-mini", "hi"], "leave --chain out"),
    "two forms": (["ask", "--json", "--events", "hi"], "choose one"),
    "a missing file": (["ask", "--file", "nowhere.txt", "hi"], "there is no file nowhere.txt"),
    "a directory": (["ask", "--file", ".", "hi"], "is a directory; name a file in it"),
    "stdin twice": (["ask", "--file", "-"], "--file - reads stdin, so the prompt must be an argument or -p"),
    "an unknown session": (["ask", "--continue", "zzzz", "-p", "hi"], "there is no session 'zzzz'"),
    "nothing to continue": (["ask", "--continue", "and then, please?"], "there is no earlier session to continue"),
    "an unknown command": (["rout", "hi"], "no command is called 'rout'; did you mean 'route'?"),
    "an unknown subcommand": (["sessions", "shwo"], "no command is called 'shwo'; did you mean 'show'?"),
    "an unknown option": (["ask", "--modell", "x", "hi"], "Did you mean '--model'?"),
    "an unknown period": (["costs", "--period", "weak"], "did you mean 'week'?"),
    "an unknown grouping": (["costs", "--by", "models"], "did you mean 'model'?"),
    "a session to show that is not there": (["sessions", "show", "zzzz"], "there is no session 'zzzz'"),
    "a route of a prompt and a file": (["route", "hi", "--jsonl", "x"], "leave the prompt out"),
    "a file of prompts that is not there": (["route", "--jsonl", "x.jsonl"], "x.jsonl cannot be read: No such file"),
    "an answer to a directory": (["ask", "-o", "no/where.json", "hi"], "there is no directory no"),
    "a configuration that is not there": (["--config", "no.toml", "ask", "hi"], "no.toml: there is no such file"),
    "the console in a pipe": ([], "the console needs a terminal"),
    "the demo in a pipe": (["demo"], "the console needs a terminal"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_wrong_usage_gets_one_sentence_and_exit_code_2(shell: Shell, what: str) -> None:
    arguments, sentence = WRONG[what]
    ended = await shell.run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err
    assert len(ended.err.splitlines()) == 1, ended.err
    assert shell.asked == []


async def test_a_file_that_is_neither_text_nor_image_is_refused(shell: Shell) -> None:
    shell.write("program", bytes(range(256)))
    ended = await shell.run("ask", "--file", "program", "hi")
    assert ended.code == 2
    assert ended.err == "program is neither text nor a PNG, JPEG, GIF or WebP image\n"


async def test_stdin_that_is_not_text_is_refused(shell: Shell) -> None:
    ended = await shell.run("ask", stdin=b"\xff\xfe\x00")
    assert (ended.code, ended.err) == (2, "stdin is not UTF-8 text (byte 0); pipe text\n")


async def test_a_wrong_key_says_where_the_key_is_looked_for(shell: Shell) -> None:
    shell.script.always(Reply(401), "rush-pro")
    ended = await shell.run("ask", "-m", "rush-pro", "hi")
    assert (ended.code, ended.out) == (1, "")
    _, failure = ended.err.splitlines()
    assert failure.startswith("✗ openai/rush-pro 401 authentication after ")
    assert "Check the key" in failure
    assert "`doctor`" in failure


async def test_a_server_that_is_not_there_is_told_with_what_to_check(shell: Shell) -> None:
    await shell.servers["demo-local"].aclose()
    ended = await shell.run("ask", "-m", "pebble-3b", "hi")
    assert (ended.code, ended.out) == (1, "")
    failure = ended.err.splitlines()[-1]
    assert failure.startswith("✗ team/pebble-3b is pinned, but 127.0.0.1:")
    assert "could not be reached" in failure
    assert "base_url" in failure
    assert "`doctor`" in failure


async def test_a_prompt_of_ten_megabytes_gets_one_sentence_and_is_kept(shell: Shell) -> None:
    prompt = "heron " * 1_700_000
    offered = await shell.run("ask", stdin=prompt)
    assert (offered.code, offered.out) == (1, "")
    assert "! longer than any model's context: " in offered.err
    assert "nothing was sent; --split always has it answered in parts" in offered.err
    ended = await shell.run("ask", "--split", "never", stdin=prompt)
    assert (ended.code, ended.out) == (1, "")
    assert len(ended.err.splitlines()) == 1
    assert "every model is out: " in ended.err
    assert "reads 16,384 tokens" in ended.err
    assert "Shorten the prompt" in ended.err
    assert shell.asked == []
    session = (await shell.run("sessions", "list", "--json")).json[0]["id"]
    kept = (await shell.run("sessions", "show", session, "--json")).json
    assert kept["messages"][0]["text"].strip() == prompt.strip()


async def test_a_prompt_too_long_for_a_pinned_model_is_told_to_be_shortened(shell: Shell) -> None:
    ended = await shell.run("ask", "-m", "pebble-3b", "--split", "never", stdin="heron " * 20_000)
    assert ended.code == 1
    assert "team/pebble-3b is pinned, but reads 16,384 tokens" in ended.err
    assert "Shorten the prompt" in ended.err


async def test_an_image_that_the_pinned_model_cannot_read_is_told(shell: Shell) -> None:
    shell.write("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(40))
    ended = await shell.run("ask", "-m", "pebble-3b", "--file", "picture.png", "What is this?")
    assert ended.code == 1
    assert "cannot read images" in ended.err
    assert "Leave out what they cannot do (images" in ended.err


async def test_a_cap_on_a_model_without_a_price_says_how_to_go_on(shell: Shell) -> None:
    text = shell.config.read_text()
    start = text.index("input_usd", text.index('id = "openai/rush-mini"'))
    end = text.index("context_window", start)
    shell.config.write_text(text[:start] + text[end:])
    ended = await shell.run("ask", "-m", "rush-mini", "-c", "1", "hi")
    assert ended.code == 1
    assert "its price is not known under the request's cap" in ended.err
    assert "input_usd and output_usd under [[models]]" in ended.err
    assert "allow_unpriced = true under [budgets]" in ended.err
    assert shell.asked == []
    said = shell.config.read_text()
    shell.config.write_text(said + '\n[budgets.models."openai/rush-mini"]\nallow_unpriced = true\n')
    assert (await shell.run("ask", "-m", "rush-mini", "-c", "1", "hi")).code == 0
    shell.config.write_text(said + "\n[budgets]\nallow_unpriced = true\n")
    assert (await shell.run("ask", "-m", "rush-mini", "-c", "1", "hi")).code == 0


async def test_every_mistake_in_the_configuration_is_told_with_file_line_and_key(shell: Shell) -> None:
    shell.write("tui-orchestrator.toml", '[router]\nstrategi = "cheapest"\n\n[budgets]\ndaily_usd = -3\n')
    for command in (["ask", "hi"], ["config", "check"], ["doctor"]):
        ended = await shell.run(*command)
        assert (ended.code, ended.out) == (2, "")
        first, second = ended.err.splitlines()
        assert first.endswith("tui-orchestrator.toml:2: router.strategi: is an unknown key; did you mean strategy?")
        assert "tui-orchestrator.toml:5: budgets.daily_usd: -3 is below zero" in second
    assert shell.asked == []


async def test_toml_that_is_none_is_told_with_its_line(shell: Shell) -> None:
    shell.write("tui-orchestrator.toml", "[router]\nstrategy = \n")
    ended = await shell.run("ask", "hi")
    assert ended.code == 2
    assert "tui-orchestrator.toml:2: this is not TOML" in ended.err
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("table", ["spend", "day_sums", "attempts", "messages", "messages_text_data"])
async def test_doctor_names_what_is_damaged_in_the_store_and_looks_at_all_the_rest(shell: Shell, table: str) -> None:
    store = shell.directory / "store.db"
    assert (await shell.run("ask", "hi", TUI_ORCHESTRATOR_STORE__PATH=str(store))).code == 0
    spoil(store, table)
    ended = await shell.run("doctor", TUI_ORCHESTRATOR_STORE__PATH=str(store))
    assert (ended.code, ended.err) == (1, "1 problem found.\n")
    assert f"✗ store: {store} is damaged: its table {table} cannot be read whole\n    → move it away" in ended.out
    assert "✓ provider openai: key from OPENAI_API_KEY; 2 models for chat" in ended.out
    assert "✓ models: 7 can be used" in ended.out
    as_json = await shell.run("doctor", "--json", TUI_ORCHESTRATOR_STORE__PATH=str(store))
    (problem,) = (finding for finding in as_json.json if finding["standing"] == "problem")
    assert (problem["area"], problem["what"]) == (
        "store",
        f"{store} is damaged: its table {table} cannot be read whole",
    )


async def test_a_store_that_cannot_be_used_gets_one_sentence(shell: Shell) -> None:
    store = shell.write("store.db", "this is no database, and it is longer than a header would be " * 20)
    ended = await shell.run("ask", "hi", TUI_ORCHESTRATOR_STORE__PATH=store)
    assert (ended.code, ended.out) == (1, "")
    assert len(ended.err.splitlines()) == 1
    assert "is not a database; move it away" in ended.err
    assert shell.asked == []


@pytest.mark.parametrize("table", ["messages", "messages_text_data", "sessions", "drafts"])
async def test_nothing_is_asked_where_the_conversation_cannot_be_kept(shell: Shell, table: str) -> None:
    store = shell.directory / "store.db"
    assert (await shell.run("ask", "hi", TUI_ORCHESTRATOR_STORE__PATH=str(store))).code == 0
    spoil(store, table)
    asked = len(shell.asked)
    ended = await shell.run("ask", "what now?", TUI_ORCHESTRATOR_STORE__PATH=str(store))
    assert (ended.code, ended.out, len(shell.asked)) == (1, "", asked)
    assert ended.err.startswith(f"nothing was asked, for the conversation cannot be kept: {store} is damaged; ")
    assert len(ended.err.splitlines()) == 1
    shell.script.always(Say("Paris."))
    ended = await shell.run("ask", "--temporary", "what now?", TUI_ORCHESTRATOR_STORE__PATH=str(store))
    assert (ended.code, ended.out) == (0, "Paris.\n")


async def test_a_session_alone_is_not_sent_as_a_prompt(shell: Shell) -> None:
    shell.script.always(Say("Paris."))
    await shell.run("ask", "What is the capital of France?")
    session = (await shell.run("sessions", "list", "--json")).json[0]["id"]
    ended = await shell.run("ask", "--continue", session)
    assert ended.code == 2
    assert len(shell.asked) == 1


async def test_what_the_store_could_not_keep_of_a_failed_turn_is_said(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody moves the store away while the model is asked."""
    take = shell.script.take

    def moved_away(model: str) -> Behaviour | None:
        if model != LISTING:
            (store,) = shell.directory.parent.glob("home/**/*.db")
            store.rename(store.with_suffix(".gone"))
        return take(model)

    shell.script.always(Reply(404))
    monkeypatch.setattr(shell.script, "take", moved_away)
    ended = await shell.run("ask", "-m", "rush-pro", "count")
    assert ended.code == 1
    assert "could not be stored: " in ended.err
    assert "was moved away, deleted or replaced while it was in use; put it back" in ended.err


async def test_a_mistake_of_the_program_ends_it_with_where_it_was_and_a_report(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = shell.environment["OPENAI_API_KEY"]

    def mistaken(*_: object, **__: object) -> None:
        raise LookupError(f"{key} \x1b]0;x\x07")

    monkeypatch.setattr("tui_orchestrator.services.runtime.Catalogue", mistaken)
    ended = await shell.run("ask", "the PLANTED question")
    assert (ended.code, ended.out) == (1, "")
    assert "LookupError" in ended.err
    assert key not in ended.err
    assert "\x1b" not in ended.err
    report = Path(ended.err.split("is in ")[-1].strip())
    said = report.read_text()  # noqa: ASYNC240
    assert "builtins.LookupError" in said
    assert key not in said
    assert "PLANTED" not in said


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        ([], {}, False),
        (["--log-level", "info"], {}, True),
        ([], {"ORCHESTRATOR_DEBUG_ROUTING": "1"}, True),
        (["--log-level", "off"], {}, False),
    ],
)
async def test_the_log_says_as_much_as_was_asked_for(
    shell: Shell, arguments: list[str], environment: dict[str, str], told: bool
) -> None:
    shell.script.always(Say("It is blue."))
    assert (await shell.run(*arguments, "ask", "Why is the sky blue?", **environment)).code == 0
    log = Path(shell.environment["TUI_ORCHESTRATOR_HOME"]) / "data" / "log" / "tui-orchestrator.jsonl"
    text = log.read_text() if log.exists() else ""
    assert ('"decision"' in text) is told
    assert "blue" not in text


async def test_the_name_of_a_file_cannot_drive_the_terminal(shell: Shell) -> None:
    name = "x\x1b]0;PWN\x07\x9b31m.jsonl"
    missing = [await shell.run(command, name) for command in ("batch", "eval")]
    shell.write(name, b'{"prompt": "hello"}\n')
    there = await shell.run("batch", name, "-y")
    assert (there.code, [ended.code for ended in missing]) == (0, [2, 2])
    for ended in (*missing, there):
        assert "PWN" in ended.err
        assert not set("\x1b\x07\x9b") & set(ended.out + ended.err)
