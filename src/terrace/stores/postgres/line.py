"""One connection to PostgreSQL, used by a thread of its own; it is made again whenever it is lost."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import StrEnum
from typing import Any, TypeVar

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper

from terrace.stores.postgres import faults
from terrace.stores.postgres.address import Address
from terrace.stores.postgres.arrays import DUMPERS

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]

# A server of ours that stands still must not hold others up: they end its session.
_IMPATIENCE = "SET lock_timeout = '1s'; SET idle_in_transaction_session_timeout = '5s'"

# One type for each of ours, so that one prepared statement serves all values.
_ADAPTED = AdaptersMap(psycopg.adapters)
_ADAPTED.register_dumper(int, Int8Dumper)
_ADAPTED.register_dumper(bool, Int8Dumper)
_ADAPTED.register_dumper(StrEnum, StrDumper)
for kind, dumper in DUMPERS.items():
    _ADAPTED.register_dumper(kind, dumper)


class Line:
    """Calls run one after the other. One that hears nothing from the server for `patience` seconds (0: however long) is
    cut off, and fails as if the server had gone."""

    def __init__(self, address: Address, name: str, patience: float) -> None:
        self._address = address
        self._patience = patience
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connection: Connection | None = None
        self._guard = threading.Lock()
        self._heard = 0.0
        self.fresh = False
        """Whether the connection was made for this call, or given up during it: another one will do no better."""

    async def run(self, call: Callable[[Line], T]) -> T:
        """What `call` gives in the thread. It ends even when the caller is cancelled: nobody else may use the
        connection until then. TransientError, InvariantError: what went wrong, in our words."""
        loop = asyncio.get_running_loop()
        self._heard = time.monotonic()
        future = loop.run_in_executor(self._thread, self._call, call)
        watch = loop.call_later(self._patience, self._look, loop, future) if self._patience else None
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([future])
            if not future.cancelled():
                future.exception()  # nobody else asks for it
            raise
        finally:
            if watch is not None:
                watch.cancel()

    async def close(self) -> None:
        """Ends the connection and the thread."""
        await self.run(lambda line: line.hang_up())
        self._thread.shutdown()

    # -- inside the thread ------------------------------------------------------------------------------------------

    def connection(self) -> Connection:
        """The connection, made when there is none."""
        self.heard()
        if self._connection is None or self._connection.closed:
            self.hang_up()
            parameters = self._address.parameters()
            made = psycopg.connect(**parameters, autocommit=True, context=_ADAPTED)
            if self._patience:
                made.execute(_IMPATIENCE)
            with self._guard:
                self._connection = made
            self.fresh = True
        return self._connection

    def hang_up(self) -> None:
        """Lets the connection go."""
        with self._guard:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def heard(self) -> None:
        """The server gave a sign of life."""
        self._heard = time.monotonic()

    @property
    def lost(self) -> bool:
        """Whether there is no connection any more."""
        return self._connection is None or self._connection.broken or self._connection.closed

    def _call(self, call: Callable[[Line], T]) -> T:
        self.fresh = False
        try:
            return call(self)
        except psycopg.Error as error:
            if self.lost:
                self.hang_up()
            raise faults.translated(error, str(self._address)) from error

    # -- on the event loop ------------------------------------------------------------------------------------------

    def _look(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]) -> None:
        left = self._heard + self._patience - time.monotonic()
        if future.done():
            return
        if left <= 0:
            self.cut()
        loop.call_later(max(left, 0.5), self._look, loop, future)

    def cut(self) -> None:
        """Ends the conversation from outside the thread, which finds the server gone."""
        with self._guard:
            self.fresh = True
            if self._connection is not None and not self._connection.closed:
                with suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as peer:
                    peer.shutdown(socket.SHUT_RDWR)


def is_cockroach(connection: Connection) -> bool:
    """Whether the server is CockroachDB, which has no notifications, no order of its own for text to be told off, and
    no transaction numbers."""
    return connection.info.parameter_status("crdb_version") is not None


def retried(call: Callable[[Line], T]) -> Callable[[Line], T]:
    """The same, again at once if an old connection turned out to be dead: the server was restarted meanwhile."""

    def twice(line: Line) -> T:
        try:
            return call(line)
        except psycopg.Error:
            if line.fresh or not line.lost:
                raise
            line.hang_up()
            return call(line)

    return twice
