"""Documents as the server sends them."""

from __future__ import annotations

from typing import Any

from tests.unit.client.fake_server import Answer, frames

STACKS = "/v1/projects/default/stacks"
SHOP = f"{STACKS}/shop"


def stack(**changes: Any) -> dict[str, Any]:
    """The head of a stack that has settled."""
    return {
        "name": "shop",
        "project": "default",
        "id": "id-of-shop",
        "generation": 1,
        "settled": 1,
        "phase": "settled",
        "why": "",
        "since": 0.0,
        "created": 0.0,
        "updated": 0.0,
        "total": 2,
        "ready": 2,
        "failing": 0,
        "description": "",
        **changes,
    }


def resource(path: str, **changes: Any) -> dict[str, Any]:
    """A resource that is ready."""
    return {
        "path": path,
        "kind": "Value",
        "type": "OS::Heat::Value",
        "state": "ready",
        "why": "",
        "since": 0.0,
        "provider": "builtin",
        "provider_id": "",
        "incarnation": 1,
        "attributes": {},
        "implied": False,
        "departing": False,
        "fault": None,
        "seen": None,
        **changes,
    }


def event(number: int, kind: str, path: str = "", **changes: Any) -> dict[str, Any]:
    """An event of the stack above."""
    state = kind.rpartition(".")[2] if path else ""
    return {
        "number": number,
        "kind": kind,
        "at": 0.0,
        "stack": "id-of-shop",
        "path": path,
        "message": "",
        "state": state,
        "generation": 1,
        "detail": {},
        **changes,
    }


def item(path: str, what: str, **changes: Any) -> dict[str, Any]:
    """An entry of a plan."""
    return {
        "path": path,
        "kind": "Machine",
        "what": what,
        "reason": "",
        "certain": True,
        "differences": [],
        "delete_first": False,
        "implied": False,
        "hint": "",
        **changes,
    }


def plan(*items: dict[str, Any], generation: int = 1) -> dict[str, Any]:
    """A plan."""
    changes = any(entry["what"] != "nothing" for entry in items)
    return {
        "stack": "shop",
        "generation": generation,
        "changes": changes,
        "items": list(items),
        "warnings": [],
    }


def page(*items: Any, more: str | None = None) -> dict[str, Any]:
    """A page of a list."""
    return {"items": list(items), "next": more}


def stream(*events: dict[str, Any]) -> Answer:
    """A stream that carries some events and ends."""
    return Answer(pieces=(b": watching\n\n", frames(*events)))
