"""Groups of users."""

from __future__ import annotations

import re

import msgspec

from terrace.errors import NotFoundError, UserError
from terrace.ports.people import LOCAL, Group, People
from terrace.services.gate import Actor, Right, Surface, check_name

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_. @-]{0,62}")


class GroupView(msgspec.Struct, frozen=True):
    """A group with the names of its members. Those whose `source` is ldap are filled by the directory."""

    name: str
    source: str
    members: list[str]
    created: float


class Groups:
    """Use cases about groups."""

    def __init__(self, on: Surface, people: People) -> None:
        self._on = on
        self._people = people

    async def listing(self, actor: Actor) -> list[GroupView]:
        """All of them, by name."""
        await self._on.gate.admit(actor, Right.INSPECT)
        return [_view(group) for group in await self._people.groups.listing()]

    async def add(self, actor: Actor, name: str) -> GroupView:
        """A new one, empty. ConflictError when there is one."""
        await self._on.gate.admit(actor, Right.INSTALLATION, subject=f"group add {name}")
        check_name("group", name, _NAME)
        group = Group(self._on.entropy.uid(), name, created=self._on.clock.now())
        await self._people.groups.add(group)
        return _view(group)

    async def remove(self, actor: Actor, name: str) -> None:
        """Takes one away, with what its members had of it, their sessions too."""
        await self._on.gate.admit(actor, Right.INSTALLATION, subject=f"group remove {name}")
        await self._people.groups.remove((await self._group(name)).id)

    async def join(self, actor: Actor, name: str, user: str) -> GroupView:
        """A user becomes a member. NotFoundError."""
        await self._on.gate.admit(actor, Right.INSTALLATION, subject=f"group {name}: join {user}")
        group = await self._ours(name)
        await self._people.groups.join(group.id, await self._user(user))
        return _view(await self._group(name))

    async def leave(self, actor: Actor, name: str, user: str) -> GroupView:
        """A user is a member no more; it ends their sessions. NotFoundError."""
        await self._on.gate.admit(actor, Right.INSTALLATION, subject=f"group {name}: leave {user}")
        group = await self._ours(name)
        if not await self._people.groups.leave(group.id, await self._user(user)):
            raise NotFoundError(f'"{user}" is not in group "{name}"', hint="terrace group list")
        return _view(await self._group(name))

    async def _group(self, name: str) -> Group:
        found = await self._people.groups.find(name)
        if found is None:
            raise NotFoundError(f'there is no group "{name[:80]}"', hint="terrace group list")
        return found

    async def _ours(self, name: str) -> Group:
        found = await self._group(name)
        if found.source != LOCAL:
            raise UserError(
                f'the members of "{name}" are kept by the directory',
                code="not-possible",
                hint="change them there",
            )
        return found

    async def _user(self, name: str) -> str:
        found = await self._people.users.find(name)
        if found is None:
            raise NotFoundError(f'there is no user "{name[:80]}"', hint="terrace user list")
        return found.id


def _view(group: Group) -> GroupView:
    return GroupView(group.name, group.source, list(group.members), group.created)
