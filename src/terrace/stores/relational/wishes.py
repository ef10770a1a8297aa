"""What people ask of a RelationalStore."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from terrace.model.catalogue import Offer
from terrace.model.record import Record
from terrace.model.spec.quota import Amounts, Shortage
from terrace.model.stack import Directive, Generation, Stack
from terrace.ports.store import Desired
from terrace.stores.queries import SQL
from terrace.stores.relational import flavors, quotas, writing
from terrace.stores.relational.database import Writer
from terrace.stores.relational.reading import Reading, stack_of


class Wishes(Reading):
    """The wishes of ports.Store, and what whoever works on a stack asks; it says what each does."""

    async def save_generation(
        self,
        stack: Stack,
        generation: Generation,
        expected: int | None,
        records: Sequence[Record] = (),
        *,
        force: bool = False,
    ) -> Stack:
        asked = writing.Asked(stack, generation, expected, records, force)
        return await self.database.write(
            lambda writer: writing.save_generation(writer, self._encoding, asked), synced=True
        )

    async def bump_retries(self, stack: str) -> None:
        await self._mark("stacks.bump_retries", stack)

    async def mark_forget(self, stack: str) -> None:
        await self._mark("stacks.mark_forget", stack)

    async def rename(self, stack: str, name: str) -> None:
        await self.database.write(lambda writer: writing.rename(writer, stack, name), synced=True)

    async def direct(self, directives: Sequence[Directive]) -> None:
        await self.database.write(
            lambda writer: writing.direct(writer, self._encoding, directives), synced=True
        )

    async def desired(self, project: str, stack: str) -> Desired | None:
        def work(reader: Writer) -> tuple[Offer, list[list[Any]]]:
            asked = (
                reader.execute(SQL["stacks.by_id"], (stack,)),
                reader.execute(SQL["directives.of_stack"], (stack,)),
                reader.execute(SQL["quotas.limits"], (project,)),
                reader.execute(SQL["quotas.of_stack"], (stack,)),
                reader.execute(SQL["wakes.of"], (stack,)),
            )
            return flavors.offered(reader, project), [one.fetchall() for one in asked]

        offer, (row, directives, limits, held, wakes) = await self.database.read(work)
        head = stack_of(row)
        if head is None:
            return None
        return Desired(
            head,
            tuple(self._encoding.read_directive(body) for (body,) in directives),
            (dict(limits), dict(held)) if limits else None,
            offer,
            wakes[0][0] if wakes else 0,
        )

    async def granted(self, project: str, stack: str) -> tuple[Amounts, Amounts] | None:
        return await self.database.read(lambda reader: quotas.granted(reader, project, stack))

    async def offer(self, project: str) -> Offer:
        return await self.database.read(lambda reader: flavors.offered(reader, project))

    async def reserve(self, stack: str, wanted: Amounts) -> tuple[Shortage, ...]:
        return await self.database.write(lambda writer: quotas.ask(writer, stack, wanted), synced=True)

    async def _mark(self, name: str, stack: str) -> None:
        def work(writer: Writer) -> None:
            writer.execute(SQL[name], (stack,))
            writing.ring(writer, stack)

        await self.database.write(work, synced=True)

    async def _execute(self, name: str, *values: str | int, synced: bool = False) -> None:
        def work(writer: Writer) -> None:
            writer.execute(SQL[name], values)

        await self.database.write(work, synced=synced)
