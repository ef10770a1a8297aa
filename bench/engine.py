"""A private Docker engine for the measurements, by scripts/engine.sh, with an image of one static program."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.server import HERE, BenchError, scratch

SCRIPT = HERE.parent / "scripts" / "engine.sh"
IMAGE = "terrace-bench/tiny:1"


class Engine:
    """Where it answers, and the command line's way to it."""

    image = IMAGE

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "docker.sock"

    def docker(self, *words: str, given: bytes | None = None) -> str:
        """What `docker WORDS` prints."""
        address = f"unix://{self.socket}"
        done = subprocess.run(
            ["docker", "-H", address, *words], input=given, capture_output=True, check=False
        )
        if done.returncode:
            raise BenchError(f"docker {' '.join(words)}: {done.stderr.decode()}")
        return done.stdout.decode()

    def script(self, verb: str, *words: str) -> None:
        """One verb of engine.sh."""
        done = subprocess.run(
            [SCRIPT, verb, self.folder, *words], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BenchError(f"engine.sh {verb}: {done.stderr.strip()}")


@contextmanager
def private_engine() -> Iterator[Engine]:
    """An engine with the image, on a network of its own, gone afterwards with every trace."""
    with scratch() as folder:
        engine = Engine(folder / "engine")
        try:
            engine.script("start", f"tb{os.getpid()}", "free", "own-net")
            engine.docker("import", "-", IMAGE, given=_tiny())
            yield engine
        finally:
            engine.script("stop")


def _tiny() -> bytes:
    """A tar archive of busybox as `sleep`."""
    busybox = shutil.which("busybox")
    if busybox is None:
        raise BenchError("busybox is missing: run `make apt`")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in ("bin", "dev", "etc", "proc", "sys", "tmp"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        tar.add(busybox, "bin/busybox")
        link = tarfile.TarInfo("bin/sleep")
        link.type, link.linkname = tarfile.SYMTYPE, "busybox"
        tar.addfile(link)
    return packed.getvalue()
