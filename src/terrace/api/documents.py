"""How bodies are read and answers written: JSON by msgspec on both sides, and what the
OpenAPI says of them."""

from __future__ import annotations

import re
import typing
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from terrace.api.problems import refuse
from terrace.api.views import PROBLEM, ProblemView
from terrace.errors import UserError

T = TypeVar("T")
JSON = "application/json"
_REFERENCE = "#/components/schemas/{name}"
_encoder = msgspec.json.Encoder()
_shapes: list[Any] = []


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`value` (a Struct of views.py) as a JSON response."""
    return Response(_encoder.encode(value), status, headers, JSON)


def line(value: Any) -> bytes:
    """`value` as one line of newline-delimited JSON."""
    return _encoder.encode(value) + b"\n"


async def read(request: Request, kind: type[T]) -> T:
    """The body as a `kind`; UserError that names the field, never what was in it. An empty body is an empty
    object."""
    data = await request.body()
    try:
        return msgspec.json.decode(data or b"{}", type=kind)
    except msgspec.ValidationError as error:
        message = (
            str(error)
            .replace("`", '"')
            .replace("Object missing", "the body lacks the")
            .replace("Object", "it")
        )
        raise UserError(message.replace("Expected", "expected"), code="invalid-request") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        hint = "send a JSON object, in UTF-8"
        raise UserError("the body is not JSON", code="invalid-request", hint=hint) from None


class BodyLimit:
    """ASGI middleware: bodies of more than `limit` bytes are answered 413, and the connection is closed."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced(scope) > self._limit:
            await refuse(413, self._message())(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                raise HTTPException(413, self._message(), {"Connection": "close"})
            return message

        await self._app(scope, counted, send)

    def _message(self) -> str:
        return f"the body is too large ({self._limit:,} bytes at most; limits.body in server.toml)"


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


# --- OpenAPI


def shape(kind: Any) -> dict[str, Any]:
    """A reference to the schema of a Struct, which is published with all it is made of; of a tuple, any of
    them."""
    if isinstance(kind, tuple):
        return {"anyOf": [shape(one) for one in kind]}
    _shapes.append(kind)
    return {"$ref": _REFERENCE.format(name=re.sub(r"[^\w.-]", "_", _name(kind)))}


def _name(kind: Any) -> str:
    inner = ",".join(_name(one) for one in typing.get_args(kind))
    return f"{typing.get_origin(kind).__name__}[{inner}]" if inner else str(kind.__name__)


def gives(
    kind: Any,
    description: str,
    *,
    example: Any = None,
    media: str = JSON,
    status: int = 200,
    fails: Sequence[int] = (),
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: what it gives, and with which statuses it refuses."""
    content: dict[str, Any] = {"schema": shape(kind)}
    if example is not None:
        content["example"] = example
    found: dict[int | str, dict[str, Any]] = {
        status: {"description": description, "content": {media: content}}
    }
    return found | refusals(*fails)


def refusals(*fails: int) -> dict[int | str, dict[str, Any]]:
    """The part of `responses` that says with which statuses a route refuses, besides those that any may."""
    return {
        code: {"description": REFUSALS[code], "content": {PROBLEM: {"schema": shape(ProblemView)}}}
        for code in (400, 401, 403, *fails)
    }


def nothing(*fails: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers 204."""
    return {204: {"description": "It is done"}, **refusals(*fails)}


def takes(kind: Any, example: Any) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads a body."""
    return {"requestBody": {"required": True, "content": {JSON: {"schema": shape(kind), "example": example}}}}


REFUSALS = {
    400: "The request cannot be understood",
    401: "There is no credential, or it is not good any more",
    403: "The credential does not grant this",
    404: "There is no such thing",
    409: "The world has moved, or there is nothing to do it to",
    412: "If-Match names another generation than the present one",
    413: "The body or a document is too large",
    422: "A document is wrong; `problems` says where",
    429: "A limit is reached",
    502: "The provider refuses",
    503: "The provider, or the store, cannot be reached now",
}


def components() -> dict[str, Any]:
    """The schemas of all that `shape` was asked for, by name."""
    return msgspec.json.schema_components(_shapes, ref_template=_REFERENCE)[1]
