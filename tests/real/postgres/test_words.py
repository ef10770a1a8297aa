"""PostgreSQL understands every query of ours; and secrets of projects lie in it as in SQLite."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from terrace.stores.postgres import PostgresStore
from terrace.stores.postgres.dialect import bulk, translated
from terrace.stores.postgres.migrating import migrate
from terrace.stores.queries import SQL, columns, keys
from terrace.stores.relational.secrets import RelationalVault
from tests.contracts.store.samples import FlippedSecrets, HandClock
from tests.contracts.vault.test_vault import *  # noqa: F403
from tests.contracts.vault.test_vault import Pair
from tests.real.postgres.rig import Server


@pytest.fixture(scope="module")
def migrated(server: Server) -> Iterator[psycopg.Connection]:
    """A connection to a schema with all our tables."""
    with psycopg.connect(server.schema(), autocommit=True) as connection:
        migrate(connection, "there")
        yield connection


@pytest.fixture
async def pair(store: PostgresStore) -> Pair:
    clock, secrets = HandClock(), FlippedSecrets()
    return Pair(store, RelationalVault(store.database, secrets, clock), clock)


def prepared(connection: psycopg.Connection, text: str) -> None:
    """PostgreSQL reads a query, and finds every table, column and type in it."""
    numbers = iter(range(1, 100))
    numbered = re.sub(r"%s", lambda _: f"${next(numbers)}", text).replace("%%", "%")
    connection.execute(f"PREPARE one AS {numbered}", prepare=False)
    connection.execute("DEALLOCATE one", prepare=False)


@pytest.mark.parametrize("name", sorted(SQL))
def test_every_query_is_understood(name: str, migrated: psycopg.Connection) -> None:
    query = SQL[name].replace("?*", "?, ?")
    # A condition that others are narrowed by is none.
    if not re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", query):
        query = f"SELECT 1 FROM {name.partition('.')[0]} WHERE {query}"
    prepared(migrated, translated(query))
    if together := bulk(query):
        prepared(migrated, together.query)


def test_tables_are_as_we_think(migrated: psycopg.Connection) -> None:
    found: dict[str, dict[str, str]] = {}
    asked = """SELECT table_name, column_name, data_type, collation_name FROM information_schema.columns
        WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"""
    for table, column, kind, collation in migrated.execute(asked):
        assert (kind == "text") == (collation == "C"), f"{table}.{column}"
        found.setdefault(table, {})[column] = kind.upper()
    del found["schema_version"]
    assert found == columns()
    assert all(set(key) <= set(columns()[table]) for table, key in keys().items())
