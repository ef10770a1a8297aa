"""api.md: every path."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from scripts.reference.commands import paragraph
from scripts.reference.text import code, page, table

from terrace.ports.telemetry import Telemetry


def api() -> str:
    """Every path of the API, one line each."""
    document = openapi()
    rows = [
        [code(method.upper()), code(path), _does(operation), _statuses(operation)]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return page(
        "API",
        "HTTP over the server's Unix socket. `/v1/openapi.json` (OpenAPI 3.1) is the whole truth: every body, "
        "parameter and answer. Errors are problem documents (RFC 9457) with a `code`: see [errors](errors.md). Lists "
        'are pages: `{"items": [...], "next": cursor or null}`.',
        table(["", "Path", "What it does", "Answers"], rows),
        "The one WebSocket, which OpenAPI cannot describe:",
        table(["Path", "What it does"], [[code(path), text] for path, text in _sockets()]),
        "Try it:",
        "    curl --unix-socket ~/.local/state/terrace/server.sock http://terrace/v1/version",
    )


class Silent(Telemetry):
    """Nobody reads it."""


def _app() -> Any:
    from terrace.api import build
    from terrace.services.settings import Limits, ServerSettings

    nothing = SimpleNamespace(
        settings=SimpleNamespace(limits=Limits(), server=ServerSettings()), telemetry=Silent(), requests=None
    )
    return build(nothing)  # type: ignore[arg-type]


def openapi() -> dict[str, Any]:
    """The published description, from an app that serves nothing."""
    found: dict[str, Any] = _app().openapi()
    return found


def _does(operation: Mapping[str, Any]) -> str:
    """What a good answer holds, and what else is to be said."""
    good = next((one for status, one in operation["responses"].items() if status.startswith("2")), {})
    return f"{good.get('description', '').rstrip('.')}. {paragraph(operation.get('description'))}".strip()


def _statuses(operation: Mapping[str, Any]) -> str:
    return ", ".join(sorted(operation["responses"]))


def _sockets() -> list[tuple[str, str]]:
    from fastapi.routing import APIWebSocketRoute

    from terrace.api import ROUTERS

    return [
        (route.path, paragraph(route.endpoint.__doc__))
        for module in ROUTERS
        for route in module.router.routes
        if isinstance(route, APIWebSocketRoute)
    ]
