"""What the tests of stores share: a clock that is set by hand, secrets sealed without a key file, small values."""

from __future__ import annotations

from typing import Any

from terrace.errors import InvariantError
from terrace.model.event import Event
from terrace.model.graph import Graph, Node
from terrace.model.record import Record, State
from terrace.model.stack import Generation, Lease, Source, Stack
from terrace.ports.store import Commit, Store


class HandClock:
    """Stands still until it is moved."""

    def __init__(self, now: float = 1000.0) -> None:
        self.time = now

    def now(self) -> float:
        return float(self.time)

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class FlippedSecrets:
    """Seals by flipping bits: deterministic, needs no file, and still not in the clear."""

    def seal(self, data: bytes) -> bytes:
        return b"!" + bytes(byte ^ 0xFF for byte in data)

    def unseal(self, data: bytes) -> bytes:
        if data[:1] != b"!":
            raise InvariantError("not sealed here")
        return bytes(byte ^ 0xFF for byte in data[1:])

    def digest(self, data: bytes) -> str:
        return data.hex()


def a_stack(name: str = "shop", project: str = "default", **more: Any) -> Stack:
    return Stack(id=f"{project}-{name}", project=project, name=name, generation=0, **more)


def a_generation(name: str = "web", **more: Any) -> Generation:
    values = {"created": 1000.0, "graph": Graph((Node(name, "Machine"),)), "source": Source(f"{name}.yaml")}
    return Generation(number=0, **{**values, **more})


def a_record(path: str = "web", incarnation: int = 1, **more: Any) -> Record:
    return Record(
        path, "Machine", **{"uid": f"uid-{path}", "state": State.READY, **more}, incarnation=incarnation
    )


def an_event(kind: str = "resource.ready", at: float = 1000.0, **more: Any) -> Event:
    return Event(kind, at, **more)


class Worker:
    """An engine that holds the lease of one saved stack."""

    def __init__(self, store: Store, stack: Stack, lease: Lease) -> None:
        self.store = store
        self.stack = stack
        self.lease = lease

    @classmethod
    async def of(cls, store: Store, name: str = "shop", holder: str = "one") -> Worker:
        """Saves a first generation of stack `name` and takes its lease."""
        stack = await store.save_generation(a_stack(name), a_generation(), None)
        lease = await store.acquire(f"stack:{stack.id}", holder, 10.0)
        assert lease is not None
        return cls(store, stack, lease)

    def commit(self, *records: Record, **more: Any) -> Commit:
        """A commit under this worker's epoch."""
        return Commit(self.stack.id, self.lease.epoch, upserts=records, **more)

    async def write(self, *records: Record, **more: Any) -> bool:
        """Commits that, alone."""
        (accepted,) = await self.store.commit([self.commit(*records, **more)])
        return accepted


async def paths(store: Store, stack: str) -> list[str]:
    """The paths of a stack's records, in the order of the list."""
    return [record.path for record in await store.records(stack)]
