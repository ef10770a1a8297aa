"""One PostgreSQL server for the session; each test has a schema of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from terrace.stores.postgres import Address, PostgresStore
from tests.contracts.store.samples import FlippedSecrets
from tests.real.postgres.rig import Server, private_server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with private_server("fsync=off", "max_connections=200", "shared_buffers=64MB") as made:
        yield made


@pytest.fixture
def url(server: Server) -> str:
    """An empty schema."""
    return server.schema()


class DatabaseClock:
    """The clock of a database, set by hand: `now()` is a function of ours in its schema."""

    def __init__(self, url: str) -> None:
        # Our schema alone: what is built in is looked for after it only when it is named so.
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("CREATE TABLE hand_clock (at DOUBLE PRECISION NOT NULL)")
        self._connection.execute("INSERT INTO hand_clock VALUES (1000.0)")
        self._connection.execute(
            "CREATE FUNCTION now() RETURNS TIMESTAMPTZ LANGUAGE sql STABLE AS 'SELECT to_timestamp(at) FROM hand_clock'"
        )

    @property
    def time(self) -> float:
        row = self._connection.execute("SELECT at FROM hand_clock").fetchone()
        assert row is not None
        return float(row[0])

    @time.setter
    def time(self, value: float) -> None:
        self._connection.execute("UPDATE hand_clock SET at = %s", (value,))

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def clock(url: str) -> Iterator[DatabaseClock]:
    made = DatabaseClock(url)
    yield made
    made.close()


@pytest.fixture
async def store(url: str, clock: DatabaseClock) -> AsyncIterator[PostgresStore]:
    made = PostgresStore(Address(url), FlippedSecrets())
    await made.open()
    yield made
    await made.close()
