"""The tree of what can go wrong. Each kind has a sentence for what happened and one for what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

ON_TRIAL_S = 1.0
"""Another call is finding out whether a model is well again: after so long it is worth looking again."""


class ErrorKind(StrEnum):
    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    STREAM_BROKEN = "stream_broken"
    CONTEXT_WINDOW = "context_window"
    CONTENT_FILTER = "content_filter"
    BAD_REQUEST = "bad_request"
    SERVER = "server"
    BUDGET_EXCEEDED = "budget_exceeded"
    NO_CANDIDATE = "no_candidate"
    CANCELLED = "cancelled"
    UNRECORDED = "unrecorded"
    INTERNAL = "internal"


class OrchestratorError(Exception):
    """Anything this program says of itself. `str(error)` is one clear sentence."""


class NotKept(OrchestratorError):
    """What was to be written down could not be, as things are."""

    remedy: str
    """What to do about it, without a full stop."""
    why: ClassVar[str] = "it could not be written down"
    """No call can be made."""


class TurnError(OrchestratorError):
    """Why an attempt or a whole turn failed.

    `message` is safe to show: cleaned of control characters, without keys, at most a few hundred characters.
    """

    kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL
    what: ClassVar[str] = "Something inside the program went wrong."
    hint: ClassVar[str] = "This is a mistake of the program; please report it with what led to it."
    retryable: ClassVar[bool] = False
    """The same model may be tried again."""

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message or self.what)
        self.message = message or self.what
        self.status = status
        self.retry_after_s = retry_after_s
        if hint is not None:
            self.hint = hint  # type: ignore[misc]  # an instance may know better than its kind


class Authentication(TurnError):
    kind = ErrorKind.AUTHENTICATION
    what = "The provider did not accept the key."
    hint = "Check the key in the environment or the keyring; `doctor` says where it was read from."


class Permission(TurnError):
    kind = ErrorKind.PERMISSION
    what = "The key may not use this model, or the account is out of credit."
    hint = "Choose another model, or see the provider's billing and access pages."


class NotFound(TurnError):
    kind = ErrorKind.NOT_FOUND
    what = "The provider does not know this model or address."
    hint = "`models --refresh` reads the provider's list again; check base_url."


class RateLimited(TurnError):
    kind = ErrorKind.RATE_LIMITED
    what = "The provider says: too many requests."
    hint = "Wait, choose another model, or lower requests_per_minute for this provider."
    retryable = True


class Overloaded(TurnError):
    kind = ErrorKind.OVERLOADED
    what = "The provider is overloaded."
    hint = "Try again later or choose another model."
    retryable = True


class Timeout(TurnError):
    kind = ErrorKind.TIMEOUT
    what = "The provider did not answer in time."
    hint = "Try again, or raise the timeouts in [router.timeouts]."
    retryable = True


class OutOfTime(Timeout):
    """The turn's own time is up; the model may be well."""

    what = "The turn took longer than it may."
    hint = "Raise router.timeouts.turn, or choose a faster model."
    retryable = False


class Connection(TurnError):
    kind = ErrorKind.CONNECTION
    what = "The provider could not be reached."
    hint = "Check the network, base_url, and that the server runs; `doctor` tries each one."
    retryable = True


class StreamBroken(TurnError):
    kind = ErrorKind.STREAM_BROKEN
    what = "The answer broke off before its end."
    hint = "Ask again; what had arrived is kept and was paid for."


class ContextWindow(TurnError):
    kind = ErrorKind.CONTEXT_WINDOW
    what = "The conversation is longer than this model can read."
    hint = "Choose a model with a larger context window, or start a new session."


class ContentFilter(TurnError):
    kind = ErrorKind.CONTENT_FILTER
    what = "The provider's content filter stopped the answer."
    hint = "Reword the prompt or choose another provider."


class BadRequest(TurnError):
    kind = ErrorKind.BAD_REQUEST
    what = "The provider did not understand the request."
    hint = "Check the parameters and attachments that the provider names."


class BeingTried(Overloaded):
    """Nothing was sent: the model has failed lately, and another call is finding out whether it is well again."""

    what = "The model is cooling down; another call is trying it."
    hint = "Ask again in a moment, or choose another model."
    retryable = False

    def __init__(self) -> None:
        super().__init__(retry_after_s=ON_TRIAL_S)


class Server(TurnError):
    kind = ErrorKind.SERVER
    what = "The provider failed on its side."
    hint = "Try again later or choose another model."
    retryable = True


class BudgetExceeded(TurnError):
    kind = ErrorKind.BUDGET_EXCEEDED
    what = "A budget does not allow this call."
    hint = "Raise the cap, or choose a cheaper model or strategy."

    def __init__(self, message: str = "", *, of_request: bool = False) -> None:
        """`of_request`: the cap is this request's alone; others may still fit."""
        super().__init__(message)
        self.of_request = of_request


class NoCandidate(TurnError):
    kind = ErrorKind.NO_CANDIDATE
    what = "No model can take this request."
    hint = "`models` shows why each one is out; set a key, start a local server, or run `demo`."


class AllOut(NoCandidate):
    """Who could take it has failed others, and is left alone for now: nothing was sent."""

    def __init__(
        self, message: str, models: tuple[str, ...], *, retry_after_s: float | None = None, hint: str | None = None
    ) -> None:
        """`models`: those that would be asked once they are well again."""
        super().__init__(message, retry_after_s=retry_after_s, hint=hint)
        self.models = models


class TooLong(NoCandidate):
    """Some model could take it, were it shorter."""

    what = "No model can read a conversation that long."
    hint = "Shorten the prompt or its files, or start a new session: all of this one is sent along."


class Cancelled(TurnError):
    kind = ErrorKind.CANCELLED
    what = "Cancelled."
    hint = "What had arrived is kept and was paid for."


class Internal(TurnError):
    """A bug, caught where it must not end the program."""


class Unrecorded(TurnError):
    """A call that cannot be written down is not made: no budget could count it."""

    kind = ErrorKind.UNRECORDED
    what = "What it would cost cannot be written down or counted, so nothing is called."
    hint = "`doctor` says what is wrong with the store, or with the shared Redis; a batch goes on where it stopped."

    @classmethod
    def since(cls, fault: NotKept) -> Unrecorded:
        return cls(f"Nothing more is called, since {fault.why}: {fault}.", hint="")
