"""Many stacks on one PostgreSQL: what three engines take beside one, and whether a stack costs more among many."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from bench.row import Row
from bench.server import HERE, BenchError
from terrace.client.client import Client
from terrace.client.errors import ApiError, UnreachableError

STACKS, RESOURCES = 1000, 20
ASKING = 4
PATIENCE = 600.0
POSTGRES = HERE.parent / "scripts" / "postgres.sh"
LIMIT, GROWTH = 1.15, 1.15


class Fleet:
    """So many servers on one database, and one provider behind a socket for all of them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self._processes: list[subprocess.Popen[bytes]] = []

    def begin(self, engines: int) -> str:
        """Starts them; where the first answers, once each does."""
        world = str(self.folder / "sim.sock")
        self._run("-m", "terrace.drivers.sim.remote", "--socket", world)
        addresses = []
        for number in range(engines):
            state = self.folder / f"engine{number}"
            state.mkdir(mode=0o700)
            (state / "server.toml").write_text(
                f'state = "{state}"\nkey_file = "{self.folder / "key"}"\ndefault_provider = "sim"\n'
                f'[server]\nname = "e{number}"\nlog_requests = "failures"\n[store]\nurl = "{self.url}"\n'
                f'[providers.sim]\ndriver = "sim"\nsocket = "{world}"\n'
            )
            self._run("-m", "terrace", "serve", settings=str(state / "server.toml"))
            addresses.append(f"unix://{state / 'server.sock'}")
            _answered(Client(addresses[-1]))
        return addresses[0]

    def _run(self, *words: str, settings: str = "") -> None:
        environment = os.environ | {"TERRACE_SERVER_CONFIG": settings}
        self._processes.append(
            subprocess.Popen([sys.executable, *words], env=environment, stdout=subprocess.DEVNULL)
        )

    def end(self) -> None:
        """Ends all."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(30)


@contextmanager
def fleet() -> Iterator[Fleet]:
    """A new database and nothing in it."""
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="terrace-bench-")))
        folder.chmod(0o755)  # PostgreSQL is no root
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        done = subprocess.run(
            [POSTGRES, "start", folder / "pg", "127.0.0.1", port], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BenchError(f"PostgreSQL does not start: {done.stderr}")
        ending.callback(subprocess.run, [POSTGRES, "stop", folder / "pg"], check=False)
        made = Fleet(folder, done.stdout.strip())
        ending.callback(made.end)
        yield made


def settle(engines: int, stacks: int) -> float:
    """Seconds from the first wish until the last of `stacks` stacks has settled."""
    lines = [f"  v{n}: {{type: Terrace::Value, properties: {{value: {n}}}}}" for n in range(RESOURCES)]
    text = "heat_template_version: 2021-04-16\nresources:\n" + "\n".join(lines)
    wish = {"template": "t.yaml", "files": {"t.yaml": text}}
    with fleet() as made:
        address = made.begin(engines)
        began = time.perf_counter()
        with ThreadPoolExecutor(ASKING) as asking:
            # A client is for one thread.
            list(asking.map(lambda number: Client(address).stacks.apply(f"s{number}", wish), range(stacks)))
        with psycopg.connect(made.url, autocommit=True) as database:
            _settled(database, stacks)
        return time.perf_counter() - began


def sharing() -> list[Row]:
    """Three engines beside one, and 1,000 stacks beside 250."""
    few, one, three = settle(1, STACKS // 4), settle(1, STACKS), settle(3, STACKS)
    each, among = few / (STACKS // 4) * 1000, one / STACKS * 1000
    return [
        Row(
            f"{STACKS:,} stacks of {RESOURCES}, three engines", three, "s", one, "one engine", LIMIT,
            f"at most {LIMIT} times one", "PostgreSQL, two cores for all", (three,), (one,),
        ),
        Row(
            f"one stack among {STACKS:,}", among, "ms", each, f"among {STACKS // 4}", GROWTH, "does not grow",
            "", (among,), (each,),
        ),
    ]  # fmt: skip


def _settled(database: psycopg.Connection[tuple[int]], stacks: int) -> None:
    end = time.monotonic() + PATIENCE
    query = "SELECT count(*) FROM stacks WHERE phase = 'settled' AND settled = generation"
    while (row := database.execute(query).fetchone()) is None or row[0] < stacks:
        if time.monotonic() > end:
            raise BenchError(f"only {row[0] if row else 0} of {stacks} stacks have settled")
        time.sleep(0.1)


def _answered(client: Client) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            client.version()
        except (ApiError, UnreachableError) as error:
            if time.monotonic() > end:
                raise BenchError("a server does not answer") from error
            time.sleep(0.1)
        else:
            return
