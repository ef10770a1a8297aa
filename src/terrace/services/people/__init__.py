"""People: who may do what where, and by what they are known."""

from __future__ import annotations

import msgspec

from terrace.errors import TerraceError
from terrace.ports.audit import AuditLog
from terrace.ports.people import Directory
from terrace.ports.people import People as Book
from terrace.services.gate import Actor, Right, Surface
from terrace.services.people import roles
from terrace.services.people.directories import Directories
from terrace.services.people.groups import Groups
from terrace.services.people.keys import Keys
from terrace.services.people.login import Attempt, LoggedIn, Login
from terrace.services.people.projects import Projects, Reaching
from terrace.services.people.tokens import Tokens
from terrace.services.people.users import Users
from terrace.services.settings import Settings

TEND = 3600.0
"""Seconds between two looks at what is too old."""
__all__ = ["Attempt", "LoggedIn", "People", "Registry"]


class Registry(msgspec.Struct, frozen=True):
    """Where people and what they did are written down: `book`, `log`, and a `directory` that knows more of them."""

    book: Book
    log: AuditLog
    directory: Directory | None = None


class People:
    """Use cases about people."""

    def __init__(self, on: Surface, registry: Registry, settings: Settings) -> None:
        self._on = on
        self._registry = registry
        self._kept = settings.people.audit
        book = registry.book
        directories = Directories(on, book, registry.directory, settings.ldap)
        self._login = Login(on, book, directories, settings.people)
        self.users = Users(on, book, self._login.passwords)
        self.groups = Groups(on, book)
        self.projects = Projects(on, book)
        self.reaching = Reaching(book, settings.people)
        self.tokens = Tokens(on, book, settings.people)
        self.keys = Keys(on, book)

    async def tend(self) -> None:
        """Takes away credentials that have expired, and lets the oldest rows of the audit log go; for ever."""
        while True:
            now = self._on.clock.now()
            try:
                await self._registry.book.credentials.prune(now)
                await self._registry.log.let_go(now - self._kept, now)
            except TerraceError as error:
                self._on.telemetry.log("warning", "people.trouble", error=error.message)
            await self._on.clock.sleep(TEND)

    async def login(self, attempt: Attempt) -> LoggedIn:
        """See Login.login."""
        return await self._login.login(attempt)

    async def logout(self, actor: Actor) -> None:
        """See Login.logout."""
        await self._login.logout(actor)

    async def authenticate(self, token: str, source: str = "") -> Actor:
        """See Login.authenticate."""
        return await self._login.authenticate(token, source)

    def rights(self, actor: Actor, project: str = "") -> list[str]:
        """What `actor` may do in a project ("": in the installation), which anybody may ask of themselves."""
        asked = roles.IN_PROJECTS if project else frozenset(Right) - roles.IN_PROJECTS
        return sorted(right.value for right in asked if actor.may(right, project))
