"""Projects, their members and what they may use, in tables."""

from __future__ import annotations

from collections.abc import Sequence

from terrace.errors import ConflictError, NotFoundError
from terrace.ports.people import USER, Member, Project, Reach
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database, Writer
from terrace.stores.relational.people.rows import free, lost, member


class RelationalProjects:
    """See ports.people.Projects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, name: str) -> Project | None:
        rows = await self._database.rows(SQL["projects.by_name"], (name,))
        return Project(*rows[0]) if rows else None

    async def listing(self) -> list[Project]:
        return [Project(*row) for row in await self._database.rows(SQL["projects.all"])]

    async def add(self, project: Project, members: Sequence[Member] = ()) -> None:
        def work(writer: Writer) -> None:
            free(writer, "projects.by_name", (project.name,), f'a project "{project.name}"')
            values = (project.name, project.title, project.created, project.maker)
            writer.execute(SQL["projects.insert"], values)
            for one in members:
                _admit(writer, one)

        await self._database.write(work, synced=True)

    async def change(self, project: Project) -> None:
        await self._database.write(
            lambda writer: writer.execute(SQL["projects.update"], (project.title, project.name)), synced=True
        )

    async def remove(self, name: str) -> None:
        def work(writer: Writer) -> None:
            count = writer.execute(SQL["projects.stacks"], (name,)).fetchone()[0]
            if count:
                raise ConflictError(
                    f'project "{name}" has {count} stack{"s" if count > 1 else ""}',
                    code="project-in-use",
                    hint=f"take them away first: terrace list --project {name}",
                )
            writer.execute(SQL["credentials.delete_of_project"], (name,))
            if not writer.execute(SQL["projects.delete"], (name,)).rowcount:
                raise NotFoundError(f'there is no project "{name}"', hint="terrace project list")

        await self._database.write(work, synced=True)

    async def members(self, project: str) -> list[Member]:
        return [member(row) for row in await self._database.rows(SQL["projects.members"], (project,))]

    async def of_user(self, user: str) -> list[Member]:
        return [member(row) for row in await self._database.rows(SQL["projects.of_user"], (user, user))]

    async def admit(self, member: Member) -> None:
        await self._database.write(lambda writer: _admit(writer, member), synced=True)

    async def dismiss(self, member: Member) -> bool:
        def work(writer: Writer) -> bool:
            key = (member.project, member.kind, member.member)
            if not writer.execute(SQL["projects.delete_member"], key).rowcount:
                return False
            leaving = [member.member]
            if member.kind != USER:
                rows = writer.execute(SQL["user_groups.member_ids"], (member.member,)).fetchall()
                leaving = [row[0] for row in rows]
            for one in leaving:
                lost(writer, one, [member.project])
            return True

        return await self._database.write(work, synced=True)

    async def reach(self, project: str) -> list[Reach]:
        return [Reach(*row) for row in await self._database.rows(SQL["projects.reach"], (project,))]

    async def set_reach(self, project: str, reach: Sequence[Reach]) -> None:
        def work(writer: Writer) -> None:
            writer.execute(SQL["projects.clear_reach"], (project,))
            for one in dict.fromkeys(reach):
                writer.execute(SQL["projects.insert_reach"], (project, one.provider, one.region))

        await self._database.write(work, synced=True)


def _admit(writer: Writer, one: Member) -> None:
    words = (one.role, " ".join(one.granted), " ".join(one.denied), one.since)
    writer.execute(SQL["projects.set_member"], (one.project, one.kind, one.member, *words))
