"""Images for the private engine: a tiny one made on the spot, and the base image, kept between sessions."""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from terrace.drivers.docker.images import REPOSITORY, Images
from terrace.drivers.docker.recipes import debian
from terrace.drivers.docker.settings import DockerSettings
from terrace.drivers.docker.wire.client import Engine as Connection
from tests.real.engine import EngineError

if TYPE_CHECKING:
    from tests.real.engine import Engine

TINY = "terrace-test/tiny:1"


def tiny_image(engine: Engine) -> str:
    """Import an image of one static program, busybox, under all its names."""
    if engine.cli("images", "--quiet", TINY):
        return TINY
    busybox = shutil.which("busybox")
    if busybox is None:
        raise EngineError("busybox is missing: run `make apt`")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in ("bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "var"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        tar.add(busybox, "bin/busybox")
        for name in subprocess.run(
            [busybox, "--list"], capture_output=True, text=True, check=True
        ).stdout.split():
            if name != "busybox":
                entry = tarfile.TarInfo(f"bin/{name}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(entry)
        for name, text in (("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"), ("etc/group", "root:x:0:\n")):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    engine.cli("import", "--change", 'CMD ["sleep", "2147483647"]', "-", TINY, given=packed.getvalue())
    return TINY


def base_image(engine: Engine) -> str:
    """The image of the recipe debian-12."""
    return recipe_image(engine, "debian-12")


def recipe_image(engine: Engine, name: str) -> str:
    """The image of a recipe, from the cache if this very one was built before, else built by Terrace."""
    recipe = debian.RECIPES[name]
    digest = debian.digest(recipe, debian.survey(recipe, certificates=True))
    reference = f"{REPOSITORY}{recipe.name}:{digest}"
    engine.loaded.add(reference)
    kept = _cache() / f"{recipe.name}-{digest}.tar"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.with_name(f"{recipe.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several workers one builds
        if not kept.exists():
            asyncio.run(_build(engine, reference))
            for old in kept.parent.glob(f"{recipe.name}-*.tar"):
                old.unlink()
            part = kept.with_suffix(".part")
            engine.cli("save", "--output", str(part), reference, timeout=120)
            part.rename(kept)
            return reference
    engine.cli("load", "--input", str(kept), timeout=120)
    return reference


def with_program(engine: Engine, base: str, name: str, program: Path, *links: str) -> str:
    """An image like `base` in which a program of ours stands in for others, each a link to it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("opt/standin")
        entry.size, entry.mode = program.stat().st_size, 0o755
        tar.addfile(entry, io.BytesIO(program.read_bytes()))
        for link in links:
            entry = tarfile.TarInfo(f"usr/local/bin/{link}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "/opt/standin"
            tar.addfile(entry)
    made = engine.cli("create", base)
    engine.cli("cp", "-", f"{made}:/", given=packed.getvalue())
    engine.cli("commit", made, name)
    engine.cli("rm", made)
    return name


async def _build(engine: Engine, reference: str) -> None:
    settings = DockerSettings(host=engine.docker_host)
    connection = Connection(settings)
    try:
        job = Images(connection, settings).fetch(reference)
        assert job.task is not None
        await job.task
    finally:
        await connection.close()


def _cache() -> Path:
    return Path(os.environ.get("TERRACE_TEST_CACHE") or _cache_home() / "terrace" / "test-images")


def _cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
