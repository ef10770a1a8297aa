"""One PostgreSQL server for the session; each test has a schema of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from terrace.stores.postgres import Address, PostgresStore
from terrace.stores.postgres.migrating import migrate
from terrace.stores.queries import columns
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

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        connection.execute("CREATE TABLE hand_clock (at DOUBLE PRECISION NOT NULL)")
        connection.execute("INSERT INTO hand_clock VALUES (1000.0)")
        connection.execute(
            "CREATE FUNCTION now() RETURNS TIMESTAMPTZ LANGUAGE sql STABLE AS 'SELECT to_timestamp(at) FROM hand_clock'"
        )

    @property
    def time(self) -> float:
        row = self.connection.execute("SELECT at FROM hand_clock").fetchone()
        assert row is not None
        return float(row[0])

    @time.setter
    def time(self, value: float) -> None:
        self.connection.execute("UPDATE hand_clock SET at = %s", (value,))


class Reused:
    """A schema that many tests use, one after the other: emptying it is quicker than making another."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = psycopg.connect(url, autocommit=True)
        self.clock = DatabaseClock(self.connection)
        migrate(self.connection, "there")
        self._born = {name: self.connection.execute(f"TABLE {name}").fetchall() for name in columns()}

    def empty(self) -> None:
        """As a database in which nothing was kept yet."""
        try:
            self.connection.execute("SELECT 1")
        except psycopg.OperationalError:  # the server was restarted by a test
            self.connection = psycopg.connect(self.url, autocommit=True)
            self.clock.connection = self.connection
        for name in reversed(columns()):
            self.connection.execute(f"DELETE FROM {name}")
        for name, rows in self._born.items():
            for row in rows:
                self.connection.execute(f"INSERT INTO {name} VALUES ({', '.join(['%s'] * len(row))})", row)
        self.clock.time = 1000.0


@pytest.fixture(scope="session")
def reused(server: Server) -> Iterator[Reused]:
    made = Reused(server.schema())
    yield made
    made.connection.close()


@pytest.fixture
def clock(reused: Reused) -> DatabaseClock:
    reused.empty()
    return reused.clock


@pytest.fixture
async def store(reused: Reused, clock: DatabaseClock) -> AsyncIterator[PostgresStore]:
    made = PostgresStore(Address(reused.url), FlippedSecrets())
    await made.open()
    yield made
    await made.close()
