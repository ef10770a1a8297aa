"""Copies of what volumes hold: snapshots, clones, and snapshots brought back.

The engine has no way to copy a volume, so a helper container does it, by cp, with both volumes in it. The target is
made together with the helper: while there is a helper, the target is not complete. Whoever writes to the volume is
paused meanwhile; the helper's label says who, so that another process can go on where this one stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from terrace.drivers.docker import labels
from terrace.drivers.docker.images import Images
from terrace.drivers.docker.observe import Observer
from terrace.drivers.docker.wire.client import Engine, filters
from terrace.drivers.docker.wire.faults import Refusal, one_line
from terrace.drivers.docker.wire.frames import Frames
from terrace.errors import PermanentError, TransientError
from terrace.model.seen import Owner
from terrace.model.step import Receipt
from terrace.ports.driver import Fence

GROUND = "recipe:debian-12"
_COPY = ["cp", "-a", "/from/.", "/to/"]
_REPLACE = ["sh", "-c", "find /to -mindepth 1 -delete && cp -a /from/. /to/"]
_PATIENCE = 0.3


class Copies:
    """Copies volumes inside the engine."""

    def __init__(self, engine: Engine, observer: Observer, images: Images) -> None:
        self._engine = engine
        self._observer = observer
        self._images = images

    async def fill(
        self, owner: Owner, target: Mapping[str, Any], source: str, fence: Fence
    ) -> Receipt | None:
        """Makes the volume `target` (the body of a request to make it) hold what `source` holds. None when it does."""
        helper = await self._inspect(_name(owner))
        if helper is None and await self._exists(target["Name"]):
            return None
        if helper is None:
            mounts = [_mount(source, "/from", True), _mount(target["Name"], "/to", False, target["Labels"])]
            helper = await self._make(owner, mounts, _COPY, source, target["Name"], fence)
        if isinstance(helper, Receipt):
            return helper
        return await self._go_on(helper, source, target["Name"], fence)

    async def bring_back(self, owner: Owner, target: str, source: str, fence: Fence) -> Receipt | None:
        """Makes the volume `target` hold what the snapshot `source` holds, and nothing else. None when it does."""
        helper = await self._inspect(_name(owner))
        if helper is None:
            mounts = [_mount(source, "/from", True), _mount(target, "/to", False)]
            helper = await self._make(owner, mounts, _REPLACE, target, "", fence)
        if isinstance(helper, Receipt):
            return helper
        return await self._go_on(helper, target, "", fence)

    async def abandon(self, owner: Owner, fence: Fence) -> None:
        """The target is given up: so is its helper."""
        helper = await self._inspect(_name(owner))
        if helper is not None:
            await self._end(helper, fence)

    # --- inside
    async def _make(
        self,
        owner: Owner,
        mounts: list[dict[str, Any]],
        command: list[str],
        shared: str,
        target: str,
        fence: Fence,
    ) -> Any:
        """The helper; a Receipt while there is nothing yet that it could start from."""
        if not await self._exists(mounts[0]["Source"]):
            raise PermanentError(f"there is no volume {mounts[0]['Source']}", code="volume-not-found")
        writers = await self._writers(shared)
        image, note = await self._image(writers)
        if not image:
            return Receipt.pending(GROUND, 1.0, note)
        body = {
            "Image": image,
            "Entrypoint": command[:1],
            "Cmd": command[1:],
            "User": "0:0",
            "NetworkDisabled": True,
            "Labels": {
                labels.INSTALLATION: owner.installation,
                labels.HELPER: target or "-",
                labels.PAUSED: ",".join(writers),
            },
            "HostConfig": {
                "NetworkMode": "none",
                "RestartPolicy": {"Name": "no"},
                "SecurityOpt": ["no-new-privileges"],
                "Mounts": mounts,
            },
        }
        name = _name(owner)
        await self._engine.change(fence, "POST", "/containers/create", {"name": name}, body)
        return await self._inspect(name)

    async def _go_on(self, helper: Any, source: str, target: str, fence: Fence) -> Receipt | None:
        """From where the helper stands to its end."""
        container = helper["Id"]
        if helper["State"]["Status"] == "created":
            await self._pause(_paused(helper), fence)
            await self._start(helper, target, fence)
            await asyncio.sleep(_PATIENCE)
            helper = await self._inspect(container)
        if helper is None or helper["State"]["Status"] not in ("exited", "dead"):
            return Receipt.pending(container, 0.5, "copying what the volume holds")
        code = helper["State"]["ExitCode"]
        said = await self._last_words(container) if code else ""
        await self._end(helper, fence)
        if not code:
            return None
        if target:
            await self._engine.change(fence, "DELETE", f"/volumes/{target}")
        raise TransientError(
            f"what {source} holds could not be copied: {said or f'exit code {code}'}", code="copy-failed"
        )

    async def _start(self, helper: Any, target: str, fence: Fence) -> None:
        try:
            await self._engine.change(fence, "POST", f"/containers/{helper['Id']}/start")
        except Refusal as refusal:
            await self._end(helper, fence)
            if target:
                await self._engine.change(fence, "DELETE", f"/volumes/{target}")
            raise PermanentError(
                f"what the volume holds could not be copied: {one_line(refusal.message)}",
                code="copy-failed",
                hint="a program cp is needed in the image of the machine, or the image debian-12 on the engine",
            ) from refusal

    async def _end(self, helper: Any, fence: Fence) -> None:
        """Whoever was paused goes on, and the helper goes away."""
        for writer in _paused(helper):
            await self._gently(fence, f"/containers/{writer}/unpause", "is not paused")
        try:
            await self._engine.change(fence, "DELETE", f"/containers/{helper['Id']}", {"force": 1})
        except Refusal as refusal:
            if refusal.status not in (404, 409):
                raise

    async def _pause(self, writers: list[str], fence: Fence) -> None:
        self._observer.frozen |= set(writers)
        for writer in writers:
            await self._gently(fence, f"/containers/{writer}/pause", "already paused")

    async def _gently(self, fence: Fence, path: str, already: str) -> None:
        try:
            await self._engine.change(fence, "POST", path)
        except Refusal as refusal:
            if (
                refusal.status != 404
                and already not in refusal.message
                and "is not running" not in refusal.message
            ):
                raise

    async def _writers(self, volume: str) -> list[str]:
        """Running containers that write to it."""
        listed = await self._engine.read(
            "/containers/json", {"filters": filters(volume=[volume], status=["running"])}
        )
        found = [
            item["Id"]
            for item in listed
            for mount in item.get("Mounts") or ()
            if mount.get("Name") == volume and mount.get("RW")
        ]
        return list(dict.fromkeys([*found, *self._observer.holders(volume)]))

    async def _image(self, writers: list[str]) -> tuple[str, str]:
        """What the helper starts from: our own base where it is, else the image of whoever writes to the volume, else
        our own once it is made ("" until then, and how far that is)."""
        ground = await self._images.find(GROUND)
        if ground is not None:
            return ground.provider_id, ""
        for writer in writers:
            there = await self._inspect(writer)
            if there is not None:
                return str(there["Image"]), ""
        made = await self._images.ready(GROUND)
        return ("", f"for the copy: {made}") if isinstance(made, str) else (made.provider_id, "")

    async def _exists(self, volume: str) -> bool:
        try:
            await self._engine.read(f"/volumes/{volume}")
        except Refusal as refusal:
            if refusal.status == 404:
                return False
            raise
        return True

    async def _inspect(self, name: str) -> Any:
        try:
            return await self._engine.read(f"/containers/{name}/json")
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise

    async def _last_words(self, container: str) -> str:
        raw = await self._engine.read(
            f"/containers/{container}/logs", {"stdout": 1, "stderr": 1, "tail": "1"}
        )
        words = b"".join(chunk.data for chunk in Frames().feed(raw)) if isinstance(raw, bytes) else b""
        return one_line(words.decode(errors="replace").strip())


def _name(owner: Owner) -> str:
    return f"terrace-copy-{owner.uid}-{owner.incarnation}"


def _paused(helper: Mapping[str, Any]) -> list[str]:
    told = (helper["Config"].get("Labels") or {}).get(labels.PAUSED) or ""
    return [one for one in told.split(",") if one]


def _mount(
    volume: str, path: str, read_only: bool, written: Mapping[str, str] | None = None
) -> dict[str, Any]:
    mount: dict[str, Any] = {"Type": "volume", "Source": volume, "Target": path, "ReadOnly": read_only}
    mount["VolumeOptions"] = {"NoCopy": True, **({"Labels": dict(written)} if written else {})}
    return mount
