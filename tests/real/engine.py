"""A private Docker engine for tests, in a network namespace that the test process shares with it.

The work is done by scripts/engine.sh; this gives it a face for tests. Because the test process (and what it
starts) joins the engine's network namespace, published ports answer on 127.0.0.1 and containers on their own
addresses, while nothing outside can be disturbed: not another engine, not the machine's firewall.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.real import remains

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).parents[2] / "scripts" / "engine.sh"
CLONE_NEWNET = 0x40000000


class EngineError(RuntimeError):
    """The private engine did not do what it was asked; the message holds what it said."""


class Engine:
    """One private dockerd: where it answers, and the ways to hurt it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.socket = folder / "docker.sock"
        self.docker_host = f"unix://{self.socket}"
        self.loaded: set[str] = set()
        """The images of recipes that fixtures brought; a test that has others built on its way takes a minute more."""

    # -- life ------------------------------------------------------------------------------------

    def create(self) -> None:
        """Make it, and its network; takes about half a second."""
        remains.note(SCRIPT, "stop", self.folder)
        self._script("start", self.name, "free", "own-net")

    def destroy(self) -> None:
        """Remove it with every trace: processes, mounts, bridges, rules, files."""
        self._script("stop")

    def stop(self) -> None:
        """End the daemon as a package update or a reboot does: its containers end too, and stay ended."""
        self._script("daemon-stop")

    def kill(self) -> None:
        """End the daemon as a crash does: containers go on running without it."""
        self._script("daemon-kill")

    def start(self, **settings: Any) -> None:
        """Start the daemon again on what it left, with settings of daemon.json if any (live_restore=True)."""
        names = {key.replace("_", "-"): value for key, value in settings.items()}
        (self.folder / "daemon.json").write_text(json.dumps(names))
        self._script("daemon-start")

    def pause(self) -> None:
        """Freeze the daemon: it accepts connections and says nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen daemon go on."""
        os.kill(self.pid, signal.SIGCONT)

    def recover(self) -> None:
        """Make it answer again, whatever a test did to it."""
        if self._running:
            self.resume()
        if not self.answers:
            self._script("daemon-kill")
            self.start()

    @property
    def pid(self) -> int:
        """The daemon's process id; FileNotFoundError when it does not run."""
        return int((self.folder / "docker.pid").read_text())

    @property
    def answers(self) -> bool:
        """Whether it answers a ping."""
        try:
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(3)
                peer.connect(str(self.socket))
                peer.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b" 200 " in peer.recv(200)
        except OSError:
            return False

    @property
    def log(self) -> str:
        """What the daemon wrote."""
        return (self.folder / "dockerd.log").read_text(errors="replace")

    # -- use -------------------------------------------------------------------------------------

    @property
    def environ(self) -> dict[str, str]:
        """An environment in which every Docker client, Terrace included, finds this engine."""
        dropped = {"DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"}
        kept = {key: value for key, value in os.environ.items() if key not in dropped}
        return kept | {"DOCKER_HOST": self.docker_host}

    def cli(self, *args: str, check: bool = True, timeout: float = 60, given: bytes | None = None) -> str:
        """Run the docker command behind Terrace's back and return what it printed. `given` is its standard input."""
        done = subprocess.run(
            ["docker", *args],
            env=self.environ,
            capture_output=True,
            input=given,
            timeout=timeout,
            check=False,
        )
        said, blamed = done.stdout.decode().strip(), done.stderr.decode().strip()
        if check and done.returncode:
            raise EngineError(f"docker {' '.join(args)}: {blamed or said}")
        return said

    def containers(self, *filters: str, running: bool = False) -> list[str]:
        """Names of the containers that are there, those that do not run included."""
        args = ["ps", "--format", "{{.Names}}"] + ([] if running else ["--all"])
        for one in filters:
            args += ["--filter", one]
        return sorted(self.cli(*args).split())

    def inspect(self, name: str, kind: str = "container") -> dict[str, Any]:
        """Everything the engine says about one thing."""
        found: list[dict[str, Any]] = json.loads(self.cli("inspect", "--type", kind, name))
        return found[0]

    def clear(self) -> None:
        """Remove every container, volume and network, but keep the images: a clean slate for the next test."""
        if ids := self.cli("ps", "--all", "--quiet", "--no-trunc").split():
            self.cli("rm", "--force", "--volumes", *ids, check=False)
        if volumes := self.cli("volume", "ls", "--quiet").split():
            self.cli("volume", "rm", "--force", *volumes, check=False)
        if networks := self.cli("network", "ls", "--quiet", "--filter", "type=custom").split():
            self.cli("network", "rm", *networks, check=False)
        self._clear_filter()

    def _clear_filter(self) -> None:
        """Remove Terrace's tables from the packet filter; only from within the engine's network."""
        if not (self.folder / "engine.env").exists():
            return
        for line in self._inside("nft", "list", "tables").splitlines():
            if line.startswith("table inet terrace_"):
                self._inside("nft", "delete", *line.split())
        for line in self._inside("iptables", "-w", "-S", "DOCKER-USER").splitlines():
            if "--comment terrace_" in line:
                self._inside("iptables", "-w", "-D", *line.split()[1:])

    def _inside(self, *words: str) -> str:
        enter = ["nsenter", f"--net=/run/netns/terrace-{self.name}", *words]
        return subprocess.run(enter, capture_output=True, text=True, timeout=30, check=False).stdout

    # -- parts -----------------------------------------------------------------------------------

    @property
    def _running(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except (OSError, ValueError):
            return False
        return True

    def _run(self, verb: str, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SCRIPT), verb, str(self.folder), *args],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def _script(self, verb: str, *args: str) -> None:
        done = self._run(verb, *args)
        if done.returncode:
            raise EngineError(f"{SCRIPT.name} {verb}: {done.stderr.strip()}")


@contextmanager
def private_engine() -> Iterator[Engine]:
    """An engine that lives as long as the block, in a network namespace that this thread joins meanwhile.

    Threads and processes started inside the block inherit the namespace. Needs root.
    """
    missing = [tool for tool in ("dockerd", "docker", "ip", "iptables") if not _found(tool)]
    if os.geteuid() != 0 or missing:
        raise EngineError(f"tests/real need root and {', '.join(missing) or 'nothing else'}: run `make real`")
    folder = Path(tempfile.mkdtemp(prefix="engine-", dir=remains.folder()))
    engine = Engine(folder, f"tt{os.getpid()}")
    try:
        engine.create()
        with _network(Path("/run/netns") / f"terrace-{engine.name}"):
            yield engine
    finally:
        engine.destroy()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _network(namespace: Path) -> Iterator[None]:
    """Move this thread into a network namespace, and back again."""
    assert threading.current_thread() is threading.main_thread(), "what the tests start has to inherit it"
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        with namespace.open() as there:
            _setns(there.fileno())
        yield
    finally:
        _setns(home)
        os.close(home)


def _setns(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _found(tool: str) -> bool:
    return shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None
