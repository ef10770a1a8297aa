"""The published description of the API: what the routes say of themselves, and what stands around all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from terrace.api.callers import OPEN
from terrace.api.documents import JSON, components, refusals
from terrace.api.edge.repeats import KEY, METHODS

TOKEN = "token"
ABOUT = """Everything that Terrace does is done through these paths.

Errors are problem documents (RFC 9457) with a `code` that stays the same. Lists are pages: `{"items": [...], "next":
cursor or null}`, of up to `limit` entries; `next` goes into the query of the next request as `cursor`. What can be
changed has a generation as its ETag, and `If-Match` makes a change depend on it. Each answer has an `X-Request-Id`,
which the server's log has, too; whoever asks may choose it."""
REPEATED = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes it safe to send the request again: the same key with the same request is carried out once, "
    "and answered as the first time, for a day; with another request it is refused (409, `key-reused`).",
    "schema": {"type": "string", "pattern": KEY},
    "example": "0b54e0c1-7f0e-4f5b-9a55-2f1c6f8f6a10",
}
LATER = {
    "Retry-After": {
        "description": "Seconds after which it makes sense to ask again",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    }
}


def publish(app: FastAPI, version: str) -> None:
    """Serves /v1/openapi.json, made when first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app, version)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents for a schema of one's own


def _described(app: FastAPI, version: str) -> dict[str, Any]:
    document = get_openapi(
        title="Terrace",
        version=version,
        openapi_version="3.1.0",
        summary="Keeps what you asked for standing, on any ground",
        description=ABOUT,
        routes=app.routes,
    )
    found = document.setdefault("components", {})
    schemas = found.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    around = {str(code): one for code, one in refusals(404, 409, 413, 429, 503).items()}
    around["429"] = {**around["429"], "headers": LATER}
    schemas.update(components())
    found["securitySchemes"] = {
        TOKEN: {
            "type": "http",
            "scheme": "bearer",
            "description": "A token, or a session that /v1/login gave",
        }
    }
    document["security"] = [{TOKEN: []}]
    for path, method, operation in _operations(document):
        _complete(path, method, operation, around)
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), operation


def _complete(path: str, method: str, operation: dict[str, Any], around: dict[str, Any]) -> None:
    """What every operation may answer besides, because of what stands around it."""
    answers = operation["responses"]
    if JSON in answers.get("422", {}).get("content", {}):
        # What FastAPI says by itself of wrong parameters: ours are 400, as problem documents.
        del answers["422"]
    answers.setdefault("429", around["429"])
    answers.setdefault("503", around["503"])
    if "{project}" in path:
        answers.setdefault("404", around["404"])  # for whoever has nothing to do with the project
    if method in ("POST", "PUT", "DELETE"):
        answers.setdefault("413", around["413"])
    if path in OPEN:
        operation["security"] = []
    elif method in METHODS:
        operation.setdefault("parameters", []).append(REPEATED)
        answers.setdefault("409", around["409"])
