"""The error tree. An error's type says who is at fault and whether to retry; its hint says what to do now.

    TerraceError(code, message, hint)
    |- UserError            the request is at fault (4xx)
    |  |- DocumentError     a document is wrong; carries Problems with file, line and column
    |  |- SpecError         a value does not fit its property
    |  |- NotFoundError     no such thing, or not yours to see
    |  |- ConflictError     the world has moved, or a name is taken
    |  |- QuotaError        a limit of the installation or project is reached
    |  '- ForbiddenError    the credential does not grant this
    |- ProviderError        the provider is at fault
    |  |- TransientError    try again, by itself, with back-off
    |  |- PermanentError    the provider said no for good
    |  '- CapabilityError   the provider cannot do this at all
    |- LeaseLostError       another engine owns the stack now; the worker drops its work quietly
    '- InvariantError       our bug: that task stops, the loop goes on

Only `api` maps these to HTTP; only `cli` prints hints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class TerraceError(Exception):
    """Base of every error that Terrace raises on purpose.

    `code` is a stable kebab-case word (documented in docs/reference/errors.md), `message` one line
    for people, `hint` what to do now ("" when there is nothing to say).
    """

    code = "error"

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code:
            self.code = code


class UserError(TerraceError):
    """The request is at fault; the same request will fail again."""

    code = "bad-request"


class DocumentError(UserError):
    """One or more mistakes in documents, all found in one go; `problems` holds each with its place
    (terrace.model.problem.Problem; that floor lies above this one)."""

    code = "invalid-document"

    def __init__(self, problems: Sequence[Any], *, hint: str = "") -> None:
        first = problems[0].message if problems else "the document is not valid"
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(first + more, hint=hint or (problems[0].hint if problems else ""))
        self.problems = tuple(problems)


class SpecError(UserError):
    """A value does not fit a property; `path` leads to it inside the properties, e.g. ("networks", 0, "ip")."""

    code = "invalid-property"

    def __init__(
        self, message: str, path: tuple[str | int, ...] = (), *, hint: str = "", code: str = ""
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.path = path


class NotFoundError(UserError):
    """There is no such thing, or it belongs to somebody else (the two are told apart nowhere)."""

    code = "not-found"


class ConflictError(UserError):
    """The world has moved since the caller looked, or a name is already taken."""

    code = "conflict"


class QuotaError(UserError):
    """A limit set for the installation or the project is reached."""

    code = "limit-reached"


class ForbiddenError(UserError):
    """The credential does not grant this."""

    code = "forbidden"


class ProviderError(TerraceError):
    """The provider failed. The message is what the provider said."""

    code = "provider-error"


class TransientError(ProviderError):
    """Passing trouble: retried with back-off for ever; `retry_after` seconds if the provider named a time."""

    code = "provider-unavailable"

    def __init__(
        self, message: str, *, retry_after: float | None = None, hint: str = "", code: str = ""
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.retry_after = retry_after


class PermanentError(ProviderError):
    """The provider said no for good: tried again every 10 minutes, or when desire or settings change."""

    code = "provider-refused"


class CapabilityError(ProviderError):
    """The provider cannot do this at all; decided from its declared capabilities."""

    code = "not-supported"


class LeaseLostError(TerraceError):
    """Another engine holds the lease (or ours would expire before the request's time-out)."""

    code = "lease-lost"


class InvariantError(TerraceError):
    """A bug in Terrace: something that must always hold did not."""

    code = "internal-error"
