"""Stacks as a whole: asking for one, changing it, going back, taking it away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from terrace.client.pages import items
from terrace.client.transport import PATIENCE, Transport, path_of

GRACE = 30.0
"""Seconds that an answer may take longer than what the server was asked to wait."""


class _Posting:
    def __init__(self, transport: Transport, project: str) -> None:
        self._transport = transport
        self._project = project

    def _post(
        self, name: str, *rest: str, body: Any = None, query: Any = None, if_match: int | None = None
    ) -> dict[str, Any]:
        path = path_of("projects", self._project, "stacks", name, *rest)
        reply = self._transport.call(
            "POST", path, query, body or {}, if_match=if_match, timeout=PATIENCE + GRACE
        )
        found: dict[str, Any] = reply.body
        return found


class Adoption(_Posting):
    """What Terrace did not make, or no longer holds. Each answers with the stack as it then is, unless it says else."""

    def take_in(self, name: str, path: str, provider_id: str) -> dict[str, Any]:
        """An existing thing becomes the resource at `path`."""
        return self._post(name, "imports", body={"path": path, "provider_id": provider_id})

    def document(self, name: str) -> dict[str, Any]:
        """What `abandon` leaves of it, and `adopt` takes."""
        found: dict[str, Any] = self._transport.get(
            path_of("projects", self._project, "stacks", name, "document")
        )
        return found

    def abandon(self, name: str, *, if_match: int | None = None) -> dict[str, Any]:
        """Terrace forgets it; the things stay."""
        return self._post(name, "abandon", if_match=if_match)

    def adopt(self, name: str, document: Any) -> dict[str, Any]:
        """A stack that was abandoned is managed again."""
        return self._post(name, "adopt", body=document)


class Snapshots(_Posting):
    """A stack's definition at one moment, and what its volumes held."""

    def listing(self, stack: str) -> Iterator[dict[str, Any]]:
        """All of a stack, oldest first: {name, created, generation, volumes, complete}."""
        return items(self._transport, path_of("projects", self._project, "stacks", stack, "snapshots"))

    def create(self, stack: str, name: str, *, definition_only: bool = False) -> dict[str, Any]:
        """Makes one; the stack as it then is."""
        return self._post(stack, "snapshots", body={"name": name, "definition_only": definition_only})

    def restore(self, stack: str, name: str) -> dict[str, Any]:
        """Wants again what it holds; the stack as it then is."""
        return self._post(stack, "snapshots", name, "restore")

    def delete(self, stack: str, name: str) -> dict[str, Any]:
        """Takes one away; the stack as it then is."""
        path = path_of("projects", self._project, "stacks", stack, "snapshots", name)
        found: dict[str, Any] = self._transport.call("DELETE", path).body
        return found


class Operations(_Posting):
    """What can be done with a stack besides changing its template. Each answers with the stack as it then is, unless
    it says else."""

    def order(self, name: str, path: str, verb: str) -> dict[str, Any]:
        """taint or restart of the resource at `path`."""
        return self._post(name, "resources", path, verb)

    def suspend(self, name: str, *, suspended: bool = True) -> dict[str, Any]:
        """Its machines stand still, or go on."""
        return self._post(name, "suspend" if suspended else "resume")

    def protect(self, name: str, *, protected: bool = True) -> dict[str, Any]:
        """Its deletion is refused, or allowed again."""
        return self._post(name, "protect", body={"protected": protected})

    def check(self, name: str) -> dict[str, Any]:
        """What differs from what is wanted, looked at now: a plan."""
        return self._post(name, "check")

    def cancel(self, name: str, *, rollback: bool = False) -> dict[str, Any]:
        """Ends a change that is under way."""
        return self._post(name, "cancel", body={"rollback": rollback})

    def move(self, name: str, old: str, new: str) -> dict[str, Any]:
        """The resource at `old` will be at `new` in the next template."""
        return self._post(name, "moves", body={"old": old, "new": new})

    def rename(self, name: str, new: str) -> dict[str, Any]:
        """Another name for the stack."""
        return self._post(name, "rename", body={"name": new})

    def hooks(self, name: str, *, hook: str = "") -> Iterator[dict[str, Any]]:
        """What is held: {path, hook, since}; what one `hook` holds."""
        return items(
            self._transport, path_of("projects", self._project, "stacks", name, "hooks"), {"hook": hook}
        )

    def clear_hook(self, name: str, path: str, hook: str) -> dict[str, Any]:
        """Lets go on what a hook holds."""
        return self._post(name, "hooks", "clear", body={"path": path, "hook": hook})


class Stacks:
    """The stacks of one project. Documents are mappings as API v1 describes them."""

    def __init__(self, transport: Transport, project: str) -> None:
        self._transport = transport
        self._project = project

    def listing(
        self, *, phase: str = "", name: str = "", limit: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Stacks by name: all, those in one `phase`, those whose names begin with `name`, up to `limit` of them."""
        wanted = {"phase": phase, "name": name}
        return items(self._transport, path_of("projects", self._project, "stacks"), wanted, limit)

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
