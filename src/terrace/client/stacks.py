"""Stacks as a whole: asking for one, changing it, going back, taking it away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from terrace.client.pages import items
from terrace.client.transport import PATIENCE, Transport, path_of

GRACE = 30.0
"""Seconds that an answer may take longer than what the server was asked to wait."""


class Stacks:
    """The stacks of one project. Documents are mappings as API v1 describes them."""

    def __init__(self, transport: Transport, project: str) -> None:
        self._transport = transport
        self._project = project

    def listing(self) -> Iterator[dict[str, Any]]:
        """All stacks, by name."""
        return items(self._transport, path_of("projects", self._project, "stacks"), {})

    def get(self, name: str) -> dict[str, Any]:
        """The head of one stack."""
        body: dict[str, Any] = self._transport.get(self._path(name))
        return body

    def apply(
        self, name: str, request: dict[str, Any], *, if_match: int | None = None, wait: float = 0.0
    ) -> dict[str, Any]:
        """Asks for what `request` ({template, files, environments, parameters, on_failure, timeout, plan}, or
        {sealed}) describes; the stack as it then is. `if_match`: the generation it must be at (0: it must not exist),
        else ApiError 412. `wait`: seconds to wait for settled."""
        query = {"wait": "settled", "timeout": wait} if wait else None
        reply = self._transport.call(
            "PUT", self._path(name), query, request, if_match=if_match, timeout=PATIENCE + GRACE + wait
        )
        body: dict[str, Any] = reply.body
        return body

    def plan(self, name: str, request: dict[str, Any], *, seal: bool = False) -> dict[str, Any]:
        """What `apply` would do. `seal`: with a `sealed` that may be given back as the whole request,
        {"sealed": ...}, later."""
        query = {"dry_run": True, "seal": True} if seal else {"dry_run": True}
        reply = self._transport.call("PUT", self._path(name), query, request, timeout=PATIENCE + GRACE)
        plan: dict[str, Any] = reply.body
        return plan

    def delete(
        self, name: str, *, forget: bool = False, force: bool = False, if_match: int | None = None
    ) -> dict[str, Any] | None:
        """Asks for nothing of it to be left. `forget` gives up what cannot be reached; `force`: also while others
        use its outputs. The stack as it then is, if anything is left."""
        query = {"forget": forget, "force": force}
        reply = self._transport.call("DELETE", self._path(name), query, if_match=if_match)
        stack: dict[str, Any] | None = reply.body
        return stack

    def plan_delete(self, name: str, *, force: bool = False) -> dict[str, Any]:
        """What `delete` would do."""
        query = {"dry_run": True, "force": force}
        plan: dict[str, Any] = self._transport.call("DELETE", self._path(name), query).body
        return plan

    def rollback(self, name: str, *, to: int | None = None, if_match: int | None = None) -> dict[str, Any]:
        """Wants generation `to` again (None: the last one that settled, other than the present)."""
        return self._post(name, "rollback", {}, {} if to is None else {"to": to}, if_match)

    def plan_rollback(self, name: str, *, to: int | None = None) -> dict[str, Any]:
        """What `rollback` would do."""
        return self._post(name, "rollback", {"dry_run": True}, {} if to is None else {"to": to}, None)

    def retry(self, name: str) -> dict[str, Any]:
        """Tries at once what failed."""
        return self._post(name, "retry", {}, {}, None)

    def _post(
        self, name: str, verb: str, query: dict[str, Any], body: dict[str, Any], if_match: int | None
    ) -> dict[str, Any]:
        reply = self._transport.call("POST", f"{self._path(name)}/{verb}", query, body, if_match=if_match)
        answer: dict[str, Any] = reply.body
        return answer

    def _path(self, name: str) -> str:
        return path_of("projects", self._project, "stacks", name)
