"""Steps for deployments: a script put into a machine and run there, once for each action.

Each has a folder in the guest, named after what is run. Whether it ran is read there, so that a step may happen twice.
"""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from importlib import resources
from typing import Any

from terrace.drivers.docker.bodies import STATE_FOLDER, plain
from terrace.drivers.docker.inside.archive import members
from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal, one_line
from terrace.errors import PermanentError, TransientError
from terrace.model.seen import Owner, Seen
from terrace.model.spec.software import DeploymentSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence

LOOK_AGAIN = 0.5
MOST = 65536  # bytes of an output that are kept, the last ones
ON_DELETE = "on_delete"


class Deployments:
    """Runs scripts inside containers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """One action; what came of it."""
        spec = _on_delete(step) if step.verb is Verb.DELETE else step.spec
        action = step.verb.value.upper()
        if spec is None:
            return Receipt.done(None)
        if action not in spec.scripts:
            return Receipt.done(_seen(step, spec, step.attributes))
        folder = f"/{STATE_FOLDER}/deployments/{_number(step.owner, action, spec)}"
        container = await self._machine(spec.machine)
        if container is None and step.verb is Verb.DELETE:
            return Receipt.done(None)
        if container is None or container["State"]["Status"] != "running":
            raise TransientError(f"machine {spec.machine[:12]} does not run: what is deployed waits for it")
        code = (await self._read(spec.machine, f"{folder}/status") or "").strip()
        if not code and not await self._begun(container, folder, fence):
            await self._begin(step, spec, folder, fence)
        if not code:
            return Receipt.pending(folder, LOOK_AGAIN, f"running {action.lower()} inside")
        return await self._finished(step, spec, folder, code)

    # --- inside
    async def _machine(self, machine: str) -> Any:
        try:
            return await self._engine.read(f"/containers/{machine}/json")
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise

    async def _begun(self, container: Mapping[str, Any], folder: str, fence: Fence) -> bool:
        """Whether it is running. PermanentError when it was begun and broke off: it is never begun again."""
        if await self._read(container["Id"], f"{folder}/running") is None:
            return False
        for number in container.get("ExecIDs") or ():
            told = await self._engine.read(f"/exec/{number}/json")
            if told.get("Running") and folder in (told.get("ProcessConfig") or {}).get("arguments", ()):
                return True
        if await self._read(container["Id"], f"{folder}/status") is not None:
            return True  # it ended between two looks
        raise PermanentError(
            "the script was begun and broke off, for the machine was stopped: what was begun is not run again",
            code="deployment-failed",
            hint="change the script or an input of it, and it runs as a new one",
        )

    async def _begin(self, step: Step, spec: DeploymentSpec, folder: str, fence: Fence) -> None:
        action = step.verb.value.upper()
        packed = _packed(folder, plain(spec.scripts[action]))
        await self._engine.change(fence, "PUT", f"/containers/{spec.machine}/archive", {"path": "/"}, packed)
        told = {
            "deploy_server_id": spec.machine,
            "deploy_action": action,
            "deploy_stack_id": f"{step.names.project}/{step.names.stack}",
            "deploy_resource_name": step.names.path.rpartition("/")[2],
            "deploy_signal_transport": "NO_SIGNAL",
            "heat_outputs_path": f"{folder}/out",
        }
        variables = told | {name: plain(value) for name, value in spec.inputs.items()}
        body = {
            "Cmd": ["/bin/sh", f"{folder}/run", folder],
            "Env": [f"{name}={value}" for name, value in sorted(variables.items())],
        }
        made = await self._engine.change(fence, "POST", f"/containers/{spec.machine}/exec", body=body)
        await self._engine.change(fence, "POST", f"/exec/{made['Id']}/start", body={"Detach": True})

    async def _finished(self, step: Step, spec: DeploymentSpec, folder: str, code: str) -> Receipt:
        names = ("stdout", "stderr", *(f"out.{name}" for name in spec.outputs))
        read = await asyncio.gather(*(self._read(spec.machine, f"{folder}/{name}") for name in names))
        said = dict(zip(names, read, strict=True))
        wrong = [name for name in spec.errors if said.get(f"out.{name}")]
        if code != "0" or wrong:
            last = one_line((said["stderr"] or said["stdout"] or "").strip().rpartition("\n")[2])
            how = f"ended with exit code {code}" if code != "0" else f"gave {wrong[0]}, which means failure"
            raise PermanentError(
                f"the script {how}" + (f": {last}" if last else ""),
                code="deployment-failed",
                hint="what was run is not run again: change the script or an input of it",
            )
        if step.verb is Verb.DELETE:
            return Receipt.done(None)
        results = {name: said[f"out.{name}"] for name in spec.outputs}
        told = {"deploy_stdout": said["stdout"] or "", "deploy_stderr": said["stderr"] or ""}
        return Receipt.done(_seen(step, spec, {**results, **told, "deploy_status_code": int(code)}))

    async def _read(self, container: str, path: str) -> str | None:
        """The end of a file of the guest ("" for a folder); None when there is none. It is the guest's word: never
        more of it is read than is kept."""
        packed = bytearray()
        try:
            async with (
                asyncio.timeout(self._engine.timeout),
                self._engine.stream("GET", f"/containers/{container}/archive", {"path": path}) as answer,
            ):
                async for piece in answer.content.iter_chunked(MOST):
                    packed += piece
                    if len(packed) > 16 * MOST:
                        break
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise
        except TimeoutError as late:
            raise TransientError(f"{path} of the guest could not be read in time") from late
        return _content(bytes(packed))


def _content(packed: bytes) -> str:
    _, held = next(members(packed), ("", None))
    return (held or b"")[-MOST:].decode(errors="replace")


def _packed(folder: str, script: str) -> bytes:
    """The deployment's folder as an archive: what is run, and what runs it."""
    runner = resources.files(__package__).joinpath("run.sh").read_text(encoding="utf-8")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        place = folder.lstrip("/")
        for path in (place.rpartition("/")[0], place):
            entry = tarfile.TarInfo(path)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700
            tar.addfile(entry)
        for name, text in (("config", script), ("run", runner)):
            payload = text.encode()
            entry = tarfile.TarInfo(f"{place}/{name}")
            entry.size, entry.mode = len(payload), 0o700
            tar.addfile(entry, io.BytesIO(payload))
    return buffer.getvalue()


def _number(owner: Owner, action: str, spec: DeploymentSpec) -> str:
    """What names one run: the same script with the same inputs for the same action is the same run."""
    inputs = sorted((name, plain(value)) for name, value in spec.inputs.items())
    content = json.dumps([owner.token, action, plain(spec.scripts[action]), inputs])
    return blake2b(content.encode(), digest_size=12).hexdigest()


def _seen(step: Step, spec: DeploymentSpec, results: Mapping[str, Any]) -> Seen:
    none = {"deploy_stdout": "", "deploy_stderr": "", "deploy_status_code": 0}
    own = {"id": step.owner.token, "name": spec.name}
    later = {}
    if "DELETE" in spec.scripts:
        kept = {"script": spec.scripts["DELETE"], "inputs": spec.inputs, "outputs": list(spec.outputs)}
        later = {ON_DELETE: {**kept, "errors": list(spec.errors)}}
    shown = {name: value for name, value in results.items() if name != ON_DELETE}
    return Seen(
        kind="SoftwareDeployment",
        provider_id=f"{spec.machine}:{step.owner.token}",
        owner=step.owner,
        attributes={**none, **dict.fromkeys(_names(spec.outputs)), **shown, **own, **later},
    )


def _names(outputs: Sequence[str]) -> list[str]:
    return [str(name) for name in outputs]


def _on_delete(step: Step) -> DeploymentSpec | None:
    """What is to be run now that it goes, as the last receipt wrote it down."""
    kept = step.attributes.get(ON_DELETE)
    if not kept:
        return None
    return DeploymentSpec(
        machine=step.provider_id.partition(":")[0],
        scripts={"DELETE": kept["script"]},
        inputs=kept["inputs"],
        outputs=tuple(kept["outputs"]),
        errors=tuple(kept["errors"]),
    )
