"""Errors as problem documents (RFC 9457). The one place that knows which error has which HTTP status."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from terrace import errors
from terrace.api.views import PROBLEM, ProblemView
from terrace.model.problem import Problem
from terrace.ports.telemetry import Telemetry

STATUS: tuple[tuple[type[errors.TerraceError], int], ...] = (
    (errors.DocumentError, 422),
    (errors.SpecError, 422),
    (errors.NotFoundError, 404),
    (errors.ConflictError, 409),
    (errors.QuotaError, 429),
    (errors.ForbiddenError, 403),
    (errors.UserError, 400),
    (errors.CapabilityError, 409),
    (errors.TransientError, 503),
    (errors.ProviderError, 502),
    (errors.LeaseLostError, 503),
    (errors.TerraceError, 500),
)
"""From the narrow to the wide: the first that fits counts."""

CODES = {
    "unauthenticated": 401,
    "wrong-credentials": 401,
    "document-too-large": 413,
    "secret-too-large": 413,
    "too-many-files": 413,
    "generation-mismatch": 412,
}
"""Codes that have a status of their own."""

PLAIN = {404: "unknown-path", 405: "method-not-allowed", 413: "body-too-large", 429: "too-many-requests"}


def status_of(error: errors.TerraceError) -> int:
    """The HTTP status of an error."""
    return CODES.get(error.code) or next(status for kind, status in STATUS if isinstance(error, kind))


def view_of(error: errors.TerraceError) -> ProblemView:
    """The problem document of an error."""
    problems = error.problems if isinstance(error, errors.DocumentError) else ()
    return _view(status_of(error), error.code, error.message, error.hint, problems=problems)


def respond(error: errors.TerraceError) -> Response:
    """The error as a response."""
    headers = {}
    if status_of(error) == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.TransientError) and error.retry_after:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return _response(view_of(error), headers)


def refuse(status: int, message: str, *, code: str = "") -> Response:
    """A response for what is refused before anything of ours has seen it."""
    return _response(_view(status, code or PLAIN[status], message), {"Connection": "close"})


def install(app: FastAPI, telemetry: Telemetry) -> None:
    """Makes every error of `app` a problem document."""

    async def on_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, errors.TerraceError)
        if isinstance(error, errors.InvariantError):
            telemetry.log("error", "api.bug", path=told_path(request.url.path), message=error.message)
        return respond(error)

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        said = [f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()]
        return _response(_view(400, "invalid-request", "; ".join(said[:5])))

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = PLAIN.get(error.status_code, "bad-request")
        message, hint = str(error.detail), ""
        if error.status_code == 404:
            message, hint = (
                f"{request.method} {request.url.path} is not part of the API",
                "see /v1/openapi.json",
            )
            if b"%2f" in request.scope.get("raw_path", b"").lower():
                code, hint = "invalid-name", 'a name holds no "/"'
                return _response(_view(400, code, "a name in the path cannot be", hint))
        elif error.status_code == 405:
            message = f"{request.method} is not possible on {request.url.path}"
        return _response(_view(error.status_code, code, message, hint), dict(error.headers or {}))

    async def on_bug(request: Request, error: Exception) -> Response:
        telemetry.log("error", "api.bug", path=told_path(request.url.path), error=type(error).__name__)
        return _response(
            _view(500, "internal-error", "a bug in Terrace", "the server's log says more: terrace doctor")
        )

    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        errors.TerraceError: on_error,
        RequestValidationError: on_validation,
        HTTPException: on_http,
        Exception: on_bug,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def told_path(path: str) -> str:
    """A path as the log may have it: what follows the name of a door is its token."""
    return "/".join(path.split("/")[:4]) if path.startswith("/v1/signals/") else path


def _view(
    status: int, code: str, message: str, hint: str = "", problems: tuple[Problem, ...] = ()
) -> ProblemView:
    title = HTTPStatus(status).phrase
    return ProblemView(
        f"urn:terrace:error:{code}",
        title,
        status,
        code,
        message,
        detail=message,
        hint=hint,
        problems=problems,
    )


def _response(view: ProblemView, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(view), view.status, headers, PROBLEM)
