"""A fleet: PostgreSQL, a simulated provider behind a socket, Docker, and servers in network namespaces that can be
hurt."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.real.engine import Engine
from tests.real.engines.member import BRIDGE, PREFIX, SOURCE, Member, run, until
from tests.real.postgres.rig import SCRIPT

ENGINES = ("e1", "e2", "e3")
ROLES = {**dict.fromkeys(ENGINES, '"engine"'), "a1": '"api"', "a2": '"api"'}
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


class Fleet:
    """All of it."""

    def __init__(self, folder: Path, docker: Engine, image: str) -> None:
        self.folder = folder
        self.docker = docker
        self.image = image
        self.postgres = folder / "postgres"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.members: dict[str, Member] = {}
        self._world: subprocess.Popen[bytes] | None = None
        self._watching: subprocess.Popen[bytes] | None = None

    def build(self) -> None:
        """Makes everything, and waits until all answer."""
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "addr", "add", f"{PREFIX}1/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        settings = ("fsync=off", "max_connections=100", "shared_buffers=64MB")
        self.url = run(SCRIPT, "start", self.postgres, f"{PREFIX}1", str(self.port), *settings).strip()
        self._world = subprocess.Popen(
            [sys.executable, "-m", "terrace.drivers.sim.remote", "--socket", str(self.folder / "sim.sock"),
             "latency=[0.1, 0.4]", "timeout=3.0"],
            env=os.environ | {"PYTHONPATH": str(SOURCE)},
        )  # fmt: skip
        with (self.folder / "containers").open("wb") as told:
            self._watching = subprocess.Popen(
                ["docker", "events", "--filter", "type=container", "--format", "{{json .}}"],
                env=self.docker.environ,
                stdout=told,
            )
        for number, (name, roles) in enumerate(ROLES.items(), 1):
            self.members[name] = Member(self, name, number, roles)
        self.start(self.members["e1"])
        self.database = psycopg.connect(self.url, autocommit=True)
        self.database.execute(WATCHED)
        self.start(*(member for name, member in self.members.items() if name != "e1"))

    def start(self, *servers: Member) -> None:
        """Starts servers, and waits until they answer."""
        for server in servers:
            server.start()
        for server in servers:
            until(server.answers, 60, server.told)

    def whole(self) -> None:
        """Waits until every server answers."""
        for server in self.members.values():
            until(server.answers, 60, server.told)

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

    def changing(self, name: str) -> bool:
        """Whether a stack of an engine is in the middle of a change."""
        asked = """SELECT 1 FROM stacks s JOIN leases l ON l.scope = 'stack:' || s.id
            JOIN engines e ON e.id = l.holder WHERE e.name = %s AND s.phase = 'settling' LIMIT 1"""
        return bool(self.ask(asked, name))

    def again(self, *, crash: bool = False) -> None:
        """PostgreSQL is restarted, or dies as in a power failure and is started again."""
        self.database.close()
        for verb in ("crash", "start") if crash else ("restart",):
            run(SCRIPT, verb, self.postgres)
        self.database = psycopg.connect(self.url, autocommit=True)

    def forget(self) -> None:
        """What was recorded of leases and writes begins anew."""
        self.database.execute("TRUNCATE lease_log, write_log")

    def freeze(self, seconds: float) -> None:
        """PostgreSQL stands still for a while."""
        run(SCRIPT, "pause", self.postgres)
        time.sleep(seconds)
        run(SCRIPT, "resume", self.postgres)

    def remove(self) -> None:
        """Nothing of it is left."""
        for member in self.members.values():
            member.remove()
        for process in (self._world, self._watching):
            if process is not None:
                process.terminate()
                process.wait(10)
        run(SCRIPT, "stop", self.postgres, check=False)
        run("ip", "link", "del", BRIDGE, check=False)


@contextmanager
def fleet(folder: Path, docker: Engine, image: str) -> Iterator[Fleet]:
    """A fleet for as long as the block runs. `image`: of its containers."""
    made = Fleet(folder, docker, image)
    try:
        made.build()
        yield made
    finally:
        made.remove()
