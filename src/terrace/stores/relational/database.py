"""What a database is to us. Everything that lies in tables is written and read through these protocols, so that it
is written once; SQLite and PostgreSQL each keep to them.

Queries are those of `terrace.stores.queries.SQL`, with `?` for values. Three words of ours are understood in them:
`instr(column, ?)` is where a value stands in bytes (0: nowhere), `clock()` the time that counts for everybody (epoch
seconds; the database's own where several servers use it), and `/* FOR UPDATE */` at the end of a SELECT keeps others
from its rows until the transaction ends. Migrations
(`stores/migrations`) are written in PostgreSQL's words and only add: servers of neighbouring versions use one
database side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Result(Protocol):
    """What a query gave."""

    @property
    def rowcount(self) -> int:
        """How many rows an INSERT, UPDATE or DELETE touched."""

    def fetchone(self) -> Any:
        """The next row, a tuple; None when there is no more."""

    def fetchall(self) -> list[Any]:
        """All rows that are left, tuples."""


class Writer(Protocol):
    """A connection inside a transaction."""

    def execute(self, query: str, values: Sequence[Any] = (), /) -> Result:
        """Runs a query. Values are text, integers, floats, bytes or None."""

    def executemany(self, query: str, rows: Iterable[Sequence[Any]], /) -> Any:
        """Runs a query once for each row of values, in their order."""


class Readable(Protocol):
    """A database that can be read."""

    async def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query gives, from what has been committed."""

    async def read(self, work: Callable[[Writer], T]) -> T:
        """What `work` gives, which only reads."""


class Database(Readable, Protocol):
    """Work that is handed over is a plain function: it may run in a thread and, when others were in the way, again
    from the start; so it changes nothing outside its transaction. TransientError: not now."""

    async def write(self, work: Callable[[Writer], T], *, synced: bool = False) -> T:
        """Runs `work` in one transaction, which is undone when it raises. Transactions of a process run in the order
        in which they were asked for. `synced`: on disk, with all that was written before, when this returns; and part
        of the request that is being carried out (stores.relational.requests): ConflictError when that is another's."""


class Openable(Database, Protocol):
    """A database with its connections, as a store has it."""

    async def open(self) -> None:
        """Connects and migrates; see ports.store.Opening."""

    async def close(self) -> None:
        """Lets what is being done finish, and lets go."""
