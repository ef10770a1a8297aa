"""The one door: every use case goes through it with an Actor, a Right and a project, and nothing reaches a
stack any other way. An Actor has no right that was not given to it, and what is of a project that it has no right in
is not there for it. Roles are in services/people/roles.py."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Protocol

import msgspec

from terrace.errors import ConflictError, ForbiddenError, NotFoundError, UserError
from terrace.model.stack import Stack
from terrace.ports.audit import ALLOWED, DENIED, Entry
from terrace.ports.clock import Clock, Entropy
from terrace.ports.edge.requests import Requests
from terrace.ports.quota import Flavors, Quotas
from terrace.ports.secrets import Keys
from terrace.ports.store import Store
from terrace.ports.telemetry import Telemetry
from terrace.ports.vault import Vault
from terrace.runtime.controller import Controller
from terrace.services.settings import Defaults

SUBJECT = 500
"""The most characters of a subject in the audit log."""
_PROJECT = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,62}")
_STACK = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,254}")
_RESOURCE = re.compile(r"[^/\x00-\x1f\x7f]{1,255}(/[^/\x00-\x1f\x7f]{1,255}){0,15}")


class Right(StrEnum):
    """What somebody wants to do: in a project, or (CATALOGUE, INSPECT, INSTALLATION) in the installation."""

    READ = "read"
    WRITE = "write"
    LOGS = "logs"
    EXEC = "exec"
    OPERATE = "operate"
    REVEAL = "reveal"
    MEMBERS = "members"
    CATALOGUE = "catalogue"
    INSPECT = "inspect"
    INSTALLATION = "installation"


AUDITED = frozenset(Right) - {Right.READ, Right.CATALOGUE, Right.INSPECT}
WIDE = frozenset({Right.CATALOGUE, Right.INSPECT, Right.INSTALLATION})
"""Rights that are of no project."""


class Actor(msgspec.Struct, frozen=True):
    """Who asks. `owner`: came in over the owner's own Unix socket, and may do everything. `rights`: what they may in
    each project that is theirs; `everywhere` in all projects, `wide` in the installation. `user` is their id ("": no
    person of ours), `present` that they logged in themselves and sent no token of theirs, `credential` the id of what
    they showed, `source` where they stand."""

    name: str
    owner: bool = False
    rights: Mapping[str, frozenset[Right]] = {}
    everywhere: frozenset[Right] = frozenset()
    wide: frozenset[Right] = frozenset()
    user: str = ""
    present: bool = False
    credential: str = ""
    source: str = ""

    def may(self, right: Right, project: str = "") -> bool:
        """Whether they have the right in `project` ("": in the installation)."""
        if self.owner:
            return True
        if not project:
            return right in self.wide
        return right in self.everywhere or right in self.rights.get(project, frozenset())


class Where(msgspec.Struct, frozen=True):
    """A stack as a request names it."""

    project: str
    stack: str


class Witness(Protocol):
    """Keeps what was asked for (services.people.audit)."""

    async def note(self, entry: Entry, *, synced: bool = False) -> None:
        """Adds an entry to the audit log, committed when it returns."""


class Gate:
    """Lets requests pass, or does not. `store` finds stacks, `telemetry` takes the audit lines, and `witness` keeps
    them."""

    def __init__(
        self, store: Store, telemetry: Telemetry, clock: Clock, witness: Witness | None = None
    ) -> None:
        self._store = store
        self._telemetry = telemetry
        self._clock = clock
        self._witness = witness

    async def admit(self, actor: Actor, right: Right, project: str = "", subject: str = "") -> None:
        """Passes if `actor` has the right in `project` ("": the installation). ForbiddenError when not;
        NotFoundError when the project is not theirs to see, whether or not there is one; UserError for a name that
        cannot be. `subject` is what it is about, for the audit log, which has it before this returns."""
        if project:
            check_name("project", project, _PROJECT)
        if not actor.may(right, project):
            await self.note(actor, right, project, subject, outcome=DENIED)
            if project and not actor.may(Right.READ, project):
                raise NotFoundError(f'there is no project "{project}"', hint="terrace project list")
            where = f'in project "{project}"' if project else "in this installation"
            raise ForbiddenError(
                f'"{actor.name}" may not do this {where}: it takes the right "{right.value}"',
                hint=f"terrace auth whoami{f' --project {project}' if project else ''}",
            )
        if right in AUDITED:
            await self.note(actor, right, project, subject)

    async def note(
        self, actor: Actor, right: str, project: str, subject: str, *, outcome: str = ALLOWED
    ) -> None:
        """Writes into the audit log what was asked for; what gives a secret away is on disk when this returns."""
        entry = Entry(
            actor.name,
            str(right),
            outcome,
            project,
            subject[:SUBJECT],
            "socket" if actor.owner else actor.credential,
            actor.source,
            self._clock.now(),
        )
        said = {"actor": entry.actor, "right": entry.right, "project": project, "subject": entry.subject}
        self._telemetry.log("info", "audit", **said, outcome=outcome)
        if self._witness is not None:
            await self._witness.note(entry, synced=right == Right.REVEAL)

    async def enter(self, actor: Actor, right: Right, where: Where) -> None:
        """Like `admit`, for a stack that need not exist."""
        check_name("stack", where.stack, _STACK)
        await self.admit(actor, right, where.project, where.stack)

    async def stack(self, actor: Actor, right: Right, where: Where) -> Stack:
        """The stack, if it exists and `actor` has the right. NotFoundError, ForbiddenError."""
        await self.enter(actor, right, where)
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
    nothing is limited. `writable` tries whether the store can be written (ProviderError when not); `requests` keeps
    what was answered to those that may be repeated (None: nothing is kept)."""

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
    flavors: Flavors | None = None
    writable: Callable[[], Awaitable[None]] = _writable
    requests: Requests | None = None


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


def check_project(name: str) -> None:
    """UserError unless `name` can be that of a project."""
    check_name("project", name, _PROJECT)


def check_path(path: str) -> None:
    """UserError unless `path` can be that of a resource ("web", "group/0")."""
    if not _RESOURCE.fullmatch(path):
        raise UserError(f"{path[:80]!r} cannot be the path of a resource", code="invalid-name")
