"""What the gateway's routes answer with, as JSON Schema: the keys that are always there. More may be added."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": TEXT}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
MAYBE_NUMBER: Schema = {"type": ["number", "null"]}
USD: Schema = {"type": "string", "description": "US dollars, exact."}


def thing(**keys: Schema) -> Schema:
    """An object that has all of them."""
    return {"type": "object", "required": list(keys), "properties": keys}


def many(item: Schema) -> Schema:
    return {"type": "array", "items": item}


_PROFILE = thing(
    task_type=TEXT,
    task_probabilities={"type": "object", "additionalProperties": NUMBER},
    difficulty=NUMBER,
    level=TEXT,
    input_tokens=COUNT,
    output_tokens=COUNT,
    needs=TEXTS,
)
_CANDIDATE = thing(
    model=TEXT,
    success_probability=MAYBE_NUMBER,
    estimated_cost_usd=MAYBE_NUMBER,
    most_cost_usd=MAYBE_NUMBER,
    estimated_latency_s=MAYBE_NUMBER,
    excluded=MAYBE_TEXT,
)
DECISION = thing(
    strategy=TEXT,
    model=MAYBE_TEXT,
    reason=TEXT,
    chain=TEXTS,
    profile=_PROFILE,
    candidates=many(_CANDIDATE),
    pinned=FLAG,
)
_ATTEMPT = thing(
    attempt=COUNT,
    model=TEXT,
    provider=TEXT,
    cause=TEXT,
    outcome={"enum": ["finished", "failed", "cancelled"]},
    started=TEXT,
    usage={"type": ["object", "null"]},
    cost_usd=MAYBE_NUMBER,
    cost_state=TEXT,
    latency_s=MAYBE_NUMBER,
    error={"type": ["object", "null"]},
    from_cache=FLAG,
)
ANSWER = thing(
    response=TEXT,
    model_used=TEXT,
    cost=MAYBE_NUMBER,
    latency=MAYBE_NUMBER,
    confidence=NUMBER,
    input_tokens=COUNT,
    output_tokens=COUNT,
    strategy=TEXT,
    ensemble_models=TEXTS,
    metadata=thing(request_id=TEXT, attempt=COUNT, decision=DECISION, attempts=many(_ATTEMPT), from_cache=FLAG),
    timestamp=TEXT,
)
_SUMS = {"attempts": COUNT, "finished": COUNT, "failed": COUNT, "cancelled": COUNT, "cost_usd": USD, "unknown": COUNT}
SPENT = thing(
    by=TEXTS,
    demo=FLAG,
    rows=many(thing(**_SUMS, input_tokens=COUNT, output_tokens=COUNT)),
    found=COUNT,
    total=thing(**_SUMS, input_tokens=COUNT, output_tokens=COUNT),
)
PERFORMED = thing(
    by=TEXTS, demo=FLAG, rows=many(thing(**_SUMS, success=MAYBE_NUMBER, voted_up=COUNT, voted_down=COUNT))
)
HEALTH = thing(status={"enum": ["ok", "no_models"]}, version=TEXT, demo=FLAG, models=COUNT, providers=TEXTS)
SUBMITTED = thing(id=TEXT, status={"type": "string", "description": "Where to ask how far it is."})
_RECORD = thing(
    id={"type": ["string", "integer"]},
    line=COUNT,
    status={"enum": ["answered", "failed"]},
    cost_usd=MAYBE_NUMBER,
    cost_state=TEXT,
)
PROGRESS = thing(
    id=TEXT,
    status={"enum": ["running", "stopped", "ended"]},
    why=MAYBE_TEXT,
    lines=COUNT,
    answered=COUNT,
    failed=COUNT,
    left=COUNT,
    cost_usd=NUMBER,
    cost_unknown=COUNT,
)
PROGRESS["properties"]["results"] = {**many(_RECORD), "description": "Where `results` is asked for."}
CAPABILITIES = thing(
    models=many(
        thing(
            id=TEXT,
            provider=TEXT,
            price={"type": ["object", "null"]},
            context_window={"type": ["integer", "null"]},
            max_output={"type": ["integer", "null"]},
            abilities=TEXTS,
            level=TEXT,
            ability=NUMBER,
            local=FLAG,
            health=thing(state=TEXT, detail=TEXT, seconds_left=MAYBE_NUMBER),
            measured={"type": ["object", "null"]},
            learned={"type": ["object", "null"]},
        )
    )
)
VOTED = thing(model=TEXT, up=COUNT, down=COUNT)
MODEL = thing(id=TEXT, object={"const": "model"}, created=COUNT, owned_by=TEXT)
MODELS = thing(object={"const": "list"}, data=many(MODEL))
COMPLETION = thing(
    id=TEXT,
    object={"const": "chat.completion"},
    created=COUNT,
    model=TEXT,
    choices=many(thing(index=COUNT, message=thing(role=TEXT, content=MAYBE_TEXT), finish_reason=TEXT)),
    usage=thing(prompt_tokens=COUNT, completion_tokens=COUNT, total_tokens=COUNT),
)
ERROR = thing(error=thing(message=TEXT, type=TEXT, param=MAYBE_TEXT, code=MAYBE_TEXT))
