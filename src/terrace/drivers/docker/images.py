"""Steps for images: pulled by reference or built by recipe, each by one background job that all share."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import tempfile
from hashlib import blake2b
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from terrace.drivers.docker import labels, seen
from terrace.drivers.docker.bodies import OURS
from terrace.drivers.docker.recipes import debian
from terrace.drivers.docker.settings import DockerSettings
from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal, translate
from terrace.errors import PermanentError, ProviderError, TransientError
from terrace.model.seen import Seen
from terrace.model.spec.simple import ImageSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence

REPOSITORY = OURS
WEB = "terrace-web/"  # of images that came from an address
ARCHIVES = ("", "archive", "raw")
_RECIPE = "recipe:"
_STANDS = 'CMD ["/bin/sh", "-c", "exec sleep 2147483647"]'  # an archive says nothing of what it runs


class _Job:
    """Work in the background: `note` says how far it is."""

    def __init__(self) -> None:
        self.note = "waiting"
        self.task: asyncio.Task[None] | None = None


class Images:
    """Makes images be there."""

    def __init__(self, engine: Engine, settings: DockerSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._jobs: dict[str, _Job] = {}

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """CREATE and UPDATE make it be there; DELETE removes it where no container uses it."""
        if step.verb is Verb.DELETE:
            await self._remove(step.provider_id, fence)
            return Receipt.done(None)
        spec: ImageSpec = step.spec
        fresh = spec.pull == "always" and not step.handle and not spec.source.startswith(_RECIPE)
        reference = self._reference(spec)
        found = None if fresh or reference in self._jobs else await self.find(reference)
        if found is not None:
            return Receipt.done(msgspec.structs.replace(found, owner=step.owner))
        if spec.pull == "never" and not spec.source.startswith(_RECIPE):
            raise PermanentError(
                f"the image {spec.source} is not on the engine, and pull is never", code="image-not-found",
                hint="load it there, or let it be pulled",
            )  # fmt: skip
        fence.check(self._engine.timeout)
        if spec.format not in ARCHIVES:
            raise PermanentError(
                f"a Docker engine starts machines from archives of files, not from a disk ({spec.format})",
                code="image-refused",
                hint="give an archive (tar) of the root file system, container_format: docker",
            )
        job = self.fetch(reference, spec.certificates, spec.source if "://" in spec.source else "")
        await self._finish(reference, job)
        found = await self.find(reference) if job.task is None else None
        if found is not None:
            return Receipt.done(msgspec.structs.replace(found, owner=step.owner))
        return Receipt.pending(reference, 0.5, job.note)

    async def find(self, reference: str) -> Seen | None:
        """The image as the engine has it."""
        if reference.startswith(_RECIPE) or "://" in reference:
            reference = self._reference(ImageSpec(source=reference))
        try:
            item = await self._engine.read(f"/images/{reference}/json")
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise
        return seen.image(item, _by_content(reference, item))

    async def ready(self, source: str) -> Seen | str:
        """The image as the engine has it; while it is being made, how far that is."""
        found = await self.find(source)
        if found is not None:
            return found
        reference = self._reference(ImageSpec(source))
        job = self.fetch(reference)
        await self._finish(reference, job)
        return await self.find(source) or job.note

    def fetch(self, reference: str, certificates: bool = True, url: str = "") -> _Job:
        """The job that fetches or builds it (from `url`, if any), started if there is none."""
        job = self._jobs.get(reference)
        if job is None:
            job = self._jobs[reference] = _Job()
            if reference.startswith(REPOSITORY):
                work = self._build(reference, certificates, job)
            else:
                work = self._load(url, reference, job) if url else self._pull(reference, job)
            job.task = asyncio.create_task(work, name=f"image {reference}")
        return job

    def again(self, reference: str) -> ProviderError:
        """A machine needs an image that was there once: fetches it anew, if that can be done, and says so."""
        if reference.startswith(("sha256:", WEB)):
            return PermanentError(
                f"the image {reference[:19]} is gone from the engine",
                code="image-not-found",
                hint="bring it back, or name another",
            )
        job = self.fetch(reference)
        if job.task is not None and job.task.done():
            del self._jobs[reference]
            wrong = job.task.exception()
            if isinstance(wrong, ProviderError):
                return wrong
        return TransientError(
            f"the image {reference} was gone from the engine and is being fetched: {job.note}",
            retry_after=2.0,
        )

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = [job.task for job in self._jobs.values() if job.task is not None]
        self._jobs.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- inside
    def _reference(self, spec: ImageSpec) -> str:
        if "://" in spec.source:
            return f"{WEB}{blake2b(spec.source.encode(), digest_size=10).hexdigest()}:1"
        if not spec.source.startswith(_RECIPE):
            return spec.source
        recipe = _recipe(spec.source.removeprefix(_RECIPE))
        ground = debian.survey(recipe, spec.certificates and self._settings.trust_host_certificates)
        return f"{REPOSITORY}{recipe.name}:{debian.digest(recipe, ground)}"

    async def _finish(self, reference: str, job: _Job) -> None:
        """Gives a short job the time to end; an ended one is forgotten, and what went wrong raised."""
        if job.task is None:
            return
        await asyncio.wait([job.task], timeout=0.2)
        if job.task.done():
            self._jobs.pop(reference, None)
            task, job.task = job.task, None
            if not task.cancelled():
                task.result()

    async def _pull(self, reference: str, job: _Job) -> None:
        name, tag = _split(reference)
        headers = {"X-Registry-Auth": self._credentials(reference)}
        job.note = f"pulling {reference}"
        params = {"fromImage": name, **({"tag": tag} if tag else {})}
        await self._progress("POST", params, job, headers=headers)

    async def _load(self, url: str, reference: str, job: _Job) -> None:
        """From an address that the settings allow. It is asked for here and not by the engine, and led nowhere else."""
        job.note = f"fetching {url}"
        params = {"fromSrc": "-", "repo": reference.partition(":")[0], "tag": "1", "changes": [_STANDS]}
        try:
            async with (
                aiohttp.ClientSession(auto_decompress=False) as session,
                session.get(
                    url,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30),
                ) as answer,
            ):
                if answer.status != HTTPStatus.OK:
                    raise PermanentError(
                        f"the image at {url} cannot be had: HTTP {answer.status}", code="image-not-found"
                    )
                packed = {"Content-Type": "application/x-tar"}
                content = answer.content.iter_chunked(1 << 16)
                await self._progress("POST", params, job, data=content, headers=packed)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TransientError(
                f"the image at {url} cannot be had: no answer", code="image-not-found"
            ) from error

    async def _build(self, reference: str, certificates: bool, job: _Job) -> None:
        name, _, tag = reference.removeprefix(REPOSITORY).partition(":")
        recipe = _recipe(name)
        ground = debian.survey(recipe, certificates and self._settings.trust_host_certificates)

        def note(words: str) -> None:
            job.note = f"building {recipe.name}: {words}"

        with tempfile.TemporaryDirectory(prefix="terrace-recipe-", ignore_cleanup_errors=True) as place:
            folder = Path(place)
            os.chmod(folder, 0o755)  # apt's own user looks into it
            try:
                archive = await debian.build(recipe, ground, folder, note)
            except OSError as error:
                raise TransientError(
                    f"the image {recipe.name} could not be built: {error.strerror}", code="disk-full",
                    hint=f"mmdebstrap needs about 1 GB in {tempfile.gettempdir()}",
                ) from error  # fmt: skip
            note("importing")
            params = {
                "fromSrc": "-",
                "repo": f"{REPOSITORY}{recipe.name}",
                "tag": tag,
                "changes": _changes(recipe, ground),
            }
            with archive.open("rb") as content:
                await self._progress(
                    "POST", params, job, data=content, headers={"Content-Type": "application/x-tar"}
                )

    async def _progress(self, method: str, params: dict[str, Any], job: _Job, **extra: Any) -> None:
        """Follows the engine's lines of progress; the last may say that it failed."""
        try:
            async with self._engine.stream(method, "/images/create", params, **extra) as answer:
                async for line in answer.content:
                    said = msgspec.json.decode(line) if line.strip() else {}
                    if "error" in said:
                        raise Refusal(500, said["error"])
                    if said.get("progressDetail") and params.get("fromImage"):
                        job.note = (
                            f"pulling {params['fromImage']}: {said['status'].lower()} {said.get('id', '')}"
                        )
        except Refusal as refusal:
            raise translate(refusal) from refusal

    def _credentials(self, reference: str) -> str:
        host = reference.split("/", 1)[0]
        registry = self._settings.registries.get(host if "." in host or ":" in host else "docker.io")
        content: dict[str, str] = {}
        if registry is not None:
            try:
                content = {"username": registry.user, "password": registry.password(), "serveraddress": host}
            except ValueError as error:
                raise PermanentError(f"registry {host}: {error}", code="registry-refused") from error
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()

    async def _remove(self, reference: str, fence: Fence) -> None:
        try:
            await self._engine.change(fence, "DELETE", f"/images/{reference}")
        except Refusal as refusal:
            if refusal.status != 404:
                raise


def _recipe(name: str) -> debian.Recipe:
    recipe = debian.RECIPES.get(name)
    if recipe is None:
        raise PermanentError(
            f"there is no recipe {name}",
            hint=f"recipes: {', '.join(sorted(debian.RECIPES))}",
            code="image-not-found",
        )
    return recipe


def _split(reference: str) -> tuple[str, str]:
    """Name and tag; a digest stays with the name."""
    if "@" in reference:
        return reference, ""
    head, colon, tail = reference.rpartition(":")
    return (head, tail) if colon and "/" not in tail else (reference, "latest")


def _by_content(reference: str, item: dict[str, Any]) -> str:
    """A reference that names this very image and by which it can be fetched again: a recipe's tag, a
    registry's digest, or else its id."""
    if reference.startswith((REPOSITORY, WEB)):
        return reference
    name = _split(reference)[0].split("@")[0]
    digests: list[str] = [one for one in item.get("RepoDigests") or [] if not one.startswith("<none>")]
    short = name.removeprefix("docker.io/").removeprefix("library/")
    fitting = [one for one in digests if one.split("@")[0] in (name, short)]
    return str(next(iter(fitting or digests), item["Id"]))


def _changes(recipe: debian.Recipe, ground: debian.Ground) -> list[str]:
    """What the image says of itself, as lines of a Dockerfile."""
    lines = [
        'ENTRYPOINT ["/sbin/terrace-init"]',
        f"LABEL {labels.RECIPE}={recipe.name}",
    ]
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    environment = {"PATH": path, **ground.environment}
    return lines + [f"ENV {name}={json.dumps(value)}" for name, value in sorted(environment.items())]
