"""Docker Engine as a provider: the door."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from terrace.drivers.docker import guests, labels, seen
from terrace.drivers.docker.balance import door as balance
from terrace.drivers.docker.balance.balancers import Balancers
from terrace.drivers.docker.balance.notes import NOTES as BALANCE_NOTES
from terrace.drivers.docker.firewall import door
from terrace.drivers.docker.images import Images
from terrace.drivers.docker.inside.deployments import Deployments
from terrace.drivers.docker.inside.notes import NOTES
from terrace.drivers.docker.machines import Machines
from terrace.drivers.docker.mount.attachments import Attachments, possible
from terrace.drivers.docker.mount.copies import Copies
from terrace.drivers.docker.networks import NOTES as NETWORK_NOTES
from terrace.drivers.docker.networks import Networks
from terrace.drivers.docker.observe import Observer
from terrace.drivers.docker.settings import DockerSettings
from terrace.drivers.docker.volumes import Volumes
from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal, translate, translated
from terrace.errors import CapabilityError, TransientError
from terrace.model.seen import Observation, Seen
from terrace.model.step import Receipt, Step
from terrace.ports.clock import Clock
from terrace.ports.driver import Capabilities, Chunk, CreateOnce, Fence, Session

# What changes in place. Of a machine: limits and networks on the engine; the rest is Terrace's own business.
_IN_PLACE = {
    "Machine": frozenset({"cpu", "memory", "pids", "networks", "aliases", "metadata"}),
    "Image": frozenset({"pull"}),
    "Volume": frozenset({"size"}),
}
# The events after which something looks different. The many of health checks (exec_...) are not among them, nor are
# kill and stop: what ends says die.
_EVENTS = [
    *(
        "create",
        "start",
        "die",
        "oom",
        "pause",
        "unpause",
        "restart",
        "update",
        "rename",
        "destroy",
    ),
    *("connect", "disconnect", "remove"),
]
_BOOTING, _IDLE = 1.0, 5.0  # seconds between looks at whether user data has ended
_KINDS = frozenset(
    {"Machine", "Network", "Subnet", "Port", "Volume", "VolumeSnapshot", "Image", "SoftwareDeployment"}
)
_RECORDED = frozenset({"Subnet", "Port", "Image", "SoftwareDeployment"})


class DockerDriver:
    """ports.driver.Driver, Guests and Probes for one Docker engine. Errors: TransientError while the engine
    is away or busy, PermanentError when it refuses, CapabilityError for what it cannot do, LeaseLostError
    from the fence."""

    def __init__(self, settings: DockerSettings, *, clock: Clock) -> None:
        self._clock = clock
        self._settings = settings
        self._engine = Engine(settings)
        self._observer = Observer(self._engine, settings.concurrency)
        self._images = Images(self._engine, settings)
        self._networks = Networks(self._engine, settings, self._observer)
        self._firewall = door.Firewall(self._engine, settings, self._networks, self._observer)
        self._machines = Machines(self._engine, settings, self._observer, self._images, self._firewall)
        self._volumes = Volumes(self._engine, Copies(self._engine, self._observer, self._images))
        self._deployments = Deployments(self._engine)
        self._attachments = Attachments(self._engine, self._observer)
        balancers = Balancers(self._engine, self._images, self._machines, self._networks)
        self._balance = balance.Door(self._engine, clock, balancers)
        kinds = _KINDS | balance.KINDS | self._firewall.kinds
        self._capabilities = Capabilities(
            kinds=frozenset(kinds | {"VolumeAttachment"} if possible(self._engine) else kinds),
            recorded=_RECORDED,
            create_once=CreateOnce.BY_NAME,
            in_place={**_IN_PLACE, **door.IN_PLACE, **balance.IN_PLACE},
            snapshots=True,
            hosts=1,
            notes={**NOTES, **NETWORK_NOTES, **BALANCE_NOTES, **self._firewall.notes()},
            image_urls=settings.image_urls,
            timeout=settings.timeout,
            concurrency=settings.concurrency,
            rate=settings.rate,
            publish=settings.publish != "none",
            own_network=True,
            catalogue=settings.catalogue(),
        )

    @property
    def door(self) -> str:
        """Where guests reach this server; "" when nobody said, and the engine is another machine's."""
        return self._settings.door if self._settings.signal_url or self._engine.local else ""

    def doors(self) -> frozenset[tuple[str, int]]:
        """The gateways of our networks, unless guests are told to go elsewhere."""
        if self._settings.signal_url or not self._engine.local:
            return frozenset()
        return frozenset(
            (gateway, self._settings.signal_port) for gateway in self._observer.gateways.values()
        )

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return self._capabilities

    async def observe(self, installation: str, adopted: Sequence[str]) -> Observation:
        """One bulk listing per noun; a failure of any is a failure of all."""
        with translated():
            seen, table = await asyncio.gather(
                self._observer.observe(installation, adopted), self._firewall.table(installation)
            )
            items = await self._firewall.shown(table, seen.items)
            return Observation(tuple(await self._balance.shown(items)))

    async def lookup(self, kind: str, selector: str) -> Seen | None:
        """By name or id, ours or not; None when there is none."""
        try:
            match kind:
                case "Image":
                    return await self._images.find(selector)
                case "Machine":
                    return await self._observer.machine(selector)
                case "Network":
                    return seen.network(await self._engine.read(f"/networks/{selector}"))
                case "Volume" | "VolumeSnapshot":
                    return seen.volume(await self._engine.read(f"/volumes/{selector}"))
                case _:
                    return None
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise translate(refusal) from refusal

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """One step, by noun."""
        with translated():
            match step.kind:
                case "Machine":
                    return await self._machines.apply(step, fence)
                case "Network":
                    return await self._networks.apply(step, fence)
                case "Volume" | "VolumeSnapshot":
                    return await self._volumes.apply(step, fence)
                case "Image":
                    return await self._images.apply(step, fence)
                case "Port":
                    return await self._networks.apply_port(step)
                case "Subnet":
                    return await self._networks.apply_subnet(step)
                case "VolumeAttachment":
                    return await self._attachments.apply(step, fence)
                case "SoftwareDeployment":
                    return await self._deployments.apply(step, fence)
                case kind if kind in balance.KINDS:
                    return await self._balance.apply(step, fence)
                case kind if kind in door.KINDS:
                    return await self._firewall.apply(step, fence)
                case other:
                    raise CapabilityError(f"a Docker engine has no {other}")

    async def watch(self) -> AsyncIterator[str]:
        """Ids of what an event spoke of; "" once at the beginning, when anything may have changed."""
        self._engine.forget_version()
        wanted = {"type": ["container", "network", "volume"], "event": _EVENTS}
        try:
            async with self._engine.stream("GET", "/events", {"filters": json.dumps(wanted)}) as answer:
                self._observer.trust(True)
                yield ""
                async for line in self._lines(answer.content):
                    for hint in self._hints(line):
                        yield hint
                    for container in await self._observer.booted():
                        yield container
        except Refusal as refusal:
            raise translate(refusal) from refusal
        finally:
            self._observer.trust(False)
        raise TransientError("the Docker engine has closed its stream of events")

    async def exec(
        self, provider_id: str, command: Sequence[str], *, tty: bool = False, stdin: bool = False
    ) -> Session:
        """Starts a program inside a machine."""
        return await guests.start_program(
            self._engine, self._clock, provider_id, command, tty=tty, stdin=stdin
        )

    def logs(
        self, provider_id: str, *, tail: int | None = None, follow: bool = False
    ) -> AsyncIterator[Chunk]:
        """What a machine's main program wrote."""
        return guests.read_logs(self._engine, provider_id, tail, follow)

    async def probe(self, seen: Seen, health: Any) -> tuple[bool, str]:
        """One health check."""
        return await guests.check(self._engine, self._clock, seen, health)

    async def close(self) -> None:
        """Ends background work and lets go of connections."""
        await self._images.close()
        self._firewall.close()
        await self._engine.close()

    # --- inside
    async def _lines(self, content: Any) -> AsyncIterator[bytes]:
        """Lines as they come; an empty one now and then while guests run their user data, of which no event tells."""
        lines = aiter(content)
        coming = asyncio.ensure_future(anext(lines))
        try:
            while True:
                patience = _BOOTING if self._observer.booting else _IDLE
                done, _ = await asyncio.wait({coming}, timeout=patience)
                if not done:
                    yield b""
                    continue
                try:
                    line = coming.result()
                except StopAsyncIteration:
                    return
                coming = asyncio.ensure_future(anext(lines))
                yield line
        finally:
            coming.cancel()

    def _hints(self, line: bytes) -> list[str]:
        """What a line of the stream of events hints at, and nothing of what is neither ours nor adopted."""
        if not line.strip():
            return []
        event = msgspec.json.decode(line)
        actor = event.get("Actor") or {}
        thing, told = str(actor.get("ID") or ""), actor.get("Attributes") or {}
        if event.get("Type") == "network":
            container = str(told.get("container") or "")
            self._observer.doubt(container)
            # What a container joins or leaves does not change itself.
            return [one for one in (container or thing,) if one in self._observer.listed]
        self._observer.doubt(thing)
        ours = labels.INSTALLATION in told and told[labels.INSTALLATION] == self._observer.installation
        return [thing] if ours or thing in self._observer.listed else []
