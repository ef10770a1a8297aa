"""Groups of people, in tables."""

from __future__ import annotations

from collections.abc import Sequence

from terrace.ports.people import GROUP, Group
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database, Writer
from terrace.stores.relational.people.rows import free, lost


class RelationalGroups:
    """See ports.people.Groups."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, name: str) -> Group | None:
        rows = await self._database.rows(SQL["user_groups.by_name"], (name,))
        if not rows:
            return None
        members = await self._database.rows(SQL["user_groups.members_of"], (rows[0][0],))
        identity, named, source, created = rows[0]
        return Group(identity, named, source, created, tuple(one for _, one in members))

    async def listing(self) -> list[Group]:
        members: dict[str, list[str]] = {}
        for group, name in await self._database.rows(SQL["user_groups.members"]):
            members.setdefault(group, []).append(name)
        rows = await self._database.rows(SQL["user_groups.all"])
        return [
            Group(identity, name, source, created, tuple(members.get(identity, ())))
            for identity, name, source, created in rows
        ]

    async def add(self, group: Group) -> None:
        def work(writer: Writer) -> None:
            free(writer, "user_groups.by_name", (group.name,), f'a group "{group.name}"')
            values = (group.id, group.name, group.source, group.created)
            writer.execute(SQL["user_groups.insert"], values)

        await self._database.write(work, synced=True)

    async def remove(self, group: str) -> None:
        def work(writer: Writer) -> None:
            members = [row[0] for row in writer.execute(SQL["user_groups.member_ids"], (group,)).fetchall()]
            projects = _projects(writer, group)
            writer.execute(SQL["projects.delete_memberships"], (GROUP, group))
            writer.execute(SQL["user_groups.delete"], (group,))
            for member in members:
                lost(writer, member, projects)

        await self._database.write(work, synced=True)

    async def join(self, group: str, user: str) -> None:
        await self._database.write(
            lambda writer: writer.execute(SQL["user_groups.join"], (group, user)), synced=True
        )

    async def leave(self, group: str, user: str) -> bool:
        return await self._database.write(lambda writer: _leave(writer, group, user), synced=True)

    async def settle(self, user: str, groups: Sequence[Group]) -> None:
        def work(writer: Writer) -> None:
            sources = {group.source for group in groups} or {"ldap"}
            wanted = {group.name for group in groups}
            for identity, name, source in writer.execute(SQL["user_groups.of_user"], (user,)).fetchall():
                if source in sources and name not in wanted:
                    _leave(writer, identity, user)
            for group in groups:
                row = writer.execute(SQL["user_groups.by_name"], (group.name,)).fetchone()
                if row is None:
                    values = (group.id, group.name, group.source, group.created)
                    writer.execute(SQL["user_groups.insert"], values)
                elif row[2] != group.source:
                    continue  # a group of ours that happens to have the name is not theirs to fill
                writer.execute(SQL["user_groups.join"], (row[0] if row else group.id, user))

        await self._database.write(work, synced=True)

    async def of_user(self, user: str) -> list[str]:
        return [name for _, name, _ in await self._database.rows(SQL["user_groups.of_user"], (user,))]


def _leave(writer: Writer, group: str, user: str) -> bool:
    there = writer.execute(SQL["user_groups.leave"], (group, user)).rowcount > 0
    if there:
        lost(writer, user, _projects(writer, group))
    return there


def _projects(writer: Writer, group: str) -> list[str]:
    return [row[0] for row in writer.execute(SQL["projects.of_group"], (group,)).fetchall()]
