"""Logging in, and being known again by a token."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Sequence

import msgspec

from terrace.errors import ConflictError, ForbiddenError, QuotaError
from terrace.ports.audit import DENIED
from terrace.ports.people import LDAP, SERVICE, SESSION, USER, Credential, Member, People, Project, User
from terrace.services.gate import Actor, Surface
from terrace.services.people import identity
from terrace.services.people.directories import Directories
from terrace.services.people.passwords import Passwords
from terrace.services.people.roles import Role
from terrace.services.people.words import friendly
from terrace.services.settings import Access
from terrace.services.signals.rate import Rate

LONGEST_NAME = 63
PREFIX = "trc_"
LENGTH = len(PREFIX) + 43
FRESH = 60.0
"""Seconds within which the use of a credential is not written down again."""
TRIES, TRIES_PER_SECOND = 10.0, 0.1
"""Wrong passwords that one place may try at once, and how fast it gets new tries."""
NAMED, NAMED_PER_SECOND = 50.0, 0.05
"""The same for one name, from wherever: more, so that nobody can shut out another easily."""


class Attempt(msgspec.Struct, frozen=True):
    """Somebody who says that they are `name`, from where."""

    name: str
    password: str
    source: str = ""


class LoggedIn(msgspec.Struct, frozen=True):
    """A session: its `token`, which is shown this once, whose it is, a project of theirs to work in ("": they have
    none), and when it ends (epoch seconds)."""

    token: str
    name: str
    project: str
    expires: float


class Login:
    """Who somebody is."""

    def __init__(self, on: Surface, people: People, directories: Directories, access: Access) -> None:
        self._on = on
        self._people = people
        self._directories = directories
        self._access = access
        self.passwords = Passwords()
        self._places = Rate(TRIES, TRIES_PER_SECOND)
        self._names = Rate(NAMED, NAMED_PER_SECOND)
        self._writing: set[asyncio.Task[None]] = set()

    async def login(self, attempt: Attempt) -> LoggedIn:
        """A session for who has the password. ForbiddenError whatever is wrong with name or password; QuotaError after
        too many wrong ones; TransientError when the directory cannot be asked."""
        name, now = attempt.name.strip().lower()[:LONGEST_NAME], self._on.clock.now()
        nobody = Actor(name or "?", source=attempt.source)
        wait = max(self._places.take(attempt.source, now), self._names.take(name, now))
        user = None if wait else await self._known(name, attempt.password)
        if user is None or user.disabled:
            await self._on.gate.note(nobody, "login", "", name, outcome=DENIED)
            if wait:
                raise _too_often("too many wrong passwords", wait)
            raise ForbiddenError(
                "the name or the password is wrong",
                code="wrong-credentials",
                hint="an administrator can set another: terrace user password NAME",
            )
        self._places.give_back(attempt.source)
        self._names.give_back(name)
        memberships, _ = await self._standing(user)
        project = memberships[0].project if memberships else await self._own_project(user)
        token, credential = issue(
            self._on,
            Credential(
                "", "", SESSION, user.id, name="login", expires=now + self._access.session, maker=user.name
            ),
        )
        await self._people.credentials.add(credential)
        await self._on.gate.note(msgspec.structs.replace(nobody, credential=credential.id), "login", "", name)
        return LoggedIn(token, user.name, project, credential.expires)

    async def logout(self, actor: Actor) -> None:
        """Ends the session, or the token, that the request came with."""
        if actor.credential and await self._people.credentials.remove(actor.credential):
            await self._on.gate.note(actor, "logout", "", actor.name)

    async def authenticate(self, token: str, source: str = "") -> Actor:
        """Who shows this token. ForbiddenError ("unauthenticated") whatever is wrong with it."""
        now = self._on.clock.now()
        found = await self._people.credentials.find(digest_of(token)) if _looks_right(token) else None
        if found is None or found[0].expires <= now:
            raise unauthenticated("the token is not known, or no longer good")
        credential, user = found
        if now - credential.used > FRESH:
            self._later(self._people.credentials.touch(credential.id, now))
        if credential.kind == SERVICE:
            return identity.of_service(credential, source)
        if user is None or user.disabled:
            raise unauthenticated("the token is not known, or no longer good")
        if user.source == LDAP and not await self._directories.still(user):
            raise unauthenticated("the directory does not know you any more")
        members, admin = await self._standing(user)
        return identity.of_user(msgspec.structs.replace(user, admin=admin), credential, members, source)

    # --- inside

    async def _known(self, name: str, password: str) -> User | None:
        """The user with that name and password; one of the directory is made known here."""
        user = await self._people.users.find(name)
        if user is not None and user.source != LDAP:
            return user if await self.passwords.fits(user.password, password) else None
        if not self._directories.there or not name or not password:
            await self.passwords.fits("", password)
            return None
        return await self._directories.login(name, password, user)

    async def _standing(self, user: User) -> tuple[Sequence[Member], bool]:
        """What somebody is a member of, and whether they administer the installation."""
        own = await self._people.projects.of_user(user.id)
        mapped, admin = await self._directories.mapped(user)
        return [*own, *mapped], user.admin or admin

    async def _own_project(self, user: User) -> str:
        """A project for who has none yet, at their first login; "" when the settings do not want that."""
        if not self._access.own_projects:
            return ""
        now = self._on.clock.now()
        title = f"{user.title or user.name}'s project"
        for attempt in range(20):
            name = friendly(self._on.entropy.bytes(2 if attempt < 10 else 3))
            member = Member(name, USER, user.id, Role.ADMIN, since=now)
            try:
                await self._people.projects.add(Project(name, title, now, user.name), [member])
            except ConflictError:
                continue
            return name
        return ""

    def _later(self, work: object) -> None:
        """Does `work` when there is time: nobody waits for it."""
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]  # a coroutine, as callers see to
        self._writing.add(task)
        task.add_done_callback(self._wrote)

    def _wrote(self, task: asyncio.Task[None]) -> None:
        self._writing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on.telemetry.log("warning", "people.write", error=type(error).__name__)


def issue(on: Surface, credential: Credential) -> tuple[str, Credential]:
    """A new token, and the credential that it is known by."""
    token = PREFIX + base64.urlsafe_b64encode(on.entropy.bytes(32)).decode().rstrip("=")
    made = msgspec.structs.replace(
        credential, id=on.entropy.uid()[:12], digest=digest_of(token), created=on.clock.now()
    )
    return token, made


def digest_of(token: str) -> str:
    """What is kept of a token. It is as unpredictable as a key, so that one round is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def unauthenticated(why: str) -> ForbiddenError:
    """Nobody knows who asks."""
    return ForbiddenError(why, code="unauthenticated", hint="terrace login")


def _looks_right(token: str) -> bool:
    return len(token) == LENGTH and token.startswith(PREFIX) and token.isascii()


def _too_often(what: str, wait: float) -> QuotaError:
    seconds = max(1, round(wait))
    return QuotaError(
        f"{what}: nobody can try again at once", code="too-many-tries", hint=f"try again in {seconds} s"
    )
