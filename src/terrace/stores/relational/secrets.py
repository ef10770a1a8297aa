"""Secrets of projects in tables: ports.vault over any database."""

from __future__ import annotations

from typing import Any

from terrace.model.graph import Found, Name
from terrace.model.value import Secret
from terrace.ports.clock import Clock
from terrace.ports.edge.pages import LAST
from terrace.ports.secrets import Secrets
from terrace.ports.vault import Kept, Stored, Version
from terrace.stores.encoding import Encoding
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database, Writer
from terrace.stores.vault import absent, in_use, unknown


class RelationalVault:
    """Implements ports.Vault. Values are sealed by `secrets`."""

    def __init__(self, database: Database, secrets: Secrets, clock: Clock) -> None:
        self._database = database
        self._encoding = Encoding(secrets)
        self._clock = clock

    async def put(self, project: str, name: str, value: str, who: str) -> Stored:
        body = self._encoding.value(Secret(value))
        now = self._clock.now()

        def work(writer: Writer) -> Stored:
            version = _insert(writer, (project, name), (body, who, now))
            writer.execute(SQL["secrets.empty_older"], (project, name, version))
            return Stored(version, _rouse(writer, project, name))

        return await self._database.write(work, synced=True)

    async def listing(
        self, project: str, *, name: str = "", after: str = "", limit: int = 1000
    ) -> list[Kept]:
        page = (project, project, after, name, name + LAST, limit)

        def work(reader: Writer) -> list[Kept]:
            versions: dict[str, list[Version]] = {}
            for one, *rest in reader.execute(SQL["secrets.page"], page).fetchall():
                versions.setdefault(one, []).append(Version(*rest))
            used: dict[str, list[str]] = {}
            between = (project, min(versions, default=""), max(versions, default=""))
            for one, stack in reader.execute(SQL["secrets.used"], between).fetchall():
                used.setdefault(one, []).append(stack)
            return [Kept(one, tuple(found), tuple(used.get(one, ()))) for one, found in versions.items()]

        return await self._database.read(work)

    async def names(self, project: str) -> list[str]:
        return [name for (name,) in await self._database.rows(SQL["secrets.names"], (project,))]

    async def remove(self, project: str, name: str, *, force: bool = False) -> Stored:
        def work(writer: Writer) -> Stored:
            row = writer.execute(SQL["secrets.newest"], (project, name)).fetchone()
            if row is None:
                raise unknown(name)
            used = writer.execute(SQL["secrets.used"], (project, name, name)).fetchall()
            users = [stack for _, stack in used]
            if users and not force:
                raise in_use(name, users)
            writer.execute(SQL["secrets.delete"], (project, name))
            return Stored(row[0], _rouse(writer, project, name))

        return await self._database.write(work, synced=True)

    async def value(self, project: str, name: str) -> Secret | None:
        rows = await self._database.rows(SQL["secrets.newest"], (project, name))
        return self._encoding.read_value(rows[0][1]) if rows else None


def find(reader: Writer, encoding: Encoding, name: Name) -> Found:
    """What a stack gets to see of a secret."""
    row = reader.execute(SQL["secrets.newest"], (name.project, name.output)).fetchone()
    if row is None:
        return Found(name, why=absent(name.output))
    return Found(name, ({"value": encoding.read_value(row[1]), "version": row[0]},))


def _insert(writer: Writer, key: tuple[str, str], rest: tuple[Any, ...]) -> int:
    """The number of the version that was written; others may be writing one at the same time."""
    while True:
        version: int = writer.execute(SQL["secrets.next"], key).fetchone()[0]
        if writer.execute(SQL["secrets.insert"], (*key, version, *rest)).rowcount:
            return version


def _rouse(writer: Writer, project: str, name: str) -> tuple[str, ...]:
    """Has every stack that reads the secret looked at again, whichever engine has it; their ids."""
    stacks = [stack for (stack,) in writer.execute(SQL["secrets.users"], (project, name)).fetchall()]
    for stack in stacks:
        writer.execute(SQL["stacks.bump_retries"], (stack,))
        writer.execute(SQL["wakes.ring"], (stack,))
    return tuple(stacks)
