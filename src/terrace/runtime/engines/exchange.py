"""What the one engine that lists a provider saw, given to the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from terrace.errors import TransientError
from terrace.model.record import Record
from terrace.model.seen import Ghost, NotSeen, Seen
from terrace.ports.engines import KEPT, Published
from terrace.runtime.engines.membership import Membership
from terrace.runtime.leases import Holding
from terrace.runtime.patience import PatientStore


class Report(msgspec.Struct, frozen=True):
    """One listing: when it `started`, by our clock; all that was shown, what had been adopted, and what is taken for
    ghosts; or why there is none."""

    started: float
    items: Sequence[Seen] = ()
    adopted: tuple[str, ...] = ()
    restored: bool = False
    ghosts: tuple[Ghost, ...] = ()
    trouble: NotSeen | None = None


class Exchange:
    """That of one provider. Whoever lists writes only what differs from what the store holds already; whoever reads
    reads only what is new to him. `on_change` is called when there is something for others to read."""

    def __init__(self, provider: str, membership: Membership) -> None:
        self.provider = provider
        self.said = Published(provider)
        self._membership = membership
        self._stored: dict[str, Seen] | None = None
        self._known: dict[str, Seen] = {}
        self._read = 0
        self._anew = False
        self._epoch = 0
        self._adopted: frozenset[str] = frozenset()
        self.on_change: Callable[[], None] = lambda: None

    @property
    def wanted(self) -> bool:
        """Whether somebody asks for a newer listing than there is."""
        return self.said.asked > self.said.answered

    async def ask(self) -> int:
        """Asks for a listing that begins from now on; the number that its answer reaches."""
        number = await self._membership.engines.ask(self.provider)
        self.on_change()
        return number

    def forget(self) -> None:
        """Everything is read anew: there are stacks here of whose things nothing was kept."""
        self._anew = True

    async def records(self, store: PatientStore, uid: str) -> list[Record]:
        """The records of the stack that has this uid, whoever works on it; none while that is not known."""
        try:
            stack = await self._membership.engines.whose(uid)
        except TransientError:
            return []
        return await store.records(stack) if stack else []

    # ---- whoever lists

    async def publish(self, holding: Holding, report: Report, answers: int) -> bool:
        """Tells the others, if there are any, how a listing went that began after `answers` had been asked for. False
        when the provider is another's to list by now."""
        if not self._membership.others or holding.lease is None:
            self._known.clear()
            return bool(holding.lease)
        if holding.epoch != self._epoch:
            self._stored, self._epoch = None, holding.epoch
        changes: list[tuple[str, Seen | None]] = []
        if report.trouble is None:
            changes = await self._changes({seen.provider_id: seen for seen in report.items})
        why, since = "", 0.0
        if report.trouble is not None:
            why, since = report.trouble.why, self._membership.theirs(report.trouble.since)
        listing = Published(
            self.provider,
            started=self._membership.theirs(report.started),
            answered=answers,
            why=why,
            since=since,
            restored=report.restored,
            adopted=report.adopted,
        )
        done = await self._membership.engines.publish(holding.lease, listing, changes, report.ghosts)
        self.on_change()
        if not done:
            self._stored = None
        return done

    async def _changes(self, shown: dict[str, Seen]) -> list[tuple[str, Seen | None]]:
        if self._stored is None:
            _, rows = await self._membership.engines.sightings(self.provider, 0)
            self._stored = {key: seen for key, seen in rows if seen is not None}
        before, self._stored = self._stored, shown
        changes: list[tuple[str, Seen | None]] = [
            (key, seen) for key, seen in shown.items() if before.get(key) != seen
        ]
        return changes + [(key, None) for key in before if key not in shown]

    # ---- whoever does not

    async def read(self, ours: Iterable[str]) -> Report | None:
        """The last listing, as far as it is about `ours` (uids) or what was adopted; None when nothing is new."""
        self._stored = None
        after, self._anew = 0 if self._anew else self._read, False
        listing, rows = await self._membership.engines.sightings(self.provider, after)
        if listing.number == after:
            return None
        adopted = frozenset(listing.adopted)
        if after and (listing.number - after >= KEPT or adopted - self._adopted):
            self._anew = True
            return await self.read(ours)
        self._adopted = adopted
        self._keep(rows, frozenset(ours), adopted, fresh=not after)
        self._read = listing.number
        trouble = NotSeen(self._membership.own(listing.since), listing.why) if listing.why else None
        started = self._membership.own(listing.started)
        items = tuple(self._known.values())
        return Report(started, items, listing.adopted, listing.restored, (), trouble)

    def _keep(
        self,
        rows: Sequence[tuple[str, Seen | None]],
        ours: frozenset[str],
        adopted: frozenset[str],
        *,
        fresh: bool,
    ) -> None:
        if fresh:
            self._known.clear()
        for key, seen in rows:
            if seen is not None and (key in adopted or (seen.owner is not None and seen.owner.uid in ours)):
                self._known[key] = seen
            else:
                self._known.pop(key, None)
