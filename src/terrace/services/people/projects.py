"""Projects, who is a member of them, and what they may use."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from terrace.errors import NotFoundError, UserError
from terrace.ports.people import GROUP, USER, Member, People, Project, Reach
from terrace.services.gate import Actor, Right, Surface, check_project
from terrace.services.people import roles
from terrace.services.settings import Access

OWN = "builtin"
"""The provider of what Terrace makes itself."""


class ProjectView(msgspec.Struct, frozen=True):
    """A project. `rights`: what who asks may do in it."""

    name: str
    title: str
    created: float
    maker: str
    rights: list[str]


class MemberView(msgspec.Struct, frozen=True):
    """A member: `kind` user or group, their `role`, and the rights that were `granted` and `denied` besides. `since`
    epoch seconds."""

    kind: str
    name: str
    role: str
    granted: list[str]
    denied: list[str]
    since: float


class Seat(msgspec.Struct, frozen=True):
    """What a member is to be."""

    role: str
    granted: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


class ReachView(msgspec.Struct, frozen=True):
    """A provider, and a region of it ("": all of it), that a project may use."""

    provider: str
    region: str = ""


class Reaching:
    """Which providers, and which regions of them, a project may use. What Terrace makes itself is everybody's."""

    def __init__(self, people: People, access: Access) -> None:
        self._people = people
        self._all = access.reach == "all"

    async def of(self, project: str) -> Callable[[str, str], bool]:
        """Whether it may use a region of a provider, as a function of the two."""
        said = await self._people.projects.reach(project)
        if not said:
            return lambda provider, region: self._all or provider == OWN
        known = {(one.provider, one.region) for one in said}
        whole = {one.provider for one in said if not one.region} | {OWN}
        return lambda provider, region: provider in whole or (provider, region) in known

    async def providers(self, project: str) -> Callable[[str], bool]:
        """Whether it may use anything of a provider, as a function of the provider."""
        said = await self._people.projects.reach(project)
        known = {one.provider for one in said} | {OWN}
        return lambda provider: (self._all and not said) or provider in known


class Projects:
    """Use cases about projects."""

    def __init__(self, on: Surface, people: People) -> None:
        self._on = on
        self._people = people

    async def listing(self, actor: Actor) -> list[ProjectView]:
        """Those that are there for `actor`, by name; those too that nobody made, but that have stacks."""
        await self._on.gate.admit(actor, Right.CATALOGUE)
        known = {one.name: one for one in await self._people.projects.listing()}
        names = known.keys() | actor.rights.keys()
        if actor.owner or actor.everywhere:
            names |= {stack.project for stack in await self._on.store.stacks()}
        seen = sorted(name for name in names if actor.may(Right.READ, name))
        return [_view(actor, known.get(name, Project(name))) for name in seen]

    async def get(self, actor: Actor, project: str) -> ProjectView:
        """One of them. NotFoundError."""
        await self._on.gate.admit(actor, Right.READ, project)
        found = await self._people.projects.find(project)
        if found is None and not await self._on.store.stacks(project):
            raise NotFoundError(f'there is no project "{project}"', hint="terrace project list")
        return _view(actor, found or Project(project))

    async def add(self, actor: Actor, project: str, title: str = "") -> ProjectView:
        """A new one, without members. ConflictError when there is one."""
        await self._on.gate.admit(actor, Right.INSTALLATION, subject=f"project add {project}")
        check_project(project)
        made = Project(project, title, self._on.clock.now(), actor.name)
        await self._people.projects.add(made)
        return _view(actor, made)

    async def change(self, actor: Actor, project: str, title: str) -> ProjectView:
        """Another title. NotFoundError."""
        await self._on.gate.admit(actor, Right.MEMBERS, project, f"title {title}")
        found = await self._made(actor, project)
        await self._people.projects.change(msgspec.structs.replace(found, title=title))
        return _view(actor, msgspec.structs.replace(found, title=title))

    async def remove(self, actor: Actor, project: str) -> None:
        """Takes one away that has no stacks any more. ConflictError, NotFoundError."""
        await self._on.gate.admit(actor, Right.READ, project)
        await self._on.gate.admit(actor, Right.INSTALLATION, subject=f"project remove {project}")
        await self._people.projects.remove(project)

    async def members(self, actor: Actor, project: str) -> list[MemberView]:
        """Who is a member."""
        await self._on.gate.admit(actor, Right.READ, project)
        return [_member(one) for one in await self._people.projects.members(project)]

    async def seat(self, actor: Actor, project: str, kind: str, name: str, seat: Seat) -> MemberView:
        """A user or group becomes a member, or another one than before. NotFoundError, UserError."""
        said = " ".join(
            [seat.role, *(f"+{one}" for one in seat.granted), *(f"-{one}" for one in seat.denied)]
        )
        await self._on.gate.admit(actor, Right.MEMBERS, project, f"member {kind} {name}: {said}")
        roles.role(seat.role)
        roles.rights((*seat.granted, *seat.denied))
        if Right.READ in seat.denied:
            raise UserError(
                "a member sees the project at least",
                code="unknown-right",
                hint=f"terrace project dismiss {name}",
            )
        await self._made(actor, project)
        identity = await self._identity(kind, name)
        now = self._on.clock.now()
        member = Member(project, kind, identity, seat.role, seat.granted, seat.denied, now, name)
        await self._people.projects.admit(member)
        return _member(member)

    async def dismiss(self, actor: Actor, project: str, kind: str, name: str) -> None:
        """A member leaves: their tokens for the project end, and their sessions. NotFoundError."""
        await self._on.gate.admit(actor, Right.MEMBERS, project, f"dismiss {kind} {name}")
        member = Member(project, kind, await self._identity(kind, name), "")
        if not await self._people.projects.dismiss(member):
            raise NotFoundError(
                f'{kind} "{name}" is no member of "{project}"', hint=f"terrace project members {project}"
            )

    async def reach(self, actor: Actor, project: str) -> list[ReachView]:
        """What the project may use; none: what the settings say."""
        await self._on.gate.admit(actor, Right.READ, project)
        return [ReachView(one.provider, one.region) for one in await self._people.projects.reach(project)]

    async def set_reach(self, actor: Actor, project: str, reach: list[ReachView]) -> list[ReachView]:
        """The project may use these alone from now on; none: what the settings say. NotFoundError."""
        await self._on.gate.admit(actor, Right.READ, project)
        said = ", ".join(f"{one.provider}/{one.region}".rstrip("/") for one in reach) or "as the settings say"
        await self._on.gate.admit(actor, Right.INSTALLATION, subject=f"project {project} may use: {said}")
        await self._made(actor, project)
        for one in reach:
            if one.provider not in self._on.controller.drivers:
                raise NotFoundError(f'there is no provider "{one.provider}"', hint="terrace provider list")
        await self._people.projects.set_reach(project, [Reach(project, *_pair(one)) for one in reach])
        return reach

    # --- inside

    async def _made(self, actor: Actor, project: str) -> Project:
        """The project; one that only has stacks so far is written down now."""
        check_project(project)
        found = await self._people.projects.find(project)
        if found is None:
            if not await self._on.store.stacks(project):
                hint = f"terrace project add {project}"
                raise NotFoundError(f'there is no project "{project}"', hint=hint)
            found = Project(project, "", self._on.clock.now(), actor.name)
            await self._people.projects.add(found)
        return found

    async def _identity(self, kind: str, name: str) -> str:
        if kind == USER:
            user = await self._people.users.find(name)
            found = user.id if user is not None else ""
        elif kind == GROUP:
            group = await self._people.groups.find(name)
            found = group.id if group is not None else ""
        else:
            raise UserError("a member is a user or a group", code="invalid-request")
        if not found:
            raise NotFoundError(f'there is no {kind} "{name[:80]}"', hint=f"terrace {kind} list")
        return found


def _pair(one: ReachView) -> tuple[str, str]:
    return one.provider, one.region


def _view(actor: Actor, project: Project) -> ProjectView:
    rights = sorted(right.value for right in roles.IN_PROJECTS if actor.may(right, project.name))
    return ProjectView(project.name, project.title, project.created, project.maker, rights)


def _member(member: Member) -> MemberView:
    return MemberView(
        member.kind, member.name, member.role, list(member.granted), list(member.denied), member.since
    )
