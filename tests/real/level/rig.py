"""A user of Terrace in a test: state and settings of their own, the `terrace` command, and eyes on the engine.

Everything goes through the command line, as a person would do it; what is really there is asked of the engine.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from terrace.client.client import Client
from terrace.client.errors import ApiError, UnreachableError
from tests.real.engine import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tests.real.engine import Engine

PATIENCE = 60.0
"""Seconds until something that has to come is given up. Most things come within one."""

LABEL = "terrace.installation"
SETTINGS = """\
[tuning]
resync = "5s"
ghost_grace = "4s"

[providers.local]
driver = "docker"
host = "{host}"
"""


class Done:
    """What a command printed and how it ended."""

    def __init__(self, words: Iterable[str], code: int, out: str, err: str) -> None:
        self.words = " ".join(words)
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        """Its output, read as JSON."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Its output, read as one JSON document per line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __str__(self) -> str:
        return f"$ terrace {self.words}  -> {self.code}\n{self.out}{self.err}"


class Terrace:
    """One user with one server, at home in `folder`."""

    def __init__(self, folder: Path, engine: Engine, settings: str = SETTINGS) -> None:
        self.folder = folder
        self.engine = engine
        self.python = sys.executable
        self.environ = _environ(folder)
        self.state = folder / "state" / "terrace"
        self.settings = folder / "config" / "terrace" / "server.toml"
        self.settings.parent.mkdir(parents=True, exist_ok=True)
        self.settings.write_text(settings.format(host=engine.docker_host))

    # -- the command -----------------------------------------------------------------------------

    def __call__(
        self, *words: str, code: int | None = 0, given: str | None = None, timeout: float = PATIENCE * 2
    ) -> Done:
        """Run `terrace WORDS`. Unless it ends with `code` (None: any will do) the test fails and says why."""
        process = self.begin(*words)
        try:
            out, err = process.communicate(given, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail(
                f"`terrace {' '.join(words)}` did not end within {timeout:.0f} s; it said\n{out}\n{err}"
            )
        done = Done(words, process.returncode, out, err)
        if code is not None and done.code != code:
            self.fail(f"{done}\nshould have ended with {code}")
        return done

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start `terrace WORDS` and go on."""
        return subprocess.Popen(
            [self.python, "-m", "terrace", *words],
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, stack: str, resources: Mapping[str, Any], **sections: Any) -> str:
        """Write the template STACK.yaml (JSON is YAML, too); its path."""
        document = {"heat_template_version": "2021-04-16", "resources": resources, **sections}
        file = self.folder / f"{stack}.yaml"
        file.write_text(json.dumps(document, indent=2))
        return str(file)

    def up(self, stack: str, resources: Mapping[str, Any], *words: str, code: int | None = 0) -> Done:
        """Bring a stack up with these resources."""
        return self("up", self.write(stack, resources), "--yes", *words, code=code)

    def plan(self, stack: str, *words: str) -> dict[str, dict[str, Any]]:
        """What `terrace plan` of the template as last written would change, by path."""
        done = self("plan", str(self.folder / f"{stack}.yaml"), "-o", "json", *words, code=None)
        if done.code not in (0, 2):
            self.fail(str(done))
        found: dict[str, Any] = done.json
        assert found["changes"] == (done.code == 2), done
        return {item["path"]: item for item in found["items"] if item["what"] != "nothing"}

    def head(self, stack: str) -> dict[str, Any]:
        """The stack as `status` shows it."""
        found: dict[str, Any] = self("status", stack, "-o", "json").json
        return dict(found["stack"])

    def resources(self, stack: str) -> dict[str, dict[str, Any]]:
        """What `status` shows of each resource, by path; of several incarnations the newest."""
        items = self("status", stack, "-o", "json").json["resources"]
        return {item["path"]: item for item in sorted(items, key=lambda one: one["incarnation"])}

    def stacks(self) -> list[str]:
        """The names of all stacks."""
        return self("list", "-o", "name").out.split()

    def events(self, stack: str) -> list[dict[str, Any]]:
        """Everything that happened to a stack, oldest first."""
        return self("events", stack, "-o", "json", "--after", "0").lines

    def ghosts(self) -> dict[str, dict[str, Any]]:
        """What nothing wants, by the provider's id."""
        return {one["provider_id"]: one for one in self("ghost", "list", "-o", "json").json}

    # -- the server ------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The server's process; 0 when none runs."""
        return int(self("server", "status", "-o", "json", code=None).json["pid"] or 0)

    def start(self) -> None:
        """Start the server, and ask it once who it is."""
        self("server", "start")
        assert self.installation

    def stop(self) -> None:
        """Stop the server as its owner does."""
        self("server", "stop")

    def kill(self, pid: int = 0) -> None:
        """End the server (`pid` if that is known already) as a crash does."""
        pid = pid or self.pid
        assert pid, "no server to kill"
        os.kill(pid, signal.SIGKILL)
        self.until(lambda: not _alive(pid), why=f"the server ({pid}) to be dead")

    @cached_property
    def installation(self) -> str:
        """What our things are labelled with."""
        return str(self("server", "status", "-o", "json").json["installation"])

    @property
    def log(self) -> str:
        """Everything the server wrote."""
        files = [*sorted(self.state.glob("server.log*")), self.state / "start.log"]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    # -- what is really there --------------------------------------------------------------------

    def container(self, stack: str, path: str) -> str:
        """The id of the running container of a machine."""
        return str(self.resources(stack)[path]["provider_id"])

    def inspect(self, stack: str, path: str) -> dict[str, Any]:
        """Everything the engine says about a machine."""
        return self.engine.inspect(self.container(stack, path))

    def inspect_all(self) -> list[dict[str, Any]]:
        """Everything the engine says about every container with our label."""
        names = [one["Names"] for one in self._ours("ps", "--all")]
        found: list[dict[str, Any]] = json.loads(self.engine.cli("inspect", *names)) if names else []
        return found

    def there(self, *, running: bool = True) -> list[str]:
        """stack/path of everything on the engine with our label, sorted. A container that does not run counts
        with its state behind it, unless `running` is false."""
        found = [_place(one["Labels"]) + _state(one, running) for one in self._ours("ps", "--all")]
        found += [_place(one["Labels"]) for kind in ("network", "volume") for one in self._ours(kind, "ls")]
        return sorted(found)

    def live(self) -> list[tuple[str, str]]:
        """(uid, incarnation) of every container with our label."""
        labels = [_labels(one["Labels"]) for one in self._ours("ps", "--all")]
        return sorted((one["terrace.uid"], one["terrace.incarnation"]) for one in labels)

    def _ours(self, *words: str) -> list[dict[str, Any]]:
        label = f"label={LABEL}={self.installation}"
        said = self.engine.cli(*words, "--filter", label, "--format", "{{json .}}")
        return [json.loads(line) for line in said.splitlines()]

    def last_event(self, stack: str) -> int:
        """The number of the newest event of a stack."""
        return int(self("events", stack, "-o", "json", "-n", "1").json["number"])

    # -- waiting and judging ---------------------------------------------------------------------

    def until(self, condition: Callable[[], Any], seconds: float = PATIENCE, *, why: str) -> Any:
        """What `condition` gives as soon as it is true of something. The test fails when that takes too long."""
        asked = time.monotonic()
        deadline = asked + seconds
        while not (found := condition()):
            answered = time.monotonic()
            if answered > deadline:
                self.fail(f"waited {seconds:.0f} s for {why}")
            # a question that is dear, as a command is, is asked less often: others wait for this computer, too
            time.sleep(max(0.1, answered - asked))
            asked = time.monotonic()
        return found

    def settled(self, stack: str, seconds: float = PATIENCE) -> None:
        """Wait until a stack is settled at the generation that is wanted."""
        self.until(lambda: self.is_settled(stack), seconds, why=f"{stack} to be settled")

    def is_settled(self, stack: str) -> bool:
        """Whether it is. Asked without a command where a server answers, since what waits asks often."""
        try:
            with Client(f"unix://{self.state / 'server.sock'}") as client:
                head = client.stacks.get(stack)
        except (ApiError, UnreachableError):
            head = self.head(stack)
        return bool(head["phase"] == "settled" and head["settled"] == head["generation"])

    def noticed(self, stack: str, path: str, after: int) -> None:
        """Wait until Terrace said something about a resource that is newer than event `after`."""
        self.until(
            lambda: [
                one
                for one in self("events", stack, "-o", "json", "--after", str(after)).lines
                if one["path"] == path
            ],
            why=f"word of {path}",
        )

    def stands(self, stack: str, *paths: str, also: Iterable[str] = ()) -> None:
        """The stack is settled, planning it finds nothing to do, and the engine holds exactly `paths` of it
        (and `also`, each STACK/PATH), every machine running."""
        wanted = sorted([*(f"{stack}/{path}" for path in paths), *also])
        self.settled(stack)
        self.until(
            lambda: self.there() == wanted,
            20,
            why=f"just what is wanted to be there: {sorted(set(wanted) ^ set(self.there()))} are too many or too few",
        )
        self.settled(stack)
        if changes := self.plan(stack):
            self.fail(f"{stack} is settled, but the plan has changes: {json.dumps(changes, indent=2)}")
        assert self.there() == wanted, self.explain()

    def down(self, stack: str, *words: str) -> None:
        """Take a stack down: nothing of it is left."""
        self("down", stack, "--yes", *words)
        left = [one for one in self.there(running=False) if one.startswith(f"{stack}/")]
        if left or stack in self.stacks():
            self.fail(f"after `down {stack}` there is still {left or stack}")

    # -- explaining ------------------------------------------------------------------------------

    def fail(self, what: str) -> Any:
        """Fail the test, with everything one needs to understand it."""
        pytest.fail(f"{what}\n\n{self.explain()}", pytrace=True)

    def explain(self) -> str:
        """The state of everything, for somebody who has to find out what went wrong."""
        listed = self._peek("list", "-o", "name")
        parts = [str(listed)]
        for name in listed.out.split()[:3]:
            parts.append(str(self._peek("status", name, "-o", "wide")))
            parts.append(str(self._peek("events", name, "-n", "40")))
        try:
            parts.append(self.engine.cli("ps", "--all", timeout=5))
            names = self.engine.cli("network", "ls", "-q", "--filter", "type=custom", timeout=5).split()
            parts.append(self.engine.cli("network", "inspect", *names, timeout=5) if names else "no networks")
        except (EngineError, subprocess.TimeoutExpired) as error:
            parts.append(f"the engine: {error}")
        for name, log in (("engine", self.engine.log), ("server", self.log)):
            parts.append(f"{name} log:\n" + "\n".join(log.splitlines()[-40:]))
        return "\n\n".join(parts)

    def _peek(self, *words: str) -> Done:
        with self.begin(*words) as process:
            try:
                out, err = process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
        return Done(words, process.returncode, out, err)


def machine(image: str, *, memory: int = 32, command: str = "exec sleep 2147483647", **more: Any) -> Any:
    """A small machine."""
    return {
        "type": "Terrace::Machine",
        "properties": {"image": image, "memory": memory, "command": ["sh", "-c", command], **more},
    }


def of(kind: str, **properties: Any) -> Any:
    """A resource of any other kind."""
    return {"type": f"Terrace::{kind}", "properties": properties}


def alone(folder: Path, engine: Engine, settings: str = SETTINGS) -> Iterator[Terrace]:
    """A user whose server, if one is started, is stopped at the end."""
    terrace = Terrace(folder, engine, settings)
    yield terrace
    terrace("server", "stop", code=None)


def _environ(folder: Path) -> dict[str, str]:
    dropped = ("DOCKER_", "TERRACE_", "XDG_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    places = {f"XDG_{name.upper()}_HOME": str(folder / name) for name in ("state", "config", "cache", "data")}
    source = Path(__file__).parents[3] / "src"
    return kept | places | {"HOME": str(folder), "NO_COLOR": "1", "PYTHONPATH": str(source)}


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _labels(text: str) -> dict[str, str]:
    return dict(pair.partition("=")[::2] for pair in text.split(","))


def _place(text: str) -> str:
    labels = _labels(text)
    return f"{labels.get('terrace.stack', '')}/{labels.get('terrace.path', '')}"


def _state(container: Mapping[str, str], running: bool) -> str:
    return "" if container["State"] == "running" or not running else f" ({container['State']})"
