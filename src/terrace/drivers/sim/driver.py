"""The driver of a simulated provider: what an honest driver does, request by request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from msgspec.structs import replace

from terrace.drivers.sim.guests import SimGuests
from terrace.drivers.sim.requests import Checkpoint, Wire
from terrace.drivers.sim.settings import SimSettings
from terrace.drivers.sim.thing import Thing
from terrace.drivers.sim.world import NameTakenError, World
from terrace.errors import CapabilityError, InvariantError, PermanentError, TransientError
from terrace.model.seen import Observation, Seen
from terrace.model.spec.volume import VolumeSnapshotSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.clock import Clock
from terrace.ports.driver import Capabilities, CreateOnce, Fence

KINDS = frozenset(
    {
        "Machine",
        "Volume",
        "VolumeAttachment",
        "VolumeSnapshot",
        "SoftwareDeployment",
        "Network",
        "Subnet",
        "Port",
        "SecurityGroup",
        "SecurityGroupRule",
        "Router",
        "RouterInterface",
        "RouterGateway",
        "FloatingIP",
        "FloatingIPAssociation",
        "LoadBalancer",
        "Listener",
        "Pool",
        "PoolMember",
        "HealthMonitor",
        "Image",
        "Value",
        "None",
        "TestResource",
    }
)
IN_PLACE = {
    "Machine": frozenset({"cpu", "memory", "pids", "networks", "log_size", "metadata", "aliases"}),
    "Volume": frozenset({"size", "metadata", "name"}),
    "Network": frozenset({"mtu"}),
    "Subnet": frozenset({"name", "gateway", "pools", "dns"}),
    "Port": frozenset({"name", "groups", "subnets"}),
    "SecurityGroup": frozenset({"name", "description", "rules"}),
    "Router": frozenset({"name", "gateway"}),
    "FloatingIP": frozenset({"target", "port"}),
    "FloatingIPAssociation": frozenset({"target", "port", "machine"}),
    "LoadBalancer": frozenset({"name", "description", "security_groups", "enabled"}),
    "Listener": frozenset(
        {"name", "description", "pool", "limit", "allowed", "certificate", "more_certificates", "enabled"}
    ),
    "Pool": frozenset({"name", "description", "algorithm", "persistence", "cookie", "tls", "enabled"}),
    "PoolMember": frozenset({"weight", "enabled"}),
    "HealthMonitor": frozenset(
        {"delay", "timeout", "retries", "failures", "path", "method", "codes", "enabled"}
    ),
}
LOOK_AGAIN = 1.0
TERMINATED = 143


class SimDriver(SimGuests):
    """ports.Driver, Guests and Probes over a World. `checkpoint` as in requests.Wire."""

    def __init__(
        self,
        world: World,
        clock: Clock,
        settings: SimSettings | None = None,
        *,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        chosen = settings or SimSettings(lag=world.faults.lag)
        self.capabilities = capabilities_of(chosen, world.create_once)
        self._wire = Wire(world, clock, chosen.timeout, checkpoint)
        super().__init__(self._wire)

    @classmethod
    def from_settings(cls, settings: SimSettings, clock: Clock) -> SimDriver:
        """A driver with a world of its own."""
        world = World(settings.seed, CreateOnce(settings.create_once))
        world.faults = settings.faults()
        return cls(world, clock, settings)

    @property
    def world(self) -> World:
        """The provider itself."""
        return self._wire.world

    async def observe(self, installation: str, adopted: Sequence[str]) -> Observation:
        """One listing. TransientError when it fails or breaks off."""
        wanted = frozenset(adopted)
        items = await self._wire.ask("list", "*", lambda now: self.world.listed(installation, wanted, now))
        return Observation(items=tuple(items))

    async def lookup(self, kind: str, selector: str) -> Seen | None:
        """By provider id, else the first of that name (of an image: that source)."""
        return await self._wire.ask("lookup", kind, lambda now: self._look_up(kind, selector))

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """Carries out `step`. A START, UPDATE and so on of what is absent is done with nothing seen."""
        match step.verb:
            case Verb.CREATE:
                return await self._create(step, fence)
            case Verb.DELETE:
                return await self._delete(step, fence)
            case Verb.UPDATE:
                return await self._change(step, fence, lambda thing, now: self._update(thing, step, now))
            case Verb.START | Verb.RESTART:
                return await self._change(step, fence, self._start)
            case Verb.UNPAUSE:
                return await self._change(step, fence, self._unpause)
            case Verb.STOP:
                return await self._change(step, fence, self._stop)
            case Verb.SNAPSHOT:
                return await self._snapshot(step, fence)
            case Verb.RESTORE:
                return await self._change(step, fence, lambda thing, now: self._restore(thing, step, now))
            case _:
                raise InvariantError(f"a driver cannot {step.verb}")

    async def watch(self) -> AsyncIterator[str]:
        """Provider ids that changed without Terrace."""
        hints: asyncio.Queue[str] = asyncio.Queue()
        self.world.listeners.append(hints.put_nowait)
        try:
            while True:
                yield await hints.get()
        finally:
            self.world.listeners.remove(hints.put_nowait)

    async def close(self) -> None:
        """Nothing to let go: the world stays."""

    async def _create(self, step: Step, fence: Fence) -> Receipt:
        kind, wire = step.kind, self._wire
        if kind not in KINDS:
            raise CapabilityError(f"the simulated provider has no {kind}")
        thing = await self._made(step, fence)
        if thing.busy:
            return Receipt.pending(thing.provider_id, LOOK_AGAIN, "being made", thing.seen)
        if kind == "Machine" and "start" not in thing.parts:
            if "files" not in thing.parts and (step.spec.files or step.spec.user_data):
                await wire.change("files", kind, fence, lambda now: self._put_files(thing, step.spec, now))
            await wire.change("start", kind, fence, lambda now: self._start(thing, now))
        return Receipt.done(thing.seen)

    async def _snapshot(self, step: Step, fence: Fence) -> Receipt:
        """A thing of another owner, made as any other is."""
        if step.copy is None:
            raise InvariantError("a snapshot needs an owner of its own")
        spec = VolumeSnapshotSpec(step.provider_id, step.names.short)
        made = replace(step, kind="VolumeSnapshot", owner=step.copy, spec=spec, provider_id="", copy=None)
        receipt = await self._create(made, fence)
        return (
            replace(receipt, seen=None) if receipt.handle else receipt
        )  # what is half made is not the volume

    def _restore(self, thing: Thing, step: Step, now: float) -> Seen:
        source = self.world.things.get(step.source)
        if source is None:
            raise PermanentError(f"there is no snapshot {step.source}", code="volume-not-found")
        thing.content = dict(source.content)
        return self.world.change(thing, now)

    async def _made(self, step: Step, fence: Fence) -> Thing:
        """The thing of this owner: found where that must be asked first, made, or found when its name is
        taken."""
        owner, kind, world = step.owner, step.kind, self.world
        if step.handle or world.create_once is CreateOnce.NONE:
            found = await self._wire.ask("find", kind, lambda now: self._labelled(step, now))
            if found is not None:
                return found
        epoch = getattr(fence, "epoch", 0)
        try:
            return await self._wire.change(
                "create",
                kind,
                fence,
                lambda now: world.create(kind, owner, step.spec, now, epoch, step.names),
            )
        except NameTakenError:
            found = await self._wire.ask("find", kind, lambda now: world.find(owner))
            if found is None:
                raise TransientError("its name was taken a moment ago", code="conflict") from None
            return found

    def _labelled(self, step: Step, now: float) -> Thing | None:
        """By handle, which is certain; else by label, which lags behind like a listing."""
        if step.handle:
            return self.world.things.get(step.handle) or self.world.find(step.owner)
        thing = self.world.find(step.owner)
        return None if thing is None or thing.listed(now) is None else thing

    async def _delete(self, step: Step, fence: Fence) -> Receipt:
        """Asks for it every time, since to ask twice does no harm, and then looks: only what is not seen is
        gone."""
        target, owner = step.provider_id, step.owner
        if not target:
            raise InvariantError("a delete names the provider id of what it deletes")
        epoch = getattr(fence, "epoch", 0)
        await self._wire.change(
            "delete", step.kind, fence, lambda now: self.world.delete(target, owner, now, epoch)
        )
        left = await self._wire.ask("look", step.kind, lambda now: self.world.things.get(target))
        if left is None:
            return Receipt.done(None)
        return Receipt.pending(target, LOOK_AGAIN, "being deleted", left.seen)

    async def _change(self, step: Step, fence: Fence, change: Any) -> Receipt:
        target = step.provider_id

        def act(now: float) -> Seen | None:
            thing = self.world.things.get(target)
            return None if thing is None else change(thing, now)

        return Receipt.done(await self._wire.change(step.verb.value, step.kind, fence, act))

    def _update(self, thing: Thing, step: Step, now: float) -> Seen:
        return self.world.update(thing, step.spec, step.fields, step.owner, now)

    def _put_files(self, thing: Thing, spec: Any, now: float) -> None:
        if thing.provider_id not in self.world.things:
            raise TransientError(f"{thing.provider_id} vanished while it was being made")
        thing.content.update({file.path: _text(file.content) for file in spec.files})
        thing.parts.add("files")
        self.world.change(thing, now)

    def _start(self, thing: Thing, now: float) -> Seen:
        if thing.provider_id not in self.world.things:
            raise TransientError(f"{thing.provider_id} vanished while it was being made")
        thing.parts.add("start")
        thing.output.append((now, f"{thing.provider_id} started"))
        return self.world.change(thing, now, state="running", exit_code=None, finished=0.0)

    def _unpause(self, thing: Thing, now: float) -> Seen:
        return self.world.change(thing, now, state="running") if thing.state == "paused" else thing.seen

    def _stop(self, thing: Thing, now: float) -> Seen:
        if thing.state not in ("running", "paused"):
            return thing.seen
        return self.world.change(thing, now, state="exited", exit_code=TERMINATED, finished=now)

    def _look_up(self, kind: str, selector: str) -> Seen | None:
        for thing in self.world.things.values():
            names = (
                thing.provider_id,
                getattr(thing.spec, "name", None),
                getattr(thing.spec, "source", None),
            )
            if thing.kind == kind and selector in names:
                return thing.seen
        return None


def capabilities_of(settings: SimSettings, create_once: CreateOnce) -> Capabilities:
    """What a simulated provider with these settings can do."""
    return Capabilities(
        kinds=KINDS,
        create_once=create_once,
        in_place=IN_PLACE,
        lag=settings.lag,
        timeout=settings.timeout,
        concurrency=settings.concurrency,
        rate=settings.rate,
        publish=settings.publish,
        catalogue=settings.catalogue(),
        snapshots=True,
    )


def _text(content: Any) -> str:
    return str(content.reveal() if hasattr(content, "reveal") else content)
