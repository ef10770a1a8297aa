"""A fleet: PostgreSQL, a simulated provider behind a socket, and servers in network namespaces that can be hurt."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from terrace.client.client import Client
from terrace.client.errors import ApiError, UnreachableError
from tests.real.engine import own_network
from tests.real.postgres.rig import SCRIPT
from tests.real.remains import note

T = TypeVar("T")

LEASE = 6.0
SLACK = 2.0
BRIDGE, PREFIX = "trc-eng", "10.213.77."
WATCHED = """
CREATE TABLE lease_log (id BIGSERIAL PRIMARY KEY, scope TEXT, holder TEXT, epoch BIGINT);
CREATE TABLE write_log (id BIGSERIAL PRIMARY KEY, stack TEXT, holder TEXT, address TEXT);
CREATE FUNCTION log_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO lease_log (scope, holder, epoch) VALUES (NEW.scope, NEW.holder, NEW.epoch); RETURN NULL; END $$;
CREATE TRIGGER log_lease AFTER INSERT OR UPDATE ON leases FOR EACH ROW EXECUTE FUNCTION log_lease();
CREATE FUNCTION log_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO write_log (stack, holder, address)
    SELECT NEW.stack, holder, host(inet_client_addr()) FROM leases WHERE scope = 'stack:' || NEW.stack;
    RETURN NULL; END $$;
CREATE TRIGGER log_write AFTER INSERT OR UPDATE ON records FOR EACH ROW EXECUTE FUNCTION log_write();
"""
"""The database itself keeps who took which lease, and from which computer each record was written under whose."""


def run(*words: str | Path, check: bool = True) -> str:
    """What a command says."""
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


def until(what: Callable[[], T | None], within: float, why: str) -> T:
    """Asks until there is an answer."""
    end = time.monotonic() + within
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < end, f"not within {within:g} s: {why}"
        time.sleep(0.05)


class Member:
    """One server, in a namespace whose network can be cut."""

    def __init__(self, fleet: Fleet, name: str, number: int, roles: str) -> None:
        self.name = name
        self.address = f"{PREFIX}{number + 1}"
        self.folder = fleet.folder / name
        self.folder.mkdir()
        self._space = f"trc{os.getpid()}-{name}"
        self._link = f"trc-v{number}"
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "server.toml").write_text(
            f'''state = "{self.folder / "state"}"
key_file = "{fleet.folder / "key"}"
[server]
name = "{name}"
roles = [{roles}]
[store]
url = "postgresql://terrace@{PREFIX}1:{fleet.port}/postgres"
password_file = "{fleet.postgres / "password"}"
patience = "5s"
[tuning]
lease = "{LEASE:g}s"
resync = "5s"
[providers.local]
driver = "sim"
socket = "{fleet.folder / "sim.sock"}"
timeout = 3.0
'''
        )
        note("ip", "netns", "del", self._space)
        run("ip", "netns", "add", self._space)
        run("ip", "link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self._space)
        run("ip", "link", "set", self._link, "master", BRIDGE, "up")
        for words in (f"addr add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up"):
            run("ip", "netns", "exec", self._space, "ip", *words.split())
        self.client = Client(f"unix://{self.folder / 'state' / 'server.sock'}")

    def start(self) -> None:
        """A new process."""
        environment = os.environ | {"TERRACE_SERVER_CONFIG": str(self.folder / "server.toml")}
        with (self.folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", self._space, sys.executable, "-m", "terrace", "serve"],
                env=environment,
                stdout=said,
                stderr=said,
            )

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

    def join(self) -> None:
        """And put back."""
        run("ip", "link", "set", self._link, "up")

    def log(self) -> str:
        """What it wrote into its log."""
        file = self.folder / "state" / "server.log"
        return file.read_text() if file.exists() else ""

    def told(self) -> str:
        """The end of all it said."""
        return (self.folder / "said").read_text()[-2000:] + self.log()[-2000:]

    def remove(self) -> None:
        """Ends it, and its network."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(10)
        run("ip", "netns", "del", self._space, check=False)
        run("ip", "link", "del", self._link, check=False)


class Fleet:
    """All of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = folder / "postgres"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.members: dict[str, Member] = {}
        self._world: subprocess.Popen[bytes] | None = None

    def build(self) -> None:
        """Makes everything, and waits until all answer."""
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "addr", "add", f"{PREFIX}1/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        settings = ("fsync=off", "max_connections=100", "shared_buffers=64MB")
        self.url = run(SCRIPT, "start", self.postgres, f"{PREFIX}1", str(self.port), *settings).strip()
        self._world = subprocess.Popen(
            [sys.executable, "-m", "terrace.drivers.sim.remote", "--socket", str(self.folder / "sim.sock"),
             "latency=[0.1, 0.4]"]
        )  # fmt: skip
        for number, (name, roles) in enumerate(ROLES.items(), 1):
            self.members[name] = Member(self, name, number, roles)
        self._start("e1")
        self.database = psycopg.connect(self.url, autocommit=True)
        self.database.execute(WATCHED)
        self._start(*[name for name in ROLES if name != "e1"])

    def _start(self, *names: str) -> None:
        for name in names:
            self.members[name].start()
        for name in names:
            until(self.members[name].answers, 60, f"{name} answers: {self.members[name].told()}")

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database says."""
        return self.database.execute(query, values).fetchall()

    def holders(self) -> dict[str, str]:
        """Who holds each stack, by its scope: the name of an engine that lives."""
        return dict(
            self.ask(
                "SELECT l.scope, e.name FROM leases l JOIN engines e ON e.id = l.holder JOIN stacks s"
                " ON l.scope = 'stack:' || s.id"
            )
        )

    def again(self) -> None:
        """PostgreSQL is restarted."""
        self.database.close()
        run(SCRIPT, "restart", self.postgres)
        self.database = psycopg.connect(self.url, autocommit=True)

    def freeze(self, seconds: float) -> None:
        """PostgreSQL stands still for a while."""
        run(SCRIPT, "pause", self.postgres)
        time.sleep(seconds)
        run(SCRIPT, "resume", self.postgres)

    def remove(self) -> None:
        """Nothing of it is left."""
        for member in self.members.values():
            member.remove()
        if self._world is not None:
            self._world.terminate()
            self._world.wait(10)
        run(SCRIPT, "stop", self.postgres, check=False)
        run("ip", "link", "del", BRIDGE, check=False)


ROLES = {"e1": '"engine"', "e2": '"engine"', "e3": '"engine"', "a1": '"api"', "a2": '"api"'}


@contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """A fleet for as long as the block runs."""
    made = Fleet(folder)
    with own_network():
        try:
            made.build()
            yield made
        finally:
            made.remove()
