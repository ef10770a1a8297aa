"""What work inside a transaction is given: queries of ours, sent on without waiting for their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import psycopg

from terrace.stores.postgres.arrays import column
from terrace.stores.postgres.dialect import bulk, translated
from terrace.stores.postgres.line import Connection, Line

T = TypeVar("T")
Cursor = psycopg.Cursor[tuple[Any, ...]]

_FEW = 3


class PipelineResult:
    """Implements stores.relational.Result over a cursor whose answer may not have come yet: `wait` waits for it."""

    def __init__(self, cursor: Cursor, wait: Callable[[], None]) -> None:
        self._cursor = cursor
        self._wait = wait

    @property
    def rowcount(self) -> int:
        """Waits for the answer."""
        self._wait()
        return self._cursor.rowcount

    def fetchone(self) -> Any:
        """Waits for the answer."""
        self._wait()
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        """Waits for the answer."""
        self._wait()
        return self._cursor.fetchall()


class PostgresWriter:
    """Implements stores.relational.Writer. `wait` ends a part of the stream: the server then knows that nothing follows
    at once, and how long it may hold rows for us."""

    def __init__(self, line: Line, connection: Connection, wait: Callable[[], None]) -> None:
        self._line = line
        self._connection = connection
        self._settle = wait
        self._answered = False

    def settle(self) -> None:
        """Waits for every answer that is still to come."""
        if not self._answered:
            self._settle()
            self._answered = True

    def execute(self, query: str, values: Sequence[Any] = (), /) -> PipelineResult:
        """See Writer."""
        self._line.heard()
        self._answered = False
        cursor = self._connection.cursor(binary=True)
        try:
            cursor.execute(translated(query), values)
        except psycopg.DataError as error:
            if error.sqlstate:
                raise
            cursor.execute(translated(query), _storable(values))
        return PipelineResult(cursor, self.settle)

    def executemany(self, query: str, rows: Iterable[Sequence[Any]], /) -> None:
        """See Writer. Plain inserts go as one statement."""
        many = list(rows)
        together = bulk(query) if len(many) > _FEW else None
        if together is None:
            for row in many:
                self.execute(query, row)
            return
        if together.key:
            many = list({tuple(row[place] for place in together.key): row for row in many}.values())
        columns = zip(together.kinds, zip(*many, strict=True), strict=True)
        self._answered = False
        cursor = self._connection.cursor()
        cursor.execute(together.query, [column(kind, values) for kind, values in columns])


def _storable(values: Sequence[Any]) -> list[Any]:
    """PostgreSQL's text has no NUL; what a provider said may have one."""
    return [value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in values]
