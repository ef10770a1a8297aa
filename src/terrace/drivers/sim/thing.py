"""One thing at a simulated provider, and what the provider shows of it."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec

from terrace.model.seen import Owner, Seen
from terrace.model.spec.machine import MachineSpec
from terrace.model.spec.network import PortSpec
from terrace.model.value import Secret, holds

# Fields of a spec that the provider can show, so that drift is seen; the other kinds show all of theirs.
SHOWN = {
    "Machine": ("image", "cpu", "memory", "pids", "networks", "volumes", "command", "restart"),
    "Volume": ("size",),
    "VolumeSnapshot": (),
    "SoftwareDeployment": (),
    "Network": ("cidr", "internal"),
    "Image": ("source",),
}
HOST = "sim-1"
MTU = 1500
IMAGE_SIZE = 1_000_000
SCALARS = frozenset({str, int, float, bool, type(None)})


class Thing:
    """A thing and its history as far as listings still show it. `busy`: the provider still works on its creation.
    `project`: whose it was made for. `parts` are the parts of its creation that are done. `stale`: until (epoch
    seconds) listings show that Seen (None: nothing) instead. `address` is by network, `networks` names them, `ranges`
    are cidr and gateway. `content` is what a volume or a machine's own disk holds, by path."""

    __slots__ = (
        "address",
        "busy",
        "content",
        "created",
        "exit_code",
        "finished",
        "ghost_until",
        "kind",
        "networks",
        "output",
        "owner",
        "parts",
        "project",
        "properties",
        "provider_id",
        "ranges",
        "seen",
        "sick",
        "spec",
        "stale",
        "state",
    )

    def __init__(self, kind: str, provider_id: str, owner: Owner | None, spec: Any, now: float) -> None:
        self.kind = kind
        self.provider_id = provider_id
        self.project = ""
        self.owner = owner
        self.spec = spec
        self.created = now
        self.state = "created" if kind == "Machine" else "available"
        self.parts: set[str] = set()
        self.busy = False
        self.finished = 0.0
        self.exit_code: int | None = None
        self.ghost_until = 0.0
        self.sick = False
        self.address: dict[str, str] = {}
        self.networks: dict[str, str] = {}
        self.ranges = ("", "")
        self.content: dict[str, str] = {}
        self.output: list[tuple[float, str]] = []
        self.stale: tuple[float, Seen | None] | None = None
        self.properties = shown(kind, spec)
        self.seen: Seen = Seen(kind, provider_id)

    def show(self) -> Seen:
        """Works out anew what the provider shows."""
        machine = self.kind == "Machine"
        waiting = unheard(self)
        self.seen = Seen(
            kind=self.kind,
            provider_id=self.provider_id,
            owner=self.owner,
            state=self.state,
            complete=not self.busy and (not machine or "start" in self.parts),
            attributes=attributes(self),
            properties=self.properties,
            name=getattr(self.spec, "name", ""),
            created=self.created,
            finished=self.finished,
            exit_code=self.exit_code,
            data=self.kind in ("Volume", "VolumeSnapshot"),
            boot="waiting" if waiting else "",
            why=waiting,
        )
        return self.seen

    def listed(self, now: float) -> Seen | None:
        """What a listing at `now` shows of it."""
        if self.stale is not None:
            until, before = self.stale
            if now < until:
                return before
            self.stale = None
        return self.seen


def attributes(thing: Thing) -> dict[str, Any]:
    """What templates can refer to, by kind."""
    spec, own = thing.spec, thing.provider_id
    match thing.kind:
        case "Value":
            return {"value": spec.value}
        case "Machine":
            return _machine(thing, spec)
        case "Volume":
            return {"name": spec.name, "id": own, "size": spec.size, "state": thing.state}
        case "Network":
            cidr, gateway = thing.ranges
            gives = {"cidr": cidr, "gateway": gateway, "subnets": [cidr], "mtu": spec.mtu or MTU}
            return {"name": spec.name, "id": own, **gives}
        case "Subnet":
            cidr, gateway = thing.ranges
            return {
                "name": spec.name,
                "id": own,
                "cidr": cidr,
                "gateway": gateway,
                "network_id": spec.network,
            }
        case "Port":
            return _port(thing, spec)
        case "VolumeSnapshot":
            given = {"volume_id": spec.volume, "size": 0, "state": thing.state}
            return {"name": spec.name, "id": own, **given}
        case "SoftwareDeployment":
            results = {"deploy_stdout": "", "deploy_stderr": "", "deploy_status_code": 0}
            return {**dict.fromkeys(spec.outputs, ""), **results, "id": own, "name": spec.name}
        case "VolumeAttachment":
            return {"path": spec.path}
        case "Image":
            return {"id": own, "name": spec.source, "size": IMAGE_SIZE, "digest": f"sha256:{own}"}
        case "TestResource":
            return {"output": spec.value, **spec.attributes}
        case _:
            return _passage(thing, spec, own)


def _port(thing: Thing, spec: PortSpec) -> dict[str, Any]:
    ip, own = thing.address[spec.network], thing.provider_id
    subnets = spec.subnets or (spec.network,)
    return {
        "name": spec.name,
        "id": own,
        "ip": ip,
        "mac": spec.mac or _mac(own),
        "network_id": spec.network,
        "fixed_ips": [{"ip_address": one, "subnet_id": subnets[0]} for one in (ip, *spec.more)],
        "subnets": list(spec.subnets),
        "security_groups": list(spec.groups),
    }


def _passage(thing: Thing, spec: Any, own: str) -> dict[str, Any]:
    """Of what lets traffic pass, or leads it."""
    match thing.kind:
        case "SecurityGroup":
            return {"name": spec.name, "id": own}
        case "Router":
            return {"name": spec.name, "id": own, "gateway": spec.gateway}
        case "RouterInterface":
            return {"id": own, "network_id": spec.network}
        case "FloatingIP":
            number = int(own.rpartition("-")[2])
            ip = spec.ip or f"198.51.{100 + number // 250 % 100}.{number % 250 + 1}"
            return {"id": own, "ip": ip, "pool": spec.pool or "sim", "target": spec.target, "port": spec.port}
        case "SecurityGroupRule" | "RouterGateway" | "FloatingIPAssociation":
            return {"id": own}
        case kind if kind in BALANCE:
            return _balance(kind, spec, own, thing.address)
        case _:
            return {}


BALANCE = frozenset({"LoadBalancer", "Listener", "Pool", "PoolMember", "HealthMonitor"})


def _balance(kind: str, spec: Any, own: str, addresses: dict[str, str]) -> dict[str, Any]:
    """Of a load balancer, and of what stands on it. `addresses`: those of the load balancer, by network."""
    found = {"id": own, **_about(kind, spec, own, addresses)}
    return {**found, "show": dict(found)}


def _about(kind: str, spec: Any, own: str, addresses: dict[str, str]) -> dict[str, Any]:
    match kind:
        case "LoadBalancer":
            network, address = next(iter(addresses.items()))
            return {
                "name": spec.name,
                "address": address,
                "port": f"{own}@{address}",
                "network_id": network,
                "subnet_id": spec.subnet,
                "pools": [],
                "state": "available",
            }
        case "Listener":
            balancers = [{"id": spec.balancer}] if spec.balancer else []
            return {"name": spec.name, "pool": spec.pool, "loadbalancers": balancers}
        case "Pool":
            listeners = [{"id": spec.listener}] if spec.listener else []
            return {"name": spec.name, "listeners": listeners, "members": [], "healthmonitor_id": ""}
        case "PoolMember":
            return {"address": spec.address, "pool_id": spec.pool, "operating_status": "NO_MONITOR"}
        case _:
            return {"pools": [{"id": spec.pool}]}


RUNS = ("#!", "#cloud-config", "Content-Type:", "MIME-Version:")


def unheard(thing: Thing) -> str:
    """Why a machine's user data waits: what looks like any is done at once ("")."""
    data = getattr(thing.spec, "user_data", "") if thing.kind == "Machine" else ""
    text = str(data.reveal() if isinstance(data, Secret) else data)
    if not text or text.startswith(RUNS):
        return ""
    return "its user data waits: nothing here runs it"


def _machine(thing: Thing, spec: MachineSpec) -> dict[str, Any]:
    named = {thing.networks[network]: address for network, address in thing.address.items()}
    return {
        "name": spec.name,
        "id": thing.provider_id,
        "first_address": next(iter(named.values()), ""),
        "addresses": {
            thing.networks[network]: [{"addr": address, "port": f"{network}@{address}"}]
            for network, address in thing.address.items()
        },
        "networks": {name: [address] for name, address in named.items()},
        "state": thing.state,
        "host": HOST,
        "tags": list(spec.tags),
    }


def _mac(own: str) -> str:
    return "02:00:00:" + ":".join(f"{byte:02x}" for byte in zlib.crc32(own.encode()).to_bytes(4, "big")[:3])


def shown(kind: str, spec: Any) -> dict[str, Any]:
    """The fields of `spec` that this provider can show, as plain data. Secrets are never among them."""
    if spec is None:
        return {}
    fields = SHOWN.get(kind, spec.__struct_fields__)
    found = {}
    for field in fields:
        value = getattr(spec, field)
        if type(value) in SCALARS:
            found[field] = value
        elif not holds(value, Secret):
            found[field] = msgspec.to_builtins(value)
    return found
