"""The door to one outside system: three verbs, a hint stream, and declared capabilities."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from terrace.model.catalogue import Catalogue
from terrace.model.plan import Note
from terrace.model.seen import Observation, Seen
from terrace.model.step import Receipt, Step


class CreateOnce(StrEnum):
    """What keeps the provider from making two for one (uid, incarnation)."""

    BY_NAME = "by_name"
    BY_TOKEN = "by_token"
    NONE = "none"


class Capabilities(msgspec.Struct, frozen=True):
    """What a provider can do, declared. `kinds` it offers. `recorded` kinds have no thing that a listing
    could show: our record is the truth of them. `in_place`: kind -> spec fields that can be changed
    without replacement. `lag`: seconds until a change shows in listings. `timeout`: of one request,
    seconds. `concurrency`: steps at once; `rate`: steps a second (0: any). `publish`: whether ports of
    the host may be wired to guests. `data` kinds hold data. `synced`: steps have effects outside Terrace,
    so intents are synced to disk first. `made`: kinds whose receipts carry something Terrace made up
    (keys, random strings): on disk before anyone sees it. `own_network`: machines that name no network
    share one of their stack, on which names resolve. `notes`: by kind, what becomes of it or of one of its
    properties here where that is not just what the words say; a REFUSED one of a property refuses what gives it
    (of "protocol=UDP": what gives it that value).
    `snapshots`: whether what data kinds hold can be copied (SNAPSHOT, RESTORE, and volumes made from snapshots and from
    other volumes). `hosts`: how many computers it places machines on, as far as it knows (0: it does not say).
    `image_urls`: what the address of an image must begin with."""

    kinds: frozenset[str]
    recorded: frozenset[str] = frozenset()
    create_once: CreateOnce = CreateOnce.BY_NAME
    in_place: dict[str, frozenset[str]] = {}
    lag: float = 0.0
    timeout: float = 5.0
    concurrency: int = 8
    rate: float = 0.0
    publish: bool = True
    data: frozenset[str] = frozenset({"Volume", "VolumeSnapshot"})
    catalogue: Catalogue = Catalogue()
    synced: bool = True
    own_network: bool = False
    made: frozenset[str] = frozenset()
    notes: dict[str, tuple[Note, ...]] = {}
    snapshots: bool = False
    hosts: int = 0
    image_urls: tuple[str, ...] = ()


class Fence(Protocol):
    """Guards each provider request against a lost lease."""

    def check(self, timeout: float) -> None:
        """Raises LeaseLostError unless our lease outlives a request of `timeout` seconds from now."""


class Driver(Protocol):
    """One configured provider (and region). Errors: TransientError, PermanentError, CapabilityError,
    LeaseLostError."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; constant while the driver lives."""

    async def observe(self, installation: str, adopted: Sequence[str]) -> Observation:
        """ALL things labelled with `installation`, and each adopted provider id that exists, in one bulk
        listing. Raises a ProviderError when the listing failed or is partial: that is Unknown, never
        Absent."""

    async def lookup(self, kind: str, selector: str) -> Seen | None:
        """A thing by name or id that need not be ours: images, existing networks, things to adopt."""

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """Carries out `step`, within 30 s, and says what it saw; longer work is Receipt.pending. May be
        called again with the same step at any time. Calls fence.check before each request that changes
        something."""

    def watch(self) -> AsyncIterator[str]:
        """Provider ids (or uids) worth looking at again, "" for everything. Hints only: they may be lost or
        doubled. Ends or raises when the connection breaks; the runtime starts it again."""

    async def close(self) -> None:
        """Lets go of connections."""


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """A piece of output of a guest. `stream` is stdout or stderr; `at` epoch seconds, 0 when not known."""

    data: bytes
    stream: str = "stdout"
    at: float = 0.0


class Session(Protocol):
    """A program that runs inside a guest."""

    def output(self) -> AsyncIterator[Chunk]:
        """What it writes, until it ends."""

    async def write(self, data: bytes) -> None:
        """To its standard input."""

    async def close_input(self) -> None:
        """End of its standard input."""

    async def resize(self, rows: int, columns: int) -> None:
        """The size of its terminal."""

    async def wait(self) -> int:
        """Its exit code."""


class Guests(Protocol):
    """The way into guests, for drivers that have one."""

    async def exec(
        self, provider_id: str, command: Sequence[str], *, tty: bool = False, stdin: bool = False
    ) -> Session:
        """Starts `command` (a list, never a shell line) inside the guest."""

    def logs(
        self, provider_id: str, *, tail: int | None = None, follow: bool = False
    ) -> AsyncIterator[Chunk]:
        """What the guest's main program wrote; `tail` lines back (None: all), then on as it comes if
        `follow`."""


class Probes(Protocol):
    """Health checks of guests. Live: their results are never latched."""

    async def probe(self, seen: Seen, health: Any) -> tuple[bool, str]:
        """Runs one check (model.spec.machine.Health) against a machine; whether it passed, and a few words."""


class Doors(Protocol):
    """Where guests find this server, for drivers whose guests can."""

    @property
    def door(self) -> str:
        """The beginning of the URLs for signals, as guests are told; "" when they cannot reach this server."""

    def doors(self) -> frozenset[tuple[str, int]]:
        """Addresses and ports of this machine at which guests may reach it: to listen there."""
