"""The engine's request bodies from typed specs. Pure but for the reading of secrets, which end here."""

from __future__ import annotations

import io
import ipaddress
import tarfile
from typing import Any

from terrace.drivers.docker import labels
from terrace.drivers.docker.settings import DockerSettings
from terrace.errors import CapabilityError, PermanentError
from terrace.model.seen import Names, Owner
from terrace.model.spec.machine import MachineSpec, Nic, Publish
from terrace.model.spec.network import NetworkSpec
from terrace.model.spec.volume import VolumeSnapshotSpec, VolumeSpec
from terrace.model.value import Secret

MIB = 1024 * 1024
NO_MEMORY_LIMIT = (
    0x7FFF_FFFF_FFFF_F000  # the kernel's own number; an engine takes no less direct way back to none
)
PERIOD = 100_000  # microseconds; the quota is a share of it
STOP_SECONDS = 3  # how long a guest may take to end; below the time-out of a request
MTU = "com.docker.network.driver.mtu"
STATE_FOLDER = "var/lib/terrace"
OURS = "terrace/"  # of images that Terrace builds


def container(spec: MachineSpec, owner: Owner, names: Names, settings: DockerSettings) -> dict[str, Any]:
    """The body of POST /containers/create: everything but files and further networks."""
    written = labels.written(owner, names, spec.name)
    script = plain(spec.user_data)
    if script:
        written[labels.USER_DATA] = labels.form_of(script)
    body: dict[str, Any] = {
        "Image": spec.image,
        "Hostname": labels.host_name(spec.name),
        "Labels": written,
        "Env": [f"{name}={plain(value)}" for name, value in sorted(spec.environment.items())],
        "StopTimeout": STOP_SECONDS,
        "HostConfig": _host(spec, settings),
    }
    if spec.workdir:
        body["WorkingDir"] = spec.workdir
    if spec.command:
        body["Cmd"] = list(spec.command)
    ports = published(spec.publish, settings.publish)
    if ports:
        body["ExposedPorts"] = {port: {} for port in ports}
        body["HostConfig"]["PortBindings"] = ports
    if spec.networks:
        first = spec.networks[0]
        body["HostConfig"]["NetworkMode"] = first.network
        body["NetworkingConfig"] = {"EndpointsConfig": {first.network: endpoint(first, spec)}}
    return body


def _host(spec: MachineSpec, settings: DockerSettings) -> dict[str, Any]:
    """Limits, and the walls around the guest: no privileges, no folder or namespace of the host, one
    healer."""
    host: dict[str, Any] = {
        "NetworkMode": "bridge",
        # Always there: the engine refuses to change between this and its other way to limit the cpu.
        "CpuPeriod": PERIOD,
        "RestartPolicy": {"Name": "no"},
        "SecurityOpt": ["no-new-privileges"],
        "LogConfig": {
            "Type": "json-file",
            "Config": {"max-size": f"{max(spec.log_size, 1) * 512}k", "max-file": "2"},
        },
        "Mounts": [
            {"Type": "volume", "Source": mount.volume, "Target": mount.path, "ReadOnly": mount.read_only}
            for mount in spec.volumes
        ],
    }
    if spec.memory:
        host |= {"Memory": spec.memory * MIB, "MemorySwap": spec.memory * MIB}
    if spec.cpu:
        host["CpuQuota"] = round(spec.cpu * PERIOD)
    if spec.pids:
        host["PidsLimit"] = spec.pids
    if settings.dns:
        host["Dns"] = list(settings.dns)
    return host


def limits(spec: MachineSpec) -> dict[str, Any]:
    """The body of POST /containers/ID/update. It must take limits away as well."""
    memory = spec.memory * MIB or NO_MEMORY_LIMIT
    return {
        "Memory": memory,
        "MemorySwap": memory,
        "CpuPeriod": PERIOD,
        "CpuQuota": round(spec.cpu * PERIOD) or -1,
        "PidsLimit": spec.pids or -1,
    }


def endpoint(nic: Nic, spec: MachineSpec) -> dict[str, Any]:
    """One attachment to a network, by which other machines find this one under its names."""
    names = dict.fromkeys((labels.host_name(spec.name), *spec.aliases))
    settings: dict[str, Any] = {"Aliases": list(names)}
    if nic.ip:
        settings["IPAMConfig"] = {"IPv4Address": nic.ip}
    if nic.mac:
        settings["MacAddress"] = nic.mac
    return settings


def published(ports: tuple[Publish, ...], rule: str) -> dict[str, list[dict[str, str]]]:
    """Port bindings, as far as the provider's rule allows them."""
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        if rule == "none":
            raise CapabilityError(
                "this provider wires no port of the host to a guest",
                hint='allow it with publish = "loopback" or "any"',
            )
        if rule == "loopback" and not _loopback(port.address):
            raise PermanentError(
                f"this provider publishes on loopback only, not on {port.address}",
                hint='publish on 127.0.0.1, or allow it with publish = "any" in the provider\'s settings',
                code="publish-refused",
            )
        binding = {"HostIp": port.address, "HostPort": str(port.host) if port.host else ""}
        bindings.setdefault(f"{port.guest}/{port.protocol}", []).append(binding)
    return bindings


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def network(spec: NetworkSpec, owner: Owner, names: Names, mtu: int) -> dict[str, Any]:
    """The body of POST /networks/create. `spec.cidr` is chosen by now: only such networks take fixed
    addresses."""
    first = str(ipaddress.ip_network(spec.cidr, strict=False)[1])
    pool = {"Subnet": spec.cidr, "Gateway": spec.gateway or first}
    size = spec.mtu or mtu
    return {
        "Name": labels.engine_name(owner, names),
        "CheckDuplicate": True,
        "Driver": "bridge",
        "Internal": spec.internal,
        "IPAM": {"Driver": "default", "Config": [pool]},
        "Options": {MTU: str(size)} if size else {},
        "Labels": labels.written(owner, names, spec.name),
    }


def volume(spec: VolumeSpec, owner: Owner, names: Names, size: int = 0) -> dict[str, Any]:
    """The body of POST /volumes/create. The size (`size` is that of its source) is written down, not enforced: the
    local store cannot."""
    written = labels.written(owner, names, spec.name)
    if spec.size or size:
        written[labels.SIZE] = str(spec.size or size)
    return _volume(written, owner, names)


def snapshot(spec: VolumeSnapshotSpec, owner: Owner, names: Names, size: int) -> dict[str, Any]:
    """The body of POST /volumes/create for a snapshot: a volume that says what it was made of."""
    written = labels.written(owner, names, spec.name or names.short)
    written |= {labels.KIND: "VolumeSnapshot", labels.OF: spec.volume, labels.SIZE: str(size)}
    return _volume(written, owner, names)


def _volume(written: dict[str, str], owner: Owner, names: Names) -> dict[str, Any]:
    return {"Name": labels.engine_name(owner, names), "Driver": "local", "Labels": written}


def archive(spec: MachineSpec) -> bytes:
    """A tar archive of what the guest finds at its first start: files, keys, user data; b"" for nothing."""
    wanted = [(file.path.lstrip("/"), plain(file.content), int(file.mode, 8)) for file in spec.files]
    script = plain(spec.user_data)
    if script:
        wanted.append((f"{STATE_FOLDER}/user-data", script, 0o700))
    if spec.password and spec.image.startswith(OURS):  # nothing else would take it, and take it away
        wanted.append((f"{STATE_FOLDER}/password", plain(spec.password) + "\n", 0o600))
    if not wanted and not spec.keys:
        return b""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        if spec.keys:
            folder = tarfile.TarInfo("root/.ssh")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o700
            tar.addfile(folder)
            wanted.append(
                ("root/.ssh/authorized_keys", "".join(f"{key.strip()}\n" for key in spec.keys), 0o600)
            )
        for path, content, mode in wanted:
            entry = tarfile.TarInfo(path)
            entry.mode = mode
            payload = content.encode()
            entry.size = len(payload)
            tar.addfile(entry, io.BytesIO(payload))
    return buffer.getvalue()


def plain(value: Any) -> str:
    """Text of a value that may be a Secret: here it goes into the guest."""
    return str(value.reveal() if isinstance(value, Secret) else value)
