"""Looking: one bulk listing per noun is the truth.

What listings do not show is remembered, and looked up again when it may have changed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from terrace.drivers.docker import labels
from terrace.drivers.docker import seen as shape
from terrace.drivers.docker.bodies import STATE_FOLDER
from terrace.drivers.docker.inside.archive import members
from terrace.drivers.docker.marks import attachments
from terrace.drivers.docker.wire.client import Engine, filters
from terrace.drivers.docker.wire.faults import Refusal
from terrace.model.seen import Observation, Seen

_ROTATE = 4  # containers looked at anew in each listing though nothing hints at a change
_ID = re.compile(r"[0-9a-f]{64}")
_ENDING = re.compile(r"([0-9]{1,3})(?: ([A-Za-z0-9_.,-]{1,800}))?")
OTHER = (
    "its user data is kept in /var/lib/terrace/user-data, waiting: it is no #! script, cloud-config or MIME message, "
    "so that nothing here runs it"
)
FOREIGN = (
    "its user data is kept in /var/lib/terrace/user-data, waiting: nothing in this image runs it, as Terrace's own "
    "images do (debian-12)"
)


class Observer:
    """Lists, and remembers details of containers while the stream of events is there to say what changed."""

    def __init__(self, engine: Engine, concurrency: int) -> None:
        self.network_names: dict[str, str] = {}
        self.gateways: dict[str, str] = {}  # networks of ours -> the address of this machine on them
        self.host = ""
        self.installation = ""
        self.listed: frozenset[str] = frozenset()  # ids of all that the last listing held
        self._engine = engine
        self._known: dict[str, tuple[str, shape.Detail]] = {}  # oldest look first
        self.frozen: set[str] = set()  # containers that are paused while what they write to is copied
        self.booting: set[str] = set()  # containers that run their user data
        self._endings: dict[str, tuple[str, str]] = {}  # container -> how that ended: exit code, what waits
        self._attached: set[str] = set()
        self._writers: set[str] = set()  # containers with volumes
        self._places: dict[str, tuple[str, ...]] = {}  # container -> networks that it holds a place on
        self._live = False
        self._turn = asyncio.Semaphore(concurrency)

    # --- what may be believed
    def trust(self, live: bool) -> None:
        """Whether events come in. When the stream begins or breaks, everything remembered may be old."""
        self._live = live
        self._known.clear()

    def doubt(self, container: str) -> None:
        """Something happened to it: look again."""
        self._known.pop(container, None)

    def attached(self, container: str) -> None:
        """It has volumes attached while running."""
        self._attached.add(container)

    def writes(self, container: str) -> bool:
        """Whether it was seen to have volumes."""
        return container in self._writers

    def places(self, container: str) -> tuple[str, ...]:
        """Ids of the networks that it was last seen on, running, but the engine's own."""
        return self._places.get(container, ())

    def holders(self, volume: str) -> list[str]:
        """Containers that have this volume attached while running, and may write to it."""
        found = []
        for container in self._attached:
            _, detail = self._known.get(container, ("", shape.Detail()))
            for one in attachments(container, detail.pid) if detail.pid else ():
                if one.attributes["volume"] == volume:
                    found.append(container)
        return found

    # --- bulk
    async def observe(self, installation: str, adopted: Sequence[str]) -> Observation:
        """All of ours, and what is adopted and exists."""
        label = filters(label=[f"{labels.INSTALLATION}={installation}"])
        before = set(self.gateways)
        await self.host_name()
        listed, networks, volumes = await asyncio.gather(
            self._engine.read("/containers/json", {"all": 1, "filters": label}),
            self._engine.read("/networks", {"filters": label}),
            self._engine.read("/volumes", {"filters": label}),
        )
        stored = volumes.get("Volumes") or []
        if adopted:
            await self._add_adopted(adopted, listed, networks, stored)
        for item in networks:
            self.note_network(item)
        for network in before - {item["Id"] for item in networks}:
            self.gateways.pop(network, None)
        helpers = [item for item in listed if labels.HELPER in (item.get("Labels") or {})]
        listed = [item for item in listed if labels.HELPER not in (item.get("Labels") or {})]
        making = {item["Labels"][labels.HELPER] for item in helpers}
        told = {item["Labels"].get(labels.PAUSED, "") for item in helpers}
        self.frozen = {container for one in told for container in one.split(",") if container}
        items = await self._machines(listed)
        items += [shape.network(item) for item in networks]
        used = {mount.get("Name") for item in listed for mount in item.get("Mounts") or ()}
        items += [shape.volume(item, item["Name"] in used, item["Name"] not in making) for item in stored]
        self.installation = installation
        self.listed = frozenset(seen.provider_id for seen in items)
        return Observation(tuple(items))

    async def _add_adopted(self, adopted: Sequence[str], *found: list[Any]) -> None:
        containers, networks, volumes = found
        ids = [one for one in adopted if _ID.fullmatch(one)]
        names = [one for one in adopted if ":" not in one]
        more = await asyncio.gather(
            self._engine.read("/containers/json", {"all": 1, "filters": filters(id=ids)})
            if ids
            else _nothing(),
            self._engine.read("/networks", {"filters": filters(id=ids)}) if ids else _nothing(),
            self._engine.read("/volumes", {"filters": filters(name=names)}) if names else _nothing(),
        )
        _extend(containers, more[0], "Id", adopted)
        _extend(networks, more[1], "Id", adopted)
        _extend(volumes, (more[2] or {}).get("Volumes") or [], "Name", adopted)

    async def _machines(self, listed: Sequence[Mapping[str, Any]]) -> list[Seen]:
        present = {item["Id"] for item in listed}
        for kept in (self._known, self._endings, self._places):
            for gone in [one for one in kept if one not in present]:
                del kept[gone]
        self.booting &= present
        self._attached &= present
        self._writers = {item["Id"] for item in listed if item.get("Mounts")}
        rotated = set(list(self._known)[:_ROTATE])
        found = await asyncio.gather(*(self._machine(item, item["Id"] in rotated) for item in listed))
        return [seen for group in found for seen in group]

    async def _machine(self, item: Mapping[str, Any], again: bool) -> list[Seen]:
        container, look = item["Id"], shape.look(item)
        remembered = self._known.get(container)
        fresh = remembered is None or remembered[0] != look or again or not self._live
        if remembered is None or fresh:
            try:
                # Newer than the listing: of an end the engine tells first, and lists it once it has written it down.
                facts = await self._inspect(container, look)
            except Refusal as refusal:
                if refusal.status == 404:
                    return []  # it went away between the listing and now
                raise
        else:
            facts = shape.listed(item, remembered[1])
        items = [await self._show(facts)]
        pid = facts.detail.pid
        if self._engine.local and pid and (fresh or container in self._attached):
            mounted = attachments(container, pid)
            if mounted:
                self._attached.add(container)
            items += mounted
        return items

    async def _inspect(self, container: str, look: str) -> shape.Facts:
        async with self._turn:
            answer = await self._engine.read(f"/containers/{container}/json")
        facts = shape.inspected(answer)
        self._known.pop(container, None)
        self._known[container] = (look, facts.detail)
        return facts

    # --- one
    async def machine(self, container: str) -> Seen:
        """One container, looked at now. Refusal 404 when there is none."""
        self.doubt(container)
        answer = await self._engine.read(f"/containers/{container}/json")
        facts = shape.inspected(answer)
        if answer.get("Mounts"):
            self._writers.add(facts.id)
        for end in facts.networks.values():
            await self._name_network(end.get("NetworkID") or "")
        await self.host_name()
        return await self._show(facts)

    async def host_name(self) -> str:
        """The engine's own name, asked once."""
        if not self.host:
            self.host = str((await self._engine.read("/info")).get("Name") or "docker")
        return self.host

    def note_network(self, item: Mapping[str, Any]) -> None:
        """Remembers what people call it."""
        self.network_names[item["Id"]] = (item.get("Labels") or {}).get(labels.NAME) or item["Name"]
        gateway = shape.network(item).attributes["gateway"]
        if gateway and labels.read(item.get("Labels")) is not None:
            self.gateways[item["Id"]] = gateway

    async def gateway(self, network: str) -> str:
        """The address of this machine on a network of ours; "" when that is none of ours."""
        if network not in self.gateways:
            self.network_names.pop(network, None)
            await self._name_network(network)
        return self.gateways.get(network, "")

    async def _name_network(self, network: str) -> None:
        if network and network not in self.network_names:
            try:
                self.note_network(await self._engine.read(f"/networks/{network}"))
            except Refusal as refusal:
                if refusal.status != 404:
                    raise

    async def _show(self, facts: shape.Facts) -> Seen:
        self._places[facts.id] = shape.places(facts)
        seen = shape.machine(facts, self.network_names, self.host, await self._boot(facts))
        # Paused for a moment by ourselves is not paused by others, which would be mended.
        frozen = seen.state == "paused" and facts.id in self.frozen
        return shape.thawed(seen) if frozen else seen

    # --- first boot
    async def _boot(self, facts: shape.Facts) -> tuple[str, str]:
        """How far the user data has got (Seen.boot), and that in words."""
        kept = facts.labels.get(labels.USER_DATA)
        if not kept:
            return "", ""
        if kept == "other":
            return "waiting", OTHER
        if labels.RECIPE not in facts.labels:
            return "waiting", FOREIGN
        if facts.id not in self._endings and facts.state in ("running", "exited"):
            ending = await self._exit_of_user_data(facts.id)
            if ending is not None:
                self._endings[facts.id] = ending
                self.booting.discard(facts.id)
        if facts.id not in self._endings:
            self.booting.add(facts.id)
            return "running", "its user data is running"
        code, waiting = self._endings[facts.id]
        if code != "0":
            return "failed", f"its user data ended with exit code {code}: terrace logs shows what it wrote"
        if waiting:
            names = waiting.replace(",", ", ")
            return "waiting", f"its user data waits in part, Terrace's images do not carry out: {names}"
        return "", ""

    async def booted(self) -> list[str]:
        """Those containers seen to run their user data that have ended it by now."""
        found = []
        for container in list(self.booting):
            ending = await self._exit_of_user_data(container)
            if ending is not None:
                self._endings[container] = ending
                self.booting.discard(container)
                found.append(container)
        return found

    async def _exit_of_user_data(self, container: str) -> tuple[str, str] | None:
        """What the guest wrote down. It is the guest's word, so little of it is read and less believed."""
        where = {"path": f"/{STATE_FOLDER}/user-data.exit"}
        packed = b""
        try:
            async with (
                asyncio.timeout(self._engine.timeout),
                self._engine.stream("GET", f"/containers/{container}/archive", where) as answer,
            ):
                while len(packed) < 4096 and (piece := await answer.content.read(4096)):
                    packed += piece
        except (Refusal, TimeoutError):
            return None  # still running
        return _ending(packed)


def _ending(packed: bytes) -> tuple[str, str] | None:
    _, held = next(members(packed), ("", None))
    if held is None or len(held) > 1024:
        return None
    text = held.decode(errors="replace").strip()
    match = _ENDING.fullmatch(text)
    return (match[1], match[2] or "") if match else None


async def _nothing() -> list[Any]:
    return []


def _extend(found: list[Any], more: Iterable[Any], key: str, adopted: Sequence[str]) -> None:
    """Filters of the engine match parts of ids and names: only whole ones count."""
    have = {item[key] for item in found}
    found += [item for item in more or [] if item[key] in adopted and item[key] not in have]
