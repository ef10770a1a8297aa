"""The command line against a fake server, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from terrace.cli.root import main
from tests.unit.client.fake_server import FakeServer


class Ran(NamedTuple):
    """What a command line did."""

    code: int
    out: str
    err: str


@pytest.fixture
def routes() -> dict[str, Any]:
    """What the fake server answers; tests add to it."""
    return {}


@pytest.fixture
def server(tmp_path: Path, routes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A fake server, and an environment that names it and nothing else."""
    for name in ("TERRACE_PROJECT", "TERRACE_OUTPUT", "TERRACE_DEBUG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    fake = FakeServer(tmp_path / "server.sock", routes)
    monkeypatch.setenv("TERRACE_SERVER", f"unix://{fake.address}")
    yield fake
    fake.close()


@pytest.fixture
def terrace(server: FakeServer, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs a command line."""

    def run(*words: str) -> Ran:
        capfd.readouterr()
        code = main(words)
        out, err = capfd.readouterr()
        return Ran(code, out, err)

    return run
