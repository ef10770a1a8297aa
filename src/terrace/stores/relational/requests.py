"""Requests that may be repeated, in a table: ports.requests over any database."""

from __future__ import annotations

import msgspec

from terrace.errors import InvariantError
from terrace.ports.edge.requests import CLAIM, KEPT, Answer, Earlier
from terrace.ports.secrets import Secrets
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database, Writer


class RelationalRequests:
    """Implements ports.Requests. Answers are sealed by `secrets`."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets

    async def begin(self, actor: str, name: str, digest: str) -> Earlier | None:
        def work(writer: Writer) -> tuple[str, int, bytes | None] | None:
            if writer.execute(SQL["requests.claim"], (actor, name, digest, KEPT, CLAIM)).rowcount == 1:
                return None
            found: tuple[str, int, bytes | None] = writer.execute(
                SQL["requests.find"], (actor, name)
            ).fetchone()
            return found

        found = await self._database.write(work)
        if found is None:
            return None
        before, status, sealed = found
        if not status or sealed is None:
            return Earlier(before, None)
        try:
            return Earlier(before, msgspec.msgpack.decode(self._secrets.unseal(bytes(sealed)), type=Answer))
        except InvariantError:  # the key that sealed it is gone: it is as if it had never been asked
            await self._execute("requests.forget", actor, name)
            return await self.begin(actor, name, digest)

    async def finish(self, actor: str, name: str, answer: Answer) -> None:
        sealed = self._secrets.seal(msgspec.msgpack.encode(answer))
        await self._execute("requests.finish", answer.status, sealed, actor, name)

    async def release(self, actor: str, name: str) -> None:
        await self._execute("requests.release", actor, name)

    async def abandon(self) -> None:
        await self._execute("requests.abandon")

    async def prune(self) -> None:
        await self._execute("requests.prune", KEPT)

    async def _execute(self, query: str, *values: object) -> None:
        await self._database.write(lambda writer: writer.execute(SQL[query], values))
