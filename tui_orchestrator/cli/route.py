"""`route`: the decision alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..routing.decision import Decision
from ..routing.event_json import decision_json
from ..routing.money import Money
from ..routing.request import Message, Request, Strategy
from .ask import MOST_TOKENS, named_chain, usd
from .lines import Line, prompt_lines
from .manners import BUDGET, FAILED, USAGE, Invocation, Stop, Word, one_prompt, prompt_text, run, say
from .printing import as_json, as_json_line, table
from .turn import decision_lines

if TYPE_CHECKING:
    from ..services.runtime import Runtime

EXAMPLE = '{"id": …, "prompt": "…"}'


@click.command()
@click.argument("prompt", nargs=-1, metavar="[PROMPT|-]", callback=one_prompt)
@click.option("-p", "--prompt", "option", metavar="TEXT", help="The prompt, instead of the argument.")
@click.option(
    "-s",
    "--strategy",
    type=Word([*(s.value for s in Strategy), "all"]),
    metavar="NAME",
    help=f"How to choose: {', '.join(s.value for s in Strategy)}; or all, to compare them.",
)
@click.option("-m", "--model", help="Pin a model: PROVIDER/NAME, or the bare name where only one provider has it.")
@click.option("--chain", metavar="NAMES", help="Models to walk, a,b,c, or the name of a chain.")
@click.option("-c", "--max-cost", callback=usd, metavar="USD", help="Most the whole turn may cost.")
@click.option(
    "--max-tokens", type=click.IntRange(1, MOST_TOKENS), metavar="N", help="Most output tokens of each attempt."
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
      tui-orchestrator route --jsonl prompts.jsonl > decisions.jsonl

    Exit codes: 0 a model was chosen, 1 every model is out, 2 wrong usage, 3 a budget said no. With --strategy all
    and --jsonl it is 0 also when a decision finds no model; it says so itself.
    """
    if jsonl is not None and (prompt is not None or option is not None):
        raise Stop("--jsonl decides the prompts of a file; leave the prompt out", USAGE)
    if jsonl is not None and strategy == "all":
        raise Stop("--jsonl prints one decision a line; name one strategy", USAGE)
    if model and (chain or strategy == "all"):
        raise Stop(f"-m pins one model; leave {'--chain' if chain else '--strategy all'} out", USAGE)
    lines = [] if jsonl is None else list(prompt_lines(jsonl, EXAMPLE))
    text = "" if jsonl is not None else prompt_text(prompt, option)

    async def decide() -> None:
        async with invocation.runtime() as runtime:
            wanted = Wanted(runtime, strategy, model, chain, max_cost, max_tokens)
            if jsonl is not None:
                await _lines(wanted, lines)
            elif strategy == "all":
                await _all(wanted, text, as_object)
            else:
                await _one(wanted, text, as_object)

    run(decide())


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
    ) -> None:
        self.runtime = runtime
        self.strategy = Strategy(strategy) if strategy not in (None, "all") else None
        self.max_cost = max_cost
        self.max_tokens = max_tokens
        try:
            self.model = runtime.registry.find(model).id if model else None
            self.chain = named_chain(runtime, chain) if chain else ()
        except LookupError as error:
            raise Stop(str(error.args[0]), USAGE) from None

    async def decide(self, prompt: str, strategy: Strategy | None = None) -> Decision:
        request = Request(
            (Message("user", prompt),),
            strategy=strategy or self.strategy,
            model=self.model,
            chain=self.chain,
            max_cost=self.max_cost,
            max_tokens=self.max_tokens,
        )
        return await self.runtime.decide(request)


async def _one(wanted: Wanted, prompt: str, as_object: bool) -> None:
    decision = await wanted.decide(prompt)
    if as_object:
        say(as_json(decision_json(decision)))
    else:
        if decision.model is not None:
            say(f"{decision.model} · {decision.strategy.value} · {decision.reason}")
        for line in decision_lines(decision):
            say(f"  {line}")
        if len(decision.chain) > 1:
            side_by_side = decision.strategy is Strategy.ENSEMBLE
            models = (" + " if side_by_side else " → ").join(decision.chain)
            say(f"  {'members' if side_by_side else 'chain'}: {models}")
    if decision.model is None:
        raise Stop(decision.reason, BUDGET if decision.refused else FAILED)


async def _all(wanted: Wanted, prompt: str, as_object: bool) -> None:
    decisions = [await wanted.decide(prompt, strategy) for strategy in Strategy]
    if as_object:
        say(as_json({d.strategy.value: decision_json(d) for d in decisions}))
        return
    rows = []
    for decision in decisions:
        chosen = decision.chosen
        cost = "" if chosen is None else "$?" if chosen.estimated_cost is None else f"~{chosen.estimated_cost}"
        rows.append(
            (
                decision.strategy.value,
                decision.model or "none",
                f"{chosen.success_probability:.2f}" if chosen else "",
                cost,
                f"{chosen.estimated_latency_s:.1f} s" if chosen else "",
                decision.reason,
            )
        )
    say(table(("strategy", "model", "p", "cost", "time", "why"), rows, right=("p", "cost", "time")))


async def _lines(wanted: Wanted, lines: Sequence[Line]) -> None:
    """Without an id of its own a decision has the number of its line."""
    for line in lines:
        decision = await wanted.decide(line.prompt)
        say(as_json_line({"id": line.said.get("id", line.number), **decision_json(decision)}))
