"""How well the router judges: `python benchmarks/routing.py --data DIR`. Prints one JSON object, a table to stderr.

DIR holds route, tasktype, complexity and answers.jsonl.gz and pairs.json. The shipped weights have seen much of the
data, so no figure here is of them: every prompt is judged by weights learned without its fold ('out of fold'), and once
more by weights learned without its whole source ('source left out'). Beside the router stand the length of the prompt,
keyword rules as hand-made routers ship them, chance, the oracle, and what RouteLLM has published. What the measures are
stands in tui_orchestrator/services/measuring.py. Takes about a quarter of an hour on one core; needs the extra
`training`. `make bench` runs it without --data, which measures nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

OUT_OF_FOLD = "router, out of fold"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder with the published outcomes and labels")
    parser.add_argument("--repeats", type=int, default=200, help="of the bootstrap behind the intervals")
    chosen = parser.parse_args(arguments)
    if chosen.data is None:
        print(
            json.dumps({"measured": None, "needs": "--data DIR, with published outcomes; see docs/routing-quality.md"})
        )
        return 0
    sys.path.insert(0, str(Path(__file__).parents[1]))
    found = measured(chosen.data, chosen.repeats)
    print(json.dumps(found, ensure_ascii=False))
    print(table(found), file=sys.stderr)
    return 0


def measured(data: Path, repeats: int) -> dict[str, Any]:
    from quality.calibration import calibration
    from quality.choosing import choosing
    from quality.held_out import held_out
    from quality.keywords import chance, keyword_difficulty, length
    from quality.labels import complexity, difficulty_of, failure, own_prompts, task_types
    from quality.pairs import ROUTELLM, Duel, Score, means
    from quality.pairs import measured as measured_pair
    from quality.trust import confidence

    from training import data as published
    from tui_orchestrator.routing.decision import Policy

    outcomes, typed, rated = published.outcomes(data), published.typed(data), published.rated(data)
    unseen = held_out(data, [*outcomes, *typed, *rated])
    held = unseen.judges
    duels = [Duel.of(said) for said in json.loads((data / "pairs.json").read_text("utf-8"))]
    ways: dict[str, Score] = {
        **{name: difficulty_of(judge) for name, judge in held.items()},
        "length": lambda row: length(row.prompt),
        "keyword rules": lambda row: keyword_difficulty(row.prompt),
        "random": lambda row: chance(row.prompt),
    }
    pairs: dict[str, Any] = {}
    measured_rows: set[tuple[str, str, int]] = set()
    for duel in duels:
        rows = duel.rows(outcomes)
        same = (duel.weak, duel.strong, len(rows))
        if rows and same not in measured_rows:
            measured_rows.add(same)
            print(f"measuring {duel.name} …", file=sys.stderr)
            pairs[duel.name] = measured_pair(duel, rows, ways, repeats)
    return {
        "held_out": "each prompt is judged by weights that have not seen its fold, or its source",
        "means": means(pairs, duels),
        "pairs": pairs,
        "published": ROUTELLM,
        "task_types": task_types(typed, held, repeats),
        "own_prompts": own_prompts(unseen.own, repeats),
        "complexity": complexity(rated, held),
        "failure": failure(outcomes, held, Policy()),
        "calibration": calibration(outcomes, held[OUT_OF_FOLD], Policy(), repeats),
        "choosing": choosing(outcomes, held[OUT_OF_FOLD], unseen.without_kind, Policy()),
        "confidence": confidence(data, repeats),
    }


def table(found: Mapping[str, Any]) -> str:
    """The same for people, in Markdown."""
    parts = [_pairs, _means, _labels, _calibration, _choosing, _confidence]
    return "\n\n".join(text for part in parts if (text := part(found)))


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _interval(figures: Mapping[str, Any], name: str) -> str:
    if name not in figures:
        return ""
    low, high = figures.get(f"{name}_95", (None, None))
    return f"{figures[name]:.3f}" + ("" if low is None else f" ({low:.2f}–{high:.2f})")


def _pairs(found: Mapping[str, Any]) -> str:
    rows = []
    for name, pair in found["pairs"].items():
        for way, figures in pair["ways"].items():
            shown = [_interval(figures, measure) for measure in ("apgr", "cpt50", "cpt80")]
            auc = figures["auc_weak_is_enough"]
            rows.append([name, way, *shown, "" if auc is None else f"{auc:.3f}"])
        if name == "mmlu/mixtral-gpt4":
            for way, figures in found["published"]["mmlu"].items():
                shown = [_interval(figures, measure) for measure in ("apgr", "cpt50", "cpt80")]
                rows.append([name, f"RouteLLM, {way} (published)", *shown, ""])
    return _rows(("pair", "way", "APGR", "CPT50", "CPT80", "AUC weak is enough"), rows)


def _means(found: Mapping[str, Any]) -> str:
    rows = [
        [way, f"{mean['mean_apgr']:.3f}", f"{mean['worst_apgr']:.3f}", str(mean["pairs"])]
        for way, mean in found["means"].items()
    ]
    return _rows(("way", "mean APGR", "worst pair", "pairs"), rows)


def _labels(found: Mapping[str, Any]) -> str:
    rows = []
    for group, ways in found["task_types"].items():
        for way, shares in ways.items():
            if way != "rows":
                shown = [_interval(shares.get(kind, {}), "share") for kind in ("fine", "coarse")]
                rows.append([f"task type, {group}", way, *shown])
    for group, figures in found["own_prompts"].items():
        shown = [_interval(figures.get(kind, {}), "share") for kind in ("fine", "coarse")]
        rows.append([f"task type, own prompts: {group}", OUT_OF_FOLD, *shown])
        if figures.get("spearman") is not None:
            near = f"{figures['within_one_level']:.3f}"
            rows.append([f"complexity, own prompts: {group}", OUT_OF_FOLD, f"{figures['spearman']:.3f}", near])
    for source, ways in found["complexity"].items():
        for way, figures in ways.items():
            if isinstance(figures, Mapping):
                rows.append([f"complexity, {source}", way, f"{figures['spearman']:.3f}", _within(figures)])
    for source, ways in found["failure"].items():
        rows += [
            [f"measured failure, {source}", way, f"{value:.3f}", ""]
            for way, value in ways.items()
            if way != "rows" and value is not None
        ]
    return _rows(("of what", "way", "fine, or Spearman", "coarse, or within one level"), rows)


def _within(figures: Mapping[str, Any]) -> str:
    return f"{figures['within_one_level']:.3f}" if "within_one_level" in figures else ""


def _choosing(found: Mapping[str, Any]) -> str:
    chosen = found["choosing"]
    if not chosen:
        return ""
    rows = [[name, f"{e['quality']:.3f}", f"{e['usd_per_1000']:.3f}"] for name, e in chosen["alone"].items()]
    rows.append(["oracle", f"{chosen['oracle']['quality']:.3f}", f"{chosen['oracle']['usd_per_1000']:.3f}"])
    for way, strategies in chosen.items():
        if way.startswith(("by", "after", "each")):
            rows += [
                [f"{strategy}, {way}", f"{e['quality']:.3f}", f"{e['usd_per_1000']:.3f}"]
                for strategy, e in strategies.items()
            ]
    return _rows(("choosing among nine models", "quality", "$ per 1,000"), rows)


def _calibration(found: Mapping[str, Any]) -> str:
    rows = [
        [source, str(of["models"]), *(_interval(of[way], "calibration_error") for way in of if " " in way)]
        for source, of in found["calibration"].items()
    ]
    return _rows(("ECE of p", "models", "by name alone", "after the outcomes of the other folds"), rows)


def _confidence(found: Mapping[str, Any]) -> str:
    rows = []
    for held, ways in found["confidence"].items():
        for way, figures in ways.items():
            if isinstance(figures, Mapping):
                error = figures["calibration_error"]
                shown = _interval(figures, "auroc_wrong")
                rows.append([held, way, shown, "" if error is None else f"{error:.3f}"])
    return _rows(("confidence", "way", "AUROC of 'wrong'", "ECE"), rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
