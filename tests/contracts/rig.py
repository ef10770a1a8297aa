"""What the driver contract needs of a driver under test, and tools that it uses itself."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any

from msgspec.structs import replace

from terrace.errors import LeaseLostError
from terrace.model.seen import Names, Owner, Seen
from terrace.model.spec import MachineSpec, NetworkSpec, VolumeSnapshotSpec, VolumeSpec
from terrace.model.spec.firewall import Rule, SecurityGroupSpec
from terrace.model.spec.router import FloatingIPSpec, RouterSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.clock import Clock
from terrace.ports.driver import Chunk, Driver

HOME = "home-installation"
AWAY = "another-installation"


class SteppingClock:
    """Time passes when somebody sleeps, and only then."""

    def __init__(self) -> None:
        self.time = 1_750_000_000.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


class CountingFence:
    """Lets `allowed` requests through (None: any number), then the lease is lost."""

    def __init__(self, allowed: int | None = None) -> None:
        self.allowed = allowed
        self.checks = 0

    def check(self, timeout: float) -> None:
        assert timeout > 0
        self.checks += 1
        if self.allowed is not None and self.checks > self.allowed:
            raise LeaseLostError("the lease went to another")


class Rig(ABC):
    """One driver with a way to act behind its back. `image` is something machines can start from."""

    driver: Driver
    clock: Clock
    image: str

    def __init__(self) -> None:
        self._made = 0

    # ---- what others do at the provider, without the driver

    @abstractmethod
    async def stop(self, provider_id: str) -> None:
        """The machine ends."""

    @abstractmethod
    async def pause(self, provider_id: str) -> None:
        """The machine is frozen."""

    @abstractmethod
    async def remove(self, provider_id: str) -> None:
        """The machine is taken away."""

    @abstractmethod
    async def foreign(self) -> str:
        """A machine without our labels; its provider id."""

    @abstractmethod
    def refused(self) -> Step:
        """A step that the provider refuses for good."""

    # ---- steps

    def owner(self, installation: str = HOME, incarnation: int = 1) -> Owner:
        self._made += 1
        return Owner(installation, f"{self._made:020d}", incarnation, f"digest-{self._made}")

    def machine(self, **fields: Any) -> MachineSpec:
        wanted = {"name": "m", "image": self.image, "memory": 64, "cpu": 0.5, "pids": 64, **fields}
        return MachineSpec(**wanted)

    def step(self, verb: Verb, kind: str, owner: Owner, spec: Any = None, **more: Any) -> Step:
        return Step(verb, kind, owner, Names("p", "s", f"r-{owner.uid[-4:]}"), spec, **more)

    def create(self, kind: str = "Machine", owner: Owner | None = None, **fields: Any) -> Step:
        owner = owner or self.owner()
        name = f"r-{owner.uid[-4:]}"
        match kind:
            case "Machine":
                spec: Any = self.machine(**{"name": name, **fields})
            case "Volume":
                spec = VolumeSpec(**{"name": name, **fields})
            case "VolumeSnapshot":
                spec = VolumeSnapshotSpec(**{"name": name, **fields})
            case "SecurityGroup":
                spec = SecurityGroupSpec(
                    **{"name": name, "rules": (Rule(protocol="tcp", first=80, last=80),), **fields}
                )
            case "Router":
                spec = RouterSpec(**{"name": name, "gateway": "public", **fields})
            case "FloatingIP":
                spec = FloatingIPSpec(**fields)
            case _:
                spec = NetworkSpec(**{"name": name, **fields})
        return self.step(Verb.CREATE, kind, owner, spec)

    # ---- doing

    async def finish(self, step: Step, fence: Any = None) -> Receipt:
        """Applies until nothing is pending any more."""
        for _ in range(200):
            receipt = await self.driver.apply(step, fence or CountingFence())
            if not receipt.handle:
                return receipt
            await self.clock.sleep(receipt.look_again)
            target = receipt.seen.provider_id if receipt.seen else step.provider_id
            step = replace(step, provider_id=target, handle=receipt.handle)
        raise AssertionError(f"{step.verb} {step.kind} is pending for ever")

    async def make(
        self, kind: str = "Machine", owner: Owner | None = None, **fields: Any
    ) -> tuple[Step, Seen]:
        step = self.create(kind, owner, **fields)
        seen = (await self.finish(step)).seen
        assert seen is not None
        return step, seen

    async def of_kind(self, kind: str, spec: Any) -> tuple[Step, Seen]:
        """A thing of any kind."""
        step = self.step(Verb.CREATE, kind, self.owner(), spec)
        seen = (await self.finish(step)).seen
        assert seen is not None
        return step, seen

    async def delete(self, made: Step, seen: Seen) -> Receipt:
        return await self.finish(
            self.step(
                Verb.DELETE, made.kind, made.owner, provider_id=seen.provider_id, attributes=seen.attributes
            )
        )

    async def change(self, verb: Verb, made: Step, seen: Seen, **fields: Any) -> Seen | None:
        spec = made.spec
        if fields:
            spec = type(spec)(**{**{name: getattr(spec, name) for name in spec.__struct_fields__}, **fields})
        step = self.step(
            verb, made.kind, made.owner, spec, provider_id=seen.provider_id, fields=tuple(sorted(fields))
        )
        return (await self.finish(step)).seen

    async def ours(self, installation: str = HOME) -> list[Seen]:
        await self.clock.sleep(self.driver.capabilities.lag)
        return list((await self.driver.observe(installation, ())).items)

    async def of(self, owner: Owner) -> list[Seen]:
        """All that observe shows of one incarnation."""
        return [
            seen
            for seen in await self.ours(owner.installation)
            if seen.owner and (seen.owner.uid, seen.owner.incarnation) == (owner.uid, owner.incarnation)
        ]

    async def run(self, provider_id: str, *command: str) -> tuple[int, str]:
        """The exit code and the output of a program in a guest."""
        driver: Any = self.driver
        session = await driver.exec(provider_id, command)
        chunks: list[Chunk] = [chunk async for chunk in session.output()]
        return await session.wait(), b"".join(chunk.data for chunk in chunks).decode()
