"""People and their keys, in tables."""

from __future__ import annotations

from terrace.errors import ConflictError, NotFoundError
from terrace.ports.edge.pages import LAST
from terrace.ports.people import USER, SshKey, User, UserQuery
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database, Writer
from terrace.stores.relational.people.rows import free, user


class RelationalUsers:
    """See ports.people.Users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, name: str) -> User | None:
        rows = await self._database.rows(SQL["users.by_name"], (name,))
        return user(rows[0]) if rows else None

    async def listing(self, wanted: UserQuery = UserQuery()) -> list[User]:  # noqa: B008 -- a value
        values = (wanted.after, wanted.name, wanted.name + LAST, wanted.source, wanted.source, wanted.limit)
        return [user(row) for row in await self._database.rows(SQL["users.page"], values)]

    async def add(self, user: User) -> None:
        def work(writer: Writer) -> None:
            free(writer, "users.by_name", (user.name,), f'a user "{user.name}"')
            said = (user.id, user.name, user.title, user.source, user.password)
            flags = (int(user.admin), int(user.disabled), user.created, user.checked)
            writer.execute(SQL["users.insert"], (*said, *flags))

        await self._database.write(work, synced=True)

    async def change(self, user: User) -> None:
        def work(writer: Writer) -> None:
            before = _present(writer, user.id)
            if before.admin and not before.disabled and (user.disabled or not user.admin):
                _another_admin(writer, before)
            said = (user.name, user.title, user.source, user.password)
            flags = (int(user.admin), int(user.disabled), user.checked)
            writer.execute(SQL["users.update"], (*said, *flags, user.id))
            if user.disabled:
                writer.execute(SQL["credentials.delete_of_owner"], (user.id,))

        await self._database.write(work, synced=True)

    async def remove(self, user: str) -> None:
        def work(writer: Writer) -> None:
            before = _present(writer, user)
            if before.admin and not before.disabled:
                _another_admin(writer, before)
            writer.execute(SQL["projects.delete_memberships"], (USER, user))
            writer.execute(SQL["users.delete"], (user,))

        await self._database.write(work, synced=True)

    async def keys(self, user: str) -> list[SshKey]:
        return [SshKey(*row) for row in await self._database.rows(SQL["users.keys"], (user,))]

    async def add_key(self, key: SshKey) -> None:
        def work(writer: Writer) -> None:
            free(writer, "users.key", (key.owner, key.name), f'a key "{key.name}"')
            values = (key.owner, key.name, key.text, key.fingerprint, key.created)
            writer.execute(SQL["users.insert_key"], values)

        await self._database.write(work, synced=True)

    async def remove_key(self, user: str, name: str) -> bool:
        return await self._database.write(
            lambda writer: writer.execute(SQL["users.delete_key"], (user, name)).rowcount > 0, synced=True
        )


def _present(writer: Writer, identity: str) -> User:
    row = writer.execute(SQL["users.by_id"], (identity,)).fetchone()
    if row is None:
        raise NotFoundError("there is no such user any more", hint="terrace user list")
    return user(row)


def _another_admin(writer: Writer, leaving: User) -> None:
    """ConflictError unless somebody else administers the installation. The rows stay as they are until this transaction
    ends, so that two cannot leave at once."""
    admins = {row[0] for row in writer.execute(SQL["users.admins"]).fetchall()}
    if not admins - {leaving.id}:
        raise ConflictError(
            f'"{leaving.name}" is the last administrator of the installation',
            code="last-admin",
            hint="make somebody else one first: terrace user change NAME --admin",
        )
