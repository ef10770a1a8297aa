"""Steps for volume attachments, on an engine of this machine."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

from terrace.drivers.docker import marks
from terrace.drivers.docker.observe import Observer
from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal, one_line
from terrace.errors import CapabilityError, PermanentError, TransientError
from terrace.model.spec.volume import AttachmentSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence


def possible(engine: Engine) -> bool:
    """Whether this process may enter guests of this engine."""
    return engine.local and os.geteuid() == 0


class Attachments:
    """Attaches and detaches volumes of running containers."""

    def __init__(self, engine: Engine, observer: Observer) -> None:
        self._engine = engine
        self._observer = observer

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """CREATE and UPDATE make it stand, DELETE takes it away."""
        if not possible(self._engine):
            raise CapabilityError(
                "volumes can be attached to a running machine only by root on the engine's own machine",
                hint="give the machine the volume in its own volumes property",
            )
        if step.verb is Verb.DELETE:
            await self._detach(step, fence)
            return Receipt.done(None)
        return await self._attach(step.spec, step, fence)

    async def _attach(self, spec: AttachmentSpec, step: Step, fence: Fence) -> Receipt:
        target = spec.path or f"/mnt/{step.names.short}"
        if not target.startswith("/") or ".." in target.split("/"):
            raise PermanentError(f"a volume is attached at an absolute path, not at {target}")
        container = await self._inspect(spec.machine)
        if container is None or not container["State"].get("Pid"):
            raise TransientError(
                f"machine {spec.machine[:12]} does not run: its volume is attached when it does"
            )
        try:
            volume = await self._engine.read(f"/volumes/{spec.volume}")
        except Refusal as refusal:
            raise TransientError(f"volume {spec.volume}: {refusal.message}") from refusal
        source = volume["Mountpoint"]
        if volume["Driver"] != "local" or not await asyncio.to_thread(os.path.isdir, source):
            raise CapabilityError(f"volume {spec.volume} is not a folder of this machine")
        pid, machine = container["State"]["Pid"], container["Id"]
        mode = "ro" if spec.read_only else "rw"
        await self._run(fence, "attach", str(pid), machine, target, marks.mark(step.owner), source, mode)
        self._observer.attached(machine)
        for seen in marks.attachments(machine, pid):
            if seen.attributes["path"] == target:
                return Receipt.done(seen)
        raise TransientError(f"machine {machine[:12]} was restarted while its volume was being attached")

    async def _detach(self, step: Step, fence: Fence) -> None:
        machine, _, target = step.provider_id.partition(":")
        container = await self._inspect(machine) if machine else None
        if container is None or not container["State"].get("Pid"):
            return  # the mount went with the guest's processes
        mark = marks.mark(step.owner)
        await self._run(fence, "detach", str(container["State"]["Pid"]), container["Id"], target, mark)

    async def _inspect(self, machine: str) -> Any:
        try:
            return await self._engine.read(f"/containers/{machine}/json")
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise

    async def _run(self, fence: Fence, *arguments: str) -> None:
        fence.check(self._engine.timeout)
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "terrace.drivers.docker.mount", *arguments,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._engine.timeout):
                _, said = await program.communicate()
        except TimeoutError as error:
            program.kill()
            await program.wait()
            raise TransientError(
                "entering the machine's mounts took too long", code="provider-timeout"
            ) from error
        if program.returncode:
            raise TransientError(
                f"the volume could not be {arguments[0]}ed: {one_line(said.decode(errors='replace'))}"
            )
