"""The containers that load balancers are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from terrace.drivers.docker import labels
from terrace.drivers.docker.balance.config import CONNECTIONS, FOLDER, MASTER, render
from terrace.drivers.docker.balance.inside import BOOKS, CONFIG
from terrace.drivers.docker.balance.parts import BALANCER, Books, network_of, part_id, written
from terrace.drivers.docker.images import Images
from terrace.drivers.docker.machines import Machines
from terrace.drivers.docker.networks import Networks
from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal
from terrace.errors import TransientError
from terrace.model.seen import Seen
from terrace.model.spec.balance import LoadBalancerSpec
from terrace.model.spec.machine import File, MachineSpec, Nic
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence

RECIPE: Final = "recipe:haproxy"
MEMORY: Final = 64 + CONNECTIONS * 33 // 1024  # MiB: the proxy, a second one at a reload, and connections
_PIDS: Final = 64
_PROXY: Final = ("haproxy", "-W", "-db", "-S", f"{MASTER},mode,600", "-f", f"{FOLDER}/{CONFIG}")


class Balancers:
    """Makes, changes and removes them as the machines that they are."""

    def __init__(self, engine: Engine, images: Images, machines: Machines, networks: Networks) -> None:
        self._engine = engine
        self._images = images
        self._machines = machines
        self._networks = networks

    async def create(self, step: Step, fence: Fence) -> Receipt:
        """A container with nothing on it yet, at an address that the next incarnation gets too if it can."""
        fence.check(self._engine.timeout)
        image = await self._images.ready(RECIPE)
        if isinstance(image, str):
            return Receipt.pending("image", 0.5, image)
        spec: LoadBalancerSpec = step.spec
        network = await self._networks.inspect(network_of(spec.network or spec.subnet))
        had = await self._had(step, network["Id"])
        address = spec.address or had or await self._networks.pick_address(network, step.owner.uid)
        books = Books(step.owner, spec, address)
        machine = self._machine(books, (Nic(network["Id"], address, groups=spec.security_groups),))
        files = (
            File(f"{FOLDER}/{CONFIG}", render(books), "0600"),
            File(f"{FOLDER}/{BOOKS}", written(books), "0600"),
        )
        machine = replace(machine, image=image.provider_id, files=files)
        try:
            return await self._machines.apply(replace(step, spec=machine), fence)
        finally:
            self._networks.release(network["Id"], step.owner.uid)  # the container holds it now

    async def apply(self, step: Step, fence: Fence, books: Books | None = None) -> Receipt:
        """Any other step of a container; `books` say what it is to be."""
        if books is None:
            return await self._machines.apply(step, fence)
        machine = self._machine(books, await self._nics(books))
        fields = ("networks",) if step.verb is Verb.UPDATE else ()
        return await self._machines.apply(replace(step, spec=machine, fields=fields), fence)

    async def join(self, container: str, books: Books, fence: Fence) -> None:
        """Puts the proxy on the networks of its members, and off those where it has none any more."""
        there = await self._engine.read(f"/containers/{container}/json")
        held = {end.get("NetworkID") for end in there["NetworkSettings"]["Networks"].values()}
        nics = await self._nics(books)
        if {nic.network for nic in nics} != held:
            await self._machines.connect(container, self._machine(books, nics), fence)

    def blank(self, step: Step, there: Mapping[str, Any]) -> Books:
        """The books of one whose own are broken: nothing is on it, and it has the address that it was given."""
        spec: LoadBalancerSpec = step.spec
        ends = there["NetworkSettings"]["Networks"].values()
        given = [(end.get("IPAMConfig") or {}).get("IPv4Address") or "" for end in ends]
        address = spec.address or next((one for one in given if one), "")
        if not address:
            raise TransientError("the load balancer has lost its address")
        return Books(step.owner, spec, address)

    def shown(self, seen: Seen, books: Books | None, *, intact: bool) -> Seen:
        """A load balancer as a template refers to it. `intact`: its configuration is what it should be."""
        nics = seen.properties.get("networks", ())
        home: Mapping[str, Any] = next(iter(nics), {})
        address = books.address if books is not None else home.get("ip", "")
        spec = books.spec if books is not None else None
        own = seen.owner.token if seen.owner is not None else ""
        pools = [
            {"id": part_id(seen.provider_id, one.owner)}
            for one in (books.of("Pool") if books is not None else ())
        ]
        attributes: dict[str, Any] = {
            "id": seen.provider_id,
            "name": spec.name if spec is not None else seen.name,
            "address": address,
            "port": f"{own}@{address}",  # by which a floating address finds where it leads
            "network_id": home.get("network", ""),
            "subnet_id": (spec.subnet if spec is not None else "") or home.get("network", ""),
            "pools": pools,
            "state": seen.state,
        }
        attributes["show"] = dict(attributes)
        told = {"enabled": spec.enabled} if spec is not None else {}
        there = any(nic.get("ip") == address for nic in nics)
        properties = {**told, "security_groups": tuple(home.get("groups", ())), "intact": intact and there}
        return replace(seen, attributes=attributes, properties=properties)

    # --- inside
    def _machine(self, books: Books, nics: tuple[Nic, ...]) -> MachineSpec:
        return MachineSpec(
            name=books.spec.name,
            image="",
            memory=MEMORY,
            pids=_PIDS,
            networks=nics,
            command=_PROXY,
        )

    async def _nics(self, books: Books) -> tuple[Nic, ...]:
        """Its own network first, then those of members that are elsewhere."""
        spec = books.spec
        home = (await self._networks.inspect(network_of(spec.network or spec.subnet)))["Id"]
        names = {network_of(one.spec.subnet) for one in books.of("PoolMember") if one.spec.subnet}
        others = {(await self._networks.inspect(name))["Id"] for name in sorted(names)} - {home}
        return (Nic(home, books.address, groups=spec.security_groups), *(Nic(one) for one in sorted(others)))

    async def _had(self, step: Step, network: str) -> str:
        """The address of what an earlier try of this very step has made, "" for none."""
        try:
            name = labels.engine_name(step.owner, step.names)
            there = await self._engine.read(f"/containers/{name}/json")
        except Refusal as refusal:
            if refusal.status == 404:
                return ""
            raise
        for end in there["NetworkSettings"]["Networks"].values():
            if end.get("NetworkID") in (network, ""):
                return str((end.get("IPAMConfig") or {}).get("IPv4Address") or "")
        return ""


__all__ = ["BALANCER", "Balancers"]
