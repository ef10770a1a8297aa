"""A store in memory: the fake that ships. It forgets at a crash what was not synced, as a disk does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

import msgspec

from terrace.errors import InvariantError
from terrace.model.catalogue import Offer
from terrace.model.event import EVERYTHING, Event, EventFilter
from terrace.model.record import Record
from terrace.model.seen import Owner
from terrace.model.spec.quota import Amounts, Shortage
from terrace.model.stack import Directive, Generation, Lease, Stack
from terrace.ports.clock import Clock
from terrace.ports.secrets import Secrets
from terrace.ports.store import Commit, Desired, Ruling
from terrace.stores import marks, order
from terrace.stores.encoding import Encoding
from terrace.stores.heads import check_name, check_offer, desired, observed, surplus
from terrace.stores.in_memory import keys, quotas
from terrace.stores.in_memory.crossing import MemoryCrossings
from terrace.stores.in_memory.engines import MemoryEngines
from terrace.stores.in_memory.paging import MemoryPages
from terrace.stores.in_memory.tables import Row, Saved, Tables, Told
from terrace.stores.sealing.envelope import Envelope

Fault = Callable[[str], None]


class _Records:
    """What can be asked of a MemoryStore's records; ports.Store says what each method gives."""

    _tables: Tables
    _encoding: Encoding

    async def records(self, stack: str) -> list[Record]:
        rows = sorted(self._tables.records.get(stack, {}).values())
        return [self._encoding.read_record(row.body) for row in rows]

    async def known(self, owners: Sequence[Owner]) -> set[tuple[str, int]]:
        asked = {(owner.uid, owner.incarnation) for owner in owners}
        return {key for rows in self._tables.records.values() for key in rows.keys() & asked}

    async def holders(self, uids: Sequence[str]) -> list[tuple[str, Record]]:
        return [
            (stack, self._encoding.read_record(row.body))
            for stack, rows in self._tables.records.items()
            for (uid, _), row in rows.items()
            if uid in uids
        ]


class _Reading(_Records):
    """What else can be asked of a MemoryStore."""

    _installation: str

    async def installation(self) -> str:
        return self._installation

    async def find_stack(self, project: str, name: str) -> Stack | None:
        return self._tables.named(project, name)

    async def stack(self, stack: str) -> Stack | None:
        return self._tables.stacks.get(stack)

    async def stacks(self, project: str | None = None) -> list[Stack]:
        wanted = (s for s in self._tables.stacks.values() if project is None or s.project == project)
        return sorted(wanted, key=lambda s: (s.project, s.name))

    async def generation(self, stack: str, number: int) -> Generation | None:
        saved = self._tables.generations.get(stack, {}).get(number)
        if saved is None:
            return None
        return self._encoding.read_generation(saved.light, saved.content, saved.settled, saved.failed)

    async def generations(self, stack: str) -> list[Generation]:
        kept = sorted(self._tables.generations.get(stack, {}).items(), reverse=True)
        return [self._encoding.read_generation(s.light, None, s.settled, s.failed) for _, s in kept]

    async def directives(self, stack: str) -> list[Directive]:
        rows = sorted(self._tables.directives.get(stack, {}).items())
        return [self._encoding.read_directive(body) for _, body in rows]

    async def rulings(self, provider: str) -> list[Ruling]:
        found = [ruling for ruling in self._tables.rulings.values() if ruling.provider == provider]
        return sorted(found, key=lambda ruling: ruling.provider_id)

    async def events(
        self,
        *,
        stack: str = "",
        after: int = 0,
        limit: int = 1000,
        newest: bool = False,
        only: EventFilter = EVERYTHING,
    ) -> list[Event]:
        told, ours = self._tables.events, self._tables.of_project
        numbers = (
            number
            for number in sorted(told, reverse=newest)
            if number > after
            and (not stack or told[number].stack == stack)
            and (stack or not only.project or ours(told[number], only.project))
            and marks.fits(told[number].text, told[number].at, only)
        )
        found = [self._encoding.read_event(n, told[n].text) for n in islice(numbers, limit)]
        return found[::-1] if newest else found


class _Leasing(_Reading):
    """What needs a row and nothing else; ports.Store says what each method does."""

    fault: Fault | None
    _clock: Clock

    async def bump_retries(self, stack: str) -> None:
        with self._writing("bump_retries", synced=True) as tables:
            if present := tables.stacks.get(stack):
                row = msgspec.structs.replace(present, retries=present.retries + 1)
                tables.put(tables.stacks, stack, row)
                tables.ring(stack)

    async def mark_forget(self, stack: str) -> None:
        with self._writing("mark_forget", synced=True) as tables:
            if present := tables.stacks.get(stack):
                tables.put(tables.stacks, stack, msgspec.structs.replace(present, forget=True))
                tables.ring(stack)

    async def rename(self, stack: str, name: str) -> None:
        with self._writing("rename", synced=True) as tables:
            if present := tables.stacks.get(stack):
                check_name(present, tables.named(present.project, name), name)
                tables.put(tables.stacks, stack, msgspec.structs.replace(present, name=name))
                tables.ring(stack)

    async def desired(self, project: str, stack: str) -> Desired | None:
        found = await self.stack(stack)
        if found is None:
            return None
        directives, granted = await self.directives(stack), await self.granted(project, stack)
        mark, _ = self._tables.wakes.get(stack, (0, 0))
        return Desired(found, tuple(directives), granted, await self.offer(project), mark)

    async def granted(self, project: str, stack: str) -> tuple[Amounts, Amounts] | None:
        return quotas.granted(self._tables, project, stack)

    async def offer(self, project: str) -> Offer:
        return self._tables.offers.get(project, Offer())

    async def reserve(self, stack: str, wanted: Amounts) -> tuple[Shortage, ...]:
        with self._writing("reserve", synced=True) as tables:
            return quotas.ask(tables, stack, wanted)

    async def acquire(self, scope: str, holder: str, duration: float) -> Lease | None:
        with self._writing("acquire") as tables:
            now, held = self._clock.now(), tables.leases.get(scope)
            ours = held is not None and held.holder == holder
            if held is not None and not ours and held.holder and held.expires > now:
                return None
            epoch = held.epoch + (not ours) if held else 1
            lease = tables.leases[scope] = Lease(scope, holder, epoch, now + duration)
            return lease

    async def release(self, lease: Lease) -> None:
        with self._writing("release") as tables:
            held = tables.leases.get(lease.scope)
            if held and (held.holder, held.epoch) == (lease.holder, lease.epoch):
                tables.leases[lease.scope] = Lease(lease.scope, "", lease.epoch, 0.0)

    @contextmanager
    def _writing(self, operation: str, *, synced: bool = False) -> Iterator[Tables]:
        if self.fault:
            self.fault(f"{operation}:before")
        mark = self._tables.mark()
        try:
            yield self._tables
        except BaseException:
            self._tables.revert(mark)
            raise
        if synced:
            self._tables.sync()
        if self.fault:
            self.fault(f"{operation}:after")


class MemoryStore(_Leasing, MemoryCrossings, MemoryPages):
    """A store that lives as long as the object. `fault` is called with "<method>:before" and "<method>:after"
    around each write and may raise: before it nothing is written yet, after it everything is and the caller
    does not know."""

    def __init__(
        self, secrets: Secrets, clock: Clock, *, installation: str = "memory", fault: Fault | None = None
    ) -> None:
        self.fault = fault
        self._clock = clock
        self._installation = installation
        self._secrets = secrets
        self._encoding = Encoding(secrets)
        self._tables = Tables()
        self.engines = MemoryEngines(lambda: self._tables, clock)

    async def open(self) -> None:
        """What was written before stays. InvariantError when its data keys are wrapped by none of the master keys."""
        if isinstance(self._secrets, Envelope):
            keys.join(self._tables, self._secrets, self._clock.now())

    async def close(self) -> None:
        """Nothing to let go of."""

    def bury(self, member: str) -> None:
        """An engine is taken for dead, before its time and without its knowing."""
        self._tables.members.pop(member, None)

    def crash(self) -> None:
        """The power fails: what was written since the last synced write is gone."""
        self._tables.revert()

    async def save_generation(
        self,
        stack: Stack,
        generation: Generation,
        expected: int | None,
        records: Sequence[Record] = (),
        *,
        force: bool = False,
    ) -> Stack:
        with self._writing("save_generation", synced=True) as tables:
            present = tables.named(stack.project, stack.name)
            if present is None and stack.id in tables.stacks:
                raise InvariantError(f"two stacks cannot share the id {stack.id}")
            saved = desired(present, stack, generation, expected)
            self._check_crossings(saved, generation, force=force)
            check_offer(generation, tables.offers.get(saved.project, Offer()).version)
            tables.put(tables.stacks, saved.id, saved)
            self._save(tables, saved.id, saved.generation, generation)
            self._declare(saved, generation)
            quotas.reserve(tables, saved, generation, fresh=present is None)
            self._put_records(tables, saved.id, records)
            tables.ring(saved.id)
        return saved

    async def direct(self, directives: Sequence[Directive]) -> None:
        with self._writing("direct", synced=True) as tables:
            for one in directives:
                if one.stack in tables.stacks:
                    rows = tables.directives.setdefault(one.stack, {})
                    body = None if one.value is None else self._encoding.directive(one)
                    tables.put(rows, (one.path, one.what), body)
                    tables.ring(one.stack)

    async def commit(self, commits: Sequence[Commit]) -> list[bool]:
        with self._writing("commit", synced=any(commit.synced for commit in commits)) as tables:
            return [self._commit(tables, commit) for commit in commits]

    async def publish(self, events: Sequence[Event]) -> None:
        with self._writing("publish") as tables:
            self._tell(tables, events)

    async def rule(self, rulings: Sequence[Ruling], unrulings: Sequence[tuple[str, str]] = ()) -> None:
        with self._writing("rule", synced=True) as tables:
            self._rule(tables, rulings, unrulings)

    async def prune(self, *, events_before: float, events_kept: int, generations_kept: int) -> None:
        with self._writing("prune") as tables:
            for place, number in enumerate(sorted(tables.events, reverse=True)):
                if place >= events_kept or tables.events[number].at < events_before:
                    tables.put(tables.events, number, None)
            for stack in tables.stacks.values():
                saved = tables.generations[stack.id]
                pairs = [(number, one.restores) for number, one in saved.items()]
                for number in surplus(pairs, stack.settled, generations_kept):
                    tables.put(saved, number, None)
            tables.drop_old_leases(self._clock.now())

    async def notify(self, channel: str) -> None:
        """Nobody else is there."""

    async def hints(self) -> AsyncIterator[str]:
        others: tuple[str, ...] = ()
        for other in others:
            yield other

    def _save(self, tables: Tables, stack: str, number: int, generation: Generation) -> None:
        light, content = self._encoding.generation(msgspec.structs.replace(generation, number=number))
        marks = (generation.restores, generation.deleting, generation.settled, generation.failed)
        tables.put(tables.generations.setdefault(stack, {}), number, Saved(light, content, *marks))

    def _rule(self, tables: Tables, rulings: Sequence[Ruling], unrulings: Sequence[tuple[str, str]]) -> None:
        for pair in unrulings:
            tables.put(tables.rulings, pair, None)
        for ruling in rulings:
            tables.put(tables.rulings, (ruling.provider, ruling.provider_id), ruling)

    def _put_records(self, tables: Tables, stack: str, records: Sequence[Record]) -> None:
        rows = tables.records.setdefault(stack, {})
        for record in records:
            point = order.point(record.path, record.incarnation, record.uid)
            tables.put(rows, record.key, Row(point, self._encoding.record(record)))

    def _commit(self, tables: Tables, commit: Commit) -> bool:
        present, lease = tables.stacks.get(commit.stack), tables.leases.get(f"stack:{commit.stack}")
        if present is None or lease is None or not lease.holder or lease.epoch != commit.epoch:
            return False
        records = tables.records.setdefault(commit.stack, {})
        for key in commit.removals:
            tables.put(records, key, None)
        self._put_records(tables, commit.stack, commit.upserts)
        for place in commit.heeded:
            tables.put(tables.directives.setdefault(commit.stack, {}), place, None)
        self._rule(tables, commit.rulings, commit.unrulings)
        self._tell(tables, commit.events)
        if commit.gone or commit.exports is not None:
            tables.ring_readers(present)
        if commit.gone and tables.generations[commit.stack][present.generation].deleting:
            tables.remove(commit.stack)
        else:
            self._advance(tables, present, commit)
        return True

    def _advance(self, tables: Tables, present: Stack, commit: Commit) -> None:
        self._cross(commit, present)
        if commit.usage is not None and commit.head and commit.head.generation == present.generation:
            quotas.settle(tables, commit.stack, commit.usage)
        saved = tables.generations[commit.stack]
        if (one := saved.get(commit.settled)) and not one.settled:
            tables.put(saved, commit.settled, one._replace(settled=commit.settled_at))
        if commit.failed and (one := saved.get(commit.failed[0])):
            tables.put(saved, commit.failed[0], one._replace(failed=commit.failed[1]))
        row = observed(present, None if commit.gone else commit.head, commit.settled)
        asked = commit.generation
        if asked and asked.number == row.generation + 1:
            self._save(tables, commit.stack, asked.number, asked)
            self._declare(present, asked)
            row = msgspec.structs.replace(row, generation=asked.number, updated=asked.created)
        tables.put(tables.stacks, commit.stack, row)

    def _tell(self, tables: Tables, events: Sequence[Event]) -> None:
        for event in events:
            told = Told(event.stack, event.at, self._encoding.event(event))
            tables.last_event += 1
            tables.put(tables.events, tables.last_event, told)
