"""`vote`: what one thinks of an answer that was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .manners import USAGE, Invocation, Stop, Word, note, run

if TYPE_CHECKING:
    from ..services.runtime import Runtime
    from ..storage.messages import StoredMessage

_VOTES = {"up": True, "down": False, "none": None}


@click.command()
@click.argument("which", type=Word(tuple(_VOTES)), metavar="up|down|none")
@click.option("--session", metavar="ID", help="Id of a session, its beginning, or latest.  [default: latest]")
@click.option(
    "-n",
    "--answer",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Which answer, counted from the end: 1 is the last.",
)
@click.option(
    "-m", "--model", metavar="NAME", help="Of an ensemble: the member whose answer was the best. Goes with up."
)
@click.pass_obj
def vote(invocation: Invocation, which: str, session: str | None, answer: int, model: str | None) -> None:
    """Say that an answer was good or bad, or take that back. The router learns from it.

    A second vote on the same answer takes the place of the first. One vote moves the chance of a good answer by seven
    hundredths at most; `models` shows what was learned.

    \b
    Examples:
      tui-orchestrator vote up
      tui-orchestrator vote down --session 6afh -n 2
      tui-orchestrator vote none
      tui-orchestrator vote up -m gpt-6-luna
    """
    if model is not None and which != "up":
        raise Stop(
            "-m names the member of an ensemble that was the best, so it goes with up; `none` takes it back", USAGE
        )

    async def go() -> None:
        async with invocation.runtime(look=False) as runtime:
            try:
                note(await _vote(runtime, _VOTES[which], session, answer, model))
            except LookupError as error:
                raise Stop(str(error.args[0]), USAGE) from None

    run(go())


async def _vote(runtime: Runtime, liked: bool | None, session: str | None, place: int, member: str | None) -> str:
    from ..services.chat import Chat

    chat = await Chat.resume(runtime, session)
    answer = _answer(chat.stored, place)
    if answer.attempt is None:
        raise LookupError("that turn ended without an answer, so there is nothing to vote on")
    if member is not None:
        voted = await _pick(runtime, answer.request_id, member)
    else:
        voted = await runtime.feedback.vote(answer.request_id, answer.attempt, liked)
    sign = "Taken back:" if liked is None else "▲" if liked else "▼"
    up, down = runtime.router.experience.lesson(voted, runtime.clock.now()).votes
    return f"{sign} {voted} in {chat.title!r}; it has {up} for and {down} against now."


def _answer(messages: list[StoredMessage], place: int) -> StoredMessage:
    from ..storage.answers import standing

    answers = [answer for _, answer in standing(messages) if answer is not None]
    if place > len(answers):
        count = f"{len(answers)} answer{'' if len(answers) == 1 else 's'}"
        raise LookupError(f"the session has {count}, so there is no answer {place} from the end")
    return answers[-place]


async def _pick(runtime: Runtime, request_id: str, member: str) -> str:
    attempts = await runtime.feedback.members(request_id)
    winner = next((one for one in attempts if member in (one.model, one.model.partition("/")[2])), None)
    if winner is None:
        there = ", ".join(one.model for one in attempts)
        said = f"its members were {there}" if there else "that answer is not one of an ensemble's"
        raise LookupError(f"no member is called {member!r}; {said}")
    return await runtime.feedback.pick(request_id, winner.number, [one.number for one in attempts])
