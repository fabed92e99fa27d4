"""`eval`: how well the router does on prompts whose outcomes are known."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..routing.event_json import usd
from ..routing.profile import TaskType
from ..routing.text import clean_line
from .lines import Line, prompt_lines
from .manners import USAGE, Invocation, Stop, meant, run, say
from .printing import as_json, table

if TYPE_CHECKING:
    from ..services.evaluation import Earned, Figure, PairFigures, Report
    from ..services.trials import Answered, Trial

EXAMPLE = '{"prompt": "…", "outcomes": {"model": 0 to 1, …}}'


@click.command("eval")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--weak", metavar="MODEL", help="With --strong: the cheaper model of the pair to look at.")
@click.option("--strong", metavar="MODEL", help="With --weak: the better one. Without both, pairs suggest themselves.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    metavar="D",
    help="Difficulty from which a prompt goes to the strong model.",
)
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def eval(
    invocation: Invocation, file: Path, weak: str | None, strong: str | None, threshold: float, as_object: bool
) -> None:
    """Measure the router on prompts of your own whose outcomes you know. Nothing is called and nothing is spent.

    FILE has a JSON object a line; '-' is stdin. All but the prompt may be left out:

    \b
      {"prompt": "…",
       "outcomes": {"openai/gpt-6-luna": 1, "anthropic/claude-haiku-5.5": 0.3},
       "task_type": "code",  "complexity": 4,
       "model": "openai/gpt-6-luna", "answer": "…", "quality": 1}

    Outcomes and quality say from 0 to 1 how good the answers were. A figure needs 30 rows; what stands in brackets
    behind one is its 95 % interval. Models the registry does not know have no p and no price; name them in
    [[models]] to give them both.

    \b
    Examples:
      tui-orchestrator eval outcomes.jsonl
      tui-orchestrator eval outcomes.jsonl --weak gpt-6-luna --strong claude-opus-5.5
      tui-orchestrator eval --json outcomes.jsonl | jq .calibration
    """
    if (weak is None) != (strong is None):
        raise Stop("--weak and --strong name a pair; give both or neither", USAGE)
    trials = [_trial(line) for line in prompt_lines(file, EXAMPLE)]
    if not trials:
        raise Stop(f"{file} holds no rows; a line is {EXAMPLE}", USAGE)
    pair = _pair(trials, weak, strong) if weak and strong else None

    async def measure() -> None:
        from ..services import evaluation
        from ..services.trials import learned

        async with invocation.runtime() as runtime:
            policy = runtime.router.policy
            known = learned(runtime.router.experience, runtime.registry, policy, runtime.clock.now())
            report = await asyncio.to_thread(
                evaluation.evaluate, trials, runtime.registry, policy, known, pair=pair, threshold=threshold
            )
        say(as_json(report_json(report)) if as_object else "\n".join(_text(report)))

    run(measure())


def _pair(trials: list[Trial], weak: str, strong: str) -> tuple[str, str]:
    names = list(dict.fromkeys(name for trial in trials for name in trial.outcomes))
    for wanted in (weak, strong):
        if wanted not in names:
            hint = meant(wanted, names) if names else "no row has outcomes"
            raise Stop(f"no row has an outcome of {wanted!r}; {hint}", USAGE)
    if weak == strong:
        raise Stop("--weak and --strong name the same model; name two", USAGE)
    return weak, strong


# -- rows


def _trial(line: Line) -> Trial:
    from ..services.trials import Trial

    outcomes = line.said.get("outcomes") or {}
    if not isinstance(outcomes, dict):
        raise Stop(f'{line.where}: "outcomes" is no object; a line is {EXAMPLE}', USAGE)
    judged = {clean_line(name): _share(line, f"the outcome of {name!r}", value) for name, value in outcomes.items()}
    answered = _answered(line)
    if answered is not None:
        judged.setdefault(answered.model, answered.quality)
    return Trial(line.prompt, judged, _task_type(line), _complexity(line), answered)


def _answered(line: Line) -> Answered | None:
    from ..services.trials import Answered

    answer = line.said.get("answer")
    if answer is None:
        return None
    model = line.said.get("model")
    if not isinstance(answer, str) or not isinstance(model, str) or not model.strip():
        raise Stop(f'{line.where}: an "answer" is text and goes with "model", whose it is, and "quality"', USAGE)
    return Answered(clean_line(model), answer, _share(line, '"quality"', line.said.get("quality")))


def _share(line: Line, what: str, value: object) -> float:
    if isinstance(value, int | float) and 0 <= value <= 1:
        return float(value)
    raise Stop(f"{line.where}: {what} is {_shown(value)}; it is a number from 0, bad, to 1, good", USAGE)


def _task_type(line: Line) -> TaskType | None:
    value = line.said.get("task_type")
    if value is None:
        return None
    known = [task.value for task in TaskType]
    if value not in known:
        raise Stop(f"{line.where}: no task type is called {_shown(value)}; {meant(str(value), known)}", USAGE)
    return TaskType(value)


def _complexity(line: Line) -> float | None:
    value = line.said.get("complexity")
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise Stop(f'{line.where}: "complexity" is {_shown(value)}; it is a number, on any scale', USAGE)


def _shown(value: object) -> str:
    return "missing" if value is None else clean_line(repr(value), 40)


# -- for people


def _text(report: Report) -> list[str]:
    lines = [
        f"{report.rows} prompts",
        "",
        table(
            ("measure", "figure", "rows", "what it is"),
            [
                _measure("task type", report.task_type, "share that is right"),
                _measure("complexity", report.complexity, "Spearman's correlation with yours; 0 is chance"),
                _measure("calibration", report.calibration, "ECE of p, all models; 0 is perfect"),
                _measure("confidence", report.confidence, "AUROC of 'this answer is wrong'; 0.5 is chance"),
            ],
            right=("rows",),
        ),
    ]
    if report.by_model:
        lines += ["", "Calibration, model by model", _calibration(report.by_model)]
    if report.pairs:
        lines += ["", *_pair_tables(report.pairs)]
    if report.strategies:
        lines += ["", *_strategies(report)]
    return [*lines, *(["", *report.notes] if report.notes else [])]


def _measure(name: str, figure: Figure, told: str) -> tuple[str, ...]:
    return name, _figure(figure), str(figure.rows), told


def _figure(figure: Figure) -> str:
    from ..services.measuring import FEWEST

    if figure.value is None:
        return f"{FEWEST} needed" if figure.rows < FEWEST else "not defined: all rows are alike"
    if figure.interval is None:
        return f"{figure.value:.2f}"
    return f"{figure.value:.2f} [{figure.interval.low:.2f}, {figure.interval.high:.2f}]"


def _percent(value: float | None) -> str:
    return "?" if value is None else f"{value:.0%}"


def _calibration(by_model: Mapping[str, Figure]) -> str:
    rows = [(name, _figure(figure), str(figure.rows)) for name, figure in by_model.items()]
    return table(("model", "ECE", "rows"), rows, right=("rows",), names=("model",))


def _pair_tables(pairs: tuple[PairFigures, ...]) -> list[str]:
    head = ("weak", "strong", "rows", "weak alone", "strong alone", "APGR", "CPT50", "CPT80")
    ranked = [
        (
            *(pair.weak, pair.strong, str(pair.rows), f"{pair.weak_quality:.2f}", f"{pair.strong_quality:.2f}"),
            *(_figure(pair.apgr), _figure(pair.cpt50), _figure(pair.cpt80)),
        )
        for pair in pairs
    ]
    threshold = f"{pairs[0].threshold:g}"
    sent = [
        (
            *(pair.weak, pair.strong, _percent(pair.strong_share), f"{pair.quality:.2f}", _percent(pair.saved)),
            *(_percent(pair.share_kept), _percent(pair.saved_kept)),
        )
        for pair in pairs
    ]
    numbers = head[2:5]
    figures = ("to strong", "quality", "saved", "to strong for 95 %", "saved then")
    return [
        "A weak and a strong model: the hardest prompts go to the strong one",
        table(head, ranked, right=numbers, names=head[:2]),
        "APGR: mean share of the gap between them that is recovered, 0.5 by chance. CPT50, CPT80: the share that must",
        "go to the strong model to recover 50 and 80 % of it; less is better, 0.50 and 0.80 by chance.",
        "",
        f"From difficulty {threshold} on to the strong model; and the least share that keeps 95 % of its quality, "
        "which is known only in hindsight",
        table(("weak", "strong", *figures), sent, right=figures, names=head[:2]),
    ]


def _strategies(report: Report) -> list[str]:
    def row(earned: Earned) -> tuple[str, ...]:
        cost = "$?" if earned.per_thousand is None else f"~{earned.per_thousand}"
        name = earned.name
        return name, f"{earned.quality:.3f}", cost, earned.favourite, _percent(earned.share)

    head = ("strategy", "quality", "per 1,000", "mostly", "share")
    right = ("quality", "per 1,000", "share")
    rows = [row(earned) for earned in (*report.strategies, *report.singles)]
    return [
        f"What each strategy would have come to on {report.compared} prompts, then each model alone",
        table(head, rows, right=right, names=("strategy", "mostly")),
        "fallback counts its first step alone, ensemble the mean of its members and the cost of them all.",
    ]


# -- for programs


def report_json(report: Report) -> dict[str, Any]:
    return {
        "rows": report.rows,
        "task_type_accuracy": _figure_json(report.task_type),
        "complexity_spearman": _figure_json(report.complexity),
        "calibration": _figure_json(report.calibration),
        "calibration_by_model": {name: _figure_json(figure) for name, figure in report.by_model.items()},
        "confidence_auroc": _figure_json(report.confidence),
        "pairs": [_pair_json(pair) for pair in report.pairs],
        "compared": report.compared,
        "strategies": {earned.name: _earned_json(earned) for earned in report.strategies},
        "alone": {earned.name: _earned_json(earned) for earned in report.singles},
        "notes": list(report.notes),
    }


def _figure_json(figure: Figure) -> dict[str, Any]:
    return {
        "value": _round(figure.value),
        "rows": figure.rows,
        "interval_95": [_round(end) for end in figure.interval] if figure.interval else None,
    }


def _pair_json(pair: PairFigures) -> dict[str, Any]:
    return {
        "weak": pair.weak,
        "strong": pair.strong,
        "rows": pair.rows,
        "weak_quality": _round(pair.weak_quality),
        "strong_quality": _round(pair.strong_quality),
        "apgr": _figure_json(pair.apgr),
        "cpt50": _figure_json(pair.cpt50),
        "cpt80": _figure_json(pair.cpt80),
        "threshold": pair.threshold,
        "strong_share": _round(pair.strong_share),
        "quality": _round(pair.quality),
        "saved": _round(pair.saved),
        "share_for_95_percent": _round(pair.share_kept),
        "saved_at_95_percent": _round(pair.saved_kept),
    }


def _earned_json(earned: Earned) -> dict[str, Any]:
    return {
        "quality": _round(earned.quality),
        "usd_per_1000": usd(earned.per_thousand),
        "mostly": earned.favourite,
        "share": _round(earned.share),
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
