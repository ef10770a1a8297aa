"""A Terrace server of our own in a scratch folder, and the command line as people type it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bench import shapes
from terrace.client.address import Address
from terrace.client.local import server_pid

HERE = Path(__file__).resolve().parent
TERRACE = Path(sys.executable).with_name("terrace")
SIM = 'default_provider = "sim"\n[providers.sim]\ndriver = "sim"\n'
"""Settings by which nothing real is touched: a simulated provider without latency."""

WARM_UP = 10
TICKS = os.sysconf("SC_CLK_TCK")


class BenchError(RuntimeError):
    """What was measured did not do its work: its figures would mean nothing."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the disk that the project is on (memory would flatter), gone afterwards."""
    work = HERE / ".work"
    work.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=work))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Server:
    """One running server. Its commands raise BenchError when they fail."""

    def __init__(self, folder: Path, prover: Prover) -> None:
        self.folder = folder
        self.prover = prover
        # Without PYTHON*: compiled modules are kept, as they are for whoever installed Terrace.
        dropped = ("TERRACE_", "DOCKER_", "PYTHON")
        self.environ = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
        self.environ |= {
            f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("STATE", "CONFIG", "CACHE")
        }

    @property
    def pid(self) -> int:
        """The server's process."""
        return server_pid(Address(path=str(self.folder / "state" / "terrace" / "server.sock")))

    def run(self, *words: str, accept: tuple[int, ...] = (0,)) -> float:
        """Types `terrace WORDS`; the seconds until the prompt is back."""
        with (self.folder / "said").open("wb") as said:
            began = time.perf_counter()
            done = subprocess.run(
                [TERRACE, *words], env=self.environ, cwd=self.folder, stdout=said, stderr=said, check=False
            )
            took = time.perf_counter() - began
        if done.returncode not in accept:
            last = (self.folder / "said").read_text(errors="replace")[-2000:]
            raise BenchError(f"terrace {' '.join(words)} ended with {done.returncode}:\n{last}")
        return took

    def write(self, name: str, text: str) -> str:
        """A file for a command to read; its name."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def up(self, template: str, stack: str, needs: shapes.Needs) -> float:
        """Seconds of `terrace up` of a new stack, with proof that all of `needs` was done, step by step."""
        took = self.run("up", template, "-s", stack, "--yes")
        self.prover(self, stack, needs)
        return took

    def memory(self, field: str) -> float:
        """MB that the server takes: VmRSS now, VmHWM at most so far."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise BenchError(f"the kernel does not tell {field}")

    def cpu(self) -> float:
        """CPU seconds that the server has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


Prover = Callable[[Server, str, shapes.Needs], None]
"""BenchError unless a server's stack was really made."""


def prove(server: Server, stack: str, needs: shapes.Needs) -> None:
    """Every resource counts as a real step: its row says ready, its intent and its receipt were told by an
    event each, and it began after all that it needs was there. BenchError when not."""
    file = server.folder / "state" / "terrace" / "terrace.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        verify(*steps(store, stack, needs), stack, needs)


def verify(began: Mapping[str, int], ready: Mapping[str, int], stack: str, needs: shapes.Needs) -> None:
    """BenchError when a resource began before what it needs was ready."""
    for name, wanted in needs.items():
        if any(ready[other] >= began[name] for other in wanted):
            raise BenchError(f"{name} of {stack} began before what it needs was ready")


def steps(store: Any, stack: str, needs: shapes.Needs) -> tuple[dict[str, int], dict[str, int]]:
    """The numbers of the events by which each resource began and became ready, as the database `store` has them."""
    where = "WHERE name = ? AND settled = generation AND phase = 'settled'"
    found = store.execute(f"SELECT id FROM stacks {where}", (stack,)).fetchall()
    if len(found) != 1:
        raise BenchError(f"{stack} is not settled in the database")
    (key,) = found[0]
    rows = store.execute("SELECT path FROM records WHERE stack = ? AND state = 'ready'", (key,)).fetchall()
    told: dict[str, dict[str, int]] = {"resource.creating": {}, "resource.ready": {}}
    events = "SELECT body ->> 'kind', body ->> 'path', number FROM events WHERE stack = ? ORDER BY number"
    for kind, path, number in store.execute(events, (key,)):
        if kind in told:
            told[kind].setdefault(path, number)
    began, ready = told["resource.creating"], told["resource.ready"]
    for what, names in (
        ("a ready row", {path for (path,) in rows}),
        ("an intent", began),
        ("a receipt", ready),
    ):
        missing = needs.keys() - names
        if missing:
            raise BenchError(f"{stack}: {len(missing)} resources without {what}, such as {min(missing)}")
    return began, ready


@contextmanager
def running(
    settings: str = SIM, extra: Mapping[str, str] | None = None, prover: Prover = prove
) -> Iterator[Server]:
    """A server that has been used once already, in a folder of its own; `extra` goes into its environment."""
    with scratch() as folder:
        server = Server(folder, prover)
        server.environ |= extra or {}
        config = folder / "config" / "terrace"
        config.mkdir(parents=True)
        (config / "server.toml").write_text(settings, encoding="utf-8")
        try:
            server.run("server", "start")
            needs = shapes.flat(WARM_UP)
            server.up(server.write("warm.yaml", shapes.values(needs)), "warm", needs)
            yield server
        finally:
            server.run("server", "stop")
