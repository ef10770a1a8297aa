"""The one door: every use case goes through it with an Actor, a Right and a project, and nothing reaches a
stack any other way. Who may do what, quotas and the audit log are decided here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from enum import StrEnum

import msgspec

from terrace.errors import ConflictError, ForbiddenError, NotFoundError, UserError
from terrace.model.stack import Stack
from terrace.ports.clock import Clock, Entropy
from terrace.ports.keys import Keys
from terrace.ports.quota import Quotas
from terrace.ports.store import Store
from terrace.ports.telemetry import Telemetry
from terrace.ports.vault import Vault
from terrace.runtime.controller import Controller
from terrace.services.settings import Defaults

_PROJECT = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,62}")
_STACK = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,254}")
_RESOURCE = re.compile(r"[^/\x00-\x1f\x7f]{1,255}(/[^/\x00-\x1f\x7f]{1,255}){0,15}")


class Right(StrEnum):
    """What somebody wants to do."""

    READ = "read"
    WRITE = "write"
    REVEAL = "reveal"
    LOGS = "logs"
    EXEC = "exec"
    INSTALLATION = "installation"


AUDITED = frozenset(Right) - {Right.READ}


class Actor(msgspec.Struct, frozen=True):
    """Who asks. `owner`: came in over the owner's own Unix socket, and may do everything."""

    name: str
    owner: bool = False


class Where(msgspec.Struct, frozen=True):
    """A stack as a request names it."""

    project: str
    stack: str


class Gate:
    """Lets requests pass, or does not. `store` finds stacks, `telemetry` takes the audit lines."""

    def __init__(self, store: Store, telemetry: Telemetry) -> None:
        self._store = store
        self._telemetry = telemetry

    def admit(self, actor: Actor, right: Right, project: str = "", subject: str = "") -> None:
        """Passes if `actor` has the right in `project` ("": the installation). ForbiddenError when not,
        UserError for a name that cannot be. `subject` is what it is about, for the audit log."""
        if project:
            check_name("project", project, _PROJECT)
        if not actor.owner:
            raise ForbiddenError(f'"{actor.name}" may not {right.value} here')
        if right in AUDITED:
            self._telemetry.log(
                "info", "audit", actor=actor.name, right=right.value, project=project, subject=subject
            )

    def enter(self, actor: Actor, right: Right, where: Where) -> None:
        """Like `admit`, for a stack that need not exist."""
        self.admit(actor, right, where.project, where.stack)
        check_name("stack", where.stack, _STACK)

    async def stack(self, actor: Actor, right: Right, where: Where) -> Stack:
        """The stack, if it exists and `actor` has the right. NotFoundError, ForbiddenError."""
        self.enter(actor, right, where)
        found = await self._store.find_stack(where.project, where.stack)
        if found is None:
            raise NotFoundError(
                f'there is no stack "{where.stack}" in project "{where.project}"', hint="terrace list"
            )
        return found


SUSPENDED, PROTECTED = "suspended", "protected"
"""Directives of a stack as a whole: it stands still; it is not to be deleted."""


async def marks(store: Store, stack: Stack) -> dict[str, bool]:
    """Which flags the stack as a whole carries."""
    flags = {one.what: bool(one.value) for one in await store.directives(stack.id) if not one.path}
    return {name: flags.get(name, False) for name in (SUSPENDED, PROTECTED)}


async def allow(store: Store, stack: Stack, flag: str) -> None:
    """ConflictError when the stack carries the flag."""
    if not (await marks(store, stack))[flag]:
        return
    if flag == PROTECTED:
        raise ConflictError(
            f'stack "{stack.name}" is protected from deletion',
            code="protected",
            hint=f"terrace protect {stack.name} --off",
        )
    raise ConflictError(
        f'stack "{stack.name}" is suspended: nothing of it is changed',
        code="suspended",
        hint=f"terrace resume {stack.name}",
    )


async def _writable() -> None:
    """What lies in memory always is."""


class Surface(msgspec.Struct, frozen=True):
    """What every use case stands on: the gate, the store, the runtime, the sources of time and ids, the secrets of
    projects, and the keys that secrets are sealed with (None: the store has but a key file). `quotas` None:
    nothing is limited."""

    gate: Gate
    store: Store
    controller: Controller
    clock: Clock
    entropy: Entropy
    telemetry: Telemetry
    vault: Vault
    defaults: Defaults = Defaults()
    keys: Keys | None = None
    quotas: Quotas | None = None
    writable: Callable[[], Awaitable[None]] = _writable


def check_name(what: str, name: str, pattern: re.Pattern[str]) -> None:
    """UserError unless `name` fits: what passes here may later stand in a label, a host name or a path."""
    if not pattern.fullmatch(name):
        raise UserError(
            f"{name[:80]!r} cannot be the name of a {what}",
            code="invalid-name",
            hint="letters, digits, _ . and -, beginning with a letter",
        )


def check_stack(name: str) -> None:
    """UserError unless `name` can be that of a stack."""
    check_name("stack", name, _STACK)


def check_path(path: str) -> None:
    """UserError unless `path` can be that of a resource ("web", "group/0")."""
    if not _RESOURCE.fullmatch(path):
        raise UserError(f"{path[:80]!r} cannot be the path of a resource", code="invalid-name")
