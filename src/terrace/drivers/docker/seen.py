"""What the engine shows, as Seen. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from terrace.drivers.docker import labels
from terrace.drivers.docker.bodies import MIB, MTU, NO_MEMORY_LIMIT, PERIOD
from terrace.drivers.docker.wire.frames import epoch
from terrace.model.seen import Seen

# The engine's word -> ours. "restarting" and "removing" are on their way; the next look tells where to.
STATES = {
    "created": "created",
    "running": "running",
    "paused": "paused",
    "restarting": "running",
    "exited": "exited",
    "removing": "dead",
    "dead": "dead",
}
_ENGINES_OWN = frozenset({"bridge", "host", "none"})
_EXITED = re.compile(r"Exited \((\d+)\)")


class Detail(msgspec.Struct, frozen=True, gc=False):
    """What a listing of containers does not show. `cpu` in cores, `memory` in MiB (0: no limit), times in
    epoch seconds, `pid` of the guest's first process on the engine's host (0: it does not run)."""

    cpu: float = 0.0
    memory: int = 0
    pids: int = 0
    created: float = 0.0
    finished: float = 0.0
    exit_code: int = 0
    pid: int = 0


class Facts(msgspec.Struct, frozen=True):
    """A container, listed or inspected. `first` is the network (name or id) that it was made with."""

    id: str
    name: str
    state: str
    labels: Mapping[str, str]
    networks: Mapping[str, Mapping[str, Any]]
    first: str
    detail: Detail


def detail(inspected: Mapping[str, Any]) -> Detail:
    """From GET /containers/ID/json."""
    host, state = inspected["HostConfig"], inspected["State"]
    return Detail(
        cpu=_cpu(host),
        memory=0 if (host.get("Memory") or 0) >= NO_MEMORY_LIMIT else max(host.get("Memory") or 0, 0) // MIB,
        pids=max(host.get("PidsLimit") or 0, 0),
        created=epoch(inspected.get("Created", "")),
        finished=epoch(state.get("FinishedAt", "")),
        exit_code=int(state.get("ExitCode") or 0),
        pid=int(state.get("Pid") or 0),
    )


def _cpu(host: Mapping[str, Any]) -> float:
    nano, quota = host.get("NanoCpus") or 0, host.get("CpuQuota") or 0
    if nano > 0:
        return float(nano / 1_000_000_000)
    return float(quota / (host.get("CpuPeriod") or PERIOD)) if quota > 0 else 0.0


def inspected(answer: Mapping[str, Any]) -> Facts:
    """A container as GET /containers/ID/json shows it."""
    return Facts(
        id=answer["Id"],
        name=answer["Name"].lstrip("/"),
        state=answer["State"]["Status"],
        labels=answer["Config"].get("Labels") or {},
        networks=answer["NetworkSettings"].get("Networks") or {},
        first=answer["HostConfig"].get("NetworkMode") or "",
        detail=detail(answer),
    )


def listed(item: Mapping[str, Any], known: Detail) -> Facts:
    """A container as GET /containers/json shows it, with what is known beyond that."""
    return Facts(
        id=item["Id"],
        name=(item.get("Names") or ["/"])[0].lstrip("/"),
        state=item["State"],
        labels=item.get("Labels") or {},
        networks=(item.get("NetworkSettings") or {}).get("Networks") or {},
        first=(item.get("HostConfig") or {}).get("NetworkMode") or "",
        detail=known,
    )


def places(facts: Facts) -> tuple[str, ...]:
    """Ids of the networks that it holds a place on: those that can be removed, while it runs."""
    ends = facts.networks.items() if facts.state in ("running", "paused") else ()
    return tuple(end["NetworkID"] for key, end in ends if key not in _ENGINES_OWN and end.get("NetworkID"))


def look(item: Mapping[str, Any]) -> str:
    """What of a listed container tells that details known of it may be old: state and exit code."""
    match = _EXITED.match(item.get("Status") or "")
    return f"{item['State']}:{match.group(1) if match else ''}"


def machine(facts: Facts, networks: Mapping[str, str], host: str, boot: tuple[str, str] = ("", "")) -> Seen:
    """`networks`: network id -> the name that people gave it. `host` is the engine's. `boot`: how far its user data has
    got, and that in words."""
    state = STATES.get(facts.state, "dead")
    ends = _own(facts)
    addresses: dict[str, list[str]] = {}
    places: dict[str, list[dict[str, str]]] = {}
    for key, end in ends:
        network, ip = networks.get(end.get("NetworkID") or "", key), end.get("IPAddress")
        addresses[network] = [ip] if ip else []
        # The port is one that a floating address can lead to.
        places[network] = [{"addr": ip, "port": f"{end.get('NetworkID', '')[:12]}@{ip}"}] if ip else []
    held = next((ips[0] for ips in addresses.values() if ips), "")
    first = held or next((e["IPAddress"] for e in facts.networks.values() if e.get("IPAddress")), "")
    name = facts.labels.get(labels.NAME, facts.name)
    known = facts.detail
    return Seen(
        kind=facts.labels.get(labels.KIND, "Machine"),
        provider_id=facts.id,
        owner=labels.read(facts.labels),
        state=state,
        complete=state != "created",
        attributes={
            "id": facts.id,
            "name": name,
            "first_address": first,
            "addresses": places,
            "networks": addresses,
            "state": state,
            "host": host,
            "tags": [],
        },
        keeps=("tags",),
        properties={
            "cpu": known.cpu,
            "memory": known.memory,
            "pids": known.pids,
            "networks": tuple(_nic(key, end, networks) for key, end in ends),
        },
        name=facts.name,
        created=known.created,
        finished=known.finished if state in ("exited", "dead") else 0.0,
        exit_code=known.exit_code if state in ("exited", "dead") else None,
        why=boot[1],
        boot=boot[0],
    )


def thawed(seen: Seen) -> Seen:
    """A machine as it is when it is not paused."""
    return msgspec.structs.replace(seen, state="running", attributes={**seen.attributes, "state": "running"})


def _own(facts: Facts) -> list[tuple[str, Mapping[str, Any]]]:
    """The networks that were asked for, the first one first. The engine's default bridge is where a machine
    without any is."""
    default = facts.first in ("", "default", "bridge")
    ends = [(key, end) for key, end in facts.networks.items() if not (default and key == "bridge")]
    return sorted(ends, key=lambda pair: (facts.first not in (pair[0], pair[1].get("NetworkID")), pair[0]))


def _nic(key: str, end: Mapping[str, Any], networks: Mapping[str, str]) -> dict[str, Any]:
    """A place on a network; one that is not ours may be wanted by its name, which is told too."""
    asked = (end.get("IPAMConfig") or {}).get("IPv4Address") or ""
    network = end.get("NetworkID") or key
    nic = {"network": network} | ({"name": key} if networks.get(network, key) == key != network else {})
    return {**nic, "ip": asked} if asked else nic


def network(item: Mapping[str, Any]) -> Seen:
    """From GET /networks or /networks/ID. The engine cannot change a network, so there is no drift to see."""
    written = item.get("Labels") or {}
    pool: Mapping[str, str] = next(iter((item.get("IPAM") or {}).get("Config") or []), {})
    return Seen(
        kind="Network",
        provider_id=item["Id"],
        owner=labels.read(written),
        attributes={
            "id": item["Id"],
            "name": written.get(labels.NAME, item["Name"]),
            "cidr": pool.get("Subnet", ""),
            "gateway": pool.get("Gateway", ""),
            "subnets": [pool["Subnet"]] if pool.get("Subnet") else [],
            "mtu": int((item.get("Options") or {}).get(MTU) or 0),
        },
        name=item["Name"],
        created=epoch(item.get("Created", "")),
    )


def volume(item: Mapping[str, Any], used: bool = False, complete: bool = True) -> Seen:
    """From GET /volumes or /volumes/NAME; a snapshot is one too. `size` (GiB) is what was asked for at first; the local
    store sets no bound, and what it grew to later is Terrace's own to remember."""
    written = item.get("Labels") or {}
    kind = written.get(labels.KIND, "Volume")
    more = {"volume_id": written.get(labels.OF, "")} if kind == "VolumeSnapshot" else {}
    return Seen(
        kind=kind,
        provider_id=item["Name"],
        owner=labels.read(written),
        complete=complete,
        keeps=("size",) if kind == "Volume" else (),
        attributes={
            **more,
            "id": item["Name"],
            "name": written.get(labels.NAME, item["Name"]),
            "size": int(written.get(labels.SIZE) or 0),
            "state": "in-use" if used else "available",
        },
        name=item["Name"],
        created=epoch(item.get("CreatedAt", "")),
        data=True,
    )


def image(item: Mapping[str, Any], reference: str) -> Seen:
    """From GET /images/NAME/json. The provider id is `reference`, which names its content and by which it can
    be fetched again."""
    digests = [digest for digest in item.get("RepoDigests") or [] if not digest.startswith("<none>")]
    tags = item.get("RepoTags") or []
    return Seen(
        kind="Image",
        provider_id=reference,
        attributes={
            "id": item["Id"],
            "name": next(iter(tags), reference),
            "digest": next(iter(digests), item["Id"]),
            "size": item.get("Size", 0),
        },
        name=next(iter(tags), reference),
        created=epoch(item.get("Created", "")),
    )
