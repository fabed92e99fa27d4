"""`ask`: one turn. The answer goes to stdout; route, cost and warnings go to stderr."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..aside import aside
from ..routing.money import Money
from ..routing.request import Check, Method, Split, Strategy
from . import requests
from .manners import (
    USAGE,
    Invocation,
    Stop,
    StrategyWord,
    Word,
    exit_code,
    in_utf8,
    output_file,
    piped_in,
    run,
    tag_names,
)
from .raising import ask_for_room, can_ask
from .splitting import agreed
from .turn import Manner, Telling

if TYPE_CHECKING:
    from ..routing.turn import Turn
    from ..services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Asked:
    """The command's options, checked as far as they can be without a registry."""

    prompt: str
    strategy: Strategy | None
    model: str | None
    chain: str | None
    ensemble_size: int
    max_cost: Money | None
    max_tokens: int | None
    system: str
    files: Sequence[Path]
    resume: str | None
    """Beginning of a session's id; '' for the latest; None for a new one."""
    perhaps_session: bool = False
    """The prompt stood where a session's id may stand, and looks like one."""
    again: bool = False
    """Instead of a prompt: the session's last one once more."""
    goes_on: bool = False
    """Instead of a prompt: the session's last answer is continued."""
    tags: frozenset[str] = frozenset()
    """For the session."""
    check: Check | None = None
    self_consistency: int | None = None
    use_cache: bool | None = None
    persona: str = ""
    temporary: bool = False
    verdict: Method | None = None
    split: Split = Split.SHOWN

    @property
    def elsewhere(self) -> bool:
        """Whether another way to a model was asked for."""
        return bool(self.strategy or self.model or self.chain)


VERDICTS = tuple(method for method in Method if method is not Method.VOTE)
"""A vote is for where the answers can be seen side by side."""
_SESSION_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{1,10}", re.IGNORECASE)


@click.command()
@requests.ARGUMENT
@requests.PROMPT
@click.option(
    "-s",
    "--strategy",
    type=StrategyWord(),
    metavar="NAME",
    help=f"How to choose: {', '.join(Strategy)}, or a plugin's. Default: as configured, else balanced.",
)
@requests.MODEL
@requests.CHAIN
@click.option(
    "-e", "--ensemble-size", type=click.IntRange(2, 8), metavar="N", help="Ask so many models at once, 2 to 8."
)
@click.option(
    "--verdict",
    type=Word([method.value for method in VERDICTS]),
    metavar="HOW",
    help="How several answers come to one: weighted, judge or fuse. Default: as configured, else weighted.",
)
@requests.MAX_COST
@requests.MAX_TOKENS
@click.option(
    "--check",
    type=Word([c.value.replace("_", "-") for c in Check]),
    metavar="HOW",
    help="How the answer is checked: auto, off, second-answer or judge. Default: as configured, else auto.",
)
@click.option(
    "--self-consistency",
    type=click.IntRange(0, 8),
    metavar="N",
    help="Ask the same model N times more, up to 8, to see whether it says the same.",
)
@click.option(
    "--cache/--no-cache",
    "use_cache",
    default=None,
    help="An earlier answer will do, and this one is kept; or neither. Default: at temperature 0 only.",
)
@requests.SPLIT
@click.option("--system", default="", help="System text: how the model is to answer.")
@click.option("--persona", metavar="NAME", default="", help="Answer as one of [personas] in your configuration.")
@click.option("--temporary", is_flag=True, help="Keep nothing of what is said; the ledger keeps what it cost.")
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Send a text file or an image along; '-' is stdin. May be repeated.",
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="TAG",
    callback=tag_names,
    help="Tag the session, for your rules.",
)
@click.option(
    "--continue", "resume", is_flag=False, flag_value="", metavar="[ID]", help="Go on with a session, else the latest."
)
@click.option(
    "--again",
    is_flag=True,
    help="Ask the last prompt of that session again, never from the cache; the answer before is kept, and counts "
    "against its model.",
)
@click.option(
    "--continue-answer",
    "goes_on",
    is_flag=True,
    help="Continue the last answer of that session, which was cut off, where it stopped; only what follows is printed.",
)
@click.option("-v", "--verbose", is_flag=True, help="Tell every candidate and attempt on stderr.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the answer to a file, as --json prints it.",
)
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object instead of the text.")
@click.option("--events", is_flag=True, help="Print every event of the turn as a JSON line.")
@click.pass_context
def ask(
    context: click.Context,
    prompt: str | None,
    option: str | None,
    strategy: str | None,
    model: str | None,
    chain: str | None,
    ensemble_size: int | None,
    verdict: str | None,
    max_cost: Money | None,
    max_tokens: int | None,
    check: str | None,
    self_consistency: int | None,
    use_cache: bool | None,
    split: str,
    system: str,
    persona: str,
    temporary: bool,
    files: tuple[Path, ...],
    tags: frozenset[str],
    resume: str | None,
    again: bool,
    goes_on: bool,
    verbose: bool,
    output: Path | None,
    as_object: bool,
    events: bool,
) -> None:
    """Ask one question. The answer goes to stdout; the route, the cost and warnings go to stderr.

    On a terminal the answer streams. In a pipe or a file stands the final answer alone, since an answer that was
    not good enough may be taken back for a better one.

    \b
    Examples:
      tui-orchestrator ask "Why is the sky blue?"
      tui-orchestrator ask < question.txt
      git diff | tui-orchestrator ask "Review this change" --file -
      tui-orchestrator ask --continue "And in Rust?"
      tui-orchestrator ask --again -m claude-sonnet-5-5
      tui-orchestrator ask --continue-answer
      tui-orchestrator ask --cache "What is DNS?"
      tui-orchestrator ask -m gpt-6-luna --system "Answer in one line" "What is DNS?"
      tui-orchestrator ask -e 3 --verdict fuse "Tabs or spaces?"
      tui-orchestrator ask -s fallback --chain fast "Translate: good morning"
      tui-orchestrator ask -c 0.01 --json "Summarise this" --file notes.md
      tui-orchestrator ask --split always "What was decided?" --file minutes.txt

    --continue takes the beginning of a session's id, as `sessions list` shows it. Where no prompt follows, what
    stands there is the prompt and the latest session goes on.

    Exit codes: 0 answered, 1 the turn failed, 2 wrong usage, 3 a budget said no, 130 interrupted.
    """
    as_object = as_object or str(output) == "-"
    said = _contradiction(as_object and events, strategy, model, chain, ensemble_size)
    if verdict and not said and not ensemble_size and strategy not in (None, "ensemble"):
        said = f"--verdict is of an ensemble's answers and -s {strategy} asks one at a time; leave one of them out"
    if said := said or _unchecked(check, model, bool(ensemble_size) or strategy == "ensemble"):
        raise Stop(said, USAGE)
    if temporary and (resume is not None or again or goes_on):
        raise Stop("a temporary chat is kept nowhere, so there is none to go on with; leave --temporary out", USAGE)
    file = output_file(output)
    if again or goes_on:
        if said := _too_much(again, goes_on, prompt is not None or option is not None or bool(files), ensemble_size):
            raise Stop(said, USAGE)
        resume, said_prompt, perhaps_session = resume or "", "", False
    else:
        prompt, resume, perhaps_session = _named_or_said(prompt, option, resume)
        said_prompt = requests.sent_prompt(prompt, option, files)
    asked = Asked(
        said_prompt,
        Strategy.named(strategy) if strategy else Strategy.ENSEMBLE if ensemble_size else None,
        model,
        chain,
        ensemble_size or 3,
        max_cost,
        max_tokens,
        in_utf8(system, "--system"),
        files,
        resume,
        perhaps_session,
        again,
        goes_on,
        tags,
        Check(check.replace("-", "_")) if check else None,
        self_consistency,
        use_cache,
        in_utf8(persona, "--persona"),
        temporary,
        Method(verdict) if verdict else None,
        requests.SPLITS[split],
    )
    manner = Manner.EVENTS if events else Manner.OBJECT if as_object else Manner.TEXT
    sys.exit(run(_ask(context.obj, asked, manner, verbose, file)))


def _contradiction(
    two_forms: bool, strategy: str | None, model: str | None, chain: str | None, ensemble_size: int | None
) -> str | None:
    if two_forms:
        return "--json prints one object and --events many; choose one"
    if ensemble_size and strategy not in (None, "ensemble"):
        return f"-e asks several models at once, -s {strategy} one; choose one"
    if model and (ensemble_size or chain):
        return f"-m pins one model; leave {'-e' if ensemble_size else '--chain'} out"
    return None


def _too_much(again: bool, goes_on: bool, prompted: bool, ensemble_size: int | None) -> str | None:
    if again and goes_on:
        return "--again asks for another answer, --continue-answer goes on with the one there is; choose one"
    if prompted and again:
        return "--again asks the last prompt once more; leave the prompt and --file out"
    if prompted:
        return "--continue-answer goes on with the last answer; leave the prompt and --file out"
    if goes_on and ensemble_size:
        return "an answer is continued by one model; leave -e out"
    return None


def _seen(configured: Method) -> Method | None:
    return Method.WEIGHTED if configured is Method.VOTE else None


def _unchecked(check: str | None, model: str | None, side_by_side: bool) -> str | None:
    """Why another model would not check the answer although that was asked for."""
    if check not in ("second-answer", "judge") or not (model or side_by_side):
        return None
    if model:
        return "-m pins one model and no other is asked; leave --check out, or take --self-consistency"
    return "the members of an ensemble check each other; leave --check out"


def _named_or_said(prompt: str | None, option: str | None, resume: str | None) -> tuple[str | None, str | None, bool]:
    """Prompt, session, and whether the prompt may be a session's id: what stands behind --continue without a prompt is
    either."""
    if not resume or prompt is not None or option is not None:
        return prompt, resume, False
    like_an_id = _SESSION_ID.fullmatch(resume) is not None
    if like_an_id and piped_in():
        return None, resume, False
    return resume, "", like_an_id


async def _ask(invocation: Invocation, asked: Asked, manner: Manner, verbose: bool, output: Path | None) -> int:
    async with invocation.runtime() as runtime:
        settings = runtime.settings
        telling = Telling(
            manner, verbose or settings.debug_routing, costs=settings.track_costs, kept=not asked.temporary
        )
        telling.told = [one.key_problem for one in runtime.catalogue.providers.values() if one.key_problem]
        if manner is Manner.TEXT and can_ask():
            runtime.router.ask_for_room = ask_for_room
        async with await _send(runtime, asked, telling) as turn:
            unwritable = await telling.follow(turn, output)
        if unwritable is not None:
            raise unwritable
        return 0 if telling.failure is None else exit_code(telling.failure.kind)


async def _send(runtime: Runtime, asked: Asked, telling: Telling) -> Turn:
    from ..services import personas
    from ..services.attachments import enclose
    from ..services.chat import Chat, Options
    from ..storage.faults import DAMAGED, StoreError

    attachments = await aside(lambda: requests.read_files(asked.files), "files to send")
    try:
        model = runtime.registry.find(asked.model).id if asked.model else None
        chain = requests.named_chain(runtime, asked.chain) if asked.chain else ()
        if asked.perhaps_session:
            await _no_session(runtime, asked.prompt)
        if asked.resume is None:
            system, tags, temporary = asked.system, asked.tags, asked.temporary
            chat = Chat.new(runtime, system=system, tags=tags, temporary=temporary)
        else:
            chat = await Chat.resume(runtime, asked.resume or None)
            await chat.tag(asked.tags)
        if asked.persona:
            await chat.instruct(persona=personas.find(runtime.settings, asked.persona).name)
    except LookupError as error:
        raise Stop(str(error.args[0]), USAGE) from None
    options = Options(
        strategy=asked.strategy,
        model=model,
        chain=chain,
        ensemble_size=asked.ensemble_size,
        verdict=asked.verdict or _seen(runtime.settings.policy.verdict),
        max_cost=asked.max_cost,
        max_tokens=asked.max_tokens,
        check=asked.check,
        self_consistency=asked.self_consistency,
        system=asked.system,
        use_cache=asked.use_cache,
        split=asked.split,
    )
    if chat.persona is not None and not chat.session.own_way:
        try:
            options = personas.adopted(options, chat.persona, runtime.registry)
        except LookupError as error:
            raise Stop(str(error.args[0]), USAGE) from None
    if asked.again or asked.goes_on:
        try:
            if asked.goes_on:
                request = chat.going_on(options)
                telling.onto = chat.last.cut_off if chat.last is not None else None
                return chat.send_on(request)
            return chat.send_again(await agreed(runtime, chat.again(options)), elsewhere=asked.elsewhere)
        except LookupError as error:
            raise Stop(str(error.args[0]), USAGE) from None
    enclosed = enclose(asked.prompt, attachments)
    request = chat.request(enclosed.text, enclosed.images, options, enclosed.files)
    request = await agreed(runtime, request)
    try:
        return await chat.send_kept(request)
    except StoreError as error:
        # Where no money can be written down either, a temporary one would not be asked.
        kept_nowhere = "; with --temporary it is kept nowhere" if error.remedy == DAMAGED[1] else ""
        raise Stop(f"nothing was asked, for the conversation cannot be kept: {error}{kept_nowhere}") from None


async def _no_session(runtime: Runtime, prompt: str) -> None:
    """A session's id alone must not be sent as a prompt. Raises Stop."""
    with contextlib.suppress(LookupError):
        session = (await runtime.conversations.get(prompt)).session
        raise Stop(f"{prompt} is a session, and there is no prompt; give it too: ask --continue {session.id} …", USAGE)
