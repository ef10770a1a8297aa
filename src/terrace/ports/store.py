"""What remembers. One port, one contract suite, many databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

import msgspec

from terrace.model.catalogue import Offer
from terrace.model.event import EVERYTHING, Event, EventFilter
from terrace.model.graph import Found, Name, Use
from terrace.model.record import Record
from terrace.model.seen import Owner
from terrace.model.spec.quota import Amounts, Shortage
from terrace.model.stack import Directive, Generation, Lease, Stack
from terrace.ports.edge.pages import cursor


class Ruling(msgspec.Struct, frozen=True, gc=False):
    """An entry of the ledger, which overrides labels. `what`: "adopted" (the thing is that of `uid` and `incarnation`
    whatever its labels say), "disowned" (ours by its labels, and given up), "released" (adopted once, and given
    up), "restored" (no provider id: things
    there are newer than the database, and nobody has said yet what is right)."""

    provider: str
    provider_id: str
    what: str
    uid: str = ""
    stack: str = ""
    path: str = ""
    kind: str = ""
    incarnation: int = 0


class Commit(msgspec.Struct, frozen=True):
    """Everything that one turn of one stack writes, atomically. Refused (not raised) when `epoch` is no
    longer that of the stack's lease. `upserts` by (uid, incarnation), `removals` likewise; `head`
    replaces what the engine owns of the stack's row (phase, why, since, counts, settled), None leaves it;
    from a head of an older generation the phase is not taken. `settled` and `failed` mark generations;
    `generation` is a new one that the engine itself asks for (automatic rollback), saved only if it is
    still the next number. `heeded` are directives (path, name) that were carried out for good: they are taken
    away. `exports` are all outputs that are known, by name, and `uses` all that the stack reads of others (None: as
    before); from a head of an older generation neither is taken. `gone` removes the stack altogether, but only
    while its newest generation is a deleting one: what people want again by now stays, and `head` is not taken.
    `usage` is all that the stack takes of its project's quota (None: as before); from a head of an older generation it
    is not taken. `synced`: on disk before it returns."""

    stack: str
    epoch: int
    upserts: tuple[Record, ...] = ()
    removals: tuple[tuple[str, int], ...] = ()
    events: tuple[Event, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    unrulings: tuple[tuple[str, str], ...] = ()
    heeded: tuple[tuple[str, str], ...] = ()
    head: Stack | None = None
    settled: int = 0
    settled_at: float = 0.0
    failed: tuple[int, str] | None = None
    generation: Generation | None = None
    gone: bool = False
    synced: bool = False
    exports: dict[str, Any] | None = None
    uses: tuple[Use, ...] | None = None
    usage: dict[str, int] | None = None


class RecordQuery(msgspec.Struct, frozen=True):
    """A page of records as `Paging.record_page` is asked for it."""

    under: str = ""
    after: str = ""
    limit: int = 1000
    state: str = ""
    kind: str = ""


class RecordRow(msgspec.Struct, frozen=True):
    """A record as listed."""

    record: Record

    @property
    def place(self) -> tuple[str, int, str]:
        """Where it stands in the list."""
        return (self.record.path, self.record.incarnation, self.record.uid)

    @property
    def cursor(self) -> str:
        """The opaque text, fit for a URL, that continues the page after it."""
        return cursor(self.place)


class Desired(msgspec.Struct, frozen=True):
    """What a stack is to be, as of one moment: its head, its directives by path and name, its project's limits and what
    it holds of them (None: nothing is limited), which flavors it may use, and up to which mark somebody rang for it."""

    stack: Stack
    directives: tuple[Directive, ...]
    granted: tuple[Amounts, Amounts] | None
    offer: Offer
    mark: int


class Opening(Protocol):
    """Times are epoch seconds. Every write that people asked for is synced before it returns."""

    async def open(self) -> None:
        """Connects and migrates. ConflictError: locked by another server, from a newer version.
        TransientError: cannot be read or written."""

    async def close(self) -> None:
        """Lets go."""

    async def installation(self) -> str:
        """The installation's id, made at the first open and never changed."""


class Wishes(Protocol):
    """What people ask for: synced before it returns."""

    async def save_generation(
        self,
        stack: Stack,
        generation: Generation,
        expected: int | None,
        records: Sequence[Record] = (),
        *,
        force: bool = False,
    ) -> Stack:
        """A new desired state, synced. Makes the stack (by project and name) when there is none; `records` are what
        stands of a new one already (it was abandoned elsewhere).
        `generation.number` is replaced by the next number. `expected`: the number the caller believes is
        the newest (0: the stack must not exist; None: whatever); ConflictError if not so, and when stacks
        would use each other in a circle, or an output ends that another stack uses (unless `force`). What it takes of
        the project's quota (`usage`) is reserved with it; QuotaError when there is not as much. ConflictError when
        it was checked against flavors (`offer`) that are others by now."""

    async def bump_retries(self, stack: str) -> None:
        """Counts `retries` of the stack up by one, synced (a counter in what is desired)."""

    async def mark_forget(self, stack: str) -> None:
        """Sets `forget` of the stack, synced: what cannot be reached is given up."""

    async def rename(self, stack: str, name: str) -> None:
        """Another name for the stack, synced. ConflictError when a stack of its project has it."""

    async def direct(self, directives: Sequence[Directive]) -> None:
        """Puts each in the place of the one of the same stack, path and name; a value of None takes that away.
        All or none, synced. Those of a stack that does not exist are left out."""


class Reading(Protocol):
    """What is remembered."""

    async def find_stack(self, project: str, name: str) -> Stack | None:
        """By name."""

    async def stack(self, stack: str) -> Stack | None:
        """By id."""

    async def stacks(self, project: str | None = None) -> list[Stack]:
        """All, by name."""

    async def generation(self, stack: str, number: int) -> Generation | None:
        """One generation, whole."""

    async def generations(self, stack: str) -> list[Generation]:
        """All that are kept, newest first, without graph and source (those fields are empty)."""

    async def records(self, stack: str) -> list[Record]:
        """All of a stack."""

    async def directives(self, stack: str) -> list[Directive]:
        """All of a stack, by path and name."""

    async def known(self, owners: Sequence[Owner]) -> set[tuple[str, int]]:
        """Those (uid, incarnation) of `owners` that any record holds (any stack)."""

    async def holders(self, uids: Sequence[str]) -> list[tuple[str, Record]]:
        """The records of each of `uids`, every one with the id of its stack."""

    async def rulings(self, provider: str) -> list[Ruling]:
        """The ledger of a provider."""


class Paging(Protocol):
    """Long lists, a page at a time: up to `limit` entries after the place `after`."""

    async def stack_page(
        self, project: str, *, phase: str = "", name: str = "", after: str = "", limit: int = 1000
    ) -> list[Stack]:
        """Stacks of a project by name, those in one `phase` ("": all) whose names begin with `name`."""

    async def record_page(
        self,
        stack: str,
        *,
        under: str = "",
        after: str = "",
        limit: int = 1000,
        state: str = "",
        kind: str = "",
    ) -> list[RecordRow]:
        """Records ordered by path (then incarnation), those at or below path `under`, in one `state`, of one `kind`
        ("": of all), after cursor `after`."""

    async def directive_page(
        self, stack: str, what: str, *, path: str = "", after: tuple[str, str] = ("", ""), limit: int = 1000
    ) -> list[Directive]:
        """Directives of a stack by path and name, those whose names begin with `what`, of one `path` ("": of all)."""

    async def events(
        self,
        *,
        stack: str = "",
        after: int = 0,
        limit: int = 1000,
        newest: bool = False,
        only: EventFilter = EVERYTHING,
    ) -> list[Event]:
        """Events numbered above `after`, oldest first, of one stack or all (""), those that `only` fits; of a project
        also those of its stacks that are gone. `newest`: the last `limit` of them (still oldest first)."""


class Crossings(Protocol):
    """What stacks read of each other."""

    async def uses(self, stack: str) -> list[Use]:
        """What a stack reads of others, by path and name."""

    async def exports(self, stack: str) -> dict[str, Any]:
        """The outputs of a stack that are known."""

    async def imports(self, stack: str, names: Sequence[Name]) -> list[Found]:
        """What there is of each of `names` for a stack that reads it; nothing of a name that leads back to the
        stack itself."""

    async def readers(self, project: str, name: str) -> list[str]:
        """The ids of the stacks that read the one of that name."""

    async def hinder(self, stack: Stack, generation: Generation, *, force: bool = False) -> None:
        """ConflictError when other stacks stand in the way of such a generation, as save_generation would say."""


class Working(Protocol):
    """What whoever works on a stack asks."""

    async def desired(self, project: str, stack: str) -> Desired | None:
        """What a stack of a project is to be."""

    async def granted(self, project: str, stack: str) -> tuple[Amounts, Amounts] | None:
        """The project's limits and what the stack holds; None where nothing is limited."""

    async def offer(self, project: str) -> Offer:
        """Which flavors the project may use."""

    async def reserve(self, stack: str, wanted: Amounts) -> tuple[Shortage, ...]:
        """Has a stack hold at least `wanted`; what is short when there is not as much, and then nothing is reserved."""


class Writing(Protocol):
    """What the engine writes."""

    async def commit(self, commits: Sequence[Commit]) -> list[bool]:
        """All in one transaction; which were accepted (False: a stale epoch; nothing of that one is
        written). Synced if any asks for it."""

    async def publish(self, events: Sequence[Event]) -> None:
        """Events that belong to no turn (ghosts, providers)."""

    async def rule(self, rulings: Sequence[Ruling], unrulings: Sequence[tuple[str, str]] = ()) -> None:
        """Entries of the ledger that belong to no turn, and those (provider, provider id) that no longer hold.
        Synced."""

    async def acquire(self, scope: str, holder: str, duration: float) -> Lease | None:
        """Takes a lease that is free or expired (epoch + 1), or renews our own (same epoch); None when
        another holds it."""

    async def release(self, lease: Lease) -> None:
        """Gives a lease back; nothing happens when it is no longer ours."""

    async def prune(self, *, events_before: float, events_kept: int, generations_kept: int) -> None:
        """Drops events older than `events_before` and all but the newest `events_kept`; and generations
        beyond the newest `generations_kept` per stack, never the newest or the last settled."""


class Hinting(Protocol):
    """Between servers of one store: "look again", never anything that counts. Who hears nothing looks by himself."""

    async def notify(self, channel: str) -> None:
        """Tells all servers that listen; `channel` is up to 200 characters. It may be lost."""

    def hints(self) -> AsyncIterator[str]:
        """The channels that any server, this one too, told of since this was called; "" when some may have been lost.
        It ends at once where no other server can be, and else never."""


class Store(Opening, Wishes, Reading, Paging, Crossings, Working, Writing, Hinting, Protocol):
    """All of it. Times are epoch seconds."""
