"""People whom a directory (LDAP) knows: how they come in, what their groups there give, and how they go."""

from __future__ import annotations

import asyncio
import weakref

import msgspec

from terrace.errors import ConflictError, TransientError
from terrace.ports.people import GROUP, LDAP, Directory, Found, Group, Member, People, User
from terrace.services.gate import Surface
from terrace.services.settings import Ldap

INSTALLATION = "installation"
"""In place of PROJECT:ROLE, for groups whose members administer the installation."""


class Directories:
    """What logging in needs of a directory. `directory` None: there is none, and nobody comes from there."""

    def __init__(self, on: Surface, people: People, directory: Directory | None, ldap: Ldap | None) -> None:
        self._on = on
        self._people = people
        self._directory = directory
        self._settings = ldap or Ldap()
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    @property
    def there(self) -> bool:
        """Whether there is a directory."""
        return self._directory is not None

    async def login(self, name: str, password: str, user: User | None) -> User | None:
        """Who the directory says has that name and password, made known here with the groups they have there; None when
        it says nobody. TransientError when it cannot be asked."""
        assert self._directory is not None
        found = await self._directory.check(name, password)
        if found is None:
            return None
        now = self._on.clock.now()
        if user is None:
            user = User(self._on.entropy.uid(), name, found.title, LDAP, created=now, checked=now)
            try:
                await self._people.users.add(user)
            except ConflictError:  # they came in by two doors at once
                user = await self._people.users.find(name)
                if user is None or user.source != LDAP:
                    return None
        elif user.disabled:
            return user
        await self._seen(user, found)
        return user

    async def mapped(self, user: User) -> tuple[list[Member], bool]:
        """What the groups of somebody from the directory give by the settings: memberships, and whether they administer
        the installation."""
        if user.source != LDAP or not self._settings.roles:
            return [], False
        members, admin = [], False
        for group in await self._people.groups.of_user(user.id):
            for given in self._settings.roles.get(group, ()):
                project, _, role = given.partition(":")
                if given == INSTALLATION:
                    admin = True
                else:
                    members.append(Member(project, GROUP, group, role, name=group))
        return members, admin

    async def still(self, user: User) -> bool:
        """Whether somebody from the directory still is there, asked again when the last answer is too old. Who is not
        loses every session and token. TransientError when it cannot be asked for too long."""
        settings, now = self._settings, self._on.clock.now()
        if now - user.checked < settings.check:
            return True
        if self._directory is None:
            raise TransientError(
                f'"{user.name}" is known by a directory, which the settings do not name any more',
                code="directory-unreachable",
                hint="[ldap] in server.toml",
            )
        async with self._turns.setdefault(user.id, asyncio.Lock()):
            try:
                found = await self._directory.find(user.name)
            except TransientError:
                if now - user.checked < settings.patience:
                    return True
                raise
            if found is not None:
                await self._seen(user, found)
                return True
            gone = msgspec.structs.replace(user, disabled=True)
            await self._people.users.change(gone)
            self._on.telemetry.log("info", "people.gone", user=user.name)
            return False

    async def _seen(self, user: User, found: Found) -> None:
        now = self._on.clock.now()
        groups = [Group(self._on.entropy.uid(), name, LDAP, now) for name in found.groups]
        await self._people.groups.settle(user.id, groups)
        await self._people.credentials.checked(user.id, now)
