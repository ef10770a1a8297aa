"""Tokens and sessions, in tables."""

from __future__ import annotations

from terrace.ports.edge.pages import LAST
from terrace.ports.people import Credential, CredentialQuery, User
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database, Writer
from terrace.stores.relational.people.rows import credential, user

COLUMNS = 12


class RelationalCredentials:
    """See ports.people.Credentials."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, digest: str) -> tuple[Credential, User | None] | None:
        rows = await self._database.rows(SQL["credentials.by_digest"], (digest,))
        if not rows:
            return None
        own, owner = rows[0][:COLUMNS], rows[0][COLUMNS:]
        return credential(own), None if owner[0] is None else user(owner)

    async def add(self, credential: Credential) -> None:
        values = (
            credential.id,
            credential.digest,
            credential.kind,
            credential.owner or None,
            credential.project,
            credential.name,
            credential.role,
            " ".join(credential.rights),
            credential.created,
            credential.maker,
            credential.expires,
            credential.used,
        )
        await self._database.write(
            lambda writer: writer.execute(SQL["credentials.insert"], values), synced=True
        )

    async def listing(self, wanted: CredentialQuery) -> list[Credential]:
        query = "credentials.of_owner" if wanted.owner else "credentials.services"
        named = (wanted.kind, wanted.kind, wanted.name, wanted.name + LAST)
        values = (wanted.owner or wanted.project, *named, *wanted.after, wanted.limit)
        return [credential(row) for row in await self._database.rows(SQL[query], values)]

    async def get(self, credential_id: str) -> Credential | None:
        rows = await self._database.rows(SQL["credentials.by_id"], (credential_id,))
        return credential(rows[0]) if rows else None

    async def remove(self, credential: str) -> bool:
        return await self._database.write(
            lambda writer: writer.execute(SQL["credentials.delete"], (credential,)).rowcount > 0, synced=True
        )

    async def end_sessions(self, owner: str) -> int:
        return await self._database.write(
            lambda writer: writer.execute(SQL["credentials.end_sessions"], (owner,)).rowcount, synced=True
        )

    async def touch(self, credential: str, at: float) -> None:
        await self._database.write(lambda writer: writer.execute(SQL["credentials.touch"], (at, credential)))

    async def checked(self, user: str, at: float) -> None:
        await self._database.write(lambda writer: writer.execute(SQL["users.checked"], (at, user)))

    async def prune(self, now: float) -> int:
        def work(writer: Writer) -> int:
            return writer.execute(SQL["credentials.prune"], (now,)).rowcount

        return await self._database.write(work)
