"""`route`: the decision alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from ..routing.decision import Decision
from ..routing.event_json import decision_json
from ..routing.explanation import what_if
from ..routing.money import Money
from ..routing.request import Message, Request, Split, Strategy
from ..routing.rules import explain
from . import requests
from .decisions import decision_lines, headline, strategies_table
from .lines import Line, prompt_lines
from .manners import BUDGET, FAILED, USAGE, Invocation, Stop, StrategyWord, run, say, tag_names
from .printing import as_json, as_json_line
from .replaying import replay_any, supposed_change
from .rules import rules_json, rules_lines

if TYPE_CHECKING:
    from ..services.attachments import Attachment
    from ..services.runtime import Runtime

EXAMPLE = '{"id": …, "prompt": "…"}'


@click.command()
@requests.ARGUMENT
@requests.PROMPT
@click.option(
    "-s",
    "--strategy",
    type=StrategyWord("all"),
    metavar="NAME",
    help=f"How to choose: {', '.join(Strategy)}, or a plugin's; or all, to compare them.",
)
@requests.MODEL
@requests.CHAIN
@requests.MAX_COST
@requests.MAX_TOKENS
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="A text file or an image that would go along; '-' is stdin. May be repeated.",
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", callback=tag_names, help="As in a session tagged so.")
@click.option(
    "--explain-rules", is_flag=True, help="Tell of each of your rules which of its conditions hold, and which decides."
)
@click.option(
    "--replay",
    metavar="WHAT",
    help="Make stored decisions again, and with -s, --threshold or --prices say what would come out otherwise: the "
    "beginning of a request's id, latest, session:ID, session:latest, or a file of prompts, FILE.jsonl.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    metavar="X",
    help="With --replay: under this quality_threshold, from 0 to 1.",
)
@click.option(
    "--prices",
    metavar="FILE",
    help="With --replay: at the prices of a TOML file, or at today's times a factor: anthropic=0.5,openai/gpt-6=2.",
)
@click.option("--json", "as_object", is_flag=True, help="Print the decision as a JSON object.")
@click.option(
    "--jsonl",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help='Decide one prompt a line, {"id": …, "prompt": …}; \'-\' is stdin. Prints one decision a line.',
)
@click.pass_obj
def route(
    invocation: Invocation,
    prompt: str | None,
    option: str | None,
    strategy: str | None,
    model: str | None,
    chain: str | None,
    max_cost: Money | None,
    max_tokens: int | None,
    files: tuple[Path, ...],
    tags: frozenset[str],
    explain_rules: bool,
    replay: str | None,
    threshold: float | None,
    prices: str | None,
    as_object: bool,
    jsonl: Path | None,
) -> None:
    """Say which model would answer, why, and at what cost. Nothing is called and nothing is spent.

    Of every model it shows p, the probability of a good answer, what it would cost, how long it would take, and its
    score, or why it is out.

    \b
    Examples:
      tui-orchestrator route "Prove that there are infinitely many primes"
      tui-orchestrator route --strategy all "Translate this into French: good morning"
      tui-orchestrator route --json "Fix this" | jq -r .model
      tui-orchestrator route --explain-rules --tag work "Check this contract"
      tui-orchestrator route --jsonl prompts.jsonl > decisions.jsonl
      tui-orchestrator route --replay latest -s quality
      tui-orchestrator route --replay session:latest --threshold 0.7
      tui-orchestrator route --replay prompts.jsonl -s cheapest --prices next-year.toml

    Exit codes: 0 a model was chosen, 1 every model is out, 2 wrong usage, 3 a budget said no. With --strategy all
    and --jsonl it is 0 also when a decision finds no model; it says so itself. With --replay it is 1 when a stored
    decision does not come out the same.
    """
    if replay is not None:
        _only_replays(click.get_current_context())
        supposed = supposed_change(strategy, threshold, prices)
        run(replay_any(invocation, replay, supposed, strategy == "all", as_object))
        return
    if threshold is not None or prices is not None:
        given = "--threshold" if threshold is not None else "--prices"
        raise Stop(f"{given} supposes something of stored decisions; name them with --replay", USAGE)
    if jsonl is not None and (prompt is not None or option is not None):
        raise Stop("--jsonl decides the prompts of a file; leave the prompt out", USAGE)
    if jsonl is not None and strategy == "all":
        raise Stop("--jsonl prints one decision a line; name one strategy", USAGE)
    if model and (chain or strategy == "all"):
        raise Stop(f"-m pins one model; leave {'--chain' if chain else '--strategy all'} out", USAGE)
    if explain_rules and (jsonl is not None or strategy == "all"):
        raise Stop(f"--explain-rules tells one decision; leave {'--jsonl' if jsonl else '--strategy all'} out", USAGE)
    if jsonl is not None and files:
        raise Stop("--file goes with one prompt; leave it or --jsonl out", USAGE)
    lines = [] if jsonl is None else list(prompt_lines(jsonl, EXAMPLE))
    text = "" if jsonl is not None else requests.sent_prompt(prompt, option, files)

    attachments = requests.read_files(files)

    async def decide() -> None:
        async with invocation.runtime(to_read=True) as runtime:
            wanted = Wanted(runtime, strategy, model, chain, max_cost, max_tokens, tags, attachments)
            if jsonl is not None:
                await _lines(wanted, lines)
            elif explain_rules:
                await _rules(wanted, text, as_object)
            elif strategy == "all":
                await _all(wanted, text, as_object)
            else:
                await _one(wanted, text, as_object)

    run(decide())


def _only_replays(context: click.Context) -> None:
    """A stored decision has its prompt and its options in it."""
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name not in ("replay", "strategy", "threshold", "prices", "as_object"):
            left_out = parameter.opts[-1] if isinstance(parameter, click.Option) else "the prompt"
            raise Stop(f"--replay takes what was stored; leave {left_out} out", USAGE)


class Wanted:
    """The command's options, turned into requests."""

    def __init__(
        self,
        runtime: Runtime,
        strategy: str | None,
        model: str | None,
        chain: str | None,
        max_cost: Money | None,
        max_tokens: int | None,
        tags: frozenset[str],
        attachments: Sequence[Attachment],
    ) -> None:
        self.runtime = runtime
        self.tags = tags
        self.attachments = attachments
        self.strategy = Strategy.named(strategy) if strategy not in (None, "all") else None
        self.max_cost = max_cost
        self.max_tokens = max_tokens
        try:
            self.model = runtime.registry.find(model).id if model else None
            self.chain = requests.named_chain(runtime, chain) if chain else ()
        except LookupError as error:
            raise Stop(str(error.args[0]), USAGE) from None

    def request(self, prompt: str) -> Request:
        from ..services.attachments import enclose

        enclosed = enclose(prompt, self.attachments)
        return Request(
            (Message("user", enclosed.text, enclosed.images),),
            strategy=self.strategy,
            model=self.model,
            chain=self.chain,
            max_cost=self.max_cost,
            max_tokens=self.max_tokens,
            tags=self.tags,
            files=enclosed.files,
            split=Split.SHOWN,
        )

    async def decide(self, prompt: str) -> Decision:
        return await self.runtime.decide(self.request(prompt))


async def _rules(wanted: Wanted, prompt: str, as_object: bool) -> None:
    request, runtime = wanted.request(prompt), wanted.runtime
    decision = await runtime.decide(request)
    told = explain(runtime.router.rules, request, decision.profile)
    if as_object:
        say(as_json(rules_json(told, decision, request, runtime.registry)))
    else:
        for line in rules_lines(told, decision, request, runtime.registry):
            say(line)


async def _one(wanted: Wanted, prompt: str, as_object: bool) -> None:
    decision = await wanted.decide(prompt)
    if as_object:
        say(as_json(decision_json(decision)))
    else:
        if decision.model is not None:
            say(headline(decision))
        for line in decision_lines(decision):
            say(f"  {line}")
        if len(decision.chain) > 1:
            side_by_side = decision.strategy is Strategy.ENSEMBLE
            models = (" + " if side_by_side else " → ").join(decision.chain)
            say(f"  {'members' if side_by_side else 'chain'}: {models}")
    if decision.model is None:
        raise Stop(decision.reason, BUDGET if decision.refused else FAILED)


async def _all(wanted: Wanted, prompt: str, as_object: bool) -> None:
    """One decision, chosen from under every strategy: the same candidates with the same figures."""
    decisions = what_if(await wanted.decide(prompt))
    if as_object:
        say(as_json({strategy.value: decision_json(decision) for strategy, decision in decisions.items()}))
    else:
        say(strategies_table(list(decisions.values())))


async def _lines(wanted: Wanted, lines: Sequence[Line]) -> None:
    """Without an id of its own a decision has the number of its line."""
    for line in lines:
        decision = await wanted.decide(line.prompt)
        say(as_json_line({"id": line.said.get("id", line.number), **decision_json(decision)}))
