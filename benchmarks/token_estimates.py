"""How near the estimate of an input comes to what is counted, before and after it has learned: `python
benchmarks/token_estimates.py --tokenizers DIR [--prompts FILE.jsonl.gz …]`. Prints one JSON object, a table to stderr.

DIR holds the vocabularies that the package litellm ships in litellm/litellm_core_utils/tokenizers: cl100k and o200k
(OpenAI), an older Claude's and DeepSeek's. They are read by tiktoken and tokenizers, which this program does not need
otherwise. The prompts are `prompt` of each line; beside them stand this repository's own code and texts. Each is
estimated, counted, and only then learned from, as it is in use; seven tokens of template are added to every count. With
no DIR nothing is measured, for no tokeniser is at hand.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
TEMPLATE = 7
SPANS = {"first 10": (0, 10), "11 to 100": (10, 100), "after 100": (100, 10**9)}
PIECE = 1500
"""Characters of a file that make one prompt."""


class Row(NamedTuple):
    """Tokens of one prompt: as estimated before anything was learned, after it, and as counted."""

    kind: str
    before: int
    after: int
    counted: int
    passed_before: bool
    passed_after: bool
    """Whether the count lay above the bound."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizers", type=Path)
    parser.add_argument("--prompts", type=Path, nargs="*", default=[])
    parser.add_argument("--most", type=int, default=1000, help="prompts of each file")
    chosen = parser.parse_args(arguments)
    if chosen.tokenizers is None:
        print(json.dumps({"measured": None, "needs": "--tokenizers DIR; see docs/costs.md"}))
        return 0
    sys.path.insert(0, str(ROOT))
    kinds = texts(chosen.prompts, chosen.most)
    found = {name: measured(name, count, kinds) for name, count in tokenizers(chosen.tokenizers)}
    print(json.dumps(found))
    for name, rows in found.items():
        for row, figures in rows.items():
            print(f"{name:10} {row:22} {'  '.join(f'{k} {v}' for k, v in figures.items())}", file=sys.stderr)
    return 0


def tokenizers(folder: Path) -> Iterator[tuple[str, Callable[[str], int]]]:
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    tiktoken, vocabularies = import_module("tiktoken"), import_module("tokenizers").Tokenizer

    def counting(encode: Callable[[str], Sequence[int]]) -> Callable[[str], int]:
        return lambda text: len(encode(text))

    for name in ("cl100k_base", "o200k_base"):
        yield name.partition("_")[0], counting(tiktoken.get_encoding(name).encode_ordinary)
    for name in ("anthropic", "deepseek"):
        vocabulary = vocabularies.from_file(str(folder / f"{name}_tokenizer.json"))
        yield name, counting(vocabulary.encode)


def texts(files: Sequence[Path], most: int) -> list[tuple[str, str]]:
    """Kind and text, in an order drawn once."""
    draw = random.Random(1)
    found: list[tuple[str, str]] = []
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            prompts = [json.loads(line)["prompt"] for line in lines]
        found += [("prompts", prompt) for prompt in draw.sample(prompts, min(most, len(prompts))) if prompt.strip()]
    for kind, pattern in (("code", "tui_orchestrator/**/*.py"), ("texts", "**/*.md"), ("tables", "**/*.tsv")):
        pieces = [
            text[at : at + PIECE]
            for path in sorted(ROOT.glob(pattern))
            if (text := path.read_text(encoding="utf-8"))
            for at in range(0, len(text), PIECE)
        ]
        found += [(kind, piece) for piece in draw.sample(pieces, min(most // 4, len(pieces)))]
    draw.shuffle(found)
    return found


def measured(model: str, count: Callable[[str], int], kinds: Sequence[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    from tui_orchestrator.routing.budget import input_bound
    from tui_orchestrator.routing.estimates import TokenEstimates
    from tui_orchestrator.routing.money import Usage
    from tui_orchestrator.routing.profiler import profile
    from tui_orchestrator.routing.prompt_size import input_size
    from tui_orchestrator.routing.request import Message, Request

    plain, estimates = profile(Request((Message("user", ""),))), TokenEstimates()
    rows: list[Row] = []
    for kind, text in kinds:
        tokens, mix = input_size(Request((Message("user", text),)))
        prompt = replace(plain, input_tokens=tokens, mix=mix)
        true = count(text) + TEMPLATE
        passed = true > input_bound(tokens), true > estimates.bound(model, prompt)
        script = "east asian" if mix.cjk > 0.3 else "other scripts" if mix.other > 0.15 else kind
        rows.append(Row(script, tokens, estimates.input(model, prompt), true, *passed))
        estimates.learn(model, prompt, "", "", Usage(true, 0))
    parts = {name: rows[first:last] for name, (first, last) in SPANS.items()}
    for kind in sorted({row.kind for row in rows}):
        parts[f"{kind}, after 100"] = [row for row in rows[100:] if row.kind == kind]
    return {name: _figures(part) for name, part in parts.items() if part}


def _figures(rows: Sequence[Row]) -> dict[str, Any]:
    """Errors in per cent: of one prompt, the median and what nineteen of twenty stay below; and of their sum."""
    total = sum(row.counted for row in rows)
    figures: dict[str, Any] = {"n": len(rows)}
    for name in ("before", "after"):
        errors = sorted(abs(getattr(row, name) - row.counted) / row.counted for row in rows)
        figures[f"median {name}"] = round(100 * errors[len(errors) // 2], 1)
        figures[f"p95 {name}"] = round(100 * errors[len(errors) * 19 // 20], 1)
        figures[f"sum {name}"] = round(100 * (sum(getattr(row, name) for row in rows) / total - 1), 1)
    figures["bound passed before"] = sum(row.passed_before for row in rows)
    figures["bound passed after"] = sum(row.passed_after for row in rows)
    return figures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
