"""A server of the fleet: a process in a network namespace of its own, which can be hurt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from terrace.client.client import Client
from terrace.client.errors import ApiError, UnreachableError
from tests.real.remains import note

if TYPE_CHECKING:
    from tests.real.engines.rig import Fleet

T = TypeVar("T")

LEASE = 6.0
SLACK = 2.0
RESYNC, GRACE = 2.0, 2.0
BRIDGE, PREFIX = "trc-eng", "10.213.77."
SOURCE = Path(__file__).parents[3] / "src"
SETTINGS = """
state = "{folder}/state"
key_file = "{fleet}/key"
default_provider = "sim"
[server]
name = "{name}"
roles = [{roles}]
{store}
[tuning]
lease = "{lease:g}s"
resync = "{resync:g}s"
ghost_grace = "{grace:g}s"
[providers.sim]
driver = "sim"
socket = "{fleet}/sim.sock"
timeout = 3.0
[providers.docker]
driver = "docker"
host = "{docker}"
timeout = 3.0
signal_url = "http://{prefix}1:8014"
"""
STORE = """
[store]
url = "postgresql://terrace@{prefix}1:{port}/postgres"
password_file = "{fleet}/postgres/password"
patience = "5s"
"""


def run(*words: str | Path, check: bool = True) -> str:
    """What a command says."""
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def until(what: Callable[[], T | None], within: float, why: Callable[[], str] | str) -> T:
    """Asks until there is an answer."""
    end = time.monotonic() + within
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < end, f"not within {within:g} s: {why if isinstance(why, str) else why()}"
        time.sleep(0.05)


class Member:
    """One server, in a namespace whose network can be cut. `shared`: its things are in the fleet's database, not in its
    own."""

    def __init__(self, fleet: Fleet, name: str, number: int, roles: str, *, shared: bool = True) -> None:
        self.name = name
        self.serves = "api" in roles
        self.address = f"{PREFIX}{number + 1}"
        self.folder = fleet.folder / name
        self.folder.mkdir()
        self._port = fleet.port
        self._space = f"trc{os.getpid()}-{name}"
        self._enter = ("ip", "netns", "exec", self._space)
        self._link = f"trc-v{number}"
        self._process: subprocess.Popen[bytes] | None = None
        given = {
            "fleet": fleet.folder,
            "port": fleet.port,
            "docker": fleet.docker.docker_host,
            "prefix": PREFIX,
        }
        store = STORE.format(**given) if shared else ""
        (self.folder / "server.toml").write_text(
            SETTINGS.format(
                folder=self.folder,
                name=name,
                roles=roles,
                store=store,
                lease=LEASE,
                resync=RESYNC,
                grace=GRACE,
                **given,
            )
        )
        note("ip", "netns", "del", self._space)
        run("ip", "netns", "add", self._space)
        run("ip", "link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self._space)
        run("ip", "link", "set", self._link, "master", BRIDGE, "up")
        for words in (f"addr add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up"):
            run(*self._enter, "ip", *words.split())
        self.client = Client(f"unix://{self.folder / 'state' / 'server.sock'}")

    def start(self, *program: str | Path) -> None:
        """A new process, of Terrace as it is or of another `program`."""
        with (self.folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                [
                    "ip",
                    "netns",
                    "exec",
                    self._space,
                    sys.executable,
                    *(program or ("-m", "terrace")),
                    "serve",
                ],
                env=self.environ,
                stdout=said,
                stderr=said,
            )

    def command(self, *words: str | Path) -> str:
        """What `terrace WORDS` says beside it."""
        done = subprocess.run(
            [sys.executable, "-m", "terrace", *map(str, words)],
            env=self.environ, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    @property
    def environ(self) -> dict[str, str]:
        """With which Terrace is this server."""
        settings = str(self.folder / "server.toml")
        return os.environ | {"TERRACE_SERVER_CONFIG": settings, "PYTHONPATH": str(SOURCE)}

    def answers(self) -> bool:
        """Whether it is there."""
        try:
            return bool(self.client.version())
        except (ApiError, UnreachableError):
            return False

    def signal(self, number: int) -> None:
        """Sends it a signal; `ip netns exec` has become it."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9."""
        self.signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(10)

    def cut(self) -> None:
        """Its network cable is pulled."""
        run("ip", "link", "set", self._link, "down")

    def deafen(self, *, half: bool = False) -> None:
        """What goes between it and the database is lost on the way, and nobody is told. `half`: only what the database
        says."""
        ways = (("OUTPUT", "--dport"), ("INPUT", "--sport"))
        for chain, side in ways[half:]:
            run(*self._enter, "iptables", "-w", "-A", chain, "-p", "tcp", side, str(self._port), "-j", "DROP")

    def join(self) -> None:
        """Its network is whole again."""
        run("ip", "link", "set", self._link, "up")
        run(*self._enter, "iptables", "-w", "-F")

    def log(self) -> str:
        """What it wrote into its log."""
        file = self.folder / "state" / "server.log"
        return file.read_text() if file.exists() else ""

    def told(self) -> str:
        """The end of all it said."""
        said = self.folder / "said"
        return (said.read_text()[-2000:] if said.exists() else "") + self.log()[-2000:]

    def remove(self) -> None:
        """Ends it, and its network."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(10)
        run("ip", "netns", "del", self._space, check=False)
        run("ip", "link", "del", self._link, check=False)
