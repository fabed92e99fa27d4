"""What the gateway answers to, as OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from .. import __version__
from ..storage.reports import PERIODS
from . import replies
from .replies import Schema

_TASK: Schema = {
    "type": "object",
    "description": "A prompt or messages, and what is wanted of the answer. What is left out is as configured.",
    "additionalProperties": False,
    "properties": {
        "prompt": {"type": "string"},
        "messages": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["role", "content"],
                "properties": {
                    "role": {"enum": ["system", "user", "assistant"]},
                    "content": {"type": "string"},
                },
            },
        },
        "system": {"type": "string"},
        "session": {"type": "string", "description": "What the session budget is counted by."},
        "strategy": {"type": "string"},
        "model": {"type": "string"},
        "chain": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "task_type": {"type": "string"},
        "ensemble_size": {"type": "integer", "minimum": 2, "maximum": 8},
        "verdict": {"type": "string"},
        "max_cost_usd": {"type": ["string", "number"]},
        "max_tokens": {"type": "integer", "minimum": 1},
        "temperature": {"type": "number", "minimum": 0, "maximum": 2},
        "check": {"type": "string"},
        "self_consistency": {"type": "integer", "minimum": 0},
        "use_cache": {"type": "boolean"},
        "split": {"type": "boolean", "description": "Answered in parts where it is too long for every model."},
        "tags": {"type": "array", "items": {"type": "string"}},
        "metadata": {"type": "object", "description": "Comes back with the answer of a batch's line."},
        "id": {"type": ["string", "integer"], "description": "Of a batch's line."},
        "priority": {"type": "integer", "description": "Of a batch's line; the highest goes first."},
    },
}
_LINE = {**_TASK, "properties": {key: of for key, of in _TASK["properties"].items() if key != "session"}}
_COMPLETION = {
    "type": "object",
    "required": ["messages"],
    "properties": {
        "model": {"type": "string", "description": "auto, a strategy, a chain or a model."},
        "messages": {"type": "array", "items": {"type": "object"}},
        "stream": {"type": "boolean"},
        "stream_options": {"type": "object", "properties": {"include_usage": {"type": "boolean"}}},
        "max_tokens": {"type": "integer"},
        "max_completion_tokens": {"type": "integer"},
        "temperature": {"type": "number"},
        "stop": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": 4}]},
        "tools": {"type": "array", "items": {"type": "object"}, "maxItems": 128},
        "tool_choice": {"type": ["string", "object"]},
        "parallel_tool_calls": {"type": "boolean"},
        "response_format": {"type": "object"},
        "split": {"type": "boolean", "description": "Answered in parts where it is too long for every model."},
    },
}
_PERIOD = {"name": "period", "in": "query", "schema": {"enum": list(PERIODS), "default": "month"}}
_BY = {"name": "by", "in": "query", "schema": {"type": "string"}, "description": "Dimensions with commas between."}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_WRONG = {
    "description": "What was wrong, and what would be right.",
    "content": {"application/json": {"schema": replies.ERROR}},
}


def _said(
    summary: str,
    reply: Schema | None,
    body: Schema | None = None,
    *parameters: Schema,
    status: int = 200,
    kind: str = "application/json",
    open_: bool = False,
) -> dict[str, Any]:
    """`reply` None: it is answered by a sentence alone. `open_`: without a token."""
    right = {str(status): {"description": "Done.", "content": {kind: {"schema": reply}}}} if reply is not None else {}
    told: dict[str, Any] = {"summary": summary, "responses": {**right, "default": _WRONG}}
    if body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if parameters:
        told["parameters"] = list(parameters)
    if open_:
        told["security"] = []
    return told


_VOTE = {
    "type": "object",
    "required": ["request_id", "vote"],
    "properties": {
        "request_id": {"type": "string"},
        "attempt": {"type": "integer", "default": 1},
        "vote": {"enum": ["up", "down", "none"]},
    },
}
_BATCH = {
    "type": "object",
    "additionalProperties": False,
    "required": ["lines"],
    "properties": {
        "lines": {"type": "array", "items": _LINE, "minItems": 1},
        "max_cost_usd": {"type": ["string", "number"]},
        "at_once": {"type": "integer", "minimum": 1, "maximum": 256, "default": 8},
    },
}
_ROOT = "/api/v1/orchestrator"
_NOT_HERE = ("embeddings", "responses", "completions")

DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "tui-orchestrator", "version": __version__},
    "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    "security": [{"token": []}],
    "paths": {
        "/v1/chat/completions": {
            "post": _said(
                "Answer as OpenAI's chat completions do; with `stream`, in server-sent events.",
                replies.COMPLETION,
                _COMPLETION,
            )
        },
        "/v1/models": {"get": _said("What `model` may be.", replies.MODELS)},
        "/v1/models/{id}": {"get": _said("One of them.", replies.MODEL, None, _ID)},
        **{f"/v1/{name}": {"post": _said("Not spoken here; the answer says what to use.", None)} for name in _NOT_HERE},
        f"{_ROOT}/chat/route": {
            "post": _said("Say who would answer, why and at what cost; send nothing.", replies.DECISION, _TASK)
        },
        f"{_ROOT}/chat/execute": {"post": _said("Answer, with the decision and every attempt.", replies.ANSWER, _TASK)},
        f"{_ROOT}/chat/stream": {
            "post": _said(
                "Tell every event of the turn as it happens.", {"type": "string"}, _TASK, kind="text/event-stream"
            )
        },
        f"{_ROOT}/analytics/user": {"get": _said("What was spent.", replies.SPENT, None, _PERIOD, _BY)},
        f"{_ROOT}/analytics/models": {"get": _said("How models did.", replies.PERFORMED, None, _PERIOD, _BY)},
        f"{_ROOT}/health": {
            "get": _said("Whether there is a model to ask; needs no token.", replies.HEALTH, open_=True)
        },
        f"{_ROOT}/batch/submit": {
            "post": _said("Ask many prompts in the background.", replies.SUBMITTED, _BATCH, status=202)
        },
        f"{_ROOT}/batch/{{id}}/status": {
            "get": _said(
                "How far a batch is; with `results`, its answers.",
                replies.PROGRESS,
                None,
                _ID,
                {"name": "results", "in": "query", "schema": {"type": "string"}},
            )
        },
        f"{_ROOT}/models/capabilities": {
            "get": _said("Every model with its price, abilities and health.", replies.CAPABILITIES)
        },
        f"{_ROOT}/preferences/update": {
            "post": _said("Vote on an answer; the router learns from it.", replies.VOTED, _VOTE)
        },
        f"{_ROOT}/openapi.json": {"get": _said("This description.", {"type": "object"})},
    },
}
