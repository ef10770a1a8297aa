"""A PostgreSQL database that commands work on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from terrace.errors import ConflictError
from terrace.stores.postgres import Address, PostgresStore
from terrace.stores.postgres.connection import PostgresDatabase
from terrace.stores.relational.store import RelationalStore
from terrace.stores.upkeep.ground import Keys

_PATIENCE = 600.0
"""Seconds; one statement of a copy may take long."""


class PostgresGround:
    """The database at `address`."""

    def __init__(self, address: Address, keys: Keys) -> None:
        self._address = msgspec.structs.replace(address, name="terrace-db")
        self.place = str(address)
        self._keys = keys

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[PostgresDatabase]:
        """See Ground."""
        database = self._store().database
        database.connect()
        try:
            yield database
        finally:
            await database.close()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[RelationalStore]:
        """See Ground."""
        async with self.beside() as database:
            if servers := await database.servers():
                raise ConflictError(
                    f"the database {self.place} is used by servers ({servers} connections)",
                    hint="Stop them first: terrace server stop, on every machine.",
                    code="store-in-use",
                )
        async with self.migrating() as store:
            yield store

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[RelationalStore]:
        """See Ground."""
        store = self._store()
        await store.open()
        try:
            yield store
        finally:
            await store.close()

    async def schema(self) -> int:
        """See Ground."""
        store = self._store()
        store.database.connect()
        try:
            return await store.database.schema()
        finally:
            await store.close()

    async def damage(self) -> list[str]:
        """PostgreSQL says so itself when it reads what is damaged."""
        return []

    def _store(self) -> PostgresStore:
        return PostgresStore(self._address, self._keys.secrets(), patience=_PATIENCE)
