"""Requests that may be repeated, in a table: ports.requests over any database.

A row's status is 0 while nothing was written for the request, 1 from then on, and then that of its answer. What it is
for has the name of whoever carries it out behind it, a server's process, so that none ends what another began."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TypeVar

import msgspec

from terrace.errors import ConflictError, InvariantError
from terrace.ports.edge.requests import CLAIM, CLAIMED, KEPT, Answer, Claim, Earlier
from terrace.ports.secrets import Secrets
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database, Writer

T = TypeVar("T")

_BY = " by "


def claimed(work: Callable[[Writer], T]) -> Callable[[Writer], T]:
    """The same work, which also says that something was written for the request that is being carried out, if there is
    one. ConflictError: another server took that over, since we were silent for so long."""
    claim = CLAIM.get()
    if claim is None or claim.carrier is None or claim.carrier is not _task():
        return work
    key = (claim.actor, claim.name, claim.mark)

    def marking(writer: Writer) -> T:
        if writer.execute(SQL["requests.mark"], key).rowcount != 1:
            raise ConflictError(
                "another server carries this request out",
                hint="Send it again, with the same Idempotency-Key: then its answer is there.",
                code="request-under-way",
            )
        return work(writer)

    return marking


def _task() -> object | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # there is no loop: nobody asked over HTTP
        return None


class RelationalRequests:
    """Implements ports.Requests. Answers are sealed by `secrets`."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets
        self._holder = os.urandom(8).hex()

    async def begin(self, actor: str, name: str, digest: str) -> Earlier | None:
        mark = self.claim(actor, name, digest).mark

        def work(writer: Writer) -> tuple[str, int, bytes | None, int] | None:
            if writer.execute(SQL["requests.claim"], (actor, name, mark, KEPT, CLAIMED)).rowcount == 1:
                return None
            found: tuple[str, int, bytes | None, int] = writer.execute(
                SQL["requests.find"], (CLAIMED, actor, name)
            ).fetchone()
            return found

        found = await self._database.write(work)
        if found is None:
            return None
        marked, status, sealed, old = found
        before, _, holder = marked.partition(_BY)
        if sealed is None:
            return Earlier(before, None, lost=bool(status) and bool(old or holder == self._holder))
        try:
            return Earlier(before, msgspec.msgpack.decode(self._secrets.unseal(bytes(sealed)), type=Answer))
        except InvariantError:  # the key that sealed it is gone: it is as if it had never been asked
            await self._execute("requests.forget", actor, name)
            return await self.begin(actor, name, digest)

    def claim(self, actor: str, name: str, digest: str) -> Claim:
        return Claim(actor, name, f"{digest}{_BY}{self._holder}")

    async def renew(self, claim: Claim) -> None:
        await self._execute("requests.renew", claim.actor, claim.name, claim.mark)

    async def finish(self, claim: Claim, answer: Answer) -> None:
        sealed = self._secrets.seal(msgspec.msgpack.encode(answer))
        await self._execute("requests.finish", answer.status, sealed, claim.actor, claim.name, claim.mark)

    async def release(self, claim: Claim, *, refused: bool = False) -> None:
        query = "requests.refuse" if refused else "requests.release"
        await self._execute(query, claim.actor, claim.name, claim.mark)

    async def abandon(self) -> None:
        await self._execute("requests.abandon")
        await self._execute("requests.orphan", 2 * CLAIMED)

    async def prune(self) -> None:
        await self._execute("requests.prune", KEPT)

    async def _execute(self, query: str, *values: object) -> None:
        await self._database.write(lambda writer: writer.execute(SQL[query], values))
