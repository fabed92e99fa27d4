"""What a verdict says, below the columns: the scores, and point by point who says what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tui_orchestrator.routing.events import Point, Verdict
from tui_orchestrator.routing.request import Method
from tui_orchestrator.routing.text import clean_line

from . import words
from .entries import Entry, Kind, Severity
from .look import Caption
from .members import Member
from .naming import keyed
from .transcript import Transcript

MOST_POINTS = 12
"""Of each kind that are shown."""
_SCORES = ("total", "confidence", "capable", "complete", "consensus")
_SCORES_IN_SHORT = ("total", "conf.", "cap.", "compl.", "cons.")
_MARGIN = 4
"""Cells of a transcript beside its text."""
_FUSED, _VERDICT = "fused", "verdict"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


class VerdictText(Transcript):
    """One verdict, above it the answer that was written from all, if any."""

    def put_together(self, model: str) -> None:
        """The model writes one answer from all; `append_together` brings it."""
        self.load(())
        self.begin_answer(_FUSED, [("★ ", "warning"), (model, "strong"), (" writes one answer from all", "muted")])

    def append_together(self, text: str) -> None:
        self.append(_FUSED, text)

    def tell(self, verdict: Verdict, members: Sequence[Member]) -> None:
        """In place of what it told before; what was written from all stays, if that is the answer."""
        if verdict.method == Method.FUSE.value and self.holds(_FUSED):
            self.finish(_FUSED)
        else:
            self.load(())
        width = self.size.width or self.app.size.width // 2
        self._say(heading(verdict, members), report(verdict, members, width))
        self.following = False
        self.action_first_row()

    def tell_first(self, sentence: str, severity: Severity) -> None:
        """In place of what was told so before."""
        said = [entry for entry in self.entries if entry.kind is not Kind.NOTICE]
        self.load([Entry.notice(sentence, severity), *said])
        self.following = False
        self.action_first_row()

    def ask(self, answers: Sequence[Member]) -> None:
        """For the user's own pick of a blind ensemble."""
        places = " or ".join(str(member.place) for member in answers)
        said = f"Press {places} to pick it; then you see whose it is. `{{pane.chat}}` comes here."
        self._say([("? ", "warning"), ("Which answer is the best?", "strong")], keyed(self.app, said))

    def _say(self, title: Caption, markdown: str) -> None:
        self.begin_answer(_VERDICT, title)
        self.append(_VERDICT, markdown)
        self.finish(_VERDICT)


def heading(verdict: Verdict, members: Sequence[Member]) -> Caption:
    winner = next((member for member in members if member.number == verdict.winner), None)
    if winner is None:
        return [("How the answers compare", "strong")]
    if verdict.method == Method.FUSE.value:
        said = f" is the conversation's · best of these: {winner.model}"
        return [("★ ", "warning"), ("The merged answer", "strong"), (said, "muted")]
    from tui_orchestrator.services.remembering import KEPT, PICKED

    why = f" · {clean_line(verdict.reason, 200)}" if verdict.reason else ""
    said = {"vote": "as weighed", KEPT: "as it was kept", PICKED: _picked(verdict, winner, members)}.get(
        verdict.method, verdict.method
    )
    return [("★ ", "warning"), (winner.model, "strong"), (f" is the answer · {said}{why}", "muted")]


def _picked(verdict: Verdict, winner: Member, members: Sequence[Member]) -> str:
    best = next((one for score in verdict.scores[:1] for one in members if one.number == score.attempt), winner)
    return f"picked by you; weighed best{' too' if best is winner else f': {best.model}'}"


def report(verdict: Verdict, members: Sequence[Member], width: int) -> str:
    """The members' places stand for them in the points, as over the columns. `width`: cells for the scores, whose
    names are shortened where they would not fit in a table."""
    places = {member.number: member.place for member in members}
    digits = _telling_apart([score.total for score in verdict.scores])
    rows = [
        f"| {places.get(score.attempt, '')} {_plain(words.short_name(score.model))} | {score.total:.{digits}f} "
        f"| {score.confidence:.2f} | {score.capability:.2f} | {score.completeness:.2f} | {score.consensus:.2f} |"
        for score in verdict.scores
    ]
    longest = max((len(words.short_name(score.model)) for score in verdict.scores), default=0) + 2
    wider = max(0, digits + len("1.") - len(_SCORES[0]))
    fits = longest + wider + len(" │ ".join(("", *_SCORES))) <= width - _MARGIN
    names = _SCORES if fits else _SCORES_IN_SHORT
    parts = [f"| model | {' | '.join(names)} |\n|:--|--:|--:|--:|--:|--:|", *rows, "", _made_of(names)]
    of = len(verdict.scores)
    shared = [point for point in verdict.points if len(point.attempts) > 1 and 2 * len(point.attempts) > of]
    some = [point for point in verdict.points if len(point.attempts) > 1 and 2 * len(point.attempts) <= of]
    alone = [point for point in verdict.points if len(point.attempts) == 1]
    for title, points in (("They agree", shared), ("Some say", some), ("They differ", alone)):
        parts += _points(title, points, places)
    return "\n".join(parts)


def _telling_apart(totals: Sequence[float]) -> int:
    """Decimals that unlike totals need, from 2 to 4."""
    unlike = {round(total, 4) for total in totals}
    return next((digits for digits in (2, 3) if len({f"{one:.{digits}f}" for one in unlike}) == len(unlike)), 4)


def _made_of(names: Sequence[str]) -> str:
    from tui_orchestrator.routing import ensemble

    total, *parts = names
    shares = (
        ensemble.CONFIDENCE_SHARE,
        ensemble.CAPABILITY_SHARE,
        ensemble.COMPLETENESS_SHARE,
        ensemble.CONSENSUS_BONUS,
    )
    return f"{total} = {' + '.join(f'{share} {part}' for share, part in zip(shares, parts, strict=True))}"


def _points(title: str, points: Sequence[Point], places: Mapping[int, int]) -> list[str]:
    if not points:
        return []
    lines = ["", f"### {title}"]
    for point in sorted(points[:MOST_POINTS], key=lambda one: (-len(one.attempts), _who(one, places))):
        lines.append(f"- **{_who(point, places)}** {_plain(point.text)}")
    if len(points) > MOST_POINTS:
        lines.append(f"- and {len(points) - MOST_POINTS} more")
    return lines


def _who(point: Point, places: Mapping[int, int]) -> str:
    return " ".join(str(place) for place in sorted(places.get(number, 0) for number in point.attempts))


def _plain(text: str) -> str:
    """As Markdown that shows exactly this."""
    return _PUNCTUATION.sub(r"\\\1", clean_line(text, 400))
