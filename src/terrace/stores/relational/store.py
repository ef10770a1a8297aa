"""ports.Store over any database: what needs a transaction and no more than a few queries."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from terrace.errors import ConflictError, InvariantError
from terrace.model.event import Event
from terrace.model.stack import Lease
from terrace.ports.secrets import Secrets
from terrace.ports.store import Commit, Ruling
from terrace.stores.encoding import Encoding
from terrace.stores.queries import SQL
from terrace.stores.relational import writing
from terrace.stores.relational.crossing import Crossings
from terrace.stores.relational.database import Openable, Writer
from terrace.stores.relational.engines import RelationalEngines
from terrace.stores.relational.lists.pages import Paging
from terrace.stores.relational.sealed import keys
from terrace.stores.relational.wishes import Wishes
from terrace.stores.sealing import Envelope

A = TypeVar("A")
B = TypeVar("B")


class Together(Generic[A, B]):
    """Asked one by one, answered many at a time: those who come while a transaction runs share the next one. `answer`
    gives what was asked for each, in their order; when it raises, all of them fail alike."""

    def __init__(self, answer: Callable[[list[A]], Awaitable[list[B]]]) -> None:
        self._answer = answer
        self._waiting: list[tuple[A, asyncio.Future[B]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, what: A) -> B:
        """The answer to one."""
        future: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        self._waiting.append((what, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._go_on())
        return await future

    async def _go_on(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            waiting = [future for _, future in batch]
            try:
                answers = await self._answer([what for what, _ in batch])
            except BaseException as error:
                for future in waiting:
                    if not future.done():
                        future.set_exception(error)
                if not isinstance(error, Exception):
                    raise
                continue
            for future, answer in zip(waiting, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


class RelationalStore(Wishes, Crossings, Paging):
    """Implements ports.Store over any database; `place` names it in messages."""

    database: Openable

    lasting_leases: bool
    """Whether taking a lease is synced: where others may hold it after the database's computer failed."""

    def __init__(self, database: Openable, secrets: Secrets, place: str) -> None:
        self.database = database
        self._place = place
        self._secrets = secrets
        self._encoding = Encoding(secrets)
        self.engines = RelationalEngines(database, secrets)
        self._installation = ""
        self._leases = Together(self._acquire)

    async def open(self) -> None:
        """As in ports.Store. ConflictError, too, when the database was sealed with another key."""
        await self.database.open()
        try:
            self._installation = await self.database.write(self._introduce, synced=True)
        except BaseException:
            await self.database.close()
            raise

    async def close(self) -> None:
        await self.database.close()

    async def installation(self) -> str:
        return self._installation

    async def writable(self) -> None:
        """Tries whether something could be written now. ProviderError when not."""
        await self.database.write(lambda writer: None)

    async def commit(self, commits: Sequence[Commit]) -> list[bool]:
        return await self.database.write(
            lambda writer: writing.apply(writer, self._encoding, commits),
            synced=any(commit.synced for commit in commits),
        )

    async def publish(self, events: Sequence[Event]) -> None:
        await self.database.write(lambda writer: writing.tell(writer, self._encoding, events))

    async def rule(self, rulings: Sequence[Ruling], unrulings: Sequence[tuple[str, str]] = ()) -> None:
        await self.database.write(lambda writer: writing.rule(writer, rulings, unrulings), synced=True)

    async def acquire(self, scope: str, holder: str, duration: float) -> Lease | None:
        return await self._leases.ask((scope, holder, duration))

    async def release(self, lease: Lease) -> None:
        await self._execute("leases.release", lease.scope, lease.holder, lease.epoch)

    async def prune(self, *, events_before: float, events_kept: int, generations_kept: int) -> None:
        def work(writer: Writer) -> None:
            writer.execute(SQL["events.prune_count"], (events_kept,))
            writer.execute(SQL["events.prune_age"], (events_before,))
            writing.prune_generations(writer, generations_kept)
            writer.execute(SQL["leases.prune"])

        await self.database.write(work)

    async def notify(self, channel: str) -> None:
        """Nobody else is there."""

    async def hints(self) -> AsyncIterator[str]:
        others: tuple[str, ...] = ()
        for other in others:
            yield other

    async def _acquire(self, asked: list[tuple[str, str, float]]) -> list[Lease | None]:
        return await self.database.write(
            lambda writer: writing.acquire(writer, asked), synced=self.lasting_leases
        )

    def _introduce(self, writer: Writer) -> str:
        """The installation's id. A new database gets its identity."""
        installation = identify(writer, "installation", uuid.uuid4().hex[:20])
        try:
            if isinstance(self._secrets, Envelope):
                keys.join(writer, self._secrets, writer.execute(SQL["facts.clock"]).fetchone()[0])
            proof = identify(writer, "key-proof", self._secrets.seal(keys.PROOF).hex())
            self._secrets.unseal(bytes.fromhex(proof))
        except InvariantError as error:
            raise ConflictError(
                f"the key does not belong to the database {self._place}: {error.message}",
                hint=error.hint or "Put back the key file that was made with this database.",
                code="key-mismatch",
            ) from error
        return installation


def identify(writer: Writer, key: str, value: str) -> str:
    """The value of `key` that was given first: this one, or one given before."""
    writer.execute(SQL["facts.identify"], (key, value))
    found: str = writer.execute(SQL["facts.identity"], (key,)).fetchone()[0]
    return found
