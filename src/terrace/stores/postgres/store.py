"""A store in PostgreSQL, for as many servers as there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from terrace.errors import TransientError
from terrace.ports.secrets import Secrets
from terrace.ports.store import Commit
from terrace.stores.postgres.address import Address
from terrace.stores.postgres.connection import PostgresDatabase
from terrace.stores.postgres.hints import CHANNEL, listened
from terrace.stores.postgres.line import Mark
from terrace.stores.postgres.transaction import UnsureError
from terrace.stores.relational.store import RelationalStore

PATIENCE = 15.0


_NOTIFY = f"SELECT pg_notify('{CHANNEL}', ?)"


class _Doubt(NamedTuple):
    commits: list[Commit]
    mark: Mark
    verdicts: list[bool]


class PostgresStore(RelationalStore):
    """Implements ports.Store on the database at `address`, which must be there; its tables are made when they are
    missing. The time of leases is the database's."""

    lasting_leases = True
    database: PostgresDatabase

    def __init__(self, address: Address, secrets: Secrets, *, patience: float = PATIENCE) -> None:
        database = PostgresDatabase(address, patience)
        super().__init__(database, secrets, database.place)
        self._doubt: _Doubt | None = None

    async def notify(self, channel: str) -> None:
        """As in ports.Store."""
        with suppress(TransientError):
            if self.database.notifies:
                await self.database.rows(_NOTIFY, (channel,))

    def hints(self) -> AsyncIterator[str]:
        """As in ports.Store."""
        return listened(self.database.line())

    async def commit(self, commits: Sequence[Commit]) -> list[bool]:
        """As in ports.Store. Commits that are asked for again, because the server went away in the middle, are not
        written twice."""
        doubt, self._doubt = self._doubt, None
        if doubt is not None and doubt.commits == list(commits):
            try:
                done = await self.database.outcome(doubt.mark)
            except TransientError:
                self._doubt = doubt
                raise
            if done:
                return doubt.verdicts
        try:
            return await super().commit(commits)
        except UnsureError as error:
            self._doubt = _Doubt(list(commits), error.mark, error.result)
            raise
