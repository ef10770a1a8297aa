"""Steps for networks, and for what stands on them: subnets and ports, which are Terrace's own records."""

from __future__ import annotations

import fcntl
import hashlib
import ipaddress
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from terrace.drivers.docker import bodies, labels
from terrace.drivers.docker import seen as shape
from terrace.drivers.docker.observe import Observer
from terrace.drivers.docker.settings import DockerSettings
from terrace.drivers.docker.wire.client import Engine, filters
from terrace.drivers.docker.wire.faults import Refusal
from terrace.errors import CapabilityError, PermanentError, TransientError
from terrace.model.plan import Note, Verdict
from terrace.model.seen import Seen
from terrace.model.spec.network import NetworkSpec, PortSpec, SubnetSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence

NOTES: Final = {
    "Network": (Note(Verdict.MAPS, "", "a network of the engine, whose way out is the host's"),),
    "Subnet": (
        Note(Verdict.MAPS, "", "the range of the engine's network, which is made with it"),
        Note(
            Verdict.MAPS,
            "pools",
            "the addresses of ports; where a machine names no port the engine chooses from the whole range",
        ),
        Note(
            Verdict.IGNORED,
            "dns",
            "machines ask the engine, and it asks the name servers of the provider's settings",
        ),
    ),
    "Port": (
        Note(Verdict.MAPS, "", "an address that the machine gets when it is put on the network"),
        Note(
            Verdict.REFUSED,
            "more",
            "a machine has one address on each network of an engine, which would give a second one to others",
        ),
    ),
}
"""What becomes of these kinds on an engine."""

Pools = tuple[tuple[str, str], ...]
_SIOCGIFMTU = 0x8921
_TRIES = 32  # ranges tried before giving up
LOST_COUNT = "is empty, but Docker lost count and keeps it until it is restarted; it is removed after that"


class Networks:
    """Makes and removes networks, subnets, ports."""

    def __init__(self, engine: Engine, settings: DockerSettings, observer: Observer) -> None:
        self._engine = engine
        self._settings = settings
        self._observer = observer
        self._reserved: dict[str, dict[str, str]] = {}  # network -> address -> token of the port

    # --- networks
    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """CREATE finds what an earlier try made; in place only that changes whom it is shared with."""
        match step.verb:
            case Verb.DELETE:
                return await self._remove(step, fence)
            case Verb.CREATE:
                item = await self._create(step.spec, step, fence)
            case _:
                await self._part(step, fence)
                item = await self.inspect(step.provider_id)
        self._observer.note_network(item)
        return Receipt.done(shape.network(item))

    async def _create(self, spec: NetworkSpec, step: Step, fence: Fence) -> Any:
        mtu = self._mtu()
        ranges = [spec.cidr] if spec.cidr else self._free_ranges(step.owner.token)
        for cidr in ranges:
            body = bodies.network(replace(spec, cidr=cidr), step.owner, step.names, mtu)
            try:
                made = await self._engine.change(fence, "POST", "/networks/create", body=body)
                return await self.inspect(made["Id"])
            except Refusal as refusal:
                if refusal.status == 409:
                    return await self._taken(body["Name"], step)
                # "pool overlaps" with a network that is there, "overlapping" with the bridge of one half made
                if "overlap" in refusal.message and not spec.cidr:
                    continue
                raise
        raise TransientError(
            f"no free address range for a network in {self._settings.address_pool}",
            hint="give the network a cidr, or the provider another address_pool",
        )

    async def _taken(self, name: str, step: Step) -> Any:
        """Something of that name is there: ours from an earlier try, or somebody else's."""
        found = [
            item
            for item in await self._engine.read("/networks", {"filters": filters(name=[name])})
            if item["Name"] == name
        ]
        ours = [item for item in found if labels.same(labels.read(item.get("Labels")), step.owner)]
        if ours:
            return min(ours, key=lambda item: (item.get("Created", ""), item["Id"]))
        if not found:
            raise TransientError(f"a network {name} was there a moment ago")
        raise PermanentError(
            f"a network {name} that is not ours is in the way", hint="rename or remove it", code="name-taken"
        )

    async def _remove(self, step: Step, fence: Fence) -> Receipt:
        """By id; where none was ever seen, by the name that only this incarnation has."""
        target = step.provider_id
        if not target:
            name = labels.engine_name(step.owner, step.names)
            found = await self._engine.read("/networks", {"filters": filters(name=[name])})
            target = next(
                (i["Id"] for i in found if labels.same(labels.read(i.get("Labels")), step.owner)), ""
            )
        if not target:
            return Receipt.done(None)
        try:
            await self._engine.change(fence, "DELETE", f"/networks/{target}")
            self._observer.gateways.pop(target, None)
        except Refusal as refusal:
            if "active endpoints" in refusal.message:
                if not await self._let_go_of_the_dead(target, fence):
                    return Receipt.left(f"network {target[:12]} {LOST_COUNT}")
                raise TransientError(
                    f"the network is still in use: {refusal.message}", code="in-use"
                ) from refusal
            if refusal.status != 404:
                raise
        return Receipt.done(None)

    async def _part(self, step: Step, fence: Fence) -> None:
        """Takes what is of projects that the network is not shared with (any more) off it, running or not."""
        query = {"all": "1", "filters": filters(network=[step.provider_id])}
        for item in await self._engine.read("/containers/json", query):
            owner, project = (
                labels.read(item.get("Labels")),
                (item.get("Labels") or {}).get(labels.PROJECT, ""),
            )
            ours = owner is not None and owner.installation == step.owner.installation
            if ours and project not in (step.names.project, *step.spec.shared_with):
                body = {"Container": item["Id"], "Force": True}
                try:
                    await self._engine.change(
                        fence, "POST", f"/networks/{step.provider_id}/disconnect", body=body
                    )
                except Refusal as refusal:
                    if refusal.status != 404 and "is not connected" not in refusal.message:
                        raise

    async def _let_go_of_the_dead(self, network: str, fence: Fence) -> bool:
        """An engine that was killed while it removed a container can keep that container's place on a network for
        ever, and refuse to remove the network. What has no container any more is taken off; the next try then works.
        False when nothing at all is on the network: then only the engine's own count is wrong. Docker 20.10 loses count
        now and then when many containers leave a network at the same moment, and counts anew only when it starts."""
        places = (await self.inspect(network)).get("Containers") or {}
        for container in places:
            try:
                await self._engine.read(f"/containers/{container}/json")
            except Refusal as refusal:
                if refusal.status != 404:
                    raise
                body = {"Container": container, "Force": True}
                await self._engine.change(fence, "POST", f"/networks/{network}/disconnect", body=body)
        return bool(places)

    async def inspect(self, network: str) -> Any:
        """A network as the engine describes it now. TransientError when it is gone."""
        try:
            return await self._engine.read(f"/networks/{network}")
        except Refusal as refusal:
            if refusal.status == 404:
                raise TransientError(f"network {network[:12]} is gone") from refusal
            raise

    def _free_ranges(self, token: str) -> Iterator[str]:
        """Ranges of the pool to try, each incarnation from a place of its own. The engine would choose by
        itself, but takes fixed addresses only in ranges that were named."""
        pool = IPv4Network(self._settings.address_pool)
        count = 1 << (self._settings.network_size - pool.prefixlen)
        first = _number(token) % count
        routes = _routes() if self._engine.local else []
        for offset in range(min(count, _TRIES)):
            size = 32 - self._settings.network_size
            place = int(pool.network_address) + (((first + offset) % count) << size)
            candidate = IPv4Network((place, self._settings.network_size))
            if not any(candidate.overlaps(route) for route in routes):
                yield str(candidate)

    def _mtu(self) -> int:
        if self._settings.mtu != "auto":
            return self._settings.mtu
        return uplink_mtu() if self._engine.local else 0

    # --- subnets and ports
    async def apply_subnet(self, step: Step) -> Receipt:
        """A subnet is the network's own range, seen from another side."""
        if step.verb is Verb.DELETE:
            return Receipt.done(None)
        spec: SubnetSpec = step.spec
        pools = (await self.inspect(spec.network)).get("IPAM", {}).get("Config") or []
        ranges = {ipaddress.ip_network(pool["Subnet"]): pool for pool in pools if pool.get("Subnet")}
        held = ranges.get(ipaddress.ip_network(spec.cidr, strict=False))
        if held is None:
            raise PermanentError(
                f"an engine's network has one range, {', '.join(map(str, ranges))}, not {spec.cidr}",
                hint="give that range to the network, or keep one subnet",
            )
        subnet = f"{step.owner.token}@{spec.network}"  # by which a router finds where it stands
        attributes = {
            "id": subnet,
            "name": spec.name,
            "cidr": spec.cidr,
            "gateway": held.get("Gateway") or spec.gateway,
            "network_id": spec.network,
        }
        return Receipt.done(Seen("Subnet", subnet, step.owner, attributes=attributes, name=spec.name))

    async def apply_port(self, step: Step) -> Receipt:
        """An address that nothing else of the network has or holds."""
        if step.verb is Verb.DELETE:
            for held in self._reserved.values():
                for address in [ip for ip, token in held.items() if token == step.owner.token]:
                    del held[address]
            return Receipt.done(None)
        spec: PortSpec = step.spec
        if spec.more:
            raise CapabilityError("a machine has one address on each network of an engine")
        known = str(step.attributes.get("ip") or "") if step.verb is not Verb.CREATE else ""
        item = await self.inspect(spec.network)
        address = spec.ip or known or await self.pick_address(item, step.owner.token, pools=spec.pools)
        _check_inside(address, item)
        self._reserved.setdefault(spec.network, {})[address] = step.owner.token
        port = f"{step.owner.token}@{address}"  # by which a floating address finds where it leads
        attributes = {
            "id": port,
            "name": spec.name,
            "ip": address,
            "mac": spec.mac,
            "network_id": item["Id"],
            "fixed_ips": [{"ip_address": address, "subnet_id": next(iter(spec.subnets), "")}],
            "subnets": list(spec.subnets),
            "security_groups": list(spec.groups),
        }
        return Receipt.done(Seen("Port", port, step.owner, attributes=attributes, name=spec.name))

    async def pick_address(self, item: Any, token: str, taken: Iterable[str] = (), pools: Pools = ()) -> str:
        """An address of a network (as the engine describes it) that nothing else has or holds, held for `token`;
        from one of `pools`, where there are any."""
        address = await self._free_address(item, token, taken, pools)
        self._reserved.setdefault(item["Id"], {})[address] = token
        return address

    def release(self, network: str, token: str) -> None:
        """Lets go of what `pick_address` held for `token`: what has the address is there now."""
        held = self._reserved.get(network, {})
        for address in [ip for ip, holder in held.items() if holder == token]:
            del held[address]

    async def _free_address(self, item: Any, token: str, more: Iterable[str], pools: Pools) -> str:
        network = item["Id"]
        pool: dict[str, str] = next(iter(item.get("IPAM", {}).get("Config") or []), {})
        if not pool.get("Subnet"):
            raise PermanentError("the network has no address range")
        taken = {*more, pool.get("Gateway", "")}
        taken |= {end.get("IPv4Address", "").split("/")[0] for end in (item.get("Containers") or {}).values()}
        there = await self._engine.read("/containers/json", {"all": 1, "filters": filters(network=[network])})
        for container in there:
            for end in container["NetworkSettings"]["Networks"].values():
                taken |= {(end.get("IPAMConfig") or {}).get("IPv4Address", ""), end.get("IPAddress", "")}
        # Looked at last: others may have chosen while the engine was asked.
        held = self._reserved.get(network, {})
        for address, holder in held.items():
            if holder == token:
                return address
        taken |= held.keys()
        address = pick_in(pools, taken, token) if pools else pick(pool["Subnet"], taken, token)
        if not address:
            where = " and ".join(f"{first}-{last}" for first, last in pools) or pool["Subnet"]
            raise TransientError(f"every address of {where} is taken", code="addresses-used-up")
        return address


def pick_in(pools: Pools, taken: set[str], token: str) -> str:
    """A free address from the first to the last of one of `pools`, "" when there is none. Each port begins at a place
    of its own: it misses ports that are not known here, too."""
    spans = [(int(IPv4Address(first)), int(IPv4Address(last)) + 1) for first, last in pools]
    numbers = [number for first, past in spans for number in range(first, min(past, first + 65536))]
    start = _number(token) % len(numbers) if numbers else 0
    for number in (*numbers[start:], *numbers[:start]):
        address = str(IPv4Address(number))
        if address not in taken:
            return address
    return ""


def pick(cidr: str, taken: set[str], token: str) -> str:
    """A free address, "" when there is none. The engine hands out the low ones by itself, so these come from
    the upper half, each port beginning at a place of its own: it misses ports that are not known here,
    too."""
    network = ipaddress.ip_network(cidr)
    last = min(network.num_addresses, 65536) - 2  # without the broadcast address
    half = last - last // 2
    start = _number(token) % half if half > 0 else 0
    upper = [last - (start + offset) % half for offset in range(half)]
    for offset in (*upper, *range(last - half, 0, -1)):
        address = str(network.network_address + offset)
        if address not in taken:
            return address
    return ""


def _check_inside(address: str, item: Any) -> None:
    ranges = [pool["Subnet"] for pool in item.get("IPAM", {}).get("Config") or [] if pool.get("Subnet")]
    try:
        inside = any(ipaddress.ip_address(address) in ipaddress.ip_network(one) for one in ranges)
    except ValueError as error:
        raise PermanentError(str(error)) from error
    if not inside:
        raise PermanentError(f"{address} lies outside the network's range {', '.join(ranges)}")


def _number(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest(), "big")


def uplink_mtu(routes: Path = Path("/proc/net/route"), ask: Callable[[str], int] | None = None) -> int:
    """The MTU of this machine's way out; 0 when it has none. `ask` gives that of an interface by name."""
    try:
        for line in routes.read_text(encoding="utf-8").splitlines()[1:]:
            device, destination, *rest = line.split()
            if destination == "00000000" and rest[5] == "00000000":
                return (ask or _mtu_of)(device)
    except (OSError, IndexError):
        pass
    return 0


def _mtu_of(device: str) -> int:
    """The MTU of an interface, asked of the network this process is in: below /sys may be those of another."""
    request = struct.pack("16sH14x", device.encode(), 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket.fileno(), _SIOCGIFMTU, request)
    return int(struct.unpack_from("i", answer, 16)[0])


def _routes(table: Path = Path("/proc/net/route")) -> list[IPv4Network]:
    """What this machine reaches by other ways than its default route."""
    found = []
    try:
        for line in table.read_text(encoding="utf-8").splitlines()[1:]:
            fields = line.split()
            place, mask = (int.from_bytes(bytes.fromhex(fields[i]), "little") for i in (1, 7))
            if mask:
                found.append(IPv4Network((place, mask.bit_count()), strict=False))
    except (OSError, ValueError, IndexError):
        return []
    return found
