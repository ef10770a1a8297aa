"""Steps for machines: each may happen twice, and takes up what an earlier try has left."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from typing import Any

from msgspec.structs import replace

from terrace.drivers.docker import bodies, labels
from terrace.drivers.docker import seen as shape
from terrace.drivers.docker.firewall.door import Firewall
from terrace.drivers.docker.images import Images
from terrace.drivers.docker.observe import Observer
from terrace.drivers.docker.settings import SIGNAL_HOST, DockerSettings
from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal
from terrace.errors import PermanentError, TransientError
from terrace.model.seen import Seen
from terrace.model.spec.machine import MachineSpec, Nic
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence

_LIMITS = frozenset({"cpu", "memory", "pids"})
_ATTACHED = frozenset({"networks", "aliases", "name"})


class Machines:
    """Carries out steps on containers."""

    def __init__(
        self, engine: Engine, settings: DockerSettings, observer: Observer, images: Images, firewall: Firewall
    ) -> None:
        self._engine = engine
        self._firewall = firewall
        self._settings = settings
        self._observer = observer
        self._images = images
        self._leaving: asyncio.Semaphore | None = None  # known once the engine has said which release it is

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """One step; what was seen afterwards."""
        if step.verb is Verb.DELETE:
            await self._remove(step, fence)
            await self._firewall.guards.remove(step.owner, fence)
            return Receipt.done(None)
        container = step.provider_id
        try:
            match step.verb:
                case Verb.CREATE:
                    container = await self._create(step.spec, step, fence)
                case Verb.UPDATE:
                    await self._update(container, step.spec, step, fence)
                case Verb.START:
                    await self._guard(container, step.spec, step, fence)
                    await self._start(container, fence)
                case Verb.UNPAUSE:
                    await self._unpause(container, fence)
                case Verb.RESTART:
                    await self._guard(container, step.spec, step, fence)
                    await self._restart(container, fence)
                case Verb.STOP:
                    await self._stop(container, fence)
                case _:
                    raise PermanentError(f"a machine cannot be told to {step.verb}")
            seen = await self._observer.machine(container)
            return Receipt.done(
                _tagged(await self._firewall.machine(seen, step.owner.installation), step.spec)
            )
        except Refusal as refusal:
            if refusal.status == 404 and "o such container" in refusal.message:
                return Receipt.done(None)
            if "marked for removal" in refusal.message:  # what is left of it will never run again
                with suppress(TransientError):  # somebody is removing it already, and it bars nobody's way
                    await self._delete(container, fence)
                return Receipt.done(None)
            raise

    # --- create
    async def _create(self, spec: MachineSpec, step: Step, fence: Fence) -> str:
        """Guarded, made, filled, connected, started: what is done already is not done again."""
        spec = await self._firewall.guards.put_up(spec, step.owner, {}, fence)
        await self._firewall.guards.settle(spec, step.owner, fence)
        body = bodies.container(spec, step.owner, step.names, self._settings)
        if step.kind != "Machine":  # what is a container too, but no machine of anybody's
            body["Labels"][labels.KIND] = step.kind
        if spec.networks and not self._settings.signal_url and self._engine.local:
            gateway = await self._observer.gateway(spec.networks[0].network)
            if gateway:
                body["HostConfig"]["ExtraHosts"] = [f"{SIGNAL_HOST}:{gateway}"]
        await self._volumes_there(spec)
        name = labels.engine_name(step.owner, step.names)
        try:
            container = await self._make(name, body, fence)
        except Refusal as refusal:
            if refusal.status == 404 and "o such image" in refusal.message:
                raise self._images.again(spec.image) from refusal
            if refusal.status != 409:
                raise
            there = await self._take_up(name, step, fence)
            if there is None:
                container = await self._make(name, body, fence)
            elif there["State"]["Status"] != "created":
                return str(there["Id"])
            else:
                container = str(there["Id"])
                await self._connect(container, spec, shape.inspected(there).networks, fence)
                return await self._fill_and_start(container, spec, fence)
        for nic in spec.networks[1:]:
            await self._attach(container, nic, spec, fence)
        return await self._fill_and_start(container, spec, fence)

    async def _make(self, name: str, body: dict[str, Any], fence: Fence) -> str:
        made = await self._engine.change(fence, "POST", "/containers/create", {"name": name}, body)
        return str(made["Id"])

    async def _take_up(self, name: str, step: Step, fence: Fence) -> Any:
        """The container of that name if it is ours. One that never ran and was made from another wish is
        removed: None."""
        try:
            there = await self._engine.read(f"/containers/{name}/json")
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise
        owner = labels.read(there["Config"].get("Labels"))
        if not labels.same(owner, step.owner):
            raise PermanentError(
                f"a container {name} that is not ours is in the way",
                hint="rename or remove it",
                code="name-taken",
            )
        state = there["State"]["Status"]
        if state in ("removing", "dead") or (
            state == "created" and owner is not None and owner.digest != step.owner.digest
        ):
            await self._delete(there["Id"], fence)
            return None
        return there

    async def _fill_and_start(self, container: str, spec: MachineSpec, fence: Fence) -> str:
        archive = bodies.archive(spec)
        if archive:
            await self._engine.change(
                fence, "PUT", f"/containers/{container}/archive", {"path": "/"}, archive
            )
        await self._start(container, fence)
        return container

    async def _volumes_there(self, spec: MachineSpec) -> None:
        """The engine would quietly make a volume that is missing, and nobody's."""
        for mount in spec.volumes:
            try:
                await self._engine.read(f"/volumes/{mount.volume}")
            except Refusal as refusal:
                if refusal.status != 404:
                    raise
                raise TransientError(f"volume {mount.volume} is gone") from refusal

    # --- change
    async def _update(self, container: str, spec: MachineSpec, step: Step, fence: Fence) -> None:
        """Limits and networks; the other fields that change in place are Terrace's own business."""
        changed = set(step.fields) or _LIMITS | _ATTACHED
        if changed & _LIMITS:
            await self._engine.change(
                fence, "POST", f"/containers/{container}/update", body=bodies.limits(spec)
            )
        if changed & _ATTACHED:
            await self._guard(container, spec, step, fence)

    async def _guard(self, container: str, spec: MachineSpec, step: Step, fence: Fence) -> None:
        """Makes the networks be those wanted, and what guards the machine on them: first the new guards, then the
        networks, then the old guards go."""
        if step.verb is not Verb.UPDATE and not any(nic.groups for nic in spec.networks):
            return
        there = shape.inspected(await self._engine.read(f"/containers/{container}/json"))
        ends = {end.get("NetworkID") or name: end for name, end in there.networks.items()}
        spec = await self._firewall.guards.put_up(spec, step.owner, ends, fence)
        await self._connect(container, spec, there.networks, fence)
        await self._firewall.guards.settle(spec, step.owner, fence)

    async def connect(self, container: str, spec: MachineSpec, fence: Fence) -> None:
        """Makes the networks be those wanted, as they are now."""
        there = shape.inspected(await self._engine.read(f"/containers/{container}/json"))
        await self._connect(container, spec, there.networks, fence)

    async def _connect(
        self, container: str, spec: MachineSpec, held: Mapping[str, Mapping[str, Any]], fence: Fence
    ) -> None:
        """Makes the networks be those wanted, with address and names."""
        ends = {end.get("NetworkID") or key: end for key, end in held.items()}
        named = {key: end.get("NetworkID") or key for key, end in held.items()}  # a wish may name a network
        bridge = "" if spec.networks else (held.get("bridge") or {}).get("NetworkID", "")
        wanted = {named.get(nic.network, nic.network): nic for nic in spec.networks}
        for network, end in ends.items():
            nic = wanted.get(network)
            if network != bridge and (nic is None or not _fits(end, nic, spec)):
                await self._detach(container, network, fence)
        for network, nic in wanted.items():
            if network not in ends or not _fits(ends[network], nic, spec):
                await self._attach(container, nic, spec, fence)

    async def _attach(self, container: str, nic: Nic, spec: MachineSpec, fence: Fence) -> None:
        body = {"Container": container, "EndpointConfig": bodies.endpoint(nic, spec)}
        try:
            await self._engine.change(fence, "POST", f"/networks/{nic.network}/connect", body=body)
        except Refusal as refusal:
            if "already exists in network" not in refusal.message:
                raise

    async def _detach(self, container: str, network: str, fence: Fence) -> None:
        body = {"Container": container, "Force": True}
        try:
            await self._engine.change(fence, "POST", f"/networks/{network}/disconnect", body=body)
        except Refusal as refusal:
            if refusal.status != 404 and "is not connected" not in refusal.message:
                raise

    # --- run
    async def _start(self, container: str, fence: Fence) -> None:
        try:
            await self._engine.change(fence, "POST", f"/containers/{container}/start")
        except Refusal as refusal:
            if "paused container" not in refusal.message:
                raise
            await self._unpause(container, fence)
        except TransientError as late:
            # A busy engine may start it all the same, and answers how it stands when that is over.
            if late.code != "provider-timeout":
                raise
            there = await self._engine.read(f"/containers/{container}/json")
            if not there["State"]["Running"]:
                raise

    async def _unpause(self, container: str, fence: Fence) -> None:
        try:
            await self._engine.change(fence, "POST", f"/containers/{container}/unpause")
        except Refusal as refusal:
            if "is not paused" not in refusal.message:
                raise

    async def _restart(self, container: str, fence: Fence) -> None:
        await self._unpause(container, fence)
        await self._engine.change(
            fence, "POST", f"/containers/{container}/restart", {"t": bodies.STOP_SECONDS}
        )

    # --- delete
    async def _remove(self, step: Step, fence: Fence) -> None:
        """By id; where none was ever seen, by the name that only this incarnation has."""
        container = step.provider_id
        if not container:
            name = labels.engine_name(step.owner, step.names)
            try:
                there = await self._engine.read(f"/containers/{name}/json")
            except Refusal as refusal:
                if refusal.status == 404:
                    return
                raise
            if not labels.same(labels.read(there["Config"].get("Labels")), step.owner):
                return
            container = there["Id"]
        await self._delete(container, fence)

    async def _stop(self, container: str, fence: Fence) -> None:
        """A frozen one cannot end, so it goes on first. What has ended already is left as it is."""
        await self._unpause(container, fence)
        await self._engine.change(fence, "POST", f"/containers/{container}/stop", {"t": bodies.STOP_SECONDS})

    async def _end(self, container: str, fence: Fence) -> None:
        """A guest that writes to volumes gets the time to finish."""
        try:
            seconds = {"t": bodies.STOP_SECONDS}
            await self._engine.change(fence, "POST", f"/containers/{container}/stop", seconds)
        except Refusal:
            pass  # its removal tells what is wrong

    async def _delete(self, container: str, fence: Fence) -> None:
        self._observer.doubt(container)
        if self._observer.writes(container):
            await self._end(container, fence)
        try:
            few = await self._engine.leaving()
            if few:
                self._leaving = self._leaving or asyncio.Semaphore(few)
                await self._leave_and_go(container, self._leaving, fence)
            else:
                await self._go(container, fence)
        except Refusal as refusal:
            if refusal.status == 409 and "already in progress" in refusal.message:
                raise TransientError("the machine is being removed", retry_after=0.5) from refusal
            if refusal.status != 404:
                raise

    async def _leave_and_go(self, container: str, turn: asyncio.Semaphore, fence: Fence) -> None:
        """First off its networks, in turn with others, then away, beside them: only leaving is what goes wrong."""
        places = self._observer.places(container)
        for network in places:
            async with turn:
                with suppress(Refusal):  # the removal tells what is wrong
                    await self._detach(container, network, fence)
        async with nullcontext() if places else turn:
            await self._go(container, fence)

    async def _go(self, container: str, fence: Fence) -> None:
        await self._engine.change(fence, "DELETE", f"/containers/{container}", {"force": 1, "v": 1})


def _fits(end: Mapping[str, Any], nic: Nic, spec: MachineSpec) -> bool:
    """Whether an attachment is as wanted."""
    asked = (end.get("IPAMConfig") or {}).get("IPv4Address") or ""
    names = set(end.get("Aliases") or ())
    return asked == nic.ip and names >= set(bodies.endpoint(nic, spec)["Aliases"])


def _tagged(seen: Seen, spec: MachineSpec) -> Seen:
    """With the words for people that the engine does not keep: labels of a container never change."""
    return replace(seen, attributes={**seen.attributes, "tags": list(spec.tags)}, keeps=())
