"""Every way a provider, its SDK or the network can fail → the tree of routing.errors. Translated here and nowhere else.

What decides, in this order: a code the provider gave, the words it used (where the status says little), the status, and
the class of the exception.
"""

from __future__ import annotations

import asyncio
import json
from traceback import walk_tb
from typing import TYPE_CHECKING

from ..aside import look_up
from ..routing.errors import (
    Authentication,
    BadRequest,
    Connection,
    ContentFilter,
    ContextWindow,
    Internal,
    NotFound,
    Overloaded,
    Permission,
    RateLimited,
    Server,
    StreamBroken,
    Timeout,
    TurnError,
)
from ..routing.health import LONGEST_COOLDOWN_S
from ..routing.text import clean_line, span
from .bounds import TooMuch
from .complaint import LONGEST_WAIT_S, Complaint, redact, retry_after

if TYPE_CHECKING:
    import httpx2

Fault = type[TurnError]


class PromptRefused(Exception):
    """A content filter let no answer begin. `str` is what the provider said of it, not cleaned."""


# Codes that say more than the status they come with (400, 429 and 500 serve for many things). Names as of November 2026
# from the SDKs' error types and the servers' sources. In order: a message with several is judged by the first.
_DECISIVE: dict[str, Fault] = {
    "context_length_exceeded": ContextWindow,  # OpenAI, vLLM, OpenRouter
    "exceed_context_size_error": ContextWindow,  # llama.cpp
    "request_too_large": ContextWindow,  # Anthropic
    "content_filter": ContentFilter,
    "content_policy_violation": ContentFilter,
    "invalid_prompt": ContentFilter,  # OpenAI, for a prompt its policy refuses
    "insufficient_quota": Permission,  # OpenAI, with 429
    "billing_hard_limit_reached": Permission,
    "billing_error": Permission,
    "contract_spend_limit_reached": Permission,  # Anthropic's error_code, with 429: waiting does not help
    "enforced_spend_limit_reached": Permission,
    "organization_on_hold": Permission,  # Anthropic's error_code, with 400
    "organization_type_not_supported": Permission,
    "parent_organization_required": Permission,
    "claude_code_key_creator_not_member": Permission,
    "cmek_key_disabled": Permission,
    "cmek_key_network_blocked": Permission,
    "permission_error": Permission,
    "permission_denied": Permission,
    "unsupported_country_region_territory": Permission,
    "failed_precondition": Permission,  # Gemini: the account's region or billing
    "invalid_api_key": Authentication,
    "api_key_invalid": Authentication,  # Gemini, with 400
    "authentication_error": Authentication,
    "unauthenticated": Authentication,
    "model_not_found": NotFound,
    "not_found_error": NotFound,
    "not_found": NotFound,
    "rate_limit_error": RateLimited,
    "rate_limit_exceeded": RateLimited,
    "resource_exhausted": RateLimited,
    "overloaded_error": Overloaded,
    "server_is_overloaded": Overloaded,
    "slow_down": Overloaded,
    "unavailable": Overloaded,
    "unavailable_error": Overloaded,  # llama.cpp, while it loads the model
    "timeout_error": Timeout,
    "deadline_exceeded": Timeout,
}
# Codes that say less than a status, for faults inside a stream, which have none.
_VAGUE: dict[str, Fault] = {
    "invalid_request_error": BadRequest,
    "invalid_argument": BadRequest,
    "api_error": Server,
    "server_error": Server,
    "internal_server_error": Server,
    "internal": Server,
}
_WORDS: tuple[tuple[Fault, tuple[str, ...]], ...] = (
    (
        ContextWindow,
        (
            "prompt is too long",  # Anthropic
            "exceed context limit",  # Anthropic: input and max_tokens together
            "maximum context length",  # OpenAI, vLLM, OpenRouter
            "exceeds the available context size",  # llama.cpp
            "exceeds the maximum number of tokens",  # Gemini
            "input context is too long",  # Gemini
            "context the overflows",  # LM Studio's own spelling
            "context length of only",  # LM Studio
            "exceeds the context length",  # Ollama
            "exceeds the context window",
            "context window exceeded",
            "reduce the length of the messages",
        ),
    ),
    (ContentFilter, ("content management policy", "usage policy", "was flagged", "safety system")),
    (Permission, ("credit balance is too low", "insufficient credits", "insufficient balance", "location is not supp")),
    (Authentication, ("api key not valid", "invalid api key", "incorrect api key", "api key expired")),
)
# Statuses so unspecific that the words are asked first.
_UNSPECIFIC = frozenset({None, 400, 403, 413, 422, 500})

_STATUSES: dict[int, Fault] = {
    400: BadRequest,
    401: Authentication,
    402: Permission,
    403: Permission,
    404: NotFound,
    405: NotFound,
    408: Timeout,
    409: Server,  # a conflict passes, and may be tried again
    410: NotFound,
    412: BadRequest,
    413: ContextWindow,
    422: BadRequest,
    425: Overloaded,
    429: RateLimited,
    431: BadRequest,
    451: Permission,
    499: Server,  # says the client closed, which it did not
    501: BadRequest,
    503: Overloaded,
    504: Timeout,
    522: Timeout,  # 521–524: a proxy (Cloudflare) that could not reach the server behind it
    521: Connection,
    523: Connection,
    524: Timeout,
    529: Overloaded,
}

# What an exception means where the provider said nothing more; a test compares the names with the installed SDKs.
CLASSES: dict[str, Fault] = {
    "anthropic.AnthropicError": Internal,
    "anthropic.APIError": Server,
    "anthropic.APIResponseValidationError": StreamBroken,
    "anthropic.APIWebhookValidationError": Internal,
    "anthropic.APIStatusError": Server,
    "anthropic.APIConnectionError": Connection,
    "anthropic.APITimeoutError": Timeout,
    "anthropic.RetryableError": Server,
    "anthropic.CredentialsError": Authentication,
    "anthropic.IdentityTokenFileError": Authentication,
    "anthropic.BadRequestError": BadRequest,
    "anthropic.AuthenticationError": Authentication,
    "anthropic.PaymentRequiredError": Permission,
    "anthropic.PermissionDeniedError": Permission,
    "anthropic.NotFoundError": NotFound,
    "anthropic.RequestTimeoutError": Timeout,
    "anthropic.ConflictError": Server,
    "anthropic.PreconditionFailedError": BadRequest,
    "anthropic.ContentTooLargeError": ContextWindow,
    "anthropic.UnprocessableEntityError": BadRequest,
    "anthropic.RateLimitError": RateLimited,
    "anthropic.RequestHeaderFieldsTooLargeError": BadRequest,
    "anthropic.ClientClosedRequestError": Server,
    "anthropic.InternalServerError": Server,
    "anthropic.HTTPNotImplementedError": BadRequest,
    "anthropic.ServiceUnavailableError": Overloaded,
    "anthropic.GatewayTimeoutError": Timeout,
    "anthropic.OverloadedError": Overloaded,
    "anthropic.WorkloadIdentityError": Authentication,
    "anthropic.CMEKContextUnavailableError": Overloaded,
    "anthropic.CMEKKeyDisabledError": Permission,
    "anthropic.CMEKKeyNetworkBlockedError": Permission,
    "anthropic.CMEKKeyUnreachableError": Overloaded,
    "anthropic.ClaudeCodeKeyCreatorNotMemberError": Permission,
    "anthropic.ClaudeCodeVersionTooOldError": BadRequest,
    "anthropic.ContractSpendLimitReachedError": Permission,
    "anthropic.EnforcedSpendLimitReachedError": Permission,
    "anthropic.LinkedOrganizationBillingUnavailableError": Permission,
    "anthropic.LinkedOrganizationSpendLimitReachedError": Permission,
    "anthropic.OrganizationOnHoldError": Permission,
    "anthropic.OrganizationTypeNotSupportedError": Permission,
    "anthropic.ParentOrganizationRequiredError": Permission,
    "anthropic.RampLimitExceededError": RateLimited,
    "anthropic.RequestBodyEncodingInvalidError": BadRequest,
    "anthropic.RequestBodyEncodingUnsupportedError": BadRequest,
    "anthropic.RequestBodyTooLargeAfterDecodingError": ContextWindow,
    "anthropic.SandboxEgressRestrictedError": Permission,
    "openai.OpenAIError": Internal,
    "openai._AmbiguousModuleClientUsageError": Internal,
    "openai.SubjectTokenProviderError": Authentication,
    "openai.APIError": Server,
    "openai.APIResponseValidationError": StreamBroken,
    "openai.APIStatusError": Server,
    "openai.APIConnectionError": Connection,
    "openai.APITimeoutError": Timeout,
    "openai.BadRequestError": BadRequest,
    "openai.AuthenticationError": Authentication,
    "openai.OAuthError": Authentication,
    "openai.PermissionDeniedError": Permission,
    "openai.NotFoundError": NotFound,
    "openai.ConflictError": Server,
    "openai.UnprocessableEntityError": BadRequest,
    "openai.RateLimitError": RateLimited,
    "openai.InternalServerError": Server,
    "openai.LengthFinishReasonError": StreamBroken,
    "openai.ContentFilterFinishReasonError": ContentFilter,
    "openai.InvalidWebhookSignatureError": Internal,
    "openai.WebSocketConnectionClosedError": StreamBroken,
    "openai.WebSocketQueueFullError": Internal,
    "google.APIError": Server,
    "google.ClientError": BadRequest,
    "google.ServerError": Server,
    "google.UnknownFunctionCallArgumentError": Internal,
    "google.UnsupportedFunctionError": Internal,
    "google.FunctionInvocationError": Internal,
    "google.UnknownApiResponseError": StreamBroken,
    "google.ContinuationInterruptedError": StreamBroken,
    "httpx2.HTTPError": Connection,
    "httpx2.RequestError": Connection,
    "httpx2.TransportError": Connection,
    "httpx2.TimeoutException": Timeout,
    "httpx2.ConnectTimeout": Connection,  # nobody is there; a Timeout is a provider that was reached and keeps silent
    "httpx2.ReadTimeout": Timeout,
    "httpx2.WriteTimeout": Timeout,
    "httpx2.PoolTimeout": Connection,
    "httpx2.NetworkError": Connection,
    "httpx2.ConnectError": Connection,
    "httpx2.ReadError": Connection,
    "httpx2.WriteError": Connection,
    "httpx2.CloseError": Connection,
    "httpx2.ProtocolError": Connection,
    "httpx2.LocalProtocolError": BadRequest,
    "httpx2.RemoteProtocolError": Connection,
    "httpx2.ProxyError": Connection,
    "httpx2.UnsupportedProtocol": NotFound,
    "httpx2.SSEError": StreamBroken,
    "httpx2.DecodingError": StreamBroken,
    "httpx2.TooManyRedirects": NotFound,
    "httpx2.HTTPStatusError": Server,
    "httpx2.InvalidURL": NotFound,
    "httpx2.CookieConflict": Internal,
    "httpx2.StreamError": StreamBroken,
    "httpx2.StreamConsumed": StreamBroken,
    "httpx2.StreamClosed": StreamBroken,
    "httpx2.ResponseNotRead": StreamBroken,
    "httpx2.RequestNotRead": Internal,
}


_EXCERPT = 80
"""So many characters are told of what could not be read."""
_WORTH_TELLING_S = 60.0
"""How long a model is out is said from here on."""


def by_class(error: BaseException) -> Fault | None:
    """None for exceptions of Python itself, which mean different things at different times."""
    for cls in type(error).__mro__:
        fault = CLASSES.get(f"{cls.__module__.partition('.')[0]}.{cls.__name__}")
        if fault is not None:
            return fault
    return None


def by_status(status: int | None) -> Fault | None:
    if status is None or status < 300:
        return None
    if status < 400:
        return NotFound
    return _STATUSES.get(status) or (BadRequest if status < 500 else Server)


def translate(error: Exception, provider: str, key: str, response: httpx2.Response | None) -> TurnError:
    """To be raised `from error`. `response` is the one being read, None when the request did not get so far."""
    said = Complaint.of(error, response)
    root = _root(error)
    fault = _by_what_was_said(said) or by_status(said.status) or by_class(root)
    if isinstance(error, PromptRefused):
        fault = ContentFilter
    if fault is None:
        # The SDKs fall over data of an unexpected shape with Python's own exceptions.
        fault = StreamBroken if response is not None else BadRequest
    elif response is not None and fault in (Connection, BadRequest) and not said.codes and said.status is None:
        fault = StreamBroken  # the answer had begun; connecting was not what failed
    hint = None
    if said.status is not None and 300 <= said.status < 400:
        hint = "Set base_url to the address it redirects to: redirects are not followed, since the key would go along."
    wait_s = retry_after(response, said)
    if fault is RateLimited and wait_s is not None and wait_s >= _WORTH_TELLING_S:
        out = span(min(wait_s, LONGEST_COOLDOWN_S))
        asked = "a week or longer" if wait_s >= LONGEST_WAIT_S else span(wait_s)
        hint = f"It asks to wait {asked}; this model is left out for {out}. Choose another model until then."
    return fault(
        redact(f"{provider}: {said.message or _in_own_words(root, fault, said.status, key)}", key),
        status=said.status,
        retry_after_s=wait_s,
        hint=hint,
    )


def _by_what_was_said(said: Complaint) -> Fault | None:
    for code, fault in _DECISIVE.items():
        if code in said.codes:
            return fault
    if said.status in _UNSPECIFIC:
        words = said.words.lower()
        for fault, phrases in _WORDS:
            if any(phrase in words for phrase in phrases):
                return fault
    if said.status is None:
        for code, fault in _VAGUE.items():
            if code in said.codes:
                return fault
    return None


def _root(error: BaseException) -> BaseException:
    """The SDKs wrap what the connection raised; that says more than their wrapper."""
    cause = error.__cause__
    if type(error).__name__ in ("APIConnectionError", "APITimeoutError") and cause is not None:
        return _root(cause)
    return error


def _in_own_words(error: BaseException, fault: Fault, status: int | None, key: str) -> str:
    if status is not None:
        return f"HTTP {status}. {fault.what}"
    if isinstance(error, TooMuch):
        return str(error)
    if isinstance(error, PromptRefused):
        return f"the prompt was refused ({error})"
    if fault is StreamBroken and isinstance(error, UnicodeDecodeError):
        return "sent text that is not UTF-8"
    if fault is StreamBroken and (by_class(error) is None or isinstance(error, ValueError)):
        return f"sent something that is not of its format{_excerpt(error, key)}"
    said = fault.what.rstrip(".")
    if by_class(error) is None and fault is BadRequest:
        return f"{said} ({type(error).__name__}: {error})."
    return f"{said} ({_what_it_says(error).rstrip('.')})."


def _excerpt(error: BaseException, key: str) -> str:
    """The beginning of what is no JSON, where that is what is wrong."""
    for each in (error, error.__cause__):
        if isinstance(each, json.JSONDecodeError) and (said := clean_line(redact(each.doc, key), _EXCERPT)):
            return f": {said}"
    return ""


def _what_it_says(error: BaseException) -> str:
    """The network's errors often say nothing themselves, but what they came of does."""
    beneath: BaseException | None = error
    while beneath is not None:
        if isinstance(beneath, asyncio.CancelledError):
            # The limit of connecting has passed.
            looked_up = any(frame.f_code is look_up.__code__ for frame, _ in walk_tb(beneath.__traceback__))
            return f"no {'answer from the name server' if looked_up else 'connection'}{_within(error)}"
        if said := str(beneath).strip():
            return said
        beneath = beneath.__cause__ or beneath.__context__
    return type(error).__name__


def _within(error: BaseException) -> str:
    request = getattr(error, "_request", None)
    limit = None if request is None else request.extensions.get("timeout", {}).get("connect")
    return "" if limit is None else f" in {limit:g} s"


def broken_off(provider: str, key: str, response: httpx2.Response | None, why: str = "") -> StreamBroken:
    """For a stream that ended in good order, but without saying that the answer is whole; `why`: what it said."""
    said = StreamBroken.what
    kind = "" if response is None else response.headers.get("content-type", "")
    if why:
        said = f"{said.rstrip('.')} ({why})."
    elif kind and "event-stream" not in kind:
        said = f"answered with {kind} instead of a stream of events"
    return StreamBroken(redact(f"{provider}: {said}", key))


def check_key(provider: str, key: str) -> None:
    """Raises Authentication for a key that cannot be sent at all: HTTP headers know no line breaks and only ASCII. The
    HTTP library would say so with the key in its message."""
    if not (key.isascii() and key.isprintable()):
        raise Authentication(redact(f"{provider}: the key contains a line break or a character that no key has", key))
