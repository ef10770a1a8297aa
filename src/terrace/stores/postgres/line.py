"""One connection to PostgreSQL; it is made again whenever it is lost.

What uses it are plain functions. They run on the event loop, each in a greenlet, which lets others go on while it waits
for the server: a thread would besides wait for its turn at the interpreter, five milliseconds each time that the loop
is busy."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, TypeVar

import psycopg
from greenlet import getcurrent, greenlet
from psycopg import waiting
from psycopg.abc import PQGen
from psycopg.adapt import AdaptersMap
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper

from terrace.errors import InvariantError
from terrace.stores.postgres import faults
from terrace.stores.postgres.address import Address
from terrace.stores.postgres.arrays import DUMPERS

T = TypeVar("T")

_LOOK = 0.1  # seconds after which psycopg looks around itself, as it does by default

# A server of ours that stands still must not hold others up: they end its session.
_IMPATIENCE = "SET lock_timeout = '1s'; SET idle_in_transaction_session_timeout = '5s'"

# One type for each of ours, so that one prepared statement serves all values.
_ADAPTED = AdaptersMap(psycopg.adapters)
_ADAPTED.register_dumper(int, Int8Dumper)
_ADAPTED.register_dumper(bool, Int8Dumper)
_ADAPTED.register_dumper(StrEnum, StrDumper)
for kind, dumper in DUMPERS.items():
    _ADAPTED.register_dumper(kind, dumper)


def waited(what: Awaitable[T]) -> T:
    """What `what` gives; others go on meanwhile. Only inside of Line.run."""
    outside = getcurrent().parent
    if outside is None:
        raise InvariantError("nobody waits for the server here")
    given: T = outside.switch(what)
    return given


def pause(seconds: float) -> None:
    """Only inside of Line.run."""
    waited(asyncio.sleep(seconds))


async def _run(call: Callable[[], T]) -> T:
    """What a plain function gives that calls `waited`."""
    inside = greenlet(call)
    inside.gr_context = getcurrent().gr_context
    wanted = inside.switch()
    while not inside.dead:
        try:
            given = await wanted
        except BaseException as error:
            wanted = inside.throw(error)
        else:
            wanted = inside.switch(given)
    result: T = wanted
    return result


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """One that waits on the event loop."""

    def wait(self, gen: PQGen[T], interval: float = _LOOK, timeout: float | None = None) -> T:
        """As psycopg's."""
        return waited(waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout))


class Mark(NamedTuple):
    """What tells a transaction from all others: its connection's name, and a number that rises there (microseconds)."""

    name: str
    number: int


class Line:
    """Calls run one after the other. One that hears nothing from the server for `patience` seconds (0: however long) is
    cut off, and fails as if the server had gone. `opening` is said first on every new connection."""

    def __init__(self, address: Address, patience: float, opening: str = "") -> None:
        self._address = address
        self._patience = patience
        self._opening = "; ".join(filter(None, (opening, _IMPATIENCE if patience else "")))
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._name, self._marked = "", 0
        self._heard = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self.fresh = False
        """Whether the connection was made for this call, or given up during it: another one will do no better."""

    async def run(self, call: Callable[[Line], T]) -> T:
        """What `call` gives. It ends even when the caller is cancelled: nobody else may use the connection until then.
        TransientError, InvariantError: what went wrong, in our words."""
        loop = asyncio.get_running_loop()
        running = loop.create_task(self._in_turn(call))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            while not running.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([running])
            if not running.cancelled():
                running.exception()  # nobody else asks for it
            raise

    async def close(self) -> None:
        """Ends the connection."""
        await self.run(lambda line: line.hang_up())

    async def _in_turn(self, call: Callable[[Line], T]) -> T:
        async with self._turn:
            loop = asyncio.get_running_loop()
            self._heard = time.monotonic()
            self._watch = loop.call_later(self._patience, self._look, loop) if self._patience else None
            try:
                return await _run(partial(self._call, call))
            finally:
                if self._watch is not None:
                    self._watch.cancel()

    # -- inside of a call -------------------------------------------------------------------------------------------

    def connection(self) -> Connection:
        """The connection, made when there is none."""
        self.heard()
        if self._connection is None or self._connection.closed:
            self.hang_up()
            # In a thread: it looks for files and asks for names, which waits.
            self._connection = waited(asyncio.to_thread(self._connect))
            self._name = f"writer:{os.urandom(8).hex()}"
            self.fresh = True
            self._open(self._connection)
        return self._connection

    def _connect(self) -> Connection:
        return Connection.connect(**self._address.parameters(), autocommit=True, context=_ADAPTED)

    def _open(self, connection: Connection) -> None:
        try:
            if self._opening:
                connection.execute(self._opening)
        except psycopg.Error:
            self.hang_up()  # it would be used as if that had been said
            raise

    def hang_up(self) -> None:
        """Lets the connection go."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def mark(self) -> Mark:
        """The next one of this connection."""
        self._marked = max(self._marked + 1, time.time_ns() // 1000)
        return Mark(self._name, self._marked)

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

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        left = self._heard + self._patience - time.monotonic()
        if left <= 0:
            self.cut()
        self._watch = loop.call_later(max(left, 0.5), self._look, loop)

    def cut(self) -> None:
        """Ends the conversation from outside of the call, which finds the server gone."""
        self.fresh = True
        if self._connection is not None and not self._connection.closed:
            with suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as peer:
                peer.shutdown(socket.SHUT_RDWR)


def is_cockroach(connection: Connection) -> bool:
    """Whether the server is CockroachDB, which has no notifications, and no order of its own for text to be told
    off."""
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
